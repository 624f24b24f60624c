"""What kinds of documents there are."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DocumentType(models.TextChoices):
    """What a document is."""

    ID_COPY = "id_copy", _("Copy of an ID")
    CONTRACT = "contract", _("Contract")
    AGREEMENT = "agreement", _("Agreement")
    RECEIPT = "receipt", _("Receipt")
    PHOTO = "photo", _("Photo")
    OTHER = "other", _("Other")
