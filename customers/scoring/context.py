"""What insights need to know beyond Facts: what is planned, what an organization is used to, and its working days."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import inf
from typing import NamedTuple

from django.core.cache import cache
from django.db import connection

from config.clock import zone_of
from config.db import id_array
from customers.choices import Stage
from customers.matching import best_matches
from customers.models import Customer
from customers.scoring.closing import curves_of, outcomes_of
from customers.scoring.features import Facts
from employees.workdays import add_workdays, is_workday, workday_before, workday_on_or_after

# Days between two contacts of a customer in a stage, where an organization has too few of its own to tell.
USUAL_GAPS = {
    Stage.NEW_LEAD: 3,
    Stage.QUALIFIED: 4,
    Stage.PROPERTY_MATCHING: 5,
    Stage.SITE_VISIT: 5,
    Stage.NEGOTIATION: 3,
    Stage.CONTRACT_PREP: 3,
    Stage.DOWN_PAYMENT: 7,
    Stage.CLOSING: 7,
    Stage.POST_SALE: 45,
}
ENOUGH_CUSTOMERS = 20
# What more customers do is no other than what so many do, whom their ids pick.
MOST_ASKED = 20_000
# Nobody is rung up earlier or later, however long the office is open.
CALLS_FROM, CALLS_UNTIL = time(10), time(20)
# What organizations are used to is worked out once a day; a process keeps it of so many.
_ORGANIZATIONS_KEPT = 100


class Plans(NamedTuple):
    """What is known of a customer's calendar, in days of the organization; None where there is nothing."""

    may_be_contacted: bool = True
    last_contact_on: date | None = None
    # The day that somebody has set for the next contact, if there was none since.
    follow_up_on: date | None = None
    appointment_on: date | None = None
    appointment_is_confirmed: bool = False
    missed_last_appointment: bool = False
    has_open_complaint: bool = False
    # The last day on which something is to be paid, of who has paid for the first time.
    last_payment_on: date | None = None
    budget_is_below_offers: bool = False
    matches: list | tuple = ()


class Habits(NamedTuple):
    """What an organization is used to."""

    # {stage: Curve} of how soon customers are won.
    curves: dict
    # {stage: mean days between contacts}
    gaps: dict


class Calendar:
    """Days of an organization as of a moment, as the client reads them; each is worked out once."""

    def __init__(self, organization, now):
        self.organization, self.zone = organization, zone_of(organization)
        starts, ends = organization.work_starts, organization.work_ends
        self.starts, self.ends = max(starts, CALLS_FROM), min(ends, CALLS_UNTIL)
        if self.starts >= self.ends:
            self.starts, self.ends = starts, ends
        local = now.astimezone(self.zone)
        self.today = local.date()
        next_hour = local.replace(minute=0, second=0, microsecond=0, fold=0, tzinfo=None) + timedelta(hours=1)
        if is_workday(organization, self.today) and next_hour < datetime.combine(self.today, self.ends):
            self.soonest = self._told(self.today, max(next_hour.time(), self.starts))
        else:
            self.soonest = self._told(workday_on_or_after(organization, self.today + timedelta(days=1)), self.starts)
        self.known = {}

    def day_of(self, moment):
        return moment.astimezone(self.zone).date()

    def follow_up_on(self, day):
        """When to be in touch on a day: when calls begin, or as soon as possible if it has come."""
        return self._told(day, self.starts) if day > self.today else self.soonest

    def follow_up_before(self, day):
        """The same one workday before a day."""
        return self._once(("before", day), lambda: self.follow_up_on(workday_before(self.organization, day)))

    def follow_up_after(self, day, workdays):
        """The same so many workdays after a day."""
        return self._once((day, workdays), lambda: self.follow_up_on(add_workdays(self.organization, day, workdays)))

    def workday_in(self, days):
        """The workday so many days from today, or the next one."""
        return self._once(days, lambda: self.workday_from(self.today + timedelta(days=days)))

    def workday_from(self, day):
        return workday_on_or_after(self.organization, day).isoformat()

    def _once(self, key, make):
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]

    def _told(self, day, at):
        return datetime.combine(day, at, self.zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Context(NamedTuple):
    """All that insights of a batch of customers need beyond their Facts."""

    calendar: Calendar
    habits: Habits
    plans: dict  # {customer id: Plans}
    # Of the model that scores are by; 0 are the documented points.
    model_version: int = 0

    def plans_of(self, customer_id):
        return self.plans.get(customer_id) or _NOTHING_PLANNED


_NOTHING_PLANNED = Plans()

# Over customers c and a moment (now, zone). OFFSET 0: PostgreSQL would work out `own` wherever it is named.
_PLANS_SQL = """
    SELECT c.id, NOT c.do_not_contact, contacted.day,
           CASE WHEN contacted.day IS NULL OR own.day > contacted.day THEN own.day END,
           (coming.datetime AT TIME ZONE zone)::date, coalesce(coming.status = 'confirmed', false),
           coalesce(past.status = 'no_show', false),
           c.stage = 'post_sale' AND EXISTS (
               SELECT FROM handover_defects WHERE customer_id = c.id AND status IN ('open', 'in_progress')
           ),
           CASE WHEN c.stage IN ('down_payment', 'closing') THEN (
               SELECT max(due_date) FROM payments WHERE customer_id = c.id AND status IN ('pending', 'overdue')
           ) END
      FROM customers c
      CROSS JOIN (SELECT %s::timestamptz AS now, %s AS zone) AS moment
      CROSS JOIN LATERAL (SELECT (c.last_contact_at AT TIME ZONE zone)::date AS day) AS contacted
      LEFT JOIN LATERAL (
        SELECT follow_up_date FROM interactions WHERE customer_id = c.id AND date <= now AND NOT (type = 'note')
         ORDER BY date DESC LIMIT 1
      ) AS said ON true
      CROSS JOIN LATERAL (
        SELECT coalesce(c.next_follow_up_date, (least(said.follow_up_date, (
            SELECT min(datetime) FROM reminders
             WHERE customer_id = c.id AND status = 'pending' AND type = 'follow_up'
        )) AT TIME ZONE zone)::date) AS day OFFSET 0
      ) AS own
      LEFT JOIN LATERAL (
        SELECT datetime, status FROM appointments
         WHERE customer_id = c.id AND status IN ('scheduled', 'confirmed') AND datetime > now ORDER BY datetime LIMIT 1
      ) AS coming ON true
      LEFT JOIN LATERAL (
        SELECT status FROM appointments
         WHERE customer_id = c.id AND status IN ('completed', 'no_show') AND datetime <= now
         ORDER BY datetime DESC, id DESC LIMIT 1
      ) AS past ON true
     WHERE c.id = ANY(%s::text[])
"""


def context_of(organization, customer_ids, now, *, model_version=0):
    """The Context of a batch of an organization's customers, by four statements however many they are."""
    calendar = Calendar(organization, now)
    habits = habits_of(organization.pk, calendar.today)
    matches = best_matches(customer_ids)
    unmatched = [key for key in customer_ids if not matches[key]]
    too_little = _whose_budget_is_below(unmatched, _lowest_prices(organization.pk))
    with connection.cursor() as cursor:
        cursor.execute(_PLANS_SQL, [now, organization.time_zone, id_array(customer_ids)])
        plans = {key: Plans(*planned, key in too_little, matches[key]) for key, *planned in cursor.fetchall()}
    return Context(calendar, habits, plans, model_version)


def _whose_budget_is_below(customer_ids, lowest_prices):
    """Those whose budget nothing on offer comes near to, of what they look for."""
    nearest = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id, purpose, type_key, city_key, highest FROM match_keys "
            "WHERE customer_id = ANY(%s::text[]) AND budget_max IS NOT NULL",
            [id_array(customer_ids)],
        )
        for customer_id, *looked_for, highest in cursor.fetchall():
            lowest = lowest_prices.get(tuple(looked_for))
            if lowest is not None:
                nearest[customer_id] = min(nearest.get(customer_id, inf), lowest - highest)
    return {customer_id for customer_id, missing in nearest.items() if missing > 0}


