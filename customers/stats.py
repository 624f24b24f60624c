"""The numbers of the dashboard. Each equals the list behind it, for the same caller.

They are sums over what triggers keep (models.counts). With dates they are one pass over the rows within
the dates, or what is kept less the rows without them, whichever are fewer. All of it is one statement, so
that the numbers agree.
"""

from collections import Counter
from datetime import timedelta

from django.db.models import Avg, BigIntegerField, Count, F, Func, Q, Sum
from django.db.models.functions import TruncMonth

from config.api.filters import WrittenOut
from config.api.labels import labels_of
from config.clock import current_minute, start_of_day, zone_of
from config.db import at_one_moment
from customers.choices import Priority, Source, Stage
from customers.counting import FACETS, SUMS
from customers.models import Customer, CustomerDay, CustomerSum, CustomerWord
from customers.options import FILTERS, MOST, city_names, employee_names
from customers.querysets import NOBODY
from customers.stages import CONVERTED_RANK

ACTIVE_DAYS = 30
_ENUMS = {"stage": Stage, "source": Source}
_GROUP_COLUMNS = {"stage": "stage", "source": "source", "employee": "assigned_employee", "city": "city_key"}
_NO_CITY = {"label": "بدون مدينة", "labelEn": "No city"}
_WORDS = ("source", "priority", "score")


def statistics(employee, filterset):
    """The object of `GET /customers/stats`; `filterset` is a StatisticsFilterSet. Definitions: views.stats."""
    group = filterset.cleaned.get("groupBy")
    tally = _tally(employee, filterset, group)

    def total(column):
        return sum(tally["sum", stage, column] for stage in Stage.values)

    number, deal_value = total("number"), round(total("deal_value"), 2)
    rate = float(employee.organization.commission_rate) / 100
    scores = [tally["score", str(score)] for score in range(101)]
    in_pipeline = _share(total("closed_seconds") / 86_400, total("closed"), digits=1)
    by_stage = {stage: tally["sum", stage, "number"] for stage in Stage.values}
    by_source = {source: tally["source", source] for source in Source.values}
    by_priority = {priority: tally["priority", priority] for priority in reversed(Priority.values)}
    average, conversion = _share(total("score"), number, digits=1), _share(100 * total("reached"), number, digits=1)
    stats = {
        "total": number,
        "byStage": by_stage,
        "bySource": by_source,
        "byPriority": by_priority,
        "leadScores": {
            "avg": average,
            "median": _median(scores),
            "above80": sum(scores[80:]),
            "60to80": sum(scores[60:80]),
            "40to60": sum(scores[40:60]),
            "below40": sum(scores[:40]),
        },
        "financial": {
            "totalDealValue": deal_value,
            "totalExpectedRevenue": round(total("revenue") + rate * total("unstated"), 2),
            "avgDealSize": _share(deal_value, total("deals"), digits=2),
        },
        "conversion": {
            "conversionRate": conversion,
            "avgDaysInPipeline": in_pipeline,
            "closedThisMonth": tally["event", "closed_this_month"],
            "closedThisYear": tally["event", "closed_this_year"],
        },
        "engagement": {
            "activeCustomers": tally["event", "active"],
            "newThisMonth": tally["event", "new_this_month"],
            "avgInteractions": _share(total("interactions"), number, digits=1),
            "avgResponseRate": _share(total("response_rate"), total("responses"), digits=1),
        },
        "avgLeadScore": average,
        "totalDealValue": deal_value,
        "conversionRate": conversion,
        "avgDaysInPipeline": in_pipeline,
        "activeCustomers": tally["event", "active"],
        "newThisMonth": tally["event", "new_this_month"],
        "closedThisMonth": tally["event", "closed_this_month"],
    }
    return stats | (_groups(employee, tally, group) if group else {})


