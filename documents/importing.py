"""What an import of full customer objects says of documents: their files are elsewhere, so their URLs are kept."""

from rest_framework import serializers

from config.api.serializers import TextField, TextListField, WholeNumberField, WordField, optional
from customers.importing.relations import Kept, Relation, kept_moment, kept_text
from documents.choices import DocumentType
from documents.models import Document


class _ImportedDocument(Kept, serializers.Serializer):
    name = TextField(max_length=255, name_like=True)
    type = optional(WordField, DocumentType.choices)
    fileUrl = kept_text("original_url", 2000)
    fileSize = optional(WholeNumberField, source="file_size", min_value=0, max_value=2**53)
    mimeType = kept_text("mime_type", 100)
    uploadedBy = kept_text("uploaded_by")
    uploadedById = kept_text("uploaded_by_id", 50)
    uploadedAt = kept_moment("created_at")
    description = optional(TextField, max_length=20_000, multiline=True)
    tags = optional(TextListField, text_length=100)


RELATION = Relation(Document, _ImportedDocument, "uploaded_by_id")
