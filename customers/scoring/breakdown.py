"""What one customer's score is made of: every feature with its points, and the reasons that tell most."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from customers.choices import Trend
from customers.models import LeadFeatureSnapshot, LeadScore, LeadScoreModel
from customers.scoring.cards import Card, Rating, active_card
from customers.scoring.features import Facts, facts_of
from customers.scoring.reasons import reasons_of
from customers.scoring.scorecard import FEATURES, bins_of, engagement_of

HISTORY_DAYS = 180


class Line(NamedTuple):
    """One feature: its bin of so many, the points that it is worth, and what it adds to the average score."""

    feature: str
    block: str
    bin: int
    bins: int
    points: int
    most: int
    delta: float


class Breakdown(NamedTuple):
    """A score, from `base` (see Card.base) to what it is: base and deltas add up to it.

    `insights` are those that were computed with it; None of who was never scored.
    """

    rating: Rating
    card: Card
    facts: Facts
    as_of: datetime
    previous_score: int | None
    changed_at: datetime | None
    base: float
    lines: list[Line]
    engagement: int
    positive: list
    negative: list
    insights: dict | None

    @property
    def trend(self):
        if self.previous_score is None or self.previous_score == self.rating.score:
            return Trend.STEADY
        return Trend.UP if self.rating.score > self.previous_score else Trend.DOWN


def breakdown_of(customer):
    """The Breakdown of a customer's score: as it was computed last, or as it would be now if it never was."""
    known = LeadScore.objects.filter(customer_id=customer.pk).first()
    if known is None:
        now = timezone.now()
        (facts,) = facts_of("SELECT id, %s::timestamptz FROM customers WHERE id = %s", [now, customer.pk])
        card, bins = active_card(customer.organization_id), bins_of(facts)
        return _broken_down(card, facts, bins, card.rating(bins, facts), now)
    card = Card(LeadScoreModel.objects.filter(pk=known.model_id).first())
    rating = Rating(known.points, known.score, known.logit, known.probability)
    facts = Facts.from_stored(known.values)
    changes = known.previous_score, known.changed_at, known.insights
    return _broken_down(card, facts, known.bins, rating, known.as_of, *changes)


def history_of(customer, *, now=None):
    """`[(moment, score)]` of the last months, as it was written down."""
    since = (now or timezone.now()) - timedelta(days=HISTORY_DAYS)
    snapshots = LeadFeatureSnapshot.objects.filter(customer_id=customer.pk, as_of__gte=since)
    return list(snapshots.order_by("as_of").values_list("as_of", "score"))


def _broken_down(card, facts, bins, rating, as_of, previous_score=None, changed_at=None, insights=None):
    deltas = card.deltas(bins, rating.score)
    lines = [
        Line(feature.name, feature.block, place, len(feature.points), feature.points[place], max(feature.points), delta)
        for feature, place, delta in zip(FEATURES, bins, deltas, strict=True)
    ]
    positive, negative = reasons_of(deltas, facts)
    return Breakdown(
        rating,
        card,
        facts,
        as_of,
        previous_score,
        changed_at,
        card.base,
        lines,
        engagement_of(bins),
        positive,
        negative,
        insights,
    )
