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


class GateMode(models.TextChoices):
    """What one rule of the gates does."""

    OFF = "off", _("Off")
    WARN = "warn", _("Warn")
    ENFORCE = "enforce", _("Enforce")


class GateRule(models.TextChoices):
    """What the law, or good order, asks for before a customer enters a stage; customers.gates says when it is met."""

    QUALIFIED_NEEDS_PREFERENCES = (
        "QUALIFIED_NEEDS_PREFERENCES",
        _("A qualified customer needs at least one property type in the preferences"),
    )
    ORG_LICENSE_INVALID = (
        "ORG_LICENSE_INVALID",
        _("Neither the brokerage nor the assigned employee has a valid FAL licence"),
    )
    BROKERAGE_CONTRACT_REQUIRED = (
        "BROKERAGE_CONTRACT_REQUIRED",
        _("An active brokerage contract is required before the contract is prepared"),
    )
    BROKERAGE_CONTRACT_NUMBER_REQUIRED = (
        "BROKERAGE_CONTRACT_NUMBER_REQUIRED",
        _("An active brokerage contract needs its REGA or contract number"),
    )
    IDENTITY_REQUIRED = (
        "IDENTITY_REQUIRED",
        _("The national ID or Iqama number is required before the contract is prepared"),
    )
    WAFI_LICENSE_REQUIRED = (
        "WAFI_LICENSE_REQUIRED",
        _("No money may be taken for an off-plan project that is not licensed"),
    )
    ESCROW_ACCOUNT_REQUIRED = (
        "ESCROW_ACCOUNT_REQUIRED",
        _("Payments for an off-plan project must name the escrow account of the project"),
    )
    PAYMENT_SCHEDULE_REQUIRED = (
        "PAYMENT_SCHEDULE_REQUIRED",
        _("A payment schedule is required before the down payment"),
    )
    EJAR_CONTRACT_REQUIRED = (
        "EJAR_CONTRACT_REQUIRED",
        _("A rental is closed with an active contract that is registered in Ejar"),
    )
    MORTGAGE_NOT_APPROVED = (
        "MORTGAGE_NOT_APPROVED",
        _("The mortgage must be approved before closing"),
    )
    DOWN_PAYMENT_OUTSTANDING = (
        "DOWN_PAYMENT_OUTSTANDING",
        _("The down payment is still outstanding"),
    )
    DEED_REQUIRED = (
        "DEED_REQUIRED",
        _("The number of the title deed is required to complete a sale"),
    )
    CRITICAL_DEFECTS_OPEN = (
        "CRITICAL_DEFECTS_OPEN",
        _("Critical defects of the handover are still open"),
    )
