"""manage.py lead_model: models of lead scores are trained, compared, put in place, taken back and verified."""

import ast
import json
import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from config.testing import make_customer
from config.tests.commands import another_session, ran
from config.tests.test_architecture import is_test, modules
from customers.choices import ModelStatus
from customers.models import (
    Customer,
    CustomerMerge,
    Interaction,
    LeadFeatureSnapshot,
    LeadScore,
    LeadScoreModel,
    LeadScoreTouch,
    StageChange,
)
from customers.scoring.cards import active_card
from customers.scoring.features import facts_of
from customers.scoring.learning import drift, history, training
from customers.scoring.scorecard import FEATURES, FORBIDDEN, MISSING, NAMES, SPEC_HASH
from customers.scoring.verification import brokerage, points
from customers.scoring.verification.simulator import simulate
from customers.tasks import train_lead_models
from employees.models import Organization

NOW = timezone.now()


@pytest.fixture
def simulated(organization):
    """The organization has a simulated history of two hundred customers, which ends today."""
    with brokerage.tables():
        brokerage.fill(brokerage.rows_of(simulate(200, seed=8), organization.pk))
        yield organization


def model_of(organization, version, status=ModelStatus.RETIRED, **values):
    coefs = {feature.name: [0.0] * len(feature.points) for feature in FEATURES}
    values = {"kind": "l1", "spec_hash": SPEC_HASH, "intercept": -3, "coefs": coefs, "bin_share": {}, "scale": {},
              "train_from": NOW - timedelta(days=300), "train_to": NOW - timedelta(days=200), **values}  # fmt: skip
    if status in (ModelStatus.ACTIVE, ModelStatus.RETIRED):
        values.setdefault("activated_at", NOW - timedelta(days=100 - version))
    return LeadScoreModel.objects.create(organization=organization, version=version, status=status, **values)


def standing(organization):
    """`{version: status}` of the organization's models."""
    return dict(organization.lead_score_models.order_by("version").values_list("version", "status"))


def snapshot(customer, at, **bins):
    row = list(MISSING)
    for name, place in bins.items():
        row[NAMES.index(name)] = place
    return LeadFeatureSnapshot.objects.create(
        customer_id=customer.pk, organization_id=customer.organization_id, as_of=at, bins=row, points=20, score=20,
        logit=-3, model_version=0, spec_hash=SPEC_HASH,
    )  # fmt: skip


def came(actor, days, **values):
    """A customer who was added so many days ago."""
    customer = make_customer(actor, **values)
    customer.created_at = NOW - timedelta(days=days)
    customer.save(update_fields=["created_at"])
    return customer


def became(customer, stage, at):
    StageChange.objects.create(
        customer=customer, from_stage="negotiation", to_stage=stage, changed_by="", changed_at=at
    )


# --- Training -------------------------------------------------------------------------------------


def test_the_first_model_is_in_place_at_once_and_everybody_is_scored_anew(simulated):
    told = ran("lead_model", "train", f"--organization={simulated.pk}", "--format=json")
    assert told.code == 0
    (model,) = [each for each in json.loads(told.out)["found"] if each["passed"]]
    assert (model["version"], model["status"], model["decision"]) == (1, "active", "Passed the gate")
    assert model["wins"] >= 15
    assert model["metrics"]["rows"] > 100
    assert active_card(simulated.pk).version == 1
    assert LeadScoreTouch.objects.count() == Customer.objects.count() == 200


def test_a_model_that_is_no_better_is_refused_with_its_reason_and_told_once(simulated):
    ran("lead_model", "train", f"--organization={simulated.pk}")
    model_of(simulated, 2, ModelStatus.REJECTED)
    for version in (3, 4):
        told = ran("lead_model", "train", f"--organization={simulated.pk}")
        assert told.code == 3
        assert "Refused: " in told.out
        assert "AUC of active leads" in told.out
        assert "Documented points" in told.out
        assert standing(simulated) == {1: "active", version: "rejected"}
    refused = simulated.lead_score_models.get(version=4)
    assert "chance to be better 0.000 (≥ 0.95)" in refused.decision
    assert [check["name"] for check in refused.metrics["checks"] if not check["holds"]]


def test_a_dry_run_trains_and_keeps_nothing(simulated):
    told = ran("lead_model", "train", "--dry-run", f"--organization={simulated.pk}", "--format=json")
    assert json.loads(told.out)["found"][0]["version"] is None
    assert standing(simulated) == {}
    assert not LeadScoreTouch.objects.exists()


