"""What comes due: reminders and appointments open their action once, however often and late the job runs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from actions import due, tasks
from actions.models import CustomerAction
from config.testing import at_once, data_of, make_customer, make_employee
from customers.models import Appointment, Customer, Reminder
from customers.services import activity
from customers.services import customer as customers
from employees.choices import Role
from realtime.models import Event


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed)


def remind(actor, customer, at, **values):
    return activity.add_reminder(customer, actor=actor, values={"title": "تذكير", "datetime": at, **values})


def meet(actor, customer, at, **values):
    values = {"type": "site_visit", "title": "معاينة", "datetime": at, **values}
    return activity.add_appointment(customer, actor=actor, values=values)


def opened(row):
    return CustomerAction.objects.get(origin=row.pk)


def test_a_reminder_opens_its_action_when_its_time_has_come_and_not_before(clock, as_, ahmed, customer):
    row = remind(ahmed, customer, clock.now + timedelta(minutes=5), priority="high", title="اتصل به")
    assert tasks.surface_due() == 0
    clock.move(minutes=5)
    assert (tasks.surface_due(), tasks.surface_due()) == (1, 0)
    (action,) = data_of(as_(ahmed).get("customers/actions"))["actions"]
    expected = {
        "customerId": customer.pk, "type": "follow_up", "title": "اتصل به", "priority": "high", "status": "pending",
        "source": "inquiry", "assignedTo": ahmed.pk, "metadata": {"reminderId": row.pk},
        "dueDate": clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    assert {name: action[name] for name in expected} == expected
    assert Event.objects.filter(event="action.created", row_id=action["id"], actor_id="system").count() == 1


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("follow_up", "follow_up"), ("document", "document_required"), ("payment", "payment_due"),
        ("viewing", "site_visit"), ("general", "follow_up"),
    ],
)  # fmt: skip
def test_the_action_is_of_the_kind_of_its_reminder(clock, ahmed, customer, type_, expected):
    row = remind(ahmed, customer, clock.now, type=type_)
    assert tasks.surface_due() == 1
    assert opened(row).type == expected


def test_it_goes_to_who_made_it_if_they_can_work_on_it_else_to_the_assignee(
    clock, layla, fatima, ahmed, omar, huda, organization, north, customer
):
    sami = make_employee(organization, "سامي Sami", Role.SALES_AGENT, north)
    rows = {person: remind(person, customer, clock.now + timedelta(hours=1)) for person in (layla, fatima, ahmed)}
    customers.assign_customer(customer, actor=layla, employee_id=sami.pk)
    clock.move(hours=1)
    tasks.surface_due()
    assert {person.pk: opened(row).assigned_to_id for person, row in rows.items()} == {
        layla.pk: layla.pk, fatima.pk: fatima.pk, ahmed.pk: sami.pk,
    }  # fmt: skip
    # Out of the team: the assignee; and nobody where the assignee only looks.
    late = [remind(person, customer, clock.now + timedelta(hours=1)) for person in (fatima, layla)]
    customers.assign_customer(customer, actor=layla, employee_id=omar.pk)
    clock.move(hours=1)
    tasks.surface_due()
    assert [opened(row).assigned_to_id for row in late] == [omar.pk, layla.pk]
    row = remind(omar, customer, clock.now + timedelta(hours=1))
    customers.assign_customer(customer, actor=layla, employee_id=huda.pk)
    clock.move(hours=1)
    tasks.surface_due()
    assert opened(row).assigned_to_id is None


def test_reminders_that_have_ended_or_belong_to_deleted_customers_wait(clock, layla, ahmed, customer):
    for status in ("completed", "cancelled"):
        remind(ahmed, customer, clock.now, status=status)
    row = remind(ahmed, customer, clock.now)
    customers.delete_customer(customer, actor=layla)
    assert tasks.surface_due() == 0
    customers.restore_customer(customer, actor=layla)
    assert tasks.surface_due() == 1 and opened(row)


def test_appointments_surface_a_day_before_or_at_once(clock, as_, ahmed, customer):
    far = meet(ahmed, customer, clock.now + timedelta(hours=25))
    near = meet(
        ahmed, customer, clock.now + timedelta(hours=3), type="phone_call", status="confirmed", priority="urgent"
    )
    meet(ahmed, customer, clock.now + timedelta(hours=3), status="cancelled")
    assert tasks.surface_due() == 1
    action = opened(near)
    assert (action.type, action.due_date, action.priority) == ("follow_up", near.datetime, "urgent")
    assert action.metadata == {"appointmentId": near.pk} and action.assigned_to_id == ahmed.pk
    path = f"customers/{customer.pk}/appointments"
    sent = {row["id"]: row["reminderSent"] for row in data_of(as_(ahmed).get(path))["appointments"]}
    assert (sent[near.pk], sent[far.pk]) == (True, False)
    told = Event.objects.filter(event="customer.updated", customer_id=customer.pk).latest("pk")
    assert near.pk in {row["id"] for row in told.data["changes"]["appointments"] if row["reminderSent"]}
    clock.move(hours=1)
    assert (tasks.surface_due(), tasks.surface_due()) == (1, 0)
    assert opened(far).type == "site_visit"
    near.refresh_from_db()
    assert near.version == 1


def test_after_days_of_silence_what_was_missed_surfaces_but_not_what_is_long_past(clock, ahmed, customer):
    meet(ahmed, customer, clock.now + timedelta(hours=1))
    just_missed = meet(ahmed, customer, clock.now + timedelta(hours=50))
    reminded = remind(ahmed, customer, clock.now + timedelta(hours=1))
    clock.move(hours=60)
    assert tasks.surface_due() == 2
    assert set(CustomerAction.objects.values_list("origin", flat=True)) == {just_missed.pk, reminded.pk}


# --- What becomes of them together ---------------------------------------------------------------------


@pytest.fixture
def reminded(clock, ahmed, customer):
    row = remind(ahmed, customer, clock.now)
    tasks.surface_due()
    row.refresh_from_db()
    return row


@pytest.fixture
def met(clock, ahmed, customer):
    row = meet(ahmed, customer, clock.now + timedelta(hours=2))
    tasks.surface_due()
    row.refresh_from_db()
    return row


def one(row):
    return f"customers/{row.customer_id}/{row.collection()}/{row.pk}"


@pytest.mark.parametrize(
    ("status", "ended", "reason"), [("completed", "completed", ""), ("cancelled", "dismissed", "أُلغي التذكير")]
)
def test_a_reminder_that_ends_ends_its_action_and_one_that_is_taken_up_again_brings_it_back(
    as_, ahmed, reminded, status, ended, reason
):
    data_of(as_(ahmed).patch(one(reminded), {"status": status}))
    action = opened(reminded)
    assert (action.status, action.reason, action.completed_by_id) == (ended, reason, ahmed.pk)
    data_of(as_(ahmed).patch(one(reminded), {"status": "pending"}))
    assert opened(reminded).status == "pending" and tasks.surface_due() == 0


def test_a_reminder_that_is_removed_dismisses_its_action(as_, ahmed, reminded):
    data_of(as_(ahmed).delete(one(reminded)))
    assert (opened(reminded).status, opened(reminded).reason) == ("dismissed", "حُذف التذكير")


@pytest.mark.parametrize("door", ["complete", "bulk", "patch"])
def test_completing_the_action_completes_the_reminder_and_restoring_takes_it_back(as_, ahmed, reminded, door):
    client, key = as_(ahmed), opened(reminded).pk
    if door == "bulk":
        data_of(client.post("customers/actions/bulk/complete", {"actionIds": [key]}))
    elif door == "patch":
        data_of(client.patch(f"customers/actions/{key}", {"status": "completed"}))
    else:
        data_of(client.post(f"customers/actions/{key}/complete"))
    shown = data_of(client.get(one(reminded)))["reminder"]
    assert shown["status"] == "completed" and shown["completedAt"]
    told = Event.objects.filter(event="customer.updated", customer_id=reminded.customer_id).latest("pk")
    assert [row["status"] for row in told.data["changes"]["reminders"]] == ["completed"]
    data_of(client.post(f"customers/actions/{key}/restore"))
    shown = data_of(client.get(one(reminded)))["reminder"]
    assert shown["status"] in ("pending", "overdue") and "completedAt" not in shown


def test_who_has_the_action_but_not_the_customer_completes_the_reminder_with_it(as_, layla, omar, reminded):
    key = opened(reminded).pk
    data_of(as_(layla).patch(f"customers/actions/{key}", {"assignedTo": omar.pk}))
    data_of(as_(omar).post(f"customers/actions/{key}/complete"))
    reminded.refresh_from_db()
    assert reminded.status == "completed"


@pytest.mark.parametrize("door", ["dismiss", "bulk/dismiss"])
def test_dismissing_the_action_cancels_the_reminder_and_restoring_takes_it_back(clock, as_, ahmed, reminded, door):
    client, key = as_(ahmed), opened(reminded).pk
    path = f"customers/actions/{door}" if door.startswith("bulk") else f"customers/actions/{key}/{door}"
    data_of(client.post(path, {"actionIds": [key]} if door.startswith("bulk") else {"reason": "لا حاجة"}))
    clock.move(hours=1)
    shown = data_of(client.get(one(reminded)))["reminder"]
    assert (shown["status"], shown["isOverdue"]) == ("cancelled", False) and tasks.surface_due() == 0
    data_of(client.post(f"customers/actions/{key}/restore"))
    assert data_of(client.get(one(reminded)))["reminder"]["status"] == "overdue"
    assert (opened(reminded).status, CustomerAction.objects.count()) == ("pending", 1)


@pytest.mark.parametrize("fixture", ["reminded", "met"])
def test_moving_what_has_surfaced_moves_its_action_and_surfaces_nothing_anew(request, clock, as_, ahmed, fixture):
    row = request.getfixturevalue(fixture)
    later = clock.now + timedelta(days=5)
    data_of(as_(ahmed).patch(one(row), {"datetime": later.isoformat()}))
    assert opened(row).due_date == later
    clock.move(days=5)
    assert tasks.surface_due() == 0


def ended_and_put_off(client, row, door, until):
    """Each way in which an action ends while what has opened it goes on at a later time."""
    data_of(client.post(f"customers/actions/{opened(row).pk}/{door}"))
    again = {"status": "pending"} if row.collection() == "reminders" else {}
    return data_of(client.patch(one(row), {"datetime": until.isoformat(), **again}))


@pytest.mark.parametrize("door", ["complete", "dismiss"])
@pytest.mark.parametrize("fixture", ["reminded", "met"])
def test_what_is_put_off_after_its_action_has_ended_surfaces_anew_once(request, clock, as_, ahmed, fixture, door):
    row, client = request.getfixturevalue(fixture), as_(ahmed)
    first, later = opened(row), clock.now + timedelta(days=5)
    ended_and_put_off(client, row, door, later)
    ended = CustomerAction.objects.get()
    assert (ended.pk, ended.status) == (first.pk, {"complete": "completed", "dismiss": "dismissed"}[door])
    assert tasks.surface_due() == 0
    clock.move(days=5)
    assert (tasks.surface_due(), tasks.surface_due()) == (1, 0)
    second = CustomerAction.objects.exclude(pk=first.pk).get()
    assert (second.status, second.due_date, second.metadata) == ("pending", later, first.metadata)
    # From then on it is the second one that follows, and is followed.
    data_of(client.patch(one(row), {"datetime": (later + timedelta(hours=3)).isoformat()}))
    second.refresh_from_db()
    assert second.due_date == later + timedelta(hours=3)
    data_of(client.patch(one(row), {"status": "cancelled"}))
    second.refresh_from_db()
    assert second.status == "dismissed" and CustomerAction.objects.get(pk=first.pk).version == ended.version


def test_an_appointment_that_is_put_off_is_not_told_of_until_it_is_near_again(clock, as_, ahmed, met):
    client = as_(ahmed)
    shown = ended_and_put_off(client, met, "complete", clock.now + timedelta(days=5))["appointment"]
    assert shown["reminderSent"] is False
    told = Event.objects.filter(event="customer.updated", customer_id=met.customer_id).latest("pk")
    assert [row["reminderSent"] for row in told.data["changes"]["appointments"]] == [False]
    clock.move(days=4)
    assert tasks.surface_due() == 1
    assert data_of(client.get(one(met)))["appointment"]["reminderSent"] is True


def test_what_is_put_off_again_and_again_surfaces_each_time(clock, as_, ahmed, reminded):
    client = as_(ahmed)
    for round_ in range(1, 4):
        last = CustomerAction.objects.latest("created_at")
        data_of(client.post(f"customers/actions/{last.pk}/complete"))
        until = (clock.now + timedelta(hours=1)).isoformat()
        data_of(client.patch(one(reminded), {"status": "pending", "datetime": until}))
        clock.move(hours=1)
        assert tasks.surface_due() == 1 and CustomerAction.objects.count() == round_ + 1


def test_an_action_that_another_has_followed_says_nothing_of_the_reminder_any_more(clock, as_, ahmed, reminded):
    client, first = as_(ahmed), opened(reminded)
    ended_and_put_off(client, reminded, "dismiss", clock.now + timedelta(hours=1))
    clock.move(hours=1)
    tasks.surface_due()
    for door in ("restore", "complete"):
        data_of(client.post(f"customers/actions/{first.pk}/{door}"))
    reminded.refresh_from_db()
    assert reminded.status == "pending"


@pytest.mark.parametrize(
    ("status", "reason"),
    [("completed", "اكتمل الموعد"), ("cancelled", "أُلغي الموعد"), ("no_show", "لم يحضر العميل"), (None, "حُذف الموعد")],
)
def test_an_appointment_that_ends_dismisses_its_action_and_says_why(clock, as_, ahmed, met, status, reason):
    clock.move(hours=2)
    if status:
        data_of(as_(ahmed).patch(one(met), {"status": status}))
    else:
        data_of(as_(ahmed).delete(one(met)))
    assert (opened(met).status, opened(met).reason) == ("dismissed", reason)


def test_what_was_moved_before_it_surfaced_surfaces_when_it_is_near(clock, as_, ahmed, customer):
    row = meet(ahmed, customer, clock.now + timedelta(hours=30))
    data_of(as_(ahmed).patch(one(row), {"datetime": (clock.now + timedelta(hours=60)).isoformat()}))
    clock.move(hours=10)
    assert tasks.surface_due() == 0
    clock.move(hours=30)
    assert tasks.surface_due() == 1


# --- Follow-ups of interactions --------------------------------------------------------------------------


def test_an_interaction_that_asks_for_it_opens_one_follow_up(clock, as_, layla, ahmed, customer):
    client, path = as_(layla), f"customers/{customer.pk}/interactions"
    when = "2030-01-28T10:00:00Z"
    body = {"type": "call", "notes": "يسأل عن السعر", "followUpRequired": True, "followUpDate": when}
    shown = data_of(client.post(path, body), 201)["interaction"]
    (action,) = data_of(client.get("customers/actions"))["actions"]
    expected = {
        "type": "follow_up", "customerId": customer.pk, "assignedTo": ahmed.pk, "dueDate": when,
        "description": "يسأل عن السعر", "metadata": {"interactionId": shown["id"]}, "priority": "medium",
    }  # fmt: skip
    assert {name: action[name] for name in expected} == expected
    one = f"{path}/{shown['id']}"
    for wanted in (True, False, True):
        data_of(client.patch(one, {"followUpRequired": wanted, "notes": f"ملاحظة {wanted}"}))
    assert CustomerAction.objects.get().status == "pending"
    data_of(client.post(f"customers/actions/{action['id']}/complete"))
    for wanted in (False, True):
        data_of(client.patch(one, {"followUpRequired": wanted, "followUpDate": "2030-02-01"}))
    ended = CustomerAction.objects.get()
    assert (ended.status, ended.due_date.isoformat()) == ("completed", "2030-01-28T10:00:00+00:00")


@pytest.fixture
def followed_up(as_, ahmed, customer):
    """The path of an interaction that has opened a follow-up."""
    path = f"customers/{customer.pk}/interactions"
    body = {"type": "call", "followUpRequired": True, "followUpDate": "2030-01-28T10:00:00Z"}
    return f"{path}/{data_of(as_(ahmed).post(path, body), 201)['interaction']['id']}"


def test_the_follow_up_moves_with_its_interaction(as_, ahmed, followed_up):
    client = as_(ahmed)
    data_of(client.patch(followed_up, {"followUpDate": "2030-02-03T10:00:00Z"}))
    (action,) = data_of(client.get("customers/actions"))["actions"]
    assert (action["dueDate"], action["status"]) == ("2030-02-03T10:00:00Z", "pending")
    version = CustomerAction.objects.get().version
    data_of(client.patch(followed_up, {"followUpDate": None, "notes": "دون موعد"}))
    assert CustomerAction.objects.get().version == version


@pytest.mark.parametrize("call", ["no longer", "deleted"])
def test_the_follow_up_of_an_interaction_that_asks_for_none_any_more_is_dismissed(as_, ahmed, followed_up, call):
    client = as_(ahmed)
    data_of(client.delete(followed_up) if call == "deleted" else client.patch(followed_up, {"followUpRequired": False}))
    action = CustomerAction.objects.get()
    assert (action.status, action.reason, action.completed_by_id) == (
        "dismissed", "لم تعد المتابعة مطلوبة", ahmed.pk,
    )  # fmt: skip


def test_a_follow_up_that_was_done_stays_so_whatever_becomes_of_the_interaction(as_, ahmed, followed_up):
    client, key = as_(ahmed), CustomerAction.objects.get().pk
    data_of(client.post(f"customers/actions/{key}/complete"))
    version = CustomerAction.objects.get().version
    data_of(client.patch(followed_up, {"followUpDate": "2030-02-03"}))
    data_of(client.delete(followed_up))
    assert (CustomerAction.objects.get().status, CustomerAction.objects.get().version) == ("completed", version)


def test_an_interaction_that_asks_for_it_later_opens_it_then_in_two_days(clock, as_, ahmed, customer):
    client, path = as_(ahmed), f"customers/{customer.pk}/interactions"
    key = data_of(client.post(path, {"type": "call"}), 201)["interaction"]["id"]
    assert CustomerAction.objects.count() == 0
    data_of(client.patch(f"{path}/{key}", {"followUpRequired": True}))
    assert CustomerAction.objects.get().due_date == clock.now + timedelta(hours=48)


# --- Many, and several workers ----------------------------------------------------------------------------


def test_more_than_a_batch_surfaces_in_one_run_whatever_its_customers(clock, ahmed, customer, monkeypatch):
    monkeypatch.setattr(due, "BATCH", 3)
    others = [make_customer(ahmed) for _ in range(3)]
    for place in range(7):
        remind(ahmed, [customer, *others][place % 4], clock.now)
        meet(ahmed, customer, clock.now + timedelta(hours=1))
    assert tasks.surface_due() == 14
    assert CustomerAction.objects.values("origin").distinct().count() == CustomerAction.objects.count() == 14


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_surface_each_row_once(ahmed, monkeypatch):
    monkeypatch.setattr(due, "BATCH", 5)
    now = timezone.now()
    for _ in range(6):
        customer = make_customer(ahmed)
        for _ in range(4):
            remind(ahmed, customer, now)
        meet(ahmed, customer, now + timedelta(hours=1))
    at_once(*[due.surface_due] * 3)
    due.surface_due()
    assert CustomerAction.objects.count() == CustomerAction.objects.values("origin").distinct().count() == 30
    assert not Reminder.objects.filter(surfaced_at=None).exists()
    assert not Appointment.objects.filter(surfaced_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_surface_what_was_put_off_once(as_, ahmed):
    now = timezone.now()
    rows = [remind(ahmed, make_customer(ahmed), now) for _ in range(4)]
    due.surface_due()
    for row in rows:
        ended_and_put_off(as_(ahmed), row, "complete", now + timedelta(milliseconds=1))
    at_once(*[due.surface_due] * 3)
    due.surface_due()
    assert CustomerAction.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_a_run_that_dies_leaves_its_batch_to_the_next(ahmed, monkeypatch):
    customer = make_customer(ahmed)
    row = remind(ahmed, customer, timezone.now())

    def die(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(due, "_open", die)
        due.surface_due()
    assert (due.surface_due(), due.surface_due()) == (1, 0)
    assert opened(row).customer_id == Customer.objects.get().pk


def test_the_beat_runs_it_every_minute(settings):
    every = {entry["task"]: entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert every[tasks.surface_due.name] == timedelta(minutes=1)
