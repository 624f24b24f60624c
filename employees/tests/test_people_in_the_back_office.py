"""Employees, teams, the organization and sessions, as admins change them in the back office."""

from config.testing import AdminClient, error_of, make_customer
from customers.models import Customer
from employees import services
from employees.models import Employee, Organization, Session, Team
from employees.roles import BULK_LIMITS


def test_an_admin_hires_somebody_who_then_signs_in(layla, north, as_):
    answer = AdminClient(layla).save(
        "/admin/employees/employee/add/",
        name="سامي", email="Sami@Hub.test", roleKey="sales_agent", teamId=north.pk, password="Kamal-Riyadh-77",
    )  # fmt: skip
    assert answer.status_code == 302
    sami = Employee.objects.get(email="sami@hub.test")
    assert (sami.role, sami.team_id, sami.organization_id) == ("sales_agent", north.pk, layla.organization_id)
    login = as_().post("auth/login", {"email": "sami@hub.test", "password": "Kamal-Riyadh-77"})
    assert login.status_code == 200


def test_a_taken_email_is_said_at_its_field(layla, ahmed):
    page = AdminClient(layla).save(f"/admin/employees/employee/{ahmed.pk}/change/", email=layla.email)
    assert page.context["adminform"].form.errors == {"email": ["An employee with this email exists already"]}


def test_a_manager_only_looks_at_the_team(fatima, ahmed):
    client = AdminClient(fatima)
    page = client.get(f"/admin/employees/employee/{ahmed.pk}/change/")
    assert ahmed.email in page.content.decode()
    assert "_save" not in page.content.decode()
    assert client.post(f"/admin/employees/employee/{ahmed.pk}/change/", {"name": "x"}).status_code == 403
    assert client.post(f"/admin/employees/employee/{ahmed.pk}/do/deactivate/", {"apply": "1"}).status_code == 403
    assert Employee.objects.get(pk=ahmed.pk).name == ahmed.name


def test_whoever_leaves_hands_over_to_a_successor(layla, ahmed, omar):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    url = f"/admin/employees/employee/{ahmed.pk}/do/deactivate/"
    assert AdminClient(layla).post(url, {"apply": "1", "successor": omar.pk}).status_code == 302
    assert Employee.objects.get(pk=ahmed.pk).is_active is False
    assert Customer.objects.get(pk=customer.pk).assigned_employee_id == omar.pk


def test_whoever_comes_back_signs_in_again(layla, fatima):
    hers, mine = AdminClient(fatima), AdminClient(layla)
    assert hers.get("/admin/").status_code == 200
    services.deactivate_employee(fatima, actor=layla)
    services.activate_employee(fatima, actor=layla)
    assert hers.get("/admin/").status_code == 302
    assert mine.get("/admin/").status_code == 200


def test_the_last_admin_stays(layla):
    page = AdminClient(layla).post(f"/admin/employees/employee/{layla.pk}/do/deactivate/", {"apply": "1"})
    assert "at least one active admin" in page.content.decode()
    assert Employee.objects.get(pk=layla.pk).is_active is True


def test_a_new_password_ends_all_sessions(layla, ahmed, as_):
    his = as_(ahmed)
    url = f"/admin/employees/employee/{ahmed.pk}/do/set_password/"
    assert "too short" in AdminClient(layla).post(url, {"apply": "1", "password": "x"}).content.decode()
    assert his.get("auth/me").status_code == 200
    assert AdminClient(layla).post(url, {"apply": "1", "password": "Kamal-Riyadh-77"}).status_code == 302
    error_of(his.get("auth/me"), 401)


def test_ones_own_password_is_set_by_the_same_service(layla, as_):
    services.set_password(layla, "Kamal-Riyadh-77", actor=layla)
    elsewhere, client = as_(layla), AdminClient(layla)
    passwords = {"new_password1": "Nujoom-Jeddah-88", "new_password2": "Nujoom-Jeddah-88"}
    url = "/admin/password_change/"
    assert client.post(url, {"old_password": "wrong", **passwords}).status_code == 200
    assert elsewhere.get("auth/me").status_code == 200
    assert client.post(url, {"old_password": "Kamal-Riyadh-77", **passwords}).status_code == 302
    error_of(elsewhere.get("auth/me"), 401)
    assert client.get("/admin/").status_code == 200


def test_a_password_is_the_same_however_a_keyboard_writes_it(layla):
    services.set_password(layla, "Kam\u00e1l-Riyadh-77", actor=layla)
    client, url, old = AdminClient(layla), "/admin/password_change/", {"old_password": "Kama\u0301l-Riyadh-77"}
    short = dict.fromkeys(("new_password1", "new_password2"), "a\u0301" * 4)
    page = client.post(url, old | short)
    assert page.status_code == 200
    assert "too short" in page.content.decode()
    new = {"new_password1": "Nuj\u00f3om-Jeddah-88", "new_password2": "Nujo\u0301om-Jeddah-88"}
    assert client.post(url, old | new).status_code == 302


def test_an_old_password_cannot_be_guessed_behind_an_open_browser(layla, limits, clock):
    services.set_password(layla, "Kamal-Riyadh-77", actor=layla)
    client, right = AdminClient(layla), {"old_password": "Kamal-Riyadh-77"}
    new = {"new_password1": "Nujoom-Jeddah-88", "new_password2": "Nujoom-Jeddah-88"}
    for _try in range(services.SIGN_INS_OF_AN_ACCOUNT.burst):
        page = client.post("/admin/password_change/", {"old_password": "wrong"} | new)
        assert "was entered incorrectly" in page.content.decode()
    assert "Too many tries" in client.post("/admin/password_change/", right | new).content.decode()


