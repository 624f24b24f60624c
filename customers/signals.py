"""What customers do when something else changes."""

from django.dispatch import receiver

from config.signals import changed
from customers.models import Customer, Listing
from customers.services import matching, scoring
from customers.services.activity import hand_over_appointments
from customers.services.bulk import hand_over_customers
from customers.services.merge import forget_merges
from customers.services.transfer import forget_transfers
from employees.models import Employee


@receiver(changed, sender=Employee)
def hand_over_when_somebody_leaves(rows, changes, actor, successor=None, **_message):
    for employee, change in zip(rows, changes, strict=True):
        if change.get("is_active") == (True, False):
            hand_over_customers(employee, successor=successor, actor=actor)
            hand_over_appointments(employee, successor=successor, actor=actor)


@receiver(changed, sender=Customer)
def score_who_changes(rows, kind, **_message):
    if kind in ("erased", "purged"):
        scoring.forget(customer.pk for customer in rows)
    else:
        scoring.touch(customer.pk for customer in rows)


@receiver(changed, sender=Customer)
def forget_with_the_person(rows, kind, **_message):
    if kind in ("erased", "purged"):
        for customer in rows:
            forget_merges(customer)
            forget_transfers(customer.organization_id)


@receiver(changed, sender=Listing)
def match_listings(rows, kind, changes, **_message):
    matching.note_listings(rows, changes, created=kind == "created")


@receiver(changed, sender=Customer)
def match_customers(rows, kind, changes, written=None, **_message):
    if kind in ("deleted", "purged", "erased"):
        matching.forget_customers([customer.pk for customer in rows])
    is_known_change = kind == "updated" and not written
    matching.note_customers(rows, changes if is_known_change else None)
