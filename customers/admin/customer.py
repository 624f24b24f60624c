"""The customer in the back office."""

from django import forms
from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.audit import record_disclosure
from config.backoffice.admin import HubAdmin, badge, ltr
from config.backoffice.bulk import Unasked, bulk_action
from config.backoffice.forms import with_present
from config.backoffice.lists import choice, yes_or_no
from customers import history
from customers.admin.activity import ACTIVITY
from customers.admin.compliance import compliance_today
from customers.admin.history import HISTORY
from customers.admin.lead_score import recompute_scores, score_today
from customers.admin.merge import MergePages, Merges, likely
from customers.admin.privacy import PrivacyRequests, copy_of_person, erase
from customers.admin.transfer import export_selected
from customers.choices import Priority, Source, Stage
from customers.filters import CustomerFilterSet
from customers.models import Customer
from customers.querying import UNASSIGNED
from customers.serializers.customer import CustomerChangeInput, NewCustomerInput
from customers.services import customer as services
from customers.services.bulk import bulk_update_customers
from customers.stats import total_of
from employees.models import Employee


def assignees(request, row=None):
    """Whom the caller may choose, by name, nobody first; and whose the customer is."""
    people = Employee.objects.visible_to(request.user).active().order_by("name")
    choices = [("", _("Nobody")), *people.values_list("pk", "name")]
    return with_present(choices, row.assigned_employee_id, row.assigned_employee) if row else choices


class AssignForm(forms.Form):
    employee = forms.ChoiceField(label=_("Assigned employee"), required=False)
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args, request, **options):
        super().__init__(*args, **options)
        self.fields["employee"].choices = assignees(request)


class StageForm(forms.Form):
    stage = forms.ChoiceField(label=_("Stage"), choices=Stage.choices)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=services.MAX_REASON)
    override_reason = forms.CharField(
        label=_("Reason to pass the gates"),
        required=False,
        max_length=services.MAX_REASON,
        help_text=_("Where the law's requirements are not met yet"),
    )

    def __init__(self, *args, request, **options):
        super().__init__(*args, **options)
        if not request.user.may("gates.override"):
            del self.fields["override_reason"]


class PriorityForm(forms.Form):
    priority = forms.ChoiceField(label=_("Priority"), choices=Priority.choices)

    def __init__(self, *args, request, **options):
        super().__init__(*args, **options)


def _with_nobody(request):
    return [(UNASSIGNED, _("Nobody")), *assignees(request)[1:]]


def _without(fields, hidden):
    return tuple(field for field in fields if field not in hidden)


def _create(actor, values):
    first_action = not values.pop("skipFirstAction", False)
    reason = values.pop("override_reason", "")
    return services.create_customer(actor=actor, values=values, first_action=first_action, override_reason=reason)


def _update(customer, actor, values):
    reason = values.pop("override_reason", "")
    return services.update_customer(customer, actor=actor, values=values, override_reason=reason)


