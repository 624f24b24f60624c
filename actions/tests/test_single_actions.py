"""Endpoints 8 to 14 and restore: what one action goes through, and who may not."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from actions import services
from actions.choices import MAY_FOLLOW, ActionStatus
from actions.models import ActionNote, CustomerAction
from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_action, make_customer, nothing_changes
from customers.services import customer as customers
from employees import services as employees

AHEAD = "2099-01-05T06:00:00Z"


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed, name="محمد الغامدي", source="whatsapp", city="الرياض")


@pytest.fixture
def action(ahmed, customer):
    return make_action(ahmed, customer, title="استفسار عن فيلا", priority="high")


@pytest.fixture
def path(action):
    return f"customers/actions/{action.pk}"


# --- Create -------------------------------------------------------------------------------


def test_a_new_action_is_pending_and_goes_to_the_customers_assignee(as_, fatima, ahmed, customer):
    body = {
        "customerId": customer.pk,
        "type": "follow_up",
        "title": "متابعة بعد إرسال العروض",
        "description": "الاتصال بالعميل",
        "priority": "high",
        "dueDate": "2024-01-23T10:00:00Z",
        "metadata": {"propertyId": "prop_1", "notes": "لا تحفظ"},
        "notes": "العميل ينتظر",
        "assignedToName": "لا أحد",
        "status": "completed",
        "completedBy": "emp_x",
        "id": "action_mine",
    }
    response = as_(fatima).post("customers/actions", body)
    action = data_of(response, 201)["action"]
    assert response["Location"] == f"/api/v1/customers/actions/{action['id']}"
    assert action["id"].startswith("action_")
    (note,) = action.pop("notes")
    assert (note["content"], note["createdBy"], note["createdById"]) == ("العميل ينتظر", fatima.name, fatima.pk)
    assert action.pop("createdAt") == action.pop("updatedAt")
    assert action.pop("customer")["id"] == customer.pk
    assert action == {
        "id": action["id"],
        "customerId": customer.pk,
        "customerName": "محمد الغامدي",
        "type": "follow_up",
        "title": "متابعة بعد إرسال العروض",
        "description": "الاتصال بالعميل",
        "priority": "high",
        "status": "pending",
        "source": "whatsapp",
        "dueDate": "2024-01-23T10:00:00Z",
        "assignedTo": ahmed.pk,
        "assignedToName": ahmed.name,
        "metadata": {"propertyId": "prop_1"},
    }


def test_an_agent_who_names_nobody_gets_the_action_of_an_unassigned_one_nobody(as_, layla, ahmed, omar):
    mine, nobodys = make_customer(ahmed), make_customer(layla)
    body = {"type": "follow_up", "title": "متابعة"}
    for empty in ({}, {"assignedTo": None}, {"assignedTo": ""}):
        made = data_of(as_(ahmed).post("customers/actions", {**body, **empty, "customerId": mine.pk}), 201)["action"]
        assert made["assignedTo"] == ahmed.pk
        made = data_of(as_(layla).post("customers/actions", {**body, **empty, "customerId": nobodys.pk}), 201)["action"]
        assert "assignedTo" not in made and "assignedToName" not in made


def test_a_viewer_is_never_given_an_action(as_, layla, huda):
    theirs = make_customer(layla, assigned_employee_id=huda.pk)
    body = {"customerId": theirs.pk, "type": "follow_up", "title": "متابعة"}
    assert "assignedTo" not in data_of(as_(layla).post("customers/actions", body), 201)["action"]
    assert fields_of(as_(layla).post("customers/actions", {**body, "assignedTo": huda.pk}), 422) == ["assignedTo"]


# --- Read -----------------------------------------------------------------------------------


def test_the_summary_of_the_customer_is_enough_for_a_card(as_, ahmed, customer, path):
    wishes = {"propertyType": ["villa"], "budgetMin": 1500000, "bedrooms": 5, "preferredAreas": ["الرياض - النرجس"]}
    customers.update_customer(customer, actor=ahmed, values={"preferences": wishes, "email": "m@hub.test"})
    summary = data_of(as_(ahmed).get(path))["action"]["customer"]
    assert summary.pop("assignedEmployee")["id"] == ahmed.pk
    assert summary == {
        "id": customer.pk,
        "name": "محمد الغامدي",
        "phone": customer.phone,
        "email": "m@hub.test",
        "city": "الرياض",
        "stage": "new_lead",
        "priority": "medium",
        "leadScore": 50,
        "preferences": {"propertyType": ["villa"], "budgetMin": 1500000, "preferredAreas": ["الرياض - النرجس"]},
    }


def test_names_come_from_the_rows_so_that_a_rename_shows(as_, layla, ahmed, customer, path):
    employees.update_employee(ahmed, actor=layla, name="أحمد الجديد")
    customers.update_customer(customer, actor=layla, values={"name": "محمد الجديد"})
    shown = data_of(as_(layla).get(path))["action"]
    assert (shown["customerName"], shown["assignedToName"]) == ("محمد الجديد", "أحمد الجديد")


def test_the_fifty_newest_notes_are_shown_in_the_order_of_writing(as_, ahmed, action, path):
    for number in range(53):
        services.add_note(action, actor=ahmed, content=f"ملاحظة {number}")
    notes = data_of(as_(ahmed).get(path))["action"]["notes"]
    assert [note["content"] for note in notes] == [f"ملاحظة {number}" for number in range(3, 53)]


def test_the_actions_of_a_deleted_customer_are_nobodys_until_it_is_restored(as_, layla, customer, path):
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    error_of(as_(layla).get(path), 404, "RESOURCE_NOT_FOUND")
    error_of(as_(layla).post(f"{path}/complete"), 404, "RESOURCE_NOT_FOUND")
    assert data_of(as_(layla).get("customers/actions"))["actions"] == []
    data_of(as_(layla).post(f"customers/{customer.pk}/restore"))
    assert data_of(as_(layla).get(path))["action"]["status"] == "pending"


# --- Update ---------------------------------------------------------------------------------


def test_a_patch_changes_what_it_names_and_appends_its_note(as_, fatima, ahmed, omar, layla, path):
    body = {"priority": "urgent", "dueDate": "2024-01-22T16:00:00Z", "notes": "العميل طلب الاتصال قبل نهاية اليوم"}
    action = data_of(as_(fatima).patch(path, body))["action"]
    assert (action["priority"], action["dueDate"], action["title"]) == ("urgent", body["dueDate"], "استفسار عن فيلا")
    assert [note["content"] for note in action["notes"]] == [body["notes"]]
    action = data_of(as_(layla).patch(path, {"assignedTo": omar.pk, "dueDate": None, "description": None}))["action"]
    assert (action["assignedTo"], "dueDate" in action) == (omar.pk, False)


def test_metadata_merges_and_null_forgets_a_key(as_, ahmed, path):
    data_of(as_(ahmed).patch(path, {"metadata": {"phoneNumber": "+966512345678", "preferredContactTime": "evening"}}))
    known = data_of(as_(ahmed).patch(path, {"metadata": {"preferredContactTime": None, "x": [1], "notes": [{}]}}))
    assert known["action"]["metadata"] == {"phoneNumber": "+966512345678", "x": [1]}
    assert "metadata" not in data_of(as_(ahmed).patch(path, {"metadata": None}))["action"]


def test_a_whole_object_sent_back_changes_nothing(as_, ahmed, path):
    client = as_(ahmed)
    client.post(f"{path}/notes", {"content": "ملاحظة"})
    client.patch(path, {"metadata": {"a": 1}})
    whole = data_of(client.get(path))["action"]
    with nothing_changes():
        assert data_of(client.put(path, whole))["action"] == whole


@pytest.mark.parametrize("verb", ["complete", "dismiss", "snooze"])
def test_a_whole_object_of_any_status_moves_nothing_whoever_sends_it(as_, ahmed, layla, path, verb):
    data_of(as_(ahmed).post(f"{path}/{verb}", {"until": AHEAD}))
    whole = data_of(as_(layla).get(path))["action"]
    shown = data_of(as_(layla).patch(path, {**whole, "title": "عنوان آخر"}))["action"]
    assert {**shown, "updatedAt": 0} == {**whole, "title": "عنوان آخر", "updatedAt": 0}
    data_of(as_(layla).patch(path, {"status": whole["status"], "notes": "ملاحظة"}))
    copied = {**whole, "customerId": whole["customerId"]}
    assert data_of(as_(layla).post("customers/actions", copied), 201)["action"]["status"] == "pending"


def test_metadata_has_no_nulls_and_a_limit_as_a_whole(as_, ahmed, customer, path):
    client, body = as_(ahmed), {"customerId": customer.pk, "type": "follow_up", "title": "متابعة"}
    made = data_of(client.post("customers/actions", {**body, "metadata": {"a": None, "b": {"c": None, "d": 1}}}), 201)
    assert made["action"]["metadata"] == {"b": {"d": 1}}
    known = data_of(client.patch(path, {"metadata": {"b": {"c": 2, "d": None}}}))["action"]["metadata"]
    assert known == {"b": {"c": 2}}
    for number in range(4):
        data_of(client.patch(path, {"metadata": {"x": {f"{number}{letter}": "س" * 100 for letter in "abcdefghij"}}}))
    with nothing_changes():
        assert fields_of(client.patch(path, {"metadata": {"x": {"y": "س" * 2000}}}), 422) == ["metadata"]


def test_a_title_that_nobody_can_see_is_none(as_, ahmed, path):
    for title in ("\u200b\u200f", "\u00a0\u200d "):
        assert fields_of(as_(ahmed).patch(path, {"title": title})) == ["title"]


def test_the_channel_of_an_action_is_one_of_the_five_sources(as_, ahmed, customer):
    body = {"customerId": customer.pk, "type": "callback_request", "title": "اتصال", "source": "website"}
    assert data_of(as_(ahmed).post("customers/actions", body), 201)["action"]["source"] == "inquiry"


def test_a_status_in_a_patch_moves_as_the_single_calls_do(as_, ahmed, path):
    client = as_(ahmed)
    assert data_of(client.patch(path, {"status": "in_progress"}))["action"]["status"] == "in_progress"
    snoozed = data_of(client.patch(path, {"status": "snoozed", "snoozedUntil": AHEAD}))["action"]
    assert (snoozed["status"], snoozed["snoozedUntil"]) == ("snoozed", AHEAD)
    done = data_of(client.patch(path, {"status": "completed", "outcome": "تم", "notes": "شكرا"}))["action"]
    assert (done["completedBy"], done["outcome"], "snoozedUntil" in done) == (ahmed.pk, "تم", False)
    assert [note["content"] for note in done["notes"]] == ["شكرا"]
    refused = error_of(client.patch(path, {"status": "in_progress", "priority": "low"}), 409, "CONFLICT")
    assert refused["details"] == {"currentStatus": "completed"}
    assert data_of(client.get(path))["action"]["priority"] == "high"
    assert data_of(client.patch(path, {"status": "pending"}))["action"]["status"] == "pending"


def test_a_stale_if_match_is_a_412_and_the_current_one_is_not(as_, ahmed, path):
    client = as_(ahmed)
    tag = client.get(path)["ETag"]
    data_of(client.patch(path, {"priority": "low"}, HTTP_IF_MATCH=tag))
    with nothing_changes():
        error_of(client.patch(path, {"priority": "urgent"}, HTTP_IF_MATCH=tag), 412, "PRECONDITION_FAILED")
        error_of(client.post(f"{path}/complete", HTTP_IF_MATCH=tag), 412, "PRECONDITION_FAILED")


# --- Complete, dismiss, snooze, restore -------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{}", b'{"outcome": null, "notes": null}'])
def test_complete_takes_an_empty_body_or_none(as_, ahmed, path, body):
    for content_type in (
        ("application/json",) if body else ("application/json", "", "application/x-www-form-urlencoded")
    ):
        response = as_(ahmed).generic("POST", f"/api/v1/{path}/complete", body, content_type)
        action = data_of(response)["action"]
        assert (action["status"], action["completedBy"], action["completedByName"]) == (
            "completed",
            ahmed.pk,
            ahmed.name,
        )
        assert "outcome" not in action and action["notes"] == []


def test_complete_keeps_the_outcome_and_appends_the_note(as_, ahmed, path):
    body = {"outcome": "العميل مهتم بعقارين", "notes": "معاينة يوم الخميس"}
    action = data_of(as_(ahmed).post(f"{path}/complete", body))["action"]
    assert action["outcome"] == body["outcome"] and action["completedAt"] >= action["createdAt"]
    assert [note["content"] for note in action["notes"]] == [body["notes"]]
    assert "dismissedAt" not in action


def test_dismiss_keeps_the_reason_and_ends_it_for_the_history_too(as_, ahmed, path):
    action = data_of(as_(ahmed).post(f"{path}/dismiss", {"reason": "لم يعد مهتما"}))["action"]
    assert (action["status"], action["reason"], action["completedBy"]) == ("dismissed", "لم يعد مهتما", ahmed.pk)
    assert action["dismissedAt"] == action["completedAt"]


@pytest.mark.parametrize("verb", ["complete", "dismiss"])
def test_the_same_end_again_by_the_same_person_changes_nothing_by_another_is_a_409(as_, ahmed, layla, path, verb):
    first = data_of(as_(ahmed).post(f"{path}/{verb}", {"notes": "انتهى"}))["action"]
    with nothing_changes():
        assert data_of(as_(ahmed).post(f"{path}/{verb}", {"notes": "مرة أخرى"}))["action"] == first
        error = error_of(as_(layla).post(f"{path}/{verb}"), 409, "CONFLICT")
        assert error["details"] == {"currentStatus": first["status"]}


def test_snooze_hides_until_the_time_given(as_, ahmed, path):
    body = {"snoozedUntil": AHEAD, "notes": "العميل في سفر"}
    action = data_of(as_(ahmed).post(f"{path}/snooze", body))["action"]
    assert (action["status"], action["snoozedUntil"]) == ("snoozed", AHEAD)
    assert data_of(as_(ahmed).get("customers/actions", {"tab": "all"}))["actions"] == []
    later = data_of(as_(ahmed).post(f"{path}/snooze", {"until": "2099-02-01"}))["action"]
    assert later["snoozedUntil"] == "2099-02-01T06:00:00Z"  # nine in the morning of Riyadh


def test_snooze_must_lie_ahead(as_, ahmed, path):
    past = (timezone.now() - timedelta(seconds=1)).isoformat()
    with nothing_changes():
        for spelling in ("snoozedUntil", "snoozeUntil", "until"):
            assert fields_of(as_(ahmed).post(f"{path}/snooze", {spelling: past}), 422) == ["snoozedUntil"]


def test_restore_undoes_an_end_and_a_snooze(as_, ahmed, path):
    client = as_(ahmed)
    for verb, body in (("complete", {"outcome": "تم"}), ("dismiss", {"reason": "لا"}), ("snooze", {"until": AHEAD})):
        client.post(f"{path}/{verb}", body)
        action = data_of(client.post(f"{path}/restore"))["action"]
        assert action["status"] == "pending"
        gone = {"completedAt", "completedBy", "completedByName", "dismissedAt", "snoozedUntil", "outcome", "reason"}
        assert not gone & action.keys()
    with nothing_changes():
        assert data_of(client.post(f"{path}/restore"))["action"]["status"] == "pending"


def test_every_move_that_the_table_forbids_is_a_409_and_every_other_is_done(ahmed, layla, customer):
    calls = {
        ActionStatus.PENDING: services.restore_action,
        ActionStatus.IN_PROGRESS: services.start_action,
        ActionStatus.COMPLETED: services.complete_action,
        ActionStatus.DISMISSED: services.dismiss_action,
        ActionStatus.SNOOZED: lambda action, actor: services.snooze_action(
            action, actor=actor, until=timezone.now() + timedelta(hours=1)
        ),
    }
    refused = 0
    for start in ActionStatus:
        for end in ActionStatus:
            action = make_action(layla, customer)
            if start != ActionStatus.PENDING:
                calls[start](action, actor=layla)
            before = CustomerAction.objects.get(pk=action.pk)
            try:
                calls[end](before, actor=ahmed)
            except ValidationError as error:
                refused += 1
                assert end not in MAY_FOLLOW[start] and error.code == "conflict"
                assert error.params == {"currentStatus": start}
                assert (
                    CustomerAction.objects.filter(pk=action.pk).values().get()
                    == CustomerAction.objects.filter(pk=before.pk).values().get()
                )
            else:
                assert end in MAY_FOLLOW[start] or start == end
                action.refresh_from_db()
                assert action.status == end
    assert refused == 8  # from each end: start, snooze, both ends


def test_each_change_leaves_one_audit_entry_with_who_and_what(as_, ahmed, action, path):
    as_(ahmed).post(f"{path}/complete", {"notes": "تم"})
    entry = AuditEntry.objects.filter(row_id=action.pk).latest("pk")
    assert (entry.operation, entry.actor_id, entry.table_name) == ("update", ahmed.pk, "customer_actions")
    assert set(entry.changes) == {"status", "completed_at", "completed_by_id"}
    assert entry.changes["status"] == ["pending", "completed"]


# --- Notes ----------------------------------------------------------------------------------


def test_a_note_is_added_by_any_of_its_names_to_ended_actions_too(as_, ahmed, action, path):
    as_(ahmed).post(f"{path}/complete")
    for name in ("content", "note", "text"):
        note = data_of(as_(ahmed).post(f"{path}/notes", {name: f"عبر {name}"}), 201)["note"]
        assert note.pop("id").startswith("note_") and note.pop("createdAt").endswith("Z")
        assert note == {
            "actionId": action.pk,
            "content": f"عبر {name}",
            "createdBy": ahmed.name,
            "createdById": ahmed.pk,
        }
    assert ActionNote.objects.filter(action=action).count() == 3


# --- What happens to customers and employees ----------------------------------------------------


@pytest.mark.parametrize(
    ("source", "priority", "kind", "hours"),
    [
        ("whatsapp", "high", "whatsapp_incoming", 24),
        ("inquiry", "urgent", "new_inquiry", 24),
        ("referral", "medium", "new_inquiry", 48),
        ("manual", "low", "new_inquiry", 48),
        ("import", "medium", "follow_up", 48),
        ("snapchat", "medium", "new_inquiry", 48),
    ],
)
def test_a_new_customer_opens_its_first_action(as_, ahmed, source, priority, kind, hours):
    body = {"name": "سارة", "phone": "0551234567", "source": source, "priority": priority, "city": "جدة"}
    customer = data_of(as_(ahmed).post("customers", body), 201)["customer"]
    (action,) = data_of(as_(ahmed).get("customers/actions", {"customerId": customer["id"], "city": "Jeddah"}))[
        "actions"
    ]
    assert (action["type"], action["priority"], action["status"]) == (kind, priority, "pending")
    assert (action["source"], action["assignedTo"]) == (customer["source"], ahmed.pk)
    row = CustomerAction.objects.select_related("customer").get(pk=action["id"])
    assert row.due_date - row.customer.created_at == timedelta(hours=hours)


def test_no_first_action_where_the_request_or_the_organization_does_without(as_, ahmed, organization):
    client = as_(ahmed)
    data_of(client.post("customers", {"name": "سارة", "phone": "0551234567", "skipFirstAction": True}), 201)
    assert CustomerAction.objects.count() == 0
    organization.opens_first_action = False
    organization.save()
    data_of(as_(ahmed).post("customers", {"name": "سارة", "phone": "0551234568"}), 201)
    assert CustomerAction.objects.count() == 0


def test_what_is_left_to_do_moves_with_the_customer(layla, ahmed, omar, customer):
    left = make_action(ahmed, customer)
    snoozed = services.snooze_action(
        make_action(ahmed, customer), until=timezone.now() + timedelta(days=1), actor=ahmed
    )
    ended = services.complete_action(make_action(ahmed, customer), actor=ahmed)
    anothers = make_action(layla, customer, assigned_to_id=layla.pk)
    customers.assign_customer(customer, actor=layla, employee_id=omar.pk)
    holders = dict(CustomerAction.objects.values_list("pk", "assigned_to"))
    assert holders == {left.pk: omar.pk, snoozed.pk: omar.pk, ended.pk: ahmed.pk, anothers.pk: layla.pk}
    assert set(CustomerAction.objects.values_list("customer_assignee", flat=True)) == {omar.pk}
    left.refresh_from_db()
    anothers.refresh_from_db()
    assert (left.version, anothers.version) == (2, 1)  # a copy is no edit


def test_what_is_left_to_do_is_nobodys_where_the_new_owner_only_looks(layla, ahmed, huda, customer, action):
    customers.assign_customer(customer, actor=layla, employee_id=huda.pk)
    action.refresh_from_db()
    assert (action.customer_assignee, action.assigned_to_id) == (huda.pk, None)


def test_what_nobody_had_to_do_goes_to_whoever_takes_the_customer(as_, layla, fatima, ahmed, huda):
    nobodys = make_customer(fatima, first_action=True)
    viewed = make_customer(layla, assigned_employee_id=huda.pk, first_action=True)
    assert set(CustomerAction.objects.values_list("assigned_to", flat=True)) == {None}
    data_of(as_(ahmed).post(f"customers/{nobodys.pk}/claim"))
    customers.assign_customer(viewed, actor=layla, employee_id=ahmed.pk)
    assert set(CustomerAction.objects.values_list("assigned_to", flat=True)) == {ahmed.pk}
    left_open = make_action(layla, nobodys, assigned_to_id=ahmed.pk)
    services.assign_action(left_open, actor=layla, employee_id=None)
    customers.assign_customer(nobodys, actor=layla, employee_id=fatima.pk)
    left_open.refresh_from_db()
    assert left_open.assigned_to_id is None  # somebody has freed it on purpose


def test_bulk_hand_overs_of_customers_move_their_actions_too(as_, layla, ahmed, omar, customer, action):
    body = {"customerIds": [customer.pk], "operation": "assign", "assignedTo": omar.pk}
    data_of(as_(layla).post("customers/bulk", body))
    action.refresh_from_db()
    assert (action.customer_assignee, action.assigned_to_id) == (omar.pk, omar.pk)


@pytest.mark.parametrize("successor", [True, False])
def test_who_leaves_hands_over_what_is_left_to_do(layla, ahmed, omar, customer, action, successor):
    strange = make_action(layla, make_customer(layla, assigned_employee_id=omar.pk), assigned_to_id=ahmed.pk)
    done = services.complete_action(make_action(ahmed, customer), actor=ahmed)
    employees.deactivate_employee(ahmed, actor=layla, successor_id=omar.pk if successor else None)
    holders = dict(CustomerAction.objects.values_list("pk", "assigned_to"))
    taken = omar.pk if successor else None
    assert holders == {action.pk: taken, strange.pk: taken, done.pk: ahmed.pk}


def test_who_becomes_a_viewer_has_nothing_left_to_do(layla, ahmed, action):
    employees.update_employee(ahmed, actor=layla, role="viewer")
    action.refresh_from_db()
    assert action.assigned_to_id is None


def test_a_moved_city_moves_the_actions_in_lists(as_, ahmed, customer, action):
    customers.update_customer(customer, actor=ahmed, values={"city": "جدة"})
    assert [a["id"] for a in data_of(as_(ahmed).get("customers/actions?city=جدة"))["actions"]] == [action.pk]
    assert [a["id"] for a in data_of(as_(ahmed).get("customers/actions?state=مكة"))["actions"]] == [action.pk]
    assert data_of(as_(ahmed).get("customers/actions?city=الرياض"))["actions"] == []


def test_a_customer_removed_for_good_takes_its_actions_along_and_leaves_no_values(as_, layla, ahmed, customer, action):
    services.add_note(action, actor=ahmed, content="سر")
    data_of(as_(layla).delete(f"customers/{customer.pk}?permanent=true"))
    assert not CustomerAction.objects.exists() and not ActionNote.objects.exists()
    entries = AuditEntry.objects.filter(row_id=action.pk)
    assert {entry.operation for entry in entries} == {"insert", "delete"}
    assert {entry.changes for entry in entries} == {None}


def test_what_employees_have_to_do_is_counted_in_their_list(as_, fatima, ahmed, layla, omar, customer, action):
    services.complete_action(make_action(ahmed, customer), actor=ahmed)
    services.dismiss_action(make_action(ahmed, customer), actor=ahmed)
    # Of a customer that Fatima cannot see, so that she cannot count it either.
    make_action(layla, make_customer(layla, assigned_employee_id=omar.pk), assigned_to_id=ahmed.pk)
    for caller, pending in ((fatima, 1), (layla, 2), (ahmed, 2)):
        listed = data_of(as_(caller).get("employees", {"includeStats": "true"}))["employees"]
        (stats,) = [row["stats"] for row in listed if row["id"] == ahmed.pk]
        assert stats == {"assignedCustomers": 1, "pendingActions": pending, "completedThisMonth": 1}
