"""What customers allow to be done with their data, and ask of it: the law (PDPL, M/19) wants proof of both."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
from customers.choices import ConsentChannel, ConsentPurpose, RequestKind, RequestStatus
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


class PrivacyRequest(CustomerChild):
    """One thing that a person asked of whoever keeps their data: the proof of the answer, which outlives erasing."""

    id = PrefixedIDField("priv")
    customer = of_customer("privacy_requests")
    kind = models.CharField(_("kind"), max_length=20, choices=RequestKind)
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    # The last moment to answer, and a later one that the person was told of, with the reason.
    due_at = models.DateTimeField(_("due"), editable=False)
    extended_to = models.DateTimeField(_("extended to"), null=True, blank=True)
    extension_reason = models.TextField(_("reason for the extension"), blank=True)
    identity_verified_by = models.CharField(_("identity verified by"), max_length=255, blank=True, editable=False)
    identity_verified_by_id = models.CharField(max_length=50, blank=True, db_collation="C", editable=False)
    identity_verified_at = models.DateTimeField(_("identity verified at"), null=True, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=RequestStatus, default=RequestStatus.OPEN)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    outcome = models.TextField(_("outcome"), blank=True)
    recorded_by = models.CharField(_("recorded by"), max_length=255, editable=False)
    recorded_by_id = models.CharField(max_length=50, db_collation="C", editable=False)

    class Meta:
        db_table = "privacy_requests"
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=RequestStatus.OPEN, closed_at__isnull=True)
                | models.Q(~models.Q(status=RequestStatus.OPEN), closed_at__isnull=False),
                name="privacy_request_closed_at",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "received_at", "id"], name="privacy_request_customer"),
            models.Index(fields=["organization", "received_at", "id"], name="privacy_request_received"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.received_at:%Y-%m-%d}"
