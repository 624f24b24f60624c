"""PUT and PATCH /customers/:id, which are the same partial update."""

import pytest

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_customer, make_employee, nothing_changes
from customers.models import Assignment, Customer
from employees import services as employees
from employees.choices import Role


def put(client, customer, body, **options):
    return client.put(f"customers/{customer.pk}", body, **options)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_the_example_of_the_specification_changes_what_it_names_and_keeps_the_rest(as_, ahmed, method):
    preferences = {"propertyType": ["apartment"], "budgetMin": 800000, "purpose": "buy", "bedrooms": 3}
    customer = make_customer(ahmed, name="عبدالله الشمري", preferences=preferences, tags=["new"], city="جدة")
    body = {
        "preferences": {"budgetMin": 900000, "budgetMax": 1300000, "bedrooms": 4},
        "priority": "urgent",
        "tags": ["vip", "hot_lead", "ready_to_buy"],
        "notes": "العميل جاهز للشراء خلال أسبوعين",
    }
    response = getattr(as_(ahmed), method)(f"customers/{customer.pk}", body)
    after = data_of(response)["customer"]
    assert response.json()["message"] == "Customer updated successfully"
    assert after["preferences"] == {
        "propertyType": ["apartment"],
        "preferredAreas": [],
        "budgetMin": 900000,
        "budgetMax": 1300000,
        "bedrooms": 4,
        "purpose": "buy",
    }
    assert (after["priority"], after["tags"], after["notes"]) == ("urgent", body["tags"], body["notes"])
    assert (after["name"], after["city"], after["phone"]) == ("عبدالله الشمري", "جدة", customer.phone)
    assert after["createdAt"] < after["updatedAt"]
    assert after == data_of(as_(ahmed).get(f"customers/{customer.pk}"))["customer"]


def test_null_and_empty_text_clear_an_optional_field(as_, layla):
    values = {
        "name_en": "Sara", "email": "sara@hub.example", "nationality": "Saudi", "gender": "female", "city": "جدة",
        "district": "حي الزهراء", "address": "شارع الأمير", "notes": "ملاحظة", "occupation": "مهندسة",
    }  # fmt: skip
    for empty in (None, ""):
        customer = make_customer(layla, whatsapp="+966551234567", **values)
        names = ["nameEn", "whatsapp", *(name for name in values if name != "name_en")]
        after = data_of(put(as_(layla), customer, dict.fromkeys(names, empty)))["customer"]
        assert not set(names) & after.keys()


def test_null_clears_numbers_days_lists_and_documents(as_, layla):
    client = as_(layla)
    customer = make_customer(layla)
    body = {
        "totalDealValue": 2200000, "expectedRevenue": 44000.5, "paidAmount": 1, "familySize": 6,
        "dateOfBirth": "1985-03-12", "nextFollowUpDate": "2030-01-22", "latitude": 24.7136, "longitude": 46.6753,
        "tags": ["vip"], "sourceDetails": {"campaign": "ramadan"},
        "preferences": {"budgetMin": 5, "amenities": ["pool"]},
    }  # fmt: skip
    after = data_of(put(client, customer, body))["customer"]
    assert {name: after[name] for name in body if name != "preferences"} == {
        name: value for name, value in body.items() if name != "preferences"
    }
    after = data_of(put(client, customer, dict.fromkeys(body)))["customer"]
    assert after["tags"] == [] and after["preferences"] == {"propertyType": [], "preferredAreas": []}
    assert not (body.keys() - {"tags", "preferences"}) & after.keys()


def test_inside_preferences_null_forgets_a_key_and_lists_replace(as_, layla):
    preferences = {"propertyType": ["villa", "land"], "preferredAreas": ["حي الملقا"], "budgetMin": 5, "bedrooms": 3}
    customer = make_customer(layla, preferences=preferences)
    body = {"preferences": {"propertyType": ["apartment"], "preferredAreas": None, "budgetMin": None}}
    after = data_of(put(as_(layla), customer, body))["customer"]
    assert after["preferences"] == {"propertyType": ["apartment"], "preferredAreas": [], "bedrooms": 3}


def test_source_details_merge_and_null_forgets_a_key(as_, layla):
    customer = make_customer(layla, source_details={"campaign": "رمضان", "utmSource": "instagram", "pages": 3})
    body = {"sourceDetails": {"utmSource": "snapchat", "pages": None, "utmMedium": "story"}}
    after = data_of(put(as_(layla), customer, body))["customer"]
    assert after["sourceDetails"] == {"campaign": "رمضان", "utmSource": "snapchat", "utmMedium": "story"}


