"""POST /customers/query and GET /customers?filters=…: against a plain Python reading of the language."""

import itertools
import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from config.arabic import fold
from config.testing import data_of, error_of, fields_of, make_customer
from customers.models import Customer
from customers.tests.language import KINDS, Pool, as_text, filters_for, fulfils

SORT_KEYS = {
    "createdAt": lambda row: row["createdAt"],
    "name": lambda row: fold(row["name"]),
    "lastContactAt": lambda row: row["lastContactAt"],
    "totalDealValue": lambda row: row["totalDealValue"],
}


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


@pytest.fixture(scope="module")
def pool(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        pool = Pool()
        yield pool
        pool.remove()


def run(max_examples, strategy, check):
    settled = examples(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settled(given(strategy)(check))()


def expected_ids(pool, viewer, filters, field, order):
    """The ids that the rules give, in order: rows without a value last both ways, ties by id in the same direction."""
    rows = [row for row in pool.visible_to(viewer) if fulfils(row, filters, pool.ids[viewer])]
    key, down = SORT_KEYS[field], order == "desc"
    filled = sorted((row for row in rows if key(row) is not None), key=lambda row: (key(row), row["id"]), reverse=down)
    empty = sorted((row for row in rows if key(row) is None), key=lambda row: row["id"], reverse=down)
    return [row["id"] for row in filled + empty]


def pages_by_body(client, filters, field, order, size, by_cursor):
    """All ids by POST /customers/query, page after page."""
    body = {"filters": filters, "sort": {"field": field, "order": order}, "limit": size, "fields": ["id"]}
    return pages(by_cursor, lambda place: client.post("customers/query", {**body, **place}))


def pages_by_text(client, filters, field, order, size, by_cursor):
    """All ids by GET /customers?filters=…, page after page."""
    query = {"filters": as_text(filters), "sortBy": field, "sortOrder": order, "limit": size, "fields": "id"}
    return pages(by_cursor, lambda place: client.get("customers", {**query, **place}))


def pages(by_cursor, ask):
    ids, place = [], {"cursor": ""} if by_cursor else {"page": 1}
    while place:
        data = data_of(ask(place))
        ids += [customer["id"] for customer in data["customers"]]
        pagination = data["pagination"]
        if by_cursor:
            place = {"cursor": pagination["nextCursor"]} if pagination["hasNext"] else None
        else:
            place = {"page": place["page"] + 1} if pagination["hasNextPage"] else None
            assert place or pagination["totalItems"] == len(ids)
    return ids


def questions(pool, filters):
    return st.tuples(
        st.sampled_from(["layla", "layla", "fatima", "fatima", "ahmed", "huda"]),
        filters,
        st.sampled_from(list(SORT_KEYS)),
        st.sampled_from(["asc", "desc"]),
        st.sampled_from([9, 25, 100]),
        st.booleans(),
        st.sampled_from([pages_by_body, pages_by_text]),
    )


def is_known(viewer, filters):
    """Viewers see the end of a national id only, and cannot ask for it."""
    return viewer != "huda" or "nationalId" not in as_text(filters)


@pytest.mark.django_db
def test_random_filters_find_what_the_rules_find_in_their_order_for_each_role(pool):
    seen = Counter()

    def check(question):
        viewer, filters, field, order, size, by_cursor, ask = question
        if not is_known(viewer, filters):
            return
        found = ask(pool.clients[viewer], filters, field, order, size, by_cursor)
        assert found == expected_ids(pool, viewer, filters, field, order), (viewer, filters)
        seen["all"] += 1
        seen["some"] += 0 < len(found) < len(pool.visible_to(viewer))
        seen[viewer] += 1

    run(200, questions(pool, filters_for(pool)), check)
    assert seen["all"] >= 150 and min(seen[viewer] for viewer in ("layla", "fatima", "ahmed", "huda")) >= 15
    assert seen["some"] >= 0.3 * seen["all"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", KINDS)
def test_every_field_alone_finds_what_its_rules_find_and_narrows_the_list(pool, name):
    seen = Counter()

    def check(question):
        _viewer, filters, field, order, _size, _by_cursor, ask = question
        found = ask(pool.clients["layla"], filters, field, order, 100, False)
        assert found == expected_ids(pool, "layla", filters, field, order), filters
        seen["some"] += 0 < len(found) < len(pool.rows)

    run(9, questions(pool, filters_for(pool, [name])), check)
    assert seen["some"] >= 1


# --- One by one --------------------------------------------------------------------------------------------------


def found(client, filters, **more):
    """The ids that a question finds."""
    return {
        customer["id"]
        for customer in data_of(client.post("customers/query", {"filters": filters, **more}))["customers"]
    }


@pytest.mark.parametrize(
    "filters",
    [
        {"preferences": {"budgetMin": {"gte": 500}}, "stage": "closing"},
        {"preferences.budgetMin": {"gte": 500}, "stage": {"eq": "closing"}},
        {"budgetMin": {"gte": "٥٠٠"}, "stage": ["closing"]},
        {"and": [{"preferences": {"budgetMin": {"gte": 500.0}}}, {"stage": {"in": ["closing"]}}]},
        {"or": [{"and": [{"budgetMin": {"gte": 500, "lt": 501}}]}], "stage": {"ne": "new_lead", "nin": ["qualified"]}},
    ],
)
def test_a_condition_may_be_nested_dotted_short_or_grouped(as_, layla, filters):
    rich = make_customer(layla, stage="closing", preferences={"budgetMin": 500})
    make_customer(layla, stage="closing", preferences={"budgetMin": 499})
    make_customer(layla, stage="new_lead", preferences={"budgetMin": 500})
    make_customer(layla, stage="closing")
    assert found(as_(layla), filters) == {rich.pk}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"city": None}, {"empty"}),
        ({"city": {"ne": None}}, {"riyadh", "jeddah"}),
        ({"city": {"ne": "Riyadh"}}, {"empty", "jeddah"}),
        ({"city": {"nin": ["Riyadh", "جدة"]}}, {"empty"}),
        ({"city": ["الریاض", None]}, {"riyadh", "empty"}),
        ({"city": {"nin": ["الریاض", None]}}, {"jeddah"}),
        ({"totalDealValue": {"ne": 5}}, {"empty", "jeddah"}),
        ({"dealValue": {"eq": None}}, {"empty"}),
        ({"totalDealValue": {"lt": 100}}, {"riyadh", "jeddah"}),
        ({"tags": None}, {"empty"}),
        ({"tags": {"nin": ["vip"]}}, {"empty", "jeddah"}),
        ({"preferences": {"amenities": None}}, {"empty", "jeddah"}),
        ({"preferences": {"purpose": {"ne": "buy"}}}, {"empty", "jeddah"}),
        ({"assignedTo": None}, {"riyadh", "empty"}),
        ({"assignedTo": {"ne": "unassigned"}}, {"jeddah"}),
        ({"assignedTo": {"ne": "me"}}, {"riyadh", "empty"}),
        ({"employeeId": ["me", "unassigned"]}, {"riyadh", "empty", "jeddah"}),
    ],
)
def test_null_is_no_value_and_what_is_not_equal_may_have_none(as_, layla, filters, names):
    ids = {
        "riyadh": make_customer(
            layla, city="الرياض", total_deal_value=5, tags=["vip"],
            preferences={"amenities": ["مسبح"], "purpose": "buy"},
        ).pk,
        "jeddah": make_customer(
            layla, city="جدة", total_deal_value=6, tags=["cash"], assigned_employee_id=layla.pk
        ).pk,
        "empty": make_customer(layla).pk,
    }  # fmt: skip
    assert found(as_(layla), filters) == {ids[name] for name in names}


