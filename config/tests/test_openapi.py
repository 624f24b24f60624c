"""GET /schema: valid without warnings, and true of real answers."""

from functools import cache

from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from config import openapi
from config.testing import HubClient, make_customer, make_listing, make_phone
from customers.querying import FIELDS
from customers.tasks import match_waiting
from customers.tests.deals import DEAL, WORDS
from documents.tests.files import upload


@cache
def schema():
    return HubClient().get("schema", HTTP_ACCEPT="application/json").json()


# Told wherever they are, and nowhere else.
HEADERS = {"ETag", "Last-Modified", "Location", "X-Request-ID"}


def check(response, method, path):
    """Assert that an answer is what the schema says of its operation and status; returns its body."""
    said = schema()["paths"][f"/api/v1/{path}"][method]["responses"][str(response.status_code)]
    assert HEADERS & set(response.headers) == HEADERS & set(said["headers"]), (method, path, response.status_code)
    if response.status_code == 304:
        assert "content" not in said and response.content == b""
        return None
    content = said["content"]
    inline = {**content["application/json"]["schema"], "components": schema()["components"]}
    errors = [f"{error.json_path}: {error.message}" for error in OAS30Validator(inline).iter_errors(response.json())]
    assert errors == [], errors
    return response.json()


def test_it_generates_without_warnings_and_validates(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, lang="en", file=str(tmp_path / "schema.yml"))
    validate(schema())


def test_it_is_made_once_for_each_language_and_format(monkeypatch):
    made, get_schema = [], SchemaGenerator.get_schema
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *a, **o: made.append(1) or get_schema(*a, **o))
    openapi._schema.cache_clear()
    arabic = {"HTTP_ACCEPT_LANGUAGE": "ar"}

    first, *others = (HubClient().get("schema", **arabic) for _ in range(3))

    assert made == [1] and [other.content for other in others] == [first.content] * 2
    assert first["Cache-Control"] == "public, max-age=300"
    assert {"Accept", "Accept-Language"} <= set(first["Vary"].split(", "))
    known = HubClient().get("schema", HTTP_IF_NONE_MATCH=first["ETag"], **arabic)
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", first["ETag"])
    assert HubClient().get("schema", {"lang": "ar"}).content == first.content
    assert HubClient().get("schema")["ETag"] != first["ETag"]
    assert made == [1, 1]


def test_it_is_json_for_who_asks_for_json():
    for accepted, told in (
        ("application/json,*/*", "application/json"),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("text/html, application/yaml;q=0.9", "application/yaml"),
        ("*/*", "application/vnd.oai.openapi"),
    ):
        answer = HubClient().get("schema", HTTP_ACCEPT=accepted)
        assert answer["Content-Type"] == told
        assert answer.json() == schema() if "json" in told else answer.content.startswith(b"openapi: 3.0.3\n")


def test_every_operation_says_what_it_does_and_what_it_takes():
    for path, operations in schema()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} has no description"
            public = path.removeprefix("/api/v1/") in {"auth/login", "auth/refresh", "auth/logout", "login"}
            ways = [] if public else [{"bearer": []}]
            ways = [{"signedLink": []}, *ways] if path.endswith("/file") else ways
            assert operation.get("security", []) == ways, f"{method} {path}"


