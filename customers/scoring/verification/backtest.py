"""Scores on four simulated brokerages of a thousand customers, beside what others would have told of them."""

import numpy as np

from customers.choices import STAGE_RANK
from customers.scoring.cards import Card
from customers.scoring.learning import metrics
from customers.scoring.learning.columns import points_of
from customers.scoring.learning.fitting import probabilities
from customers.scoring.learning.gate import chances
from customers.scoring.learning.training import fitted
from customers.scoring.scorecard import FEATURES, NAMES
from customers.scoring.verification import Row
from customers.scoring.verification.models import parts, simulated

# The later ones leave less to chance.
BROKERAGES = ((1_000, 100, 0.8), (1_000, 101, 1.0), (1_000, 102, 1.2), (1_000, 103, 1.4))
# What Odoo's naive Bayes looks at: the stage, and what was declared.
_ODOO = [NAMES.index(name) for name in ("source", "timeline", "stage")]
_SOURCE_POINTS = {"referral": 15, "inquiry": 10, "whatsapp": 8, "manual": 5}
_TIMELINE_POINTS = {"immediate": 15, "1-3months": 12, "3-6months": 8, "6months+": 5}


def rows(say):
    found = []
    for brokerage in BROKERAGES:
        say(f"brokerage {brokerage[1]}")
        found.append(_measured(*brokerage))
    for name, label, least in (
        ("points_auc", "sim: AUC of points, active leads", 0.80),
        ("refit_auc", "sim: AUC of the refit, active leads", 0.86),
        ("odoo_gain", "sim: the refit's AUC beyond naive Bayes", 0.10),
        ("skill", "sim: Brier skill of the refit", 0.42),
        ("lift", "sim: lift of the refit's best tenth", 6),
        ("cold_gain", "cold start: AUC beyond the front-end's", 0.25),
    ):
        values = [one[name] for one in found]
        yield Row(label, _range(values), f"≥ {least}", min(values) >= least)
    errors = [one["ece"] for one in found]
    yield Row("sim: calibration error of the refit", _range(errors), "≤ 0.03", max(errors) <= 0.03)
    full = [one["full"] for one in found]
    yield Row("bounds: open customers at 100", _range(full), "< 0.01", max(full) < 0.01)
    outside = sum(one["outside"] for one in found)
    yield Row("bounds: scores that are no integer of 0-100", str(outside), "0", not outside)


def _measured(customers, seed, sharpness):
    whole = simulated(customers, seed, sharpness)
    training, holdout = parts(whole)
    seen = {(one.life.number, one.day): one.facts for one in whole.seen}
    facts = [seen[key] for key in zip(holdout.customers.tolist(), holdout.days.tolist(), strict=True)]
    won, active, points = holdout.won, holdout.are_active, points_of(holdout.bins)
    card = Card(fitted(training, whole.open_bins))
    refit = chances(card, holdout)
    odoo = _naive_bayes(training, holdout)
    refit_auc = metrics.auc(won[active], refit[active])
    ratings = [each.rating(one.bins, one.facts).score for each in (Card(), card) for one in whole.seen]
    return {
        "points_auc": metrics.auc(won[active], points[active]),
        "refit_auc": refit_auc,
        "odoo_gain": refit_auc - metrics.auc(won[active], odoo[active]),
        "skill": metrics.brier_skill(won, refit, training.won.mean()),
        "ece": metrics.ece(won, refit),
        "lift": metrics.lift(won, refit),
        "cold_gain": metrics.auc(won, points) - metrics.auc(won, [_front_end(one) for one in facts]),
        "full": float(np.mean([score == 100 for score in ratings])),
        "outside": sum(type(score) is not int or not 0 <= score <= 100 for score in ratings),
    }


def _naive_bayes(training, holdout):
    """The chance by how often winners and others had each word, as if words knew nothing of each other."""
    share = (training.won.sum() + 1) / (len(training) + 2)
    logits = np.full(len(holdout), np.log(share / (1 - share)))
    for place in _ODOO:
        size = len(FEATURES[place].points)
        winners = np.bincount(training.bins[training.won > 0, place], minlength=size) + 1
        others = np.bincount(training.bins[training.won == 0, place], minlength=size) + 1
        logits += np.log(winners / winners.sum() / (others / others.sum()))[holdout.bins[:, place]]
    return probabilities(logits)


def _front_end(facts):
    """The score that the client made up by itself: fifty, and something for whatever is there."""
    rate = 100 * (facts.answered_90d + 1) / (facts.tries_90d + 2)
    contacts = facts.tries_90d + facts.touches - facts.answered_90d
    order = STAGE_RANK[facts.stage] + 1
    score = 50 + 20 + _SOURCE_POINTS.get(facts.source, 0) + _TIMELINE_POINTS.get(facts.timeline, 0)
    score += _step(contacts, ((10, 20), (5, 15), (2, 10), (1, 5)))
    score += _step(rate, ((90, 15), (70, 12), (50, 8), (30, 5)))
    score += _step(order, ((7, 15), (5, 12), (3, 8), (0, 5)))
    return min(score, 100)


def _step(value, steps):
    return next((points for least, points in steps if value >= least), 0)


def _range(values):
    return f"{min(values):.3f} to {max(values):.3f}"
