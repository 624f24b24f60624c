"""What the actions that the system opens are good for: what came of those, beside those that were held out by a draw.

All that was recommended counts, whatever became of it, or the comparison would favour what people chose to do. Only
what is old enough counts, so that everything had the same time.
"""

from math import sqrt
from typing import NamedTuple

from django.db import connection

from actions.rules import RULES
from actions.signs import MEASURED
from customers.stages import rank_sql

# Of fewer on either side a difference says nothing.
ENOUGH = 30
_NORMAL_95 = 1.96


class Uplift(NamedTuple):
    """What came of a rule: how many actions were opened and completed in time, and of how many customers the stage
    moved on in time; beside it those of whom none was opened."""

    rule: str
    opened: int
    completed: int
    advanced: int
    held_out: int
    held_out_advanced: int

    @property
    def completed_percent(self):
        return _percent(self.completed, self.opened)

    @property
    def advanced_percent(self):
        return _percent(self.advanced, self.opened)

    @property
    def held_out_advanced_percent(self):
        return _percent(self.held_out_advanced, self.held_out)

    @property
    def gain(self):
        """`(percentage points more that moved on with an action, half of its 95 % interval)`; None of too few."""
        if min(self.opened, self.held_out) < ENOUGH:
            return None
        shares = self.advanced / self.opened, self.held_out_advanced / self.held_out
        variance = sum(
            share * (1 - share) / number for share, number in zip(shares, (self.opened, self.held_out), strict=True)
        )
        return round(100 * (shares[0] - shares[1]), 1), round(100 * _NORMAL_95 * sqrt(variance), 1)


def _percent(part, whole):
    return round(100 * part / whole, 1) if whole else None


_SQL = f"""
    SELECT r.rule, count(*) FILTER (WHERE NOT r.is_held_out),
           count(*) FILTER (WHERE a.status = 'completed' AND a.completed_at <= r.made_at + %s),
           count(*) FILTER (WHERE NOT r.is_held_out AND moved.on), count(*) FILTER (WHERE r.is_held_out),
           count(*) FILTER (WHERE r.is_held_out AND moved.on)
      FROM recommendations r
      LEFT JOIN customer_actions a ON a.id = r.action_id
     CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM stage_history h
             WHERE h.customer_id = r.customer_id AND h.changed_at > r.made_at AND h.changed_at <= r.made_at + %s
               AND {rank_sql("h.to_stage")} > {rank_sql("h.from_stage")}
        ) AS on
     ) AS moved
     WHERE r.organization_id = %s AND r.made_at <= %s
     GROUP BY r.rule
"""


def uplift_of(organization_id, now):
    """An Uplift for each rule of which something is known, in the order of the rules."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [MEASURED, MEASURED, organization_id, now - MEASURED])
        known = {row[0]: Uplift(*row) for row in cursor.fetchall()}
    return [known[rule.key] for rule in RULES if rule.key in known]
