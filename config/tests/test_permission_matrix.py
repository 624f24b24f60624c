"""Who may do what: every route × role × whose row it is, and not a byte of the other organization in any answer.

A route that is missing in TABLE fails `test_the_table_names_every_route_and_no_other`.
"""

import copy
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from config.testing import (
    HubClient,
    data_of,
    error_of,
    make_action,
    make_customer,
    make_employee,
    make_listing,
    make_phone,
)
from customers.compliance.parts import PARTS
from customers.services import activity, consent, privacy
from customers.services import customer as customers
from customers.services.compliance import new_rows
from customers.services.merge import merge_customers
from documents.inspection import Inspected
from documents.services import add_document
from documents.tests.files import MULTIPART, form, pdf
from employees import services as employees
from employees.authentication import forget_identities
from employees.choices import Role
from employees.models import Team

# --- The table -------------------------------------------------------------------------------------

ROLES = ("admin", "manager", "agent", "viewer", "nobody")
# Whose row an id in the path names, in the order of the numbers below. A single number holds for all of them.
CUSTOMER_OF = ("me", "my team", "other team", "nobody", "other organization")
LISTING_OF = ("my organization", "other organization")
EMPLOYEE_OF = ("me", "my team", "other team", "other organization")

_READ = ("200 200 200 200 404", "200 200 404 200 404", "200 404 404 404 404", "200 404 404 404 404", "401")
_WORK = ("200 200 200 200 404", "200 200 404 200 404", "200 404 404 404 404", "403", "401")
_LEAD = ("200 200 200 200 404", "200 200 404 200 404", "403", "403", "401")
_TAKE = ("200 409 409 200 404", "200 409 409 200 404", "200 409 409 200 404", "403", "401")
_NOTE = tuple(cell.replace("200", "201") for cell in _WORK)
_ADD = _NOTE
_RECORD = tuple(cell.replace("200", "201") for cell in _LEAD)
_BULK = ("200", "200", "200", "403", "401")
_OWNER_ONLY = ("200 200 200 200 404", "403", "403", "403", "401")
_STOCK = ("200 404", "200 404", "403", "403", "401")
_HIRE = ("200 200 200 404", "403", "403", "403", "401")

OBJECTS = ("brokerage-license", "wafi-license", "sakani-eligibility", "registry-info", "mortgage-info")
LISTS = {
    "brokerage-contracts": {"type": "sale", "startDate": "2026-01-01"},
    "ejar-contracts": {
        "tenancyType": "residential", "status": "active", "startDate": "2026-01-01", "endDate": "2026-12-31",
        "monthlyRent": 4000,
    },
    "escrow-milestones": {
        "milestoneNumber": 2, "title": "الهيكل", "targetDate": "2030-01-01", "status": "pending", "percentage": 5,
    },
    "handover-defects": {"category": "plumbing", "severity": "major", "description": "تسرب"},
    "payment-schedule": {
        "type": "installment", "description": "دفعة", "amount": 1000, "dueDate": "2030-01-01", "status": "pending",
    },
}  # fmt: skip
COMPLIANCE = {
    ("customer-compliance", "GET"): _READ,
    **{(f"customer-{word}", method): _WORK for word in OBJECTS for method in ("PUT", "PATCH", "DELETE")},
    **{(f"customer-{word}", "GET"): _READ for word in LISTS},
    **{(f"customer-{word}", "POST"): _NOTE for word in LISTS},
    **{(f"customer-{word}-item", "GET"): _READ for word in LISTS},
    **{(f"customer-{word}-item", method): _WORK for word in LISTS for method in ("PUT", "PATCH", "DELETE")},
}

