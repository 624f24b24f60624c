"""The catalogue: POST /listings, and GET, PUT, PATCH and DELETE /listings/:id."""

from datetime import timedelta

import pytest

from config.models import AuditEntry
from config.testing import (
    HubClient,
    at_once,
    data_of,
    error_of,
    fields_of,
    make_listing,
    nothing_changes,
    one_request,
    requests,
    statuses,
)
from customers.models import Listing
from realtime.models import Event

WHOLE = {
    "reference": "RYD-023",
    "title": "فيلا راقية في حي الياسمين",
    "titleEn": "Elegant villa in Al-Yasmin",
    "type": "villa",
    "purpose": "sale",
    "status": "available",
    "price": 2800000,
    "city": "الرياض",
    "district": "حي الياسمين",
    "latitude": 24.8236,
    "longitude": 46.6328,
    "bedrooms": 5,
    "bathrooms": 4,
    "area": 412.5,
    "floor": 0,
    "totalFloors": 2,
    "furnishing": "semi-furnished",
    "amenities": ["مسبح", "garden"],
    "description": "زاوية\nقريبة من الخدمات",
    "imageUrl": "https://agency.example/villa.jpg",
    "adLicenseNumber": "7200012345",
    "adLicenseExpiry": "2099-01-31",
}
LEAST = {"title": "أرض", "type": "land", "purpose": "sale"}


def codes_of(response, status=200):
    return [warning["code"] for warning in data_of(response, status)["warnings"]]


# --- Writing ---------------------------------------------------------------------------------------


def test_what_is_created_comes_back_whole_and_is_found_by_its_id(as_, fatima, huda):
    response = as_(fatima).post("listings", WHOLE)
    listing = data_of(response, 201)["listing"]
    key = listing["id"]
    assert response["Location"] == f"/api/v1/listings/{key}" and key.startswith("prop_")
    assert response.json()["message"] == "Listing created"
    times = {name: listing[name] for name in ("createdAt", "updatedAt")}
    derived = {"priceUnit": "SAR", "location": "الرياض - حي الياسمين"}
    assert listing == {"id": key, **WHOLE, **derived, **times}
    assert times["createdAt"] == times["updatedAt"]
    assert data_of(response, 201)["warnings"] == []
    assert data_of(as_(huda).get(f"listings/{key}")) == {"listing": listing, "warnings": []}


def test_three_facts_are_enough_and_what_is_not_known_is_left_out(as_, layla):
    listing = data_of(as_(layla).post("listings", LEAST), 201)["listing"]
    names = {"id", "title", "type", "purpose", "status", "amenities", "createdAt", "updatedAt"}
    assert set(listing) == names
    assert (listing["status"], listing["amenities"]) == ("available", [])


def test_the_price_of_a_rent_is_that_of_a_year(as_, layla):
    body = {**LEAST, "purpose": "rent", "price": "٦٠٬٠٠٠ ريال", "city": "جدة"}
    listing = data_of(as_(layla).post("listings", body), 201)["listing"]
    assert (listing["price"], listing["priceUnit"], listing["location"]) == (60000, "SAR/year", "جدة")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_change_keeps_what_it_does_not_name_and_null_and_empty_texts_clear(as_, layla, method):
    client = as_(layla)
    before = data_of(client.post("listings", WHOLE), 201)["listing"]
    body = {
        "price": 2650000, "status": "reserved", "amenities": ["pool"], "titleEn": "", "bedrooms": None,
        "district": None, "adLicenseExpiry": "", "id": "prop_other", "createdAt": "2020-01-01T00:00:00Z",
    }  # fmt: skip
    response = getattr(client, method)(f"listings/{before['id']}", body)
    after = data_of(response)["listing"]
    gone = {"titleEn", "bedrooms", "district", "adLicenseExpiry", "updatedAt"}
    kept = {name: value for name, value in before.items() if name not in gone}
    changed = {"price": 2650000, "status": "reserved", "amenities": ["pool"], "location": "الرياض"}
    assert after == {**kept, **changed, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]
    assert after == data_of(client.get(f"listings/{before['id']}"))["listing"]


