"""Simulated brokerages as models see them, and models fitted to them; each is made once."""

from functools import cache
from typing import NamedTuple

import numpy as np

from customers.scoring.cards import Card
from customers.scoring.learning.rows import HORIZON, Rows, split
from customers.scoring.learning.training import fitted
from customers.scoring.verification import brokerage
from customers.scoring.verification.simulator import moments, simulate

# Days into the simulation at which models are trained.
CUT = 420
# Customers who came this long before the cut are no news to whoever was trained then.
_NEWEST = 60


class Simulated(NamedTuple):
    """A simulated brokerage: what was Seen of it, the Rows whose outcome is known, and who is open at the end."""

    seen: list
    rows: Rows
    open_bins: np.ndarray


@cache
def simulated(customers, seed, sharpness=1.0):
    lives = simulate(customers, seed=seed, sharpness=sharpness)
    seen = brokerage.seen(lives, list(moments(lives)))
    rows = brokerage.learned_from(seen)
    still_open = (one for one in seen if one.life.won_on is None and one.life.last_day == brokerage.DAYS)
    last_bins = list({one.life.number: one.bins for one in still_open}.values())
    return Simulated(seen, rows[rows.days + HORIZON <= brokerage.DAYS], np.array(last_bins, np.uint8))


def parts(found):
    """`(training, holdout)` of a Simulated, the holdout of customers who came about the cut or after it."""
    training, holdout = split(found.rows, CUT)
    return training, holdout[holdout.days - holdout.ages >= CUT - _NEWEST]


@cache
def fitted_card(customers=1_000, seed=101):
    """The Card of a refit to a simulated brokerage."""
    whole = simulated(customers, seed)
    training, _holdout = parts(whole)
    return Card(fitted(training, whole.open_bins))
