"""GET /employees and the writes of an admin: hire, change, let go, take back."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from config.models import AuditEntry
from config.testing import (
    HubClient,
    data_of,
    error_of,
    fields_of,
    make_customer,
    make_employee,
    make_phone,
    nothing_changes,
)
from customers.models import Assignment, Customer
from employees.choices import Role
from employees.models import Employee, Team

PASSWORD = "كلمة سر طويلة جدا 42"


def listed(client, query=None):
    return data_of(client.get("employees", query))["employees"]


def ids(employees):
    return [employee["id"] if isinstance(employee, dict) else employee.pk for employee in employees]


# --- The list -------------------------------------------------------------------------------------


def test_an_employee_has_the_documented_shape(as_, organization, north, layla):
    sara = make_employee(
        organization,
        "سارة القحطاني",
        Role.SALES_AGENT,
        north,
        email="sara@hub.test",
        name_en="Sara Al-Qahtani",
        phone="+966501234567",
        whatsapp="+966501234568",
        job_title="Senior Sales Agent",
        avatar="https://cdn.hub.test/sara.png",
    )
    expected = {
        "id": sara.pk,
        "name": "سارة القحطاني",
        "nameEn": "Sara Al-Qahtani",
        "email": "sara@hub.test",
        "phone": "+966501234567",
        "whatsapp": "+966501234568",
        "role": "Senior Sales Agent",
        "roleKey": "sales_agent",
        "avatar": "https://cdn.hub.test/sara.png",
        "isActive": True,
        "teamId": north.pk,
    }
    response = as_(layla).get("employees")
    assert set(response.json()) == {"success", "data", "meta"} and set(response.json()["data"]) == {"employees"}
    (shown,) = [employee for employee in listed(as_(layla)) if employee["id"] == sara.pk]
    assert shown == expected
    assert data_of(as_(layla).get(f"employees/{sara.pk}")) == {"employee": expected}


def test_what_an_employee_lacks_is_left_out(as_, layla):
    (shown,) = listed(as_(layla))
    assert set(shown) == {"id", "name", "email", "roleKey", "isActive", "teamId"}


def test_employees_are_listed_by_name(as_, layla, organization):
    for name in ("ياسر", "بدر", "خالد"):
        make_employee(organization, name, Role.SALES_AGENT)
    assert [employee["name"] for employee in listed(as_(layla))] == ["بدر", "خالد", "ليلى Layla", "ياسر"]


def test_the_filter_role_takes_a_key_or_a_job_title(as_, layla, ahmed, omar, fatima, huda):
    client = as_(layla)
    assert sorted(ids(listed(client, {"role": "sales_agent"}))) == sorted(ids([ahmed, omar]))
    assert ids(listed(client, {"role": "sales_manager"})) == [fatima.pk]
    assert ids(listed(client, {"role": "viewer"})) == [huda.pk]
    assert ids(listed(client, {"role": "Senior Sales Agent"})) == [ahmed.pk]
    assert ids(listed(client, {"role": "senior sales agent"})) == [ahmed.pk]
    assert listed(client, {"role": "مدير"}) == []
    assert len(listed(client, {"role": ""})) == 5


def test_the_filter_is_active_takes_every_spelling_of_a_boolean(as_, layla, ahmed):
    ahmed.is_active = False
    ahmed.save()
    for spelling in ("true", "1", "yes", "TRUE"):
        assert ids(listed(as_(layla), {"isActive": spelling})) == [layla.pk]
    for spelling in ("false", "0", "no"):
        assert ids(listed(as_(layla), {"isActive": spelling})) == [ahmed.pk]
    assert fields_of(as_(layla).get("employees", {"isActive": "maybe"})) == ["isActive"]


def test_unknown_parameters_and_fields_are_reported(as_, layla):
    response = as_(layla).get("employees", {"department": "x", "fields": "name,password", "include": "sessions"})
    assert response.json()["data"]["employees"] == [{"id": layla.pk, "name": "ليلى Layla"}]
    assert response.json()["meta"]["ignoredParams"] == ["department", "password", "sessions"]


def test_the_workload_counts_living_customers_of_those_whom_the_caller_may_count(as_, layla, fatima, ahmed, omar, huda):
    for who, number in ((ahmed, 2), (omar, 3), (fatima, 1)):
        for _ in range(number):
            make_customer(layla, assigned_employee_id=who.pk)
    gone = make_customer(layla, assigned_employee_id=ahmed.pk)
    data_of(as_(layla).delete(f"customers/{gone.pk}"))

    def counts(caller, value="true"):
        return {
            e["id"]: e["stats"]["assignedCustomers"]
            for e in listed(as_(caller), {"includeStats": value})
            if "stats" in e
        }

    assert counts(layla) == {layla.pk: 0, fatima.pk: 1, ahmed.pk: 2, omar.pk: 3, huda.pk: 0}
    assert counts(fatima, "1") == {layla.pk: 0, fatima.pk: 1, ahmed.pk: 2, huda.pk: 0}
    assert counts(ahmed) == {ahmed.pk: 2}
    assert counts(huda) == {huda.pk: 0}
    assert counts(layla, "false") == counts(layla, "") == {}


def test_a_manager_counts_no_customer_of_another_team_by_moving_its_assignee(as_, layla, fatima, omar):
    """Customers follow their assignee's team; the numbers follow too."""
    make_customer(layla, assigned_employee_id=omar.pk)
    assert omar.pk not in ids(listed(as_(fatima)))
    error_of(as_(fatima).get(f"employees/{omar.pk}"), 404, "RESOURCE_NOT_FOUND")


