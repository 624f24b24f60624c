"""What the operators' commands promise together: one at a time, exit codes that --help tells, a clean Ctrl-C."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError

from config.tests.commands import another_session, ran
from customers.models import Customer
from customers.services import search

COMMANDS = [
    "import_customers",
    "import_listings",
    "export_customers",
    "refresh_stats",
    "rebuild_search",
    "prune",
    "create_organization",
    "doctor",
]
LOCK_ALL = "SELECT pg_advisory_lock(hashtext(%s))"
LOCK_ONE = "SELECT pg_advisory_lock_shared(hashtext(%s)), pg_advisory_lock(hashtext(%s), hashtext(%s))"
SHEET = "name,phone\nمنيرة,0511234567\nهند,0541242486\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_tells_the_exit_codes_and_the_form_of_the_summary(command, capsys):
    with pytest.raises(SystemExit) as end:
        call_command(command, "--help")
    said = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    assert "Exit codes: 0 " in said and "130 interrupted" in said and "{text,json}" in said


@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_what_changes_something_can_be_tried_dry(command, capsys):
    with pytest.raises(SystemExit):
        call_command(command, "--help")
    assert "--dry-run" in capsys.readouterr().out


def test_a_command_refuses_to_run_beside_itself(organization, noura, tmp_path):
    path, other = tmp_path / "new.csv", noura.organization_id
    path.write_text(SHEET)
    name = "command import_customers"

    def words(key):
        return "import_customers", str(path), f"--organization={key}"

    with another_session() as session:
        session.execute(LOCK_ONE, [name, name, organization.pk])
        refused = ran(*words(organization.pk))
        assert (refused.code, refused.refusal) == (
            3,
            "Another import_customers is under way; nothing was changed",
        )
        assert not Customer.objects.exists()
        assert ran(*words(other)).code == 0
    assert ran(*words(organization.pk)).code == 0
    assert Customer.objects.count() == 4


def test_a_run_over_all_organizations_excludes_that_over_one_and_the_other_way_round(organization):
    one, name = f"--organization={organization.pk}", "command rebuild_search"
    with another_session() as session:
        session.execute(LOCK_ONE, [name, name, organization.pk])
        assert (ran("rebuild_search").code, ran("rebuild_search", one).code) == (3, 3)
    with another_session() as session:
        session.execute(LOCK_ALL, [name])
        assert (ran("rebuild_search").code, ran("rebuild_search", one).code) == (3, 3)
        assert ran("refresh_stats", one).code == 0
    assert (ran("rebuild_search").code, ran("rebuild_search", one).code) == (0, 0)


def test_a_database_that_fails_is_told_in_one_sentence(organization, monkeypatch):
    def fail(*args, **options):
        raise OperationalError("server closed the connection unexpectedly\nThis probably means …")

    monkeypatch.setattr(search, "rebuild_search", fail)
    ended = ran("rebuild_search")
    assert (ended.code, ended.refusal) == (1, "The database failed: server closed the connection unexpectedly")


def test_the_summary_of_an_import_can_be_parsed(organization, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(SHEET + "سارة,12\n")
    words = ["import_customers", str(path), f"--organization={organization.pk}", "--summary=json"]
    counts = {"read": 3, "inserted": 2, "updated": 0, "unchanged": 0, "duplicates": 0, "bad": 1, "notices": 0}
    rest = {"others": [], "relations": [], "errorFile": f"{path}.errors.csv"}
    dry = ran(*words, "--dry-run")
    assert (dry.code, json.loads(dry.out)) == (2, {"dryRun": True, **counts, **rest})
    assert not Customer.objects.exists()
    assert json.loads(ran(*words).out) == {"dryRun": False, **counts, **rest}


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def interrupted(hub):
    """Runs a command of the hub, interrupts it while it waits for a table; gives its exit code and last words."""

    def interrupted(table, *words, by=signal.SIGINT):
        argv = [sys.executable, "manage.py", *words]
        environment = hub.environment | {"PGAPPNAME": "interrupted"}
        options = {"cwd": settings.BASE_DIR, "env": environment, "stderr": subprocess.PIPE, "text": True}
        with hub.locked(table):
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True, **options)
            waits = "application_name = 'interrupted' AND wait_event_type = 'Lock'"
            hub.wait_for(lambda: hub.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {waits}") == [(1,)])
            os.kill(process.pid, by)
            _out, err = process.communicate(timeout=60)
        return process.returncode, err.splitlines()[-1]

    return interrupted


def again(hub, *words):
    argv = [sys.executable, "manage.py", *words]
    return subprocess.run(argv, cwd=settings.BASE_DIR, env=hub.environment, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_import_that_is_interrupted_leaves_nothing_and_runs_again(hub, interrupted, tmp_path, by):
    path = tmp_path / "new.csv"
    path.write_text(
        "name,phone\n" + "".join(f"عميل {int(by)},+9715053{int(by):02}{number:03}\n" for number in range(100))
    )
    words = ["import_customers", str(path), "--organization=org_demo"]
    theirs = f"SELECT count(*) FROM customers WHERE name = 'عميل {int(by)}'"

    assert interrupted("customers", *words, by=by) == (130, "CommandError: Interrupted: nothing was imported")
    assert hub.sql(theirs) == [(0,)] and list(tmp_path.iterdir()) == [path]
    done = again(hub, *words, "--summary=json")
    assert (done.returncode, json.loads(done.stdout)["inserted"]) == (0, 100)
    assert hub.sql(theirs) == [(100,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("customers", ["rebuild_search", "--organization=org_demo"]),
        ("customers", ["refresh_stats"]),
        ("name_words", ["prune", "words"]),
    ],
)
def test_maintenance_that_is_interrupted_runs_again(hub, interrupted, table, words):
    said = "CommandError: Interrupted: what was done stays; run it again for the rest"
    assert interrupted(table, *words) == (130, said)
    done = again(hub, *words)
    assert done.returncode == 0, done.stderr
