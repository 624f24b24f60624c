"""The back office shows and changes what the API would show and let change: of every model, by every URL."""

import copy
import functools
import json
import re
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from actions.models import ActionCount, ActionDay, CustomerAction, Recommendation
from config.models import AuditEntry, IdempotencyKey
from config.testing import AdminClient, form_data, make_action, make_customer, make_employee, make_listing
from config.tests.test_permission_matrix import make_children
from customers.compliance.parts import PARTS
from customers.models import (
    Appointment,
    Assignment,
    Consent,
    Customer,
    CustomerDay,
    CustomerMerge,
    CustomerSum,
    CustomerWord,
    Interaction,
    LeadScoreModel,
    Listing,
    NameWord,
    PrivacyRequest,
    PropertyInterest,
    Reminder,
    StageChange,
    StageMedian,
    StatusChange,
    Transfer,
)
from customers.services import customer as customers
from customers.services import transfer
from customers.services.merge import merge_customers
from documents.models import Document
from employees import services as employees
from employees.choices import Role
from employees.models import Employee, Organization, Session, Team
from realtime.models import Event, EventHead

PLACES = ("north", "south", "jeddah")
# Whose rows the manager of the north, the admin of north and south, and that of another organization see.
OF_CUSTOMER = {"fatima": {"north"}, "layla": {"north", "south"}, "noura": {"jeddah"}}
OF_ORGANIZATION = {"fatima": {"north", "south"}, "layla": {"north", "south"}, "noura": {"jeddah"}}
FOR_ADMINS = {"fatima": set(), "layla": {"north", "south"}, "noura": {"jeddah"}}
OF_REQUESTER = {"fatima": {"north"}, "layla": {"north", "south"}, "noura": {"jeddah"}}
FOR_SUPERUSERS = {"fatima": set(), "layla": set(), "noura": set()}
SEEN = {
    **dict.fromkeys((part.model for part in PARTS.values()), OF_CUSTOMER),
    Appointment: OF_CUSTOMER,
    Assignment: OF_CUSTOMER,
    Consent: OF_CUSTOMER,
    Customer: OF_CUSTOMER,
    CustomerAction: OF_CUSTOMER,
    CustomerMerge: OF_CUSTOMER,
    Document: OF_CUSTOMER,
    Interaction: OF_CUSTOMER,
    PropertyInterest: OF_CUSTOMER,
    PrivacyRequest: OF_CUSTOMER,
    Reminder: OF_CUSTOMER,
    StageChange: OF_CUSTOMER,
    StatusChange: OF_CUSTOMER,
    Employee: OF_CUSTOMER,
    Team: OF_CUSTOMER,
    Listing: OF_ORGANIZATION,
    Organization: OF_ORGANIZATION,
    AuditEntry: FOR_ADMINS,
    Event: FOR_ADMINS,
    IdempotencyKey: FOR_ADMINS,
    LeadScoreModel: FOR_ADMINS,
    Recommendation: FOR_ADMINS,
    Session: FOR_ADMINS,
    Transfer: OF_REQUESTER,
    ActionCount: FOR_SUPERUSERS,
    ActionDay: FOR_SUPERUSERS,
    CustomerDay: FOR_SUPERUSERS,
    CustomerSum: FOR_SUPERUSERS,
    CustomerWord: FOR_SUPERUSERS,
    EventHead: FOR_SUPERUSERS,
    NameWord: FOR_SUPERUSERS,
    StageMedian: FOR_SUPERUSERS,
}
WHO = ("fatima", "noura")


def canary(place):
    return f"canary-{place}"


