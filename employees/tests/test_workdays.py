"""Promises of employees.workdays: whatever weekend, holidays, hours and zone an organization has."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from employees.models import Organization
from employees.workdays import (
    add_workdays,
    is_workday,
    next_working_moment,
    opening,
    within_hours,
    workday_before,
    workday_on_or_after,
    working_hours_between,
)

RIYADH = ZoneInfo("Asia/Riyadh")
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
HOURS = st.times(time(1), time(22)).map(lambda moment: moment.replace(microsecond=0))
ORGANIZATIONS = st.builds(
    lambda weekend, holidays, hours, zone: Organization(
        weekend=sorted(weekend), holidays=sorted(holidays), work_starts=hours[0], work_ends=hours[1], time_zone=zone
    ),
    st.sets(st.integers(1, 7), max_size=6),
    st.sets(DAYS, max_size=40),
    st.tuples(HOURS, HOURS).map(sorted).filter(lambda hours: hours[0] < hours[1]),
    st.sampled_from(["Asia/Riyadh", "Africa/Cairo", "UTC", "Pacific/Auckland"]),
)


@pytest.fixture
def organization():
    """Works from Sunday to Thursday, nine to five; Wednesday, the National Day, is a holiday."""
    return Organization(weekend=[5, 6], holidays=[date(2026, 9, 23)], work_starts=time(9), work_ends=time(17))


def at(day, hour, minute=0):
    return datetime(2026, 9, day, hour, minute, tzinfo=RIYADH)


def test_days_step_over_weekend_and_holidays(organization):
    assert [day for day in range(20, 30) if is_workday(organization, date(2026, 9, day))] == [
        20,
        21,
        22,
        24,
        27,
        28,
        29,
    ]
    assert workday_on_or_after(organization, date(2026, 9, 23)) == date(2026, 9, 24)
    assert workday_on_or_after(organization, date(2026, 9, 25)) == date(2026, 9, 27)
    assert workday_before(organization, date(2026, 9, 27)) == date(2026, 9, 24)
    assert workday_before(organization, date(2026, 9, 24)) == date(2026, 9, 22)
    assert add_workdays(organization, date(2026, 9, 22), 3) == date(2026, 9, 28)
    assert add_workdays(organization, date(2026, 9, 25), 0) == date(2026, 9, 27)


def test_hours_open_and_close(organization):
    assert opening(organization, date(2026, 9, 22)) == at(22, 9)
    assert within_hours(organization, at(22, 9)) and within_hours(organization, at(22, 16, 59))
    assert not any(within_hours(organization, moment) for moment in (at(22, 17), at(22, 8, 59), at(23, 12), at(25, 12)))
    assert next_working_moment(organization, at(22, 12)) == at(22, 12)
    assert next_working_moment(organization, at(22, 7)) == at(22, 9)
    assert next_working_moment(organization, at(22, 17)) == at(24, 9)
    assert next_working_moment(organization, at(24, 20)) == at(27, 9)


def test_hours_of_work_leave_out_nights_weekends_and_holidays(organization):
    assert working_hours_between(organization, at(22, 16), at(24, 10, 30)) == 2.5
    assert working_hours_between(organization, at(24, 12), at(27, 12)) == 8
    assert working_hours_between(organization, at(25, 0), at(26, 23)) == 0
    assert working_hours_between(organization, at(22, 12), at(22, 11)) == 0


def test_an_hour_that_summer_time_skips_is_not_worked():
    night_shift = Organization(weekend=[], work_starts=time(0), work_ends=time(6), time_zone="Europe/Berlin")
    midnight = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))
    assert working_hours_between(night_shift, midnight, midnight + timedelta(hours=12)) == 5


@given(ORGANIZATIONS, DAYS, st.integers(0, 30))
def test_no_step_ends_on_a_weekend_or_holiday_nor_goes_the_wrong_way(organization, day, count):
    added, before = add_workdays(organization, day, count), workday_before(organization, day)
    assert is_workday(organization, added) and is_workday(organization, before)
    assert before < day <= workday_on_or_after(organization, day) <= added
    # As many workdays lie between as were asked for.
    after = (day + timedelta(days=step) for step in range(1, (added - day).days + 1))
    assert count == 0 or sum(is_workday(organization, passed) for passed in after) == count


@given(ORGANIZATIONS, MOMENTS)
def test_the_next_working_moment_is_never_past_nor_out_of_hours(organization, moment):
    found = next_working_moment(organization, moment)
    assert found >= moment
    assert within_hours(organization, found)
    assert working_hours_between(organization, moment, found) == 0


@given(ORGANIZATIONS, st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
def test_hours_of_work_add_up(organization, moments):
    first, middle, last = moments
    parts = working_hours_between(organization, first, middle) + working_hours_between(organization, middle, last)
    assert parts == pytest.approx(working_hours_between(organization, first, last))
