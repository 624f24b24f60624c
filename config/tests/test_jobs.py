"""Periodic jobs: one at a time, and done whatever happens to the worker, the beat and what lies between them."""

import time
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from actions.tasks import wake_snoozed
from config.celery import app
from config.testing import make_action, make_customer

SNOOZED = "UPDATE customer_actions SET status = 'snoozed', snoozed_until = now() - interval '1 minute' WHERE id = %s"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%customer_actions%'"


@pytest.fixture
def other_session(db):
    """A session of the database beside the test's own."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True) as session:
        yield session


def test_a_job_returns_at_once_while_another_of_its_name_runs(other_session, ahmed, clock):
    action = make_action(ahmed, make_customer(ahmed))
    type(action).objects.filter(pk=action.pk).update(status="snoozed", snoozed_until=clock.now - timedelta(minutes=1))
    other_session.execute("SELECT pg_advisory_lock(hashtext('actions.tasks.wake_snoozed'))")

    assert wake_snoozed() is None
    action.refresh_from_db()
    assert action.status == "snoozed"

    other_session.execute("SELECT pg_advisory_unlock_all()")
    assert wake_snoozed() == 1
    action.refresh_from_db()
    assert action.status == "pending"


def test_a_job_that_fails_lets_the_next_one_run(other_session, monkeypatch):
    def fail():
        raise ValueError

    monkeypatch.setattr("actions.services.wake_snoozed", fail)
    with pytest.raises(ValueError):
        wake_snoozed()

    assert other_session.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_every_periodic_job_is_single_and_no_message_outlives_the_next():
    app.loader.import_default_modules()
    for name, entry in app.conf.beat_schedule.items():
        assert app.tasks[entry["task"]].run.__wrapped__, f"{name} is no job of config.jobs"
        every = entry["schedule"]
        longest = max(every.total_seconds(), 30) if isinstance(every, timedelta) else 12 * 3600
        assert 0 < entry["options"]["expires"] <= longest


def test_a_message_comes_back_later_than_any_task_may_run():
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit + 100
    assert (app.conf.task_acks_late, app.conf.task_reject_on_worker_lost) == (True, True)
    assert (app.conf.worker_prefetch_multiplier, app.conf.accept_content) == (1, ["json"])
    assert app.conf.result_backend is None and app.conf.task_ignore_result is True
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT


@pytest.fixture
def snooze(hub):
    """Puts an action of the demo to sleep until a minute ago; gives what tells whether it was woken."""
    (key,) = hub.sql("SELECT id FROM customer_actions WHERE status = 'pending' ORDER BY id LIMIT 1")[0]

    def snooze():
        hub.sql(SNOOZED, key)
        return lambda: hub.sql("SELECT status FROM customer_actions WHERE id = %s", key) == [("pending",)]

    return snooze


@pytest.mark.slow
def test_what_a_killed_worker_leaves_is_done_by_the_next(hub, snooze):
    is_awake = snooze()
    with hub.locked("customer_actions"):
        hub.wait_for(lambda: hub.sql(WAITING) == [(1,)])
        hub.kill("worker")
    hub.wait_for(lambda: hub.sql(WAITING) == [(0,)])
    assert not is_awake()

    hub.start("worker")
    hub.wait_for(is_awake)


@pytest.mark.slow
def test_two_beats_and_two_workers_run_a_job_once_at_a_time(hub, snooze):
    hub.start("worker2")
    hub.start("beat2")
    hub.kill("beat")
    hub.start("beat")
    is_awake = snooze()
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s::bigint"
    (key,) = hub.sql("SELECT hashtext('actions.tasks.wake_snoozed')::bigint & x'ffffffff'::bigint")[0]
    with hub.locked("customer_actions"):
        hub.wait_for(lambda: hub.sql(held, key) == [(1,)])
        published = hub.redis().llen("hub:celery")
        hub.wait_for(lambda: hub.redis().llen("hub:celery") != published)
        assert hub.sql(held, key) == [(1,)]
    hub.wait_for(is_awake)
    hub.stop("beat2")
    hub.stop("worker2")


@pytest.mark.slow
def test_worker_and_beat_find_a_valkey_again_that_was_killed_or_hung(hub, snooze):
    told = len(hub.log())
    hub.kill("valkey")
    hub.wait_for(lambda: "Cannot connect" in hub.log()[told:])
    hub.start("valkey")
    hub.wait_for(snooze())

    with hub.frozen("valkey"):
        # Long enough for whoever waits with a time limit to lose patience: nothing can be seen to happen meanwhile.
        time.sleep(6)
    hub.wait_for(snooze())


@pytest.mark.slow
def test_worker_and_beat_wait_for_a_valkey_that_refuses_writes(hub, snooze):
    worker, beat, redis = hub.pid("worker"), hub.pid("beat"), hub.redis()

    def refused(words):
        told = hub.log().count(words)
        hub.wait_for(lambda: hub.log().count(words) > told)
        return hub.call("GET", "/readyz").json()["redis"]

    redis.config_set("maxmemory", 1)
    full = refused("Couldn't apply scheduled task")
    redis.config_set("maxmemory", "256mb")
    hub.wait_for(snooze())

    redis.replicaof("127.0.0.1", 1)
    replica = refused("Trying to reconnect")
    redis.replicaof("NO", "ONE")
    hub.wait_for(snooze())
    assert (full, replica) == ("refuses writes", "refuses writes")
    assert (hub.pid("worker"), hub.pid("beat")) == (worker, beat)
    assert hub.call("GET", "/readyz").json() == {"postgresql": "ok", "redis": "ok"}
