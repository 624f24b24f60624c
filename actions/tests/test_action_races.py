"""Many at once: parallel calls on actions leave what one after the other would have left."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from actions import counting, services
from actions.models import CustomerAction
from config.models import AuditEntry
from config.testing import at_once, make_action, make_customer, make_employee, one_request, requests, statuses
from employees import services as employees
from employees.choices import Role
from realtime.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def told_of_actions():
    return Event.objects.filter(event__startswith="action.").count()


def test_thirty_completes_of_one_action_are_one_change_one_history_row_and_one_event(layla, ahmed):
    action = make_action(ahmed, make_customer(ahmed))
    told = told_of_actions()
    path = f"customers/actions/{action.pk}/complete"
    assert statuses(requests(ahmed, [("post", path, {"notes": "تم"})] * 30)) == [200] * 30
    action.refresh_from_db()
    assert (action.status, action.version, action.notes.count()) == ("completed", 2, 1)
    assert AuditEntry.objects.filter(row_id=action.pk, operation="update").count() == 1
    assert told_of_actions() == told + 1


def test_of_completes_and_dismissals_by_different_people_one_wins(organization, north, layla):
    people = [make_employee(organization, f"مدير {n}", Role.ADMIN, north) for n in range(5)]
    action = make_action(layla, make_customer(layla))
    calls = [one_request(person, "post", f"customers/actions/{action.pk}/{verb}", {})
             for person in people for verb in ("complete", "dismiss")]  # fmt: skip
    answers = at_once(*calls)
    assert statuses(answers) == [200] + [409] * 9
    action.refresh_from_db()
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["error"]["details"] == {"currentStatus": action.status}
    assert action.version == 2


def test_two_opposite_bulks_over_fifty_actions_twenty_times_never_deadlock(fatima, ahmed):
    customer = make_customer(ahmed)
    ids = [make_action(ahmed, customer).pk for _ in range(50)]
    path = "customers/actions/bulk"
    for number in range(20):
        first = {"actionIds": ids, "updates": {"priority": ("low", "high")[number % 2]}}
        second = {"actionIds": ids[::-1], "updates": {"priority": ("urgent", "medium")[number % 2]}}
        answers = at_once(one_request(fatima, "post", path, first), one_request(ahmed, "post", path, second))
        assert [(a.status_code, a.json()["data"]["updatedCount"]) for a in answers] == [(200, 50)] * 2


def test_hand_overs_of_customers_and_bulks_of_their_actions_never_fail_together(layla, fatima, ahmed, omar):
    owned = [make_customer(layla, assigned_employee_id=ahmed.pk) for _ in range(8)]
    ids = [make_action(layla, customer).pk for customer in owned for _ in range(3)]
    random.Random(5).shuffle(ids)
    for number in range(8):
        taker = (omar, ahmed)[number % 2]
        order = [customer.pk for customer in owned][:: (1, -1)[number % 2]]
        assign = {"customerIds": order, "operation": "assign", "assignedTo": taker.pk}
        update = {"actionIds": ids, "updates": {"priority": ("low", "high")[number % 2]}}
        answers = at_once(
            one_request(layla, "post", "customers/bulk", assign),
            one_request(layla, "post", "customers/actions/bulk", update),
            one_request(layla, "post", f"customers/{owned[number].pk}/assign", {"employeeId": taker.pk}),
        )
        assert statuses(answers) == [200] * 3
        assert set(CustomerAction.objects.values_list("customer_assignee", "assigned_to")) == {(taker.pk, taker.pk)}


def test_an_action_made_while_its_customer_moves_has_the_copies_of_the_move(layla, ahmed, omar):
    for _ in range(8):
        customer = make_customer(layla, assigned_employee_id=ahmed.pk)
        body = {"customerId": customer.pk, "type": "follow_up", "title": "متابعة"}
        calls = [one_request(layla, "post", "customers/actions", body) for _ in range(3)]
        calls += [
            one_request(layla, "patch", f"customers/{customer.pk}", {"assignedEmployeeId": omar.pk, "city": "جدة"})
        ]
        assert statuses(at_once(*calls)) == [200, 201, 201, 201]
        copies = set(CustomerAction.objects.filter(customer=customer).values_list("customer_assignee", "city_key"))
        assert copies == {(omar.pk, "jeddah")}


def test_actions_woken_by_four_beats_at_once_wake_once(ahmed):
    customer = make_customer(ahmed)
    actions = [make_action(ahmed, customer) for _ in range(30)]
    past = timezone.now() - timedelta(minutes=1)
    CustomerAction.objects.update(status="snoozed", snoozed_until=past)
    told = told_of_actions()
    assert sum(at_once(*[services.wake_snoozed] * 4)) == 30
    assert set(CustomerAction.objects.values_list("status", "version")) == {("pending", 2)}
    assert told_of_actions() == told + len(actions)


def test_counts_stay_true_while_they_are_folded(layla, ahmed):
    customer = make_customer(ahmed)
    ids = [make_action(ahmed, customer).pk for _ in range(12)]

    def write(key):
        return lambda: [
            step(CustomerAction.objects.get(pk=key), actor=layla)
            for step in (services.start_action, services.complete_action, services.restore_action)
        ]

    at_once(*[write(key) for key in ids], *[counting.fold_counts] * 6)
    counting.fold_counts()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, sum(number), count(*) FROM action_counts WHERE customer_assignee <> '*' "
            "GROUP BY key ORDER BY key"
        )
        assert cursor.fetchall() == [
            ("due:no_date", 12, 1),
            ("priority:medium", 12, 1),
            ("source:inquiry", 12, 1),
            ("status:pending", 12, 1),
            ("type:follow_up", 12, 1),
        ]


def test_nobody_waits_for_ever_when_somebody_leaves_while_actions_are_made(layla, ahmed, omar):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    body = {"customerId": customer.pk, "type": "follow_up", "title": "متابعة"}
    calls = [one_request(layla, "post", "customers/actions", body) for _ in range(4)]
    calls.append(lambda: employees.deactivate_employee(ahmed, actor=layla, successor_id=omar.pk))
    answers = at_once(*calls)
    assert statuses(answers[:4]) == [201] * 4
    assert set(CustomerAction.objects.values_list("customer_assignee", flat=True)) == {omar.pk}


@pytest.mark.parametrize(
    "farewell",
    [
        lambda leaver, heir: ("post", f"employees/{leaver.pk}/deactivate", {"successorId": heir.pk}),
        lambda leaver, heir: ("post", f"employees/{leaver.pk}/deactivate", {}),
        lambda leaver, heir: ("patch", f"employees/{leaver.pk}", {"roleKey": "viewer"}),
    ],
)
def test_nothing_is_left_to_do_for_one_who_is_let_go_while_being_assigned(layla, organization, north, ahmed, farewell):
    for _ in range(4):
        leaver = make_employee(organization, "موظف مؤقت", Role.SALES_AGENT, north)
        mine, others = make_customer(layla), make_customer(layla, assigned_employee_id=ahmed.pk)
        ids = [make_action(layla, customer).pk for customer in (mine, others) for _ in range(5)]
        new = {"customerId": others.pk, "type": "follow_up", "title": "متابعة", "assignedTo": leaver.pk}
        calls = [
            farewell(leaver, ahmed),
            ("post", "customers/actions/bulk/assign", {"actionIds": ids, "assignedTo": leaver.pk}),
            ("patch", f"customers/actions/{ids[0]}", {"assignedTo": leaver.pk}),
            ("post", "customers/actions", new),
            ("post", f"customers/{mine.pk}/assign", {"employeeId": leaver.pk}),
        ]
        answers = requests(layla, calls)
        assert answers[0].status_code == 200
        assert {answer.status_code for answer in answers[1:]} <= {200, 201, 422}
        assert not CustomerAction.objects.filter(assigned_to=leaver).exists()
        leaver.refresh_from_db()
        assert leaver.is_active or not leaver.customers.exists()
