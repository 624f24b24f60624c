"""`Idempotency-Key`: a POST that is sent again is answered again, and not carried out again."""

import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from config.api import idempotency
from config.models import IdempotencyKey
from config.tasks import prune_idempotency_keys
from config.testing import (
    HubClient,
    at_once,
    data_of,
    error_of,
    fields_of,
    make_action,
    make_customer,
    make_phone,
    nothing_changes,
    one_request,
)
from config.tests.serving import served
from customers.models import Customer
from customers.services import customer as customers
from documents.models import Document
from documents.tasks import purge_id_copies
from documents.tests.files import BOUNDARY, MULTIPART, form, pdf, send
from employees import services as employees

KEY = {"HTTP_IDEMPOTENCY_KEY": "2f9c-0001"}
HEADERS = ("ETag", "Last-Modified", "Location", "Cache-Control")


def new_customer(**values):
    return {"name": "سارة القحطاني", "phone": make_phone(), **values}


def assert_repeats(first, again):
    """That an answer is the other one's, but for what it says of itself."""
    assert (again.status_code, again["Idempotent-Replayed"]) == (first.status_code, "true")
    assert "Idempotent-Replayed" not in first
    before, after = first.json(), again.json()
    assert after["meta"]["requestId"] != before["meta"]["requestId"]
    assert after | {"meta": None} == before | {"meta": None}
    assert [again.get(name) for name in HEADERS] == [first.get(name) for name in HEADERS]


# --- Repeats -----------------------------------------------------------------------------------------


def test_a_repeat_has_the_same_answer_and_changes_nothing(as_, ahmed):
    client, body = as_(ahmed), new_customer()
    first = client.post("customers", body, **KEY)
    key = data_of(first, 201)["customer"]["id"]
    assert (first["Location"], first["ETag"][:3]) == (f"/api/v1/customers/{key}", '"1-')
    client.patch(f"customers/{key}", {"notes": "تغيرت"})
    with nothing_changes():
        assert_repeats(first, client.post("customers", body, **KEY))
        # The same in other words: another session, another order of its fields, another prefix.
        assert_repeats(first, as_(ahmed).post("/v1/customers/", dict(reversed(body.items())), **KEY))


def test_every_kind_of_post_can_be_repeated(as_, layla, ahmed):
    client, customer = as_(layla), make_customer(ahmed)
    action = make_action(layla, customer)
    posts = [
        ("customers/bulk", {"customerIds": [customer.pk], "operation": "tags", "addTags": ["مهم"]}),
        (f"customers/{customer.pk}/interactions", {"type": "call", "direction": "outbound"}),
        (f"customers/{customer.pk}/consents", {"purpose": "marketing", "status": "granted"}),
        (f"customers/{customer.pk}/compliance/brokerage-contracts", {"type": "sale", "startDate": "2030-01-01"}),
        ("customers/actions", {"customerId": customer.pk, "type": "follow_up", "title": "متابعة"}),
        (f"customers/actions/{action.pk}/notes", {"content": "ملاحظة"}),
        ("customers/actions/bulk/complete", {"actionIds": [action.pk], "notes": "تم"}),
        (f"customers/actions/{action.pk}/restore", None),
        ("listings", {"title": "فيلا", "type": "villa", "purpose": "sale", "reference": "R-1"}),
        (f"employees/{ahmed.pk}/deactivate", {}),
    ]
    for number, (path, body) in enumerate(posts):
        key = {"HTTP_IDEMPOTENCY_KEY": f"key-{number}"}
        first = client.post(path, body, **key)
        assert first.status_code in (200, 201), first.json()
        with nothing_changes():
            assert_repeats(first, client.post(path, body, **key))


def test_a_body_that_nobody_reads_does_not_matter(as_, ahmed, layla):
    client, path = as_(ahmed), f"/api/v1/customers/{make_customer(layla).pk}/claim"
    first = client.generic("POST", path, "", content_type="text/plain", **KEY)
    data_of(first)
    assert_repeats(first, client.generic("POST", path, "anything", content_type="text/plain", **KEY))


