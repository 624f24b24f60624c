"""/customers/:id/interactions: who was in touch with a customer, and what that tells of them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from config.testing import data_of, error_of, fields_of, make_customer, nothing_changes, requests, statuses
from customers.models import Customer, Interaction


@pytest.fixture
def customer(ahmed, clock):
    customer = make_customer(ahmed)
    clock.move(days=10)
    return customer


@pytest.fixture
def path(customer):
    return f"customers/{customer.pk}/interactions"


def add(client, path, type="call", status=201, **body):
    if "date" in body:
        body["date"] = body["date"].isoformat()
    return data_of(client.post(path, {"type": type, **body}), status)["interaction"]


def facts(customer):
    row = Customer.objects.get(pk=customer.pk)
    return row.total_interactions, row.last_contact_at, row.last_contact_type


def measures(customer):
    row = Customer.objects.get(pk=customer.pk)
    return row.response_rate, row.avg_response_time


def test_everything_about_an_interaction_comes_back_as_it_was_written(as_, ahmed, path, clock):
    body = {
        "type": "call", "direction": "outbound", "date": "2024-01-20T09:00:00Z", "duration": 15,
        "notes": "مكالمة\nمتابعة", "outcome": "موعد يوم الأحد", "sentiment": "positive", "followUpRequired": True,
        "followUpDate": "2024-01-28T10:00:00Z",
    }  # fmt: skip
    ignored = {"agentName": "غيره", "agentId": "emp_x", "createdBy": "غيره"}
    response = as_(ahmed).post(path, {**body, **ignored})
    shown = data_of(response, 201)["interaction"]
    assert shown == {**body, "id": shown["id"], "agentName": ahmed.name, "agentId": ahmed.pk}
    assert shown["id"].startswith("int_") and response["Location"] == f"/api/v1/{path}/{shown['id']}"
    assert data_of(as_(ahmed).get(f"{path}/{shown['id']}"))["interaction"] == shown


def test_only_the_type_is_needed_and_now_is_when(as_, ahmed, path, clock):
    shown = add(as_(ahmed), path, duration="", direction="", sentiment=None, notes=None)
    assert shown == {
        "id": shown["id"], "type": "call", "date": clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"), "notes": "",
        "agentName": ahmed.name, "agentId": ahmed.pk, "followUpRequired": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "fax"}, "type"),
        ({"type": ["call"]}, "type"),
        ({"type": "call", "direction": "sideways"}, "direction"),
        ({"type": "call", "date": "soon"}, "date"),
        ({"type": "call", "date": 5}, "date"),
        ({"type": "call", "date": "0001-01-01T00:00:00Z"}, "date"),
        ({"type": "call", "followUpDate": "9999-12-31"}, "followUpDate"),
        ({"type": "call", "duration": -1}, "duration"),
        ({"type": "call", "duration": 1441}, "duration"),
        ({"type": "call", "duration": "long"}, "duration"),
        ({"type": "call", "outcome": "x" * 501}, "outcome"),
        ({"type": "call", "sentiment": "angry"}, "sentiment"),
        ({"type": "call", "followUpRequired": "perhaps"}, "followUpRequired"),
        ({"type": "call", "followUpDate": "never"}, "followUpDate"),
        ({"type": "call", "notes": {"a": 1}}, "notes"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(as_, ahmed, path, body, field):
    with nothing_changes():
        assert fields_of(as_(ahmed).post(path, body)) == [field]


def test_nothing_has_happened_in_the_future_but_for_clocks_that_differ(as_, ahmed, path, clock):
    add(as_(ahmed), path, date=clock.now + timedelta(minutes=5))
    with nothing_changes():
        late = (clock.now + timedelta(minutes=6)).isoformat()
        assert fields_of(as_(ahmed).post(path, {"type": "call", "date": late}), 422) == ["date"]
    one = f"{path}/{Interaction.objects.get().pk}"
    with nothing_changes():
        assert fields_of(as_(ahmed).patch(one, {"date": late}), 422) == ["date"]


def test_who_assigns_may_name_another_agent_and_nobody_else_may(as_, layla, fatima, ahmed, omar, noura, path, customer):
    assert add(as_(fatima), path, agentId=ahmed.pk)["agentName"] == ahmed.name
    assert add(as_(fatima), path)["agentId"] == fatima.pk
    for stranger in (omar, noura):
        with nothing_changes():
            body = {"type": "call", "agentId": stranger.pk}
            assert fields_of(as_(fatima).post(path, body), 422) == ["agentId"]
    own = add(as_(ahmed), path, agentId=fatima.pk)
    assert own["agentId"] == ahmed.pk
    one = f"{path}/{own['id']}"
    assert data_of(as_(ahmed).patch(one, {"agentId": fatima.pk}))["interaction"]["agentId"] == ahmed.pk
    assert data_of(as_(layla).patch(one, {"agentId": omar.pk}))["interaction"]["agentName"] == omar.name
    assert data_of(as_(ahmed).put(one, {**own, "agentId": omar.pk, "notes": "x"}))["interaction"]["agentId"] == omar.pk


def test_the_agent_is_called_as_at_the_time(as_, layla, ahmed, path):
    shown = add(as_(ahmed), path)
    data_of(as_(layla).patch(f"employees/{ahmed.pk}", {"name": "أحمد الجديد"}))
    assert data_of(as_(ahmed).get(path))["interactions"] == [shown]


# --- What it tells of the customer -------------------------------------------------------------------


def test_the_newest_contact_is_the_last_and_a_note_is_none(as_, ahmed, customer, path, clock):
    client, now = as_(ahmed), clock.now
    add(client, path, "whatsapp", date=now - timedelta(days=2))
    assert facts(customer) == (1, now - timedelta(days=2), "whatsapp")
    add(client, path, "call", date=now - timedelta(days=3))
    add(client, path, "note")
    assert facts(customer) == (3, now - timedelta(days=2), "whatsapp")
    newest = add(client, path, "meeting", date=now - timedelta(days=1))
    assert facts(customer) == (4, now - timedelta(days=1), "meeting")
    data_of(client.patch(f"{path}/{newest['id']}", {"type": "note"}))
    assert facts(customer) == (4, now - timedelta(days=2), "whatsapp")
    for row in data_of(client.get(path))["interactions"]:
        data_of(client.delete(f"{path}/{row['id']}"))
    assert facts(customer) == (0, None, "")


def test_a_last_contact_that_was_imported_stays_until_there_is_a_later_one(as_, ahmed, customer, path, clock):
    known = clock.now - timedelta(days=1)
    Customer.objects.filter(pk=customer.pk).update(
        last_contact_at=known, last_contact_type="sms", total_interactions=12, response_rate=85, avg_response_time=2.5
    )
    client = as_(ahmed)
    old = add(client, path, "call", date=known - timedelta(days=5))
    assert facts(customer) == (13, known, "sms")
    data_of(client.patch(f"{path}/{old['id']}", {"date": (known - timedelta(days=4)).isoformat()}))
    data_of(client.delete(f"{path}/{old['id']}"))
    assert facts(customer) == (12, known, "sms")
    assert measures(customer) == (Decimal("85.00"), Decimal("2.50"))
    add(client, path, "email")
    assert facts(customer) == (13, clock.now, "email")


def test_how_soon_customers_are_answered_follows_the_interactions(as_, ahmed, customer, path):
    client, created = as_(ahmed), customer.created_at

    def after(**step):
        return created + timedelta(**step)

    add(client, path, "note", direction="outbound", date=after(hours=1))
    add(client, path, "meeting", date=after(hours=1))
    assert measures(customer) == (None, None)
    add(client, path, direction="outbound", date=after(hours=6))
    assert measures(customer) == (None, Decimal("6.00"))
    add(client, path, direction="inbound", date=after(days=1))
    assert measures(customer) == (Decimal("0.00"), Decimal("6.00"))
    answer = add(client, path, direction="outbound", date=after(days=1, hours=24))
    assert measures(customer) == (Decimal("100.00"), Decimal("15.00"))  # (6 + 24) / 2
    add(client, path, direction="inbound", date=after(days=3))
    assert measures(customer) == (Decimal("50.00"), Decimal("15.00"))
    data_of(client.patch(f"{path}/{answer['id']}", {"date": after(days=2, hours=1).isoformat()}))
    assert measures(customer) == (Decimal("0.00"), Decimal("15.50"))
    for row in data_of(client.get(path))["interactions"]:
        data_of(client.delete(f"{path}/{row['id']}"))
    assert measures(customer) == (None, None)


def test_the_workload_of_employees_says_how_soon_they_answer(as_, layla, ahmed, omar, customer):
    for hours, owner in ((2, ahmed), (5, ahmed), (7, None)):
        other = make_customer(layla, assigned_employee_id=owner and owner.pk)
        Customer.objects.filter(pk=other.pk).update(avg_response_time=hours)
    people = data_of(as_(layla).get("employees", {"includeStats": "true"}))["employees"]
    stats = {person["id"]: person["stats"] for person in people}
    assert stats[ahmed.pk]["avgResponseTime"] == 3.5
    assert "avgResponseTime" not in stats[omar.pk]


def test_what_follows_is_no_edit_of_the_customer(as_, ahmed, customer, path):
    client = as_(ahmed)
    before = data_of(client.get(f"customers/{customer.pk}"))["customer"]
    etag = client.get(f"customers/{customer.pk}")["ETag"]
    add(client, path, direction="outbound")
    after = data_of(client.get(f"customers/{customer.pk}"))["customer"]
    assert after["updatedAt"] == before["updatedAt"] and after["lastContactType"] == "call"
    data_of(client.patch(f"customers/{customer.pk}", {"notes": "ملاحظة"}, headers={"If-Match": etag}))


@pytest.mark.django_db(transaction=True)
def test_of_interactions_at_once_each_is_counted(ahmed, layla):
    customer = make_customer(ahmed)
    path = f"customers/{customer.pk}/interactions"
    assert statuses(requests(ahmed, [("post", path, {"type": "call", "direction": "inbound"})] * 6)) == [201] * 6
    row = Customer.objects.get(pk=customer.pk)
    newest = Interaction.objects.filter(customer=customer).latest("date")
    assert (row.total_interactions, row.last_contact_at) == (6, newest.date)


# --- The list and single ones --------------------------------------------------------------------------


def test_the_list_is_oldest_first_and_narrowed_on_demand(as_, layla, ahmed, path, clock):
    client, now = as_(ahmed), clock.now
    kinds = [("call", "inbound"), ("whatsapp", "outbound"), ("note", ""), ("call", "outbound")]
    keys = [add(client, path, kind, direction=direction, date=now - timedelta(days=9 - number))["id"]
            for number, (kind, direction) in enumerate(kinds)]  # fmt: skip
    theirs = add(as_(layla), path, sentiment="negative", date=now - timedelta(days=20))["id"]

    def listed(**query):
        return [row["id"] for row in data_of(client.get(path, query))["interactions"]]

    assert listed() == [theirs, *keys] and listed(sortOrder="desc", limit=2) == [keys[3], keys[2]]
    assert listed(type="call,note") == [theirs, keys[0], keys[2], keys[3]]
    assert listed(direction="outbound") == [keys[1], keys[3]]
    assert listed(sentiment="negative") == listed(agentId=layla.pk) == [theirs]
    assert listed(agentId="me") == keys
    day = (now - timedelta(days=8)).date().isoformat()
    assert keys[1] in listed(dateFrom=day) and keys[0] in listed(dateTo=day) and theirs not in listed(dateFrom=day)
    for query in ({"type": "fax"}, {"direction": "up"}, {"dateFrom": "soon"}, {"sortBy": "notes"}, {"limit": 101}):
        assert fields_of(client.get(path, query)) == list(query)


def test_if_match_guards_single_ones(as_, ahmed, path):
    client = as_(ahmed)
    one = f"{path}/{add(client, path)['id']}"
    stale = client.get(one)["ETag"]
    data_of(client.patch(one, {"notes": "أولاً"}, headers={"If-Match": stale}))
    for method in ("patch", "put", "delete"):
        with nothing_changes():
            response = client.call(method, one, {"notes": "ثانياً"}, headers={"If-Match": stale})
            error_of(response, 412, "PRECONDITION_FAILED")
