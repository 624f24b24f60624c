"""POST /customers/merges/:id/undo: both customers are what they were, but for what was changed since."""

from datetime import timedelta

import pytest

from actions import refreshing as actions
from actions.models import CustomerAction
from config.models import AuditEntry, IdempotencyKey
from config.testing import data_of, error_of, fields_of, make_action, make_customer, nothing_changes
from customers import refreshing
from customers.models import CustomerMerge, Interaction, Reminder, WafiLicense
from customers.services import customer as customers
from customers.services.merge import forget_merges, prune_snapshots
from customers.tasks import prune_merge_snapshots
from customers.tests.two import make_whole, merge, rows_of
from employees import services as employees
from realtime.models import Event

EVERYTHING = {
    name: "merged"
    for name in (
        "name phone nationalId stage source tags preferences notes doNotContact assignedEmployeeId priority city "
        "totalDealValue nextFollowUpDate brokerageLicense wafiLicense sakaniEligibility registryInfo mortgageInfo"
    ).split()
}


def undo(client, done):
    return data_of(client.post(f"customers/merges/{done['merge']['id']}/undo"))


# --- Everything as before ------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, EVERYTHING], ids=["usual", "everything chosen"])
def test_every_business_column_of_both_and_of_all_that_hangs_on_them_is_as_before(
    as_, layla, ahmed, omar, clock, fields
):
    client = as_(layla)
    whole = {
        "tags": ["vip"], "notes": "ملاحظة", "total_deal_value": "2200000.55", "latitude": "24.71", "longitude": "46.67",
        "preferences": {"preferredAreas": ["الرياض - النرجس"], "budgetMin": 1_000_000.5},
        "source_details": {"campaign": "صيف"}, "national_id": "1000000008", "city": "جدة",
        "next_follow_up_date": "2030-01-01", "do_not_contact": True, "email": "o@hub.test",
        "date_of_birth": "1990-05-01",
    }  # fmt: skip
    other = make_whole(layla, omar, name="سالم القديم", stage="closing", **whole)
    customers.change_stage(other, actor=layla, to_stage="site_visit", reason="عاد")
    clock.move(days=3)
    survivor = make_whole(layla, ahmed, name="سالم", tags=["جديد"], city="الرياض")
    for customer, direction in ((survivor, "inbound"), (other, "outbound")):
        body = {"type": "call", "direction": direction, "followUpRequired": True}
        data_of(client.post(f"customers/{customer.pk}/interactions", body), 201)
    make_action(layla, survivor, type="property_match")
    make_action(layla, survivor, assigned_to_id=omar.pk)
    before = rows_of(survivor, other)
    AuditEntry.objects.all().delete()

    done = merge(client, survivor, other, fields=fields)

    assert rows_of(survivor, other) != before
    assert refreshing.check() == [] and actions.check() == []
    undone = undo(client, done)
    assert undone["kept"] == []
    assert rows_of(survivor, other) == before
    assert refreshing.check() == [] and actions.check() == []
    assert [undone[name]["id"] for name in ("customer", "restored")] == [survivor.pk, other.pk]
    assert undone["merge"]["undoneById"] == layla.pk and undone["merge"]["canBeUndone"] is False
    for customer in (survivor, other):
        assert data_of(client.get(f"customers/{customer.pk}"))["customer"]["id"] == customer.pk
        assert AuditEntry.objects.filter(table_name="customers", row_id=customer.pk).count() >= 2


def test_both_are_told_of_and_a_second_time_is_refused(as_, layla, survivor, other):
    client = as_(layla)
    done = merge(client, survivor, other)
    Event.objects.all().delete()
    undo(client, done)
    told = {(event.event, event.row_id) for event in Event.objects.all()}
    assert {("customer.restored", other.pk), ("customer.updated", survivor.pk)} <= told
    (action,) = CustomerAction.objects.filter(customer=other)
    assert {("action.restored", action.pk), ("action.updated", action.pk)} <= told
    with nothing_changes():
        error = error_of(client.post(f"customers/merges/{done['merge']['id']}/undo"), 409, "CONFLICT")
        assert set(error["details"]) == {"undoneAt"}
    merge(client, other, survivor)  # the other way round, from what is there again


# --- What came since -------------------------------------------------------------------------------


