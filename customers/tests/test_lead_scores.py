"""Lead scores: `leadScore`, `aiInsights` and /customers/:id/score, as they are after the workers' next round."""

import json
import os
import signal

import pytest
from django.core.management import call_command
from django.db import connection

from config.models import AuditEntry
from config.testing import data_of, error_of, make_customer
from config.tests.commands import ran
from customers import tasks
from customers.models import Customer, LeadFeatureSnapshot, LeadScore, LeadScoreModel, LeadScoreTouch
from customers.scoring.scorecard import FEATURES, SPEC_HASH
from customers.services import scoring
from realtime.models import Event

WISHES = {
    "purpose": "buy", "timeline": "immediate", "propertyType": ["villa"], "preferredAreas": ["الرياض - النرجس"],
    "budgetMin": 900_000, "budgetMax": 1_500_000, "bedrooms": 4,
}  # fmt: skip


@pytest.fixture
def customer(ahmed, clock):
    customer = make_customer(ahmed, source="referral", preferences=WISHES)
    clock.move(days=1)
    return customer


def scored(client, customer):
    tasks.score_touched()
    shown = data_of(client.get(f"customers/{customer.pk}"))["customer"]
    score = data_of(client.get(f"customers/{customer.pk}/score"))["score"]
    assert score["score"] == shown["leadScore"]
    return score


def points_of(score):
    return {line["feature"]: line["points"] for line in score["features"] if line["points"]}


def talk(client, customer, **values):
    data_of(client.post(f"customers/{customer.pk}/interactions", {"type": "call", **values}), 201)


def test_a_score_is_the_sum_of_its_points(as_, ahmed, customer):
    score = scored(as_(ahmed), customer)
    assert points_of(score) == {
        "source": 8, "timeline": 8, "completeness": 4, "response_rate": 3, "streak": 4, "sentiment": 1, "momentum": 3,
    }  # fmt: skip
    assert (score["score"], score["points"], score["level"], score["modelVersion"]) == (31, 31, "l0", 0)
    assert score["probabilityBasis"] == "default"


def test_base_and_reasons_add_up_to_the_score(as_, ahmed, customer):
    score = scored(as_(ahmed), customer)
    assert score["base"] + sum(line["delta"] for line in score["features"]) == pytest.approx(score["score"], abs=0.2)
    assert [line["feature"] for line in score["features"]] == [feature.name for feature in FEATURES]
    assert score["positive"][0] == {
        "feature": "timeline", "delta": 4.2, "text": "يريد الشراء فورًا", "textEn": "Wants to buy at once",
    }  # fmt: skip
    assert all(reason["delta"] >= 2 for reason in score["positive"])
    assert all(reason["delta"] <= -2 for reason in score["negative"])


def test_a_call_that_lasted_counts_within_the_next_round(as_, ahmed, customer):
    client = as_(ahmed)
    before = scored(client, customer)
    talk(client, customer, direction="outbound", duration=16, sentiment="positive")
    after = scored(client, customer)
    gained = {name: points - points_of(before).get(name, 0) for name, points in points_of(after).items()}
    assert {name: points for name, points in gained.items() if points} == {
        "recency": 12, "frequency": 2, "longest_talk": 6, "first_response": 1, "sentiment": 1,
    }  # fmt: skip
    assert (after["previousScore"], after["trend"], after["score"]) == (31, "up", 53)


def test_a_message_without_an_answer_is_a_try_and_no_contact(as_, ahmed, customer):
    client = as_(ahmed)
    for _try in range(2):
        talk(client, customer, type="whatsapp", direction="outbound")
    points = points_of(scored(client, customer))
    assert not {"recency", "frequency", "response_rate"} & points.keys()
    assert (points["streak"], points["first_response"]) == (1, 1)


def test_an_answer_within_three_days_makes_contacts_of_both(as_, ahmed, customer, clock):
    client = as_(ahmed)
    talk(client, customer, type="whatsapp", direction="outbound")
    clock.move(hours=71)
    talk(client, customer, type="whatsapp", direction="inbound")
    points = points_of(scored(client, customer))
    assert (points["frequency"], points["inbound"], points["streak"], points["response_rate"]) == (4, 5, 4, 3)