def test_source_details_merge_deeply(as_, layla):
    customer = make_customer(layla, source_details={"utm": {"source": "google", "term": "فلل"}, "page": "/villas"})
    after = data_of(put(as_(layla), customer, {"sourceDetails": {"utm": {"medium": "cpc", "term": None}}}))["customer"]
    assert after["sourceDetails"] == {"utm": {"source": "google", "medium": "cpc"}, "page": "/villas"}


def test_numbers_and_days_are_read_in_digits_of_any_script(as_, layla):
    customer = make_customer(layla)
    body = {
        "totalDealValue": "٢٢٠٠٠٠٠", "familySize": "۶", "phone": "٠٥٥١٢٣٤٥٦٧", "dateOfBirth": "١٤٠٥/٠٦/٢٠",
        "preferences": {"budgetMin": "١٬٥٠٠٬٠٠٠", "bedrooms": "٤"},
    }  # fmt: skip
    after = data_of(put(as_(layla), customer, body))["customer"]
    assert (after["totalDealValue"], after["familySize"], after["phone"]) == (2200000, 6, "+966551234567")
    assert after["dateOfBirth"] == "1985-03-11"
    assert (after["preferences"]["budgetMin"], after["preferences"]["bedrooms"]) == (1500000, 4)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "سطر\nآخر"}, "name"),
        ({"name": 5}, "name"),
        ({"phone": None}, "phone"),
        ({"phone": ""}, "phone"),
        ({"phone": "0412345678"}, "phone"),
        ({"whatsapp": "0112345678"}, "whatsapp"),
        ({"email": "ليس بريدا"}, "email"),
        ({"stage": None}, "stage"),
        ({"stage": "gone"}, "stage"),
        ({"priority": "meh"}, "priority"),
        ({"source": "carrier pigeon"}, "source"),
        ({"gender": "x"}, "gender"),
        ({"tags": "vip"}, "tags"),
        ({"tags": [{"name": "vip"}]}, "tags.0"),
        ({"tags": ["x" * 101]}, "tags.0"),
        ({"tags": [f"وسم {n}" for n in range(51)]}, "tags"),
        ({"familySize": 2.5}, "familySize"),
        ({"familySize": True}, "familySize"),
        ({"totalDealValue": -1}, "totalDealValue"),
        ({"totalDealValue": 10**13}, "totalDealValue"),
        ({"totalDealValue": "كثير"}, "totalDealValue"),
        ({"dateOfBirth": "1990-02-30"}, "dateOfBirth"),
        ({"latitude": 91}, "latitude"),
        ({"preferences": {"budgetMin": 0}}, "preferences.budgetMin"),
        ({"preferences": {"bedrooms": "many"}}, "preferences.bedrooms"),
        ({"preferences": {"propertyType": "villa"}}, "preferences.propertyType"),
        ({"preferences": {"timeline": "soon"}}, "preferences.timeline"),
        ({"preferences": []}, "preferences"),
        ({"sourceDetails": [1]}, "sourceDetails"),
        ({"nationalId": "1000000000"}, "nationalId"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_changes(as_, layla, body, field):
    customer = make_customer(layla)
    with nothing_changes():
        assert fields_of(put(as_(layla), customer, {"notes": "لا تحفظ", **body})) == [field]


def test_a_national_id_is_checked_by_the_nationality_that_is_known(as_, layla):
    customer = make_customer(layla, nationality="سعودي")
    with nothing_changes():
        assert fields_of(put(as_(layla), customer, {"nationalId": "A1234567"})) == ["nationalId"]
    assert data_of(put(as_(layla), customer, {"nationalId": "١٠٠٠٠٠٠٠٠٨"}))["customer"]["nationalId"] == "1000000008"
    other = make_customer(layla, nationality="مصري")
    assert data_of(put(as_(layla), other, {"nationalId": "A1234567"}))["customer"]["nationalId"] == "A1234567"


@pytest.mark.parametrize(
    ("preferences", "field"),
    [
        ({"budgetMin": 3000000}, "preferences.budgetMax"),
        ({"budgetMax": 900000}, "preferences.budgetMax"),
        ({"minArea": 601}, "preferences.maxArea"),
    ],
)
def test_a_minimum_above_the_maximum_that_is_known_already_is_refused(as_, layla, preferences, field):
    known = {"budgetMin": 1000000, "budgetMax": 2000000, "maxArea": 600}
    customer = make_customer(layla, preferences=known)
    with nothing_changes():
        assert fields_of(put(as_(layla), customer, {"name": "جديد", "preferences": preferences}), 422) == [field]


def test_a_taken_phone_is_a_conflict_and_nothing_changes(as_, layla, ahmed, omar):
    taken, mine = make_customer(omar, phone="+966551234567"), make_customer(ahmed)
    with nothing_changes():
        seen = error_of(put(as_(layla), mine, {"phone": "0551234567", "name": "جديد"}), 409, "DUPLICATE_RESOURCE")
        unseen = error_of(put(as_(ahmed), mine, {"phone": "0551234567", "name": "جديد"}), 409, "DUPLICATE_RESOURCE")
    assert seen["details"] == {"field": "phone", "existingId": taken.pk}
    assert unseen["details"] == {"field": "phone"}


def test_the_phone_of_a_deleted_customer_or_of_another_agency_is_free(as_, layla, noura):
    gone, mine = make_customer(layla, phone="+966551234567"), make_customer(layla)
    make_customer(noura, phone="+966551234568")
    data_of(as_(layla).delete(f"customers/{gone.pk}"))
    for phone in ("0551234567", "0551234568"):
        assert data_of(put(as_(layla), mine, {"phone": phone}))["customer"]["phone"] == f"+966{phone[1:]}"


def test_what_is_so_already_changes_nothing(as_, layla, ahmed):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk, phone="+966551234567", tags=["vip"])
    body = {"phone": "055 123 4567", "tags": ["vip", "vip"], "assignedEmployeeId": ahmed.pk, "stage": "new_lead"}
    with nothing_changes():
        for client in (as_(layla), as_(ahmed)):
            data_of(put(client, customer, body))
            data_of(put(client, customer, {}))


