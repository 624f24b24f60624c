"""What documents do when something else changes."""

from django.dispatch import receiver

from config.signals import changed
from customers.models import Customer
from documents import services
from documents.models import Document


@receiver(changed, sender=Customer)
def forget_files_of_purged_customers(rows, kind, **_message):
    if kind in ("purged", "erased"):
        services.forget_files(rows)
    if kind == "erased":
        Document.objects.filter(customer__in=rows).delete()
