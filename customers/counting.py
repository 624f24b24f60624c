"""How customers are counted: what triggers keep, what a check takes for the truth, and the job that folds it."""

from config import counts
from config.counts import Counts
from customers.stages import CONVERTED_RANK

_WHOSE = ("organization_id", "assigned_employee_id")
_OWN = ", ".join(_WHOSE)
_LIVING = "({rows}) AS customers WHERE deleted_at IS NULL"

SUMS = Counts(
    table="customer_sums",
    source="customers",
    whose=("assignee",),
    what=("stage",),
    numbers=(
        "number", "score", "deals", "deal_value", "revenue", "unstated", "interactions", "responses", "response_rate",
        "reached", "closed", "closed_seconds",
    ),
    select=f"""
        SELECT organization_id, coalesce(assigned_employee_id, '') AS assignee, stage, sum(sign) AS number,
               sum(sign * lead_score) AS score,
               sum(sign) FILTER (WHERE total_deal_value IS NOT NULL) AS deals,
               sum(sign * total_deal_value) AS deal_value,
               sum(sign * expected_revenue) AS revenue,
               sum(sign * total_deal_value) FILTER (WHERE expected_revenue IS NULL) AS unstated,
               sum(sign * total_interactions) AS interactions,
               sum(sign) FILTER (WHERE response_rate IS NOT NULL) AS responses,
               sum(sign * response_rate) AS response_rate,
               sum(sign) FILTER (WHERE furthest_stage_rank >= {CONVERTED_RANK}) AS reached,
               sum(sign) FILTER (WHERE closed_at IS NOT NULL) AS closed,
               sum(sign * extract(epoch FROM closed_at - created_at)::bigint) AS closed_seconds
          FROM {_LIVING} GROUP BY {_OWN}, stage""",
)  # fmt: skip

# Which columns are counted word by word, and as what; facets carry several words each.
_COLUMNS = {
    "stage": "stage", "source": "source", "priority": "priority", "employee": "assigned_employee_id",
    "city": "city_key", "region": "region", "district": "district_key", "score": "lead_score",
}  # fmt: skip
FACETS = ("type", "tag")
# As people typed them.
_SPELLINGS = {"city": "city", "district": "district"}


def counted_words(rows, dimensions, *, whose=(), summed=()):
    """The SELECT of `whose, dimension, word, spelling, number` of rows with a sign.

    With `summed` dimensions also `score` and `deal_value`, summed for those.
    """
    columns = {name: _COLUMNS[name] for name in dimensions if name in _COLUMNS}
    own, living = "".join(f"{column}, " for column in whose), f"({rows}) AS customers WHERE deleted_at IS NULL"
    parts = []
    if columns:
        cases = {
            "dimension": [f"WHEN grouping({column}) THEN '{name}'" for name, column in columns.items()],
            "word": [f"WHEN grouping({column}) THEN {column}::text" for column in columns.values()],
            "spelling": [f"WHEN grouping({_SPELLINGS[name]}) THEN {_SPELLINGS[name]}" for name in columns
                         if name in _SPELLINGS] + ["ELSE ''"],
        }  # fmt: skip
        if cases["spelling"] == ["ELSE ''"]:
            cases["spelling"].insert(0, "WHEN 1 THEN ''")
        shown = [f"CASE 0 {' '.join(whens)} END AS {name}" for name, whens in cases.items()]
        shown.append("sum(sign) AS number")
        if summed:
            is_summed = " OR ".join(f"grouping({columns[name]}) = 0" for name in summed)
            for name, column in (("score", "lead_score"), ("deal_value", "total_deal_value")):
                shown.append(f"CASE WHEN {is_summed} THEN sum(sign * {column}) END AS {name}")
        sets = [f"({own}{', '.join([column, *filter(None, [_SPELLINGS.get(name)])])})"
                for name, column in columns.items()]  # fmt: skip
        parts.append(f"SELECT {own}{', '.join(shown)} FROM {living} GROUP BY GROUPING SETS ({', '.join(sets)})")
    facets = [name for name in dimensions if name in FACETS]
    if facets:
        # The third kind, areas, sorts before both.
        meant = f"facet >= '{min(facets)}:' COLLATE \"C\""
        meant += f" AND starts_with(facet, '{facets[0]}:')" if len(facets) == 1 else ""
        parts.append(
            f"SELECT {own}split_part(facet, ':', 1) AS dimension, substr(facet, strpos(facet, ':') + 1) AS word, "
            f"'' AS spelling, sum(sign) AS number{', NULL, NULL' if summed else ''} "
            f"FROM (SELECT {own}sign, unnest(facets) AS facet FROM {living}) AS facets "
            f"WHERE {meant} GROUP BY {own}facet"
        )
    return " UNION ALL ".join(parts)


_KEPT = ("source", "priority", "city", "region", "district", "score", *FACETS)

WORDS = Counts(
    table="customer_words",
    source="customers",
    whose=("assignee",),
    what=("dimension", "word", "spelling"),
    numbers=("number", "score", "deal_value"),
    select=f"""
        SELECT organization_id, coalesce(assigned_employee_id, '') AS assignee, dimension, word, spelling,
               number, score, deal_value
          FROM ({counted_words("{rows}", _KEPT, whose=_WHOSE, summed=("source", "city"))}) AS words""",
)

_MOMENTS = {"created": "created_at", "contacted": "last_contact_at", "closed": "closed_at"}

DAYS = Counts(
    table="customer_days",
    source="customers",
    whose=("assignee",),
    what=("event", "day"),
    numbers=("number",),
    # Moments first: those of a bulk call are one, and to turn one into a day takes as long as all the rest.
    select=f"""
        SELECT organization_id, assignee, event, (moment AT TIME ZONE organizations.time_zone)::date AS day,
               sum(moments.number) AS number
          FROM (
            SELECT organization_id, coalesce(assigned_employee_id, '') AS assignee,
                   CASE 0 WHEN grouping(stage_entered_at) THEN stage
                   {" ".join(f"WHEN grouping({column}) THEN '{event}'" for event, column in _MOMENTS.items())} END
                       AS event,
                   coalesce(stage_entered_at, {", ".join(_MOMENTS.values())}) AS moment, sum(sign) AS number
              FROM {_LIVING} GROUP BY GROUPING SETS (({_OWN}, stage, stage_entered_at),
                {", ".join(f"({_OWN}, {column})" for column in _MOMENTS.values())}) HAVING sum(sign) <> 0
          ) AS moments JOIN organizations ON organizations.id = organization_id
         WHERE moment IS NOT NULL GROUP BY organization_id, assignee, event, day""",
    by_day=True,
)

TABLES = (SUMS, WORDS, DAYS)
# What they are counted by.
COLUMNS = (
    *_WHOSE, "deleted_at", "stage", *(column for name, column in _COLUMNS.items() if name in _KEPT),
    *_SPELLINGS.values(), "facets", "total_deal_value", "expected_revenue", "total_interactions", "response_rate",
    "furthest_stage_rank", "stage_entered_at", *_MOMENTS.values(),
)  # fmt: skip


def fold_counts():
    """Add up the differences that have gathered in the counts; returns how many rows became fewer."""
    return counts.fold(TABLES)
