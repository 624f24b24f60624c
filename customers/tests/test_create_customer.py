"""POST /customers."""

from config.testing import data_of, error_of, fields_of, make_customer, make_phone, nothing_changes

EXAMPLE = {
    "name": "عبدالله الشمري",
    "nameEn": "Abdullah Al-Shammari",
    "phone": "+966551234567",
    "whatsapp": "+966551234567",
    "email": "abdullah@email.com",
    "nationality": "Saudi",
    "gender": "male",
    "source": "whatsapp",
    "sourceDetails": {"campaign": "ramadan_2024", "utmSource": "instagram"},
    "preferences": {
        "propertyType": ["apartment"],
        "budgetMin": 800000,
        "budgetMax": 1200000,
        "preferredAreas": ["جدة - حي الزهراء"],
        "bedrooms": 3,
        "bathrooms": 2,
        "purpose": "buy",
        "timeline": "immediate",
    },
    "priority": "high",
    "tags": ["hot_lead"],
    "city": "جدة",
}


def test_the_example_comes_back_whole_with_its_first_history_row(as_, fatima, ahmed):
    response = as_(fatima).post("customers", {**EXAMPLE, "assignedEmployeeId": ahmed.pk})
    customer = data_of(response, 201)["customer"]
    assert response.json()["message"] == "Customer created successfully"
    assert {key: customer[key] for key in EXAMPLE} == EXAMPLE
    assert customer["stage"] == "new_lead"
    assert customer["assignedEmployee"]["name"] == ahmed.name
    (first,) = customer["stageHistory"]
    assert (first["fromStage"], first["toStage"], first["changedById"]) == (None, "new_lead", fatima.pk)
    assert customer["interactions"] == customer["documents"] == []
    assert response["Location"] == f"/api/v1/customers/{customer['id']}"


def test_an_agent_who_names_nobody_becomes_the_assignee(as_, ahmed):
    customer = data_of(as_(ahmed).post("customers", EXAMPLE), 201)["customer"]
    assert customer["assignedEmployeeId"] == ahmed.pk


def test_an_agent_may_not_assign_to_somebody_else(as_, ahmed, omar):
    error = error_of(as_(ahmed).post("customers", {**EXAMPLE, "assignedEmployeeId": omar.pk}), 403)
    assert error["details"] == {"requiredPermission": "customers.assign", "currentRole": "sales_agent"}


def test_a_taken_phone_is_a_conflict_that_names_the_other_customer_only_to_those_who_see_it(as_, layla, ahmed, omar):
    existing = make_customer(omar, phone="+966551234567")
    seen = error_of(as_(layla).post("customers", {**EXAMPLE, "phone": "٠٥٥١٢٣٤٥٦٧"}), 409, "DUPLICATE_RESOURCE")
    assert seen["details"] == {"field": "phone", "existingId": existing.pk}
    unseen = error_of(as_(ahmed).post("customers", {**EXAMPLE, "phone": "0551234567"}), 409, "DUPLICATE_RESOURCE")
    assert unseen["details"] == {"field": "phone"}


def test_two_agencies_may_have_the_same_client(as_, layla, noura):
    make_customer(noura, phone=EXAMPLE["phone"])
    data_of(as_(layla).post("customers", EXAMPLE), 201)


def test_wrong_fields_are_named_with_dotted_paths(as_, layla):
    body = {"name": "x", "phone": "123", "preferences": {"budgetMin": -1, "purpose": "steal"}, "priority": "meh"}
    response = as_(layla).post("customers", body)
    assert sorted(fields_of(response)) == ["phone", "preferences.budgetMin", "preferences.purpose", "priority"]
    messages = {detail["field"]: detail["message"] for detail in response.json()["error"]["details"]}
    assert messages["phone"] == "Invalid Saudi phone number format"
    assert messages["preferences.budgetMin"] == "Must be greater than 0"