@pytest.fixture(scope="module")
def first_world(module_db):
    """Two teams of one organization and another organization, each with a customer and everything about it."""
    riyadh = employees.create_organization(name="وساطة الرياض")
    jeddah = employees.create_organization(name=canary("jeddah"))
    north = Team.objects.get(organization=riyadh, is_default=True)
    Team.objects.filter(pk=north.pk).update(name=canary("north"))
    south = Team.objects.create(organization=riyadh, name=canary("south"))
    theirs = Team.objects.get(organization=jeddah, is_default=True)
    Team.objects.filter(pk=theirs.pk).update(name=canary("jeddah"))
    people = {
        "layla": make_employee(riyadh, "ليلى", Role.ADMIN, north),
        "fatima": make_employee(riyadh, "فاطمة", Role.SALES_MANAGER, north),
        "ahmed": make_employee(riyadh, canary("north"), Role.SALES_AGENT, north),
        "huda": make_employee(riyadh, "هدى", Role.VIEWER, north),
        "omar": make_employee(riyadh, canary("south"), Role.SALES_AGENT, south),
        "noura": make_employee(jeddah, canary("jeddah"), Role.ADMIN, theirs),
    }
    owners = dict(zip(PLACES, ("ahmed", "omar", "noura"), strict=True))
    rows = {model: {} for model in SEEN}
    for place, owner in owners.items():
        owner, actor = people[owner], people["noura" if place == "jeddah" else "layla"]
        customer = make_customer(actor, name=canary(place))
        customers.assign_customer(customer, actor=actor, employee_id=owner.pk)
        make_children(actor, customer, title=canary(place))
        key = {"employee_id": actor.pk, "organization_id": actor.organization_id}
        rows[Customer][place] = customer
        rows[CustomerAction][place] = make_action(actor, customer, title=canary(place), notes=canary(place))
        rows[Listing][place] = make_listing(actor, title=canary(place))
        rows[Session][place] = employees.start_session(owner)
        rows[Employee][place], rows[Team][place] = owner, owner.team
        rows[Organization][place] = owner.organization
        rows[AuditEntry][place] = AuditEntry.objects.filter(row_id=customer.pk).first()
        rows[Event][place] = Event.objects.filter(customer_id=customer.pk).first()
        rows[IdempotencyKey][place] = IdempotencyKey.objects.create(
            key=canary(place), path="/customers", status=201, data=canary("answer"), fingerprint="f", **key
        )
        rows[Recommendation][place] = Recommendation.objects.create(
            customer_id=customer.pk, organization_id=owner.organization_id, rule=canary(place), anchor="touch:1",
            score=50, model_version=0,
        )  # fmt: skip
        rows[LeadScoreModel][place] = LeadScoreModel.objects.create(
            organization=actor.organization, version=1 + PLACES.index(place), kind="l1", intercept=0, coefs={},
            bin_share={}, scale={}, decision=canary(place),
        )  # fmt: skip
        requester = people["fatima"] if place == "north" else actor
        rows[Transfer][place] = transfer.start_export(
            actor=requester, what="customers", query=f"search={canary(place)}"
        )
        twin = make_customer(actor, name=canary(place), assigned_employee_id=owner.pk)
        rows[CustomerMerge][place] = merge_customers(customer, twin.pk, actor=actor)
        for model in SEEN:
            if SEEN[model] is OF_CUSTOMER and not rows[model].get(place):
                rows[model][place] = model.objects.filter(customer=customer).first()
            elif SEEN[model] is FOR_SUPERUSERS:
                rows[model][place] = model.objects.filter(organization_id=owner.organization_id).first()
    connection.check_constraints()
    return SimpleNamespace(people=people, rows=rows)


@pytest.fixture
def world(first_world, db):
    return copy.deepcopy(first_world)


def url_of(model, page, *args):
    return reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[*map(quote, args[:1]), *args[1:]]
    )


def list_of(world, model, place):
    """The list in which a row of a place stands."""
    customer = world.rows[Customer][place].pk
    query = {CustomerAction: "?dueDate=all", AuditEntry: f"?rowId={customer}"}.get(model, "")
    if any(field.name == "customer" for field in model._meta.fields) and model is not CustomerAction:
        query = f"?customer={customer}"
    return url_of(model, "changelist") + query


def pages_of(model, row):
    """Every URL that names a row."""
    yield from (url_of(model, page, row.pk) for page in ("change", "history", "delete"))
    yield from (url_of(model, "button", row.pk, name) for name in admin.site.get_model_admin(model).buttons)
    if model is Document:
        yield url_of(model, "file", row.pk)
    if model is Transfer:
        yield from (url_of(model, page, row.pk) for page in ("errors", "output"))


