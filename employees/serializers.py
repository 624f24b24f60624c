"""The shapes of employees, sessions and the caller's own profile."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.serializers import EmailField, PhoneField, TextField, WordField
from employees.choices import Role
from employees.models import Employee


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


class NewEmployeeInput(EmployeeInput):
    password = serializers.CharField(max_length=256, required=False, trim_whitespace=False)


class PasswordInput(serializers.Serializer):
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class DeactivateInput(serializers.Serializer):
    """Who takes over; without a successor everything becomes unassigned."""

    successorId = serializers.CharField(max_length=50, required=False, allow_null=True)


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