def total_of(employee, filterset):
    """How many customers there are of some assignees and of words of one filter, from the counts; else None."""
    asked = {name: value for name, value in filterset.cleaned.items() if name != "assignedEmployeeId"}
    if len(asked) > 1 or not all(asked.values()):
        return None
    narrow = narrowing(filterset)
    if not asked or "stage" in asked:
        rows = CustomerSum.objects.summed_for(employee, narrow)
        rows = rows.filter(stage__in=asked["stage"]) if asked else rows
    else:
        ((name, value),) = asked.items()
        dimension = {name: dimension for dimension, name in FILTERS.items()}.get(name)
        words = filterset.filters[name].words_of(value) if dimension else ()
        if not words or dimension in FACETS and len(words) > 1:  # who has two would count twice
            return None
        rows = CustomerWord.objects.summed_for(employee, narrow).filter(dimension=dimension, word__in=words)
    return int(rows.aggregate(total=Sum("number"))["total"] or 0)


def narrowing(filterset):
    """How counts are narrowed to the assignees that were asked for; None when they were not."""
    value = filterset.cleaned.get("assignedEmployeeId")
    if not value:
        return None
    ids = filterset.filters["assignedEmployeeId"].ids_of(value)
    return lambda rows: rows.filter(assignee__in=[key or NOBODY for key in ids])


# --- Adding up --------------------------------------------------------------------------------


def _tally(employee, filterset, group):
    """The numbers as `("sum", stage, column)`, `(dimension, word)`, `("event", name)`, `("group", word, column)`."""
    parts, is_kept = _passes(employee, filterset, group)
    kept = _kept(employee, narrowing(filterset), group) if is_kept else {}
    read = at_one_moment(**kept, **parts)
    tally = Counter()
    for name, rows in read.items():
        kind, _underscore, place = name.partition("_")
        for row in rows:
            for key, number in _READ[kind](row):
                tally[key] += (-number if place and is_kept else number) if number else 0
    return tally


def _sums_of(row):
    return [(("sum", row["stage"], column), row[f"sum_{column}"]) for column in SUMS.numbers]


def _words_of(row):
    return [((row["dimension"], row["word"]), row["sum_number"])]


def _days_of(row):
    return [(("event", name), row[name]) for name, (event, _since) in _EVENTS.items() if event == row["event"]]


def _groups_of(row):
    return [(("group", row["word"] or None, column), row[f"sum_{column}"]) for column in _SUMMED]


def _pass_of(row):
    parts = (("sums", _sums_of), ("words", _words_of))
    read = [pair for name, read_one in parts for part in row[name] or () for pair in read_one(part)]
    return read + [(("event", name), number) for name, number in row["events"].items()]


_READ = {"sums": _sums_of, "words": _words_of, "days": _days_of, "groups": _groups_of, "pass": _pass_of}


# name: what happened, and since which day of those that `_since` gives.
_EVENTS = {
    "active": ("contacted", "month_ago"),
    "new_this_month": ("created", "month"),
    "closed_this_month": ("closed", "month"),
    "closed_this_year": ("closed", "year"),
}
_EVENT_COLUMNS = {"contacted": "last_contact_at", "created": "created_at", "closed": "closed_at"}
_SUMMED = ("number", "score", "deal_value")


def _since(employee):
    """`{name: day}` by the organization's calendar."""
    today = current_minute().astimezone(zone_of(employee.organization)).date()
    return {
        "month_ago": today - timedelta(days=ACTIVE_DAYS),
        "month": today.replace(day=1),
        "year": today.replace(month=1, day=1),
    }


def _kept(employee, narrow, group):
    """What triggers keep of the caller's."""
    days = _since(employee)
    sums, words, of_days = (
        model.objects.summed_for(employee, narrow).order_by() for model in (CustomerSum, CustomerWord, CustomerDay)
    )
    since = {name: Sum("number", filter=Q(day__gte=days[day])) for name, (_event, day) in _EVENTS.items()}
    happened = of_days.filter(event__in=_EVENT_COLUMNS, day__gte=min(days.values()))
    parts = {
        "sums": sums.values("stage").annotate(**_sums(SUMS.numbers)),
        "words": words.filter(dimension__in=_WORDS).values("dimension", "word").annotate(**_sums(["number"])),
        "days": happened.values("event").annotate(**since),
    }
    if group == "stage":
        parts["groups"] = sums.values(word=F("stage")).annotate(**_sums(_SUMMED))
    elif group == "employee":
        theirs = CustomerSum.objects.by_assignee(employee).order_by()
        theirs = narrow(theirs) if narrow else theirs
        parts["groups"] = theirs.values(word=F("assignee")).annotate(**_sums(_SUMMED))
    elif group:
        parts["groups"] = words.filter(dimension=group).values("word").annotate(**_sums(_SUMMED))
    return parts


