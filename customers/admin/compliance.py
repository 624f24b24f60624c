"""What Saudi law asks of a deal, in the back office: a page for each of the ten parts, made from the table of them."""

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db.models import Value
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.backoffice.admin import badge, column, ltr
from customers.admin.child import ChildAdmin, for_customer, with_customer
from customers.compliance.parts import PARTS, api_name
from customers.compliance.standing import riyadh_day, standing_of
from customers.compliance.warnings import issues_of, shown
from customers.models import (
    BrokerageContract,
    BrokerageLicense,
    Customer,
    EjarContract,
    EscrowMilestone,
    HandoverDefect,
    MortgageInfo,
    Payment,
    RegistryInfo,
    SakaniEligibility,
    WafiLicense,
)
from customers.serializers.compliance import serializer_of
from customers.services import compliance as services

# What people call the columns, which are named as the API and the registers name them.
LABELS = {
    "amount": gettext_lazy("Amount"),
    "application_date": gettext_lazy("Applied on"),
    "application_number": gettext_lazy("Application number"),
    "approval_date": gettext_lazy("Approved on"),
    "approved_amount": gettext_lazy("Approved amount"),
    "approved_at": gettext_lazy("Approved at"),
    "approved_by": gettext_lazy("Approved by"),
    "approved_loan_amount": gettext_lazy("Approved loan"),
    "assigned_to": gettext_lazy("Assigned to"),
    "auto_renewal": gettext_lazy("Renews itself"),
    "bank_name": gettext_lazy("Bank"),
    "category": gettext_lazy("Category"),
    "certified_at": gettext_lazy("Certified at"),
    "certified_by": gettext_lazy("Certified by"),
    "commission_amount": gettext_lazy("Commission"),
    "commission_rate": gettext_lazy("Commission, in percent"),
    "completion_date": gettext_lazy("Completed on"),
    "contract_number": gettext_lazy("Contract number"),
    "created_in_ejar": gettext_lazy("Registered in Ejar"),
    "currently_owns_property": gettext_lazy("Owns a property now"),
    "deed_number": gettext_lazy("Number of the title deed"),
    "description": gettext_lazy("Description"),
    "developer_name": gettext_lazy("Developer"),
    "disbursement_date": gettext_lazy("Paid out on"),
    "documents": gettext_lazy("Documents (ids)"),
    "down_payment_paid": gettext_lazy("Down payment paid"),
    "down_payment_required": gettext_lazy("Down payment required"),
    "down_payment_support": gettext_lazy("Support of the down payment"),
    "due_date": gettext_lazy("Due on"),
    "ejar_contract_number": gettext_lazy("Ejar contract number"),
    "ejar_created_at": gettext_lazy("Registered in Ejar at"),
    "ejar_url": gettext_lazy("Page in Ejar"),
    "eligibility_checked_at": gettext_lazy("Checked at"),
    "eligibility_notes": gettext_lazy("Notes"),
    "end_date": gettext_lazy("Ends on"),
    "escrow_account": gettext_lazy("Escrow account"),
    "exclusivity_period": gettext_lazy("Days of exclusivity"),
    "expiry_date": gettext_lazy("Expires on"),
    "financing_type": gettext_lazy("Kind of financing"),
    "first_time_owner": gettext_lazy("First home"),
    "household_income": gettext_lazy("Income of the household a month"),
    "household_size": gettext_lazy("Persons in the household"),
    "interest_rate": gettext_lazy("Interest rate, in percent"),
    "interested_products": gettext_lazy("Products of interest"),
    "issued_by": gettext_lazy("Issued by"),
    "issued_date": gettext_lazy("Issued on"),
    "landlord_id": gettext_lazy("ID of the landlord"),
    "landlord_name": gettext_lazy("Landlord"),
    "license_number": gettext_lazy("Licence number"),
    "license_type": gettext_lazy("Kind of licence"),
    "loan_tenure": gettext_lazy("Years of the loan"),
    "milestone_number": gettext_lazy("Number of the milestone"),
    "monthly_payment": gettext_lazy("Instalment a month"),
    "monthly_rent": gettext_lazy("Rent a month"),
    "notes": gettext_lazy("Notes"),
    "paid_amount": gettext_lazy("Paid amount"),
    "paid_date": gettext_lazy("Paid on"),
    "payment_method": gettext_lazy("Paid by"),
    "payment_schedule": gettext_lazy("Rent is paid"),
    "percentage": gettext_lazy("Percentage"),
    "photos": gettext_lazy("Photos (ids or addresses)"),
    "pre_approved_amount": gettext_lazy("Amount approved beforehand"),
    "project_id": gettext_lazy("Project number"),
    "project_name": gettext_lazy("Project"),
    "property_id": gettext_lazy("Property number"),
    "property_title": gettext_lazy("Property"),
    "receipt_number": gettext_lazy("Receipt number"),
    "redf_amount": gettext_lazy("Support of the REDF"),
    "redf_support": gettext_lazy("Supported by the REDF"),
    "rega_contract_id": gettext_lazy("REGA contract number"),
    "registered_owner": gettext_lazy("Registered owner"),
    "registration_date": gettext_lazy("Registered on"),
    "registry_office": gettext_lazy("Registry office"),
    "release_approved": gettext_lazy("Release approved"),
    "release_date": gettext_lazy("Released on"),
    "release_requested": gettext_lazy("Release asked for"),
    "renewal_notification_sent": gettext_lazy("Told of the renewal"),
    "reported_at": gettext_lazy("Reported at"),
    "reported_by": gettext_lazy("Reported by"),
    "reserved_units": gettext_lazy("Reserved units"),
    "resolved_at": gettext_lazy("Resolved at"),
    "sakani_id": gettext_lazy("Sakani number"),
    "security_deposit": gettext_lazy("Deposit"),
    "severity": gettext_lazy("Severity"),
    "sold_units": gettext_lazy("Sold units"),
    "start_date": gettext_lazy("Begins on"),
    "status": gettext_lazy("Status"),
    "target_date": gettext_lazy("Target"),
    "target_resolution_date": gettext_lazy("To be resolved by"),
    "tenancy_type": gettext_lazy("Tenancy"),
    "tenant_name": gettext_lazy("Tenant"),
    "title": gettext_lazy("Title"),
    "title_en": gettext_lazy("English title"),
    "total_units": gettext_lazy("Units"),
    "type": gettext_lazy("Type"),
    "unit_id": gettext_lazy("Unit"),
    "verified_at": gettext_lazy("Verified at"),
}
# What a list shows of a part, its name first.
COLUMNS = {
    BrokerageLicense: ("license_number", "status", "license_type", "issued_date", "expiry_date"),
    BrokerageContract: ("contract_number", "type", "status", "commission_rate", "start_date", "end_date"),
    EjarContract: ("ejar_contract_number", "status", "tenancy_type", "monthly_rent", "start_date", "end_date"),
    WafiLicense: ("project_name", "license_number", "status", "developer_name", "sold_units", "total_units"),
    EscrowMilestone: ("title", "milestone_number", "status", "percentage", "amount", "target_date"),
    HandoverDefect: ("description", "category", "severity", "status", "target_resolution_date"),
    SakaniEligibility: ("sakani_id", "status", "eligibility_checked_at", "first_time_owner"),
    RegistryInfo: ("deed_number", "registered_owner", "registry_office", "registration_date"),
    MortgageInfo: ("bank_name", "status", "financing_type", "approved_amount", "monthly_payment"),
    Payment: ("description", "type", "amount", "due_date", "status", "paid_date"),
}
_NUMBERS = {"license_number", "contract_number", "ejar_contract_number", "sakani_id", "deed_number"}


