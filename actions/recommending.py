"""Opening actions by what is advised for customers, few enough to be done, and taking back what holds no longer.

An agent is given the best leads first, at most A_DAY a day and within working hours. What was said is remembered in
`recommendations`: what somebody has done or dismissed is not said again for a while, and of one in ten no action is
opened at all, to tell what actions are good for (actions.uplift).
"""

import hashlib
from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

import orjson
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from actions.advice import words_of
from actions.choices import NO_LONGER_ADVISED, NO_LONGER_TO_BE_HAD, OUTREACH, ActionStatus
from actions.conditions import Clock
from actions.models import CustomerAction, Recommendation
from actions.offering import RULE as OFFER
from actions.offering import STILL_LOOK
from actions.rules import RULE, RULES
from actions.services import able, change_all, insert_all, move_to
from config.audit import recorded
from config.clock import start_of_day, zone_of
from config.db import held, tried_again
from config.jobs import only_one
from customers.models import Customer, LeadScoreModel
from customers.scoring.cards import Card
from customers.scoring.features import Facts
from customers.scoring.reasons import reasons_of
from customers.services.consent import approachable
from customers.services.scoring import touch
from employees.models import Employee, Organization
from employees.services import keep
from employees.workdays import ONE_DAY, within_hours

A_DAY, BATCH = 15, 500
HELD_OUT = 0.1
# How long the same is not said again, by how an action has ended, and from the second dismissal on.
AFTER_DONE, AFTER_DISMISSED, AFTER_DISMISSED_AGAIN = timedelta(days=30), timedelta(days=7), timedelta(days=30)
# Who has been waiting for long enough since the last time that this job ran, and some more, is scored anew.
LOOKED_BACK = timedelta(minutes=10)
# What actions are good for is told of two years.
KEPT = timedelta(days=730)


class Done(NamedTuple):
    """How many actions were opened, held out, and taken back."""

    opened: int = 0
    held_out: int = 0
    withdrawn: int = 0


def recommend_everywhere(*, now=None):
    """Do it for each organization that is at work; returns what was done."""
    now = now or timezone.now()
    at_work = [organization for organization in Organization.objects.all() if within_hours(organization, now)]
    done = [Done(), *(recommend(organization, now=now) for organization in at_work)]
    return Done(*map(sum, zip(*done, strict=True)))


def recommend(organization, *, now):
    """Bring the actions that the system opens for an organization up to what is advised; returns what was Done.

    One at a time for an organization: two would each give an agent as many as a day allows.
    """
    with only_one(__name__, organization.pk) as is_only:
        if not is_only:
            return Done()
        _score_who_waits(organization, now)
        withdrawn = _withdraw_all(organization)
        return Done(*_open_all(organization, now), withdrawn)


def _score_who_waits(organization, now):
    """Have those scored anew who wrote so long ago that they should have had an answer: no event tells of that."""
    since, until = Clock.of(organization, now - LOOKED_BACK).hours_ago, Clock.of(organization, now).hours_ago
    waiting = Customer.objects.filter(
        organization=organization,
        deleted_at=None,
        last_contact_at__gt=since,
        last_contact_at__lte=until,
        last_contact_type__in=["whatsapp", "sms", "email"],
    )
    touch(waiting.values_list("pk", flat=True))


# --- What holds no longer ------------------------------------------------------------------------

