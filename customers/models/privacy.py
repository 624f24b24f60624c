"""What customers allow to be done with their data: the law on personal data (PDPL, M/19) asks for proof of it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
from customers.choices import ConsentChannel, ConsentPurpose
from customers.models.child import CustomerChild, of_customer


class Consent(CustomerChild):
    """A customer's yes or no to one use of their data. Rows are only added.

    The last one of a purpose and channel counts; one without a channel speaks for every channel.
    """

    id = PrefixedIDField("con")
    customer = of_customer("consents")
    purpose = models.CharField(_("purpose"), max_length=20, choices=ConsentPurpose)
    channel = models.CharField(_("channel"), max_length=20, choices=ConsentChannel, blank=True)
    granted = models.BooleanField(_("granted"))
    given_at = models.DateTimeField(_("given at"), default=timezone.now)
    evidence = models.TextField(_("evidence"), blank=True)
    recorded_by = models.CharField(_("recorded by"), max_length=255)
    recorded_by_id = models.CharField(max_length=50, db_collation="C")

    class Meta:
        db_table = "consents"
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [
            models.Index(fields=["customer", "purpose", "given_at", "id"], name="consent_customer"),
        ]
