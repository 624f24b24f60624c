"""Actions at 200,000 customers with 600,000 of them: lists, statistics and bulk calls, by which statements and plans.

Each limit below is a promise of the specification and docs; over any of them the script exits with 1.
"""

import random
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from statistics import median
from urllib.parse import urlencode

import measuring
from django.db import connection, transaction
from django.utils import timezone
from measuring import Case, employee_of

from actions import services
from actions.models import CustomerAction
from actions.views import ActionViewSet
from config.clock import current_minute
from config.signals import changed
from realtime.receivers import write_events

# The example of the specification.
FIVE = [
    *(("status", word) for word in ("pending", "in_progress")),
    *(("type", word) for word in ("new_inquiry", "callback_request")),
    *(("priority", word) for word in ("high", "urgent")),
    ("city", "الرياض"),
]
OPEN = [("status", "pending"), ("status", "in_progress")]
# The calls of the pages that people work on, in the order that these show them in.
PAGES = {
    "default": (OPEN, "createdAt", "desc"),
    "default, by due": (OPEN, "dueDate", "asc"),
    "due today": ([("dueDate", "today")], "dueDate", "asc"),
    "overdue": ([("dueDate", "overdue")], "dueDate", "asc"),
    "history": ([("tab", "completed")], "completedAt", "desc"),
    "search": ([("search", "القحطاني"), ("status", "pending,in_progress")], "createdAt", "desc"),
    "own search": ([("search", "طلب معاودة")], "createdAt", "desc"),
    "a property type": ([*OPEN, ("propertyType", "villa")], "createdAt", "desc"),
    "a budget": ([*OPEN, ("budgetMin", "500000"), ("budgetMax", "1000000")], "createdAt", "desc"),
}

MAX_STATEMENTS = 4
# Milliseconds of PostgreSQL for all statements of a request, the best of several tries; None is for information.
MAX_SQL_MS = {
    "five, week": 15,
    "five, today": 15,
    "stats": 20,
    "stats of one": 20,
    "stats of me": 20,
    "stats, month": 150,
    "stats, quarter": 150,
    "stats, ever": 150,
    **dict.fromkeys(PAGES),
    "cursor": None,
    "detail": None,
    "employees": None,
}

# A bulk call, without what the audit and events add, against a bare UPDATE of as many rows.
MAX_OF_BARE = 2
BULK, ROUNDS, UNTIMED_ROUNDS = 100, 40, 12


# --- What is asked for --------------------------------------------------------------------


def list_path(query, sort="createdAt", direction="desc"):
    return f"/api/v1/customers/actions?{urlencode([*query, ('sortBy', sort), ('sortOrder', direction)])}"


def stats_path(**query):
    return f"/api/v1/customers/actions/stats?{urlencode(query)}"


def gated(clients):
    """What has limits: the five filters in every order, and statistics."""
    agent, today = employee_of("agent").pk, date.today()
    statistics = {
        "stats": {},
        "stats of one": {"assignedTo": agent},
        "stats of me": {"assignedTo": "me"},
        "stats, month": {"dateFrom": today - timedelta(days=30), "dateTo": today},
        "stats, quarter": {"dateFrom": today - timedelta(days=91), "dateTo": today},
        "stats, ever": {"dateFrom": "2000-01-01", "dateTo": "2099-12-31"},
    }
    for role in clients:
        for due in ("week", "today"):
            for sort in ActionViewSet.sorts:
                for direction in ("desc", "asc"):
                    path = list_path([*FIVE, ("dueDate", due)], sort, direction)
                    yield Case(role, f"five, {due}", f"{sort} {direction}", path)
        for kind, query in statistics.items():
            yield Case(role, kind, "", stats_path(**query))


def others(clients):
    """What is measured for information."""
    for role, client in clients.items():
        for kind, (query, sort, direction) in PAGES.items():
            yield Case(role, kind, f"{sort} {direction}", list_path(query, sort, direction))
        for sort in ActionViewSet.sorts:
            path = half_way(client, role, sort)
            if path:
                yield Case(role, "cursor", f"{sort} desc", path)
        yield Case(role, "detail", "", f"/api/v1/customers/actions/{open_ones(employee_of(role))[0]}")
        yield Case(role, "employees", "includeStats", "/api/v1/employees?includeStats=true")


def half_way(client, role, sort):
    """All actions of a role by cursor from the middle of them."""
    visible = CustomerAction.objects.visible_to(employee_of(role))
    return measuring.half_way(client, list_path([], sort), visible, ActionViewSet.sorts[sort].column, "desc")