TABLE = {
    **COMPLIANCE,
    # route and method:                       admin, manager, agent, viewer, nobody
    ("customers", "GET"): ("200", "200", "200", "200", "401"),
    ("customers", "GET ?deleted=only"): ("200", "200", "403", "403", "401"),
    ("customers", "POST"): ("201", "201", "201", "403", "401"),
    ("customers-query", "POST"): ("200", "200", "200", "200", "401"),
    ("customers-query", "POST ?deleted=only"): ("200", "200", "403", "403", "401"),
    ("customers-stats", "GET"): ("200", "200", "200", "200", "401"),
    ("customers-stats-compliance", "GET"): ("200", "200", "200", "200", "401"),
    ("customers-filters", "GET"): ("200", "200", "200", "200", "401"),
    ("customers-pipeline", "GET"): ("200", "200", "200", "200", "401"),
    ("customers-bulk", "POST"): ("200", "200", "200", "403", "401"),
    ("customers-search", "POST"): ("200", "200", "200", "200", "401"),
    ("customer", "GET"): _READ,
    ("customer", "PUT"): _WORK,
    ("customer", "PATCH"): _WORK,
    ("customer", "DELETE"): _LEAD,
    ("customer", "DELETE ?permanent=true"): _OWNER_ONLY,
    ("customer-stage", "PATCH"): _WORK,
    ("customer-assign", "POST"): _LEAD,
    ("customer-claim", "POST"): _TAKE,
    ("customer-restore", "POST"): _LEAD,
    ("customer-merge", "POST"): _LEAD,
    ("customer-merges", "GET"): _READ,
    ("merge-undo", "POST"): ("200 200 200 200 404", "200 200 404 200 404", "403", "403", "401"),
    ("customers-duplicates", "GET"): ("200", "200", "403", "403", "401"),
    ("customer-duplicates", "GET"): _LEAD,
    ("customer-matches", "GET"): _READ,
    ("customer-consents", "GET"): _READ,
    ("customer-consents", "POST"): _NOTE,
    ("customer-consent", "GET"): _READ,
    ("customer-score", "GET"): _READ,
    ("customer-timeline", "GET"): _READ,
    ("customer-history", "GET"): _LEAD,
    ("customer-export", "GET"): _LEAD,
    ("customer-export", "GET ?format=zip"): _LEAD,
    ("customer-erase", "POST"): _OWNER_ONLY,
    ("privacy-requests", "GET"): ("200", "200", "403", "403", "401"),
    ("customer-privacy-requests", "GET"): _LEAD,
    ("customer-privacy-requests", "POST"): _RECORD,
    ("customer-privacy-request", "GET"): _LEAD,
    ("customer-privacy-request", "PUT"): _LEAD,
    ("customer-privacy-request", "PATCH"): _LEAD,
    **{
        (f"customer-{one}", method): cells
        for one in ("property", "interaction", "appointment", "reminder")
        for method, cells in (("GET", _READ), ("PUT", _WORK), ("PATCH", _WORK), ("DELETE", _WORK))
    },
    **{
        (f"customer-{collection}", method): cells
        for collection in ("properties", "interactions", "appointments", "reminders")
        for method, cells in (("GET", _READ), ("POST", _ADD))
    },
    ("actions", "GET"): ("200", "200", "200", "200", "401"),
    ("actions", "POST"): ("201", "201", "201", "403", "401"),
    ("actions-stats", "GET"): ("200", "200", "200", "200", "401"),
    ("actions-bulk", "POST"): _BULK,
    ("actions-bulk-complete", "POST"): _BULK,
    ("actions-bulk-dismiss", "POST"): _BULK,
    ("actions-bulk-snooze", "POST"): _BULK,
    ("actions-bulk-assign", "POST"): ("200", "200", "403", "403", "401"),
    ("action", "GET"): _READ,
    ("action", "PUT"): _WORK,
    ("action", "PATCH"): _WORK,
    ("action-complete", "POST"): _WORK,
    ("action-dismiss", "POST"): _WORK,
    ("action-snooze", "POST"): _WORK,
    ("action-restore", "POST"): _WORK,
    ("action-notes", "POST"): _NOTE,
    ("listings", "GET"): ("200", "200", "200", "200", "401"),
    ("listings", "POST"): ("201", "201", "403", "403", "401"),
    ("listing", "GET"): (*["200 404"] * 4, "401"),
    ("listing", "PUT"): _STOCK,
    ("listing", "PATCH"): _STOCK,
    ("listing", "DELETE"): _STOCK,
    ("listing-customers", "GET"): (*["200 404"] * 4, "401"),
    ("documents", "GET"): _READ,
    ("documents", "POST"): _NOTE,
    ("document", "GET"): _READ,
    ("document", "PUT"): _WORK,
    ("document", "PATCH"): _WORK,
    ("document", "DELETE"): _WORK,
    ("document-file", "GET"): _READ,
    ("employees", "GET"): ("200", "200", "200", "200", "401"),
    ("employees", "GET ?includeStats=true"): ("200", "200", "200", "200", "401"),
    ("employees", "POST"): ("201", "403", "403", "403", "401"),
    ("employee", "GET"): ("200 200 200 404", "200 200 404 404", "200 200 404 404", "200 200 404 404", "401"),
    ("employee", "PUT"): _HIRE,
    ("employee", "PATCH"): _HIRE,
    ("employee-password", "POST"): _HIRE,
    ("employee-deactivate", "POST"): ("422 200 200 404", "403", "403", "403", "401"),  # Layla is the last admin
    ("employee-activate", "POST"): _HIRE,
    ("organization", "GET"): ("200", "200", "200", "200", "401"),
    ("organization", "PUT"): ("200", "403", "403", "403", "401"),
    ("organization", "PATCH"): ("200", "403", "403", "403", "401"),
    ("locations-regions", "GET"): ("200", "200", "200", "200", "401"),
    ("locations-cities", "GET"): ("200", "200", "200", "200", "401"),
    ("auth-login", "POST"): ("200", "200", "200", "200", "200"),
    ("auth-refresh", "POST"): ("200", "200", "200", "200", "200"),
    ("auth-logout", "POST"): ("200", "200", "200", "200", "401"),
    ("auth-me", "GET"): ("200", "200", "200", "200", "401"),
    ("events", "GET"): ("200", "200", "200", "200", "401"),
    ("client-login", "POST"): ("200", "200", "200", "200", "200"),
    ("client-user", "GET"): ("200", "200", "200", "200", "401"),
    ("schema", "GET"): ("200", "200", "200", "200", "200"),
    ("docs", "GET"): ("200", "200", "200", "200", "200"),
    ("unknown", "GET"): ("404", "404", "404", "404", "404"),
    ("home", "GET"): ("302", "302", "302", "302", "302"),
    ("healthz", "GET"): ("200", "200", "200", "200", "200"),
    ("readyz", "GET"): ("200", "200", "200", "200", "200"),
}

