"""The log of events: every change by every door is in it, with the change and for whom it is."""

import pytest
from django.core.management import call_command
from django.db import transaction

from actions import services as actions
from config.testing import data_of, make_action, make_customer, make_phone
from customers.models import Customer
from customers.services import customer as customers
from customers.services.bulk import bulk_update_customers
from employees import services as employees
from realtime import receivers
from realtime.log import number_events
from realtime.models import Event


@pytest.fixture
def customer(ahmed):
    customer = make_customer(ahmed, name="محمد الغامدي", national_id="1000000008")
    Event.objects.all().delete()
    return customer


@pytest.fixture
def action(ahmed, customer):
    action = make_action(ahmed, customer, title="متابعة")
    Event.objects.all().delete()
    return action


def log():
    number_events()
    return list(Event.objects.order_by("id"))


def names():
    return [event.event for event in log()]


def test_a_new_customer_is_told_of_before_its_first_action_each_as_a_whole(as_, ahmed, north):
    response = as_(ahmed).post("customers", {"name": "سارة", "phone": "0551234567"}, headers={"X-Request-ID": "abc"})
    shown = data_of(response, 201)["customer"]
    made, first = log()
    assert (made.event, first.event) == ("customer.created", "action.created")
    assert made.row == shown and (made.row_id, made.customer_id) == (shown["id"], shown["id"])
    assert (made.before, made.after) == (None, {"owner": ahmed.pk, "team": north.pk})
    assert (made.organization_id, made.actor_id, made.request_id) == (ahmed.organization_id, ahmed.pk, "abc")
    assert first.row == data_of(as_(ahmed).get(f"customers/actions/{first.row_id}"))["action"]
    assert first.customer_id == shown["id"]
    assert first.after == {"owner": ahmed.pk, "assignee": ahmed.pk, "team": north.pk}


def test_an_update_names_what_the_api_shows_differently_now(as_, ahmed, customer):
    body = {"notes": "جديد", "nationality": None, "preferences": {"bedrooms": 3}, "city": "الرياض"}
    shown = data_of(as_(ahmed).patch(f"customers/{customer.pk}", body))["customer"]
    (event,) = log()
    assert event.event == "customer.updated" and event.row is None and event.also == []
    assert event.data == {"changes": {
        "notes": "جديد", "preferences": shown["preferences"], "city": "الرياض", "updatedAt": shown["updatedAt"],
    }}  # fmt: skip
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", {"notes": None}))
    assert log()[-1].data["changes"]["notes"] is None


def test_a_stage_change_is_one_event_with_two_names(as_, ahmed, customer):
    shown = data_of(as_(ahmed).patch(f"customers/{customer.pk}/stage", {"toStage": "site_visit"}))["customer"]
    (event,) = log()
    assert event.event == "customer.updated"
    assert event.data["changes"]["stage"] == "site_visit"
    assert event.data["changes"]["stageHistory"] == shown["stageHistory"]
    data = {"fromStage": "new_lead", "toStage": "site_visit", "changedBy": ahmed.pk}
    assert event.also == [{"event": "customer.stage_changed", "data": data}]


def test_a_hand_over_says_who_saw_the_rows_and_who_sees_them(as_, layla, ahmed, omar, north, south, customer, action):
    data_of(as_(layla).post(f"customers/{customer.pk}/assign", {"employeeId": omar.pk}))
    moved, followed = log()
    data = {"previousEmployee": ahmed.pk, "newEmployee": omar.pk}
    assert moved.also == [{"event": "customer.assigned", "data": data}]
    assert moved.before == {"owner": ahmed.pk, "team": north.pk}
    assert moved.after == {"owner": omar.pk, "team": south.pk}
    assert moved.data["changes"]["assignedEmployeeId"] == omar.pk
    # Whoever sees them for the first time needs the whole.
    assert moved.row["name"] == "محمد الغامدي" and moved.row["assignedEmployee"]["id"] == omar.pk
    assert followed.event == "action.updated" and followed.row["assignedTo"] == omar.pk
    assert followed.before == {"owner": ahmed.pk, "assignee": ahmed.pk, "team": north.pk}
    assert followed.after == {"owner": omar.pk, "assignee": omar.pk, "team": south.pk}
    data_of(as_(layla).post(f"customers/{customer.pk}/assign", {"employeeId": None}))
    assert log()[-2].after == {"owner": None, "team": None}


@pytest.mark.parametrize(("verb", "name"), [("complete", "completed"), ("dismiss", "dismissed")])
def test_an_end_is_one_event_with_two_names_and_its_note(as_, ahmed, action, verb, name):
    shown = data_of(as_(ahmed).post(f"customers/actions/{action.pk}/{verb}", {"notes": "تم"}))["action"]
    event, followed = log()
    changes = event.data["changes"]
    assert event.event == "action.updated" and changes["status"] == name
    assert changes == {key: shown.get(key) for key in changes}
    assert {"status", "completedAt", "completedBy", "completedByName", "notes", "updatedAt"} <= changes.keys()
    assert event.also == [{"event": f"action.{name}", "data": {"changes": changes}}]
    assert followed.event == "customer.updated" and followed.data == {"changes": {"nextFollowUpDate": None}}
    assert followed.after == {"owner": ahmed.pk, "team": ahmed.team_id}


