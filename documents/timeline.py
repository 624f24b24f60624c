"""What documents add to the timeline of their customer."""

from customers.timeline import Kind
from documents.serializers import DocumentSerializer

KINDS = {
    "document_added": Kind(
        DocumentSerializer,
        "created_at",
        "إضافة مستند",
        "Document added",
        actor=("{row}.uploaded_by_id", "{row}.uploaded_by"),
    ),
}