def _sums(columns):
    return {f"sum_{column}": Sum(column) for column in columns}


# --- Passing over rows --------------------------------------------------------------------------

# As the triggers count it.
_SECONDS = Func(
    F("closed_at") - F("created_at"), template="extract(epoch FROM %(expressions)s)::bigint",
    output_field=BigIntegerField(),
)  # fmt: skip


def _passes(employee, filterset, group):
    """`({name: pass over rows}, whether they are what is to be taken off what is kept)`."""
    start, end = filterset.cleaned.get("dateFrom"), filterset.cleaned.get("dateTo")
    if not (start or end):
        return {}, True
    if start and end and start >= end:
        return {}, False
    rows = filterset.narrowed(Customer.objects.visible_to(employee), "assignedEmployeeId")
    within, without = rows, []
    if start:
        within = within.filter(created_at__gte=WrittenOut(start))
        without.append(rows.filter(created_at__lt=WrittenOut(start)))
    if end:
        within = within.filter(created_at__lt=WrittenOut(end))
        without.append(rows.filter(created_at__gte=WrittenOut(end)))
    is_kept = _is_most(employee, filterset, start, end)
    parts = {}
    for place, part in enumerate(without if is_kept else [within], 1):
        parts[f"pass_{place}"] = _pass(part, employee)
        if group:
            summed = {"sum_score": Sum("lead_score"), "sum_deal_value": Sum("total_deal_value")}
            parts[f"groups_{place}"] = part.values(word=F(_GROUP_COLUMNS[group])).annotate(
                sum_number=Count("pk"), **summed
            )
    return parts, is_kept


def _is_most(employee, filterset, start, end):
    """Whether more than half of the caller's customers were created within the dates, about."""
    bounds = (("day__gte", start), ("day__lt", end))
    within = Q(**{lookup: moment.date() for lookup, moment in bounds if moment})
    days = CustomerDay.objects.summed_for(employee, narrowing(filterset)).filter(event="created").order_by()
    found = days.aggregate(all=Sum("number"), within=Sum("number", filter=within))
    return 2 * (found["within"] or 0) > (found["all"] or 0)


def _pass(rows, employee):
    """One pass over rows as `(sql, params)`: `sums` and `words` as of what is kept, and `events`."""
    days, zone = _since(employee), zone_of(employee.organization)
    events = {
        name: Count("pk", filter=Q(**{f"{_EVENT_COLUMNS[event]}__gte": WrittenOut(start_of_day(days[day], zone))}))
        for name, (event, day) in _EVENTS.items()
    }
    fine = (
        rows.order_by()
        .values("stage", "source", "priority", score=F("lead_score"))
        .annotate(
            sum_number=Count("pk"),
            sum_score=Sum("lead_score"),
            sum_deals=Count("total_deal_value"),
            sum_deal_value=Sum("total_deal_value"),
            sum_revenue=Sum("expected_revenue"),
            sum_unstated=Sum("total_deal_value", filter=Q(expected_revenue=None)),
            sum_interactions=Sum("total_interactions"),
            sum_responses=Count("response_rate"),
            sum_response_rate=Sum("response_rate"),
            sum_reached=Count("pk", filter=Q(furthest_stage_rank__gte=CONVERTED_RANK)),
            sum_closed=Count("closed_at"),
            sum_closed_seconds=Sum(_SECONDS),
            **events,
        )
    )
    sql, params = fine.query.sql_with_params()
    sums = ", ".join(f"sum(sum_{column}) AS sum_{column}" for column in SUMS.numbers)
    words = " UNION ALL ".join(
        f"SELECT '{word}' AS dimension, {word}::text AS word, sum(sum_number) AS sum_number FROM fine GROUP BY {word}"
        for word in _WORDS
    )
    happened = ", ".join(f"'{name}', sum({name})" for name in _EVENTS)
    return (
        f"WITH fine AS MATERIALIZED ({sql}) "
        f"SELECT (SELECT json_agg(part) FROM (SELECT stage, {sums} FROM fine GROUP BY stage) AS part) AS sums, "
        f"(SELECT json_agg(part) FROM ({words}) AS part) AS words, json_build_object({happened}) AS events FROM fine",
        params,
    )