def test_later_edits_stay_and_are_named(as_, layla, survivor, other):
    client = as_(layla)
    fields = {"name": "merged", "notes": "merged", "stage": "merged"}
    customers.change_stage(other, actor=layla, to_stage="site_visit")
    customers.update_customer(other, actor=layla, values={"notes": "من الآخر"})
    done = merge(client, survivor, other, fields=fields)
    data_of(
        client.patch(f"customers/{survivor.pk}", {"notes": "بعد الدمج", "stage": "negotiation", "email": "n@hub.test"})
    )
    undone = undo(client, done)
    (kept,) = undone["kept"]
    assert (kept["collection"], kept["id"]) == ("customers", survivor.pk)
    assert {"notes", "stage"} <= set(kept["fields"]) and "name" not in kept["fields"]
    shown, restored = undone["customer"], undone["restored"]
    assert (shown["name"], shown["notes"], shown["stage"]) == (survivor.name, "بعد الدمج", "negotiation")
    assert shown["email"] == "n@hub.test"
    assert (restored["name"], restored["notes"], restored["stage"]) == (other.name, "من الآخر", "site_visit")
    assert [change["toStage"] for change in restored["stageHistory"]] == ["new_lead", "site_visit"]
    assert [change["toStage"] for change in shown["stageHistory"]] == ["new_lead", "negotiation"]
    assert refreshing.check() == [] and actions.check() == []


def test_rows_that_came_since_stay_and_changes_and_removals_of_moved_ones_hold(as_, layla, survivor, other):
    client, path = as_(layla), f"customers/{survivor.pk}"
    theirs, reminder = Interaction.objects.get(customer=other), Reminder.objects.get(customer=other).pk
    (action,) = CustomerAction.objects.filter(customer=other)
    done = merge(client, survivor, other)
    new = data_of(client.post(f"{path}/interactions", {"type": "email"}), 201)["interaction"]["id"]
    data_of(client.patch(f"{path}/interactions/{theirs.pk}", {"notes": "عُدّل بعد الدمج"}))
    data_of(client.delete(f"{path}/reminders/{reminder}"))
    data_of(client.post(f"customers/actions/{action.pk}/notes", {"content": "بعد الدمج"}), 201)
    data_of(client.post(f"customers/actions/{action.pk}/complete"))
    undone = undo(client, done)
    assert {row["id"] for row in undone["customer"]["interactions"]} >= {new} and undone["customer"][
        "totalInteractions"
    ] == 2
    (back,) = undone["restored"]["interactions"]
    assert (back["id"], back["notes"], undone["restored"]["totalInteractions"]) == (theirs.pk, "عُدّل بعد الدمج", 1)
    assert undone["restored"]["reminders"] == []
    action.refresh_from_db()
    assert (action.customer_id, action.status, action.customer_assignee) == (
        other.pk,
        "completed",
        other.assigned_employee_id,
    )
    assert set(action.notes.values_list("customer", flat=True)) == {other.pk}
    assert refreshing.check() == [] and actions.check() == []


def test_nothing_goes_back_to_somebody_who_has_left(as_, layla, ahmed, omar, survivor, other):
    client = as_(layla)
    done = merge(client, survivor, other, fields={"assignedEmployeeId": "merged"})
    employees.deactivate_employee(ahmed, actor=layla)
    undone = undo(client, done)
    assert undone["customer"]["assignedEmployeeId"] == omar.pk
    assert [kept["fields"] for kept in undone["kept"] if kept["id"] == survivor.pk] == [["assignedEmployeeId"]]
    assert not CustomerAction.objects.filter(assigned_to=ahmed, completed_at=None).exists()
    assert refreshing.check() == [] and actions.check() == []


# --- Refusals ------------------------------------------------------------------------------------------


def test_a_phone_that_is_taken_meanwhile_is_a_duplicate(as_, layla, survivor, other):
    client = as_(layla)
    done = merge(client, survivor, other, fields={"phone": "merged"})
    new = make_customer(layla, phone=survivor.phone)
    with nothing_changes():
        error = error_of(client.post(f"customers/merges/{done['merge']['id']}/undo"), 409, "DUPLICATE_RESOURCE")
        assert error["details"] == {"field": "phone", "existingId": new.pk}
    customers.delete_customer(new, actor=layla)
    assert undo(client, done)["customer"]["phone"] == survivor.phone
    again = merge(client, survivor, other)
    data_of(client.patch(f"customers/{survivor.pk}", {"phone": other.phone}))
    error = error_of(client.post(f"customers/merges/{again['merge']['id']}/undo"), 409, "DUPLICATE_RESOURCE")
    assert error["details"] == {"field": "phone", "existingId": survivor.pk}


def test_the_latest_merge_is_undone_first(as_, layla, survivor, other):
    client, third, last = as_(layla), make_customer(layla), make_customer(layla)
    before = rows_of(survivor, other, third, last)
    first, second = merge(client, survivor, other), merge(client, survivor, third)
    path = f"customers/merges/{first['merge']['id']}/undo"
    assert error_of(client.post(path), 409)["details"] == {"newerMergeId": second["merge"]["id"]}
    whole = merge(client, last, survivor)
    assert error_of(client.post(path), 409)["details"] == {"mergedInto": last.pk}
    for done in (whole, second, first):
        undo(client, done)
    assert rows_of(survivor, other, third, last) == before


