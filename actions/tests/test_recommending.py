"""What agents find in their list after the job that opens actions by what is advised for their customers."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from actions import recommending
from actions.models import CustomerAction, Recommendation
from actions.recommending import Done, recommend, recommend_everywhere
from actions.tasks import prune_recommendations
from config.testing import at_once, data_of, make_action, make_customer
from customers.models import Customer, LeadScore, LeadScoreTouch
from customers.scoring.features import Facts
from customers.scoring.scorecard import MISSING
from customers.services.scoring import recompute, recompute_touched
from employees.choices import GatePreset

RIYADH = ZoneInfo("Asia/Riyadh")
FOLLOW_UP = ("follow_up", {"date": "2026-11-24T07:00:00+00:00"})


@pytest.fixture(autouse=True)
def morning(clock, monkeypatch):
    """A Tuesday at eleven, on which nothing is held out."""
    clock.now = datetime(2026, 11, 24, 11, tzinfo=RIYADH)
    monkeypatch.setattr(recommending, "HELD_OUT", 0)
    return clock


def advise(customer, rule="churn_high", facts=None, *, anchor="touch:1", score=50):
    """Have something advised for a customer, as scoring would."""
    moment = customer.created_at.isoformat()
    values = [None] * len(Facts._fields)
    known = {
        "customer_id": customer.pk, "organization_id": customer.organization_id, "at": moment, "created_at": moment,
        "source": "inquiry", "missing_preferences": [], "completeness": 0, "inventory": 0, "touches_30d": 0,
        "inbound_30d": False, "tries_90d": 0, "answered_90d": 0, "streak": 0, "visits_45d": 0,
        "last_visit_no_show": False, "stage": "new_lead", "stage_entered_at": moment, "days_in_stage": 0.0,
        "touches": 0,
    }  # fmt: skip
    for name, value in known.items():
        values[Facts._fields.index(name)] = value
    LeadScore.objects.update_or_create(
        customer_id=customer.pk,
        defaults={
            "organization_id": customer.organization_id, "as_of": customer.created_at, "bins": list(MISSING),
            "values": values, "points": score, "score": score, "changed_at": customer.created_at, "logit": 0,
            "probability": 0.1, "basis": "default", "advice": {"rule": rule, "anchor": anchor, "facts": facts or {}},
        },
    )  # fmt: skip
    LeadScoreTouch.objects.all().delete()
    return customer


def run(organization, clock):
    """Let the job run, with everything scored that it has to wait for."""
    LeadScoreTouch.objects.all().delete()
    return recommend(organization, now=clock.now)


def opened():
    """`[(customer, rule)]` of the open actions of the system."""
    rows = CustomerAction.objects.filter(rule__isnull=False, completed_at=None)
    return sorted(rows.values_list("customer_id", "rule"))


def test_an_agent_finds_the_next_step_with_its_reasons_once(as_, ahmed, organization, morning):
    client = as_(ahmed)
    customer = make_customer(ahmed, name="سارة")
    recompute_touched(now=morning.now)
    assert recommend(organization, now=morning.now) == Done(opened=1)
    assert data_of(client.get(f"customers/{customer.pk}"))["customer"]["aiInsights"]["nextBestAction"] == (
        "عميل جديد - تواصل معه وأكد الميزانية والموعد"
    )
    (action,) = data_of(client.get("customers/actions"))["actions"]
    known = {"type": "ai_recommended", "title": "عميل جديد - تواصل معه وأكد الميزانية والموعد", "status": "pending",
             "priority": "high", "assignedTo": ahmed.pk, "dueDate": "2026-11-24T10:00:00Z"}  # fmt: skip
    assert {name: action[name] for name in known} == known
    facts = action["metadata"]
    assert facts["rule"] == "new_uncontacted" and facts["anchor"] == "new_lead:2026-11-24T08:00+00:00"
    assert facts["titleEn"] == "New lead - make first contact, confirm budget and timeline"
    assert facts["modelVersion"] == 0 and facts["leadScore"] == Customer.objects.get().lead_score
    assert {"feature": "recency", "points": -6, "text": "لا تواصل حتى الآن", "textEn": "No contact so far"} in (
        facts["reasons"]
    )
    recompute_touched(now=morning.now)
    assert recommend(organization, now=morning.now) == Done()


def test_what_holds_no_longer_is_taken_back_unless_somebody_has_touched_it(as_, ahmed, organization, morning):
    client = as_(ahmed)
    left, begun, noted = (make_customer(ahmed) for _ in range(3))
    recompute_touched(now=morning.now)
    recommend(organization, now=morning.now)
    of = {action.customer_id: action for action in CustomerAction.objects.all()}
    data_of(client.put(f"customers/actions/{of[begun.pk].pk}", {"status": "in_progress"}))
    data_of(client.post(f"customers/actions/{of[noted.pk].pk}/notes", {"content": "سأتصل"}), 201)
    morning.move(minutes=5)
    for customer in (left, begun, noted):
        body = {"type": "call", "direction": "outbound", "duration": 5}
        data_of(client.post(f"customers/{customer.pk}/interactions", body), 201)
    recompute_touched(now=morning.now)
    assert recommend(organization, now=morning.now).withdrawn == 1
    dismissed = CustomerAction.objects.get(status="dismissed")
    assert (dismissed.customer_id, dismissed.completed_by_id) == (left.pk, None)
    assert dismissed.reason == "تغيّر وضع العميل ولم تعد هذه الخطوة هي التالية"
    assert Recommendation.objects.get(action_id=dismissed.pk).silent_until is None


@pytest.mark.parametrize(
    ("now", "opens"),
    [("2026-11-24T08:59", 0), ("2026-11-24T09:00", 1), ("2026-11-24T17:00", 0), ("2026-11-27T11:00", 0)],
)
def test_nothing_is_opened_outside_of_working_hours(ahmed, organization, now, opens):
    advise(make_customer(ahmed))
    moment = datetime.fromisoformat(now).replace(tzinfo=RIYADH)
    assert recommend_everywhere(now=moment) == Done(opened=opens)


@pytest.mark.parametrize(
    ("rule", "there", "opens"),
    [
        ("churn_high", "ai_recommended", False),
        ("churn_high", "follow_up", True),
        ("new_uncontacted", "new_inquiry", False),
        ("payment_overdue", "payment_due", False),
        ("payment_overdue", "ai_recommended", True),
        ("callback_due", None, False),
        ("matches_new", None, False),
    ],
)
def test_what_somebody_has_to_do_already_is_not_opened_again(ahmed, organization, morning, rule, there, opens):
    customer = make_customer(ahmed)
    if there:
        make_action(ahmed, customer, type=there)
    advise(customer, rule, {"days": 3} if rule == "payment_overdue" else {})
    assert run(organization, morning) == Done(opened=int(opens))


def test_a_routine_follow_up_is_opened_on_its_day(ahmed, organization, morning):
    customer = advise(make_customer(ahmed), "follow_up", {"date": "2026-11-25T07:00:00+00:00"})
    assert run(organization, morning) == Done()
    morning.move(days=1)
    assert run(organization, morning) == Done(opened=1)
    action = CustomerAction.objects.get(customer=customer)
    assert (action.type, action.due_date) == ("follow_up", datetime(2026, 11, 25, 17, tzinfo=RIYADH))


def test_an_agent_is_given_the_best_leads_first_and_so_many_a_day(ahmed, omar, organization, morning, monkeypatch):
    monkeypatch.setattr(recommending, "A_DAY", 2)
    scores = (10, 40, 20, 30)
    ahmeds = {score: advise(make_customer(ahmed), score=score).pk for score in scores}
    omars = advise(make_customer(omar), score=5).pk
    assert run(organization, morning) == Done(opened=3)
    expected = {ahmeds[40], ahmeds[30], omars}
    assert {customer for customer, _rule in opened()} == expected
    assert run(organization, morning) == Done()
    morning.move(days=1)
    assert run(organization, morning) == Done(opened=2)
    assert {customer for customer, _rule in opened()} == {*ahmeds.values(), omars}


def test_whom_nobody_works_on_gets_no_action(layla, ahmed, huda, organization, morning):
    advise(make_customer(layla, assigned_employee_id=None))
    advise(make_customer(layla, assigned_employee_id=huda.pk))
    Customer.objects.filter(pk=advise(make_customer(ahmed)).pk).update(deleted_at=morning.now)
    assert run(organization, morning) == Done()


@pytest.mark.parametrize(
    ("values", "gates", "rule", "opens"),
    [
        ({"do_not_contact": True}, GatePreset.STANDARD, "churn_high", False),
        ({"do_not_contact": True}, GatePreset.STANDARD, "payment_overdue", True),
        ({}, GatePreset.STRICT, "churn_high", False),
        ({}, GatePreset.STRICT, "payment_overdue", True),
        ({}, GatePreset.STANDARD, "churn_high", True),
    ],
)
def test_who_may_not_be_approached_is_not(ahmed, organization, morning, values, gates, rule, opens):
    organization.gate_preset = gates
    organization.save()
    advise(make_customer(ahmed, **values), rule, {"days": 3} if rule == "payment_overdue" else {})
    assert run(organization, morning) == Done(opened=int(opens))


def test_consent_to_marketing_is_enough_for_strict_gates(as_, ahmed, organization, morning):
    organization.gate_preset = GatePreset.STRICT
    organization.save()
    customer = make_customer(ahmed)
    body = {"purpose": "marketing", "status": "granted"}
    data_of(as_(ahmed).post(f"customers/{customer.pk}/consents", body), 201)
    advise(customer)
    assert run(organization, morning) == Done(opened=1)


def test_what_was_dismissed_is_silent_for_a_week_and_then_for_a_month(as_, ahmed, organization, morning):
    client, customer = as_(ahmed), advise(make_customer(ahmed))
    for silence in (7, 30, 30):
        assert run(organization, morning) == Done(opened=1)
        action = CustomerAction.objects.get(completed_at=None)
        data_of(client.post(f"customers/actions/{action.pk}/dismiss", {"reason": "لا داعي"}))
        said = Recommendation.objects.get(action_id=action.pk)
        assert said.silent_until - action.created_at == timedelta(days=silence)
        assert run(organization, morning) == Done()
        morning.now = said.silent_until
    advise(customer, anchor="touch:2")
    assert run(organization, morning) == Done(opened=1)


def test_what_was_done_lets_the_next_rule_speak(as_, ahmed, organization, morning):
    client, customer = as_(ahmed), make_customer(ahmed)
    recompute_touched(now=morning.now)
    recommend(organization, now=morning.now)
    action = CustomerAction.objects.get()
    data_of(client.post(f"customers/actions/{action.pk}/complete", {"outcome": "تم"}))
    recompute_touched(now=morning.now)
    assert LeadScore.objects.get(customer_id=customer.pk).advice["rule"] == "complete_profile"
    assert recommend(organization, now=morning.now) == Done(opened=1)


def test_one_in_ten_is_held_out_by_the_same_draw_every_time(ahmed, organization, morning, monkeypatch):
    customer = advise(make_customer(ahmed))
    monkeypatch.setattr(recommending, "HELD_OUT", 1)
    assert run(organization, morning) == Done(held_out=1)
    assert run(organization, morning) == Done()
    assert not CustomerAction.objects.exists()
    said = Recommendation.objects.get()
    assert (said.customer_id, said.rule, said.anchor, said.is_held_out) == (customer.pk, "churn_high", "touch:1", True)
    # After two weeks nothing more is learnt from it, and another rule may speak.
    for days, rule in ((14, "new_uncontacted"), (15, "complete_profile")):
        Recommendation.objects.update(rule="new_uncontacted", anchor="new_lead:2026-11-24T08:00+00:00")
        recompute(organization, [customer.pk], now=said.made_at + timedelta(days=days))
        assert LeadScore.objects.get().advice["rule"] == rule


def test_the_draw_takes_a_tenth(monkeypatch):
    monkeypatch.setattr(recommending, "HELD_OUT", 0.1)
    advice = {"rule": "churn_high", "anchor": "touch:1"}
    drawn = [recommending.Candidate(f"cust_{n}", "", advice, 0, None, [], []).is_held_out for n in range(5000)]
    assert sum(drawn) == 503


def test_who_wrote_two_hours_of_work_ago_is_scored_anew(as_, ahmed, organization, morning):
    client, customer = as_(ahmed), make_customer(ahmed)
    other = make_customer(ahmed)
    for key, minutes in ((customer.pk, 121), (other.pk, 119)):
        moment = (morning.now - timedelta(minutes=minutes)).isoformat()
        body = {"type": "whatsapp", "direction": "inbound", "date": moment}
        data_of(client.post(f"customers/{key}/interactions", body), 201)
    LeadScoreTouch.objects.all().delete()
    recommend(organization, now=morning.now)
    assert set(LeadScoreTouch.objects.values_list("customer_id", flat=True)) == {customer.pk}


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_open_each_action_once(ahmed, organization, morning, monkeypatch):
    monkeypatch.setattr(recommending, "A_DAY", 3)
    for score in range(6):
        advise(make_customer(ahmed), score=score)
    done = at_once(*[lambda: recommend(organization, now=morning.now)] * 4)
    assert sum(each.opened for each in done) == 3
    assert len(opened()) == 3


@pytest.mark.parametrize("how", ["erase", "purge"])
def test_what_was_recommended_goes_with_the_person(as_, layla, ahmed, organization, morning, how):
    customer, client = advise(make_customer(ahmed)), as_(layla)
    run(organization, morning)
    assert Recommendation.objects.count() == 1
    if how == "erase":
        data_of(client.post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}))
    else:
        client.delete(f"customers/{customer.pk}?permanent=true")
    assert not Recommendation.objects.exists()


def test_what_was_recommended_more_than_two_years_ago_is_pruned(ahmed):
    customer, now = make_customer(ahmed), timezone.now()
    for days in (729, 731):
        Recommendation.objects.create(
            customer_id=customer.pk, organization_id=ahmed.organization_id, rule="nurture", anchor=f"{days}", score=40,
            model_version=0, made_at=now - timedelta(days=days),
        )  # fmt: skip
    assert prune_recommendations() == 1
    assert Recommendation.objects.get().anchor == "729"
