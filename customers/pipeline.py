"""The board of the pipeline: a column for each stage, its numbers and its first cards."""

from datetime import date, timedelta
from math import floor

import orjson
from django.core.exceptions import EmptyResultSet
from django.db.models import DateField, F, Func, IntegerField, Q, Sum, Value

from config.api.labels import labels_of
from config.api.rows import rows_of
from config.clock import current_minute, zone_of
from config.db import at_one_moment, one_snapshot
from customers.choices import Stage
from customers.models import CustomerDay, CustomerSum, StageMedian
from customers.serializers.statistics import CardSerializer
from customers.stats import narrowing

STALE_TIMES = 2
# So many customers are sorted for their first cards; of more, the index of cards is walked, stage by stage.
FEW = 2_000
# Backward along the index of cards.
_CARD_ORDER = ("-priority_rank", "-lead_score", "-pk")


def pipeline(employee, filterset, *, cards):
    """The columns of `GET /customers/pipeline`, in the order of the stages. Definitions: views.pipeline."""
    with one_snapshot():  # a card may have moved on between two statements
        return _columns(employee, filterset, cards)


def _columns(employee, filterset, cards):
    narrow, today = narrowing(filterset), current_minute().astimezone(zone_of(employee.organization)).date()
    sums = CustomerSum.objects.summed_for(employee, narrow)
    days = CustomerDay.objects.summed_for(employee, narrow).filter(event__in=Stage.values)
    read = at_one_moment(
        sums=sums.values("stage").annotate(count=Sum("number"), value=Sum("deal_value")),
        days=days.values("event").annotate(
            spent=Sum(F("number") * _days_until(today)), stale=Sum("number", filter=_is_stale(employee, today))
        ),
        cards=_first_cards(filterset.qs, cards),
    )
    numbers = {row["stage"]: row for row in read["sums"]}
    of_days = {row["event"]: row for row in read["days"]}
    keys = {row["stage"]: row["keys"] for row in read["cards"]}
    cards = _rendered([key for theirs in keys.values() for key in theirs])
    return [
        {
            "stage": stage,
            **labels,
            **_numbers(numbers.get(stage, {}), of_days.get(stage, {})),
            "customers": [cards[key] for key in keys.get(stage, ()) if key in cards],
        }
        for stage, labels in labels_of(Stage).items()
    ]


def _numbers(row, days):
    count = row.get("count") or 0
    return {
        "count": count,
        "value": round(row.get("value") or 0, 2),
        "avgDays": round(days["spent"] / count, 1) if count else 0,
        "staleCount": days.get("stale") or 0,
    }


def _days_until(today):
    """The whole days of the calendar since a counted day."""
    return Func(
        Value(today, DateField()), F("day"), template="(%(expressions)s)", arg_joiner=" - ",
        output_field=IntegerField(),
    )  # fmt: skip


def _is_stale(employee, today):
    medians = StageMedian.objects.filter(organization=employee.organization_id).values_list("stage", "median_days")
    stale, most = Q(pk__in=[]), (today - date.min).days
    for stage, median in medians:
        stale |= Q(event=stage, day__lt=today - timedelta(days=min(floor(STALE_TIMES * median), most)))
    return stale


def _first_cards(rows, number):
    """`(sql, params)` of the ids of the first cards of each stage, beside the `sums` of the same statement."""
    total = "(SELECT coalesce(sum(count), 0) FROM sums)"
    shown = [F("stage"), F("pk"), F("priority_rank"), F("lead_score")]
    try:
        sql, params = rows.order_by().values_list(*shown).query.sql_with_params()
        parts, params = [f"SELECT * FROM ({sql}) AS few (stage, id, urgency, score) WHERE {total} <= {FEW}"], [*params]
        for stage in Stage.values:
            first = rows.filter(stage=stage).order_by(*_CARD_ORDER).values_list(*shown)[:number]
            sql, more = first.query.sql_with_params()
            there = f"EXISTS (SELECT FROM sums WHERE stage = '{stage}' AND count > 0)"
            parts.append(f"SELECT * FROM ({sql}) AS many (stage, id, urgency, score) WHERE {total} > {FEW} AND {there}")
            params += more
    except EmptyResultSet:  # no cards, or an assignee that nobody can be
        return rows.none()
    return (
        f"SELECT stage, array_agg(id ORDER BY place) AS keys FROM (SELECT stage, id, row_number() OVER "
        f"(PARTITION BY stage ORDER BY urgency DESC, score DESC, id DESC) AS place FROM ({' UNION ALL '.join(parts)}) "
        f"AS found) AS placed WHERE place <= {number} GROUP BY stage",
        params,
    )


def _rendered(keys):
    """`{id: card}`; who was removed meanwhile is missing."""
    rows = rows_of(CardSerializer).fetch(keys)
    return {card["id"]: card for card in (orjson.loads(text) for text, *_rest in rows)}
