"""What is known of customers as of a moment, by one statement over the rows that were there by then.

A row counts from when it was recorded, and at the time that it tells of: `created_at <= T` and `date <= T`. Nothing
is read from today's counters, which know how it ended. Statuses come from the changes that were written down, and
the stage from its history. What has no history (preferences, financing, matches, edits of a contact) is as it is now;
only snapshots of the day are free of what came later.

A *touch* is the customer's side of it: an inbound contact, a meeting, or one that was answered: it lasted a minute,
or the customer replied within 72 hours. A *try* is an outbound call or message.

Time alone makes nothing better: how many tries were answered is asked of the 90 days before the last one, and the
sentiment as of its last label (to six digits, so that an edge is not crossed by how a sum was rounded).
"""

from datetime import datetime
from typing import NamedTuple

from django.db import connection
from psycopg.types.datetime import TimestamptzLoader

# Days that customers usually stay in a stage, where an organization has too few of its own.
USUAL_DAYS = {
    "new_lead": 6,
    "qualified": 8,
    "property_matching": 9,
    "site_visit": 12,
    "negotiation": 11,
    "contract_prep": 7,
    "down_payment": 7,
}
REPLY_HOURS = 72
TALK_DAYS, TRY_DAYS, TOUCH_DAYS, VISIT_DAYS = 60, 90, 30, 45
# A sentiment counts half as much after so many days, and more where people met.
SENTIMENT_HALF_LIFE_DAYS, MET_WEIGHT = 30, 1.5
# A match is as good as this before it counts as something to offer.
GOOD_MATCH = 70


class Facts(NamedTuple):
    """What is known of one customer as of `at`. None where nothing is known."""

    customer_id: str
    organization_id: str
    at: datetime
    created_at: datetime
    source: str
    purpose: str | None
    timeline: str | None
    # Names of what the preferences leave open, out of five; `completeness` counts the others.
    missing_preferences: list
    completeness: int
    # Listings on offer that suit the customer well, as far as they are kept.
    inventory: int
    financing: str | None
    last_touch_at: datetime | None
    recency_days: float | None
    touches_30d: int
    longest_talk_minutes: int | None
    inbound_30d: bool
    tries_90d: int
    answered_90d: int
    # Tries without an answer since the last touch.
    streak: int
    # -100 to 100: as of the last label that was positive or negative, and as of `at`, of all labels.
    sentiment: float | None
    sentiment_now: float | None
    first_try_at: datetime | None
    # The strongest status of a property that was not rejected.
    interest: str | None
    visits_45d: int
    last_visit_no_show: bool
    stage: str
    stage_entered_at: datetime
    days_in_stage: float
    # Days in the stage by the median of the organization.
    momentum: float | None
    touches: int
    mean_gap_days: float | None

    @classmethod
    def from_stored(cls, values):
        """The Facts of a list of their values as JSON has them."""
        return cls(*(value if place not in _MOMENTS or value is None else datetime.fromisoformat(value)
                     for place, value in enumerate(values)))  # fmt: skip


_MOMENTS = {place for place, name in enumerate(Facts._fields) if name == "at" or name.endswith("_at")}
_DAY = "86400.0"
_PREFERRED = {
    "budget": "preferences ? 'budgetMax'",
    "propertyType": "preferences -> 'propertyType' <> '[]'",
    "area": "preferences -> 'preferredAreas' <> '[]' OR preferences -> 'preferredCities' <> '[]'",
    "timeline": "preferences ? 'timeline'",
    "size": "preferences ? 'bedrooms' OR preferences ? 'minArea'",
}
_MISSING = ", ".join(
    f"CASE WHEN coalesce({condition}, false) THEN NULL ELSE '{name}' END" for name, condition in _PREFERRED.items()
)
_USUAL = ", ".join(f"('{stage}', {days}.0)" for stage, days in USUAL_DAYS.items())

_STRENGTH = (
    "CASE to_status WHEN 'offer_made' THEN 5 WHEN 'liked' THEN 4 WHEN 'viewed' THEN 3 WHEN 'viewing_scheduled' THEN 2 "
    "WHEN 'interested' THEN 1 END"
)


def _half_lives(moment):
    """How often a sentiment of a moment has lost half of its weight; so often that nothing is left, it is no more."""
    return f"least(date_part('epoch', at - {moment}) / {_DAY} / {SENTIMENT_HALF_LIFE_DAYS}, 100)"


