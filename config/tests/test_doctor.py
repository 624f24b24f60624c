"""manage.py doctor."""

import json
import os
import time
from datetime import timedelta

import pytest
from django.conf import settings as hub
from django.db import connection
from django_redis import get_redis_connection

from config.jobs import HEARTBEAT
from config.tasks import heartbeat
from config.testing import make_customer, nothing_changes
from config.tests.commands import ran
from config.tests.test_production_settings import SAFE, manage
from customers.models import CustomerSum
from documents.storage import storage
from employees.models import Organization


def findings(*checks):
    """`(level, message, advice)` of each thing looked at, and the exit code."""
    ended = ran("doctor", *checks, "--format=json")
    told = json.loads(ended.out)
    assert told["ok"] is (ended.code == 0)
    return [(found["level"], found["message"], found["advice"]) for found in told["findings"]], ended.code


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_hub_that_is_well_has_nothing_to_do_but_leave_debug(layla, settings):
    make_customer(layla)
    heartbeat()
    settings.DEBUG = True
    with nothing_changes():
        ended = ran("doctor")
    lines = [line.split(maxsplit=2) for line in ended.out.splitlines()]
    assert ended.code == 0
    assert [check for level, check, _rest in lines if level != "ok"] == ["settings"]
    assert {check for _level, check, _rest in lines} == {
        "settings", "files", "disk", "database", "schema", "redis", "jobs", "storage", "scanner", "zones", "counts",
    }  # fmt: skip
    assert ["ok", "jobs", "beat and worker live, 0 jobs wait"] in lines
    assert ["ok", "counts", "counts agree with their rows"] in lines


def test_it_says_what_is_away_and_what_was_not_looked_at_then(tmp_path):
    away = {"DATABASE_URL": "postgresql://hub:x@127.0.0.1:9/hub", "REDIS_URL": "redis://127.0.0.1:9/0"}
    ended = manage("doctor", **SAFE | away | {"HUB_DATA": str(tmp_path), "SECRET_KEY": "ab" * 20})
    said = ended.stdout.splitlines()
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "fail  settings  SECRET_KEY repeats itself: make one with: openssl rand -base64 48" in said
    assert any(line.startswith("fail  files     ") and line.endswith("collectstatic --noinput") for line in said)
    assert any(line.startswith("fail  database  the database does not answer (connection ") for line in said)
    assert any(line.startswith("fail  redis     Redis does not answer or refuses writes (") for line in said)
    jobs = next(line for line in said if line.startswith("fail  jobs      Redis, which holds them, does not answer ("))
    assert jobs.endswith(": see REDIS_URL and its log")
    for check in ("schema", "zones", "counts"):
        assert f"warn  {check:<9} not looked at: the database is away" in said
    assert f"ok    storage   {tmp_path}/documents keeps, gives back and removes" in said


def test_tables_that_are_no_longer_audited_or_counted_and_broken_indexes_fail(db):
    sql("ALTER TABLE customers DISABLE TRIGGER customers_audit_update")
    sql("DROP TRIGGER count_inserted_actions ON customer_actions")
    sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'customer_phone_unique'::regclass")
    found, code = findings("schema")
    assert code == 1
    assert [(message, advice) for level, message, advice in found if level == "fail"] == [
        (
            "customer_actions is no longer counted: count_inserted_actions is gone or disabled",
            "ALTER TABLE customer_actions ENABLE TRIGGER count_inserted_actions",
        ),
        (
            "customers is no longer audited: customers_audit_update is gone or disabled",
            "ALTER TABLE customers ENABLE TRIGGER customers_audit_update",
        ),
        (
            "the index customer_phone_unique is invalid",
            "REINDEX INDEX CONCURRENTLY customer_phone_unique, unless it is being built",
        ),
    ]