@pytest.mark.parametrize("name", ["title", "type", "purpose"])
def test_title_type_and_purpose_are_needed_and_cannot_be_cleared(as_, layla, name):
    with nothing_changes():
        assert fields_of(as_(layla).post("listings", {k: v for k, v in LEAST.items() if k != name})) == [name]
    listing = make_listing(layla)
    for empty in (None, "", " "):
        with nothing_changes():
            assert fields_of(as_(layla).patch(f"listings/{listing.pk}", {"price": 1, name: empty})) == [name]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "x" * 256}, "title"),
        ({"title": "سطر\nآخر"}, "title"),
        ({"title": "\u202eفيلا"}, "title"),
        ({"title": 5}, "title"),
        ({"type": "x" * 51}, "type"),
        ({"type": ["villa"]}, "type"),
        ({"purpose": "buy"}, "purpose"),
        ({"status": "lost"}, "status"),
        ({"status": None}, "status"),
        ({"reference": "x" * 101}, "reference"),
        ({"price": 0}, "price"),
        ({"price": -5}, "price"),
        ({"price": 10**13}, "price"),
        ({"price": "كثير"}, "price"),
        ({"price": True}, "price"),
        ({"area": 0}, "area"),
        ({"bedrooms": 2.5}, "bedrooms"),
        ({"bedrooms": 101}, "bedrooms"),
        ({"bathrooms": "many"}, "bathrooms"),
        ({"floor": 301}, "floor"),
        ({"floor": 2**40}, "floor"),
        ({"totalFloors": -1}, "totalFloors"),
        ({"furnishing": "any"}, "furnishing"),
        ({"amenities": "pool"}, "amenities"),
        ({"amenities": [{"name": "pool"}]}, "amenities.0"),
        ({"amenities": ["x" * 101]}, "amenities.0"),
        ({"amenities": [f"مرفق {n}" for n in range(51)]}, "amenities"),
        ({"imageUrl": "javascript:alert(1)"}, "imageUrl"),
        ({"imageUrl": "villa.jpg"}, "imageUrl"),
        ({"imageUrl": "ftp://agency.example/villa.jpg"}, "imageUrl"),
        ({"latitude": 91}, "latitude"),
        ({"longitude": "شرق"}, "longitude"),
        ({"adLicenseNumber": "7" * 51}, "adLicenseNumber"),
        ({"adLicenseExpiry": "2030-02-30"}, "adLicenseExpiry"),
        ({"city": "x" * 101}, "city"),
        ({"description": "x" * 20_001}, "description"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_changes(as_, layla, body, field):
    listing = make_listing(layla)
    with nothing_changes():
        assert fields_of(as_(layla).patch(f"listings/{listing.pk}", {"reference": "R-9", **body})) == [field]
        assert fields_of(as_(layla).post("listings", {**LEAST, **body})) == [field]


def test_a_floor_above_the_building_contradicts_what_is_known_of_it(as_, layla):
    listing = make_listing(layla, total_floors=4)
    with nothing_changes():
        assert fields_of(as_(layla).patch(f"listings/{listing.pk}", {"floor": 5}), 422) == ["floor"]
    assert data_of(as_(layla).patch(f"listings/{listing.pk}", {"floor": "٤"}))["listing"]["floor"] == 4


def test_texts_that_grow_when_they_are_folded_are_stored(as_, layla):
    # One character of Unicode that stands for eighteen.
    long = "ﷺ" * 50
    body = {**LEAST, "title": long * 5, "type": long, "city": long, "district": long, "reference": long}
    key = data_of(as_(layla).post("listings", {**body, "amenities": [long]}), 201)["listing"]["id"]
    for query in ({"type": long}, {"city": long}, {"district": long}, {"amenities": long}, {"search": long}):
        assert [row["id"] for row in data_of(as_(layla).get("listings", query))["listings"]] == [key], query


def test_a_change_that_changes_nothing_is_no_version_and_no_entry(as_, layla):
    listing = make_listing(layla, amenities=["pool"])
    with nothing_changes():
        data_of(as_(layla).patch(f"listings/{listing.pk}", {"title": listing.title, "amenities": ["pool"]}))


# --- Who -------------------------------------------------------------------------------------------


def test_agents_and_viewers_read_and_do_not_write(as_, layla, ahmed, huda):
    listing = make_listing(layla)
    for employee in (ahmed, huda):
        client = as_(employee)
        assert data_of(client.get("listings"))["listings"][0]["id"] == listing.pk
        with nothing_changes():
            for response in (
                client.post("listings", LEAST),
                client.patch(f"listings/{listing.pk}", {"price": 1}),
                client.delete(f"listings/{listing.pk}"),
            ):
                details = error_of(response, 403, "PERMISSION_DENIED")["details"]
                assert details == {"requiredPermission": "listings.write", "currentRole": employee.role}


def test_a_listing_of_another_organization_does_not_exist(as_, layla, noura):
    listing = make_listing(layla)
    client = as_(noura)
    with nothing_changes():
        for response in (
            client.get(f"listings/{listing.pk}"),
            client.patch(f"listings/{listing.pk}", {"price": 1}),
            client.delete(f"listings/{listing.pk}"),
        ):
            error = error_of(response, 404, "RESOURCE_NOT_FOUND")
            assert error["message"] == "Listing not found"
    assert data_of(client.get("listings"))["listings"] == []


# --- References, and many at once ----------------------------------------------------------------------


def test_a_reference_is_unique_within_its_organization(as_, layla, noura):
    first = make_listing(layla, reference="A-1")
    second = make_listing(layla, reference="A-2")
    with nothing_changes():
        for response in (
            as_(layla).post("listings", {**LEAST, "reference": " A-1 "}),
            as_(layla).post("listings", {**LEAST, "reference": "a-1"}),
            as_(layla).patch(f"listings/{second.pk}", {"reference": "A-1"}),
            as_(layla).patch(f"listings/{second.pk}", {"reference": " a-1"}),
        ):
            error = error_of(response, 409, "DUPLICATE_RESOURCE")
            assert error["details"] == {"field": "reference", "existingId": first.pk}
    data_of(as_(noura).post("listings", {**LEAST, "reference": "A-1"}), 201)
    for _ in range(2):
        data_of(as_(layla).post("listings", {**LEAST, "reference": ""}), 201)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_creates_of_one_reference_one_wins(layla, fatima, noura, settings):
    settings.RATE_LIMITS = False
    body = {**LEAST, "reference": "A-1"}
    people = [layla, fatima] * 5 + [noura] * 2
    responses = at_once(*(one_request(employee, "post", "listings", body) for employee in people))
    assert statuses(responses[:10]) == [201] + [409] * 9
    assert statuses(responses[10:]) == [201, 409]
    won = next(data_of(response, 201)["listing"]["id"] for response in responses[:10] if response.status_code == 201)
    for response in responses[:10]:
        if response.status_code == 409:
            assert error_of(response, 409)["details"] == {"field": "reference", "existingId": won}
    assert Listing.objects.count() == 2
    assert AuditEntry.objects.filter(table_name="listings").count() == 2


@pytest.mark.django_db(transaction=True)
def test_parallel_changes_of_different_fields_lose_none(layla, settings):
    settings.RATE_LIMITS = False
    listing = make_listing(layla)
    bodies = [{"price": 5}, {"area": 6}, {"bedrooms": 7}, {"district": "حي الملقا"}, {"status": "reserved"}]
    assert statuses(requests(layla, [("patch", f"listings/{listing.pk}", body) for body in bodies])) == [200] * 5
    after = data_of(HubClient(layla).get(f"listings/{listing.pk}"))["listing"]
    assert {name: after[name] for body in bodies for name in body} == {k: v for body in bodies for k, v in body.items()}
    listing.refresh_from_db()
    assert listing.version == 6


def test_a_stale_version_is_refused(as_, layla):
    client = as_(layla)
    listing = make_listing(layla)
    tag = client.get(f"listings/{listing.pk}")["ETag"]
    first = client.patch(f"listings/{listing.pk}", {"price": 5}, HTTP_IF_MATCH=tag)
    assert data_of(first)["listing"]["price"] == 5
    with nothing_changes():
        for method, options in (("patch", {"body": {"price": 6}}), ("delete", {})):
            stale = client.call(method, f"listings/{listing.pk}", HTTP_IF_MATCH=tag, **options)
            error_of(stale, 412, "PRECONDITION_FAILED")
    data_of(client.patch(f"listings/{listing.pk}", {"price": 6}, HTTP_IF_MATCH=first["ETag"]))


def test_reads_that_changed_nothing_are_304(as_, layla):
    listing = make_listing(layla)
    for path in ("listings", f"listings/{listing.pk}"):
        tag = as_(layla).get(path)["ETag"]
        assert as_(layla).get(path, HTTP_IF_NONE_MATCH=tag).status_code == 304


# --- Archiving -----------------------------------------------------------------------------------------


def test_deleting_archives_and_a_status_brings_it_back(as_, layla, ahmed):
    client = as_(layla)
    listing, other = make_listing(layla, reference="A-1"), make_listing(layla)
    response = client.delete(f"listings/{listing.pk}")
    assert data_of(response)["listing"]["status"] == "archived"
    assert response.json()["message"] == "Listing archived"

    def shown(**query):
        return {row["id"] for row in data_of(as_(ahmed).get("listings", query))["listings"]}

    assert shown() == shown(cursor="") == {other.pk}
    assert shown(status="archived") == {listing.pk}
    assert shown(status="archived,available") == {listing.pk, other.pk}
    assert data_of(as_(ahmed).get(f"listings/{listing.pk}"))["listing"]["reference"] == "A-1"
    with nothing_changes():
        data_of(client.delete(f"listings/{listing.pk}"))
        error_of(client.post("listings", {**LEAST, "reference": "A-1"}), 409, "DUPLICATE_RESOURCE")
    data_of(client.patch(f"listings/{listing.pk}", {"status": "available"}))
    assert shown() == {listing.pk, other.pk}


# --- Advertising licences ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("licence", "codes"),
    [
        ({}, ["AD_LICENSE_MISSING"]),
        ({"status": "reserved"}, []),
        ({"status": "archived"}, []),
        ({"adLicenseNumber": "7100012345"}, []),
        ({"adLicenseNumber": "٧٢٠٠٠١٢٣٤٥"}, []),
        ({"adLicenseNumber": 7200012345}, []),
        ({"adLicenseNumber": "7300012345"}, ["AD_LICENSE_FORMAT"]),
        ({"adLicenseNumber": "72000123456"}, ["AD_LICENSE_FORMAT"]),
        ({"adLicenseNumber": "FL-RY-2024", "status": "sold"}, ["AD_LICENSE_FORMAT"]),
    ],
)
def test_what_is_wrong_with_a_licence_is_a_warning_and_no_error(as_, layla, licence, codes):
    client = as_(layla)
    response = client.post("listings", {**LEAST, **licence})
    assert codes_of(response, 201) == codes
    assert codes_of(client.get(f"listings/{data_of(response, 201)['listing']['id']}")) == codes


