"""GET /customers/:id/timeline: everything that has happened to a customer, newest first, without loss or repeat."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from actions import services as actions
from actions.models import ActionNote, CustomerAction
from config.testing import data_of, error_of, fields_of, make_action, make_customer
from customers.models import Assignment, Interaction, PropertyInterest, Reminder, StageChange, StatusChange
from customers.services import activity
from customers.services import customer as customers
from documents.tests.files import upload

KINDS = {
    "stage_changed", "assigned", "interaction", "property_added", "property_status_changed", "appointment_made",
    "appointment_status_changed", "reminder_made", "reminder_completed", "action_created", "action_completed",
    "action_dismissed", "action_note", "document_added", "consent",
}  # fmt: skip


@pytest.fixture
def customer(ahmed, clock):
    return make_customer(ahmed)


def page(client, customer, **query):
    return data_of(client.get(f"customers/{customer.pk}/timeline", query))


def entries(client, customer, **query):
    return page(client, customer, **query)["timeline"]


def pages(client, customer, **query):
    """Every page from the first to the last."""
    cursor, found = "", []
    while cursor is not None:
        found.append(page(client, customer, cursor=cursor, **query))
        cursor = found[-1]["pagination"]["nextCursor"]
    return found


def ids(found):
    return [entry["id"] for part in found for entry in part["timeline"]]


def test_it_tells_everything_that_has_happened_newest_first(as_, layla, ahmed, omar, customer, clock):
    client, at = as_(layla), {}

    def next_minute():
        clock.move(minutes=1)
        return clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    at["interaction"] = next_minute()
    call = activity.add_interaction(customer, actor=ahmed, values={"type": "call", "notes": "اتصال"})
    at["property_added"] = next_minute()
    villa = activity.add_interest(customer, actor=ahmed, values={"property_id": "p", "property_title": "فيلا"})
    at["property_status_changed"] = next_minute()
    activity.change_interest(villa, actor=layla, values={"status": "viewed"})
    at["appointment_made"] = next_minute()
    ahead = clock.now + timedelta(days=9)
    visit = activity.add_appointment(customer, actor=ahmed, values={"type": "site_visit", "datetime": ahead})
    at["appointment_status_changed"] = next_minute()
    activity.change_appointment(visit, actor=ahmed, values={"status": "confirmed"})
    at["reminder_made"] = next_minute()
    reminder = activity.add_reminder(customer, actor=ahmed, values={"title": "تذكير", "datetime": ahead})
    at["reminder_completed"] = next_minute()
    activity.change_reminder(reminder, actor=ahmed, values={"status": "completed"})
    at["action_created"] = next_minute()
    done = make_action(ahmed, customer, notes="ملاحظة")
    at["action_completed"] = next_minute()
    actions.complete_action(done, actor=layla)
    at["stage_changed"] = next_minute()
    customers.change_stage(customer, actor=ahmed, to_stage="site_visit", reason="موعد")
    at["assigned"] = next_minute()
    customers.assign_customer(customer, actor=layla, employee_id=omar.pk)

    shown = entries(client, customer, limit=100)
    assert {entry["type"] for entry in shown} == KINDS - {"action_dismissed", "document_added", "consent"}
    assert [entry["at"] for entry in shown] == sorted((entry["at"] for entry in shown), reverse=True)
    newest = {}
    for entry in shown:
        newest.setdefault(entry["type"], entry)
    assert {kind: newest[kind]["at"] for kind in at} == at
    people = {kind: entry["actor"]["id"] for kind, entry in newest.items() if "actor" in entry}
    assert people == {
        "interaction": ahmed.pk, "property_added": ahmed.pk, "property_status_changed": layla.pk,
        "appointment_made": ahmed.pk, "appointment_status_changed": ahmed.pk, "reminder_made": ahmed.pk,
        "action_completed": layla.pk, "action_note": ahmed.pk, "stage_changed": ahmed.pk, "assigned": layla.pk,
    }  # fmt: skip
    root = f"customers/{customer.pk}"
    for kind, path, name in (
        ("interaction", f"{root}/interactions/{call.pk}", "interaction"),
        ("property_added", f"{root}/properties/{villa.pk}", "property"),
        ("appointment_made", f"{root}/appointments/{visit.pk}", "appointment"),
        ("reminder_completed", f"{root}/reminders/{reminder.pk}", "reminder"),
        ("action_completed", f"customers/actions/{done.pk}", "action"),
    ):
        assert newest[kind]["data"] == data_of(client.get(path))[name]
    changed = newest["property_status_changed"]
    assert (changed["title"], changed["titleEn"]) == ("تحديث الاهتمام بعقار", "Interest in a property changed")
    assert changed["data"] == {
        "id": changed["id"].partition(":")[2], "collection": "properties", "itemId": villa.pk,
        "fromStatus": "interested", "toStatus": "viewed",
    }  # fmt: skip
    assert (newest["stage_changed"]["data"]["fromStage"], newest["stage_changed"]["data"]["toStage"]) == (
        "new_lead", "site_visit",
    )  # fmt: skip
    handed = newest["assigned"]["data"]
    assert (handed["fromEmployeeName"], handed["toEmployeeName"]) == (ahmed.name, omar.name)


def test_documents_and_consents_are_told_of_as_their_endpoints_show_them(as_, layla, ahmed, customer, clock):
    clock.move(minutes=1)
    client, path = as_(layla), f"customers/{customer.pk}"
    document = data_of(upload(as_(ahmed), customer, name="هوية", type="id_copy"), 201)["document"]
    consent = data_of(client.post(f"{path}/consents", {"purpose": "marketing", "status": "withdrawn"}), 201)["consent"]
    told = {entry["type"]: entry for entry in entries(client, customer, types="document_added,consent")}
    assert told["document_added"]["actor"] == {"id": ahmed.pk, "name": ahmed.name}
    assert told["consent"]["actor"] == {"id": layla.pk, "name": layla.name}
    assert told["document_added"]["at"] == document["uploadedAt"] and told["consent"]["at"] == consent["at"]
    shown = told["document_added"]["data"]
    link = shown["fileUrl"].removeprefix("http://testserver")
    assert {**shown, "fileUrl": ""} == {**document, "fileUrl": ""} and told["consent"]["data"] == consent
    assert Client().get(link).status_code == 200
    data_of(client.delete(f"{path}/documents/{document['id']}"))
    assert [entry["type"] for entry in entries(client, customer, types="document_added,consent")] == ["consent"]


def test_it_is_narrowed_by_kind_and_by_time(as_, ahmed, customer, clock):
    clock.move(days=3)
    for kind in ("call", "note"):
        activity.add_interaction(customer, actor=ahmed, values={"type": kind})
    action = make_action(ahmed, customer)
    actions.dismiss_action(action, actor=ahmed, reason="لا يرد")
    client = as_(ahmed)

    def kinds(**query):
        return sorted(entry["type"] for entry in entries(client, customer, **query))

    assert kinds(types="interaction") == ["interaction"] * 2
    assert kinds(types="interaction,action_dismissed") == ["action_dismissed", "interaction", "interaction"]
    today, before = clock.now.date().isoformat(), (clock.now - timedelta(days=1)).date().isoformat()
    assert kinds(dateTo=before) == ["assigned", "stage_changed"]
    assert kinds(dateFrom=today) == ["action_created", "action_dismissed", "interaction", "interaction"]
    path = f"customers/{customer.pk}/timeline"
    for query in ({"types": "birthday"}, {"dateFrom": "soon"}, {"limit": 0}, {"limit": 101}, {"cursor": "x"}):
        assert fields_of(client.get(path, query)) == list(query)


def test_a_cursor_belongs_to_one_feed(as_, ahmed, customer):
    other = make_customer(ahmed)
    client = as_(ahmed)
    cursor = page(client, customer, limit=1)["pagination"]["nextCursor"]
    assert cursor and page(client, customer, limit=1, cursor=cursor)["timeline"]
    for key, query in ((other.pk, {}), (customer.pk, {"types": "interaction"})):
        assert fields_of(client.get(f"customers/{key}/timeline", {"cursor": cursor, **query})) == ["cursor"]


def test_who_does_not_see_the_customer_sees_no_timeline(as_, layla, ahmed, omar, noura, huda, customer):
    path = f"customers/{customer.pk}/timeline"
    for stranger in (omar, noura, huda):
        assert error_of(as_(stranger).get(path), 404)["details"] == {
            "resourceType": "customer", "resourceId": customer.pk,
        }  # fmt: skip
    customers.assign_customer(customer, actor=layla, employee_id=huda.pk)
    assert data_of(as_(huda).get(path))["timeline"]
    customers.delete_customer(customer, actor=layla)
    error_of(as_(layla).get(path), 404)


def crowd(customer, actor):
    """A thousand entries of every kind, at a dozen moments."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    ours = {"customer": customer, "organization": customer.organization}

    def at(number):
        return start + timedelta(minutes=number % 12)

    def rows(model, count, **values):
        return model.objects.bulk_create(
            model(**{name: value(number) if callable(value) else value for name, value in values.items()})
            for number in range(count)
        )

    by = {"changed_by": "System", "changed_by_id": "system"}
    rows(StageChange, 100, customer=customer, from_stage="new_lead", to_stage="closing", changed_at=at, **by)
    rows(Assignment, 100, customer=customer, to_employee=actor, assigned_by="x", assigned_by_id="x", assigned_at=at)
    rows(Interaction, 200, **ours, type="call", date=at, agent_name="x", agent_id="x")
    rows(PropertyInterest, 100, **ours, property_id=lambda n: f"p{n}", property_title="x", added_at=at)
    for collection in ("properties", "appointments"):
        rows(StatusChange, 100, customer=customer, collection=collection, item_id="x", from_status="a", to_status="b",
             recorded_at=at, **by)  # fmt: skip
    # Made and completed at the same moment: two entries of one row.
    rows(Reminder, 100, **ours, title="x", datetime=at, created_at=at, status="completed", completed_at=at,
         created_by="x", created_by_id="x")  # fmt: skip
    things = rows(CustomerAction, 50, **ours, type="follow_up", title="x", source="manual", created_at=at,
                  status="completed", completed_at=at)  # fmt: skip
    rows(ActionNote, 50, customer=customer, action=things[0], content="x", created_by="x", created_by_id="x",
         created_at=at)  # fmt: skip


