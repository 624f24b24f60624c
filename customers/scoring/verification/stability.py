"""What people notice of models: that scores stay where they were, and that reasons add up to them."""

import numpy as np

from customers.scoring.cards import Card
from customers.scoring.learning import metrics
from customers.scoring.learning.columns import points_of
from customers.scoring.learning.gate import MOST_HIGH_SHIFT, MOST_MEAN_SHIFT, handover
from customers.scoring.learning.rows import split
from customers.scoring.learning.training import calibrated, fitted
from customers.scoring.verification import Row
from customers.scoring.verification.backtest import BROKERAGES
from customers.scoring.verification.models import CUT, simulated

_WEEK, _MOST_POINTS = 7, 15


def rows(say):
    ranks, movers, means, highs, unexplained, explained = [], [], [], [], 0, 0
    for brokerage in BROKERAGES:
        say(f"brokerage {brokerage[1]}, and a week later")
        whole = simulated(*brokerage)
        cards = [Card(fitted(split(whole.rows, cut)[0], whole.open_bins)) for cut in (CUT, CUT + _WEEK)]
        later = whole.rows[whole.rows.days > CUT].bins.tolist()
        ranks.append(metrics.spearman(*([card.logit(bins) for bins in later] for card in cards)))
        this_week, next_week = (np.array([card.score(bins) for bins in whole.open_bins.tolist()]) for card in cards)
        movers.append(float(np.mean(abs(next_week - this_week) > _MOST_POINTS)))
        cards.append(Card(calibrated(split(whole.rows, CUT)[0], whole.open_bins)))
        for card in cards:
            scores = np.array([card.score(bins) for bins in whole.open_bins.tolist()])
            mean, high = handover(scores, points_of(whole.open_bins))
            means.append(mean)
            highs.append(high)
        for card in (*cards, Card()):
            for one in whole.seen:
                score = card.rating(one.bins, one.facts).score
                unexplained += abs(card.base + sum(card.deltas(one.bins, score)) - score) > 1
                explained += 1
    yield Row("stability: rank correlation over a week", f"{min(ranks):.4f} at least", "≥ 0.98", min(ranks) >= 0.98)
    told = f"{100 * max(movers):.1f} % at most"
    yield Row("stability: who moves by more than 15 points", told, "≤ 5 %", max(movers) <= 0.05)
    told = f"{unexplained} of {explained}"
    yield Row("additivity: reasons that do not add up", told, "0", not unexplained)
    yield Row("handover: shift of the mean", f"{max(means):.2f} at most", "≤ 2", max(means) <= MOST_MEAN_SHIFT)
    told = f"{100 * max(highs):.1f} % at most"
    yield Row("handover: shift of the share ≥ 80", told, "≤ 3 %", max(highs) <= MOST_HIGH_SHIFT)
