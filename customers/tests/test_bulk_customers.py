"""POST /customers/bulk: one operation on many customers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_customer, make_employee, nothing_changes
from customers.models import Assignment, Customer, StageChange
from employees import services as employees
from employees.choices import Role


def bulk(client, customers, operation, **more):
    ids = [getattr(customer, "pk", customer) for customer in customers]
    return client.post("customers/bulk", {"customerIds": ids, "operation": operation, **more})


def column(customers, name):
    values = dict(Customer.objects.filter(pk__in=[customer.pk for customer in customers]).values_list("pk", name))
    return [values[customer.pk] for customer in customers]


NOT_FOUND = {"code": "RESOURCE_NOT_FOUND", "message": "Customer not found"}


def test_a_stage_for_many_leaves_a_history_row_for_each_that_moved(as_, fatima, ahmed):
    customers = [make_customer(ahmed, stage=stage) for stage in ("new_lead", "closing", "new_lead")]
    data = data_of(bulk(as_(fatima), customers, "stage", toStage="closing", reason="حملة", notes="نهاية السنة"))
    assert (data["updatedCount"], data["failed"]) == (3, [])
    assert column(customers, "stage") == ["closing"] * 3
    assert column(customers, "version") == [2, 1, 2]
    moved = StageChange.objects.exclude(from_stage=None).order_by("customer")
    assert list(moved.values_list("customer", "from_stage", "to_stage", "changed_by_id", "reason", "notes")) == sorted(
        (customer.pk, "new_lead", "closing", fatima.pk, "حملة", "نهاية السنة")
        for customer in (customers[0], customers[2])
    )
    found = data_of(as_(fatima).get("customers?stage=closing&sortBy=stage"))["pagination"]["totalItems"]
    assert found == 3


def test_a_priority_for_many_sorts_them_anew(as_, ahmed):
    customers = [make_customer(ahmed) for _ in range(3)]
    assert data_of(bulk(as_(ahmed), customers[:2], "priority", priority="urgent"))["updatedCount"] == 2
    first = data_of(as_(ahmed).get("customers?sortBy=priority&sortOrder=desc"))["customers"]
    assert [row["priority"] for row in first] == ["urgent", "urgent", "medium"]
    assert not StageChange.objects.exclude(from_stage=None).exists()


def test_an_assignee_for_many_leaves_an_assignment_for_each_that_moved(as_, fatima, ahmed):
    customers = [make_customer(fatima, assigned_employee_id=owner) for owner in (None, ahmed.pk, fatima.pk)]
    Assignment.objects.all().delete()
    data = data_of(bulk(as_(fatima), customers, "assign", assignedTo=ahmed.pk, notes="توزيع"))
    assert data == {"updatedCount": 3, "failed": []}
    rows = Assignment.objects.values_list("customer", "from_employee", "to_employee", "assigned_by_id", "notes")
    assert set(rows) == {
        (customers[0].pk, None, ahmed.pk, fatima.pk, "توزيع"),
        (customers[2].pk, fatima.pk, ahmed.pk, fatima.pk, "توزيع"),
    }
    data_of(bulk(as_(fatima), customers, "assign", assignedTo=None))
    assert column(customers, "assigned_employee_id") == [None] * 3


def test_tags_for_many_are_added_and_removed_and_found(as_, ahmed):
    customers = [make_customer(ahmed, tags=tags) for tags in ([], ["قديم", "vip"], ["vip"])]
    data = data_of(bulk(as_(ahmed), customers, "tags", addTags=["vip", "رمضان"], removeTags=["قديم"]))
    assert data == {"updatedCount": 3, "failed": []}
    assert column(customers, "tags") == [["vip", "رمضان"]] * 3
    client = as_(ahmed)
    assert data_of(client.get("customers?tags=رمضان"))["pagination"]["totalItems"] == 3
    assert data_of(client.get("customers?tags=قديم"))["pagination"]["totalItems"] == 0
    with nothing_changes():
        data_of(bulk(client, customers, "tags", addTags=["vip"], removeTags=["قديم"]))


def test_what_is_not_the_callers_comes_back_in_the_order_asked_and_the_rest_is_done(as_, ahmed, omar, noura, layla):
    mine, theirs, foreign, gone = make_customer(ahmed), make_customer(omar), make_customer(noura), make_customer(ahmed)
    data_of(as_(layla).delete(f"customers/{gone.pk}"))
    asked = [foreign, "cust_nobody", mine, theirs, gone]
    data = data_of(bulk(as_(ahmed), asked, "stage", toStage="closing"))
    assert data["updatedCount"] == 1
    assert data["failed"] == [{"id": pk, **NOT_FOUND} for pk in (foreign.pk, "cust_nobody", theirs.pk, gone.pk)]
    assert column([mine, theirs, foreign, gone], "stage") == ["closing", "new_lead", "new_lead", "new_lead"]


def test_when_nothing_is_the_callers_the_call_still_succeeds(as_, ahmed, omar):
    theirs = make_customer(omar)
    with nothing_changes():
        data = data_of(bulk(as_(ahmed), [theirs], "priority", priority="low"))
    assert data == {"updatedCount": 0, "failed": [{"id": theirs.pk, **NOT_FOUND}]}


def test_an_id_named_twice_counts_once(as_, ahmed):
    customer = make_customer(ahmed)
    data = data_of(bulk(as_(ahmed), [customer, customer, customer], "stage", toStage="closing"))
    assert (data["updatedCount"], data["failed"]) == (1, [])
    assert StageChange.objects.count() == 2
    data = data_of(bulk(as_(ahmed), ["cust_nobody"] * 3, "stage", toStage="closing"))
    assert data == {"updatedCount": 0, "failed": [{"id": "cust_nobody", **NOT_FOUND}]}


@pytest.mark.parametrize(("role", "limit"), [("layla", 500), ("fatima", 200), ("ahmed", 50)])
def test_each_role_has_its_limit_and_repeats_do_not_count(as_, request, role, limit):
    employee = request.getfixturevalue(role)
    mine = make_customer(employee)
    ids = [mine.pk, *(f"cust_{n}" for n in range(limit))]
    with nothing_changes():
        response = bulk(as_(employee), ids, "stage", toStage="closing")
        assert fields_of(response) == ["customerIds"]
        assert str(limit) in response.json()["error"]["details"][0]["message"]
    data = data_of(bulk(as_(employee), [*ids[:limit], *ids[:limit]], "stage", toStage="closing"))
    assert (data["updatedCount"], len(data["failed"])) == (1, limit - 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"customerIds": []}, "customerIds"),
        ({"customerIds": None}, "customerIds"),
        ({"customerIds": "cust_1"}, "customerIds"),
        ({"customerIds": [["cust_1"]]}, "customerIds.0"),
        ({"customerIds": ["x" * 1001]}, "customerIds.0"),
        ({"operation": "erase"}, "operation"),
        ({"operation": None}, "operation"),
        ({"operation": "stage", "toStage": None}, "toStage"),
        ({"operation": "stage", "toStage": "gone"}, "toStage"),
        ({"operation": "priority"}, "priority"),
        ({"operation": "priority", "priority": "meh"}, "priority"),
        ({"operation": "assign"}, "assignedTo"),
        ({"operation": "assign", "assignedTo": ""}, "assignedTo"),
        ({"operation": "tags"}, "addTags"),
        ({"operation": "tags", "addTags": "vip"}, "addTags"),
        ({"operation": "tags", "addTags": ["و" * 101]}, "addTags.0"),
    ],
)
def test_a_wrong_order_is_named_and_changes_nothing(as_, layla, body, field):
    customer = make_customer(layla)
    with nothing_changes():
        body = {"customerIds": [customer.pk], "operation": "stage", "toStage": "closing", **body}
        assert fields_of(as_(layla).post("customers/bulk", body)) == [field]


def test_each_operation_needs_its_own_value(as_, layla):
    customer = make_customer(layla)
    with nothing_changes():
        assert fields_of(bulk(as_(layla), [customer], "stage", priority="low")) == ["toStage"]


def test_agents_do_not_assign_in_bulk_and_viewers_do_nothing(as_, layla, ahmed, huda):
    mine, seen = make_customer(ahmed), make_customer(layla, assigned_employee_id=huda.pk)
    with nothing_changes():
        for assignee in (ahmed.pk, None):
            error = error_of(bulk(as_(ahmed), [mine], "assign", assignedTo=assignee), 403, "PERMISSION_DENIED")
            assert error["details"] == {"requiredPermission": "customers.assign", "currentRole": "sales_agent"}
        error = error_of(bulk(as_(huda), [seen], "stage", toStage="closing"), 403, "PERMISSION_DENIED")
        assert error["details"] == {"requiredPermission": "customers.write", "currentRole": "viewer"}


def test_the_assignee_must_be_active_and_in_the_callers_reach(as_, layla, fatima, omar, noura, organization, north):
    customer = make_customer(layla, assigned_employee_id=None)
    gone = make_employee(organization, "سعد Saad", Role.SALES_AGENT, north)
    employees.deactivate_employee(gone, actor=layla)
    with nothing_changes():
        for caller, strangers in ((fatima, (omar, gone, noura)), (layla, (gone, noura))):
            for stranger in strangers:
                assert fields_of(bulk(as_(caller), [customer], "assign", assignedTo=stranger.pk), 422) == ["assignedTo"]


def test_every_row_that_changed_is_in_the_audit(as_, layla, ahmed):
    customers = [make_customer(ahmed, stage=stage) for stage in ("new_lead", "closing", "qualified")]
    AuditEntry.objects.all().delete()
    body = {"customerIds": [customer.pk for customer in customers], "operation": "stage", "toStage": "closing"}
    data_of(as_(layla).post("customers/bulk", body, headers={"X-Request-ID": "req_bulk"}))
    entries = AuditEntry.objects.values_list("row_id", "actor_id", "request_id", "operation", "changes")
    assert sorted(entries) == sorted(
        (customer.pk, layla.pk, "req_bulk", "update", {"stage": [customer.stage, "closing"]})
        for customer in (customers[0], customers[2])
    )


def test_the_number_of_queries_does_not_grow_with_the_rows(as_, layla, ahmed):
    customers = [make_customer(layla) for _ in range(40)]
    client = as_(layla)
    for operation, more, other in (
        ("stage", {"toStage": "closing"}, {"toStage": "qualified"}),
        ("assign", {"assignedTo": ahmed.pk}, {"assignedTo": None}),
        ("tags", {"addTags": ["vip"]}, {"removeTags": ["vip"]}),
    ):
        data_of(bulk(client, customers, operation, **more))
        counts = []
        for rows, values in ((customers[:1], other), (customers[1:], other)):
            with CaptureQueriesContext(connection) as queries:
                data_of(bulk(client, rows, operation, **values))
            counts.append(len(queries))
        assert counts[0] == counts[1], operation
