"""Answers of reads are kept, and nobody can tell: whatever is written shows in the next read of everybody."""

import json
import re
import threading
import time
from concurrent.futures import Future
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from actions import refreshing as action_refreshing
from actions import services as actions
from actions.models import CustomerAction
from config import cache, testing
from config.api.viewsets import HubViewSet
from config.breaker import RedisAway, breaker
from config.testing import HubClient, data_of, make_action, make_customer, make_employee, make_listing
from customers import refreshing as customer_refreshing
from customers.choices import MortgageStatus
from customers.models import Customer
from customers.services import customer as customers
from documents.tests.files import pdf, upload
from employees import authentication
from employees.choices import Role

READS = [
    "customers",
    "customers?limit=5&sortBy=name&stage=new_lead",
    "customers?assignedEmployeeId=me",
    "customers?cursor=",
    "customers?fields=name,assignedEmployee",
    "customers/{customer}",
    "customers/{customer}/reminders",
    "customers/{customer}/documents",
    "customers/{customer}/timeline",
    "customers/{customer}/consents",
    "customers/{customer}/compliance",
    "customers/stats",
    "customers/stats/compliance",
    "customers/filters",
    "customers/pipeline",
    "customers/actions",
    "customers/actions?tab=completed",
    "customers/actions/{action}",
    "customers/actions/stats",
    "listings",
    "listings/{listing}",
    "employees",
    "employees/{employee}",
]
# Its `assignedTo` is the caller, however that is spelled.
SPELLED = 'customers?filters={"assignedEmployeeId": "\\u006de"}'


@pytest.fixture(autouse=True)
def _only_the_hub_tells(monkeypatch):
    """What a test writes by itself stays unknown here, and callers are read anew at each request."""
    monkeypatch.setattr(testing._WrittenPastTheHub, "tell", lambda self: None)
    monkeypatch.setattr(authentication, "IDENTITY_SECONDS", -1)


@pytest.fixture
def store():
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=20) as store:
        yield store


@pytest.fixture
def world(clock, layla, fatima, ahmed, omar, huda, noura):
    """Ids of rows that Layla, Fatima and Ahmed see, by what READS calls them."""
    customer = make_customer(ahmed, national_id="1098765432", stage="qualified", total_deal_value=900_000)
    make_customer(layla, assigned_employee_id=omar.pk, name="سالم")
    make_customer(layla, assigned_employee_id=huda.pk, name="ريم", national_id="1012345678")
    make_customer(noura, name="كناري")
    action = make_action(ahmed, customer, due_date=clock.now + timedelta(hours=2))
    rows = {"customer": customer, "action": action, "listing": make_listing(layla), "employee": ahmed}
    return {name: row.pk for name, row in rows.items()}


# What is put into a link last, for the caller and for a time.
SIGNATURE = re.compile(r"\?employee=[^\"]*")


def entries(store):
    return [key for key in store.keys("hub:cache:*") if b":=" in key]


def answers(client, world, paths=(*READS, SPELLED)):
    """What a client is answered, path by path, without what is about the request itself."""
    found = {}
    for path in paths:
        response = client.get(path if path == SPELLED else path.format(**world))
        body = SIGNATURE.sub("", response.content.decode())
        found[path] = response.status_code, json.loads(body).get("data"), response.get("ETag")
    return found


def queries_of(call):
    """`(what the call returns, how many queries it takes beside the one that finds the caller)`."""
    with CaptureQueriesContext(connection) as queries:
        answer = call()
    return answer, sum('"sessions"' not in query["sql"] for query in queries)


# --- What is kept ---------------------------------------------------------------------------------


def test_a_second_read_asks_the_database_for_nothing_and_answers_the_same(as_, layla, world):
    client = as_(layla)
    for path in READS:
        first = client.get(path.format(**world))
        second, queries = queries_of(lambda path=path: client.get(path.format(**world)))
        assert queries == 0, path
        assert data_of(second) == data_of(first)
        for header in ("ETag", "Last-Modified", "Cache-Control", "Vary"):
            assert second.get(header) == first.get(header), (path, header)


def test_parameters_that_mean_nothing_are_named_by_a_kept_answer_too(as_, layla, world):
    for _ in range(2):
        assert as_(layla).get("customers?colour=red").json()["meta"]["ignoredParams"] == ["colour"]


def test_what_the_client_has_already_is_not_sent_again_and_not_read_either(as_, ahmed, world):
    client = as_(ahmed)
    for path in ("customers", f"customers/{world['customer']}"):
        etag = client.get(path)["ETag"]
        again, queries = queries_of(lambda path=path, etag=etag: client.get(path, headers={"If-None-Match": etag}))
        assert (again.status_code, again.content, again["ETag"], queries) == (304, b"", etag, 0)
        assert again["Cache-Control"] == "private, no-cache" and again["Vary"].startswith("Authorization")