def test_answers_about_customers_are_what_it_says(as_, layla, ahmed):
    client = as_(layla)
    whole = {
        "name": "محمد",
        "nameEn": "Mohammed",
        "email": "m@hub.test",
        "nationalId": "1000000008",
        "dateOfBirth": "1990-05-01",
        "gender": "male",
        "preferences": {"propertyType": ["villa"], "budgetMin": 1, "timeline": "6months+", "furnishing": "any"},
        "sourceDetails": {"campaign": "x"},
        "latitude": 24.7,
        "longitude": 46.7,
        "totalDealValue": 10.5,
        "nextFollowUpDate": "2030-01-01",
        "assignedEmployeeId": ahmed.pk,
    }
    created = check(client.post("customers", {**whole, "phone": make_phone()}), "post", "customers")
    key = created["data"]["customer"]["id"]
    one = "customers/{id}"
    check(client.get("customers"), "get", "customers")
    check(client.get("customers", {"cursor": "", "limit": "1"}), "get", "customers")
    check(client.get("customers/stats", {"groupBy": "employee"}), "get", "customers/stats")
    check(client.get("customers/filters"), "get", "customers/filters")
    check(client.get("customers/filters", {"stage": "new_lead"}), "get", "customers/filters")
    check(client.get("customers/pipeline"), "get", "customers/pipeline")
    check(client.get(f"customers/{key}"), "get", one)
    check(client.put(f"customers/{key}", {"notes": "x"}), "put", one)
    check(client.patch(f"customers/{key}", {"notes": None}), "patch", one)
    check(client.patch(f"customers/{key}/stage", {"toStage": "closing"}), "patch", f"{one}/stage")
    check(client.post(f"customers/{key}/assign", {"employeeId": None}), "post", f"{one}/assign")
    check(client.post(f"customers/{key}/claim"), "post", f"{one}/claim")
    check(client.post("customers/query", {"filters": {"name": "محمد"}}), "post", "customers/query")
    check(client.post("customers/query", {"filters": {}, "cursor": None}), "post", "customers/query")
    wrong = check(client.post("customers/query", {"filters": {"colour": "red"}}), "post", "customers/query")
    assert wrong["error"]["details"][0]["field"] == "filters.colour"
    bulk = {"customerIds": [key, "cust_none"], "operation": "priority", "priority": "low"}
    check(client.post("customers/bulk", bulk), "post", "customers/bulk")
    check(client.post("customers/search", {"query": whole["name"]}), "post", "customers/search")
    check(client.get("customers/duplicates"), "get", "customers/duplicates")
    twin = make_customer(layla, name="محمد", national_id="1000000008")
    assert check(client.get("customers/duplicates"), "get", "customers/duplicates")["data"]["duplicates"]
    below = "customers/{customer_id}"
    assert check(client.get(f"customers/{key}/duplicates"), "get", f"{below}/duplicates")["data"]["duplicates"]
    villa = make_listing(layla, price=1_500_000)
    wishes = {"purpose": "buy", "preferredCities": ["الرياض"], "budgetMax": 1_500_000}
    seeker = make_customer(layla, preferences=wishes)
    assert check(client.get(f"customers/{seeker.pk}/matches"), "get", f"{below}/matches")["data"]["matches"]
    match_waiting()
    suited = check(client.get(f"listings/{villa.pk}/customers"), "get", "listings/{id}/customers")
    assert suited["data"]["matches"]
    done = check(client.post(f"customers/{key}/merge", {"mergedId": twin.pk}), "post", f"{below}/merge")["data"]
    check(client.get(f"customers/{key}/merges"), "get", f"{below}/merges")
    check(client.post(f"customers/{key}/merge", {"mergedId": twin.pk}), "post", f"{below}/merge")
    undo, undone = "customers/merges/{id}/undo", f"customers/merges/{done['merge']['id']}/undo"
    check(client.patch(f"customers/{key}", {"nationality": "Saudi"}), "patch", one)
    check(client.post(undone), "post", undo)
    check(client.post(undone), "post", undo)
    check(client.delete(f"customers/{key}"), "delete", one)
    check(client.post(f"customers/{key}/restore"), "post", f"{one}/restore")


def test_reads_take_the_tag_of_what_is_known_and_answer_304(as_, ahmed):
    client, customer = as_(ahmed), make_customer(ahmed, assigned_employee_id=ahmed.pk)
    for path, place in (("customers", "customers"), (f"customers/{customer.pk}", "customers/{id}")):
        response = client.get(path, headers={"If-None-Match": client.get(path)["ETag"]})
        assert response.status_code == 304
        check(response, "get", place)
    for path, operations in schema()["paths"].items():
        for method, operation in operations.items():
            taken = {parameter["name"] for parameter in operation["parameters"]}
            is_read = method == "get" and not path.endswith("/file")
            assert ("If-None-Match" in taken, "304" in operation["responses"]) == (is_read, is_read), path
            assert "Accept-Language" in taken


