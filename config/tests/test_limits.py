"""How often employees may call: by role, category and burst, counted for each employee, told in every answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import OperationalError
from django_redis import get_redis_connection
from redis.exceptions import ConnectionError as RedisAway

from config import breaker
from config.testing import HubClient, data_of, error_of, make_action, make_customer
from config.tests.serving import served
from documents.tests.files import upload
from employees import authentication
from employees import services as employees
from employees.choices import Role
from employees.roles import PERMISSIONS

pytestmark = pytest.mark.usefixtures("limits")

# By role: calls a minute and burst of read, write and bulk.
ROLES = {
    "layla": {"read": (200, 300), "write": (100, 166), "bulk": (50, 75)},
    "fatima": {"read": (150, 225), "write": (50, 83), "bulk": (20, 30)},
    "ahmed": {"read": (100, 150), "write": (30, 50), "bulk": (10, 15)},
    "huda": {"read": (50, 75)},
}
EVERYBODY = {"search": (20, 30), "upload": (5, 10)}


def told(response):
    """`(limit, remaining)` of an answer."""
    return int(response["X-RateLimit-Limit"]), int(response["X-RateLimit-Remaining"])


# However slow the machine is, nothing has come back before a test asks.
SLACK_SECONDS = 3


def use_up(who, category, per_minute, burst):
    """Let an employee or an address have used a bucket's burst, and a little more, this very moment."""
    full_again = time.time() + burst * 60 / per_minute + SLACK_SECONDS
    get_redis_connection("default").set(f"hub:limit:{category}:{getattr(who, 'pk', who)}", full_again, ex=600)


@pytest.fixture
def calls(as_, layla, ahmed):
    """A call of each category, as whom it is asked."""
    customer, listed = make_customer(ahmed, assigned_employee_id=ahmed.pk), {"actionIds": ["action_none"]}
    action = make_action(layla, customer)
    bulk = {"customerIds": ["cust_none"], "operation": "priority", "priority": "low"}
    return {
        "read": lambda who: as_(who).get("customers"),
        "write": lambda who: as_(who).post(f"customers/actions/{action.pk}/notes", {"content": "ملاحظة"}),
        "bulk": lambda who: as_(who).post("customers/bulk", bulk),
        "bulk of actions": lambda who: as_(who).post("customers/actions/bulk/complete", listed),
        "search": lambda who: as_(who).post("customers/search", {"query": "محمد"}),
        "query": lambda who: as_(who).post("customers/query", {}),
        "upload": lambda who: upload(as_(who), customer),
    }


@pytest.mark.parametrize("name", ROLES)
def test_each_role_has_its_own_limit_in_each_category(calls, request, name):
    who = request.getfixturevalue(name)
    for category, (per_minute, burst) in {**ROLES[name], **EVERYBODY}.items():
        if name == "huda" and category == "upload":
            continue
        assert told(calls[category](who)) == (per_minute, burst - 1)


def test_a_call_counts_in_its_category_alone(calls, ahmed):
    left = {"read": 150, "write": 50, "bulk": 15, "search": 30, "upload": 10}
    category_of = {"bulk of actions": "bulk", "query": "search"}
    for name, call in calls.items():
        category = category_of.get(name, name)
        left[category] -= 1
        assert told(call(ahmed))[1] == left[category]
    assert left == {"read": 149, "write": 49, "bulk": 13, "search": 28, "upload": 9}


@pytest.mark.parametrize("category", ["read", "write", "bulk", "search", "upload"])
def test_past_the_burst_a_call_is_refused_and_changes_nothing(calls, ahmed, category):
    per_minute, burst = {**ROLES["ahmed"], **EVERYBODY}[category]
    use_up(ahmed, category, per_minute, burst)
    response = calls[category](ahmed)
    error = error_of(response, 429, "RATE_LIMIT_EXCEEDED")
    assert error["message"] == "Rate limit exceeded. Please try again later."
    assert (error["details"]["limit"], error["details"]["remaining"]) == (per_minute, 0)
    reset = datetime.fromisoformat(error["details"]["resetAt"]).timestamp()
    assert abs(reset - time.time() - burst * 60 / per_minute) < 5
    assert abs(int(response["X-RateLimit-Reset"]) - reset) <= 1
    assert told(response) == (per_minute, 0)
    assert 1 <= int(response["Retry-After"]) <= 60 // per_minute + 1 + SLACK_SECONDS


