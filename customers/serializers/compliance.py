"""The shapes of compliance: each part is written as it is shown, but for what the hub works out."""

from datetime import time
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.rows import Confidential
from config.api.serializers import (
    MomentField,
    MoneyField,
    NumberText,
    PercentField,
    StampedDay,
    TextField,
    TextListField,
    WholeNumberField,
    WordField,
)
from customers.choices import (
    ContractStatus,
    ContractType,
    DefectCategory,
    DefectSeverity,
    DefectStatus,
    EjarStatus,
    Financing,
    LicenseStatus,
    LicenseType,
    MilestoneStatus,
    MortgageStatus,
    PaymentStatus,
    PaymentType,
    ProjectStatus,
    RentCycle,
    SakaniProduct,
    SakaniStatus,
    Tenancy,
)
from customers.compliance.parts import MAX_ITEMS
from customers.compliance.standing import LATE_MILESTONE_SQL, standing_sql
from customers.models import (
    BrokerageContract,
    BrokerageLicense,
    Customer,
    EjarContract,
    EscrowMilestone,
    HandoverDefect,
    MortgageInfo,
    Payment,
    RegistryInfo,
    SakaniEligibility,
    WafiLicense,
)

_LARGEST = 1_000_000


# --- Kinds of fields ------------------------------------------------------------------------


class HttpsField(TextField):
    """The address of a page, which must be read over https."""

    def to_internal_value(self, data):
        text = super().to_internal_value(data)
        if text and not is_https(text):
            raise serializers.ValidationError(_("Must be an https address"))
        return text


class ProductsField(serializers.ListField):
    """Words of which each counts once."""

    def to_internal_value(self, data):
        return list(dict.fromkeys(super().to_internal_value(data)))


class PhotoField(TextField):
    """The id of a document, or an https address."""

    def to_internal_value(self, data):
        text = super().to_internal_value(data)
        if ":" in text and not is_https(text):
            raise serializers.ValidationError(_("Must be an https address"))
        return text


def is_https(text):
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and not any(map(str.isspace, text))
    except ValueError:
        return False


class ConfidentialMoney(Confidential, MoneyField):
    """An amount that callers without `permission` do not get."""


def _optional(kind, *args, **options):
    return kind(*args, required=False, allow_null=True, **options)


def _word(choices, source=None, *, required=False):
    return (
        WordField(choices.choices, source=source) if required else _optional(WordField, choices.choices, source=source)
    )


def _text(source=None, max_length=255, **options):
    return _optional(TextField, source=source, max_length=max_length, name_like=True, **options)


def _notes(source=None):
    return _optional(TextField, source=source, max_length=5000, multiline=True)


def _title(source=None, **options):
    return _text(source, 500, **options)


def _day(source):
    return _optional(StampedDay, source=source)


def _moment(source):
    return _optional(MomentField, time_of_day=time.min, source=source)


def _money(source=None, **options):
    return _optional(MoneyField, source=source, **options)


def _whole(source, minimum=0, maximum=_LARGEST):
    return _optional(WholeNumberField, source=source, min_value=minimum, max_value=maximum)


def _maybe(source):
    return serializers.BooleanField(source=source, required=False, allow_null=True)


def _documents():
    return _optional(TextListField, text_length=50)


# --- The parts ------------------------------------------------------------------------------


class BrokerageLicenseSerializer(serializers.Serializer):
    """The FAL licence of a customer who is a broker. An active one is shown as expired after its last day."""

    licenseNumber = NumberText(source="license_number")
    licenseType = _word(LicenseType, "license_type")
    status = _word(LicenseStatus, required=True)
    issuedDate = _day("issued_date")
    expiryDate = _day("expiry_date")
    issuedBy = _text("issued_by")
    verifiedAt = _moment("verified_at")
    notes = _notes()

    class Meta:
        model = BrokerageLicense
        derived = {"status": standing_sql(BrokerageLicense)}


class ItemSerializer(serializers.Serializer):
    """An item of a list, known by its id, which the hub gives it: one that comes without is new."""

    id = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=50)


class BrokerageContractSerializer(ItemSerializer):
    """A brokerage contract. `approvedBy` and `approvedAt` tell of the approval in the hub."""

    contractNumber = NumberText(source="contract_number")
    regaContractId = NumberText(source="rega_contract_id")
    type = _word(ContractType, required=True)
    status = WordField(ContractStatus.choices, required=False)
    propertyId = NumberText(source="property_id")
    propertyTitle = _title("property_title")
    commissionRate = _optional(PercentField, source="commission_rate")
    commissionAmount = _money("commission_amount")
    exclusivityPeriod = _whole("exclusivity_period", 1, 3650)
    startDate = StampedDay(source="start_date")
    endDate = _day("end_date")
    approvedBy = serializers.CharField(source="approved_by", read_only=True, required=False)
    approvedAt = serializers.DateTimeField(source="approved_at", read_only=True, required=False)
    documents = _documents()
    notes = _notes()
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated_at", read_only=True)

    class Meta:
        model = BrokerageContract
        order = ["position", "id"]


