"""The numbers of compliance within a caller's scope, all of them by one statement, as of a day in Riyadh."""

from datetime import timedelta

from django.db.models import Case, Count, F, Q, Sum, Value, When, Window
from django.db.models.functions import Coalesce, RowNumber

from config.api.filters import WrittenOut
from config.db import at_one_moment
from customers.choices import (
    ContractStatus,
    DefectSeverity,
    DefectStatus,
    EjarStatus,
    LicenseStatus,
    MilestoneStatus,
    MortgageStatus,
    PaymentStatus,
    ProjectStatus,
    SakaniStatus,
)
from customers.compliance.law import LICENSE_WARNING_DAYS, RENEWAL_WARNING_DAYS
from customers.compliance.standing import is_late_milestone, is_standing, riyadh_day
from customers.models import (
    BrokerageContract,
    BrokerageLicense,
    EjarContract,
    EscrowMilestone,
    HandoverDefect,
    MortgageInfo,
    Payment,
    SakaniEligibility,
    WafiLicense,
)

# The filters of the list by what they ask of: their numbers are those of customers.
FILTERS = {
    BrokerageLicense: ("brokerageLicenseStatus", LicenseStatus),
    BrokerageContract: ("brokerageContractStatus", ContractStatus),
    EjarContract: ("ejarContractStatus", EjarStatus),
    WafiLicense: ("wafiProjectStatus", ProjectStatus),
    SakaniEligibility: ("sakaniEligibility", SakaniStatus),
    MortgageInfo: ("mortgageStatus", MortgageStatus),
}
_PRIVATE = (MortgageInfo,)
_UNRESOLVED = (DefectStatus.OPEN, DefectStatus.IN_PROGRESS)


def statistics(employee, customers):
    """The object of `GET /customers/stats/compliance` about a queryset of customers."""
    today = riyadh_day()
    told = {model: parts for model, parts in _numbers(today).items() if _may_see(employee, model)}
    read = {}
    for model, parts in told.items():
        name, choices = FILTERS.get(model, ("", None))
        rows = model.objects.filter(organization_id=employee.organization_id, customer__in=customers.values("pk"))
        counts = {
            f"with_{word}": Count("customer", distinct=True, filter=is_standing(model, [word], today))
            for word in (choices.values if choices else ())
        }
        # One group, of everything: none at all where there is nothing.
        read[model.__name__] = rows.order_by().values(everything=Value(1)).annotate(**parts, **counts)
    read["projects"] = _units(employee, customers)
    found = {table: rows[0] if rows else {} for table, rows in at_one_moment(**read).items()}
    numbers = {}
    for model, parts in told.items():
        numbers |= {name: found[model.__name__].get(name) or 0 for name in parts if not name.startswith("with_")}
    numbers |= {name: found["projects"].get(name) or 0 for name in _UNITS}
    scheduled = numbers["scheduledAmount"]
    numbers["paymentCompletionRate"] = round(100 * numbers["paidAmount"] / scheduled, 1) if scheduled else 0
    return numbers | {"customers": _customers(employee, found)}


def _may_see(employee, model):
    return model not in _PRIVATE or employee.may("customers.pii")


def _customers(employee, found):
    """How many customers each of the list's filters finds."""
    counted = {
        name: {word: found[model.__name__].get(f"with_{word}") or 0 for word in choices.values}
        for model, (name, choices) in FILTERS.items()
        if _may_see(employee, model)
    }
    overdue = found[EscrowMilestone.__name__].get("with_overdue") or 0
    defects = found[HandoverDefect.__name__].get("with_defects") or 0
    return counted | {"hasEscrowOverdue": overdue, "hasHandoverDefects": defects}