def test_all_organizations_are_trained_and_one_without_history_is_no_failure(simulated, noura):
    told = ran("lead_model", "train", "--dry-run")
    assert told.code == 0
    assert "There is no history to learn from yet." in told.out
    assert "Passed the gate" in told.out


def test_the_weekly_job_trains_every_organization(simulated, noura):
    train_lead_models()
    assert standing(simulated) == {1: "active"}
    assert simulated.lead_score_models.get().created_by == "train_lead_models"
    assert standing(noura.organization) == {}


def test_an_organization_that_cannot_be_trained_holds_up_no_other(simulated, noura, caplog):
    model_of(noura.organization, 1, ModelStatus.ACTIVE, coefs={})
    snapshot(make_customer(noura), NOW - timedelta(days=100))
    train_lead_models()
    assert standing(simulated) == {1: "active"}
    (record,) = [record for record in caplog.records if record.message == "left out"]
    assert record.facts == {"row": noura.organization_id}


# --- What is learnt from --------------------------------------------------------------------------


def test_the_command_tells_of_an_organization_that_fails_and_goes_on_with_the_others(organization, noura, monkeypatch):
    evaluate = training.evaluate
    monkeypatch.setattr(training, "evaluate", lambda one: evaluate(one) if one != organization else 1 / 0)
    told = ran("lead_model", "evaluate", "--format=json")
    assert (told.code, json.loads(told.out)["organization"]) == (1, noura.organization_id)
    assert f"{organization} failed; the log tells of it" in told.err


def test_snapshots_are_learnt_from_once_a_week_and_with_what_came_within_ninety_days(layla, noura):
    monday = NOW - timedelta(days=200 + NOW.weekday())
    winner, later, lost, foreign = [make_customer(layla) for _ in range(3)] + [make_customer(noura)]
    for customer in (winner, later, lost, foreign):
        snapshot(customer, monday, recency=1)
        snapshot(customer, monday + timedelta(days=2), recency=2)
    snapshot(winner, NOW - timedelta(days=89))
    snapshot(lost, monday + timedelta(days=9), stage=6)
    became(winner, "closing", monday + timedelta(days=91))
    became(later, "down_payment", monday + timedelta(days=93))
    rows = history._snapshots(layla.organization_id, NOW)
    assert (len(rows), rows.n_customers, rows.n_wins) == (3, 3, 1)
    assert set(rows.bins[:, NAMES.index("recency")]) == {2}
    assert rows.untold == {}


def test_history_that_nobody_wrote_down_tells_events_alone(simulated):
    rows = history.matured(simulated.pk, timezone.now(), history.open_bins(simulated.pk))
    assert rows.n_wins > 20
    for name in ("source", "timeline", "completeness", "inventory_fit", "financing"):
        place = NAMES.index(name)
        assert set(rows.bins[:, place]) == {MISSING[place]}
        assert sum(rows.untold[place]) == pytest.approx(1)
    assert rows.stages.max() < 6
    assert len(set(rows.bins[:, NAMES.index("recency")])) == 5


def test_enough_snapshots_take_the_place_of_history_computed_anew(layla, monkeypatch):
    monkeypatch.setattr(history, "LEAST_TO_CALIBRATE", 2)
    for number in range(6):
        customer = make_customer(layla)
        snapshot(customer, NOW - timedelta(days=300 if number < 4 else 110))
        if number < 2:
            became(customer, "down_payment", NOW - timedelta(days=280))
    rows = history.matured(layla.organization_id, NOW, np.zeros((0, len(NAMES)), np.uint8))
    assert (len(rows), rows.untold) == (6, {})


def test_days_before_a_stage_was_written_down_tell_nothing(layla):
    customer = came(layla, 300, stage="down_payment")
    StageChange.objects.filter(customer=customer).update(to_stage="negotiation", changed_at=NOW - timedelta(days=150))
    became(customer, "down_payment", NOW - timedelta(days=100))
    rows = history.matured(layla.organization_id, NOW, np.zeros((0, len(NAMES)), np.uint8))
    assert NOW.timestamp() / 86_400 - rows.days.min() < 150
    assert (set(rows.stages), rows.n_wins) == ({4}, 1)
    (then,) = facts_of("SELECT id, created_at FROM customers WHERE id = %s", [customer.pk])
    assert then.stage == "new_lead"


