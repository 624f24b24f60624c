"""/customers/:id/properties: what a customer is interested in, once each, and how far that has come."""

from datetime import timedelta

import pytest

from config.testing import data_of, error_of, fields_of, make_customer, nothing_changes, requests, statuses
from customers.models import Customer, PropertyInterest, StatusChange

VILLA = {"propertyId": "prop_villa_023", "propertyTitle": "فيلا راقية في حي الياسمين"}


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed)


@pytest.fixture
def path(customer):
    return f"customers/{customer.pk}/properties"


def add(client, path, **body):
    return data_of(client.post(path, {**VILLA, **body}), 201)["property"]


def views(customer):
    return Customer.objects.get(pk=customer.pk).total_property_views


def test_everything_about_a_property_comes_back_as_it_was_written(as_, ahmed, path, clock):
    body = {
        **VILLA, "propertyTitleEn": "Villa", "propertyImage": "https://cdn.test/1.jpg", "propertyPrice": 2800000.5,
        "propertyType": "villa", "propertyLocation": "الرياض - الياسمين", "status": "liked", "rating": 5,
        "viewedAt": "2024-01-18T15:00:00Z", "feedback": "أعجبته", "notes": "سطر\nوسطر",
    }  # fmt: skip
    response = as_(ahmed).post(path, body)
    shown = data_of(response, 201)["property"]
    added = clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert shown == {**body, "id": shown["id"], "addedAt": added}
    assert shown["id"].startswith("prop_int_") and response["Location"] == f"/api/v1/{path}/{shown['id']}"
    assert data_of(as_(ahmed).get(f"{path}/{shown['id']}"))["property"] == shown


