"""What actions add to the timeline of their customer."""

from actions.serializers import AddedNoteSerializer, CustomerActionSerializer
from customers.timeline import Kind

_ENDED_BY = "{row}.completed_by_id", "(SELECT name FROM employees WHERE id = {row}.completed_by_id)"

KINDS = {
    "action_created": Kind(CustomerActionSerializer, "created_at", "إجراء جديد", "Action opened"),
    "action_completed": Kind(
        CustomerActionSerializer,
        "completed_at",
        "إكمال إجراء",
        "Action completed",
        where="status = 'completed'",
        actor=_ENDED_BY,
    ),
    "action_dismissed": Kind(
        CustomerActionSerializer,
        "completed_at",
        "استبعاد إجراء",
        "Action dismissed",
        where="status = 'dismissed'",
        actor=_ENDED_BY,
    ),
    "action_note": Kind(
        AddedNoteSerializer,
        "created_at",
        "ملاحظة على إجراء",
        "Note on an action",
        actor=("{row}.created_by_id", "{row}.created_by"),
    ),
}