def test_thirty_days_later_it_is_too_late_and_nothing_is_kept_for_it(as_, layla, clock, survivor, other):
    client = as_(layla)
    done = merge(client, survivor, other)
    clock.move(days=30, seconds=1)
    error = error_of(client.post(f"customers/merges/{done['merge']['id']}/undo"), 409, "CONFLICT")
    assert error["details"]["until"][:19] == done["merge"]["until"][:19]
    assert prune_snapshots(clock.now - timedelta(seconds=2)) == 0
    assert prune_merge_snapshots() == 1 and prune_merge_snapshots() == 0
    (row,) = CustomerMerge.objects.all()
    assert row.snapshot is None and row.moved["interactions"] == 1


def test_what_is_forgotten_of_a_person_is_forgotten_of_all_who_became_that_person(as_, layla, survivor, other):
    client, last, apart = as_(layla), make_customer(layla), make_customer(layla)
    first = merge(client, survivor, other, reason="سر")
    merge(client, last, survivor)
    merge(client, apart, make_customer(layla))
    forget_merges(last)
    assert set(CustomerMerge.objects.filter(snapshot__isnull=True).values_list("survivor", flat=True)) == {
        survivor.pk,
        last.pk,
    }
    assert CustomerMerge.objects.get(pk=first["merge"]["id"]).reason == ""
    assert CustomerMerge.objects.get(survivor=apart).snapshot


@pytest.mark.parametrize("how", ["erased", "removed for good"])
def test_what_others_were_while_somebody_was_merged_into_them_is_forgotten_with_that_person(as_, layla, how):
    client, texts = as_(layla), {"email": "nonesuch@hub.test", "national_id": "1000000008", "notes": "nonesuch"}
    survivor, other, last = make_customer(layla), make_customer(layla, **texts), make_customer(layla)
    path = f"customers/{survivor.pk}"
    data_of(client.patch(path, {"district": "قبل"}))
    note = data_of(client.post(f"customers/{other.pk}/interactions", {"type": "note", "notes": "nonesuch"}), 201)
    first = merge(client, survivor, other)
    data_of(client.patch(path, {"district": "بين", "notes": "nonesuch 2"}, HTTP_IDEMPOTENCY_KEY="between"))
    data_of(client.post(f"{path}/claim", HTTP_IDEMPOTENCY_KEY="claimed"))
    data_of(client.delete(f"{path}/interactions/{note['interaction']['id']}"))
    second = merge(client, last, survivor)
    undo(client, second)
    data_of(client.patch(path, {"notes": ""}))
    undo(client, first)
    data_of(client.patch(path, {"district": "بعد"}))
    if how == "erased":
        data_of(client.post(f"customers/{other.pk}/erase", {"confirm": other.pk}))
    else:
        data_of(client.delete(f"customers/{other.pk}?permanent=true"))
    kept = "\n".join(map(str, [*AuditEntry.objects.values_list("changes"), *Event.objects.values_list("data", "row"),
                               *IdempotencyKey.objects.values_list("data")]))  # fmt: skip
    assert [word for word in ("nonesuch", "1000000008", other.phone) if word in kept] == []
    told = data_of(client.get(f"{path}/history", {"entity": "customer"}))["history"]
    values = [[change["to"] for change in row["changes"] if change["field"] == "district"] for row in told]
    assert [value for row in values for value in row] == ["بعد", "قبل"]


def test_another_single_part_since_must_go_first(as_, layla, survivor, other):
    client, path = as_(layla), f"customers/{survivor.pk}/compliance/wafi-license"
    done = merge(client, survivor, other, fields={"wafiLicense": "merged"})
    data_of(client.delete(path))
    data_of(client.patch(path, {"status": "planning", "notes": "جديد"}))
    new = WafiLicense.objects.get(customer=survivor)
    error = error_of(client.post(f"customers/merges/{done['merge']['id']}/undo"), 409, "CONFLICT")
    assert error["details"] == {"collection": "wafiLicense", "existingId": new.pk}


def test_who_does_not_see_both_undoes_nothing(as_, layla, fatima, ahmed, omar, noura, survivor, other):
    done = merge(as_(layla), survivor, other)
    path = f"customers/merges/{done['merge']['id']}/undo"
    with nothing_changes():
        for stranger in (fatima, noura):
            assert error_of(as_(stranger).post(path), 404)["details"]["resourceType"] == "merge"
        for role in (ahmed, omar):
            error_of(as_(role).post(path), 403, "PERMISSION_DENIED")
        error_of(as_(layla).post("customers/merges/merge_none/undo"), 404)
    assert data_of(as_(fatima).get(f"customers/{survivor.pk}/merges"))["merges"] == []
    assert fields_of(as_(layla).get(f"customers/{survivor.pk}/merges?limit=0")) == ["limit"]
