"""The gate: models that learnt something pass, models that learnt noise never do, and a refusal says why."""

from io import StringIO

import numpy as np
from django.core.management import call_command

from customers.choices import ModelKind
from customers.models import LeadScoreModel
from customers.scoring.learning.training import learn
from customers.scoring.verification import Row, brokerage
from customers.scoring.verification.models import CUT, simulated
from customers.scoring.verification.simulator import simulate
from employees.models import Organization

_BROKERAGES, _CUSTOMERS, _FIRST_SEED = 8, 1_400, 500
_SHUFFLES = 5
_LEAST_WON = 100
_SMALL = 700


def rows(say):
    passed, shuffled, won = 0, 0, []
    for number in range(_BROKERAGES):
        say(f"brokerage {number + 1} of {_BROKERAGES}, and {_SHUFFLES} shuffles")
        whole = simulated(_CUSTOMERS, _FIRST_SEED + number)
        candidate = learn(whole.rows, whole.open_bins, cut=CUT)[0]
        won.append(candidate.model.n_wins)
        passed += _is_passed_refit(candidate)
        draw = np.random.default_rng(number)
        for _shuffle in range(_SHUFFLES):
            noise = _shuffled(whole.rows, draw)
            shuffled += _is_passed_refit(learn(noise, whole.open_bins, cut=CUT)[0])
    told = f"{min(won)} to {max(won)}"
    yield Row("gate: customers won in training", told, f"≥ {_LEAST_WON}", min(won) >= _LEAST_WON)
    yield Row("gate: models in place", f"{passed} of {_BROKERAGES}", "≥ 6 of 8", passed >= 6)
    yield Row("gate: in place after shuffling", f"{shuffled} of {_BROKERAGES * _SHUFFLES}", "0", not shuffled)
    yield _refusal(say)


def _is_passed_refit(candidate):
    return candidate.model.kind == ModelKind.REFITTED and candidate.has_passed


def _shuffled(rows, draw):
    """The same rows with the outcomes of other customers."""
    ids, places = np.unique(rows.customers, return_inverse=True)
    share = np.bincount(places, rows.won) / np.bincount(places)
    chance = draw.permutation(share)[places]
    noise = rows[np.arange(len(rows))]
    noise.won = (draw.random(len(rows)) < chance).astype(float)
    return noise


def _refusal(say):
    """A small brokerage is calibrated; the next model has too few winners to take over from that."""
    say("a refusal by the command")
    organization = Organization.objects.create(name="simulated")
    codes = []
    with brokerage.tables():
        lives = simulate(_SMALL, seed=305)
        brokerage.fill(brokerage.rows_of(lives, organization.pk))
        for _time in range(2):
            try:
                call_command("lead_model", "train", organization=organization.pk, stdout=StringIO(), stderr=StringIO())
                codes.append(0)
            except SystemExit as end:
                codes.append(end.code)
        model = LeadScoreModel.objects.filter(organization=organization).order_by("version").last()
        told = model.decision if model else ""
    organization.delete()
    holds = codes == [0, 3] and model.status == "rejected" and bool(told)
    return Row("gate: exit codes, and the reason stored", f"{codes}: {told[:80]}", "[0, 3] and a reason", holds)
