"""How well chances agree with what happened. Of ties, none is ranked before another by where it stands."""

import math

import numpy as np

_GROUPS = 10


def auc(won, scores):
    """How likely a winner scores higher than another row, ties by half; None unless there are both."""
    won, scores = np.asarray(won) > 0, np.asarray(scores, float)
    winners, others = int(won.sum()), int((~won).sum())
    if not winners or not others:
        return None
    _values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[won].sum() - winners * (winners + 1) / 2) / (winners * others))


def pr_auc(won, scores):
    """Average precision over the distinct scores; None without winners."""
    won, scores = np.asarray(won) > 0, np.asarray(scores, float)
    if not won.any():
        return None
    _values, places, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(places, won)
    return float((hits * np.cumsum(hits) / np.cumsum(counts)).sum() / won.sum())


def brier(won, chances):
    return float(np.mean((np.asarray(chances) - np.asarray(won)) ** 2))


def brier_skill(won, chances, base_rate):
    """How much better than telling everyone the base rate: 1 is perfect, 0 no better. None where that is perfect."""
    plain = brier(won, np.full(len(won), base_rate))
    return 1 - brier(won, chances) / plain if plain else None


def calibration(won, chances):
    """`[(rows, mean chance, share won)]` of ten groups of equal size, by rising chance."""
    won, chances = np.asarray(won, float), np.asarray(chances, float)
    groups = np.array_split(np.argsort(chances, kind="stable"), _GROUPS)
    return [(len(group), float(chances[group].mean()), float(won[group].mean())) for group in groups if len(group)]


def ece(won, chances):
    """Expected calibration error: how far the chance of a group lies from its share of winners, on average."""
    return sum(rows * abs(chance - share) for rows, chance, share in calibration(won, chances)) / len(won)


def lift(won, scores, *, share=0.1, seed=0):
    """How many times the average share of winners the best tenth has; None without winners."""
    won, scores = np.asarray(won, float), np.asarray(scores, float)
    if not won.any():
        return None
    noise = np.random.default_rng(seed).random(len(scores))
    best = np.lexsort((noise, -scores))[: max(1, round(len(scores) * share))]
    return float(won[best].mean() / won.mean())


def observed_over_expected(won, chances):
    expected = float(np.sum(chances))
    return float(np.sum(won)) / expected if expected else None


def chance_better(won, new, old, customers, *, draws=200, seed=0):
    """In how many draws of customers, with replacement, the new chances have the lower Brier score."""
    won = np.asarray(won, float)
    _ids, places = np.unique(customers, return_inverse=True)
    gains = np.bincount(places, (np.asarray(old) - won) ** 2 - (np.asarray(new) - won) ** 2)
    draw = np.random.default_rng(seed)
    return float(np.mean([gains[draw.integers(0, len(gains), len(gains))].sum() > 0 for _draw in range(draws)]))


def spearman(some, others):
    """The correlation of ranks, ties by their middle."""
    return float(np.corrcoef(_ranks(some), _ranks(others))[0, 1])


def _ranks(values):
    _values, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def stability_index(expected, actual):
    """Population stability index of two lists of shares: above 0.25, what is scored has become something else."""
    return sum((b - a) * math.log(b / a) for a, b in zip(_floored(expected), _floored(actual), strict=True))


def _floored(shares):
    return [max(share, 1e-4) for share in shares]
