"""What people ask of whoever keeps their data, in the back office: their requests, their copy, and being forgotten."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _

from config.audit import record_read
from config.backoffice.admin import HubInline
from config.backoffice.bulk import Unasked, bulk_action
from config.backoffice.lists import choice, yes_or_no
from customers.admin.child import ChildAdmin, for_customer, with_customer
from customers.choices import RequestKind, RequestStatus
from customers.filters import PrivacyRequestFilterSet
from customers.models import Customer, PrivacyRequest
from customers.person import archive_of
from customers.serializers.privacy import PrivacyRequestInput
from customers.services import erasing
from customers.services import privacy as services

_LABELS = {"labels": {"identityVerified": _("I have made sure who is asking")}}


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ChildAdmin):
    """Requests of all people in the caller's scope, the one that is due first at the top. They are proof, and stay."""

    permission = write_permission = "customers.privacy"
    serializer_class, new_serializer_class = PrivacyRequestInput, with_customer(PrivacyRequestInput)
    form_options = ChildAdmin.form_options | _LABELS
    filterset_class = PrivacyRequestFilterSet
    add, change = for_customer(services.add_request), staticmethod(services.change_request)
    list_display = ("customer", "kind", "status", "received_at", "due_at", "extended_to", "identity_verified_by")
    list_select_related = ("customer",)
    list_filter = (
        choice("status", _("Status"), RequestStatus.choices),
        yes_or_no("overdue", _("Overdue")),
        choice("kind", _("Kind"), RequestKind.choices),
    )
    ordering = ("due_at", "pk")

    def get_queryset(self, request):
        return PrivacyRequest.objects.visible_to(request.user, deleted=None)

    def get_model_perms(self, request):
        return super(ChildAdmin, self).get_model_perms(request)

    def changelist_view(self, request, extra_context=None):
        return super(ChildAdmin, self).changelist_view(request, extra_context)


class PrivacyRequests(HubInline):
    permission = write_permission = "customers.privacy"
    model, serializer_class, order = PrivacyRequest, PrivacyRequestInput, "-received_at"
    form_options = _LABELS | {"without": {"extendedTo", "extensionReason", "status", "outcome"}}
    columns = ("received_at", "kind", "status", "due_at", "closed_at")
    add = staticmethod(services.add_request)


class EraseForm(forms.Form):
    confirm = forms.CharField(
        label=_("The customer's phone, to confirm"),
        help_text=_("Name, numbers, notes and files leave for good, here and in every copy. Nobody can undo this."),
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )

    def __init__(self, *args, request, **options):
        super().__init__(*args, **options)


@bulk_action(_("Copy of the person's data"), Unasked, permission="customers.export")
def copy_of_person(self, request, ids):
    """What the person may ask for, as a file."""
    customer = Customer.objects.visible_to(request.user, deleted=None).get(pk=ids[0])
    record_read(customer, actor=request.user)
    archive = archive_of(customer, request.user)
    archive.seek(0)
    return FileResponse(archive, as_attachment=True, filename=f"{customer.pk}.zip", content_type="application/zip")


@bulk_action(_("Erase the person…"), EraseForm, permission="customers.erase")
def erase(self, request, ids, confirm):
    customer = Customer.objects.visible_to(request.user, deleted=None).get(pk=ids[0])
    if confirm.strip() != customer.phone:
        raise ValidationError(_("This is not the phone of the customer"))
    erasing.erase_customer(customer, actor=request.user)
