"""Computing lead scores and what follows from them, and keeping what models learn from.

Whoever changes something about customers touches them; a job scores who was touched within five minutes, and
everybody each night, as scores decay without events. Scores are no edits: they write neither audit nor events, and
touch neither version nor `updated_at`.
"""

from collections import defaultdict
from datetime import timedelta
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

import orjson
from django.db import connection, transaction
from django.utils import timezone

from config import cache
from config.db import id_array, tidy, tried_again
from config.jobs import apart, side_by_side
from customers import scoring
from customers.models import Customer, LeadFeatureSnapshot, LeadScore, LeadScoreTouch
from customers.scoring import Scored
from customers.scoring.cards import active_card
from customers.scoring.context import context_of
from customers.scoring.features import facts_of
from customers.scoring.insights import insights_of
from customers.scoring.scorecard import SPEC_HASH, bins_of
from customers.stages import CONVERTED_RANK
from employees.models import Organization

# Customers of one transaction: their rows are held for as long as it takes to write them.
BATCH = 1_000
TAKEN_AT_ONCE = 20_000
# Lists would wade through what so many changed scores leave behind: autovacuum waits for a fifth of the table.
TIDIED_FROM = 20_000
# Who is scored: of an erased person there is nothing to tell.
LIVING = {"deleted_at": None, "erased_at": None}
_LIVING_SQL = "deleted_at IS NULL AND erased_at IS NULL"
# An open customer's bins are kept when they change, and once a week anyway, give or take when a night's work begins.
SNAPSHOT_DAYS = 7
SNAPSHOTS_KEPT_DAYS = 730


class Outcome(NamedTuple):
    """How many customers were scored, of how many the score is another, and how many could not be scored."""

    scored: int
    changed: int
    left_out: int = 0


def touch(customer_ids):
    """Have customers scored anew soon, once the transaction has committed."""
    ids = list(customer_ids)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO lead_score_queue (customer_id) SELECT unnest(%s::text[])", [ids])


def forget(customer_ids):
    """Remove what is kept of customers who go, or whose person is forgotten."""
    ids = list(customer_ids)
    for model in (LeadScore, LeadFeatureSnapshot, LeadScoreTouch):
        model.objects.filter(customer_id__in=ids).delete()


def recompute_touched(*, now=None):
    """Score the customers that were touched; returns the Outcome. What a crash leaves undone is in the queue still."""
    outcomes, waiting = [], LeadScoreTouch.objects.order_by("pk")
    last = waiting.values_list("pk", flat=True).last() or 0  # who has to wait for somebody is queued again behind it
    # They go by what was read, not up to the last of it: an earlier one may be committed only now.
    while requests := dict(waiting.filter(pk__lte=last).values_list("pk", "customer_id")[:TAKEN_AT_ONCE]):
        touched = defaultdict(list)
        living = Customer.objects.filter(pk__in=set(requests.values()), **LIVING)
        for key, organization_id in living.order_by("pk").values_list("pk", "organization_id"):
            touched[organization_id].append(key)
        for organization in Organization.objects.filter(pk__in=touched):
            ids = touched[organization.pk]
            outcomes += apart(lambda keys, of=organization, ids=ids: recompute(of, ids, now=now), [organization.pk])
        LeadScoreTouch.objects.filter(pk__in=requests).delete()
    return _ended(outcomes)


def recompute_all(organization_id=None, *, now=None, jobs=1, dry_run=False, progress=None):
    """Score every living customer, of one organization or of all; returns the Outcome.

    `jobs` is how many processes work side by side. `progress(done, total)` hears how far it is. Bins are kept
    for models to learn from.
    """
    now = now or timezone.now()
    customers = Customer.objects.filter(**LIVING)
    if organization_id:
        customers = customers.filter(organization=organization_id)
    organizations = Organization.objects.in_bulk(list(customers.values_list("organization", flat=True).distinct()))
    total, outcomes = customers.count(), []

    def score_all_of(keys):
        (key,) = keys
        # Names alone: a million of them are some hundred megabytes less than their rows.
        ids = customers.filter(organization=key).order_by("pk").values_list("pk", flat=True).iterator()
        run = _Run(organizations[key], now, dry_run=dry_run, keeps_bins=True)
        for outcome in each(run.outcome, _batched(ids)):
            outcomes.append(outcome)
            if progress:
                progress(_summed(outcomes).scored, total)

    with side_by_side(jobs) as each:
        for key in sorted(organizations):
            before = len(outcomes)
            if not apart(score_all_of, [key]):
                done = _summed(outcomes[before:])
                rest = customers.filter(organization=key).count() - done.scored - done.left_out
                outcomes.append(Outcome(0, 0, rest))
    return _ended(outcomes, dry_run)