@lru_cache(maxsize=_ORGANIZATIONS_KEPT)
def habits_of(organization_id, day):
    """The Habits of an organization on a day: the first process to ask works out what the others find in Valkey."""
    key, seconds = f"habits:{organization_id}:{day}", timedelta(days=1).total_seconds()
    outcomes, gaps = cache.get_or_set(key, lambda: _told_by_rows(organization_id, day), seconds)
    return Habits(curves_of(outcomes), USUAL_GAPS | gaps)


def _told_by_rows(organization_id, day):
    """`(outcomes, gaps)` of an organization, in plain words and numbers."""
    count, one_in = Customer.objects.filter(organization=organization_id).count(), 1
    while count > one_in * MOST_ASKED:
        one_in *= 2
    with connection.cursor() as cursor:
        cursor.execute(_GAPS_SQL, [organization_id, one_in])
        gaps = dict(cursor.fetchall())
    return outcomes_of(organization_id, datetime.combine(day, time.min, UTC), one_in=one_in), gaps


def _lowest_prices(organization_id):
    """`{(purpose, type key, city key): the lowest price on offer}`; "" is any type."""
    with connection.cursor() as cursor:
        cursor.execute(_PRICES_SQL, [organization_id])
        return {tuple(looked_for): price for *looked_for, price in cursor.fetchall()}


_STAGE, _TOUCHES, _GAP = (Facts._fields.index(name) for name in ("stage", "touches", "mean_gap_days"))
# Of the Facts that scores were last computed from. What another version wrote may have other things in its places.
_GAPS_SQL = f"""
    SELECT stage, sum(gap * gaps) / sum(gaps) FROM (
        SELECT values ->> {_STAGE} AS stage,
               CASE WHEN jsonb_typeof(values -> {_GAP}) = 'number' THEN (values ->> {_GAP})::float END AS gap,
               CASE WHEN jsonb_typeof(values -> {_TOUCHES}) = 'number' THEN (values ->> {_TOUCHES})::float - 1 END
                   AS gaps
          FROM lead_scores WHERE organization_id = %s AND hashtext(customer_id) & (%s - 1) = 0
    ) AS rhythms WHERE gap > 0 AND gaps > 0 GROUP BY stage HAVING count(*) >= {ENOUGH_CUSTOMERS}
"""
_PRICES_SQL = """
    SELECT purpose, coalesce(type_key, ''), city_key, min(price)::float8 FROM listings
     WHERE organization_id = %s AND status = 'available'
     GROUP BY GROUPING SETS ((purpose, type_key, city_key), (purpose, city_key))
"""
