"""What ends soon: leases that renew themselves and brokers' licences open actions, each notice once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from actions import due, tasks
from actions.models import CustomerAction
from config.testing import at_once, data_of, make_customer
from customers.models import BrokerageLicense, EjarContract
from customers.services import customer as customers


def today():
    return timezone.localdate()


def lease(customer, days, **values):
    standard = {"tenancy_type": "residential", "status": "active", "start_date": today() - timedelta(days=300),
                "end_date": today() + timedelta(days=days), "monthly_rent": 5000}  # fmt: skip
    return EjarContract.objects.create(
        organization_id=customer.organization_id, customer=customer, **(standard | values)
    )


def license_of(customer, days, **values):
    standard = {"status": "active", "license_number": "1100012345", "expiry_date": today() + timedelta(days=days)}
    return BrokerageLicense.objects.create(
        organization_id=customer.organization_id, customer=customer, **(standard | values)
    )


def test_a_lease_is_told_of_75_days_before_its_end_and_due_on_the_last_day_of_a_notice(clock, as_, ahmed):
    customer = make_customer(ahmed)
    row = lease(customer, 76)
    assert tasks.surface_expiring() == 0
    clock.move(days=1)
    assert (tasks.surface_expiring(), tasks.surface_expiring()) == (1, 0)
    (action,) = data_of(as_(ahmed).get("customers/actions"))["actions"]
    last_day = row.end_date - timedelta(days=60)
    assert (action["type"], action["priority"], action["assignedTo"]) == ("follow_up", "high", ahmed.pk)
    assert action["title"] == f"تجديد عقد إيجار ينتهي في {row.end_date}"
    assert action["dueDate"] == f"{last_day - timedelta(days=1)}T21:00:00Z"
    assert action["metadata"] == {
        "ejarContractId": row.pk, "endDate": str(row.end_date), "lastNoticeDay": str(last_day),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("days", "values"),
    [(80, {}), (-1, {}), (30, {"status": "terminated"}), (30, {"status": "draft"}), (30, {"status": "pending"})],
)
def test_other_leases_are_not(ahmed, days, values):
    lease(make_customer(ahmed), days, **values)
    assert tasks.surface_expiring() == 0


def test_a_lease_that_was_prolonged_is_told_of_again(clock, ahmed):
    row = lease(make_customer(ahmed), 70)
    assert tasks.surface_expiring() == 1
    EjarContract.objects.filter(pk=row.pk).update(end_date=row.end_date + timedelta(days=365))
    assert tasks.surface_expiring() == 0
    clock.move(days=365)
    assert tasks.surface_expiring() == 1


def test_a_licence_is_told_of_60_30_and_7_days_before_it_expires(clock, ahmed):
    row = license_of(make_customer(ahmed), 61)
    found = []
    for _day in range(63):
        opened = tasks.surface_expiring()
        found += [(row.expiry_date - today()).days] * opened
        clock.move(days=1)
    assert found == [60, 30, 7]
    actions = CustomerAction.objects.order_by("created_at")
    assert [(action.type, action.priority) for action in actions] == [
        ("document_required", "high"), ("document_required", "high"), ("document_required", "urgent"),
    ]  # fmt: skip


def test_after_days_of_silence_a_licence_is_told_of_once(ahmed):
    license_of(make_customer(ahmed), 5)
    assert (tasks.surface_expiring(), tasks.surface_expiring()) == (1, 0)
    assert CustomerAction.objects.get().origin.endswith(f":7:{today() + timedelta(days=5)}")


def test_what_belongs_to_a_deleted_customer_waits(layla):
    customer = make_customer(layla)
    lease(customer, 70)
    license_of(customer, 20)
    customers.delete_customer(customer, actor=layla)
    assert tasks.surface_expiring() == 0
    customers.restore_customer(customer, actor=layla)
    assert tasks.surface_expiring() == 2


def test_more_than_a_batch_is_told_of_in_one_run(monkeypatch, ahmed):
    monkeypatch.setattr(due, "BATCH", 2)
    customer = make_customer(ahmed)
    for number in range(5):
        lease(customer, 60 + number)
    assert tasks.surface_expiring() == 5
    assert CustomerAction.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_two_workers_open_each_once(organization, north, layla):
    for number in range(6):
        lease(make_customer(layla), 60 + number)
    at_once(tasks.surface_expiring, tasks.surface_expiring)
    tasks.surface_expiring()
    assert CustomerAction.objects.count() == 6
