"""What customers do when something else changes."""

from django.dispatch import receiver

from config.signals import changed
from customers.services.activity import hand_over_appointments
from customers.services.bulk import hand_over_customers
from employees.models import Employee


@receiver(changed, sender=Employee)
def hand_over_when_somebody_leaves(rows, changes, actor, successor=None, **_message):
    for employee, change in zip(rows, changes, strict=True):
        if change.get("is_active") == (True, False):
            hand_over_customers(employee, successor=successor, actor=actor)
            hand_over_appointments(employee, successor=successor, actor=actor)
