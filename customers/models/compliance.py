"""What Saudi law asks of a deal: licences, contracts, escrow, handover, financing and payments of one customer.

Statuses are stored as people set them. What time makes of them (a licence expires, a payment becomes
overdue) is worked out on reading: customers.compliance.standing.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
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
from customers.models.child import CustomerChild, of_customer


def _number():
    """The number of a document or record, as its register writes it."""
    return models.CharField(max_length=50, blank=True)


def _unique_number():
    """A number that no two rows of an organization share; NULL, not empty, where there is none."""
    return models.CharField(max_length=50, null=True, blank=True)


def _title():
    return models.CharField(max_length=500, blank=True)


def _person():
    """The name of a person or company outside the hub."""
    return models.CharField(max_length=255, blank=True)


def _choice(choices, **options):
    return models.CharField(max_length=30, choices=choices, **options)


def _money():
    return models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)


def _percent(**options):
    return models.DecimalField(max_digits=6, decimal_places=3, **options)


def _day():
    return models.DateField(null=True, blank=True)


def _moment():
    return models.DateTimeField(null=True, blank=True)


def _maybe():
    """Yes, no, or nothing said."""
    return models.BooleanField(null=True, blank=True)


def _texts(max_length):
    return ArrayField(models.CharField(max_length=max_length), default=list, blank=True)


def _count():
    return models.PositiveIntegerField(null=True, blank=True)


def _unique_within(organization_or_customer, *columns, name):
    # Compared after each statement, not after each row: items of one list may swap their numbers.
    return models.UniqueConstraint(
        fields=[organization_or_customer, *columns], name=name, deferrable=models.Deferrable.IMMEDIATE
    )


class ComplianceItem(CustomerChild):
    """A row of one of a customer's five lists; `position` keeps the order that people gave them."""

    position = models.PositiveIntegerField(default=0, editable=False)

    class Meta(CustomerChild.Meta):
        abstract = True


class BrokerageLicense(CustomerChild):
    """The FAL licence of a customer who is a broker."""

    id = PrefixedIDField("bl")
    customer = of_customer("brokerage_license", single=True)
    status = _choice(LicenseStatus)
    license_number = _number()
    license_type = _choice(LicenseType, blank=True)
    issued_date = _day()
    expiry_date = _day()
    issued_by = models.CharField(max_length=255, blank=True, default="REGA/FAL")
    verified_at = _moment()
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "brokerage_licenses"
        verbose_name = _("brokerage license")
        verbose_name_plural = _("brokerage licenses")
        indexes = [
            models.Index(
                fields=["organization", "status", "expiry_date", "customer"], name="brokerage_license_standing"
            )
        ]


class BrokerageContract(ComplianceItem):
    """A brokerage contract between the customer and the organization, registered with REGA."""

    id = PrefixedIDField("bc")
    customer = of_customer("brokerage_contracts")
    type = _choice(ContractType)
    status = _choice(ContractStatus, default=ContractStatus.DRAFT)
    contract_number = _unique_number()
    rega_contract_id = _unique_number()
    property_id = _number()
    property_title = _title()
    commission_rate = _percent(null=True, blank=True)
    commission_amount = _money()
    exclusivity_period = models.PositiveSmallIntegerField(null=True, blank=True)  # days
    start_date = models.DateField()
    end_date = _day()
    approved_by = _person()
    approved_at = _moment()
    documents = _texts(50)
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "brokerage_contracts"
        verbose_name = _("brokerage contract")
        verbose_name_plural = _("brokerage contracts")
        constraints = [
            _unique_within("organization", "contract_number", name="brokerage_contract_number_unique"),
            _unique_within("organization", "rega_contract_id", name="brokerage_contract_rega_unique"),
        ]
        indexes = [
            models.Index(fields=["customer", "position", "id"], name="brokerage_contract_list"),
            models.Index(fields=["organization", "status", "customer"], name="brokerage_contract_standing"),
        ]


class EjarContract(ComplianceItem):
    """A lease, as it stands in the Ejar register or should."""

    id = PrefixedIDField("ec")
    customer = of_customer("ejar_contracts")
    ejar_contract_number = _unique_number()
    property_id = _number()
    property_title = _title()
    tenancy_type = _choice(Tenancy)
    status = _choice(EjarStatus)
    start_date = models.DateField()
    end_date = models.DateField()
    monthly_rent = models.DecimalField(max_digits=15, decimal_places=2)
    security_deposit = _money()
    payment_schedule = _choice(RentCycle, blank=True)
    landlord_id = _number()
    landlord_name = _person()
    tenant_name = _person()
    created_in_ejar = models.BooleanField(default=False)
    ejar_created_at = _moment()
    ejar_url = models.URLField(max_length=500, blank=True)
    auto_renewal = _maybe()
    renewal_notification_sent = _maybe()
    documents = _texts(50)
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "ejar_contracts"
        verbose_name = _("Ejar contract")
        verbose_name_plural = _("Ejar contracts")
        constraints = [_unique_within("organization", "ejar_contract_number", name="ejar_contract_number_unique")]
        indexes = [
            models.Index(fields=["customer", "position", "id"], name="ejar_contract_list"),
            models.Index(fields=["organization", "status", "end_date", "customer"], name="ejar_contract_standing"),
        ]


