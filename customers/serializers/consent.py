"""The shapes of consents."""

from datetime import time

from rest_framework import serializers

from config.api.serializers import MomentField, TextField, WordField
from customers.choices import ConsentChannel, ConsentPurpose, ConsentStatus
from customers.models import Consent


class ConsentSerializer(serializers.Serializer):
    """One yes or no of a customer; without a channel it speaks for every channel."""

    id = serializers.CharField()
    purpose = serializers.ChoiceField(ConsentPurpose.choices)
    channel = serializers.ChoiceField(ConsentChannel.choices, required=False)
    status = serializers.ChoiceField(ConsentStatus.choices)
    at = serializers.DateTimeField(source="given_at")
    evidence = serializers.CharField(required=False)
    recordedAt = serializers.DateTimeField(source="created_at")
    recordedBy = serializers.CharField(source="recorded_by")
    recordedById = serializers.CharField(source="recorded_by_id")

    class Meta:
        model = Consent
        derived = {"status": "CASE WHEN {row}.granted THEN 'granted' ELSE 'withdrawn' END"}


class ConsentInput(serializers.Serializer):
    """What a customer has just said, or said at a moment that has passed."""

    purpose = WordField(ConsentPurpose.choices)
    channel = WordField(ConsentChannel.choices, required=False, allow_blank=True)
    status = WordField(ConsentStatus.choices)
    at = MomentField(time_of_day=time.min, source="given_at", required=False)
    evidence = TextField(max_length=5000, multiline=True, required=False)

    def validate(self, values):
        values["granted"] = values.pop("status") == ConsentStatus.GRANTED
        return values