def test_a_customer_sent_back_as_it_came_changes_nothing(as_, layla, ahmed):
    customer = make_customer(
        layla,
        assigned_employee_id=ahmed.pk,
        name_en="Sara",
        national_id="1000000008",
        nationality="Saudi",
        preferences={"budgetMin": 1500000.5, "timeline": "6months+", "bedrooms": 3},
        source_details={"campaign": "رمضان"},
        total_deal_value=2200000,
        latitude=24.71355,
        tags=["vip"],
    )
    for client in (as_(layla), as_(ahmed)):
        whole = data_of(client.get(f"customers/{customer.pk}"))["customer"]
        with nothing_changes():
            assert data_of(put(client, customer, whole))["customer"] == whole


def test_what_only_the_server_knows_is_ignored(as_, layla, noura):
    customer = make_customer(layla, name="قديم")
    body = {
        "name": "جديد", "id": "cust_mine", "organizationId": noura.organization_id, "organization": "org_other",
        "leadScore": 99, "aiInsights": {"churnRisk": "high"}, "version": 7, "deletedAt": "2024-01-01T00:00:00Z",
        "createdAt": "2020-01-01T00:00:00Z", "updatedAt": "2020-01-01T00:00:00Z", "totalInteractions": 9,
        "lastContactAt": "2024-01-01T00:00:00Z", "stageHistory": [{"toStage": "closing"}], "documents": [{}],
    }  # fmt: skip
    before = Customer.objects.filter(pk=customer.pk).values().get()
    data_of(put(as_(layla), customer, body))
    after = Customer.objects.filter(pk=customer.pk).values().get()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"name", "name_folded", "name_keys", "version", "updated_at"}
    assert after["name"] == "جديد" and after["version"] == 2


def test_a_stage_in_the_body_leaves_a_history_row(as_, layla):
    customer = make_customer(layla)
    after = data_of(put(as_(layla), customer, {"stage": "negotiation", "name": "جديد"}))["customer"]
    assert after["stage"] == "negotiation"
    assert [(row["fromStage"], row["toStage"], row["changedById"]) for row in after["stageHistory"]] == [
        (None, "new_lead", layla.pk),
        ("new_lead", "negotiation", layla.pk),
    ]


def test_an_assignee_in_the_body_leaves_an_assignment_row(as_, fatima, ahmed):
    customer = make_customer(fatima, assigned_employee_id=None)
    for body, before, after in (
        ({"assignedEmployeeId": ahmed.pk}, None, ahmed.pk),
        ({"assignedEmployee": {"id": fatima.pk, "name": "اسم يتجاهل"}}, ahmed.pk, fatima.pk),
        ({"assignedEmployeeId": None}, fatima.pk, None),
    ):
        answer = data_of(put(as_(fatima), customer, body))["customer"]
        assert answer.get("assignedEmployeeId") == after
        last = Assignment.objects.order_by("-assigned_at").first()
        assert (last.from_employee_id, last.to_employee_id, last.assigned_by_id) == (before, after, fatima.pk)
    assert Assignment.objects.count() == 3


def test_an_agent_may_not_hand_over_and_nothing_of_the_body_is_saved(as_, ahmed, omar):
    customer = make_customer(ahmed)
    for assignee in (omar.pk, None, ""):
        with nothing_changes():
            error = error_of(
                put(as_(ahmed), customer, {"name": "جديد", "stage": "closing", "assignedEmployeeId": assignee}), 403
            )
        assert error["details"] == {"requiredPermission": "customers.assign", "currentRole": "sales_agent"}


