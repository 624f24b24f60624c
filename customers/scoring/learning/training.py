"""Models of organizations: trained on their own history, stored with what was found, active only past the gate.

What was tested is what counts: a model that was fitted to all rows afterwards could not be compared with the next one
on rows that neither has seen.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from django.utils import timezone

from customers.choices import ModelKind, ModelStatus
from customers.models import LeadScoreModel
from customers.scoring.cards import Card, active_card
from customers.scoring.learning import fitting, history
from customers.scoring.learning.columns import coefs_of, columns_of, points_of, shares_of
from customers.scoring.learning.gate import (
    LEAST_TO_REFIT,
    Check,
    checks,
    checks_of_calibration,
    decision_of,
    report,
)
from customers.scoring.learning.rows import HORIZON, split
from customers.scoring.scorecard import SPEC_HASH
from customers.services import lead_model as services

# Upper bounds of the groups of scores whose shares are watched.
SCORE_EDGES = (10, 20, 30, 40, 50, 60, 70, 80, 90)
# Shares of the rows, by time, after which a backtest trains and looks at the three months that follow.
_CUTS = (0.4, 0.55, 0.7, 0.85)


class Candidate(NamedTuple):
    """A model that is not stored, and what was asked of it."""

    model: LeadScoreModel
    checks: list[Check]

    @property
    def has_passed(self):
        return all(check.holds for check in self.checks)


def learn(rows, open_bins, *, incumbent=None, cut=None):
    """The Candidates that rows have to offer, the one to prefer first; none where there is nothing to learn from.

    `incumbent` is the Card of the organization's active model, if any. Without one, a refit has to be better than
    the points' calibration, which may count in its place.
    """
    training, holdout = split(rows, cut)
    if not len(training):
        return []
    plain = model = calibrated(training, open_bins)
    if min(training.n_wins, training.n_customers - training.n_wins) >= LEAST_TO_REFIT:
        model = fitted(training, open_bins)
    found = []
    if incumbent or model.kind == ModelKind.REFITTED:
        other = incumbent or Card(plain)
        asked = checks(Card(model), other, training, holdout, open_bins)
        found.append(_reported(Candidate(model, asked), other, training, holdout))
    if not incumbent:
        asked = checks_of_calibration(Card(plain), training, open_bins)
        found.append(_reported(Candidate(plain, asked), Card(), training, holdout))
    return found


def train(organization, *, by, now=None, dry_run=False):
    """The Candidates of an organization's own history, stored; the first that has passed the gate is active then."""
    open_bins, rows = known(organization, now)
    found = learn(rows, open_bins, incumbent=incumbent_of(organization))
    if not dry_run:
        services.keep(organization, [candidate.model for candidate in found], by=by)
    return found


def known(organization, now=None):
    """`(bins of the open customers, matured Rows)` of an organization."""
    open_bins = history.open_bins(organization.pk)
    return open_bins, history.matured(organization.pk, now or timezone.now(), open_bins)


def incumbent_of(organization):
    """The Card of the active model; None where the documented points count."""
    card = active_card(organization.pk)
    return card if card.spec_hash == SPEC_HASH else None


def evaluate(organization, *, now=None):
    """The reports of the active card and of the points, on rows that the active one has not learnt from."""
    _open_bins, rows = known(organization, now)
    card = active_card(organization.pk)
    model = LeadScoreModel.objects.filter(pk=card.model_id).first()
    if model and model.train_to:
        day = model.train_to.timestamp() / 86_400
        rows = rows[(rows.days > day) & ~np.isin(rows.customers, rows.customers[rows.days <= day])]
    base_rate = float(rows.won.mean()) if len(rows) else None
    return [report(each, rows, base_rate) for each in ([card] if card.version == 0 else [card, Card()])]


def backtest(organization, *, now=None):
    """`[(day, reports of points, calibration and refit)]`: what each would have told of the quarter after that day."""
    open_bins, rows = known(organization, now)
    for cut in np.quantile(rows.days, _CUTS) if len(rows) else ():
        training, later = split(rows, cut)
        later = later[later.days <= cut + HORIZON]
        cards = [Card(candidate.model) for candidate in learn(rows, open_bins, cut=cut)]
        if cards and len(later):
            base_rate = float(training.won.mean())
            yield moment_of(cut), [report(card, later, base_rate) for card in (Card(), *reversed(cards))]


def calibrated(training, open_bins):
    """The model that only puts a probability to the points."""
    coefficients = fitting.coefficients_of(fitting.calibrate(training))
    return _model(ModelKind.CALIBRATED, coefficients, None, training, open_bins)


def fitted(training, open_bins):
    """The model that rows ask for, which may be a calibration of the points as well."""
    coefficients, strength = fitting.fit(training)
    kind = ModelKind.CALIBRATED if strength is None else ModelKind.REFITTED
    return _model(kind, coefficients, strength, training, open_bins)


def _model(kind, coefficients, strength, training, open_bins):
    model = LeadScoreModel(
        kind=kind,
        version=0,
        spec_hash=SPEC_HASH,
        train_from=moment_of(training.days.min()),
        train_to=moment_of(training.days.max()),
        n_rows=len(training),
        n_customers=training.n_customers,
        n_wins=training.n_wins,
        lam=strength,
        intercept=float(coefficients[0]),
        coefs=coefs_of(coefficients[1:]),
        bin_share=shares_of(open_bins),
        scale={},
    )
    model.intercept -= training.offset(Card(model).logit)
    points, logits = points_of(open_bins), columns_of(open_bins) @ coefficients
    if len(open_bins):
        model.scale = {
            "points_mean": float(points.mean()),
            "points_sd": float(points.std()),
            "logit_mean": float(logits.mean() - coefficients[0] + model.intercept),
            "logit_sd": float(logits.std()),
        }
        card = Card(model)
        model.metrics = {"score_shares": score_shares([card.score(bins) for bins in open_bins.tolist()])}
    return model


def score_shares(scores):
    """The share of scores in each group of ten."""
    return (np.bincount(np.digitize(scores, SCORE_EDGES), minlength=len(SCORE_EDGES) + 1) / len(scores)).tolist()


def moment_of(day):
    return datetime.fromtimestamp(float(day) * 86_400, UTC)


def _reported(candidate, other, training, holdout):
    """The Candidate with what was found of it, beside the card that it would take over from."""
    model, base_rate = candidate.model, float(training.won.mean())
    model.metrics |= report(Card(model), holdout, base_rate) | {
        "checks": [check._asdict() for check in candidate.checks]
    }
    model.baseline_metrics = {
        "incumbent": report(other, holdout, base_rate),
        "points": report(Card(), holdout, base_rate),
    }
    model.decision = decision_of(candidate.checks)
    model.status = ModelStatus.CANDIDATE if candidate.has_passed else ModelStatus.REJECTED
    return candidate