def test_another_request_under_the_same_key_is_refused(as_, ahmed):
    client, body = as_(ahmed), new_customer()
    data_of(client.post("customers", body, **KEY), 201)
    others = [
        ("customers", {**body, "name": "نورة"}),
        ("customers", {}),
        ("customers?fields=id", body),
        ("listings", body),
        ("customers/actions", body),
    ]
    with nothing_changes():
        for path, other in others[:3] + others[4:]:
            assert fields_of(client.post(path, other, **KEY), 422) == ["Idempotency-Key"]
        error_of(client.post(*others[3], **KEY), 403)  # what is not allowed is not looked up


def test_a_key_belongs_to_one_employee(as_, ahmed, omar, noura):
    for who in (ahmed, omar, noura):
        response = as_(who).post("customers", new_customer(), **KEY)
        data_of(response, 201)
        assert "Idempotent-Replayed" not in response
    assert Customer.objects.count() == IdempotencyKey.objects.count() == 3


def test_a_refusal_is_not_kept(as_, ahmed, layla):
    client, taken = as_(ahmed), make_customer(layla)
    body = new_customer(phone=taken.phone)
    error_of(client.post("customers", {**body, "name": ""}, **KEY), 400)
    error_of(client.post("customers", body, **KEY), 409, "DUPLICATE_RESOURCE")
    customers.delete_customer(taken, actor=layla)
    first = client.post("customers", body, **KEY)
    data_of(first, 201)
    assert_repeats(first, client.post("customers", body, **KEY))


def test_who_has_lost_the_right_gets_no_repeat(as_, layla, ahmed):
    body = new_customer()
    data_of(as_(ahmed).post("customers", body, **KEY), 201)
    employees.update_employee(ahmed, actor=layla, role="viewer")
    error_of(as_(ahmed).post("customers", body, **KEY), 403)


@pytest.mark.parametrize("key", ["", "a b", "مفتاح", "a\tb", "é", "x" * 256])
def test_a_key_is_visible_ascii(as_, ahmed, key):
    with nothing_changes():
        response = as_(ahmed).post("customers", new_customer(), HTTP_IDEMPOTENCY_KEY=key)
        assert fields_of(response) == ["Idempotency-Key"]


def test_a_key_may_be_as_long_as_255_characters(as_, ahmed):
    data_of(as_(ahmed).post("customers", new_customer(), HTTP_IDEMPOTENCY_KEY='!"~' + "x" * 252), 201)


def test_a_key_means_nothing_where_nothing_is_made(as_, ahmed):
    client, customer, bad = as_(ahmed), make_customer(ahmed), {"HTTP_IDEMPOTENCY_KEY": "a b"}
    for _ in range(2):
        assert client.patch(f"customers/{customer.pk}", {"notes": "ملاحظة"}, **bad).status_code == 200
        assert client.post("customers/search", {"query": "محمد"}, **bad).status_code == 200
        assert client.post("customers/query", {}, **bad).status_code == 200
        assert client.get("customers", **bad).status_code == 200
        error_of(HubClient().post("auth/login", {"email": "a@b.co", "password": "x"}, **bad), 401)
    assert not IdempotencyKey.objects.exists()


def test_the_rest_of_the_request_waits_for_locks_as_long_as_ever(as_, ahmed, monkeypatch):
    create, seen = customers.create_customer, []

    def watched(**options):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            seen.append(cursor.fetchone()[0])
        return create(**options)

    monkeypatch.setattr(customers, "create_customer", watched)
    data_of(as_(ahmed).post("customers", new_customer(), **KEY), 201)
    assert seen == ["0"]


# --- Files ---------------------------------------------------------------------------------------------


