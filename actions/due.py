"""What comes due: reminders and appointments whose time has come open an action, each once.

A batch is a transaction of its own: a second worker, or a run after a crash or days of silence, takes what is left.
An action says in `origin` which row has opened it, and following.py keeps the two together from then on.
"""

from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from actions.choices import ActionType
from actions.models import CustomerAction
from actions.services import holders_among, insert_all
from config.api.filters import WrittenOut
from config.audit import recorded
from config.db import held, tried_again
from config.signals import changed
from customers.choices import COMING, AppointmentType, ReminderStatus, ReminderType
from customers.models import Appointment, Customer, Reminder
from employees.models import Employee
from employees.services import keep

BATCH = 500
# Appointments are told of so long before; one that passed longer ago than that, as imports bring them, no more.
NOTICE, FORGOTTEN = timedelta(hours=24), timedelta(hours=24)

_TYPES = {
    ReminderType.FOLLOW_UP: ActionType.FOLLOW_UP,
    ReminderType.DOCUMENT: ActionType.DOCUMENT_REQUIRED,
    ReminderType.PAYMENT: ActionType.PAYMENT_DUE,
    ReminderType.VIEWING: ActionType.SITE_VISIT,
    ReminderType.GENERAL: ActionType.FOLLOW_UP,
}


class Batch(NamedTuple):
    """How many rows were due, up to BATCH, and how many of them nobody else held and were taken."""

    due: int
    taken: int


def surface_due():
    """Open the actions of everything whose time has come; returns for how many rows."""
    return sum(map(_surface_all, DUE))


def surface_reminders():
    """One Batch of pending reminders whose time has come."""
    due = Reminder.objects.filter(
        status=ReminderStatus.PENDING, surfaced_at=None, datetime__lte=WrittenOut(timezone.now())
    )

    def action_of(reminder):
        return {"type": _TYPES[reminder.type], "metadata": {"reminderId": reminder.pk}}

    return _surface(due, action_of, whose="created_by_id")


def surface_appointments():
    """One Batch of appointments that are to come within a day, or have just passed unnoticed."""
    now = timezone.now()
    due = Appointment.objects.filter(
        status__in=COMING,
        surfaced_at=None,
        datetime__lte=WrittenOut(now + NOTICE),
        datetime__gt=WrittenOut(now - FORGOTTEN),
    )

    def action_of(appointment):
        is_visit = appointment.type == AppointmentType.SITE_VISIT
        kind = ActionType.SITE_VISIT if is_visit else ActionType.FOLLOW_UP
        return {"type": kind, "metadata": {"appointmentId": appointment.pk}}

    return _surface(due, action_of, whose="agent_id", told=True)


# Each surfaces one Batch of its rows. Whatever else comes due at a time of its own is added here.
DUE = [surface_reminders, surface_appointments]


def _surface_all(surface):
    total = 0
    while True:
        batch = tried_again(surface)()
        total += batch.taken
        if batch.due < BATCH or not batch.taken:
            return total


def _surface(due, action_of, *, whose, told=False):
    """Open the action of each row that is due, and mark it; rows of deleted customers wait.

    `whose` is the column of the employee who is given the action, if able and still in scope of the customer;
    else the customer's assignee is. With `told`, subscribers hear that the rows have changed.
    """
    due = due.filter(customer__deleted_at=None)
    with recorded(None):
        columns = ("pk", "customer", "customer__assigned_employee", whose)
        found = list(due.order_by("datetime").values_list(*columns)[:BATCH])
        keep(*(key for _pk, _customer, *people in found for key in people))
        # Customers first, as everybody holds them; the due rows of those are then looked at again.
        theirs = Customer.objects.filter(pk__in={customer for _pk, customer, *_people in found})
        customers = {customer.pk: customer for customer in held(theirs, skip_locked=True)}
        rows = list(held(due.filter(pk__in=[pk for pk, *_rest in found], customer__in=list(customers))))
        if rows:
            _open(rows, customers, action_of, whose)
            now = timezone.now()
            type(rows[0]).objects.filter(pk__in=[row.pk for row in rows]).update(surfaced_at=now)
            if told:
                _tell(rows, customers)
    return Batch(len(found), len(rows))


def _open(rows, customers, action_of, whose):
    opened = set(CustomerAction.objects.filter(origin__in=[row.pk for row in rows]).values_list("origin", flat=True))
    rows = [row for row in rows if row.pk not in opened]
    holder_of = _holders(rows, customers, whose)
    values = [
        {
            "title": row.title,
            "priority": row.priority,
            "source": customers[row.customer_id].source,
            "due_date": row.datetime,
            "assigned_to_id": holder_of[row.pk],
            "origin": row.pk,
            **action_of(row),
        }
        for row in rows
    ]
    if values:
        insert_all([customers[row.customer_id] for row in rows], values, None)


def _holders(rows, customers, whose):
    """`{row id: who is given its action, or None}`."""
    able = holders_among(
        {getattr(row, whose) for row in rows} | {customer.assigned_employee_id for customer in customers.values()}
    )
    people = Employee.objects.filter(pk__in={getattr(row, whose) for row in rows} & able.keys())
    seen_by = {
        person.pk: set(Customer.objects.visible_to(person).filter(pk__in=customers).values_list("pk", flat=True))
        for person in people
    }
    return {
        row.pk: getattr(row, whose)
        if row.customer_id in seen_by.get(getattr(row, whose), ())
        else able.get(customers[row.customer_id].assigned_employee_id)
        for row in rows
    }


def _tell(rows, customers):
    # One change a customer: it is told of with all of its rows.
    changes = {row.customer_id: {row.collection(): (row, row)} for row in rows}
    told = [customers[key] for key in changes]
    changed.send(Customer, rows=told, kind="updated", changes=list(changes.values()), actor=None)
