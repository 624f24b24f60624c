"""The people of the back office: employees, teams, the organization and who is signed in."""

import django.contrib.auth.admin  # noqa: F401
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.serializers import TextField, WordField, optional
from config.backoffice.admin import HubAdmin, column, ltr
from config.backoffice.bulk import Unasked, bulk_action
from config.backoffice.forms import with_present
from config.backoffice.lists import choice, yes_or_no
from config.backoffice.middleware import ORGANIZATION
from employees import services
from employees.choices import GateMode, GateRule, Role
from employees.filters import EmployeeFilterSet
from employees.models import Employee, Organization, Session, Team
from employees.serializers import EmployeeChangesInput, NewEmployeeInput, OrganizationInput, TeamInput

# Rights come from roles: nothing goes by groups.
admin.site.unregister(Group)

_EMAIL = column("email", _("email"), lambda person: ltr(person.email))
_PHONE = column("phone", _("phone"), lambda person: ltr(person.phone))


def teams(request, row=None):
    """The teams that the caller sees, by name; and that of the employee."""
    choices = [("", "---------"), *Team.objects.visible_to(request.user).order_by("name").values_list("pk", "name")]
    return with_present(choices, row.team_id, row.team) if row else choices


def successors(request):
    """Who may take over from somebody who leaves, nobody first."""
    people = Employee.objects.visible_to(request.user).active().order_by("name")
    return [("", _("Nobody")), *people.values_list("pk", "name")]


class NewPasswordForm(Unasked):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=services.MAX_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "dir": "ltr"}),
        help_text=_("All sessions of the employee end"),
    )


class LeaveForm(Unasked):
    successor = forms.ChoiceField(
        label=_("Who takes over"),
        required=False,
        help_text=_("Customers, open actions and coming appointments; without a successor they belong to nobody"),
    )

    def __init__(self, *args, request, **options):
        super().__init__(*args, request=request, **options)
        self.fields["successor"].choices = successors(request)


def _hire(*, actor, values):
    return services.create_employee(actor, organization=actor.organization, **values)


def _change(employee, *, actor, values):
    return services.update_employee(employee, actor=actor, **values)


@admin.register(Employee)
class EmployeeAdmin(HubAdmin):
    permission, write_permission = "employees.read", "employees.write"
    serializer_class, new_serializer_class = EmployeeChangesInput, NewEmployeeInput
    form_options = {
        "without": {"isActive", "avatar"},
        "choices": {"teamId": teams},
    }
    filterset_class = EmployeeFilterSet
    add, change = staticmethod(_hire), staticmethod(_change)

    list_display = ("name", _EMAIL, _PHONE, "role", "job_title", "team", "is_active")
    list_select_related = ("team",)
    list_filter = (choice("role", _("Role"), Role.choices), yes_or_no("isActive", _("Active")))
    ordering = ("name", "pk")
    sortable_by = ("name",)
    readonly_fields = ("is_active", "last_login")
    shown = (
        ("name", "name_en"),
        (_EMAIL, _PHONE),
        ("role", "job_title"),
        ("team", "is_active"),
        ("fal_license_number", "fal_license_expiry"),
    )
    actions = ()
    buttons = ("set_password", "deactivate", "activate")

    def get_fieldsets(self, request, obj=None):
        if self._is_only_shown(request, obj):
            return super().get_fieldsets(request, obj)
        fields = (
            ("name", "nameEn"),
            ("email", "phone", "whatsapp"),
            ("roleKey", "teamId"),
            "role",
            ("falLicenseNumber", "falLicenseExpiry"),
        )
        return [(None, {"fields": (*fields, "is_active") if obj else (*fields, "password")})]

    def get_form(self, request, obj=None, change=False, **options):
        form = super().get_form(request, obj, change=change, **options)
        if "password" in form.base_fields:
            form.base_fields["password"].widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return form

    @bulk_action(_("Set a password…"), NewPasswordForm, permission="employees.write")
    def set_password(self, request, ids, password):
        for employee in self._chosen(request, ids):
            services.set_password(employee, password, actor=request.user)

    @bulk_action(_("Deactivate…"), LeaveForm, permission="employees.write")
    def deactivate(self, request, ids, successor):
        for employee in self._chosen(request, ids):
            services.deactivate_employee(employee, actor=request.user, successor_id=successor or None)

    @bulk_action(_("Activate…"), Unasked, permission="employees.write")
    def activate(self, request, ids):
        for employee in self._chosen(request, ids):
            services.activate_employee(employee, actor=request.user)

    def _chosen(self, request, ids):
        return self.get_queryset(request).filter(pk__in=ids).order_by("pk")


