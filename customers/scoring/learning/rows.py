"""What is learnt from: the bins of customers at many moments, and whether each was won in time."""

from dataclasses import dataclass, field, replace

import numpy as np

from customers.scoring.scorecard import MISSING, NAMES, STAGE

# Days within which a customer has to be won to count.
HORIZON = 90
_RECENCY = NAMES.index("recency")
_HOLDOUT_FROM = 0.7
# A customer without contact in a month is one to be found again, unless it came only now.
_NEW_DAYS = 14


@dataclass
class Rows:
    """One entry for each moment of an open customer; all arrays are of the same length."""

    bins: np.ndarray
    # Whether the down payment was reached within HORIZON days: 0.0 or 1.0.
    won: np.ndarray
    # The moment, in days; `ages` are days since the customer came.
    days: np.ndarray
    ages: np.ndarray
    # Whose moment it is, as numbers.
    customers: np.ndarray
    # Features that the past does not tell, which stand at their missing bin, and the shares of their bins today.
    untold: dict[int, list[float]] = field(default_factory=dict)

    def __len__(self):
        return len(self.won)

    def __getitem__(self, which):
        arrays = ("bins", "won", "days", "ages", "customers")
        return replace(self, **{name: getattr(self, name)[which] for name in arrays})

    def offset(self, logit):
        """What features that are untold here add to a logit on average, when they are told."""
        missing = list(MISSING)
        told = [
            share * (logit([*missing[:place], number, *missing[place + 1 :]]) - logit(missing))
            for place, shares in self.untold.items()
            for number, share in enumerate(shares)
        ]
        return sum(told)

    @property
    def n_customers(self):
        return len(np.unique(self.customers))

    @property
    def n_wins(self):
        """How many customers were won, each counted once."""
        return len(np.unique(self.customers[self.won > 0]))

    @property
    def per_customer(self):
        return len(self) / max(self.n_customers, 1)

    @property
    def are_active(self):
        return (self.bins[:, _RECENCY] > 0) | (self.ages <= _NEW_DAYS)

    @property
    def stages(self):
        return self.bins[:, STAGE]


def split(rows, cut=None):
    """`(training, holdout)`: the holdout begins at the day `cut`, by default that of the newest 30 %.

    Training knows nothing that happened after that day, and the holdout nobody who was seen in training.
    """
    if not len(rows):
        return rows, rows
    cut = np.quantile(rows.days, _HOLDOUT_FROM) if cut is None else cut
    training = rows[rows.days + HORIZON <= cut]
    return training, rows[(rows.days > cut) & ~np.isin(rows.customers, training.customers)]