def _numbers(today):
    """`{model: {name: aggregate}}`."""

    def standing(model, *words):
        return Count("pk", filter=is_standing(model, words, today))

    def until(column, days):
        last = today + timedelta(days=days)
        return Q(**{f"{column}__gte": WrittenOut(today), f"{column}__lte": WrittenOut(last)})

    earned = Coalesce("commission_amount", F("commission_rate") * F("customer__total_deal_value") / 100)
    in_force = is_standing(EjarContract, [EjarStatus.ACTIVE, EjarStatus.RENEWED], today)
    release = Q(status=MilestoneStatus.CERTIFIED, release_requested=True)
    granted = Q(status__in=[MortgageStatus.APPROVED, MortgageStatus.DISBURSED])
    owed = ~Q(status=PaymentStatus.CANCELLED)
    paid = Q(status=PaymentStatus.PAID)
    return {
        BrokerageLicense: {
            "activeLicenses": standing(BrokerageLicense, "active"),
            "expiredLicenses": standing(BrokerageLicense, "expired"),
            "suspendedLicenses": standing(BrokerageLicense, "suspended"),
            "pendingLicenses": standing(BrokerageLicense, "pending"),
            "expiringLicenses": Count("pk", filter=Q(status="active") & until("expiry_date", LICENSE_WARNING_DAYS)),
        },
        BrokerageContract: {
            "totalBrokerageContracts": Count("pk"),
            "draftBrokerageContracts": standing(BrokerageContract, "draft"),
            "pendingBrokerageContracts": standing(BrokerageContract, "pending_approval"),
            "activeBrokerageContracts": standing(BrokerageContract, "active"),
            "completedBrokerageContracts": standing(BrokerageContract, "completed"),
            "cancelledBrokerageContracts": standing(BrokerageContract, "cancelled"),
            "totalCommission": Sum(earned, filter=Q(status__in=[ContractStatus.ACTIVE, ContractStatus.COMPLETED])),
        },
        EjarContract: {
            "totalEjarContracts": Count("pk"),
            "draftEjarContracts": standing(EjarContract, "draft"),
            "pendingEjarContracts": standing(EjarContract, "pending"),
            "activeEjarContracts": standing(EjarContract, "active"),
            "renewedEjarContracts": standing(EjarContract, "renewed"),
            "expiredEjarContracts": standing(EjarContract, "expired"),
            "terminatedEjarContracts": standing(EjarContract, "terminated"),
            "expiringEjarContracts": Count("pk", filter=in_force & until("end_date", RENEWAL_WARNING_DAYS)),
            "unregisteredEjarContracts": Count(
                "pk", filter=is_standing(EjarContract, ["active"], today) & Q(created_in_ejar=False)
            ),
            "totalMonthlyRent": Sum("monthly_rent", filter=in_force),
        },
        WafiLicense: {
            "totalWafiProjects": Count(_project(), distinct=True),
            "planningWafiProjects": Count(_project(), distinct=True, filter=Q(status="planning")),
            "licensedWafiProjects": Count(_project(), distinct=True, filter=Q(status="licensed")),
            "constructionWafiProjects": Count(_project(), distinct=True, filter=Q(status="construction")),
            "completedWafiProjects": Count(_project(), distinct=True, filter=Q(status="completed")),
            "handedOverWafiProjects": Count(_project(), distinct=True, filter=Q(status="handed_over")),
        },
        EscrowMilestone: {
            "totalMilestones": Count("pk"),
            "pendingMilestones": standing(EscrowMilestone, "pending"),
            "inProgressMilestones": standing(EscrowMilestone, "in_progress"),
            "certifiedMilestones": standing(EscrowMilestone, "certified"),
            "releasedMilestones": standing(EscrowMilestone, "released"),
            "overdueMilestones": standing(EscrowMilestone, "overdue"),
            "pendingReleases": Count("pk", filter=release),
            "pendingReleaseAmount": Sum("amount", filter=release),
            "releasedAmount": Sum("amount", filter=Q(status=MilestoneStatus.RELEASED)),
            "totalEscrowAmount": Sum("amount"),
            "with_overdue": Count("customer", distinct=True, filter=is_late_milestone(today)),
        },
        HandoverDefect: {
            "totalDefects": Count("pk"),
            "openDefects": standing(HandoverDefect, *_UNRESOLVED),
            "criticalDefects": Count("pk", filter=Q(severity=DefectSeverity.CRITICAL, status__in=_UNRESOLVED)),
            "resolvedDefects": standing(HandoverDefect, "resolved"),
            "deferredDefects": standing(HandoverDefect, "deferred"),
            "with_defects": Count("customer", distinct=True),
        },
        SakaniEligibility: {
            "sakaniEligible": standing(SakaniEligibility, "eligible"),
            "sakaniNotEligible": standing(SakaniEligibility, "not_eligible"),
            "sakaniPendingVerification": standing(SakaniEligibility, "pending_verification"),
            "sakaniNotChecked": standing(SakaniEligibility, "not_checked"),
        },
        MortgageInfo: {
            "preApprovedMortgages": standing(MortgageInfo, "pre_approved"),
            "submittedMortgages": standing(MortgageInfo, "application_submitted"),
            "approvedMortgages": standing(MortgageInfo, "approved"),
            "rejectedMortgages": standing(MortgageInfo, "rejected"),
            "disbursedMortgages": standing(MortgageInfo, "disbursed"),
            "totalMortgageAmount": Sum("approved_amount", filter=granted),
        },
        Payment: {
            "totalPayments": Count("pk", filter=owed),
            "paidPayments": standing(Payment, "paid"),
            "pendingPayments": standing(Payment, "pending"),
            "overduePayments": standing(Payment, "overdue"),
            "scheduledAmount": Sum("amount", filter=owed),
            "paidAmount": Sum(Coalesce("paid_amount", "amount"), filter=paid),
            "pendingAmount": Sum("amount", filter=is_standing(Payment, ["pending"], today)),
            "overdueAmount": Sum("amount", filter=is_standing(Payment, ["overdue"], today)),
        },
    }


_UNITS = ("totalUnits", "soldUnits", "reservedUnits")


def _project():
    """What makes two licences one project: its id, where it is known."""
    return Case(When(project_id="", then="id"), default="project_id")


def _units(employee, customers):
    """The units of each project once, as whoever wrote last of it says."""
    rows = WafiLicense.objects.filter(organization_id=employee.organization_id, customer__in=customers.values("pk"))
    place = Window(RowNumber(), partition_by=_project(), order_by=[F("updated_at").desc(), "id"])
    latest = WafiLicense.objects.filter(pk__in=rows.annotate(place=place).filter(place=1).values("pk"))
    columns = zip(_UNITS, ("total_units", "sold_units", "reserved_units"), strict=True)
    sums = {name: Sum(column) for name, column in columns}
    return latest.order_by().values(everything=Value(1)).annotate(**sums)
