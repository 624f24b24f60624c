"""Every number of GET /customers/actions/stats against the list that it stands for."""

import random
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext
from hypothesis import strategies as st

from actions import counting, services
from actions.models import ActionCount, ActionDay, CustomerAction
from actions.tests.rules import BUCKETS, PRIORITIES, ROLES, SOURCES, STATUSES, TABS, TEAM, TYPES, run
from config.testing import HubClient, data_of, error_of, fields_of, make_customer
from customers.models import Customer
from customers.services import customer as customers
from customers.services.bulk import bulk_update_customers
from customers.tests.rules import RIYADH, ends_by, is_empty, midnight, starts_by
from employees import services as employees
from employees.authentication import forget_identities
from employees.models import Employee

CAMEL = {"in_progress": "inProgress"}
TILES = {"overdue": "overdue", "today": "today", "week": "thisWeek", "month": "thisMonth", "no_date": "noDueDate"}
DAY = timedelta(days=1)
EVER = "dateFrom=2000-01-01"


def stats_of(client, query=""):
    return data_of(client.get(f"customers/actions/stats?{query}"))["stats"]


# --- Each number and the list behind it --------------------------------------------------------------------------

# `{path of a number: (query of its list, whether its rows have ended)}`
LISTS = (
    {f"total.{CAMEL.get(word, word)}": (f"status={word}", word in ("completed", "dismissed")) for word in STATUSES}
    | {f"byType.{word}": (f"tab=all&type={word}", False) for word in TYPES}
    | {f"byPriority.{word}": (f"tab=all&priority={word}", False) for word in PRIORITIES}
    | {f"bySource.{word}": (f"tab=all&source={word}", False) for word in SOURCES}
    | {f"dueDates.{TILES[word]}": (f"dueDate={word}", False) for word in BUCKETS}
    | {
        "pending": ("tab=all", False),
        "inbox": ("tab=inbox", False),
        "followups": ("tab=followups", False),
        "completed": ("tab=completed", True),
        "overdue": ("dueDate=overdue", False),
        "today": ("dueDate=today", False),
    }
)


def flat(stats):
    """Every number by its path, without the averages."""
    numbers = {}
    for name, value in stats.items():
        if name == "timeline":
            continue
        numbers |= {f"{name}.{word}": number for word, number in value.items()} if isinstance(value, dict) else {}
        numbers |= {} if isinstance(value, dict) else {name: value}
    return numbers


def check_sums(stats):
    """The breakdowns agree with each other and with the tiles."""
    opened = stats["total"]["pending"] + stats["total"]["inProgress"]
    for name in ("byType", "byPriority", "bySource"):
        assert sum(stats[name].values()) == opened == stats["pending"]
    assert stats["completed"] == stats["total"]["completed"] + stats["total"]["dismissed"]
    assert stats["overdue"] == stats["dueDates"]["overdue"] and stats["today"] == stats["dueDates"]["today"]
    assert stats["inbox"] + stats["followups"] <= opened
    whole = stats["total"]["completed"] + stats["total"]["dismissed"] + opened
    rate = 100 * stats["total"]["completed"] / whole if whole else 0
    assert stats["timeline"]["completionRate"] == round(rate, 1)


def total_of(client, query):
    data = data_of(client.get(f"customers/actions?{query}&limit=1&fields=id"))
    return data["pagination"]["totalItems"]


def hours_of(client, query):
    """Hours from creation to the end, on average, of the completed actions of a list."""
    actions = data_of(client.get(f"customers/actions?{query}&limit=200&fields=createdAt,completedAt"))["actions"]
    spans = [datetime.fromisoformat(row["completedAt"]) - datetime.fromisoformat(row["createdAt"]) for row in actions]
    return sum(spans, timedelta()).total_seconds() / 3600 / len(spans) if spans else 0


def response_hours_of(pool, viewer, words, dates):
    """The same of the response times of customers: visible, living, of the assignees, created within the dates."""
    wanted = {{"unassigned": None, "me": pool.ids[viewer]}.get(word, word) for word in words}
    known = []
    for row in pool.customers:
        owner = row["assignee"]
        is_visible = {"layla": True, "fatima": owner in TEAM}.get(viewer, owner == viewer)
        is_meant = not words or pool.ids[owner] in wanted
        is_within = starts_by(row["created"], dates["dateFrom"]) if "dateFrom" in dates else True
        is_within = is_within and (ends_by(row["created"], dates["dateTo"]) if "dateTo" in dates else True)
        if is_visible and is_meant and is_within and not row["deleted"] and row["response"] is not None:
            known.append(row["response"])
    return float(sum(known) / len(known)) if known else 0


