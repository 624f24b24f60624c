"""The filters, sorts and pages of GET /customers/actions against a plain Python reading of the rules."""

import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import strategies as st

from actions.models import CustomerAction
from actions.tests.rules import INSTANT, PRIORITIES, ROLES, RULES, SORT_KEYS, TYPES, expected, questions, run
from config.api import pagination
from config.testing import data_of, error_of, fields_of, make_customer
from customers.tests.rules import is_empty


def is_contradiction(asked):
    return asked.get("budgetMin", 0) > asked.get("budgetMax", Decimal("Infinity")) or any(
        is_empty(asked[f"{name}From"], asked[f"{name}To"])
        for name in ("created", "completed", "due")
        if {f"{name}From", f"{name}To"} <= asked.keys()
    )


def shown(data):
    return [(action["id"], action["status"]) for action in data["actions"]]


def by_number(client, query, size):
    """All rows by page numbers; each page must tell the truth about the whole."""
    rows, page = [], 1
    while True:
        response = client.get(f"customers/actions?{query}&limit={size}&page={page}")
        data = data_of(response)
        assert "ignoredParams" not in response.json()["meta"]
        rows += shown(data)
        pagination = data["pagination"]
        assert pagination["currentPage"] == page and pagination["pageSize"] == size
        assert pagination["totalPages"] == -(-pagination["totalItems"] // size)
        assert pagination["hasPreviousPage"] == (page > 1)
        if not pagination["hasNextPage"]:
            assert pagination["totalItems"] == len(rows)
            return rows
        page += 1


def by_cursor(client, query, size):
    """All rows by cursors, there and back again."""
    pages, cursor = [], ""
    while cursor is not None:
        data = data_of(client.get(f"customers/actions?{query}&limit={size}&cursor={quote(cursor)}"))
        pages.append(shown(data))
        cursor = data["pagination"]["nextCursor"]
        assert data["pagination"]["hasNext"] == (cursor is not None)
    back, cursor = [pages[-1]], data["pagination"]["prevCursor"]
    while cursor is not None:
        data = data_of(client.get(f"customers/actions?{query}&limit={size}&cursor={quote(cursor)}"))
        back.insert(0, shown(data))
        cursor = data["pagination"]["prevCursor"]
    assert sum(back, []) == sum(pages, [])
    return sum(pages, [])


def answer_of(pool, viewer, query, paging):
    how, size = paging
    return (by_cursor if how == "cursor" else by_number)(pool.clients[viewer], query, size)


@pytest.mark.django_db
def test_every_combination_of_filters_gives_what_the_rules_give_in_their_order(pools, clock):
    seen = Counter()

    def check(question):
        pool, viewer, asked, sort_by, descending, query, paging = question
        clock.now = pool.now
        if is_contradiction(asked):
            fields = set(fields_of(pool.clients[viewer].get(f"customers/actions?{query}")))
            assert fields <= {"budgetMax", "createdTo", "completedTo", "dueTo"}
            return
        found = answer_of(pool, viewer, query, paging)
        assert found == expected(pool, viewer, asked, sort_by, descending), (pool, viewer, query)
        seen["all"] += 1
        seen["not empty"] += bool(found)
        seen["narrowed"] += bool(found) and bool(asked)

    names = st.lists(st.sampled_from([*RULES, "assignedTo"]), max_size=4, unique=True)
    run(140, questions(pools, names), check)
    assert seen["all"] >= 120
    assert seen["not empty"] >= 0.3 * seen["all"]
    assert seen["narrowed"] >= 0.3 * seen["all"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*RULES, "assignedTo"])
def test_every_filter_alone_gives_what_its_rule_gives_and_narrows_the_list(pools, clock, name):
    sizes = Counter()

    def check(question):
        pool, viewer, asked, sort_by, descending, query, paging = question
        clock.now = pool.now
        found = answer_of(pool, viewer, query, paging)
        assert found == expected(pool, viewer, asked, sort_by, descending), (pool, viewer, query)
        sizes["some"] += 0 < len(found) < len(expected(pool, viewer, {}, sort_by, descending))
        sizes["all"] += 1

    run(8, questions(pools, st.just([name])), check)
    assert sizes["some"] >= 0.3 * sizes["all"]


# --- One by one --------------------------------------------------------------------------------------------------

DAY_ONE = datetime(2024, 5, 15, 7, tzinfo=UTC)


