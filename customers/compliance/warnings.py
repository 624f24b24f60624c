"""What is lawful to store and still wants attention: worked out from the stored rows and the day, never stored."""

import re
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from config.api.labels import text_in
from config.arabic import ascii_digits, fold_text
from config.numbers import is_saudi, national_id_kind
from config.places import city_key
from customers.choices import (
    ConsentPurpose,
    ContractStatus,
    EjarStatus,
    Financing,
    LicenseStatus,
    MortgageStatus,
    PaymentStatus,
    PaymentType,
    ProjectStatus,
    SakaniStatus,
)
from customers.compliance import law
from customers.compliance.parts import PARTS, api_name
from customers.compliance.standing import riyadh_day, standing_of
from customers.models import Customer, MortgageInfo, SakaniEligibility

INFO, WARNING, CRITICAL = "info", "warning", "critical"
# How far two amounts may differ that ought to be one.
_TOLERANCE = Decimal("0.01")
_RIYADH = city_key("الرياض")
_EARNEST_MONEY = fold_text("عربون")
_OFF_PLAN = (ProjectStatus.PLANNING, ProjectStatus.LICENSED, ProjectStatus.CONSTRUCTION)
_BEFORE_HANDOVER = (PaymentType.DOWN_PAYMENT, PaymentType.INSTALLMENT)
_NO_LOAN = (MortgageStatus.NOT_APPLIED, MortgageStatus.REJECTED)


class Meaning(NamedTuple):
    """What a code means. Private ones tell of what only callers with `customers.pii` see.

    `otherwise` is its text where not all that `text` names is there.
    """

    severity: str
    text: object
    is_private: bool = False
    otherwise: object = None


MEANINGS = {
    "FAL_NUMBER_FORMAT": Meaning(INFO, _("A FAL license number has ten digits and begins with 11 or 12")),
    "FAL_NUMBER_TYPE": Meaning(INFO, _("The license number is not that of this type of license")),
    "LICENSE_EXPIRED": Meaning(CRITICAL, _("The license expired on %(day)s")),
    "LICENSE_EXPIRES_SOON": Meaning(WARNING, _("The license expires on %(day)s")),
    "CONTRACT_EXPIRED": Meaning(WARNING, _("The brokerage contract ended on %(day)s and is still active")),
    "ACTIVE_WITHOUT_NUMBER": Meaning(
        WARNING, _("An active brokerage contract needs its number or that of its registration with REGA")
    ),
    "COMMISSION_ABOVE_STATUTORY": Meaning(
        WARNING, _("The commission is above %(limit)s percent, which takes an agreement in writing")
    ),
    "COMMISSION_AMOUNT_MISMATCH": Meaning(
        WARNING, _("The commission differs from its rate of the deal value, which is %(amount)s")
    ),
    "EXCLUSIVITY_LONGER_THAN_CONTRACT": Meaning(WARNING, _("The exclusivity lasts longer than the contract")),
    "EJAR_NOT_REGISTERED": Meaning(CRITICAL, _("The lease is active and not registered with Ejar")),
    "EJAR_RENEWAL_WINDOW": Meaning(
        WARNING,
        _("The lease ends on %(day)s; the last day to give notice against its renewal is %(notice)s"),
        otherwise=_("The lease ends on %(day)s"),
    ),
    "RIYADH_RENT_INCREASE": Meaning(
        WARNING, _("Rents in Riyadh must not rise; the rent of the lease before was %(amount)s")
    ),
    "OFFPLAN_PAYMENT_WITHOUT_ESCROW": Meaning(
        CRITICAL, _("Payments for off-plan projects go to the escrow account of the project")
    ),
    "SAKANI_OWNS_PROPERTY": Meaning(WARNING, _("Eligible for Sakani, and owns a property")),
    "SAKANI_NON_SAUDI": Meaning(WARNING, _("Sakani supports Saudi nationals only")),
    "SAKANI_STALE": Meaning(INFO, _("The eligibility was checked more than %(count)d days ago")),
    "DEED_NUMBER_FORMAT": Meaning(INFO, _("A title deed number has 12 digits, or 16 in the real estate registry")),
    "DOWN_PAYMENT_OVERPAID": Meaning(WARNING, _("More was paid down than is required"), is_private=True),
    "DEBT_BURDEN_HIGH": Meaning(
        WARNING, _("The monthly payment is %(share)s percent of the income, above %(limit)s"), is_private=True
    ),
    "LTV_ABOVE_SAMA": Meaning(
        WARNING, _("The loan is %(share)s percent of the price, above %(limit)s"), is_private=True
    ),
    "SCHEDULE_TOTAL_MISMATCH": Meaning(
        WARNING, _("The payments come to %(amount)s, which is not the deal value")
    ),
    "DEPOSIT_ABOVE_5PCT": Meaning(
        WARNING, _("A deposit above %(limit)s percent of the deal counts as a part of the price")
    ),
    "CREDIT_CONSENT_MISSING": Meaning(
        CRITICAL, _("The customer has not agreed to the use of credit data"), is_private=True
    ),
    "NATIONALITY_MISMATCH": Meaning(
        WARNING, _("The national ID and the nationality do not belong together"), is_private=True
    ),
}  # fmt: skip