PASSWORD = "a-long-pass-phrase"
# What a call sends; without an entry, nothing. Functions are given the world.
BODIES = {
    ("customers", "POST"): lambda world: {"name": "سارة القحطاني", "phone": make_phone()},
    ("customers-query", "POST"): {"filters": {"or": [{"city": None}, {"notes": {"contains": "كناري"}}]}},
    ("customers-bulk", "POST"): lambda world: {
        "customerIds": [row.pk for row in world.customers.values()],
        "operation": "priority",
        "priority": "urgent",
    },
    ("customers-search", "POST"): {"query": "سارة"},
    ("customer", "PUT"): {"notes": "ملاحظة"},
    ("customer", "PATCH"): {"notes": "ملاحظة", "preferences": {"bedrooms": 4}},
    ("customer-stage", "PATCH"): {"toStage": "negotiation", "reason": "زيارة ناجحة"},
    ("customer-assign", "POST"): lambda world: {"employeeId": world.employees["sami"].pk},
    ("customer-erase", "POST"): {"confirm": "<pk>"},
    ("customer-merge", "POST"): lambda world: {"mergedId": world.customers["huda"].pk},
    ("customer-consents", "POST"): {"purpose": "marketing", "status": "granted"},
    ("customer-privacy-requests", "POST"): {"kind": "access"},
    **{("customer-privacy-request", method): {"outcome": "ملاحظة"} for method in ("PUT", "PATCH")},
    ("customer-properties", "POST"): {"propertyId": "prop_new", "propertyTitle": "فيلا"},
    ("customer-interactions", "POST"): {"type": "call", "direction": "outbound", "notes": "مكالمة"},
    ("customer-appointments", "POST"): {"type": "site_visit", "date": "2099-01-01", "time": "10:00"},
    ("customer-reminders", "POST"): {"title": "تذكير", "datetime": "2099-01-01T10:00:00Z"},
    **{
        (f"customer-{one}", method): {"notes": "ملاحظة"}
        for one in ("property", "interaction", "appointment", "reminder")
        for method in ("PUT", "PATCH")
    },
    ("actions", "POST"): lambda world: {
        "customerId": world.customers["ahmed"].pk,
        "type": "follow_up",
        "title": "متابعة",
    },
    ("actions-bulk", "POST"): lambda world: {"actionIds": action_ids(world), "updates": {"priority": "urgent"}},
    ("actions-bulk-complete", "POST"): lambda world: {"actionIds": action_ids(world), "notes": "تم"},
    ("actions-bulk-dismiss", "POST"): lambda world: {"actionIds": action_ids(world), "reason": "لا يرد"},
    ("actions-bulk-snooze", "POST"): lambda world: {"actionIds": action_ids(world), "snoozedUntil": "2099-01-01"},
    ("actions-bulk-assign", "POST"): lambda world: {
        "actionIds": action_ids(world),
        "assignedTo": world.employees["sami"].pk,
    },
    ("action", "PUT"): {"priority": "low"},
    ("action", "PATCH"): {"status": "in_progress", "notes": "بدأت"},
    ("action-snooze", "POST"): {"snoozedUntil": "2099-01-01T09:00:00Z"},
    ("action-notes", "POST"): {"content": "ملاحظة"},
    ("listings", "POST"): {"title": "فيلا", "type": "villa", "purpose": "sale", "reference": "R-2"},
    ("listing", "PUT"): {"price": 2_000_000},
    ("listing", "PATCH"): {"status": "reserved"},
    ("documents", "POST"): form(pdf(), "عقد.pdf"),
    ("document", "PUT"): {"name": "عقد نهائي"},
    ("document", "PATCH"): {"tags": ["مهم"]},
    ("employees", "POST"): {"name": "ماجد العنزي", "email": "majed@hub.test", "password": PASSWORD},
    ("employee", "PUT"): {"role": "مستشار مبيعات"},
    ("employee", "PATCH"): {"name": "اسم جديد"},
    ("employee-password", "POST"): {"password": "another-long-pass-phrase"},
    ("organization", "PUT"): {"commissionRate": 2},
    ("organization", "PATCH"): {"nameEn": "Riyadh Brokers"},
    ("auth-login", "POST"): {"email": "sami@hub.test", "password": PASSWORD},
    ("client-login", "POST"): {"email": "sami@hub.test", "password": PASSWORD},
    ("auth-refresh", "POST"): lambda world: {"refreshToken": employees.sign_in(world.employees["sami"])[1]},
    **{(f"customer-{word}", method): {"notes": "ملاحظة"} for word in OBJECTS for method in ("PUT", "PATCH")},
    **{(f"customer-{word}", "POST"): body for word, body in LISTS.items()},
    **{(f"customer-{word}-item", method): {"notes": "ملاحظة"} for word in LISTS for method in ("PUT", "PATCH")},
}

PATHS = {"unknown": "/api/v1/no/such/route", "home": "/", "healthz": "/healthz", "readyz": "/readyz"}

# Which rows a list shows, by the name of the assignee or employee.
SEEN_CUSTOMERS = {
    "admin": {"layla", "fatima", "ahmed", "huda", "sami", "omar", "nobody"},
    "manager": {"layla", "fatima", "ahmed", "huda", "sami", "nobody"},
    "agent": {"ahmed"},
    "viewer": {"huda"},
}
SEEN_EMPLOYEES = {
    "admin": {"layla", "fatima", "ahmed", "huda", "sami", "omar"},
    "manager": {"layla", "fatima", "ahmed", "huda", "sami"},
    "agent": {"layla", "fatima", "ahmed", "huda", "sami"},
    "viewer": {"layla", "fatima", "ahmed", "huda", "sami"},
}
STATS_OF = {
    "admin": {"layla", "fatima", "ahmed", "huda", "sami", "omar"},
    "manager": {"layla", "fatima", "ahmed", "huda", "sami"},
    "agent": {"ahmed"},
    "viewer": {"huda"},
}

# --- The world ---------------------------------------------------------------------------------------

ACTORS = {"admin": "layla", "manager": "fatima", "agent": "ahmed", "viewer": "huda"}
CANARY_PHONE = "+966599990001"
CANARIES = ["كناري", "canary", CANARY_PHONE[1:], CANARY_PHONE[4:], "1000000008"]


@pytest.fixture(scope="module")
def first_world(module_db):
    """Two organizations; each customer of ours is named after its assignee, everything of theirs sings."""
    organization = employees.create_organization(name="وساطة الرياض", name_en="Riyadh Brokers")
    north = Team.objects.get(organization=organization, is_default=True)
    south = Team.objects.create(organization=organization, name="الجنوب")
    people = {
        "layla": make_employee(organization, "ليلى", Role.ADMIN, north),
        "fatima": make_employee(organization, "فاطمة", Role.SALES_MANAGER, north),
        "ahmed": make_employee(organization, "أحمد", Role.SALES_AGENT, north),
        "huda": make_employee(organization, "هدى", Role.VIEWER, north),
        "sami": make_employee(organization, "سامي", Role.SALES_AGENT, north, email="sami@hub.test", password=PASSWORD),
        "omar": make_employee(organization, "عمر", Role.SALES_AGENT, south),
    }
    ours = {name: make_customer(people["layla"], assigned_employee_id=who.pk) for name, who in people.items()}
    ours["nobody"] = make_customer(people["layla"])
    gone = make_customer(people["layla"], assigned_employee_id=people["omar"].pk)
    customers.delete_customer(gone, actor=people["layla"])

    other = employees.create_organization(name="شركة الكناري العقارية", name_en="Canary Estates")
    team = Team.objects.create(organization=other, name="فريق الكناري", name_en="Canary team")
    noura = make_employee(
        other, "نورة الكناري", Role.ADMIN, team, email="noura@canary.test", name_en="Noura Canary",
        job_title="Canary manager", phone="+966599990002",
    )  # fmt: skip
    theirs = customers.create_customer(
        actor=noura,
        values={
            "name": "زبون الكناري",
            "name_en": "Canary Customer",
            "phone": CANARY_PHONE,
            "email": "customer@canary.test",
            "national_id": "1000000008",
            "tags": ["canary-tag"],
            "notes": "ملاحظة كناري",
            "city": "مدينة الكناري",
            "district": "Canary district",
            "source": "referral",
            "source_details": {"campaign": "canary-campaign"},
            "preferences": {"preferredAreas": ["حي الكناري"]},
            "assigned_employee_id": noura.pk,
        },
    )
    customers.change_stage(theirs, actor=noura, to_stage="closing", reason="canary reason")
    todo = {name: make_action(people["layla"], customer) for name, customer in ours.items()}
    todo["theirs"] = make_action(
        noura, theirs, title="طلب كناري", description="canary description", notes="canary note",
        metadata={"canary": "canary-fact"},
    )  # fmt: skip
    hanging = {customer.pk: make_children(people["layla"], customer) for customer in ours.values()}
    hanging[theirs.pk] = make_children(noura, theirs, title="canary كناري")
    offers = {"ours": make_listing(people["layla"], reference="R-1")}
    offers["theirs"] = make_listing(
        noura, reference="CANARY-1", title="فيلا الكناري", title_en="Canary villa", city="مدينة الكناري",
        district="Canary district", amenities=["canary pool"], description="canary description",
        ad_license_number="canary licence", image_url="https://canary.test/villa.jpg",
    )  # fmt: skip
    merges = {name: absorb(people["layla"], customer) for name, customer in ours.items()}
    merges["theirs"] = absorb(noura, theirs)
    foreign_ids = [other.pk, merges["theirs"], noura.pk, theirs.pk, todo["theirs"].pk, offers["theirs"].pk]
    foreign_ids += hanging[theirs.pk].values()
    foreign_ids += [*Team.objects.filter(organization=other).values_list("pk", flat=True)]
    connection.check_constraints()
    return SimpleNamespace(
        organization=organization, employees=people, customers={**ours, "theirs": theirs}, actions=todo,
        listings=offers, noura=noura, theirs=theirs, team=team, other=other, gone=gone, foreign_ids=foreign_ids,
        hanging=hanging, merges=merges,
    )  # fmt: skip


