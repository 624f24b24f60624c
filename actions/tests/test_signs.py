"""What rules ask of rows beside the Facts is found in the rows, through scoring: one customer for each sign."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from actions.signs import AFTERMATH_HOURS
from config.testing import make_action, make_customer
from customers.models import (
    Appointment,
    Customer,
    Interaction,
    LeadScore,
    MortgageInfo,
    Payment,
    PropertyInterest,
    PropertyMatch,
    StatusChange,
)
from customers.services.scoring import recompute

TUESDAY = datetime(2026, 11, 24, 11, tzinfo=ZoneInfo("Asia/Riyadh"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def two_months_ago(clock):
    """Customers come two months before the Tuesday that they are scored on."""
    clock.now = TUESDAY - 60 * DAY


def advice_of(*customers):
    """The rule that is advised for each, or None, on the Tuesday."""
    recompute(customers[0].organization, [customer.pk for customer in customers], now=TUESDAY)
    advice = dict(LeadScore.objects.values_list("customer_id", "advice"))
    return [advice[customer.pk] and advice[customer.pk]["rule"] for customer in customers]


def person(actor, stage="qualified", entered=TUESDAY - 2 * DAY, **values):
    """Somebody of whom all is known and who was called on Monday."""
    preferences = {"purpose": "rent", "budgetMax": 9, "propertyType": ["villa"], "preferredAreas": ["الرياض - النرجس"],
                   "timeline": "1-3months", "bedrooms": 3} | values.pop("preferences", {})  # fmt: skip
    customer = make_customer(actor, preferences=preferences, national_id=values.pop("national_id", ""), **values)
    Customer.objects.filter(pk=customer.pk).update(stage=stage, stage_entered_at=entered)
    customer.stage_history.update(to_stage=stage, changed_at=entered)
    contact(customer, TUESDAY - DAY, type="call", direction="outbound", duration=3)
    return customer


def of(customer, model, **values):
    return model.objects.create(organization_id=customer.organization_id, customer=customer, **values)


def contact(customer, at, **values):
    return of(customer, Interaction, date=at, created_at=at, agent_name="", agent_id="", **values)


def recorded(customer, row, status, at):
    StatusChange.objects.create(
        customer=customer, collection=row.collection(), item_id=row.pk, to_status=status, changed_by="",
        changed_by_id="", recorded_at=at,
    )  # fmt: skip


def visit(customer, at, status, kind="site_visit"):
    row = of(customer, Appointment, title="معاينة", type=kind, datetime=at, status=status, created_at=TUESDAY - 9 * DAY)
    recorded(customer, row, status, min(at, TUESDAY - HOUR))
    return row


def test_an_open_request_to_call_comes_first_and_one_that_is_put_off_waits(ahmed):
    asked, later = person(ahmed), person(ahmed)
    make_action(ahmed, asked, type="callback_request")
    make_action(ahmed, later, type="callback_request", status="snoozed", snoozed_until=TUESDAY + DAY)
    assert advice_of(asked, later) == ["callback_due", "follow_up"]


def test_a_message_waits_until_it_is_answered_and_a_call_was_an_answer(ahmed):
    waiting, fresh, answered, called = (person(ahmed) for _ in range(4))
    for customer, hours in ((waiting, 3), (fresh, 1), (answered, 3)):
        contact(customer, TUESDAY - hours * HOUR, type="whatsapp", direction="inbound")
    contact(waiting, TUESDAY - HOUR, type="whatsapp", direction="inbound")
    contact(answered, TUESDAY - HOUR, type="email", direction="outbound")
    contact(called, TUESDAY - 3 * HOUR, type="call", direction="inbound")
    assert advice_of(waiting, fresh, answered, called) == ["inbound_unanswered", "follow_up", "follow_up", "follow_up"]


def test_payments_are_overdue_after_their_day_unless_paid(ahmed):
    late, today, paid = (person(ahmed, stage="closing", national_id="1000000008") for _ in range(3))
    for customer, day, status in ((late, 23, "pending"), (today, 24, "pending"), (paid, 23, "paid")):
        of(customer, Payment, type="installment", amount=1, due_date=date(2026, 11, day), status=status)
    # What the gates ask for comes next.
    assert advice_of(late, today, paid) == ["payment_overdue", "docs_missing", "docs_missing"]
    said = {row.customer_id: row.advice for row in LeadScore.objects.all()}
    assert said[late.pk]["facts"] == {"days": 1}
    assert "BROKERAGE_CONTRACT_REQUIRED" in said[today.pk]["facts"]["documents"]


def test_visits_that_are_near_and_not_confirmed_are(ahmed):
    near, sure, far = (person(ahmed) for _ in range(3))
    visit(near, TUESDAY + DAY, "scheduled")
    visit(sure, TUESDAY + DAY, "confirmed")
    visit(far, TUESDAY + DAY + HOUR, "scheduled")
    assert advice_of(near, sure, far) == ["visit_tomorrow", "follow_up", "follow_up"]


def test_after_a_visit_somebody_asks_how_it_was(ahmed):
    seen, told, asked, missed, booked = (person(ahmed) for _ in range(5))
    at = TUESDAY - DAY - HOUR
    for customer in (seen, told, asked):
        Interaction.objects.filter(customer=customer).delete()
        visit(customer, at, "completed")
    contact(told, at + (AFTERMATH_HOURS - 1) * HOUR, type="call", direction="outbound", duration=2)
    contact(asked, at + AFTERMATH_HOURS * HOUR, type="call", direction="outbound", duration=2)
    for customer in (missed, booked):
        visit(customer, TUESDAY - 2 * DAY, "no_show")
    visit(booked, TUESDAY + 9 * DAY, "scheduled")
    rules = ["after_visit", "after_visit", "follow_up", "no_show", "follow_up"]
    assert advice_of(seen, told, asked, missed, booked) == rules


def test_a_liked_property_asks_for_an_offer_after_three_days(ahmed):
    liked, fresh, offered = (person(ahmed, stage="site_visit") for _ in range(3))
    for customer, days in ((liked, 4), (fresh, 2), (offered, 4)):
        row = of(customer, PropertyInterest, property_id="prop_1", property_title="فيلا", status="liked")
        recorded(customer, row, "liked", TUESDAY - days * DAY)
    row = of(offered, PropertyInterest, property_id="prop_2", property_title="شقة", status="offer_made")
    recorded(offered, row, "offer_made", TUESDAY - DAY)
    assert advice_of(liked, fresh, offered) == ["liked_no_offer", "follow_up", "follow_up"]
    assert LeadScore.objects.get(customer_id=liked.pk).insights["nextBestAction"] == "أعجبه فيلا - اعرض التفاوض"


def test_a_booked_signing_asks_for_the_contract(ahmed):
    signs, talks = person(ahmed, stage="negotiation"), person(ahmed, stage="negotiation")
    visit(signs, TUESDAY + 3 * DAY, "confirmed", kind="contract_signing")
    assert advice_of(signs, talks) == ["contract_ready", "follow_up"]


def test_who_buys_without_a_bank_or_means_is_asked_about_financing(ahmed):
    buys, applied, pays = (person(ahmed, stage="site_visit", preferences={"purpose": "buy"}) for _ in range(3))
    of(applied, MortgageInfo, status="application_submitted")
    of(pays, MortgageInfo, status="not_applied", financing_type="self_funded")
    MortgageInfo.objects.update(created_at=TUESDAY - DAY)
    assert advice_of(buys, applied, pays) == ["financing", "follow_up", "follow_up"]


def test_matches_that_were_found_since_the_last_contact_are_told_of(ahmed):
    new, old, fair = (person(ahmed) for _ in range(3))
    for customer, score, days in ((new, 85, 0), (old, 85, 2), (fair, 84, 0)):
        key = {"customer_id": customer.pk, "listing_id": "listing_1"}
        PropertyMatch.objects.create(**key, score=score, parts=[], matched_at=TUESDAY - days * DAY - HOUR)
    assert advice_of(new, old, fair) == ["matches_new", "follow_up", "follow_up"]


def test_who_must_not_be_contacted_is_left_alone(ahmed):
    assert advice_of(person(ahmed, do_not_contact=True)) == [None]


def test_a_batch_is_asked_about_by_as_many_statements_as_one_customer(ahmed, django_assert_max_num_queries):
    customers = [person(ahmed, stage=stage) for stage in ("qualified", "contract_prep", "down_payment", "closing") * 3]
    with django_assert_max_num_queries(100) as few:
        advice_of(customers[0], *customers[1:4])
    with django_assert_max_num_queries(len(few)):
        advice_of(*customers)