def test_days_of_which_something_was_yet_to_be_written_down_tell_nothing(layla):
    customer = came(layla, 300)
    StageChange.objects.filter(customer=customer).update(changed_at=customer.created_at)
    happened, recorded = NOW - timedelta(days=250), NOW - timedelta(days=120)
    Interaction.objects.create(
        organization=layla.organization, customer=customer, type="call", direction="inbound", date=happened,
        created_at=recorded, agent_name="", agent_id=layla.pk,
    )  # fmt: skip
    rows = history.matured(layla.organization_id, NOW, np.zeros((0, len(NAMES)), np.uint8))
    days = NOW.timestamp() / 86_400 - rows.days
    assert set(np.digitize(days, [120, 250])) == {0, 2}


def test_merged_customers_and_what_survivors_were_before_tell_nothing(layla):
    survivor, merged, undone = [make_customer(layla) for _ in range(3)]
    for customer in (survivor, merged, undone):
        for days in (200, 100):
            snapshot(customer, NOW - timedelta(days=days))
    Customer.objects.filter(pk=merged.pk).update(merged_into=survivor, deleted_at=NOW)
    for customer, undone_at in ((survivor, None), (undone, NOW)):
        CustomerMerge.objects.create(
            organization=layla.organization, survivor=customer, merged=merged, at=NOW - timedelta(days=150),
            merged_by="", merged_by_id="", undone_at=undone_at,
        )  # fmt: skip
    rows = history._snapshots(layla.organization_id, NOW)
    days = NOW.timestamp() / 86_400 - rows.days
    assert sorted(days.round().tolist()) == [100, 100, 200]


def test_of_a_large_history_some_customers_are_drawn_whole(simulated, monkeypatch):
    everything = history.matured(simulated.pk, timezone.now(), history.open_bins(simulated.pk))
    monkeypatch.setattr(history, "MOST_ROWS", 1_000)
    some = history.matured(simulated.pk, timezone.now(), history.open_bins(simulated.pk))
    assert 600 < len(some) < 1_400 < len(everything)
    assert some.per_customer == pytest.approx(everything.per_customer, rel=0.2)


# --- Telling --------------------------------------------------------------------------------------


def test_evaluate_says_how_far_the_points_agree_with_what_happened(simulated):
    (points,) = json.loads(ran("lead_model", "evaluate", f"--organization={simulated.pk}", "--format=json").out)[
        "found"
    ]
    assert (points["kind"], points["version"]) == ("l0", 0)
    assert points["wins"] > 20
    assert points["auc"] > 0.7
    assert set(points["stages"]) == {
        "new_lead", "qualified", "property_matching", "site_visit", "negotiation", "contract_prep"
    }  # fmt: skip


def test_evaluate_asks_a_model_only_about_who_and_what_it_has_not_seen(simulated):
    ran("lead_model", "train", f"--organization={simulated.pk}")
    until = simulated.lead_score_models.get(status="active").train_to
    model, points = json.loads(ran("lead_model", "evaluate", "--format=json").out)["found"]
    assert (model["version"], points["version"]) == (1, 0)
    assert model["rows"] == points["rows"]
    rows = history.matured(simulated.pk, timezone.now(), history.open_bins(simulated.pk))
    assert 0 < model["rows"] < (rows.days > until.timestamp() / 86_400).sum()
    # Of one that does not say what it was trained with, nothing is known to have been seen.
    simulated.lead_score_models.update(train_to=None)
    assert json.loads(ran("lead_model", "evaluate", "--format=json").out)["found"][0]["rows"] == len(rows)


def test_backtest_tells_of_quarters_after_each_training(simulated):
    told = json.loads(ran("lead_model", "backtest", f"--organization={simulated.pk}", "--format=json").out)["found"]
    days = [datetime.fromisoformat(cut["day"]) for cut in told]
    assert len(days) >= 3
    assert days == sorted(days)
    assert [report["kind"] for report in told[-1]["reports"]][:2] == ["l0", "l1"]
    assert standing(simulated) == {}


def test_an_empty_organization_is_told_so(organization):
    for task in ("evaluate", "backtest", "train"):
        told = ran("lead_model", task, f"--organization={organization.pk}")
        assert told.code == 0, task


# --- Activating and taking back -------------------------------------------------------------------


