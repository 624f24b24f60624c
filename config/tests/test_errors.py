"""What the API answers to bad requests and to trouble inside: the right status, in the envelope, and never HTML.

The lists come first; the tests that send them come after.
"""

import json
import re
import time

import psycopg
import pytest
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.test import Client

from config.logging import JSONFormatter
from config.testing import HubClient, data_of, error_of, fields_of, make_action, make_customer
from customers.services import customer as customers
from employees import services as employees

# --- The list: bodies that no route may swallow --------------------------------------------------

ROUTES_WITH_BODY = [
    "POST auth/login",
    "POST auth/refresh",
    "POST login",
    "POST employees",
    "PATCH employees/{employee}",
    "PUT employees/{employee}",
    "POST employees/{employee}/password",
    "POST employees/{employee}/deactivate",
    "POST customers",
    "POST customers/bulk",
    "POST customers/{customer}/merge",
    "POST customers/search",
    "PATCH customers/{customer}",
    "PUT customers/{customer}",
    "PATCH customers/{customer}/stage",
    "POST customers/{customer}/assign",
    "POST customers/actions",
    "PATCH customers/actions/{action}",
    "POST customers/actions/{action}/complete",
    "POST customers/actions/{action}/snooze",
    "POST customers/actions/{action}/notes",
    "POST customers/actions/bulk",
    "POST customers/actions/bulk/assign",
]

MALFORMED_BODIES = {
    "broken JSON": b'{"name": "\xd8\xb3',
    "no JSON at all": b"name=Sara",
    "trailing comma": b'{"name": "x",}',
    "two values": b"{} {}",
    "single quotes": b"{'name': 'x'}",
    "unquoted key": b'{name: "x"}',
    "comment": b'{"name": "x"} // no',
    "invalid UTF-8": b'{"name": "\xff\xfe"}',
    "windows-1256 bytes": '{"name": "سارة"}'.encode("cp1256"),
    "surrogate as UTF-8 bytes": b'{"name": "\xed\xa0\x80"}',
    "raw control character": b'{"name": "a\x07b"}',
    "raw NUL": b'{"name": "a\x00b"}',
    "escaped NUL": b'{"name": "a\\u0000b"}',
    "escaped NUL in a key": b'{"na\\u0000me": "x"}',
    "escaped NUL deep inside": b'{"sourceDetails": {"a": [{"b": "\\u0000"}]}}',
    "lone high surrogate": b'{"name": "\\ud83d"}',
    "lone low surrogate": b'{"name": "\\udc00 x"}',
    "lone surrogate in a key": b'{"\\ud83d": 1}',
    "the same key twice": b'{"email": "a@b.co", "email": "c@d.co"}',
    "the same key twice, inside": b'{"preferences": {"bedrooms": 1, "bedrooms": 2}}',
    "10,000 deep arrays": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10,000 deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "33 deep": b'{"a":' * 33 + b"1" + b"}" * 33,
    "5,000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "-5,000 digits": b'{"a": -' + b"9" * 5_000 + b"}",
    "integer of 65 bits": b'{"a": 9223372036854775808}',
    "negative integer of 65 bits": b'{"a": -9223372036854775809}',
    "1e400": b'{"a": 1e400}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": -Infinity}',
    "an array": b"[]",
    "a string": b'"text"',
    "a number": b"5",
    "true": b"true",
    "null": b"null",
}

OVERSIZED_BODIES = {
    "just over 1 MB": b'{"name": "' + b"x" * 1_000_000 + b'"}',
    "over Django's own limit": b'{"name": "' + b"x" * 3_000_000 + b'"}',
}

WRONG_CONTENT_TYPES = [
    "text/plain",
    "text/html; charset=utf-8",
    "application/xml",
    "application/jsonp",
    "application/merge-patch+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "nonsense",
    "é",
    "",
]

# --- The list: well-formed bodies with a wrong field ---------------------------------------------

A_CUSTOMER = {"name": "سارة القحطاني", "phone": "0501234567"}
AN_EMPLOYEE = {"name": "سامي الحربي", "email": "sami@hub.test"}
AN_ACTION = {"customerId": "cust_1", "type": "follow_up", "title": "متابعة"}
BAD_NOTES = [True, 5, [], {}, "ا" * 20_001, "a\u0007b"]
BAD_IDS = ["x", 5, None, {}, []]
BAD_TEXTS = [None, "", "   ", True, [], {}, ["نص"], "ا" * 256, "a\u0007b", "سطر\nآخر", "علي\u202eمحمد", "\u2066علي"]
BAD_PHONES = ["", None, "123", True, 1.5, 12, [], {}, "9" * 5000, "+96650123456789", "هاتف", "+0000000000"]
BAD_EMAILS = ["سارة", "a@", "@b.co", "a b@c.co", 5, True, [], {}, "a@b.co\u0007", "a" * 251 + "@b.co"]
BAD_DATES = [
    "2024-02-30",
    "2023-02-29",
    "0000-01-01",
    "2024-13-01",
    "2024-00-10",
    "1501-01-01",
    "1342-01-01",
    "1445-02-31",
    "1445-13-01",
    "24-01-01",
    "yesterday",
    "أمس",
    "9999-12-31T23:59:59Z",
    "2024-01-01T25:00:00Z",
    20240101,
    True,
    [],
    {},
]
BAD_MOMENTS = ["غدا", "2024-02-30", "2024-01-01T25:00:00Z", "0000-01-01", "1e5", 5, True, [], {}]
BAD_AMOUNTS = [-1, "-1", "abc", "1,5", "1e5", True, [], {}, 1e15, 1e300, 0.001, "9" * 5000]
BAD_WORDS = ["", "meh", "NEW_LEAD", None, True, 1, [], {}, ["new_lead"], {"a": 1}]
BAD_LISTS = ["نص", 5, True, {}, [None], [{}], [[]], [True], ["ا" * 256], ["a\u0007"], ["\u202eوسم"]]

