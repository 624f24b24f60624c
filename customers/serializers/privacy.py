"""The shapes of what people ask of whoever keeps their data."""

from datetime import time

from rest_framework import serializers

from config.api.serializers import MomentField, NoteField, WordField
from customers.choices import RequestKind, RequestStatus
from customers.models import PrivacyRequest

_LAST_MOMENT = time(23, 59, 59)


def _rows(**options):
    return serializers.ListField(child=serializers.DictField(), **options)


class PrivacyRequestSerializer(serializers.Serializer):
    """A request of a person, to be answered by `extendedTo`, else by `dueAt`: thirty days after it came."""

    id = serializers.CharField()
    customerId = serializers.CharField(source="customer")
    customerName = serializers.CharField(source="customer.name")
    kind = serializers.ChoiceField(RequestKind.choices)
    status = serializers.ChoiceField(RequestStatus.choices)
    receivedAt = serializers.DateTimeField(source="received_at")
    dueAt = serializers.DateTimeField(source="due_at")
    extendedTo = serializers.DateTimeField(source="extended_to", required=False)
    extensionReason = serializers.CharField(source="extension_reason", required=False)
    isOverdue = serializers.BooleanField(source="status")
    identityVerifiedBy = serializers.CharField(source="identity_verified_by", required=False)
    identityVerifiedById = serializers.CharField(source="identity_verified_by_id", required=False)
    identityVerifiedAt = serializers.DateTimeField(source="identity_verified_at", required=False)
    closedAt = serializers.DateTimeField(source="closed_at", required=False)
    outcome = serializers.CharField(required=False)
    recordedBy = serializers.CharField(source="recorded_by")
    recordedById = serializers.CharField(source="recorded_by_id")
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")

    class Meta:
        model = PrivacyRequest
        order = ["received_at", "id"]
        derived = {"isOverdue": "({row}.status = 'open' AND coalesce({row}.extended_to, {row}.due_at) < moment.minute)"}


class PersonSerializer(serializers.Serializer):
    """All that is kept of one person; each list holds every row, as its own endpoint shows it."""

    exportedAt = serializers.DateTimeField()
    customer = serializers.DictField(help_text="With `stageHistory` and `ksaCompliance`")
    properties = _rows()
    interactions = _rows()
    appointments = _rows()
    reminders = _rows()
    statusChanges = _rows()
    assignments = _rows()
    consents = _rows()
    privacyRequests = _rows()
    actions = _rows()
    actionNotes = _rows()
    documents = _rows()
    history = _rows(help_text="Changes of the stage and of consents")


class PrivacyRequestInput(serializers.Serializer):
    """What is said of a request. Keys that are missing stay as they are; a null `extendedTo` takes it back."""

    kind = WordField(RequestKind.choices)
    receivedAt = MomentField(time_of_day=time.min, source="received_at", required=False)
    extendedTo = MomentField(time_of_day=_LAST_MOMENT, source="extended_to", required=False, allow_null=True)
    extensionReason = NoteField(source="extension_reason", max_length=5000)
    identityVerified = serializers.BooleanField(
        source="identity_verified", required=False, help_text="The caller has made sure who is asking"
    )
    status = WordField(RequestStatus.choices, required=False)
    outcome = NoteField(max_length=5000)