class EjarContractSerializer(ItemSerializer):
    """A lease. An active one is shown as expired after its last day, or as renewed where it renews itself."""

    ejarContractNumber = NumberText(source="ejar_contract_number")
    propertyId = NumberText(source="property_id")
    propertyTitle = _title("property_title")
    tenancyType = _word(Tenancy, "tenancy_type", required=True)
    status = _word(EjarStatus, required=True)
    startDate = StampedDay(source="start_date")
    endDate = StampedDay(source="end_date")
    monthlyRent = MoneyField(source="monthly_rent", positive=True)
    securityDeposit = _money("security_deposit")
    paymentSchedule = _word(RentCycle, "payment_schedule")
    landlordId = NumberText(source="landlord_id")
    landlordName = _text("landlord_name")
    tenantName = _text("tenant_name")
    createdInEjar = _maybe("created_in_ejar")
    ejarCreatedAt = _moment("ejar_created_at")
    ejarUrl = _optional(HttpsField, source="ejar_url", max_length=500, name_like=True)
    autoRenewal = _maybe("auto_renewal")
    renewalNotificationSent = _maybe("renewal_notification_sent")
    documents = _documents()
    notes = _notes()
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated_at", read_only=True)

    class Meta:
        model = EjarContract
        order = ["position", "id"]
        derived = {"status": standing_sql(EjarContract)}


class WafiLicenseSerializer(serializers.Serializer):
    """The off-plan project that the customer buys in."""

    licenseNumber = NumberText(source="license_number")
    projectId = NumberText(source="project_id")
    projectName = _title("project_name")
    developerName = _text("developer_name")
    status = _word(ProjectStatus, required=True)
    issuedDate = _day("issued_date")
    totalUnits = _whole("total_units")
    soldUnits = _whole("sold_units")
    reservedUnits = _whole("reserved_units")
    verifiedAt = _moment("verified_at")
    notes = _notes()

    class Meta:
        model = WafiLicense


class EscrowMilestoneSerializer(ItemSerializer):
    """A part of an off-plan project. One that is neither certified nor released is overdue after its target."""

    projectId = NumberText(source="project_id")
    milestoneNumber = WholeNumberField(source="milestone_number", min_value=1, max_value=_LARGEST)
    title = TextField(max_length=500, name_like=True)
    titleEn = _title("title_en")
    description = _notes()
    targetDate = StampedDay(source="target_date")
    completionDate = _day("completion_date")
    status = _word(MilestoneStatus, required=True)
    percentage = PercentField(positive=True)
    amount = _money()
    certifiedBy = _text("certified_by")
    certifiedAt = _moment("certified_at")
    releaseRequested = _maybe("release_requested")
    releaseApproved = _maybe("release_approved")
    releaseDate = _day("release_date")
    documents = _documents()
    notes = _notes()
    isOverdue = serializers.BooleanField(source="status", read_only=True)

    class Meta:
        model = EscrowMilestone
        order = ["position", "id"]
        derived = {
            "status": standing_sql(EscrowMilestone),
            "isOverdue": LATE_MILESTONE_SQL,
        }


class HandoverDefectSerializer(ItemSerializer):
    """Something that is wrong with a unit. `resolvedAt` is there while it is resolved."""

    unitId = NumberText(source="unit_id")
    category = _word(DefectCategory, required=True)
    severity = _word(DefectSeverity, required=True)
    description = TextField(max_length=5000, multiline=True)
    reportedBy = _text("reported_by")
    reportedAt = _moment("reported_at")
    status = WordField(DefectStatus.choices, required=False)
    assignedTo = _text("assigned_to")
    targetResolutionDate = _day("target_resolution_date")
    resolvedAt = _moment("resolved_at")
    photos = serializers.ListField(
        child=PhotoField(max_length=500, name_like=True), max_length=50, required=False, allow_null=True
    )
    notes = _notes()

    class Meta:
        model = HandoverDefect
        order = ["position", "id"]