# route, body, field that takes the values, values
WRONG_FIELDS = [
    ("POST customers", A_CUSTOMER, "name", BAD_TEXTS),
    ("POST customers", A_CUSTOMER, "nameEn", BAD_TEXTS[3:]),
    ("POST customers", A_CUSTOMER, "phone", BAD_PHONES),
    ("POST customers", A_CUSTOMER, "whatsapp", [*BAD_PHONES[2:], "+966112345678"]),
    ("POST customers", A_CUSTOMER, "email", BAD_EMAILS),
    ("POST customers", A_CUSTOMER, "nationalId", [[], {}, True, "1234567890", "x\u0000"[:1] * 21, "a\u0007b"]),
    ("POST customers", A_CUSTOMER, "nationality", [[], {}, True, "س" * 51, "\u202eسعودي"]),
    ("POST customers", A_CUSTOMER, "gender", ["other", True, 1, [], {}]),
    ("POST customers", A_CUSTOMER, "dateOfBirth", BAD_DATES),
    ("POST customers", A_CUSTOMER, "nextFollowUpDate", BAD_DATES),
    ("POST customers", A_CUSTOMER, "familySize", [-1, 1001, 1.5, "خمسة", True, [], {}, 1e308, "9" * 5000]),
    ("POST customers", A_CUSTOMER, "source", BAD_WORDS),
    ("POST customers", A_CUSTOMER, "stage", BAD_WORDS),
    ("POST customers", A_CUSTOMER, "priority", BAD_WORDS),
    ("POST customers", A_CUSTOMER, "sourceDetails", ["x", 5, [], {str(i): i for i in range(31)}, {"a": "x" * 5001}]),
    ("POST customers", A_CUSTOMER, "preferences", ["x", 5, True, []]),
    ("POST customers", A_CUSTOMER, "preferences.budgetMin", [0, *BAD_AMOUNTS]),
    ("POST customers", A_CUSTOMER, "preferences.minArea", BAD_AMOUNTS),
    ("POST customers", A_CUSTOMER, "preferences.bedrooms", [-1, 101, 2.5, "غرفتان", True, [], {}]),
    ("POST customers", A_CUSTOMER, "preferences.purpose", [word for word in BAD_WORDS if word not in (None, "")]),
    ("POST customers", A_CUSTOMER, "preferences.timeline", ["soon", 6, True, [], {}]),
    ("POST customers", A_CUSTOMER, "preferences.propertyType", ["villa", {}, [str(i) for i in range(51)]]),
    ("POST customers", A_CUSTOMER, "preferences.preferredAreas.0", [[None], [{}], [""], [True], ["\u202eحي"]]),
    ("POST customers", A_CUSTOMER, "tags", ["نص", 5, True, {}, [str(i) for i in range(51)]]),
    ("POST customers", A_CUSTOMER, "tags.0", BAD_LISTS[4:]),
    ("POST customers", A_CUSTOMER, "assignedEmployeeId", [True, {}, [], "e" * 51]),
    ("POST customers", A_CUSTOMER, "totalDealValue", BAD_AMOUNTS),
    ("POST customers", A_CUSTOMER, "latitude", [90.1, -91, 1e300, 1e20, "شمال", True, [], {}]),
    ("POST customers", A_CUSTOMER, "longitude", [180.1, -181, 1e300, "x", True, [], {}]),
    ("POST customers", A_CUSTOMER, "notes", [True, [], {}, "ا" * 20_001, "a\u0007b"]),
    ("POST customers", A_CUSTOMER, "address", [True, [], {}, "ا" * 1001]),
    ("POST customers", A_CUSTOMER, "city", [True, [], {}, "ا" * 101, "\u202eجدة"]),
    ("PATCH customers/{customer}", {}, "name", BAD_TEXTS),
    ("PATCH customers/{customer}", {}, "phone", BAD_PHONES),
    ("PUT customers/{customer}", {}, "stage", BAD_WORDS),
    ("PATCH customers/{customer}/stage", {}, "toStage", BAD_WORDS),
    ("PATCH customers/{customer}/stage", {"toStage": "closing"}, "fromStage", BAD_WORDS),
    ("PATCH customers/{customer}/stage", {"toStage": "closing"}, "reason", [True, [], {}, "ا" * 501]),
    ("POST customers/{customer}/assign", {}, "employeeId", ["", True, [], {}, "e" * 51]),
    ("POST customers/bulk", {"operation": "priority", "priority": "high"}, "customerIds", ["x", 5, None, {}, []]),
    ("POST customers/bulk", {"operation": "priority", "priority": "high"}, "customerIds.0", [[{}], [[]], [True]]),
    ("POST customers/bulk", {"operation": "tags"}, "customerIds", [[f"cust_{i}" for i in range(501)]]),
    ("POST customers/bulk", {"customerIds": ["cust_1"]}, "operation", ["delete", None, [], {}, True]),
    ("POST customers/bulk", {"customerIds": ["cust_1"], "operation": "stage"}, "toStage", BAD_WORDS),
    ("POST customers/bulk", {"customerIds": ["cust_1"], "operation": "assign"}, "assignedTo", ["", True, {}]),
    ("POST customers", A_CUSTOMER, "skipFirstAction", ["meh", None, [], {}, 7]),
    ("POST customers/actions", AN_ACTION, "customerId", ["", None, True, [], {}, "c" * 51]),
    ("POST customers/actions", AN_ACTION, "type", BAD_WORDS),
    ("POST customers/actions", AN_ACTION, "title", [*(bad for bad in BAD_TEXTS if bad != "ا" * 256), "ا" * 501]),
    ("POST customers/actions", AN_ACTION, "description", BAD_NOTES),
    ("POST customers/actions", AN_ACTION, "priority", BAD_WORDS),
    ("POST customers/actions", AN_ACTION, "source", BAD_WORDS),
    ("POST customers/actions", AN_ACTION, "dueDate", BAD_MOMENTS),
    ("POST customers/actions", AN_ACTION, "assignedTo", [True, {}, [], "e" * 51]),
    ("POST customers/actions", AN_ACTION, "metadata", ["x", 5, [], {str(i): i for i in range(31)}, {"a": "x" * 5001}]),
    ("POST customers/actions", AN_ACTION, "notes", [bad for bad in BAD_NOTES if bad != []]),
    ("PATCH customers/actions/{action}", {}, "title", BAD_TEXTS[:3]),
    ("PATCH customers/actions/{action}", {}, "status", BAD_WORDS),
    ("PATCH customers/actions/{action}", {}, "dueDate", BAD_MOMENTS),
    ("PATCH customers/actions/{action}", {"status": "snoozed"}, "snoozedUntil", BAD_MOMENTS),
    ("POST customers/actions/{action}/complete", {}, "outcome", BAD_NOTES),
    ("POST customers/actions/{action}/complete", {}, "notes", BAD_NOTES),
    ("POST customers/actions/{action}/dismiss", {}, "reason", BAD_NOTES),
    ("POST customers/actions/{action}/restore", {}, "notes", BAD_NOTES),
    ("POST customers/actions/{action}/snooze", {}, "snoozedUntil", ["", None, *BAD_MOMENTS]),
    ("POST customers/actions/{action}/notes", {}, "content", ["", "   ", None, *BAD_NOTES]),
    ("POST customers/actions/bulk/complete", {}, "actionIds", BAD_IDS),
    ("POST customers/actions/bulk/complete", {}, "actionIds.0", [[{}], [[]], [True]]),
    ("POST customers/actions/bulk/complete", {}, "actionIds", [[f"action_{i}" for i in range(501)]]),
    ("POST customers/actions/bulk/snooze", {"actionIds": ["a"]}, "snoozedUntil", ["", None, *BAD_MOMENTS]),
    ("POST customers/actions/bulk/assign", {"actionIds": ["a"]}, "assignedTo", ["", True, {}]),
    ("POST customers/actions/bulk", {"actionIds": ["a"]}, "operation", ["delete", None, [], {}, True]),
    ("POST customers/actions/bulk", {"actionIds": ["a"]}, "updates", ["x", 5, None, [], {}, {"title": "x"}]),
    ("POST customers/actions/bulk", {"actionIds": ["a"]}, "updates.status", ["completed", "pending", None, 5]),
    ("POST customers/actions/bulk", {"actionIds": ["a"]}, "updates.priority", BAD_WORDS),
    ("POST customers/actions/bulk", {"actionIds": ["a"]}, "updates.dueDate", BAD_MOMENTS),
    ("POST employees", AN_EMPLOYEE, "name", BAD_TEXTS),
    ("POST employees", AN_EMPLOYEE, "email", [*BAD_EMAILS, None, ""]),
    ("POST employees", AN_EMPLOYEE, "phone", BAD_PHONES[2:]),
    ("POST employees", AN_EMPLOYEE, "roleKey", BAD_WORDS),
    ("POST employees", AN_EMPLOYEE, "role", [True, [], {}, "ا" * 256, "\u202eمدير"]),
    ("POST employees", AN_EMPLOYEE, "avatar", ["javascript:alert(1)", "x", 5, [], "https://a.co/" + "x" * 500]),
    ("POST employees", AN_EMPLOYEE, "teamId", ["", True, [], {}, "t" * 51]),
    ("POST employees", AN_EMPLOYEE, "password", ["", True, [], {}, "p" * 257]),
    ("PATCH employees/{employee}", {}, "name", BAD_TEXTS),
    ("PATCH employees/{employee}", {}, "email", BAD_EMAILS),
    ("POST employees/{employee}/password", {}, "password", ["", None, True, [], {}, "p" * 257]),
    ("POST employees/{employee}/deactivate", {}, "successorId", ["", True, [], {}, "e" * 51]),
    ("POST auth/login", {"password": "x"}, "email", ["", None, True, [], {}, "a" * 256]),
    ("POST auth/login", {"email": "a@b.co"}, "password", ["", None, True, [], {}, "p" * 4097]),
    ("POST login", {"password": "x"}, "email", ["", None, True, [], {}]),
    ("POST auth/refresh", {}, "refreshToken", ["", None, True, [], {}, "x" * 4097]),
]