class Issue(NamedTuple):
    """One warning about one customer; `names` are what its text is filled with."""

    code: str
    field: str
    item_id: str | None
    names: dict

    def as_json(self):
        """As the API shows it: in the language of the request, and in Arabic whatever that is."""
        meaning = MEANINGS[self.code]
        text = meaning.otherwise if None in self.names.values() else meaning.text
        texts = {"message": str(text) % self.names, "messageAr": text_in("ar", text) % self.names}
        item = {"itemId": self.item_id} if self.item_id else {}
        return {"code": self.code, "field": self.field, "severity": meaning.severity, **texts, **item}


def issues_of(customers, today=None):
    """`{customer id: [Issue]}` as of a day in Riyadh, in a number of queries that does not grow with the customers."""
    today = today or riyadh_day()
    wholes = {customer.pk: SimpleNamespace(customer=customer, today=today) for customer in customers}
    agreeing = Customer.objects.filter(pk__in=wholes).having_agreed(ConsentPurpose.CREDIT_DATA)
    for key in agreeing.values_list("pk", flat=True):
        wholes[key].has_agreed_to_credit = True
    for name, part in PARTS.items():
        for whole in wholes.values():
            setattr(whole, name, [])
        rows = part.model.objects.filter(customer__in=wholes)
        for row in rows.order_by("position", "id") if part.is_list else rows:
            getattr(wholes[row.customer_id], name).append(row)
    return {key: list(_found(whole)) for key, whole in wholes.items()}


def shown(issues, employee):
    """Issues as an employee may see them."""
    return [issue.as_json() for issue in issues if not MEANINGS[issue.code].is_private or employee.may("customers.pii")]


def _found(whole):
    for name, part in PARTS.items():
        check = _CHECKS.get(name)
        for place, row in enumerate(getattr(whole, name)) if check else ():
            path = f"ksaCompliance.{part.name}" + (f".{place}" if part.is_list else "")
            for code, column, names in check(row, whole):
                yield Issue(code, f"{path}.{api_name(column)}", row.pk if part.is_list else None, names)
    for code, field, names in _overall(whole):
        yield Issue(code, field, None, names)


# --- One row, within the whole: (code, column, what its text is filled with) --------------------


def _brokerage_license(row, whole):
    number = ascii_digits(row.license_number)
    if number and not re.fullmatch(law.FAL_NUMBER, number):
        yield "FAL_NUMBER_FORMAT", "license_number", {}
    elif number and not number.startswith(law.FAL_PREFIXES.get(row.license_type, "")):
        yield "FAL_NUMBER_TYPE", "license_number", {}
    if row.status == LicenseStatus.ACTIVE and row.expiry_date:
        if row.expiry_date < whole.today:
            yield "LICENSE_EXPIRED", "expiry_date", {"day": row.expiry_date}
        elif row.expiry_date <= whole.today + timedelta(days=law.LICENSE_WARNING_DAYS):
            yield "LICENSE_EXPIRES_SOON", "expiry_date", {"day": row.expiry_date}


