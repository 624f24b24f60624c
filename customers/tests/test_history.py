"""GET /customers/:id/history: who changed what of a customer, when, and through which door and request."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from actions.tasks import wake_snoozed
from config.logging import door
from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_action, make_customer
from customers.history import history_of, history_of_row
from customers.models import Customer
from customers.services import customer as services
from employees import services as employees


def history(client, customer, **query):
    return data_of(client.get(f"customers/{customer.pk}/history", query))["history"]


def test_an_edit_is_told_of_under_the_names_of_the_api_with_who_when_and_how(as_, fatima, ahmed):
    customer = make_customer(ahmed, name="محمد", total_deal_value=44_000)
    body = {"name": "محمد الفهد", "totalDealValue": 45_000.5, "preferences": {"budgetMin": 900_000}, "city": "الرياض"}
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", body, headers={"X-Request-ID": "req_edit"}))
    edited, made = history(as_(fatima), customer)
    assert edited == {
        "id": edited["id"],
        "at": edited["at"],
        "operation": "updated",
        "entity": "customer",
        "entityId": customer.pk,
        "actor": {"id": ahmed.pk, "name": ahmed.name},
        "door": "api",
        "requestId": "req_edit",
        "changes": edited["changes"],
    }
    assert {change["field"]: (change["from"], change["to"]) for change in edited["changes"]} == {
        "name": ("محمد", "محمد الفهد"),
        "totalDealValue": (44_000, 45_000.5),
        "preferences.budgetMin": (None, 900_000),
        "city": (None, "الرياض"),
    }
    assert (made["operation"], made["entityId"], made["changes"]) == ("created", customer.pk, [])


def test_all_that_hangs_on_a_customer_is_in_its_history_even_what_was_removed(as_, layla, ahmed):
    client, customer, other = as_(ahmed), make_customer(ahmed), make_customer(ahmed)
    call = {"type": "call", "direction": "inbound", "notes": "اتصل"}
    path = f"customers/{customer.pk}/interactions"
    made = data_of(client.post(path, call), 201)["interaction"]
    data_of(client.post(f"customers/{other.pk}/interactions", call), 201)
    data_of(client.patch(f"{path}/{made['id']}", {"outcome": "مهتم"}))
    data_of(client.delete(f"{path}/{made['id']}"))
    action = make_action(ahmed, customer)
    data_of(client.post(f"customers/actions/{action.pk}/complete"))
    data_of(client.put(f"customers/{customer.pk}/compliance/wafi-license", {"status": "planning"}))
    told = [(row["operation"], row["entity"]) for row in history(as_(layla), customer)]
    assert told == [
        ("created", "wafiLicense"),
        ("updated", "action"),
        ("created", "action"),
        ("deleted", "interaction"),
        ("updated", "interaction"),
        ("created", "interaction"),
        ("created", "customer"),
    ]
    (removed,) = history(as_(layla), customer, entity="interaction", operation="deleted")
    assert removed["entityId"] == made["id"]
    changes = {change["field"]: (change["from"], change["to"]) for change in removed["changes"]}
    assert changes["notes"] == ("اتصل", None) and changes["outcome"] == ("مهتم", None)
    assert not {"id", "customerId", "organizationId", "createdAt"} & changes.keys()


def test_deleting_and_restoring_are_called_so(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    data_of(client.delete(f"customers/{customer.pk}"))
    data_of(client.post(f"customers/{customer.pk}/restore"))
    data_of(client.patch(f"customers/{customer.pk}", {"notes": "عاد"}))
    assert [row["operation"] for row in history(client, customer)] == ["updated", "restored", "deleted", "created"]
    for operation in ("updated", "restored", "deleted", "created"):
        assert [row["operation"] for row in history(client, customer, operation=operation)] == [operation]
    assert len(history(client, customer, operation="created,deleted")) == 2


def test_it_is_narrowed_by_who_and_when_and_paged_both_ways(as_, layla, ahmed):
    client, customer = as_(layla), make_customer(ahmed)
    for who, notes in ((ahmed, "أولى"), (layla, "ثانية"), (ahmed, "ثالثة")):
        data_of(as_(who).patch(f"customers/{customer.pk}", {"notes": notes}))
    assert [row["actor"]["id"] for row in history(client, customer, actorId=layla.pk)] == [layla.pk]
    assert len(history(client, customer, dateFrom="2026-01-01")) == 4
    assert history(client, customer, dateTo="2026-01-01") == []
    path, pages = f"customers/{customer.pk}/history", []
    cursor = ""
    while cursor is not None:
        page = data_of(client.get(path, {"limit": 3, "cursor": cursor}))
        pages.append([row["id"] for row in page["history"]])
        cursor = page["pagination"]["nextCursor"]
    assert pages == [[row["id"] for row in history(client, customer)][:3], [history(client, customer)[3]["id"]]]
    second = data_of(client.get(path, {"limit": 3, "page": 2}))
    assert [row["id"] for row in second["history"]] == pages[1] and second["pagination"]["totalItems"] == 4
    for query, field in (({"entity": "employee"}, "entity"), ({"operation": "burnt"}, "operation"),
                         ({"dateFrom": "yesterday"}, "dateFrom"), ({"limit": 101}, "limit")):  # fmt: skip
        assert fields_of(client.get(path, query)) == [field]


def test_only_those_who_lead_read_it_and_only_of_customers_they_see(as_, fatima, ahmed, omar, huda, noura, layla):
    mine, theirs = make_customer(ahmed), make_customer(omar)
    assert len(history(as_(fatima), mine)) == 1
    error_of(as_(fatima).get(f"customers/{theirs.pk}/history"), 404, "RESOURCE_NOT_FOUND")
    error_of(as_(noura).get(f"customers/{theirs.pk}/history"), 404, "RESOURCE_NOT_FOUND")
    for viewer in (ahmed, huda):
        error = error_of(as_(viewer).get(f"customers/{mine.pk}/history"), 403, "PERMISSION_DENIED")
        assert error["details"]["requiredPermission"] == "customers.history"


def test_what_a_viewer_does_not_see_of_a_row_is_not_in_its_history(as_, layla, huda):
    customer, client = make_customer(layla, assigned_employee_id=huda.pk, national_id="1000000008"), as_(layla)
    data_of(client.patch(f"customers/{customer.pk}", {"nationalId": "1000000016", "notes": "صحح"}))
    compliance = f"customers/{customer.pk}/compliance"
    for income in (12_000, 13_000):
        body = {"status": "eligible", "householdIncome": income, "downPaymentSupport": income}
        data_of(client.patch(f"{compliance}/sakani-eligibility", body))
        data_of(
            client.patch(
                f"{compliance}/mortgage-info", {"status": "application_submitted", "preApprovedAmount": income}
            )
        )

    def told(viewer):
        return [
            (row["entity"], change["field"], change["from"], change["to"])
            for row in history_of(customer, viewer)
            for change in row["changes"]
        ]

    masked, whole = told(huda), told(layla)
    assert ("customer", "nationalId", "1000000008", "1000000016") in whole
    assert ("customer", "nationalId", "******0008", "******0016") in masked
    assert ("sakaniEligibility", "householdIncome", 12_000, 13_000) in whole
    assert ("sakaniEligibility", "downPaymentSupport", 12_000, 13_000) in masked
    assert ("mortgageInfo", "preApprovedAmount", 12_000, 13_000) in whole
    assert not [row for row in masked if row[0] == "mortgageInfo" or row[1] == "householdIncome"]


def test_the_labels_of_the_back_office_are_those_of_the_language(layla, ahmed):
    customer = make_customer(layla)
    services.update_customer(customer, actor=layla, values={"priority": "urgent", "assigned_employee_id": ahmed.pk})
    with override("ar"):
        entry = history_of(customer, layla)[0]
        changes = {
            change["field"]: (change["label"], change["fromLabel"], change["toLabel"]) for change in entry["changes"]
        }
        assert changes["priority"] == ("الأولوية", "متوسطة", "عاجلة")
        assert changes["assignedEmployeeId"][2] == ahmed.name
        assert entry["entityLabel"] == "العميل"
    assert (entry["operation"], entry["actor"]["name"]) == ("updated", layla.name)


def test_any_row_has_a_history_that_its_organization_alone_reads(layla, noura, ahmed):
    employees.update_employee(ahmed, actor=layla, name="أحمد الجديد")
    employees.set_password(ahmed, "another-long-pass-phrase", actor=layla)
    secret, renamed, _made = history_of_row("employees", ahmed.pk, layla)
    assert secret["changes"] == [{"field": "password", "label": "password"}]
    assert (renamed["changes"][0]["to"], renamed["entity"]) == ("أحمد الجديد", "employee")
    assert history_of_row("employees", ahmed.pk, noura) == []


def test_changes_say_through_which_door_they_came(as_, layla, clock):
    customer = make_customer(layla)
    client = as_(layla)
    action = make_action(layla, customer)
    until = clock.now.replace(microsecond=0)
    clock.move(hours=-2)
    data_of(client.post(f"customers/actions/{action.pk}/snooze", {"snoozedUntil": until.isoformat()}))
    clock.move(hours=3)
    wake_snoozed.apply()
    (woken, snoozed, *_rest) = history(client, customer, entity="action")
    assert [(row["door"], row["actor"]["id"]) for row in (woken, snoozed)] == [("task", "system"), ("api", layla.pk)]
    assert woken["actor"] == {"id": "system", "name": "System"}
    token = door.set("import")
    try:
        services.update_customer(Customer.objects.get(), actor=layla, values={"notes": "مستورد"})
    finally:
        door.reset(token)
    assert history(client, customer)[0]["door"] == "import"


def test_a_long_history_takes_as_many_statements_as_a_short_one(as_, layla):
    short, long = make_customer(layla), make_customer(layla)
    for number in range(12):
        services.update_customer(long, actor=layla, values={"notes": str(number)})
    client, counts = as_(layla), []
    history(client, short)
    for customer in (short, long):
        with CaptureQueriesContext(connection) as queries:
            history(client, customer, limit=100)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6
    assert AuditEntry.objects.filter(row_id=long.pk).count() == 13
