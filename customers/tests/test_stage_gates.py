"""What has to be there before a customer enters a stage: thirteen gates, as each organization wants them."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from config.testing import data_of, error_of, make_customer, nothing_changes
from customers.choices import STAGE_RANK, Stage
from customers.models import (
    BrokerageContract,
    Customer,
    EjarContract,
    HandoverDefect,
    MortgageInfo,
    Payment,
    RegistryInfo,
    StageChange,
    WafiLicense,
)
from employees.authentication import forget_identities
from employees.choices import GateRule

STAGES = list(Stage.values)


def today():
    return timezone.localdate()


def give(customer, model, **values):
    return model.objects.create(organization_id=customer.organization_id, customer=customer, **values)


def set_up(organization, **values):
    for name, value in values.items():
        setattr(organization, name, value)
    organization.save()
    forget_identities()


@pytest.fixture
def licensed(organization):
    set_up(organization, fal_license_number="1200012345", fal_license_expiry=today())
    return organization


@pytest.fixture
def complete(licensed, ahmed):
    """A customer who lacks nothing on the way to the end of a purchase."""
    preferences = {"propertyType": ["villa"], "purpose": "buy"}
    customer = make_customer(ahmed, national_id="1000000008", preferences=preferences)
    give(customer, BrokerageContract, type="sale", status="active", contract_number="BC-1", start_date=today())
    give(customer, Payment, type="down_payment", description="الدفعة الأولى", amount=100_000, due_date=today(),
         status="paid", paid_date=today())  # fmt: skip
    give(customer, MortgageInfo, status="approved", approved_amount=900_000)
    give(customer, RegistryInfo, deed_number="310123456789")
    give(customer, HandoverDefect, category="other", severity="critical", description="تسرب", status="resolved",
         reported_at=timezone.now())  # fmt: skip
    return customer


def put(customer, **columns):
    Customer.objects.filter(pk=customer.pk).update(**columns)


def rents(customer, **lease):
    put(customer, preferences={"propertyType": ["villa"], "preferredAreas": [], "purpose": "rent"})
    if lease:
        standard = {"tenancy_type": "residential", "status": "active", "start_date": date(2020, 1, 1),
                    "end_date": today(), "monthly_rent": 5000, "created_in_ejar": True,
                    "ejar_contract_number": "EJ-1"}  # fmt: skip
        give(customer, EjarContract, **(standard | lease))


def buys_off_plan(customer, status, escrow):
    give(customer, WafiLicense, status=status, license_number="WF-1")
    customer.payments.update(escrow_account=escrow)


# What makes the complete customer fail one rule: before which stage, at which field.
SPOILED = {
    "QUALIFIED_NEEDS_PREFERENCES": (
        "qualified",
        "preferences.propertyType",
        lambda c: put(c, preferences={"propertyType": [], "preferredAreas": [], "purpose": "buy"}),
    ),
    "ORG_LICENSE_INVALID": (
        "negotiation",
        "organization.falLicenseNumber",
        lambda c: set_up(c.organization, fal_license_expiry=today() - timedelta(days=1)),
    ),
    "BROKERAGE_CONTRACT_REQUIRED": (
        "contract_prep",
        "ksaCompliance.brokerageContracts",
        lambda c: c.brokerage_contracts.update(status="pending_approval"),
    ),
    "BROKERAGE_CONTRACT_NUMBER_REQUIRED": (
        "contract_prep",
        "ksaCompliance.brokerageContracts.contractNumber",
        lambda c: c.brokerage_contracts.update(contract_number=None),
    ),
    "IDENTITY_REQUIRED": ("contract_prep", "nationalId", lambda c: put(c, national_id="")),
    "WAFI_LICENSE_REQUIRED": (
        "down_payment",
        "ksaCompliance.wafiLicense.status",
        lambda c: buys_off_plan(c, "planning", "ESC-1"),
    ),
    "ESCROW_ACCOUNT_REQUIRED": (
        "down_payment",
        "ksaCompliance.paymentSchedule.escrowAccount",
        lambda c: buys_off_plan(c, "licensed", ""),
    ),
    "PAYMENT_SCHEDULE_REQUIRED": (
        "down_payment",
        "ksaCompliance.paymentSchedule",
        lambda c: c.payments.update(status="cancelled"),
    ),
    "EJAR_CONTRACT_REQUIRED": (
        "closing",
        "ksaCompliance.ejarContracts",
        lambda c: rents(c, end_date=today() - timedelta(days=1), auto_renewal=False),
    ),
    "MORTGAGE_NOT_APPROVED": (
        "closing",
        "ksaCompliance.mortgageInfo.status",
        lambda c: MortgageInfo.objects.filter(customer=c).update(status="rejected"),
    ),
    "DOWN_PAYMENT_OUTSTANDING": (
        "closing",
        "ksaCompliance.paymentSchedule",
        lambda c: c.payments.update(status="pending"),
    ),
    "DEED_REQUIRED": (
        "post_sale",
        "ksaCompliance.registryInfo.deedNumber",
        lambda c: RegistryInfo.objects.filter(customer=c).update(deed_number=""),
    ),
    "CRITICAL_DEFECTS_OPEN": (
        "post_sale",
        "ksaCompliance.handoverDefects",
        lambda c: c.handover_defects.update(status="in_progress"),
    ),
}

# The doors through which a customer moves, each returning what it says of this one: (moved, findings).
DOORS = {
    "PATCH stage": lambda client, key, stage: single(client.patch(f"customers/{key}/stage", {"toStage": stage})),
    "PATCH": lambda client, key, stage: single(client.patch(f"customers/{key}", {"stage": stage})),
    "PUT": lambda client, key, stage: single(client.put(f"customers/{key}", {"stage": stage, "notes": "ملاحظة"})),
    "bulk": lambda client, key, stage: bulk(client, key, stage),
}


def single(response):
    if response.status_code == 422:
        error = error_of(response, 422, "VALIDATION_ERROR")
        return False, error["details"]
    return True, data_of(response).get("warnings", [])


def bulk(client, key, stage):
    data = data_of(client.post("customers/bulk", {"customerIds": [key], "operation": "stage", "toStage": stage}))
    if data["failed"]:
        (failed,) = data["failed"]
        assert (failed["id"], failed["code"], data["updatedCount"]) == (key, "VALIDATION_ERROR", 0)
        return False, failed["details"]
    (warned,) = data.get("warned") or [{"id": key, "warnings": []}]
    assert warned["id"] == key and data["updatedCount"] == 1
    return True, warned["warnings"]


def test_the_table_names_every_rule():
    assert set(SPOILED) == set(GateRule.values) and len(SPOILED) == 13


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("rule", SPOILED)
def test_each_gate_lets_pass_warns_or_refuses_as_the_organization_says(as_, ahmed, licensed, complete, rule, door):
    stage, field, spoil = SPOILED[rule]
    spoil(complete)
    client, move = as_(ahmed), DOORS[door]
    finding = {"rule": rule, "stage": stage, "field": field}

    set_up(complete.organization, gate_preset="relaxed", gate_rules={rule: "enforce"})
    with nothing_changes():
        moved, findings = move(client, complete.pk, stage)
    assert not moved
    assert [{name: found[name] for name in finding} for found in findings] == [finding]

    set_up(complete.organization, gate_rules={rule: "warn"})
    moved, findings = move(client, complete.pk, stage)
    assert moved and [{name: found[name] for name in finding} for found in findings] == [finding]
    assert Customer.objects.get(pk=complete.pk).stage == stage

    # Backwards nothing is asked, nor before the stage of the rule.
    set_up(complete.organization, gate_rules={rule: "enforce"})
    before = STAGES[STAGE_RANK[stage] - 1]
    assert move(client, complete.pk, before) == (True, [])
    assert move(client, complete.pk, stage)[0] is False

    set_up(complete.organization, gate_rules={rule: "off"})
    assert move(client, complete.pk, stage) == (True, [])


def test_who_lacks_nothing_passes_the_strictest_gates(as_, ahmed, licensed, complete):
    set_up(licensed, gate_preset="strict")
    data = data_of(as_(ahmed).patch(f"customers/{complete.pk}/stage", {"toStage": "post_sale"}))
    assert data["customer"]["stage"] == "post_sale" and "warnings" not in data


@pytest.mark.parametrize("door", DOORS)
def test_a_jump_over_several_stages_names_the_rules_of_all_of_them_in_both_languages(as_, ahmed, organization, door):
    set_up(organization, gate_preset="strict")
    customer = make_customer(ahmed)
    moved, findings = DOORS[door](as_(ahmed, language="ar"), customer.pk, "post_sale")
    assert not moved
    assert [found["rule"] for found in findings] == [
        "QUALIFIED_NEEDS_PREFERENCES",
        "ORG_LICENSE_INVALID",
        "BROKERAGE_CONTRACT_REQUIRED",
        "IDENTITY_REQUIRED",
        "PAYMENT_SCHEDULE_REQUIRED",
        "DEED_REQUIRED",
    ]
    arabic = "رقم الهوية الوطنية أو الإقامة مطلوب قبل إعداد العقد"
    assert (findings[3]["message"], findings[3]["messageAr"]) == (arabic, arabic)
    _moved, findings = DOORS[door](as_(ahmed, language="en"), customer.pk, "post_sale")
    english = "The national ID or Iqama number is required before the contract is prepared"
    assert (findings[3]["message"], findings[3]["messageAr"]) == (english, arabic)


def test_a_form_prints_why_the_gates_refuse_in_its_own_language(as_, ahmed, licensed, complete):
    set_up(licensed, gate_preset="strict")
    put(complete, national_id="")
    answer = as_(ahmed, language="ar").patch(f"customers/{complete.pk}/stage", {"toStage": "contract_prep"})
    assert answer.json()["errors"] == {"nationalId": ["رقم الهوية الوطنية أو الإقامة مطلوب قبل إعداد العقد"]}


def test_the_standard_warns_but_takes_no_money_for_unlicensed_projects(as_, ahmed, licensed, complete):
    put(complete, national_id="")
    client = as_(ahmed)
    assert [found["rule"] for found in single(client.patch(f"customers/{complete.pk}", {"stage": "closing"}))[1]] == [
        "IDENTITY_REQUIRED"
    ]
    data_of(client.patch(f"customers/{complete.pk}", {"stage": "site_visit"}))
    buys_off_plan(complete, "planning", "ESC-1")
    moved, findings = DOORS["PATCH"](client, complete.pk, "closing")
    assert (moved, [found["rule"] for found in findings]) == (False, ["WAFI_LICENSE_REQUIRED"])


def test_a_new_customer_cannot_be_born_behind_the_gates(as_, ahmed, organization):
    set_up(organization, gate_preset="strict")
    body = {"name": "سارة القحطاني", "phone": "0551234567", "stage": "contract_prep"}
    with nothing_changes():
        details = error_of(as_(ahmed).post("customers", body), 422)["details"]
    assert "IDENTITY_REQUIRED" in {detail["rule"] for detail in details}


def test_what_the_same_request_brings_counts(as_, ahmed, licensed, complete):
    put(complete, national_id="", preferences={"propertyType": [], "preferredAreas": [], "purpose": "buy"})
    set_up(licensed, gate_preset="strict")
    body = {"stage": "contract_prep", "nationalId": "1000000008", "preferences": {"propertyType": ["villa"]}}
    assert data_of(as_(ahmed).patch(f"customers/{complete.pk}", body))["customer"]["stage"] == "contract_prep"


def test_the_licence_of_the_assigned_employee_will_do(as_, ahmed, organization, complete):
    set_up(organization, gate_preset="strict", fal_license_number="")
    assert DOORS["PATCH stage"](as_(ahmed), complete.pk, "negotiation")[0] is False
    ahmed.fal_license_number, ahmed.fal_license_expiry = "1100012345", None
    ahmed.save()
    assert DOORS["PATCH stage"](as_(ahmed), complete.pk, "negotiation") == (True, [])


def test_a_rental_asks_for_its_lease_and_for_nothing_of_a_purchase(as_, ahmed, licensed, complete):
    set_up(licensed, gate_preset="strict")
    Payment.objects.all().delete()
    RegistryInfo.objects.all().delete()
    rents(complete, end_date=today() - timedelta(days=1), auto_renewal=True)
    assert DOORS["PATCH stage"](as_(ahmed), complete.pk, "post_sale") == (True, [])


@pytest.mark.parametrize("door", ["PATCH stage", "PATCH", "bulk"])
def test_an_override_passes_and_leaves_a_trace(as_, fatima, ahmed, licensed, complete, door):
    set_up(licensed, gate_preset="strict")
    put(complete, national_id="")
    RegistryInfo.objects.all().delete()
    reason = "وعد العميل بإحضار الهوية غداً"
    body = {"toStage": "post_sale", "overrideReason": reason}
    call = {
        "PATCH stage": lambda who: as_(who).patch(f"customers/{complete.pk}/stage", {**body, "reason": "اتفاق"}),
        "PATCH": lambda who: as_(who).patch(
            f"customers/{complete.pk}", {"stage": "post_sale", "overrideReason": reason}
        ),
        "bulk": lambda who: as_(who).post(
            "customers/bulk", {"customerIds": [complete.pk], "operation": "stage", **body}
        ),
    }[door]
    with nothing_changes():
        error = error_of(call(ahmed), 403, "PERMISSION_DENIED")
    assert error["details"]["requiredPermission"] == "gates.override"
    data = data_of(call(fatima))
    found = data["warned"][0]["warnings"] if door == "bulk" else data["warnings"]
    assert [finding["rule"] for finding in found] == ["IDENTITY_REQUIRED", "DEED_REQUIRED"]
    entry = data_of(as_(ahmed).get(f"customers/{complete.pk}"))["customer"]["stageHistory"][-1]
    assert (entry["toStage"], entry["changedById"]) == ("post_sale", fatima.pk)
    assert entry["overridden"] == ["IDENTITY_REQUIRED", "DEED_REQUIRED"]
    assert entry["reason"] == (f"اتفاق – {reason}" if door == "PATCH stage" else reason)


@pytest.mark.parametrize("to_stage", ["new_lead", "qualified"])
def test_a_reason_to_override_is_refused_on_moves_backwards_as_well(as_, ahmed, fatima, licensed, to_stage):
    customer = make_customer(ahmed, stage="site_visit")
    body = {"toStage": to_stage, "overrideReason": "طلب العميل"}
    bulk = body | {"customerIds": [customer.pk], "operation": "stage"}
    with nothing_changes():
        for answer in (
            as_(ahmed).patch(f"customers/{customer.pk}/stage", body),
            as_(ahmed).patch(f"customers/{customer.pk}", {"stage": to_stage, "overrideReason": "طلب العميل"}),
            as_(ahmed).post("customers/bulk", bulk),
        ):
            assert error_of(answer, 403, "PERMISSION_DENIED")["details"]["requiredPermission"] == "gates.override"
    moved = data_of(as_(fatima).patch(f"customers/{customer.pk}/stage", body))["customer"]
    assert moved["stage"] == to_stage and "overridden" not in moved["stageHistory"][-1]


@pytest.mark.parametrize("others", [[], ["IDENTITY_REQUIRED"]])
def test_viewers_do_not_learn_of_a_mortgage_from_what_was_overridden(as_, fatima, huda, licensed, complete, others):
    put(complete, assigned_employee_id=huda.pk, national_id="" if others else "1000000008")
    MortgageInfo.objects.update(status="rejected")
    set_up(licensed, gate_preset="strict")
    body = {"toStage": "post_sale", "overrideReason": "قرار المدير"}
    data_of(as_(fatima).patch(f"customers/{complete.pk}/stage", body))
    for reader, expected in ((huda, others), (fatima, [*others, "MORTGAGE_NOT_APPROVED"])):
        history = data_of(as_(reader).get(f"customers/{complete.pk}"))["customer"]["stageHistory"]
        assert history[-1].get("overridden", []) == expected
        timeline = data_of(as_(reader).get(f"customers/{complete.pk}/timeline?types=stage_changed"))["timeline"]
        assert timeline[0]["data"].get("overridden", []) == expected
        listed = data_of(as_(reader).get("customers?include=stageHistory"))["customers"]
        told = [row for row in listed if row["id"] == complete.pk][0]["stageHistory"]
        assert told[-1].get("overridden", []) == expected


def test_in_bulk_those_who_may_pass_do_and_the_others_are_named(as_, ahmed, licensed, complete):
    set_up(licensed, gate_preset="strict")
    lacking = make_customer(ahmed)
    body = {"customerIds": [lacking.pk, complete.pk], "operation": "stage", "toStage": "closing"}
    data = data_of(as_(ahmed).post("customers/bulk", body))
    assert data["updatedCount"] == 1
    assert [(failed["id"], failed["code"]) for failed in data["failed"]] == [(lacking.pk, "VALIDATION_ERROR")]
    assert StageChange.objects.filter(to_stage="closing").get().customer_id == complete.pk


def test_gates_of_hundreds_take_one_statement(as_, ahmed, licensed, django_assert_num_queries):
    from customers import gates

    set_up(licensed, gate_preset="strict")
    customers = [make_customer(ahmed) for _ in range(12)]
    with django_assert_num_queries(1):
        refused, _overridden = gates.sort(customers, "post_sale", ahmed)
    assert len(refused) == 12