class SakaniEligibilitySerializer(serializers.Serializer):
    """Whether the State supports the customer's first home. Amounts are for those who may see private ones."""

    status = _word(SakaniStatus, required=True)
    sakaniId = NumberText(source="sakani_id")
    eligibilityCheckedAt = _moment("eligibility_checked_at")
    interestedProducts = ProductsField(
        child=WordField(SakaniProduct.choices),
        source="interested_products",
        max_length=len(SakaniProduct),
        required=False,
        allow_null=True,
    )
    householdIncome = _optional(ConfidentialMoney, "customers.pii", source="household_income")
    householdSize = _whole("household_size", 1, 50)
    firstTimeOwner = _maybe("first_time_owner")
    currentlyOwnsProperty = _maybe("currently_owns_property")
    approvedLoanAmount = _optional(ConfidentialMoney, "customers.pii", source="approved_loan_amount")
    downPaymentSupport = _money("down_payment_support")
    eligibilityNotes = _notes("eligibility_notes")
    verifiedAt = _moment("verified_at")

    class Meta:
        model = SakaniEligibility


class RegistryInfoSerializer(serializers.Serializer):
    """The title deed of what the customer bought."""

    deedNumber = NumberText(source="deed_number")
    registryOffice = _text("registry_office")
    registeredOwner = _text("registered_owner")
    registrationDate = _day("registration_date")
    verifiedAt = _moment("verified_at")
    notes = _notes()

    class Meta:
        model = RegistryInfo


class MortgageInfoSerializer(serializers.Serializer):
    """How the customer finances the deal, for those who may see private amounts."""

    status = _word(MortgageStatus, required=True)
    financingType = _word(Financing, "financing_type")
    bankName = _text("bank_name")
    applicationNumber = NumberText(source="application_number")
    preApprovedAmount = _money("pre_approved_amount")
    approvedAmount = _money("approved_amount")
    interestRate = _optional(PercentField, source="interest_rate", maximum=30)
    loanTenure = _whole("loan_tenure", 1, 35)
    monthlyPayment = _money("monthly_payment")
    downPaymentRequired = _money("down_payment_required")
    downPaymentPaid = _money("down_payment_paid")
    applicationDate = _day("application_date")
    approvalDate = _day("approval_date")
    disbursementDate = _day("disbursement_date")
    redfSupport = _maybe("redf_support")
    redfAmount = _money("redf_amount")
    documents = _documents()
    notes = _notes()

    class Meta:
        model = MortgageInfo
        permission = "customers.pii"


class PaymentSerializer(ItemSerializer):
    """A payment of the schedule. A pending one is shown as overdue after its due date."""

    type = _word(PaymentType, required=True)
    description = TextField(max_length=500, name_like=True)
    amount = MoneyField(positive=True)
    dueDate = StampedDay(source="due_date")
    status = _word(PaymentStatus, required=True)
    paidAmount = _money("paid_amount")
    paidDate = _day("paid_date")
    paymentMethod = _text("payment_method", 100)
    receiptNumber = NumberText(source="receipt_number")
    escrowAccount = NumberText(source="escrow_account")
    notes = _notes()

    class Meta:
        model = Payment
        order = ["position", "id"]
        derived = {"status": standing_sql(Payment)}


def _list(serializer, source):
    # Written out: `many=True` would let items be null as well.
    return _optional(serializers.ListSerializer, child=serializer(), source=source, max_length=MAX_ITEMS)


class ComplianceSerializer(serializers.Serializer):
    """What Saudi law asks of a deal. In bodies objects merge, null clears a part, a list replaces the list."""

    brokerageLicense = _optional(BrokerageLicenseSerializer, source="brokerage_license")
    brokerageContracts = _list(BrokerageContractSerializer, "brokerage_contracts")
    ejarContracts = _list(EjarContractSerializer, "ejar_contracts")
    wafiLicense = _optional(WafiLicenseSerializer, source="wafi_license")
    escrowMilestones = _list(EscrowMilestoneSerializer, "escrow_milestones")
    handoverDefects = _list(HandoverDefectSerializer, "handover_defects")
    sakaniEligibility = _optional(SakaniEligibilitySerializer, source="sakani_eligibility")
    registryInfo = _optional(RegistryInfoSerializer, source="registry_info")
    mortgageInfo = _optional(MortgageInfoSerializer, source="mortgage_info")
    paymentSchedule = _list(PaymentSerializer, "payments")

    class Meta:
        model = Customer


def serializer_of(part):
    """What one object or item of a part looks like."""
    declared = ComplianceSerializer._declared_fields[part.name]
    return type(getattr(declared, "child", declared))


class IssueSerializer(serializers.Serializer):
    """Something that is lawful to store but wants attention."""

    code = serializers.CharField()
    field = serializers.CharField(help_text="As errors name fields: `ksaCompliance.ejarContracts.0.endDate`")
    severity = serializers.ChoiceField(["info", "warning", "critical"])
    message = serializers.CharField()
    messageAr = serializers.CharField()
    itemId = serializers.CharField(required=False)
