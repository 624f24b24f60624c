"""The rows that an organization's own history has for training.

Snapshots of features, written down at the time, are all that is surely free of what came later. As long as they know
too few winners, moments of the past are computed anew, of which only those features count that come from events:
preferences, financing, matches and the source are kept as they are now, so they stay untold.
"""

import numpy as np
from django.db import connection

from customers.choices import Stage
from customers.scoring.features import facts_of
from customers.scoring.learning.columns import shares_of
from customers.scoring.learning.gate import LEAST_TO_CALIBRATE
from customers.scoring.learning.rows import HORIZON, Rows, split
from customers.scoring.scorecard import FEATURES, MISSING, NAMES, SPEC_HASH, STAGE, bins_of
from customers.stages import CONVERTED_RANK

# More would not change what is learnt. Customers are drawn whole, always the same ones.
MOST_ROWS = 100_000
_YEARS, _DAYS_APART = 3, 14
_UNTOLD = [NAMES.index(name) for name in ("source", "timeline", "completeness", "inventory_fit", "financing")]
_OPEN, _CONVERTED = Stage.values[:CONVERTED_RANK], Stage.values[CONVERTED_RANK:]
_WON = f"""
    EXISTS (SELECT 1 FROM stage_history h WHERE h.customer_id = moments.customer_id AND h.to_stage = ANY(%(converted)s)
               AND h.changed_at > moments.at AND h.changed_at <= moments.at + interval '{HORIZON} days')
"""
_PERIOD = f"BETWEEN %(now)s - interval '{_YEARS} years' AND %(now)s - interval '{HORIZON} days'"
# Whoever was merged counts no more; of a survivor, what came before does not tell of all that it has been since.
_UNMERGED = """c.merged_into_id IS NULL AND NOT EXISTS (
         SELECT 1 FROM customer_merges m WHERE m.survivor_id = c.id AND m.undone_at IS NULL AND m.at > {at})"""
# One row a week, however often a customer was written down: each week counts every open customer once.
_WEEKLY = f"""
    SELECT DISTINCT ON (s.customer_id, date_trunc('week', s.as_of)) s.customer_id, s.as_of AS at, s.bins, c.created_at
      FROM lead_feature_snapshots s JOIN customers c ON c.id = s.customer_id AND c.organization_id = s.organization_id
     WHERE s.organization_id = %(organization)s AND s.as_of {_PERIOD} AND {_UNMERGED.format(at="s.as_of")}
       AND s.spec_hash = '{SPEC_HASH}' AND s.bins[{STAGE + 1}] < {CONVERTED_RANK}
     ORDER BY s.customer_id, date_trunc('week', s.as_of), s.as_of DESC
"""
# From a day of its own in the customer's first fortnight on, until it has converted or gone. Days before its stage was
# written down first tell nothing, nor those of which something was yet to be written down: an import brings outcomes,
# but contacts count from when they were recorded, so who was won would have been silent.
_FORTNIGHTLY = f"""
    SELECT c.id AS customer_id, look.at, c.created_at
      FROM customers c CROSS JOIN LATERAL (
        SELECT min(changed_at) AS first_at, min(changed_at) FILTER (WHERE to_stage = ANY(%(converted)s)) AS converted_at
          FROM stage_history WHERE customer_id = c.id
      ) AS stages CROSS JOIN LATERAL (
        SELECT range_agg(tstzrange(happened_at, recorded_at)) AS spans
          FROM (SELECT date, created_at FROM interactions WHERE customer_id = c.id
                UNION ALL SELECT datetime, created_at FROM appointments WHERE customer_id = c.id
                UNION ALL SELECT added_at, created_at FROM property_interests WHERE customer_id = c.id
               ) AS written (happened_at, recorded_at)
         WHERE recorded_at > happened_at
      ) AS unwritten CROSS JOIN LATERAL generate_series(
        c.created_at + make_interval(hours => 1 + abs(hashtext(c.id)::bigint)::int %% {24 * _DAYS_APART - 1}),
        least(%(now)s - interval '{HORIZON} days', stages.converted_at - interval '1 second', c.deleted_at),
        interval '{_DAYS_APART} days'
      ) AS look (at)
     WHERE c.organization_id = %(organization)s AND look.at {_PERIOD} AND {_UNMERGED.format(at="look.at")}
       AND look.at >= stages.first_at AND NOT coalesce(unwritten.spans @> look.at, false)
"""
_DRAWN = "abs(hashtext(moments.customer_id || 'drawn')::bigint) %% 10000 < %(share)s"


def matured(organization_id, now, open_bins):
    """The Rows of an organization whose outcome is known; `open_bins` are those of its open customers now."""
    rows = _snapshots(organization_id, now)
    training, _holdout = split(rows)
    return rows if training.n_wins >= LEAST_TO_CALIBRATE else _moments(organization_id, now, open_bins)


def open_bins(organization_id):
    """The bins of all open customers of an organization, as of now."""
    asof = "SELECT id, now() FROM customers WHERE organization_id = %s AND deleted_at IS NULL AND stage = ANY(%s)"
    return _as_bins([bins_of(facts) for facts in facts_of(asof, [organization_id, _OPEN])])


def _as_bins(rows):
    return np.array(rows, np.uint8).reshape(-1, len(FEATURES))


def _snapshots(organization_id, now):
    params = _params(organization_id, now, _WEEKLY)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, at, created_at, {_WON}, bins FROM ({_WEEKLY}) AS moments WHERE {_DRAWN}", params
        )
        found = cursor.fetchall()
    return _rows([row[:4] for row in found], _as_bins([row[4] for row in found]))


def _moments(organization_id, now, bins_now):
    params = _params(organization_id, now, _FORTNIGHTLY)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, at, created_at, {_WON} FROM ({_FORTNIGHTLY}) AS moments WHERE {_DRAWN}", params
        )
        found = {row[:2]: row for row in cursor.fetchall()}
    # Placeholders of facts_of are counted, not named.
    ids, moments = [key for key, _at in found], [at for _key, at in found]
    asof = "SELECT * FROM unnest(%s::text[], %s::timestamptz[])"
    told = [(found[facts.customer_id, facts.at], bins_of(facts)) for facts in facts_of(asof, [ids, moments])]
    bins = _as_bins([bins for _row, bins in told])
    bins[:, _UNTOLD] = [MISSING[place] for place in _UNTOLD]
    rows = _rows([row for row, _bins in told], bins)
    shares = shares_of(bins_now if len(bins_now) else bins)
    rows.untold = {place: shares[NAMES[place]] for place in _UNTOLD}
    return rows[rows.stages < CONVERTED_RANK]


def _params(organization_id, now, moments):
    params = {"organization": organization_id, "now": now, "converted": _CONVERTED}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({moments}) AS moments", params)
        (count,) = cursor.fetchone()
    return params | {"share": 10_000 * MOST_ROWS // max(count, MOST_ROWS)}


def _rows(found, bins):
    days = np.array([at.timestamp() / 86_400 for _key, at, _came, _won in found])
    came = np.array([came.timestamp() / 86_400 for _key, _at, came, _won in found])
    _ids, customers = np.unique([key for key, *_rest in found], return_inverse=True)
    won = np.array([is_won for *_rest, is_won in found], float)
    return Rows(bins=bins, won=won, days=days, ages=days - came, customers=customers)