def test_a_channel_is_mapped_to_its_source_and_kept(as_, layla):
    customer = data_of(as_(layla).post("customers", {**EXAMPLE, "source": "snapchat"}), 201)["customer"]
    assert customer["source"] == "inquiry"
    assert customer["sourceDetails"]["channel"] == "snapchat"


def test_read_only_keys_are_ignored(as_, layla):
    body = {**EXAMPLE, "id": "cust_mine", "leadScore": 99, "createdAt": "2020-01-01T00:00:00Z", "stageHistory": [{}]}
    customer = data_of(as_(layla).post("customers", body), 201)["customer"]
    assert customer["id"] != "cust_mine" and customer["leadScore"] == 50
    assert not customer["createdAt"].startswith("2020")


def test_a_phone_is_stored_in_its_one_form(as_, layla):
    for spelling in ("0501112233", "\u202a+966 50 111-2244\u202c", "00966501112255", "٠٥٠١١١٢٢٦٦"):
        customer = data_of(as_(layla).post("customers", {"name": "سارة", "phone": spelling}), 201)["customer"]
        assert customer["phone"].startswith("+966501112")
    assert make_phone() != make_phone()


def test_a_day_may_be_hijri_or_a_moment_which_counts_as_its_day_in_riyadh(as_, layla):
    for written, day in (
        ("1990-05-01", "1990-05-01"),
        ("1445-07-10", "2024-01-22"),
        ("١٤٤٥/٠٧/١٠", "2024-01-22"),
        ("1990-04-30T21:00:00.000Z", "1990-05-01"),
    ):
        body = {"name": "سارة", "phone": make_phone(), "dateOfBirth": written}
        assert data_of(as_(layla).post("customers", body), 201)["customer"]["dateOfBirth"] == day
    assert fields_of(as_(layla).post("customers", {**body, "dateOfBirth": "1990-02-30"})) == ["dateOfBirth"]


def test_an_agent_whose_form_leaves_the_assignee_empty_keeps_the_customer(as_, ahmed):
    for empty in (None, ""):
        body = {"name": "سارة", "phone": make_phone(), "assignedEmployeeId": empty}
        assert data_of(as_(ahmed).post("customers", body), 201)["customer"]["assignedEmployeeId"] == ahmed.pk


def test_empty_texts_of_a_form_mean_no_value(as_, layla):
    empty = dict.fromkeys(("dateOfBirth", "nextFollowUpDate", "familySize", "gender", "totalDealValue", "latitude"), "")
    body = {"name": "سارة", "phone": make_phone(), **empty, "preferences": {"purpose": "", "bedrooms": ""}}
    customer = data_of(as_(layla).post("customers", body), 201)["customer"]
    assert not empty.keys() & customer.keys()
    assert customer["preferences"] == {"propertyType": [], "preferredAreas": []}


def test_the_channel_leaves_with_its_source(as_, layla):
    body = {"name": "سارة", "phone": make_phone(), "source": "snapchat", "sourceDetails": {"campaign": "x"}}
    customer = data_of(as_(layla).post("customers", body), 201)["customer"]
    assert customer["sourceDetails"] == {"campaign": "x", "channel": "snapchat"}
    moved = as_(layla).patch(f"customers/{customer['id']}", {"source": "referral"})
    assert data_of(moved)["customer"]["sourceDetails"] == {"campaign": "x"}


def test_what_has_grown_too_large_is_refused_and_nothing_changes(as_, layla):
    customer = make_customer(layla, tags=[f"tag{n}" for n in range(40)], source_details={f"k{n}": n for n in range(20)})
    more = {"customerIds": [customer.pk], "operation": "tags", "addTags": [f"new{n}" for n in range(20)]}
    details = {"sourceDetails": {f"new{n}": n for n in range(20)}}
    with nothing_changes():
        assert fields_of(as_(layla).post("customers/bulk", more), 422) == ["addTags"]
        assert fields_of(as_(layla).patch(f"customers/{customer.pk}", details), 422) == ["sourceDetails"]
