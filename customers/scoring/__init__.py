"""Lead scores: features as of a moment, points with reasons, and what follows from them.

scorecard.py   the seventeen features: bins and documented points
features.py    their values as of a moment, by one set-based statement
cards.py       points, probability and reasons by a model, in plain Python
learning/      fitting a model to what happened, and the gate before it (numpy: never in a web process)
verification/  the numbers that all of it has to show, on simulated brokerages
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Scored(NamedTuple):
    """One customer as of now: its Facts, its bins and points, its score (0-100) and probability (0-1).

    `basis` says what the probability rests on; `deltas` are what each feature adds to the score of the average
    customer; `insights` are the client's `aiInsights` so far.
    """

    facts: Any
    bins: tuple
    points: int
    score: int
    logit: float
    probability: float
    basis: str
    deltas: list
    insights: dict


class Advice(NamedTuple):
    """What is to be done next for a customer: the rule that says so, the row that made it true, in both languages."""

    rule: str
    anchor: str
    ar: str
    en: str
    facts: dict


# `(organization, [Scored], now) -> {customer id: Advice}`, each for a batch at once. Apps above add their own.
ADVISERS: list[Callable] = []
