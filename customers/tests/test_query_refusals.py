"""What the query language refuses, by the exact path of what is wrong; and that nothing at all makes it fail."""

import json
from functools import reduce

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from config.api.language import MAX_CONDITIONS, MAX_DEPTH
from config.testing import HubClient, error_of, fields_of, make_customer
from customers.querying import ALIASES, FIELDS

JSON = "application/json"


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


def asked(client, filters, **more):
    return client.post("customers/query", {"filters": filters, **more})


def nested(depth, inner):
    return reduce(lambda filters, _level: {"or": [filters]}, range(depth), inner)


# --- By path ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "path", "hint"),
    [
        ({"colour": "red"}, "filters.colour", "id, name, nameEn"),
        ({"organization": "org_1"}, "filters.organization", "id, name"),
        ({"organization_id": "org_1"}, "filters.organization_id", "id, name"),
        ({"deleted_at": None}, "filters.deleted_at", "id, name"),
        ({"deletedAt": {"ne": None}}, "filters.deletedAt", "id, name"),
        ({"aiInsights": {"churnRisk": "high"}}, "filters.aiInsights", "id, name"),
        ({"search_text": {"contains": "x"}}, "filters.search_text", "id, name"),
        ({"facets": "tag:vip"}, "filters.facets", "id, name"),
        ({"__class__": 1}, "filters.__class__", "id, name"),
        ({"stage__in": ["closing"]}, "filters.stage__in", "id, name"),
        ({"name') OR 1=1 --": "x"}, "filters.name') OR 1=1 --", "id, name"),
        ({"": 1}, "filters.", "id, name"),
        ({"preferences.": 1}, "filters.preferences.", "id, name"),
        ({"x" * 5000: 1}, f"filters.{'x' * 64}", "id, name"),
        ({"preferences": {"colour": 1}}, "filters.preferences.colour", "propertyType, budgetMin"),
        ({"preferences": {"or": [{"budgetMin": 1}]}}, "filters.preferences.or", "propertyType, budgetMin"),
        ({"preferences": {"preferences": {"budgetMin": 1}}}, "filters.preferences.preferences", "budgetMin"),
        ({"preferences": "villa"}, "filters.preferences", "object"),
        ({"preferences": ["villa"]}, "filters.preferences", "object"),
        ({"preferences": None}, "filters.preferences", "object"),
        ({"preferences": {}}, "filters.preferences", "at least one"),
        ({"leadScore": {}}, "filters.leadScore", "eq, ne, in, nin, gt"),
        ({"leadScore": {"$gt": 1}}, "filters.leadScore.$gt", "eq, ne, in, nin, gt, gte, lt, lte"),
        ({"leadScore": {"contains": "7"}}, "filters.leadScore.contains", "eq, ne, in, nin, gt, gte, lt, lte"),
        ({"leadScore": {"GTE": 7}}, "filters.leadScore.GTE", "gte"),
        ({"stage": {"gt": "closing"}}, "filters.stage.gt", "eq, ne, in, nin"),
        ({"name": {"gte": "م"}}, "filters.name.gte", "contains, startsWith"),
        ({"tags": {"startsWith": "v"}}, "filters.tags.startsWith", "eq, ne, in, nin, contains"),
        ({"assignedEmployee": {"id": "emp_1"}}, "filters.assignedEmployee.id", "eq, ne, in, nin"),
        ({"nationalId": {"startsWith": "1"}}, "filters.nationalId.startsWith", "eq, ne, in, nin"),
        ({"nationalId": {"contains": "1"}}, "filters.nationalId.contains", "eq, ne, in, nin"),
        ({"nationalId": {"gt": "1"}}, "filters.nationalId.gt", "eq, ne, in, nin"),
        ({"nationalId": "1000000009"}, "filters.nationalId", "checksum"),
        ({"leadScore": True}, "filters.leadScore", "number"),
        ({"leadScore": {"gte": False}}, "filters.leadScore.gte", "number"),
        ({"leadScore": {"gte": "many"}}, "filters.leadScore.gte", "number"),
        ({"leadScore": {"gte": [70]}}, "filters.leadScore.gte", "number"),
        ({"leadScore": {"gte": {"gte": 1}}}, "filters.leadScore.gte", "number"),
        ({"leadScore": {"gte": None}}, "filters.leadScore.gte", "null"),
        ({"leadScore": {"gte": "1e5"}}, "filters.leadScore.gte", "number"),
        ({"leadScore": {"gte": ""}}, "filters.leadScore.gte", "number"),
        ({"leadScore": [1, "x"]}, "filters.leadScore.1", "number"),
        ({"name": {"contains": None}}, "filters.name.contains", "null"),
        ({"name": {"contains": ""}}, "filters.name.contains", "blank"),
        ({"name": {"contains": "%"}}, "filters.name.contains", "blank"),
        ({"name": {"contains": "ـــ"}}, "filters.name.contains", "blank"),
        ({"name": 5}, "filters.name", "string"),
        ({"name": ["محمد", {}]}, "filters.name.1", "string"),
        ({"notes": True}, "filters.notes", "string"),
        ({"notes": {"contains": "x" * 256}}, "filters.notes.contains", "255"),
        ({"notes": {"contains": "a\x07b"}}, "filters.notes.contains", "Control"),
        ({"stage": "gone"}, "filters.stage", "new_lead, qualified"),
        ({"stage": 1}, "filters.stage", "new_lead, qualified"),
        ({"priority": ["high", "HIGH"]}, "filters.priority.1", "low, medium, high, urgent"),
        ({"stage": {"in": "closing"}}, "filters.stage.in", "list"),
        ({"stage": {"eq": ["closing"]}}, "filters.stage.eq", "new_lead"),
        ({"stage": []}, "filters.stage", "1 to 100"),
        ({"stage": {"nin": []}}, "filters.stage.nin", "1 to 100"),
        ({"tags": [str(n) for n in range(101)]}, "filters.tags", "1 to 100"),
        ({"phone": "hello"}, "filters.phone", "phone"),
        ({"phone": {"contains": "abc"}}, "filters.phone.contains", "phone"),
        ({"phone": {"startsWith": "+"}}, "filters.phone.startsWith", "phone"),
        ({"createdAt": "yesterday"}, "filters.createdAt", "ISO 8601"),
        ({"createdAt": {"gte": 20240101}}, "filters.createdAt.gte", "string"),
        ({"createdAt": {"gte": "2024-13-01"}}, "filters.createdAt.gte", "ISO 8601"),
        ({"createdAt": {"gte": "2" * 5000}}, "filters.createdAt.gte", "ISO 8601"),
        ({"dateOfBirth": {"lt": "1990-02-30"}}, "filters.dateOfBirth.lt", "date"),
        ({"state": "أتلانتس"}, "filters.state", "الرياض"),
        ({"assignedTo": 5.5}, "filters.assignedTo", "string"),
        ({"and": []}, "filters.and", "at least one"),
        ({"or": {}}, "filters.or", "list"),
        ({"or": "x"}, "filters.or", "list"),
        ({"or": None}, "filters.or", "list"),
        ({"or": [{}]}, "filters.or.0", "at least one"),
        ({"or": [{"stage": "closing"}, 5]}, "filters.or.1", "object"),
        ({"or": [{"stage": "closing"}, {"stage": {"in": ["new_lead", "closing", "qualified", "x"]}}]},
         "filters.or.1.stage.in.3", "new_lead"),
        ({"and": [{"or": [{"preferences": {"budgetMin": {"gte": "x"}}}]}]},
         "filters.and.0.or.0.preferences.budgetMin.gte", "number"),
        ({"not": [{"stage": "closing"}]}, "filters.not", "and, or"),
        (nested(MAX_DEPTH + 1, {"stage": "closing"}), "filters.or.0.or.0.or.0.or.0.or", "4 deep"),
        ({"or": [{"leadScore": n} for n in range(MAX_CONDITIONS + 1)]}, "filters", "30 conditions"),
        ({"or": [{"leadScore": [*range(100)]} for n in range(6)]}, "filters", "500 values"),
        ({"preferences": {"budgetMin": {"gte": "x"}}}, "filters.preferences.budgetMin.gte", "number"),
        ({"preferences.budgetMin": {"gte": "x"}}, "filters.preferences.budgetMin.gte", "number"),
        ({"budgetMin": {"gte": "x"}}, "filters.budgetMin.gte", "number"),
        ([1], "filters", "object"),
        ("stage", "filters", "object"),
        (5, "filters", "object"),
        (True, "filters", "object"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path_with_what_is_allowed(as_, layla, filters, path, hint):
    client, text = as_(layla), json.dumps(filters)
    for response in (asked(client, filters), client.get("customers", {"filters": text})):
        (detail,) = error_of(response, 400, "VALIDATION_ERROR")["details"]
        assert detail["field"] == path and hint in detail["message"]
        assert response.json()["errors"] == {path: [detail["message"]]}


def test_everything_wrong_is_named_at_once_but_no_more_than_twenty(as_, layla):
    filters = {"stage": "x", "or": [{"leadScore": {"gte": "y", "zz": 1}}, {"colour": 1}], "tags": [1, "vip", {}]}
    assert fields_of(asked(as_(layla), filters)) == [
        "filters.stage", "filters.or.0.leadScore.gte", "filters.or.0.leadScore.zz", "filters.or.1.colour",
        "filters.tags.0", "filters.tags.2",
    ]  # fmt: skip
    many = {f"field{n}": 1 for n in range(500)} | {"x" * 70 + str(n): 1 for n in range(500)}
    assert len(fields_of(asked(as_(layla), many))) == 20


@pytest.mark.parametrize(
    ("body", "path", "hint"),
    [
        ({"filter": {"stage": "closing"}}, "filter", "filters"),
        ({"stage": "closing"}, "stage", "filters"),
        ({"sort": {"field": "phone"}}, "sort.field", "createdAt, name, leadScore"),
        ({"sort": {"order": "up"}}, "sort.order", "asc, desc"),
        ({"sort": "leadScore"}, "sort", "dictionary"),
        ({"sort": {"field": ["name"]}}, "sort.field", "createdAt"),
        ({"limit": 101}, "limit", "100"),
        ({"limit": 0}, "limit", "1"),
        ({"limit": True}, "limit", "valid integer"),
        ({"limit": "all"}, "limit", ""),
        ({"page": 0}, "page", "1"),
        ({"page": [1]}, "page", "valid integer"),
        ({"cursor": "eyJpZCI6ImN1c3RfMTAwIn0"}, "cursor", "start again"),
        ({"cursor": {"id": "cust_1"}}, "cursor", "string"),
        ({"fields": {"id": 1}}, "fields", "list"),
        ({"fields": [["id"]]}, "fields.0", "string"),
        ({"include": 5}, "include", "list"),
    ],
)
def test_the_rest_of_the_body_is_read_as_strictly(as_, layla, body, path, hint):
    (detail,) = error_of(as_(layla).post("customers/query", body), 400, "VALIDATION_ERROR")["details"]
    assert detail["field"] == path and hint in detail["message"]


@pytest.mark.parametrize(
    "body",
    [
        '{"filters": {"leadScore": %s}}' % ("9" * 5000),
        '{"filters": {"leadScore": 9223372036854775808}}',
        '{"filters": {"leadScore": NaN}}',
        '{"filters": {"leadScore": -Infinity}}',
        '{"filters": {"leadScore": 1e999}}',
        '{"filters": {"name": "a\\u0000b"}}',
        '{"filters": {"name": "\\ud800"}}',
        '{"filters": {"\\udfff": 1}}',
        '{"filters": {"stage": "closing", "stage": "new_lead"}}',
        '{"filters": %s}' % ('{"or":[' * 10_000 + "]}" * 10_000),
        '{"filters": %s}' % ("[" * 10_000),
        '{"filters": {',
        "[]",
        "null",
        '"filters"',
        '{"filters": {"name": "\xff"}}'.encode("latin-1"),
    ],
)
def test_json_that_is_none_is_a_400_of_the_whole_body(as_, layla, body):
    error = error_of(as_(layla).post("customers/query", body), 400, "VALIDATION_ERROR")
    assert "details" not in error or error["details"] == []


@pytest.mark.parametrize(
    "query",
    [
        "filters={",
        "filters=x",
        "filters=%00",
        "filters={%22a%22:NaN}",
        "filters={%22name%22:%22%5Cu0000%22}",
        f"filters={'[' * 5000}",
        "filters={%22stage%22:%22closing%22,%22stage%22:%22new_lead%22}",
        "filters={}&filters={%22stage%22:%22closing%22}",
        "filters[city]=riyadh",
        "filters[leadScore][gte]=70",
        "filters[]=%7B%22",
    ],
)
def test_a_filters_parameter_that_is_no_json_object_is_named(as_, layla, query):
    response = as_(layla).get(f"customers?{query}")
    error = error_of(response, 400, "VALIDATION_ERROR")
    if "%00" not in query:
        assert [detail["field"] for detail in error["details"]] == ["filters"]


# --- By anything -----------------------------------------------------------------------------------------------

_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
_names = st.sampled_from([*FIELDS, *ALIASES, "and", "or", "preferences", "eq", "in", "nin", "gte", "contains"])
_anything = st.recursive(
    _leaves | st.sampled_from(["closing", "2024-01-15", "+966512345678", "me", "الرياض", 70, "٧٠", "1e5", "0" * 300]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names | st.text(max_size=12), inner, max_size=4),
    max_leaves=25,
)


@pytest.mark.django_db
def test_any_json_at_all_is_answered_in_the_envelope(layla):
    client = HubClient(layla)
    make_customer(layla)

    @examples(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(_names, _anything, min_size=1, max_size=4) | _anything, st.booleans())
    def check(filters, in_body):
        text = json.dumps(filters)
        if in_body:
            response = client.post("customers/query", f'{{"filters": {text}}}')
        else:
            response = client.get("customers", {"filters": text})
        assert response.status_code in (200, 400), response.content
        body = response.json()
        assert body["success"] is (response.status_code == 200) and body["meta"]["requestId"]
        for detail in [] if body["success"] else body["error"].get("details", []):
            assert detail["field"].split(".")[0] == "filters"

    check()


def heaviest():
    """Bodies that ask for as much work as they may."""
    arabic, name = "عبدالله بن محمد ابو بكر نور الدين " * 7, "عبد الله بن محمد "
    every = [field for field in FIELDS if "contains" in FIELDS[field].operators]
    return {
        "the longest lists of names": {
            "or": [{"name": {"in": [f"{name * 10}{k} {n}"[-255:] for n in range(100)]}} for k in range(2)]
        },
        "the longest lists of phones": {
            "or": [{"phone": {"nin": [f"+44207946{100 * k + n:04d}" for n in range(100)]}} for k in range(5)]
        },
        "every text at once": {name: {"contains": arabic[:255]} for name in every[:30]},
        "unknown fields": {f"field{n}": n for n in range(5_000)},
        "a long list": {"leadScore": list(range(15_000))},
        "many empty objects": {"or": [{}] * 20_000},
        "one long text": {"notes": {"contains": "ا" * 45_000}},
        "one long key": {"ا" * 45_000: 1},
    }


@pytest.mark.parametrize("name", heaviest())
def test_the_heaviest_questions_are_answered(as_, layla, name):
    body = json.dumps({"filters": heaviest()[name]}, ensure_ascii=False)
    assert len(body.encode()) < 100_000
    is_allowed = name in ("the longest lists of names", "the longest lists of phones")
    assert as_(layla).post("customers/query", body).status_code == (200 if is_allowed else 400)


def test_a_question_of_more_than_a_hundred_kilobytes_is_too_large(as_, layla):
    error_of(asked(as_(layla), {"notes": {"contains": "x" * 100_000}}), 413, "PAYLOAD_TOO_LARGE")


def test_nobody_learns_of_a_claimable_customer_when_they_were_last_contacted(as_, layla, ahmed):
    make_customer(layla)
    answer = as_(ahmed).get("customers?assignedEmployeeId=unassigned&lastContactFrom=2000-01-01")
    assert fields_of(answer) == ["lastContactFrom"]