@pytest.mark.parametrize(
    ("condition", "times"),
    [
        ("2024-01-15", {"midnight", "noon", "last"}),
        (["2024-01-14", "2024-01-16"], {"before", "after"}),
        ({"ne": "2024-01-15"}, {"before", "after", "never"}),
        ({"gt": "2024-01-15"}, {"after"}),
        ({"gte": "2024-01-15"}, {"midnight", "noon", "last", "after"}),
        ({"lt": "2024-01-15"}, {"before"}),
        ({"lte": "2024-01-15"}, {"before", "midnight", "noon", "last"}),
        ({"lte": "2024-01-15T12:00:00"}, {"before", "midnight", "noon"}),
        ({"lt": "2024-01-15T09:00:00Z"}, {"before", "midnight"}),
        ({"gt": "2024-01-15 12:00"}, {"last", "after"}),
        ({"gte": "1445-07-03", "lte": "١٥/٠١/٢٠٢٤"}, {"midnight", "noon", "last"}),
        ("2024-01-15T09:00:00Z", {"noon"}),
        ({"lte": "9999-12-31"}, {"before", "midnight", "noon", "last", "after"}),
    ],
)
def test_a_date_alone_is_a_whole_day_of_the_organization(as_, layla, condition, times):
    moments = {
        "before": datetime(2024, 1, 14, 20, 59, 59, 999999, tzinfo=UTC),
        "midnight": datetime(2024, 1, 14, 21, tzinfo=UTC),
        "noon": datetime(2024, 1, 15, 9, tzinfo=UTC),
        "last": datetime(2024, 1, 15, 20, 59, 59, 999999, tzinfo=UTC),
        "after": datetime(2024, 1, 15, 21, tzinfo=UTC),
        "never": None,
    }
    names = {}
    for name, moment in moments.items():
        names[make_customer(layla).pk] = name
        Customer.objects.filter(pk=list(names)[-1]).update(last_contact_at=moment)
    assert {names[pk] for pk in found(as_(layla), {"lastContactAt": condition})} == times