# --- Hiring -----------------------------------------------------------------------------------------


def test_a_new_employee_joins_the_default_team_as_agent_and_can_sign_in(as_, layla, north):
    body = {"name": "ماجد العنزي", "email": "Majed@Hub.Test", "phone": "٠٥٠١٢٣٤٥٦٧", "password": PASSWORD}
    response = as_(layla).post("employees", body)
    employee = data_of(response, 201)["employee"]
    assert response.json()["message"] == "Employee created"
    assert response["Location"] == f"/api/v1/employees/{employee['id']}"
    assert employee == {
        "id": employee["id"],
        "name": "ماجد العنزي",
        "email": "majed@hub.test",
        "phone": "+966501234567",
        "roleKey": "sales_agent",
        "isActive": True,
        "teamId": north.pk,
    }
    assert employee["id"].startswith("emp_")
    data_of(HubClient().post("auth/login", {"email": "majed@hub.test", "password": PASSWORD}))


def test_without_a_password_nobody_signs_in_as_them_until_they_get_one(as_, layla):
    employee = data_of(as_(layla).post("employees", {"name": "ماجد", "email": "majed@hub.test"}), 201)["employee"]
    error_of(HubClient().post("auth/login", {"email": "majed@hub.test", "password": "!"}), 401)
    response = as_(layla).post(f"employees/{employee['id']}/password", {"password": PASSWORD})
    assert response.json()["message"] == "Password changed; all sessions have ended"
    data_of(HubClient().post("auth/login", {"email": "majed@hub.test", "password": PASSWORD}))


def test_role_title_and_team_can_be_named(as_, layla, south):
    body = {"name": "منى", "email": "mona@hub.test", "roleKey": "viewer", "role": "محاسبة", "teamId": south.pk}
    employee = data_of(as_(layla).post("employees", body), 201)["employee"]
    assert (employee["roleKey"], employee["role"], employee["teamId"]) == ("viewer", "محاسبة", south.pk)


def test_an_employee_may_belong_to_no_team(as_, layla):
    body = {"name": "منى", "email": "mona@hub.test", "teamId": None}
    assert "teamId" not in data_of(as_(layla).post("employees", body), 201)["employee"]


@pytest.mark.parametrize(
    "password", ["12345678", "password", "قصيرة", "majed-alanzi", "9481726350", "majed@hub.test", "ماجد العنزي"]
)
def test_a_weak_password_is_a_422_and_hires_nobody(as_, layla, ahmed, password):
    body = {"name": "ماجد العنزي", "nameEn": "majed-alanzi", "email": "majed@hub.test", "password": password}
    assert set(fields_of(as_(layla).post("employees", body), 422)) == {"password"}
    assert not Employee.objects.filter(email="majed@hub.test").exists()
    assert set(fields_of(as_(layla).post(f"employees/{ahmed.pk}/password", {"password": "12345678"}), 422)) == {
        "password"
    }


def test_a_taken_email_is_a_conflict_in_any_case(as_, layla, ahmed):
    for email in (ahmed.email, ahmed.email.upper(), f"  {ahmed.email} "):
        error = error_of(as_(layla).post("employees", {"name": "ماجد", "email": email}), 409, "DUPLICATE_RESOURCE")
        assert error["details"] == {"field": "email"}
        assert error["message"] == "An employee with this email exists already"


