"""What actions do when customers or employees change: part of the same transaction."""

from django.dispatch import receiver

from actions import following, recommending
from actions.models import CustomerAction
from config.cache import void
from config.signals import changed
from customers.models import Customer
from customers.services.scoring import touch
from employees.choices import Role
from employees.models import Employee


@receiver(changed, sender=Customer)
def open_first_actions(rows, kind, actor, first_action=False, **_message):
    if kind == "created" and first_action:
        for customer in rows:
            following.open_first_action(customer, actor=actor)


@receiver(changed, sender=Customer)
def follow_customers(rows, kind, changes, actor, written=None, since=None, **_message):
    if kind == "updated":
        if written and written.get(CustomerAction):
            following.follow_merges(written[CustomerAction], actor=actor)
        following.follow_customers(rows, changes, actor=actor, since=since)
        following.follow_wishes(rows, changes, actor=actor)
    elif kind == "erased":
        for customer in rows:
            following.follow_erasure(customer, actor=actor)
    elif kind != "created":
        following.follow_deletions(rows, kind, actor=actor)


@receiver(changed, sender=Customer)
def follow_activity(rows, kind, changes, actor, **_message):
    if kind == "updated":
        for customer, change in zip(rows, changes, strict=True):
            for collection in following.FOLLOWED.keys() & change.keys():
                if change[collection] != (None, None):  # rows that were loaded cause nothing
                    following.FOLLOWED[collection](customer, *change[collection], actor=actor)


@receiver(changed, sender=CustomerAction)
def score_customers(rows, **_message):
    """What is open decides what is advised next."""
    touch({row.customer_id for row in rows})


@receiver(changed, sender=CustomerAction)
def void_customers(rows, **_message):
    """Of lists and numbers of customers too: they say what is to be done next, and count it."""
    for organization_id in {row.organization_id for row in rows}:
        void(organization_id, Customer)


@receiver(changed, sender=CustomerAction)
def follow_endings(rows, kind, changes, actor, **_message):
    if kind == "updated":
        following.follow_endings(rows, changes, actor=actor)
        recommending.follow_endings(rows, changes, actor=actor)


@receiver(changed, sender=Customer)
def forget_recommendations(rows, kind, **_message):
    if kind in ("erased", "purged"):
        recommending.forget(customer.pk for customer in rows)


@receiver(changed, sender=Employee)
def hand_over_when_nobody_works_on_them(rows, changes, actor, successor=None, **_message):
    for employee, change in zip(rows, changes, strict=True):
        leaves = change.get("is_active") == (True, False)
        only_looks = "role" in change and change["role"][1] == Role.VIEWER
        if leaves or only_looks:
            following.hand_over_actions(employee, successor=successor, actor=actor)