class PartAdmin(ChildAdmin):
    """One of the parts; `part` says which."""

    part = None
    ordering = ("id",)
    sortable_by = ()

    def change(self, row, *, actor, values):
        if self.part.is_list:
            services.change_item(row, self.part, actor=actor, values=values)
        else:
            services.change_part(Customer(pk=row.customer_id), self.part, actor=actor, values=values)

    def remove(self, row, *, actor):
        if self.part.is_list:
            services.remove_item(row, self.part, actor=actor)
        else:
            services.remove_part(Customer(pk=row.customer_id), self.part, actor=actor)


def _add_to(part):
    def add_item(customer, *, actor, values):
        return part.model.objects.get(pk=services.add_item(customer, part, actor=actor, values=values))

    def add_object(customer, *, actor, values):
        rows = part.model.objects.filter(customer=customer)
        if rows.exists():
            raise ValidationError(_("The customer has this already; change what is there"))
        services.change_part(customer, part, actor=actor, values=values)
        row = rows.first()
        if row is None:
            raise ValidationError(_("Nothing is filled in"))
        return row

    return for_customer(add_item if part.is_list else add_object)


def _cell(model, name):
    """A column of a list: the status as of today, numbers from left to right."""
    label = LABELS[name]
    if name == "status":
        labels = dict(model._meta.get_field("status").flatchoices)
        return column(name, label, lambda row: labels.get(standing_of(row, riyadh_day())))
    if name in _NUMBERS:
        return column(name, label, lambda row: ltr(getattr(row, name)))
    words = dict(model._meta.get_field(name).flatchoices)
    return column(name, label, lambda row: words.get(getattr(row, name), getattr(row, name)))


