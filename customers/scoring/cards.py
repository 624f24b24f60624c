"""What bins are worth by a model: score, probability, and how much each feature adds to the score.

Without an active model an organization's scores are the documented points (level 0), and their probabilities a
placeholder that ranks. A model (levels 1 and 2) adds what each bin is worth to the logit of reaching the down payment
within 90 days; its scores keep the mean and spread that points had on the day it was made.
"""

import math
from functools import cached_property
from typing import NamedTuple

from customers.choices import ModelKind, ModelStatus, ProbabilityBasis, Stage
from customers.models import LeadScoreModel
from customers.scoring.scorecard import FEATURES, NAMES, SPEC_HASH, STAGE, points_of
from customers.stages import CONVERTED_RANK

# Who has paid is no lead any more, and who was never reached is a promising one at most.
LEAST_CONVERTED, FULL, MOST_UNREACHED = 90, 100, 60
# How likely a stage is to end in a down payment, before anything is known: guesses, until an organization has its own.
USUAL_CHANCES = (0.05, 0.09, 0.13, 0.20, 0.40, 0.75, 0.999)
# Twenty points double the odds.
LOGIT_PER_POINT, AVERAGE_POINTS = 0.0347, 40
BASES = {
    ModelKind.POINTS: ProbabilityBasis.DEFAULT,
    ModelKind.CALIBRATED: ProbabilityBasis.CALIBRATED,
    ModelKind.REFITTED: ProbabilityBasis.FITTED,
}
# A narrower spread of logits is that of rounding: customers who are all alike.
_LEAST_SPREAD = 1e-9
_CONVERTED = CONVERTED_RANK
_RECENCY = NAMES.index("recency")


class Rating(NamedTuple):
    """What a customer is worth by a card: points and score of 0-100, probability of 0-1."""

    points: int
    score: int
    logit: float
    probability: float


class Card:
    """The worth of bins by one LeadScoreModel, or by the documented points where there is none."""

    def __init__(self, model=None):
        self.model_id, self.version = (model.pk, model.version) if model else (None, 0)
        self.kind = ModelKind(model.kind) if model else ModelKind.POINTS
        self.spec_hash = model.spec_hash if model else None
        self.basis = BASES[self.kind].value
        shares = model.bin_share if model else {}
        self.shares = [
            shares.get(feature.name) or [1 / len(feature.points)] * len(feature.points) for feature in FEATURES
        ]
        scale = model.scale if model else {}
        is_spread = scale.get("points_sd", 0) > 0 and scale.get("logit_sd", 0) > _LEAST_SPREAD
        self.is_points = self.kind == ModelKind.POINTS or not is_spread
        self.intercept = model.intercept if model else 0
        self.coefs = None if self.kind == ModelKind.POINTS else [model.coefs[name] for name in NAMES]
        self.factor = 1 if self.is_points else scale["points_sd"] / scale["logit_sd"]
        self.shift = 0 if self.is_points else scale["points_mean"] - self.factor * scale["logit_mean"]

    def logit(self, bins):
        """The log odds of reaching the down payment within 90 days."""
        return self._logit(bins, points_of(bins))

    def probability(self, bins):
        """The same as a probability; who has converted has."""
        return _probability(bins, self.logit(bins))

    def score(self, bins):
        """0-100, of the bins alone: see `rating` for what else bounds it."""
        points = points_of(bins)
        return self._score(points, self._logit(bins, points))

    def rating(self, bins, facts):
        """The Rating of a customer of these bins and Facts."""
        points = points_of(bins)
        logit = self._logit(bins, points)
        score = self._score(points, logit)
        if facts.stage == Stage.POST_SALE:
            score = FULL
        elif bins[STAGE] == _CONVERTED:
            score = max(score, LEAST_CONVERTED)
        elif not facts.touches:
            score = min(score, MOST_UNREACHED)
        return Rating(points, score, logit, _probability(bins, logit))

    def _logit(self, bins, points):
        if self.coefs:
            return self.intercept + sum([coefs[place] for coefs, place in zip(self.coefs, bins, strict=True)])
        chance = USUAL_CHANCES[bins[STAGE]]
        others = points - FEATURES[STAGE].points[bins[STAGE]]
        return math.log(chance / (1 - chance)) + LOGIT_PER_POINT * (others - AVERAGE_POINTS)

    def _score(self, points, logit):
        raw = points if self.is_points else self.shift + self.factor * logit
        return min(max(round(raw), 0), FULL)

    @cached_property
    def base(self):
        """What reasons start from: of a model the score of the average open customer, of points the mean of bins."""
        average = sum(
            share * worth
            for shares, worths in zip(self.shares, self.worths, strict=True)
            for share, worth in zip(shares, worths, strict=True)
        )
        return average if self.is_points else self.shift + self.factor * self.intercept + average

    def deltas(self, bins, score):
        """What each feature adds to `base`: together they are the score, to within rounding.

        What a bound has given or taken goes to the feature that speaks of it: the stage of who has paid, the
        missing contact of who was not reached, else the one that tells most.
        """
        deltas = [worths[place] for worths, place in zip(self._differences, bins, strict=True)]
        rest = score - self.base - sum(deltas)
        if abs(rest) > 0.5:
            at_bound = score in (0, FULL) and bins[STAGE] != _CONVERTED
            most = max(range(len(deltas)), key=lambda place: abs(deltas[place]))
            deltas[most if at_bound else STAGE if rest > 0 else _RECENCY] += rest
        return deltas

    @cached_property
    def worths(self):
        """What each bin of each feature is worth, in points of the score."""
        if self.is_points:
            return [feature.points for feature in FEATURES]
        return [[self.factor * coef for coef in coefs] for coefs in self.coefs]

    @cached_property
    def _differences(self):
        return [
            [worth - sum(share * other for share, other in zip(shares, worths, strict=True)) for worth in worths]
            for shares, worths in zip(self.shares, self.worths, strict=True)
        ]


def _probability(bins, logit):
    if bins[STAGE] == _CONVERTED:
        return 1.0
    return 1 / (1 + math.exp(-min(max(logit, -35), 35)))


def is_whole(model):
    """Whether a model has a number for each bin of each feature, so that a Card can be made of it."""
    try:
        card = Card(model)
        worths = [card.intercept, card.factor, card.shift, *(coef for coefs in card.coefs or () for coef in coefs)]
        sizes = [list(map(len, numbers)) for numbers in (card.coefs or card.shares, card.shares)]
        expected = [len(feature.points) for feature in FEATURES]
        return all(map(math.isfinite, worths)) and sizes == [expected, expected]
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def active_card(organization_id):
    """The Card of an organization: its own active model, else the global one, else the documented points.

    A model of other features than the code's means other bins, and counts for nothing.
    """
    active = LeadScoreModel.objects.filter(status=ModelStatus.ACTIVE, spec_hash=SPEC_HASH)
    model = active.filter(organization=organization_id).first() or active.filter(organization=None).first()
    return Card(model)
