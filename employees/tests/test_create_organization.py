"""manage.py create_organization."""

import io
import json

import pytest
from django.core.management import call_command

from config.testing import HubClient, data_of
from config.tests.commands import ran
from employees.models import Employee, Organization, Team


@pytest.fixture
def create(db, monkeypatch):
    """Runs the command with a password in its pipe."""

    def create(*options, name="وساطة نجد", password="a-long-pass-phrase", email="sami@hub.test"):
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        return ran("create_organization", name, "--admin-email", email, "--admin-name", "سامي", *options)

    return create


def test_its_admin_can_sign_in_and_sees_an_empty_hub(create):
    said = create().out
    organization = Organization.objects.get(name="وساطة نجد")
    assert said == f"Created {organization.pk}; sami@hub.test may sign in.\n"
    assert Team.objects.get(organization=organization).is_default
    credentials = {"email": "sami@hub.test", "password": "a-long-pass-phrase"}
    user = data_of(HubClient().post("auth/login", credentials))["user"]
    assert (user["roleKey"], user["organizationId"]) == ("admin", organization.pk)


def test_programs_are_told_the_ids(create):
    told = json.loads(create("--format=json").out)
    admin = Employee.objects.get()
    assert told == {"dryRun": False, "organization": admin.organization_id, "admin": admin.pk, "email": "sami@hub.test"}


def test_a_dry_run_creates_nobody_and_refuses_what_would_be_refused(create):
    ended = create("--dry-run")
    assert ended.code == 0 and ended.out.startswith("Dry run: nothing was changed.\norganization: org_")
    assert create("--dry-run", password="123").code == 1
    assert Organization.objects.count() == Employee.objects.count() == 0


def test_an_organization_may_begin_without_an_admin(db):
    ended = ran("create_organization", "وساطة نجد", "--no-admin")
    organization = Organization.objects.get()
    assert (ended.code, ended.out) == (0, f"Created {organization.pk}.\n")
    assert Team.objects.filter(organization=organization, is_default=True).exists() and not Employee.objects.exists()


@pytest.mark.parametrize(
    ("options", "values", "refusal"),
    [
        ([], {"password": "123"}, "too short"),
        ([], {"password": ""}, "too short"),
        ([], {"email": "Taken@hub.test"}, "An employee with this email exists already"),
        ([], {"email": "sami"}, "--admin-email: Enter a valid email address."),
        ([], {"name": ""}, "name: This field cannot be blank."),
        ([], {"name": "و" * 256}, "name: Ensure this value has at most 255 characters (it has 256)."),
        (["--name-en", "x" * 256], {}, "--name-en: Ensure this value has at most 255 characters (it has 256)."),
        (["--no-admin"], {}, "Either --admin-email and --admin-name, or --no-admin."),
        (["--admin-name", ""], {}, "Either --admin-email and --admin-name, or --no-admin."),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing_half(create, options, values, refusal):
    create(email="taken@hub.test")
    ended = create(*options, **values)
    assert ended.code == 1 and refusal in ended.refusal
    assert Organization.objects.count() == Employee.objects.count() == 1


def test_on_a_terminal_the_password_is_asked_for_twice(db, monkeypatch):
    typed = iter(["a-long-pass-phrase", "a-lon-pass-phrase"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("employees.management.commands.create_organization.getpass", lambda prompt: next(typed))
    ended = ran("create_organization", "وساطة نجد", "--admin-email=sami@hub.test", "--admin-name=سامي")
    assert (ended.code, ended.refusal) == (1, "The two passwords differ.")
    assert not Organization.objects.exists()


def test_a_changed_password_ends_the_sessions_of_its_owner(layla, monkeypatch):
    client = HubClient(layla)
    monkeypatch.setattr("getpass.getpass", lambda prompt="": "a-new-pass-phrase")
    call_command("changepassword", layla.email, stdout=io.StringIO())
    assert client.get("auth/me").status_code == 401
    data_of(HubClient().post("auth/login", {"email": layla.email, "password": "a-new-pass-phrase"}))
