"""The shapes of what goes on with a customer: property interests, interactions, appointments, reminders."""

from contextlib import suppress
from datetime import datetime, time

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.serializers import (
    ClockField,
    EmployeeIdField,
    LocalDayField,
    MomentField,
    MoneyField,
    TextField,
    WebLinkField,
    WholeNumberField,
    WordField,
    optional,
)
from config.clock import zone_of
from customers.choices import (
    AppointmentStatus,
    AppointmentType,
    Direction,
    InteractionType,
    InterestStatus,
    Priority,
    ReminderStatus,
    ReminderType,
    Sentiment,
)
from customers.models import Appointment, Interaction, PropertyInterest, Reminder, StatusChange
from customers.services.activity import filled_from_catalogue

# How many of each come along with a customer; their own lists have them all.
NEWEST = 50
# A day alone means the beginning of it for what has happened, and the beginning of work for what is to come.
START_OF_DAY, START_OF_WORK = time.min, time(9)
LONGEST_MINUTES = 1440

# --- What leaves --------------------------------------------------------------------------


class PropertyInterestSerializer(serializers.Serializer):
    """A property that a customer is interested in."""

    id = serializers.CharField()
    propertyId = serializers.CharField(source="property_id")
    propertyTitle = serializers.CharField(source="property_title")
    propertyTitleEn = serializers.CharField(source="property_title_en", required=False)
    propertyImage = serializers.CharField(source="property_image", required=False)
    propertyPrice = serializers.FloatField(source="property_price", required=False)
    propertyType = serializers.CharField(source="property_type", required=False)
    propertyLocation = serializers.CharField(source="property_location", required=False)
    status = serializers.ChoiceField(InterestStatus.choices)
    addedAt = serializers.DateTimeField(source="added_at")
    viewedAt = serializers.DateTimeField(source="viewed_at", required=False)
    feedback = serializers.CharField(required=False)
    rating = serializers.IntegerField(required=False)
    notes = serializers.CharField(required=False)

    class Meta:
        model = PropertyInterest
        order = ["added_at", "id"]
        newest = NEWEST


class InteractionSerializer(serializers.Serializer):
    """One contact with a customer, or a note."""

    id = serializers.CharField()
    type = serializers.ChoiceField(InteractionType.choices)
    direction = serializers.ChoiceField(Direction.choices, required=False)
    date = serializers.DateTimeField()
    duration = serializers.IntegerField(required=False, help_text="Minutes")
    notes = serializers.CharField()
    outcome = serializers.CharField(required=False)
    agentName = serializers.CharField(source="agent_name", help_text="As the agent was called then")
    agentId = serializers.CharField(source="agent_id")
    sentiment = serializers.ChoiceField(Sentiment.choices, required=False)
    followUpRequired = serializers.BooleanField(source="follow_up_required")
    followUpDate = serializers.DateTimeField(source="follow_up_date", required=False)

    class Meta:
        model = Interaction
        order = ["date", "id"]
        newest = NEWEST


_ZONE = "(SELECT time_zone FROM organizations WHERE id = {row}.organization_id)"


class AppointmentSerializer(serializers.Serializer):
    """An appointment. `date` and `time` are those of `datetime` in the organization's zone."""

    id = serializers.CharField()
    title = serializers.CharField()
    titleEn = serializers.CharField(source="title_en", required=False)
    type = serializers.ChoiceField(AppointmentType.choices)
    date = serializers.DateField(source="datetime")
    time = serializers.CharField(source="datetime", help_text="HH:MM")
    datetime = serializers.DateTimeField()
    duration = serializers.IntegerField(help_text="Minutes")
    location = serializers.CharField(required=False)
    propertyId = serializers.CharField(source="property_id", required=False)
    propertyTitle = serializers.CharField(source="property_title", required=False)
    status = serializers.ChoiceField(AppointmentStatus.choices)
    priority = serializers.ChoiceField(Priority.choices)
    notes = serializers.CharField(required=False)
    agentName = serializers.CharField(source="agent_name", required=False)
    agentId = serializers.CharField(source="agent", required=False)
    reminderSent = serializers.BooleanField(source="surfaced_at", help_text="Whether it has become an action")
    outcome = serializers.CharField(required=False)
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")

    class Meta:
        model = Appointment
        order = ["datetime", "id"]
        newest = NEWEST
        derived = {
            "date": f"to_char({{row}}.datetime AT TIME ZONE {_ZONE}, 'YYYY-MM-DD')",
            "time": f"to_char({{row}}.datetime AT TIME ZONE {_ZONE}, 'HH24:MI')",
            "reminderSent": "{row}.surfaced_at IS NOT NULL",
        }