@pytest.mark.parametrize("asked", ["+966551234567", "0551234567", "٠٥٥١٢٣٤٥٦٧", "00966 55 123 4567", 966551234567])
def test_a_phone_is_equal_in_every_spelling(as_, layla, asked):
    customer = make_customer(layla, phone="+966551234567", whatsapp="+966551234567")
    make_customer(layla)
    assert found(as_(layla), {"phone": asked}) == found(as_(layla), {"whatsapp": [asked]}) == {customer.pk}


@pytest.mark.parametrize("asked", ["+9665", "05", "٠٥", "5", "9665", "00966 5", "+966 05", "055", "+966-55-123"])
def test_a_phone_begins_as_people_type_it(as_, layla, asked):
    customer = make_customer(layla, phone="+966551234567")
    make_customer(layla, phone="+971505512345")
    assert found(as_(layla), {"phone": {"startsWith": asked}}) == {customer.pk}


def test_letters_that_mean_something_to_like_are_letters(as_, layla):
    ids = {text: make_customer(layla, notes=text).pk for text in ("50% off", "50 off", "a_b", "axb", "c\\d", "cd")}
    for part in ("50% off", "a_b", "c\\d"):
        for operator in ("contains", "startsWith", "eq"):
            assert found(as_(layla), {"notes": {operator: part}}) == {ids[part]}


def test_stored_oddities_of_preferences_are_no_value_and_no_failure(as_, layla):
    odd = ["3", True, [3], {"n": 3}, None]
    for value in odd:
        customer = make_customer(layla)
        documents = {"preferences": {"propertyType": [], "preferredAreas": []} | dict.fromkeys(
            ("bedrooms", "bathrooms", "minArea", "maxArea", "amenities", "preferredCities", "purpose", "notes"), value
        ), "source_details": {"campaign": value}}  # fmt: skip
        Customer.objects.filter(pk=customer.pk).update(**documents)
    three = make_customer(layla, preferences={"bedrooms": 3, "amenities": ["3"]})
    client = as_(layla)
    for name, operator in itertools.product(("bedrooms", "minArea"), ("eq", "in", "gte", "lte", "gt", "lt")):
        value = {"gt": 2, "lt": 4, "in": [3]}.get(operator, 3)
        expected = {three.pk} if name == "bedrooms" else set()
        assert found(client, {"preferences": {name: {operator: value}}}) == expected
    assert len(found(client, {"preferences.bedrooms": None})) == len(odd)
    assert len(found(client, {"preferences.bedrooms": {"ne": 3}})) == len(odd)
    # A list that holds a number holds its digits.
    assert len(found(client, {"preferences.amenities": "3"})) == 2
    for name in ("preferences.amenities", "preferences.preferredCities", "preferences.notes", "sourceDetails.campaign"):
        found(client, {"or": [{name: {"contains": "x"}}, {name: {"ne": "x"}}, {name: None}, {name: {"ne": None}}]})


def test_the_national_id_is_found_whole_and_by_those_who_see_it_whole(as_, layla, ahmed, huda):
    for owner in (ahmed, huda):
        make_customer(layla, assigned_employee_id=owner.pk, national_id="1000000008")
        make_customer(layla, assigned_employee_id=owner.pk)
    for asked in ("1000000008", "١٠٠٠٠٠٠٠٠٨", ["1000 000 008"], {"ne": None}):
        assert len(found(as_(ahmed), {"nationalId": asked})) == 1
    for filters in ({"nationalId": "1000000008"}, {"or": [{"nationalId": None}]}, {"nationalId": {"startsWith": "1"}}):
        (detail,) = error_of(as_(huda).post("customers/query", {"filters": filters}), 400)["details"]
        assert detail["field"].endswith("nationalId") and "nationalId" not in detail["message"]


def test_the_filters_of_a_list_join_with_those_of_its_own_parameters(as_, layla):
    wanted = make_customer(layla, stage="closing", priority="high")
    make_customer(layla, stage="closing", priority="low")
    make_customer(layla, stage="new_lead", priority="high")
    query = {"stage": "closing", "filters": json.dumps({"priority": ["high", "urgent"]})}
    (customer,) = data_of(as_(layla).get("customers", query))["customers"]
    assert customer["id"] == wanted.pk
    for empty in ("", "{}"):
        assert data_of(as_(layla).get("customers", {"filters": empty}))["pagination"]["totalItems"] == 3


