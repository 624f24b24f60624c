"""What comes due: reminders and appointments whose time has come, and what ends soon, open an action, each once.

A batch is a transaction of its own: a second worker, or a run after a crash or days of silence, takes what is left.
An action says in `origin` which row has opened it, and following.py keeps the two together from then on.
"""

from datetime import timedelta
from typing import NamedTuple

from django.db.models import Case, CharField, Exists, IntegerField, OuterRef, Value, When
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.timezone import get_default_timezone

from actions.choices import ActionType
from actions.models import CustomerAction
from actions.services import holders_among, insert_all
from config.api.filters import WrittenOut
from config.audit import recorded
from config.clock import start_of_day
from config.db import held, tried_again
from config.signals import changed
from customers.choices import (
    COMING,
    AppointmentType,
    EjarStatus,
    LicenseStatus,
    Priority,
    ReminderStatus,
    ReminderType,
)
from customers.compliance.law import RENEWAL_NOTICE_DAYS
from customers.compliance.standing import riyadh_day
from customers.models import Appointment, BrokerageLicense, Customer, EjarContract, Reminder
from employees.models import Employee
from employees.services import keep

BATCH = 500
# Appointments are told of so long before; one that passed longer ago than that, as imports bring them, no more.
NOTICE, FORGOTTEN = timedelta(hours=24), timedelta(hours=24)
# How long before the end of a lease somebody is told, and the last day of a notice against its renewal.
LEASE_NOTICE, LAST_NOTICE = timedelta(days=75), timedelta(days=RENEWAL_NOTICE_DAYS)
LICENSE_NOTICES = (60, 30, 7)  # days
LEASE_TITLE = "تجديد عقد إيجار ينتهي في %(day)s"
LICENSE_TITLE = "رخصة الوساطة تنتهي في %(day)s"

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
    ).annotate(has_surfaced=_HAS_SURFACED)

    def action_of(reminder):
        return _planned(reminder) | {"type": _TYPES[reminder.type], "metadata": {"reminderId": reminder.pk}}

    return _surface(due, action_of, by="datetime", whose="created_by_id", marks=True)


def surface_appointments():
    """One Batch of appointments that are to come within a day, or have just passed unnoticed."""
    now = timezone.now()
    due = Appointment.objects.filter(
        status__in=COMING,
        surfaced_at=None,
        datetime__lte=WrittenOut(now + NOTICE),
        datetime__gt=WrittenOut(now - FORGOTTEN),
    ).annotate(has_surfaced=_HAS_SURFACED)

    def action_of(appointment):
        is_visit = appointment.type == AppointmentType.SITE_VISIT
        kind = ActionType.SITE_VISIT if is_visit else ActionType.FOLLOW_UP
        return _planned(appointment) | {"type": kind, "metadata": {"appointmentId": appointment.pk}}

    return _surface(due, action_of, by="datetime", whose="agent_id", marks=True, told=True)


# What was put off after its first action had ended opens another one.
_HAS_SURFACED = Exists(CustomerAction.objects.filter(origin=OuterRef("pk")))


def _planned(row):
    origin = f"{row.pk}:{row.version}" if row.has_surfaced else row.pk
    return {"title": row.title, "priority": row.priority, "due_date": row.datetime, "origin": origin}


def surface_leases():
    """One Batch of leases that will renew themselves unless somebody gives notice in time."""
    today = riyadh_day()
    ending = EjarContract.objects.filter(
        status__in=[EjarStatus.ACTIVE, EjarStatus.RENEWED], end_date__gte=today, end_date__lte=today + LEASE_NOTICE
    )
    due = ending.annotate(told_as=Concat("pk", Value(":renewal:"), Cast("end_date", CharField())))

    def action_of(lease):
        last_day = lease.end_date - LAST_NOTICE
        return {
            "type": ActionType.FOLLOW_UP,
            "title": LEASE_TITLE % {"day": lease.end_date},
            "priority": Priority.HIGH,
            "due_date": start_of_day(max(last_day, today), get_default_timezone()),
            "metadata": {"ejarContractId": lease.pk, "endDate": str(lease.end_date), "lastNoticeDay": str(last_day)},
            "origin": f"{lease.pk}:renewal:{lease.end_date}",
        }

    return _surface(_untold(due), action_of, by="end_date")