def test_activate_puts_a_version_in_place_of_the_active_one(organization):
    model_of(organization, 1)
    model_of(organization, 2, ModelStatus.ACTIVE)
    told = ran("lead_model", "activate", f"--organization={organization.pk}", "--version=1")
    assert (told.code, told.out) == (0, "active version: 1\nlevel: l1\n")
    assert standing(organization) == {1: "active", 2: "retired"}
    assert LeadScoreModel.objects.get(version=1).activated_by == "lead_model"


@pytest.mark.parametrize(
    ("version", "code", "refusal"),
    [
        (1, 3, "Refused: too few"),
        (2, 1, "Model 2 was made for other features"),
        (4, 1, "Model 4 lacks numbers that scores are made of"),
        (9, 1, "There is no model 9"),
    ],
)
def test_what_may_not_count_is_not_activated(organization, noura, version, code, refusal):
    model_of(organization, 1, ModelStatus.REJECTED, decision="Refused: too few")
    model_of(organization, 2, spec_hash="of another code")
    model_of(organization, 3, ModelStatus.ACTIVE)
    model_of(organization, 4, coefs={"recency": [0.0] * 5})
    model_of(noura.organization, 9)
    told = ran("lead_model", "activate", f"--organization={organization.pk}", f"--version={version}")
    assert (told.code, told.refusal) == (code, refusal)
    assert standing(organization) == {1: "rejected", 2: "retired", 3: "active", 4: "retired"}


def test_rollback_goes_to_what_counted_before_and_what_was_taken_back_stays_away(organization):
    model_of(organization, 1)
    model_of(organization, 2)
    model_of(organization, 3, ModelStatus.ACTIVE)
    ran("lead_model", "activate", f"--organization={organization.pk}", "--version=1")
    for expected in ({3: "active"}, {2: "active"}, {}):
        assert ran("lead_model", "rollback", f"--organization={organization.pk}").code == 0
        assert standing(organization) == {1: "retired", 2: "retired", 3: "retired"} | expected


@pytest.mark.parametrize("task", [("activate", "--version=1"), ("rollback",)])
def test_activate_and_rollback_are_never_tried(organization, task):
    model_of(organization, 1)
    model_of(organization, 2, ModelStatus.ACTIVE)
    told = ran("lead_model", *task, "--dry-run", f"--organization={organization.pk}")
    assert (told.code, told.refusal) == (1, f"{task[0]} cannot be tried by --dry-run: nothing was changed")
    assert standing(organization) == {1: "retired", 2: "active"}


def test_rollback_goes_back_one_by_one_to_the_documented_points(organization):
    model_of(organization, 1)
    model_of(organization, 2, spec_hash="of another code")
    model_of(organization, 3, ModelStatus.REJECTED)
    model_of(organization, 4, ModelStatus.ACTIVE)
    options = ("lead_model", "rollback", f"--organization={organization.pk}", "--format=json")
    assert json.loads(ran(*options).out) == {"dryRun": False, "version": 1, "kind": "l1"}
    assert standing(organization) == {1: "active", 2: "retired", 3: "rejected", 4: "retired"}
    assert json.loads(ran(*options).out) == {"dryRun": False, "version": None, "kind": "l0"}
    assert active_card(organization.pk).version == 0
    told = ran(*options)
    assert (told.code, told.refusal) == (1, "No model is active: scores are the documented points")


def test_activate_and_rollback_need_an_organization_and_a_version(organization):
    assert ran("lead_model", "rollback").refusal == "rollback needs --organization"
    assert ran("lead_model", "activate", f"--organization={organization.pk}").refusal == "activate needs --version"
    assert ran("lead_model", "train", "--organization=org_none").code == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_command_elsewhere_is_told_apart_from_the_gate():
    with another_session() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('command lead_model'))")
        assert ran("lead_model", "evaluate").code == 4


# --- Watching -------------------------------------------------------------------------------------