def test_claimable_customers_are_asked_for_by_what_is_shown_of_them(as_, layla, ahmed):
    free = make_customer(layla, name="خالد الحربي", email="khalid@hub.example", city="جدة", notes="سر")

    def listed(filters):
        return as_(ahmed).get("customers", {"assignedEmployeeId": "unassigned", "filters": json.dumps(filters)})

    for filters in (
        {"name": {"contains": "خالد"}},
        {"city": "Jeddah", "state": "مكة"},
        {"preferences.budgetMin": None},
    ):
        assert [customer["id"] for customer in data_of(listed(filters))["customers"]] == [free.pk]
    for name in ("phone", "email", "whatsapp", "notes", "nationalId", "totalDealValue", "sourceDetails", "address"):
        (detail,) = error_of(listed({"or": [{name: {"ne": None}}]}), 400)["details"]
        assert detail["field"] == f"filters.or.0.{name}"
        assert not {name, f"{name}.campaign"} & set(detail["message"].split(", "))
    # A question in a body is asked of the own customers.
    assert found(as_(ahmed), {"assignedTo": "unassigned"}) == set()


def test_deleted_customers_are_asked_for_by_those_who_may_delete(as_, layla, ahmed):
    living, gone = make_customer(ahmed), make_customer(ahmed)
    data_of(as_(layla).delete(f"customers/{gone.pk}"))
    assert found(as_(layla), {}) == {living.pk}
    response = as_(layla).post("customers/query?deleted=only", {"filters": {"stage": "new_lead"}})
    assert [customer["id"] for customer in data_of(response)["customers"]] == [gone.pk]
    error_of(as_(ahmed).post("customers/query?deleted=only", {"filters": {}}), 403, "PERMISSION_DENIED")


def test_a_question_without_anything_is_the_first_page_of_the_list(as_, layla):
    for _number in range(3):
        make_customer(layla)
    client = as_(layla)
    for body in ({}, {"filters": None, "sort": None, "limit": None, "page": None, "fields": None, "include": None}):
        assert data_of(client.post("customers/query", body)) == data_of(client.get("customers"))
    for body in ({"cursor": None}, {"cursor": ""}):
        assert data_of(client.post("customers/query", body))["pagination"]["hasNext"] is False


def test_fields_and_include_are_those_of_the_list(as_, layla):
    customer = make_customer(layla)
    for fields in (["id", "name", "shoeSize"], "id, name,shoeSize"):
        response = as_(layla).post("customers/query", {"fields": fields, "include": ["friends"]})
        assert data_of(response)["customers"] == [{"id": customer.pk, "name": customer.name}]
        assert response.json()["meta"]["ignoredParams"] == ["shoeSize", "friends"]


# --- Cursors belong to what is asked, not to how it is written ----------------------------------------------------


def next_cursor(response):
    return data_of(response)["pagination"]["nextCursor"]


SAME = [
    {"stage": ["new_lead", "closing"], "preferences": {"budgetMin": {"gte": 1}}},
    {"preferences.budgetMin": {"gte": 1.0}, "stage": {"in": ["closing", "new_lead", "closing"]}},
    {"and": [{"budgetMin": {"gte": "١"}}, {"stage": ["closing", "new_lead"]}]},
]
OTHERS = [
    {"stage": ["new_lead", "closing"]},
    {"stage": ["new_lead", "closing"], "budgetMin": {"gt": 1}},
    {"or": [{"stage": ["new_lead", "closing"]}, {"budgetMin": {"gte": 1}}]},
    {"stage": {"nin": ["new_lead", "closing"]}, "budgetMin": {"gte": 1}},
    {},
]


def test_a_cursor_is_valid_for_the_same_question_however_it_is_written(as_, layla):
    ids = [make_customer(layla, preferences={"budgetMin": n}).pk for n in range(1, 6)]
    client = as_(layla)
    for first, second in itertools.product(SAME, SAME):
        cursor = next_cursor(client.post("customers/query", {"filters": first, "cursor": None, "limit": 2}))
        data = data_of(client.post("customers/query", {"filters": second, "cursor": cursor, "limit": 2}))
        assert [customer["id"] for customer in data["customers"]] == ids[2:0:-1]
        by_text = next_cursor(client.get("customers", {"filters": json.dumps(first), "cursor": "", "limit": 2}))
        data_of(client.get("customers", {"filters": json.dumps(second), "cursor": by_text}))
    for other in OTHERS:
        body = {"filters": other, "cursor": cursor}
        assert fields_of(client.post("customers/query", body)) == ["cursor"]
        query = {"filters": json.dumps(other), "cursor": by_text}
        assert fields_of(client.get("customers", query)) == ["cursor"]
    sorted_otherwise = {"filters": SAME[0], "cursor": cursor, "sort": {"field": "name"}}
    assert fields_of(client.post("customers/query", sorted_otherwise)) == ["cursor"]
    assert fields_of(client.post("customers/query?deleted=only", {"filters": SAME[0], "cursor": cursor})) == ["cursor"]