# Nobody has begun it, put it off or written a note about it.
_UNTOUCHED = """
    a.organization_id = %s AND a.rule IS NOT NULL AND a.completed_at IS NULL AND NOT a.customer_deleted
    AND a.status = 'pending' AND NOT EXISTS (SELECT FROM action_notes n WHERE n.action_id = a.id)
"""
# Nor changed it.
_OUTDATED = f"""
    SELECT a.id, a.version, '{NO_LONGER_ADVISED}' FROM customer_actions a
      JOIN recommendations r ON r.action_id = a.id JOIN lead_scores s ON s.customer_id = a.customer_id
     WHERE {_UNTOUCHED} AND a.version = 1
       AND (s.advice ->> 'rule' IS DISTINCT FROM r.rule OR s.advice ->> 'anchor' IS DISTINCT FROM r.anchor)
     ORDER BY a.id
"""
# Offers change with every listing that joins them. Whoever has made something else of `propertyIds` knows why.
_OUTLIVED = f"""
    SELECT id, version, CASE WHEN has_come_far THEN '{NO_LONGER_ADVISED}' ELSE '{NO_LONGER_TO_BE_HAD}' END FROM (
        SELECT a.id, a.version, c.stage <> ALL(%s) AS has_come_far, (
                SELECT bool_or(EXISTS (
                           SELECT FROM listings l
                            WHERE l.id = told #>> '{{}}' AND l.organization_id = a.organization_id
                              AND l.status = 'available'))
                  FROM jsonb_array_elements(CASE jsonb_typeof(a.metadata -> 'propertyIds')
                                            WHEN 'array' THEN a.metadata -> 'propertyIds' ELSE '[]' END) AS told
                 WHERE jsonb_typeof(told) = 'string') AS can_be_had
          FROM customer_actions a JOIN customers c ON c.id = a.customer_id
         WHERE {_UNTOUCHED} AND a.rule = '{OFFER}'
    ) AS offers WHERE has_come_far OR NOT can_be_had ORDER BY id
"""


def _withdraw_all(organization):
    found = defaultdict(list)
    with connection.cursor() as cursor:
        for sql, params in ((_OUTDATED, [organization.pk]), (_OUTLIVED, [STILL_LOOK, organization.pk])):
            cursor.execute(sql, params)
            for key, version, reason in cursor.fetchall():
                found[reason].append((key, version))
    return sum(
        _withdraw(dict(seen[start : start + BATCH]), reason)
        for reason, seen in found.items()
        for start in range(0, len(seen), BATCH)
    )


@tried_again
def _withdraw(versions, reason):
    """Dismiss those of the actions `{id: version}` that nobody has touched since; returns how many."""
    with recorded(None):
        untouched = CustomerAction.objects.filter(pk__in=versions, status=ActionStatus.PENDING)
        theirs = Customer.objects.filter(pk__in=untouched.values("customer"))
        holding = [customer.pk for customer in held(theirs, skip_locked=True)]
        actions = held(untouched.filter(customer__in=holding))
        actions = [action for action in actions if action.version == versions[action.pk]]
        change_all(actions, move_to(ActionStatus.DISMISSED, actor=None, reason=reason), None, "")
    return len(actions)


# --- What is opened ------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """A customer for whom something is advised, of which nothing is open and nothing was said lately."""

    customer_id: str
    agent_id: str
    advice: dict
    score: int
    model_id: str | None
    bins: list
    values: list

    @property
    def rule(self):
        return RULE[self.advice["rule"]]

    @property
    def is_held_out(self):
        """One in ten, by a hash: whoever asks again gets the same answer."""
        key = ":".join([self.customer_id, self.rule.key, self.advice["anchor"]])
        drawn = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
        return drawn < HELD_OUT * 2**64


