"""Bins as the columns that a model is fitted to, and what it finds as the numbers that cards are made of.

An ordinal feature has a column for each step upwards (1 where the bin is at least that), so "more is never worse" is
that no coefficient is below zero; a nominal one has a column for each bin.
"""

import numpy as np

from customers.scoring.scorecard import FEATURES

_COLUMNS = [
    (place, number)
    for place, feature in enumerate(FEATURES)
    for number in range(1 if feature.is_ordinal else 0, len(feature.points))
]
# What the documented points say of each column, and of a customer who has none of them.
INCREMENTS = np.array(
    [
        FEATURES[place].points[number] - (FEATURES[place].points[number - 1] if FEATURES[place].is_ordinal else 0)
        for place, number in _COLUMNS
    ],
    dtype=float,
)
LEAST_POINTS = sum(feature.points[0] for feature in FEATURES if feature.is_ordinal)
IS_ORDINAL = np.array([FEATURES[place].is_ordinal for place, _number in _COLUMNS])


def columns_of(bins):
    """The columns of rows of bins, after one of ones that the intercept belongs to."""
    columns = np.ones((len(bins), 1 + len(_COLUMNS)))
    for index, (place, number) in enumerate(_COLUMNS, start=1):
        values = bins[:, place]
        columns[:, index] = values >= number if FEATURES[place].is_ordinal else values == number
    return columns


def points_of(bins):
    """The documented points of rows of bins."""
    return sum(np.asarray(feature.points, float)[bins[:, place]] for place, feature in enumerate(FEATURES))


def shares_of(bins):
    """`{feature: [share of rows in each bin]}`."""
    return {
        feature.name: (np.bincount(bins[:, place], minlength=len(feature.points)) / max(len(bins), 1)).tolist()
        for place, feature in enumerate(FEATURES)
    }


def coefs_of(coefficients):
    """`{feature: [what each bin adds to the logit]}` of the coefficients of columns, the intercept's left out."""
    coefs = {feature.name: [0.0] * len(feature.points) for feature in FEATURES}
    for (place, number), coefficient in zip(_COLUMNS, coefficients, strict=True):
        feature = FEATURES[place]
        below = coefs[feature.name][number - 1] if feature.is_ordinal else 0.0
        coefs[feature.name][number] = below + float(coefficient)
    return coefs
