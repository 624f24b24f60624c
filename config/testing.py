"""What the tests of every app share: two organizations, their cast, and a client that speaks as one of them."""

import functools
import gc
import itertools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client, TransactionTestCase
from django.test.client import ClientHandler
from django.utils import timezone

from actions import services as actions
from actions.models import ActionNote, CustomerAction
from config import cache
from config.breaker import breaker
from config.models import AuditEntry
from config.tests.hub import running_hub
from customers.models import (
    Appointment,
    Assignment,
    Customer,
    CustomerMerge,
    Interaction,
    Listing,
    PropertyInterest,
    Reminder,
    StageChange,
    StatusChange,
)
from customers.services import customer as customers
from customers.services import listing as listings
from employees import authentication
from employees import services as employees
from employees.authentication import forget_identities
from employees.choices import Role
from employees.models import Team
from realtime.dispatcher import dispatcher
from realtime.models import Event

_numbers = itertools.count(10_000_000)
# Patiently, unlike the hub: a busy machine is no failure of a test.
_redis = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=20)
# One for all clients: each would load the middleware, which looks through all static files, anew.
_handler = ClientHandler(enforce_csrf_checks=False)


class _WrittenPastTheHub:
    """Whether a test has written rows by itself, which no service tells the cache of."""

    is_so = False

    def hear(self, execute, sql, *rest):
        self.is_so = self.is_so or bool(_WRITE.match(sql))
        return execute(sql, *rest)

    def tell(self):
        if self.is_so:
            cache.void()


_WRITE = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM|WITH)(?! "sessions")')
_written_past_the_hub = _WrittenPastTheHub()


class HubClient(Client):
    """An HTTP client of the API, signed in as an employee (or nobody), in a language."""

    def __init__(self, employee=None, *, language=None, raise_request_exception=False):
        super().__init__(raise_request_exception=raise_request_exception)
        self.handler = _handler
        self.employee = employee
        if employee:
            self.defaults["HTTP_AUTHORIZATION"] = f"Bearer {employees.sign_in(employee)[0]}"
        if language:
            self.defaults["HTTP_ACCEPT_LANGUAGE"] = language

    def call(self, method, path, body=None, **options):
        """One request; `path` starts after the API's prefix unless it starts with /."""
        url = path if path.startswith("/") else f"/api/v1/{path}"
        if body is not None:
            options |= {"data": body, "content_type": "application/json"}
        _written_past_the_hub.tell()
        try:
            return getattr(super(), method)(url, **options)
        finally:
            _written_past_the_hub.is_so = False

    def get(self, path, query=None, **options):
        return self.call("get", path, **({"query_params": query} if query else {}), **options)

    def post(self, path, body=None, **options):
        return self.call("post", path, body if body is not None else {}, **options)

    def put(self, path, body=None, **options):
        return self.call("put", path, body if body is not None else {}, **options)

    def patch(self, path, body=None, **options):
        return self.call("patch", path, body if body is not None else {}, **options)

    def delete(self, path, **options):
        return self.call("delete", path, **options)


class AdminClient(Client):
    """A browser in the back office, signed in as an employee (or nobody). What goes wrong there is raised."""

    def __init__(self, employee=None, *, language="en"):
        super().__init__()
        self.handler = _handler
        self.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        if employee:
            self.force_login(employee)

    def save(self, path, **values):
        """Send the form of a page as its reader would: as it is shown, with these values typed over it."""
        page = self.get(path)
        assert page.status_code == 200, f"{path} answers {page.status_code}"
        return self.post(path, form_data(page) | values)

    def press(self, path, name, ids, **values):
        """Press a button of a list with some rows chosen, and confirm it with these values."""
        chosen = {"action": name, "_selected_action": ids, "apply": "1", **values}
        return self.post(path, chosen)


def form_data(page):
    """What a page of the back office would send if nothing were typed: the values of its form and its inlines."""
    forms_ = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms_ += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms_:
        for bound in form:
            if not isinstance(value := bound.value(), (type(None), bool)):
                data[bound.html_name] = bound.field.prepare_value(value)
            elif value:
                data[bound.html_name] = "on"
            if bound.field.show_hidden_initial:
                data[bound.html_initial_name] = data.get(bound.html_name, "")
    return data


def data_of(response, status=200):
    """The `data` of an answer that must have this status."""
    body = response.json()
    assert response.status_code == status, body
    assert body["success"] is True
    return body["data"]


def error_of(response, status, code=None):
    """The `error` of an answer that must have this status and, if given, this code."""
    body = response.json()
    assert response.status_code == status, body
    assert body["success"] is False and body["message"] == body["error"]["message"]
    assert code is None or body["error"]["code"] == code
    return body["error"]


def fields_of(response, status=400):
    """The names of the fields that a validation error complains about."""
    return [detail["field"] for detail in error_of(response, status, "VALIDATION_ERROR")["details"]]


def make_phone():
    """A valid Saudi mobile number that no test has seen."""
    return f"+9665{next(_numbers):08d}"


def make_customer(actor, **values):
    """A customer through the service, with a fresh phone; `stage`, `assigned_employee_id` and others as columns.

    Without its first action, unless `first_action=True`.
    """
    first_action = values.pop("first_action", False)
    values = {"name": "محمد الفهد", "phone": make_phone(), "source": "inquiry", **values}
    return customers.create_customer(actor=actor, values=values, first_action=first_action)


def make_action(actor, customer, *, notes="", **values):
    """A pending action for a customer through the service; `due_date`, `assigned_to_id` and others as columns."""
    values = {"type": "follow_up", "title": "متابعة العميل", **values}
    return actions.create_action(actor=actor, customer_id=customer.pk, values=values, notes=notes)