_OPENING = [rule for rule in RULES if rule.action]
_TYPES = {rule.key: {rule.action, *rule.instead} for rule in _OPENING}
_RULES_SQL = ", ".join(
    f"('{rule.key}', ARRAY{sorted(map(str, _TYPES[rule.key]))}, {rule.action in OUTREACH}, {rule.timely})"
    for rule in _OPENING
)
# Who is waiting to be scored anew may be advised something else in a minute.
_CANDIDATES = f"""
    SELECT customer_id, agent_id, advice, score, model_id, bins, values FROM (
        SELECT s.customer_id, agent.id AS agent_id, agent.room, s.advice, s.score, s.model_id, s.bins, s.values,
               row_number() OVER (PARTITION BY agent.id ORDER BY s.score DESC, s.customer_id) AS place
          FROM unnest(%s::text[], %s::int[]) AS agent (id, room)
          JOIN customers c ON c.organization_id = %s AND c.assigned_employee_id = agent.id
               AND c.deleted_at IS NULL AND c.erased_at IS NULL
          JOIN lead_scores s ON s.customer_id = c.id
          JOIN (VALUES {_RULES_SQL}) AS rule (key, types, is_outreach, is_timely) ON rule.key = s.advice ->> 'rule'
         WHERE (NOT rule.is_outreach OR c.id IN ({{approachable}}))
           AND (NOT rule.is_timely OR (s.advice -> 'facts' ->> 'date')::timestamptz < %s)
           AND NOT EXISTS (
               SELECT FROM customer_actions a
                WHERE a.customer_id = c.id AND a.completed_at IS NULL AND a.type = ANY(rule.types))
           AND NOT EXISTS (
               SELECT FROM recommendations r
                WHERE r.customer_id = c.id AND r.rule = rule.key AND r.anchor = s.advice ->> 'anchor'
                  AND (r.is_held_out OR r.silent_until > %s))
           AND NOT EXISTS (SELECT FROM lead_score_queue q WHERE q.customer_id = c.id)
    ) AS places WHERE place <= room ORDER BY customer_id
"""


def _open_all(organization, now):
    """How many actions were opened, and held out."""
    found = _candidates(organization, now)
    kept_back = [candidate for candidate in found if candidate.is_held_out]
    opening = [candidate for candidate in found if not candidate.is_held_out]
    cards = _cards(found)
    Recommendation.objects.bulk_create(_remembered(candidate, organization, cards, now) for candidate in kept_back)
    batches = (opening[start : start + BATCH] for start in range(0, len(opening), BATCH))
    return sum(_open(batch, organization, cards, now) for batch in batches), len(kept_back)


def _candidates(organization, now):
    rooms = _rooms(organization, now)
    if not rooms:
        return []
    zone = zone_of(organization)
    tomorrow = start_of_day(now.astimezone(zone).date() + ONE_DAY, zone)
    asked, params = approachable(organization).values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _CANDIDATES.format(approachable=asked),
            [list(rooms), list(rooms.values()), organization.pk, *params, tomorrow, now],
        )
        return [
            Candidate(key, agent, orjson.loads(advice), score, model, bins, orjson.loads(values))
            for key, agent, advice, score, model, bins, values in cursor.fetchall()
        ]


def _rooms(organization, now):
    """`{agent id: how many more actions of the system may be opened for them today}`, of those who may be given any."""
    zone = zone_of(organization)
    since = start_of_day(now.astimezone(zone).date(), zone)
    today = CustomerAction.objects.filter(organization=organization, created_at__gte=since, rule__isnull=False)
    # What was taken back is nobody's work.
    today = today.exclude(status=ActionStatus.DISMISSED, completed_by=None)
    numbers = dict(today.values_list("assigned_to").annotate(Count("pk")).order_by())
    agents = able(Employee.objects.filter(organization=organization)).order_by("pk").values_list("pk", flat=True)
    return {agent: A_DAY - numbers.get(agent, 0) for agent in agents if numbers.get(agent, 0) < A_DAY}


def _cards(candidates):
    """`{model id: Card}` of the models that have computed their scores."""
    models = LeadScoreModel.objects.in_bulk({candidate.model_id for candidate in candidates if candidate.model_id})
    return defaultdict(Card, {key: Card(model) for key, model in models.items()})


@tried_again
def _open(candidates, organization, cards, now):
    """Open the actions of candidates for whom it is still so, and remember them; returns how many."""
    of_key = {candidate.customer_id: candidate for candidate in candidates}
    with recorded(None):
        keep(*{candidate.agent_id for candidate in candidates})
        customers = _still_open_to(of_key, organization)
        actions = insert_all(
            customers,
            [_values(customer, of_key[customer.pk], organization, cards, now) for customer in customers],
            None,
        )
        Recommendation.objects.bulk_create(
            _remembered(of_key[action.customer_id], organization, cards, now, action_id=action.pk) for action in actions
        )
    return len(actions)


