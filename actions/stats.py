"""The numbers above the requests page. Each equals the list behind it, for the same caller.

They are sums over what triggers keep (models.ActionCount, ActionDay), and over the few rows that
a day does not tell apart: what was due earlier today, what has woken unnoticed, the edges of a
range. Without dates all of it is one statement, so that sums agree; with dates, open actions are
one pass over the live rows.
"""

from collections import Counter, defaultdict
from datetime import timedelta

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Avg, BigIntegerField, Case, Count, F, Func, Q, Sum, Value, When

from actions.choices import ENDED, FOLLOW_UPS, INBOX, OPEN, TABS, ActionStatus, ActionType
from actions.filters import StatisticsFilterSet
from actions.models import ActionCount, ActionDay, CustomerAction
from actions.querysets import BUCKETS, CALENDAR_BUCKETS, days_of, is_due
from config.api.filters import WrittenOut
from config.api.labels import labels_of
from config.api.query import QueryParams
from config.clock import current_minute, start_of_day, zone_of
from config.db import at_one_moment
from customers.choices import Priority, Source
from customers.models import Customer


def statistics(employee, filterset):
    """The object of `GET /customers/actions/stats`; `filterset` is a StatisticsFilterSet.

    `total` counts each status; `byType`, `byPriority` and `bySource` break down the open actions
    (pending and in progress), as the tiles do. Times are hours, rates percent, 0 where there is
    nothing to average. With dates, open and snoozed actions count by when they were created,
    ended ones by when they ended.
    """
    dated = {"dateFrom", "dateTo"} & filterset.cleaned.keys()
    tally = (_counted_within if dated else _counted)(employee, filterset)
    ended = {status: tally["status", status] for status in ENDED}
    is_open = sum(tally["status", status] for status in OPEN)
    completed = ended[ActionStatus.COMPLETED]
    return {
        "total": {
            "pending": tally["status", ActionStatus.PENDING],
            "inProgress": tally["status", ActionStatus.IN_PROGRESS],
            "completed": completed,
            "dismissed": ended[ActionStatus.DISMISSED],
            "snoozed": tally["status", ActionStatus.SNOOZED],
        },
        "byType": {word: tally["type", word] for word in ActionType.values},
        "byPriority": {word: tally["priority", word] for word in reversed(Priority.values)},
        "bySource": {word: tally["source", word] for word in Source.values},
        "dueDates": {
            "overdue": tally["due", "overdue"],
            "today": tally["due", "today"],
            "thisWeek": tally["due", "week"],
            "thisMonth": tally["due", "month"],
            "noDueDate": tally["due", "no_date"],
        },
        "timeline": {
            "avgCompletionTime": _share(tally["seconds", "completed"] / 3600, completed, digits=2),
            "avgResponseTime": _response_hours(employee, filterset),
            "completionRate": _share(100 * completed, is_open + sum(ended.values()), digits=1),
        },
        "pending": is_open,
        "inbox": sum(tally["type", word] for word in INBOX),
        "followups": sum(tally["type", word] for word in FOLLOW_UPS),
        "overdue": tally["due", "overdue"],
        "today": tally["due", "today"],
        "completed": sum(ended.values()),
    }


def total_of(employee, filterset):
    """How many actions there are of some statuses, a tab and assignees, from the counts; None for other filters."""
    asked = filterset.cleaned
    if not asked.keys() <= {"status", "tab", "assignedTo"}:
        return None
    of_tab, types = TABS[asked["tab"]] if "tab" in asked else (ActionStatus.values, None)
    statuses = set(asked.get("status") or ActionStatus.values).intersection(of_tab)
    if types and not statuses.issuperset(of_tab):
        return None  # types are counted for all open ones together
    actions = filterset.narrowed(CustomerAction.objects.visible_to(employee), "assignedTo")
    number_of = _numbers_now(ActionCount.objects.summed_for(employee, _narrowing(filterset)), actions)
    keys = [f"type:{word}" for word in types] if types else [f"status:{word}" for word in statuses]
    return sum(number_of[key] for key in keys)


def open_now(employee):
    """How many actions are open, and how many of them in each bucket of due dates: `{"open": …, "overdue": …, …}`."""
    tally = _counted(employee, StatisticsFilterSet(QueryParams.of_body({}), None, request=None))
    buckets = {bucket: tally["due", bucket] for bucket in BUCKETS}
    return {"open": sum(tally["status", status] for status in OPEN), **buckets}


