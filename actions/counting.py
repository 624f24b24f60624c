"""How actions are counted: what triggers keep, what a check takes for the truth, and the job that folds it."""

from config import counts
from config.counts import Counts

_OPEN = "status IN ('pending', 'in_progress')"
_WHOSE = "organization_id, customer_assignee, assigned_to_id"

NUMBERS = Counts(
    table="action_counts",
    source="customer_actions",
    whose=("customer_assignee", "assigned_to"),
    what=("key",),
    numbers=("number",),
    select=f"""
        SELECT organization_id, customer_assignee, assigned_to_id AS assigned_to, tally.key,
               sum(tally.number * sign) AS number
          FROM ({{rows}}) AS actions, LATERAL (VALUES
            ('status:' || status, 1, true),
            ('type:' || type, 1, {_OPEN}),
            ('priority:' || priority, 1, {_OPEN}),
            ('source:' || source, 1, {_OPEN}),
            ('due:no_date', 1, {_OPEN} AND due_date IS NULL),
            ('seconds:completed', extract(epoch FROM completed_at - created_at)::bigint, status = 'completed')
          ) AS tally (key, number, counts)
         WHERE tally.counts AND NOT customer_deleted GROUP BY {_WHOSE}, tally.key""",
)

DAYS = Counts(
    table="action_days",
    source="customer_actions",
    whose=("customer_assignee", "assigned_to"),
    what=("day",),
    numbers=("due", "completed", "dismissed", "seconds"),
    select=f"""
        SELECT organization_id, customer_assignee, assigned_to_id AS assigned_to, day,
               sum(sign) FILTER (WHERE {_OPEN}) AS due,
               sum(sign) FILTER (WHERE status = 'completed') AS completed,
               sum(sign) FILTER (WHERE status = 'dismissed') AS dismissed,
               sum(sign * seconds) FILTER (WHERE status = 'completed') AS seconds
          FROM (
            SELECT actions.*, extract(epoch FROM completed_at - actions.created_at)::bigint AS seconds,
                   (CASE WHEN {_OPEN} THEN due_date ELSE completed_at END
                    AT TIME ZONE organizations.time_zone)::date AS day
              FROM ({{rows}}) AS actions JOIN organizations ON organizations.id = organization_id
             WHERE NOT customer_deleted
          ) AS actions
         WHERE day IS NOT NULL GROUP BY {_WHOSE}, day""",
    by_day=True,
)

TABLES = (NUMBERS, DAYS)
# What they are counted by.
COLUMNS = (
    "organization_id", "customer_assignee", "assigned_to_id", "type", "priority", "status", "source", "due_date",
    "created_at", "completed_at", "customer_deleted",
)  # fmt: skip


def fold_counts():
    """Add up the differences that have gathered in the counts; returns how many rows became fewer."""
    return counts.fold(TABLES)