def test_answers_about_compliance_are_what_it_says(as_, layla):
    client = as_(layla)
    body = {"name": "محمد", "phone": make_phone(), "ksaCompliance": DEAL}
    key = check(client.post("customers", body), "post", "customers")["data"]["customer"]["id"]
    root, place = f"customers/{key}/compliance", "customers/{customer_id}/compliance"
    assert check(client.get(root), "get", place)["data"]["issues"]
    check(client.get("customers/stats/compliance"), "get", "customers/stats/compliance")
    wrong = {"brokerageContracts": [{"type": "sale", "startDate": "2030-01-01", "endDate": "2029-01-01"}]}
    check(client.patch(f"customers/{key}", {"ksaCompliance": wrong}), "patch", "customers/{id}")
    for name, part in DEAL.items():
        word = WORDS[name]
        if not isinstance(part, list):
            check(client.patch(f"{root}/{word}", {"notes": "س"}), "patch", f"{place}/{word}")
            check(client.put(f"{root}/{word}", {"status": 5}), "put", f"{place}/{word}")
            check(client.delete(f"{root}/{word}"), "delete", f"{place}/{word}")
            continue
        rows = check(client.get(f"{root}/{word}"), "get", f"{place}/{word}")["data"][name]
        check(client.post(f"{root}/{word}", {}), "post", f"{place}/{word}")
        one, item = f"{root}/{word}/{rows[0]['id']}", f"{place}/{word}/{{id}}"
        check(client.get(one), "get", item)
        check(client.patch(one, {"notes": "س"}), "patch", item)
        check(client.put(one, {"notes": None}), "put", item)
        check(client.delete(one), "delete", item)
        check(client.get(one), "get", item)
    contract = {"type": "sale", "startDate": "2030-01-01"}
    created = check(client.post(f"{root}/brokerage-contracts", contract), "post", f"{place}/brokerage-contracts")
    one, item = f"brokerage-contracts/{created['data']['brokerageContract']['id']}", "brokerage-contracts/{id}"
    refused = check(client.patch(f"{root}/{one}", {"status": "active"}), "patch", f"{place}/{item}")
    assert refused["error"]["details"][0]["rule"] == "INVALID_TRANSITION"


def test_answers_about_what_hangs_on_customers_are_what_it_says(as_, layla, ahmed):
    client, customer, below = as_(layla), make_customer(ahmed), "customers/{customer_id}"
    root, ahead = f"customers/{customer.pk}", "2099-01-01T10:00:00Z"
    bodies = {
        "properties": {"propertyId": "p", "propertyTitle": "فيلا", "propertyPrice": 1.5, "rating": 3},
        "interactions": {"type": "call", "direction": "inbound", "duration": 3, "followUpDate": ahead},
        "appointments": {"type": "other", "datetime": ahead, "location": "المكتب"},
        "reminders": {"title": "تذكير", "datetime": ahead, "status": "completed"},
    }
    for collection, body in bodies.items():
        added = check(client.post(f"{root}/{collection}", body), "post", f"{below}/{collection}")
        (row,) = added["data"].values()
        key, one = f"{root}/{collection}/{row['id']}", f"{below}/{collection}/{{id}}"
        check(client.get(f"{root}/{collection}"), "get", f"{below}/{collection}")
        check(client.get(f"{root}/{collection}", {"cursor": ""}), "get", f"{below}/{collection}")
        check(client.get(key), "get", one)
        check(client.put(key, body), "put", one)
        check(client.patch(key, {"notes": "x"}), "patch", one)
    check(client.post(f"{root}/properties", bodies["properties"]), "post", f"{below}/properties")
    check(client.get(root), "get", "customers/{id}")
    check(client.get(f"{root}/timeline", {"limit": "2"}), "get", f"{below}/timeline")
    check(client.get(f"{root}/timeline", {"types": "x"}), "get", f"{below}/timeline")
    for collection in bodies:
        (row,) = client.get(f"{root}/{collection}").json()["data"][collection]
        check(client.delete(f"{root}/{collection}/{row['id']}"), "delete", f"{below}/{collection}/{{id}}")