def surface_licenses():
    """One Batch of brokers' licences that expire: each of LICENSE_NOTICES tells of one once."""
    today = riyadh_day()
    whens = [When(expiry_date__lte=today + timedelta(days=days), then=Value(days)) for days in sorted(LICENSE_NOTICES)]
    expiring = BrokerageLicense.objects.filter(
        status=LicenseStatus.ACTIVE, expiry_date__gte=today, expiry_date__lte=today + timedelta(max(LICENSE_NOTICES))
    )
    due = expiring.annotate(
        notice=Case(*whens, output_field=IntegerField()),
        told_as=Concat("pk", Value(":"), Cast("notice", CharField()), Value(":"), Cast("expiry_date", CharField())),
    )

    def action_of(license):
        days = next(days for days in sorted(LICENSE_NOTICES) if license.expiry_date <= today + timedelta(days=days))
        return {
            "type": ActionType.DOCUMENT_REQUIRED,
            "title": LICENSE_TITLE % {"day": license.expiry_date},
            "priority": Priority.URGENT if days == min(LICENSE_NOTICES) else Priority.HIGH,
            "due_date": start_of_day(license.expiry_date, get_default_timezone()),
            "metadata": {"expiryDate": str(license.expiry_date)},
            "origin": f"{license.pk}:{days}:{license.expiry_date}",
        }

    return _surface(_untold(due), action_of, by="expiry_date")


def _untold(rows):
    """Rows of which no action has been opened yet under `told_as`."""
    return rows.exclude(Exists(CustomerAction.objects.filter(origin=OuterRef("told_as"))))


# Each surfaces one Batch of its rows; the first at their minute, the others on their day.
DUE = [surface_reminders, surface_appointments]
EXPIRING = [surface_leases, surface_licenses]


def surface_expiring():
    """Open the actions of what ends soon; returns for how many rows."""
    return sum(map(_surface_all, EXPIRING))


def _surface_all(surface):
    total = 0
    while True:
        batch = tried_again(surface)()
        total += batch.taken
        if batch.due < BATCH or not batch.taken:
            return total


def _surface(due, action_of, *, by, whose="customer__assigned_employee", marks=False, told=False):
    """Open the action of each row that is due, the first by a column first; rows of deleted or erased customers wait.

    `whose` is the column of the employee who is given the action, if able and still in scope of the customer;
    else the customer's assignee is. With `marks` the rows are marked, with `told` subscribers hear that they
    have changed.
    """
    due = due.filter(customer__deleted_at=None, customer__erased_at=None)
    with recorded(None):
        columns = ("pk", "customer", "customer__assigned_employee", whose)
        found = list(due.order_by(by).values_list(*columns)[:BATCH])
        keep(*(key for _pk, _customer, *people in found for key in people))
        # Customers first, as everybody holds them; the due rows of those are then looked at again.
        theirs = Customer.objects.filter(pk__in={customer for _pk, customer, *_people in found})
        customers = {customer.pk: customer for customer in held(theirs, skip_locked=True)}
        rows = list(held(due.filter(pk__in=[pk for pk, *_rest in found], customer__in=list(customers))))
        if rows:
            _open(rows, customers, action_of, whose)
            if marks:
                type(rows[0]).objects.filter(pk__in=[row.pk for row in rows]).update(surfaced_at=timezone.now())
            if told:
                _tell(rows, customers)
    return Batch(len(found), len(rows))


def _open(rows, customers, action_of, whose):
    actions = {row: action_of(row) for row in rows}
    origins = [action["origin"] for action in actions.values()]
    opened = set(CustomerAction.objects.filter(origin__in=origins).values_list("origin", flat=True))
    rows = [row for row in rows if actions[row]["origin"] not in opened]
    holder_of = _holders(rows, customers, whose)
    values = [
        {"source": customers[row.customer_id].source, "assigned_to_id": holder_of[row.pk], **actions[row]}
        for row in rows
    ]
    if values:
        insert_all([customers[row.customer_id] for row in rows], values, None)


def _holders(rows, customers, whose):
    """`{row id: who is given its action, or None}`."""
    named = {row.pk: getattr(row, whose, None) for row in rows}
    able = holders_among({*named.values(), *(customer.assigned_employee_id for customer in customers.values())})
    people = Employee.objects.filter(pk__in=set(named.values()) & able.keys())
    seen_by = {
        person.pk: set(Customer.objects.visible_to(person).filter(pk__in=customers).values_list("pk", flat=True))
        for person in people
    }
    return {
        row.pk: named[row.pk]
        if row.customer_id in seen_by.get(named[row.pk], ())
        else able.get(customers[row.customer_id].assigned_employee_id)
        for row in rows
    }


def _tell(rows, customers):
    # One change a customer: it is told of with all of its rows.
    changes = {row.customer_id: {row.collection(): (row, row)} for row in rows}
    told = [customers[key] for key in changes]
    changed.send(Customer, rows=told, kind="updated", changes=list(changes.values()), actor=None)