def _brokerage_contract(row, whole):
    is_active = row.status == ContractStatus.ACTIVE
    if is_active and row.end_date and row.end_date < whole.today:
        yield "CONTRACT_EXPIRED", "end_date", {"day": row.end_date}
    if is_active and not row.rega_contract_id and not row.contract_number:
        yield "ACTIVE_WITHOUT_NUMBER", "contract_number", {}
    if row.commission_rate is not None and row.commission_rate > law.STATUTORY_COMMISSION:
        yield "COMMISSION_ABOVE_STATUTORY", "commission_rate", {"limit": law.STATUTORY_COMMISSION}
    deal = whole.customer.total_deal_value
    if deal and row.commission_rate is not None and row.commission_amount is not None:
        expected = deal * row.commission_rate / 100
        if _differ(row.commission_amount, expected):
            yield "COMMISSION_AMOUNT_MISMATCH", "commission_amount", {"amount": _plain(expected)}
    if row.exclusivity_period and row.end_date and row.exclusivity_period > (row.end_date - row.start_date).days + 1:
        yield "EXCLUSIVITY_LONGER_THAN_CONTRACT", "exclusivity_period", {}


def _ejar_contract(row, whole):
    standing = standing_of(row, whole.today)
    if standing == EjarStatus.ACTIVE and not row.created_in_ejar:
        yield "EJAR_NOT_REGISTERED", "created_in_ejar", {}
    runs_out = whole.today <= row.end_date <= whole.today + timedelta(days=law.RENEWAL_WARNING_DAYS)
    if standing in (EjarStatus.ACTIVE, EjarStatus.RENEWED) and runs_out:
        last_day = row.end_date - timedelta(days=law.RENEWAL_NOTICE_DAYS)
        notice = last_day if row.auto_renewal is not False and last_day >= whole.today else None
        yield "EJAR_RENEWAL_WINDOW", "end_date", {"day": row.end_date, "notice": notice}
    first, last = law.RIYADH_RENT_FREEZE
    if whole.customer.city_key == _RIYADH and first <= row.start_date <= last:
        before = max(
            (other for other in whole.ejar_contracts if _precedes(other, row)),
            key=lambda other: other.start_date,
            default=None,
        )
        if before and row.monthly_rent > before.monthly_rent:
            yield "RIYADH_RENT_INCREASE", "monthly_rent", {"amount": _plain(before.monthly_rent)}


def _precedes(other, row):
    return row.property_id and other.property_id == row.property_id and other.start_date < row.start_date


def _sakani_eligibility(row, whole):
    nationality, is_eligible = whole.customer.nationality, row.status == SakaniStatus.ELIGIBLE
    if is_eligible and row.currently_owns_property:
        yield "SAKANI_OWNS_PROPERTY", "currently_owns_property", {}
    hopes = is_eligible or row.status == SakaniStatus.PENDING_VERIFICATION
    if hopes and nationality and not is_saudi(nationality):
        yield "SAKANI_NON_SAUDI", "status", {}
    checked = row.eligibility_checked_at
    if is_eligible and checked and riyadh_day(checked) < whole.today - timedelta(days=law.SAKANI_FRESH_DAYS):
        yield "SAKANI_STALE", "eligibility_checked_at", {"count": law.SAKANI_FRESH_DAYS}


def _registry_info(row, whole):
    if row.deed_number and not re.fullmatch(law.DEED_NUMBER, ascii_digits(row.deed_number)):
        yield "DEED_NUMBER_FORMAT", "deed_number", {}


