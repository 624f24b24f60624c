"""How lead score models learn: fitting, choosing how far to trust the data, the metrics, and the gate."""

import math

import numpy as np
import pytest

from customers.choices import ModelKind
from customers.models import LeadScoreModel
from customers.scoring.cards import Card
from customers.scoring.learning import fitting, metrics
from customers.scoring.learning.columns import coefs_of, columns_of, points_of, shares_of
from customers.scoring.learning.drift import calibrated_anew
from customers.scoring.learning.gate import chances, checks
from customers.scoring.learning.rows import HORIZON, Rows, split
from customers.scoring.learning.training import calibrated, fitted, learn
from customers.scoring.scorecard import FEATURES, MISSING, NAMES, STAGE
from customers.scoring.scorecard import points_of as documented

VISITS = NAMES.index("visits")


def draw_rows(customers=400, *, seed=1, logit=None, each=8, days=600):
    """Rows of customers whose bins are drawn at random; `logit(bins)` says how likely each of them is won."""
    draw = np.random.default_rng(seed)
    base = np.column_stack([draw.integers(0, len(feature.points), customers) for feature in FEATURES])
    base[:, STAGE] = draw.integers(0, 6, customers)
    ids = np.repeat(np.arange(customers), each)
    bins = base[ids].astype(np.uint8)
    # Each time one feature of the customer is another.
    places = draw.integers(0, len(FEATURES) - 2, len(ids))
    sizes = np.array([len(feature.points) for feature in FEATURES])
    bins[np.arange(len(ids)), places] = draw.integers(0, 1_000, len(ids)) % sizes[places]
    logits = np.array([(logit or points_logit)(row) for row in bins.tolist()])
    won = (draw.random(len(ids)) < 1 / (1 + np.exp(-logits))).astype(float)
    ages = np.tile(np.arange(each) * 14.0, customers)
    return Rows(bins=bins, won=won, days=np.repeat(draw.uniform(0, days, customers), each) + ages, ages=ages,
                customers=ids)  # fmt: skip


def points_logit(bins):
    return -5 + 0.06 * documented(bins)


def otherwise(bins):
    """Visits decide, and the other points say nothing."""
    return -4 + 2.5 * (bins[VISITS] == 2) + 0.01 * documented(bins)


def loss_of(columns, won, coefficients):
    logits = columns @ coefficients
    return np.logaddexp(0, logits).sum() - won @ logits


# --- Fitting --------------------------------------------------------------------------------------


def test_columns_times_increments_are_the_documented_points():
    rows = draw_rows(50)
    found = columns_of(rows.bins)[:, 1:] @ fitting.INCREMENTS + fitting.LEAST_POINTS
    assert found.tolist() == [documented(bins) for bins in rows.bins.tolist()] == points_of(rows.bins).tolist()


def test_the_loss_never_rises_and_ends_below_that_of_the_calibration():
    rows = draw_rows(logit=otherwise)
    calibration, columns = fitting.calibrate(rows), columns_of(rows.bins)
    for strength in (100, 10, 1, 0.001):
        fit = fitting.refit(fitting.outcomes_of(rows), calibration, strength, 1)
        assert len(fit.losses) > 2
        assert all(after <= before for before, after in zip(fit.losses, fit.losses[1:], strict=False))
        before = loss_of(columns, rows.won, fitting.coefficients_of(calibration))
        assert loss_of(columns, rows.won, fit.coefficients) < before


def test_steps_are_halved_where_a_whole_one_would_make_it_worse():
    columns, won = np.column_stack([np.ones(4), [-30.0, -29.0, 29.0, 30.0]]), np.array([0.0, 0.0, 1.0, 1.0])
    prior, stiffness = np.array([0.0, -1.0]), np.array([1e-6, 1e-6])
    outcomes = fitting.Outcomes(columns, np.ones(4), won)
    fit = fitting.newton(outcomes, prior=prior, stiffness=stiffness, is_floored=np.array([False, False]))
    assert fit.losses == sorted(fit.losses, reverse=True)
    assert fit.coefficients[1] > 0
    assert metrics.auc(won, columns @ fit.coefficients) == 1


