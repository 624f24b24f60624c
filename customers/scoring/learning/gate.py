"""What is asked of a model before customers are scored by it: better on customers and days that it has not seen."""

import math
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext as _

from customers.choices import Stage
from customers.scoring.learning import metrics
from customers.scoring.learning.columns import points_of
from customers.scoring.learning.fitting import probabilities
from customers.scoring.scorecard import FEATURES, SPEC_HASH

# Customers who were won: before points are calibrated, and before they are refitted.
LEAST_TO_CALIBRATE, LEAST_TO_REFIT, LEAST_IN_HOLDOUT = 15, 50, 20
LEAST_CHANCE_BETTER, MOST_AUC_LOST, MOST_ECE = 0.95, 0.005, 0.05
OBSERVED_OVER_EXPECTED = (0.7, 1.4)
# By how much scores may move on the day that a model takes over: their mean, and the share of those that are high.
MOST_MEAN_SHIFT, MOST_HIGH_SHIFT, HIGH = 2, 0.03, 80
# How much of the spread that points have is left of it in scores.
LEAST_SPREAD = 0.5


class Check(NamedTuple):
    """One thing that was asked of a model. What was missing from it is the reason of a refusal."""

    name: str
    figure: str
    required: str
    holds: bool


def chances(card, rows):
    """The probabilities that a card gives to rows."""
    logits = np.array([card.logit(bins) for bins in rows.bins.tolist()])
    return probabilities(logits + rows.offset(card.logit))


def checks_of_calibration(card, training, open_bins):
    """What is asked of the first model of an organization, which only puts a probability to its points."""
    won = training.n_wins
    worth = [max(coefs) - min(coefs) for coefs in card.coefs]
    return [
        Check(_("won customers in training"), str(won), f"≥ {LEAST_TO_CALIBRATE}", won >= LEAST_TO_CALIBRATE),
        Check(_("points tell who is won"), f"{max(worth):.3f}", "> 0", max(worth) > 0),
        *_invariants(card, open_bins),
    ]


def checks(card, incumbent, training, holdout, open_bins):
    """What is asked of every other one, beside the card that it would take over from."""
    won, lost, later = training.n_wins, training.n_customers - training.n_wins, holdout.n_wins
    found = [
        Check(_("won customers in training"), str(won), f"≥ {LEAST_TO_REFIT}", won >= LEAST_TO_REFIT),
        Check(_("other customers in training"), str(lost), f"≥ {LEAST_TO_REFIT}", lost >= LEAST_TO_REFIT),
        Check(_("won customers in the holdout"), str(later), f"≥ {LEAST_IN_HOLDOUT}", later >= LEAST_IN_HOLDOUT),
        *_invariants(card, open_bins),
    ]
    if not len(holdout):
        return found
    new, old = chances(card, holdout), chances(incumbent, holdout)
    better = metrics.chance_better(holdout.won, new, old, holdout.customers)
    auc, old_auc = metrics.auc(holdout.won, new), metrics.auc(holdout.won, old)
    # Of winners alone there is no order to compare: what cannot be shown does not hold.
    lost_auc, told = (math.inf, "–") if auc is None else (old_auc - auc, f"{old_auc - auc:.4f}")
    error, ratio = metrics.ece(holdout.won, new), metrics.observed_over_expected(holdout.won, new)
    least, most = OBSERVED_OVER_EXPECTED
    return [
        *found,
        Check(_("chance to be better"), f"{better:.3f}", f"≥ {LEAST_CHANCE_BETTER}", better >= LEAST_CHANCE_BETTER),
        Check(_("AUC lost"), told, f"≤ {MOST_AUC_LOST}", lost_auc <= MOST_AUC_LOST),
        Check(_("calibration error"), f"{error:.4f}", f"≤ {MOST_ECE}", error <= MOST_ECE),
        Check(_("observed over expected"), f"{ratio:.2f}", f"{least}-{most}", least <= ratio <= most),
    ]


def decision_of(found):
    """Why a model may count, or may not, in one sentence."""
    failed = [f"{check.name} {check.figure} ({check.required})" for check in found if not check.holds]
    return _("Refused: %(reasons)s") % {"reasons": "; ".join(failed)} if failed else _("Passed the gate")


def _invariants(card, open_bins):
    """What has to be so of every card: it was made for these features, and reasons, bounds and order hold."""
    falling = sum(
        any(later < earlier - 1e-9 for earlier, later in zip(coefs, coefs[1:], strict=False))
        for feature, coefs in zip(FEATURES, card.coefs, strict=True)
        if feature.is_ordinal
    )
    scores, unexplained = [], 0
    for bins in open_bins.tolist():
        score = card.score(bins)
        scores.append(score)
        unexplained += abs(card.base + sum(card.deltas(bins, score)) - score) > 1
    scores, points = np.array(scores), points_of(open_bins)
    mean_shift, high_shift = handover(scores, points)
    spread = float(scores.std() / points.std()) if len(set(points)) > 1 else 1.0
    outside = int(((scores < 0) | (scores > 100)).sum())
    return [
        Check(_("made for these features"), card.spec_hash, SPEC_HASH, card.spec_hash == SPEC_HASH),
        Check(_("features that may lower the score by more"), str(falling), "0", not falling),
        Check(_("scores out of bounds"), str(outside), "0", not outside),
        Check(_("scores that reasons do not add up to"), str(unexplained), "0", not unexplained),
        Check(_("shift of the mean score"), f"{mean_shift:.2f}", f"≤ {MOST_MEAN_SHIFT}", mean_shift <= MOST_MEAN_SHIFT),
        Check(
            _("shift of the share of high scores"), f"{high_shift:.3f}", f"≤ {MOST_HIGH_SHIFT}",
            high_shift <= MOST_HIGH_SHIFT,
        ),
        Check(
            _("spread of scores beside that of points"), f"{spread:.2f}", f"≥ {LEAST_SPREAD}",
            spread >= LEAST_SPREAD,
        ),
    ]  # fmt: skip


def handover(scores, points):
    """`(shift of the mean, shift of the share of high ones)` from points to scores; zeros where there are none."""
    if not len(scores):
        return 0.0, 0.0
    return float(abs(scores.mean() - points.mean())), float(abs((scores >= HIGH).mean() - (points >= HIGH).mean()))


def report(card, rows, base_rate):
    """`{metric: value}` of a card on rows; what cannot be said of so few is None."""
    told = {
        "kind": card.kind.value,
        "version": card.version,
        "rows": len(rows),
        "customers": rows.n_customers,
        "wins": rows.n_wins,
        "base_rate": base_rate,
    }
    if not len(rows):
        return told
    probability, active = chances(card, rows), rows.are_active
    return told | {
        "auc": metrics.auc(rows.won, probability),
        "pr_auc": metrics.pr_auc(rows.won, probability),
        "brier": metrics.brier(rows.won, probability),
        "brier_skill": metrics.brier_skill(rows.won, probability, base_rate),
        "ece": metrics.ece(rows.won, probability),
        "observed_over_expected": metrics.observed_over_expected(rows.won, probability),
        "lift": metrics.lift(rows.won, probability),
        "active_auc": metrics.auc(rows.won[active], probability[active]),
        "calibration": metrics.calibration(rows.won, probability),
        "stages": {
            stage: {
                "rows": int(there.sum()),
                "wins": rows[there].n_wins,
                "auc": metrics.auc(rows.won[there], probability[there]),
            }
            for number, stage in enumerate(Stage.values)
            if (there := rows.stages == number).any()
        },
    }
