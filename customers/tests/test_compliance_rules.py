"""Every rule of compliance, by the customer and by the part's own route: what is accepted, what refused, and how."""

import pytest

from config.testing import (
    HubClient,
    at_once,
    data_of,
    error_of,
    fields_of,
    make_customer,
    nothing_changes,
    one_request,
    statuses,
)
from customers.models import EjarContract, EscrowMilestone
from customers.tests.deals import DEAL, one_of, place_of, write_one, write_whole

REQUIRED = "This field is required."
NO_NULL = "This field may not be null."
BIDI = "Text direction controls are not allowed"


@pytest.fixture(autouse=True)
def _in_february(clock):
    clock.now = clock.now.replace(year=2030, month=2, day=1, hour=9)


def words(*choices):
    return f"Must be one of: {', '.join(choices)}"


# part, what differs from a valid one (None leaves it out), the field that is named, and the message
REFUSED = [
    ("brokerageLicense", {"status": "valid"}, "status", words("active", "expired", "suspended", "pending", "none")),
    ("brokerageLicense", {"status": None}, "status", REQUIRED),
    ("brokerageLicense", {"licenseType": "group"}, "licenseType", words("individual", "establishment")),
    ("brokerageLicense", {"licenseNumber": None}, "licenseNumber",
     "licenseNumber is required when the license is active"),
    ("brokerageLicense", {"licenseNumber": "x" * 51}, "licenseNumber",
     "Ensure this field has no more than 50 characters."),
    ("brokerageLicense", {"expiryDate": "2030-01-14"}, "expiryDate", "expiryDate must not be before issuedDate"),
    ("brokerageLicense", {"notes": "x" * 5001}, "notes", "Ensure this field has no more than 5000 characters."),
    ("brokerageLicense", {"issuedBy": "\u202eREGA"}, "issuedBy", BIDI),
    ("brokerageLicense", {"issuedDate": "قريبا"}, "issuedDate",
     "Enter a date as YYYY-MM-DD, YYYY/MM/DD, DD/MM/YYYY or DD-MM-YYYY, Gregorian or Hijri"),
    ("brokerageContracts", {"type": None}, "type", REQUIRED),
    ("brokerageContracts", {"type": "lease"}, "type", words("sale", "rent", "both")),
    ("brokerageContracts", {"status": "signed"}, "status",
     words("draft", "pending_approval", "active", "completed", "cancelled")),
    ("brokerageContracts", {"startDate": None}, "startDate", REQUIRED),
    ("brokerageContracts", {"endDate": "2030-01-19"}, "endDate", "endDate must not be before startDate"),
    ("brokerageContracts", {"commissionRate": 100.001}, "commissionRate",
     "Ensure this value is less than or equal to 100."),
    ("brokerageContracts", {"commissionRate": -1}, "commissionRate", "Must not be negative"),
    ("brokerageContracts", {"commissionRate": 2.5001}, "commissionRate",
     "Ensure that there are no more than 3 decimal places."),
    ("brokerageContracts", {"commissionAmount": -0.01}, "commissionAmount", "Must not be negative"),
    ("brokerageContracts", {"exclusivityPeriod": 0}, "exclusivityPeriod",
     "Ensure this value is greater than or equal to 1."),
    ("brokerageContracts", {"exclusivityPeriod": 3651}, "exclusivityPeriod",
     "Ensure this value is less than or equal to 3650."),
    ("brokerageContracts", {"propertyTitle": "x" * 501}, "propertyTitle",
     "Ensure this field has no more than 500 characters."),
    ("ejarContracts", {"tenancyType": None}, "tenancyType", REQUIRED),
    ("ejarContracts", {"tenancyType": "holiday"}, "tenancyType", words("residential", "commercial", "industrial")),
    ("ejarContracts", {"status": None}, "status", REQUIRED),
    ("ejarContracts", {"status": "over"}, "status",
     words("draft", "pending", "active", "expired", "terminated", "renewed")),
    ("ejarContracts", {"startDate": None}, "startDate", REQUIRED),
    ("ejarContracts", {"endDate": None}, "endDate", REQUIRED),
    ("ejarContracts", {"endDate": "2029-12-31"}, "endDate", "endDate must not be before startDate"),
    ("ejarContracts", {"monthlyRent": None}, "monthlyRent", REQUIRED),
    ("ejarContracts", {"monthlyRent": 0}, "monthlyRent", "Must be greater than 0"),
    ("ejarContracts", {"securityDeposit": -1}, "securityDeposit", "Must not be negative"),
    ("ejarContracts", {"paymentSchedule": "weekly"}, "paymentSchedule",
     words("monthly", "quarterly", "semi-annual", "annual")),
    ("ejarContracts", {"ejarContractNumber": None}, "ejarContractNumber",
     "ejarContractNumber is required when createdInEjar is true"),
    ("ejarContracts", {"ejarCreatedAt": "2030-02-02T00:00:00Z"}, "ejarCreatedAt", "Must not lie in the future"),
    ("ejarContracts", {"ejarUrl": "http://ejar.example/1"}, "ejarUrl", "Must be an https address"),
    ("ejarContracts", {"ejarUrl": "javascript:alert(1)"}, "ejarUrl", "Must be an https address"),
    ("ejarContracts", {"createdInEjar": "maybe"}, "createdInEjar", "Must be a valid boolean."),
    ("wafiLicense", {"status": None}, "status", REQUIRED),
    ("wafiLicense", {"status": "sold"}, "status",
     words("planning", "licensed", "construction", "completed", "handed_over")),
    ("wafiLicense", {"licenseNumber": None}, "licenseNumber",
     "licenseNumber is required once the project is licensed"),
    ("wafiLicense", {"soldUnits": 106}, "soldUnits", "soldUnits plus reservedUnits must not exceed totalUnits"),
    ("wafiLicense", {"totalUnits": -1}, "totalUnits", "Ensure this value is greater than or equal to 0."),
    ("wafiLicense", {"reservedUnits": 1.5}, "reservedUnits", "A valid integer is required."),
    ("escrowMilestones", {"milestoneNumber": None}, "milestoneNumber", REQUIRED),
    ("escrowMilestones", {"milestoneNumber": 0}, "milestoneNumber",
     "Ensure this value is greater than or equal to 1."),
    ("escrowMilestones", {"title": None}, "title", REQUIRED),
    ("escrowMilestones", {"title": "  "}, "title", "This field may not be blank."),
    ("escrowMilestones", {"targetDate": None}, "targetDate", REQUIRED),
    ("escrowMilestones", {"status": None}, "status", REQUIRED),
    ("escrowMilestones", {"status": "done"}, "status",
     words("pending", "in_progress", "certified", "released", "overdue")),
    ("escrowMilestones", {"percentage": None}, "percentage", REQUIRED),
    ("escrowMilestones", {"percentage": 0}, "percentage", "Must be greater than 0"),
    ("escrowMilestones", {"percentage": 100.5}, "percentage", "Ensure this value is less than or equal to 100."),
    ("escrowMilestones", {"amount": -1}, "amount", "Must not be negative"),
    ("escrowMilestones", {"certifiedBy": None}, "certifiedBy",
     "certifiedBy is required when the milestone is certified or released"),
    ("escrowMilestones", {"releaseRequested": False}, "releaseRequested", "releaseApproved needs releaseRequested"),
    ("escrowMilestones", {"releaseApproved": False}, "releaseApproved", "A released milestone must be approved"),
    ("escrowMilestones", {"releaseApproved": None}, "releaseApproved", "A released milestone must be approved"),
    ("handoverDefects", {"category": None}, "category", REQUIRED),
    ("handoverDefects", {"category": "garden"}, "category",
     words("structural", "electrical", "plumbing", "finishing", "hvac", "other")),
    ("handoverDefects", {"severity": None}, "severity", REQUIRED),
    ("handoverDefects", {"severity": "huge"}, "severity", words("critical", "major", "minor")),
    ("handoverDefects", {"description": None}, "description", REQUIRED),
    ("handoverDefects", {"status": "gone"}, "status", words("open", "in_progress", "resolved", "deferred")),
    ("handoverDefects", {"targetResolutionDate": "2024-01-14"}, "targetResolutionDate",
     "targetResolutionDate must not be before reportedAt"),
    ("handoverDefects", {"reportedAt": "2030-02-01T23:00:00Z", "status": "open", "targetResolutionDate": None},
     "reportedAt", "Must not lie in the future"),
    ("handoverDefects", {"resolvedAt": "2024-01-15T08:59:59Z"}, "resolvedAt",
     "resolvedAt must not be before reportedAt"),
    ("handoverDefects", {"photos": ["ftp://photos.example/1"]}, "photos.0", "Must be an https address"),
    ("sakaniEligibility", {"status": None}, "status", REQUIRED),
    ("sakaniEligibility", {"status": "maybe"}, "status",
     words("not_checked", "eligible", "not_eligible", "pending_verification")),
    ("sakaniEligibility", {"interestedProducts": ["ready_unit", "castle"]}, "interestedProducts.1",
     words("ready_unit", "under_construction", "self_construction", "moh_land", "easy_installment")),
    ("sakaniEligibility", {"householdIncome": -1}, "householdIncome", "Must not be negative"),
    ("sakaniEligibility", {"householdSize": 0}, "householdSize", "Ensure this value is greater than or equal to 1."),
    ("sakaniEligibility", {"householdSize": 51}, "householdSize", "Ensure this value is less than or equal to 50."),
    ("registryInfo", {"registrationDate": "2030-02-02"}, "registrationDate", "Must not lie in the future"),
    ("registryInfo", {"registeredOwner": "\u2066مالك"}, "registeredOwner", BIDI),
    ("mortgageInfo", {"status": None}, "status", REQUIRED),
    ("mortgageInfo", {"status": "paid"}, "status",
     words("not_applied", "pre_approved", "application_submitted", "approved", "rejected", "disbursed")),
    ("mortgageInfo", {"financingType": "barter"}, "financingType",
     words("conventional", "islamic", "subsidized", "self_funded")),
    ("mortgageInfo", {"approvedAmount": None}, "approvedAmount",
     "approvedAmount is required when the mortgage is approved"),
    ("mortgageInfo", {"disbursementDate": None}, "disbursementDate",
     "disbursementDate is required when the mortgage is disbursed"),
    ("mortgageInfo", {"interestRate": 30.5}, "interestRate", "Ensure this value is less than or equal to 30."),
    ("mortgageInfo", {"loanTenure": 36}, "loanTenure", "Ensure this value is less than or equal to 35."),
    ("mortgageInfo", {"loanTenure": 0}, "loanTenure", "Ensure this value is greater than or equal to 1."),
    ("mortgageInfo", {"approvalDate": "2030-01-07"}, "approvalDate",
     "approvalDate must not be before applicationDate"),
    ("mortgageInfo", {"disbursementDate": "2030-01-17"}, "disbursementDate",
     "disbursementDate must not be before approvalDate"),
    ("mortgageInfo", {"approvalDate": None, "disbursementDate": "2030-01-07"}, "disbursementDate",
     "disbursementDate must not be before applicationDate"),
    ("paymentSchedule", {"type": None}, "type", REQUIRED),
    ("paymentSchedule", {"type": "gift"}, "type",
     words("down_payment", "installment", "escrow_release", "final_payment", "other")),
    ("paymentSchedule", {"description": None}, "description", REQUIRED),
    ("paymentSchedule", {"amount": None}, "amount", REQUIRED),
    ("paymentSchedule", {"amount": 0}, "amount", "Must be greater than 0"),
    ("paymentSchedule", {"dueDate": None}, "dueDate", REQUIRED),
    ("paymentSchedule", {"status": None}, "status", REQUIRED),
    ("paymentSchedule", {"status": "late"}, "status", words("pending", "paid", "overdue", "cancelled")),
    ("paymentSchedule", {"paidAmount": 100000.01}, "paidAmount", "paidAmount must not be greater than amount"),
    ("paymentSchedule", {"paidDate": "2030-02-02"}, "paidDate", "Must not lie in the future"),
    ("paymentSchedule", {"paidDate": None}, "paidDate", "paidDate is required when the payment is paid"),
]  # fmt: skip

