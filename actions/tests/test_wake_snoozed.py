"""What the clock does: snoozed actions return, once, however often and late the job runs."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from actions import services, tasks
from actions.models import CustomerAction
from config.models import AuditEntry
from config.testing import data_of, make_action, make_customer
from customers.services import customer as customers
from realtime.models import Event


def snoozed(actor, customer, until):
    return services.snooze_action(make_action(actor, customer), until=until, actor=actor)


def test_actions_whose_time_has_come_are_woken_and_no_others(clock, ahmed):
    customer = make_customer(ahmed)
    due = snoozed(ahmed, customer, clock.now + timedelta(minutes=1))
    later = snoozed(ahmed, customer, clock.now + timedelta(minutes=3))
    clock.move(minutes=2)
    assert tasks.wake_snoozed() == 1
    assert tasks.wake_snoozed() == 0
    assert dict(CustomerAction.objects.values_list("pk", "status")) == {due.pk: "pending", later.pk: "snoozed"}
    due.refresh_from_db()
    assert (due.snoozed_until, due.version) == (None, 3)
    entry = AuditEntry.objects.filter(row_id=due.pk).latest("pk")
    assert (entry.actor_id, entry.changes["status"]) == ("system", ["snoozed", "pending"])
    event = Event.objects.filter(row_id=due.pk).latest("pk")
    assert (event.event, event.actor_id) == ("action.updated", "system")
    assert event.data["changes"]["status"] == "pending" and event.data["changes"]["snoozedUntil"] is None


def test_more_than_a_batch_is_woken_in_one_run(clock, ahmed, monkeypatch):
    monkeypatch.setattr(services, "WAKE_BATCH", 3)
    customer = make_customer(ahmed)
    for _ in range(7):
        snoozed(ahmed, customer, clock.now + timedelta(minutes=1))
    clock.move(minutes=1)
    assert tasks.wake_snoozed() == 7


def test_lists_details_and_numbers_are_right_while_the_job_is_late(clock, as_, ahmed):
    action = snoozed(ahmed, make_customer(ahmed), clock.now + timedelta(minutes=1))
    client = as_(ahmed)
    assert data_of(client.get("customers/actions/stats"))["stats"]["total"]["snoozed"] == 1
    clock.move(minutes=1)
    stats = data_of(client.get("customers/actions/stats"))["stats"]
    assert (stats["total"]["snoozed"], stats["total"]["pending"], stats["followups"]) == (0, 1, 1)
    assert data_of(client.get("customers/actions", {"status": "snoozed"}))["actions"] == []
    (row,) = data_of(client.get("customers/actions", {"status": "pending"}))["actions"]
    assert row["status"] == "pending" and "snoozedUntil" not in row
    assert data_of(client.get(f"customers/actions/{action.pk}"))["action"]["status"] == "pending"
    done = data_of(client.post(f"customers/actions/{action.pk}/complete"))["action"]
    assert done["status"] == "completed"
    assert tasks.wake_snoozed() == 0


def test_an_action_of_a_deleted_customer_wakes_unheard(clock, layla, ahmed):
    customer = make_customer(ahmed)
    action = snoozed(ahmed, customer, clock.now + timedelta(minutes=1))
    customers.delete_customer(customer, actor=layla)
    clock.move(minutes=1)
    told = Event.objects.count()
    assert tasks.wake_snoozed() == 1
    action.refresh_from_db()
    assert action.status == "pending" and Event.objects.count() == told


def test_the_beat_runs_both_jobs_every_minute(settings):
    every = {entry["task"]: entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    for task in (tasks.wake_snoozed, tasks.fold_counts):
        assert every[task.name] == timedelta(minutes=1)


WORKER = """
import django
django.setup()
from actions import services
services.WAKE_BATCH = 10
print("waking", flush=True)
services.wake_snoozed()
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_wakes_leaves_every_action_to_wake_once(ahmed, settings):
    customer = make_customer(ahmed)
    rows = [make_action(ahmed, customer) for _ in range(30)]
    # As many as take a while, each as the service would have left it.
    copies = CustomerAction.objects.bulk_create(
        CustomerAction(
            organization_id=row.organization_id, customer=customer, customer_assignee=ahmed.pk, type=row.type,
            title=row.title, source=row.source, city_key=row.city_key, region=row.region,
        )
        for row in rows for _ in range(50)
    )  # fmt: skip
    CustomerAction.objects.update(status="snoozed", snoozed_until=timezone.now() - timedelta(minutes=1))
    total = len(rows) + len(copies)
    name = connection.settings_dict["NAME"]
    url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "true", "DATABASE_URL": url}
    left = total
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE
        )
        assert worker.stdout.readline() == b"waking\n"
        # In the midst: some are awake, others not.
        deadline = time.monotonic() + 30
        while CustomerAction.objects.filter(status="snoozed").count() > left - 100 and time.monotonic() < deadline:
            time.sleep(0.005)
        worker.kill()
        worker.communicate()
        left = CustomerAction.objects.filter(status="snoozed").count()
        assert 0 < left < total
    assert tasks.wake_snoozed() == left
    assert set(CustomerAction.objects.values_list("status", "version")) == {("pending", 2)}
    # Batches also tell of the customer, whose next follow-up may be another.
    assert Event.objects.filter(event="action.updated").count() == total
    woken = AuditEntry.objects.filter(table_name="customer_actions", operation="update", actor_id="system")
    assert woken.count() == woken.values("row_id").distinct().count() == total
