"""/customers/:id/reminders: what somebody wants to be reminded of; what is overdue is derived, never stored."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from config.testing import data_of, fields_of, make_customer, nothing_changes
from customers.models import Reminder
from employees.models import Organization

# One in the morning of the 16th in Riyadh, still the 15th in London.
NOW = datetime(2026, 1, 15, 22, 0, tzinfo=ZoneInfo("UTC"))


@pytest.fixture(autouse=True)
def _at_night(clock):
    clock.now = NOW


@pytest.fixture
def customer(ahmed, clock):
    return make_customer(ahmed)


@pytest.fixture
def path(customer):
    return f"customers/{customer.pk}/reminders"


def add(client, path, datetime="2026-01-28T16:00:00Z", **body):
    return data_of(client.post(path, {"title": "متابعة بعد المعاينة", "datetime": datetime, **body}), 201)["reminder"]


def test_everything_about_a_reminder_comes_back_as_it_was_written(as_, ahmed, path):
    body = {
        "title": "متابعة بعد المعاينة", "titleEn": "Follow up", "description": "سطر\nوسطر", "priority": "high",
        "datetime": "2026-01-28T16:00:00Z", "status": "pending", "type": "follow_up", "relatedTo": "apt_001",
    }  # fmt: skip
    ignored = {"createdBy": "غيره", "createdById": "emp_x", "completedAt": "2026-01-01", "isOverdue": True}
    response = as_(ahmed).post(path, {**body, **ignored})
    shown = data_of(response, 201)["reminder"]
    assert shown == {
        **body, "id": shown["id"], "createdBy": ahmed.name, "createdById": ahmed.pk, "isOverdue": False,
        "daysUntilDue": 12,
    }  # fmt: skip
    assert shown["id"].startswith("rem_") and response["Location"] == f"/api/v1/{path}/{shown['id']}"
    assert data_of(as_(ahmed).get(f"{path}/{shown['id']}"))["reminder"] == shown


def test_what_is_left_out_has_its_usual_value_and_a_day_means_nine_in_the_morning(as_, ahmed, path):
    shown = add(as_(ahmed), path, datetime="2026-01-28", priority="", type=None)
    assert (shown["datetime"], shown["priority"], shown["type"]) == ("2026-01-28T06:00:00Z", "medium", "general")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": 5}, "title"),
        ({"datetime": None}, "datetime"),
        ({"datetime": "tomorrow"}, "datetime"),
        ({"datetime": "9999-12-31T23:59:59Z"}, "datetime"),
        ({"datetime": "0001-01-01"}, "datetime"),
        ({"priority": "highest"}, "priority"),
        ({"status": "late"}, "status"),
        ({"type": "birthday"}, "type"),
        ({"relatedTo": "x" * 51}, "relatedTo"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(as_, ahmed, path, body, field):
    with nothing_changes():
        assert fields_of(as_(ahmed).post(path, {"title": "x", "datetime": "2026-01-28", **body})) == [field]
    with nothing_changes():
        assert fields_of(as_(ahmed).post(path, {"title": "x"})) == ["datetime"]


@pytest.mark.parametrize(
    ("zone", "moment", "days", "is_overdue"),
    [
        ("Asia/Riyadh", "2026-01-15T21:59:00Z", 0, True),
        ("Asia/Riyadh", "2026-01-15T22:00:00Z", 0, False),
        ("Asia/Riyadh", "2026-01-15T20:59:00Z", -1, True),
        ("Asia/Riyadh", "2026-01-16T21:00:00Z", 1, False),
        ("Europe/London", "2026-01-16T00:00:00Z", 1, False),
        ("Europe/London", "2026-01-14T23:59:00Z", -1, True),
    ],
)
def test_days_until_it_is_due_are_calendar_days_of_the_organization(as_, ahmed, path, zone, moment, days, is_overdue):
    Organization.objects.update(time_zone=zone)
    shown = add(as_(ahmed), path, datetime=moment)
    assert (shown["daysUntilDue"], shown["isOverdue"]) == (days, is_overdue)
    assert shown["status"] == ("overdue" if is_overdue else "pending")


def test_overdue_is_what_a_pending_one_is_called_and_never_what_is_stored(as_, ahmed, path, clock):
    client = as_(ahmed)
    shown = add(client, path, datetime="2026-01-15T23:00:00Z")
    one = f"{path}/{shown['id']}"
    clock.move(hours=2)
    late = data_of(client.get(one))["reminder"]
    assert (late["status"], late["isOverdue"]) == ("overdue", True)
    with nothing_changes():
        assert data_of(client.put(one, late))["reminder"] == late
    assert Reminder.objects.get().status == "pending"
    add(client, path, status="overdue")
    assert set(Reminder.objects.values_list("status", flat=True)) == {"pending"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.update(status="overdue")


def test_when_it_was_completed_comes_and_goes_with_the_status(as_, ahmed, path, clock):
    client = as_(ahmed)
    one = f"{path}/{add(client, path)['id']}"
    clock.move(days=30)
    done = data_of(client.patch(one, {"status": "completed"}))["reminder"]
    assert (done["completedAt"], done["isOverdue"]) == ("2026-02-14T22:00:00Z", False)
    clock.move(days=1)
    again = data_of(client.patch(one, {"status": "completed", "priority": "low"}))["reminder"]
    assert again == {**done, "priority": "low", "daysUntilDue": -19}
    assert "completedAt" not in data_of(client.patch(one, {"status": "cancelled"}))["reminder"]
    assert data_of(client.patch(one, {"status": "pending"}))["reminder"]["status"] == "overdue"
    assert add(client, path, status="completed")["completedAt"] == "2026-02-15T22:00:00Z"


def test_the_list_is_in_order_of_time_and_a_status_means_what_is_shown(as_, ahmed, path):
    client = as_(ahmed)
    later, past = (
        add(client, path)["id"],
        add(client, path, datetime="2026-01-02", type="payment", priority="urgent")["id"],
    )
    done = add(client, path, datetime="2026-01-03", status="completed")["id"]

    def listed(**query):
        return [row["id"] for row in data_of(client.get(path, query))["reminders"]]

    assert listed() == [past, done, later] and listed(sortOrder="desc", limit=1) == [later]
    assert listed(status="pending") == [later] and listed(status="overdue") == listed(type="payment") == [past]
    assert listed(status="overdue,pending") == [past, later] and listed(status="completed,cancelled") == [done]
    assert listed(priority="urgent", dateFrom="2026-01-02", dateTo="2026-01-02") == [past]
    assert fields_of(client.get(path, {"status": "late"})) == ["status"]