@st.composite
def questions(draw, pools):
    """`(pool, viewer, assignees, {dateFrom, dateTo})`, the dates as `(meaning, text)`."""
    pool, viewer = draw(st.sampled_from(pools)), draw(st.sampled_from(ROLES))
    people = ["me", "unassigned", *filter(None, pool.ids.values())]
    words = draw(st.one_of(st.just([]), st.lists(st.sampled_from(people), min_size=1, max_size=2, unique=True)))
    dates = {}
    for name in draw(st.sampled_from([(), (), ("dateFrom",), ("dateTo",), ("dateFrom", "dateTo")])):
        moment = draw(st.sampled_from(pool.moments))
        local = moment.astimezone(RIYADH).replace(tzinfo=None)
        dates[name] = draw(
            st.sampled_from(
                [
                    (moment, moment.astimezone(UTC).isoformat().replace("+00:00", "Z")),
                    (moment, local.isoformat()),
                    (local.date(), local.date().isoformat()),
                ]
            )
        )
    if len(dates) == 2 and is_empty(dates["dateFrom"][0], dates["dateTo"][0]):
        del dates["dateFrom"]
    return pool, viewer, words, dates


@pytest.mark.django_db
def test_each_number_equals_the_list_behind_it(pools, clock):
    seen = {path: 0 for path in LISTS}

    def check(question):
        pool, viewer, words, dates = question
        client, clock.now = pool.clients[viewer], pool.now
        asked = [("assignedTo", word) for word in words]
        stats = stats_of(client, urlencode([*asked, *((name, text) for name, (_meant, text) in dates.items())]))
        numbers = flat(stats)
        assert numbers.keys() == LISTS.keys()
        bounds = {
            ended: "".join(f"&{prefix}{name[4:]}={quote(text)}" for name, (_meant, text) in dates.items())
            for ended, prefix in ((False, "created"), (True, "completed"))
        }
        who = f"&{urlencode(asked)}" if asked else ""
        totals = {query: total_of(client, f"{query}{who}{bounds[ended]}") for query, ended in set(LISTS.values())}
        assert numbers == {path: totals[query] for path, (query, _ended) in LISTS.items()}, question
        for path, number in numbers.items():
            seen[path] += number > 0
        check_sums(stats)
        timeline = stats["timeline"]
        hours = hours_of(client, f"status=completed{who}{bounds[True]}")
        assert timeline["avgCompletionTime"] == pytest.approx(hours, abs=0.0051)
        hours = response_hours_of(pool, viewer, words, {name: meant for name, (meant, _text) in dates.items()})
        assert timeline["avgResponseTime"] == pytest.approx(hours, abs=0.0051)

    run(12, questions(pools), check)
    assert all(seen.values()), seen


@pytest.mark.django_db
@pytest.mark.parametrize("viewer", ROLES)
def test_each_number_of_everybodys_first_look_equals_its_list(pools, clock, viewer):
    pool = pools[1]
    clock.now = pool.now
    numbers = flat(stats_of(pool.clients[viewer]))
    assert numbers == {path: total_of(pool.clients[viewer], query) for path, (query, _ended) in LISTS.items()}
    assert numbers["pending"] > 0 and numbers["completed"] > 0 and numbers["total.snoozed"] > 0


@pytest.mark.django_db
def test_dates_that_hold_everything_give_the_numbers_without_dates(pools, clock):
    for pool in pools[:2]:
        clock.now = pool.now
        for viewer in ROLES:
            client = pool.clients[viewer]
            for who in ("", "&assignedTo=unassigned", "&assignedTo=me"):
                undated = stats_of(client, who)
                for dates in ("dateFrom=2000-01-01", "dateTo=9999-12-31"):
                    assert stats_of(client, dates + who) == undated


# --- Numbers stay true, whatever is written --------------------------------------------------------------------------


def listed(client, query=""):
    """Everything of a list, which one page holds."""
    fields = "id,status,type,priority,source,dueDate,createdAt,completedAt,assignedTo"
    data = data_of(client.get(f"customers/actions?limit=200&fields={fields}&{query}"))
    assert data["pagination"]["totalItems"] == len(data["actions"])
    return data["actions"]


