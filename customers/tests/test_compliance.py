"""Compliance with the customer and by itself: what is kept, replaced, cleared, shown, to whom, and what is told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_customer, make_phone, nothing_changes
from customers.compliance.warnings import issues_of
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
from customers.serializers.compliance import ComplianceSerializer
from customers.services.compliance import new_rows
from customers.tests.deals import DEAL, as_sent, make_deal, one_of, place_of, write_one, write_whole
from documents import services as documents
from realtime.models import Event

MODELS = (
    BrokerageLicense, BrokerageContract, EjarContract, WafiLicense, EscrowMilestone, HandoverDefect,
    SakaniEligibility, RegistryInfo, MortgageInfo, Payment,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _in_february(clock):
    """Before anything of DEAL ends or becomes due."""
    clock.now = clock.now.replace(year=2030, month=2, day=1, hour=9)


def shown(client, customer):
    return data_of(client.get(f"customers/{customer.pk}")).get("customer", {}).get("ksaCompliance", {})


def stored():
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


def stored_of(model, items):
    return list(model.objects.filter(pk__in=[item["id"] for item in items]).order_by("pk").values())


def version_of(customer):
    return Customer.objects.get(pk=customer.pk).version


# --- The whole of it --------------------------------------------------------------------------


def test_a_new_customer_may_come_with_all_of_it_and_it_comes_back_as_it_was_sent(as_, layla):
    body = {"name": "عبدالعزيز", "phone": make_phone(), "ksaCompliance": DEAL}
    customer = data_of(as_(layla).post("customers", body), 201)["customer"]
    assert as_sent(customer["ksaCompliance"]) == DEAL
    assert data_of(as_(layla).get(f"customers/{customer['id']}"))["customer"] == customer


def test_the_customer_and_the_routes_of_its_parts_write_the_same(as_, layla, noura):
    ours, by_whole = make_deal(as_(layla), layla)
    theirs = make_customer(noura)
    for name, part in DEAL.items():
        for body in part if isinstance(part, list) else [part]:
            data = data_of(write_one(as_(noura), theirs, name, body), 201 if isinstance(part, list) else 200)
            assert set(data) - {"ksaCompliance", "issues"} == {
                {"paymentSchedule": "payment"}.get(name, name.removesuffix("s") if isinstance(part, list) else name)
            }
    assert as_sent(data["ksaCompliance"]) == as_sent(by_whole) == DEAL
    alone = data_of(as_(noura).get(f"customers/{theirs.pk}/compliance"))
    assert alone["ksaCompliance"] == data["ksaCompliance"] == shown(as_(noura), theirs)


def test_a_customer_that_is_sent_back_whole_is_not_changed(as_, layla, clock):
    customer, _compliance = make_deal(as_(layla), layla)
    clock.now = clock.now.replace(year=2032)  # time has made other words of the statuses
    whole = data_of(as_(layla).get(f"customers/{customer.pk}"))["customer"]
    assert whole["ksaCompliance"]["brokerageLicense"]["status"] == "expired" and whole["paidAmount"] == 90000.25
    with nothing_changes():
        before = stored()
        assert data_of(as_(layla).put(f"customers/{customer.pk}", whole))["customer"] == whole
        assert stored() == before


def test_parts_that_are_not_there_are_left_out_and_lists_carry_compliance_when_asked(as_, layla):
    customer = make_customer(layla)
    client = as_(layla)
    assert "ksaCompliance" not in data_of(client.get(f"customers/{customer.pk}"))["customer"]
    assert data_of(client.get(f"customers/{customer.pk}/compliance")) == {"ksaCompliance": {}, "issues": []}
    write_whole(client, customer, {"registryInfo": {"registryOffice": "جدة"}})
    assert shown(client, customer) == {"registryInfo": {"registryOffice": "جدة"}}
    (row,) = data_of(client.get("customers"))["customers"]
    assert "ksaCompliance" not in row
    (row,) = data_of(client.get("customers?include=ksaCompliance"))["customers"]
    assert row["ksaCompliance"] == {"registryInfo": {"registryOffice": "جدة"}}


def test_days_come_in_as_dates_date_times_or_hijri_and_leave_as_midnights(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    for sent, day in (
        ("2030-05-01", "2030-05-01"),
        ("2030-04-30T21:00:00Z", "2030-05-01"),  # midnight in Riyadh
        ("2030-04-30T20:59:59Z", "2030-04-30"),
        ("١٤٤٥-٠٧-١٠", "2024-01-22"),
    ):
        data = data_of(client.patch(place_of(customer, "brokerageLicense"), {"status": "none", "issuedDate": sent}))
        assert data["brokerageLicense"]["issuedDate"] == f"{day}T00:00:00Z"


# --- Merging, replacing, clearing -----------------------------------------------------------------


def test_objects_merge_and_null_clears_a_field_or_the_object(as_, layla):
    client = as_(layla)
    customer, _compliance = make_deal(client, layla)
    body = {"wafiLicense": {"soldUnits": 80, "verifiedAt": None}, "registryInfo": None}
    after = data_of(write_whole(client, customer, body))["customer"]["ksaCompliance"]
    wafi = {name: value for name, value in DEAL["wafiLicense"].items() if name != "verifiedAt"}
    expected = {name: part for name, part in DEAL.items() if name != "registryInfo"}
    assert as_sent(after) == expected | {"wafiLicense": wafi | {"soldUnits": 80}}
    assert not RegistryInfo.objects.exists()


def test_null_for_all_of_it_removes_every_part(as_, layla):
    customer, _compliance = make_deal(as_(layla), layla)
    assert "ksaCompliance" not in data_of(write_whole(as_(layla), customer, None))["customer"]
    assert stored() == [[]] * 10


def test_a_list_replaces_the_list_and_items_keep_what_the_hub_knows_of_them(as_, layla, clock):
    client = as_(layla)
    customer, before = make_deal(client, layla)
    first, second = before["brokerageContracts"]
    clock.move(hours=1)
    sent = [{"type": "both", "startDate": "2030-03-01"}, {"id": first["id"], "type": "sale", "startDate": "2030-01-20"}]
    after = data_of(write_whole(client, customer, {"brokerageContracts": sent}))["customer"]["ksaCompliance"]
    new, kept = after["brokerageContracts"]
    assert new["id"].startswith("bc_") and new["id"] not in (first["id"], second["id"])
    assert new["status"] == "draft" and new["startDate"] == "2030-03-01T00:00:00Z"
    assert kept == {
        "id": first["id"], "type": "sale", "status": "active", "startDate": "2030-01-20T00:00:00Z",
        "createdAt": first["createdAt"], "updatedAt": kept["updatedAt"],
    }  # fmt: skip
    assert kept["updatedAt"] > first["updatedAt"]
    assert {name: after[name] for name in after if name != "brokerageContracts"} == {
        name: before[name] for name in before if name != "brokerageContracts"
    }
    for empty in ([], None):
        write_whole(client, customer, {"paymentSchedule": empty})
        assert "paymentSchedule" not in shown(client, customer)


def test_a_list_keeps_the_order_it_was_sent_in(as_, layla):
    client = as_(layla)
    customer = make_customer(layla)
    payments = [one_of("paymentSchedule", description=f"دفعة {n}") for n in range(5)]
    write_whole(client, customer, {"paymentSchedule": payments})
    there = shown(client, customer)["paymentSchedule"]
    assert [row["description"] for row in there] == [f"دفعة {n}" for n in range(5)]
    data_of(write_whole(client, customer, {"paymentSchedule": there[::-1]}))
    assert shown(client, customer)["paymentSchedule"] == there[::-1]
    listed = data_of(client.get(place_of(customer, "paymentSchedule")))
    assert listed == {"paymentSchedule": there[::-1]}
    added = data_of(client.post(place_of(customer, "paymentSchedule"), one_of("paymentSchedule")), 201)
    assert added["ksaCompliance"]["paymentSchedule"] == [*there[::-1], added["payment"]]


def test_what_stays_in_its_order_is_not_written_again_when_others_go_or_move(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    sent = [one_of("paymentSchedule", description=f"دفعة {n}") for n in range(6)]
    write_whole(client, customer, {"paymentSchedule": sent})
    first, *others = shown(client, customer)["paymentSchedule"]
    kept = stored_of(Payment, others)
    data_of(write_whole(client, customer, {"paymentSchedule": others}))
    assert stored_of(Payment, others) == kept
    new = one_of("paymentSchedule", description="بين")
    moved = [others[3], new, others[0], others[4] | {"notes": "تأجلت"}, others[1], others[2]]
    data_of(write_whole(client, customer, {"paymentSchedule": moved}))
    after = shown(client, customer)["paymentSchedule"]
    assert [row["description"] for row in after] == [row["description"] for row in moved]
    assert [row.get("notes") for row in after] == [row.get("notes") for row in moved]
    assert stored_of(Payment, [others[3]])[0] in kept and first["id"] not in {row["id"] for row in after}


def test_an_id_that_is_no_item_of_the_list_is_named(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    other = make_customer(layla)
    (theirs,) = compliance["handoverDefects"]
    for items, place in (
        ([theirs], 0),
        ([one_of("handoverDefects"), one_of("handoverDefects", id="hd_none")], 1),
    ):
        with nothing_changes():
            error = error_of(write_whole(client, other, {"handoverDefects": items}), 400, "VALIDATION_ERROR")
        assert error["details"] == [
            {
                "field": f"ksaCompliance.handoverDefects.{place}.id",
                "message": f"No item of this list has the id {items[place]['id']}",
            }
        ]
    twice = write_whole(client, customer, {"handoverDefects": [theirs, theirs]})
    assert fields_of(twice) == ["ksaCompliance.handoverDefects.1.id"]


def test_numbers_may_be_swapped_within_a_list(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    lease = {name: DEAL["ejarContracts"][0][name] for name in ("tenancyType", "status", "startDate", "endDate")}
    sent = [lease | {"monthlyRent": 1, "ejarContractNumber": number} for number in ("A", "B")]
    there = data_of(write_whole(client, customer, {"ejarContracts": sent}))["customer"]["ksaCompliance"]
    first, second = there["ejarContracts"]
    swapped = [first | {"ejarContractNumber": "B"}, second | {"ejarContractNumber": "A"}]
    after = data_of(write_whole(client, customer, {"ejarContracts": swapped}))["customer"]["ksaCompliance"]
    assert [row["ejarContractNumber"] for row in after["ejarContracts"]] == ["B", "A"]


def test_an_item_is_changed_by_what_is_named_and_removed(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    first, second = compliance["paymentSchedule"]
    place = place_of(customer, "paymentSchedule", second["id"])
    for method in (client.patch, client.put):
        changed = data_of(method(place, {"amount": 250000, "notes": None}))
        expected = {name: value for name, value in second.items() if name != "notes"} | {"amount": 250000}
        assert changed["payment"] == expected
        assert changed["ksaCompliance"]["paymentSchedule"] == [first, expected]
    assert data_of(client.get(place)) == {"payment": expected}
    removed = data_of(client.delete(place))
    assert removed["id"] == second["id"] and removed["ksaCompliance"]["paymentSchedule"] == [first]
    error_of(client.get(place), 404, "RESOURCE_NOT_FOUND")
    error_of(client.delete(place), 404, "RESOURCE_NOT_FOUND")


def test_an_object_is_removed_once(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    del compliance["mortgageInfo"]
    assert data_of(client.delete(place_of(customer, "mortgageInfo")))["ksaCompliance"] == compliance
    error_of(client.delete(place_of(customer, "mortgageInfo")), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("body", [{}, {"deedNumber": None}, {"deedNumber": "", "notes": None}])
def test_an_object_without_a_value_is_none_by_either_door(as_, layla, body):
    customer, _shown = make_deal(as_(layla), layla)
    emptied = dict.fromkeys(DEAL["registryInfo"]) | body
    answer = data_of(as_(layla).patch(place_of(customer, "registryInfo"), emptied))
    assert answer["registryInfo"] == {}
    assert "registryInfo" not in answer["ksaCompliance"] and not RegistryInfo.objects.exists()
    write_whole(as_(layla), customer, {"registryInfo": DEAL["registryInfo"]})
    data_of(write_whole(as_(layla), customer, {"registryInfo": emptied}))
    assert "registryInfo" not in shown(as_(layla), customer) and not RegistryInfo.objects.exists()
    new = make_customer(layla)
    with nothing_changes():
        assert data_of(write_one(as_(layla), new, "registryInfo", body))["registryInfo"] == {}
        assert shown(as_(layla), new) == {}
    error_of(as_(layla).delete(place_of(new, "registryInfo")), 404)


def test_the_name_that_the_client_has_for_the_path_works_too(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    root = f"customers/{customer.pk}/ksa-compliance"
    assert data_of(client.get(root))["ksaCompliance"] == compliance
    (defect,) = data_of(client.get(f"{root}/handover-defects"))["handoverDefects"]
    changed = data_of(client.patch(f"{root}/handover-defects/{defect['id']}", {"severity": "minor"}))
    assert changed["handoverDefect"] == defect | {"severity": "minor"}
    created = client.post(f"{root}/handover-defects", one_of("handoverDefects"))
    key = data_of(created, 201)["handoverDefect"]["id"]
    assert created["Location"] == f"/api/v1/customers/{customer.pk}/compliance/handover-defects/{key}"


def test_nothing_is_written_when_one_of_many_is_wrong(as_, layla):
    client = as_(layla)
    customer, _compliance = make_deal(client, layla)
    items = [one_of("handoverDefects", description=f"عيب {n}") for n in range(20)]
    items[17]["severity"] = "terrible"
    body = {"priority": "urgent", "ksaCompliance": {"handoverDefects": items, "wafiLicense": {"soldUnits": 1}}}
    with nothing_changes():
        before = stored()
        assert fields_of(client.put(f"customers/{customer.pk}", body)) == ["ksaCompliance.handoverDefects.17.severity"]
        items[17] = one_of("handoverDefects", targetResolutionDate="2000-01-01")
        assert fields_of(client.put(f"customers/{customer.pk}", body)) == [
            "ksaCompliance.handoverDefects.17.targetResolutionDate"
        ]
        new = {"name": "س", "phone": make_phone(), "ksaCompliance": {"handoverDefects": items}}
        error_of(client.post("customers", new), 400)
        assert stored() == before


def test_a_list_holds_two_hundred_items(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    items = [one_of("handoverDefects", photos=None)] * 200
    assert fields_of(write_whole(client, customer, {"handoverDefects": [*items, items[0]]})) == [
        "ksaCompliance.handoverDefects"
    ]
    data_of(write_whole(client, customer, {"handoverDefects": items}))
    error = error_of(client.post(place_of(customer, "handoverDefects"), items[0]), 400, "VALIDATION_ERROR")
    assert error["details"] == [{"field": "handoverDefects", "message": "At most 200 items are allowed"}]
    assert HandoverDefect.objects.count() == 200


# --- What the hub adds ------------------------------------------------------------------------


def test_what_the_hub_keeps_is_not_taken_from_a_body(as_, layla, clock):
    client, customer = as_(layla), make_customer(layla)
    sent = one_of("brokerageContracts", id="bc_mine", createdAt="2000-01-01T00:00:00Z", approvedBy="أنا")
    contract = data_of(client.post(place_of(customer, "brokerageContracts"), sent), 201)["brokerageContract"]
    now = clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (contract["createdAt"], contract["updatedAt"]) == (now, now)
    assert contract["id"] != "bc_mine" and "approvedBy" not in contract
    milestone = one_of("escrowMilestones", isOverdue=True)
    assert data_of(client.post(place_of(customer, "escrowMilestones"), milestone), 201)["escrowMilestone"][
        "isOverdue"
    ] is False  # fmt: skip


def test_a_contract_that_becomes_active_says_who_approved_it_and_when(as_, layla, fatima, clock):
    client, customer = as_(layla), make_customer(layla)
    draft = {"type": "sale", "startDate": "2030-02-01"}
    key = data_of(client.post(place_of(customer, "brokerageContracts"), draft), 201)["brokerageContract"]["id"]
    place = place_of(customer, "brokerageContracts", key)
    assert "approvedBy" not in data_of(client.patch(place, {"status": "pending_approval"}))["brokerageContract"]
    clock.move(hours=2)
    approved = data_of(as_(fatima).patch(place, {"status": "active"}))["brokerageContract"]
    assert approved["approvedBy"] == fatima.name
    assert approved["approvedAt"] == clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    again = data_of(client.patch(place, {"status": "completed", "notes": "تم"}))["brokerageContract"]
    assert (again["approvedBy"], again["approvedAt"]) == (approved["approvedBy"], approved["approvedAt"])


def test_a_defect_is_open_since_now_and_has_a_day_to_be_resolved_by(as_, layla, clock):
    client, customer = as_(layla), make_customer(layla)
    for severity, day in (("critical", "2030-02-04"), ("major", "2030-02-15"), ("minor", "2030-03-03")):
        body = {"category": "hvac", "severity": severity, "description": "لا يبرد"}
        defect = data_of(client.post(place_of(customer, "handoverDefects"), body), 201)["handoverDefect"]
        assert defect["status"] == "open" and "resolvedAt" not in defect
        assert defect["reportedAt"] == clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert defect["targetResolutionDate"] == f"{day}T00:00:00Z"
    place = place_of(customer, "handoverDefects", defect["id"])
    clock.move(days=1)
    resolved = data_of(client.patch(place, {"status": "resolved"}))["handoverDefect"]
    assert resolved["resolvedAt"] == clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "resolvedAt" not in data_of(client.patch(place, {"status": "open"}))["handoverDefect"]


def test_a_resolved_defect_keeps_its_time_when_its_list_is_replaced(as_, layla, clock):
    client, customer = as_(layla), make_customer(layla)
    write_whole(client, customer, {"handoverDefects": [one_of("handoverDefects")]})
    (defect,) = shown(client, customer)["handoverDefects"]
    clock.move(days=1)
    unsaid = {name: value for name, value in defect.items() if name not in ("status", "resolvedAt")}
    for item in (unsaid, unsaid | {"status": "resolved"}):
        write_whole(client, customer, {"handoverDefects": [item]})
        assert shown(client, customer)["handoverDefects"] == [defect]
    write_whole(client, customer, {"handoverDefects": [unsaid | {"status": "open"}]})
    assert "resolvedAt" not in shown(client, customer)["handoverDefects"][0]


def test_an_eligibility_that_is_no_longer_unchecked_was_checked_now(as_, layla, clock):
    client, customer = as_(layla), make_customer(layla)
    place = place_of(customer, "sakaniEligibility")
    assert data_of(client.patch(place, {"status": "not_checked"}))["sakaniEligibility"] == {"status": "not_checked"}
    clock.move(hours=3)
    checked = data_of(client.patch(place, {"status": "eligible"}))["sakaniEligibility"]
    assert checked == {"status": "eligible", "eligibilityCheckedAt": clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    clock.move(hours=3)
    for body in ({"householdSize": 4}, {"householdSize": None}):
        same = data_of(client.patch(place, body))["sakaniEligibility"]
        assert same["eligibilityCheckedAt"] == checked["eligibilityCheckedAt"]
    anew = data_of(client.patch(place, checked | {"status": "not_eligible"}))["sakaniEligibility"]
    assert anew == {"status": "not_eligible", "eligibilityCheckedAt": clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    told = {"status": "eligible", "eligibilityCheckedAt": "2030-01-31T10:00:00Z"}
    assert data_of(client.patch(place, told))["sakaniEligibility"] == told
    assert data_of(client.patch(place, {"status": "not_checked"}))["sakaniEligibility"] == {"status": "not_checked"}


@pytest.mark.parametrize(("end", "renews"), [("2025-09-25", None), ("2025-09-26", True)])
def test_leases_that_end_after_the_decision_of_2025_renew_themselves(as_, layla, end, renews):
    body = one_of("ejarContracts", startDate="2025-01-01", endDate=end, autoRenewal=None)
    answer = as_(layla).post(place_of(make_customer(layla), "ejarContracts"), body)
    assert data_of(answer, 201)["ejarContract"].get("autoRenewal") is renews


def test_a_license_without_an_issuer_was_issued_by_rega(as_, layla):
    answer = as_(layla).patch(place_of(make_customer(layla), "brokerageLicense"), {"status": "none"})
    assert data_of(answer)["brokerageLicense"] == {"status": "none", "issuedBy": "REGA/FAL"}


def test_digits_of_any_script_are_the_same_number(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    body = {"type": "sale", "startDate": "2030-01-01", "contractNumber": " عقد-١٢٣ ", "commissionRate": "٢٫٥"}
    contract = data_of(client.post(place_of(customer, "brokerageContracts"), body), 201)["brokerageContract"]
    assert (contract["contractNumber"], contract["commissionRate"]) == ("عقد-123", 2.5)


# --- What was paid ----------------------------------------------------------------------------


def test_what_was_paid_is_the_sum_of_the_paid_payments_until_somebody_sets_it(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)

    def paid():
        row = data_of(client.get(f"customers/{customer.pk}"))["customer"]
        (listed,) = data_of(client.get("customers"))["customers"]
        assert row.get("paidAmount") == listed.get("paidAmount")
        return row.get("paidAmount")

    assert paid() == 90000.25
    second = place_of(customer, "paymentSchedule", compliance["paymentSchedule"][1]["id"])
    data_of(client.patch(second, {"status": "paid", "paidDate": "2030-02-01"}))
    assert paid() == 390000.25
    # The sum sent back with another change is not set by anybody.
    data_of(client.put(f"customers/{customer.pk}", {"paidAmount": 390000.25, "notes": "س"}))
    data_of(client.delete(second))
    assert paid() == 90000.25
    data_of(client.put(f"customers/{customer.pk}", {"paidAmount": 5}))
    assert paid() == 5
    data_of(client.put(f"customers/{customer.pk}", {"paidAmount": None, "ksaCompliance": {"paymentSchedule": []}}))
    assert paid() is None


# --- Who ------------------------------------------------------------------------------------------


def test_viewers_see_no_private_amounts(as_, layla, huda):
    customer, _compliance = make_deal(as_(layla), layla, assigned_employee_id=huda.pk)
    expected = {name: part for name, part in DEAL.items() if name != "mortgageInfo"}
    private = {"householdIncome", "approvedLoanAmount"}
    sakani = {name: value for name, value in DEAL["sakaniEligibility"].items() if name not in private}
    expected |= {"sakaniEligibility": sakani}
    client = as_(huda)
    assert as_sent(shown(client, customer)) == expected
    assert as_sent(data_of(client.get(f"customers/{customer.pk}/compliance"))["ksaCompliance"]) == expected
    (row,) = data_of(client.get("customers?include=ksaCompliance"))["customers"]
    assert as_sent(row["ksaCompliance"]) == expected


def test_managers_say_that_something_is_verified_and_agents_send_it_back(as_, layla, fatima, ahmed):
    customer = make_customer(ahmed)
    first, second = "2030-01-01T00:00:00Z", "2030-01-02T00:00:00Z"
    place = place_of(customer, "registryInfo")
    for answer in (
        as_(ahmed).patch(place, {"deedNumber": "123456789012", "verifiedAt": first}),
        write_whole(as_(ahmed), customer, {"registryInfo": {"verifiedAt": first}}),
        as_(ahmed).post("customers", {"name": "س", "phone": make_phone(), "ksaCompliance": DEAL}),
    ):
        assert error_of(answer, 403, "PERMISSION_DENIED")["details"] == {
            "requiredPermission": "customers.verify",
            "currentRole": "sales_agent",
        }
    assert not RegistryInfo.objects.exists()
    data_of(as_(fatima).patch(place, {"deedNumber": "123456789012", "verifiedAt": first}))
    sent_back = as_(ahmed).patch(place, {"notes": "جدة", "verifiedAt": first})
    assert data_of(sent_back)["registryInfo"]["verifiedAt"] == first
    for other in (second, None):
        error_of(as_(ahmed).patch(place, {"verifiedAt": other}), 403)
    assert data_of(as_(layla).patch(place, {"verifiedAt": second}))["registryInfo"]["verifiedAt"] == second


@pytest.mark.parametrize("name", ["brokerageLicense", "wafiLicense", "sakaniEligibility", "registryInfo"])
def test_what_was_verified_is_so_no_more_when_an_agent_changes_it(as_, layla, fatima, ahmed, name):
    change = {
        "brokerageLicense": {"licenseNumber": "1100000001"}, "wafiLicense": {"totalUnits": 500},
        "sakaniEligibility": {"householdSize": 9}, "registryInfo": {"deedNumber": "310123456789"},
    }[name]  # fmt: skip
    customer = make_customer(ahmed)
    place, at = place_of(customer, name), {"verifiedAt": "2030-01-01T00:00:00Z"}
    verified = data_of(as_(fatima).patch(place, DEAL[name] | at))[name]
    remark = {"eligibilityNotes" if name == "sakaniEligibility" else "notes": "اتصلنا"}
    assert data_of(as_(ahmed).patch(place, verified | remark))[name] == verified | remark
    assert "verifiedAt" not in data_of(as_(ahmed).patch(place, verified | change))[name]
    data_of(as_(fatima).patch(place, DEAL[name] | at))
    changed = data_of(write_whole(as_(fatima), customer, {name: change}))["customer"]["ksaCompliance"][name]
    assert changed["verifiedAt"] == at["verifiedAt"]
    changed = data_of(write_whole(as_(ahmed), customer, {name: DEAL[name] | at}))["customer"]["ksaCompliance"][name]
    assert "verifiedAt" not in changed


def test_items_are_found_below_their_own_customer_only(as_, layla, omar, noura):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    other = make_customer(layla)
    for name, part in compliance.items():
        for item in part if isinstance(part, list) else []:
            error_of(client.get(place_of(other, name, item["id"])), 404)
            for stranger in (omar, noura):
                for method in ("get", "patch", "delete"):
                    error_of(as_(stranger).call(method, place_of(customer, name, item["id"])), 404)
            with nothing_changes():
                error_of(client.patch(place_of(other, name, item["id"]), {"notes": "س"}), 404)
                error_of(client.delete(place_of(other, name, item["id"])), 404)
    assert shown(client, customer) == compliance


def test_what_hangs_on_a_deleted_customer_is_hidden_with_it_and_forgotten_with_it(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    payment = compliance["paymentSchedule"][0]["id"]
    data_of(client.patch(place_of(customer, "paymentSchedule", payment), {"receiptNumber": "RCP-2"}))
    data_of(client.delete(f"customers/{customer.pk}"))
    for place in (f"customers/{customer.pk}/compliance", place_of(customer, "paymentSchedule", payment)):
        error_of(client.get(place), 404)
    data_of(client.delete(f"customers/{customer.pk}?permanent=true"))
    assert stored() == [[]] * 10
    entries = AuditEntry.objects.filter(table_name="payments", row_id=payment)
    assert [(entry.operation, entry.changes) for entry in entries.order_by("id")] == [
        ("insert", None),
        ("update", None),
        ("delete", None),
    ]


# --- Once, and told ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("brokerageContracts", "contractNumber"),
        ("brokerageContracts", "regaContractId"),
        ("ejarContracts", "ejarContractNumber"),
    ],
)
def test_a_number_exists_once_in_an_organization(as_, layla, ahmed, noura, name, field):
    first, other = make_customer(layla), make_customer(ahmed)
    spare = {"contractNumber": None, "regaContractId": None, "ejarContractNumber": None, "createdInEjar": None}
    body = one_of(name, **spare | {field: "N-42"})
    data_of(as_(layla).post(place_of(first, name), body), 201)
    data_of(as_(noura).post(place_of(make_customer(noura), name), body), 201)
    for client, existing in ((as_(layla), {"existingId": first.pk}), (as_(ahmed), {})):
        with nothing_changes():
            error = error_of(client.post(place_of(other, name), body), 409, "DUPLICATE_RESOURCE")
            assert error["message"] == "Another contract has the number N-42"
            assert error["details"] == {"field": field, **existing}
            whole = write_whole(client, other, {name: [one_of(name, **spare), body]})
            error = error_of(whole, 409, "DUPLICATE_RESOURCE")
            assert error["details"] == {"field": f"ksaCompliance.{name}.1.{field}", **existing}
    # A deletion can be taken back, so the number stays taken; that of a purged customer is free.
    data_of(as_(layla).delete(f"customers/{first.pk}"))
    assert error_of(as_(layla).post(place_of(other, name), body), 409)["details"] == {"field": field}
    data_of(as_(layla).delete(f"customers/{first.pk}?permanent=true"))
    data_of(as_(layla).post(place_of(other, name), body), 201)


def test_a_write_is_one_edit_of_the_customer_and_one_event(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    version, events = version_of(customer), Event.objects.count()
    data_of(client.put(f"customers/{customer.pk}", {"ksaCompliance": DEAL, "notes": "س"}))
    assert (version_of(customer), Event.objects.count()) == (version + 1, events + 1)
    event = Event.objects.latest("id")
    assert (event.event, event.row_id) == ("customer.updated", customer.pk)
    assert set(event.data["changes"]) == {"ksaCompliance", "notes", "paidAmount", "updatedAt"}
    assert as_sent(event.data["changes"]["ksaCompliance"]) == DEAL
    for write in (
        lambda: write_whole(client, customer, {"wafiLicense": {"soldUnits": 1}}),
        lambda: client.patch(place_of(customer, "wafiLicense"), {"soldUnits": 2}),
        lambda: client.post(place_of(customer, "handoverDefects"), one_of("handoverDefects")),
        lambda: client.delete(place_of(customer, "wafiLicense")),
    ):
        version, events = version_of(customer), Event.objects.count()
        assert write().status_code < 300
        assert (version_of(customer), Event.objects.count()) == (version + 1, events + 1)
        assert set(Event.objects.latest("id").data["changes"]) == {"ksaCompliance", "updatedAt"}
    with nothing_changes():
        data_of(client.patch(place_of(customer, "mortgageInfo"), {"loanTenure": 25}))


def test_a_stale_version_is_refused(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    read = client.get(f"customers/{customer.pk}/compliance")
    data_of(client.patch(place_of(customer, "wafiLicense"), {"soldUnits": 1}, headers={"If-Match": read["ETag"]}))
    with nothing_changes():
        for call in (
            lambda **options: client.patch(place_of(customer, "wafiLicense"), {"soldUnits": 2}, **options),
            lambda **options: client.delete(place_of(customer, "wafiLicense"), **options),
            lambda **options: write_whole_with(client, customer, {"wafiLicense": None}, **options),
        ):
            error_of(call(headers={"If-Match": read["ETag"]}), 412, "PRECONDITION_FAILED")
    place = place_of(customer, "handoverDefects", compliance["handoverDefects"][0]["id"])
    item = client.get(place)
    data_of(client.patch(place, {"notes": "س"}, headers={"If-Match": item["ETag"]}))
    error_of(client.delete(place, headers={"If-Match": item["ETag"]}), 412, "PRECONDITION_FAILED")


def write_whole_with(client, customer, compliance, **options):
    return client.patch(f"customers/{customer.pk}", {"ksaCompliance": compliance}, **options)


def make_document(actor, customer):
    return documents.add_document(customer, actor=actor, values={"name": "صورة", "type": "photo"}).pk


def test_documents_are_those_of_the_customer(as_, layla):
    client = as_(layla)
    customer, compliance = make_deal(client, layla)
    own, foreign = (make_document(layla, one) for one in (customer, make_customer(layla)))
    place = place_of(customer, "handoverDefects")
    data_of(client.post(place, one_of("handoverDefects", photos=[own, "https://photos.example/2.jpg"])), 201)
    error = error_of(client.post(place, one_of("handoverDefects", photos=[own, foreign])), 400)
    assert error["details"] == [{"field": "photos", "message": f"Unknown document {foreign}"}]
    data_of(client.patch(place_of(customer, "mortgageInfo"), {"documents": [own]}))
    assert fields_of(write_whole(client, customer, {"mortgageInfo": {"documents": [foreign]}})) == [
        "ksaCompliance.mortgageInfo.documents"
    ]
    # What is there already is not asked about again.
    defect = compliance["handoverDefects"][0]
    data_of(client.patch(f"{place}/{defect['id']}", {"photos": defect["photos"]}))


# --- For importers, and in how many statements --------------------------------------------------


def test_an_importer_makes_rows_of_it_with_the_ids_that_it_brings(as_, layla):
    class request:  # noqa: N801
        user = layla

    deal = {name: [item | {"id": f"x_{name}_{place}"} for place, item in enumerate(part)]
            if isinstance(part, list) else part for name, part in DEAL.items()}  # fmt: skip
    serializer = ComplianceSerializer(data=deal, context={"request": request})
    assert serializer.is_valid()
    customer = make_customer(layla)
    for row in new_rows(customer, serializer.validated_data):
        row.save(force_insert=True)
    found = shown(as_(layla), customer)
    assert as_sent(found) == DEAL
    assert [payment["id"] for payment in found["paymentSchedule"]] == ["x_paymentSchedule_0", "x_paymentSchedule_1"]


def queries(call):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        call()
    return len(captured)


def test_statements_do_not_grow_with_items_or_customers(as_, layla):
    client = as_(layla)
    few, many = make_customer(layla), make_customer(layla)
    defects = [one_of("handoverDefects", photos=None)] * 3
    client.get("employees")
    numbers = []
    for customer, count in ((few, 1), (many, 10)):
        items = {"handoverDefects": defects * count}
        numbers.append(
            [
                queries(lambda customer=customer, items=items: data_of(write_whole(client, customer, items))),
                queries(lambda customer=customer: shown(client, customer)),
                queries(lambda customer=customer: data_of(client.get(f"customers/{customer.pk}/compliance"))),
                queries(lambda customer=customer: data_of(client.get(place_of(customer, "handoverDefects")))),
            ]
        )
    assert numbers[0] == numbers[1]
    one = queries(lambda: issues_of([few]))
    assert one == queries(lambda: issues_of([few, many, *(make_customer_rows(8, layla))])) == 11


def make_customer_rows(count, actor):
    phones = [make_phone() for _number in range(count)]
    return [Customer(organization_id=actor.organization_id, name="س", phone=phone) for phone in phones]