MISSING_FIELDS = [
    ("POST customers", ["name", "phone"]),
    ("POST customers/bulk", ["customerIds", "operation"]),
    ("PATCH customers/{customer}/stage", ["toStage"]),
    ("POST customers/{customer}/assign", ["employeeId"]),
    ("POST customers/actions", ["customerId", "title", "type"]),
    ("POST customers/actions/{action}/snooze", ["snoozedUntil"]),
    ("POST customers/actions/{action}/notes", ["content"]),
    ("POST customers/actions/bulk", ["actionIds", "updates"]),
    ("POST customers/actions/bulk/complete", ["actionIds"]),
    ("POST customers/actions/bulk/snooze", ["actionIds", "snoozedUntil"]),
    ("POST customers/actions/bulk/assign", ["actionIds", "assignedTo"]),
    ("POST employees", ["email", "name"]),
    ("POST employees/{employee}/password", ["password"]),
    ("POST auth/login", ["email", "password"]),
    ("POST login", ["email", "password"]),
    ("POST auth/refresh", ["refreshToken"]),
]

BROKEN_RULES = [  # route, body, field
    ("POST customers", {"assignedEmployeeId": "emp_nobody"}, "assignedEmployeeId"),
    ("POST customers", {"assignedEmployeeId": 5}, "assignedEmployeeId"),
    ("POST customers", {"preferences": {"budgetMin": 5, "budgetMax": 4}}, "preferences.budgetMax"),
    ("POST customers/{customer}/assign", {"employeeId": "emp_nobody"}, "employeeId"),
    ("POST customers/actions", {"customerId": "cust_nobody"}, "customerId"),
    ("POST customers/actions/{action}/snooze", {"snoozedUntil": "2024-01-01T00:00:00Z"}, "snoozedUntil"),
    ("PATCH customers/actions/{action}", {"status": "snoozed"}, "snoozedUntil"),
    ("PATCH customers/actions/{action}", {"assignedTo": "emp_nobody"}, "assignedTo"),
    ("POST customers/actions/bulk/snooze", {"actionIds": ["a"], "snoozedUntil": "2024-01-01"}, "snoozedUntil"),
    ("POST customers/actions/bulk/assign", {"actionIds": ["a"], "assignedTo": "emp_nobody"}, "assignedTo"),
    ("POST employees", {"teamId": "team_nowhere"}, "teamId"),
    ("POST employees", {"password": "12345678"}, "password"),
    ("POST employees/{employee}/password", {"password": "password"}, "password"),
    ("PATCH employees/{employee}", {"teamId": "team_nowhere"}, "teamId"),
    ("POST employees/{employee}/deactivate", {"successorId": "emp_nobody"}, "successorId"),
]

# --- The list: queries, paths, methods, headers --------------------------------------------------

WRONG_QUERIES = {  # query of GET /customers: the field that is complained about
    "filters={": "filters",
    "search=" + "%D8%A7" * 256: "search",
    "search=%EF%B7%BA" + "%EF%B7%BA" * 5000: "search",
    "tags=" + "x" * 5000: "tags",
    "limit=0": "limit",
    "limit=101": "limit",
    "limit=-1": "limit",
    "limit=abc": "limit",
    "limit=1.5": "limit",
    "limit=" + "9" * 5000: "limit",
    "limit=²": "limit",
    "page=0": "page",
    "page=abc": "page",
    "page=10000001": "page",
    "cursor=junk": "cursor",
    "cursor=%C3%A9": "cursor",
    "cursor=WyJhIl0:x:y": "cursor",
    "sortBy=phone": "sortBy",
    "sortBy=created_at": "sortBy",
    "sortBy=__class__": "sortBy",
    "sortOrder=sideways": "sortOrder",
    "stage=sold": "stage",
    "stage=new_lead,sold": "stage",
    "stage[]=NEW_LEAD": "stage",
    "stage=[1,[2]]": "stage",
    "stage=%5B%22%5Cud800%22%5D": "stage",
    "source=fax": "source",
    "priority=meh": "priority",
    "leadScoreMin=-1": "leadScoreMin",
    "leadScoreMin=101": "leadScoreMin",
    "leadScoreMin=abc": "leadScoreMin",
    "leadScoreMin=1.5": "leadScoreMin",
    "leadScoreMin=NaN": "leadScoreMin",
    "leadScoreMin=Infinity": "leadScoreMin",
    "leadScoreMin=1e999999999": "leadScoreMin",
    "leadScoreMin=80&leadScoreMax=20": "leadScoreMax",
    "budgetMin=abc": "budgetMin",
    "budgetMin=-1": "budgetMin",
    "budgetMin=1e200000": "budgetMin",
    "budgetMin=" + "9" * 5000: "budgetMin",
    "budgetMax=sNaN": "budgetMax",
    "budgetMin=2&budgetMax=1": "budgetMax",
    "state=Atlantis": "state",
    "state=%D8%A8%D8%A7%D8%A8%D9%84": "state",
    "createdFrom=2024-02-30": "createdFrom",
    "createdFrom=0000-01-01": "createdFrom",
    "createdFrom=1342-01-01": "createdFrom",
    "createdFrom=1501-01-01": "createdFrom",
    "createdFrom=yesterday": "createdFrom",
    "createdFrom=2024-01-01T25:00:00Z": "createdFrom",
    "createdFrom=2024-01-01T10:00:00%2B99:99": "createdFrom",
    "createdFrom=0001-01-01T00:00:00%2B14:00": "createdFrom",
    "createdTo=9999-12-31T23:59:59-14:00": "createdTo",
    "lastContactFrom=1": "lastContactFrom",
    "lastContactTo=[]x": "lastContactTo",
    "deleted=all": "deleted",
    "&".join(f"tags={i}" for i in range(201)): "tags",
    "tags=" + json.dumps([str(i) for i in range(20_000)], separators=(",", ":")): "tags",
}

