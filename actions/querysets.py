"""Which actions a caller may see, and which stand where at a given minute."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from actions.choices import ENDED, OPEN, ActionStatus
from config.clock import start_of_day, start_of_next_month
from config.counts import EVERYBODY
from employees.choices import Role
from employees.models import Employee

CALENDAR_BUCKETS = ("today", "week", "month")
# The first open follow-up of the customer {row}, from the index `action_next`.
NEXT_FOLLOW_UP_SQL = (
    "SELECT min(due_date) FROM customer_actions WHERE customer_id = {row}.id AND completed_at IS NULL "
    "AND type IN ('follow_up', 'site_visit') AND (status <> 'snoozed' OR snoozed_until <= moment.minute)"
)
BUCKETS = ("overdue", *CALENDAR_BUCKETS, "no_date")


def days_of(bucket, today):
    """`(first day, day after the last)` of a bucket: the calendar day, it and the seven days after it, the month."""
    return {
        "today": (today, today + timedelta(days=1)),
        "week": (today, today + timedelta(days=8)),
        "month": (today.replace(day=1), start_of_next_month(today)),
    }[bucket]


def is_due(bucket, minute, zone):
    """That the due date of an action lies in a bucket, hours of today that have passed included."""
    if bucket == "no_date":
        return Q(due_date=None)
    if bucket == "overdue":
        return Q(due_date__lt=minute)
    first, after = days_of(bucket, minute.astimezone(zone).date())
    return Q(due_date__gte=start_of_day(first, zone), due_date__lt=start_of_day(after, zone))


class ScopedQuerySet(models.QuerySet):
    """Rows that carry the organization and assignee of their customer, and the assignee of their action."""

    def in_scope_of(self, employee):
        """Those whose customer is the caller's, or whose action is assigned to the caller."""
        rows = self.filter(organization_id=employee.organization_id)
        if employee.role == Role.ADMIN:
            return rows
        own = Q(assigned_to=employee.pk)
        if employee.role != Role.SALES_MANAGER:
            return rows.filter(Q(customer_assignee=employee.pk) | own)
        own |= Q(customer_assignee=None)
        if employee.team_id:
            own |= Q(customer_assignee__in=Employee.objects.filter(team_id=employee.team_id).values("pk"))
        return rows.filter(own)


class CountQuerySet(ScopedQuerySet):
    def summed_for(self, employee, narrow):
        """The rows whose sum is the caller's; `narrow` narrows them to an assignee, None to none."""
        if narrow is None and employee.role == Role.ADMIN:
            return self.filter(
                organization_id=employee.organization_id, customer_assignee=EVERYBODY, assigned_to=EVERYBODY
            )
        rows = self.in_scope_of(employee).exclude(customer_assignee=EVERYBODY)
        return rows if narrow is None else narrow(rows)


class CustomerActionQuerySet(ScopedQuerySet):
    def visible_to(self, employee):
        """Actions in the caller's scope; those of deleted customers are nobody's."""
        return self.filter(customer_deleted=False).in_scope_of(employee)

    def standing(self, statuses, minute):
        """Actions that are in one of these statuses at this minute.

        Pending are also snoozed ones whose time has come, whether or not they have been woken yet.
        """
        statuses = set(statuses)
        stored, rows = statuses.copy(), self
        if ActionStatus.PENDING in statuses:
            stored.add(ActionStatus.SNOOZED)
            if ActionStatus.SNOOZED not in statuses:
                rows = rows.filter(~Q(status=ActionStatus.SNOOZED) | Q(snoozed_until__lte=minute))
        elif ActionStatus.SNOOZED in statuses:
            rows = rows.filter(~Q(status=ActionStatus.SNOOZED) | Q(snoozed_until__gt=minute))
        if not statuses.intersection(ENDED):
            rows = rows.live()
        elif statuses.issubset(ENDED):
            rows = rows.filter(completed_at__isnull=False)
        return rows.filter(status__in=sorted(stored))

    def open(self, minute):
        """Actions that somebody still has to do: pending or in progress."""
        return self.standing(OPEN, minute)

    def live(self):
        """Actions that have not ended. The condition is that of the partial indexes."""
        return self.filter(completed_at=None)

    def overslept(self, minute):
        """Snoozed actions whose time has come and who have not been woken."""
        return self.filter(status=ActionStatus.SNOOZED, snoozed_until__lte=minute)

    def due(self, bucket, minute, zone):
        """Open actions in a bucket of due dates: one of BUCKETS."""
        return self.open(minute).filter(is_due(bucket, minute, zone))
