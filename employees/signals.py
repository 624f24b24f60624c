"""What follows from a change of people: whoever was remembered is read again, and so is all that names them."""

from django.db import transaction
from django.dispatch import receiver

from config.cache import void
from config.signals import changed
from employees.authentication import forget_identities
from employees.models import Employee, Organization, Team


@receiver(changed)
def read_afresh(sender, rows, **_message):
    if sender in (Employee, Team, Organization):
        transaction.on_commit(forget_identities)
        for organization_id in {row.pk if sender is Organization else row.organization_id for row in rows}:
            void(organization_id)
