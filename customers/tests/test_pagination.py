"""The two paginations of GET /customers: pages by number, and cursors that neither repeat nor lose a row."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.testing import data_of, fields_of, make_customer
from customers.models import Customer
from customers.search import derived_columns

SORTS = [
    "createdAt", "name", "leadScore", "lastContactAt", "lastContactDate", "dealValue", "totalDealValue", "priority",
    "stage",
]  # fmt: skip
NULLABLE_SORTS = {"lastContactAt": "last_contact_at", "dealValue": "total_deal_value"}
NAMES = ["محمد", "مُحمّد", "أحمد", "احمد", "هند", "Zaid", "zaid", "سارة"]
DAY_ONE = datetime(2024, 1, 15, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


def fill(organization, count, *, seed=7, **same):
    """Customers with many equal and missing values of everything that lists are sorted by; ids in no order."""
    chance = random.Random(seed)
    numbers = list(range(count))
    chance.shuffle(numbers)
    derived = {
        name: derived_columns(name=name, name_en="", city="الرياض", district="", tags=[], preferences={})
        for name in NAMES
    }
    Customer.objects.bulk_create(
        (
            Customer(
                **{
                    "id": f"cust_{seed}_{numbers[index]:06d}",
                    "organization": organization,
                    "name": name,
                    "phone": f"+9665{seed}{index:07d}",
                    "stage": chance.choice(["new_lead", "site_visit", "closing"]),
                    "priority": chance.choice(["low", "medium", "high", "urgent"]),
                    "city": "الرياض",
                    "lead_score": chance.choice([10, 50, 50, 90]),
                    "created_at": DAY_ONE + chance.randrange(4) * timedelta(microseconds=1),
                    "last_contact_at": chance.choice([None, DAY_ONE, DAY_ONE + timedelta(seconds=1)]),
                    "total_deal_value": chance.choice([None, None, Decimal("1.10"), Decimal("2200000")]),
                    **derived[name],
                    **same,
                }
            )
            for index in range(count)
            for name in [chance.choice(NAMES)]
        ),
        batch_size=1000,
    )


def page_of(client, **query):
    """`(ids, pagination)` of one page."""
    data = data_of(client.get("customers", {"fields": "id", **query}))
    return [customer["id"] for customer in data["customers"]], data["pagination"]


def by_number(client, **query):
    """All ids, by page numbers of one hundred."""
    ids = []
    for page in itertools.count(1):
        keys, pagination = page_of(client, page=page, limit=100, **query)
        ids += keys
        if not pagination["hasNextPage"]:
            assert pagination["totalItems"] == len(ids)
            return ids


def walk(client, sizes, cursor="", direction="next", **query):
    """The pages from a cursor to the end of the list in one direction, and the last pagination."""
    pages = []
    while cursor is not None:
        keys, pagination = page_of(client, cursor=cursor, limit=next(sizes), **query)
        pages.append(keys)
        assert pagination["hasNext"] is (pagination["nextCursor"] is not None)
        assert pagination["hasPrevious"] is (pagination["prevCursor"] is not None)
        cursor = pagination[f"{direction}Cursor"]
    return pages, pagination


# --- By number ---------------------------------------------------------------------------------------------------


def test_a_page_by_number_says_what_the_specification_shows(as_, layla, organization):
    fill(organization, 47)
    ids, pagination = page_of(as_(layla), page=2, limit=20)
    assert len(ids) == 20
    assert pagination == {
        "currentPage": 2,
        "pageSize": 20,
        "totalPages": 3,
        "totalItems": 47,
        "hasNextPage": True,
        "hasPreviousPage": True,
    }


def test_twenty_rows_come_first_when_nothing_is_asked_for(as_, layla, organization):
    fill(organization, 21)
    ids, pagination = page_of(as_(layla))
    assert len(ids) == 20
    assert (pagination["currentPage"], pagination["pageSize"], pagination["totalPages"]) == (1, 20, 2)
    assert (pagination["hasNextPage"], pagination["hasPreviousPage"]) == (True, False)


@pytest.mark.parametrize("sort", [None, *NULLABLE_SORTS])
def test_a_page_past_the_end_is_empty_and_still_tells_the_totals(as_, layla, organization, sort):
    fill(organization, 5)
    query = {"sortBy": sort} if sort else {}
    for page in (2, 4, 9_999_999):
        ids, pagination = page_of(as_(layla), page=page, limit=5, **query)
        assert ids == []
        assert (pagination["currentPage"], pagination["totalItems"], pagination["totalPages"]) == (page, 5, 1)
        assert (pagination["hasNextPage"], pagination["hasPreviousPage"]) == (False, True)


@pytest.mark.parametrize("sort", [None, *NULLABLE_SORTS])
def test_a_list_without_rows_has_no_pages(as_, layla, sort):
    ids, pagination = page_of(as_(layla), **({"sortBy": sort} if sort else {}))
    assert ids == []
    assert (pagination["totalPages"], pagination["totalItems"], pagination["hasNextPage"]) == (0, 0, False)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=abc", "page"),
        ("page=1.5", "page"),
        ("page=1e3", "page"),
        ("page=99999999999999999999", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=٢٠٠", "limit"),
        ("limit=all", "limit"),
        ("cursor=&limit=101", "limit"),
    ],
)
def test_a_wrong_page_or_limit_is_refused_by_name(as_, layla, query, field):
    assert fields_of(as_(layla).get(f"customers?{query}")) == [field]


def test_page_and_limit_are_read_in_digits_of_any_script(as_, layla, organization):
    fill(organization, 12)
    client = as_(layla)
    for page, limit in (("٢", "٥"), ("۲", "۵"), (" 2 ", "05")):
        ids, pagination = page_of(client, page=page, limit=limit)
        assert (pagination["currentPage"], pagination["pageSize"]) == (2, 5)
        assert ids == page_of(client, page=2, limit=5)[0]
    assert page_of(client, limit="100")[1]["pageSize"] == 100


@pytest.mark.parametrize("filled", [0, 1, 9, 10, 11, 25])
@pytest.mark.parametrize(("sort", "column"), NULLABLE_SORTS.items())
def test_pages_run_from_rows_with_a_value_into_rows_without(as_, layla, organization, sort, column, filled):
    fill(organization, 25)
    keys = list(Customer.objects.order_by("phone").values_list("pk", flat=True))
    value = DAY_ONE if column == "last_contact_at" else 5
    Customer.objects.filter(pk__in=keys[:filled]).update(**{column: value})
    Customer.objects.filter(pk__in=keys[filled:]).update(**{column: None})
    for direction, down in (("asc", False), ("desc", True)):
        pages = [page_of(as_(layla), page=n, limit=10, sortBy=sort, sortOrder=direction) for n in (1, 2, 3)]
        ids = [key for page, _pagination in pages for key in page]
        assert ids == sorted(keys[:filled], reverse=down) + sorted(keys[filled:], reverse=down)
        assert [len(page) for page, _pagination in pages] == [10, 10, 5]
        assert {pagination["totalItems"] for _page, pagination in pages} == {25}
        assert [pagination["hasNextPage"] for _page, pagination in pages] == [True, True, False]


def test_the_number_of_queries_does_not_grow_with_the_page(as_, layla, organization):
    fill(organization, 100)
    client = as_(layla)
    page_of(client, limit=1)
    counts = []
    for limit in (1, 100):
        with CaptureQueriesContext(connection) as queries:
            client.get("customers", {"limit": limit})
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


# --- By cursor ------------------------------------------------------------------------------------------------------


def test_a_page_by_cursor_says_what_the_specification_shows(as_, layla, organization):
    fill(organization, 5)
    client = as_(layla)
    first, pagination = page_of(client, cursor="", limit=2)
    assert set(pagination) == {"nextCursor", "prevCursor", "hasNext", "hasPrevious", "limit"}
    assert (pagination["prevCursor"], pagination["hasPrevious"], pagination["limit"]) == (None, False, 2)
    assert isinstance(pagination["nextCursor"], str) and pagination["hasNext"] is True
    middle, pagination = page_of(client, cursor=pagination["nextCursor"], limit=2)
    assert (pagination["hasNext"], pagination["hasPrevious"]) == (True, True)
    last, pagination = page_of(client, cursor=pagination["nextCursor"], limit=2)
    assert (pagination["nextCursor"], pagination["hasNext"], pagination["hasPrevious"]) == (None, False, True)
    assert first + middle + last == by_number(client)


@pytest.mark.parametrize("query", ["cursor", "cursor=", "cursor=%20", "cursor=&page=7"])
def test_an_empty_cursor_asks_for_the_first_page(as_, layla, organization, query):
    fill(organization, 3)
    data = data_of(as_(layla).get(f"customers?{query}&limit=2&fields=id"))
    assert [customer["id"] for customer in data["customers"]] == by_number(as_(layla))[:2]
    assert "nextCursor" in data["pagination"] and "totalItems" not in data["pagination"]


def test_a_cursor_wins_over_a_page_number(as_, layla, organization):
    fill(organization, 6)
    client = as_(layla)
    _first, pagination = page_of(client, cursor="", limit=2)
    ids, pagination = page_of(client, cursor=pagination["nextCursor"], page=1, limit=2)
    assert ids == by_number(client)[2:4]
    assert "currentPage" not in pagination


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_walking_by_cursor_meets_each_row_once_in_either_direction(as_, layla, organization, noura, sort, direction):
    fill(organization, 300)
    fill(noura.organization, 20, seed=8)
    client, query = as_(layla), {"sortBy": sort, "sortOrder": direction}
    chance = random.Random(f"{sort} {direction}")
    lengths = [chance.choice([7, 29, 50, 100]) for _ in range(300)]
    forward, pagination = walk(client, iter(lengths), **query)
    met = [key for page in forward for key in page]
    assert met == by_number(client, **query)
    assert len(set(met)) == len(met) == 300
    # From the last page back, with the sizes of the way there: the same pages.
    sizes = iter([len(page) for page in reversed(forward[:-1])])
    back, pagination = walk(client, sizes, pagination["prevCursor"], "prev", **query)
    assert back == forward[-2::-1]
    assert (pagination["hasPrevious"], pagination["hasNext"]) == (False, True)


@pytest.mark.parametrize("sort", ["lastContactAt", "name", "dealValue"])
def test_turning_round_anywhere_leads_back_to_the_page_one_came_from(as_, layla, organization, sort):
    fill(organization, 40)
    client = as_(layla)
    pages, cursor = [], ""
    while cursor is not None:
        ids, pagination = page_of(client, cursor=cursor, limit=6, sortBy=sort)
        if pages:
            assert page_of(client, cursor=pagination["prevCursor"], limit=6, sortBy=sort)[0] == pages[-1]
            again = page_of(client, cursor=pagination["prevCursor"], limit=6, sortBy=sort)[1]["nextCursor"]
            assert page_of(client, cursor=again, limit=6, sortBy=sort)[0] == ids
        pages.append(ids)
        cursor = pagination["nextCursor"]
    assert len(pages) == 7


@pytest.mark.parametrize("sort", SORTS)
def test_rows_that_come_and_go_meanwhile_move_nobody_else(as_, layla, organization, sort):
    fill(organization, 30)
    client, query = as_(layla), {"limit": 10, "sortBy": sort}
    before = by_number(client, sortBy=sort)
    first, pagination = page_of(client, cursor="", **query)
    Customer.objects.filter(pk__in=[first[0], first[9], before[10]]).update(deleted_at=DAY_ONE)
    fill(organization, 5, seed=9)
    rest, _pagination = walk(client, itertools.repeat(10), pagination["nextCursor"], sortBy=sort)
    old = [key for page in rest for key in page if key.startswith("cust_7_")]
    assert old == before[11:]


def test_a_filter_goes_with_its_cursor(as_, layla, organization):
    fill(organization, 60)
    client, query = as_(layla), {"stage": "site_visit", "sortBy": "leadScore"}
    pages, _pagination = walk(client, itertools.repeat(4), **query)
    assert [key for page in pages for key in page] == by_number(client, **query)


def test_page_size_fields_and_unknown_parameters_may_change_between_pages(as_, layla, organization):
    fill(organization, 9)
    client, ids = as_(layla), by_number(as_(layla))
    cursor = page_of(client, cursor="", limit=2, _=1720000000001)[1]["nextCursor"]
    assert page_of(client, cursor=cursor, limit=3, _=1720000000002, fields="id,name")[0] == ids[2:5]


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": "closing"},
        {"search": "محمد"},
        {"sortBy": "name"},
        {"sortBy": "leadScore", "sortOrder": "asc"},
        {"deleted": "only"},
        {"leadScoreMin": ""},
    ],
)
def test_a_cursor_of_another_list_is_refused(as_, layla, organization, changed):
    fill(organization, 9)
    client, query = as_(layla), {"sortBy": "leadScore", "leadScoreMin": "1"}
    cursor = page_of(client, cursor="", limit=2, **query)[1]["nextCursor"]
    assert fields_of(client.get("customers", {**query, **changed, "cursor": cursor})) == ["cursor"]


@pytest.mark.parametrize(
    "spelled",
    [
        "stage=site_visit&stage=closing&assignedTo=unassigned&leadScoreMin=1",
        "leadScoreMin=1&assignedTo=unassigned&stage=closing&stage=site_visit",
        "stage[]=closing&stage[]=site_visit&assignedEmployeeId=unassigned&leadScoreMin=%D9%A1",
        "stage=closing,site_visit,closing&employeeId=unassigned&leadScoreMin=01&page=7&unknown=1",
    ],
)
def test_a_cursor_stays_valid_however_its_filters_are_written(as_, layla, organization, spelled):
    fill(organization, 30)
    client = as_(layla)
    first = "stage=site_visit&stage=closing&assignedTo=unassigned&leadScoreMin=1"
    cursor = data_of(client.get(f"customers?{first}&cursor=&limit=4"))["pagination"]["nextCursor"]
    whole = data_of(client.get(f"customers?{first}&limit=100"))["customers"]
    data = data_of(client.get(f"customers?{spelled}&cursor={cursor}&limit=4"))
    assert [row["id"] for row in data["customers"]] == [row["id"] for row in whole[4:8]]


def test_a_cursor_of_another_organization_is_refused(as_, layla, noura, organization):
    fill(organization, 3)
    fill(noura.organization, 3, seed=8)
    cursor = page_of(as_(layla), cursor="", limit=1)[1]["nextCursor"]
    assert fields_of(as_(noura).get("customers", {"cursor": cursor})) == ["cursor"]


def test_a_cursor_shows_nobody_more_than_their_own(as_, layla, ahmed, organization):
    fill(organization, 6)
    mine = make_customer(ahmed)
    Customer.objects.filter(pk=mine.pk).update(created_at=DAY_ONE - timedelta(days=1))
    cursor = page_of(as_(layla), cursor="", limit=2)[1]["nextCursor"]
    assert page_of(as_(ahmed), cursor=cursor)[0] == [mine.pk]


def test_a_cursor_that_was_touched_is_refused(as_, layla, organization):
    fill(organization, 6)
    client = as_(layla)
    cursor = page_of(client, cursor="", limit=2)[1]["nextCursor"]
    body, _colon, signature = cursor.partition(":")
    flipped = ("A" if body[4] != "A" else "B").join((body[:4], body[5:]))
    for touched in (
        f"{flipped}:{signature}",
        f"{body}:{signature[::-1]}",
        body,
        cursor[:-1],
        cursor + "x",
        "eyJpZCI6ImN1c3RfMTAwIn0",
        "مؤشر",
        "::::",
        "[]x",
        "1",
    ):
        assert fields_of(client.get("customers", {"cursor": touched})) == ["cursor"], touched


def multiply(times):
    """Each customer `times` times, with ids and phones of their own, by one statement."""
    columns = [field.column for field in Customer._meta.concrete_fields if not field.generated]
    values = {"id": "md5(id || n)", "phone": "'+9665' || 20000000 + row_number() OVER ()"}
    selected = ", ".join(values.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO customers ({', '.join(columns)}) "
            f"SELECT {selected} FROM customers CROSS JOIN generate_series(2, %s) AS n",
            [times],
        )
        cursor.execute("ANALYZE customers")


@pytest.mark.slow
def test_walking_fifty_thousand_customers_meets_each_once_in_either_direction(as_, layla, organization):
    fill(organization, 500)
    multiply(100)
    client = as_(layla)
    for sort, sign in itertools.product(("last_contact_at", "lead_score"), ("", "-")):
        query = {
            "sortBy": {"last_contact_at": "lastContactAt", "lead_score": "leadScore"}[sort],
            "sortOrder": "desc" if sign else "asc",
        }
        filled = Customer.objects.exclude(**{sort: None}).order_by(f"{sign}{sort}", f"{sign}pk")
        empty = Customer.objects.filter(**{sort: None}).order_by(f"{sign}pk")
        expected = [*filled.values_list("pk", flat=True), *empty.values_list("pk", flat=True)]
        assert len(expected) == 50_000
        forward, pagination = walk(client, itertools.repeat(100), **query)
        assert [key for page in forward for key in page] == expected
        back, _pagination = walk(client, itertools.repeat(100), pagination["prevCursor"], "prev", **query)
        assert back == forward[-2::-1]