def test_every_key_lives_for_a_time_and_says_nothing_about_anybody(as_, layla, world, store):
    as_(layla).get("customers", {"search": "0551234567"})
    as_(layla).get("customers/0551234567")
    as_(layla).get(f"customers/{world['customer']}")
    keys = store.keys("hub:cache:*")
    assert len(entries(store)) == 2
    assert all(0 < store.ttl(key) <= 2 * 3600 for key in keys)
    assert not any(text in key for key in keys for text in (b"55123", world["customer"].encode()))


@pytest.mark.parametrize("path", ["customers?deleted=only", "customers?deleted[]=only", "employees?includeStats=true",
                                  "customers?stage=nonsense", "customers/cust_nobody", "organization"])  # fmt: skip
def test_deleted_ones_errors_and_what_changes_all_the_time_are_not_kept(as_, layla, world, store, path):
    as_(layla).get(path)
    assert entries(store) == []


def test_a_body_that_asks_is_never_kept(as_, layla, world, store):
    data_of(as_(layla).post("customers/search", {"query": "محمد"}))
    data_of(as_(layla).post("customers/query", {"filters": {}}))
    assert entries(store) == []


def test_an_answer_that_is_too_large_is_not_kept(as_, layla, world, store, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST_BYTES", 100)
    data_of(as_(layla).get("customers"))
    assert entries(store) == []


# --- For whom -------------------------------------------------------------------------------------


def test_nobody_gets_what_was_kept_of_another(as_, world, store, layla, fatima, ahmed, omar, huda, noura):
    second = make_employee(layla.organization, "سارة Sara", Role.ADMIN)
    rival = make_employee(layla.organization, "ماجد Majed", Role.SALES_MANAGER, fatima.team)
    cast = [layla, second, fatima, rival, ahmed, omar, huda, noura]
    clients = [*map(as_, cast), *(as_(one, language="ar") for one in (layla, ahmed, noura))]
    for client in clients:
        answers(client, world)
    kept = [answers(client, world) for client in clients]
    for client, found in zip(clients, kept, strict=True):
        store.flushdb()
        assert answers(client, world) == found, client.employee


def test_a_whole_national_id_is_for_those_who_may_see_it_whoever_read_first(as_, layla, huda, world):
    key = Customer.objects.get(assigned_employee=huda).pk
    for _ in range(2):
        assert data_of(as_(layla).get(f"customers/{key}"))["customer"]["nationalId"] == "1012345678"
        assert data_of(as_(huda).get(f"customers/{key}"))["customer"]["nationalId"] == "******5678"


def test_whoever_loses_a_right_loses_what_was_kept_with_it(as_, layla, ahmed, world):
    client = as_(ahmed)
    assert data_of(client.get(f"customers/{world['customer']}"))["customer"]["nationalId"] == "1098765432"
    data_of(as_(layla).patch(f"employees/{ahmed.pk}", {"roleKey": "viewer"}))
    assert data_of(client.get(f"customers/{world['customer']}"))["customer"]["nationalId"] == "******5432"


# --- Until when -----------------------------------------------------------------------------------


def by(employee, method, path, body=None):
    def write(world, **_):
        response = getattr(HubClient(employee), method)(path.format(**world), **({"body": body} if body else {}))
        assert response.status_code < 300, response.content

    return write


def test_every_write_shows_in_the_next_read_of_everybody(
    as_, world, store, clock, layla, fatima, ahmed, omar, tmp_path
):
    customer, later = "customers/{customer}", (clock.now + timedelta(days=2)).isoformat()
    sheet = tmp_path / "customers.csv"
    sheet.write_text("name,phone,source\nهند,0551112223,manual\n")
    reminder = {"title": "اتصال", "type": "follow_up", "datetime": later}
    visit = {"type": "call", "direction": "outbound"}
    writes = {
        "a change": by(ahmed, "patch", customer, {"notes": "جديد"}),
        "a stage": by(ahmed, "patch", customer + "/stage", {"toStage": "property_matching"}),
        "a consent": by(ahmed, "post", customer + "/consents", {"purpose": "marketing", "status": "granted"}),
        "a reminder": by(ahmed, "post", customer + "/reminders", reminder),
        "an interaction": by(ahmed, "post", customer + "/interactions", visit),
        "compliance": by(ahmed, "patch", customer + "/compliance/mortgage-info", {"status": MortgageStatus.values[0]}),
        "a document": lambda _world, **_: data_of(upload(as_(ahmed), Customer.objects.get(pk=world["customer"]), pdf()),
                                                  201),
        "a note": by(ahmed, "post", "customers/actions/{action}/notes", {"content": "اتصل ثانية"}),
        "a snooze": by(ahmed, "post", "customers/actions/{action}/snooze", {"snoozedUntil": later}),
        "a restored one": by(ahmed, "post", "customers/actions/{action}/restore"),
        "a completed one": by(ahmed, "post", "customers/actions/{action}/complete"),
        "a new action": lambda _world, **_: make_action(omar, Customer.objects.get(assigned_employee=omar)),
        "many tags": by(layla, "post", "customers/bulk",
                        {"customerIds": [world["customer"]], "operation": "tags", "addTags": ["vip"]}),
        "a hand-over": by(layla, "post", customer + "/assign", {"employeeId": fatima.pk}),
        "a listing": by(layla, "patch", "listings/{listing}", {"price": 950000}),
        "an archived listing": by(layla, "delete", "listings/{listing}"),
        "a name": by(layla, "patch", "employees/{employee}", {"name": "أحمد علي"}),
        "a setting": by(layla, "patch", "organization", {"commissionRate": 5}),
        "medians": lambda _world, **_: leave_stages(layla),
        "an import": lambda _world, **_: call_command("import_customers", str(sheet),
                                                      organization=layla.organization_id, verbosity=0),
        "an employee who leaves": by(layla, "post", "employees/" + omar.pk + "/deactivate", {}),
        "a deleted customer": by(layla, "delete", customer),
        "a restored customer": by(layla, "post", customer + "/restore"),
        "a removed customer": by(layla, "delete", customer + "?permanent=true"),
    }  # fmt: skip
    readers = [as_(layla), as_(ahmed)]
    paths = [path for path in READS if "?" not in path and path.count("/") != 2]
    paths += ["customers/{customer}/timeline", "customers/{customer}/compliance"]
    before = [answers(client, world, paths) for client in readers]
    for name, write in writes.items():
        write(world)
        after = [answers(client, world, paths) for client in readers]
        assert after != before, name
        store.flushdb()
        before = [answers(client, world, paths) for client in readers]
        for shown, true in zip(after, before, strict=True):
            assert {path: shown[path] for path in shown if shown[path] != true[path]} == {}, name


def leave_stages(layla):
    """Five customers who stayed for a while, and the medians that this makes."""
    for _ in range(5):
        customer = make_customer(layla, stage="new_lead")
        customer.stage_history.update(changed_at=customer.created_at - timedelta(days=9))
        customers.change_stage(customer, actor=layla, to_stage="qualified")
    customer_refreshing.refresh()


def test_counts_that_are_set_right_show(as_, layla, world):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM action_counts")
    for _ in range(2):
        assert data_of(as_(layla).get("customers/actions/stats"))["stats"]["pending"] == 0
    action_refreshing.refresh()
    assert data_of(as_(layla).get("customers/actions/stats"))["stats"]["pending"] == 1


def test_what_wakes_by_the_clock_shows_from_its_minute_on(as_, ahmed, world, clock):
    client, asleep = as_(ahmed), {"snoozedUntil": (clock.now + timedelta(minutes=1)).isoformat()}
    data_of(client.post(f"customers/actions/{world['action']}/snooze", asleep))
    path = "customers/actions?status=pending"
    for _ in range(2):
        assert data_of(client.get(path))["actions"] == []
        assert data_of(client.get("customers/actions/stats"))["stats"]["pending"] == 0
    clock.move(minutes=1)
    assert [action["id"] for action in data_of(client.get(path))["actions"]] == [world["action"]]
    assert data_of(client.get("customers/actions/stats"))["stats"]["pending"] == 1
    assert actions.wake_snoozed() == 1
    assert data_of(client.get(f"customers/actions/{world['action']}"))["action"]["status"] == "pending"


def test_what_does_not_tell_the_time_is_kept_beyond_its_minute(as_, layla, world, clock):
    client = as_(layla)
    for path, queries in (("employees", 0), ("customers?fields=name", 0), ("customers/stats", 1)):
        client.get(path)
        clock.move(minutes=1)
        assert min(queries_of(lambda path=path: client.get(path))[1], 1) == queries, path


def test_a_reader_who_began_before_a_write_leaves_nothing_stale(as_, layla, ahmed, world, monkeypatch):
    client, path, rendered = as_(layla), f"customers/{world['customer']}", HubViewSet.rendered

    def overtaken(self, response):
        monkeypatch.setattr(HubViewSet, "rendered", rendered)
        answer = rendered(self, response)
        customers.update_customer(Customer.objects.get(pk=world["customer"]), actor=ahmed, values={"notes": "لاحق"})
        return answer

    monkeypatch.setattr(HubViewSet, "rendered", overtaken)
    assert "notes" not in data_of(client.get(path))["customer"]
    assert data_of(client.get(path))["customer"]["notes"] == "لاحق"


# --- When Redis forgets or is away ----------------------------------------------------------------


class Away:
    """A breaker that is open."""

    def call(self, use, **options):
        raise RedisAway


def test_a_lost_generation_makes_void_what_was_made_under_it(as_, layla, world, store):
    client = as_(layla)
    data_of(client.get("customers"))
    Customer.objects.update(name="يوسف")
    assert "يوسف" not in client.get("customers").content.decode()
    generations = [key for key in store.keys("hub:cache:*") if b":=" not in key]
    for key in generations:
        store.delete(key)
        Customer.objects.update(name=f"يوسف {key.decode()}")
        shown = data_of(client.get("customers"))["customers"]
        if key in (b"hub:cache:all", f"hub:cache:{layla.organization_id}".encode()):
            assert {customer["name"] for customer in shown} == {f"يوسف {key.decode()}"}


def test_a_write_that_redis_did_not_hear_of_shows_while_it_is_away_and_when_it_is_back(as_, layla, world, monkeypatch):
    client, path = as_(layla), f"customers/{world['customer']}"
    monkeypatch.setattr(cache._debt, "_collect", lambda: None)
    data_of(client.get(path))
    with monkeypatch.context() as away:
        away.setattr(cache, "breaker", Away())
        data_of(client.patch(path, {"notes": "أثناء الانقطاع"}))
        assert data_of(client.get(path))["customer"]["notes"] == "أثناء الانقطاع"
    assert data_of(client.get(path))["customer"]["notes"] == "أثناء الانقطاع"
    assert queries_of(lambda: client.get(path))[1] == 0


def test_what_is_owed_is_paid_without_a_reader(as_, layla, world, store, monkeypatch):
    monkeypatch.setattr(cache.time, "sleep", lambda seconds: None)
    data_of(as_(layla).get("customers"))
    before = store.get("hub:cache:all")
    with monkeypatch.context() as away:
        away.setattr(cache, "breaker", Away())
        data_of(as_(layla).patch(f"customers/{world['customer']}", {"notes": "جديد"}))
    cache._debt.collector.join(20)
    assert store.get("hub:cache:all") not in (None, before)


def test_what_is_owed_is_paid_while_the_breaker_is_open_and_closes_it(as_, layla, world, store, monkeypatch):
    client, path = as_(layla), f"customers/{world['customer']}"
    data_of(client.get(path))
    before = store.get("hub:cache:all")
    monkeypatch.setattr(breaker, "_open_until", time.monotonic() + 3600)
    data_of(client.patch(path, {"notes": "جديد"}))
    cache._debt.collector.join(20)
    assert store.get("hub:cache:all") not in (None, before)
    assert data_of(client.get(path))["customer"]["notes"] == "جديد"
    assert queries_of(lambda: client.get(path))[1] == 0


def test_what_the_process_before_owed_is_paid_without_a_reader(as_, layla, store, monkeypatch):
    data_of(as_(layla).get("customers"))
    before = store.get("hub:cache:all")
    monkeypatch.setattr(cache, "_debt", cache._Debt())
    cache.settle_soon()
    cache._debt.collector.join(20)
    assert store.get("hub:cache:all") not in (None, before)


# --- At once --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_equal_reads_at_once_one_is_made_and_a_bulk_write_is_told_of_once(layla, monkeypatch):
    clients, waiting, made, found = [HubClient(layla), HubClient(layla)], threading.Event(), [], []
    real = HubViewSet.rendered

    class Watched(Future):
        def result(self, timeout=None):
            waiting.set()
            return super().result(timeout)

    def other():
        found.append(data_of(clients[1].get("customers/stats")))
        connection.close()

    def first(self, response):
        made.append(1)
        if len(made) == 1:
            thread.start()
            assert waiting.wait(20)
        return real(self, response)

    thread = threading.Thread(target=other)
    monkeypatch.setattr(cache, "Future", Watched)
    monkeypatch.setattr(HubViewSet, "rendered", first)
    shown = data_of(clients[0].get("customers/stats"))
    thread.join(20)
    assert (found, made) == ([shown], [1])

    begun, begin = [], cache._begin
    keys = [make_action(layla, make_customer(layla)).pk for _ in range(3)]
    monkeypatch.setattr(cache, "_begin", lambda redis, names, **how: begun.append(names) or begin(redis, names, **how))
    data_of(clients[0].post("customers/actions/bulk/complete", {"actionIds": keys}))
    assert len(begun) == 1
    assert CustomerAction.objects.filter(status="completed").count() == 3