def test_a_model_that_expects_too_few_is_calibrated_anew(simulated, monkeypatch):
    monkeypatch.setattr(drift, "LEAST_TO_CALIBRATE", 5)
    ran("lead_model", "train", f"--organization={simulated.pk}")
    model = simulated.lead_score_models.get(status="active")
    before = active_card(simulated.pk)
    LeadScoreModel.objects.filter(pk=model.pk).update(intercept=model.intercept - 2)
    found = drift.watch(simulated, by="test", now=brokerage.moment(brokerage.DAYS))
    assert found.observed_over_expected > 1.4
    assert found.recalibrated.decision.startswith("Calibrated anew")
    after = active_card(simulated.pk)
    assert (before.version, after.version) == (1, 2)
    # What was found of the model before is not told of this one.
    assert found.recalibrated.metrics == {"score_shares": model.metrics["score_shares"]}
    assert found.recalibrated.baseline_metrics == {}
    assert sum(model.metrics["score_shares"]) == pytest.approx(1)
    again = drift.watch(simulated, by="test", now=brokerage.moment(brokerage.DAYS))
    assert (again.recalibrated, round(again.observed_over_expected, 1)) == (None, 1.0)


def test_a_model_that_still_fits_is_left_alone(simulated, monkeypatch):
    monkeypatch.setattr(drift, "LEAST_TO_CALIBRATE", 5)
    ran("lead_model", "train", f"--organization={simulated.pk}")
    found = drift.watch(simulated, by="test", now=brokerage.moment(brokerage.DAYS))
    assert 0.7 <= found.observed_over_expected <= 1.4
    assert found.recalibrated is None
    assert standing(simulated) == {1: "active"}


def test_customers_who_have_become_others_are_logged(organization, caplog):
    model = model_of(organization, 1, ModelStatus.ACTIVE, metrics={"score_shares": [1] + [0] * 9})
    # Whoever has paid scores high, and says nothing of those who are still open.
    for number, (score, stage) in enumerate([(5, 0), (75, 3), (95, 6)]):
        LeadScore.objects.create(
            customer_id=f"cust_{number}", organization_id=organization.pk, as_of=NOW, changed_at=NOW, model_id=model.pk,
            bins=[stage if name == "stage" else 0 for name in NAMES], values={}, points=score, score=score, logit=0,
            probability=0.5, basis="calibrated",
        )  # fmt: skip
    found = drift.watch(organization, by="test")
    assert found.stability_index == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(0.5 / 1e-4), rel=1e-3)
    assert [(record.levelname, record.message) for record in caplog.records] == [("WARNING", "lead model watched")]


def test_without_a_model_of_these_features_there_is_nothing_to_watch(organization):
    assert drift.watch(organization, by="test") is None
    model_of(organization, 1, ModelStatus.ACTIVE, spec_hash="of another code")
    assert drift.watch(organization, by="test") is None


# --- Promises -------------------------------------------------------------------------------------


def test_no_feature_is_made_of_what_is_forbidden():
    assert points.forbidden_inputs() == []
    assert {"source", "timeline", "financing", "recency_days"} <= points.inputs_of_scorecard()
    assert {"interactions", "duration", "preferences", "recorded_at"} <= points.inputs_of_statement()
    assert {"nationality", "gender", "city", "tags", "total_deal_value", "lead_score"} <= FORBIDDEN


def test_numpy_is_imported_by_learning_and_verification_alone_and_these_by_nobody_at_first():
    homes = ("customers.scoring.learning", "customers.scoring.verification")
    seen = 0
    for path, parts in modules():
        if is_test(parts) or ".".join(parts).startswith(homes):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                module = getattr(node, "module", None) or ""
                imported = [module, *(f"{module}.{name}".lstrip(".") for name in names)]
                assert not any(name.split(".")[0] == "numpy" or name.startswith(homes) for name in imported), path
                seen += 1
    assert seen > 500


def test_verify_runs_one_check_and_says_what_holds(db):
    told = ran("lead_model", "verify", "--only=points")
    assert told.code == 0
    assert [line.split("|")[-1].strip() for line in told.out.splitlines()] == ["holds"] * 3


def test_verify_ends_with_one_when_a_row_does_not_hold(db, monkeypatch):
    monkeypatch.setattr(points, "FORBIDDEN", {"duration"})
    told = ran("lead_model", "verify", "--only=points", "--format=json")
    assert told.code == 1
    assert [row["holds"] for row in json.loads(told.out)] == [True, True, False]
    assert ran("lead_model", "verify", "--only=nothing").code == 1


@pytest.mark.slow
@pytest.mark.django_db
def test_all_that_scores_promise_is_seen_on_simulated_brokerages():
    before = Organization.objects.count()
    told = ran("lead_model", "verify")
    assert told.code == 0, told.out
    assert Organization.objects.count() == before
