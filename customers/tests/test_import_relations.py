"""Full customer objects in a JSON file: all that hangs on them goes in, and comes back equal over the API."""

import copy

import pytest

from actions import tasks
from actions.models import CustomerAction
from config.testing import data_of, make_customer, nothing_changes
from customers.models import Customer, Interaction, PropertyInterest, StatusChange
from customers.tests.deals import DEAL
from customers.tests.imports import reasons, run_import

AGENT = {"id": "emp_801", "name": "سالم الحربي", "email": "salem@agency.example", "role": "Sales Agent"}
NO_FILE = "/documents/id_801.pdf"
FULL = {
    "id": "cust_801",
    "name": "محمد الفهد",
    "phone": "+966512345678",
    "source": "inquiry",
    "stage": "negotiation",
    "assignedEmployeeId": "emp_801",
    "totalInteractions": 24,
    "totalAppointments": 3,
    "totalPropertyViews": 5,
    "lastContactAt": "2024-01-21T14:30:00Z",
    "lastContactType": "call",
    "paidAmount": 100000,
    "properties": [
        {
            "id": "prop_int_801", "propertyId": "prop_villa_001", "propertyTitle": "فيلا في حي النرجس",
            "propertyTitleEn": "Villa in Al-Narjis", "propertyImage": "https://images.example/1.jpg?w=800",
            "propertyPrice": 2200000.5, "propertyType": "villa", "propertyLocation": "الرياض - حي النرجس",
            "status": "liked", "addedAt": "2024-01-18T15:00:00Z", "viewedAt": "2024-01-19T15:00:00Z",
            "feedback": "مناسب", "rating": 5, "notes": "يفضل الخميس",
        },
        {
            "id": "prop_int_802", "propertyId": "prop_villa_002", "propertyTitle": "فيلا في حي الياسمين",
            "status": "interested", "addedAt": "2024-01-18T15:00:00Z",
        },
    ],
    "interactions": [
        {
            "id": "int_801_1", "type": "whatsapp", "direction": "inbound", "date": "2024-01-15T10:30:00Z",
            "notes": "استفسار عن فلل", "agentName": "سالم الحربي", "agentId": "emp_801", "sentiment": "positive",
            "followUpRequired": True, "followUpDate": "2024-01-16T10:30:00Z",
        },
        {
            "id": "int_801_2", "type": "call", "direction": "outbound", "date": "2024-01-21T14:30:00Z",
            "duration": 15, "notes": "مكالمة", "outcome": "موعد", "agentName": "من غادر", "agentId": "emp_gone",
            "sentiment": "neutral", "followUpRequired": False,
        },
    ],
    "appointments": [
        {
            "id": "apt_801_1", "title": "معاينة فيلا النرجس", "titleEn": "Viewing", "type": "site_visit",
            "date": "2024-01-25", "time": "13:00", "datetime": "2024-01-25T10:00:00Z", "duration": 60,
            "location": "حي النرجس", "propertyId": "prop_villa_001", "propertyTitle": "فيلا في حي النرجس",
            "status": "scheduled", "priority": "high", "notes": "المخططات", "agentName": "سالم الحربي",
            "agentId": "emp_801", "reminderSent": False, "createdAt": "2024-01-20T09:00:00Z",
            "updatedAt": "2024-01-21T09:00:00Z",
        },
    ],
    "reminders": [
        {
            "id": "rem_801_1", "title": "متابعة", "titleEn": "Follow up", "description": "اتصال",
            "datetime": "2024-01-22T10:00:00Z", "priority": "high", "status": "pending", "type": "follow_up",
            "relatedTo": "apt_801_1", "createdBy": "سالم الحربي", "createdById": "emp_801",
        },
        {
            "id": "rem_801_2", "title": "دفعة", "datetime": "2024-01-23T10:00:00Z", "priority": "low",
            "status": "completed", "type": "payment", "createdBy": "سالم الحربي", "createdById": "emp_801",
            "completedAt": "2024-01-23T11:00:00Z",
        },
    ],
    "documents": [
        {
            "id": "doc_801_1", "name": "نسخة الهوية", "type": "id_copy", "fileUrl": NO_FILE, "fileSize": 2456789,
            "mimeType": "application/pdf", "uploadedBy": "سالم الحربي", "uploadedById": "emp_801",
            "uploadedAt": "2024-01-17T14:00:00Z", "description": "وجه وظهر", "tags": ["kyc"],
        },
        {
            "id": "doc_801_2", "name": "عقد", "type": "contract", "fileUrl": "https://files.example/a.pdf",
            "uploadedBy": "سالم الحربي", "uploadedById": "emp_801", "uploadedAt": "2024-01-18T14:00:00Z",
            "tags": [],
        },
    ],
    "ksaCompliance": DEAL,
}  # fmt: skip
# What cannot come back as it was: statuses that today makes, and URLs of files that are not there.
MADE_BY_TODAY = {
    ("reminders", 0, "status"): "overdue",
    ("documents", 0, "fileUrl"): "",
}