def counted(actions, now):
    """The numbers of a list of actions, by the rules."""
    minute = now.replace(second=0, microsecond=0)
    today = minute.astimezone(RIYADH).date()
    month = today.replace(day=1)
    opened = [row for row in actions if row["status"] in ("pending", "in_progress")]
    dues = [datetime.fromisoformat(row["dueDate"]) for row in opened if "dueDate" in row]

    def due(start, end):
        return sum(start <= moment < end for moment in dues)

    tiles = {
        "overdue": sum(moment < minute for moment in dues),
        "today": due(midnight(today), midnight(today + DAY)),
        "thisWeek": due(midnight(today), midnight(today + 8 * DAY)),
        "thisMonth": due(midnight(month), midnight((month + 31 * DAY).replace(day=1))),
        "noDueDate": len(opened) - len(dues),
    }
    return (
        {f"total.{CAMEL.get(word, word)}": sum(row["status"] == word for row in actions) for word in STATUSES}
        | {f"byType.{word}": sum(row["type"] == word for row in opened) for word in TYPES}
        | {f"byPriority.{word}": sum(row["priority"] == word for row in opened) for word in PRIORITIES}
        | {f"bySource.{word}": sum(row["source"] == word for row in opened) for word in SOURCES}
        | {f"dueDates.{word}": number for word, number in tiles.items()}
        | {
            "pending": len(opened),
            "inbox": sum(row["type"] in TABS["inbox"][1] for row in opened),
            "followups": sum(row["type"] in TABS["followups"][1] for row in opened),
            "completed": sum(row["status"] in ("completed", "dismissed") for row in actions),
            "overdue": tiles["overdue"],
            "today": tiles["today"],
        }
    )


def check_numbers(client, now, query=""):
    stats, actions = stats_of(client, query), listed(client, query)
    assert flat(stats) == counted(actions, now)
    check_sums(stats)
    spans = [
        datetime.fromisoformat(row["completedAt"]) - datetime.fromisoformat(row["createdAt"])
        for row in actions
        if row["status"] == "completed"
    ]
    hours = sum(spans, timedelta()).total_seconds() / 3600 / len(spans) if spans else 0
    assert stats["timeline"]["avgCompletionTime"] == pytest.approx(hours, abs=0.0055)


START = datetime(2024, 5, 31, 20, 50, 40, tzinfo=UTC)  # ten minutes before the month ends in Riyadh


