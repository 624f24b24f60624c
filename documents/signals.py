"""What documents do when something else changes."""

from django.dispatch import receiver

from config.signals import changed
from customers.models import Customer
from documents import services


@receiver(changed, sender=Customer)
def forget_files_of_purged_customers(rows, kind, **_message):
    if kind == "purged":
        services.forget_files(rows)