def open_by_employee(employee):
    """`{employee id, or None for nobody: {"open": …, "overdue": …}}` of the actions that the caller may list."""
    minute, zone = current_minute(), zone_of(employee.organization)
    today = minute.astimezone(zone).date()
    counts, days = (model.objects.summed_for(employee, lambda rows: rows) for model in (ActionCount, ActionDay))
    actions, late = CustomerAction.objects.visible_to(employee), Q(due_date__lt=minute)
    passed = actions.live().filter(late, due_date__gte=start_of_day(today, zone), snoozed_until=None)
    parts = {
        "counts": (counts.filter(key__in=[f"status:{status}" for status in OPEN]), {"open": Sum("number")}),
        "days": (days.filter(day__lt=today, due__isnull=False), {"overdue": Sum("due")}),
        "passed": (passed, {"overdue": Count("pk")}),
        "woken": (actions.overslept(minute), {"open": Count("pk"), "overdue": Count("pk", filter=late)}),
    }
    read = at_one_moment(
        **{name: rows.values(whose=F("assigned_to")).annotate(**numbers) for name, (rows, numbers) in parts.items()}
    )
    found = defaultdict(Counter)
    for row in (row for rows in read.values() for row in rows):
        found[row.pop("whose")].update(row)
    return found


def filter_options(employee):
    """Options of the list of actions: types with how many open ones there are, statuses with all of them."""
    actions = CustomerAction.objects.visible_to(employee)
    number_of = _numbers_now(ActionCount.objects.summed_for(employee, None), actions)
    kinds = (("actionTypes", "type", ActionType), ("actionStatuses", "status", ActionStatus))
    return {
        name: [
            {"value": word, **labels, "count": number_of[f"{dimension}:{word}"]}
            for word, labels in labels_of(choices).items()
        ]
        for name, dimension, choices in kinds
    }


def _numbers_now(counts, actions):
    """What is kept by key, with the snoozed actions whose time has come moved to the open ones."""
    woken = actions.overslept(current_minute()).values("type").annotate(number=Count("pk"))
    read = at_one_moment(counts=counts.values("key").annotate(total=Sum("number")), woken=woken)
    number_of = Counter({row["key"]: row["total"] or 0 for row in read["counts"]})
    for row in read["woken"]:
        number_of[f"type:{row['type']}"] += row["number"]
        number_of[f"status:{ActionStatus.PENDING}"] += row["number"]
        number_of[f"status:{ActionStatus.SNOOZED}"] -= row["number"]
    return number_of


def _counted(employee, filterset):
    """`{(dimension, word): number}` of now."""
    minute, zone = current_minute(), zone_of(employee.organization)
    today = minute.astimezone(zone).date()
    actions = filterset.narrowed(CustomerAction.objects.visible_to(employee), "assignedTo")
    narrow = _narrowing(filterset)
    earlier_today = Q(due_date__gte=start_of_day(today, zone), due_date__lt=minute)
    parts = (
        ActionCount.objects.summed_for(employee, narrow).values_list("key").annotate(total=Sum("number")),
        ActionDay.objects.summed_for(employee, narrow).filter(due__isnull=False).values_list("day", "due"),
        actions.live().filter(earlier_today, snoozed_until=None).values_list("pk"),
        actions.overslept(minute).values_list("type", "priority", "source", "due_date"),
    )
    try:
        compiled = [part.order_by().query.sql_with_params() for part in parts]
    except EmptyResultSet:  # an assignee that nobody can be
        return Counter()
    counts, days, passed, overslept = (sql for sql, _params in compiled)
    within = [days_of(bucket, today) for bucket in CALENDAR_BUCKETS]
    sums = ["sum(due) FILTER (WHERE day < %s)", *["sum(due) FILTER (WHERE day >= %s AND day < %s)"] * len(within)]
    params = [value for _sql, values in compiled for value in values]
    params += [today, *(day for pair in within for day in pair)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH counts (key, number) AS ({counts}), days (day, due) AS ({days}), passed AS ({passed}), "
            f"overslept AS ({overslept}) SELECT (SELECT json_object_agg(key, number) FROM counts), "
            f"(SELECT json_build_array({', '.join(sums)}) FROM days), (SELECT count(*) FROM passed), "
            "(SELECT json_agg(json_build_array(type, priority, source, extract(epoch FROM due_date))) FROM overslept)",
            params,
        )
        numbers, (before_today, *in_buckets), passed_today, woken = cursor.fetchone()
    tally = Counter({tuple(key.split(":")): int(number) for key, number in (numbers or {}).items()})
    tally["due", "overdue"] = int(before_today or 0) + passed_today
    tally.update({("due", bucket): int(due or 0) for bucket, due in zip(CALENDAR_BUCKETS, in_buckets, strict=True)})
    for kind, priority, source, due in woken or ():
        tally["status", ActionStatus.SNOOZED] -= 1
        tally.update([("status", ActionStatus.PENDING), ("type", kind), ("priority", priority), ("source", source)])
        tally.update(("due", bucket) for bucket in _buckets_of(due, minute, today, zone))
    return tally


def _buckets_of(due, minute, today, zone):
    """The buckets that a due date, in seconds, lies in."""
    if due is None:
        return ["no_date"]
    bounds = [[start_of_day(day, zone).timestamp() for day in days_of(bucket, today)] for bucket in CALENDAR_BUCKETS]
    buckets = [bucket for bucket, (start, end) in zip(CALENDAR_BUCKETS, bounds, strict=True) if start <= due < end]
    return [*buckets, "overdue"] if due < minute.timestamp() else buckets