def recompute(organization, customer_ids, *, now=None):
    """Score some living customers of an organization; returns the Outcome."""
    return _summed(map(_Run(organization, now or timezone.now()).outcome, _batched(customer_ids)))


def _ended(outcomes, dry_run=False):
    """The Outcome of work that is done, which leaves the customers tidy."""
    outcome = _summed(outcomes)
    if outcome.changed >= TIDIED_FROM and not dry_run:
        tidy(Customer._meta.db_table)
    return outcome


def _summed(outcomes):
    return Outcome(*map(sum, zip((0, 0, 0), *outcomes, strict=True)))


def _batched(customer_ids):
    remaining = iter(customer_ids)
    while batch := list(islice(remaining, BATCH)):
        yield batch


class _Run:
    """What batches of one organization have in common: its card, and the moment."""

    def __init__(self, organization, now, *, dry_run=False, keeps_bins=False):
        self.organization, self.now, self.dry_run, self.keeps_bins = organization, now, dry_run, keeps_bins
        self.card = active_card(organization.pk)

    def outcome(self, customer_ids):
        left = []
        done = _summed(apart(tried_again(self.score), customer_ids, left))
        return done._replace(left_out=len(left))

    def score(self, customer_ids):
        with transaction.atomic():
            _hurry()
            everybody = self.scored(customer_ids)
            if self.dry_run:
                return Outcome(len(everybody), len(_differing(everybody)))
            advice = self.advice(everybody)
            _write(self.organization.pk, everybody, advice, self.card, self.now)
            changed = _write_scores(everybody)
            if self.keeps_bins:
                _keep_bins(customer_ids, self.now)
            named = customer_ids if len(customer_ids) <= cache.MOST_ROWS else ()
            cache.void(self.organization.pk, *((Customer, *named) if named else ()))
        return Outcome(len(everybody), changed)

    def scored(self, customer_ids):
        """A Scored for each of these customers who is living, with all insights but the next action."""
        asof = f"SELECT id, %s::timestamptz FROM customers WHERE id = ANY(%s::text[]) AND {_LIVING_SQL}"
        # In the order in which rows are written: two who write the same then wait for each other in turn.
        facts = sorted(facts_of(asof, [self.now, id_array(customer_ids)]), key=attrgetter("customer_id"))
        keys = [each.customer_id for each in facts]
        context = context_of(self.organization, keys, self.now, model_version=self.card.version)
        everybody = []
        for each in facts:
            bins = bins_of(each)
            rating = self.card.rating(bins, each)
            one = Scored(each, bins, *rating, self.card.basis, self.card.deltas(bins, rating.score), {})
            everybody.append(one._replace(insights=insights_of(one, context)))
        return everybody

    def advice(self, everybody):
        """`{customer id: Advice}` by whoever advises."""
        advice = {}
        for adviser in scoring.ADVISERS:
            advice |= adviser(self.organization, everybody, self.now)
        return advice


def _hurry():
    """Not to wait for the disk, as what a crash takes is worked out again; and to plan each statement for its batch.

    Plans for any batch take several times as long as planning does: they do not know how few are asked of.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'off', true), "
            "set_config('plan_cache_mode', 'force_custom_plan', true)"
        )


_WRITE = """
    INSERT INTO lead_scores AS known (
        customer_id, organization_id, as_of, changed_at, model_id, basis,
        bins, values, points, score, logit, probability, insights, advice
    )
    SELECT customer_id, %s, %s, %s, %s, %s, bins, values, points, score, logit, probability, insights, advice
      FROM json_to_recordset(%s::json) AS row (
        customer_id text, bins smallint[], values jsonb, points int, score int, logit float8, probability float8,
        insights jsonb, advice jsonb
      )
    ON CONFLICT (customer_id) DO UPDATE SET
        organization_id = excluded.organization_id, as_of = excluded.as_of, model_id = excluded.model_id,
        basis = excluded.basis, bins = excluded.bins, values = excluded.values, points = excluded.points,
        logit = excluded.logit, probability = excluded.probability, insights = excluded.insights,
        advice = excluded.advice, score = excluded.score,
        previous_score = CASE WHEN known.score = excluded.score THEN known.previous_score ELSE known.score END,
        changed_at = CASE WHEN known.score = excluded.score THEN known.changed_at ELSE excluded.as_of END