def text_of(response):
    return response.getvalue().decode(errors="replace") if response.status_code == 200 else ""


def everything():
    """All rows of all models that the back office knows."""
    tables = sorted({model._meta.db_table for model in admin.site._registry} | {"action_notes"})
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', {table}::text FROM {table}" for table in tables))
        return sorted(cursor.fetchall())


def test_every_model_of_the_back_office_is_held_to_its_scope():
    assert set(admin.site._registry) == set(SEEN)


def test_nobody_merges_what_is_not_theirs(world):
    for who, mine in (("fatima", "north"), ("noura", "jeddah")):
        client, own = AdminClient(world.people[who]), world.rows[Customer][mine]
        for place in set(PLACES) - {mine}:
            for pair in ((own.pk, world.rows[Customer][place].pk), (world.rows[Customer][place].pk, own.pk)):
                url = reverse("admin:customers_customer_merge", args=[*map(quote, pair)])
                assert {client.get(url).status_code, client.post(url, {}).status_code} == {404}
        assert all(canary(place) not in client.get("/admin/customers/customer/duplicates/").content.decode()
                   for place in set(PLACES) - {mine})  # fmt: skip


# --- What is seen -------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
def test_only_rows_of_ones_scope_can_be_listed_opened_and_downloaded(world, who):
    client = AdminClient(world.people[who])
    listing = functools.cache(client.get)  # most lists are the same for every place
    for model, seen_by in SEEN.items():
        # What of the organization is everybody's there, such as its name, may stand on a page.
        strangers = {canary(place) for place in PLACES if place not in SEEN[Listing][who]}
        strangers |= {canary("south")} if seen_by is OF_CUSTOMER and who == "fatima" else set()
        for place in PLACES:
            row = world.rows[model][place]
            if row is None:
                continue
            listed = listing(list_of(world, model, place))
            assert listed.status_code == (200 if seen_by[who] else 403), model
            assert (url_of(model, "change", row.pk) in text_of(listed)) == (place in seen_by[who]), (model, place)
            assert not any(stranger in text_of(listed) for stranger in strangers), (model, place)
            if place in seen_by[who]:
                page = client.get(url_of(model, "change", row.pk))
                assert page.status_code == 200, (model, place)
                assert not any(stranger in text_of(page) for stranger in strangers), (model, place)
                continue
            for url in pages_of(model, row):
                page = client.get(url)
                assert page.status_code in (302, 403, 404, 405), (url, page.status_code)
                assert page.headers.get("Location", "/admin/") == "/admin/", url


@pytest.mark.parametrize(("who", "place"), [("fatima", "south"), ("noura", "north")])
def test_searching_and_filtering_find_nobody_elses_rows(world, who, place):
    client, owner = AdminClient(world.people[who]), world.rows[Employee][place].pk
    queries = [(model, f"q={canary(place)}") for model in SEEN]
    queries += [(model, f"customer__name={canary(place)}") for model in SEEN if SEEN[model] is not OF_CUSTOMER]
    queries += [(Customer, f"assignedEmployeeId={owner}"), (CustomerAction, f"assignedTo={owner}")]
    queries += [(Customer, f"id={world.rows[Customer][place].pk}"), (Session, f"employee={owner}")]
    for model, query in queries:
        page = client.get(f"{url_of(model, 'changelist')}?{query}")
        row = world.rows[model][place]
        shown = text_of(page).partition('id="result_list"')[2]
        assert page.status_code in (200, 400, 403), (model, query)
        assert row is None or place in SEEN[model][who] or url_of(model, "change", row.pk) not in shown, (model, query)


