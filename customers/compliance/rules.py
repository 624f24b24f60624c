"""The rules that a part of compliance must keep, over whole rows: what was written together with what was stored.

Each breach is `(name of the field, message)`; see docs/compliance.md for where the rules come from.
"""

from collections import defaultdict
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.fields import Field

from customers.choices import (
    ContractStatus,
    LicenseStatus,
    MilestoneStatus,
    MortgageStatus,
    PaymentStatus,
    ProjectStatus,
)
from customers.compliance.parts import api_name
from customers.compliance.standing import riyadh_day
from customers.models import (
    BrokerageContract,
    BrokerageLicense,
    EjarContract,
    EscrowMilestone,
    HandoverDefect,
    MortgageInfo,
    Payment,
    RegistryInfo,
    WafiLicense,
)

_CERTIFIED = (MilestoneStatus.CERTIFIED, MilestoneStatus.RELEASED)
_GRANTED = (MortgageStatus.APPROVED, MortgageStatus.DISBURSED)

# Which status of a brokerage contract may follow which.
CONTRACT_MOVES = {
    ContractStatus.DRAFT: (ContractStatus.PENDING_APPROVAL, ContractStatus.CANCELLED),
    ContractStatus.PENDING_APPROVAL: (ContractStatus.ACTIVE, ContractStatus.CANCELLED),
    ContractStatus.ACTIVE: (ContractStatus.COMPLETED, ContractStatus.CANCELLED),
    ContractStatus.COMPLETED: (ContractStatus.CANCELLED,),
    ContractStatus.CANCELLED: (),
}


# --- One row --------------------------------------------------------------------------------


def breaches(row):
    """What is wrong with one row by itself."""
    missing = [(name, str(Field.default_error_messages["required"])) for name in _missing(row)]
    return missing or list(_RULES.get(type(row), _nothing)(row))


def _missing(row):
    """The fields that must have a value and have none."""
    for field in row._meta.concrete_fields:
        is_needed = field.editable and not field.blank and not field.has_default()
        if is_needed and getattr(row, field.attname) in (None, ""):
            yield api_name(field.name)


def _nothing(row):
    return ()


def _in_order(row, *columns):
    """Days that must follow one another, where they are there."""
    known = [column for column in columns if getattr(row, column)]
    for earlier, later in zip(known, known[1:], strict=False):
        if getattr(row, later) < getattr(row, earlier):
            names = {"field": api_name(later), "other": api_name(earlier)}
            yield api_name(later), _("%(field)s must not be before %(other)s") % names


def _brokerage_license(row):
    if row.status == LicenseStatus.ACTIVE and not row.license_number:
        yield "licenseNumber", _("licenseNumber is required when the license is active")
    yield from _in_order(row, "issued_date", "expiry_date")


def _ejar_contract(row):
    yield from _in_order(row, "start_date", "end_date")
    if row.created_in_ejar and not row.ejar_contract_number:
        yield "ejarContractNumber", _("ejarContractNumber is required when createdInEjar is true")
    if row.ejar_created_at and row.ejar_created_at > timezone.now():
        yield "ejarCreatedAt", _("Must not lie in the future")


def _wafi_license(row):
    if row.status != ProjectStatus.PLANNING and not row.license_number:
        yield "licenseNumber", _("licenseNumber is required once the project is licensed")
    taken = (row.sold_units or 0) + (row.reserved_units or 0)
    if row.total_units is not None and taken > row.total_units:
        yield "soldUnits", _("soldUnits plus reservedUnits must not exceed totalUnits")


def _escrow_milestone(row):
    if row.status in _CERTIFIED and not row.certified_by:
        yield "certifiedBy", _("certifiedBy is required when the milestone is certified or released")
    if row.release_approved and not row.release_requested:
        yield "releaseRequested", _("releaseApproved needs releaseRequested")
    if row.status == MilestoneStatus.RELEASED and not row.release_approved:
        yield "releaseApproved", _("A released milestone must be approved")


def _handover_defect(row):
    if row.reported_at > timezone.now():
        yield "reportedAt", _("Must not lie in the future")
    if row.resolved_at and row.resolved_at < row.reported_at:
        yield "resolvedAt", _("%(field)s must not be before %(other)s") % {"field": "resolvedAt", "other": "reportedAt"}
    target = row.target_resolution_date
    if target and target < riyadh_day(row.reported_at):
        names = {"field": "targetResolutionDate", "other": "reportedAt"}
        yield "targetResolutionDate", _("%(field)s must not be before %(other)s") % names


def _registry_info(row):
    if row.registration_date and row.registration_date > riyadh_day():
        yield "registrationDate", _("Must not lie in the future")


def _mortgage_info(row):
    if row.status in _GRANTED and row.approved_amount is None:
        yield "approvedAmount", _("approvedAmount is required when the mortgage is approved")
    if row.status == MortgageStatus.DISBURSED and not row.disbursement_date:
        yield "disbursementDate", _("disbursementDate is required when the mortgage is disbursed")
    yield from _in_order(row, "application_date", "approval_date", "disbursement_date")


def _payment(row):
    if row.paid_amount is not None and row.paid_amount > row.amount:
        yield "paidAmount", _("paidAmount must not be greater than amount")
    if row.status == PaymentStatus.PAID and not row.paid_date:
        yield "paidDate", _("paidDate is required when the payment is paid")
    elif row.status == PaymentStatus.PAID and row.paid_date > riyadh_day():
        yield "paidDate", _("Must not lie in the future")


_RULES = {
    BrokerageLicense: _brokerage_license,
    BrokerageContract: lambda row: _in_order(row, "start_date", "end_date"),
    EjarContract: _ejar_contract,
    WafiLicense: _wafi_license,
    EscrowMilestone: _escrow_milestone,
    HandoverDefect: _handover_defect,
    RegistryInfo: _registry_info,
    MortgageInfo: _mortgage_info,
    Payment: _payment,
}


# --- A list, and what came before -------------------------------------------------------------


def breaches_among(rows):
    """`(row, name of the field, message)` of what is wrong with items taken together; the later one is to blame."""
    milestones = [row for row in rows if isinstance(row, EscrowMilestone)]
    seen, shares, last = set(), defaultdict(Decimal), {}
    for row in milestones:
        key = row.project_id, row.milestone_number
        if key in seen:
            yield row, "milestoneNumber", _("Another milestone of the project has this number")
        seen.add(key)
        shares[row.project_id] += row.percentage
        last[row.project_id] = row
    for project, share in shares.items():
        if share > 100:
            names = {"project": project or "-", "sum": f"{share.normalize():f}"}
            message = _("Milestone percentages of project %(project)s add up to %(sum)s, more than 100") % names
            yield last[project], "percentage", message


def forbidden_move(row, before):
    """Why the status of a row may not follow the one before, or None."""
    if row.status == before:
        return None
    if isinstance(row, BrokerageContract) and row.status not in CONTRACT_MOVES[before]:
        return _("A contract that is %(before)s cannot become %(after)s") % {"before": before, "after": row.status}
    if isinstance(row, WafiLicense):
        order = ProjectStatus.values
        if order.index(row.status) < order.index(before):
            names = {"before": before, "after": row.status}
            return _("A project that is %(before)s cannot go back to %(after)s") % names
    return None