class WafiLicense(CustomerChild):
    """The off-plan project that the customer buys in, and its licence under Wafi."""

    id = PrefixedIDField("wl")
    customer = of_customer("wafi_license", single=True)
    status = _choice(ProjectStatus)
    license_number = _number()
    project_id = _number()
    project_name = _title()
    developer_name = _person()
    issued_date = _day()
    total_units = _count()
    sold_units = _count()
    reserved_units = _count()
    verified_at = _moment()
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "wafi_licenses"
        verbose_name = _("Wafi license")
        verbose_name_plural = _("Wafi licenses")
        indexes = [models.Index(fields=["organization", "status", "customer"], name="wafi_license_standing")]


class EscrowMilestone(ComplianceItem):
    """A part of an off-plan project, for which a share of the escrow account is released."""

    id = PrefixedIDField("em")
    customer = of_customer("escrow_milestones")
    project_id = _number()
    milestone_number = models.PositiveIntegerField()
    title = models.CharField(max_length=500)
    title_en = _title()
    description = models.TextField(blank=True)
    target_date = models.DateField()
    completion_date = _day()
    status = _choice(MilestoneStatus)
    percentage = _percent()
    amount = _money()
    certified_by = _person()
    certified_at = _moment()
    release_requested = _maybe()
    release_approved = _maybe()
    release_date = _day()
    documents = _texts(50)
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "escrow_milestones"
        verbose_name = _("escrow milestone")
        verbose_name_plural = _("escrow milestones")
        constraints = [_unique_within("customer", "project_id", "milestone_number", name="escrow_milestone_unique")]
        indexes = [
            models.Index(fields=["customer", "position", "id"], name="escrow_milestone_list"),
            models.Index(
                fields=["organization", "status", "target_date", "customer"], name="escrow_milestone_standing"
            ),
        ]


class HandoverDefect(ComplianceItem):
    """Something that is wrong with a unit when it is handed over."""

    id = PrefixedIDField("hd")
    customer = of_customer("handover_defects")
    unit_id = _number()
    category = _choice(DefectCategory)
    severity = _choice(DefectSeverity)
    description = models.TextField()
    status = _choice(DefectStatus, default=DefectStatus.OPEN)
    reported_by = _person()
    reported_at = models.DateTimeField()
    assigned_to = _person()
    target_resolution_date = _day()
    resolved_at = _moment()
    photos = _texts(500)
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "handover_defects"
        verbose_name = _("handover defect")
        verbose_name_plural = _("handover defects")
        indexes = [
            models.Index(fields=["customer", "position", "id"], name="handover_defect_list"),
            models.Index(fields=["organization", "status", "severity", "customer"], name="handover_defect_standing"),
        ]


class SakaniEligibility(CustomerChild):
    """Whether the State supports the customer's first home, and with how much."""

    id = PrefixedIDField("se")
    customer = of_customer("sakani_eligibility", single=True)
    status = _choice(SakaniStatus)
    sakani_id = _number()
    eligibility_checked_at = _moment()
    interested_products = ArrayField(_choice(SakaniProduct), default=list, blank=True)
    household_income = _money()  # a month
    household_size = models.PositiveSmallIntegerField(null=True, blank=True)
    first_time_owner = _maybe()
    currently_owns_property = _maybe()
    approved_loan_amount = _money()
    down_payment_support = _money()
    eligibility_notes = models.TextField(blank=True)
    verified_at = _moment()

    class Meta:
        db_table = "sakani_eligibilities"
        verbose_name = _("Sakani eligibility")
        verbose_name_plural = _("Sakani eligibilities")
        indexes = [models.Index(fields=["organization", "status", "customer"], name="sakani_eligibility_standing")]


class RegistryInfo(CustomerChild):
    """The title deed of what the customer bought."""

    id = PrefixedIDField("ri")
    customer = of_customer("registry_info", single=True)
    deed_number = _number()
    registry_office = models.CharField(max_length=255, blank=True)
    registered_owner = _person()
    registration_date = _day()
    verified_at = _moment()
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "registry_infos"
        verbose_name = _("registry information")
        verbose_name_plural = _("registry information")


class MortgageInfo(CustomerChild):
    """How the customer finances the deal."""

    id = PrefixedIDField("mi")
    customer = of_customer("mortgage_info", single=True)
    status = _choice(MortgageStatus)
    financing_type = _choice(Financing, blank=True)
    bank_name = models.CharField(max_length=255, blank=True)
    application_number = _number()
    pre_approved_amount = _money()
    approved_amount = _money()
    interest_rate = _percent(null=True, blank=True)
    loan_tenure = models.PositiveSmallIntegerField(null=True, blank=True)  # years
    monthly_payment = _money()
    down_payment_required = _money()
    down_payment_paid = _money()
    application_date = _day()
    approval_date = _day()
    disbursement_date = _day()
    redf_support = _maybe()
    redf_amount = _money()
    documents = _texts(50)
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "mortgage_infos"
        verbose_name = _("mortgage information")
        verbose_name_plural = _("mortgage information")
        indexes = [models.Index(fields=["organization", "status", "customer"], name="mortgage_info_standing")]


class Payment(ComplianceItem):
    """One payment that the customer owes or has made."""

    id = PrefixedIDField("pay")
    customer = of_customer("payments")
    type = _choice(PaymentType)
    description = models.CharField(max_length=500)
    amount = models.DecimalField(max_digits=15, decimal_places=2)
    due_date = models.DateField()
    status = _choice(PaymentStatus)
    paid_amount = _money()
    paid_date = _day()
    payment_method = models.CharField(max_length=100, blank=True)
    receipt_number = _number()
    escrow_account = _number()
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "payments"
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes = [
            models.Index(fields=["customer", "position", "id"], name="payment_list"),
            models.Index(fields=["organization", "status", "due_date", "customer"], name="payment_standing"),
        ]