def make_listing(actor, **values):
    """A villa for sale in Riyadh through the service; `price`, `status` and others as columns."""
    values = {"title": "فيلا في حي النرجس", "type": "villa", "purpose": "sale", "city": "الرياض", **values}
    return listings.create_listing(actor=actor, values=values)


def make_employee(organization, name, role, team=None, **values):
    email = values.pop("email", f"{name.split()[-1].lower()}.{next(_numbers)}@hub.test")
    team_id = team.pk if team else None
    return employees.create_employee(
        None, organization=organization, name=name, role=role, email=email, team_id=team_id, **values
    )


def at_once(*calls):
    """What the calls return when all of them start in the same moment, each in a thread of its own."""
    start = threading.Barrier(len(calls))

    def run(call):
        try:
            start.wait(timeout=60)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=300) for future in [pool.submit(run, call) for call in calls]]


def requests(employee, calls):
    """The answers to calls of `(method, path, body)` sent at once as one employee, by a client for each."""
    return at_once(*(one_request(employee, *call) for call in calls))


def one_request(employee, method, path, body=None, **options):
    client = HubClient(employee)
    return lambda: client.call(method, path, body, **options)


def statuses(responses):
    return sorted(response.status_code for response in responses)


@contextmanager
def nothing_changes():
    """Holds when no row of customers, listings, actions, their histories, events or the audit is another afterwards."""
    before = _everything()
    yield
    assert _everything() == before


def _everything():
    models = (Customer, StageChange, Assignment, Listing, CustomerAction, ActionNote, Event, AuditEntry)
    models += (PropertyInterest, Interaction, Appointment, Reminder, StatusChange, CustomerMerge)
    tables = (model._meta.db_table for model in models)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', {table}::text FROM {table}" for table in tables))
        return sorted(cursor.fetchall())


def pytest_collection_finish():
    """What is loaded by now stays to the end: to look through it again and again is 7 % of the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def _empty_what_was_written(self):
    """What a test has committed goes, as after Django's flush, which would make anew all files of all tables.

    Neither triggers nor foreign keys look at it, for which the user of the tests' database must be a superuser.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('session_replication_role', 'replica', true)")
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in _tables()))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")


@functools.cache
def _tables():
    """The tables of all models, but for those that migrating fills."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted({*names} - {"django_migrations", "django_content_type", "auth_permission"})


TransactionTestCase._fixture_teardown = _empty_what_was_written


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    """Each test meets a hub that remembers neither people nor tries nor answers, and then people to its end."""
    # It would number events by a connection of its own, and outlive the servers.
    monkeypatch.setattr(dispatcher, "start", lambda: None)
    monkeypatch.setattr(cache, "_when_committed", _at_the_end)
    _written_past_the_hub.is_so = False
    forget_identities()
    # On a busy machine three seconds may pass within a test that counts statements.
    monkeypatch.setattr(authentication, "IDENTITY_SECONDS", 3600)
    breaker.close()
    _redis.flushdb()
    with connection.execute_wrapper(_written_past_the_hub.hear):
        yield


def _at_the_end(call):
    """Nothing is ever committed of a test that ends with a rollback: there each change counts as it is made."""
    if any(block._from_testcase for block in connection.atomic_blocks):
        call()
    else:
        transaction.on_commit(call, robust=True)


class Clock:
    """What time it is for the hub: it stands still but for `move(hours=1)`, or `now` set to another moment."""

    def __init__(self):
        self.now = timezone.now().replace(second=0, microsecond=0)

    def move(self, **step):
        self.now += timedelta(**step)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture(scope="module")
def module_db(django_db_setup, django_db_blocker):
    """The database for fixtures of a module: each of its tests finds what they write, and its own writes taken back.

    No test of such a module may count on an empty database.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def limits(settings):
    """The real rate limits; other tests call as often as they like."""
    settings.RATE_LIMITS = True


@pytest.fixture
def organization(db):
    return employees.create_organization(name="وساطة الرياض", name_en="Riyadh Brokers")


@pytest.fixture
def north(organization):
    """The team of Fatima and Ahmed."""
    return Team.objects.get(organization=organization, is_default=True)


@pytest.fixture
def south(organization):
    """The team of Omar."""
    return Team.objects.create(organization=organization, name="الجنوب")


@pytest.fixture
def layla(organization, north):
    return make_employee(organization, "ليلى Layla", Role.ADMIN, north)


@pytest.fixture
def fatima(organization, north):
    return make_employee(organization, "فاطمة Fatima", Role.SALES_MANAGER, north)


@pytest.fixture
def ahmed(organization, north):
    return make_employee(organization, "أحمد Ahmed", Role.SALES_AGENT, north, job_title="Senior Sales Agent")


@pytest.fixture
def omar(organization, south):
    return make_employee(organization, "عمر Omar", Role.SALES_AGENT, south)


@pytest.fixture
def huda(organization, north):
    return make_employee(organization, "هدى Huda", Role.VIEWER, north)


@pytest.fixture
def noura(db):
    """The admin of another organization."""
    other = employees.create_organization(name="عقارات جدة", name_en="Jeddah Homes")
    return make_employee(other, "نورة Noura", Role.ADMIN)


@pytest.fixture(scope="session")
def hub():
    """The whole hub in processes of its own, for slow tests: see config/tests/hub.py."""
    with running_hub() as hub:
        yield hub


@pytest.fixture
def as_():
    """A client for an employee: `as_(ahmed).get("customers")`."""
    return HubClient
