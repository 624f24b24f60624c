"""Who somebody is changes nothing, and scores fit women and men, Saudis and others alike."""

import numpy as np
from django.db import connection

from customers.scoring.cards import Card
from customers.scoring.learning import metrics
from customers.scoring.learning.gate import chances
from customers.scoring.scorecard import bins_of
from customers.scoring.verification import Row, brokerage
from customers.scoring.verification.models import fitted_card, parts, simulated
from customers.scoring.verification.simulator import simulate

_CUSTOMERS, _SEED = 3_000, 303
_FLIPPED = 1_000
LEAST_CUSTOMERS, MOST_AUC_GAP, MOST_MISS = 100, 0.05, 0.03
_GROUPS = {
    "women": lambda life: life.is_female,
    "men": lambda life: not life.is_female,
    "Saudis": lambda life: not life.is_foreign,
    "others": lambda life: life.is_foreign,
}


def rows(say):
    yield _flipped(say)
    say(f"groups among {_CUSTOMERS} customers")
    whole = simulated(_CUSTOMERS, _SEED)
    lives = {one.life.number: one.life for one in whole.seen}
    _training, holdout = parts(whole)
    probability = chances(fitted_card(_CUSTOMERS, _SEED), holdout)
    aucs = {}
    for name, belongs in _GROUPS.items():
        there = np.array([belongs(lives[number]) for number in holdout.customers.tolist()])
        group = holdout[there]
        if group.n_customers < LEAST_CUSTOMERS:
            yield Row(f"fairness: {name}", f"{group.n_customers} customers", f"≥ {LEAST_CUSTOMERS}, or too few", True)
            continue
        aucs[name] = metrics.auc(group.won, probability[there])
        miss = float(group.won.mean() - probability[there].mean())
        told = f"{group.n_customers} customers, O-E {100 * miss:+.1f} %, AUC {aucs[name]:.3f}"
        yield Row(f"fairness: {name}", told, "|O-E| ≤ 3 %", abs(miss) <= MOST_MISS)
    for some, others in (("women", "men"), ("Saudis", "others")):
        if some in aucs and others in aucs:
            gap = abs(aucs[some] - aucs[others])
            yield Row(f"fairness: AUC of {some} and {others}", f"{gap:.3f} apart", "≤ 0.05", gap <= MOST_AUC_GAP)


def _flipped(say):
    say("the other sex and nationality")
    lives = simulate(_FLIPPED, seed=304)
    keys = [(brokerage.customer_id(life), brokerage.moment(life.last_day)) for life in lives]
    with brokerage.tables():
        brokerage.fill(brokerage.rows_of(lives))
        before = brokerage.facts_at(keys)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pg_temp.customers SET gender = CASE gender WHEN 'male' THEN 'female' ELSE 'male' END, "
                "nationality = CASE nationality WHEN 'SA' THEN 'EG' ELSE 'SA' END"
            )
        after = brokerage.facts_at(keys)
    moved = max(
        abs(card.probability(bins_of(before[key])) - card.probability(bins_of(after[key])))
        for card in (Card(), fitted_card())
        for key in keys
    )
    return Row("fairness: the other sex and nationality", f"{moved:.3f} at most", "0", moved == 0)
