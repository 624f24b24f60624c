"""Merges of two customers: what is asked for, and what was done."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.query import one_of
from config.api.serializers import NoteField
from customers.compliance.parts import PARTS
from customers.models import Customer, CustomerMerge
from customers.serializers.customer import CustomerInput, CustomerSerializer, StageChangeSerializer
from customers.services.customer import MAX_REASON

SURVIVOR, MERGED = "survivor", "merged"
# What may be chosen, by the API's name: columns, and the parts of the compliance that a customer has once.
CHOICES = {
    **{name: field.source or name for name, field in CustomerInput._declared_fields.items() if name != "ksaCompliance"},
    **{part.name: part.related_name for part in PARTS.values() if not part.is_list},
}


class MergedCustomerSerializer(serializers.Serializer):
    """What is left to read of a customer who was merged into another: the rest hangs on the survivor."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en", required=False)
    phone = serializers.CharField()
    stage = serializers.CharField()
    stageHistory = StageChangeSerializer(source="stage_history", many=True)
    createdAt = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Customer


class MergeSerializer(serializers.Serializer):
    """One merge; it may be undone until `until`."""

    id = serializers.CharField()
    survivorId = serializers.CharField(source="survivor")
    mergedId = serializers.CharField(source="merged")
    merged = MergedCustomerSerializer()
    at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    mergedBy = serializers.CharField(source="merged_by")
    mergedById = serializers.CharField(source="merged_by_id")
    reason = serializers.CharField(required=False)
    moved = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many rows went over to the survivor, by collection"
    )
    undoneAt = serializers.DateTimeField(source="undone_at", required=False)
    undoneBy = serializers.CharField(source="undone_by", required=False)
    undoneById = serializers.CharField(source="undone_by_id", required=False)
    canBeUndone = serializers.BooleanField(
        help_text="Unless it was undone or is too old; later merges of the same customer are undone first"
    )

    class Meta:
        model = CustomerMerge
        derived = {
            "until": "{row}.at + interval '30 days'",
            "canBeUndone": "{row}.snapshot IS NOT NULL AND {row}.at + interval '30 days' >= moment.minute",
        }


class MergeInput(serializers.Serializer):
    """Who goes into the customer of the path, and whose value stands, field by field where that is not as usual."""

    mergedId = serializers.CharField(source="merged_id", max_length=50)
    fields = serializers.DictField(
        child=serializers.CharField(max_length=50),
        required=False,
        source="takes",
        help_text="By field `survivor` or `merged`, or the id of either: " + ", ".join(f"`{name}`" for name in CHOICES),
    )
    reason = NoteField(max_length=MAX_REASON, multiline=False)

    def validate(self, values):
        """Columns, and whether each becomes the other's."""
        meant = {SURVIVOR: False, self.instance.pk: False, MERGED: True, values["merged_id"]: True}
        takes, errors = {}, {}
        for name, word in values.get("takes", {}).items():
            if name not in CHOICES:
                errors[name] = [_("Cannot be chosen")]
            elif word not in meant:
                errors[name] = [one_of((SURVIVOR, MERGED))]
            else:
                takes[CHOICES[name]] = meant[word]
        if errors:
            raise serializers.ValidationError({"fields": errors})
        return values | {"takes": takes}


class MergeResultSerializer(serializers.Serializer):
    customer = CustomerSerializer()
    merge = MergeSerializer()


class KeptSerializer(serializers.Serializer):
    """What was changed since the merge, and therefore stays as it is."""

    collection = serializers.CharField()
    id = serializers.CharField()
    fields = serializers.ListField(child=serializers.CharField())


class UndoneSerializer(serializers.Serializer):
    """The survivor as `customer`, and who is back as `restored`."""

    customer = CustomerSerializer()
    restored = CustomerSerializer()
    merge = MergeSerializer()
    kept = KeptSerializer(many=True)