def test_a_form_is_the_same_whatever_its_boundary_and_its_link_is_fresh(as_, ahmed):
    client, customer, body = as_(ahmed), make_customer(ahmed), form(pdf(), "عقد.pdf", tags=["أ", "ب"])
    first = send(client, customer, body, **KEY)
    kept = data_of(first, 201)["document"]
    redrawn = body.replace(BOUNDARY.encode(), b"other")
    again = send(client, customer, redrawn, "multipart/form-data; boundary=other", **KEY)
    assert again["Idempotent-Replayed"] == "true"
    repeated = data_of(again, 201)["document"]
    assert repeated | {"fileUrl": ""} == kept | {"fileUrl": ""}
    assert HubClient().get(repeated["fileUrl"].removeprefix("http://testserver")).status_code == 200
    with nothing_changes():
        for other in (form(pdf() + b"\n", "عقد.pdf", tags=["أ", "ب"]), form(pdf(), "عقد.pdf", tags=["أ"])):
            assert fields_of(send(client, customer, other, MULTIPART, **KEY), 422) == ["Idempotency-Key"]
    assert Document.objects.count() == 1


# --- Forgetting ------------------------------------------------------------------------------------------


def test_what_is_removed_for_good_is_forgotten_and_not_made_again(as_, layla, ahmed):
    client, body = as_(layla), new_customer(name="كناري")
    other = new_customer()
    data_of(client.post("customers", other, HTTP_IDEMPOTENCY_KEY="other"), 201)
    key = data_of(client.post("customers", body, HTTP_IDEMPOTENCY_KEY="0"), 201)["customer"]["id"]
    action = make_action(layla, Customer.objects.get(pk=key))
    posts = [
        ("customers", body),
        (f"customers/{key}/reminders", {"title": "كناري", "datetime": "2099-01-01T10:00:00Z"}),
        (f"customers/actions/{action.pk}/notes", {"content": "كناري"}),
        (f"customers/actions/{action.pk}/complete", {}),
    ]
    for number, (path, sent) in enumerate(posts):
        assert client.post(path, sent, HTTP_IDEMPOTENCY_KEY=str(number)).status_code in (200, 201)
    assert IdempotencyKey.objects.filter(data__contains="كناري").count() == 4
    data_of(client.delete(f"customers/{key}?permanent=true"))
    assert not IdempotencyKey.objects.filter(data__contains="كناري").exists()
    assert IdempotencyKey.objects.filter(data=None).count() == 4
    with nothing_changes():
        error_of(client.post("customers", body, HTTP_IDEMPOTENCY_KEY="0"), 409, "CONFLICT")
        again = client.post("customers", other, HTTP_IDEMPOTENCY_KEY="other")
        assert again["Idempotent-Replayed"] == "true"


def test_of_ids_that_begin_alike_only_the_removed_one_is_forgotten(as_, layla):
    client, path = as_(layla), "customers/{}/consents"
    for key in ("cust_1", "cust_10"):
        make_customer(layla, id=key)
        sent = {"purpose": "marketing", "status": "granted"}
        data_of(client.post(path.format(key), sent, HTTP_IDEMPOTENCY_KEY=key), 201)
    data_of(client.delete("customers/cust_1?permanent=true"))
    assert list(IdempotencyKey.objects.filter(data=None).values_list("key", flat=True)) == ["cust_1"]


def test_a_copy_of_an_id_that_leaves_by_age_is_forgotten(as_, ahmed, organization):
    customer = make_customer(ahmed)
    data_of(send(as_(ahmed), customer, form(pdf(), "هوية.pdf", type="id_copy"), **KEY), 201)
    organization.id_copy_days = 1
    organization.save()
    Document.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert purge_id_copies() == 1
    assert IdempotencyKey.objects.get().data is None


def test_a_key_is_kept_for_a_day(as_, ahmed, clock):
    client, body = as_(ahmed), new_customer()
    data_of(client.post("customers", body, **KEY), 201)
    clock.move(hours=23, minutes=59)
    assert prune_idempotency_keys() == 0
    assert as_(ahmed).post("customers", body, **KEY)["Idempotent-Replayed"] == "true"
    clock.move(minutes=2)
    assert prune_idempotency_keys() == 1
    error_of(as_(ahmed).post("customers", body, **KEY), 409, "DUPLICATE_RESOURCE")


# --- At the same time ----------------------------------------------------------------------------------------


