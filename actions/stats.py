"""The numbers above the requests page. Each equals the list behind it, for the same caller.

Without dates they are read from the counts that triggers keep and from range scans of what is
due, in one statement, so that their sums agree; with dates, from one pass over the live actions
and one over those that ended in that time.
"""

from collections import Counter

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Avg, Case, Count, DurationField, ExpressionWrapper, F, Q, Sum, Value, When

from actions.choices import ENDED, FOLLOW_UPS, INBOX, OPEN, ActionStatus, ActionType
from actions.models import ActionCount, CustomerAction
from actions.querysets import BUCKETS, bounds_of
from config.clock import current_minute, start_of_day, zone_of
from customers.choices import Priority, Source
from customers.models import Customer

_DATED_BUCKETS = tuple(bucket for bucket in BUCKETS if bucket != "no_date")


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


def _counted(employee, filterset):
    """`{(dimension, word): number}` of now."""
    minute, zone = current_minute(), zone_of(employee.organization)
    bounds = [bounds_of(bucket, minute, zone) for bucket in _DATED_BUCKETS]
    actions = filterset.narrowed(CustomerAction.objects.visible_to(employee), "assignedTo")
    counts = filterset.narrowed(ActionCount.objects.in_scope_of(employee), "assignedTo")
    parts = (
        counts.order_by().values_list("key").annotate(number=Sum("number")),
        actions.open(minute).filter(due_date__lt=max(end for _start, end in bounds)).values_list("due_date"),
        actions.overslept(minute).values_list("type", "priority", "source", "due_date"),
    )
    try:
        (counts_sql, *_), (due_sql, *_), (overslept_sql, *_) = compiled = [
            part.query.sql_with_params() for part in parts
        ]
    except EmptyResultSet:  # an assignee that nobody can be
        return Counter()
    filters = ", ".join(
        "count(*) FILTER (WHERE " + ("at >= %s AND " if start else "") + "at < %s)" for start, _end in bounds
    )
    moments = [moment for start, end in bounds for moment in (start, end) if moment]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH counts (key, number) AS ({counts_sql}), due (at) AS ({due_sql}), "
            f"overslept (type, priority, source, due_date) AS ({overslept_sql}) SELECT "
            "(SELECT json_object_agg(key, number) FROM counts), "
            f"(SELECT json_build_array({filters}) FROM due), "
            "(SELECT json_agg(json_build_array(type, priority, source, due_date IS NULL)) FROM overslept)",
            [*(value for _sql, params in compiled for value in params), *moments],
        )
        counted, due, overslept = cursor.fetchone()
    tally = Counter({tuple(key.split(":")): int(number) for key, number in (counted or {}).items()})
    tally.update({("due", bucket): number for bucket, number in zip(_DATED_BUCKETS, due, strict=True)})
    for kind, priority, source, has_no_date in overslept or ():
        tally["status", ActionStatus.SNOOZED] -= 1
        tally.update([("status", ActionStatus.PENDING), ("type", kind), ("priority", priority), ("source", source)])
        tally["due", "no_date"] += has_no_date
    return tally


def _counted_within(employee, filterset):
    """The same of the actions created, or ended, within the filterset's dates."""
    minute, zone = current_minute(), zone_of(employee.organization)
    actions = filterset.narrowed(CustomerAction.objects.visible_to(employee), "assignedTo")
    is_awake = When(Q(status=ActionStatus.SNOOZED, snoozed_until__lte=minute), then=Value(ActionStatus.PENDING.value))
    due = {"no_date": Count("pk", filter=Q(due_date=None))}
    for bucket in _DATED_BUCKETS:
        start, end = bounds_of(bucket, minute, zone)
        within = Q(due_date__lt=end) & (Q(due_date__gte=start) if start else Q())
        due[bucket] = Count("pk", filter=within)
    live = filterset.within(actions.live(), "created_at").order_by().annotate(standing=Case(is_awake, default="status"))
    tally = Counter()
    for row in live.values("standing", "type", "priority", "source").annotate(number=Count("pk"), **due):
        tally["status", row["standing"]] += row["number"]
        if row["standing"] in OPEN:
            for name in ("type", "priority", "source"):
                tally[name, row[name]] += row["number"]
            for bucket in BUCKETS:
                tally["due", bucket] += row[bucket]
    took = ExpressionWrapper(F("completed_at") - F("created_at"), output_field=DurationField())
    ended = filterset.within(actions.filter(completed_at__isnull=False), "completed_at").order_by()
    for status, number, time in ended.values_list("status").annotate(number=Count("pk"), time=Sum(took)):
        tally["status", status] = number
        tally["seconds", status] = time.total_seconds()
    return tally


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