class Walk:
    """A brokerage to which anything may happen in any order: one method for each thing, all chosen by `chance`."""

    def __init__(self, cast, clock, chance):
        self.cast, self.clock, self.chance, self.done = cast, clock, chance, Counter()
        self.clients = {name: HubClient(person) for name, person in cast.items()}
        for owner in ("ahmed", "ahmed", "huda", "omar", "fatima", None):
            make_customer(cast["layla"], assigned_employee_id=owner and cast[owner].pk, first_action=True)

    def person(self, name):
        return Employee.objects.select_related("organization").get(pk=self.cast[name].pk)

    def who(self, *names):
        return self.person(self.chance.choice(names or ("layla", "layla", "fatima", "ahmed", "omar")))

    def target(self, *names):
        """The id of one of them, or of nobody."""
        name = self.chance.choice([*names, None])
        return name and self.cast[name].pk

    def write(self, call, *args, **options):
        """Let somebody do something; what the hub refuses changes nothing."""
        with suppress(ValidationError, PermissionDenied), transaction.atomic():
            call(*args, **options)
            self.done[call.__name__] += 1

    def actions(self, actor, most=1):
        rows = list(CustomerAction.objects.visible_to(actor).order_by("pk"))
        return self.chance.sample(rows, min(most, len(rows)))

    def customers(self, actor, most=1, *, deleted=False):
        rows = list(Customer.objects.visible_to(actor, deleted=deleted).order_by("pk"))
        return self.chance.sample(rows, min(most, len(rows)))

    def due(self):
        hours = [-24, 0.05, 0.25, 1, 7 * 24 + 0.1, 7 * 24 + 1, 8 * 24 + 1]
        return self.chance.choice([None, *(self.clock.now + timedelta(hours=number) for number in hours)])

    def until(self):
        return self.clock.now + timedelta(minutes=self.chance.choice([0.2, 5, 15, 3000]))

    # --- Actions ---

    def create(self):
        actor = self.who()
        for customer in self.customers(actor):
            values = {
                "type": self.chance.choice(TYPES),
                "title": "عمل",
                "priority": self.chance.choice(PRIORITIES),
                "due_date": self.due(),
            }
            self.write(services.create_action, actor=actor, customer_id=customer.pk, values=values)

    def complete(self, call=services.complete_action):
        actor = self.who()
        for action in self.actions(actor):
            self.write(call, action, actor=actor)

    def dismiss(self):
        self.complete(services.dismiss_action)

    def restore(self):
        self.complete(services.restore_action)

    def start(self):
        self.complete(services.start_action)

    def snooze(self):
        actor = self.who()
        for action in self.actions(actor):
            self.write(services.snooze_action, action, until=self.until(), actor=actor)

    def assign(self):
        actor = self.who("layla", "fatima")
        for action in self.actions(actor):
            employee_id = self.target("ahmed", "omar", "fatima")
            self.write(services.assign_action, action, actor=actor, employee_id=employee_id)

    def update(self):
        actor = self.who()
        for action in self.actions(actor):
            values = {"due_date": self.due(), "priority": self.chance.choice(PRIORITIES), "source": "referral"}
            values |= {"type": self.chance.choice(TYPES), "status": self.chance.choice(STATUSES), "until": self.until()}
            self.write(services.update_action, action, actor=actor, values=values)

    def bulk_move(self):
        actor, status = self.who(), self.chance.choice(STATUSES)
        parts = {"until": self.until()} if status == "snoozed" else {}
        self.write(services.bulk_move, [row.pk for row in self.actions(actor, 6)], status, actor=actor, **parts)

    def bulk_update(self):
        actor = self.who()
        values = {"due_date": self.due()}
        values |= self.chance.choice([{}, {"assigned_to_id": self.target("ahmed", "omar")}, {"status": "in_progress"}])
        self.write(services.bulk_update, [row.pk for row in self.actions(actor, 6)], actor=actor, values=values)

    # --- Customers and employees ---

    def create_customer(self):
        self.write(make_customer, self.who(), source=self.chance.choice(SOURCES), first_action=True)

    def assign_customer(self):
        actor = self.who("layla", "fatima")
        for customer in self.customers(actor):
            employee_id = self.target("ahmed", "omar", "huda", "fatima")
            self.write(customers.assign_customer, customer, actor=actor, employee_id=employee_id)

    def assign_customers(self):
        actor = self.who("layla")
        ids, values = (
            [row.pk for row in self.customers(actor, 4)],
            {"assigned_employee_id": self.target("omar", "huda")},
        )
        self.write(bulk_update_customers, ids, actor=actor, values=values)

    def move_house(self):
        actor = self.who()
        for customer in self.customers(actor):
            values = {"city": self.chance.choice(["جدة", "الخبر", ""])}
            self.write(customers.update_customer, customer, actor=actor, values=values)

    def delete_customer(self):
        actor = self.who("layla", "fatima")
        for customer in self.customers(actor):
            self.write(customers.delete_customer, customer, actor=actor)

    def restore_customer(self):
        actor = self.who("layla", "fatima")
        for customer in self.customers(actor, deleted=True):
            self.write(customers.restore_customer, customer, actor=actor)

    def purge_customer(self):
        actor = self.who("layla")
        for customer in self.customers(actor, deleted=None):
            self.write(customers.purge_customer, customer, actor=actor)

    def deactivate(self):
        successor = self.target("fatima", "layla")
        self.write(
            employees.deactivate_employee, self.who("ahmed", "omar"), actor=self.cast["layla"], successor_id=successor
        )

    def activate(self):
        for name in ("ahmed", "omar"):
            if not self.person(name).is_active:
                self.write(employees.activate_employee, self.person(name), actor=self.cast["layla"])
                self.clients[name] = HubClient(self.person(name))

    # --- The clock ---

    def wait(self):
        self.clock.now += timedelta(minutes=self.chance.choice([0.5, 1, 6, 10, 600]))

    def wake(self):
        self.write(services.wake_snoozed)

    def fold(self):
        self.write(counting.fold_counts)

    STEPS = (
        "create create complete complete dismiss restore start snooze snooze assign update bulk_move bulk_move "
        "bulk_update create_customer assign_customer assign_customers move_house delete_customer restore_customer "
        "purge_customer deactivate activate wait wait wake fold fold"
    ).split()

    def check(self, *names):
        for name in names:
            if self.person(name).is_active:
                check_numbers(self.clients[name], self.clock.now)
        who = self.chance.choice(["unassigned", "me", self.cast["ahmed"].pk, f"unassigned,{self.cast['omar'].pk}"])
        check_numbers(self.clients["layla"], self.clock.now, f"assignedTo={who}")


