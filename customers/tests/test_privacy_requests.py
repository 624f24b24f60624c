"""What people ask of whoever keeps their data: privacy requests, and when they are to be answered."""

from datetime import timedelta

import pytest

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_customer, nothing_changes
from customers.models import PrivacyRequest


def ask(client, customer, kind="access", **more):
    return client.post(f"customers/{customer.pk}/privacy-requests", {"kind": kind, **more})


def listed(client, **query):
    return [row["id"] for row in data_of(client.get("privacy-requests", query))["privacyRequests"]]


def test_a_request_is_to_be_answered_within_thirty_days(as_, fatima, ahmed):
    customer = make_customer(ahmed)
    made = data_of(ask(as_(fatima), customer, receivedAt="2026-10-30T09:00:00+03:00"), 201)["privacyRequest"]
    assert made == {
        "id": made["id"],
        "customerId": customer.pk,
        "customerName": customer.name,
        "kind": "access",
        "status": "open",
        "receivedAt": "2026-10-30T06:00:00Z",
        "dueAt": "2026-11-29T06:00:00Z",
        "isOverdue": made["isOverdue"],
        "recordedBy": fatima.name,
        "recordedById": fatima.pk,
        "createdAt": made["createdAt"],
        "updatedAt": made["updatedAt"],
    }
    path = f"customers/{customer.pk}/privacy-requests/{made['id']}"
    assert data_of(as_(fatima).get(path))["privacyRequest"] == made
    error_of(as_(fatima).delete(path), 405)


def test_it_is_overdue_when_its_last_moment_has_passed_unless_that_was_put_off(as_, fatima, ahmed, clock):
    client, customer = as_(fatima), make_customer(ahmed)
    late, answered = (data_of(ask(client, customer), 201)["privacyRequest"] for _ in range(2))
    path = f"customers/{customer.pk}/privacy-requests"
    data_of(client.patch(f"{path}/{answered['id']}", {"status": "done", "identityVerified": True}))
    assert listed(client, overdue="true") == []
    clock.move(days=31)
    fresh = data_of(ask(client, customer, "object"), 201)["privacyRequest"]
    assert listed(client, overdue="true") == [late["id"]]
    assert set(listed(client, overdue="false")) == {answered["id"], fresh["id"]}
    assert data_of(client.get(f"{path}/{late['id']}"))["privacyRequest"]["isOverdue"] is True
    until = (clock.now + timedelta(days=10)).isoformat()
    body = {"extendedTo": until, "extensionReason": "سجلات كثيرة"}
    extended = data_of(client.patch(f"{path}/{late['id']}", body))["privacyRequest"]
    assert extended["isOverdue"] is False and listed(client, overdue="true") == []
    assert listed(client, status="open") == [late["id"], fresh["id"]]
    assert listed(client, kind="object", status="open,refused") == [fresh["id"]]


@pytest.mark.parametrize(
    "body, field",
    [
        ({"extendedTo": "2026-12-29T07:00:00Z", "extensionReason": "كثير"}, "extendedTo"),
        ({"extendedTo": "2026-11-29T06:00:00Z", "extensionReason": "كثير"}, "extendedTo"),
        ({"extendedTo": "2026-12-29T06:00:00Z"}, "extensionReason"),
        ({"receivedAt": "2099-01-01"}, "receivedAt"),
        ({"status": "done"}, "identityVerified"),
        ({"status": "refused"}, "outcome"),
    ],
)
def test_what_the_law_does_not_allow_is_refused_by_name(as_, fatima, ahmed, body, field):
    client, customer = as_(fatima), make_customer(ahmed)
    made = data_of(ask(client, customer, receivedAt="2026-10-30T06:00:00Z"), 201)["privacyRequest"]
    with nothing_changes():
        path = f"customers/{customer.pk}/privacy-requests/{made['id']}"
        assert fields_of(client.patch(path, body), 422) == [field]
    assert PrivacyRequest.objects.get().version == 1


@pytest.mark.parametrize(
    "body, field",
    [({}, "kind"), ({"kind": "fun"}, "kind"), ({"kind": "access", "status": "lost"}, "status"),
     ({"kind": "access", "receivedAt": "soon"}, "receivedAt"), ({"kind": "access", "extendedTo": 5}, "extendedTo")],
)  # fmt: skip
def test_what_is_malformed_is_refused_by_name(as_, fatima, ahmed, body, field):
    customer = make_customer(ahmed)
    assert fields_of(as_(fatima).post(f"customers/{customer.pk}/privacy-requests", body)) == [field]
    assert not PrivacyRequest.objects.exists()