@pytest.mark.parametrize("who", WHO)
def test_typing_finds_rows_of_ones_scope_only(world, who):
    client, found = AdminClient(world.people[who]), set()
    for model in admin.site._registry:
        fields = model._meta.get_fields()
        relations = [field for field in fields if field.is_relation]
        for field in [*relations, model._meta.pk]:
            for term in ("canary", "") if field.is_relation else ("",):
                named = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
                asked = named | {"field_name": field.name, "term": term}
                answer = client.get(reverse("admin:autocomplete"), asked)
                if answer.status_code == 200:
                    found |= {entry["text"] for entry in json.loads(answer.content)["results"]}
                else:
                    assert answer.status_code in (403, 404), (asked, answer.status_code)
    assert found == {canary(place) for place in OF_CUSTOMER[who]}


def test_answers_that_are_kept_for_repeats_are_never_shown(world):
    client, row = AdminClient(world.people["layla"]), world.rows[IdempotencyKey]["north"]
    page = client.get(url_of(IdempotencyKey, "change", row.pk))
    assert canary("north") in text_of(page)
    assert canary("answer") not in text_of(page)
    assert client.get(f"{url_of(IdempotencyKey, 'changelist')}?data__startswith=canary").status_code == 400


def test_nobody_but_managers_admins_and_superusers_gets_in(world):
    urls = ["/admin/", reverse("admin:autocomplete"), reverse("admin:password_change")]
    for model in SEEN:
        urls += (
            [url_of(model, "changelist"), url_of(model, "change", world.rows[model]["north"].pk)]
            if (world.rows[model]["north"])
            else [url_of(model, "changelist")]
        )
    gone = world.people["layla"]
    for person in (world.people["ahmed"], world.people["huda"], None):
        client = AdminClient(person)
        for url in urls:
            assert client.get(url).headers["Location"].startswith("/admin/login/"), url
    assert AdminClient(gone).get("/admin/").status_code == 200


@pytest.mark.parametrize("values", [{"role": Role.SALES_AGENT}, {"is_active": False}])
def test_a_manager_who_is_demoted_or_let_go_is_out_at_once(world, values):
    client = AdminClient(world.people["fatima"])
    assert client.get(url_of(Customer, "changelist")).status_code == 200
    if "role" in values:
        employees.update_employee(world.people["fatima"], actor=world.people["layla"], **values)
    else:
        employees.deactivate_employee(world.people["fatima"], actor=world.people["layla"])
    assert client.get(url_of(Customer, "changelist")).headers["Location"].startswith("/admin/login/")


def test_a_manager_who_changes_teams_sees_the_new_one_at_once(world):
    client, fatima = AdminClient(world.people["fatima"]), world.people["fatima"]
    employees.update_employee(fatima, actor=world.people["layla"], team_id=world.rows[Team]["south"].pk)
    shown = text_of(client.get(url_of(Customer, "changelist")))
    assert canary("south") in shown
    assert canary("north") not in shown


def test_a_superuser_sees_internal_tables_and_works_in_the_organization_that_is_chosen(world):
    person, jeddah = world.people["layla"], world.rows[Organization]["jeddah"]
    Employee.objects.filter(pk=person.pk).update(is_superuser=True)
    person.is_superuser = True
    client = AdminClient(person)
    for model, seen_by in SEEN.items():
        if seen_by is FOR_SUPERUSERS:
            assert client.get(url_of(model, "changelist")).status_code == 200, model
    assert canary("jeddah") not in text_of(client.get(url_of(Customer, "changelist")))
    answer = client.post(url_of(Organization, "button", jeddah.pk, "work_here"), {"apply": "1"})
    assert answer.status_code == 302
    shown = text_of(client.get(url_of(Customer, "changelist")))
    assert canary("jeddah") in shown
    assert canary("north") not in shown


# --- What is changed ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
def test_nothing_out_of_ones_scope_can_be_changed_or_removed(world, who):
    client = AdminClient(world.people[who])
    before = everything()
    for model, seen_by in SEEN.items():
        for place in PLACES:
            row = world.rows[model][place]
            if row is None or place in seen_by[who]:
                continue
            form = {"name": "x", "title": "x", "notes": "x", "post": "yes", "apply": "1", "password": "Long-enough-9"}
            for url in pages_of(model, row):
                assert client.post(url, form).status_code in (302, 403, 404, 405), url
            actions = admin.site.get_model_admin(model).actions or ()
            for name in [*actions, "delete_selected"]:
                answer = client.press(list_of(world, model, place), name, [row.pk], post="yes", stage="lost",
                                      priority="low", employee="", until="2099-01-01T10:00")  # fmt: skip
                assert answer.status_code in (200, 302, 403), (model, name)
    assert everything() == before