@pytest.fixture
def run(tmp_path, layla):
    def run(content, **options):
        path = tmp_path / "full.json"
        return run_import("import_customers", path, content, "utf-8", organization=layla.organization_id, **options)

    return run


def differences(given, got, path=()):
    """Where what came back is another than what was given; what the hub adds beside it is none."""
    if isinstance(given, dict):
        return [found for name in given for found in differences(given[name], got.get(name), (*path, name))]
    if isinstance(given, list) and len(given) == len(got):
        pairs = enumerate(zip(given, got, strict=True))
        return [found for place, pair in pairs for found in differences(*pair, (*path, place))]
    return [] if given == got else [(path, got)]


def test_everything_that_hangs_on_a_customer_comes_back_equal(run, as_, layla):
    code, summary, found = run({"employees": [AGENT], "customers": [FULL]})
    assert (code, summary["inserted"], reasons(found)) == (0, 1, [])
    assert {name: summary[name] for name in ("property interests", "interactions", "documents", "payments")} == {
        "property interests": 2, "interactions": 2, "documents": 2, "payments": len(DEAL["paymentSchedule"]),
    }  # fmt: skip
    customer = data_of(as_(layla).get("customers/cust_801"))["customer"]
    assert dict(differences(FULL, customer)) == MADE_BY_TODAY


def test_nothing_follows_from_what_has_been(run):
    run({"employees": [AGENT], "customers": [FULL]})
    assert tasks.surface_due() == 0
    assert not CustomerAction.objects.exists()
    changes = StatusChange.objects.order_by("item_id").values_list("item_id", "from_status", "to_status")
    assert list(changes) == [
        ("apt_801_1", None, "scheduled"), ("prop_int_801", None, "liked"), ("prop_int_802", None, "interested"),
    ]  # fmt: skip


def test_a_second_run_adds_nothing_and_a_new_item_is_added(run, as_, layla):
    content = {"employees": [AGENT], "customers": [FULL]}
    run(content)
    before = data_of(as_(layla).get("customers/cust_801"))["customer"]
    for upsert in (False, True):
        code, summary, _found = run(content, upsert=upsert)
        assert (code, summary["unchanged"], "interactions" in summary) == (0, 1, False)
    assert data_of(as_(layla).get("customers/cust_801"))["customer"] == before
    more = copy.deepcopy(FULL)
    news = {"type": "note", "date": "2024-02-01T10:00:00Z", "followUpRequired": True}
    # What has no id of its own cannot be told from what is here, and stays out.
    more["interactions"] += [{**news, "id": "int_801_3", "notes": "جديد"}, {**news, "notes": "بلا معرف"}]
    assert run([more])[1]["interactions"] == 1
    shown = data_of(as_(layla).get("customers/cust_801"))["customer"]["interactions"]
    assert [row["notes"] for row in shown] == ["استفسار عن فلل", "مكالمة", "جديد"]
    assert not CustomerAction.objects.exists()


