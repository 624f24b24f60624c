"""The filters, sorts and pages of GET /listings against a plain reading of the rules."""

import itertools
import random
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.arabic import fold_text
from config.models import AuditEntry
from config.testing import HubClient, data_of, error_of, fields_of, make_employee, make_listing
from customers.models import Listing
from customers.services.listing import derived_columns
from employees import services as employees
from employees.choices import Role

TITLES = ["فيلا في النرجس", "فيلا فاخره بالنرجس", "شقة Sea View", "أرض سكنية", "ارض تجارية", "Villa 100%", "مكتب_1"]
# What people write -> what is meant.
CITIES = {
    "الرياض": "riyadh",
    "Riyadh": "riyadh",
    "الریاض": "riyadh",
    "جدة": "jeddah",
    "جده": "jeddah",
    "Dubai": "dubai",
}
REGIONS = {"الرياض": "riyadh", "SA-01": "riyadh", "مكة": "jeddah", "Eastern Province": None}
TYPES = {
    "villa": "villa",
    "فيلا": "villa",
    "Villa": "villa",
    "شقة": "apartment",
    "شقه": "apartment",
    "استراحة": "استراحه",
}
AMENITIES = {"pool": "pool", "مسبح": "pool", "garden": "garden", "Garden": "garden", "حديقة": "garden", "قبو": "قبو"}
DISTRICTS = ["", "حي النرجس", "حى النرجس", "الملقا"]
STATUSES = ["available", "reserved", "sold", "rented", "archived"]
# The ends of days in Riyadh are 21:00 UTC.
MOMENTS = [
    datetime(2024, 1, 14, 20, 59, 59, 999999, tzinfo=UTC), datetime(2024, 1, 14, 21, 0, 0, tzinfo=UTC),
    datetime(2024, 1, 15, 12, 0, 0, tzinfo=UTC), datetime(2024, 1, 15, 21, 0, 0, tzinfo=UTC),
]  # fmt: skip
DAYS = {"2024-01-14": (None, MOMENTS[1]), "2024-01-15": (MOMENTS[1], MOMENTS[3]), "2024-01-16": (MOMENTS[3], None)}
SEARCHES = [
    "النرجس", "نرجس", "فاخرة", "VIEW", "أرض", "ارض سكنيه", "100%", "%", "_1", "R-٧", "r-7", "7", "في", "لا شيء", "!!",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


class Pool:
    """Fifty listings with many ties and gaps as plain dicts, one employee who sees them, and listings of others."""

    def __init__(self):
        organization, other = (employees.create_organization(name=name) for name in ("وساطة الاختبار", "وساطة أخرى"))
        self.organizations = organization, other
        self.client = HubClient(make_employee(organization, "أحمد Ahmed", Role.SALES_AGENT))
        chance = random.Random(1447)
        self.rows = [self.make_row(chance, number) for number in range(50)]
        strangers = [self.make_row(chance, number) for number in range(50, 56)]
        columns = [self.columns(row, organization) for row in self.rows]
        columns += [self.columns(row, other) for row in strangers]
        Listing.objects.bulk_create(Listing(**column) for column in columns)

    @staticmethod
    def make_row(chance, number):
        return {
            "id": f"prop_pool_{chance.randrange(10**6):06d}_{number}",
            "reference": f"R-{number}" if number % 3 else "",
            "title": chance.choice(TITLES),
            "title_en": chance.choice(["", "Sea view", "Corner land"]),
            "type": chance.choice(list(TYPES)),
            "purpose": chance.choice(["sale", "rent"]),
            "status": chance.choice(STATUSES),
            "city": chance.choice(["", *CITIES]),
            "district": chance.choice(DISTRICTS),
            "price": chance.choice([None, Decimal(60_000), Decimal("800000.5"), Decimal(800_000), Decimal(2_000_000)]),
            "area": chance.choice([None, Decimal(120), Decimal("120.5"), Decimal(400)]),
            "bedrooms": chance.choice([None, 0, 2, 3, 5]),
            "bathrooms": chance.choice([None, 1, 2, 4]),
            "furnishing": chance.choice(["", "furnished", "unfurnished", "semi-furnished"]),
            "amenities": chance.sample(list(AMENITIES), chance.randrange(4)),
            "created_at": chance.choice(MOMENTS),
            "updated_at": chance.choice(MOMENTS),
        }

    @staticmethod
    def columns(row, organization):
        derived = derived_columns(**{name: row[name] for name in ("type", "city", "district", "amenities")})
        return {**row, **derived, "organization": organization}

    def remove(self):
        for organization in self.organizations:
            organization.listings.all().delete()
            organization.employees.all().delete()
            organization.delete()
        AuditEntry.objects.all().delete()

    def expected(self, asked, sort_by, descending):
        """The ids that the rules give, in order: rows without a value last both ways, ties by id that way too."""
        rows = self.rows if "status" in asked else [row for row in self.rows if row["status"] != "archived"]
        for name, meant in asked.items():
            rows = [row for row in rows if RULES[name](row, meant)]
        key = SORT_KEYS[sort_by]
        filled = sorted((row for row in rows if key(row) is not None), key=lambda row: (key(row), row["id"]))
        empty = sorted((row for row in rows if key(row) is None), key=lambda row: row["id"])
        if descending:
            filled.reverse(), empty.reverse()
        return [row["id"] for row in filled + empty]


@pytest.fixture(scope="module")
def pool(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        pool = Pool()
        yield pool
        pool.remove()


# --- The rules, read plainly ---------------------------------------------------------------------------


def contains(row, text):
    """Three characters anywhere in a folded title or reference; fewer at the beginning of a word."""
    folded = fold_text(text)
    texts = [fold_text(row[name]) for name in ("title", "title_en", "reference")]
    if len(folded) >= 3:
        return any(folded in text for text in texts)
    return any(f" {text}".find(f" {folded}") >= 0 for text in texts)


def at_least(name):
    return lambda row, bound: row[name] is not None and row[name] >= bound


def at_most(name):
    return lambda row, bound: row[name] is not None and row[name] <= bound


def meant(amenities):
    return {AMENITIES[word] for word in amenities}


RULES = {
    "search": contains,
    "type": lambda row, words: TYPES[row["type"]] in {TYPES[word] for word in words},
    "purpose": lambda row, words: row["purpose"] in words,
    "status": lambda row, words: row["status"] in words,
    "city": lambda row, names: row["city"] and CITIES[row["city"]] in {CITIES[name] for name in names},
    "state": lambda row, names: row["city"] and CITIES[row["city"]] in {REGIONS[name] for name in names},
    "district": lambda row, names: fold_text(row["district"]) in {fold_text(name) for name in names},
    "priceMin": at_least("price"),
    "priceMax": at_most("price"),
    "areaMin": at_least("area"),
    "areaMax": at_most("area"),
    "bedroomsMin": at_least("bedrooms"),
    "bathroomsMin": at_least("bathrooms"),
    "furnishing": lambda row, words: row["furnishing"] in words,
    "amenities": lambda row, words: (
        {AMENITIES[word] for word in words} <= {AMENITIES[word] for word in row["amenities"]}
    ),
    "updatedFrom": lambda row, day: DAYS[day][0] is None or row["updated_at"] >= DAYS[day][0],
    "updatedTo": lambda row, day: DAYS[day][1] is None or row["updated_at"] < DAYS[day][1],
}
ASKED = {
    "type": list(TYPES),
    "purpose": ["sale", "rent"],
    "status": STATUSES,
    "city": list(CITIES),
    "state": list(REGIONS),
    "district": DISTRICTS[1:],
    "furnishing": ["furnished", "unfurnished", "semi-furnished"],
    "amenities": list(AMENITIES),
}
BOUNDS = {
    "priceMin": [0, 60_000, 800_000, "800000.5"], "priceMax": [60_000, 800_000, 2_000_000],
    "areaMin": [0, 120, 121], "areaMax": [120, "120.5", 400],
    "bedroomsMin": [0, 2, 4], "bathroomsMin": [0, 2, 4],
}  # fmt: skip
SORT_KEYS = {
    "createdAt": lambda row: row["created_at"],
    "updatedAt": lambda row: row["updated_at"],
    "title": lambda row: fold_text(row["title"]).encode(),
    "price": lambda row: row["price"],
    "area": lambda row: row["area"],
    "bedrooms": lambda row: row["bedrooms"],
}


def draw(chance, name):
    """`(what is meant, how it is written)` of one filter."""
    if name == "search":
        text = chance.choice(SEARCHES)
        return text, [(name, f" {text} ")]
    if name in ("updatedFrom", "updatedTo"):
        day = chance.choice(list(DAYS))
        return day, [(name, day)]
    if name in BOUNDS:
        bound = chance.choice(BOUNDS[name])
        return Decimal(bound), [(name, str(bound))]
    values = chance.sample(ASKED[name], chance.randrange(1, 3))
    spelling = chance.choice([name, f"{name}[]"])
    return values, [(spelling, value) for value in values]


def ids_of(response):
    data = data_of(response)
    ids = [listing["id"] for listing in data["listings"]]
    assert data["pagination"]["totalItems"] == len(ids)
    return ids


# --- The tests -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_combination_of_filters_gives_what_the_rules_give_in_their_order(pool):
    chance, narrowed, seen = random.Random(7), 0, set()
    for turn in range(400):
        # Each filter alone a few times, then several together.
        names = [list(RULES)[turn % len(RULES)]] if turn < 100 else chance.sample(list(RULES), chance.randrange(4))
        asked, pairs = {}, [("limit", "100"), ("fields", "id")]
        for name in names:
            asked[name], written = draw(chance, name)
            pairs += written
        sort_by, descending = chance.choice([None, *SORT_KEYS]), chance.choice([None, True, False])
        pairs += [("sortBy", sort_by)] if sort_by else []
        pairs += [("sortOrder", "desc" if descending else "asc")] if descending is not None else []
        response = pool.client.get(f"listings?{urlencode(pairs, quote_via=quote)}")
        bounds = [(asked.get(f"{name}Min", 0), asked.get(f"{name}Max", Decimal("inf"))) for name in ("price", "area")]
        bounds.append((asked.get("updatedFrom", ""), asked.get("updatedTo", "9")))
        if any(low > high for low, high in bounds):
            assert set(fields_of(response)) <= {"priceMax", "areaMax", "updatedTo"}
            continue
        ids = ids_of(response)
        assert ids == pool.expected(asked, sort_by or "createdAt", descending is not False), pairs
        assert "ignoredParams" not in response.json()["meta"]
        if 0 < len(ids) < 40:
            narrowed += 1
            seen |= set(names)
    assert narrowed > 150 and seen == set(RULES)


@pytest.mark.django_db
@pytest.mark.parametrize("sort_by", SORT_KEYS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_both_paginations_give_every_row_once_in_the_order_of_the_list(pool, sort_by, direction):
    for filters in ({}, {"purpose": "sale"}):
        query = {"sortBy": sort_by, "sortOrder": direction, "limit": 7, "fields": "id", **filters}
        expected = pool.expected(filters, sort_by, direction == "desc")
        by_number = []
        for page in itertools.count(1):
            data = data_of(pool.client.get("listings", {**query, "page": page}))
            by_number += [row["id"] for row in data["listings"]]
            if not data["pagination"]["hasNextPage"]:
                break
        forwards, cursor, pages = [], "", []
        while cursor is not None:
            data = data_of(pool.client.get("listings", {**query, "cursor": cursor}))
            pages.append([row["id"] for row in data["listings"]])
            forwards += pages[-1]
            last, cursor = data["pagination"], data["pagination"]["nextCursor"]
        backwards, cursor = [pages[-1]], last["prevCursor"]
        while cursor is not None:
            data = data_of(pool.client.get("listings", {**query, "cursor": cursor}))
            backwards.insert(0, [row["id"] for row in data["listings"]])
            cursor = data["pagination"]["prevCursor"]
        assert by_number == forwards == expected
        assert list(itertools.chain(*backwards)) == expected


@pytest.mark.django_db
def test_a_cursor_belongs_to_the_list_that_it_came_from(pool):
    cursor = data_of(pool.client.get("listings?limit=5&cursor=&status=available"))["pagination"]["nextCursor"]
    data_of(pool.client.get("listings", {"limit": 5, "cursor": cursor, "status": "available"}))
    for query in ({}, {"status": "sold"}, {"status": "available", "sortBy": "price"}):
        assert fields_of(pool.client.get("listings", {"limit": 5, "cursor": cursor, **query})) == ["cursor"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("purpose=buy", "purpose"),
        ("status=lost", "status"),
        ("state=أتلانتس", "state"),
        ("priceMin=x", "priceMin"),
        ("priceMin=-1", "priceMin"),
        ("priceMin=5&priceMax=4", "priceMax"),
        ("areaMin=1e9", "areaMin"),
        ("areaMin=5&areaMax=4", "areaMax"),
        ("bedroomsMin=2.5", "bedroomsMin"),
        ("bedroomsMin=99999999999", "bedroomsMin"),
        ("furnishing=any", "furnishing"),
        ("updatedFrom=yesterday", "updatedFrom"),
        ("updatedFrom=2024-01-02&updatedTo=2024-01-01", "updatedTo"),
        ("sortBy=reference", "sortBy"),
        ("limit=101", "limit"),
        ("page=0", "page"),
        ("cursor=abc", "cursor"),
        ("search=" + "x" * 256, "search"),
    ],
)
def test_a_wrong_value_is_named(pool, query, field):
    assert fields_of(pool.client.get(f"listings?{query}")) == [field]


@pytest.mark.django_db
def test_unknown_names_are_ignored_and_reported(pool):
    response = pool.client.get("listings?colour=red&fields=id,wings")
    assert sorted(response.json()["meta"]["ignoredParams"]) == ["colour", "wings"]
    error_of(pool.client.get("listings/none"), 404, "RESOURCE_NOT_FOUND")


def test_the_number_of_statements_does_not_grow_with_the_rows(as_, layla):
    client = as_(layla)

    def count():
        client.get("listings")  # so that the session is known already
        with CaptureQueriesContext(
            connection,
        ) as queries:
            data_of(client.get("listings?limit=100"))
        return len(queries)

    make_listing(layla)
    few = count()
    for _ in range(20):
        make_listing(layla)
    assert count() == few
