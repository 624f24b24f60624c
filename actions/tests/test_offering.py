"""A listing that is new, cheaper or to be had again: at most one open property_match action for each customer."""

from datetime import UTC, datetime, timedelta

import pytest

from actions import services
from actions.models import CustomerAction
from actions.offering import MOST_TOLD, RULE
from actions.recommending import recommend
from config.testing import at_once, data_of, make_action, make_customer, make_listing
from customers import tasks
from customers.models import Customer, MatchRequest
from customers.services import consent
from customers.services import customer as customers
from customers.services import listing as listings
from customers.services.matching import match_listing, note_listings
from employees.choices import GatePreset

WISHES = {
    "purpose": "buy",
    "propertyType": ["villa"],
    "preferredAreas": ["الرياض - النرجس"],
    "budgetMax": 2_000_000,
    "bedrooms": 4,
}
VILLA = {"district": "النرجس", "price": 1_500_000, "bedrooms": 4}


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed, preferences=WISHES)


def offers(customer=None):
    found = CustomerAction.objects.filter(type="property_match").order_by("created_at")
    return list(found.filter(customer=customer) if customer else found)


def told(actor, **values):
    """A listing that the next job has told of."""
    listing = make_listing(actor, **VILLA | values)
    tasks.match_waiting()
    return listing


def again(listing):
    note_listings([listing], [{}], created=True)
    tasks.match_waiting()


def test_a_new_listing_opens_an_action_with_its_reasons_due_on_the_next_workday(clock, as_, ahmed, customer):
    clock.now = datetime(2026, 1, 1, 9, tzinfo=UTC)  # a Thursday: Friday and Saturday are no workdays
    listing = told(ahmed)
    (action,) = data_of(as_(ahmed).get("customers/actions?type=property_match"))["actions"]
    expected = {
        "customerId": customer.pk, "title": "فيلا واحدة تطابق تفضيلات العميل", "priority": "high", "status": "pending",
        "source": "inquiry", "assignedTo": ahmed.pk, "dueDate": "2026-01-04T06:00:00Z",
        "metadata": {
            "rule": RULE, "propertyIds": [listing.pk], "score": 89,
            "reasons": action["metadata"]["reasons"],
            "reasonsEn": ["Within the budget", "In a wanted district", "As many bedrooms as wanted"],
        },
    }  # fmt: skip
    assert {name: action[name] for name in expected} == expected
    assert len(action["metadata"]["reasons"]) == 3


def test_later_listings_join_the_open_action_and_a_replay_changes_nothing(ahmed, customer):
    first, second = told(ahmed), told(ahmed)
    (action,) = offers(customer)
    assert (action.title, action.metadata["propertyIds"]) == ("فيلتان تطابقان تفضيلات العميل", [first.pk, second.pk])
    for listing in (first, second):
        again(listing)
    assert [(row.pk, row.version) for row in offers()] == [(action.pk, 2)]
    apartment = make_customer(ahmed, preferences={**WISHES, "propertyType": []})
    third, flat = told(ahmed), told(ahmed, type="شقة")
    (mixed,) = offers(apartment)
    assert (mixed.title, mixed.metadata["propertyIds"]) == ("عقاران يطابقان تفضيلات العميل", [third.pk, flat.pk])


def test_an_action_tells_of_what_can_still_be_had_and_is_not_known_yet(as_, layla, ahmed, customer):
    sold, gone, known, left = (told(ahmed) for _number in range(4))
    for listing, status in ((sold, "sold"), (gone, "archived")):
        data_of(as_(layla).patch(f"listings/{listing.pk}", {"status": status}))
    data_of(as_(ahmed).post(f"customers/{customer.pk}/properties", {"propertyId": known.pk}), 201)
    last = told(ahmed)
    (action,) = offers()
    assert (action.title, action.metadata["propertyIds"]) == ("فيلتان تطابقان تفضيلات العميل", [left.pk, last.pk])


def test_an_action_is_taken_back_when_nothing_of_it_can_be_had_or_nobody_looks_any_more(
    clock, ahmed, layla, organization
):
    clock.now = datetime(2026, 11, 24, 8, tzinfo=UTC)  # a Tuesday at eleven in Riyadh
    everybody = {name: make_customer(ahmed, preferences=WISHES) for name in ("left", "far", "noted", "begun", "odd")}
    listing, other = told(ahmed), told(ahmed)
    of = {action.customer_id: action for action in offers()}
    of = {name: of[customer.pk] for name, customer in everybody.items()}

    def taken_back():
        clock.move(minutes=5)
        recommend(organization, now=clock.now)
        dismissed = CustomerAction.objects.filter(type="property_match", status="dismissed")
        return {name: dismissed.get(pk=of[name].pk).reason for name in of if dismissed.filter(pk=of[name].pk)}

    Customer.objects.filter(pk=everybody["far"].pk).update(stage="contract_prep")
    assert taken_back() == {"far": "تغيّر وضع العميل ولم تعد هذه الخطوة هي التالية"}
    services.add_note(of["noted"], actor=ahmed, content="سأتصل")
    services.start_action(of["begun"], actor=ahmed)
    for odd in ({"a": 1}, "text", [3, None, {}], None):
        CustomerAction.objects.filter(pk=of["odd"].pk).update(metadata={"propertyIds": odd})
        assert taken_back().keys() == {"far"}
    listings.update_listing(other, actor=layla, values={"status": "sold"})
    assert taken_back().keys() == {"far"}
    listings.update_listing(listing, actor=layla, values={"status": "reserved"})
    assert taken_back() == {
        "far": "تغيّر وضع العميل ولم تعد هذه الخطوة هي التالية", "left": "لم يعد أي من هذه العقارات متاحًا",
    }  # fmt: skip
    # Nobody has refused it, so that it is news when it can be had again.
    listings.update_listing(listing, actor=layla, values={"status": "available"})
    tasks.match_waiting()
    assert [action.status for action in offers(everybody["left"])] == ["dismissed", "pending"]