@pytest.fixture
def theirs(layla, ahmed):
    """A customer of Ahmed without actions."""
    return make_customer(layla, assigned_employee_id=ahmed.pk)


def open_action(client, customer, **values):
    """The id of a new action."""
    body = {"customerId": customer.pk, "type": "follow_up", "title": "متابعة", **values}
    return data_of(client.post("customers/actions", body), 201)["action"]["id"]


def fill(customer, count, **same):
    """Many actions of a customer, among them many with equal and missing values; ids in no order."""
    chance = random.Random(7)
    numbers = list(range(count))
    chance.shuffle(numbers)
    rows = []
    for number in numbers:
        ended = chance.choice([None, DAY_ONE, DAY_ONE + INSTANT])
        values = {
            "type": chance.choice(TYPES),
            "priority": chance.choice(PRIORITIES),
            "status": "completed" if ended else "pending",
            "completed_at": ended,
            "created_at": DAY_ONE + chance.randrange(3) * INSTANT,
            "due_date": chance.choice([None, DAY_ONE, DAY_ONE + INSTANT]),
            "assigned_to_id": customer.assigned_employee_id,
            **same,
        }
        rows.append(
            CustomerAction(
                id=f"action_fill_{number:05d}",
                organization_id=customer.organization_id,
                customer=customer,
                customer_assignee=customer.assigned_employee_id,
                city_key=customer.city_key,
                region=customer.region,
                title="متابعة",
                source="manual",
                **values,
            )
        )
    CustomerAction.objects.bulk_create(rows)


def listed(client, query=None):
    data = data_of(client.get("customers/actions", query))
    return {action["id"] for action in data["actions"]}


def test_all_due_dates_filter_nothing(as_, ahmed, theirs):
    client = as_(ahmed)
    dated, undated, done, asleep = (
        open_action(client, theirs, **values) for values in ({"dueDate": "2024-05-15"}, {}, {}, {})
    )
    data_of(client.post(f"customers/actions/{done}/complete"))
    data_of(client.post(f"customers/actions/{asleep}/snooze", {"snoozedUntil": "2099-01-01"}))
    assert listed(client, {"dueDate": "all"}) == {dated, undated, done, asleep}
    assert listed(client, {"dueDate": "no_date"}) == {undated}
    assert listed(client, {"dueDate": "overdue"}) == {dated}


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("dueDate=tomorrow", "dueDate", "all, overdue, today, week, month, no_date"),
        ("tab=done", "tab", "inbox, followups, all, completed"),
        ("status=open", "status", "pending, in_progress, completed, dismissed, snoozed"),
        ("status=pending,gone", "status", "pending, in_progress, completed, dismissed, snoozed"),
        ("type=call", "type", "new_inquiry, callback_request"),
        ("priority=HIGH", "priority", "low, medium, high, urgent"),
        ("source=tiktok", "source", "inquiry, manual, whatsapp, import, referral"),
        ("sortBy=title", "sortBy", "createdAt, dueDate, priority, completedAt"),
        ("sortOrder=up", "sortOrder", "asc, desc"),
        ("state=أتلانتس", "state", "الرياض"),
        ("budgetMin=-1", "budgetMin", "at least 0"),
        ("budgetMax=many", "budgetMax", "number"),
        ("budgetMin=2&budgetMax=1", "budgetMax", "budgetMin"),
        ("createdFrom=yesterday", "createdFrom", "ISO 8601"),
        ("completedTo=2024-13-01", "completedTo", "ISO 8601"),
        ("dueFrom=2024-02-30T10:00:00Z", "dueFrom", "ISO 8601"),
        ("limit=201", "limit", "1 to 200"),
        ("limit=0", "limit", "1 to 200"),
        ("page=0", "page", "1 to"),
        ("page=abc", "page", "1 to"),
        ("cursor=forged", "cursor", "not valid"),
    ],
)
def test_a_wrong_value_names_its_field_and_what_is_allowed(as_, layla, query, field, hint):
    error = error_of(as_(layla).get(f"customers/actions?{query}"), 400, "VALIDATION_ERROR")
    (detail,) = error["details"]
    assert detail["field"] == field and hint in detail["message"]


def test_all_wrong_values_are_named_at_once(as_, layla):
    response = as_(layla).get("customers/actions?dueDate=soon&tab=x&status=y&budgetMin=z")
    assert sorted(fields_of(response)) == ["budgetMin", "dueDate", "status", "tab"]