# The other side of each bound.
ACCEPTED = [
    ("brokerageLicense", {"licenseNumber": None, "status": "pending"}),
    ("brokerageLicense", {"expiryDate": "2030-01-15", "licenseNumber": "x" * 50, "notes": "x" * 5000}),
    ("brokerageContracts", {"endDate": "2030-01-20", "commissionRate": 100, "exclusivityPeriod": 3650}),
    ("brokerageContracts", {"endDate": None, "commissionRate": 0, "commissionAmount": 0, "exclusivityPeriod": 1}),
    ("brokerageContracts", {"status": None, "propertyTitle": "x" * 500}),
    ("ejarContracts", {"endDate": "2030-01-01", "monthlyRent": 0.01, "securityDeposit": 0}),
    ("ejarContracts", {"ejarContractNumber": None, "createdInEjar": False}),
    ("ejarContracts", {"ejarCreatedAt": "2030-02-01T00:00:00Z"}),
    ("wafiLicense", {"licenseNumber": None, "status": "planning"}),
    ("wafiLicense", {"soldUnits": 105}),
    ("wafiLicense", {"soldUnits": 5000, "totalUnits": None}),
    ("escrowMilestones", {"percentage": 100, "milestoneNumber": 1}),
    ("escrowMilestones", {"percentage": 0.001, "status": "pending", "certifiedBy": None, "releaseApproved": None}),
    ("escrowMilestones", {"status": "certified", "releaseApproved": None}),
    ("handoverDefects", {"targetResolutionDate": "2024-01-15", "photos": None}),
    ("handoverDefects", {"reportedAt": "2024-01-15T09:00:00Z", "resolvedAt": "2024-01-15T09:00:00Z"}),
    ("handoverDefects", {"reportedAt": None, "targetResolutionDate": None}),
    ("sakaniEligibility", {"householdSize": 50, "householdIncome": 0}),
    ("registryInfo", {"registrationDate": "2030-02-01"}),
    ("mortgageInfo", {"status": "approved", "disbursementDate": None, "interestRate": 30, "loanTenure": 35}),
    ("mortgageInfo", {"status": "rejected", "approvedAmount": None, "approvalDate": None}),
    ("mortgageInfo", {"applicationDate": "2030-01-18", "disbursementDate": "2030-01-18"}),
    ("paymentSchedule", {"paidAmount": 100000, "amount": 100000}),
    ("paymentSchedule", {"paidDate": "2030-02-01"}),
    ("paymentSchedule", {"paidDate": "2030-02-02", "status": "pending"}),
    ("paymentSchedule", {"status": "pending", "paidDate": None, "paidAmount": None}),
]