def _register(part):
    shape = serializer_of(part)
    labels = {api_name(name): label for name, label in LABELS.items()}
    options = {**ChildAdmin.form_options, "without": {"id"}, "labels": labels}
    attributes = {
        "part": part,
        "permission": getattr(shape.Meta, "permission", ChildAdmin.permission),
        "serializer_class": shape,
        "new_serializer_class": with_customer(shape),
        "form_options": options,
        "add": _add_to(part),
        "list_display": [_cell(part.model, name) for name in COLUMNS[part.model]],
    }
    admin.site.register(part.model, type(f"{part.model.__name__}Admin", (PartAdmin,), attributes))


for _part in PARTS.values():
    _register(_part)


# --- Beneath the customer ---------------------------------------------------------------------


_SEVERITIES = {
    "info": gettext_lazy("Note"),
    "warning": gettext_lazy("Warning"),
    "critical": gettext_lazy("Critical"),
}


def compliance_today(request, customer):
    """The parts that a customer has, with a way to each, and what in them wants attention today."""
    parts = [part for part in PARTS.values() if admin.site.get_model_admin(part.model).has_view_permission(request)]
    keys = _keys_of(customer, parts)
    issues = shown(issues_of([customer])[customer.pk], request.user)
    context = {
        "issues": [(badge(issue["severity"], _SEVERITIES[issue["severity"]]), issue["message"]) for issue in issues],
        "parts": [_line_of(part, keys[part.name], customer) for part in parts],
    }
    return render_to_string("admin/hub/compliance.html", context, request=request)


def _keys_of(customer, parts):
    """`{name of the part: ids of its rows}` of a customer, by one statement."""
    first, *others = (
        part.model.objects.filter(customer=customer).annotate(part=Value(part.name)).values_list("part", "pk")
        for part in parts
    )
    keys = {part.name: [] for part in parts}
    for name, key in first.union(*others, all=True):
        keys[name].append(key)
    return keys


def _line_of(part, keys, customer):
    opts = part.model._meta
    route, beneath = f"admin:{opts.app_label}_{opts.model_name}", f"?customer={customer.pk}"
    url = reverse(f"{route}_changelist") + beneath
    if keys and not part.is_list:
        url = reverse(f"{route}_change", args=[quote(key) for key in keys])
    return {
        "name": capfirst(opts.verbose_name_plural if part.is_list else opts.verbose_name),
        "url": url if keys else None,
        "count": len(keys) if part.is_list else None,
        "add_url": reverse(f"{route}_add") + beneath if part.is_list or not keys else None,
    }