def test_every_audited_table_is_among_those_looked_at(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT tgrelid) FROM pg_trigger WHERE tgname LIKE '%\\_audit\\_%'")
        (tables,) = cursor.fetchone()
    messages = [message for _level, message, _advice in findings("schema")[0]]
    assert any(message.endswith(f"{tables} tables are audited") for message in messages)


def test_migrations_that_wait_fail(db):
    last = "SELECT max(id) FROM django_migrations WHERE app = 'realtime'"
    sql(f"DELETE FROM django_migrations WHERE id = ({last})")
    assert findings("schema") == ([("fail", "1 migrations wait", "python manage.py migrate")], 1)


@pytest.mark.parametrize(
    ("left", "waiting", "finding"),
    [
        (None, 0, ("no job was done ever", "look after the beat: nothing is sent")),
        (-600, 0, ("no job was done for 600 s", "look after the beat: nothing is sent")),
        (-600, 2, ("no job was done for 600 s", "look after the worker: jobs wait and nobody takes them")),
    ],
)
def test_a_beat_and_a_worker_that_do_not_live_are_told_apart(db, monkeypatch, left, waiting, finding):
    redis = get_redis_connection("default")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    if left:
        redis.set(HEARTBEAT, now + left)
    for number in range(waiting):
        redis.rpush("hub:celery", number)
    assert findings("jobs") == ([("fail", *finding)], 1)
    heartbeat()
    assert findings("jobs")[0] == [("ok", f"beat and worker live, {waiting} jobs wait", "")]


def test_the_heart_beats_each_minute():
    every = {entry["task"]: entry["schedule"] for entry in hub.CELERY_BEAT_SCHEDULE.values()}
    assert every["config.tasks.heartbeat"] == timedelta(minutes=1)


@pytest.mark.skipif("HUB_TEST_REDIS_URL" in os.environ, reason="the server of others is not ours to configure")
def test_a_redis_that_drops_jobs_or_forgets_them_in_a_crash_is_told(db):
    redis = get_redis_connection("default")
    before = redis.config_get("maxmemory*") | redis.config_get("appendonly")
    try:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        redis.config_set("appendonly", "no")
        found, code = findings("redis")
    finally:
        for name in ("maxmemory-policy", "appendonly"):
            redis.config_set(name, before[name])
    assert code == 1
    assert found[1:] == [
        ("warn", "appendonly is off: a crash loses the jobs that wait", "appendonly yes"),
        ("fail", "maxmemory-policy is allkeys-lru", "volatile-ttl, which keeps jobs and drops answers"),
    ]


def test_a_storage_that_takes_nothing_and_a_scanner_that_is_away_fail(db, settings, monkeypatch):
    settings.DOCUMENT_SCANNER = "documents.scanning.clamd"
    settings.CLAMD_ADDRESS = "/nowhere/clamd.ctl"

    def refuse(self, name, content, max_length=None):
        raise PermissionError("Permission denied")

    monkeypatch.setattr(type(storage.files), "save", refuse)
    found, code = findings("storage", "scanner")
    assert code == 1 and [level for level, _message, _advice in found] == ["fail", "fail"]
    assert found[0][1] == f"{hub.DOCUMENT_FOLDER} cannot be used (Permission denied)"
    assert found[1][1].startswith("documents.scanning.clamd gives no verdict (")


def test_unknown_time_zones_fail_and_wrong_counts_are_told(layla, noura):
    make_customer(layla)
    Organization.objects.filter(pk=noura.organization_id).update(time_zone="Mars/Olympus")
    CustomerSum.objects.all().delete()
    found, code = findings("zones", "counts")
    assert code == 1
    assert found[0][:2] == ("fail", "unknown time zones: Mars/Olympus")
    assert found[1][0] == "warn" and found[1][1].endswith("counts differ from their rows")


def test_a_check_that_there_is_not_is_refused_with_those_that_there_are(db):
    ended = ran("doctor", "heart")
    assert ended.code == 1 and ended.refusal.startswith("Unknown: heart. There are settings, files, ")
