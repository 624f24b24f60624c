"""The words of the employees app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What an employee may do; the job title beside it is free text."""

    ADMIN = "admin", _("Admin")
    SALES_MANAGER = "sales_manager", _("Sales manager")
    SALES_AGENT = "sales_agent", _("Sales agent")
    VIEWER = "viewer", _("Viewer")
