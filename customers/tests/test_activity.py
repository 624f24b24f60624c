"""What hangs on a customer comes along with it, is seen and changed by whoever sees it, and leaves with it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from actions import tasks
from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_action, make_customer, nothing_changes
from customers.models import Appointment, Customer, Interaction, PropertyInterest, Reminder, StatusChange
from customers.services import activity
from customers.services import customer as customers
from realtime.models import Event

COLLECTIONS = {"properties": "property", "interactions": "interaction", "appointments": "appointment",
               "reminders": "reminder"}  # fmt: skip
MODELS = (PropertyInterest, Interaction, Appointment, Reminder)


@pytest.fixture
def customer(ahmed, clock):
    return make_customer(ahmed)


def new(collection, clock, number=1):
    """The body of one more."""
    ahead = (clock.now + timedelta(days=number)).isoformat()
    return {
        "properties": {"propertyId": f"prop_{number}", "propertyTitle": f"فيلا {number}"},
        "interactions": {"type": "call", "notes": f"سري {number}"},
        "appointments": {"type": "site_visit", "datetime": ahead},
        "reminders": {"title": f"تذكير {number}", "datetime": ahead},
    }[collection]


def add(client, customer, collection, clock, number=1):
    path = f"customers/{customer.pk}/{collection}"
    return data_of(client.post(path, new(collection, clock, number)), 201)[COLLECTIONS[collection]]


@pytest.mark.parametrize("collection", [*COLLECTIONS, "timeline"])
def test_a_range_of_dates_that_ends_before_it_begins_is_refused(as_, ahmed, customer, collection):
    client, path = as_(ahmed), f"customers/{customer.pk}/{collection}"
    for start, end in (("2024-01-02", "2024-01-01"), ("2024-01-02T10:00:01Z", "2024-01-02T10:00:00Z")):
        assert fields_of(client.get(path, {"dateFrom": start, "dateTo": end})) == ["dateTo"]
        data_of(client.get(path, {"dateFrom": end, "dateTo": end}))


def log():
    return list(Event.objects.order_by("pk"))


# --- With the customer ----------------------------------------------------------------------------------


def test_they_come_along_on_detail_and_in_lists_when_included(as_, ahmed, customer, clock):
    client = as_(ahmed)
    rows = {collection: add(client, customer, collection, clock) for collection in COLLECTIONS}
    shown = data_of(client.get(f"customers/{customer.pk}"))["customer"]
    assert {collection: shown[collection] for collection in COLLECTIONS} == {name: [row] for name, row in rows.items()}
    (listed,) = data_of(client.get("customers"))["customers"]
    assert all(listed[collection] == [] for collection in COLLECTIONS)
    (listed,) = data_of(client.get("customers?include=reminders,properties"))["customers"]
    assert (listed["reminders"], listed["properties"]) == ([rows["reminders"]], [rows["properties"]])
    assert listed["interactions"] == listed["appointments"] == []
    shown = data_of(client.get(f"customers/{customer.pk}?include=interactions"))["customer"]
    assert shown["interactions"] == [rows["interactions"]] and shown["properties"] == []


def test_the_newest_fifty_come_along_oldest_first_in_a_constant_number_of_queries(as_, ahmed, customer, clock):
    client, path = as_(ahmed), f"customers/{customer.pk}"
    for collection in COLLECTIONS:
        add(client, customer, collection, clock)

    def measured():
        with CaptureQueriesContext(connection) as queries:
            shown = data_of(client.get(path))["customer"]
        return len(queries), shown

    few, _shown = measured()
    ours = {"customer": customer, "organization": customer.organization}
    for number in range(60):
        moment = clock.now - timedelta(days=60 - number)
        PropertyInterest.objects.create(**ours, property_id=f"old_{number}", property_title="x", added_at=moment)
        Interaction.objects.create(**ours, type="note", date=moment, agent_id="x", agent_name="x", notes=str(number))
        Appointment.objects.create(**ours, type="other", title="x", datetime=moment, status="completed")
        Reminder.objects.create(**ours, title=str(number), datetime=moment, created_by="x", created_by_id="x")
    many, shown = measured()
    assert few == many <= 3
    for collection, column in zip(COLLECTIONS, ("addedAt", "date", "datetime", "datetime"), strict=True):
        moments = [row[column] for row in shown[collection]]
        assert len(moments) == 50 and moments == sorted(moments)
    assert [row["notes"] for row in shown["interactions"]][:2] == ["11", "12"]


def test_the_next_follow_up_is_the_earliest_that_is_planned_unless_it_was_set(as_, layla, ahmed, customer, clock):
    client, now, day = as_(ahmed), clock.now, timedelta(days=1)

    def shown():
        in_list = data_of(client.get("customers"))["customers"][0].get("nextFollowUpDate")
        assert data_of(client.get(f"customers/{customer.pk}"))["customer"].get("nextFollowUpDate") == in_list
        return in_list

    def day_of(moment):
        return (moment + timedelta(hours=3)).date().isoformat()

    assert shown() is None
    make_action(ahmed, customer, type="new_inquiry", due_date=now + day)
    visit = activity.add_appointment(customer, actor=ahmed, values={"type": "other", "datetime": now + 9 * day})
    assert shown() == day_of(now + 9 * day)
    reminder = activity.add_reminder(customer, actor=ahmed, values={"title": "x", "datetime": now + 5 * day})
    assert shown() == day_of(now + 5 * day)
    action = make_action(ahmed, customer, due_date=now + 2 * day)
    assert shown() == day_of(now + 2 * day)
    data_of(client.post(f"customers/actions/{action.pk}/snooze", {"snoozedUntil": (now + day).isoformat()}))
    assert shown() == day_of(now + 5 * day)
    activity.change_reminder(reminder, actor=ahmed, values={"status": "completed"})
    assert shown() == day_of(now + 9 * day)
    clock.move(days=10)
    assert shown() == day_of(now + 2 * day)  # the action has woken, the appointment has passed
    data_of(client.patch(f"customers/{customer.pk}", {"nextFollowUpDate": "2031-05-01"}))
    assert shown() == "2031-05-01"
    assert visit.status == "scheduled"


# --- Who sees and changes them ------------------------------------------------------------------------------


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_each_is_seen_and_changed_by_who_sees_its_customer(
    as_, layla, fatima, ahmed, omar, huda, noura, customer, clock, collection
):
    row = add(as_(ahmed), customer, collection, clock)
    own, theirs = f"customers/{customer.pk}/{collection}", f"customers/{make_customer(omar).pk}/{collection}"
    for colleague in (layla, fatima, ahmed):
        assert data_of(as_(colleague).get(own))[collection] == [row]
    for stranger in (omar, noura, huda):
        with nothing_changes():
            assert error_of(as_(stranger).get(own), 404)["details"]["resourceId"] == customer.pk
            error_of(as_(stranger).get(f"{own}/{row['id']}"), 404)
            if stranger != huda:
                error_of(as_(stranger).post(own, new(collection, clock, 2)), 404)
                error_of(as_(stranger).patch(f"{own}/{row['id']}", {"notes": "x"}), 404)
                error_of(as_(stranger).delete(f"{own}/{row['id']}"), 404)
    # By its own id below another customer.
    with nothing_changes():
        for method in ("get", "patch", "put", "delete"):
            error = error_of(as_(layla).call(method, f"{theirs}/{row['id']}", {} if method != "get" else None), 404)
            assert error["details"] == {"resourceType": COLLECTIONS[collection], "resourceId": row["id"]}
    customers.assign_customer(customer, actor=layla, employee_id=huda.pk)
    assert data_of(as_(huda).get(f"{own}/{row['id']}"))[COLLECTIONS[collection]] == row
    with nothing_changes():
        for method, path in (("post", own), ("patch", f"{own}/{row['id']}"), ("delete", f"{own}/{row['id']}")):
            details = error_of(as_(huda).call(method, path, {}), 403, "PERMISSION_DENIED")["details"]
            assert details == {"requiredPermission": "customers.write", "currentRole": "viewer"}
    error_of(as_(ahmed).get(own), 404)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_those_of_a_deleted_customer_are_nowhere_until_it_is_restored(as_, layla, customer, clock, collection):
    client = as_(layla)
    row = add(client, customer, collection, clock)
    path = f"customers/{customer.pk}/{collection}"
    data_of(client.delete(f"customers/{customer.pk}"))
    for method, one in (("get", path), ("get", f"{path}/{row['id']}"), ("delete", f"{path}/{row['id']}")):
        error_of(client.call(method, one), 404)
    error_of(client.post(path, new(collection, clock, 2)), 404)
    data_of(client.post(f"customers/{customer.pk}/restore"))
    assert data_of(client.get(path))[collection] == [row]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_one_that_is_removed_says_so_and_is_gone(as_, ahmed, customer, clock, collection):
    client = as_(ahmed)
    one = f"customers/{customer.pk}/{collection}/{add(client, customer, collection, clock)['id']}"
    gone = data_of(client.delete(one))
    assert gone["id"] == one.rpartition("/")[2] and gone["deletedAt"]
    error_of(client.delete(one), 404)
    assert data_of(client.get(f"customers/{customer.pk}/{collection}"))[collection] == []


# --- What is told, kept and forgotten --------------------------------------------------------------------------


def test_each_write_is_one_event_that_names_the_collection_and_what_changed_with_it(as_, ahmed, customer, clock):
    client = as_(ahmed)
    also = {
        "properties": set(),
        "interactions": {"totalInteractions", "lastContactAt", "lastContactType"},
        "appointments": {"totalAppointments", "nextFollowUpDate"},
        "reminders": {"nextFollowUpDate"},
    }
    for collection, others in also.items():
        Event.objects.all().delete()
        row = add(client, customer, collection, clock)
        (event,) = log()
        assert (event.event, event.row_id, event.actor_id) == ("customer.updated", customer.pk, ahmed.pk)
        changes = event.data["changes"]
        assert changes.keys() == {collection, "updatedAt"} | others
        assert changes[collection] == [row]
        shown = data_of(client.get(f"customers/{customer.pk}"))["customer"]
        assert changes == {name: shown[name] for name in changes}
    Event.objects.all().delete()
    path = f"customers/{customer.pk}/properties"
    key = data_of(client.get(path))["properties"][0]["id"]
    data_of(client.patch(f"{path}/{key}", {"status": "viewed"}))
    data_of(client.patch(f"{path}/{key}", {"status": "viewed"}))
    data_of(client.delete(f"{path}/{key}"))
    seen, removed = log()
    assert (seen.data["changes"]["totalPropertyViews"], removed.data["changes"]["totalPropertyViews"]) == (1, 0)
    assert removed.data["changes"]["properties"] == []


def test_kept_numbers_agree_with_their_rows_after_such_writes(as_, ahmed, customer, clock):
    client = as_(ahmed)
    for collection in COLLECTIONS:
        add(client, customer, collection, clock)
    path = f"customers/{customer.pk}/interactions"
    data_of(client.post(path, {"type": "call", "direction": "inbound"}), 201)
    tasks.surface_due()
    call_command("refresh_stats", "--check")
    stats = data_of(client.get("customers/stats"))["stats"]
    assert (stats["engagement"]["avgInteractions"], stats["activeCustomers"]) == (2, 1)


def test_purging_a_customer_leaves_nothing_of_them_anywhere(as_, layla, ahmed, customer, clock):
    client = as_(layla)
    for collection in COLLECTIONS:
        one = f"customers/{customer.pk}/{collection}/{add(client, customer, collection, clock)['id']}"
        body = {"properties": {"feedback": "سري"}, "interactions": {"outcome": "سري"}}
        data_of(client.patch(one, body.get(collection, {"title": "سري"})))
        data_of(client.delete(one))
        add(client, customer, collection, clock, 2)
    data_of(client.delete(f"customers/{customer.pk}?permanent=true"))
    for model in (*MODELS, StatusChange):
        assert not model.objects.exists()
    tables = [model._meta.db_table for model in MODELS]
    entries = AuditEntry.objects.filter(table_name__in=tables)
    assert set(entries.values_list("operation", flat=True)) == {"insert", "update", "delete"}
    assert not entries.exclude(changes=None).exists()
    assert not [event for event in log() if event.data or event.row]


def test_another_customer_is_not_forgotten_with_them(as_, layla, ahmed, customer, clock):
    client, other = as_(layla), make_customer(ahmed)
    row = add(client, other, "interactions", clock)
    data_of(client.delete(f"customers/{other.pk}/interactions/{row['id']}"))
    data_of(client.delete(f"customers/{customer.pk}?permanent=true"))
    assert AuditEntry.objects.get(row_id=row["id"], operation="delete").changes["notes"] == row["notes"]


def test_the_audit_knows_who_changed_what(as_, layla, ahmed, customer, clock):
    row = add(as_(ahmed), customer, "appointments", clock)
    data_of(as_(layla).patch(f"customers/{customer.pk}/appointments/{row['id']}", {"location": "المكتب"}))
    made, changed = AuditEntry.objects.filter(row_id=row["id"]).order_by("pk")
    assert (made.operation, made.actor_id, made.organization_id) == ("insert", ahmed.pk, ahmed.organization_id)
    assert (changed.actor_id, changed.changes) == (layla.pk, {"location": ["", "المكتب"]})
    assert not AuditEntry.objects.filter(row_id=customer.pk).exclude(operation="insert").exists()


def test_statuses_are_never_changed_or_removed(as_, ahmed, customer, clock):
    add(as_(ahmed), customer, "properties", clock)
    for spoil in (lambda: StatusChange.objects.update(to_status="x"), lambda: StatusChange.objects.all().delete()):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            spoil()
    assert Customer.objects.filter(status_changes__to_status="interested").count() == 1
