"""What follows from a change of people: whoever was remembered is read again."""

from django.db import transaction
from django.dispatch import receiver

from config.signals import changed
from employees.authentication import forget_identities
from employees.models import Employee, Organization, Team


@receiver(changed)
def read_identities_afresh(sender, **_message):
    if sender in (Employee, Team, Organization):
        transaction.on_commit(forget_identities)