@admin.register(Team)
class TeamAdmin(HubAdmin):
    permission, write_permission = "employees.read", "employees.write"
    serializer_class = TeamInput
    add, change = staticmethod(services.create_team), staticmethod(services.update_team)
    remove = staticmethod(services.remove_team)
    list_display = ("name", "name_en", "is_default")
    shown = ("name", "name_en", "is_default")
    ordering = ("name", "pk")


_RULES = {rule.value: optional(WordField, GateMode.choices) for rule in GateRule}
GateRulesInput = type("GateRulesInput", (serializers.Serializer,), _RULES)


class SettingsInput(OrganizationInput):
    """The settings as a form has them: one field for each rule of the gates."""

    gateRules = GateRulesInput(source="gate_rules", required=False)


class NewOrganizationInput(serializers.Serializer):
    """A new brokerage: the rest is set when somebody works in it."""

    name = TextField(max_length=255, name_like=True)
    nameEn = TextField(source="name_en", max_length=255, name_like=True, required=False)


def _found(*, actor, values):
    return services.create_organization(**values)


def _set(organization, *, actor, values):
    if "gate_rules" in values:
        rules = organization.gate_rules | values["gate_rules"]
        values["gate_rules"] = {rule: mode for rule, mode in rules.items() if mode}
    return services.update_organization(organization, actor=actor, values=values)


@admin.register(Organization)
class OrganizationAdmin(HubAdmin):
    """Admins have their own; superusers all of them, and a way to work in each."""

    permission, write_permission = "employees.read", "settings.write"
    serializer_class, new_serializer_class = SettingsInput, NewOrganizationInput
    form_options = {"labels": {f"gateRules.{rule.value}": rule.label for rule in GateRule}}
    add, change = staticmethod(_found), staticmethod(_set)
    list_display = ("name", "name_en", "time_zone", "gate_preset", column("created_at", _("since")))
    shown = (
        ("name", "name_en"),
        ("work_starts", "work_ends"),
        ("fal_license_number", "fal_license_expiry"),
        ("agents_may_claim", "opens_first_action"),
    )
    ordering = ("name", "pk")
    sortable_by = ("name",)
    actions = ()
    buttons = ("work_here",)

    def get_queryset(self, request):
        return Organization.objects.all() if request.user.is_superuser else super().get_queryset(request)

    def has_add_permission(self, request):
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request, obj=None):
        return super().has_view_permission(request, obj) or self.has_add_permission(request)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) or self.has_add_permission(request)

    def get_fieldsets(self, request, obj=None):
        if obj is None or self._is_only_shown(request, obj):
            return super().get_fieldsets(request, obj)
        rules = [f"gateRules.{rule.value}" for rule in GateRule]
        return [
            (None, {"fields": (("name", "nameEn"), ("falLicenseNumber", "falLicenseExpiry"), "commissionRate")}),
            (_("Calendar"), {"fields": (("timeZone", "weekend"), ("workStarts", "workEnds"), "holidays")}),
            (_("Customers"), {"fields": (("agentsMayClaim", "opensFirstAction"), ("idCopies", "idCopyDays"))}),
            (_("Compliance"), {"fields": ("gatePreset",)}),
            (_("Compliance gates that differ from the preset"), {"fields": rules, "classes": ("collapse",)}),
        ]

    @bulk_action(_("Work in this organization…"), Unasked, permission="employees.read")
    def work_here(self, request, ids):
        (request.session[ORGANIZATION],) = ids

    def button_view(self, request, object_id, name):
        if not request.user.is_superuser:
            return redirect("admin:index")
        return super().button_view(request, object_id, name)

    def render_change_form(self, request, context, *rest, **options):
        answer = super().render_change_form(request, context, *rest, **options)
        if not request.user.is_superuser:
            answer.context_data["buttons"] = []
        return answer


@admin.register(Session)
class SessionAdmin(HubAdmin):
    """Who is signed in through the API, and a way to end that."""

    permission = "employees.write"
    list_display = (
        column("employee", _("employee")),
        column("created_at", _("signed in")),
        column("refreshed_at", _("last refreshed")),
        column("expires_at", _("expires")),
        column("ended_at", _("ended")),
    )
    shown = list_display
    sortable_by = ()
    list_select_related = ("employee",)
    ordering = ("-pk",)
    actions = buttons = ("end",)

    def get_queryset(self, request):
        return Session.objects.filter(employee__in=Employee.objects.visible_to(request.user))

    @bulk_action(_("End session…"), Unasked, permission="employees.write")
    def end(self, request, ids):
        services.end_sessions(self.get_queryset(request).filter(pk__in=ids))