def test_a_page_holds_fifty_unless_asked_for_up_to_two_hundred(as_, ahmed, theirs):
    fill(theirs, 201)
    client = as_(ahmed)
    for query, size, pages in (({}, 50, 5), ({"limit": 200}, 200, 2), ({"limit": "٢٠"}, 20, 11)):
        data = data_of(client.get("customers/actions", query))
        assert len(data["actions"]) == size
        assert data["pagination"] == {
            "currentPage": 1,
            "pageSize": size,
            "totalPages": pages,
            "totalItems": 201,
            "hasNextPage": True,
            "hasPreviousPage": False,
        }
    data = data_of(client.get("customers/actions", {"cursor": ""}))
    assert len(data["actions"]) == data["pagination"]["limit"] == 50


@pytest.mark.parametrize("sort_by", ["createdAt", "dueDate"])
def test_a_page_past_the_end_is_empty_and_still_counts(as_, layla, theirs, sort_by):
    fill(theirs, 3)
    data = data_of(as_(layla).get("customers/actions", {"page": 2, "sortBy": sort_by}))
    assert data["actions"] == []
    assert data["pagination"] == {
        "currentPage": 2,
        "pageSize": 50,
        "totalPages": 1,
        "totalItems": 3,
        "hasNextPage": False,
        "hasPreviousPage": True,
    }


def test_unknown_parameters_are_ignored_and_named(as_, ahmed, theirs):
    mine = open_action(as_(ahmed), theirs)
    query = "_=172&colour[]=red&stage=closing&leadScoreMin=9&tab=&dueDate=&fields=id,shoeSize&include=friends"
    response = as_(ahmed).get(f"customers/actions?{query}")
    assert listed(as_(ahmed)) == {mine} == {action["id"] for action in data_of(response)["actions"]}
    ignored = response.json()["meta"]["ignoredParams"]
    assert sorted(ignored) == ["_", "colour", "friends", "leadScoreMin", "shoeSize", "stage"]


def test_empty_values_are_no_filters(as_, ahmed, theirs):
    mine = open_action(as_(ahmed), theirs)
    names = [*RULES, "assignedTo", "employeeId", "status[]", "type[0]", "sortBy", "sortOrder", "page", "limit"]
    response = as_(ahmed).get("customers/actions?" + "&".join(f"{name}=" for name in names) + "&city=[]&status=,")
    assert [action["id"] for action in data_of(response)["actions"]] == [mine]
    assert "ignoredParams" not in response.json()["meta"]


def test_the_newest_come_first_unless_asked_otherwise(as_, ahmed, theirs):
    fill(theirs, 12)
    client = as_(ahmed)
    first = [action["id"] for action in data_of(client.get("customers/actions"))["actions"]]
    keys = dict(theirs.actions.values_list("pk", "created_at"))
    assert first == sorted(keys, key=lambda pk: (keys[pk], pk), reverse=True)
    assert [pk for pk, _status in by_number(client, "sortBy=createdAt&sortOrder=asc", 200)] == first[::-1]


# --- Search --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts",
    [
        # the customer's name, in its usual spellings
        ["الغامدى", "الغامدي", "غامدي", "احمد", "أحمد", "إحمد", "AHMED", "al-ghamdi"],
        # the title and the description, Arabic digits too
        ["اتصال", "إتصال", "وحدة 12", "وحده ١٢", "VILLA", "مدرسه", "المَدرسة", "قرب  المدرسة"],
        # the phone
        ["0551234567", "+966 55 123 4567", "٠٥٥١٢٣٤٥٦٧", "00966551234567", "966551234567", "055-123-4567", "1234"],
        # the e-mail
        ["a.ghamdi@mail.example", "A.Ghamdi@"],
    ],
    ids=["name", "words", "phone", "email"],
)
def test_a_search_finds_titles_descriptions_and_customers_however_they_are_typed(as_, layla, ahmed, texts):
    wanted = make_customer(
        layla,
        name="أحمد الغامدى",
        name_en="Ahmed Al-Ghamdi",
        phone="+966551234567",
        email="a.ghamdi@mail.example",
        assigned_employee_id=ahmed.pk,
    )
    other = make_customer(layla, name="هند", phone="+966500000000", assigned_employee_id=ahmed.pk)
    client = as_(ahmed)
    found = open_action(client, wanted, title="إتصال عن الوحدة ١٢", description="Villa قرب المدرسة")
    open_action(client, other, title="زيارة", description="لا شيء")
    assert {text: listed(client, {"search": text}) for text in texts} == {text: {found} for text in texts}