def test_answers_about_actions_are_what_it_says(as_, layla, ahmed):
    client, customer = as_(layla), make_customer(ahmed, preferences={"budgetMin": 1}, email="m@hub.test")
    whole = {
        "customerId": customer.pk,
        "type": "site_visit",
        "title": "معاينة",
        "description": "فيلا",
        "dueDate": "2030-01-01",
        "metadata": {"a": [1]},
        "notes": "ملاحظة",
        "assignedTo": layla.pk,
    }
    root, one = "customers/actions", "customers/actions/{id}"
    key = check(client.post(root, whole), "post", root)["data"]["action"]["id"]
    check(client.get(root), "get", root)
    check(client.get(root, {"cursor": ""}), "get", root)
    check(client.get(f"{root}/{key}"), "get", one)
    check(client.put(f"{root}/{key}", {"priority": "low"}), "put", one)
    check(client.patch(f"{root}/{key}", {"status": "in_progress"}), "patch", one)
    check(client.post(f"{root}/{key}/notes", {"content": "x"}), "post", f"{one}/notes")
    check(client.post(f"{root}/{key}/snooze", {"snoozedUntil": "2099-01-01"}), "post", f"{one}/snooze")
    check(client.post(f"{root}/{key}/complete", {"outcome": "تم"}), "post", f"{one}/complete")
    conflict = check(client.post(f"{root}/{key}/dismiss", {}), "post", f"{one}/dismiss")
    assert conflict["error"]["code"] == "CONFLICT"
    check(client.post(f"{root}/{key}/restore", {}), "post", f"{one}/restore")
    check(client.post(f"{root}/{key}/dismiss", {"reason": "لا"}), "post", f"{one}/dismiss")
    check(client.get(f"{root}/stats"), "get", f"{root}/stats")
    ids = {"actionIds": [key, "action_none"]}
    for path, body in (
        ("bulk", {"updates": {"priority": "high"}}),
        ("bulk/complete", {"notes": "x"}),
        ("bulk/dismiss", {"reason": "x"}),
        ("bulk/snooze", {"snoozedUntil": "2099-01-01"}),
        ("bulk/assign", {"assignedTo": ahmed.pk}),
    ):
        check(client.post(f"{root}/{path}", {**ids, **body}), "post", f"{root}/{path}")


def test_answers_about_listings_are_what_it_says(as_, layla):
    client = as_(layla)
    whole = {
        "reference": "R-1",
        "title": "شقة",
        "titleEn": "Flat",
        "type": "apartment",
        "purpose": "rent",
        "price": 60000,
        "city": "الرياض",
        "district": "حي النرجس",
        "latitude": 24.7,
        "longitude": 46.7,
        "bedrooms": 3,
        "bathrooms": 2,
        "area": 140.5,
        "floor": 0,
        "totalFloors": 4,
        "furnishing": "furnished",
        "amenities": ["pool"],
        "description": "واسعة",
        "imageUrl": "https://hub.example/1.jpg",
        "adLicenseNumber": "x",
        "adLicenseExpiry": "2020-01-01",
    }
    created = check(client.post("listings", whole), "post", "listings")["data"]
    assert len(created["warnings"]) == 2
    assert check(client.post("listings", whole), "post", "listings")["error"]["code"] == "DUPLICATE_RESOURCE"
    key, one = created["listing"]["id"], "listings/{id}"
    check(client.get("listings"), "get", "listings")
    check(client.get("listings", {"cursor": ""}), "get", "listings")
    check(client.get(f"listings/{key}"), "get", one)
    check(client.put(f"listings/{key}", {"price": None, "city": None}), "put", one)
    check(client.patch(f"listings/{key}", {"floor": 9}), "patch", one)
    check(client.delete(f"listings/{key}"), "delete", one)


