"""manage.py create_organization."""

import io

import pytest
from django.core.management import CommandError, call_command

from config.testing import HubClient, data_of
from employees.models import Employee, Organization, Team


def create(monkeypatch, password, email="sami@hub.test"):
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    out = io.StringIO()
    call_command("create_organization", "وساطة نجد", "--admin-email", email, "--admin-name", "سامي", stdout=out)
    return out.getvalue()


def test_its_admin_can_sign_in_and_sees_an_empty_hub(db, monkeypatch):
    said = create(monkeypatch, "a-long-pass-phrase")
    organization = Organization.objects.get(name="وساطة نجد")
    assert said == f"Created {organization.pk}; sami@hub.test may sign in.\n"
    assert Team.objects.get(organization=organization).is_default
    credentials = {"email": "sami@hub.test", "password": "a-long-pass-phrase"}
    user = data_of(HubClient().post("auth/login", credentials))["user"]
    assert (user["roleKey"], user["organizationId"]) == ("admin", organization.pk)


@pytest.mark.parametrize(("password", "email"), [("123", "sami@hub.test"), ("a-long-pass-phrase", "taken@hub.test")])
def test_a_weak_password_or_a_taken_email_leaves_nothing_half(db, monkeypatch, password, email):
    create(monkeypatch, "a-long-pass-phrase", "taken@hub.test")
    with pytest.raises(CommandError):
        create(monkeypatch, password, email)
    assert Organization.objects.count() == Employee.objects.count() == 1


def test_a_changed_password_ends_the_sessions_of_its_owner(layla, monkeypatch):
    client = HubClient(layla)
    monkeypatch.setattr("getpass.getpass", lambda prompt="": "a-new-pass-phrase")
    call_command("changepassword", layla.email, stdout=io.StringIO())
    assert client.get("auth/me").status_code == 401
    data_of(HubClient().post("auth/login", {"email": layla.email, "password": "a-new-pass-phrase"}))