def test_a_thousand_entries_of_few_moments_are_paged_without_loss_or_repeat(as_, layla):
    customer = make_customer(layla)
    crowd(customer, layla)
    client = as_(layla)
    whole = ids(pages(client, customer, limit=100))
    # What made the customer comes on top of the crowd.
    assert len(whole) == len(set(whole)) == 1051
    assert ids(pages(client, customer, limit=7, types="interaction,reminder_made,reminder_completed")) == [
        key for key in whole if key.startswith(("interaction", "reminder_made", "reminder_completed"))
    ]
    parts = pages(client, customer, limit=83)
    assert ids(parts) == whole
    # And back again.
    cursor, back = parts[-1]["pagination"]["prevCursor"], [parts[-1]]
    while cursor:
        back.insert(0, page(client, customer, limit=83, cursor=cursor))
        cursor = back[0]["pagination"]["prevCursor"]
    assert ids(back) == whole and not back[0]["pagination"]["hasPrevious"]


def test_what_is_recorded_while_paging_neither_repeats_nor_loses_others(as_, ahmed, customer):
    crowd(customer, ahmed)
    client = as_(ahmed)
    whole = ids(pages(client, customer, limit=100))
    first = page(client, customer, limit=100)
    activity.add_interaction(customer, actor=ahmed, values={"type": "call"})
    seen, cursor = ids([first]), first["pagination"]["nextCursor"]
    while cursor:
        part = page(client, customer, limit=100, cursor=cursor)
        seen, cursor = seen + ids([part]), part["pagination"]["nextCursor"]
    assert seen == whole