def test_answers_about_documents_are_what_it_says(as_, ahmed):
    client, customer = as_(ahmed), make_customer(ahmed)
    many, one = "customers/{customer_id}/documents", "customers/{customer_id}/documents/{id}"
    created = check(upload(client, customer, type="id_copy", tags="a,b"), "post", many)["data"]
    key, path = created["document"]["id"], f"customers/{customer.pk}/documents"
    assert created["warnings"][0]["code"] == "ID_COPY_DISCOURAGED"
    check(client.get(path), "get", many)
    check(client.get(path, {"cursor": ""}), "get", many)
    check(upload(client, customer, b"<html>"), "post", many)
    check(client.post(path, {}), "post", many)
    check(client.get(f"{path}/{key}"), "get", one)
    check(client.patch(f"{path}/{key}", {"type": "contract"}), "patch", one)
    check(client.put(f"{path}/{key}", {"tags": []}), "put", one)
    check(client.get(f"customers/{customer.pk}"), "get", "customers/{id}")
    check(client.get(f"documents/{key}/file", headers={"Range": "bytes=99999-"}), "get", "documents/{id}/file")
    check(client.delete(f"{path}/{key}"), "delete", one)
    check(client.get(f"documents/{key}/file"), "get", "documents/{id}/file")
    body = schema()["paths"][f"/api/v1/{many}"]["post"]["requestBody"]["content"]
    (form,) = body.values()
    reference = form["schema"]["$ref"].rpartition("/")[2]
    assert list(body) == ["multipart/form-data"]
    assert schema()["components"]["schemas"][reference]["properties"]["file"] == {"type": "string", "format": "binary"}
    file = schema()["paths"]["/api/v1/documents/{id}/file"]["get"]["responses"]["200"]["content"]
    assert file == {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def test_answers_about_places_are_what_it_says(as_, layla):
    check(as_(layla).get("locations/regions"), "get", "locations/regions")
    check(as_(layla).get("locations/cities", {"region": "مكة"}), "get", "locations/cities")
    check(as_(layla).get("locations/cities", {"region": "أتلانتس"}), "get", "locations/cities")


def test_the_query_language_is_described_from_its_table():
    body = schema()["components"]["schemas"]["CustomerQueryInputRequest"]["properties"]
    for name, kind in FIELDS.items():
        (line,) = [
            line for line in body["filters"]["description"].split("\n") if f"`{name}`" in line and "=" not in line
        ]
        assert f"({', '.join(kind.operators)}" in line


def test_answers_about_people_are_what_it_says(as_, layla, ahmed):
    client = as_(layla)
    check(client.get("employees", {"includeStats": "true"}), "get", "employees")
    check(client.get(f"employees/{ahmed.pk}"), "get", "employees/{id}")
    check(client.patch(f"employees/{ahmed.pk}", {"role": "Broker"}), "patch", "employees/{id}")
    check(
        client.post(f"employees/{ahmed.pk}/password", {"password": "a-long-pass-phrase"}),
        "post",
        "employees/{id}/password",
    )
    credentials = {"email": ahmed.email, "password": "a-long-pass-phrase"}
    tokens = check(as_().post("auth/login", credentials), "post", "auth/login")["data"]
    check(as_().post("auth/refresh", {"refreshToken": tokens["refreshToken"]}), "post", "auth/refresh")
    check(as_().post("login", credentials), "post", "login")
    check(client.get("auth/me"), "get", "auth/me")
    check(client.get("user"), "get", "user")
    check(client.post(f"employees/{ahmed.pk}/deactivate"), "post", "employees/{id}/deactivate")
    check(client.post(f"employees/{ahmed.pk}/activate"), "post", "employees/{id}/activate")
    check(client.post("auth/logout"), "post", "auth/logout")


def test_errors_are_what_it_says(as_, layla, huda, ahmed):
    customer = make_customer(ahmed)
    taken = {"name": "x", "phone": customer.phone}
    stale = {"HTTP_IF_MATCH": '"9-0"'}
    one = "customers/{id}"
    assert check(as_(layla).post("customers", {}), "post", "customers")["error"]["code"] == "VALIDATION_ERROR"
    assert check(as_().get("customers"), "get", "customers")["error"]["code"] == "AUTHENTICATION_FAILED"
    assert check(as_(huda).post("customers", {}), "post", "customers")["error"]["code"] == "PERMISSION_DENIED"
    assert check(as_(layla).get("customers/none"), "get", one)["error"]["code"] == "RESOURCE_NOT_FOUND"
    assert check(as_(layla).post("customers", taken), "post", "customers")["error"]["code"] == "DUPLICATE_RESOURCE"
    late = as_(layla).patch(f"customers/{customer.pk}", {"notes": "x"}, **stale)
    assert check(late, "patch", one)["error"]["code"] == "PRECONDITION_FAILED"
    wrong = as_(layla).patch(f"customers/{customer.pk}", {"assignedEmployeeId": "emp_none"})
    assert check(wrong, "patch", one)["error"]["details"][0]["field"] == "assignedEmployeeId"
