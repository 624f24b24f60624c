"""POST /customers/:id/assign and /customers/:id/claim, and what happens when somebody leaves."""

import pytest

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_customer, make_employee, nothing_changes
from customers.models import Assignment, Customer
from employees import services as employees
from employees.choices import Role


def assign(client, customer, employee, **more):
    return client.post(f"customers/{customer.pk}/assign", {"employeeId": employee and employee.pk, **more})


def hand_overs(customer):
    rows = Assignment.objects.filter(customer=customer).order_by("assigned_at", "id")
    return list(rows.values_list("from_employee", "to_employee", "assigned_by_id", "notes"))


@pytest.fixture
def free(layla):
    """A customer of nobody."""
    return make_customer(layla, name="خالد الحربي", assigned_employee_id=None)


def test_a_hand_over_leaves_a_row_each_time_and_the_whole_customer_comes_back(as_, layla, ahmed, omar, free):
    first = data_of(assign(as_(layla), free, ahmed, notes="عميل شمال الرياض"))["customer"]
    assert first["assignedEmployeeId"] == ahmed.pk and first["name"] == "خالد الحربي"
    assert first["assignedEmployee"] == {
        "id": ahmed.pk,
        "name": ahmed.name,
        "email": ahmed.email,
        "role": "Senior Sales Agent",
        "roleKey": "sales_agent",
        "isActive": True,
    }
    second = data_of(assign(as_(layla), free, omar))["customer"]
    assert second["assignedEmployee"]["name"] == omar.name
    third = data_of(assign(as_(layla), free, None))["customer"]
    assert not {"assignedEmployee", "assignedEmployeeId"} & third.keys()
    assert hand_overs(free) == [
        (None, ahmed.pk, layla.pk, "عميل شمال الرياض"),
        (ahmed.pk, omar.pk, layla.pk, ""),
        (omar.pk, None, layla.pk, ""),
    ]


def test_who_cannot_be_chosen_is_told_by_how_far_the_caller_sees(as_, layla, fatima, ahmed, omar, noura):
    customer = make_customer(ahmed)
    for caller, stranger, whole in ((layla, noura, "organization"), (fatima, omar, "team")):
        with nothing_changes():
            details = error_of(assign(as_(caller), customer, stranger), 422)["details"]
            assert details == [{"field": "employeeId", "message": f"Must be an active employee of your {whole}"}]


def test_a_hand_over_moves_the_customer_between_the_lists_of_agents(as_, layla, ahmed, omar, free):
    for owner, other in ((ahmed, omar), (omar, ahmed)):
        data_of(assign(as_(layla), free, owner))
        assert data_of(as_(owner).get(f"customers/{free.pk}"))["customer"]["id"] == free.pk
        error_of(as_(other).get(f"customers/{free.pk}"), 404)


def test_the_same_assignee_again_changes_nothing(as_, layla, fatima, ahmed, free):
    data_of(assign(as_(layla), free, ahmed))
    with nothing_changes():
        data_of(assign(as_(fatima), free, ahmed, notes="مرة أخرى"))


def test_a_hand_over_is_in_the_audit(as_, fatima, ahmed, free):
    AuditEntry.objects.all().delete()
    data_of(
        as_(fatima).post(
            f"customers/{free.pk}/assign", {"employeeId": ahmed.pk}, headers={"X-Request-ID": "req_assign"}
        )
    )
    (entry,) = AuditEntry.objects.all()
    assert (entry.actor_id, entry.request_id) == (fatima.pk, "req_assign")
    assert entry.changes == {"assigned_employee_id": [None, ahmed.pk]}


def test_managers_hand_over_to_themselves_and_viewers_may_be_given_customers(as_, fatima, huda, free):
    assert data_of(assign(as_(fatima), free, fatima))["customer"]["assignedEmployeeId"] == fatima.pk
    data_of(assign(as_(fatima), free, huda))
    assert data_of(as_(huda).get(f"customers/{free.pk}"))["customer"]["id"] == free.pk