def _counted_within(employee, filterset):
    """The same of the actions created, or ended, within the filterset's dates."""
    minute, zone = current_minute(), zone_of(employee.organization)
    actions = filterset.narrowed(CustomerAction.objects.visible_to(employee), "assignedTo")
    is_awake = When(Q(status=ActionStatus.SNOOZED, snoozed_until__lte=minute), then=Value(ActionStatus.PENDING.value))
    due = {bucket: Count("pk", filter=is_due(bucket, minute, zone)) for bucket in BUCKETS}
    live = filterset.within(actions.live(), "created_at").order_by().annotate(standing=Case(is_awake, default="status"))
    tally = Counter()
    for row in live.values("standing", "type", "priority", "source").annotate(number=Count("pk"), **due):
        tally["status", row["standing"]] += row["number"]
        if row["standing"] in OPEN:
            for name in ("type", "priority", "source"):
                tally[name, row[name]] += row["number"]
            for bucket in BUCKETS:
                tally["due", bucket] += row[bucket]
    tally.update(_ended_within(employee, filterset, actions, zone))
    return tally


def _ended_within(employee, filterset, actions, zone):
    """What ended within the dates: whole days by their counts, the edges by their rows."""
    start, end = filterset.cleaned.get("dateFrom"), filterset.cleaned.get("dateTo")
    first, edges = _whole_day(start, zone, end=False)
    after, more = _whole_day(end, zone, end=True)
    edges += more
    if first and after and first > after:  # no whole day lies between
        first, after, edges = None, None, [(start, end)] if start < end else []
        days = ActionDay.objects.none()
    else:
        limits = {f"day__{lookup}": day for lookup, day in (("gte", first), ("lt", after)) if day}
        days = ActionDay.objects.summed_for(employee, _narrowing(filterset)).filter(**limits)
    summed = days.order_by().aggregate(**{name: Sum(name) for name in ("completed", "dismissed", "seconds")})
    tally = Counter({
        ("status", "completed"): int(summed["completed"] or 0),
        ("status", "dismissed"): int(summed["dismissed"] or 0),
        ("seconds", "completed"): int(summed["seconds"] or 0),
    })  # fmt: skip
    for since, until in edges:
        rows = actions.filter(completed_at__gte=WrittenOut(since), completed_at__lt=WrittenOut(until)).order_by()
        took = Sum(_SECONDS, filter=Q(status=ActionStatus.COMPLETED))
        for status, number, seconds in rows.values_list("status").annotate(Count("pk"), seconds=took):
            tally.update({("status", status): number, ("seconds", status): seconds or 0})
    return tally


# As the triggers count it.
_SECONDS = Func(
    F("completed_at") - F("created_at"), template="extract(epoch FROM %(expressions)s)::bigint",
    output_field=BigIntegerField(),
)  # fmt: skip


def _whole_day(moment, zone, *, end):
    """`(the first whole day after a moment, or with `end` the one that must be left out, [the edge between])`."""
    if moment is None:
        return None, []
    day = moment.astimezone(zone).date()
    midnight = start_of_day(day, zone)
    if moment == midnight:
        return day, []
    if end:
        return day, [(midnight, moment)]
    after = day + timedelta(days=1)
    return after, [(moment, start_of_day(after, zone))]


def _narrowing(filterset):
    """How counts are narrowed to the assignees that were asked for; None when they were not."""
    if not filterset.cleaned.get("assignedTo"):
        return None
    return lambda rows: filterset.narrowed(rows, "assignedTo")


def _response_hours(employee, filterset):
    """Hours until customers heard from us, averaged over those of the caller's of whom it is known."""
    known = Customer.objects.visible_to(employee).filter(avg_response_time__isnull=False)
    known = filterset.within(filterset.of_assignees(known, "assigned_employee"), "created_at")
    return round(float(known.order_by().aggregate(hours=Avg("avg_response_time"))["hours"] or 0), 2)


def _share(part, whole, *, digits):
    return round(part / whole, digits) if whole else 0


# --- What employees have to do ----------------------------------------------------------------


def pending_by_employee(caller):
    """`{employee id: open actions assigned to them}`, as far as the caller may list them."""
    actions = CustomerAction.objects.visible_to(caller).open(current_minute()).order_by()
    return dict(actions.values_list("assigned_to").annotate(number=Count("pk")))


def completed_this_month_by_employee(caller):
    """`{employee id: actions they completed since the month began}`, as far as the caller may list them."""
    zone = zone_of(caller.organization)
    month = start_of_day(current_minute().astimezone(zone).date().replace(day=1), zone)
    actions = CustomerAction.objects.visible_to(caller).filter(status=ActionStatus.COMPLETED, completed_at__gte=month)
    return dict(actions.order_by().values_list("completed_by").annotate(number=Count("pk")))


WORKLOAD = {"pendingActions": pending_by_employee, "completedThisMonth": completed_this_month_by_employee}