def test_a_score_is_no_edit(as_, ahmed, customer):
    client = as_(ahmed)
    talk(client, customer, direction="inbound", duration=5)
    row = Customer.objects.get(pk=customer.pk)
    before = AuditEntry.objects.count(), Event.objects.count(), row.version, row.updated_at
    tasks.score_touched()
    row.refresh_from_db()
    assert row.lead_score == 53
    assert before == (AuditEntry.objects.count(), Event.objects.count(), row.version, row.updated_at)


def test_who_was_not_touched_keeps_the_score_until_the_night(as_, ahmed, customer, clock):
    client = as_(ahmed)
    talk(client, customer, direction="inbound")
    fresh = scored(client, customer)
    clock.move(days=40)
    assert scored(client, customer)["score"] == fresh["score"]
    tasks.score_everybody()
    later = scored(client, customer)
    assert later["trend"] == "down" and "recency" not in points_of(later) and "inbound" not in points_of(later)


def test_the_queue_is_empty_afterwards(customer):
    assert LeadScoreTouch.objects.filter(customer_id=customer.pk).exists()
    assert tasks.score_touched() == 1
    assert (tasks.score_touched(), LeadScoreTouch.objects.count()) == (0, 0)


def test_nobody_without_contact_scores_above_sixty(as_, ahmed, customer):
    client = as_(ahmed)
    Customer.objects.filter(pk=customer.pk).update(stage="contract_prep")
    customer.stage_history.update(to_stage="contract_prep")
    for number in range(3):
        path = f"customers/{customer.pk}/properties"
        body = {"propertyId": f"prop_{number}", "propertyTitle": "فيلا", "status": "offer_made"}
        data_of(client.post(path, body), 201)
    score = scored(client, customer)
    assert score["points"] <= 60 and score["score"] == score["points"]
    model = model_of(ahmed.organization_id, stage=[0, 0, 0, 0, 0, 9, 9])
    assert scoring.recompute(ahmed.organization, [customer.pk]).scored == 1
    capped = scored(client, customer)
    assert (capped["score"], capped["modelVersion"]) == (60, model.version)
    assert capped["base"] + sum(line["delta"] for line in capped["features"]) == pytest.approx(60, abs=0.2)


def test_who_has_paid_scores_ninety_and_who_has_bought_a_hundred(as_, layla, customer):
    client = as_(layla)
    for stage, least in (("down_payment", 90), ("post_sale", 100)):
        data_of(client.patch(f"customers/{customer.pk}/stage", {"toStage": stage, "overrideReason": "نقدًا"}))
        score = scored(client, customer)
        assert (score["score"], score["conversionProbability"]) == (least, 100)
        assert score["base"] + sum(line["delta"] for line in score["features"]) == pytest.approx(least, abs=0.2)


def model_of(organization_id, **coefs):
    """An active model that knows nothing but these coefficients, one per bin."""
    zeros = {feature.name: [0.0] * len(feature.points) for feature in FEATURES}
    shares = {feature.name: [1 / len(feature.points)] * len(feature.points) for feature in FEATURES}
    return LeadScoreModel.objects.create(
        organization_id=organization_id, version=3, kind="l2", status="active", spec_hash=SPEC_HASH, intercept=-2.0,
        coefs=zeros | coefs, bin_share=shares,
        scale={"points_mean": 40, "points_sd": 10, "logit_mean": -2.0, "logit_sd": 1},
    )  # fmt: skip


def test_an_active_model_counts_instead_of_the_points(as_, ahmed, customer):
    model = model_of(ahmed.organization_id, timeline=[0, 0, 0, 0, 1.0])
    score = scored(as_(ahmed), customer)
    # Ten points of the score for each unit of the logit: 40 at the mean, and one unit above it.
    assert (score["score"], score["level"], score["modelVersion"]) == (50, "l2", model.version)
    assert (score["probabilityBasis"], score["conversionProbability"]) == ("fitted", 27)


def test_a_model_of_other_features_counts_for_nothing(as_, ahmed, customer):
    model_of(ahmed.organization_id, timeline=[0, 0, 0, 0, 1.0])
    LeadScoreModel.objects.update(spec_hash="of another version")
    assert scored(as_(ahmed), customer)["level"] == "l0"