def test_a_page_is_one_statement_whose_parts_read_no_more_than_it_is_long(as_, layla):
    customer = make_customer(layla)
    client = as_(layla)
    page(client, customer)

    def measured():
        with CaptureQueriesContext(connection) as queries:
            cursor = page(client, customer, limit=10)["pagination"]["nextCursor"]
            # Not the same question again, which would be answered from what is kept.
            page(client, customer, limit=11, **({"cursor": cursor} if cursor else {}))
        return len(queries), queries.captured_queries[-1]["sql"]

    few, _sql = measured()
    crowd(customer, layla)
    many, sql = measured()
    assert few == many
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE interactions")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        (plan,) = cursor.fetchone()[0]

    def nodes(node):
        yield node
        for child in node.get("Plans", ()):
            yield from nodes(child)

    parts = [node for node in nodes(plan["Plan"]) if node["Node Type"] == "Limit"
             and node.get("Parent Relationship") == "Member"]  # fmt: skip
    assert len(parts) == len(KINDS)
    assert all(node["Actual Rows"] <= 11 for node in parts)
    read = {node["Relation Name"]: node["Actual Rows"] for node in nodes(plan["Plan"]) if "Index" in node["Node Type"]
            and node.get("Scan Direction") == "Backward"}  # fmt: skip
    assert read["interactions"] <= 11
