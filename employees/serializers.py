"""The shapes of employees, sessions, the caller's own profile and the organization."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty

from config.api.query import one_of
from config.api.serializers import (
    DayField,
    EmailField,
    NumberText,
    PercentField,
    PhoneField,
    TextField,
    WholeNumberField,
    WordField,
)
from config.arabic import ascii_digits
from employees.choices import GateMode, GatePreset, GateRule, IdCopies, Role
from employees.models import Employee, Organization

# Shorter days would have moments of work lie years back.
LEAST_WORKDAY = timedelta(hours=1)


class EmployeeSummarySerializer(serializers.Serializer):
    """An employee as other objects carry them. `role` is the job title, `roleKey` what they may do."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en", required=False)
    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)
    whatsapp = serializers.CharField(required=False)
    role = serializers.CharField(source="job_title", required=False)
    roleKey = serializers.ChoiceField(Role.choices, source="role")
    avatar = serializers.CharField(required=False)
    isActive = serializers.BooleanField(source="is_active")

    class Meta:
        model = Employee


class EmployeeSerializer(EmployeeSummarySerializer):
    """An employee in the list and on their own."""

    teamId = serializers.CharField(source="team", required=False)
    falLicenseNumber = serializers.CharField(source="fal_license_number", required=False)
    falLicenseExpiry = serializers.DateField(source="fal_license_expiry", required=False)

    class Meta:
        model = Employee


class WorkloadSerializer(serializers.Serializer):
    """How much an employee has to do."""

    assignedCustomers = serializers.IntegerField()
    pendingActions = serializers.IntegerField()
    completedThisMonth = serializers.IntegerField()
    avgResponseTime = serializers.FloatField(required=False, help_text="Hours")


class EmployeeWithStatsSerializer(EmployeeSerializer):
    """`stats` comes with `includeStats=true`."""

    stats = WorkloadSerializer(required=False)

    class Meta:
        model = Employee


class FalNumber(NumberText):
    """The number of a FAL licence; null means none, as empty does."""

    def run_validation(self, data=empty):
        return super().run_validation(data) or ""


class EmployeeInput(serializers.Serializer):
    """What an admin may write about an employee."""

    name = TextField(max_length=255, name_like=True)
    nameEn = TextField(source="name_en", max_length=255, name_like=True, required=False)
    email = EmailField(max_length=255)
    phone = PhoneField(required=False, allow_blank=True)
    whatsapp = PhoneField(required=False, allow_blank=True, mobile_only=True)
    roleKey = WordField(Role.choices, source="role", required=False)
    role = TextField(source="job_title", max_length=255, name_like=True, required=False)
    avatar = serializers.URLField(max_length=500, required=False, allow_blank=True)
    teamId = serializers.CharField(source="team_id", max_length=50, required=False, allow_null=True)
    falLicenseNumber = FalNumber(source="fal_license_number")
    falLicenseExpiry = DayField(source="fal_license_expiry", required=False, allow_null=True)


class EmployeeChangesInput(EmployeeInput):
    """The same of somebody who is there already; who may sign in, and how, is said elsewhere."""

    isActive = serializers.BooleanField(source="is_active", required=False, help_text="As it is: see (de)activate")
    password = serializers.CharField(required=False, help_text="Refused: see password")

    def validate_isActive(self, is_active):
        if is_active != self.instance.is_active:
            raise _elsewhere("activate" if is_active else "deactivate")
        return is_active

    def validate_password(self, password):
        raise _elsewhere("password")


def _elsewhere(word):
    path = f"POST /employees/{{id}}/{word}"
    return serializers.ValidationError(_("Cannot be changed here: use %(path)s") % {"path": path})


class NewEmployeeInput(EmployeeInput):
    password = serializers.CharField(max_length=256, required=False, trim_whitespace=False)


class PasswordInput(serializers.Serializer):
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class DeactivateInput(serializers.Serializer):
    """Who takes over; without a successor everything becomes unassigned."""

    successorId = serializers.CharField(max_length=50, required=False, allow_null=True)


class TeamInput(serializers.Serializer):
    """What an admin may write about a team."""

    name = TextField(max_length=255, name_like=True)
    nameEn = TextField(source="name_en", max_length=255, name_like=True, required=False)


class SignInInput(serializers.Serializer):
    email = serializers.CharField(max_length=255, error_messages={"required": _("Email is required")})
    password = serializers.CharField(max_length=4096, trim_whitespace=False)


class RefreshInput(serializers.Serializer):
    refreshToken = serializers.CharField(max_length=4096)


class LogoutInput(serializers.Serializer):
    refreshToken = serializers.CharField(max_length=4096, required=False)


class ProfileSerializer(EmployeeSerializer):
    """The caller: who they are, where they belong, what they may do."""

    organizationId = serializers.CharField(source="organization")
    organizationName = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Employee


class SignedInSerializer(serializers.Serializer):
    token = serializers.CharField()
    refreshToken = serializers.CharField()
    expiresIn = serializers.IntegerField(help_text="Seconds until the access token expires")
    user = ProfileSerializer()