def test_the_score_of_a_customer_who_was_never_scored_is_worked_out(as_, ahmed, customer):
    score = data_of(as_(ahmed).get(f"customers/{customer.pk}/score"))["score"]
    assert score["score"] == 31 and "changedAt" not in score
    assert not LeadScore.objects.exists()


def test_nights_write_down_what_models_learn_from_when_it_changes_and_each_week(ahmed, customer, clock):
    def kept():
        tasks.score_everybody()
        return list(LeadFeatureSnapshot.objects.order_by("as_of").values_list("points", flat=True))

    assert kept() == [31]
    clock.move(hours=1)
    assert kept() == [31]
    clock.move(days=7)  # longer in the stage than usual
    assert kept() == [31, 29]
    clock.move(days=7)
    assert kept() == [31, 29, 29]


def test_what_is_kept_of_a_customer_goes_with_the_person(as_, layla, customer):
    client = as_(layla)
    tasks.score_everybody()
    data_of(client.post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}))
    assert not LeadScore.objects.exists() and not LeadFeatureSnapshot.objects.exists()


def test_what_was_written_of_a_customer_in_the_moment_in_which_it_went_is_pruned(ahmed, customer):
    gone = make_customer(ahmed)
    tasks.score_everybody()
    Customer.objects.filter(pk=gone.pk).delete()  # as if the round had begun before, and ended after it
    assert tasks.prune_lead_scores() == 2
    assert [model.objects.get().customer_id for model in (LeadScore, LeadFeatureSnapshot)] == [customer.pk] * 2


def test_the_score_of_another_organization_is_not_there(as_, noura, customer):
    error_of(as_(noura).get(f"customers/{customer.pk}/score"), 404)


def test_the_command_scores_everybody_and_says_what_it_did(customer, capsys):
    call_command("recompute_lead_scores", dry_run=True, jobs=1, summary="json")
    told = json.loads(capsys.readouterr().out)
    assert told == {"dryRun": True, "customers": 1, "changed": 1, "leftOut": 0} and not LeadScore.objects.exists()
    call_command("recompute_lead_scores", jobs=1, summary="json")
    assert json.loads(capsys.readouterr().out) == {"dryRun": False, "customers": 1, "changed": 1, "leftOut": 0}
    assert Customer.objects.get(pk=customer.pk).lead_score == 31


@pytest.mark.django_db(transaction=True)
def test_processes_side_by_side_score_everybody_of_all_organizations_once(ahmed, noura, monkeypatch, capsys):
    monkeypatch.setattr(scoring, "BATCH", 2)
    ids = {make_customer(employee).pk for employee in (ahmed, ahmed, ahmed, noura)}
    call_command("recompute_lead_scores", jobs=2, summary="json")
    assert json.loads(capsys.readouterr().out) == {"dryRun": False, "customers": 4, "changed": 4, "leftOut": 0}
    assert set(LeadScore.objects.values_list("customer_id", "score")) == {
        (key, score) for key, score in Customer.objects.values_list("pk", "lead_score") if key in ids
    }
    assert set(LeadFeatureSnapshot.objects.values_list("customer_id", flat=True)) == ids


def test_the_command_says_how_many_could_not_be_scored(ahmed, monkeypatch, capsys):
    odd, others, bins_of = make_customer(ahmed).pk, {make_customer(ahmed).pk for _number in range(4)}, scoring.bins_of

    def failing(facts):
        return bins_of(facts) if facts.customer_id != odd else 1 / 0

    monkeypatch.setattr(scoring, "bins_of", failing)
    told = ran("recompute_lead_scores", "--jobs=1")
    assert (told.code, told.out) == (2, "customers: 4\nscores changed: 4\nleft out: 1\n")
    assert set(LeadScore.objects.values_list("customer_id", flat=True)) == others


def test_an_organization_that_cannot_be_scored_is_left_out_as_a_whole(ahmed, noura, monkeypatch):
    for employee in (ahmed, ahmed, noura):
        make_customer(employee)
    active_card = scoring.active_card
    monkeypatch.setattr(scoring, "active_card", lambda key: active_card(key) if key == noura.organization_id else 1 / 0)
    assert scoring.recompute_all() == scoring.Outcome(scored=1, changed=1, left_out=2)


