"""What the day makes of compliance: statuses, filters, numbers and issues, each held against the others."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from config.testing import data_of, error_of, fields_of, make_customer, make_phone, nothing_changes
from customers.compliance.parts import PARTS
from customers.compliance.warnings import MEANINGS
from customers.models import BrokerageLicense, Customer, EjarContract, EscrowMilestone, Payment
from customers.services.compliance import new_rows
from customers.tests.brokerage import listed, total_of
from customers.tests.deals import one_of, place_of, write_whole
from employees.authentication import forget_identities

STATUSES = {
    "brokerageLicenseStatus": ("brokerageLicense", "active expired suspended pending none".split()),
    "brokerageContractStatus": ("brokerageContracts", "draft pending_approval active completed cancelled".split()),
    "ejarContractStatus": ("ejarContracts", "draft pending active expired terminated renewed".split()),
    "wafiProjectStatus": ("wafiLicense", "planning licensed construction completed handed_over".split()),
    "sakaniEligibility": ("sakaniEligibility", "not_checked eligible not_eligible pending_verification".split()),
    "mortgageStatus": (
        "mortgageInfo", "not_applied pre_approved application_submitted approved rejected disbursed".split(),
    ),
}  # fmt: skip
TODAY = date(2030, 3, 1)


@pytest.fixture(autouse=True)
def _last_minute_of_the_first_of_march(clock):
    clock.now = datetime(2030, 3, 1, 20, 59, tzinfo=UTC)


def ending(day):
    """Everything that a day can end."""
    lease = {"startDate": "2029-03-02", "endDate": day, "monthlyRent": 1, "tenancyType": "residential"}
    milestone = {"title": "الهيكل", "targetDate": day, "percentage": 5}
    return {
        "brokerageLicense": {"status": "active", "licenseNumber": "1100012345", "expiryDate": day},
        "ejarContracts": [
            lease | {"status": "active", "autoRenewal": True, "createdInEjar": True, "ejarContractNumber": "E-1"},
            lease | {"status": "active", "autoRenewal": False},
            lease | {"status": "pending"},
        ],
        "escrowMilestones": [
            milestone | {"milestoneNumber": number, "status": status, "certifiedBy": "مكتب"}
            for number, status in enumerate(["pending", "in_progress", "certified"], 1)
        ],
        "paymentSchedule": [
            {"type": "installment", "description": "دفعة", "amount": 10, "dueDate": day, "status": status}
            for status in ("pending", "cancelled")
        ],
    }


def statuses_of(client, customer):
    compliance = data_of(client.get(f"customers/{customer.pk}/compliance"))["ksaCompliance"]
    return {
        name: [row["status"] for row in part] if isinstance(part, list) else part["status"]
        for name, part in compliance.items()
    }, [row["isOverdue"] for row in compliance["escrowMilestones"]]


def test_a_day_ends_at_midnight_in_riyadh_and_only_on_reading(as_, layla, clock):
    client, customer = as_(layla), make_customer(layla)
    data_of(write_whole(client, customer, ending("2030-03-01")))
    before = {
        "brokerageLicense": "active",
        "ejarContracts": ["active", "active", "pending"],
        "escrowMilestones": ["pending", "in_progress", "certified"],
        "paymentSchedule": ["pending", "cancelled"],
    }
    filters = {
        "brokerageLicenseStatus=active": 1,
        "brokerageLicenseStatus=expired": 0,
        "ejarContractStatus=active": 1,
        "ejarContractStatus=renewed": 0,
        "ejarContractStatus=expired": 0,
        "hasEscrowOverdue=true": 0,
        "hasEscrowOverdue=false": 1,
    }
    assert statuses_of(client, customer) == (before, [False, False, False])
    assert {query: len(listed(client, query)) for query in filters} == filters
    clock.move(minutes=1)
    after = {
        "brokerageLicense": "expired",
        "ejarContracts": ["renewed", "expired", "pending"],
        "escrowMilestones": ["overdue", "overdue", "certified"],
        "paymentSchedule": ["overdue", "cancelled"],
    }
    filters = {query: 1 - count for query, count in filters.items()}
    assert statuses_of(client, customer) == (after, [True, True, False])
    assert {query: len(listed(client, query)) for query in filters} == filters
    stored = {
        "brokerageLicense": BrokerageLicense.objects.get().status,
        "ejarContracts": [*EjarContract.objects.order_by("position").values_list("status", flat=True)],
        "escrowMilestones": [*EscrowMilestone.objects.order_by("position").values_list("status", flat=True)],
        "paymentSchedule": [*Payment.objects.order_by("position").values_list("status", flat=True)],
    }
    assert stored == before


def test_a_status_that_time_has_made_is_undone_with_its_reason(as_, layla, clock):
    client, customer = as_(layla), make_customer(layla)
    data_of(write_whole(client, customer, ending("2030-03-01")))
    clock.move(minutes=1)
    (payment, *_others) = data_of(client.get(place_of(customer, "paymentSchedule")))["paymentSchedule"]
    assert payment["status"] == "overdue"
    postponed = data_of(
        client.put(place_of(customer, "paymentSchedule", payment["id"]), payment | {"dueDate": "2030-04-01"})
    )
    assert postponed["payment"]["status"] == "pending"
    chosen = data_of(client.patch(place_of(customer, "paymentSchedule", payment["id"]), {"status": "overdue"}))
    assert chosen["payment"]["status"] == "overdue"


# --- Filters and numbers --------------------------------------------------------------------------


def test_a_milestone_is_late_after_its_target_whatever_somebody_says_of_it(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    late, later = str(TODAY - timedelta(days=1)), str(TODAY)
    cases = [("overdue", later, False), ("overdue", late, True), ("pending", later, False), ("pending", late, True),
             ("certified", late, False), ("released", late, False)]  # fmt: skip
    milestones = [
        one_of("escrowMilestones", status=status, targetDate=day, milestoneNumber=number, percentage=1)
        for number, (status, day, _is_late) in enumerate(cases, 1)
    ]
    data_of(write_whole(client, customer, {"escrowMilestones": milestones}))
    shown = data_of(client.get(f"customers/{customer.pk}"))["customer"]["ksaCompliance"]["escrowMilestones"]
    assert [row["isOverdue"] for row in shown] == [is_late for *_case, is_late in cases]


@pytest.fixture
def brokerage(layla, fatima, ahmed, omar, huda):
    """150 customers of several assignees with random compliance around today."""
    chance = random.Random(20300301)
    owners = (layla, fatima, ahmed, omar, huda, None)
    customers, rows = [], []
    for number in range(150):
        owner = chance.choice(owners)
        deleted = datetime(2030, 1, 1, tzinfo=UTC) if number % 13 == 7 else None
        customer = Customer(
            organization=layla.organization, name=f"عميل {number}", phone=make_phone(), assigned_employee=owner,
            deleted_at=deleted, total_deal_value=chance.choice([None, 1_000_000]),
        )  # fmt: skip
        customers.append(customer)
        rows += new_rows(customer, some_compliance(chance))
    Customer.objects.bulk_create(customers)
    for part in PARTS.values():
        part.model.objects.bulk_create(row for row in rows if type(row) is part.model)
    return {"layla": layla, "fatima": fatima, "ahmed": ahmed, "huda": huda}


def some_compliance(chance):
    def day():
        return TODAY + timedelta(days=chance.choice([-400, -31, -1, 0, 1, 30, 31, 90, 91, 400]))

    def word(name):
        return chance.choice(STATUSES[name][1])

    def some(make, most=3):
        return [make(number) for number in range(1, chance.randrange(most + 1) + 1)]

    values = {
        "brokerage_contracts": some(
            lambda n: {
                "type": "sale", "status": word("brokerageContractStatus"), "start_date": date(2029, 1, 1),
                "commission_rate": chance.choice([None, Decimal(2), Decimal("2.5")]),
                "commission_amount": chance.choice([None, Decimal("1000.5")]),
            }
        ),
        "ejar_contracts": some(
            lambda n: {
                "tenancy_type": "residential", "status": word("ejarContractStatus"), "start_date": date(2028, 1, 1),
                "end_date": day(), "monthly_rent": Decimal(chance.randrange(1, 9)),
                "auto_renewal": chance.choice([True, False, None]),
            }
        ),
        "escrow_milestones": some(
            lambda n: {
                "milestone_number": n, "title": "مرحلة", "target_date": day(), "percentage": Decimal(10),
                "status": chance.choice("pending in_progress certified released overdue".split()),
                "certified_by": "مكتب", "release_requested": True, "release_approved": True,
                "amount": chance.choice([None, Decimal(500)]),
            }
        ),
        "handover_defects": some(
            lambda n: {
                "category": "other", "severity": chance.choice("critical major minor".split()), "description": "خدش",
                "status": chance.choice("open in_progress resolved deferred".split()),
            },
            most=1,
        ),
        "payments": some(
            lambda n: {
                "type": "installment", "description": "دفعة", "amount": Decimal(100), "due_date": day(),
                "status": chance.choice("pending paid overdue cancelled".split()), "paid_date": TODAY,
                "paid_amount": chance.choice([None, Decimal(80)]),
            }
        ),
    }  # fmt: skip
    objects = {
        "brokerage_license": {"status": word("brokerageLicenseStatus"), "license_number": "1", "expiry_date": day()},
        "wafi_license": {
            "status": word("wafiProjectStatus"), "license_number": "W", "project_id": chance.choice("ABC"),
            "total_units": 10, "sold_units": 4,
        },
        "sakani_eligibility": {"status": word("sakaniEligibility")},
        "mortgage_info": {
            "status": word("mortgageStatus"), "approved_amount": Decimal(700), "disbursement_date": TODAY,
        },
    }  # fmt: skip
    return values | {name: body for name, body in objects.items() if chance.random() < 0.6}


def has_status(row, name, words):
    part = row.get("ksaCompliance", {}).get(STATUSES[name][0], [])
    return any(item["status"] in words for item in (part if isinstance(part, list) else [part]))


def is_escrow_overdue(row):
    return any(item["isOverdue"] for item in row.get("ksaCompliance", {}).get("escrowMilestones", []))


def test_a_filter_finds_exactly_the_customers_whose_shown_compliance_says_so(as_, brokerage):
    chance = random.Random(7)
    for person in brokerage.values():
        client = as_(person)
        rows = listed(client, "include=ksaCompliance")
        sees_all = person.role != "viewer"
        for name, (_part, choices) in STATUSES.items():
            if name == "mortgageStatus" and not sees_all:
                error = error_of(client.get("customers", {name: "approved"}), 403, "PERMISSION_DENIED")
                assert error["details"]["requiredPermission"] == "customers.pii"
                continue
            for words in ([word] for word in choices) if sees_all else [choices[:2]]:
                found = {row["id"] for row in listed(client, f"{name}={','.join(words)}&fields=id")}
                assert found == {row["id"] for row in rows if has_status(row, name, words)}, (name, words)
        for value, is_true in (("true", True), ("false", False)):
            found = {row["id"] for row in listed(client, f"hasEscrowOverdue={value}")}
            assert found == {row["id"] for row in rows if is_escrow_overdue(row) is is_true}
            found = {row["id"] for row in listed(client, f"hasHandoverDefects={value}")}
            with_defects = {row["id"] for row in rows if "handoverDefects" in row.get("ksaCompliance", {})}
            assert found == (with_defects if is_true else {row["id"] for row in rows} - with_defects)
    asked = [
        {"ejarContractStatus": "renewed"},
        {"brokerageLicenseStatus": {"nin": ["expired", "none"]}, "wafiProjectStatus": None},
        {"or": [{"mortgageStatus": ["approved"]}, {"sakaniEligibility": {"ne": "eligible"}}]},
        {"paidAmount": {"gte": 160}},
        {"paidAmount": None},
    ]
    client = as_(brokerage["layla"])
    rows = listed(client, "include=ksaCompliance")
    expected = [
        [row for row in rows if has_status(row, "ejarContractStatus", ["renewed"])],
        [row for row in rows if not has_status(row, "brokerageLicenseStatus", ["expired", "none"])
         and "wafiLicense" not in row.get("ksaCompliance", {})],
        [row for row in rows if has_status(row, "mortgageStatus", ["approved"])
         or not has_status(row, "sakaniEligibility", ["eligible"])],
        [row for row in rows if row.get("paidAmount", 0) >= 160],
        [row for row in rows if "paidAmount" not in row],
    ]  # fmt: skip
    for filters, those in zip(asked, expected, strict=True):
        page = data_of(client.post("customers/query", {"filters": filters, "limit": 100}))
        assert page["pagination"]["totalItems"] == len(those) > 0, filters
        assert {row["id"] for row in page["customers"]} <= {row["id"] for row in those}
    private = as_(brokerage["huda"]).post("customers/query", {"filters": {"mortgageStatus": "approved"}})
    assert error_of(private, 400)["details"][0]["field"] == "filters.mortgageStatus"
    for _number in range(15):  # several filters together, as any of us
        client = as_(brokerage["fatima"])
        rows = listed(client, "include=ksaCompliance")
        asked = {name: chance.sample(STATUSES[name][1], 2) for name in chance.sample(list(STATUSES), 2)}
        query = "&".join(f"{name}={','.join(words)}" for name, words in asked.items())
        expected = {row["id"] for row in rows if all(has_status(row, name, words) for name, words in asked.items())}
        assert {row["id"] for row in listed(client, query)} == expected


def test_every_number_is_that_of_the_list(as_, brokerage):
    for person in brokerage.values():
        client = as_(person)
        rows = [row.get("ksaCompliance", {}) for row in listed(client, "include=ksaCompliance")]
        deals = [row.get("totalDealValue") for row in listed(client)]
        stats = data_of(client.get("customers/stats/compliance"))["stats"]
        sees_all = person.role != "viewer"
        assert ("mortgageStatus" in stats["customers"]) is ("totalMortgageAmount" in stats) is sees_all
        if sees_all:
            for name, choices in stats["customers"].items():
                if isinstance(choices, dict):
                    assert choices == {word: total_of(client, **{name: word}) for word in STATUSES[name][1]}
                else:
                    assert choices == total_of(client, **{name: "true"})
        expected = plain_numbers(rows, deals) if sees_all else without_mortgages(plain_numbers(rows, deals))
        assert {name: pytest.approx(number) for name, number in expected.items()} == {
            name: number for name, number in stats.items() if name != "customers" and not name.endswith("Units")
        }


def without_mortgages(numbers):
    return {name: number for name, number in numbers.items() if "ortgage" not in name}


def plain_numbers(rows, deals):
    def items(name):
        parts = [row.get(name, []) for row in rows]
        return [item for part in parts for item in (part if isinstance(part, list) else [part])]

    def count(name, *words, key="status"):
        return sum(item[key] in words for item in items(name))

    def within(item, column, days):
        day = date.fromisoformat(item[column][:10])
        return TODAY <= day <= TODAY + timedelta(days=days)

    licenses, leases, defects, payments = map(
        items, ("brokerageLicense", "ejarContracts", "handoverDefects", "paymentSchedule")
    )
    milestones = items("escrowMilestones")
    in_force = [lease for lease in leases if lease["status"] in ("active", "renewed")]
    owed = [payment for payment in payments if payment["status"] != "cancelled"]
    paid = [payment for payment in payments if payment["status"] == "paid"]
    requested = [row for row in milestones if row["status"] == "certified" and row.get("releaseRequested")]
    projects = {(row["wafiLicense"]["projectId"], row["wafiLicense"]["status"]) for row in rows if "wafiLicense" in row}
    unresolved = [defect for defect in defects if defect["status"] in ("open", "in_progress")]
    commission = sum(
        contract.get("commissionAmount", contract.get("commissionRate", 0) * (deal or 0) / 100)
        for row, deal in zip(rows, deals, strict=True)
        for contract in row.get("brokerageContracts", [])
        if contract["status"] in ("active", "completed")
    )
    scheduled = sum(payment["amount"] for payment in owed)
    received = sum(payment.get("paidAmount", payment["amount"]) for payment in paid)

    def amounts(part):
        return sum(item.get("amount", 0) for item in part)

    def of_status(part, word):
        return [item for item in part if item["status"] == word]

    return {
        **{f"{word}Licenses": count("brokerageLicense", word)
           for word in ("active", "expired", "suspended", "pending")},
        "expiringLicenses": sum(row["status"] == "active" and within(row, "expiryDate", 30) for row in licenses),
        "totalBrokerageContracts": len(items("brokerageContracts")),
        "pendingBrokerageContracts": count("brokerageContracts", "pending_approval"),
        **{f"{word}BrokerageContracts": count("brokerageContracts", word)
           for word in ("draft", "active", "completed", "cancelled")},
        "totalCommission": commission,
        "totalEjarContracts": len(leases),
        **{f"{word}EjarContracts": count("ejarContracts", word)
           for word in ("draft", "pending", "active", "renewed", "expired", "terminated")},
        "expiringEjarContracts": sum(within(lease, "endDate", 90) for lease in in_force),
        "unregisteredEjarContracts": count("ejarContracts", "active"),
        "totalMonthlyRent": sum(lease["monthlyRent"] for lease in in_force),
        "totalWafiProjects": len({project for project, _status in projects}),
        **{name: sum(status == word for _project, status in projects) for name, word in (
            ("planningWafiProjects", "planning"), ("licensedWafiProjects", "licensed"),
            ("constructionWafiProjects", "construction"), ("completedWafiProjects", "completed"),
            ("handedOverWafiProjects", "handed_over"))},
        "totalMilestones": len(milestones),
        **{f"{name}Milestones": count("escrowMilestones", word) for name, word in (
            ("pending", "pending"), ("inProgress", "in_progress"), ("certified", "certified"),
            ("released", "released"), ("overdue", "overdue"))},
        "pendingReleases": len(requested),
        "pendingReleaseAmount": amounts(requested),
        "releasedAmount": amounts(of_status(milestones, "released")),
        "totalEscrowAmount": amounts(milestones),
        "totalDefects": len(defects),
        "openDefects": len(unresolved),
        "criticalDefects": sum(defect["severity"] == "critical" for defect in unresolved),
        "resolvedDefects": count("handoverDefects", "resolved"),
        "deferredDefects": count("handoverDefects", "deferred"),
        **{f"sakani{name}": count("sakaniEligibility", word) for name, word in (
            ("Eligible", "eligible"), ("NotEligible", "not_eligible"), ("NotChecked", "not_checked"),
            ("PendingVerification", "pending_verification"))},
        **{f"{name}Mortgages": count("mortgageInfo", word) for name, word in (
            ("preApproved", "pre_approved"), ("submitted", "application_submitted"), ("approved", "approved"),
            ("rejected", "rejected"), ("disbursed", "disbursed"))},
        "totalMortgageAmount": 700 * count("mortgageInfo", "approved", "disbursed"),
        "totalPayments": len(owed),
        **{f"{word}Payments": count("paymentSchedule", word) for word in ("paid", "pending", "overdue")},
        "scheduledAmount": scheduled,
        "paidAmount": received,
        "pendingAmount": amounts(of_status(payments, "pending")),
        "overdueAmount": amounts(of_status(payments, "overdue")),
        "paymentCompletionRate": round(100 * received / scheduled, 1) if scheduled else 0,
    }  # fmt: skip


def test_the_units_of_a_project_count_once_as_they_were_written_last(as_, layla, clock):
    client = as_(layla)
    for sold, project in ((10, "P-1"), (25, "P-1"), (3, None), (4, None)):
        body = one_of("wafiLicense", soldUnits=sold, projectId=project)
        clock.move(minutes=1)
        data_of(client.patch(place_of(make_customer(layla), "wafiLicense"), body))
    stats = data_of(client.get("customers/stats/compliance"))["stats"]
    assert (stats["totalWafiProjects"], stats["constructionWafiProjects"]) == (3, 3)
    assert (stats["totalUnits"], stats["soldUnits"], stats["reservedUnits"]) == (360, 32, 45)


def test_numbers_of_nothing_are_zeros_and_may_be_those_of_some_assignees(as_, layla, ahmed):
    client = as_(layla)
    stats = data_of(client.get("customers/stats/compliance"))["stats"]
    assert {number for name, number in stats.items() if name != "customers"} == {0}
    data_of(write_whole(client, make_customer(ahmed), ending("2030-04-01")))
    data_of(client.patch(place_of(make_customer(layla), "brokerageLicense"), {"status": "pending"}))
    stats = data_of(client.get("customers/stats/compliance", {"assignedEmployeeId": ahmed.pk}))["stats"]
    assert (stats["activeLicenses"], stats["expiringLicenses"], stats["pendingLicenses"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("brokerageLicenseStatus=valid", "active, expired, suspended, pending, none"),
        ("hasEscrowOverdue=maybe", "true or false"),
        ("hasHandoverDefects=2", "true or false"),
    ],
)
def test_a_wrong_word_is_named(as_, layla, query, hint):
    (detail,) = error_of(as_(layla).get(f"customers?{query}"), 400, "VALIDATION_ERROR")["details"]
    assert detail["field"] == query.partition("=")[0] and hint in detail["message"]


def test_searches_take_the_filters_and_claimable_customers_do_not(as_, layla, ahmed):
    client = as_(layla)
    customer = make_customer(layla, name="سارة القحطاني")
    data_of(write_whole(client, customer, ending("2030-04-01")))
    for status, count in (("active", 1), ("expired", 0)):
        body = {"query": "سارة", "filters": {"brokerageLicenseStatus": [status]}}
        assert data_of(client.post("customers/search", body))["total"] == count
    claimable = "customers?assignedEmployeeId=unassigned"
    assert [row["id"] for row in data_of(as_(ahmed).get(claimable))["customers"]] == [customer.pk]
    for name in ("brokerageLicenseStatus", "brokerageLicenseStatus[]"):
        assert fields_of(as_(ahmed).get(f"{claimable}&{name}=expired")) == ["brokerageLicenseStatus"]


# --- Issues ----------------------------------------------------------------------------------------

_LEASE = {
    "tenancyType": "residential", "status": "active", "startDate": "2029-03-02", "endDate": "2031-03-01",
    "monthlyRent": 4000, "createdInEjar": True, "ejarContractNumber": "E-1",
}  # fmt: skip
_PAYMENT = {"type": "other", "description": "دفعة", "amount": 1000, "dueDate": "2031-01-01", "status": "pending"}
_LICENSE = {"status": "active", "licenseNumber": "1100012345"}
_CONTRACT = {"type": "sale", "status": "active", "startDate": "2030-01-01", "contractNumber": "C-1"}
_MORTGAGE = {"status": "pre_approved"}
_SAKANI = {"status": "eligible", "eligibilityCheckedAt": "2030-02-01T00:00:00Z"}

# code, the customer, its compliance, the field; and the same but for the issue
ISSUES = [
    ("FAL_NUMBER_FORMAT", {}, {"brokerageLicense": _LICENSE | {"licenseNumber": "FL-1"}},
     "brokerageLicense.licenseNumber", {"brokerageLicense": _LICENSE | {"licenseNumber": "١١٠٠٠١٢٣٤٥"}}),
    ("FAL_NUMBER_TYPE", {}, {"brokerageLicense": _LICENSE | {"licenseType": "establishment"}},
     "brokerageLicense.licenseNumber", {"brokerageLicense": _LICENSE | {"licenseType": "individual"}}),
    ("LICENSE_EXPIRED", {}, {"brokerageLicense": _LICENSE | {"expiryDate": "2030-02-28"}},
     "brokerageLicense.expiryDate", {"brokerageLicense": _LICENSE | {"expiryDate": "2030-04-01"}}),
    ("LICENSE_EXPIRES_SOON", {}, {"brokerageLicense": _LICENSE | {"expiryDate": "2030-03-31"}},
     "brokerageLicense.expiryDate", {"brokerageLicense": _LICENSE | {"expiryDate": "2030-04-01"}}),
    ("CONTRACT_EXPIRED", {}, {"brokerageContracts": [_CONTRACT | {"endDate": "2030-02-28"}]},
     "brokerageContracts.0.endDate", {"brokerageContracts": [_CONTRACT | {"endDate": "2030-03-01"}]}),
    ("ACTIVE_WITHOUT_NUMBER", {}, {"brokerageContracts": [_CONTRACT | {"contractNumber": ""}]},
     "brokerageContracts.0.contractNumber",
     {"brokerageContracts": [_CONTRACT | {"contractNumber": "", "regaContractId": "R-1"}]}),
    ("COMMISSION_ABOVE_STATUTORY", {}, {"brokerageContracts": [_CONTRACT | {"commissionRate": 2.501}]},
     "brokerageContracts.0.commissionRate", {"brokerageContracts": [_CONTRACT | {"commissionRate": 2.5}]}),
    ("COMMISSION_AMOUNT_MISMATCH", {"total_deal_value": 1_000_000},
     {"brokerageContracts": [_CONTRACT | {"commissionRate": 2, "commissionAmount": 20200.01}]},
     "brokerageContracts.0.commissionAmount",
     {"brokerageContracts": [_CONTRACT | {"commissionRate": 2, "commissionAmount": 20200}]}),
    ("EXCLUSIVITY_LONGER_THAN_CONTRACT", {},
     {"brokerageContracts": [_CONTRACT | {"endDate": "2030-03-31", "exclusivityPeriod": 91}]},
     "brokerageContracts.0.exclusivityPeriod",
     {"brokerageContracts": [_CONTRACT | {"endDate": "2030-03-31", "exclusivityPeriod": 90}]}),
    ("EJAR_NOT_REGISTERED", {}, {"ejarContracts": [_LEASE | {"createdInEjar": False}]},
     "ejarContracts.0.createdInEjar", {"ejarContracts": [_LEASE]}),
    ("EJAR_RENEWAL_WINDOW", {}, {"ejarContracts": [_LEASE | {"endDate": "2030-05-30"}]},
     "ejarContracts.0.endDate", {"ejarContracts": [_LEASE | {"endDate": "2030-05-31"}]}),
    ("RIYADH_RENT_INCREASE", {"city": "Riyadh"},
     {"ejarContracts": [
         _LEASE | {"propertyId": "p", "endDate": "2030-02-28", "status": "expired"},
         _LEASE | {"propertyId": "p", "startDate": "2030-03-01", "monthlyRent": 4001, "ejarContractNumber": "E-2"}]},
     "ejarContracts.1.monthlyRent",
     {"ejarContracts": [
         _LEASE | {"propertyId": "p", "endDate": "2030-02-28", "status": "expired"},
         _LEASE | {"propertyId": "p", "startDate": "2030-03-01", "ejarContractNumber": "E-2"}]}),
    ("OFFPLAN_PAYMENT_WITHOUT_ESCROW", {},
     {"wafiLicense": {"status": "planning"}, "paymentSchedule": [_PAYMENT | {"type": "installment"}]},
     "paymentSchedule.0.escrowAccount",
     {"wafiLicense": {"status": "planning"},
      "paymentSchedule": [_PAYMENT | {"type": "installment", "escrowAccount": "ESC"}]}),
    ("SAKANI_OWNS_PROPERTY", {}, {"sakaniEligibility": _SAKANI | {"currentlyOwnsProperty": True}},
     "sakaniEligibility.currentlyOwnsProperty", {"sakaniEligibility": _SAKANI | {"currentlyOwnsProperty": False}}),
    ("SAKANI_NON_SAUDI", {"nationality": "Egyptian"}, {"sakaniEligibility": _SAKANI}, "sakaniEligibility.status",
     {"sakaniEligibility": {"status": "not_eligible"}}),
    ("SAKANI_STALE", {}, {"sakaniEligibility": _SAKANI | {"eligibilityCheckedAt": "2029-09-01T20:59:59Z"}},
     "sakaniEligibility.eligibilityCheckedAt",
     {"sakaniEligibility": _SAKANI | {"eligibilityCheckedAt": "2029-09-01T21:00:00Z"}}),
    ("DEED_NUMBER_FORMAT", {}, {"registryInfo": {"deedNumber": "صك-789"}}, "registryInfo.deedNumber",
     {"registryInfo": {"deedNumber": "123456789012"}}),
    ("DOWN_PAYMENT_OVERPAID", {},
     {"mortgageInfo": {"status": "not_applied", "downPaymentRequired": 100, "downPaymentPaid": 101}},
     "mortgageInfo.downPaymentPaid",
     {"mortgageInfo": {"status": "not_applied", "downPaymentRequired": 100, "downPaymentPaid": 100}}),
    ("DEBT_BURDEN_HIGH", {},
     {"sakaniEligibility": {"status": "not_checked", "householdIncome": 10000},
      "mortgageInfo": _MORTGAGE | {"monthlyPayment": 5501}}, "mortgageInfo.monthlyPayment",
     {"sakaniEligibility": {"status": "not_checked", "householdIncome": 10000},
      "mortgageInfo": _MORTGAGE | {"monthlyPayment": 6500, "redfSupport": True}}),
    ("LTV_ABOVE_SAMA", {"nationality": "سعودي"},
     {"mortgageInfo": _MORTGAGE | {"preApprovedAmount": 701, "downPaymentRequired": 299}},
     "mortgageInfo.preApprovedAmount",
     {"sakaniEligibility": {"status": "not_checked", "firstTimeOwner": True},
      "mortgageInfo": _MORTGAGE | {"preApprovedAmount": 900, "downPaymentRequired": 100}}),
    ("SCHEDULE_TOTAL_MISMATCH", {"total_deal_value": 1000}, {"paymentSchedule": [_PAYMENT | {"amount": 989}]},
     "paymentSchedule", {"paymentSchedule": [_PAYMENT | {"amount": 990}]}),
    ("DEPOSIT_ABOVE_5PCT", {"total_deal_value": 1000},
     {"paymentSchedule": [_PAYMENT | {"type": "down_payment", "description": "العربون", "amount": 50.01},
                          _PAYMENT | {"amount": 950}]},
     "paymentSchedule.0.amount",
     {"paymentSchedule": [_PAYMENT | {"type": "down_payment", "description": "العربون", "amount": 50},
                          _PAYMENT | {"amount": 950}]}),
    ("CREDIT_CONSENT_MISSING", {}, {"mortgageInfo": _MORTGAGE}, "mortgageInfo",
     {"mortgageInfo": {"status": "not_applied"}}),
    ("NATIONALITY_MISMATCH", {"national_id": "2000000006", "nationality": "Saudi"}, {}, "nationality", None),
]  # fmt: skip


def issues_of(client, customer):
    return data_of(client.get(f"customers/{customer.pk}/compliance"))["issues"]


@pytest.mark.parametrize(("code", "values", "compliance", "field", "without"), ISSUES, ids=[row[0] for row in ISSUES])
def test_an_issue_is_told_of_in_both_languages_and_ends_with_its_reason(
    as_, layla, huda, code, values, compliance, field, without
):
    client = as_(layla)
    customer = make_customer(layla, assigned_employee_id=huda.pk, **values)
    if code != "CREDIT_CONSENT_MISSING":
        agree_to_credit(client, customer)
    if compliance:
        data_of(write_whole(client, customer, compliance))
    (issue,) = issues_of(client, customer)
    meaning = MEANINGS[code]
    assert issue["code"] == code and issue["severity"] == meaning.severity
    assert issue["field"] == (f"ksaCompliance.{field}" if compliance else field)
    texts = {"message": "en", "messageAr": "ar"}
    for key, language in texts.items():
        with translation.override(language):
            beginning = str(meaning.text).partition("%")[0]
        assert issue[key].startswith(beginning) and "%(" not in issue[key]
    place = field.split(".")
    if len(place) == 3:
        item = data_of(client.get(f"customers/{customer.pk}"))["customer"]["ksaCompliance"][place[0]][int(place[1])]
        assert issue["itemId"] == item["id"]
    assert (issues_of(as_(huda), customer) == []) is meaning.is_private
    if without:
        data_of(write_whole(client, customer, dict.fromkeys(compliance)))
        assert data_of(write_whole(client, customer, without))["customer"]["ksaCompliance"].keys() == without.keys()
        assert code not in {issue["code"] for issue in issues_of(client, customer)}


def agree_to_credit(client, customer):
    body = {"purpose": "credit_data", "status": "granted"}
    data_of(client.post(f"customers/{customer.pk}/consents", body), 201)


def test_a_strict_organization_asks_for_consent_before_credit_data_and_for_agreements_in_writing(
    as_, layla, organization
):
    organization.gate_preset = "strict"
    organization.save()
    forget_identities()
    client, customer = as_(layla), make_customer(layla)
    mortgage = {"mortgageInfo": _MORTGAGE}
    with nothing_changes():
        assert fields_of(write_whole(client, customer, mortgage), 422) == ["ksaCompliance.mortgageInfo"]
        income = {"status": "eligible", "householdIncome": 20000}
        error_of(client.patch(place_of(customer, "sakaniEligibility"), income), 422)
        commission = {"brokerageContracts": [one_of("brokerageContracts", commissionRate=3)]}
        assert fields_of(write_whole(client, customer, commission), 422) == [
            "ksaCompliance.brokerageContracts.0.commissionRate"
        ]
    agree_to_credit(client, customer)
    data_of(write_whole(client, customer, mortgage))
    data_of(client.patch(place_of(customer, "sakaniEligibility"), income))
    data_of(write_whole(client, customer, {"brokerageContracts": [one_of("brokerageContracts", commissionRate=2.5)]}))


def test_every_code_has_its_case():
    assert {row[0] for row in ISSUES} == MEANINGS.keys()


def test_what_an_issue_says_is_filled_with_the_days_and_amounts_that_matter(as_, layla):
    client, customer = as_(layla), make_customer(layla, total_deal_value=1000)
    agree_to_credit(client, customer)
    body = {
        "brokerageLicense": _LICENSE | {"expiryDate": "2030-02-28"},
        "ejarContracts": [_LEASE | {"endDate": "2030-05-30"}],
        "mortgageInfo": _MORTGAGE | {"preApprovedAmount": 755, "downPaymentRequired": 245},
        "paymentSchedule": [_PAYMENT | {"amount": 900.5}],
    }
    data_of(write_whole(client, customer, body))
    assert [issue["message"] for issue in issues_of(client, customer)] == [
        "The license expired on 2030-02-28",
        "The lease ends on 2030-05-30; the last day to give notice against its renewal is 2030-03-31",
        "The loan is 75.5 percent of the price, above 70",
        "The payments come to 900.50, which is not the deal value",
    ]


@pytest.mark.parametrize(
    ("lease", "message"),
    [
        ({"endDate": "2030-04-30"}, "The lease ends on 2030-04-30; the last day to give notice against its renewal is "
         "2030-03-01"),
        ({"endDate": "2030-04-29"}, "The lease ends on 2030-04-29"),
        ({"endDate": "2030-05-30", "autoRenewal": False}, "The lease ends on 2030-05-30"),
    ],
)  # fmt: skip
def test_notice_is_spoken_of_while_it_can_be_given(as_, layla, lease, message):
    client, customer = as_(layla), make_customer(layla)
    data_of(write_whole(client, customer, {"ejarContracts": [_LEASE | {"autoRenewal": True} | lease]}))
    assert [issue["message"] for issue in issues_of(client, customer)] == [message]


def test_a_share_has_as_many_digits_as_show_that_it_is_above_its_limit(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    agree_to_credit(client, customer)
    for loan, share in (("700.00", None), ("700.01", "70.0003"), ("701.00", "70.03"), ("800.00", "72.7")):
        body = {"mortgageInfo": _MORTGAGE | {"preApprovedAmount": loan, "downPaymentRequired": 300}}
        data_of(write_whole(client, customer, body))
        message = f"The loan is {share} percent of the price, above 70"
        assert [issue["message"] for issue in issues_of(client, customer)] == ([message] if share else [])


def test_writes_answer_with_the_issues_that_they_leave(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    place = place_of(customer, "brokerageLicense")
    expired = data_of(client.patch(place, _LICENSE | {"expiryDate": "2030-02-28"}))
    assert [issue["code"] for issue in expired["issues"]] == ["LICENSE_EXPIRED"]
    assert data_of(client.patch(place, {"expiryDate": "2031-02-28"}))["issues"] == []
    added = data_of(client.post(place_of(customer, "ejarContracts"), _LEASE | {"createdInEjar": False}), 201)
    assert [(issue["code"], issue["itemId"]) for issue in added["issues"]] == [
        ("EJAR_NOT_REGISTERED", added["ejarContract"]["id"])
    ]
    removed = data_of(client.delete(place_of(customer, "ejarContracts", added["ejarContract"]["id"])))
    assert removed["issues"] == []