def test_signs_that_databases_read_as_patterns_mean_themselves(as_, ahmed, theirs):
    client = as_(ahmed)
    titles = ["خصم 50%", "خصم 500", "file_name", "file name", "C:\\temp", "Sa'ad", "زيارة"]
    ids = {title: open_action(client, theirs, title=title) for title in titles}
    for text, found in (
        ("%", {"خصم 50%"}),
        ("50%", {"خصم 50%"}),
        ("_", {"file_name"}),
        ("file_name", {"file_name"}),
        ("file name", {"file name"}),
        ("f%e", set()),
        ("\\", {"C:\\temp"}),
        ("'", {"Sa'ad"}),
        ("زيارة", {"زيارة"}),
    ):
        assert listed(client, {"search": text}) == {ids[title] for title in found}, text


@pytest.mark.parametrize("text", ["؟", "ـــ", "😀", "«»", "%FF", "ء"])
def test_a_search_that_folds_to_nothing_or_fits_nothing_finds_nothing(as_, layla, theirs, text):
    open_action(as_(layla), theirs)
    for more in ("", "&cursor=", "&sortBy=dueDate", "&status=pending"):
        assert data_of(as_(layla).get(f"customers/actions?search={text}{more}"))["actions"] == []


def test_a_search_finds_nothing_of_other_scopes_and_of_deleted_customers(as_, layla, ahmed, omar, noura, theirs):
    mine = open_action(as_(ahmed), theirs, title="فريد")
    beyond = make_customer(layla, name="فريد", assigned_employee_id=omar.pk)
    other = open_action(as_(omar), beyond, title="فريد")
    foreign = open_action(as_(noura), make_customer(noura, name="فريد"), title="فريد")
    assert listed(as_(ahmed), {"search": "فريد"}) == {mine}
    assert listed(as_(layla), {"search": "فريد"}) == {mine, other}
    assert listed(as_(noura), {"search": "فريد"}) >= {foreign}
    assert not listed(as_(noura), {"search": "فريد"}) & {mine, other}
    data_of(as_(layla).delete(f"customers/{beyond.pk}"))
    assert listed(as_(layla), {"search": "فريد"}) == {mine}


# --- Whose -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["assignedTo", "assignedEmployee", "assignedEmployeeId", "employeeId"])
def test_the_assignee_has_four_names_and_is_the_actions_own(as_, layla, ahmed, omar, theirs, name):
    client = as_(layla)
    his, given, free = (open_action(client, theirs, assignedTo=who.pk) for who in (ahmed, omar, omar))
    data_of(client.patch(f"customers/actions/{free}", {"assignedTo": None}))
    assert listed(client, {name: ahmed.pk}) == {his}
    assert listed(client, {name: f"{ahmed.pk},unassigned"}) == {his, free}
    assert listed(client, {f"{name}[]": omar.pk}) == {given}
    assert listed(client, {name: "me"}) == set()
    assert listed(as_(omar), {name: "me"}) == {given}
    response = client.get("customers/actions", {name: "unassigned"})
    assert "ignoredParams" not in response.json()["meta"]
    assert [action["id"] for action in data_of(response)["actions"]] == [free]


def test_a_filter_never_widens_what_the_caller_may_see(as_, layla, ahmed, huda, omar, noura, theirs):
    mine = open_action(as_(ahmed), theirs)
    beyond = make_customer(layla, assigned_employee_id=omar.pk)
    other = open_action(as_(omar), beyond)
    foreign = make_customer(noura, assigned_employee_id=noura.pk)
    for viewer, visible in ((ahmed, set()), (huda, set()), (layla, {other})):
        for query in ({"assignedTo": omar.pk}, {"customerId": beyond.pk}, {"search": beyond.phone}):
            assert listed(as_(viewer), query) == visible
        for query in ({"assignedTo": noura.pk}, {"customerId": foreign.pk}, {"search": foreign.phone}):
            assert listed(as_(viewer), query) == set()
    assert listed(as_(ahmed), {"assignedTo": f"me,{omar.pk}"}) == {mine}