def test_a_new_action_with_a_note_is_one_event(ahmed, customer):
    make_action(ahmed, customer, type="document_required", notes="مع ملاحظة")
    (event,) = log()
    assert event.event == "action.created" and [note["content"] for note in event.row["notes"]] == ["مع ملاحظة"]


def test_a_note_alone_is_told_of_as_the_notes(as_, ahmed, action):
    data_of(as_(ahmed).post(f"customers/actions/{action.pk}/notes", {"content": "ملاحظة"}), 201)
    (event,) = log()
    assert [note["content"] for note in event.data["changes"]["notes"]] == ["ملاحظة"]


def test_deleting_and_restoring_tell_of_the_customer_and_of_its_actions(as_, layla, ahmed, north, customer, action):
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    assert names() == ["customer.deleted", "action.deleted"]
    assert {(bool(event.before), event.after, event.row) for event in log()} == {(True, None, None)}
    data_of(as_(layla).post(f"customers/{customer.pk}/restore"))
    assert names()[2:] == ["customer.restored", "action.restored"]
    assert [event.row["id"] for event in log()[2:]] == [customer.pk, action.pk]
    assert {event.before for event in log()[2:]} == {None}


def test_what_was_removed_for_good_is_forgotten_and_told_of(as_, layla, customer, action):
    customers.update_customer(customer, actor=layla, values={"notes": "سر"})
    data_of(as_(layla).delete(f"customers/{customer.pk}?permanent=true"))
    assert names() == ["customer.updated", "customer.deleted", "action.deleted"]
    assert {(str(event.data), str(event.also), event.row) for event in log()} == {("{}", "[]", None)}


def test_what_changes_nothing_that_anybody_sees_is_no_event(as_, layla, ahmed, customer, action):
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", {"name": customer.name}))
    customers.delete_customer(customer, actor=layla)
    Event.objects.all().delete()
    employees.deactivate_employee(ahmed, actor=layla)  # his deleted customer moves unseen
    assert log() == []


def test_the_city_of_a_customer_is_no_event_of_its_actions(as_, ahmed, customer, action):
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", {"city": "جدة"}))
    assert names() == ["customer.updated"]


def test_bulk_calls_leave_an_event_a_row(as_, layla, ahmed, omar):
    rows = [make_customer(ahmed) for _ in range(3)]
    Event.objects.all().delete()
    keys = [row.pk for row in rows]
    data_of(as_(layla).post("customers/bulk", {"customerIds": keys, "operation": "tags", "addTags": ["مهم"]}))
    assert [(event.row_id, event.data["changes"]["tags"]) for event in log()] == [(key, ["مهم"]) for key in keys]


def test_a_change_of_very_many_rows_tells_everybody_to_read_again(layla, ahmed, monkeypatch):
    monkeypatch.setattr(receivers, "MAX_ROWS", 2)
    keys = [make_customer(ahmed).pk for _ in range(3)]
    Event.objects.all().delete()
    bulk_update_customers(keys, actor=layla, values={"priority": "low"})
    (event,) = log()
    assert (event.event, event.data, event.before, event.after) == ("resync_required", {}, None, None)
    assert event.organization_id == layla.organization_id


def test_a_change_that_is_taken_back_leaves_no_event(ahmed, customer):
    with pytest.raises(RuntimeError), transaction.atomic():
        customers.update_customer(customer, actor=ahmed, values={"notes": "لن يبقى"})
        raise RuntimeError
    assert log() == [] and Customer.objects.get(pk=customer.pk).notes == ""


def test_actions_of_every_service_are_told_of(ahmed, layla, customer):
    action = make_action(ahmed, customer)
    actions.start_action(action, actor=ahmed)
    actions.update_action(action, actor=ahmed, values={"title": "عنوان آخر"})
    actions.bulk_move([action.pk], "dismissed", actor=layla)
    actions.restore_action(action, actor=layla)
    actions.assign_action(action, actor=layla, employee_id=layla.pk)
    told = [event for event in log() if event.row_id == action.pk]
    assert [event.event for event in told] == ["action.created", *["action.updated"] * 5]
    assert [event.actor_id for event in told] == [ahmed.pk] * 3 + [layla.pk] * 3


def test_an_imported_file_is_told_of(ahmed, organization, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(f"name,phone\nسارة,{make_phone()}\nمها,{make_phone()}\n")
    call_command("import_customers", str(path), organization=organization.pk, verbosity=0)
    assert names() == ["customer.created"] * 2
    assert sorted(event.row["name"] for event in log()) == ["سارة", "مها"]
