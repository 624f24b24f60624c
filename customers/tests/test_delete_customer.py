"""DELETE /customers/:id, for now and for good, and POST /customers/:id/restore."""

import pytest

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_customer, nothing_changes
from customers.models import Assignment, Customer, NameWord, StageChange


def listed(client, query=""):
    return {customer["id"] for customer in data_of(client.get(f"customers{query}"))["customers"]}


def test_a_deleted_customer_is_hidden_with_its_children_and_keeps_its_rows(as_, layla, ahmed):
    customer, other = make_customer(ahmed, name="محذوف"), make_customer(ahmed)
    response = as_(layla).delete(f"customers/{customer.pk}")
    assert response.json()["message"] == "Customer deleted successfully"
    deleted_at = data_of(response)["deletedAt"]
    assert list(data_of(response)) == ["deletedAt"]
    customer.refresh_from_db()
    assert deleted_at.endswith("Z") and deleted_at[:19] == customer.deleted_at.strftime("%Y-%m-%dT%H:%M:%S")
    assert (StageChange.objects.count(), Assignment.objects.count()) == (2, 2)
    for viewer in (layla, ahmed):
        client = as_(viewer)
        assert listed(client) == {other.pk}
        assert data_of(client.get("customers"))["pagination"]["totalItems"] == 1
        assert listed(client, "?search=محذوف") == set()
        error_of(client.get(f"customers/{customer.pk}"), 404, "RESOURCE_NOT_FOUND")


def test_whoever_may_delete_still_sees_the_deleted_one_when_asking_for_it(as_, fatima, ahmed):
    customer = make_customer(ahmed)
    data_of(as_(fatima).delete(f"customers/{customer.pk}"))
    shown = data_of(as_(fatima).get(f"customers/{customer.pk}?deleted=only"))["customer"]
    assert shown["id"] == customer.pk and shown["deletedAt"]
    error_of(as_(ahmed).get(f"customers/{customer.pk}?deleted=only"), 403, "PERMISSION_DENIED")


def test_deleting_leaves_one_audit_entry(as_, layla):
    customer = make_customer(layla)
    AuditEntry.objects.all().delete()
    data_of(as_(layla).delete(f"customers/{customer.pk}", headers={"X-Request-ID": "req_delete"}))
    (entry,) = AuditEntry.objects.all()
    assert (entry.operation, entry.actor_id, entry.request_id) == ("update", layla.pk, "req_delete")
    assert list(entry.changes) == ["deleted_at"]
    before, after = entry.changes["deleted_at"]
    assert before is None and after


