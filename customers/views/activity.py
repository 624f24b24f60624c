"""What goes on with a customer: endpoints 24 to 27, with list, change and removal of each."""

from config.api.pagination import Sort
from customers.filters import AppointmentFilterSet, InteractionFilterSet, InterestFilterSet, ReminderFilterSet
from customers.models import Appointment, Interaction, PropertyInterest, Reminder
from customers.serializers.activity import (
    AppointmentInput,
    AppointmentSerializer,
    InteractionInput,
    InteractionSerializer,
    InterestInput,
    NewInterestInput,
    PropertyInterestSerializer,
    ReminderInput,
    ReminderSerializer,
)
from customers.services import activity as services
from customers.views.child import ChildViewSet


class InterestViewSet(ChildViewSet):
    resource, collection = "property", "properties"
    model, serializer_class, filterset_class = PropertyInterest, PropertyInterestSerializer, InterestFilterSet
    bodies = {"create": NewInterestInput, "update": InterestInput}
    sorts, default_sort = {"addedAt": Sort("added_at"), "propertyPrice": Sort("property_price", True)}, "addedAt"
    add, change = staticmethod(services.add_interest), staticmethod(services.change_interest)
    remove = staticmethod(services.remove)


class InteractionViewSet(ChildViewSet):
    resource, collection = "interaction", "interactions"
    model, serializer_class, filterset_class = Interaction, InteractionSerializer, InteractionFilterSet
    bodies = {"create": InteractionInput, "update": InteractionInput}
    sorts, default_sort = {"date": Sort("date")}, "date"
    add, change = staticmethod(services.add_interaction), staticmethod(services.change_interaction)
    remove = staticmethod(services.remove)


class AppointmentViewSet(ChildViewSet):
    resource, collection = "appointment", "appointments"
    model, serializer_class, filterset_class = Appointment, AppointmentSerializer, AppointmentFilterSet
    bodies = {"create": AppointmentInput, "update": AppointmentInput}
    sorts, default_sort = {"datetime": Sort("datetime"), "createdAt": Sort("created_at")}, "datetime"
    add, change = staticmethod(services.add_appointment), staticmethod(services.change_appointment)
    remove = staticmethod(services.remove)


class ReminderViewSet(ChildViewSet):
    resource, collection = "reminder", "reminders"
    model, serializer_class, filterset_class = Reminder, ReminderSerializer, ReminderFilterSet
    bodies = {"create": ReminderInput, "update": ReminderInput}
    sorts, default_sort = {"datetime": Sort("datetime"), "createdAt": Sort("created_at")}, "datetime"
    add, change = staticmethod(services.add_reminder), staticmethod(services.change_reminder)
    remove = staticmethod(services.remove)
