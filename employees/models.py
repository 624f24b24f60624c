"""Organization, team, employee and session: the tenant and the people in it."""

from copy import copy
from datetime import time
from decimal import Decimal

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField, VersionedModel
from employees.choices import GatePreset, IdCopies, Role
from employees.querysets import EmployeeQuerySet, OrganizationQuerySet, TeamQuerySet
from employees.roles import BULK_LIMITS, PERMISSIONS, RATES

FRIDAY, SATURDAY = 5, 6


def gulf_weekend():
    return [FRIDAY, SATURDAY]


class Organization(VersionedModel):
    """One brokerage: the tenant that every other row belongs to."""

    id = PrefixedIDField("org")
    name = models.CharField(_("name"), max_length=255)
    name_en = models.CharField(_("English name"), max_length=255, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=50, default="Asia/Riyadh")
    weekend = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name=_("weekend"),
        default=gulf_weekend,
        help_text=_("ISO weekdays, Monday is 1"),
    )
    holidays = ArrayField(models.DateField(), verbose_name=_("holidays"), default=list, blank=True)
    work_starts = models.TimeField(_("work starts"), default=time(9))
    work_ends = models.TimeField(_("work ends"), default=time(17))
    agents_may_claim = models.BooleanField(_("agents may claim unassigned customers"), default=True)
    opens_first_action = models.BooleanField(_("new customers open their first action"), default=True)
    # Two and a half percent are customary in Saudi Arabia.
    commission_rate = models.DecimalField(
        _("commission, in percent"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("2.5"),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    fal_license_number = models.CharField(_("FAL licence number"), max_length=50, blank=True)
    fal_license_expiry = models.DateField(_("FAL licence expires"), null=True, blank=True)
    # What a preset means, and the words that `gate_rules` gives to single rules of it: customers.gates.
    gate_preset = models.CharField(
        _("compliance gates"), max_length=20, choices=GatePreset, default=GatePreset.STANDARD
    )
    gate_rules = models.JSONField(_("compliance gates that differ from the preset"), default=dict, blank=True)
    id_copies = models.CharField(_("copies of ID documents"), max_length=10, choices=IdCopies, default=IdCopies.WARN)
    id_copy_days = models.PositiveIntegerField(
        _("days to keep copies of ID documents"), null=True, blank=True, help_text=_("Empty keeps them")
    )

    deleted_days = models.PositiveIntegerField(
        _("days to keep deleted customers"), null=True, blank=True, help_text=_("Empty keeps them")
    )

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        db_table = "organizations"
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")

    def __str__(self):
        return self.name


class Team(VersionedModel):
    """Employees who are led together; a manager sees the customers of one team."""

    id = PrefixedIDField("team")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="teams", verbose_name=_("organization"))
    name = models.CharField(_("name"), max_length=255)
    name_en = models.CharField(_("English name"), max_length=255, blank=True)
    is_default = models.BooleanField(_("default team"), default=False)

    objects = TeamQuerySet.as_manager()

    class Meta:
        db_table = "teams"
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_default=True), name="one_default_team"
            ),
            models.UniqueConstraint(fields=["organization", "name"], name="team_name_unique"),
        ]

    def __str__(self):
        return self.name


class EmployeeManager(BaseUserManager.from_queryset(EmployeeQuerySet)):
    def get_by_natural_key(self, email):
        """By e-mail, in whatever case it is typed."""
        return self.get(email=email.strip().lower())


class Employee(AbstractBaseUser, VersionedModel):
    """A person of one organization who signs in by e-mail."""

    id = PrefixedIDField("emp")
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="employees", verbose_name=_("organization")
    )
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    email = models.EmailField(_("email"), max_length=255, help_text=_("In lower case; employees sign in with it"))
    name = models.CharField(_("name"), max_length=255)
    name_en = models.CharField(_("English name"), max_length=255, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    whatsapp = models.CharField(_("WhatsApp"), max_length=20, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.SALES_AGENT)
    job_title = models.CharField(_("job title"), max_length=255, blank=True)
    avatar = models.URLField(_("avatar"), max_length=500, blank=True)
    fal_license_number = models.CharField(_("FAL licence number"), max_length=50, blank=True)
    fal_license_expiry = models.DateField(_("FAL licence expires"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_superuser = models.BooleanField(_("superuser"), default=False)

    objects = EmployeeManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        db_table = "employees"
        verbose_name = _("employee")
        verbose_name_plural = _("employees")
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="employee_email_unique",
                violation_error_message=_("An employee with this email exists already"),
                violation_error_code="duplicate",
            )
        ]
        indexes = [models.Index(fields=["organization", "team"], name="employee_team")]

    def __str__(self):
        return self.name

    def get_short_name(self):
        return self.name

    @property
    def is_admin(self):
        return self.role == Role.ADMIN

    @property
    def is_staff(self):
        """Whether the back office is open to this employee."""
        return self.is_superuser or self.role in (Role.ADMIN, Role.SALES_MANAGER)

    def has_perm(self, permission, obj=None):
        """Nothing goes by Django's permissions: see `may`."""
        return False

    has_module_perms = has_perm

    def working_in(self, organization_id):
        """This superuser as an admin of some organization, for one request: never to be saved."""
        person = copy(self)
        person.organization, person.team, person.role = Organization.objects.get(pk=organization_id), None, Role.ADMIN
        return person

    @cached_property
    def permissions(self):
        """The verbs of the employee's role."""
        return PERMISSIONS[self.role]

    @property
    def bulk_limit(self):
        """How many ids one bulk call of this employee may name."""
        return BULK_LIMITS.get(self.role, 0)

    @property
    def rates(self):
        """How many calls a minute this employee may make, by category, where the role decides it."""
        return RATES[self.role]

    def may(self, permission):
        """Whether the role has a verb, within what the organization allows."""
        if permission == "customers.claim" and self.role == Role.SALES_AGENT:
            return self.organization.agents_may_claim
        return permission in self.permissions


class Session(models.Model):
    """One sign-in: it owns the access tokens issued from it and exactly one live refresh token."""

    id = PrefixedIDField("ses")
    employee = models.ForeignKey(Employee, models.CASCADE, related_name="sessions")
    refresh_id = models.CharField(max_length=50, db_collation="C")
    spent_refresh_id = models.CharField(max_length=50, blank=True, db_collation="C")
    refreshed_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sessions"
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [models.Index(fields=["expires_at"], name="session_expiry")]
