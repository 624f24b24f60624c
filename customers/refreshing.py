"""Comparing what is kept of customers with the truth, setting it right, and computing what only a pass can tell."""

from django.db import connection

from config import counts
from config.audit import recorded
from config.cache import void
from config.counts import Difference
from customers.counting import TABLES
from customers.stages import HISTORY_SQL

# A stage that fewer have left has no median.
LEAST_STAYS = 5
_PLACE = ("stage_entered_at", "closed_at", "furthest_stage_rank")
_BATCH = 1_000


def check(organization_id=None):
    """Every Difference between what is kept of customers and what rows and stage history say."""
    return [*_misplaced(organization_id), *counts.check(TABLES, organization_id)]


def refresh(organization_id=None):
    """Set right what differs, and compute the medians; returns the differences that there were."""
    misplaced = _misplaced(organization_id)
    _put_in_place([difference.names["id"] for difference in misplaced])
    refresh_medians(organization_id)
    found = [*misplaced, *counts.repair(TABLES, organization_id)]
    void(organization_id)
    return found


def _misplaced(organization_id):
    """Customers whose place in the pipeline is not what their history says."""
    where, params = ("WHERE c.organization_id = %s", [organization_id]) if organization_id else ("", [])
    pairs = ", ".join(f"customers.{column}, h.{column}" for column in _PLACE)
    differs = " OR ".join(f"customers.{column} IS DISTINCT FROM h.{column}" for column in _PLACE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customers.organization_id, customers.id, {pairs} FROM customers "
            f"JOIN ({HISTORY_SQL} {where}) AS h ON h.id = customers.id WHERE {differs}",
            params,
        )
        return [Difference.between("customers", row[:2], ("organization_id", "id"), row[2:], _PLACE)
                for row in cursor.fetchall()]  # fmt: skip


def _put_in_place(ids):
    """Held first, so that the history that is read then is the last."""
    assigned = ", ".join(f"{column} = h.{column}" for column in _PLACE)
    for start in range(0, len(ids), _BATCH):
        keys = sorted(ids[start : start + _BATCH])
        with recorded(None), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM customers WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [keys])
            truth = f"{HISTORY_SQL} WHERE c.id = ANY(%s)"
            cursor.execute(f"UPDATE customers SET {assigned} FROM ({truth}) AS h WHERE customers.id = h.id", [keys])


def refresh_medians(organization_id=None):
    """Compute anew how long living customers stayed in each stage that they have left."""
    where, params = ("AND c.organization_id = %s", [organization_id]) if organization_id else ("", [])
    with recorded(None), connection.cursor() as cursor:
        # One after the other: each removes what the last has computed.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('stage_medians'))")
        cursor.execute(f"DELETE FROM stage_medians {where.replace('AND c.', 'WHERE ')}", params)
        cursor.execute(
            f"""
            INSERT INTO stage_medians (organization_id, stage, median_days, stays, computed_at)
            SELECT organization_id, stage, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) / 86400, count(*), now()
              FROM (
                SELECT c.organization_id, to_stage AS stage, extract(epoch FROM
                       lead(changed_at) OVER (PARTITION BY customer_id ORDER BY changed_at, h.id) - changed_at
                       )::float AS seconds
                  FROM stage_history h JOIN customers c ON c.id = customer_id
                 WHERE c.deleted_at IS NULL {where}
              ) AS stays WHERE seconds IS NOT NULL
             GROUP BY organization_id, stage HAVING count(*) >= {LEAST_STAYS}
            """,
            params,
        )