def open_ones(employee):
    """The ids of the open actions that an employee sees."""
    return sorted(CustomerAction.objects.visible_to(employee).open(current_minute()).values_list("pk", flat=True))


# --- Bulk calls ---------------------------------------------------------------------------

# `{step: triggers of the table that it does without}`.
STEPS = {
    "bare": ["customer_actions_audit_update", "count_updated_actions"],
    "counted": ["customer_actions_audit_update"],
    "whole": [],
}
BARE_SQL = """
    UPDATE customer_actions
       SET status = 'completed', completed_at = %s, completed_by_id = %s, version = version + 1, updated_at = %s
     WHERE id = ANY(%s)
"""


def bulk_complete(step, ids, employee):
    """One step, and nothing that is not of it."""
    if step == "bare":
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(BARE_SQL, [now, employee.pk, now, ids])
            assert cursor.rowcount == len(ids)
        return
    outcome = services.bulk_move(ids, "completed", actor=employee)
    assert len(outcome.done) == len(ids), outcome


@contextmanager
def undone(step, ids):
    """A transaction of which nothing remains, in which a step meets rows that have just been read."""
    if step != "whole":
        changed.disconnect(write_events)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                for trigger in STEPS[step]:
                    cursor.execute(f"ALTER TABLE customer_actions DISABLE TRIGGER {trigger}")
            # In a savepoint, for PostgreSQL tells of the plan of a SELECT when something follows it.
            with transaction.atomic():
                assert len(CustomerAction.objects.filter(pk__in=ids)) == len(ids)
            yield
            transaction.set_rollback(True)
    finally:
        changed.connect(write_events)


def check_bulk(plans, roles, shown):
    """Print what completing many actions costs, step by step, beside a bare UPDATE; return what is wrong."""
    wrong, chance = [], random.Random(BULK)
    print(f"\nbulk complete of {BULK}: median and least of {ROUNDS}, and as a multiple of the bare UPDATE's")
    for role in roles:
        employee = employee_of(role)
        theirs, taken = open_ones(employee), {step: [] for step in STEPS}
        size = min(BULK, len(theirs))
        for number in range(-UNTIMED_ROUNDS, ROUNDS):
            if number % 5 == 0:
                vacuum()
            # In turn, for neighbours on the same machine come and go; first by another each time.
            for place in range(len(STEPS)):
                step = list(STEPS)[(number + place) % len(STEPS)]
                found = one_bulk(plans, step, chance.sample(theirs, size), employee)
                if number >= 0:
                    taken[step].append(measuring.total(found))
        for step, times in taken.items():
            found = one_bulk(plans, step, chance.sample(theirs, size), employee, count_rows=True)
            ratios = [least(times) / least(taken["bare"]) for least in (median, min)]
            # The better of both: what is slow at times only was a neighbour.
            fault = f"over {MAX_OF_BARE} times" if step == "counted" and min(ratios) > MAX_OF_BARE else ""
            print(
                f"{role:8} {step:8} {len(found)} statements {median(times):8.2f} {min(times):8.2f} ms"
                f"{ratios[0]:8.2f} {ratios[1]:8.2f} times  {fault}"
            )
            for milliseconds, plan in found:
                print(f"    {milliseconds:8.2f} ms  {measuring.outline(plan)[:shown]}")
            if fault:
                wrong.append(f"{role} bulk complete: {ratios[0]:.2f} times a bare UPDATE")
    vacuum()
    return wrong


def one_bulk(plans, step, ids, employee, **options):
    with undone(step, ids):
        return plans.once(partial(bulk_complete, step, ids, employee), **options)


def vacuum():
    """Away with the rows that came to nothing: others, and the next run, should not meet them."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (INDEX_CLEANUP ON) customer_actions, action_counts, audit_entries, events")


def main():
    parser = measuring.arguments(__doc__)
    parser.add_argument("--only", choices=("gated", "others", "bulk"), help="a third of it")
    options = parser.parse_args()
    shown, wrong = 2000 if options.verbose else 160, []
    with measuring.demo(options.customers) as clients:
        plans = measuring.Plans()
        for part, cases in (("gated", gated), ("others", others)):
            if options.only in (None, part):
                wrong += measuring.check_plans(
                    plans,
                    clients,
                    cases(clients),
                    most_ms=MAX_SQL_MS,
                    most_statements=MAX_STATEMENTS,
                    table="customer_actions",
                    shown=shown,
                )
        if options.only in (None, "bulk"):
            wrong += check_bulk(plans, clients, shown)
    measuring.finish(wrong)


if __name__ == "__main__":
    main()
