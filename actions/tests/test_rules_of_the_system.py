"""What the system opens by a rule: one of a type at a time for a customer, whatever people do with the earlier ones."""

import pytest
from django.db import IntegrityError, transaction

from actions.models import CustomerAction
from actions.services import change_all, insert_all, move_to
from config.audit import recorded
from config.testing import data_of, error_of, make_action, make_customer
from customers.models import Customer
from customers.tests.two import merge


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed)


def opened(customer, rule="matches_new", kind="property_match"):
    """An action that the system has opened for a customer."""
    with recorded(None):
        values = {"type": kind, "title": "عقارات مناسبة", "source": customer.source, "rule": rule}
        return insert_all([customer], [values | {"assigned_to_id": customer.assigned_employee_id}], None)[0]


def test_of_a_type_one_is_open_at_a_time_however_many_people_open(ahmed, customer):
    first = opened(customer)
    make_action(ahmed, customer, type="property_match")
    make_action(ahmed, customer, type="property_match")
    with pytest.raises(IntegrityError, match="action_rule"), transaction.atomic():
        opened(customer, rule="other")
    opened(customer, kind="ai_recommended")
    change_all([first], move_to("dismissed", actor=None), None, "")
    opened(customer)
    assert CustomerAction.objects.filter(customer=customer, rule="matches_new", completed_at=None).count() == 2


@pytest.mark.parametrize("by", ["restore", "type"])
def test_one_that_somebody_takes_up_again_or_turns_into_another_is_theirs(as_, ahmed, customer, by):
    client, first = as_(ahmed), opened(customer)
    if by == "restore":
        data_of(client.post(f"customers/actions/{first.pk}/complete"))
        opened(customer)
        data_of(client.post(f"customers/actions/{first.pk}/restore"))
    else:
        opened(customer, kind="ai_recommended")
        data_of(client.patch(f"customers/actions/{first.pk}", {"type": "ai_recommended"}))
    first.refresh_from_db()
    assert (first.rule, first.status) == (None, "pending")


def test_of_two_who_are_merged_the_survivors_stays_and_others_of_the_type_come_over(as_, layla, ahmed):
    survivor, other = make_customer(ahmed), make_customer(ahmed)
    mine, theirs = opened(survivor), opened(other)
    written, done = make_action(ahmed, other, type="property_match"), opened(other, kind="site_visit")
    merge(as_(layla), survivor, other)
    owners = dict(CustomerAction.objects.values_list("pk", "customer_id"))
    assert owners == {mine.pk: survivor.pk, theirs.pk: other.pk, written.pk: survivor.pk, done.pk: survivor.pk}


def test_a_merge_is_not_undone_into_a_second_one(as_, layla, ahmed):
    client, survivor, other = as_(layla), make_customer(ahmed), make_customer(ahmed, do_not_contact=True)
    opened(survivor)
    done = merge(client, survivor, other)
    assert not CustomerAction.objects.filter(completed_at=None).exists()
    data_of(client.patch(f"customers/{survivor.pk}", {"doNotContact": False}))
    second = opened(Customer.objects.get(pk=survivor.pk))
    error = error_of(client.post(f"customers/merges/{done['merge']['id']}/undo"), 409)
    assert error["details"]["collection"] == "actions"
    data_of(client.post(f"customers/actions/{second.pk}/dismiss"))
    data_of(client.post(f"customers/merges/{done['merge']['id']}/undo"))