BODIES = {
    PropertyInterest: {"propertyId": "p", "propertyTitle": "فيلا", "status": "interested"},
    Interaction: {"type": "call"},
    Appointment: {"type": "site_visit", "datetime": "2099-01-01T10:00"},
    Reminder: {"title": "تذكير", "datetime": "2099-01-01T10:00"},
    Consent: {"purpose": "marketing", "status": "granted"},
    CustomerAction: {"type": "follow_up", "title": "متابعة"},
    **{
        part.model: {
            "status": {"brokerageContracts": "draft", "ejarContracts": "draft", "handoverDefects": "open"}.get(
                part.name, "pending"
            ),
            "type": {"payments": "other"}.get(part.related_name, "sale"),
            "startDate": "2026-02-01",
            "endDate": "2026-12-01",
            "tenancyType": "residential",
            "monthlyRent": "1000",
            "milestoneNumber": "2",
            "title": "السقف",
            "targetDate": "2026-12-01",
            "percentage": "5",
            "category": "other",
            "severity": "minor",
            "description": "خدش",
            "amount": "1000",
            "dueDate": "2026-12-01",
        }
        for part in PARTS.values()
        if part.is_list
    },
}
BODIES[PARTS["payments"].model]["type"] = "other"


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
def test_rows_are_added_to_customers_of_ones_scope_only(world, model):
    client, url = AdminClient(world.people["fatima"]), url_of(model, "add")
    own, foreign = (world.rows[Customer][place].pk for place in ("north", "south"))
    rows = model.objects.filter(customer=own)
    count = rows.count()
    assert client.post(url, BODIES[model] | {"customerId": own}).status_code == 302
    assert rows.count() == count + 1
    before = everything()
    for customer in (foreign, world.rows[Customer]["jeddah"].pk, "cust_unknown", ""):
        page = client.post(f"{url}?customer={customer}", BODIES[model] | {"customerId": customer})
        assert page.status_code == 200
        assert page.context["adminform"].form.errors["customerId"]
        assert canary("south") not in text_of(page) and canary("jeddah") not in text_of(page)
    assert everything() == before


@pytest.mark.parametrize(
    ("model", "field"),
    [(Customer, "assignedEmployeeId"), (CustomerAction, "assignedTo"), (Appointment, "agentId"),
     (Interaction, "agentId")],
)  # fmt: skip
def test_nobody_of_another_team_is_given_anything(world, model, field):
    client, row = AdminClient(world.people["fatima"]), world.rows[model]["north"]
    before = everything()
    for place in ("south", "jeddah"):
        page = client.save(url_of(model, "change", row.pk), **{field: world.rows[Employee][place].pk})
        assert page.status_code == 200
        assert page.context["adminform"].form.errors[field]
    assert everything() == before


def test_lines_beneath_a_customer_and_its_own_fields_are_saved_together_or_not_at_all(world):
    client, customer = AdminClient(world.people["fatima"]), world.rows[Customer]["north"]
    url = url_of(Customer, "change", customer.pk)
    lines = {"reminders-TOTAL_FORMS": "1", "reminders-0-title": "اتصال", "reminders-0-datetime": "2099-01-01T10:00"}
    assert client.save(url, name="اسم جديد", **lines).status_code == 302
    assert Customer.objects.get(pk=customer.pk).name == "اسم جديد"
    assert Reminder.objects.filter(customer=customer, title="اتصال").count() == 1
    before = everything()
    refused = client.save(url, name="اسم آخر", **lines | {"reminders-0-title": ""})
    assert refused.status_code == 200
    assert everything() == before


# --- Both doors ---------------------------------------------------------------------------------