@pytest.fixture
def world(first_world, db):
    """What `first_world` says, for each test anew."""
    return copy.deepcopy(first_world)


def absorb(actor, customer):
    """The id of a merge of another customer of the same assignee into this one."""
    other = make_customer(actor, assigned_employee_id=customer.assigned_employee_id)
    return merge_customers(customer, other.pk, actor=actor).pk


def make_children(actor, customer, title="عنوان"):
    """`{collection: id}` of one row of each kind that hangs on a customer."""
    ahead = timezone.now() + timedelta(days=30)
    said = {"purpose": "service", "granted": True, "evidence": title}
    content = pdf()
    file = Inspected(io.BytesIO(content), f"{title}.pdf", "application/pdf", len(content))
    rows = (
        activity.add_interest(customer, actor=actor, values={"property_id": "prop_1", "property_title": title}),
        activity.add_interaction(customer, actor=actor, values={"type": "call", "notes": title}),
        activity.add_appointment(
            customer, actor=actor, values={"type": "phone_call", "title": title, "datetime": ahead}
        ),
        consent.add_consent(customer, actor=actor, values=said),
        add_document(customer, actor=actor, values={}, file=file),
        activity.add_reminder(customer, actor=actor, values={"title": title, "datetime": ahead}),
    )
    asked = privacy.add_request(customer, actor=actor, values={"kind": "access", "outcome": title})
    return {row.collection(): row.pk for row in rows} | {"privacy-requests": asked.pk} | comply(customer, title)


def comply(customer, notes):
    """Every part of its compliance for a customer; `{its name in paths: the id of its row}`."""
    day, past, amount = date(2026, 1, 1), date(2026, 12, 31), Decimal(1000)
    rows = new_rows(
        customer,
        {
            "brokerage_license": {"status": "pending", "notes": notes},
            "wafi_license": {"status": "planning", "notes": notes},
            "sakani_eligibility": {"status": "not_checked", "eligibility_notes": notes},
            "registry_info": {"notes": notes},
            "mortgage_info": {"status": "not_applied", "notes": notes},
            "brokerage_contracts": [{"type": "sale", "start_date": day, "notes": notes}],
            "ejar_contracts": [
                {"tenancy_type": "residential", "status": "draft", "start_date": day, "end_date": past,
                 "monthly_rent": amount, "notes": notes}
            ],
            "escrow_milestones": [
                {"milestone_number": 1, "title": "الأساس", "target_date": day, "status": "pending",
                 "percentage": Decimal(5), "notes": notes}
            ],
            "handover_defects": [
                {"category": "other", "severity": "minor", "description": "خدش", "notes": notes}
            ],
            "payments": [
                {"type": "other", "description": "رسوم", "amount": amount, "due_date": day, "status": "pending",
                 "notes": notes}
            ],
        },
    )  # fmt: skip
    for row in rows:
        row.save(force_insert=True)
    return {part.word: row.pk for part in PARTS.values() for row in rows if type(row) is part.model}


def action_ids(world):
    return [action.pk for action in world.actions.values()]


def rows_for(world, role, path):
    """`{whose: id}` for the id in a route's path, or None when there is none."""
    me = ACTORS.get(role, "sami")
    keys = dict(zip(CUSTOMER_OF, (me, "sami" if me != "sami" else "ahmed", "omar", "nobody", "theirs"), strict=True))
    if "customers/<" in path or "/actions/<" in path:
        rows = world.actions if "/actions/<" in path else world.customers
        return {whose: rows[key].pk for whose, key in keys.items()}
    if "merges/<" in path:
        return {whose: world.merges[key] for whose, key in keys.items()}
    if "documents/<" in path:
        return {whose: world.hanging[world.customers[key].pk]["documents"] for whose, key in keys.items()}
    if "listings/<" in path:
        return dict(zip(LISTING_OF, [world.listings[key].pk for key in ("ours", "theirs")], strict=True))
    if "employees/<" in path:
        people = world.employees
        ids = (people[me].pk, people["sami" if me != "sami" else "ahmed"].pk, people["omar"].pk, world.noura.pk)
        return dict(zip(EMPLOYEE_OF, ids, strict=True))
    return None


def assert_no_canary(world, response, asked=""):
    """Nothing of the other organization is in an answer, but for what the caller has said itself."""
    text = response.getvalue().decode(errors="replace") + "".join(
        f"{name}: {value}\n" for name, value in response.items()
    )
    text = text.lower()
    for canary in [*CANARIES, *world.foreign_ids]:
        if canary not in asked:
            assert canary.lower() not in text, f"{canary} in the answer to {asked}: {text[:500]}"


