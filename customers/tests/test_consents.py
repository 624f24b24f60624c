"""What customers allow to be done with their data: consents, do-not-contact, and what depends on them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.testing import data_of, error_of, fields_of, make_customer, make_phone, nothing_changes
from customers.models import Consent
from employees.authentication import forget_identities


def consent(client, customer, purpose, status="granted", **more):
    return client.post(f"customers/{customer.pk}/consents", {"purpose": purpose, "status": status, **more})


def listed(client, **query):
    return {row["id"] for row in data_of(client.get("customers", {"limit": 100, **query}))["customers"]}


def test_a_consent_is_recorded_with_who_wrote_it_down_and_is_never_changed(as_, ahmed):
    customer, client = make_customer(ahmed), as_(ahmed)
    body = {"channel": "whatsapp", "at": "2026-01-05T10:00:00+03:00", "evidence": "نموذج موقّع", "recordedBy": "غيره"}
    made = data_of(consent(client, customer, "marketing", **body), 201)["consent"]
    assert made == {
        "id": made["id"],
        "purpose": "marketing",
        "channel": "whatsapp",
        "status": "granted",
        "at": "2026-01-05T07:00:00Z",
        "evidence": "نموذج موقّع",
        "recordedAt": made["recordedAt"],
        "recordedBy": ahmed.name,
        "recordedById": ahmed.pk,
    }
    assert made["id"].startswith("con_")
    path = f"customers/{customer.pk}/consents/{made['id']}"
    assert data_of(client.get(path))["consent"] == made
    for call in (client.put, client.patch):
        error_of(call(path, {"status": "withdrawn"}), 405)
    error_of(client.delete(path), 405)


@pytest.mark.parametrize(
    "body, field",
    [
        ({"purpose": "fun", "status": "granted"}, "purpose"),
        ({"purpose": "marketing", "status": "maybe"}, "status"),
        ({"purpose": "marketing"}, "status"),
        ({"status": "granted"}, "purpose"),
        ({"purpose": "marketing", "status": "granted", "channel": "pigeon"}, "channel"),
        ({"purpose": "marketing", "status": "granted", "at": "yesterday"}, "at"),
    ],
)
def test_what_no_consent_is_is_refused_by_name(as_, ahmed, body, field):
    customer = make_customer(ahmed)
    with nothing_changes():
        assert fields_of(as_(ahmed).post(f"customers/{customer.pk}/consents", body)) == [field]


def test_nobody_agreed_tomorrow(as_, ahmed):
    customer, tomorrow = make_customer(ahmed), timezone.now() + timedelta(days=1)
    assert fields_of(consent(as_(ahmed), customer, "marketing", at=tomorrow.isoformat()), 422) == ["at"]
    assert not Consent.objects.exists()


def test_the_last_word_counts_and_a_channel_speaks_for_itself_alone(as_, layla):
    client, customers = as_(layla), [make_customer(layla) for _ in range(5)]
    general, whatsapp, withdrawn, later, silent = customers
    consent(client, general, "marketing")
    consent(client, whatsapp, "marketing", channel="whatsapp")
    consent(client, withdrawn, "marketing")
    consent(client, withdrawn, "marketing", "withdrawn")
    # Recorded first, but said later: what was said last counts.
    consent(client, later, "marketing", "granted", at="2026-03-01T00:00:00Z")
    consent(client, later, "marketing", "withdrawn", at="2026-02-01T00:00:00Z")
    consent(client, silent, "credit_data")
    assert listed(client, consent="marketing") == {general.pk, later.pk}
    assert listed(client, consent="marketing:whatsapp") == {general.pk, whatsapp.pk, later.pk}
    assert listed(client, consent="marketing:sms") == {general.pk, later.pk}
    assert listed(client, consent="credit_data") == {silent.pk}
    consent(client, general, "marketing", "withdrawn", channel="sms")
    assert listed(client, consent="marketing:sms") == {later.pk}
    assert general.pk in listed(client, consent="marketing:whatsapp")
    for wrong in ("fun", "marketing:pigeon", ":whatsapp"):
        assert fields_of(client.get("customers", {"consent": wrong})) == ["consent"]


def test_who_must_not_be_contacted_agreed_to_no_marketing(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    consent(client, customer, "marketing")
    shown = data_of(client.patch(f"customers/{customer.pk}", {"doNotContact": True}))["customer"]
    assert shown["doNotContact"] is True
    assert listed(client, doNotContact="true") == {customer.pk}
    assert listed(client, consent="marketing") == set()
    shown = data_of(client.patch(f"customers/{customer.pk}", {"doNotContact": False}))["customer"]
    assert "doNotContact" not in shown
    assert listed(client, doNotContact="false", consent="marketing") == {customer.pk}


def offer(client, customer, type="property_match"):
    body = {"customerId": customer.pk, "type": type, "title": "عروض مناسبة"}
    return client.post("customers/actions", body)


def test_offers_need_consent_as_strictly_as_the_organization_is(as_, ahmed, organization):
    client, customer = as_(ahmed), make_customer(ahmed)
    (warning,) = data_of(offer(client, customer), 201)["warnings"]
    assert (warning["code"], warning["message"], warning["messageAr"]) == (
        "MARKETING_CONSENT_MISSING",
        "The customer has not agreed to marketing",
        "لم يوافق العميل على التسويق",
    )
    assert "warnings" not in data_of(offer(client, customer, "follow_up"), 201)
    organization.gate_preset = "strict"
    organization.save()
    forget_identities()
    with nothing_changes():
        assert fields_of(offer(client, customer), 422) == ["customerId"]
    consent(client, customer, "marketing")
    assert "warnings" not in data_of(offer(client, customer, "ai_recommended"), 201)


def test_nobody_makes_offers_to_who_must_not_be_contacted_by_any_door(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    consent(client, customer, "marketing")
    call = data_of(offer(client, customer, "callback_request"), 201)["action"]
    data_of(client.patch(f"customers/{customer.pk}", {"doNotContact": True}))
    with nothing_changes():
        assert fields_of(offer(client, customer), 422) == ["customerId"]
        error_of(client.patch(f"customers/actions/{call['id']}", {"type": "property_match"}), 422)
        body = {"actionIds": [call["id"]], "updates": {"type": "ai_recommended"}}
        error_of(client.post("customers/actions/bulk", body), 422)
    # What the customer asked for goes on.
    data_of(offer(client, customer, "callback_request"), 201)


def test_the_wish_not_to_be_contacted_dismisses_the_open_offers_and_nothing_else(as_, layla):
    client, customer, other = as_(layla), make_customer(layla), make_customer(layla)
    match, advice, done, theirs, call = (
        data_of(offer(client, whose, type), 201)["action"]["id"]
        for whose, type in (
            (customer, "property_match"), (customer, "ai_recommended"), (customer, "property_match"),
            (other, "property_match"), (customer, "callback_request"),
        )
    )  # fmt: skip
    data_of(client.post(f"customers/actions/{advice}/snooze", {"snoozedUntil": "2099-01-01"}))
    data_of(client.post(f"customers/actions/{done}/complete"))
    data_of(client.patch(f"customers/{customer.pk}", {"doNotContact": True}))
    shown = {
        key: (row["status"], row.get("reason"))
        for key in (match, advice, done, theirs, call)
        for row in [data_of(client.get(f"customers/actions/{key}"))["action"]]
    }
    because = ("dismissed", "طلب العميل عدم التواصل معه")
    assert shown == {
        match: because, advice: because, done: ("completed", None), theirs: ("pending", None), call: ("pending", None),
    }  # fmt: skip


def test_an_offer_that_ended_is_not_brought_back_to_who_must_not_be_contacted(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    key = data_of(offer(client, customer), 201)["action"]["id"]
    data_of(client.patch(f"customers/{customer.pk}", {"doNotContact": True}))
    path = f"customers/actions/{key}"
    with nothing_changes():
        assert fields_of(client.post(f"{path}/restore"), 422) == ["customerId"]
        assert fields_of(client.patch(path, {"status": "pending"}), 422) == ["customerId"]
    data_of(client.patch(f"customers/{customer.pk}", {"doNotContact": False}))
    assert data_of(client.post(f"{path}/restore"))["action"]["status"] == "pending"


@pytest.mark.parametrize("call", ["restore", "patch", "bulk"])
def test_a_snoozed_offer_is_not_woken_without_the_consent_that_a_strict_organization_asks_for(
    as_, layla, organization, call
):
    client, customer = as_(layla), make_customer(layla)
    key = data_of(offer(client, customer), 201)["action"]["id"]
    data_of(client.post(f"customers/actions/{key}/snooze", {"snoozedUntil": "2099-01-01"}))
    organization.gate_preset = "strict"
    organization.save()
    forget_identities()
    send, path, body = {
        "restore": (client.post, f"customers/actions/{key}/restore", {}),
        "patch": (client.patch, f"customers/actions/{key}", {"status": "in_progress"}),
        "bulk": (client.post, "customers/actions/bulk", {"actionIds": [key], "updates": {"status": "in_progress"}}),
    }[call]
    with nothing_changes():
        assert fields_of(send(path, body), 422) == ["customerId"]
    consent(client, customer, "marketing")
    data_of(send(path, body))


def test_consents_belong_to_the_customer_and_are_seen_with_it(as_, ahmed, omar, huda, noura, layla):
    customer = make_customer(ahmed)
    made = data_of(consent(as_(ahmed), customer, "id_copy"), 201)["consent"]
    other = make_customer(omar)
    for stranger in (omar, noura):
        client = as_(stranger)
        for path in (f"customers/{customer.pk}/consents", f"customers/{customer.pk}/consents/{made['id']}"):
            error_of(client.get(path), 404, "RESOURCE_NOT_FOUND")
        error_of(consent(client, customer, "id_copy"), 404)
    error_of(as_(omar).get(f"customers/{other.pk}/consents/{made['id']}"), 404)
    mine = make_customer(layla, assigned_employee_id=huda.pk, phone=make_phone())
    assert data_of(as_(huda).get(f"customers/{mine.pk}/consents"))["consents"] == []
    error_of(consent(as_(huda), mine, "id_copy"), 403, "PERMISSION_DENIED")
    page = data_of(as_(layla).get(f"customers/{customer.pk}/consents", {"purpose": "id_copy", "cursor": ""}))
    assert [row["id"] for row in page["consents"]] == [made["id"]]