# --- Cursors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sort_by", list(SORT_KEYS))
def test_cursors_neither_repeat_nor_lose_rows_that_share_a_value(as_, layla, ahmed, theirs, sort_by, direction):
    fill(theirs, 31)
    query = f"sortBy={sort_by}&sortOrder={direction}"
    whole = by_number(as_(layla), query, 200)
    assert len(set(whole)) == 31
    # Lists of those who see much and of those who see little are read in different ways.
    for viewer, sizes in ((layla, (4, 31)), (ahmed, (5, 30))):
        client = as_(viewer)
        for size in sizes:
            assert by_cursor(client, query, size) == whole


def test_new_actions_do_not_shift_the_pages_of_a_cursor(as_, ahmed, theirs):
    fill(theirs, 20)
    client = as_(ahmed)
    before = [pk for pk, _status in by_number(client, "", 200)]
    seen, cursor = [], ""
    while cursor is not None:
        data = data_of(client.get("customers/actions", {"cursor": cursor, "limit": 6}))
        seen += [action["id"] for action in data["actions"]]
        cursor = data["pagination"]["nextCursor"]
        open_action(client, theirs)
    assert seen == before


def test_a_cursor_belongs_to_its_filters_its_order_and_its_organization(as_, ahmed, noura, theirs):
    fill(theirs, 8, status="pending", completed_at=None)
    data = data_of(as_(ahmed).get("customers/actions?cursor=&limit=3&status=pending"))
    cursor = quote(data["pagination"]["nextCursor"])
    assert len(data_of(as_(ahmed).get(f"customers/actions?cursor={cursor}&status[]=pending"))["actions"]) == 5
    for query in ("", "&status=in_progress", "&status=pending&sortBy=dueDate", "&status=pending&sortOrder=asc"):
        assert fields_of(as_(ahmed).get(f"customers/actions?cursor={cursor}{query}")) == ["cursor"]
    assert fields_of(as_(noura).get(f"customers/actions?cursor={cursor}&status=pending")) == ["cursor"]


# --- Costs -----------------------------------------------------------------------------------------------------------


QUERIES = [
    {},
    {"limit": 200, "sortBy": "dueDate"},
    {"cursor": "", "sortBy": "completedAt"},
    {"search": "متابعة", "dueDate": "all", "propertyType": "villa", "budgetMin": 1},
    {"tab": "all", "assignedTo": "me,unassigned", "state": "الرياض"},
]


@pytest.mark.parametrize("name", ROLES)
def test_a_list_costs_as_many_statements_for_two_rows_as_for_sixty(request, as_, layla, name):
    viewer = request.getfixturevalue(name)
    preferences = {"propertyType": ["villa"], "budgetMin": 5}
    customer = make_customer(layla, city="الرياض", preferences=preferences, assigned_employee_id=viewer.pk)
    client, costs = as_(viewer), {2: [], 60: []}
    for count, spent in costs.items():
        customer.actions.all().delete()
        fill(customer, count, assigned_to_id=None, status="pending", completed_at=None)
        listed(client)
        for query in QUERIES:
            with CaptureQueriesContext(connection) as captured:
                assert len(listed(client, query)) == min(count, query.get("limit", 50))
            spent.append(len(captured))
    assert costs[2] == costs[60]
    assert max(costs[2]) <= 4


def test_a_broad_list_takes_its_total_from_the_counts_and_is_the_same_list(as_, layla, ahmed, theirs, monkeypatch):
    fill(theirs, 30)
    queries = [
        f"{query}&sortBy={sort}&sortOrder={direction}&limit=7&page={page}"
        for query in ("", "status=pending,in_progress", "status=snoozed", "tab=all", "tab=inbox", "tab=completed",
                      "tab=followups&status=pending", f"assignedTo={ahmed.pk}", "assignedTo=me&status=completed")
        for sort in ("createdAt", "dueDate", "completedAt") for direction in ("asc", "desc") for page in (1, 2, 9)
    ]  # fmt: skip
    client = as_(layla)

    def pages():
        return [client.get(f"customers/actions?{query}&fields=id").json()["data"] for query in queries]

    exact = pages()
    assert {page["pagination"]["totalItems"] for page in exact} > {0, 30}
    monkeypatch.setattr(pagination, "GATHER_LIMIT", 0)
    assert pages() == exact