@pytest.mark.parametrize("upsert", [False, True])
@pytest.mark.parametrize("is_deleted", [False, True])
def test_nobody_who_was_erased_comes_back_by_a_file(run, as_, layla, upsert, is_deleted):
    run([FULL])
    client = as_(layla)
    if is_deleted:
        data_of(client.delete("customers/cust_801"))
    erased = data_of(client.post("customers/cust_801/erase", {"confirm": "cust_801"}))["customer"]
    more = [*FULL["interactions"], {"id": "int_801_9", "type": "note", "notes": "من جديد"}]
    new = {"id": "cust_802", "name": "الجديد", "phone": "+966512345679", "source": "inquiry"}
    with nothing_changes():
        code, _summary, found = run([{**FULL, "interactions": more}, erased | {"id": "cust_803"}], upsert=upsert)
    assert code == 1 and [line["row"] for line in found if line["severity"] == "error"] == ["2", "1"]
    (_other, (_row, column, reason)) = reasons(found)
    assert (column, reason) == ("id", "The data of this customer was erased; nothing can be added or changed")
    assert ("2", "erasedAt", "Erased customers are not imported") in reasons(found)
    assert run([{**FULL, "interactions": more}, new], upsert=upsert)[0] == 2
    assert Customer.objects.filter(erased_at=None).get().pk == "cust_802"


def test_ids_and_numbers_that_another_customer_has_are_not_taken(run, as_, layla, noura):
    theirs = make_customer(noura)
    Interaction.objects.create(
        id="int_801_1", organization_id=noura.organization_id, customer=theirs, type="call", notes="لهم",
        agent_id=noura.pk, agent_name=noura.name,
    )  # fmt: skip
    other = {**FULL, "id": "cust_802", "phone": "+966512345679", "documents": [], "reminders": []}
    code, summary, found = run({"employees": [AGENT], "customers": [FULL, other]})
    assert (code, summary["inserted"]) == (0, 2)
    assert Interaction.objects.get(pk="int_801_1").notes == "لهم"
    assert {row.customer_id for row in Interaction.objects.exclude(customer=theirs)} == {"cust_801", "cust_802"}
    # A contract's number is the organization's: the second customer's contracts with the same numbers stay out.
    assert summary["brokerage contracts"] == 3 and summary["Ejar contracts"] == 1
    assert reasons(found, "notice")


@pytest.mark.parametrize(
    ("name", "place", "change", "column"),
    [
        ("properties", 1, {"status": "loved"}, "properties.1.status"),
        ("interactions", 0, {"date": "soon"}, "interactions.0.date"),
        ("appointments", 0, {"duration": -5}, "appointments.0.duration"),
        ("reminders", 1, {"title": ""}, "reminders.1.title"),
        ("documents", 0, {"type": "secret"}, "documents.0.type"),
    ],
)
def test_a_customer_with_something_wrong_is_left_out_as_a_whole(run, name, place, change, column):
    wrong = copy.deepcopy(FULL)
    wrong[name][place] |= change
    code, summary, found = run({"employees": [AGENT], "customers": [wrong]})
    assert (code, summary["bad"]) == (1, 1)
    assert [line[1] for line in reasons(found)] == [column]
    assert not Customer.objects.exists() and not PropertyInterest.objects.exists()


def test_compliance_that_breaks_a_rule_is_named_by_its_path(run):
    contract = {**DEAL["brokerageContracts"][0], "endDate": "2029-01-01T00:00:00Z"}
    wrong = {**FULL, "ksaCompliance": {**DEAL, "brokerageContracts": [contract]}}
    _code, summary, found = run({"employees": [AGENT], "customers": [wrong]})
    assert summary["bad"] == 1
    assert [line[1] for line in reasons(found)] == ["ksaCompliance.brokerageContracts.0.endDate"]