WRONG_ACTION_QUERIES = {  # query of GET /customers/actions: the field that is complained about
    "limit=201": "limit",
    "sortBy=title": "sortBy",
    "status=open": "status",
    "status=pending,open": "status",
    "type=call": "type",
    "priority=meh": "priority",
    "source=fax": "source",
    "dueDate=soon": "dueDate",
    "tab=trash": "tab",
    "state=Atlantis": "state",
    "budgetMin=2&budgetMax=1": "budgetMax",
    "budgetMin=abc": "budgetMin",
    "createdFrom=2024-02-30": "createdFrom",
    "completedTo=yesterday": "completedTo",
    "dueFrom=1": "dueFrom",
    "&".join(f"assignedTo={i}" for i in range(201)): "assignedTo",
}
WRONG_STATISTICS_QUERIES = {"dateFrom=2024-02-30": "dateFrom", "dateTo=x": "dateTo"}

# Odd, but not wrong: nothing is found, or a bound lies at the end of time.
HARMLESS_QUERIES = [
    "createdTo=9999-12-31",
    "createdTo=9999-12-31T23:59:59.999999Z",
    "createdFrom=0001-01-01T00:00:00Z",
    "search=%25_%5C'\";--",
    "search=%ED%A0%80",
    "search=%FF%FE",
    "city=%EF%B7%BA" * 10,
    "page=9999999",
    "limit=%D9%A5",
    "assignedEmployeeId=nobody",
    "fields=__dict__,password",
    "include=organization",
    "sortBy=&stage=&search=",
    "constructor=1&__proto__=1&toString=1",
    "[]=1&[0]=2&=3",
]

