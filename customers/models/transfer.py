"""Files that go in and out in the background."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
from customers.choices import AT_WORK, FileFormat, TransferKind, Transferred, TransferStatus
from customers.querysets import TransferQuerySet


class Transfer(models.Model):
    """One file of customers or listings on its way in or out: what was asked for, and what came of it.

    Requests write such rows, workers run them as who asked: see services.transfer and customers.transferring. Keys
    name files that lie with those of customers; they leave before the row does.
    """

    id = PrefixedIDField("trf")
    organization = models.ForeignKey(
        "employees.Organization", models.CASCADE, db_index=False, related_name="transfers", editable=False
    )
    requested_by = models.ForeignKey(
        "employees.Employee",
        models.CASCADE,
        db_index=False,
        related_name="transfers",
        verbose_name=_("requested by"),
        editable=False,
    )
    # Of the request that the audit names for what a worker does of it.
    request_id = models.CharField(max_length=64, blank=True, editable=False)

    kind = models.CharField(_("kind"), max_length=10, choices=TransferKind, editable=False)
    what = models.CharField(_("content"), max_length=20, choices=Transferred, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=TransferStatus, editable=False)
    language = models.CharField(_("language"), max_length=2, editable=False)
    format = models.CharField(_("format"), max_length=5, choices=FileFormat, editable=False)
    file_name = models.CharField(_("file"), max_length=255, editable=False)

    # Of an import: the headers of the file and its first rows, and which column of ours each header is ("": left out).
    preview = models.JSONField(default=dict, editable=False)
    mapping = ArrayField(models.CharField(max_length=50, blank=True), default=list, editable=False)
    upsert = models.BooleanField(_("change those that exist already"), default=False, editable=False)
    # Of an export: the query string of the list, the columns ([]: all), and whose eyes it was made for.
    query = models.TextField(blank=True, editable=False)
    columns = ArrayField(models.CharField(max_length=50), default=list, editable=False)
    scope = models.CharField(max_length=100, blank=True, editable=False)

    source_key = models.CharField(max_length=100, blank=True, editable=False)
    error_key = models.CharField(max_length=100, blank=True, editable=False)
    output_key = models.CharField(max_length=100, blank=True, editable=False)

    # Read, inserted, updated, unchanged, duplicates, bad and notices of an import; the rows of an export.
    counts = models.JSONField(_("counts"), default=dict, editable=False)
    # The first rows that people must look at, as `{row, severity, column, value, reason}`.
    sample = models.JSONField(default=list, editable=False)
    # From 0 to 1, and the rows that were read or written: told by the worker while it runs.
    progress = models.FloatField(_("progress"), default=0, editable=False)
    rows_done = models.PositiveIntegerField(_("rows"), default=0, editable=False)
    # Why it failed, in the language of who asked.
    error = models.TextField(_("error"), blank=True, editable=False)
    # How often a worker has begun with what is to be done now.
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    objects = TransferQuerySet.as_manager()

    class Meta:
        db_table = "transfers"
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        indexes = [
            models.Index(fields=["organization", "created_at", "id"], name="transfer_added"),
            models.Index(fields=["requested_by", "created_at"], name="transfer_of_employee"),
            models.Index(fields=["queued_at"], name="transfer_queue", condition=models.Q(status__in=AT_WORK)),
        ]

    def __str__(self):
        return self.file_name