def path_of(name, field, place=0):
    return f"ksaCompliance.{name}.{place}.{field}" if isinstance(DEAL[name], list) else f"ksaCompliance.{name}.{field}"


@pytest.mark.parametrize(("name", "changes", "field", "message"), REFUSED)
def test_what_breaks_a_rule_is_refused_by_either_door(as_, layla, name, changes, field, message):
    client, customer, body = as_(layla), make_customer(layla), one_of(name, **changes)
    whole = {name: [body] if isinstance(DEAL[name], list) else body}
    with nothing_changes():
        error = error_of(write_one(client, customer, name, body), 400, "VALIDATION_ERROR")
        assert error["details"] == [{"field": field, "message": message}]
        error = error_of(write_whole(client, customer, whole), 400, "VALIDATION_ERROR")
        assert error["details"] == [{"field": path_of(name, field), "message": message}]
    assert "ksaCompliance" not in data_of(client.get(f"customers/{customer.pk}"))["customer"]


@pytest.mark.parametrize(("name", "changes"), ACCEPTED)
def test_what_keeps_the_rules_is_accepted_by_either_door(as_, layla, noura, name, changes):
    body = one_of(name, **changes)
    is_list = isinstance(DEAL[name], list)
    data_of(write_one(as_(layla), make_customer(layla), name, body), 201 if is_list else 200)
    data_of(write_whole(as_(noura), make_customer(noura), {name: [body] if is_list else body}))


