"""One operation on many customers: what is asked for, and what became of it."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.query import one_of
from config.api.serializers import IdsField, NoteField, TextListField, WordField
from customers.choices import Priority, Stage
from customers.serializers.customer import FindingSerializer
from customers.services.customer import MAX_REASON


class FailureSerializer(serializers.Serializer):
    id = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class GateRefusalSerializer(FailureSerializer):
    details = FindingSerializer(many=True, required=False)


class WarnedSerializer(serializers.Serializer):
    id = serializers.CharField()
    warnings = FindingSerializer(many=True)


class BulkResultSerializer(serializers.Serializer):
    """`failed` are those who do not exist or whom the gates refuse; `warned` were moved all the same."""

    updatedCount = serializers.IntegerField()
    failed = GateRefusalSerializer(many=True)
    warned = WarnedSerializer(many=True, required=False)


class BulkInput(serializers.Serializer):
    """One operation on many customers."""

    OPERATIONS = ("assign", "stage", "priority", "tags")

    customerIds = IdsField()
    operation = WordField([(word, word) for word in OPERATIONS])
    assignedTo = serializers.CharField(max_length=50, required=False, allow_null=True)
    toStage = WordField(Stage.choices, required=False)
    priority = WordField(Priority.choices, required=False)
    addTags = TextListField(required=False, text_length=100)
    removeTags = TextListField(required=False, text_length=100)
    reason = NoteField(max_length=MAX_REASON, multiline=False)
    notes = NoteField(max_length=5000)
    overrideReason = NoteField(source="override_reason", max_length=MAX_REASON, multiline=False)

    NEEDS = {
        "assign": ("assignedTo",),
        "stage": ("toStage",),
        "priority": ("priority",),
        "tags": ("addTags", "removeTags"),
    }

    def validate(self, values):
        needed = self.NEEDS[values["operation"]]
        if not any(name in values for name in needed):
            raise serializers.ValidationError(
                {needed[0]: one_of(needed) if len(needed) > 1 else _("This field is required.")}
            )
        return values
