"""What goes on with a customer, in the back office: each kind beneath its customer, and on pages of its own."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.backoffice.admin import HubInline
from config.backoffice.lists import choice
from customers.admin.child import ChildAdmin, agents, all_but, beneath, for_customer, with_customer
from customers.choices import (
    AppointmentStatus,
    AppointmentType,
    Direction,
    InteractionType,
    InterestStatus,
    Priority,
    ReminderStatus,
    Sentiment,
)
from customers.filters import AppointmentFilterSet, InteractionFilterSet, InterestFilterSet, ReminderFilterSet
from customers.models import Appointment, Interaction, PropertyInterest, Reminder
from customers.serializers.activity import (
    AppointmentInput,
    InteractionInput,
    InterestInput,
    NewInterestInput,
    ReminderInput,
)
from customers.services import activity as services

_AGENT = {"choices": {"agentId": agents}, "labels": {"agentId": _("Agent")}}


class ActivityAdmin(ChildAdmin):
    remove = staticmethod(services.remove)


@admin.register(PropertyInterest)
class InterestAdmin(ActivityAdmin):
    serializer_class, new_serializer_class = InterestInput, with_customer(NewInterestInput)
    filterset_class = beneath(InterestFilterSet)
    add, change = for_customer(services.add_interest), staticmethod(services.change_interest)
    list_display = ("property_title", "property_id", "property_price", "status", "rating", "added_at")
    list_filter = (choice("status", _("Status"), InterestStatus.choices),)
    ordering = ("-added_at", "-pk")


@admin.register(Interaction)
class InteractionAdmin(ActivityAdmin):
    serializer_class, new_serializer_class = InteractionInput, with_customer(InteractionInput)
    form_options = ChildAdmin.form_options | _AGENT
    filterset_class = beneath(InteractionFilterSet)
    add, change = for_customer(services.add_interaction), staticmethod(services.change_interaction)
    list_display = ("date", "type", "direction", "notes", "outcome", "sentiment", "agent_name")
    list_filter = (
        choice("type", _("Type"), InteractionType.choices),
        choice("direction", _("Direction"), Direction.choices),
        choice("sentiment", _("Sentiment"), Sentiment.choices),
    )
    ordering = ("-date", "-pk")


@admin.register(Appointment)
class AppointmentAdmin(ActivityAdmin):
    serializer_class, new_serializer_class = AppointmentInput, with_customer(AppointmentInput)
    # The moment says what a day and a time would say again.
    form_options = ChildAdmin.form_options | _AGENT | {"without": {"date", "time"}}
    filterset_class = beneath(AppointmentFilterSet)
    add, change = for_customer(services.add_appointment), staticmethod(services.change_appointment)
    list_display = ("datetime", "title", "type", "status", "priority", "location", "agent")
    list_select_related = ("agent",)
    list_filter = (
        choice("status", _("Status"), AppointmentStatus.choices),
        choice("type", _("Type"), AppointmentType.choices),
        choice("priority", _("Priority"), Priority.choices),
    )
    ordering = ("-datetime", "-pk")


@admin.register(Reminder)
class ReminderAdmin(ActivityAdmin):
    serializer_class, new_serializer_class = ReminderInput, with_customer(ReminderInput)
    filterset_class = beneath(ReminderFilterSet)
    add, change = for_customer(services.add_reminder), staticmethod(services.change_reminder)
    list_display = ("datetime", "title", "type", "status", "priority", "created_by")
    list_filter = (
        choice("status", _("Status"), ReminderStatus.choices),
        choice("priority", _("Priority"), Priority.choices),
    )
    ordering = ("-datetime", "-pk")


# --- Beneath the customer ---------------------------------------------------------------------


class Interactions(HubInline):
    model, serializer_class, order = Interaction, InteractionInput, "-date"
    form_options = {"without": all_but(InteractionInput, "type", "direction", "date", "notes")}
    columns = ("date", "type", "direction", "notes", "agent_name")
    add = staticmethod(services.add_interaction)


class Appointments(HubInline):
    model, serializer_class, order = Appointment, AppointmentInput, "-datetime"
    form_options = {"without": all_but(AppointmentInput, "type", "datetime", "location", "notes")}
    columns = ("datetime", "title", "status", "location", "agent")
    list_select_related = ("agent",)
    add = staticmethod(services.add_appointment)


class Reminders(HubInline):
    model, serializer_class, order = Reminder, ReminderInput, "-datetime"
    form_options = {"without": all_but(ReminderInput, "title", "datetime", "priority")}
    columns = ("datetime", "title", "status", "priority", "created_by")
    add = staticmethod(services.add_reminder)


class Interests(HubInline):
    model, serializer_class, order = PropertyInterest, NewInterestInput, "-added_at"
    form_options = {"without": all_but(NewInterestInput, "propertyId", "propertyTitle", "status", "notes")}
    columns = ("property_title", "property_price", "status", "rating", "added_at")
    add = staticmethod(services.add_interest)


ACTIVITY = (Interactions, Appointments, Reminders, Interests)