def test_a_change_to_a_taken_email_is_a_conflict_and_changes_nothing(as_, layla, ahmed, huda):
    response = as_(layla).patch(f"employees/{huda.pk}", {"email": ahmed.email.upper(), "name": "اسم آخر"})
    assert error_of(response, 409, "DUPLICATE_RESOURCE")["details"] == {"field": "email"}
    huda.refresh_from_db()
    assert huda.name == "هدى Huda"
    data_of(as_(layla).patch(f"employees/{huda.pk}", {"email": huda.email.upper()}))


@pytest.mark.django_db(transaction=True)
def test_of_parallel_hires_with_one_email_one_succeeds(layla):
    clients, barrier = [HubClient(layla) for _ in range(4)], Barrier(4)

    def race(client):
        try:
            barrier.wait(60)
            return client.post("employees", {"name": "ماجد", "email": "majed@hub.test"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(race, clients)) == [201, 409, 409, 409]


def test_what_only_the_server_decides_cannot_be_written(as_, layla, noura, organization):
    body = {
        "id": "emp_mine",
        "name": "ماجد",
        "email": "majed@hub.test",
        "isActive": False,
        "is_active": False,
        "isSuperuser": True,
        "is_superuser": True,
        "organizationId": noura.organization_id,
        "organization_id": noura.organization_id,
        "version": 99,
        "createdAt": "2020-01-01T00:00:00Z",
    }
    employee = data_of(as_(layla).post("employees", body), 201)["employee"]
    assert employee["isActive"] is True
    data_of(as_(layla).patch(f"employees/{employee['id']}", body | {"isActive": True}))
    row = Employee.objects.get(email="majed@hub.test")
    assert row.pk != "emp_mine" and row.organization == organization
    assert (row.is_active, row.is_superuser, row.version) == (True, False, 1)


# --- Changing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_change_leaves_what_it_does_not_name(as_, layla, ahmed, south, method):
    body = {"name": "أحمد الغامدي", "roleKey": "sales_manager", "teamId": south.pk, "phone": "0501234567"}
    response = as_(layla).call(method, f"employees/{ahmed.pk}", body)
    employee = data_of(response)["employee"]
    assert response.json()["message"] == "Employee updated"
    assert employee == {
        "id": ahmed.pk,
        "name": "أحمد الغامدي",
        "email": ahmed.email,
        "phone": "+966501234567",
        "role": "Senior Sales Agent",
        "roleKey": "sales_manager",
        "isActive": True,
        "teamId": south.pk,
    }
    cleared = data_of(as_(layla).patch(f"employees/{ahmed.pk}", {"teamId": None, "role": "", "phone": ""}))["employee"]
    assert not {"teamId", "role", "phone"} & set(cleared)


def test_what_has_an_endpoint_of_its_own_is_not_changed_by_the_way(as_, layla, ahmed):
    place = f"employees/{ahmed.pk}"
    with nothing_changes():
        for body, field, word in (
            ({"isActive": False}, "isActive", "deactivate"),
            ({"password": PASSWORD}, "password", "password"),
        ):
            details = error_of(as_(layla).patch(place, body), 400, "VALIDATION_ERROR")["details"]
            message = f"Cannot be changed here: use POST /employees/{{id}}/{word}"
            assert details == [{"field": field, "message": message}]
    sent_back = data_of(as_(layla).patch(place, {"isActive": True, "nameEn": "Ahmed S."}))["employee"]
    assert (sent_back["isActive"], sent_back["nameEn"]) == (True, "Ahmed S.")
    data_of(as_(layla).post(f"{place}/deactivate", {}))
    details = error_of(as_(layla).patch(place, {"isActive": True}), 400)["details"]
    assert details[0]["message"] == "Cannot be changed here: use POST /employees/{id}/activate"


def test_the_licence_of_an_employee_is_read_in_any_digits_and_cleared_by_null(as_, layla, ahmed):
    for number, shown in (("١١٠٠٠١٢٣٤٥", "1100012345"), (None, None)):
        answer = data_of(as_(layla).patch(f"employees/{ahmed.pk}", {"falLicenseNumber": number}))["employee"]
        assert answer.get("falLicenseNumber") == shown


def test_a_team_of_another_organization_is_no_team(as_, layla, ahmed, noura, organization):
    for team_id in (Team.objects.get(organization=noura.organization).pk, "team_nowhere"):
        response = as_(layla).patch(f"employees/{ahmed.pk}", {"teamId": team_id})
        assert fields_of(response, 422) == ["teamId"]
        body = {"name": "ماجد", "email": "majed@hub.test", "teamId": team_id}
        assert fields_of(as_(layla).post("employees", body), 422) == ["teamId"]
    assert Team.objects.get(organization=organization).members.count() == 2


def test_a_stale_version_is_refused_and_a_repeated_change_makes_no_new_one(as_, layla, ahmed):
    client, path = as_(layla), f"employees/{ahmed.pk}"
    etag = client.get(path)["ETag"]
    changed = client.patch(path, {"name": "أحمد الأول"}, headers={"If-Match": etag})
    assert data_of(changed)["employee"]["name"] == "أحمد الأول"
    error_of(client.patch(path, {"name": "أحمد الثاني"}, headers={"If-Match": etag}), 412, "PRECONDITION_FAILED")
    assert client.patch(path, {"name": "أحمد الأول"})["ETag"] == changed["ETag"]
    error_of(client.post(f"{path}/deactivate", headers={"If-Match": etag}), 412, "PRECONDITION_FAILED")
    password = {"password": PASSWORD}
    error_of(client.post(f"{path}/password", password, headers={"If-Match": etag}), 412, "PRECONDITION_FAILED")
    ahmed.refresh_from_db()
    assert (ahmed.name, ahmed.is_active, ahmed.version) == ("أحمد الأول", True, 2)


def test_a_change_is_recorded_with_its_author_and_its_request(as_, layla, ahmed):
    as_(layla).patch(f"employees/{ahmed.pk}", {"name": "أحمد الغامدي"}, headers={"X-Request-ID": "req_of_layla"})
    entry = AuditEntry.objects.filter(row_id=ahmed.pk).latest("id")
    assert (entry.operation, entry.actor_id, entry.request_id) == ("update", layla.pk, "req_of_layla")
    assert entry.changes == {"name": ["أحمد Ahmed", "أحمد الغامدي"]}
    as_(layla).post(f"employees/{ahmed.pk}/password", {"password": PASSWORD})
    ahmed.refresh_from_db()
    assert ahmed.password not in str(list(AuditEntry.objects.values()))


# --- Letting go ----------------------------------------------------------------------------------------


def test_what_somebody_leaves_goes_to_the_successor(as_, layla, ahmed, omar, huda):
    theirs = [make_customer(layla, assigned_employee_id=ahmed.pk) for _ in range(3)]
    kept = make_customer(layla, assigned_employee_id=huda.pk)
    before = {row.pk: row.version for row in Customer.objects.all()}
    Assignment.objects.all().delete()
    leaving = as_(ahmed)
    response = as_(layla).post(f"employees/{ahmed.pk}/deactivate", {"successorId": omar.pk})
    assert data_of(response)["employee"]["isActive"] is False
    assert response.json()["message"] == "Employee deactivated"

    assert {row.pk for row in omar.customers.all()} == {row.pk for row in theirs}
    assert [row.pk for row in huda.customers.all()] == [kept.pk]
    moved = Assignment.objects.values_list("customer", "from_employee", "to_employee", "assigned_by_id", "assigned_by")
    assert set(moved) == {(row.pk, ahmed.pk, omar.pk, layla.pk, "ليلى Layla") for row in theirs}
    after = {row.pk: row.version for row in Customer.objects.all()}
    assert {pk for pk in after if after[pk] == before[pk] + 1} == {row.pk for row in theirs}
    assert len(data_of(as_(omar).get("customers"))["customers"]) == 3
    error_of(leaving.get("auth/me"), 401, "AUTHENTICATION_FAILED")
    assert not ahmed.sessions.filter(ended_at=None).exists()


def test_without_a_successor_customers_become_unassigned(as_, layla, fatima, ahmed):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    Assignment.objects.all().delete()
    data_of(as_(layla).post(f"employees/{ahmed.pk}/deactivate"))
    customer.refresh_from_db()
    assert customer.assigned_employee is None
    assert Assignment.objects.values_list("customer", "from_employee", "to_employee").get() == (
        customer.pk,
        ahmed.pk,
        None,
    )
    assert ids(data_of(as_(fatima).get("customers?assignedTo=unassigned"))["customers"]) == [customer.pk]


def test_only_another_active_colleague_can_succeed(as_, layla, ahmed, omar, noura):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    Employee.objects.filter(pk=omar.pk).update(is_active=False)
    answers = []
    for successor in (noura.pk, omar.pk, ahmed.pk, "emp_nobody"):
        response = as_(layla).post(f"employees/{ahmed.pk}/deactivate", {"successorId": successor})
        assert fields_of(response, 422) == ["successorId"]
        answers.append(response.json()["error"])
    assert all(answer == answers[0] for answer in answers)
    ahmed.refresh_from_db()
    customer.refresh_from_db()
    assert ahmed.is_active and customer.assigned_employee == ahmed


def test_letting_somebody_go_twice_is_letting_go_once(as_, layla, ahmed, omar):
    path = f"employees/{ahmed.pk}/deactivate"
    first, second = as_(layla).post(path), as_(layla).post(path, {"successorId": omar.pk})
    assert data_of(first) == data_of(second)
    assert first["ETag"] == second["ETag"]


def test_somebody_who_left_is_assigned_nothing_and_signs_in_no_more(as_, layla, ahmed):
    data_of(as_(layla).post(f"employees/{ahmed.pk}/password", {"password": PASSWORD}))
    data_of(as_(layla).post(f"employees/{ahmed.pk}/deactivate"))
    body = {"name": "سارة", "phone": make_phone(), "assignedEmployeeId": ahmed.pk}
    assert fields_of(as_(layla).post("customers", body), 422) == ["assignedEmployeeId"]
    error_of(HubClient().post("auth/login", {"email": ahmed.email, "password": PASSWORD}), 401)
    response = as_(layla).post(f"employees/{ahmed.pk}/activate")
    assert data_of(response)["employee"]["isActive"] is True
    assert response.json()["message"] == "Employee activated"
    data_of(HubClient().post("auth/login", {"email": ahmed.email, "password": PASSWORD}))


# --- The last admin --------------------------------------------------------------------------------------


def test_the_last_admin_can_neither_be_demoted_nor_let_go(as_, layla, organization, ahmed):
    former = make_employee(organization, "سابق", Role.ADMIN)
    Employee.objects.filter(pk=former.pk).update(is_active=False)
    for role in ("sales_manager", "sales_agent", "viewer"):
        assert fields_of(as_(layla).patch(f"employees/{layla.pk}", {"roleKey": role}), 422) == ["role"]
    error_of(as_(layla).post(f"employees/{layla.pk}/deactivate", {"successorId": ahmed.pk}), 422, "VALIDATION_ERROR")
    data_of(as_(layla).patch(f"employees/{layla.pk}", {"roleKey": "admin", "name": "ليلى العتيبي"}))
    data_of(as_(layla).patch(f"employees/{former.pk}", {"roleKey": "viewer"}))
    layla.refresh_from_db()
    assert (layla.role, layla.is_active) == ("admin", True)


def test_an_admin_may_leave_when_another_stays(as_, layla, organization):
    second = make_employee(organization, "ثانية", Role.ADMIN)
    data_of(as_(layla).patch(f"employees/{layla.pk}", {"roleKey": "viewer"}))
    error_of(as_(second).post(f"employees/{second.pk}/deactivate"), 422)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "body"), [("employees/{}", {"roleKey": "viewer"}), ("employees/{}/deactivate", {})])
def test_of_two_admins_who_remove_each_other_one_remains(organization, path, body):
    for _ in range(3):
        Employee.objects.all().delete()
        first, second = (make_employee(organization, name, Role.ADMIN) for name in ("أولى", "ثانية"))
        tries = [(HubClient(first), second), (HubClient(second), first)]
        barrier = Barrier(2)

        def race(one, barrier=barrier):
            client, other = one
            try:
                barrier.wait(60)
                method = "patch" if body else "post"
                return client.call(method, path.format(other.pk), body).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(pool.map(race, tries))
        # The slower one finds itself the last admin (422), or no admin at all any more (401, 403).
        assert statuses[0] == 200 and statuses[1] in (401, 403, 422), statuses
        assert Employee.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


def test_the_audit_says_that_a_password_changed_and_by_whom_but_not_which(as_, layla, ahmed):
    data_of(as_(layla).post(f"employees/{ahmed.pk}/password", {"password": "a-long-pass-phrase"}))
    entry = AuditEntry.objects.filter(table_name="employees", row_id=ahmed.pk).latest("pk")
    assert (entry.operation, entry.actor_id, entry.changes) == ("update", layla.pk, {"password": None})