_SQL = f"""
WITH asof (customer_id, at) AS MATERIALIZED ({{asof}}),
contacts AS (
    SELECT a.customer_id, a.at, i.date, i.type, i.direction, i.duration, i.sentiment,
           min(i.date) FILTER (WHERE i.direction = 'inbound') OVER later AS next_inbound_at
      FROM asof a JOIN interactions i ON i.customer_id = a.customer_id AND i.date <= a.at AND i.created_at <= a.at
     WHERE i.type <> 'note' OR i.sentiment <> ''
    WINDOW later AS (PARTITION BY a.customer_id, a.at ORDER BY i.date DESC ROWS UNBOUNDED PRECEDING)
), kinds AS (
    SELECT *, type <> 'note' AND direction = 'inbound' AS is_inbound,
           direction = 'outbound' AND type IN ('call', 'whatsapp', 'sms', 'email') AS is_try,
           type <> 'note' AND (coalesce(duration, 0) >= 1 OR type IN ('meeting', 'site_visit') AND duration IS NULL
               OR coalesce(next_inbound_at <= date + interval '{REPLY_HOURS} hours', false)) AS is_answered,
           CASE sentiment WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 WHEN 'neutral' THEN 0 END AS mood,
           CASE WHEN sentiment <> '' THEN power(0.5, {_half_lives("date")})
               * CASE WHEN type IN ('meeting', 'site_visit') THEN {MET_WEIGHT} ELSE 1 END END AS weight
      FROM contacts
), moments AS (
    SELECT *, max(date) FILTER (WHERE is_inbound OR is_answered) OVER customer AS last_touch_at,
           max(date) FILTER (WHERE is_try) OVER customer AS last_try_at
      FROM kinds WINDOW customer AS (PARTITION BY customer_id, at)
), talks AS (
    SELECT customer_id, at, max(last_touch_at) AS last_touch_at,
           count(*) FILTER (WHERE is_inbound OR is_answered) AS touches,
           min(date) FILTER (WHERE is_inbound OR is_answered) AS first_touch_at,
           count(*) FILTER (WHERE (is_inbound OR is_answered) AND date > at - interval '{TOUCH_DAYS} days')
               AS touches_30d,
           max(duration) FILTER (WHERE type IN ('call', 'meeting') AND date > at - interval '{TALK_DAYS} days')
               AS longest_talk_minutes,
           bool_or(is_inbound AND date > at - interval '{TOUCH_DAYS} days') AS inbound_30d,
           count(*) FILTER (WHERE is_try AND date > last_try_at - interval '{TRY_DAYS} days') AS tries_90d,
           count(*) FILTER (WHERE is_try AND is_answered AND date > last_try_at - interval '{TRY_DAYS} days')
               AS answered_90d,
           count(*) FILTER (WHERE is_try AND NOT is_answered AND date > coalesce(last_touch_at, '-infinity')) AS streak,
           min(date) FILTER (WHERE is_try) AS first_try_at,
           sum(weight * mood) AS mood, sum(weight) FILTER (WHERE mood IS NOT NULL) AS labelled,
           sum(weight) FILTER (WHERE mood <> 0) AS moved,
           power(2, {_half_lives("max(date) FILTER (WHERE mood <> 0)")}) AS since
      FROM moments GROUP BY customer_id, at
), statuses AS (
    SELECT DISTINCT ON (a.customer_id, a.at, s.item_id) a.customer_id, a.at, s.collection, s.item_id, s.to_status
      FROM asof a JOIN status_changes s ON s.customer_id = a.customer_id AND s.recorded_at <= a.at
     ORDER BY a.customer_id, a.at, s.item_id, s.recorded_at DESC, s.id DESC
), interests AS (
    SELECT s.customer_id, s.at, (array_agg(to_status ORDER BY {_STRENGTH} DESC NULLS LAST))[1] AS strongest
      FROM statuses s JOIN property_interests p ON p.id = s.item_id
     WHERE s.collection = 'properties' AND to_status <> 'rejected' GROUP BY s.customer_id, s.at
), visits AS (
    SELECT s.customer_id, s.at,
           count(*) FILTER (WHERE to_status = 'completed' AND p.datetime > s.at - interval '{VISIT_DAYS} days')
               AS completed,
           (array_agg(to_status ORDER BY p.datetime DESC, p.id DESC))[1] = 'no_show' AS last_no_show
      FROM statuses s JOIN appointments p ON p.id = s.item_id AND p.datetime <= s.at
     WHERE s.collection = 'appointments' AND p.type = 'site_visit' AND to_status IN ('completed', 'no_show')
     GROUP BY s.customer_id, s.at
), suiting AS (
    SELECT m.customer_id, count(*) AS listings
      FROM property_matches m WHERE m.score >= {GOOD_MATCH} AND m.customer_id IN (SELECT customer_id FROM asof)
     GROUP BY m.customer_id
)
SELECT c.id, c.organization_id, a.at, c.created_at, c.source, c.preferences ->> 'purpose', c.preferences ->> 'timeline',
       open.names, {len(_PREFERRED)} - cardinality(open.names), coalesce(suiting.listings, 0),
       CASE f.financing_type WHEN 'self_funded' THEN 'self_funded' ELSE f.status END,
       t.last_touch_at, date_part('epoch', a.at - t.last_touch_at) / {_DAY}, coalesce(t.touches_30d, 0),
       t.longest_talk_minutes, coalesce(t.inbound_30d, false), coalesce(t.tries_90d, 0), coalesce(t.answered_90d, 0),
       coalesce(t.streak, 0), round((100 * t.mood * t.since / (t.moved * t.since + 1))::numeric, 6)::float,
       100 * t.mood / (t.labelled + 1),
       t.first_try_at, i.strongest, coalesce(v.completed, 0), coalesce(v.last_no_show, false),
       place.stage, place.entered_at, place.days, place.days / coalesce(own.median_days, usual.days),
       coalesce(t.touches, 0),
       CASE WHEN t.touches > 1
            THEN date_part('epoch', t.last_touch_at - t.first_touch_at) / {_DAY} / (t.touches - 1) END
  FROM asof a JOIN customers c ON c.id = a.customer_id
  CROSS JOIN LATERAL (SELECT array_remove(ARRAY[{_MISSING}], NULL) AS names) AS open
  LEFT JOIN LATERAL (
    SELECT to_stage, changed_at FROM stage_history WHERE customer_id = a.customer_id AND changed_at <= a.at
     ORDER BY changed_at DESC, id DESC LIMIT 1
  ) AS last ON true
  LEFT JOIN LATERAL (
    SELECT from_stage, true AS is_there FROM stage_history
     WHERE customer_id = a.customer_id AND changed_at > a.at AND last IS NULL ORDER BY changed_at, id LIMIT 1
  ) AS next ON true
  CROSS JOIN LATERAL (
    SELECT coalesce(last.to_stage, next.from_stage, CASE WHEN next.is_there IS NULL THEN c.stage END, 'new_lead')
               AS stage,
           coalesce(last.changed_at, c.created_at) AS entered_at,
           greatest(date_part('epoch', a.at - coalesce(last.changed_at, c.created_at)) / {_DAY}, 0) AS days
  ) AS place
  LEFT JOIN stage_medians own ON own.organization_id = c.organization_id AND own.stage = place.stage
       AND own.median_days > 0
  LEFT JOIN (VALUES {_USUAL}) AS usual (stage, days) ON usual.stage = place.stage
  LEFT JOIN mortgage_infos f ON f.customer_id = a.customer_id AND f.created_at <= a.at
  LEFT JOIN talks t ON t.customer_id = a.customer_id AND t.at = a.at
  LEFT JOIN interests i ON i.customer_id = a.customer_id AND i.at = a.at
  LEFT JOIN visits v ON v.customer_id = a.customer_id AND v.at = a.at
  LEFT JOIN suiting ON suiting.customer_id = a.customer_id
"""


def facts_of(asof_sql, params=()):
    """Yields the Facts of each `(customer_id, at)` of a SELECT; a customer may come with many moments.

    Tables are named without a schema: temporary ones of the same names are read instead, where there are any.
    """
    with connection.cursor() as cursor:
        # Django's own is written in Python: of a million moments that is a tenth of a night's work.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(_SQL.format(asof=asof_sql), params)
        while rows := cursor.fetchmany(5_000):
            yield from map(Facts._make, rows)
