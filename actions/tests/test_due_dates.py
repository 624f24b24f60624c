"""What is due when: days begin at the organization's midnight, whatever zone the server runs in."""

import os
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.testing import data_of, make_customer

BUCKETS = {"overdue": "overdue", "today": "today", "week": "thisWeek", "month": "thisMonth", "no_date": "noDueDate"}
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def server(request):
    """The zone that the server's own clock runs in."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture
def zone(request, organization):
    """The zone of the organization."""
    organization.time_zone = request.param
    organization.save()
    return ZoneInfo(request.param)


def in_zones(*pairs):
    """Run under each of these zones of the server and of the organization."""
    return pytest.mark.parametrize(("server", "zone"), pairs, indirect=True)


pytestmark = pytest.mark.usefixtures("server")
everywhere = in_zones(("UTC", "Asia/Riyadh"), ("America/New_York", "Africa/Cairo"), ("Asia/Tokyo", "Asia/Riyadh"))


class Office:
    """One agent at work: a clock that can be set to local time, and actions of one customer."""

    def __init__(self, client, customer, clock, zone):
        self.client, self.customer, self.clock, self.zone = client, customer, clock, zone

    def at(self, *parts, fold=0):
        """A local time as a moment."""
        return datetime(*parts, tzinfo=self.zone, fold=fold).astimezone(UTC)

    def set(self, *parts, fold=0):
        self.clock.now = self.at(*parts, fold=fold)

    def post(self, path, body=None, status=200):
        return data_of(self.client.post(f"customers/actions{path}", body), status)["action"]

    def open(self, due=None, **values):
        """The id of a new action."""
        values |= {"dueDate": due.isoformat() if isinstance(due, datetime) else due} if due else {}
        body = {"customerId": self.customer.pk, "type": "follow_up", "title": "متابعة", **values}
        return self.post("", body, 201)["id"]

    def show(self, key):
        return data_of(self.client.get(f"customers/actions/{key}"))["action"]

    def due(self, bucket):
        data = data_of(self.client.get("customers/actions", {"dueDate": bucket}))
        return {action["id"] for action in data["actions"]}

    def buckets(self, *keys):
        """The buckets that each of the actions is in; the tiles must count as many as the lists hold."""
        members = {bucket: self.due(bucket) for bucket in BUCKETS}
        tiles = data_of(self.client.get("customers/actions/stats"))["stats"]["dueDates"]
        assert tiles == {BUCKETS[bucket]: len(held) for bucket, held in members.items()}
        return [{bucket for bucket, held in members.items() if key in held} for key in keys]


@pytest.fixture
def office(clock, as_, zone, layla, ahmed):
    client = as_(ahmed)  # signed in today, for the session ends two weeks later
    clock.now = datetime(2024, 5, 15, 7, tzinfo=UTC)
    return Office(client, make_customer(layla, assigned_employee_id=ahmed.pk), clock, zone)


# --- Midnight ----------------------------------------------------------------------------------------------------


@everywhere
def test_today_ends_and_begins_at_local_midnight(office):
    evening, night = office.open(office.at(2024, 5, 15, 23, 30)), office.open(office.at(2024, 5, 16, 0, 10))
    past_today, today = {"overdue", "today", "week", "month"}, {"today", "week", "month"}
    for now, buckets in (
        ((2024, 5, 15, 0, 0), [today, {"week", "month"}]),
        ((2024, 5, 15, 23, 50), [past_today, {"week", "month"}]),
        ((2024, 5, 15, 23, 59, 59, 999_999), [past_today, {"week", "month"}]),
        ((2024, 5, 16, 0, 5), [{"overdue", "month"}, today]),
        ((2024, 5, 16, 0, 11), [{"overdue", "month"}, past_today]),
    ):
        office.set(*now)
        assert office.buckets(evening, night) == buckets, now


@everywhere
def test_the_first_and_the_last_moment_of_a_day_are_of_that_day(office):
    office.set(2024, 5, 16, 12)
    first, last = office.at(2024, 5, 16), office.at(2024, 5, 17) - INSTANT
    keys = [office.open(moment) for moment in (first - INSTANT, first, last, last + INSTANT)]
    assert office.buckets(*keys) == [
        {"overdue", "month"},
        {"overdue", "today", "week", "month"},
        {"today", "week", "month"},
        {"week", "month"},
    ]


@everywhere
def test_a_week_are_today_and_the_seven_days_after_it(office):
    after = office.at(2024, 5, 23)
    keys = [office.open(moment) for moment in (office.at(2024, 5, 15) - INSTANT, after - INSTANT, after)]
    for now in ((0, 0), (12, 0), (23, 59, 59)):
        office.set(2024, 5, 15, *now)
        assert ["week" in buckets for buckets in office.buckets(*keys)] == [False, True, False]


@everywhere
def test_a_month_is_the_local_calendar_month(office):
    for now, first, after in (
        ((2024, 5, 31, 23, 59, 59), (2024, 5, 1), (2024, 6, 1)),
        ((2024, 6, 1, 0, 0), (2024, 6, 1), (2024, 7, 1)),
        ((2024, 12, 31, 23, 30), (2024, 12, 1), (2025, 1, 1)),
        ((2024, 2, 29, 9, 0), (2024, 2, 1), (2024, 3, 1)),
    ):
        office.set(*now)
        first, after = office.at(*first), office.at(*after)
        keys = [office.open(moment) for moment in (first - INSTANT, first, after - INSTANT, after)]
        assert ["month" in buckets for buckets in office.buckets(*keys)] == [False, True, True, False], now


@everywhere
def test_without_a_date_an_action_is_in_the_bucket_of_those_alone(office):
    assert office.buckets(office.open()) == [{"no_date"}]


@everywhere
def test_what_has_ended_or_sleeps_is_in_no_bucket(office):
    bodies = {"complete": {}, "dismiss": {}, "snooze": {"snoozedUntil": "2099-01-01"}}
    dated = {path: office.open(office.clock.now - timedelta(hours=1)) for path in bodies}
    undated = {path: office.open() for path in bodies}
    for path, body in bodies.items():
        for key in (dated[path], undated[path]):
            office.post(f"/{key}/{path}", body)
    assert office.buckets(*dated.values(), *undated.values()) == [set()] * 6
    for key in (*dated.values(), *undated.values()):
        office.post(f"/{key}/restore")
    assert office.buckets(*dated.values()) == [{"overdue", "today", "week", "month"}] * 3
    assert office.buckets(*undated.values()) == [{"no_date"}] * 3


@everywhere
def test_an_action_that_is_being_worked_on_is_open(office):
    key = office.open(office.clock.now + timedelta(minutes=1))
    data_of(office.client.patch(f"customers/actions/{key}", {"status": "in_progress"}))
    assert office.buckets(key) == [{"today", "week", "month"}]


# --- Snoozes whose time has come ---------------------------------------------------------------------------------


@everywhere
def test_a_snooze_ends_at_its_minute_though_nobody_has_woken_it(office):
    office.set(2024, 5, 15, 9)
    dated, undated = office.open(office.at(2024, 5, 15, 9, 30)), office.open()
    for key in (dated, undated):
        office.post(f"/{key}/snooze", {"snoozedUntil": "2024-05-15T10:00:30"})
    office.set(2024, 5, 15, 10, 0, 45)
    for key in (dated, undated):
        shown = office.show(key)
        assert shown["status"] == "snoozed" and datetime.fromisoformat(shown["snoozedUntil"]) == office.at(
            2024, 5, 15, 10, 0, 30
        )
    assert office.buckets(dated, undated) == [set(), set()]
    office.set(2024, 5, 15, 10, 1)
    assert office.buckets(dated, undated) == [{"overdue", "today", "week", "month"}, {"no_date"}]
    for key in (dated, undated):
        shown = office.show(key)
        assert shown["status"] == "pending" and "snoozedUntil" not in shown


@everywhere
def test_lists_and_numbers_call_it_pending_as_the_action_itself_does(office):
    key = office.open()
    office.post(f"/{key}/snooze", {"snoozedUntil": (office.clock.now + timedelta(minutes=5)).isoformat()})

    def standing():
        lists = {
            query: [
                action["status"]
                for action in data_of(office.client.get(f"customers/actions?{query}"))["actions"]
                if action["id"] == key and ("snoozedUntil" in action) == (action["status"] == "snoozed")
            ]
            for query in ("status=pending", "status=snoozed", "tab=all", "tab=followups", "status=pending,snoozed")
        }
        total = data_of(office.client.get("customers/actions/stats"))["stats"]["total"]
        return [*lists.values(), total["pending"], total["snoozed"]]

    assert standing() == [[], ["snoozed"], [], [], ["snoozed"], 0, 1]
    office.clock.now += timedelta(minutes=5)
    assert standing() == [["pending"], [], ["pending"], ["pending"], ["pending"], 1, 0]


@everywhere
def test_a_snooze_until_a_full_minute_ends_with_it(office):
    key = office.open()
    office.post(f"/{key}/snooze", {"snoozedUntil": office.at(2024, 5, 15, 23).isoformat()})
    office.set(2024, 5, 15, 22, 59, 59, 999_999)
    assert office.show(key)["status"] == "snoozed"
    office.set(2024, 5, 15, 23)
    assert office.show(key)["status"] == "pending"


@everywhere
def test_what_is_due_now_is_overdue_from_the_next_minute_on(office):
    office.set(2024, 5, 15, 9)
    sharp, later = office.open(office.at(2024, 5, 15, 10)), office.open(office.at(2024, 5, 15, 10, 0, 30))
    overdue = []
    for parts in ((9, 59, 59), (10, 0), (10, 0, 45), (10, 1)):
        office.set(2024, 5, 15, *parts)
        overdue.append(office.due("overdue"))
    assert overdue == [set(), set(), set(), {sharp, later}]


# --- How days and times are written ------------------------------------------------------------------------------


def moment_of(action, name):
    assert action[name].endswith("Z")
    return datetime.fromisoformat(action[name])


@everywhere
def test_a_due_date_without_offset_is_of_the_organizations_zone_and_a_day_lasts_until_its_end(office):
    for text, parts in (
        ("2024-05-20", (2024, 5, 20, 23, 59, 59)),
        ("٢٠٢٤-٠٥-٢٠", (2024, 5, 20, 23, 59, 59)),
        ("2024-05-20T10:30:00", (2024, 5, 20, 10, 30)),
        ("2024-05-20 10:30", (2024, 5, 20, 10, 30)),
    ):
        key = office.open(text)
        assert moment_of(office.show(key), "dueDate") == office.at(*parts)
        data_of(office.client.patch(f"customers/actions/{key}", {"dueDate": None}))
        assert "dueDate" not in office.show(key)
        changed = data_of(office.client.patch(f"customers/actions/{key}", {"dueDate": text}))["action"]
        assert moment_of(changed, "dueDate") == office.at(*parts)


@everywhere
def test_a_due_date_with_an_offset_is_that_moment(office):
    assert office.show(office.open("2024-05-20T10:00:00Z"))["dueDate"] == "2024-05-20T10:00:00Z"
    assert office.show(office.open("2024-05-20T10:00:00-05:00"))["dueDate"] == "2024-05-20T15:00:00Z"


@everywhere
def test_a_snooze_until_a_day_ends_at_nine_in_the_morning_of_the_organization(office):
    key = office.open()
    for text, parts in (
        ("2024-05-20", (2024, 5, 20, 9)),
        ("2024-05-20T10:30:00", (2024, 5, 20, 10, 30)),
        ("2024-05-20T23:59:59.5", (2024, 5, 20, 23, 59, 59, 500_000)),
    ):
        shown = office.post(f"/{key}/snooze", {"snoozedUntil": text})
        assert shown["status"] == "snoozed"
        assert moment_of(shown, "snoozedUntil") == office.at(*parts)


@everywhere
def test_a_snooze_until_today_must_still_lie_ahead_at_nine(office):
    key = office.open()
    office.set(2024, 5, 15, 8, 59)
    assert moment_of(office.post(f"/{key}/snooze", {"snoozedUntil": "2024-05-15"}), "snoozedUntil") == office.at(
        2024, 5, 15, 9
    )
    office.set(2024, 5, 15, 9)
    response = office.client.post(f"customers/actions/{key}/snooze", {"snoozedUntil": "2024-05-15"})
    assert response.status_code == 422


@everywhere
def test_days_in_filters_are_days_of_the_organization(office):
    first, after = office.at(2024, 5, 20), office.at(2024, 5, 21)
    keys = [office.open(moment) for moment in (first - INSTANT, first, after - INSTANT, after)]

    def listed(query):
        data = data_of(office.client.get(f"customers/actions?{query}"))
        return {action["id"] for action in data["actions"]}

    assert listed("dueFrom=2024-05-20&dueTo=2024-05-20") == set(keys[1:3])
    assert listed("dueFrom=2024-05-20T00:00&dueTo=2024-05-21T00:00") == set(keys[1:])
    office.set(2024, 5, 19, 23, 59, 59)
    late = office.open()
    office.set(2024, 5, 20, 0, 0)
    early = office.open()
    assert listed("createdFrom=2024-05-20") == {early}
    assert late in listed("createdTo=2024-05-19") and early not in listed("createdTo=2024-05-19")
    stats = data_of(office.client.get("customers/actions/stats?dateFrom=2024-05-20"))["stats"]
    assert stats["pending"] == 1


# --- Days of twenty-three and of twenty-five hours ---------------------------------------------------------------


@in_zones(("UTC", "Africa/Cairo"), ("Africa/Cairo", "Africa/Cairo"))
@pytest.mark.parametrize(
    ("day", "hours"),
    [((2024, 4, 26), 23), ((2024, 10, 31), 25)],
    ids=["midnight is skipped", "an hour comes twice"],
)
def test_a_day_on_which_clocks_change_has_its_own_length(office, day, hours):
    office.clock.now = datetime(*day, 9, tzinfo=UTC)
    year, month, number = day
    following = datetime(*day, tzinfo=UTC) + timedelta(days=1)
    first, after = office.at(year, month, number), office.at(following.year, following.month, following.day)
    assert after - first == timedelta(hours=hours)
    keys = [office.open(moment) for moment in (first - INSTANT, first, after - INSTANT, after)]
    assert ["today" in buckets for buckets in office.buckets(*keys)] == [False, True, True, False]
    assert ["month" in buckets for buckets in office.buckets(*keys)] == [True, True, True, month == following.month]
    office.clock.now = after - timedelta(minutes=1)
    assert ["today" in buckets for buckets in office.buckets(*keys)] == [False, True, True, False]
    office.clock.now = after
    assert ["today" in buckets for buckets in office.buckets(*keys)] == [False, False, False, True]
