"""What follows from the stages that a customer has been in: stage_history is the truth, the customer repeats it."""

from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest

from customers.choices import STAGE_RANK, Stage

CLOSED = (Stage.CLOSING, Stage.POST_SALE)
# Whoever has come as far as this counts as converted.
CONVERTED_RANK = STAGE_RANK[Stage.DOWN_PAYMENT]
CLOSED_RANK = STAGE_RANK[Stage.CLOSING]
_SQL_RANK = " ".join(f"WHEN '{stage}' THEN {rank}" for stage, rank in STAGE_RANK.items())


def rank_sql(stage):
    """SQL of how far a stage, in SQL itself, has come."""
    return f"CASE {stage} {_SQL_RANK} END"


def entering(customer, stage, at):
    """The columns of a customer who enters a stage, as `{column: value}`. Every door that moves one calls this."""
    at = max(at, customer.stage_entered_at)  # clocks differ, and the last entry of the history is the latest
    return {
        "stage": stage,
        "stage_entered_at": at,
        "closed_at": customer.closed_at or (at if stage in CLOSED else None),
        "furthest_stage_rank": max(customer.furthest_stage_rank, STAGE_RANK[stage]),
    }


def all_entering(stage, at):
    """The same for an UPDATE of many."""
    at = Greatest("stage_entered_at", Value(at))
    return {
        "stage": stage,
        "stage_entered_at": at,
        "closed_at": Coalesce("closed_at", at) if stage in CLOSED else F("closed_at"),
        "furthest_stage_rank": Greatest("furthest_stage_rank", STAGE_RANK[stage]),
    }


def having_been(stage, changes, *, otherwise):
    """The same but the stage, from `[(stage entered, at)]`; `otherwise` is when a customer without any entered it."""
    changes = changes or [(stage, otherwise)]
    entered_at = max(at for _stage, at in changes)
    if stage in CLOSED and not any(entered in CLOSED for entered, _at in changes):
        changes = [*changes, (stage, entered_at)]
    return {
        "stage_entered_at": entered_at,
        "closed_at": min((at for entered, at in changes if entered in CLOSED), default=None),
        "furthest_stage_rank": max(STAGE_RANK[entered] for entered in [stage, *(entered for entered, _at in changes)]),
    }


# The same by SQL, for customers `c`; a condition on them may follow.
HISTORY_SQL = f"""
    SELECT c.id, coalesce(h.entered_at, c.created_at) AS stage_entered_at,
           coalesce(h.closed_at, CASE WHEN c.stage_rank >= {CLOSED_RANK} THEN coalesce(h.entered_at, c.created_at) END)
               AS closed_at,
           greatest(c.stage_rank, h.rank) AS furthest_stage_rank
      FROM customers c CROSS JOIN LATERAL (
        SELECT max(changed_at) AS entered_at, max({rank_sql("to_stage")}) AS rank,
               min(changed_at) FILTER (WHERE to_stage IN ({", ".join(f"'{stage}'" for stage in CLOSED)})) AS closed_at
          FROM stage_history WHERE customer_id = c.id
      ) AS h
"""