# request line, headers (as layla unless they say otherwise), status, code
OTHER_REQUESTS = [
    # characters that are not text, wherever a query can hold them
    ("GET customers?search=%00", {}, 400, "VALIDATION_ERROR"),
    ("GET customers?%00=1", {}, 400, "VALIDATION_ERROR"),
    ("GET customers?nobody-knows-this=a%00", {}, 400, "VALIDATION_ERROR"),
    ("GET employees?role=%00", {}, 400, "VALIDATION_ERROR"),
    ("GET employees?isActive=maybe", {}, 400, "VALIDATION_ERROR"),
    ("GET employees?includeStats=perhaps", {}, 400, "VALIDATION_ERROR"),
    ("DELETE customers/{customer}?permanent=maybe", {}, 400, "VALIDATION_ERROR"),
    ("GET customers?" + "&".join(f"p{i}=1" for i in range(1500)), {}, 400, "VALIDATION_ERROR"),
    # ids
    ("GET customers/cust_nobody", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/%00", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/{customer}%00", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/{customer}%0A", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/%F0%28", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/%D8%B9%D9%85%D9%8A%D9%84", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/..%2F..%2Femployees", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/%27%20OR%201=1--", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/" + "a" * 50, {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/" + "a" * 51, {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET customers/" + "a" * 5000, {}, 404, "RESOURCE_NOT_FOUND"),
    ("PATCH customers/cust_nobody", {}, 404, "RESOURCE_NOT_FOUND"),
    ("DELETE customers/cust_nobody", {}, 404, "RESOURCE_NOT_FOUND"),
    ("DELETE customers/cust_nobody?permanent=true", {}, 404, "RESOURCE_NOT_FOUND"),
    ("PATCH customers/cust_nobody/stage", {}, 404, "RESOURCE_NOT_FOUND"),
    ("POST customers/cust_nobody/assign", {}, 404, "RESOURCE_NOT_FOUND"),
    ("POST customers/cust_nobody/claim", {}, 404, "RESOURCE_NOT_FOUND"),
    ("POST customers/cust_nobody/restore", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET employees/emp_nobody", {}, 404, "RESOURCE_NOT_FOUND"),
    ("PATCH employees/emp_nobody", {}, 404, "RESOURCE_NOT_FOUND"),
    ("POST employees/emp_nobody/password", {}, 404, "RESOURCE_NOT_FOUND"),
    ("POST employees/emp_nobody/deactivate", {}, 404, "RESOURCE_NOT_FOUND"),
    ("POST employees/emp_nobody/activate", {}, 404, "RESOURCE_NOT_FOUND"),
    # routes that do not exist, under every prefix
    *(
        (f"{method} {prefix}{path}", {}, 404, "RESOURCE_NOT_FOUND")
        for prefix in ("/api/v1", "/api", "/v1", "/api/v1/v1")
        for method, path in (
            ("GET", ""),
            ("GET", "/"),
            ("GET", "/nope"),
            ("POST", "/nope"),
            ("DELETE", "/customers/x/y/z"),
            ("GET", "//customers"),
        )
    ),
    ("GET /api/v1/v1/v1/customers", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET /api/v2/customers", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET /api/index.php", {}, 404, "RESOURCE_NOT_FOUND"),
    ("GET /v1/%00", {}, 404, "RESOURCE_NOT_FOUND"),
    # methods
    ("PUT customers", {}, 405, "METHOD_NOT_ALLOWED"),
    ("DELETE customers", {}, 405, "METHOD_NOT_ALLOWED"),
    ("GET customers/bulk", {}, 405, "METHOD_NOT_ALLOWED"),
    ("POST customers/{customer}", {}, 405, "METHOD_NOT_ALLOWED"),
    ("FOO customers/{customer}", {}, 405, "METHOD_NOT_ALLOWED"),
    ("TRACE customers/{customer}/erase", {}, 405, "METHOD_NOT_ALLOWED"),
    ("DELETE customers/{customer}/history", {}, 405, "METHOD_NOT_ALLOWED"),
    ("OPTIONS customers/{customer}", {}, 405, "METHOD_NOT_ALLOWED"),
    ("OPTIONS customers/duplicates", {}, 405, "METHOD_NOT_ALLOWED"),
    ("OPTIONS privacy-requests", {}, 405, "METHOD_NOT_ALLOWED"),
    ("GET customers/{customer}/stage", {}, 405, "METHOD_NOT_ALLOWED"),
    ("POST customers/{customer}/stage", {}, 405, "METHOD_NOT_ALLOWED"),
    ("PATCH customers/{customer}/assign", {}, 405, "METHOD_NOT_ALLOWED"),
    ("GET customers/{customer}/claim", {}, 405, "METHOD_NOT_ALLOWED"),
    ("DELETE employees/{employee}", {}, 405, "METHOD_NOT_ALLOWED"),
    ("DELETE employees", {}, 405, "METHOD_NOT_ALLOWED"),
    ("GET auth/login", {}, 405, "METHOD_NOT_ALLOWED"),
    ("GET login", {}, 405, "METHOD_NOT_ALLOWED"),
    ("PUT auth/refresh", {}, 405, "METHOD_NOT_ALLOWED"),
    ("GET auth/logout", {}, 405, "METHOD_NOT_ALLOWED"),
    ("POST auth/me", {}, 405, "METHOD_NOT_ALLOWED"),
    ("POST user", {}, 405, "METHOD_NOT_ALLOWED"),
    ("POST schema", {}, 405, "METHOD_NOT_ALLOWED"),
    ("DELETE docs", {}, 405, "METHOD_NOT_ALLOWED"),
    ("OPTIONS customers", {}, 405, "METHOD_NOT_ALLOWED"),
    ("TRACE customers", {}, 405, "METHOD_NOT_ALLOWED"),
    ("PROPFIND customers", {}, 405, "METHOD_NOT_ALLOWED"),
    # tokens
    *(
        ("GET auth/me", {"Authorization": value}, 401, "AUTHENTICATION_FAILED")
        for value in (
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer null",
            "Bearer undefined",
            "Bearer a.b.c",
            "Bearer é",
            "Bearer \x00",
            "Bearer x, Bearer y",
            "Bearer " + "x" * 20_000,
            "Basic YWRtaW46YWRtaW4=",
            "Token x",
            "eyJhbGciOiJub25lIn0.e30.",
        )
    ),
    ("GET customers", {"Authorization": ""}, 401, "AUTHENTICATION_FAILED"),
    ("POST customers", {"Authorization": ""}, 401, "AUTHENTICATION_FAILED"),
    ("OPTIONS customers", {"Authorization": ""}, 401, "AUTHENTICATION_FAILED"),
    ("GET customers/cust_nobody", {"Authorization": ""}, 401, "AUTHENTICATION_FAILED"),
    ("GET nope", {"Authorization": ""}, 404, "RESOURCE_NOT_FOUND"),
    # other headers
    ("GET auth/me", {"X-Organization-ID": "org_of_others"}, 403, "PERMISSION_DENIED"),
    ("GET auth/me", {"X-Organization-ID": "é"}, 403, "PERMISSION_DENIED"),
    ("PATCH customers/{customer}", {"If-Match": '"999-x"'}, 412, "PRECONDITION_FAILED"),
    ("PATCH customers/{customer}", {"If-Match": "nonsense"}, 412, "PRECONDITION_FAILED"),
    ("PATCH customers/{customer}", {"If-Match": '"1"'}, 412, "PRECONDITION_FAILED"),
    ("PATCH customers/{customer}", {"If-Match": '"٩-x"'}, 412, "PRECONDITION_FAILED"),
    ("PATCH customers/{customer}", {"If-Match": '"' + "9" * 5000 + '-x"'}, 412, "PRECONDITION_FAILED"),
    ("PATCH customers/{customer}", {"If-Match": ","}, 412, "PRECONDITION_FAILED"),
    ("DELETE customers/{customer}", {"If-Match": '"2-x"'}, 412, "PRECONDITION_FAILED"),
    ("POST employees/{employee}/activate", {"If-Match": '"0-x"'}, 412, "PRECONDITION_FAILED"),
    ("GET customers", {"Host": "a b"}, 400, "VALIDATION_ERROR"),
    ("GET customers", {"Host": "é.test"}, 400, "VALIDATION_ERROR"),
]

# Headers that may say anything: the request is answered all the same.
HARMLESS_HEADERS = [
    {"If-None-Match": "junk"},
    {"If-None-Match": '"' + "x" * 5000},
    {"If-Match": '"999-x"'},
    {"Accept": "text/html"},
    {"Accept": "nonsense;;q=,"},
    {"Accept": "é"},
    {"Accept-Language": "x" * 10_000},
    {"Accept-Language": "ar;q=abc, ,;"},
    {"Accept-Language": "\x00é"},
    {"Accept-Encoding": "nonsense"},
    {"X-Request-ID": "\x00"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"X-Forwarded-Host": "evil.test"},
    {"X-Forwarded-For": "é, , 1.1.1.1"},
    {"Range": "bytes=0-1"},
    {"Content-Type": "nonsense"},
    {"Cookie": "sessionid=\x00; csrftoken=é"},
    {"Origin": "null"},
    {"Origin": "http://[broken"},
    {"Content-Length": "-5"},
]


# --- How they are sent ---------------------------------------------------------------------------


@pytest.fixture
def send(as_, layla, ahmed):
    """Sends a request line such as `PATCH customers/{customer}` as Layla, with raw bytes or an object as its body."""
    client = as_(layla)
    customer = make_customer(layla)
    ids = {"customer": customer.pk, "employee": ahmed.pk, "action": make_action(layla, customer).pk}

    def send(line, body=b"", headers=(), content_type="application/json"):
        method, path = line.split(" ", 1)
        for name, key in ids.items():
            path = path.replace(f"{{{name}}}", key)
        url = path if path.startswith("/") else f"/api/v1/{path}"
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        # As WSGI hands it over, under names that its environment cannot hold twice.
        wsgi = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in dict(headers).items()}
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if f"HTTP_{name}" in wsgi:
                wsgi[name] = wsgi.pop(f"HTTP_{name}")
        return client.generic(method, url, body, content_type, **wsgi)

    return send


def assert_envelope(response):
    """An error exactly as the contract prints it, and the body of it."""
    assert response["Content-Type"] == "application/json", (response.status_code, response.content[:200])
    body = response.json()
    assert set(body) - {"errors"} == {"success", "error", "message", "meta"}
    assert body["success"] is False
    assert set(body["error"]) - {"details"} == {"code", "message"}
    assert body["message"] == body["error"]["message"] and body["message"]
    assert body["meta"]["requestId"] == response["X-Request-ID"] and response["X-Request-ID"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["meta"]["timestamp"])
    details = body["error"].get("details")
    if isinstance(details, list):
        assert all(set(detail) == {"field", "message"} for detail in details)
        named = {detail["field"] for detail in details}
        assert set(body["errors"]) == named
    else:
        assert "errors" not in body and (details is None or isinstance(details, dict))
    return body


def assert_refused(response, status, code):
    body = assert_envelope(response)
    assert (response.status_code, body["error"]["code"]) == (status, code), body
    return body


def put_at(body, path, value):
    """`body` with `value` at a dotted path; a final `.0` names the list itself."""
    names = path.removesuffix(".0").split(".")
    body = inner = json.loads(json.dumps(body))
    for name in names[:-1]:
        inner = inner.setdefault(name, {})
    inner[names[-1]] = value
    return body


# --- Bad bodies -------------------------------------------------------------------------------------


def misjudged(send, cases):
    """Of `(what, status, code, fields or None, *request)` those that were not refused exactly like that."""
    wrong = []
    for what, status, code, fields, *request in cases:
        response = send(*request)
        try:
            body = assert_envelope(response)
            got = (response.status_code, body["error"]["code"], fields and sorted(body.get("errors", {})))
        except (AssertionError, KeyError, ValueError) as error:
            got = (response.status_code, type(error).__name__, str(error)[:100])
        if got != (status, code, fields):
            wrong.append((what, got))
    return wrong


def test_a_malformed_body_is_a_400_on_every_route_that_reads_one(send):
    cases = [
        ((route, what), 400, "VALIDATION_ERROR", None, route, raw)
        for route in ROUTES_WITH_BODY
        for what, raw in MALFORMED_BODIES.items()
    ]
    assert misjudged(send, cases) == []


def test_a_body_over_the_limit_is_a_413(send):
    cases = [
        ((route, what), 413, "PAYLOAD_TOO_LARGE", None, route, raw)
        for route in ROUTES_WITH_BODY
        for what, raw in OVERSIZED_BODIES.items()
    ]
    assert misjudged(send, cases) == []


def test_a_body_that_is_not_json_is_a_415(send):
    cases = [
        ((route, content_type), 415, "UNSUPPORTED_MEDIA_TYPE", None, route, b"{}", (), content_type)
        for route in ROUTES_WITH_BODY
        for content_type in WRONG_CONTENT_TYPES
    ]
    assert misjudged(send, cases) == []


def test_json_by_another_spelling_of_its_content_type_is_read(send):
    for content_type in ("APPLICATION/JSON", "application/json; charset=utf-8", "application/json ;charset=UTF-8"):
        response = send("POST auth/login", {"email": "a@b.co", "password": "x"}, (), content_type)
        assert_refused(response, 401, "AUTHENTICATION_FAILED")


def test_a_32_deep_body_is_read(send):
    nested = b'{"a":' * 32 + b"1" + b"}" * 32
    assert send("PATCH customers/{customer}", nested).status_code == 200


def test_an_empty_body_names_what_is_missing(send):
    cases = [
        ((route, empty), 400, "VALIDATION_ERROR", fields, route, empty)
        for route, fields in MISSING_FIELDS
        for empty in (b"", b"  \n", b"{}")
    ]
    assert misjudged(send, cases) == []


def test_a_wrong_field_is_named(send):
    cases = [
        ((route, field, value), 400, "VALIDATION_ERROR", [field], route, put_at(body, field, value))
        for route, body, field, values in WRONG_FIELDS
        for value in values
    ]
    assert misjudged(send, cases) == []


def test_an_email_that_can_be_read_the_wrong_way_round_is_refused(send):
    emails = ("a@b\u202ec.com", "a@b\u2066c.com")
    cases = [
        ((route, email), 400, "VALIDATION_ERROR", ["email"], route, {**base, "email": email})
        for route, base in (("POST customers", A_CUSTOMER), ("POST employees", AN_EMPLOYEE))
        for email in emails
    ]
    assert misjudged(send, cases) == []


def test_a_tag_that_its_column_would_cut_is_refused(send):
    # The column holds 100 characters, and PostgreSQL's cast cuts what is longer without a word.
    response = send("POST customers", {**A_CUSTOMER, "tags": ["و" * 101]})
    assert_refused(response, 400, "VALIDATION_ERROR")
    assert fields_of(response) == ["tags.0"]


def test_a_broken_rule_is_a_422_that_names_its_field(send):
    bases = {"POST customers": A_CUSTOMER, "POST customers/actions": AN_ACTION, "POST employees": AN_EMPLOYEE}
    cases = [
        ((route, body), 422, "VALIDATION_ERROR", [field], route, {**bases.get(route, {}), **body})
        for route, body, field in BROKEN_RULES
    ]
    assert misjudged(send, cases) == []


# --- Bad queries, paths, methods, headers -------------------------------------------------------------


def test_a_wrong_query_names_its_parameter(send):
    cases = [
        (query[:60], 400, "VALIDATION_ERROR", [field], f"GET customers?{query}")
        for query, field in WRONG_QUERIES.items()
    ]
    assert misjudged(send, cases) == []


def test_a_wrong_query_of_actions_names_its_parameter(send):
    queries = [("customers/actions", *case) for case in WRONG_ACTION_QUERIES.items()]
    queries += [("customers/actions/stats", *case) for case in WRONG_STATISTICS_QUERIES.items()]
    cases = [(query[:60], 400, "VALIDATION_ERROR", [field], f"GET {path}?{query}") for path, query, field in queries]
    assert misjudged(send, cases) == []


def test_a_number_or_a_list_in_a_query_cannot_keep_the_server_busy(send):
    started = time.process_time()
    for query in ("leadScoreMin=1e999999999", "tags=" + json.dumps([str(i) for i in range(20_000)])):
        assert_refused(send(f"GET customers?{query}"), 400, "VALIDATION_ERROR")
    assert time.process_time() - started < 3


def test_an_odd_query_is_answered(send):
    answers = {query: send(f"GET customers?{query}").status_code for query in HARMLESS_QUERIES}
    assert answers == dict.fromkeys(HARMLESS_QUERIES, 200)


def test_every_other_bad_request_is_refused_exactly(send):
    cases = [
        ((line[:60], str(headers)[:60]), status, code, None, line, b"", headers)
        for line, headers, status, code in OTHER_REQUESTS
    ]
    assert misjudged(send, cases) == []


def test_an_odd_header_is_survived(send):
    answers = {str(headers)[:60]: send("GET customers", headers=headers).status_code for headers in HARMLESS_HEADERS}
    assert answers == dict.fromkeys(answers, 200)


def test_a_head_request_has_the_status_and_headers_of_its_get_and_no_body(send):
    for path in ("customers", "customers/{customer}", "customers/cust_nobody", "nope", "auth/me"):
        get, head = send(f"GET {path}"), send(f"HEAD {path}")
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.get("ETag") == get.get("ETag")


def test_a_405_names_what_is_allowed(send):
    assert send("POST customers/{customer}")["Allow"] == "GET, PUT, PATCH, DELETE, HEAD"
    assert send("OPTIONS customers")["Allow"] == "GET, POST, HEAD"
    assert "GET" in send("POST schema")["Allow"]


def test_a_404_names_what_was_asked_for(send):
    body = send("GET customers/cust_nobody").json()
    assert body["message"] == "Customer not found"
    assert body["error"]["details"] == {"resourceType": "customer", "resourceId": "cust_nobody"}


def test_an_error_is_kept_by_nobody_and_says_what_it_depends_on(send):
    for line, headers, status in CORS_ANSWERS:
        if status >= 400:
            response = send(line, headers={**headers, "Origin": ALLOWED})
            assert (response.status_code, response["Cache-Control"]) == (status, "no-store"), line
            assert {"Authorization", "Accept-Language", "origin"} <= set(response["Vary"].split(", ")), line


def test_a_401_says_how_to_sign_in(as_):
    response = as_().get("customers")
    assert_refused(response, 401, "AUTHENTICATION_FAILED")
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_request_id_is_kept_if_it_is_sane_and_made_otherwise(as_):
    for sane in ("a", "req_xyz789", "01HXYZ.a-b_c", "x" * 64):
        assert as_().get("nope", headers={"X-Request-ID": sane})["X-Request-ID"] == sane
    for odd in ("", " ", "x" * 65, "a b", "<script>", "é", 'a"b', "a,b"):
        assert re.fullmatch(r"req_[0-9a-f]{16}", as_().get("nope", headers={"X-Request-ID": odd})["X-Request-ID"])


# --- The same with Django's debug pages on -------------------------------------------------------


def every_bad_request():
    yield from (("POST customers", raw, (), "application/json") for raw in MALFORMED_BODIES.values())
    yield from ((route, b"{", (), "application/json") for route in ROUTES_WITH_BODY)
    yield from (("POST customers", raw, (), "application/json") for raw in OVERSIZED_BODIES.values())
    yield from (("POST customers", b"{}", (), content_type) for content_type in WRONG_CONTENT_TYPES)
    for route, body, field, values in WRONG_FIELDS:
        yield from ((route, put_at(body, field, value), (), "application/json") for value in values[:2])
    yield from ((f"GET customers?{query}", b"", (), "application/json") for query in WRONG_QUERIES)
    yield from ((line, b"", headers, "application/json") for line, headers, _status, _code in OTHER_REQUESTS)


def test_debug_pages_never_leave_the_api(send, settings):
    settings.DEBUG = True
    requests = list(every_bad_request())
    assert len(requests) > 300
    for request in requests:
        response = send(*request)
        assert 400 <= response.status_code < 500, request
        assert_envelope(response)


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_outside_the_views_is_a_500_in_the_envelope_and_in_the_log(send, settings, monkeypatch, caplog, debug):
    settings.DEBUG = debug
    monkeypatch.setattr("config.api.viewsets.HubViewSet._tag", _raise(RuntimeError("+966501234567 سارة")))
    response = send("GET customers")
    assert_refused(response, 500, "INTERNAL_ERROR")
    assert "unhandled" in [record.message for record in caplog.records]
    assert_silent(caplog, "+966501234567", "سارة")


# --- In Arabic when asked ------------------------------------------------------------------------


def arabic(text):
    return re.search("[\u0621-\u064a]", text) is not None


def test_ARABIC_every_message_of_a_refusal_is_arabic_when_asked(send):
    """Fails as long as config/locale lacks a sentence; the assertion lists what is missing."""
    english = set()
    for line, body, headers, content_type in every_bad_request():
        response = send(line, body, {"Accept-Language": "ar", **dict(headers)}, content_type)
        if response.status_code < 400:
            continue
        sentences = [response.json()["message"]]
        details = response.json()["error"].get("details")
        sentences += [detail["message"] for detail in details] if isinstance(details, list) else []
        english.update(sentence for sentence in sentences if not arabic(sentence))
    assert sorted(english) == []


def test_ARABIC_messages_of_success_are_arabic_when_asked(as_, layla):
    client = as_(layla, language="ar")
    created = client.post("customers", A_CUSTOMER).json()
    path = f"customers/{created['data']['customer']['id']}"
    answers = [created, client.patch(path, {"name": "ريم"}).json(), client.delete(path).json()]
    answers += [client.post(f"{path}/restore").json()]
    assert [answer["message"] for answer in answers if not arabic(answer["message"])] == []


def test_the_language_follows_the_preference_of_the_caller(as_):
    for wanted in ("ar", "ar-SA,ar;q=0.9,en;q=0.8", "fr, ar;q=0.5", "AR"):
        response = as_().get("nope", headers={"Accept-Language": wanted})
        assert arabic(response.json()["message"]), wanted
    for wanted in ("", "en", "en-GB, ar;q=0.5", "fr", "*"):
        assert as_().get("nope", headers={"Accept-Language": wanted}).json()["message"] == "Not found", wanted


# --- Trouble inside ------------------------------------------------------------------------------

SECRETS = ("+966501234567", "سارة القحطاني")


def _raise(error):
    def raising(*args, **kwargs):
        raise error

    return raising


def caused(error, cause):
    error.__cause__ = cause
    return error


def assert_silent(caplog, *secrets):
    """No log line, as it is written, holds any of the secrets."""
    lines = [JSONFormatter().format(record) for record in caplog.records]
    assert lines
    for line in lines:
        assert not [secret for secret in secrets if secret in line or json.dumps(secret)[1:-1] in line], line


TROUBLE = [
    (RuntimeError(f"oops {SECRETS}"), 500, "INTERNAL_ERROR"),
    (KeyError(SECRETS[0]), 500, "INTERNAL_ERROR"),
    (ValueError(SECRETS[1]), 500, "INTERNAL_ERROR"),
    (RecursionError(SECRETS[1]), 500, "INTERNAL_ERROR"),
    (OperationalError(f"connection refused {SECRETS}"), 503, "DATABASE_ERROR"),
    (
        caused(OperationalError("canceling statement"), psycopg.errors.QueryCanceled(f"timeout {SECRETS}")),
        503,
        "DATABASE_ERROR",
    ),
    (
        caused(OperationalError("deadlock detected"), psycopg.errors.DeadlockDetected(f"{SECRETS}")),
        503,
        "DATABASE_ERROR",
    ),
]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(("error", "status", "code"), TROUBLE, ids=[type(e[0]).__name__ + str(e[1]) for e in TROUBLE])
def test_trouble_in_a_service_says_nothing_of_the_data(send, settings, monkeypatch, caplog, error, status, code, debug):
    settings.DEBUG = debug
    monkeypatch.setattr(customers, "create_customer", _raise(error))
    monkeypatch.setattr(employees, "check_credentials", _raise(error))
    for line, body in (
        ("POST customers", {"name": SECRETS[1], "phone": SECRETS[0]}),
        ("POST auth/login", {"email": "sara@hub.test", "password": "a-secret-pass-phrase"}),
    ):
        response = send(line, body)
        assert_refused(response, status, code)
        assert response.get("Retry-After") == ("5" if status == 503 else None)
        assert "details" not in response.json()["error"]
        assert not any(secret in response.content.decode() for secret in (*SECRETS, "oops", "Traceback"))
    assert_silent(caplog, *SECRETS, "sara@hub.test", "a-secret-pass-phrase")


def test_a_statement_that_takes_too_long_is_a_503(send, monkeypatch):
    from django.db import connection, transaction

    def slow(*args, **kwargs):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 20")
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(customers, "create_customer", slow)
    response = send("POST customers", A_CUSTOMER)
    assert_refused(response, 503, "DATABASE_ERROR")
    assert response["Retry-After"] == "5"
    assert response.json()["message"] == "This takes the database too long; ask for less, or try again later"


def test_no_bad_request_writes_personal_data_into_the_log(send, caplog):
    caplog.set_level("DEBUG")
    send("POST customers", {"name": SECRETS[1], "phone": SECRETS[0], "stage": "nowhere", "email": "sara@hub.test"})
    send("GET customers?search=%2B966501234567&createdFrom=sara@hub.test")
    send("POST auth/login", {"email": "sara@hub.test", "password": "a-secret-pass-phrase"})
    send("GET auth/me", headers={"Authorization": "Bearer a-secret-token"})
    send("GET /api/v1/966501234567")
    assert_silent(caplog, *SECRETS, "966501234567", "sara@hub.test", "a-secret-pass-phrase", "a-secret-token")


# --- Other origins -------------------------------------------------------------------------------

ALLOWED, STRANGER = "http://localhost:3000", "https://evil.test"
CORS_ANSWERS = [
    ("GET customers", {}, 200),
    ("GET nope", {}, 404),
    ("POST nope", {}, 404),
    ("GET customers/cust_nobody", {}, 404),
    ("GET customers?limit=0", {}, 400),
    ("GET customers?" + "&".join(f"p{i}=1" for i in range(1500)), {}, 400),
    ("GET customers", {"Authorization": ""}, 401),
    ("GET customers", {"X-Organization-ID": "org_x"}, 403),
    ("PUT customers", {}, 405),
    ("PATCH customers/{customer}", {"If-Match": '"9-x"'}, 412),
    ("GET customers", {"Host": "a b"}, 400),
    ("POST schema", {}, 405),
    ("DELETE docs", {}, 405),
]
EXPOSED = {
    "ETag",
    "Last-Modified",
    "Location",
    "Retry-After",
    "Idempotent-Replayed",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
}


def test_an_allowed_origin_may_read_every_answer_and_no_other_may(send):
    for line, headers, status in CORS_ANSWERS:
        response = send(line, headers={**headers, "Origin": ALLOWED})
        assert response.status_code == status, line
        assert response["Access-Control-Allow-Origin"] == ALLOWED, line
        assert set(response["Access-Control-Expose-Headers"].split(", ")) >= EXPOSED
        assert "origin" in response["Vary"].lower()
        for stranger in (STRANGER, "null", "http://localhost:3000.evil.test", "https://localhost:3000", "http://[x"):
            response = send(line, headers={**headers, "Origin": stranger})
            assert response.status_code == status, line
            assert "Access-Control-Allow-Origin" not in response, (line, stranger)


def test_an_allowed_origin_may_ask_for_a_part_of_a_file(send):
    asked = {"Origin": ALLOWED, "Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "authorization,if-range,range"
    allowed = send("OPTIONS documents/doc_x/file", headers=asked)["Access-Control-Allow-Headers"]
    assert set(allowed.split(", ")) >= {"authorization", "if-range", "range"}


def test_an_allowed_origin_may_read_a_500_and_a_503(send, monkeypatch):
    for error, status in ((RuntimeError(), 500), (OperationalError(), 503)):
        monkeypatch.setattr(customers, "create_customer", _raise(error))
        response = send("POST customers", A_CUSTOMER, {"Origin": ALLOWED})
        assert (response.status_code, response["Access-Control-Allow-Origin"]) == (status, ALLOWED)
    monkeypatch.setattr("config.api.viewsets.HubViewSet._tag", _raise(RuntimeError()))
    response = send("GET customers", headers={"Origin": ALLOWED})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (500, ALLOWED)


@pytest.mark.parametrize("prefix", ["/api/v1", "/v1", "/api", "/api/v1/v1"])
def test_a_preflight_answers_an_allowed_origin_under_every_prefix(prefix):
    wanted = ["authorization", "content-type", "if-match", "if-none-match", "x-organization-id", "accept-language"]
    wanted += ["idempotency-key", "x-request-id"]
    headers = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": ", ".join(wanted)}
    response = HubClient().options(f"{prefix}/customers/x", headers={**headers, "Origin": ALLOWED})
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == ALLOWED
    assert set(wanted) <= set(response["Access-Control-Allow-Headers"].split(", "))
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(response["Access-Control-Allow-Methods"].split(", "))
    response = HubClient().options(f"{prefix}/customers/x", headers={**headers, "Origin": STRANGER})
    assert "Access-Control-Allow-Origin" not in response


# --- One list of routes under every prefix -------------------------------------------------------

PREFIXES = ["/api/v1/", "/v1/", "/api/", "/api/v1/v1/"]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_answers_alike_with_and_without_a_slash_and_never_redirects(send, prefix, slash):
    for path in ("customers", "customers/{customer}", "employees", "auth/me", "user", "docs"):
        there, canonical = send(f"GET {prefix}{path}{slash}"), send(f"GET {path}")
        assert (there.status_code, canonical.status_code) == (200, 200)
        assert there.get("ETag") == canonical.get("ETag")
    created = send(f"POST {prefix}customers{slash}", A_CUSTOMER)
    customer = data_of(created, 201)["customer"]
    assert created["Location"] == f"/api/v1/customers/{customer['id']}"
    staged = send(f"PATCH {prefix}customers/{customer['id']}/stage{slash}", {"toStage": "closing"})
    assert data_of(staged)["customer"]["stage"] == "closing"
    assert_refused(
        send(f"POST {prefix}login{slash}", {"email": "a@b.co", "password": "x"}), 401, "AUTHENTICATION_FAILED"
    )
    data_of(send(f"DELETE {prefix}customers/{customer['id']}{slash}"))


def test_without_a_cookie_no_post_is_taken_for_a_forgery(as_, layla):
    token = as_(layla).defaults["HTTP_AUTHORIZATION"]
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    headers = {"Authorization": token, "Origin": STRANGER, "Cookie": "csrftoken=x"}
    for path, status in (("customers", 201), ("nope", 404), ("customers/x/y/z", 404), ("auth/logout", 200)):
        response = client.post(f"/api/v1/{path}", A_CUSTOMER, "application/json", headers=headers)
        assert response.status_code == status, path


# --- Documentation and what browsers are told ----------------------------------------------------


def test_the_documentation_answers_to_anybody(as_):
    schema = as_().get("schema")
    assert (schema.status_code, schema.content[:7]) == (200, b"openapi")
    page = as_().get("docs")
    assert page.status_code == 200 and page["Content-Type"].startswith("text/html")
    script = as_().get("docs", {"script": ""})
    assert script.status_code == 200 and script["Content-Type"].startswith("application/javascript")


def test_the_documentation_needs_nothing_that_its_policy_forbids(as_):
    page = as_().get("docs").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources and all(source.startswith(("/", "docs", "?", "data:")) for source in sources), sources


@pytest.mark.parametrize("path", ["docs", "schema", "customers", "nope", "/healthz", "/readyz", "/nowhere"])
def test_every_answer_carries_the_security_headers(client, db, path):
    response = client.get(path if path.startswith("/") else f"/api/v1/{path}")
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in response and "X-Powered-By" not in response


def test_the_security_headers_stay_when_an_error_is_put_into_the_envelope(send):
    for line, headers in (("POST schema", {}), ("GET customers", {"Host": "a b"})):
        response = send(line, headers=headers)
        assert "'self'" in response["Content-Security-Policy"]
        assert response["X-Content-Type-Options"] == "nosniff"


# --- What a client has already -------------------------------------------------------------------


def test_what_the_client_has_already_is_a_304_without_body(send):
    etag = send("GET customers/{customer}")["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", f'{etag},W/"x"', "*"):
        response = send("GET customers/{customer}", headers={"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b""), known
        assert response["ETag"] == etag
    for known in ('"other"', "x*", ""):
        assert send("GET customers/{customer}", headers={"If-None-Match": known}).status_code == 200, known
    assert_refused(send("GET customers/cust_nobody", headers={"If-None-Match": "*"}), 404, "RESOURCE_NOT_FOUND")


def test_a_signal_of_django_reports_nothing_for_errors_that_are_answered(send):
    """Only what nobody expected reaches the log of unhandled errors."""
    heard = []
    got_request_exception.connect(lambda **message: heard.append(message), weak=False, dispatch_uid="test")
    try:
        for line, headers, _status, _code in OTHER_REQUESTS:
            send(line, headers=headers)
    finally:
        got_request_exception.disconnect(dispatch_uid="test")
    assert heard == []


def test_error_of_helper_and_envelope_agree(send):
    assert error_of(send("GET nope"), 404, "RESOURCE_NOT_FOUND") == send("GET nope").json()["error"]