def test_more_is_never_worth_less_even_where_the_data_say_so():
    rows = draw_rows(logit=lambda bins: -1.5 * bins[VISITS])
    model = fitted(rows, rows.bins)
    for feature in FEATURES:
        coefs = model.coefs[feature.name]
        assert not feature.is_ordinal or coefs == sorted(coefs)
    assert model.coefs["visits"] == pytest.approx([0, 0, 0], abs=0.05)


def test_points_that_say_the_opposite_are_worth_nothing():
    assert fitting.calibrate(draw_rows(logit=lambda bins: 3 - 0.15 * documented(bins))).slope == 0


def test_a_calibration_finds_what_points_are_worth():
    calibration = fitting.calibrate(draw_rows(3_000, each=4))
    assert calibration.slope == pytest.approx(0.06, abs=0.006)
    assert calibration.intercept == pytest.approx(-5, abs=0.4)


def test_rows_that_are_alike_count_as_often_as_they_are():
    rows = draw_rows(100)
    twice = rows[np.tile(np.arange(len(rows)), 2)]
    one, two = fitting.outcomes_of(rows), fitting.outcomes_of(twice)
    assert two.columns.tolist() == one.columns.tolist()
    assert (two.counts.tolist(), two.wins.tolist()) == ((2 * one.counts).tolist(), (2 * one.wins).tolist())
    assert one.counts.sum() == len(rows)


def test_a_refit_is_held_to_the_points_unless_later_rows_ask_for_more():
    assert fitting.choose_strength(draw_rows(1_500, each=4, logit=otherwise)) in (1, 3, 10)
    assert fitting.choose_strength(draw_rows(1_500, each=4)) in (None, 100, 30)


def test_a_refit_needs_ten_winners_before_and_after():
    assert fitting.choose_strength(draw_rows(60, each=4, logit=lambda bins: -4.5)) is None


def test_coefficients_become_what_each_bin_adds():
    coefficients = np.arange(len(fitting.INCREMENTS), dtype=float)
    coefs = coefs_of(coefficients)
    assert coefs["source"] == [0, 1, 2, 3, 4, 5]
    assert coefs["timeline"] == [0, 6, 13, 21, 30]
    rows = draw_rows(20)
    added = [sum(coefs[name][place] for name, place in zip(NAMES, bins, strict=True)) for bins in rows.bins.tolist()]
    assert added == pytest.approx((columns_of(rows.bins)[:, 1:] @ coefficients).tolist())


# --- What is seen ---------------------------------------------------------------------------------


def test_the_holdout_knows_nobody_of_training_and_begins_after_all_outcomes_are_known():
    rows = draw_rows(each=12)
    training, holdout = split(rows)
    assert len(training) > 100
    assert len(holdout) > 100
    assert not set(training.customers) & set(holdout.customers)
    assert training.days.max() + HORIZON <= holdout.days.min()


def test_a_winner_counts_once_however_many_rows_it_has():
    rows = draw_rows(3, each=4)
    rows.won = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0], float)
    assert (rows.n_wins, rows.n_customers, rows.per_customer) == (2, 3, 4)


def test_what_history_does_not_tell_adds_what_it_adds_on_average():
    rows, place = draw_rows(5), NAMES.index("financing")
    rows.untold = {place: [0.5, 0, 0.25, 0.25]}

    def logit(bins):
        return 0.1 * documented(bins) + 7

    assert rows.offset(logit) == pytest.approx(0.1 * (0.25 * 4 + 0.25 * 5))
    assert documented(MISSING) == documented([*MISSING[:place], 0, *MISSING[place + 1 :]])


def test_a_model_of_such_history_expects_as_many_as_before_once_all_is_told():
    rows = draw_rows(800, each=4)
    place = NAMES.index("financing")
    whole = fitted(rows, rows.bins)
    partial = rows[np.arange(len(rows))]
    partial.bins = rows.bins.copy()
    partial.bins[:, place] = MISSING[place]
    partial.untold = {place: shares_of(rows.bins)["financing"]}
    model = fitted(partial, rows.bins)
    expected = chances(Card(model), rows).mean()
    assert expected == pytest.approx(chances(Card(whole), rows).mean(), rel=0.05)
    assert chances(Card(model), partial).sum() == pytest.approx(rows.won.sum(), rel=0.02)