@admin.register(Customer)
class CustomerAdmin(MergePages, HubAdmin):
    permission, write_permission, delete_permission = "customers.read", "customers.write", "customers.delete"
    serializer_class, new_serializer_class = CustomerChangeInput, NewCustomerInput
    form_options = {
        "without": {"ksaCompliance", "sourceDetails", "latitude", "longitude"},
        "choices": {"assignedEmployeeId": assignees},
        "labels": {
            "skipFirstAction": _("Open no first action"),
            "overrideReason": _("Reason to pass the gates"),
            "preferences.propertyType": _("Property types"),
            "preferences.budgetMin": _("Budget from"),
            "preferences.budgetMax": _("Budget to"),
            "preferences.preferredAreas": _("Preferred districts"),
            "preferences.preferredCities": _("Preferred cities"),
            "preferences.bedrooms": _("Bedrooms"),
            "preferences.bathrooms": _("Bathrooms"),
            "preferences.minArea": _("Area from (m²)"),
            "preferences.maxArea": _("Area to (m²)"),
            "preferences.purpose": _("Purpose"),
            "preferences.timeline": _("Time frame"),
            "preferences.amenities": _("Amenities"),
            "preferences.floorPreference": _("Floor"),
            "preferences.furnishing": _("Furnishing"),
            "preferences.notes": _("Notes on the preferences"),
        },
    }
    filterset_class = CustomerFilterSet
    in_menu = True
    add, change = staticmethod(_create), staticmethod(_update)
    remove = staticmethod(services.delete_customer)

    list_display = (
        "full_name",
        "phone_ltr",
        "stage_name",
        "priority_badge",
        "lead_score",
        "assignee",
        "last_contact",
        "next_follow_up",
    )
    list_select_related = ("assigned_employee",)
    list_filter = (
        choice("stage", _("Stage"), Stage.choices),
        choice("priority", _("Priority"), Priority.choices),
        choice("assignedEmployeeId", _("Assigned employee"), _with_nobody),
        choice(
            "leadScoreMin", _("Lead score"), [(80, _("80 and more")), (60, _("60 and more")), (40, _("40 and more"))]
        ),
        choice("source", _("Source"), Source.choices),
        yes_or_no("doNotContact", _("Must not be contacted")),
        choice("deleted", _("Deleted customers"), [("only", _("Only deleted ones"))]),
    )
    ordering = ("-created_at", "-pk")
    search_fields = ("name", "phone")
    search_help_text = _("Name in Arabic or English, phone or e-mail")
    sortable_by = ("full_name", "stage_name", "priority_badge", "lead_score", "last_contact")
    fieldsets = (
        (None, {"fields": (("name", "nameEn"), ("phone", "whatsapp"), ("email", "nationalId"))}),
        (
            _("Where it stands"),
            {
                "fields": (
                    ("stage", "priority"),
                    "overrideReason",
                    ("assignedEmployeeId", "nextFollowUpDate"),
                    "doNotContact",
                    ("score", "last_contact_at"),
                )
            },
        ),
        (
            _("Preferences"),
            {
                "fields": (
                    ("preferences.propertyType", "preferences.purpose"),
                    ("preferences.budgetMin", "preferences.budgetMax"),
                    ("preferences.preferredCities", "preferences.preferredAreas"),
                    ("preferences.bedrooms", "preferences.bathrooms"),
                    ("preferences.minArea", "preferences.maxArea"),
                    ("preferences.timeline", "preferences.furnishing"),
                    ("preferences.floorPreference", "preferences.amenities"),
                    "preferences.notes",
                )
            },
        ),
        (_("Deal"), {"fields": (("totalDealValue", "expectedRevenue"), "paidAmount")}),
        (_("Address"), {"fields": (("city", "district"), "address"), "classes": ("collapse",)}),
        (
            _("About the person"),
            {
                "fields": (
                    ("gender", "dateOfBirth"),
                    ("nationality", "occupation"),
                    ("familySize", "customerType"),
                    "source",
                ),
                "classes": ("collapse",),
            },
        ),
        (_("Notes and tags"), {"fields": ("tags", "notes")}),
    )
    # Of one that was deleted or erased.
    shown = ("name", "phone", "stage", "priority", "assigned_employee", "created_at", "deleted_at", "erased_at")
    readonly_fields = ("score", "last_contact_at")
    inlines = (*ACTIVITY, PrivacyRequests, *HISTORY, Merges)
    panels = (score_today, likely, compliance_today)

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        hidden = set() if request.user.may("gates.override") else {"overrideReason"}
        return [(title, options | {"fields": _without(options["fields"], hidden)}) for title, options in fieldsets]

    # --- Deleted ones: found by a filter, looked at, and brought back ---------------------------

    def get_queryset(self, request):
        return Customer.objects.visible_to(request.user, deleted=self._shows_deleted(request))

    def get_actions(self, request):
        """None upon deleted ones: their only ways, back and away, are on their own pages."""
        return {} if self._shows_deleted(request) else super().get_actions(request)

    def changelist_view(self, request, extra_context=None):
        context = {"can_export": not self._shows_deleted(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def _shows_deleted(self, request):
        return request.GET.get("deleted") == "only" and self._may(request, "customers.delete")

    def get_object(self, request, object_id, from_field=None):
        deleted = None if self._may(request, "customers.delete") else False
        return Customer.objects.visible_to(request.user, deleted=deleted).filter(pk=object_id).first()

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj and obj.national_id:
            record_disclosure(Customer, [obj.pk], actor=request.user)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and (obj.deleted_at or obj.erased_at))

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (obj and obj.deleted_at)

    def buttons_of(self, row):
        if row.erased_at:
            return ()
        if row.deleted_at:
            return ("restore", "copy_of_person", "erase")
        return ("assign", "change_stage", "recompute_scores", "copy_of_person", "erase")

    @bulk_action(_("Restore"), Unasked, permission="customers.delete")
    def restore(self, request, ids):
        for customer in Customer.objects.visible_to(request.user, deleted=True).filter(pk__in=ids):
            services.restore_customer(customer, actor=request.user)

    copy_of_person, erase, recompute_scores = copy_of_person, erase, recompute_scores

    def history_of(self, row, viewer):
        return history.history_of(row, viewer)

    def known_total(self, request, filterset):
        return total_of(request.user, filterset)

    def scope_is_small(self, request):
        return False

    @admin.display(description=_("name"), ordering="name_folded")
    def full_name(self, customer):
        return customer.name

    @admin.display(description=_("lead score"))
    def score(self, customer):
        score = customer.lead_score
        return score if customer._state.adding else format_html('<a href="#score">{}</a>', score)

    @admin.display(description=_("phone"))
    def phone_ltr(self, customer):
        return ltr(customer.phone)

    @admin.display(description=_("stage"), ordering="stage_rank")
    def stage_name(self, customer):
        return customer.get_stage_display()

    @admin.display(description=_("priority"), ordering="priority_rank")
    def priority_badge(self, customer):
        return badge(customer.priority, customer.get_priority_display())

    @admin.display(description=_("assigned employee"))
    def assignee(self, customer):
        return customer.assigned_employee

    @admin.display(description=_("last contact"), ordering="last_contact_at")
    def last_contact(self, customer):
        return customer.last_contact_at

    @admin.display(description=_("next follow-up"))
    def next_follow_up(self, customer):
        return customer.next_follow_up_date

    @bulk_action(_("Assign to…"), AssignForm, permission="customers.assign")
    def assign(self, request, ids, employee, notes):
        return bulk_update_customers(
            ids, actor=request.user, values={"assigned_employee_id": employee or None}, notes=notes
        )

    @bulk_action(_("Change stage…"), StageForm, permission="customers.write")
    def change_stage(self, request, ids, stage, **texts):
        return bulk_update_customers(ids, actor=request.user, values={"stage": stage}, **texts)

    @bulk_action(_("Change priority…"), PriorityForm, permission="customers.write")
    def change_priority(self, request, ids, priority):
        return bulk_update_customers(ids, actor=request.user, values={"priority": priority})

    actions = ("assign", "change_stage", "change_priority", "recompute_scores", export_selected)