def _last():
    return [model.objects.aggregate(last=Max("pk"))["last"] for model in (AuditEntry, Event)]


def _told_since(last, keys):
    """What audit, events and the history of stages have since then; what differs in any two calls by its name."""
    last_entry, last_event = last
    audit = AuditEntry.objects.filter(pk__gt=last_entry).order_by("pk")
    events = Event.objects.filter(pk__gt=last_event).order_by("pk")
    stages = StageChange.objects.filter(customer__in=keys).order_by("pk")
    told = [
        [(row.table_name, row.operation, row.actor_id, row.changes) for row in audit],
        [(row.event, row.data, row.also, row.before, row.after, row.actor_id, row.row_id) for row in events],
        [(row.from_stage, row.to_stage, row.changed_by_id, row.reason) for row in stages],
    ]
    text = json.dumps(told, default=str, sort_keys=True, ensure_ascii=False)
    for key, name in keys.items():
        text = text.replace(key, name)
    return re.sub(r"stage_[a-z0-9]{20}", "stage", re.sub(r"[0-9-]{10}T[0-9:.]{5,}(Z|\+00:00)", "then", text))


@pytest.mark.parametrize(
    ("change", "body", "form"),
    [
        ("customers/{customer}", {"name": "اسم جديد", "stage": "qualified"}, None),
        ("customers/{customer}", {"preferences": {"budgetMax": 900000}}, {"preferences.budgetMax": "900000"}),
        ("customers/actions/{action}", {"title": "عنوان", "priority": "urgent"}, None),
        ("customers/actions/{action}/complete", {"outcome": "تم"}, {"outcome": "تم"}),
        ("customers/actions/{action}/dismiss", {"reason": "تكرار"}, {"reason": "تكرار"}),
        ("customers/{customer}/reminders/{reminder}", {"status": "completed"}, None),
        ("customers/{customer}/reminders/{reminder}", {"title": "آخر"}, None),
    ],
)
def test_a_change_through_the_back_office_leaves_what_it_leaves_over_the_api(world, as_, clock, change, body, form):
    fatima, told = world.people["fatima"], []
    doors = as_(fatima), AdminClient(fatima)
    for client in doors:
        clock.move(minutes=1)
        customer = make_customer(world.people["layla"], assigned_employee_id=world.people["ahmed"].pk)
        action = make_action(world.people["layla"], customer)
        reminder = Reminder.objects.create(
            customer=customer, organization_id=customer.organization_id, title="اتصال", created_by="ليلى",
            created_by_id="emp_1", datetime=clock.now + timedelta(days=1),
        )  # fmt: skip
        last, ids = _last(), {"customer": customer.pk, "action": action.pk, "reminder": reminder.pk}
        if client is doors[0]:
            call = client.post if change.endswith(("complete", "dismiss")) else client.patch
            assert call(change.format(**ids), body).status_code == 200
        elif change.endswith(("complete", "dismiss")):
            url = url_of(CustomerAction, "button", action.pk, change.rpartition("/")[2])
            assert client.post(url, {"apply": "1", **form}).status_code == 302
        else:
            kind = change.rpartition("{")[2].rstrip("}")
            model = {"customer": Customer, "action": CustomerAction, "reminder": Reminder}[kind]
            assert client.save(url_of(model, "change", ids[kind]), **(form or body)).status_code == 302
        told.append(_told_since(last, {key: name for name, key in ids.items()} | {customer.phone: "phone"}))
    over_the_api, through_the_back_office = told
    assert "update" in over_the_api
    assert through_the_back_office == over_the_api


# --- Pages of any length -------------------------------------------------------------------------


def queries_of(client, url):
    with connection.execute_wrapper(counted := _Counter()):
        assert client.get(url).status_code == 200, url
    return counted.number


class _Counter:
    number = 0

    def __call__(self, execute, *rest):
        self.number += 1
        return execute(*rest)


