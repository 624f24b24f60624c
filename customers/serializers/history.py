"""The shape of the history of a customer."""

from rest_framework import serializers

from customers.choices import Door, Operation


class DoerSerializer(serializers.Serializer):
    """Who did it, as they are called now; the hub itself is `system`."""

    id = serializers.CharField()
    name = serializers.CharField()


class ChangeSerializer(serializers.Serializer):
    """One field that became another; null is no value."""

    field = serializers.CharField(help_text="Dotted within documents: `preferences.budgetMin`")
    # `from` is a word of Python.
    locals()["from"] = serializers.JSONField(allow_null=True)
    to = serializers.JSONField(allow_null=True)


class HistoryEntrySerializer(serializers.Serializer):
    """One thing that was done to a customer, or to a row that hangs on it. What a new row held is not repeated."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    operation = serializers.ChoiceField(Operation.choices)
    entity = serializers.CharField()
    entityId = serializers.CharField()
    actor = DoerSerializer()
    door = serializers.ChoiceField([*Door.values, ""])
    requestId = serializers.CharField(allow_blank=True)
    changes = ChangeSerializer(many=True)