# --- Metrics --------------------------------------------------------------------------------------


def test_auc_counts_ties_by_half():
    assert metrics.auc([1, 0, 1, 0], [0.9, 0.1, 0.5, 0.5]) == 0.875
    assert metrics.auc([1, 0], [1, 1]) == 0.5
    assert metrics.auc([1, 1], [1, 2]) is None


def test_average_precision_does_not_depend_on_the_order_of_ties():
    assert metrics.pr_auc([1, 0, 1, 0], [4, 3, 2, 1]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert metrics.pr_auc([1, 0], [1, 1]) == metrics.pr_auc([0, 1], [1, 1]) == 0.5
    assert metrics.pr_auc([0, 0], [1, 2]) is None


def test_brier_and_its_skill():
    assert metrics.brier([1, 0], [0.8, 0.4]) == pytest.approx(0.1)
    assert metrics.brier_skill([1, 0], [0.8, 0.4], 0.5) == pytest.approx(0.6)
    assert metrics.brier_skill([0, 0], [0, 0], 0) is None


def test_calibration_error_is_that_of_ten_groups_of_equal_size():
    won, told = np.r_[np.zeros(50), np.ones(50)], np.r_[np.full(50, 0.1), np.full(50, 0.7)]
    assert metrics.ece(won, told) == pytest.approx(0.2)
    assert [rows for rows, _chance, _share in metrics.calibration(won, told)] == [10] * 10


def test_lift_of_ties_is_that_of_chance():
    won = np.r_[np.ones(100), np.zeros(900)]
    assert metrics.lift(won, won) == 10
    assert 0.3 < metrics.lift(won, np.ones(1_000)) < 2.5
    assert metrics.lift(won, np.ones(1_000)) == metrics.lift(won, np.ones(1_000))


def test_the_chance_to_be_better_draws_customers_not_rows():
    won, customers = np.zeros(100), np.r_[np.zeros(99), 1]
    new, old = np.r_[np.full(99, 0.1), 0.9], np.full(100, 0.3)
    assert metrics.chance_better(won, new, old, customers) == pytest.approx(0.75, abs=0.1)
    assert metrics.chance_better(won, old, old, customers) == 0


def test_the_stability_index_of_the_same_is_nothing():
    assert metrics.stability_index([0.5, 0.5], [0.5, 0.5]) == 0
    assert metrics.stability_index([0.5, 0.5], [0.9, 0.1]) == pytest.approx(0.4 * math.log(1.8) - 0.4 * math.log(0.2))


# --- The gate -------------------------------------------------------------------------------------


def test_a_refit_that_learnt_something_passes_the_gate():
    rows = draw_rows(1_500, each=6, logit=otherwise)
    candidate, calibration = learn(rows, rows.bins[:500])
    assert (candidate.model.kind, candidate.has_passed) == (ModelKind.REFITTED, True)
    assert candidate.model.decision == "Passed the gate"
    assert candidate.model.metrics["auc"] > candidate.model.baseline_metrics["points"]["auc"] + 0.05
    assert calibration.model.kind == ModelKind.CALIBRATED
    # It would have taken over from the calibration, and that from the points.
    assert [each.model.baseline_metrics["incumbent"]["kind"] for each in (candidate, calibration)] == ["l1", "l0"]
    assert sum(candidate.model.metrics["score_shares"]) == pytest.approx(1)


def test_noise_never_passes_the_gate():
    for seed in range(4):
        rows = draw_rows(400, seed=seed, logit=lambda bins: -1.5)
        first = learn(rows, rows.bins[:300])[0]
        assert first.model.kind == ModelKind.CALIBRATED or not first.has_passed


def test_too_few_winners_are_the_reason_of_a_refusal():
    rows = draw_rows(60, logit=lambda bins: -5.5)
    (candidate,) = learn(rows, rows.bins)
    won = split(rows)[0].n_wins
    assert won < 15
    assert candidate.model.decision.startswith(f"Refused: won customers in training {won} (≥ 15)")
    assert candidate.model.status == "rejected"


def test_what_cannot_be_compared_is_refused():
    rows = draw_rows(800, logit=otherwise)
    training, holdout = split(rows)
    holdout.won[:] = 1
    model, plain = fitted(training, rows.bins[:300]), calibrated(training, rows.bins[:300])
    asked = {check.name: check for check in checks(Card(model), Card(plain), training, holdout, rows.bins[:300])}
    assert asked["AUC lost"][1:] == ("–", "≤ 0.005", False)
    # The rest of it is compared all the same.
    assert not asked["observed over expected"].holds
    assert {"chance to be better", "calibration error"} <= set(asked)


def test_a_model_that_takes_the_spread_from_scores_is_refused():
    rows = draw_rows(800, logit=otherwise)
    training, holdout = split(rows)
    model, plain = fitted(training, rows.bins[:300]), calibrated(training, rows.bins[:300])
    model.scale["logit_sd"] *= 3
    asked = checks(Card(model), Card(plain), training, holdout, rows.bins[:300])
    (failed,) = [check for check in asked if not check.holds and check.name.startswith("spread")]
    assert failed == ("spread of scores beside that of points", "0.34", "≥ 0.5", False)


def test_scores_stay_the_points_where_all_open_customers_are_alike():
    rows = draw_rows(800, logit=otherwise)
    model = fitted(rows, np.repeat(rows.bins[:1], 9, axis=0))
    assert model.scale["logit_sd"] == pytest.approx(0)
    # What rounding may leave of it.
    model.scale["logit_sd"] = 2e-15
    card = Card(model)
    assert [card.score(bins) for bins in rows.bins.tolist()] == points_of(rows.bins).tolist()


def test_a_model_of_other_features_is_refused():
    rows = draw_rows(800, logit=otherwise)
    training, holdout = split(rows)
    model, incumbent = fitted(training, rows.bins[:300]), Card(calibrated(training, rows.bins[:300]))
    assert all(check.holds for check in checks(Card(model), incumbent, training, holdout, rows.bins[:300]))
    model.spec_hash = "of another code"
    asked = checks(Card(model), incumbent, training, holdout, rows.bins[:300])
    assert [check.name for check in asked if not check.holds] == ["made for these features"]


def test_a_model_that_is_worth_less_for_more_is_refused():
    rows = draw_rows(800, logit=otherwise)
    training, holdout = split(rows)
    model, incumbent = fitted(training, rows.bins[:300]), Card(calibrated(training, rows.bins[:300]))
    model.coefs["recency"] = [0.2, 0.1, 0.2, 0.2, 0.2]
    asked = checks(Card(model), incumbent, training, holdout, rows.bins[:300])
    assert [check.name for check in asked if not check.holds] == ["features that may lower the score by more"]


def test_nothing_is_learnt_from_nothing():
    rows = draw_rows(2)
    assert learn(rows[rows.days < 0], rows.bins) == []


def test_scores_keep_their_mean_and_spread_when_a_model_takes_over():
    rows = draw_rows(1_000, logit=otherwise)
    card = Card(fitted(rows, rows.bins[:600]))
    scores = np.array([card.score(bins) for bins in rows.bins[:600].tolist()])
    points = points_of(rows.bins[:600])
    assert abs(scores.mean() - points.mean()) <= 0.5
    assert scores.std() == pytest.approx(points.std(), rel=0.05)


def test_calibrating_anew_changes_chances_and_leaves_scores():
    rows = draw_rows(1_000)
    model = fitted(rows, rows.bins[:600])
    later = draw_rows(1_000, seed=2, logit=lambda bins: points_logit(bins) + 1)
    card = Card(model)
    assert metrics.observed_over_expected(later.won, chances(card, later)) > 1.4
    anew = calibrated_anew(model, later, 2.0)
    assert isinstance(anew, LeadScoreModel)
    assert metrics.observed_over_expected(later.won, chances(Card(anew), later)) == pytest.approx(1, abs=0.05)
    assert [Card(anew).score(bins) for bins in later.bins.tolist()] == [
        card.score(bins) for bins in later.bins.tolist()
    ]
