"""The audit table: one entry per changed row, written by triggers, and of reads by audit.record_read. Answers kept."""

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One change of one row: an insert (key only), an update (`{column: [before, after]}`) or a delete.

    Or that it was erased or read (no `changes`): see audit.recorded and audit.record_read. Or that many rows left as a
    file (`{rows: how many}`): see audit.record_export.
    """

    at = models.DateTimeField()
    table_name = models.CharField(max_length=63)
    row_id = models.CharField(max_length=50, db_collation="C")
    organization_id = models.CharField(max_length=50, null=True, db_collation="C")
    operation = models.CharField(max_length=6)
    actor_id = models.CharField(max_length=50)
    request_id = models.CharField(max_length=64)
    # Through what it was done: see config.logging.door.
    door = models.CharField(max_length=20, default="", db_default="")
    changes = models.JSONField(null=True)

    class Meta:
        db_table = "audit_entries"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["row_id", "id"], name="audit_row"),
            # What is to be forgotten of rows that were removed before their customer.
            models.Index(
                KeyTextTransform("customer_id", "changes"),
                "table_name",
                name="audit_removed_of_customer",
                condition=models.Q(operation="delete"),
            ),
        ]


class IdempotencyKey(models.Model):
    """A POST that succeeded under a key of its caller's, and what a repeat is answered with: see api.idempotency.

    Nobody sees a row without a status but the transaction that inserted it.
    """

    employee_id = models.CharField(max_length=50, db_collation="C")
    organization_id = models.CharField(max_length=50, db_collation="C")
    key = models.CharField(max_length=255, db_collation="C")
    path = models.TextField()
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    # The rendered data, and what stands around it; empty once a row that they show was removed for good.
    data = models.TextField(null=True)
    head = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "idempotency_keys"
        verbose_name = _("repeatable call")
        verbose_name_plural = _("repeatable calls")
        constraints = [models.UniqueConstraint(fields=["employee_id", "key"], name="idempotency_key_unique")]
        indexes = [
            models.Index(fields=["organization_id"], name="idempotency_organization"),
            models.Index(fields=["created_at"], name="idempotency_age"),
        ]
