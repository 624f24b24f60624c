"""The numbers of compliance, as `GET /customers/stats/compliance` answers them."""

from rest_framework import serializers

from customers.choices import (
    ContractStatus,
    EjarStatus,
    LicenseStatus,
    MortgageStatus,
    ProjectStatus,
    SakaniStatus,
)


def _numbers(name, words, **options):
    return type(name, (serializers.Serializer,), {word: serializers.IntegerField() for word in words})(**options)


class FilteredCustomersSerializer(serializers.Serializer):
    """How many customers each filter of the list finds, by its name and word."""

    brokerageLicenseStatus = _numbers("ByBrokerageLicenseSerializer", LicenseStatus.values)
    brokerageContractStatus = _numbers("ByBrokerageContractSerializer", ContractStatus.values)
    ejarContractStatus = _numbers("ByEjarContractSerializer", EjarStatus.values)
    wafiProjectStatus = _numbers("ByWafiProjectSerializer", ProjectStatus.values)
    sakaniEligibility = _numbers("BySakaniEligibilitySerializer", SakaniStatus.values)
    mortgageStatus = _numbers("ByMortgageSerializer", MortgageStatus.values, required=False)
    hasEscrowOverdue = serializers.IntegerField()
    hasHandoverDefects = serializers.IntegerField()


def _number(help_text=None, **options):
    return serializers.IntegerField(help_text=help_text, **options)


def _sum(help_text=None, **options):
    return serializers.FloatField(help_text=help_text, **options)


class ComplianceStatisticsSerializer(serializers.Serializer):
    """Licences, contracts, milestones, defects and payments of the caller's customers, by the statuses shown today."""

    activeLicenses = _number()
    expiredLicenses = _number()
    suspendedLicenses = _number()
    pendingLicenses = _number()
    expiringLicenses = _number("Active, and the last day is today or within 30 days")
    totalBrokerageContracts = _number()
    draftBrokerageContracts = _number()
    pendingBrokerageContracts = _number("Waiting for approval")
    activeBrokerageContracts = _number()
    completedBrokerageContracts = _number()
    cancelledBrokerageContracts = _number()
    totalCommission = _sum("Of active and completed contracts: as stated, else the rate of the deal value")
    totalEjarContracts = _number()
    draftEjarContracts = _number()
    pendingEjarContracts = _number()
    activeEjarContracts = _number()
    renewedEjarContracts = _number()
    expiredEjarContracts = _number()
    terminatedEjarContracts = _number()
    expiringEjarContracts = _number("Active or renewed, and the last day is today or within 90 days")
    unregisteredEjarContracts = _number("Active, and not created in Ejar")
    totalMonthlyRent = _sum("Of active and renewed leases")
    totalWafiProjects = _number("Each project once")
    planningWafiProjects = _number()
    licensedWafiProjects = _number()
    constructionWafiProjects = _number()
    completedWafiProjects = _number()
    handedOverWafiProjects = _number()
    totalUnits = _number("Of each project once, as it was written last")
    soldUnits = _number()
    reservedUnits = _number()
    totalMilestones = _number()
    pendingMilestones = _number()
    inProgressMilestones = _number()
    certifiedMilestones = _number()
    releasedMilestones = _number()
    overdueMilestones = _number()
    pendingReleases = _number("Certified, and the release is requested")
    pendingReleaseAmount = _sum()
    releasedAmount = _sum()
    totalEscrowAmount = _sum()
    totalDefects = _number()
    openDefects = _number("Open or in progress")
    criticalDefects = _number("Open or in progress, and critical")
    resolvedDefects = _number()
    deferredDefects = _number()
    sakaniEligible = _number()
    sakaniNotEligible = _number()
    sakaniPendingVerification = _number()
    sakaniNotChecked = _number()
    preApprovedMortgages = _number("Mortgages are for callers who may see private amounts", required=False)
    submittedMortgages = _number(required=False)
    approvedMortgages = _number(required=False)
    rejectedMortgages = _number(required=False)
    disbursedMortgages = _number(required=False)
    totalMortgageAmount = _sum("Approved and disbursed", required=False)
    totalPayments = _number("Without cancelled ones")
    paidPayments = _number()
    pendingPayments = _number("Not yet due")
    overduePayments = _number()
    scheduledAmount = _sum("Without cancelled ones")
    paidAmount = _sum("Of paid payments: what was paid, else what was due")
    pendingAmount = _sum()
    overdueAmount = _sum()
    paymentCompletionRate = _sum("Percent of the scheduled amount that is paid")
    customers = FilteredCustomersSerializer()