def test_who_may_not_assign_changes_nothing(as_, layla, ahmed, omar, fatima, huda, noura):
    mine, theirs = make_customer(ahmed), make_customer(omar)
    seen = make_customer(layla, assigned_employee_id=huda.pk)
    with nothing_changes():
        for caller, customer in ((ahmed, mine), (huda, seen)):
            error = error_of(assign(as_(caller), customer, omar), 403, "PERMISSION_DENIED")
            assert error["details"] == {"requiredPermission": "customers.assign", "currentRole": caller.role}
        for stranger in (fatima, noura):
            error_of(assign(as_(stranger), theirs, None), 404, "RESOURCE_NOT_FOUND")


def test_the_target_must_be_active_and_in_the_callers_reach(as_, layla, fatima, omar, noura, organization, north, free):
    gone = make_employee(organization, "سعد Saad", Role.SALES_AGENT, north)
    employees.deactivate_employee(gone, actor=layla)
    with nothing_changes():
        for caller, strangers in ((fatima, (omar, gone, noura)), (layla, (gone, noura))):
            for stranger in strangers:
                assert fields_of(assign(as_(caller), free, stranger), 422) == ["employeeId"]
        response = as_(layla).post(f"customers/{free.pk}/assign", {"employeeId": "emp_nobody"})
        assert fields_of(response, 422) == ["employeeId"]


@pytest.mark.parametrize("body", [{}, {"employeeId": ""}, {"employeeId": {"id": "emp_1"}}, {"employeeId": "x" * 51}])
def test_a_body_without_a_proper_employee_changes_nothing(as_, layla, free, body):
    with nothing_changes():
        assert fields_of(as_(layla).post(f"customers/{free.pk}/assign", body)) == ["employeeId"]


# --- Claim ----------------------------------------------------------------------------------------------------------


def test_an_agent_claims_what_nobody_has(as_, ahmed, free):
    error_of(as_(ahmed).get(f"customers/{free.pk}"), 404)
    customer = data_of(as_(ahmed).post(f"customers/{free.pk}/claim"))["customer"]
    assert customer["assignedEmployeeId"] == ahmed.pk and customer["phone"] == free.phone
    assert hand_overs(free) == [(None, ahmed.pk, ahmed.pk, "")]
    with nothing_changes():
        assert data_of(as_(ahmed).post(f"customers/{free.pk}/claim"))["customer"] == customer


def test_what_is_taken_stays_taken_and_nobody_says_by_whom(as_, ahmed, omar, fatima):
    theirs = make_customer(omar)
    for caller in (ahmed, fatima):
        with nothing_changes():
            response = as_(caller).post(f"customers/{theirs.pk}/claim")
            error_of(response, 409, "CONFLICT")
        for secret in (omar.pk, omar.name, omar.email, theirs.phone):
            assert secret not in response.content.decode()


def test_viewers_and_agents_of_strict_agencies_may_not_claim(as_, huda, ahmed, fatima, organization, free):
    organization.agents_may_claim = False
    organization.save()
    with nothing_changes():
        for caller in (huda, ahmed):
            error = error_of(as_(caller).post(f"customers/{free.pk}/claim"), 403, "PERMISSION_DENIED")
            assert error["details"] == {"requiredPermission": "customers.claim", "currentRole": caller.role}
    assert data_of(as_(fatima).post(f"customers/{free.pk}/claim"))["customer"]["assignedEmployeeId"] == fatima.pk


def test_nobody_claims_what_is_deleted_or_elsewhere(as_, layla, ahmed, noura, free):
    foreign = make_customer(noura, assigned_employee_id=None)
    data_of(as_(layla).delete(f"customers/{free.pk}"))
    with nothing_changes():
        for pk in (free.pk, foreign.pk, "cust_nobody"):
            error_of(as_(ahmed).post(f"customers/{pk}/claim"), 404, "RESOURCE_NOT_FOUND")


# --- Leaving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_successor", [True, False])
def test_who_leaves_hands_everything_over_or_leaves_it_to_nobody(as_, layla, ahmed, omar, fatima, with_successor):
    mine = [make_customer(ahmed) for _ in range(3)]
    other = make_customer(omar)
    after = fatima.pk if with_successor else None
    data_of(as_(layla).post(f"employees/{ahmed.pk}/deactivate", {"successorId": after}))
    for customer in mine:
        customer.refresh_from_db()
        assert customer.assigned_employee_id == after
        assert hand_overs(customer)[-1] == (ahmed.pk, after, layla.pk, "")
    assert Customer.objects.get(pk=other.pk).assigned_employee_id == omar.pk
