"""Fitting: a calibration of the points, and a refit that is held to them as strongly as the data ask for."""

import math
from typing import NamedTuple

import numpy as np

from customers.scoring.learning.columns import INCREMENTS, IS_ORDINAL, LEAST_POINTS, columns_of, points_of
from customers.scoring.learning.rows import HORIZON

# What a point is worth before anything is known, and how sure that is: its mean and standard deviation.
POINT, POINT_SD = 0.06, 0.02
# How strongly a refit may be held to the points, strongest first; None is infinitely, which is the calibration.
STRENGTHS = (None, 100, 30, 10, 3, 1)
_INNER_SHARE, _LEAST_WINNERS = 0.7, 10
_MOST_STEPS, _LEAST_STEP, _LEAST_GAIN = 100, 1e-8, 1e-10


class Outcomes(NamedTuple):
    """Distinct rows of columns, how many rows are like each, and how many of these were won: all that a fit needs."""

    columns: np.ndarray
    counts: np.ndarray
    wins: np.ndarray


class Fit(NamedTuple):
    """Coefficients, and the loss before each step: it never rises."""

    coefficients: np.ndarray
    losses: list[float]


class Calibration(NamedTuple):
    """`logit p = intercept + slope * points`."""

    intercept: float
    slope: float


def outcomes_of(rows):
    """The Outcomes of rows. Customers who are left alone look the same for weeks, so there are far fewer."""
    as_bytes = np.ascontiguousarray(rows.bins).view(f"V{rows.bins.shape[1]}").ravel()
    _patterns, firsts, places = np.unique(as_bytes, return_index=True, return_inverse=True)
    counts = np.bincount(places).astype(float)
    return Outcomes(columns_of(rows.bins[firsts]), counts, np.bincount(places, rows.won))


def newton(outcomes, *, prior, stiffness, is_floored, start=None):
    """The Fit, none of the floored coefficients below zero, with the least penalized loss. It starts at `prior`.

    Newton's step is halved until the loss does not rise: whole steps have diverged, silently, to models that rank
    by chance. Coefficients that the step would push below zero are held there for the step.
    """
    columns, counts, wins = outcomes

    def loss_of(coefficients):
        logits = columns @ coefficients
        likelihood = counts @ np.logaddexp(0, logits) - wins @ logits
        return float(likelihood + 0.5 * (stiffness * (coefficients - prior) ** 2).sum())

    found = prior if start is None else start
    found = np.where(is_floored, np.maximum(found, 0), found)
    losses, held, weighted = [loss_of(found)], None, np.empty_like(columns)
    for _step in range(_MOST_STEPS):
        chances = probabilities(columns @ found)
        slope = (counts * chances - wins) @ columns + stiffness * (found - prior)
        was_held, held = held, is_floored & (found <= 0) & (slope > 0)
        np.multiply(columns, np.sqrt(counts * chances * (1 - chances))[:, None], out=weighted)
        curvature = weighted.T @ weighted + np.diag(stiffness + 1e-9)
        step = np.zeros(len(found))
        step[~held] = np.linalg.solve(curvature[np.ix_(~held, ~held)], slope[~held])
        size = 1.0
        while size > _LEAST_STEP:
            moved = found - size * step
            moved = np.where(is_floored, np.maximum(moved, 0), moved)
            loss = loss_of(moved)
            if loss <= losses[-1]:
                break
            size /= 2
        else:
            break
        is_still = losses[-1] - loss <= _LEAST_GAIN * max(1, abs(loss)) and np.array_equal(held, was_held)
        found = moved
        losses.append(loss)
        if is_still:
            break
    return Fit(found, losses)


def probabilities(logits):
    return 1 / (1 + np.exp(-np.clip(logits, -35, 35)))


def calibrate(rows):
    """The Calibration of points by what became of their customers (level 1)."""
    points, places = np.unique(points_of(rows.bins), return_inverse=True)
    counts, wins = np.bincount(places).astype(float), np.bincount(places, rows.won)
    share = (wins.sum() + 0.5) / (len(rows) + 1)
    prior = np.array([math.log(share / (1 - share)) - POINT * (counts @ points) / len(rows), POINT])
    fit = newton(
        Outcomes(np.column_stack([np.ones(len(points)), points]), counts, wins),
        prior=prior,
        stiffness=np.array([1e-3, POINT_SD**-2]),
        is_floored=np.array([False, True]),
    )
    return Calibration(*map(float, fit.coefficients))


def coefficients_of(calibration):
    """The coefficients of columns that a calibration amounts to."""
    return np.r_[calibration.intercept + calibration.slope * LEAST_POINTS, calibration.slope * INCREMENTS]


def refit(outcomes, calibration, strength, rows_per_customer, *, start=None):
    """The Fit of single columns, held to the calibrated points (level 2).

    Rows of one customer say nearly the same, so the more there are of each, the stronger it is held.
    """
    prior = coefficients_of(calibration)
    if strength is None:
        return Fit(prior, [])
    stiffness = np.r_[1e-6, np.full(len(INCREMENTS), strength * rows_per_customer)]
    is_floored = np.r_[False, IS_ORDINAL]
    return newton(outcomes, prior=prior, stiffness=stiffness, is_floored=is_floored, start=start)


def fit(rows):
    """`(coefficients, strength)` of the refit that later rows ask for: see `choose_strength`."""
    strength, calibration = choose_strength(rows), calibrate(rows)
    return refit(outcomes_of(rows), calibration, strength, rows.per_customer).coefficients, strength


def choose_strength(rows):
    """The strongest hold to the points whose loss on later rows is within one standard error of the best.

    Earlier rows have their outcome before the later ones begin. Errors are those of customers, not of rows.
    """
    cut = np.quantile(rows.days, _INNER_SHARE)
    earlier, later = rows[rows.days + HORIZON <= cut], rows[rows.days > cut]
    if min(earlier.n_wins, later.n_wins) < _LEAST_WINNERS:
        return None
    calibration, outcomes, later_columns = calibrate(earlier), outcomes_of(earlier), columns_of(later.bins)
    _ids, customers = np.unique(later.customers, return_inverse=True)
    found, losses = None, []
    for strength in STRENGTHS:
        found = refit(outcomes, calibration, strength, earlier.per_customer, start=found).coefficients
        chances = np.clip(probabilities(later_columns @ found), 1e-6, 1 - 1e-6)
        losses.append(np.bincount(customers, -np.log(np.where(later.won > 0, chances, 1 - chances))))
    best = min(losses, key=np.sum)
    for strength, loss in zip(STRENGTHS, losses, strict=True):
        worse = loss - best
        if worse.sum() <= worse.std() * math.sqrt(len(worse)):
            return strength