def test_of_twenty_parallel_repeats_one_is_carried_out_and_all_get_its_answer(transactional_db, ahmed):
    body = new_customer()
    answers = at_once(*(one_request(ahmed, "post", "customers", body, **KEY) for _ in range(20)))
    customer = Customer.objects.get()
    assert [data_of(answer, 201)["customer"]["id"] for answer in answers] == [customer.pk] * 20
    assert len({answer["ETag"] for answer in answers}) == len({str(answer.json()["data"]) for answer in answers}) == 1
    assert sorted(answer.get("Idempotent-Replayed", "") for answer in answers) == [""] + ["true"] * 19


def test_a_repeat_does_not_wait_for_ever(transactional_db, ahmed, monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.1)
    client, body = HubClient(ahmed), new_customer()
    with transaction.atomic():  # the first one, still running
        IdempotencyKey.objects.create(employee_id=ahmed.pk, organization_id="", key="k", path="", fingerprint="")
        (answer,) = at_once(lambda: client.post("customers", body, HTTP_IDEMPOTENCY_KEY="k"))
        error = error_of(answer, 409, "CONFLICT")
        assert error["message"] == "The first request with this key is still being carried out"
        assert answer["Retry-After"] == "1"
        transaction.set_rollback(True)
    first = client.post("customers", body, HTTP_IDEMPOTENCY_KEY="k")  # which broke off
    data_of(first, 201)
    assert_repeats(first, client.post("customers", body, HTTP_IDEMPOTENCY_KEY="k"))


def test_the_loser_of_a_deadlock_is_tried_again_with_its_key(transactional_db, ahmed, monkeypatch):
    create, tries = customers.create_customer, []

    def loses_once(**options):
        customer = create(**options)
        tries.append(customer)
        if len(tries) == 1:
            raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected()
        return customer

    monkeypatch.setattr(customers, "create_customer", loses_once)
    first = HubClient(ahmed).post("customers", new_customer(), **KEY)
    key = data_of(first, 201)["customer"]["id"]
    assert (len(tries), Customer.objects.get().pk, IdempotencyKey.objects.get().status) == (2, key, 201)


# --- Against a running server ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_post_that_a_crash_interrupts_is_carried_out_once(transactional_db, ahmed):
    body = new_customer()
    headers = {"Authorization": f"Bearer {employees.sign_in(ahmed)[0]}", "Idempotency_Key": "crash"}

    def waiting():
        """How many wait for the table that the test has locked."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'customers'::regclass")
            return cursor.fetchone()[0]

    def post(server, answers):
        try:
            answers.append(server.call("POST", "customers", body, **headers))
        except OSError:
            answers.append(None)

    def until(condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    with served(WEB_STATEMENT_TIMEOUT_MS="60000") as server, served() as other:
        cut_short = []
        caller = threading.Thread(target=post, args=(server, cut_short))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE customers IN SHARE MODE")
            caller.start()
            until(lambda: waiting() == 1)
            started = time.monotonic()
            status, told, envelope = other.call("POST", "customers", body, **headers)
            assert (status, envelope["error"]["code"], told["Retry-After"]) == (409, "CONFLICT", "5")
            assert 4.5 < time.monotonic() - started < 30
            server.kill()
        caller.join()
        assert cut_short == [None]
        answers = [other.call("POST", "customers", body, **headers) for _ in range(3)]
        assert [status for status, *_rest in answers] == [201] * 3
        assert [told.get("Idempotent-Replayed") for _status, told, _body in answers] == [None, "true", "true"]
        assert len({envelope["data"]["customer"]["id"] for *_rest, envelope in answers}) == 1
        assert Customer.objects.count() == 1

        # And one that ends in the very moment of its commit.
        body = new_customer()
        headers["Idempotency_Key"] = "crash-again"
        with served() as server:
            caller = threading.Thread(target=post, args=(server, []))
            caller.start()
            until(lambda: Customer.objects.count() == 2)
            server.kill()
            caller.join()
        status, told, envelope = other.call("POST", "customers", body, **headers)
        assert (status, told["Idempotent-Replayed"], Customer.objects.count()) == (201, "true", 2)
