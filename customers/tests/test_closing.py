"""Predicted close dates: how long others took, with those who were lost or are still open taken into account."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.testing import make_customer
from customers.models import Customer, StageChange
from customers.scoring.closing import Curve, curves_of, in_words, outcomes_of

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


class TestCurves:
    def test_half_of_the_winners_are_those_who_win_and_not_those_who_are_lost(self):
        curve = Curve({10: (30, 0, 0), 20: (0, 30, 0), 30: (30, 0, 0)}, usual_days=45)
        assert curve.shares == pytest.approx([1 / 3, 2 / 3])
        assert [curve.remaining_days(0, share) for share in (0.2, 0.5, 0.51)] == [10, 10, 30]
        assert curve.remaining_days(10) == 20

    def test_who_is_still_open_makes_late_winners_count_for_more(self):
        curve = Curve({10: (30, 0, 0), 20: (0, 0, 60), 30: (30, 0, 0)}, usual_days=45)
        assert curve.shares == pytest.approx([1 / 4, 1])
        assert curve.remaining_days(0) == 30

    def test_without_winners_the_usual_days_are_all_there_is_however_long_somebody_waits(self):
        curve = Curve({}, usual_days=14)
        assert [curve.remaining_days(day) for day in (0, 5, 400)] == [14, 14, 14]
        assert curve.remaining_days(0, 0.9) == 47

    def test_few_winners_and_twenty_usual_ones_count_together(self):
        # Ten of thirty on day 5; a quarter of the usual twenty by day 6 makes it half.
        curve = Curve({5: (10, 0, 0)}, usual_days=14)
        assert curve.remaining_days(0) == 6
        assert curve.remaining_days(0, 0.3) == 5
        assert curve.remaining_days(5) == 14

    def test_twenty_winners_ahead_are_enough_by_themselves(self):
        assert Curve({5: (19, 0, 0)}, usual_days=400).remaining_days(0, 0.9) > 400
        assert Curve({5: (20, 0, 0)}, usual_days=400).remaining_days(0, 0.9) == 5

    def test_an_interval_is_told_from_two_hundred_winners_on(self):
        outcomes = {day: (20, 0, 0) for day in range(1, 11)}
        assert Curve(outcomes, usual_days=45).interval(0) == (1, 9)
        assert Curve(outcomes | {10: (19, 0, 0)}, usual_days=45).interval(0) is None

    @given(
        st.dictionaries(st.integers(0, 60), st.tuples(*[st.integers(0, 9)] * 3).filter(any), max_size=20),
        st.integers(0, 80),
        st.integers(1, 60),
    )
    def test_a_larger_share_takes_longer_and_nobody_has_won_today(self, outcomes, day, usual_days):
        curve = Curve(outcomes, usual_days)
        waits = [curve.remaining_days(day, share) for share in (0.1, 0.5, 0.9)]
        assert 1 <= waits[0] <= waits[1] <= waits[2]


def test_durations_run_from_entering_a_stage_to_the_down_payment_a_loss_or_today(layla, noura):
    def enter(customer, *entries, **values):
        StageChange.objects.filter(customer=customer).delete()
        StageChange.objects.bulk_create(
            StageChange(customer=customer, to_stage=stage, changed_at=NOW - timedelta(days=ago))
            for stage, ago in entries
        )
        values = {"stage_entered_at": NOW - timedelta(days=entries[-1][1]), **values}
        Customer.objects.filter(pk=customer.pk).update(**values)

    def days_ago(days):
        return NOW - timedelta(days=days)

    enter(make_customer(layla), ("new_lead", 100), ("negotiation", 60.5), ("down_payment", 40), ("closing", 20))
    enter(make_customer(layla), ("new_lead", 300), ("negotiation", 290), last_contact_at=days_ago(250))
    enter(make_customer(layla), ("negotiation", 50), deleted_at=days_ago(45))
    enter(make_customer(layla), ("negotiation", 30), ("qualified", 20), ("negotiation", 10))
    enter(make_customer(layla), ("down_payment", 30))
    survivor = make_customer(layla)
    enter(survivor, ("negotiation", 3))
    enter(make_customer(layla), ("negotiation", 8), deleted_at=NOW, merged_into=survivor)
    enter(make_customer(noura), ("negotiation", 77))

    curve = curves_of(outcomes_of(layla.organization_id, NOW))["negotiation"]
    assert (curve.days, curve.shares, curve.wins) == ([20], pytest.approx([4 / 5 * 1 / 3]), 1)


@pytest.mark.parametrize(
    ("days", "arabic", "english"),
    [
        (1, "أسبوع واحد", "1 week"),
        (12, "أسبوعين", "2 weeks"),
        (56, "8 أسابيع", "8 weeks"),
        (60, "شهرين", "2 months"),
        (95, "3 أشهر", "3 months"),
    ],
)
def test_days_are_told_in_weeks_or_months(days, arabic, english):
    assert in_words(days) == (arabic, english)
