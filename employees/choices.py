"""The words of the employees app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What an employee may do; the job title beside it is free text."""

    ADMIN = "admin", _("Admin")
    SALES_MANAGER = "sales_manager", _("Sales manager")
    SALES_AGENT = "sales_agent", _("Sales agent")
    VIEWER = "viewer", _("Viewer")


class GatePreset(models.TextChoices):
    """What happens when a customer is moved on before what the law asks for is there."""

    RELAXED = "relaxed", _("Relaxed: nothing is asked for")
    STANDARD = "standard", _("Standard: warn, and refuse to take money for unlicensed off-plan projects")
    STRICT = "strict", _("Strict: refuse")


class IdCopies(models.TextChoices):
    """Whether copies of identity documents may be kept: the law allows it to those whom another law obliges."""

    ALLOW = "allow", _("Allow")
    WARN = "warn", _("Warn")
    BLOCK = "block", _("Refuse")