def test_a_customer_is_deleted_once(as_, layla):
    customer = make_customer(layla)
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    with nothing_changes():
        error_of(as_(layla).delete(f"customers/{customer.pk}"), 404, "RESOURCE_NOT_FOUND")
        error_of(as_(layla).delete(f"customers/{customer.pk}?deleted=only"), 404, "RESOURCE_NOT_FOUND")
        error_of(as_(layla).delete("customers/cust_nobody"), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("query", ["", "?permanent=true"])
def test_who_may_not_delete_changes_nothing(as_, layla, ahmed, omar, fatima, huda, noura, query):
    mine, theirs = make_customer(ahmed), make_customer(omar)
    seen = make_customer(layla, assigned_employee_id=huda.pk)
    with nothing_changes():
        for viewer, customer in ((ahmed, mine), (huda, seen)):
            error = error_of(as_(viewer).delete(f"customers/{customer.pk}{query}"), 403, "PERMISSION_DENIED")
            assert error["details"] == {"requiredPermission": "customers.delete", "currentRole": viewer.role}
        error_of(as_(noura).delete(f"customers/{theirs.pk}{query}"), 404, "RESOURCE_NOT_FOUND")
        error_of(as_(None).delete(f"customers/{theirs.pk}{query}"), 401)
        if not query:
            error_of(as_(fatima).delete(f"customers/{theirs.pk}"), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("query", ["?permanent=false", "?permanent=0", "?permanent="])
def test_not_permanent_is_what_it_says(as_, layla, query):
    customer = make_customer(layla)
    data_of(as_(layla).delete(f"customers/{customer.pk}{query}"))
    assert Customer.objects.filter(pk=customer.pk).exclude(deleted_at=None).exists()


def test_a_permanent_that_is_neither_yes_nor_no_changes_nothing(as_, layla):
    customer = make_customer(layla)
    with nothing_changes():
        assert fields_of(as_(layla).delete(f"customers/{customer.pk}?permanent=maybe")) == ["permanent"]


# --- For good ------------------------------------------------------------------------------------------------------


def test_for_good_removes_all_rows_and_every_value_from_the_audit(as_, layla, ahmed):
    customer, other = make_customer(ahmed, name="سري", phone="+966551234567"), make_customer(ahmed, name="باق")
    for row in (customer, other):
        data_of(as_(ahmed).patch(f"customers/{row.pk}", {"name": f"{row.name} جديد", "stage": "closing"}))
    response = as_(layla).delete(f"customers/{customer.pk}?permanent=true", headers={"X-Request-ID": "req_purge"})
    assert list(data_of(response)) == ["deletedAt"]
    assert listed(as_(layla)) == {other.pk} and listed(as_(layla), "?deleted=only") == set()
    for model in (StageChange, Assignment):
        assert set(model.objects.values_list("customer", flat=True)) == {other.pk}
    entries = list(AuditEntry.objects.filter(row_id=customer.pk).order_by("id"))
    assert [(entry.operation, entry.actor_id) for entry in entries] == [
        ("insert", ahmed.pk),
        ("update", ahmed.pk),
        ("delete", layla.pk),
    ]
    assert [entry.changes for entry in entries] == [None, None, None]
    assert entries[-1].request_id == "req_purge"
    assert AuditEntry.objects.get(row_id=other.pk, operation="update").changes["name"] == ["باق", "باق جديد"]


def test_for_good_also_takes_those_that_were_deleted_before(as_, layla):
    customer = make_customer(layla)
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    data_of(as_(layla).delete(f"customers/{customer.pk}?permanent=true"))
    assert not Customer.objects.exists()
    error_of(as_(layla).delete(f"customers/{customer.pk}?permanent=true"), 404)


def test_only_admins_delete_for_good(as_, fatima, ahmed):
    customer = make_customer(ahmed)
    with nothing_changes():
        error = error_of(as_(fatima).delete(f"customers/{customer.pk}?permanent=true"), 403, "PERMISSION_DENIED")
    assert error["details"] == {"requiredPermission": "customers.purge", "currentRole": "sales_manager"}


# --- Restore --------------------------------------------------------------------------------------------------------


def test_a_restored_customer_is_whole_again(as_, layla, fatima, ahmed):
    customer = make_customer(ahmed, name="عائد", tags=["vip"])
    before = data_of(as_(fatima).get(f"customers/{customer.pk}"))["customer"]
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    after = data_of(as_(fatima).post(f"customers/{customer.pk}/restore"))["customer"]
    assert after.pop("updatedAt") > before.pop("updatedAt")
    assert after == before
    assert listed(as_(ahmed)) == {customer.pk}
    last = AuditEntry.objects.filter(row_id=customer.pk).order_by("id").last()
    assert (last.actor_id, last.operation, last.changes["deleted_at"][1]) == (fatima.pk, "update", None)


def test_a_living_customer_stays_as_it_is(as_, layla):
    customer = make_customer(layla)
    with nothing_changes():
        data_of(as_(layla).post(f"customers/{customer.pk}/restore"))


def test_the_phone_is_free_while_deleted_and_may_be_taken_at_the_restore(as_, layla):
    gone = make_customer(layla, phone="+966551234567")
    data_of(as_(layla).delete(f"customers/{gone.pk}"))
    body = {"name": "الجديد", "phone": "0551234567"}
    taken = data_of(as_(layla).post("customers", body), 201)["customer"]
    with nothing_changes():
        error = error_of(as_(layla).post(f"customers/{gone.pk}/restore"), 409, "DUPLICATE_RESOURCE")
    assert error["details"] == {"field": "phone", "existingId": taken["id"]}


def test_who_may_not_restore_changes_nothing(as_, layla, fatima, ahmed, omar, noura):
    mine, theirs = make_customer(ahmed), make_customer(omar)
    for customer in (mine, theirs):
        data_of(as_(layla).delete(f"customers/{customer.pk}"))
    with nothing_changes():
        error = error_of(as_(ahmed).post(f"customers/{mine.pk}/restore"), 403, "PERMISSION_DENIED")
        assert error["details"] == {"requiredPermission": "customers.delete", "currentRole": "sales_agent"}
        for stranger in (fatima, noura):
            error_of(as_(stranger).post(f"customers/{theirs.pk}/restore"), 404, "RESOURCE_NOT_FOUND")


def test_for_good_forgets_the_words_of_the_name_that_nobody_else_has(as_, layla):
    customer, other = make_customer(layla, name="زرياب الكندي"), make_customer(layla, name="يعقوب الكندي")
    hidden = make_customer(layla, name="زرياب المخفي")
    words = set(NameWord.objects.values_list("word", flat=True))
    data_of(as_(layla).delete(f"customers/{hidden.pk}"))
    data_of(as_(layla).delete(f"customers/{customer.pk}?permanent=true"))
    # The hidden one may come back, and be looked for.
    assert set(NameWord.objects.values_list("word", flat=True)) == words
    data_of(as_(layla).delete(f"customers/{hidden.pk}?permanent=true"))
    assert words - set(NameWord.objects.values_list("word", flat=True)) == {"زرياب", "مخفي"}
    assert other.pk in {row["id"] for row in data_of(as_(layla).get("customers", {"search": "الكند"}))["customers"]}