def test_closing_says_when_and_who_made_sure_of_the_person_and_reopening_takes_it_back(as_, fatima, layla, ahmed):
    customer = make_customer(ahmed)
    made = data_of(ask(as_(fatima), customer, "correct", identityVerified=True), 201)["privacyRequest"]
    assert (made["identityVerifiedBy"], made["identityVerifiedById"]) == (fatima.name, fatima.pk)
    path = f"customers/{customer.pk}/privacy-requests/{made['id']}"
    closed = data_of(as_(layla).patch(path, {"status": "done", "outcome": "صحح الاسم"}))["privacyRequest"]
    assert closed["closedAt"] >= closed["identityVerifiedAt"] == made["identityVerifiedAt"]
    again = data_of(as_(layla).patch(path, {"identityVerified": True}))["privacyRequest"]
    assert again["identityVerifiedBy"] == fatima.name
    reopened = data_of(as_(layla).patch(path, {"status": "open"}))["privacyRequest"]
    assert "closedAt" not in reopened and reopened["outcome"] == "صحح الاسم"
    entry = AuditEntry.objects.filter(table_name="privacy_requests", operation="update").earliest("id")
    assert entry.changes["status"] == ["open", "done"] and entry.actor_id == layla.pk


def test_what_was_verified_or_closed_remains_a_request_of_its_kind(as_, fatima, ahmed):
    client, customer = as_(fatima), make_customer(ahmed)
    for kind, settled in (("destroy", {"identityVerified": True}), ("object", {"status": "done"})):
        made = data_of(ask(client, customer, kind), 201)["privacyRequest"]["id"]
        path = f"customers/{customer.pk}/privacy-requests/{made}"
        data_of(client.patch(path, {"kind": "correct"}))
        data_of(client.patch(path, {"kind": kind, **settled}))
        with nothing_changes():
            assert fields_of(client.patch(path, {"kind": "access"}), 422) == ["kind"]
        assert data_of(client.patch(path, {"kind": kind}))["privacyRequest"]["kind"] == kind


def test_of_somebody_who_was_erased_no_text_is_written_down(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    key = data_of(ask(client, customer, "destroy", identityVerified=True), 201)["privacyRequest"]["id"]
    data_of(client.post(f"customers/{customer.pk}/erase", {"confirm": customer.pk, "requestId": key}))
    path = f"customers/{customer.pk}/privacy-requests"
    texts = {"outcome": "سالم الحربي", "extensionReason": "سالم الحربي"}
    assert fields_of(ask(client, customer, **texts), 422) == ["outcome", "extensionReason"]
    assert fields_of(client.patch(f"{path}/{key}", {"outcome": "سالم"}), 422) == ["outcome"]
    data_of(client.patch(f"{path}/{key}", {"outcome": "", "status": "refused"}))
    (kept,) = data_of(client.get(path))["privacyRequests"]
    assert "outcome" not in kept and kept["identityVerifiedById"] == layla.pk


def test_a_consent_is_withdrawn_without_papers(as_, fatima, ahmed):
    client, customer = as_(fatima), make_customer(ahmed)
    made = data_of(ask(client, customer, "withdraw", status="done"), 201)["privacyRequest"]
    assert made["status"] == "done" and made["closedAt"]


def test_requests_are_seen_in_the_scope_of_those_who_lead_and_outlive_deleting(
    as_, layla, fatima, ahmed, omar, huda, noura
):
    mine, theirs = make_customer(ahmed), make_customer(omar)
    first = data_of(ask(as_(fatima), mine), 201)["privacyRequest"]["id"]
    second = data_of(ask(as_(layla), theirs), 201)["privacyRequest"]["id"]
    data_of(as_(fatima).delete(f"customers/{mine.pk}"))
    assert listed(as_(fatima)) == [first] and set(listed(as_(layla))) == {first, second}
    assert listed(as_(noura)) == []
    data_of(as_(fatima).patch(f"customers/{mine.pk}/privacy-requests/{first}", {"identityVerified": True}))
    for stranger, customer, key in ((fatima, theirs, second), (noura, mine, first)):
        path = f"customers/{customer.pk}/privacy-requests"
        error_of(as_(stranger).get(path), 404)
        error_of(as_(stranger).patch(f"{path}/{key}", {"identityVerified": True}), 404)
        error_of(ask(as_(stranger), customer), 404)
    for viewer in (ahmed, huda):
        error_of(as_(viewer).get("privacy-requests"), 403, "PERMISSION_DENIED")
        error_of(ask(as_(viewer), theirs), 403, "PERMISSION_DENIED")