def api_routes():
    """The routes that answer to tokens; the back office has its own rules and tests."""
    return [pattern for pattern in get_resolver().url_patterns if not str(pattern.pattern).startswith("admin/")]


def routes_of(patterns, prefix=""):
    """`(name, path, methods)` of every route."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes_of(pattern.url_patterns, path)
            continue
        callback = pattern.callback
        if getattr(callback, "actions", None):
            methods = {method.upper() for method in callback.actions} - {"HEAD"}
        elif cls := getattr(callback, "cls", None) or getattr(callback, "view_class", None):
            methods = {method.upper() for method in cls.http_method_names if hasattr(cls, method)} - {"HEAD", "OPTIONS"}
        else:
            methods = {"GET"}
        yield pattern.name or path, path, methods


ROUTES = {name: path for name, path, _methods in routes_of(api_routes())}


def call(client, world, route, method, key):
    """One call whose changes are taken back, and what it sent as text."""
    verb, _space, query = method.partition(" ")
    path = PATHS.get(route) or "/" + ROUTES[route].replace("<id:customer_id>", key or "")
    if "<id:customer_id>" in ROUTES[route]:
        collection = path.removesuffix("/<id:pk>").rpartition("/")[2]
        key = world.hanging.get(key, {}).get(collection, "none")
    path = path.replace("<id:pk>", key or "")
    body = BODIES.get((route, verb))
    body = body(world) if callable(body) else body
    is_form = isinstance(body, bytes)
    text = json.dumps(body).replace("<pk>", key or "") if body and not is_form else b""
    content, content_type = (body, MULTIPART) if is_form else (text, "application/json")
    asked = json.dumps([path, None if is_form else body], ensure_ascii=False)
    if verb == "GET":
        return client.get(path + query), asked
    with transaction.atomic():
        response = client.generic(verb, path + query, content, content_type)
        transaction.set_rollback(True)
    if "customers" not in path:
        # Whoever has changed is remembered, and the change is gone.
        forget_identities()
    return response, asked


# --- The tests ------------------------------------------------------------------------------------------


def test_the_table_names_every_route_and_no_other():
    found = {(name, method) for name, _path, methods in routes_of(api_routes()) for method in methods}
    assert {(name, method.split(" ")[0]) for name, method in TABLE} == found


def test_route_names_are_unique():
    names = [name for name, _path, _methods in routes_of(api_routes())]
    assert sorted(names) == sorted(set(names))


@pytest.fixture
def clients(world):
    signed_in = {role: HubClient(world.employees[name]) for role, name in ACTORS.items()}
    return {**signed_in, "nobody": HubClient()}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_table_says_and_nothing_of_the_other_organization(world, clients, role):
    differences = []
    for (route, method), cells in TABLE.items():
        cell, rows = cells[ROLES.index(role)], rows_for(world, role, ROUTES[route]) or {"": None}
        statuses = cell.split() if " " in cell else [cell] * len(rows)
        for (whose, key), status in zip(rows.items(), statuses, strict=True):
            response, asked = call(clients[role], world, route, method, key)
            if response.status_code != int(status):
                differences.append(f"{method} {route} on {whose}: {response.status_code}, not {status}")
            assert_no_canary(world, response, asked)
            if response.status_code == 403:
                details = response.json()["error"]["details"]
                assert details["currentRole"] == world.employees[ACTORS[role]].role
                assert details["requiredPermission"]
    assert differences == []


@pytest.mark.parametrize("role", ROLES)
def test_another_organizations_row_answers_exactly_as_an_id_that_does_not_exist(world, clients, role):
    def told(client, route, method, key):
        body = call(client, world, route, method, key)[0].json()
        del body["meta"]
        text = json.dumps(body).replace(key, "ID")
        for child in (*world.hanging.get(key, {}).values(), '"none"'):
            text = text.replace(child, "CHILD").replace('"CHILD"', "CHILD")
        return text

    for route, method in TABLE:
        if "<id:" not in ROUTES[route]:
            continue
        theirs, random = world.noura.pk, "emp_" + "0" * 20
        if "customers" in ROUTES[route]:
            theirs, random = world.theirs.pk, "cust_" + "0" * 20
        if "/actions" in ROUTES[route]:
            theirs, random = world.actions["theirs"].pk, "action_" + "0" * 20
        if "listings" in ROUTES[route]:
            theirs, random = world.listings["theirs"].pk, "prop_" + "0" * 20
        if ROUTES[route].endswith("documents/<id:pk>/file"):
            theirs, random = world.hanging[world.theirs.pk]["documents"], "doc_" + "0" * 20
        client = clients[role]
        assert told(client, route, method, theirs) == told(client, route, method, random), (route, method)


@pytest.mark.parametrize("role", ACTORS)
def test_lists_show_the_scope_of_the_caller_and_count_nothing_else(world, clients, role):
    names = {row.pk: name for name, row in world.customers.items()}
    data = data_of(clients[role].get("customers", {"limit": 100}))
    assert {names[row["id"]] for row in data["customers"]} == SEEN_CUSTOMERS[role]
    assert data["pagination"]["totalItems"] == len(SEEN_CUSTOMERS[role])
    by_cursor = data_of(clients[role].get("customers", {"limit": 100, "cursor": ""}))
    assert {names[row["id"]] for row in by_cursor["customers"]} == SEEN_CUSTOMERS[role]
    for filters in ({}, {"assignedTo": {"ne": "emp_none"}}, {"or": [{"city": {"ne": "x"}}, {"stage": "closing"}]}):
        data = data_of(clients[role].post("customers/query", {"filters": filters, "limit": 100}))
        assert {names[row["id"]] for row in data["customers"]} == SEEN_CUSTOMERS[role]
        assert data["pagination"]["totalItems"] == len(SEEN_CUSTOMERS[role])

    names = {employee.pk: name for name, employee in world.employees.items()}
    shown = data_of(clients[role].get("employees", {"includeStats": "true"}))["employees"]
    assert {names[row["id"]] for row in shown} == SEEN_EMPLOYEES[role]
    assert {names[row["id"]] for row in shown if "stats" in row} == STATS_OF[role]
    assert {row["stats"]["assignedCustomers"] for row in shown if "stats" in row} == {1}


def test_deleted_customers_are_listed_in_the_same_scope(world, clients):
    assert [row["id"] for row in data_of(clients["admin"].get("customers?deleted=only"))["customers"]] == [
        world.gone.pk
    ]
    assert data_of(clients["manager"].get("customers?deleted=only"))["customers"] == []
    for role in ("admin", "manager", "agent", "viewer"):
        error_of(clients[role].get(f"customers/{world.gone.pk}"), 404)


def test_agents_choose_among_unassigned_customers_without_seeing_how_to_call_them(world, clients):
    (row,) = data_of(clients["agent"].get("customers?assignedEmployeeId=unassigned"))["customers"]
    assert row["id"] == world.customers["nobody"].pk
    assert not {"phone", "whatsapp", "email", "nationalId", "notes", "assignedEmployee"} & set(row)
    for spelling in ("fields=phone,email", "include=interactions&fields=phone", "search=%2B9665"):
        for row in data_of(clients["agent"].get(f"customers?assignedTo=unassigned&{spelling}"))["customers"]:
            assert "phone" not in row and "email" not in row
    assert data_of(clients["viewer"].get("customers?assignedEmployeeId=unassigned"))["customers"] == []
    world.employees["ahmed"].organization.agents_may_claim = False
    world.employees["ahmed"].organization.save()
    forget_identities()
    assert data_of(clients["agent"].get("customers?assignedEmployeeId=unassigned"))["customers"] == []
    error_of(clients["agent"].post(f"customers/{world.customers['nobody'].pk}/claim"), 403, "PERMISSION_DENIED")


def test_a_manager_without_a_team_sees_only_what_nobody_has(world):
    lonely = make_employee(world.organization, "وحيد", Role.SALES_MANAGER)
    lonely.team = None
    lonely.save()
    rows = data_of(HubClient(lonely).get("customers"))["customers"]
    assert [row["id"] for row in rows] == [world.customers["nobody"].pk]
    assert [row["id"] for row in data_of(HubClient(lonely).get("employees"))["employees"]] == [lonely.pk]


@pytest.mark.parametrize("role", ACTORS)
def test_no_search_or_filter_finds_a_row_of_the_other_organization(world, clients, role):
    for query in (
        {"search": "الكناري"},
        {"search": "Canary"},
        {"search": CANARY_PHONE},
        {"search": "customer@canary.test"},
        {"tags": "canary-tag"},
        {"city": "مدينة الكناري"},
        {"preferredAreas": "حي الكناري"},
        {"assignedEmployeeId": world.noura.pk},
        {"assignedEmployeeId": f"{world.noura.pk},me", "stage": "closing"},
        {"stage": "closing"},
        {"source": "referral"},
        {"sortBy": "name", "fields": "canary", "include": "canary", "canary": "1"},
    ):
        for page in ({}, {"cursor": ""}):
            response = clients[role].get("customers", {**query, **page})
            shown = data_of(response)["customers"]
            assert world.theirs.pk not in {row["id"] for row in shown}
            assert_no_canary(world, response, json.dumps(query, ensure_ascii=False))
            assert "canary" in query or shown == []
    for text in ("الكناري", "Canary", CANARY_PHONE, "customer@canary.test", "1000000008", "الكناى"):
        for fuzzy in (True, False):
            response = clients[role].post("customers/search", {"query": text, "fuzzy": fuzzy})
            assert world.theirs.pk not in {result["customer"]["id"] for result in data_of(response)["results"]}
            assert_no_canary(world, response, text)
    for filters in (
        {"id": world.theirs.pk},
        {"name": {"contains": "كناري"}},
        {"nameEn": {"startsWith": "canary"}},
        {"phone": CANARY_PHONE},
        {"phone": {"startsWith": CANARY_PHONE[:9]}},
        {"email": {"contains": "canary.test"}},
        {"notes": {"contains": "كناري"}},
        {"tags": {"contains": "canary"}},
        {"sourceDetails": {"campaign": {"startsWith": "canary"}}},
        {"assignedEmployeeId": [world.noura.pk, None], "stage": "closing"},
    ):
        text = json.dumps(filters, ensure_ascii=False)
        doors = (
            clients[role].post("customers/query", {"filters": filters}),
            clients[role].post("customers/query", {"filters": filters, "cursor": None}),
            clients[role].get("customers", {"filters": text}),
        )
        for response in doors:
            assert data_of(response)["customers"] == []
            assert_no_canary(world, response, text)
    for query in ({"role": "Canary manager"}, {"role": "admin"}, {"isActive": "true"}, {"teamId": world.team.pk}):
        assert_no_canary(world, clients[role].get("employees", query), json.dumps(query))


def test_a_cursor_of_the_other_organization_is_refused(world, clients):
    make_customer(world.noura)
    cursor = data_of(HubClient(world.noura).get("customers", {"cursor": "", "limit": 1}))["pagination"]["nextCursor"]
    error_of(clients["admin"].get("customers", {"cursor": cursor}), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("role", ["admin", "manager"])
def test_ids_of_the_other_organization_in_a_body_are_as_unknown_as_random_ones(world, clients, role):
    client, own = clients[role], world.customers["sami"].pk
    pairs = [("PATCH", f"customers/{own}", "assignedEmployeeId"), ("POST", "customers", "assignedEmployeeId")]
    pairs += [("POST", f"customers/{own}/assign", "employeeId")]
    if role == "admin":
        pairs += [("POST", f"employees/{world.employees['omar'].pk}/deactivate", "successorId")]
    tries = [(method, path, field, world.noura.pk, "emp_" + "0" * 20) for method, path, field in pairs]
    if role == "admin":
        tries += [("POST", "employees", "teamId", world.team.pk, "team_" + "0" * 20)]
        tries += [("PATCH", f"employees/{world.employees['omar'].pk}", "teamId", world.team.pk, "team_" + "0" * 20)]
    for method, path, field, foreign, random in tries:
        bases = {"customers": {"name": "سارة", "phone": make_phone()}, "employees": {"name": "س", "email": "s@x.co"}}
        base = bases.get(path, {})
        answers = []
        for key in (foreign, random):
            response = client.call(method.lower(), path, {**base, field: key})
            assert_no_canary(world, response, key)
            answers.append(error_of(response, 422, "VALIDATION_ERROR"))
        assert answers[0] == answers[1]
        assert [detail["field"] for detail in answers[0]["details"]] == [field]


@pytest.mark.parametrize("role", ["admin", "manager", "agent"])
def test_bulk_says_of_invisible_customers_what_it_says_of_unknown_ones(world, clients, role):
    names = {row.pk: name for name, row in world.customers.items()} | {"cust_unknown": "unknown"}
    for part in (
        {"operation": "priority", "priority": "urgent"},
        {"operation": "stage", "toStage": "site_visit"},
        {"operation": "tags", "addTags": ["مهم"]},
    ):
        response = clients[role].post("customers/bulk", {"customerIds": list(names), **part})
        data = data_of(response)
        assert data["updatedCount"] == len(SEEN_CUSTOMERS[role])
        assert {names[failure["id"]] for failure in data["failed"]} == set(names.values()) - SEEN_CUSTOMERS[role]
        assert {(failure["code"], failure["message"]) for failure in data["failed"]} == {
            ("RESOURCE_NOT_FOUND", "Customer not found")
        }
        assert_no_canary(world, response, world.theirs.pk)
    before = world.theirs.updated_at
    world.theirs.refresh_from_db()
    assert (world.theirs.priority, world.theirs.tags) == ("medium", ["canary-tag"])
    assert world.theirs.updated_at >= before and world.theirs.version == 3


@pytest.mark.parametrize("role", ACTORS)
def test_lists_and_numbers_of_actions_are_those_of_the_scope(world, clients, role):
    names = {action.pk: name for name, action in world.actions.items()}
    for query in ({"limit": 100}, {"cursor": ""}, {"tab": "all"}, {"type": "follow_up"}):
        response = clients[role].get("customers/actions", query)
        assert {names[row["id"]] for row in data_of(response)["actions"]} == SEEN_CUSTOMERS[role]
        assert_no_canary(world, response)
    stats = data_of(clients[role].get("customers/actions/stats"))["stats"]
    assert stats["pending"] == stats["byType"]["follow_up"] == len(SEEN_CUSTOMERS[role])
    for query in ({"search": "كناري"}, {"customerId": world.theirs.pk}, {"assignedTo": world.noura.pk}):
        response = clients[role].get("customers/actions", query)
        assert data_of(response)["actions"] == []
        assert_no_canary(world, response, json.dumps(query, ensure_ascii=False))


@pytest.mark.parametrize("role", ACTORS)
def test_listings_are_those_of_the_organization_whatever_is_asked(world, clients, role):
    for query, found in (
        ({}, True),
        ({"cursor": ""}, True),
        ({"search": "كناري"}, False),
        ({"search": "CANARY-1"}, False),
        ({"city": "مدينة الكناري"}, False),
        ({"amenities": "canary pool"}, False),
    ):
        response = clients[role].get("listings", query)
        assert [row["id"] for row in data_of(response)["listings"]] == [world.listings["ours"].pk] * found
        assert_no_canary(world, response, json.dumps(query, ensure_ascii=False))


def test_a_reference_of_the_other_organization_is_free_here(world, clients):
    response = clients["manager"].post("listings", {**BODIES["listings", "POST"], "reference": "CANARY-1"})
    data_of(response, 201)
    assert_no_canary(world, response, "CANARY-1 canary")


def test_an_action_assigned_to_me_is_mine_though_its_customer_is_not(world, clients):
    action = make_action(world.employees["layla"], world.customers["omar"], assigned_to_id=world.employees["ahmed"].pk)
    shown = data_of(clients["agent"].get(f"customers/actions/{action.pk}"))["action"]
    assert shown["customer"]["name"] == world.customers["omar"].name
    error_of(clients["agent"].get(f"customers/{world.customers['omar'].pk}"), 404)
    assert data_of(clients["agent"].get("customers/actions/stats"))["stats"]["pending"] == 2
    data_of(clients["agent"].post(f"customers/actions/{action.pk}/complete"))
    # A viewer of neither, and a manager of another team, have no part in it.
    error_of(clients["viewer"].get(f"customers/actions/{action.pk}"), 404)
    error_of(clients["manager"].get(f"customers/actions/{action.pk}"), 404)


@pytest.mark.parametrize("role", ["admin", "manager", "agent"])
def test_bulk_calls_touch_what_is_visible_and_say_of_the_rest_that_it_is_unknown(world, clients, role):
    names = {action.pk: name for name, action in world.actions.items()} | {"action_unknown": "unknown"}
    for path, body in (
        ("bulk", {"updates": {"priority": "urgent"}}),
        ("bulk/snooze", {"snoozedUntil": "2099-01-01"}),
        ("bulk/complete", {"notes": "تم"}),
    ):
        response = clients[role].post(f"customers/actions/{path}", {"actionIds": list(names), **body})
        data = data_of(response)
        assert data["updatedCount"] == len(data["actions"]) == len(SEEN_CUSTOMERS[role])
        assert {names[failure["id"]] for failure in data["failed"]} == set(names.values()) - SEEN_CUSTOMERS[role]
        assert {(failure["code"], failure["message"]) for failure in data["failed"]} == {
            ("RESOURCE_NOT_FOUND", "Action not found")
        }
        assert_no_canary(world, response, world.actions["theirs"].pk)
    world.actions["theirs"].refresh_from_db()
    assert (world.actions["theirs"].status, world.actions["theirs"].version) == ("pending", 1)


def test_bulk_limits_of_actions_are_those_of_the_role(world, clients):
    for role, limit in (("admin", 500), ("manager", 200), ("agent", 50)):
        ids = [f"action_{i}" for i in range(limit + 1)]
        data_of(clients[role].post("customers/actions/bulk/complete", {"actionIds": ids[:-1] + ids[:5]}))
        error_of(clients[role].post("customers/actions/bulk/complete", {"actionIds": ids}), 400, "VALIDATION_ERROR")


def test_agents_assign_no_action_by_any_door(world, clients):
    mine, sami = world.actions["ahmed"].pk, world.employees["sami"].pk
    bulk = {"actionIds": [mine], "assignedTo": sami}
    for method, path, body in (
        ("patch", f"customers/actions/{mine}", {"assignedTo": sami}),
        ("patch", f"customers/actions/{mine}", {"assignedTo": None}),
        ("post", "customers/actions/bulk/assign", bulk),
        ("post", "customers/actions/bulk", {**bulk, "operation": "assign"}),
        ("post", "customers/actions/bulk", {"actionIds": [mine], "updates": {"assignedTo": sami}}),
        ("post", "customers/actions", {"customerId": world.customers["ahmed"].pk, "type": "follow_up", "title": "س",
                                       "assignedTo": sami}),
    ):  # fmt: skip
        error = error_of(clients["agent"].call(method, path, body), 403, "PERMISSION_DENIED")
        assert error["details"] == {"requiredPermission": "actions.assign", "currentRole": "sales_agent"}
    world.actions["ahmed"].refresh_from_db()
    assert world.actions["ahmed"].assigned_to_id == world.employees["ahmed"].pk


@pytest.mark.parametrize("role", ["admin", "manager"])
def test_foreign_ids_in_the_bodies_of_actions_are_as_unknown_as_random_ones(world, clients, role):
    own = world.actions["sami"].pk
    new = {"customerId": world.customers["sami"].pk, "type": "follow_up", "title": "متابعة"}
    for method, path, base, field, foreign, random in (
        ("patch", f"customers/actions/{own}", {}, "assignedTo", world.noura.pk, "emp_none"),
        ("post", "customers/actions", new, "assignedTo", world.noura.pk, "emp_none"),
        ("post", "customers/actions", new, "customerId", world.theirs.pk, "cust_none"),
        ("post", "customers/actions", new, "customerId", world.gone.pk, "cust_none"),
        ("post", "customers/actions/bulk/assign", {"actionIds": [own]}, "assignedTo", world.noura.pk, "emp_none"),
    ):
        answers = []
        for key in (foreign, random):
            response = clients[role].call(method, path, {**base, field: key})
            assert_no_canary(world, response, key)
            answers.append(error_of(response, 422, "VALIDATION_ERROR"))
        assert answers[0] == answers[1]
        assert [detail["field"] for detail in answers[0]["details"]] == [field]


def test_bulk_limits_are_those_of_the_role(world, clients):
    for role, limit in (("admin", 500), ("manager", 200), ("agent", 50)):
        order = {"operation": "priority", "priority": "low"}
        ids = [f"cust_{i}" for i in range(limit + 1)]
        data_of(clients[role].post("customers/bulk", {"customerIds": ids[:-1] + ids[:5], **order}))
        error_of(clients[role].post("customers/bulk", {"customerIds": ids, **order}), 400, "VALIDATION_ERROR")


def test_agents_and_viewers_assign_nothing_by_any_door(world, clients):
    mine, sami = world.customers["ahmed"].pk, world.employees["sami"].pk
    for method, path, body in (
        ("patch", f"customers/{mine}", {"assignedEmployeeId": sami}),
        ("patch", f"customers/{mine}", {"assignedEmployeeId": None}),
        ("put", f"customers/{mine}", {"assignedEmployee": {"id": sami}}),
        ("post", f"customers/{mine}/assign", {"employeeId": sami}),
        ("post", "customers", {"name": "س", "phone": make_phone(), "assignedEmployeeId": sami}),
        ("post", "customers/bulk", {"customerIds": [mine], "operation": "assign", "assignedTo": sami}),
        ("post", "customers/bulk", {"customerIds": [mine], "operation": "assign", "assignedTo": None}),
    ):
        error = error_of(clients["agent"].call(method, path, body), 403, "PERMISSION_DENIED")
        assert error["details"] == {"requiredPermission": "customers.assign", "currentRole": "sales_agent"}
    world.customers["ahmed"].refresh_from_db()
    assert world.customers["ahmed"].assigned_employee_id == world.employees["ahmed"].pk


def test_a_manager_assigns_inside_the_own_team_only(world, clients):
    path = f"customers/{world.customers['sami'].pk}/assign"
    error_of(clients["manager"].post(path, {"employeeId": world.employees["omar"].pk}), 422, "VALIDATION_ERROR")
    data_of(clients["manager"].post(path, {"employeeId": world.employees["ahmed"].pk}))
    data_of(clients["admin"].post(path, {"employeeId": world.employees["omar"].pk}))
    error_of(clients["manager"].get(f"customers/{world.customers['sami'].pk}"), 404, "RESOURCE_NOT_FOUND")


def test_a_taken_email_of_the_other_organization_is_a_conflict_without_details(world, clients):
    body = {"name": "نورة أخرى", "email": "noura@canary.test"}
    response = clients["admin"].post("employees", body)
    assert error_of(response, 409, "DUPLICATE_RESOURCE")["details"] == {"field": "email"}
    assert_no_canary(world, response)


def test_a_phone_of_the_other_organization_is_free_here(world, clients):
    response = clients["admin"].post("customers", {"name": "عميل", "phone": CANARY_PHONE})
    data_of(response, 201)
    assert_no_canary(world, response, CANARY_PHONE)


def test_national_ids_are_masked_for_viewers_only(world, clients):
    for role, name in ACTORS.items():
        row = world.customers[name]
        row.national_id = "1010101010"
        row.save()
        shown = data_of(clients[role].get(f"customers/{row.pk}"))["customer"]["nationalId"]
        (listed,) = [c for c in data_of(clients[role].get("customers"))["customers"] if c["id"] == row.pk]
        assert shown == listed["nationalId"] == ("******1010" if role == "viewer" else "1010101010")


def test_the_header_never_switches_the_organization(world, clients):
    for role in ACTORS:
        response = clients[role].get("customers", headers={"X-Organization-ID": world.other.pk})
        error_of(response, 403, "PERMISSION_DENIED")
        assert_no_canary(world, response)
        data_of(clients[role].get("customers", headers={"X-Organization-ID": world.organization.pk}))


def test_the_other_organization_sees_its_own_rows_only(world):
    client = HubClient(world.noura)
    assert [row["id"] for row in data_of(client.get("customers"))["customers"]] == [world.theirs.pk]
    assert [row["id"] for row in data_of(client.get("employees"))["employees"]] == [world.noura.pk]
    for row in [*list(world.customers.values())[:-1], world.gone]:
        error_of(client.get(f"customers/{row.pk}"), 404, "RESOURCE_NOT_FOUND")
