"""What is written down about customers and never changed: consents, stages, hand-overs, statuses."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.backoffice.admin import HubInline, column
from config.backoffice.lists import choice
from customers.admin.child import ChildAdmin, beneath, for_customer, with_customer
from customers.choices import ConsentChannel, ConsentPurpose
from customers.filters import ConsentFilterSet
from customers.models import Assignment, Consent, StageChange, StatusChange
from customers.serializers.consent import ConsentInput
from customers.services import consent as services

_FROM, _TO = _("from"), _("to")
_TITLES = {"properties": _("property interest"), "appointments": _("appointment")}


@admin.register(Consent)
class ConsentAdmin(ChildAdmin):
    """Consents are only added: one that is withdrawn is followed by another that says so."""

    new_serializer_class = with_customer(ConsentInput)
    form_options = ChildAdmin.form_options | {"labels": {"status": _("Answer")}}
    filterset_class = beneath(ConsentFilterSet)
    add = for_customer(services.add_consent)
    list_display = shown = ("given_at", "purpose", "channel", "granted", "evidence", "recorded_by")
    list_filter = (
        choice("purpose", _("Purpose"), ConsentPurpose.choices),
        choice("channel", _("Channel"), ConsentChannel.choices),
    )
    ordering = ("-given_at", "-pk")


@admin.register(StageChange)
class StageChangeAdmin(ChildAdmin):
    list_display = ("changed_at", "from_stage", "to_stage", "changed_by", "reason", "notes")
    shown = ("customer", *list_display)
    ordering = ("-changed_at", "-pk")


@admin.register(Assignment)
class AssignmentAdmin(ChildAdmin):
    list_display = (
        column("assigned_at", _("when")),
        column("from_employee", _FROM),
        column("to_employee", _TO),
        column("assigned_by", _("assigned by")),
        column("notes", _("notes")),
    )
    sortable_by = ()
    shown = ("customer", *list_display)
    list_select_related = ("from_employee", "to_employee")
    ordering = ("-assigned_at", "-pk")


def _word(name):
    """The status of a property interest or an appointment by its label."""

    def show(change):
        model = next(r.related_model for r in change.customer._meta.related_objects if r.name == change.collection)
        word = getattr(change, name)
        return dict(model._meta.get_field("status").flatchoices).get(word, word)

    return show


@admin.register(StatusChange)
class StatusChangeAdmin(ChildAdmin):
    list_display = (
        column("recorded_at", _("when")),
        column("collection", _("of what"), lambda change: _TITLES.get(change.collection, change.collection)),
        column("from_status", _FROM, _word("from_status")),
        column("to_status", _TO, _word("to_status")),
        column("changed_by", _("changed by")),
    )
    sortable_by = ()
    shown = ("customer", *list_display)
    list_select_related = ("customer",)
    ordering = ("-recorded_at", "-pk")


class StageHistory(HubInline):
    model, order = StageChange, "-changed_at"
    columns = ("changed_at", "from_stage", "to_stage", "changed_by", "reason")


class Assignments(HubInline):
    model, order = Assignment, "-assigned_at"
    columns, list_select_related = AssignmentAdmin.list_display, AssignmentAdmin.list_select_related


class Consents(HubInline):
    model, serializer_class, order = Consent, ConsentInput, "-given_at"
    form_options = {"labels": {"status": _("Answer")}}
    columns = ConsentAdmin.list_display
    add = staticmethod(services.add_consent)


HISTORY = (Consents, StageHistory, Assignments)