def test_an_assignee_must_be_active_and_in_the_callers_reach(as_, layla, fatima, omar, noura, organization, north):
    customer = make_customer(layla, assigned_employee_id=None)
    gone = make_employee(organization, "سعد Saad", Role.SALES_AGENT, north)
    employees.deactivate_employee(gone, actor=layla)
    for client, strangers in ((as_(fatima), (omar, gone, noura)), (as_(layla), (gone, noura))):
        for stranger in strangers:
            with nothing_changes():
                body = {"name": "جديد", "assignedEmployeeId": stranger.pk}
                assert fields_of(put(client, customer, body), 422) == ["assignedEmployeeId"]


def test_lists_find_a_customer_by_what_it_is_now(as_, layla):
    customer = make_customer(layla, name="قديم", city="جدة", tags=["old"], preferences={"preferredAreas": ["حي قديم"]})
    body = {
        "name": "أحمد الجديد", "city": "الریاض", "tags": ["new"],
        "preferences": {"preferredAreas": ["الرياض - حي النرجس"], "propertyType": ["villa"], "budgetMin": 100},
    }  # fmt: skip
    data_of(put(as_(layla), customer, body))

    def found(**query):
        return len(data_of(as_(layla).get("customers", query))["customers"])

    for now in (
        {"search": "احمد جديد"}, {"city": "Riyadh"}, {"state": "Riyadh"}, {"tags": "new"}, {"budgetMax": 100},
        {"preferredAreas": "حي النرجس"}, {"propertyType": "villa"},
    ):  # fmt: skip
        assert found(**now) == 1, now
    for before in ({"search": "قديم"}, {"city": "جدة"}, {"tags": "old"}, {"preferredAreas": "حي قديم"}):
        assert found(**before) == 0, before


def test_who_may_not_write_changes_nothing(as_, layla, ahmed, omar, fatima, huda, noura):
    theirs = make_customer(omar)
    seen = make_customer(layla, assigned_employee_id=huda.pk)
    with nothing_changes():
        error = error_of(put(as_(huda), seen, {"name": "جديد"}), 403, "PERMISSION_DENIED")
        assert error["details"] == {"requiredPermission": "customers.write", "currentRole": "viewer"}
        for stranger in (ahmed, fatima, noura):
            error = error_of(put(as_(stranger), theirs, {"name": "جديد"}), 404, "RESOURCE_NOT_FOUND")
            assert error["details"] == {"resourceType": "customer", "resourceId": theirs.pk}
        error_of(as_(layla).put("customers/cust_nobody", {"name": "جديد"}), 404)
        error_of(put(as_(None), theirs, {"name": "جديد"}), 401)


def test_a_deleted_customer_cannot_be_changed(as_, layla):
    customer = make_customer(layla)
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    with nothing_changes():
        error_of(put(as_(layla), customer, {"name": "جديد"}), 404)
        error_of(as_(layla).patch(f"customers/{customer.pk}?deleted=only", {"name": "جديد"}), 404)


@pytest.mark.parametrize(
    "body", ["{", "[]", '"text"', '{"name": "a", "name": "b"}', '{"name": NaN}', '{"a": "\\ud800"}']
)
def test_a_malformed_body_changes_nothing(as_, layla, body):
    customer = make_customer(layla)
    with nothing_changes():
        response = as_(layla).call(
            "put", f"customers/{customer.pk}", data=body, content_type="application/json; charset=utf-8"
        )
        error_of(response, 400, "VALIDATION_ERROR")


def test_a_form_is_not_json(as_, layla):
    customer = make_customer(layla)
    with nothing_changes():
        response = as_(layla).call(
            "put", f"customers/{customer.pk}", data="name=x", content_type="application/x-www-form-urlencoded"
        )
        error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_the_audit_holds_who_when_and_what_was_before(as_, ahmed):
    customer = make_customer(ahmed, name="قديم", preferences={"budgetMin": 5})
    AuditEntry.objects.all().delete()
    body = {"name": "جديد", "preferences": {"budgetMin": 7}, "tags": ["vip"]}
    data_of(put(as_(ahmed), customer, body, headers={"X-Request-ID": "req_from_the_client"}))
    (entry,) = AuditEntry.objects.all()
    assert (entry.table_name, entry.row_id, entry.operation) == ("customers", customer.pk, "update")
    assert (entry.actor_id, entry.request_id) == (ahmed.pk, "req_from_the_client")
    assert entry.organization_id == ahmed.organization_id
    empty = {"propertyType": [], "preferredAreas": []}
    assert entry.changes == {
        "name": ["قديم", "جديد"],
        "tags": [[], ["vip"]],
        "preferences": [empty | {"budgetMin": 5}, empty | {"budgetMin": 7}],
    }