def test_lists_and_pages_ask_no_more_of_the_database_when_there_are_more_rows(world):
    layla, fatima = world.people["layla"], world.people["fatima"]
    client, customer = AdminClient(fatima), world.rows[Customer]["north"]
    models = (Customer, CustomerAction, Listing, Employee, Interaction, Appointment, Reminder, StageChange, Assignment,
              StatusChange, Consent, PARTS["payments"].model, PARTS["handover_defects"].model)  # fmt: skip
    urls = [list_of(world, model, "north") for model in models] + [url_of(Customer, "change", customer.pk)]
    for url in urls:
        client.get(url)
    few = {url: queries_of(client, url) for url in urls}
    for number in range(4):
        one = make_customer(layla, assigned_employee_id=world.people["ahmed"].pk)
        make_action(layla, one)
        make_action(layla, customer)
        make_listing(layla)
        make_employee(layla.organization, f"موظف {number}", Role.SALES_AGENT, fatima.team)
        for stage in ("qualified", "new_lead"):
            customers.change_stage(customer, actor=layla, to_stage=stage)
        for person in (fatima, world.people["ahmed"]):
            customers.assign_customer(customer, actor=layla, employee_id=person.pk)
        for model in models[4:]:
            if model not in (StageChange, Assignment):
                row = model.objects.filter(customer=customer).first()
                row.pk, row._state.adding = model._meta.pk.make(), True
                row.save(force_insert=True)
    assert {url: number for url in urls if (number := queries_of(client, url)) != few[url]} == {}


# --- What nobody should send ----------------------------------------------------------------------

WORST = ("\0", "\ud800", "[1,2", "-1", "9" * 30, "9" * 5000, "nonsense", "x" * 20_000)


@pytest.fixture
def superuser(world):
    Employee.objects.filter(pk=world.people["layla"].pk).update(is_superuser=True)
    return AdminClient(Employee.objects.get(pk=world.people["layla"].pk))


def test_no_query_string_breaks_a_list(world, superuser):
    for model in SEEN:
        filterset, url = admin.site.get_model_admin(model).filterset_class, url_of(model, "changelist")
        names = ["p", "o", "q", "e", "all", "_popup", "_facets", "_changelist_filters", "page", "tab"]
        names += getattr(filterset, "base_filters", ())
        for value in WORST[::2] if SEEN[model] is OF_CUSTOMER else WORST[1::2]:
            written = value.encode("utf-8", "surrogatepass")
            answer = superuser.get(url, dict.fromkeys(names, written))
            assert answer.status_code in (200, 302, 400), (model, value[:20], answer.status_code)
    for model in (Customer, Event):
        for name in ("p", "o", "q", "_to_field", "_changelist_filters", "id__in", "stage", "customer"):
            for value in WORST:
                url = list_of(world, model, "north")
                url += ("&" if "?" in url else "?") + urlencode({name: value.encode("utf-8", "surrogatepass")})
                assert superuser.get(url).status_code in (200, 302, 400), url[:100]


def test_no_id_breaks_a_page_and_no_choice_of_rows_a_button(world, superuser):
    before = everything()
    for model in SEEN:
        model_admin, url = admin.site.get_model_admin(model), list_of(world, model, "north")
        for key in ("x", "%00", "%ED%A0%80", "_5F", "9" * 30, "x" * 3000):
            answer = superuser.get(f"{url_of(model, 'changelist')}{key}/change/")
            assert answer.status_code in (302, 400, 403, 404), (model, key, answer.status_code)
        for name in [*(model_admin.actions or ()), "delete_selected", "nonsense"]:
            for ids in ([], ["x", "9" * 30], ["\0"]):
                answer = superuser.press(url, name, ids, post="yes", until="x", employee="x")
                assert answer.status_code in (200, 302, 400, 403), (model, name, ids)
    assert everything() == before


def test_neither_too_long_a_word_nor_the_filters_of_another_list_break_a_page(world):
    client = AdminClient(world.people["fatima"])
    of = {"app_label": "actions", "model_name": "customeraction", "field_name": "customer"}
    answer = client.get("/admin/autocomplete/", {**of, "term": "x" * 300})
    assert (answer.status_code, answer.json()["results"]) == (200, [])
    within = {"_changelist_filters": "customer=%00"}
    assert client.get("/admin/customers/interaction/add/", within).status_code == 400