@pytest.mark.parametrize("seed", range(2))
def test_the_numbers_stay_equal_to_the_lists_whatever_is_written(clock, layla, fatima, ahmed, huda, omar, seed):
    clock.now = START
    cast = {"layla": layla, "fatima": fatima, "ahmed": ahmed, "huda": huda, "omar": omar}
    walk = Walk(cast, clock, random.Random(seed))
    steps = 2 * Walk.STEPS
    walk.chance.shuffle(steps)
    for number, step in enumerate(steps, start=1):
        getattr(walk, step)()
        if number % 3 == 0:
            try:
                walk.check(walk.chance.choice(list(cast)))
            except AssertionError as error:
                error.add_note(f"after {' '.join(steps[:number])}")
                raise
    walk.check(*cast)
    assert len(walk.done) >= 16, walk.done


@pytest.mark.parametrize("name", ROLES)
def test_folding_keeps_every_number_and_shrinks_the_table(request, clock, layla, ahmed, fatima, huda, omar, name):
    clock.now = START
    people = {"layla": layla, "fatima": fatima, "ahmed": ahmed, "huda": huda, "omar": omar}
    walk = Walk(people, clock, random.Random(9))
    for step in ("create", "complete", "snooze", "bulk_move", "assign_customer", "create", "dismiss", "bulk_update"):
        getattr(walk, step)()
    client, before, dated = walk.clients[name], stats_of(walk.clients[name]), stats_of(walk.clients[name], EVER)
    tables = ((ActionCount, "key", ["number"]), (ActionDay, "day", ["due", "completed", "dismissed", "seconds"]))

    def sums():
        groups = [
            model.objects.values_list("organization_id", "customer_assignee", "assigned_to", word).annotate(
                **{f"sum_{number}": Coalesce(Sum(number), 0) for number in numbers}
            )
            for model, word, numbers in tables
        ]
        return {tuple(row) for rows in groups for row in rows if any(row[4:])}

    def rows():
        return sum(model.objects.count() for model, _word, _numbers in tables)

    known, many = sums(), rows()
    assert counting.fold_counts() == many - rows() > 0
    assert sums() == known and rows() == len(known)
    assert (stats_of(client), stats_of(client, EVER)) == (before, dated)
    assert counting.fold_counts() == 0


def test_another_zone_of_the_organization_counts_its_days_anew(clock, layla, organization):
    clock.now = START
    client, customer = HubClient(layla), make_customer(layla)
    body = {"customerId": customer.pk, "type": "follow_up", "title": "متابعة"}
    # One in the morning of the 16th in Riyadh, and still the 15th in Iceland.
    due = {**body, "dueDate": "2024-05-15T22:00:00Z"}
    key, _other = (data_of(client.post("customers/actions", due), 201)["action"]["id"] for _ in range(2))
    clock.now = datetime(2024, 5, 15, 23, 30, tzinfo=UTC)
    data_of(client.post(f"customers/actions/{key}/complete"))
    for zone, day in (
        ("Asia/Riyadh", "2024-05-16"),
        ("Atlantic/Reykjavik", "2024-05-15"),
        ("Asia/Riyadh", "2024-05-16"),
    ):
        organization.time_zone = zone
        organization.save()
        forget_identities()
        assert stats_of(client)["dueDates"]["today"] == 1
        assert stats_of(client, f"dateFrom={day}&dateTo={day}")["completed"] == 1
        days = ActionDay.objects.filter(organization_id=organization.pk).values_list("day", flat=True)
        assert set(days) == {date.fromisoformat(day)}
        for path, number in LISTS.items():
            assert total_of(client, number[0]) == flat(stats_of(client))[path]


def test_counts_that_cancel_out_leave_no_row(clock, layla):
    clock.now = START
    customer = make_customer(layla, first_action=True)
    assert stats_of(HubClient(layla))["pending"] == 1
    customers.purge_customer(customer, actor=layla)
    counting.fold_counts()
    for model in (ActionCount, ActionDay):
        assert not model.objects.filter(organization_id=layla.organization_id).exists()
    assert stats_of(HubClient(layla))["pending"] == 0