def test_after_the_seconds_that_it_names_one_call_succeeds_and_no_second(as_, ahmed):
    use_up(ahmed, "search", 20, 30)
    client, redis = as_(ahmed), get_redis_connection("default")
    seconds = int(client.post("customers/search", {"query": "م"})["Retry-After"])
    key = f"hub:limit:search:{ahmed.pk}"
    redis.set(key, float(redis.get(key)) - seconds)
    data_of(client.post("customers/search", {"query": "م"}))
    error_of(client.post("customers/search", {"query": "م"}), 429)


def test_two_employees_share_no_bucket_and_two_sessions_of_one_do(as_, ahmed, omar):
    assert told(as_(ahmed).get("customers"))[1] == 149
    assert told(as_(ahmed).get("customers/stats"))[1] == 148
    assert told(as_(omar).get("customers"))[1] == 149
    use_up(ahmed, "read", 100, 150)
    error_of(as_(ahmed).get("auth/me"), 429)
    data_of(as_(omar).get("auth/me"))


def test_a_refusal_asks_the_database_nothing(as_, ahmed, django_assert_num_queries):
    client = as_(ahmed)
    client.get("auth/me")
    for category, (per_minute, burst) in ROLES["ahmed"].items():
        use_up(ahmed, category, per_minute, burst)
    with django_assert_num_queries(0):
        error_of(client.get("customers"), 429)
        error_of(client.post("customers", {"name": "x"}), 429)
        error_of(client.post("customers/actions/bulk", {}), 429)


def test_every_answer_to_an_employee_tells_the_limit(as_, ahmed, clock):
    client, customer = as_(ahmed), make_customer(ahmed)
    tag = client.get(f"customers/{customer.pk}")["ETag"]
    stale = {"HTTP_IF_MATCH": '"9-0"'}
    answers = [
        (client.get(f"customers/{customer.pk}", HTTP_IF_NONE_MATCH=tag), 304, (100, 148)),
        (client.get("customers", {"limit": "0"}), 400, (100, 147)),
        (client.get("customers/cust_none"), 404, (100, 146)),
        (client.patch("customers"), 405, (100, 145)),
        (client.patch(f"customers/{customer.pk}", {}), 200, (30, 49)),
        (client.post("customers", {}), 400, (30, 48)),
        (client.generic("POST", "/api/v1/customers", "x", content_type="text/plain"), 415, (30, 47)),
        (client.post("customers", {"name": "x", "phone": customer.phone}), 409, (30, 46)),
        (client.patch(f"customers/{customer.pk}", {"notes": "x"}, **stale), 412, (30, 45)),
        # Refused before it is counted.
        (client.delete(f"customers/{customer.pk}"), 403, (30, 45)),
        (client.get("customers", headers={"X-Organization-ID": "org_none"}), 403, (100, 145)),
        # Refused for what its query asks for.
        (client.get("customers", {"deleted": "only"}), 403, (100, 144)),
    ]
    for response, status, limit in answers:
        assert (response.status_code, told(response)) == (status, limit)
        assert int(response["X-RateLimit-Reset"]) >= int(time.time())


def test_the_writes_of_viewers_are_refused_for_their_role_and_never_for_their_number(as_, huda, monkeypatch):
    customer = make_customer(huda, assigned_employee_id=huda.pk)
    assert error_of(upload(as_(huda), customer), 403)["details"]["requiredPermission"] == "documents.write"
    assert told(upload(as_(huda), customer)) == (0, 0)
    for _ in range(3):
        response = as_(huda).post("customers", {"name": "x"})
        assert error_of(response, 403)["details"]["requiredPermission"] == "customers.write"
        assert told(response) == (0, 0)
    monkeypatch.setitem(PERMISSIONS, Role.VIEWER, PERMISSIONS[Role.SALES_AGENT])
    error_of(as_(huda).post("customers", {"name": "x"}), 403)