@pytest.mark.django_db(transaction=True)
def test_the_command_says_when_one_of_its_processes_was_ended(ahmed, monkeypatch):
    make_customer(ahmed)
    monkeypatch.setattr(scoring._Run, "score", lambda *_batch: os.kill(os.getpid(), signal.SIGKILL))
    told = ran("recompute_lead_scores", "--jobs=2")
    assert told.code == 1 and told.refusal.startswith("A process of it was ended")


def times_vacuumed():
    with connection.cursor() as cursor:
        cursor.execute("SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'customers'")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_what_very_many_changed_scores_leave_behind_is_cleared_away_and_of_few_it_is_not(ahmed, monkeypatch):
    for _number in range(3):
        make_customer(ahmed)
    before = times_vacuumed()
    monkeypatch.setattr(scoring, "TIDIED_FROM", 4)
    assert scoring.recompute_all().changed == 3 and times_vacuumed() == before
    Customer.objects.update(lead_score=99)
    monkeypatch.setattr(scoring, "TIDIED_FROM", 3)
    assert scoring.recompute_all(dry_run=True).changed == 3 and times_vacuumed() == before
    assert scoring.recompute_all().changed == 3 and times_vacuumed() == before + 1


@pytest.mark.parametrize(
    ("info", "points"),
    [
        ({"status": "application_submitted"}, 2),
        ({"status": "pre_approved"}, 4),
        ({"status": "approved", "approvedAmount": 900_000}, 5),
        ({"status": "rejected"}, 0),
        ({"status": "not_applied", "financingType": "self_funded"}, 5),
    ],
)
def test_who_can_pay_scores_more(as_, ahmed, customer, info, points):
    client = as_(ahmed)
    data_of(client.put(f"customers/{customer.pk}/compliance/mortgage-info", info))
    assert points_of(scored(client, customer)).get("financing", 0) == points


def test_one_who_cannot_be_scored_holds_up_nobody(ahmed, customer, monkeypatch, caplog):
    others = [make_customer(ahmed) for _ in range(4)]

    def insights_of(scored, context):
        if scored.facts.customer_id == customer.pk:
            raise ValueError("odd")
        return {}

    monkeypatch.setattr(scoring, "insights_of", insights_of)
    assert tasks.score_touched() == 4
    assert set(LeadScore.objects.values_list("customer_id", flat=True)) == {each.pk for each in others}
    assert [record.facts for record in caplog.records if record.name == "hub.jobs"] == [{"row": customer.pk}]


@pytest.mark.parametrize("kind", ["call", "note"])
def test_the_sentiment_of_a_hundred_years_ago_has_no_weight_today(as_, ahmed, customer, kind):
    client = as_(ahmed)
    talk(client, customer, type=kind, direction="inbound", date="1926-01-01T10:00:00Z", sentiment="positive")
    scored(client, customer)
    assert data_of(client.get(f"customers/{customer.pk}"))["customer"]["aiInsights"]["sentimentScore"] == 0


def test_nothing_is_computed_of_a_person_who_was_erased(as_, layla, customer):
    client = as_(layla)
    tasks.score_everybody()
    data_of(client.post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}))
    tasks.score_touched()
    tasks.score_everybody()
    assert not LeadScore.objects.exists() and not LeadFeatureSnapshot.objects.exists()
    error_of(client.get(f"customers/{customer.pk}/score"), 404)


def test_who_was_touched_in_a_transaction_that_is_still_open_is_scored_after_it(ahmed, customer, monkeypatch):
    other = make_customer(ahmed)
    LeadScoreTouch.objects.all().delete()
    LeadScoreTouch.objects.create(pk=10_000_002, customer_id=customer.pk)
    real = scoring.recompute

    def recompute(*args, **options):
        # Its number was drawn before; only now is it committed.
        LeadScoreTouch.objects.create(pk=10_000_001, customer_id=other.pk)
        monkeypatch.setattr(scoring, "recompute", real)
        return real(*args, **options)

    monkeypatch.setattr(scoring, "recompute", recompute)
    tasks.score_touched()
    tasks.score_touched()
    assert set(LeadScore.objects.values_list("customer_id", flat=True)) == {customer.pk, other.pk}