"""


def _write(organization_id, everybody, advice, card, now):
    rows = [_row(one, advice.get(one.facts.customer_id)) for one in everybody]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [organization_id, now, now, card.model_id, card.basis, orjson.dumps(rows).decode()])


def _row(one, advice):
    row = {
        "customer_id": one.facts.customer_id,
        "bins": one.bins,
        "values": tuple(one.facts),
        "points": one.points,
        "score": one.score,
        "logit": one.logit,
        "probability": one.probability,
        "insights": one.insights,
    }
    if advice:
        row["insights"] = one.insights | {"nextBestAction": advice.ar, "nextBestActionEn": advice.en}
        row["advice"] = {"rule": advice.rule, "anchor": advice.anchor, "facts": advice.facts}
    return row


def _write_scores(everybody):
    """Give customers the scores that differ; returns how many. Who is being changed by somebody waits in the queue."""
    differing = _differing(everybody)
    if not differing:
        return 0
    with connection.cursor() as cursor:
        # In the order in which everybody holds customers.
        cursor.execute(
            "SELECT id FROM customers WHERE id = ANY(%s::text[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
            [id_array(differing)],
        )
        held = [key for (key,) in cursor.fetchall()]
        cursor.execute(
            "UPDATE customers c SET lead_score = new.score FROM unnest(%s::text[], %s::int[]) AS new (id, score) "
            "WHERE new.id = c.id",
            [id_array(held), [differing[key] for key in held]],
        )
    touch(differing.keys() - held)
    return len(held)


def _differing(everybody):
    """`{customer id: score}` of those whose customers have another."""
    scores = {one.facts.customer_id: one.score for one in everybody}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM customers c, unnest(%s::text[], %s::int[]) AS new (id, score) "
            "WHERE new.id = c.id AND c.lead_score <> new.score",
            [id_array(scores), list(scores.values())],
        )
        return {key: scores[key] for (key,) in cursor.fetchall()}


# --- What models learn from -----------------------------------------------------------------------


def _keep_bins(customer_ids, now):
    """Write down the bins of open customers that have changed since they were last, or are a week old."""
    ids = id_array(customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO lead_feature_snapshots
                   (customer_id, organization_id, as_of, bins, points, score, logit, model_version, spec_hash)
            SELECT s.customer_id, s.organization_id, s.as_of, s.bins, s.points, s.score, s.logit,
                   coalesce(m.version, 0), %s
              FROM lead_scores s
              JOIN customers c ON c.id = s.customer_id AND {_LIVING_SQL} AND c.stage_rank < {CONVERTED_RANK}
              LEFT JOIN lead_score_models m ON m.id = s.model_id
              LEFT JOIN LATERAL (
                SELECT bins, as_of FROM lead_feature_snapshots
                 WHERE customer_id = s.customer_id
                   AND as_of > %s - make_interval(days => {SNAPSHOT_DAYS}, hours => -12)
                 ORDER BY as_of DESC LIMIT 1
              ) AS last ON true
             WHERE s.customer_id = ANY(%s::text[])
               AND (last.bins IS NULL OR last.bins <> s.bins AND last.as_of < s.as_of)
            """,
            [SPEC_HASH, now, ids],
        )


def prune(*, now=None):
    """Remove what is too old to learn from, and what was written of customers in the moment in which they went.

    Returns how many rows.
    """
    until = (now or timezone.now()) - timedelta(days=SNAPSHOTS_KEPT_DAYS)
    pruned = LeadFeatureSnapshot.objects.filter(as_of__lt=until).delete()[0]
    with connection.cursor() as cursor:
        for table in ("lead_scores", "lead_feature_snapshots"):
            gone = "NOT EXISTS (SELECT 1 FROM customers WHERE id = t.customer_id AND erased_at IS NULL)"
            cursor.execute(f"DELETE FROM {table} t WHERE {gone}")
            pruned += cursor.rowcount
    return pruned