class ClientUserSerializer(serializers.Serializer):
    """The user as the client's older sign-in expects it."""

    id = serializers.CharField()
    email = serializers.CharField()
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    onboarding_completed = serializers.BooleanField()
    role = serializers.CharField()
    account_type = serializers.CharField()
    tenant_id = serializers.CharField()
    company_name = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class ClientSignedInSerializer(serializers.Serializer):
    user = ClientUserSerializer()
    token = serializers.CharField()


# --- The organization -----------------------------------------------------------------------


class OrganizationSerializer(serializers.Serializer):
    """The brokerage and how it works."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en", required=False)
    timeZone = serializers.CharField(source="time_zone")
    weekend = serializers.ListField(child=serializers.IntegerField(), help_text="ISO weekdays, Monday is 1")
    holidays = serializers.ListField(child=serializers.DateField())
    workStarts = serializers.TimeField(source="work_starts")
    workEnds = serializers.TimeField(source="work_ends")
    agentsMayClaim = serializers.BooleanField(source="agents_may_claim")
    opensFirstAction = serializers.BooleanField(source="opens_first_action")
    commissionRate = serializers.FloatField(source="commission_rate", help_text="Percent")
    falLicenseNumber = serializers.CharField(source="fal_license_number", required=False)
    falLicenseExpiry = serializers.DateField(source="fal_license_expiry", required=False)
    gatePreset = serializers.ChoiceField(GatePreset.choices, source="gate_preset")
    gateRules = serializers.DictField(source="gate_rules")
    idCopies = serializers.ChoiceField(IdCopies.choices, source="id_copies")
    idCopyDays = serializers.IntegerField(source="id_copy_days", required=False)
    deletedDays = serializers.IntegerField(source="deleted_days", required=False)

    class Meta:
        model = Organization


# Without that of this machine: PostgreSQL, which reckons in them too, knows it by no such name.
TIME_ZONES = available_timezones() - {"localtime"}


class GateRulesField(serializers.DictField):
    """What single rules do, where that differs from the preset: `{RULE: off|warn|enforce}`; it replaces what was."""

    child = WordField(GateMode.choices)

    def to_internal_value(self, data):
        unknown = [name for name in data if name not in GateRule.values] if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError(one_of(GateRule.values))
        return super().to_internal_value(data)


class TimeZoneField(serializers.CharField):
    """The name of a time zone, such as Asia/Riyadh."""

    def to_internal_value(self, data):
        name = super().to_internal_value(data)
        if name not in TIME_ZONES:
            raise serializers.ValidationError(_("There is no such time zone"))
        return name


class LocalTimeField(serializers.TimeField):
    """A time of day in the organization's zone, and so without an offset, which would be dropped in silence."""

    def to_internal_value(self, data):
        if not isinstance(data, str) or not re.fullmatch("[0-9:.]+", text := ascii_digits(data).strip()):
            self.fail("invalid", format="hh:mm[:ss[.uuuuuu]]")
        return super().to_internal_value(text)


class OrganizationInput(serializers.Serializer):
    """What an admin may set."""

    name = TextField(max_length=255, name_like=True)
    nameEn = TextField(source="name_en", max_length=255, name_like=True, required=False)
    timeZone = TimeZoneField(source="time_zone", max_length=50)
    weekend = serializers.ListField(child=WholeNumberField(min_value=1, max_value=7), max_length=6)
    holidays = serializers.ListField(child=DayField(), max_length=366)
    workStarts = LocalTimeField(source="work_starts")
    workEnds = LocalTimeField(source="work_ends")
    agentsMayClaim = serializers.BooleanField(source="agents_may_claim")
    opensFirstAction = serializers.BooleanField(source="opens_first_action")
    commissionRate = PercentField(source="commission_rate", decimal_places=2)
    falLicenseNumber = FalNumber(source="fal_license_number")
    falLicenseExpiry = DayField(source="fal_license_expiry", allow_null=True)
    gatePreset = WordField(GatePreset.choices, source="gate_preset")
    gateRules = GateRulesField(source="gate_rules")
    idCopies = WordField(IdCopies.choices, source="id_copies")
    idCopyDays = WholeNumberField(source="id_copy_days", min_value=1, max_value=36_500, allow_null=True)
    deletedDays = WholeNumberField(source="deleted_days", min_value=1, max_value=36_500, allow_null=True)

    def validate(self, values):
        starts = values.get("work_starts", self.instance.work_starts)
        ends = values.get("work_ends", self.instance.work_ends)
        if datetime.combine(date.min, ends) - datetime.combine(date.min, starts) < LEAST_WORKDAY:
            message = _("Must be an hour after %(other)s, or later") % {"other": "workStarts"}
            raise serializers.ValidationError({"workEnds": message})
        for name in ("weekend", "holidays"):
            if name in values:
                values[name] = sorted(set(values[name]))
        return values