def test_whoever_signs_in_with_a_way_to_nowhere_comes_to_the_first_page(layla):
    services.set_password(layla, "Kamal-Riyadh-77", actor=layla)
    login = {"username": layla.email, "password": "Kamal-Riyadh-77", "next": "https://evil.test/"}
    answer = AdminClient().post("/admin/login/", login)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_an_admin_ends_a_session(layla, ahmed, as_):
    his = as_(ahmed)
    session = Session.objects.get(employee=ahmed)
    assert AdminClient(layla).press("/admin/employees/session/", "end", [session.pk]).status_code == 302
    error_of(his.get("auth/me"), 401)


def test_teams_come_are_renamed_and_go_unless_somebody_is_in_them(layla, north, south, omar):
    client = AdminClient(layla)
    assert client.save("/admin/employees/team/add/", name="الشرق").status_code == 302
    east = Team.objects.get(name="الشرق")
    assert east.organization_id == layla.organization_id
    assert client.save(f"/admin/employees/team/{east.pk}/change/", name="الغرب").status_code == 302
    taken = client.save(f"/admin/employees/team/{east.pk}/change/", name=south.name)
    assert taken.context["adminform"].form.errors == {"name": ["A team with this name exists already"]}
    for team in (east, south, north):
        client.post(f"/admin/employees/team/{team.pk}/delete/", {"post": "yes"})
    assert set(Team.objects.values_list("pk", flat=True)) == {south.pk, north.pk}


def test_of_many_that_are_deleted_all_go_or_none(layla, north, south, omar, monkeypatch):
    first, last = (Team.objects.create(organization=layla.organization, name=name) for name in ("آ", "ي"))
    client, url = AdminClient(layla), "/admin/employees/team/"
    chosen = {"action": "delete_selected", "_selected_action": [first.pk, south.pk, last.pk], "post": "yes"}
    page = client.post(url, chosen, follow=True)
    why = f"Nothing was deleted. {south}: The team has members; let them join another one first"
    assert [str(message) for message in page.context["messages"]] == [why]
    assert Team.objects.filter(pk__in=[first.pk, last.pk]).count() == 2
    monkeypatch.setitem(BULK_LIMITS, "admin", 1)
    chosen["_selected_action"] = [first.pk, last.pk]
    page = client.post(url, chosen, follow=True)
    assert [str(message) for message in page.context["messages"]] == ["At most 1 rows can be changed at once."]
    monkeypatch.setitem(BULK_LIMITS, "admin", 2)
    assert client.post(url, chosen).status_code == 302
    assert set(Team.objects.values_list("pk", flat=True)) == {north.pk, south.pk}


def test_an_admin_sets_single_rules_of_the_gates(layla, organization):
    url = f"/admin/employees/organization/{organization.pk}/change/"
    client = AdminClient(layla)
    assert client.save(url, **{"gateRules.DEED_REQUIRED": "enforce", "commissionRate": "٣"}).status_code == 302
    organization = Organization.objects.get(pk=organization.pk)
    assert (organization.gate_rules, organization.commission_rate) == ({"DEED_REQUIRED": "enforce"}, 3)
    assert client.save(url, **{"gateRules.DEED_REQUIRED": ""}).status_code == 302
    assert Organization.objects.get(pk=organization.pk).gate_rules == {}


def test_superusers_alone_open_organizations(layla):
    assert AdminClient(layla).get("/admin/employees/organization/add/").status_code == 403
    Employee.objects.filter(pk=layla.pk).update(is_superuser=True)
    answer = AdminClient(Employee.objects.get(pk=layla.pk)).save("/admin/employees/organization/add/", name="وساطة")
    assert answer.status_code == 302
    made = Organization.objects.get(name="وساطة")
    assert Team.objects.filter(organization=made, is_default=True).count() == 1


def test_how_a_superuser_signs_in_is_for_superusers_to_change(layla, omar, as_):
    Employee.objects.filter(pk=omar.pk).update(is_superuser=True, role="admin")
    before = Employee.objects.get(pk=omar.pk)
    client, api = AdminClient(layla), as_(layla)
    page = f"/admin/employees/employee/{omar.pk}"
    password = {"password": "Kamal-Riyadh-77"}
    client.save(f"{page}/change/", email="mine@hub.test")
    client.save(f"{page}/change/", roleKey="viewer")
    for name in ("set_password", "deactivate", "activate"):
        client.post(f"{page}/do/{name}/", {"apply": "1", **password})
    error_of(api.post(f"employees/{omar.pk}/password", password), 403)
    error_of(api.post(f"employees/{omar.pk}/deactivate"), 403)
    error_of(api.patch(f"employees/{omar.pk}", {"email": "mine@hub.test"}), 403)
    error_of(api.patch(f"employees/{omar.pk}", {"roleKey": "viewer"}), 403)
    after = Employee.objects.get(pk=omar.pk)
    names = ("email", "role", "is_active", "password")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]
    assert api.patch(f"employees/{omar.pk}", {"name": "عمر", "email": omar.email}).status_code == 200
    assert AdminClient(before).save(f"{page}/change/", email="new@hub.test").status_code == 302