def test_what_is_cheaper_or_to_be_had_again_is_news_and_other_changes_are_none(ahmed, customer):
    listing = told(ahmed, status="reserved", price=1_500_000)

    def news_of(**values):
        CustomerAction.objects.all().delete()
        nonlocal listing
        listing = listings.update_listing(listing, actor=ahmed, values=values)
        tasks.match_waiting()
        return len(offers())

    changes = [{"status": "available"}, {"price": 1_470_000}, {"price": 1_425_900}, {"price": 1_600_000}, {"area": 300}]
    assert [news_of(**change) for change in changes] == [1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("end", "same_after", "other_after"),
    [(services.complete_action, timedelta(days=3), timedelta(days=3)),
     (services.dismiss_action, timedelta(days=14), timedelta(0))],
)  # fmt: skip
def test_an_ended_action_means_silence_for_a_while(clock, ahmed, customer, end, same_after, other_after):
    listing = told(ahmed)
    end(offers()[0], actor=ahmed)
    clock.move(seconds=1)
    other = make_listing(ahmed, **VILLA)
    for this, after in ((other, other_after), (listing, same_after)):
        clock.now = offers()[0].completed_at + max(after - timedelta(seconds=1), timedelta(0))
        if after:
            again(this)
            assert len([action for action in offers() if action.completed_at is None]) == 0
        clock.move(seconds=2)
        again(this)
        (opened,) = [action for action in offers() if action.completed_at is None]
        assert this.pk in opened.metadata["propertyIds"]
        opened.delete()


def test_nobody_is_told_of_customers_who_must_not_be_approached_or_have_come_too_far(layla, ahmed, organization):
    def make(**values):
        return make_customer(ahmed, preferences=WISHES, **values)

    make(stage="contract_prep")
    silent, gone, agreed = make(), make(), make(stage="negotiation")
    customers.update_customer(silent, actor=layla, values={"do_not_contact": True})
    customers.delete_customer(gone, actor=layla)
    told(ahmed)
    assert {action.customer_id for action in offers()} == {agreed.pk}
    CustomerAction.objects.all().delete()
    organization.gate_preset = GatePreset.STRICT
    organization.save()
    told(ahmed)
    assert offers() == []
    consent.add_consent(agreed, actor=ahmed, values={"purpose": "marketing", "granted": True, "channel": ""})
    told(ahmed)
    assert {action.customer_id for action in offers()} == {agreed.pk}


def test_the_best_by_lead_score_are_told_of(ahmed):
    ids = [make_customer(ahmed, preferences=WISHES).pk for _number in range(MOST_TOLD + 2)]
    for score, key in enumerate(ids):
        Customer.objects.filter(pk=key).update(lead_score=score)
    listing = told(ahmed)
    best = set(ids[2:])
    assert {action.customer_id for action in offers()} == best
    again(listing)
    assert {action.customer_id for action in offers()} == best


def test_none_is_opened_beside_one_that_people_have_opened_or_taken_over(as_, ahmed, customer):
    first = told(ahmed)
    (taken_over,) = offers(customer)
    path = f"customers/actions/{taken_over.pk}"
    data_of(as_(ahmed).post(f"{path}/complete", {}))
    data_of(as_(ahmed).post(f"{path}/restore", {}))
    other = make_customer(ahmed, preferences=WISHES)
    make_action(ahmed, other, type="property_match")
    CustomerAction.objects.filter(pk=taken_over.pk).update(status="in_progress")
    told(ahmed)
    assert [(action.rule, action.metadata.get("propertyIds")) for action in offers()] == [
        (None, [first.pk]), (None, None),
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_listings_at_once_open_one_action(ahmed, customer):
    tasks.match_waiting()
    pair = [make_listing(ahmed, **VILLA) for _number in range(2)]
    at_once(*(lambda key=listing.pk: match_listing(key) for listing in pair))
    (action,) = offers(customer)
    assert sorted(action.metadata["propertyIds"]) == sorted(listing.pk for listing in pair)
    assert MatchRequest.objects.count() == 0