def test_strangers_are_told_nothing(as_, db):
    for response in (as_().get("customers"), as_().get("docs"), as_().post("auth/login", {})):
        assert not [name for name in response.headers if name.startswith("X-RateLimit")]


def test_without_the_database_nobody_is_known_and_it_is_asked_once(as_, ahmed, monkeypatch):
    asked = []

    def refuse(session_ids):
        asked.append(session_ids)
        raise OperationalError("connection refused")

    client = as_(ahmed)
    monkeypatch.setattr(authentication, "live_employees", refuse)
    for count, method in enumerate(("get", "post", "patch", "delete"), 1):
        response = client.call(method, "customers")
        error_of(response, 503, "DATABASE_ERROR")
        assert response["Retry-After"] == "5"
        assert not [name for name in response.headers if name.startswith("X-RateLimit")]
        assert len(asked) == count


def test_without_redis_employees_call_on_and_are_told_of_an_untouched_limit(as_, ahmed, monkeypatch):
    def refuse(*_args, **_options):
        raise RedisAway("refused")

    monkeypatch.setattr(breaker, "get_redis_connection", refuse)
    client = as_(ahmed)
    for _ in range(31):
        response = client.post("customers/query", {})
        data_of(response)
    assert told(response) == (20, 30)


def test_an_address_refreshes_and_signs_out_sixty_times_a_minute(ahmed):
    token = {"refreshToken": employees.sign_in(ahmed)[1]}
    use_up("10.0.0.1", "session:address", 60, 120)
    for path in ("auth/refresh", "auth/logout"):
        response = HubClient().post(path, token, REMOTE_ADDR="10.0.0.1")
        assert error_of(response, 429)["details"]["limit"] == 60
        assert 1 <= int(response["Retry-After"]) <= 1 + SLACK_SECONDS
    data_of(HubClient().post("auth/refresh", token, REMOTE_ADDR="10.0.0.2"))


# --- Against a running server ----------------------------------------------------------------------


@pytest.mark.slow
def test_of_400_parallel_reads_the_burst_and_what_refilled_succeed(transactional_db, ahmed, omar):
    tokens = {who.pk: {"Authorization": f"Bearer {employees.sign_in(who)[0]}"} for who in (ahmed, omar)}
    with served() as server:

        def read(who):
            return server.call("GET", "customers", **tokens[who.pk])

        started = time.time()
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: read(ahmed), range(400)))
            elapsed = time.time() - started
            theirs = list(pool.map(lambda _: read(omar), range(20)))
        passed = sum(status == 200 for status, *_rest in answers)
        refused = [headers for status, headers, _body in answers if status == 429]
        assert passed + len(refused) == 400
        assert 150 <= passed <= 150 + elapsed * 100 / 60 + 1
        assert all(int(headers["Retry-After"]) >= 1 for headers in refused)
        assert [status for status, *_rest in theirs] == [200] * 20

        status, headers, _body = read(ahmed)
        while status == 200:  # what refilled while the other one read
            status, headers, _body = read(ahmed)
        time.sleep(int(headers["Retry-After"]))
        assert read(ahmed)[0] == 200


@pytest.mark.slow
def test_rotating_forwarded_addresses_open_no_more_sign_ins(transactional_db):
    with served() as server:
        body = {"email": "nobody@hub.test", "password": "wrong-password"}
        answers = [
            server.call("POST", "auth/login", body, X_Forwarded_For=f"198.51.100.{number}")[0] for number in range(40)
        ]
    assert answers[:10] == [401] * 10
    assert answers.count(401) <= 12 and answers.count(429) >= 28