# --- One by one ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "dateFrom=2024-01-01", "assignedTo=me", "assignedTo=emp_nobody"])
@pytest.mark.parametrize("name", ROLES)
def test_every_bucket_of_every_enum_is_there_when_there_is_nothing(request, as_, name, query):
    stats = stats_of(as_(request.getfixturevalue(name)), query)
    assert stats == {
        "total": {"pending": 0, "inProgress": 0, "completed": 0, "dismissed": 0, "snoozed": 0},
        "byType": dict.fromkeys(TYPES, 0),
        "byPriority": dict.fromkeys(PRIORITIES, 0),
        "bySource": dict.fromkeys(SOURCES, 0),
        "dueDates": {"overdue": 0, "today": 0, "thisWeek": 0, "thisMonth": 0, "noDueDate": 0},
        "timeline": {"avgCompletionTime": 0, "avgResponseTime": 0, "completionRate": 0},
        "pending": 0,
        "inbox": 0,
        "followups": 0,
        "overdue": 0,
        "today": 0,
        "completed": 0,
    }


def test_rates_and_times_are_rounded_for_people(as_, clock, layla, organization):
    clock.now = START
    done, waiting, other = (make_customer(layla, first_action=True).actions.get() for _number in range(3))
    clock.now += timedelta(hours=1, minutes=20)  # 1.333… hours
    services.complete_action(done, actor=layla)
    services.snooze_action(waiting, actor=layla, until=clock.now + DAY)
    Customer.objects.filter(organization=organization).update(avg_response_time=Decimal("2.50"))
    timeline = stats_of(as_(layla))["timeline"]
    # Of the completed and the open one; the snoozed one does not count.
    assert timeline == {"avgCompletionTime": 1.33, "avgResponseTime": 2.5, "completionRate": 50.0}
    services.dismiss_action(other, actor=layla)
    services.restore_action(waiting, actor=layla)
    assert stats_of(as_(layla))["timeline"]["completionRate"] == 33.3


@pytest.mark.parametrize("name", ["assignedTo", "assignedEmployee", "assignedEmployeeId", "employeeId"])
def test_the_assignee_has_four_names_here_too(as_, clock, layla, ahmed, omar, name):
    clock.now = START
    make_customer(layla, assigned_employee_id=ahmed.pk, first_action=True)
    make_customer(layla, assigned_employee_id=omar.pk, first_action=True)
    response = as_(layla).get(f"customers/actions/stats?{name}={ahmed.pk}")
    assert data_of(response)["stats"]["pending"] == 1 and "ignoredParams" not in response.json()["meta"]
    assert stats_of(as_(layla), f"{name}=unassigned")["pending"] == 0
    assert stats_of(as_(layla), f"{name}[]=unassigned&{name}[]={omar.pk}")["pending"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("dateFrom=soon", "dateFrom"),
        ("dateTo=2024-02-30", "dateTo"),
        ("dateTo=2024-13-01T00:00Z", "dateTo"),
        ("dateFrom=2024-05-02&dateTo=2024-05-01", "dateTo"),
    ],
)
def test_a_wrong_date_is_named(as_, layla, query, field):
    assert fields_of(as_(layla).get(f"customers/actions/stats?{query}")) == [field]


def test_numbers_know_no_other_filters_and_say_so(as_, clock, layla):
    clock.now = START
    make_customer(layla, first_action=True)
    response = as_(layla).get("customers/actions/stats?status=completed&colour=red")
    assert data_of(response)["stats"]["pending"] == 1
    assert response.json()["meta"]["ignoredParams"] == ["colour", "status"]


def test_numbers_never_speak_of_other_organizations(as_, clock, layla, noura):
    clock.now = START
    make_customer(layla, first_action=True)
    for query in ("", "dateFrom=2000-01-01", f"assignedTo={layla.pk}", "assignedTo=unassigned"):
        stats = stats_of(as_(noura), query)
        assert stats["pending"] == 0 and sum(stats["byType"].values()) == 0
    assert error_of(HubClient().get("customers/actions/stats"), 401)


@pytest.mark.parametrize("query", ["", "dateFrom=2000-01-01", "assignedTo=me,unassigned"])
def test_the_numbers_cost_the_same_statements_for_few_as_for_many(as_, clock, layla, query):
    clock.now = START
    client, costs = as_(layla), []
    data_of(client.get("auth/me"))
    for count in (1, 8):
        for _number in range(count):
            make_customer(layla, first_action=True)
        with CaptureQueriesContext(connection) as captured:
            stats_of(client, query)
        costs.append(len(captured))
    assert 1 <= costs[0] == costs[1] <= 4