def test_no_form_breaks_a_page(world, superuser):
    before = everything()
    for model in SEEN:
        model_admin, row = admin.site.get_model_admin(model), world.rows[model]["north"]
        urls = [url_of(model, "add")] if model_admin.add else []
        urls += [url_of(model, "change", row.pk)] if model_admin.change else []
        for url in urls:
            fields = [name for name in form_data(superuser.get(url)) if "_FORMS" not in name]
            for value in ("\0", "9" * 400, "x" * 30_000):
                answer = superuser.post(url, dict.fromkeys(fields, value))
                assert answer.status_code in (200, 302, 400), (url, value[:10], answer.status_code)
    assert everything() == before


def test_no_more_lines_are_made_than_anybody_writes(world):
    customer = world.rows[Customer]["north"]
    client, url = AdminClient(world.people["fatima"]), url_of(Customer, "change", customer.pk)
    lines, before = {"reminders-TOTAL_FORMS": "99999999999", "reminders-0-title": "اتصال"}, everything()
    page = client.save(url, **lines)
    assert page.status_code == 200
    assert {len(inline.formset.forms) for inline in page.context["inline_admin_formsets"]} == {0, 20}
    assert "Please submit at most 20 forms." in page.content.decode()
    assert everything() == before


def test_what_others_have_changed_meanwhile_is_said_before_it_is_replaced(world, as_):
    fatima, choices = world.people["fatima"], {"notes": "قديم\nسطر", "tags": ["a"], "priority": "low"}
    customer = make_customer(fatima, **choices, do_not_contact=False)
    client, url = AdminClient(fatima), url_of(Customer, "change", customer.pk)
    stale = form_data(client.get(url)) | {"notes": "لي", "tags": "mine", "priority": "high", "doNotContact": "on"}
    theirs = {"notes": "له\nسطر", "tags": ["b", "c"], "priority": "urgent", "occupation": "مهندس"}
    assert as_(fatima).patch(f"customers/{customer.pk}", theirs).status_code == 200
    before = everything()
    page = client.post(url, stale)
    said = "Changed meanwhile to “{}”. Save again to replace that by yours."
    assert page.context["adminform"].form.errors == {
        "notes": [said.format("له\nسطر")],
        "tags": [said.format("b، c")],
        "priority": [said.format("Urgent")],
    }
    assert everything() == before
    hidden = re.findall('<input type="hidden" name="initial-priority" value="([a-z]+)"', page.content.decode())
    assert hidden == ["urgent"]
    again = {f"initial-{name}": value for name, value in theirs.items()} | {"initial-tags": "b، c"}
    del again["initial-occupation"]
    assert client.post(url, stale | again | {"notes": "له\r\nسطر"}).status_code == 302
    customer.refresh_from_db()
    kept = (customer.notes, customer.tags, customer.priority, customer.do_not_contact, customer.occupation)
    assert kept == ("له\nسطر", ["mine"], "high", True, "مهندس")


def test_a_number_is_shown_with_all_its_digits(world):
    budgets = {"budgetMin": 1234567.89, "budgetMax": 9e12}
    customer = make_customer(world.people["fatima"], preferences=budgets)
    form = form_data(AdminClient(world.people["fatima"]).get(url_of(Customer, "change", customer.pk)))
    shown = (form["preferences.budgetMin"], form["preferences.budgetMax"])
    assert shown == ("1234567.89", "9000000000000")


def test_a_form_without_the_lines_beneath_it_saves_its_own_fields(world):
    client, customer = AdminClient(world.people["fatima"]), world.rows[Customer]["north"]
    url = url_of(Customer, "change", customer.pk)
    fields = {name: value for name, value in form_data(client.get(url)).items() if "_FORMS" not in name}
    answer = client.post(url, fields | {"name": "اسم جديد"})
    assert answer.status_code in (200, 302)
    assert timezone.now() >= Customer.objects.get(pk=customer.pk).updated_at