_OVERDUE = "{row}.status = 'pending' AND {row}.datetime < moment.minute"


class ReminderSerializer(serializers.Serializer):
    """Something to be reminded of. One that is pending and past is overdue."""

    id = serializers.CharField()
    title = serializers.CharField()
    titleEn = serializers.CharField(source="title_en", required=False)
    description = serializers.CharField(required=False)
    datetime = serializers.DateTimeField()
    priority = serializers.ChoiceField(Priority.choices)
    status = serializers.ChoiceField(ReminderStatus.choices)
    type = serializers.ChoiceField(ReminderType.choices)
    relatedTo = serializers.CharField(source="related_to", required=False)
    createdBy = serializers.CharField(source="created_by")
    createdById = serializers.CharField(source="created_by_id")
    completedAt = serializers.DateTimeField(source="completed_at", required=False)
    isOverdue = serializers.BooleanField(source="status")
    daysUntilDue = serializers.IntegerField(
        source="datetime", help_text="Calendar days in the organization's zone, negative when it has passed"
    )

    class Meta:
        model = Reminder
        order = ["datetime", "id"]
        newest = NEWEST
        derived = {
            "status": f"CASE WHEN {_OVERDUE} THEN 'overdue' ELSE {{row}}.status END",
            "isOverdue": _OVERDUE,
            "daysUntilDue": "(SELECT ({row}.datetime AT TIME ZONE time_zone)::date "
            "- (moment.minute AT TIME ZONE time_zone)::date FROM organizations WHERE id = {row}.organization_id)",
        }


class StatusChangeSerializer(serializers.Serializer):
    """A status that a property interest or an appointment was given."""

    id = serializers.CharField()
    collection = serializers.ChoiceField(["properties", "appointments"])
    itemId = serializers.CharField(source="item_id")
    fromStatus = serializers.CharField(source="from_status")
    toStatus = serializers.CharField(source="to_status")

    class Meta:
        model = StatusChange


INCLUDES = {
    "properties": PropertyInterestSerializer,
    "interactions": InteractionSerializer,
    "appointments": AppointmentSerializer,
    "reminders": ReminderSerializer,
}

# --- What may be written --------------------------------------------------------------------


class InterestInput(serializers.Serializer):
    """The writable part of a property interest; null clears."""

    propertyId = TextField(source="property_id", max_length=50, name_like=True)
    propertyTitle = TextField(source="property_title", max_length=500, name_like=True)
    propertyTitleEn = optional(TextField, source="property_title_en", max_length=500, name_like=True)
    propertyImage = optional(WebLinkField, source="property_image", max_length=2000)
    propertyPrice = optional(MoneyField, source="property_price")
    propertyType = optional(TextField, source="property_type", max_length=50, name_like=True)
    propertyLocation = optional(TextField, source="property_location", max_length=255, name_like=True)
    status = optional(WordField, InterestStatus.choices)
    viewedAt = optional(MomentField, source="viewed_at", time_of_day=START_OF_DAY)
    feedback = optional(TextField, max_length=5000, multiline=True)
    rating = optional(WholeNumberField, min_value=1, max_value=5)
    notes = optional(TextField, max_length=20_000, multiline=True)


class NewInterestInput(InterestInput):
    """A new one. The title is needed unless the organization's catalogue has the property."""

    propertyTitle = optional(TextField, source="property_title", max_length=500, name_like=True)

    def validate(self, values):
        values = filled_from_catalogue(values, self.context["request"].user.organization_id)
        if not values.get("property_title"):
            raise serializers.ValidationError({"propertyTitle": _("This field is required.")})
        return values