def test_a_licence_is_said_to_expire_for_thirty_days_of_the_calendar_in_riyadh(as_, layla, clock):
    # 22:30 of the 14th in UTC is the 15th in Riyadh.
    clock.now = clock.now.replace(year=2026, month=3, day=14, hour=22, minute=30)
    client = as_(layla)
    expected = {
        "2026-03-14": ["AD_LICENSE_EXPIRED"],
        "2026-03-15": ["AD_LICENSE_EXPIRING"],
        "2026-04-14": ["AD_LICENSE_EXPIRING"],
        "2026-04-15": [],
    }
    listing = make_listing(layla, ad_license_number="7200012345")
    for day, codes in expected.items():
        assert codes_of(client.patch(f"listings/{listing.pk}", {"adLicenseExpiry": day})) == codes, day
    tag = client.get(f"listings/{listing.pk}")["ETag"]
    clock.now += timedelta(days=1)
    renewed = as_(layla).get(f"listings/{listing.pk}", HTTP_IF_NONE_MATCH=tag)
    assert codes_of(renewed) == ["AD_LICENSE_EXPIRING"]


def test_a_warning_names_its_field_and_comes_in_both_languages(as_, layla):
    english = data_of(as_(layla).post("listings", LEAST), 201)["warnings"]
    assert english[0] == {
        "code": "AD_LICENSE_MISSING",
        "field": "adLicenseNumber",
        "message": "A property may be advertised only with an advertising licence; this one has none",
        "messageAr": english[0]["messageAr"],
    }
    arabic = data_of(as_(layla, language="ar").post("listings", LEAST), 201)["warnings"]
    assert arabic[0]["message"] == arabic[0]["messageAr"] == english[0]["messageAr"]


# --- What others hear ------------------------------------------------------------------------------------


def test_the_audit_says_who_changed_what_and_keeps_derived_columns_out(as_, layla):
    key = data_of(as_(layla).post("listings", {**LEAST, "city": "Riyadh"}), 201)["listing"]["id"]
    data_of(as_(layla).patch(f"listings/{key}", {"city": "جدة", "price": 5, "title": "أرض تجارية"}))
    created, changed = AuditEntry.objects.filter(row_id=key).order_by("pk")
    assert (created.operation, created.actor_id, created.organization_id) == ("insert", layla.pk, layla.organization_id)
    assert changed.changes == {"city": ["Riyadh", "جدة"], "price": [None, 5.00], "title": ["أرض", "أرض تجارية"]}
    assert changed.actor_id == layla.pk


def test_sockets_hear_nothing_of_listings(as_, layla):
    key = data_of(as_(layla).post("listings", LEAST), 201)["listing"]["id"]
    data_of(as_(layla).patch(f"listings/{key}", {"price": 5}))
    data_of(as_(layla).delete(f"listings/{key}"))
    assert not Event.objects.exists()