def _still_open_to(of_key, organization):
    """The customers, held, who have gone to nobody else meanwhile, and for whom nothing was opened or forbidden."""
    found = Customer.objects.filter(pk__in=of_key, deleted_at=None, erased_at=None)
    customers = list(held(found, skip_locked=True))
    keys = [customer.pk for customer in customers]
    agreed = set(approachable(organization).filter(pk__in=keys).values_list("pk", flat=True))
    asked = defaultdict(set)
    for key, kind in CustomerAction.objects.live().filter(customer__in=keys).values_list("customer", "type"):
        asked[key].add(kind)

    def is_open(customer):
        candidate = of_key[customer.pk]
        rule = candidate.rule
        is_allowed = rule.action not in OUTREACH or customer.pk in agreed
        return (
            is_allowed
            and customer.assigned_employee_id == candidate.agent_id
            and not asked[customer.pk] & _TYPES[rule.key]
        )

    return [customer for customer in customers if is_open(customer)]


def _values(customer, candidate, organization, cards, now):
    rule, facts = candidate.rule, candidate.advice["facts"]
    ar, en = words_of(rule, facts)
    card = cards[candidate.model_id]
    reasons = reasons_of(card.deltas(candidate.bins, candidate.score), Facts.from_stored(candidate.values))
    told = [
        {"feature": reason.feature, "points": round(reason.points), "text": reason.ar, "textEn": reason.en}
        for reason in (*reasons[0], *reasons[1])
    ]
    return {
        "type": rule.action,
        "rule": rule.key,
        "title": ar,
        "priority": rule.priority,
        "source": customer.source,
        "due_date": rule.due(organization, now, facts),
        "assigned_to_id": candidate.agent_id,
        "metadata": {
            "rule": rule.key,
            "anchor": candidate.advice["anchor"],
            "titleEn": en,
            "leadScore": candidate.score,
            "modelVersion": card.version,
            "reasons": told,
        },
    }


def _remembered(candidate, organization, cards, now, action_id=None):
    return Recommendation(
        customer_id=candidate.customer_id,
        organization_id=organization.pk,
        rule=candidate.rule.key,
        anchor=candidate.advice["anchor"],
        made_at=now,
        action_id=action_id,
        is_held_out=action_id is None,
        score=candidate.score,
        model_version=cards[candidate.model_id].version,
    )


# --- What people make of it ----------------------------------------------------------------------


def follow_endings(actions, changes, *, actor):
    """Remember of what somebody has done or dismissed that it is not to be said again for a while."""
    for action, change in zip(actions, changes, strict=True):
        if action.rule and actor and "status" in change and action.completed_at:
            for said in Recommendation.objects.filter(action_id=action.pk):
                said.silent_until = action.completed_at + _silence(action, said)
                said.save(update_fields=["silent_until"])


def _silence(action, said):
    if action.status == ActionStatus.COMPLETED:
        return AFTER_DONE
    same = Recommendation.objects.filter(customer_id=said.customer_id, rule=said.rule, anchor=said.anchor)
    before = same.exclude(pk=said.pk).values("action_id")
    dismissed = CustomerAction.objects.filter(pk__in=before, status=ActionStatus.DISMISSED, completed_by__isnull=False)
    return AFTER_DISMISSED_AGAIN if dismissed.exists() else AFTER_DISMISSED


def prune(*, now=None):
    """Remove what was recommended so long ago that it tells of other times; returns how many rows."""
    return Recommendation.objects.filter(made_at__lt=(now or timezone.now()) - KEPT).delete()[0]


def forget(customer_ids):
    """Remove what was recommended for customers who go, or whose person is forgotten."""
    Recommendation.objects.filter(customer_id__in=list(customer_ids)).delete()