class InteractionInput(serializers.Serializer):
    """The writable part of an interaction; null clears."""

    type = WordField(InteractionType.choices)
    direction = optional(WordField, Direction.choices)
    date = optional(MomentField, time_of_day=START_OF_DAY)
    duration = optional(WholeNumberField, min_value=0, max_value=LONGEST_MINUTES)
    notes = optional(TextField, max_length=20_000, multiline=True)
    outcome = optional(TextField, max_length=500, multiline=True)
    agentId = EmployeeIdField(source="agent_id", required=False, help_text="Heeded of those who assign customers")
    sentiment = optional(WordField, Sentiment.choices)
    followUpRequired = optional(serializers.BooleanField, source="follow_up_required")
    followUpDate = optional(MomentField, source="follow_up_date", time_of_day=START_OF_WORK)


class AppointmentInput(serializers.Serializer):
    """The writable part of an appointment. `datetime` says when, or else `date` and `time`."""

    type = WordField(AppointmentType.choices)
    title = optional(TextField, max_length=500, name_like=True, help_text="By default the name of the type")
    titleEn = optional(TextField, source="title_en", max_length=500, name_like=True)
    datetime = optional(MomentField, time_of_day=START_OF_WORK)
    date = optional(LocalDayField)
    time = optional(ClockField, help_text="HH:MM in the organization's zone")
    duration = optional(WholeNumberField, min_value=5, max_value=LONGEST_MINUTES)
    location = optional(TextField, max_length=500, name_like=True)
    propertyId = optional(TextField, source="property_id", max_length=50, name_like=True)
    propertyTitle = optional(TextField, source="property_title", max_length=500, name_like=True)
    status = optional(WordField, AppointmentStatus.choices)
    priority = optional(WordField, Priority.choices)
    notes = optional(TextField, max_length=20_000, multiline=True)
    outcome = optional(TextField, max_length=5000, multiline=True)
    agentId = EmployeeIdField(source="agent_id", required=False, help_text="Heeded of those who assign customers")

    def validate(self, values):
        moment, day, clock = (values.pop(name, None) for name in ("datetime", "date", "time"))
        stored = getattr(self.instance, "datetime", None)
        # Forms send the whole object back: a moment that is the stored one says nothing against a new day or time.
        if moment is None or moment == stored:
            moment = self._combined(day, clock, stored)
        return values | {"datetime": moment}

    def _combined(self, day, clock, stored):
        """The moment of a day and a time; what is missing, seconds too, is that of the stored moment."""
        if stored and not day and not clock:
            return stored
        zone, known = zone_of(self.context["request"].user.organization), None
        with suppress(OverflowError):  # an imported one at the end of time has no day of its own
            known = stored and stored.astimezone(zone)
        if known and (day or known.date(), clock or known.time()) in (
            (known.date(), known.time()),
            (known.date(), known.time().replace(second=0, microsecond=0)),
        ):
            return stored
        missing = [name for name, value in (("date", day), ("time", clock)) if not value and not known]
        if missing:
            name = "datetime" if len(missing) == 2 else missing[0]
            raise serializers.ValidationError({name: _("This field is required.")})
        return datetime.combine(day or known.date(), clock or known.time(), zone)


class ReminderInput(serializers.Serializer):
    """The writable part of a reminder; null clears. `overdue` is what a pending one is called, and means pending."""

    title = TextField(max_length=500, name_like=True)
    titleEn = optional(TextField, source="title_en", max_length=500, name_like=True)
    description = optional(TextField, max_length=20_000, multiline=True)
    datetime = MomentField(time_of_day=START_OF_WORK)
    priority = optional(WordField, Priority.choices)
    status = optional(WordField, ReminderStatus.choices)
    type = optional(WordField, ReminderType.choices)
    relatedTo = optional(TextField, source="related_to", max_length=50, name_like=True)

    def validate_status(self, word):
        return ReminderStatus.PENDING.value if word == ReminderStatus.OVERDUE else word
