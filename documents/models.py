"""The document: what is known of a file. The file itself lies in documents.storage."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
from customers.models.child import CustomerChild, of_customer
from documents.choices import DocumentType


class Document(CustomerChild):
    """One file of a customer, or one that is known by its `original_url` alone. Names stay as they were at the time."""

    id = PrefixedIDField("doc")
    customer = of_customer("documents")
    name = models.CharField(_("name"), max_length=255)
    type = models.CharField(_("type"), max_length=20, choices=DocumentType, default=DocumentType.OTHER)
    description = models.TextField(_("description"), blank=True)
    tags = ArrayField(models.CharField(max_length=100), verbose_name=_("tags"), default=list, blank=True)
    # Of the file: as it was called, what it is, how many bytes, and where it lies.
    file_name = models.CharField(_("file name"), max_length=255, blank=True, editable=False)
    mime_type = models.CharField(max_length=100, blank=True, editable=False)
    file_size = models.PositiveBigIntegerField(_("size"), null=True, editable=False)
    storage_key = models.CharField(max_length=100, blank=True, editable=False, db_collation="C")
    original_url = models.TextField(blank=True, editable=False)
    uploaded_by = models.CharField(_("uploaded by"), max_length=255, editable=False)
    uploaded_by_id = models.CharField(max_length=50, editable=False, db_collation="C")

    class Meta:
        db_table = "documents"
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [
            models.UniqueConstraint(
                fields=["storage_key"], condition=~models.Q(storage_key=""), name="document_storage_key_unique"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "created_at", "id"], name="document_customer"),
            models.Index(
                fields=["organization", "created_at"],
                name="document_id_copies",
                condition=models.Q(type=DocumentType.ID_COPY),
            ),
        ]

    def __str__(self):
        return self.name