# --- What is made of them -----------------------------------------------------------------------


def _groups(employee, tally, group):
    """`groups`, those of an enum in its order, others by count; at most MOST of them, and how many there are."""
    words = {key[1] for key in tally if key[0] == "group" and tally["group", key[1], "number"]}
    if group in _ENUMS:
        named = labels_of(_ENUMS[group])
        ordered = list(named)
    else:
        ordered = sorted(words, key=lambda word: (-tally["group", word, "number"], word or ""))
        named = employee_names(ordered[:MOST]) if group == "employee" else _cities(employee, ordered[:MOST])
    shown = [
        {
            "key": named[word].get("value", word),
            "label": named[word]["label"],
            "labelEn": named[word]["labelEn"] or named[word]["label"],
            "count": tally["group", word, "number"],
            "avgLeadScore": _share(tally["group", word, "score"], tally["group", word, "number"], digits=1),
            "totalDealValue": round(tally["group", word, "deal_value"], 2),
        }
        for word in ordered[:MOST]
    ]
    return {"groups": shown, "groupCount": len(ordered)}


def _cities(employee, words):
    names = city_names(employee, words)
    return {word: names[word] if word else {"value": None} | _NO_CITY for word in words}


def _median(numbers):
    """The middle of a histogram; of an even number the mean of the middle two."""
    count = sum(numbers)
    if not count:
        return 0
    middle, seen = [], 0
    for value, number in enumerate(numbers):
        for place in ((count - 1) // 2, count // 2):
            if seen <= place < seen + number:
                middle.append(value)
        seen += number
    half = sum(middle) / 2
    return int(half) if half == int(half) else half


def _share(part, whole, *, digits):
    return round(part / whole, digits) if whole else 0


# --- What the back office opens with --------------------------------------------------------------


def created_by_month(employee, months):
    """`{first day of a month: customers created in it}`: this month and those before it, oldest first."""
    today = current_minute().astimezone(zone_of(employee.organization)).date()
    firsts = [today.replace(day=1)]
    while len(firsts) < months:
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    days = CustomerDay.objects.summed_for(employee, None).filter(event="created", day__gte=firsts[-1]).order_by()
    created = dict(days.values_list(TruncMonth("day")).annotate(number=Sum("number")))
    return {first: int(created.get(first) or 0) for first in reversed(firsts)}


def assigned_by_employee(employee):
    """`{employee id, or None for nobody: customers assigned to them}` of the caller's."""
    sums = CustomerSum.objects.by_assignee(employee).order_by().values_list("assignee").annotate(number=Sum("number"))
    return {assignee or None: int(number) for assignee, number in sums if number}


# --- How soon employees answer ---------------------------------------------------------------


def response_hours_by_employee(caller):
    """`{employee id: hours until their customers were answered}`, averaged over those of whom it is known."""
    known = Customer.objects.visible_to(caller).filter(avg_response_time__isnull=False, assigned_employee__isnull=False)
    averages = known.order_by().values_list("assigned_employee").annotate(hours=Avg("avg_response_time"))
    return {key: round(float(hours), 2) for key, hours in averages}


AVERAGES = {"avgResponseTime": response_hours_by_employee}