def _mortgage_info(row, whole):
    sakani = whole.sakani_eligibility[0] if whole.sakani_eligibility else None
    required, paid = row.down_payment_required, row.down_payment_paid
    if required is not None and paid is not None and paid > required:
        yield "DOWN_PAYMENT_OVERPAID", "down_payment_paid", {}
    if row.status in _NO_LOAN or row.financing_type == Financing.SELF_FUNDED:
        return
    if row.monthly_payment and sakani and sakani.household_income:
        is_supported = row.redf_support or row.financing_type == Financing.SUBSIDIZED
        limit = law.SUPPORTED_DEBT_BURDEN if is_supported else law.DEBT_BURDEN
        share = 100 * row.monthly_payment / sakani.household_income
        if share > limit:
            yield "DEBT_BURDEN_HIGH", "monthly_payment", {"share": _above(limit, share), "limit": limit}
    column = "approved_amount" if row.approved_amount else "pre_approved_amount"
    loan, down = getattr(row, column), required if required is not None else paid
    if loan and down is not None:
        is_first_home = sakani and sakani.first_time_owner and is_saudi(whole.customer.nationality)
        limit = law.FIRST_HOME_LOAN if is_first_home else law.LARGEST_LOAN
        share = 100 * loan / (loan + down)
        if share > limit:
            yield "LTV_ABOVE_SAMA", column, {"share": _above(limit, share), "limit": limit}


def _payment(row, whole):
    is_off_plan = whole.wafi_license and whole.wafi_license[0].status in _OFF_PLAN
    if row.status == PaymentStatus.CANCELLED:
        return
    if is_off_plan and row.type in _BEFORE_HANDOVER and not row.escrow_account:
        yield "OFFPLAN_PAYMENT_WITHOUT_ESCROW", "escrow_account", {}
    deal = whole.customer.total_deal_value
    is_deposit = row.type == PaymentType.DOWN_PAYMENT and _EARNEST_MONEY in fold_text(row.description)
    if deal and is_deposit and row.amount > deal * law.LARGEST_DEPOSIT / 100:
        yield "DEPOSIT_ABOVE_5PCT", "amount", {"limit": law.LARGEST_DEPOSIT}


_CHECKS = {
    "brokerage_license": _brokerage_license,
    "brokerage_contracts": _brokerage_contract,
    "ejar_contracts": _ejar_contract,
    "sakani_eligibility": _sakani_eligibility,
    "registry_info": _registry_info,
    "mortgage_info": _mortgage_info,
    "payments": _payment,
}


# --- The customer as a whole --------------------------------------------------------------------


def _overall(whole):
    customer = whole.customer
    due = [row.amount for row in whole.payments if row.status != PaymentStatus.CANCELLED]
    if due and customer.total_deal_value and _differ(sum(due), customer.total_deal_value):
        yield "SCHEDULE_TOTAL_MISMATCH", "ksaCompliance.paymentSchedule", {"amount": _plain(sum(due))}
    for part in ("mortgage_info", "sakani_eligibility"):
        if is_credit_data(getattr(whole, part)) and not hasattr(whole, "has_agreed_to_credit"):
            yield "CREDIT_CONSENT_MISSING", f"ksaCompliance.{PARTS[part].name}", {}
    kind = national_id_kind(customer.national_id)
    if kind and customer.nationality and (kind == "citizen") != is_saudi(customer.nationality):
        yield "NATIONALITY_MISMATCH", "nationality", {}


def is_credit_data(rows):
    """Whether rows tell of a customer's loans or income, for which the law asks for a consent (PDPL, art. 24)."""
    return any(
        isinstance(row, MortgageInfo)
        and row.status != MortgageStatus.NOT_APPLIED
        or isinstance(row, SakaniEligibility)
        and row.household_income is not None
        for row in rows
    )


def _differ(amount, expected):
    return abs(amount - expected) > expected * _TOLERANCE


def _plain(amount):
    """A sum of money without needless zeros."""
    return f"{amount:.2f}".removesuffix(".00")


def _above(limit, share):
    """A share that exceeds a limit, with as many digits as it takes to see that."""
    shown = next(shown for digits in range(1, 30) if (shown := round(share, digits)) > limit)
    return f"{shown:f}".removesuffix(".0")