def test_null_where_a_value_is_needed_is_refused(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    for name, field in (("wafiLicense", "status"), ("paymentSchedule", "amount"), ("ejarContracts", "endDate")):
        error = error_of(write_one(client, customer, name, one_of(name) | {field: None}), 400)
        assert error["details"] == [{"field": field, "message": NO_NULL}]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("wafiLicense", "قريبا", "wafiLicense"),
        ("wafiLicense", [], "wafiLicense"),
        ("paymentSchedule", {}, "paymentSchedule"),
        ("paymentSchedule", ["دفعة"], "paymentSchedule.0"),
        ("paymentSchedule", [None], "paymentSchedule.0"),
        ("paymentSchedule", [DEAL["paymentSchedule"][0] | {"id": []}], "paymentSchedule.0.id"),
    ],
)
def test_a_part_of_another_form_is_refused(as_, layla, name, value, field):
    error = error_of(write_whole(as_(layla), make_customer(layla), {name: value}), 400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in error["details"]] == [f"ksaCompliance.{field}"]


def test_the_end_of_time_is_a_time(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    end = "2199-12-31T23:59:59Z"
    body = {
        "sakaniEligibility": {"status": "eligible", "eligibilityCheckedAt": end},
        "ejarContracts": [one_of("ejarContracts", endDate="9999-12-31")],
        "brokerageLicense": one_of("brokerageLicense", expiryDate="9999-12-31"),
    }
    there = data_of(write_whole(client, customer, body))["customer"]["ksaCompliance"]
    defect = one_of("handoverDefects", reportedAt=end, resolvedAt=end, targetResolutionDate=None)
    assert fields_of(write_one(client, customer, "handoverDefects", defect)) == ["reportedAt"]
    assert data_of(client.get(f"customers/{customer.pk}/compliance"))["ksaCompliance"] == there


def test_a_product_of_interest_counts_once(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    products = ["moh_land", "ready_unit", "moh_land", "ready_unit", "moh_land", "ready_unit"]
    body = one_of("sakaniEligibility", interestedProducts=products)
    answer = data_of(write_one(client, customer, "sakaniEligibility", body))
    assert answer["sakaniEligibility"]["interestedProducts"] == ["moh_land", "ready_unit"]


@pytest.mark.parametrize("key", [None, ""])
def test_an_item_without_an_id_in_it_is_new(as_, layla, key):
    items = [DEAL["paymentSchedule"][0] | {"id": key}]
    there = data_of(write_whole(as_(layla), make_customer(layla), {"paymentSchedule": items}))["customer"]
    assert there["ksaCompliance"]["paymentSchedule"][0]["id"].startswith("pay_")


def test_every_rule_that_is_broken_is_named_at_once(as_, layla):
    body = {
        "brokerageLicense": one_of("brokerageLicense", licenseNumber=None, expiryDate="2029-01-01"),
        "ejarContracts": [one_of("ejarContracts"), one_of("ejarContracts", endDate="2029-01-01", status=None)],
        "paymentSchedule": [one_of("paymentSchedule", paidDate=None, paidAmount=100001)],
    }
    error = error_of(write_whole(as_(layla), make_customer(layla), body), 400, "VALIDATION_ERROR")
    assert [detail["field"].removeprefix("ksaCompliance.") for detail in error["details"]] == [
        "brokerageLicense.licenseNumber", "brokerageLicense.expiryDate", "ejarContracts.1.status",
        "paymentSchedule.0.paidAmount", "paymentSchedule.0.paidDate",
    ]  # fmt: skip


# --- Against what is stored ------------------------------------------------------------------------


def test_rules_hold_for_what_a_change_leaves_together_with_what_was_there(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    data_of(write_whole(client, customer, DEAL))
    for name, changes, field in (
        ("brokerageLicense", {"licenseNumber": None}, "licenseNumber"),
        ("brokerageLicense", {"issuedDate": "2031-01-15"}, "expiryDate"),
        ("wafiLicense", {"totalUnits": 92}, "soldUnits"),
        ("wafiLicense", {"reservedUnits": 43}, "soldUnits"),
        ("mortgageInfo", {"approvedAmount": None}, "approvedAmount"),
        ("mortgageInfo", {"applicationDate": "2030-01-19"}, "approvalDate"),
    ):
        with nothing_changes():
            error = error_of(client.patch(place_of(customer, name), changes), 400, "VALIDATION_ERROR")
            assert [detail["field"] for detail in error["details"]] == [field]
            error = error_of(write_whole(client, customer, {name: changes}), 400, "VALIDATION_ERROR")
            assert [detail["field"] for detail in error["details"]] == [path_of(name, field)]


def milestones(*shares, project="P-1"):
    return [
        {"projectId": project, "milestoneNumber": number, "title": f"مرحلة {number}", "targetDate": "2031-01-01",
         "status": "pending", "percentage": share}
        for number, share in enumerate(shares, 1)
    ]  # fmt: skip


def test_the_milestones_of_a_project_share_a_hundred_percent(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    there = [*milestones(60, 40), *milestones(100, project="P-2"), *milestones(70, project="")]
    rows = data_of(write_whole(client, customer, {"escrowMilestones": there}))["customer"]["ksaCompliance"]
    message = "Milestone percentages of project P-1 add up to 100.001, more than 100"
    with nothing_changes():
        place = place_of(customer, "escrowMilestones", rows["escrowMilestones"][0]["id"])
        error = error_of(client.patch(place, {"percentage": 60.001}), 400, "VALIDATION_ERROR")
        assert error["details"] == [{"field": "percentage", "message": message}]
        one_more = milestones(60, 40, 0.001)[2]
        error = error_of(client.post(place_of(customer, "escrowMilestones"), one_more), 400, "VALIDATION_ERROR")
        assert error["details"] == [{"field": "percentage", "message": message}]
        error = error_of(write_whole(client, customer, {"escrowMilestones": milestones(60, 40, 0.001)}), 400)
        assert error["details"] == [{"field": "ksaCompliance.escrowMilestones.2.percentage", "message": message}]
    data_of(client.patch(place, {"percentage": 59.999}))
    data_of(client.post(place_of(customer, "escrowMilestones"), one_more), 201)


def test_a_milestone_has_its_number_alone_in_its_project(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    data_of(write_whole(client, customer, {"escrowMilestones": milestones(10, 10)}))
    message = "Another milestone of the project has this number"
    same = milestones(10)[0]
    error = error_of(client.post(place_of(customer, "escrowMilestones"), same), 400, "VALIDATION_ERROR")
    assert error["details"] == [{"field": "milestoneNumber", "message": message}]
    error = error_of(write_whole(client, customer, {"escrowMilestones": [same, same]}), 400, "VALIDATION_ERROR")
    assert error["details"] == [{"field": "ksaCompliance.escrowMilestones.1.milestoneNumber", "message": message}]
    data_of(client.post(place_of(customer, "escrowMilestones"), same | {"projectId": "P-2"}), 201)


CONTRACT = ["draft", "pending_approval", "active", "completed", "cancelled"]
MAY_FOLLOW = {
    "draft": {"pending_approval", "cancelled"},
    "pending_approval": {"active", "cancelled"},
    "active": {"completed", "cancelled"},
    "completed": {"cancelled"},
    "cancelled": set(),
}


@pytest.mark.parametrize("before", CONTRACT)
def test_a_contract_moves_on_in_order_and_may_be_cancelled(as_, layla, before):
    client = as_(layla)
    for after in CONTRACT:
        customer = make_customer(layla)
        body = {"type": "sale", "status": before, "startDate": "2030-01-01"}
        contract = data_of(client.post(place_of(customer, "brokerageContracts"), body), 201)["brokerageContract"]
        place = place_of(customer, "brokerageContracts", contract["id"])
        whole = {"brokerageContracts": [contract | {"status": after}]}
        if after == before or after in MAY_FOLLOW[before]:
            assert data_of(client.patch(place, {"status": after}))["brokerageContract"]["status"] == after
            continue
        message = f"A contract that is {before} cannot become {after}"
        with nothing_changes():
            error = error_of(client.patch(place, {"status": after}), 422, "VALIDATION_ERROR")
            assert error["details"] == [{"field": "status", "message": message, "rule": "INVALID_TRANSITION"}]
            error = error_of(write_whole(client, customer, whole), 422, "VALIDATION_ERROR")
            field = "ksaCompliance.brokerageContracts.0.status"
            assert error["details"] == [{"field": field, "message": message, "rule": "INVALID_TRANSITION"}]


def test_a_project_only_goes_forward(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    order = ["planning", "licensed", "construction", "completed", "handed_over"]
    place = place_of(customer, "wafiLicense")
    for number, status in enumerate(order):
        data_of(client.patch(place, {"status": status, "licenseNumber": "WF-1"}))
        for before in order[:number]:
            message = f"A project that is {status} cannot go back to {before}"
            error = error_of(client.patch(place, {"status": before}), 422, "VALIDATION_ERROR")
            assert error["details"] == [{"field": "status", "message": message, "rule": "INVALID_TRANSITION"}]
            error = error_of(write_whole(client, customer, {"wafiLicense": {"status": before}}), 422)
            assert error["details"][0]["field"] == "ksaCompliance.wafiLicense.status"
    other = make_customer(layla)
    data_of(client.patch(place_of(other, "wafiLicense"), {"status": "planning"}))
    data_of(client.patch(place_of(other, "wafiLicense"), {"status": "completed", "licenseNumber": "WF-2"}))


# --- At once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_milestones_that_are_too_much_together_one_is_written(settings, layla):
    settings.RATE_LIMITS = False
    customer = make_customer(layla)
    bodies = [milestones(*[60] * number)[-1] for number in range(1, 5)]
    place = place_of(customer, "escrowMilestones")
    responses = at_once(*(one_request(layla, "post", place, body) for body in bodies))
    assert statuses(responses) == [201, 400, 400, 400]
    assert [milestone.percentage for milestone in EscrowMilestone.objects.all()] == [60]


@pytest.mark.django_db(transaction=True)
def test_of_leases_with_one_number_one_is_written(settings, layla):
    settings.RATE_LIMITS = False
    customers = [make_customer(layla) for _number in range(4)]
    body = one_of("ejarContracts")
    calls = [one_request(layla, "post", place_of(customer, "ejarContracts"), body) for customer in customers]
    assert statuses(at_once(*calls)) == [201, 409, 409, 409]
    (lease,) = EjarContract.objects.all()
    error = error_of(HubClient(layla).post(place_of(customers[0], "ejarContracts"), body), 409, "DUPLICATE_RESOURCE")
    assert error["details"] == {"field": "ejarContractNumber", "existingId": lease.customer_id}


@pytest.mark.django_db(transaction=True)
def test_items_that_are_added_at_once_are_all_there_in_one_order(settings, layla):
    settings.RATE_LIMITS = False
    customer = make_customer(layla)
    bodies = [one_of("paymentSchedule", description=f"دفعة {number}") for number in range(6)]
    place = place_of(customer, "paymentSchedule")
    assert statuses(at_once(*(one_request(layla, "post", place, body) for body in bodies))) == [201] * 6
    rows = data_of(HubClient(layla).get(place))["paymentSchedule"]
    assert {row["description"] for row in rows} == {body["description"] for body in bodies}
    assert sorted(customer.payments.values_list("position", flat=True)) == list(range(6))