def test_digits_of_any_script_are_numbers_and_empty_fields_are_absent(as_, ahmed, path):
    shown = add(as_(ahmed), path, propertyPrice="٢٬٨٠٠٬٠٠٠", rating="٤", propertyImage="", viewedAt="", status="")
    assert (shown["propertyPrice"], shown["rating"], shown["status"]) == (2800000, 4, "interested")
    assert not {"propertyImage", "viewedAt"} & shown.keys()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"propertyTitle": "فيلا"}, "propertyId"),
        ({"propertyId": ""}, "propertyId"),
        ({"propertyId": "p" * 51}, "propertyId"),
        ({"propertyId": "prop_1"}, "propertyTitle"),
        ({"propertyId": "prop_1", "propertyTitle": " "}, "propertyTitle"),
        ({**VILLA, "propertyTitle": ["فيلا"]}, "propertyTitle"),
        ({**VILLA, "propertyPrice": -1}, "propertyPrice"),
        ({**VILLA, "propertyPrice": 10**14}, "propertyPrice"),
        ({**VILLA, "status": "bought"}, "status"),
        ({**VILLA, "rating": 0}, "rating"),
        ({**VILLA, "rating": 6}, "rating"),
        ({**VILLA, "rating": True}, "rating"),
        ({**VILLA, "viewedAt": "yesterday"}, "viewedAt"),
        ({**VILLA, "propertyImage": "javascript:alert(1)"}, "propertyImage"),
        ({**VILLA, "propertyImage": "data:text/html,<script>"}, "propertyImage"),
        ({**VILLA, "propertyImage": "ftp://cdn.test/1.jpg"}, "propertyImage"),
        ({**VILLA, "propertyImage": ["https://cdn.test/1.jpg"]}, "propertyImage"),
        ({**VILLA, "propertyImage": "https://cdn.test/" + "x" * 2000}, "propertyImage"),
        ({**VILLA, "notes": "x" * 20_001}, "notes"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(as_, ahmed, path, body, field):
    with nothing_changes():
        assert fields_of(as_(ahmed).post(path, body)) == [field]


def test_nothing_was_seen_in_the_future(as_, ahmed, path, clock):
    client, skewed = as_(ahmed), clock.now + timedelta(minutes=5)
    late = (clock.now + timedelta(minutes=6)).isoformat()
    with nothing_changes():
        assert fields_of(client.post(path, {**VILLA, "viewedAt": late}), 422) == ["viewedAt"]
    one = f"{path}/{add(client, path, viewedAt=skewed.isoformat())['id']}"
    with nothing_changes():
        assert fields_of(client.patch(one, {"viewedAt": late}), 422) == ["viewedAt"]
    PropertyInterest.objects.update(viewed_at=clock.now + timedelta(days=1))
    shown = data_of(client.get(one))["property"]
    assert data_of(client.put(one, {**shown, "notes": "قديم"}))["property"] == {**shown, "notes": "قديم"}


def test_the_same_property_is_added_once(as_, ahmed, customer, path):
    first = add(as_(ahmed), path)
    with nothing_changes():
        error = error_of(as_(ahmed).post(path, VILLA), 409, "DUPLICATE_RESOURCE")
    assert error["details"] == {"field": "propertyId", "existingId": first["id"]}
    add(as_(ahmed), f"customers/{make_customer(ahmed).pk}/properties")
    other = add(as_(ahmed), path, propertyId="prop_2")
    again = as_(ahmed).patch(f"{path}/{other['id']}", {"propertyId": VILLA["propertyId"]})
    assert error_of(again, 409, "DUPLICATE_RESOURCE")["details"]["existingId"] == first["id"]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_who_add_the_same_property_one_does(ahmed, customer, path):
    answers = requests(ahmed, [("post", path, VILLA)] * 4)
    assert statuses(answers) == [201, 409, 409, 409]
    assert PropertyInterest.objects.filter(customer=customer).count() == 1


def test_null_clears_absent_keeps_and_what_the_server_says_is_ignored(as_, ahmed, path):
    shown = add(as_(ahmed), path, rating=3, notes="ملاحظة")
    changed = {**shown, "addedAt": "2001-01-01T00:00:00Z", "id": "prop_int_x", "rating": None, "feedback": "جميلة"}
    for method in ("put", "patch"):
        after = data_of(as_(ahmed).call(method, f"{path}/{shown['id']}", changed))["property"]
        expected = {**shown, "feedback": "جميلة"}
        del expected["rating"]
        assert after == expected


def test_a_view_is_dated_when_it_first_happens(as_, ahmed, customer, path, clock):
    client = as_(ahmed)
    one = f"{path}/{add(client, path)['id']}"
    assert views(customer) == 0
    seen = data_of(client.patch(one, {"status": "viewed"}))["property"]["viewedAt"]
    clock.move(hours=3)
    assert data_of(client.patch(one, {"status": "liked"}))["property"]["viewedAt"] == seen
    assert views(customer) == 1
    data_of(client.patch(one, {"status": "interested"}))
    assert views(customer) == 0
    add(client, path, propertyId="prop_2", status="offer_made")
    assert views(customer) == 1
    data_of(client.delete(f"{path}/{PropertyInterest.objects.get(property_id='prop_2').pk}"))
    assert views(customer) == 0


def test_views_of_an_import_are_never_counted_down_below_what_we_know(as_, ahmed, customer, path):
    Customer.objects.filter(pk=customer.pk).update(total_property_views=7)
    client = as_(ahmed)
    one = f"{path}/{add(client, path, status='viewed')['id']}"
    assert views(customer) == 8
    data_of(client.delete(one))
    assert views(customer) == 7
    PropertyInterest.objects.create(
        customer=customer, organization=customer.organization, property_id="p", status="viewed"
    )
    Customer.objects.filter(pk=customer.pk).update(total_property_views=0)
    data_of(client.delete(f"{path}/{PropertyInterest.objects.get().pk}"))
    assert views(customer) == 0


def test_each_status_is_written_down_for_good(as_, ahmed, layla, customer, path):
    one = f"{path}/{add(as_(ahmed), path)['id']}"
    data_of(as_(layla).patch(one, {"status": "viewed"}))
    data_of(as_(layla).patch(one, {"status": "viewed", "notes": "ملاحظة"}))
    data_of(as_(ahmed).delete(one))
    kept = StatusChange.objects.order_by("recorded_at").values_list(
        "collection", "item_id", "from_status", "to_status", "changed_by", "changed_by_id"
    )
    key = one.rpartition("/")[2]
    assert list(kept) == [
        ("properties", key, None, "interested", ahmed.name, ahmed.pk),
        ("properties", key, "interested", "viewed", layla.name, layla.pk),
    ]


def test_the_list_is_oldest_first_and_narrowed_sorted_and_paged_on_demand(as_, ahmed, path, clock):
    client, keys = as_(ahmed), []
    for number, price in ((1, 300), (2, None), (3, 100)):
        keys.append(add(client, path, propertyId=f"prop_{number}", propertyPrice=price)["id"])
        clock.move(minutes=1)

    def listed(**query):
        return [row["id"] for row in data_of(client.get(path, query))["properties"]]

    assert listed() == keys and listed(sortOrder="desc") == keys[::-1]
    assert listed(sortBy="propertyPrice") == [keys[2], keys[0], keys[1]]
    data_of(client.patch(f"{path}/{keys[1]}", {"status": "rejected"}))
    assert listed(status="rejected,liked") == [keys[1]]
    first = data_of(client.get(path, {"limit": 2, "cursor": ""}))
    assert [row["id"] for row in first["properties"]] == keys[:2] and first["pagination"]["hasNext"]
    assert listed(limit=2, cursor=first["pagination"]["nextCursor"]) == keys[2:]
    assert fields_of(client.get(path, {"status": "bought"})) == ["status"]
