"""What requests are answered when PostgreSQL or Valkey is away: real servers, stopped, killed and frozen."""

from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.slow

THREADS = 4
ORIGIN = "http://localhost:3000"
PHONE = "+966555000111"


@pytest.fixture
def token(hub):
    return hub.sign_in()


def together(hub, count, method="GET", path="customers", body=None, **options):
    """The answers of as many requests at once."""
    with ThreadPoolExecutor(count) as pool:
        calls = [pool.submit(hub.call, method, path, body, **options) for _ in range(count)]
        return [call.result() for call in calls]


def statuses(answers):
    return {answer.status for answer in answers}


def test_a_database_that_hangs_is_a_503_within_eight_seconds_and_what_only_waited_is_never_done(hub, token):
    assert statuses(together(hub, 3 * THREADS, token=token)) == {200}
    arabic = {"Accept-Language": "ar", "Origin": ORIGIN, "X-Request-ID": "hung-1"}
    body = {"name": "سلمان", "phone": PHONE, "source": "inquiry"}

    with ThreadPoolExecutor(2 * THREADS) as pool, hub.frozen("postgres"):
        holding = [pool.submit(hub.call, "GET", "customers", token=token) for _ in range(THREADS)]
        alive = [hub.call("GET", "/healthz") for _ in range(5)]
        waiting = [pool.submit(hub.call, "POST", "customers", body, token=token, headers=arabic) for _ in range(2)]
        ready = hub.call("GET", "/readyz")
        late = [call.result() for call in holding + waiting]
        refused_soon = hub.call("GET", "customers", token=token)
        still_alive = hub.call("GET", "/healthz")

    assert statuses(late) == {503} and all(7.5 < answer.seconds < 9 for answer in late)
    assert refused_soon.status == 503 and refused_soon.seconds < 3
    assert statuses([*alive, still_alive]) == {200}
    assert all(answer.seconds < 1 for answer in [*alive, still_alive])
    assert (ready.status, ready.json()) == (503, {"postgresql": "away", "redis": "ok"}) and ready.seconds < 2.5
    told = late[-1]
    assert told.json()["error"] == {"code": "DATABASE_ERROR", "message": told.json()["message"]}
    assert told.json()["meta"]["requestId"] == told.headers["x-request-id"] == "hung-1"
    assert (told.headers["retry-after"], told.headers["access-control-allow-origin"]) == ("5", ORIGIN)

    assert statuses(together(hub, 2 * THREADS, token=token)) == {200}
    assert hub.sql("SELECT count(*) FROM customers WHERE phone = %s", PHONE) == [(0,)]
    assert hub.call("GET", "/readyz").status == 200


def test_a_database_that_is_stopped_is_a_503_within_three_seconds_and_back_for_the_next_request(hub, token):
    never_met = hub.sign_in("agent2@hub.test")
    hub.stop("postgres")
    try:
        away = together(hub, 2 * THREADS, token=token) + together(hub, 2 * THREADS, token=never_met)
        ready = hub.call("GET", "/readyz")
    finally:
        hub.start("postgres")
    back = hub.call("GET", "customers", token=token)

    assert statuses(away) == {503} and all(answer.seconds < 3 for answer in away)
    assert {answer.json()["error"]["code"] for answer in away} == {"DATABASE_ERROR"}
    assert ready.json() == {"postgresql": "away", "redis": "ok"}
    assert back.status == 200
    assert statuses(together(hub, 4 * THREADS, token=token)) == {200}


def refused_sign_ins(hub, email):
    """How many of fifteen wrong sign-ins of one account are refused unread; ten may come at once."""
    body = {"email": email, "password": "wrong"}
    answers = [answer for _ in range(3) for answer in together(hub, 5, "POST", "auth/login", body)]
    return [answer.status for answer in answers].count(429)


def test_valkey_that_hangs_costs_half_a_second_at_most_and_sign_ins_stay_limited(hub, token):
    usual = max(answer.seconds for answer in together(hub, 5, token=token))

    with hub.frozen("valkey"):
        answers = [hub.call("GET", path, token=token) for path in ("customers", "customers/stats", "employees") * 4]
        refused = refused_sign_ins(hub, "hung@hub.test")
        ready = hub.call("GET", "/readyz")

    assert statuses(answers) == {200} and max(answer.seconds for answer in answers) < usual + 0.5
    assert refused > 0
    assert (ready.status, ready.json()) == (200, {"postgresql": "ok", "redis": "away"}) and ready.seconds < 2.5


def test_valkey_that_is_killed_is_not_missed_and_found_again(hub, token):
    hub.kill("valkey")
    try:
        answers = [hub.call("GET", "customers", token=token) for _ in range(10)]
        refused = refused_sign_ins(hub, "killed@hub.test")
        ready = hub.call("GET", "/readyz")
    finally:
        hub.start("valkey")

    assert statuses(answers) == {200} and max(answer.seconds for answer in answers) < 1
    assert refused > 0
    assert ready.json() == {"postgresql": "ok", "redis": "away"}
    assert hub.call("GET", "/readyz").json() == {"postgresql": "ok", "redis": "ok"}
    body = {"email": "back@hub.test", "password": "wrong"}
    hub.wait_for(lambda: hub.call("POST", "auth/login", body).status and hub.redis().keys("hub:limit:*"), seconds=15)


def test_a_web_process_makes_void_what_the_one_before_may_have_left_without_waiting_for_a_reader(hub, token):
    hub.call("GET", "customers", token=token)
    before = hub.redis().get("hub:cache:all")
    hub.kill("web")
    hub.start("web")
    hub.wait_for(lambda: hub.redis().get("hub:cache:all") not in (None, before), seconds=10)


def test_sign_ins_by_the_dozen_hold_nobody_up_who_has_signed_in(hub, token):
    bodies = [{"email": f"nobody{number}@hub.test", "password": "wrong"} for number in range(20)]
    with ThreadPoolExecutor(len(bodies)) as pool:
        signing_in = [pool.submit(hub.call, "POST", "auth/login", body) for body in bodies]
        answers = [hub.call("GET", "customers", token=token) for _ in range(5)]
        refused = [call.result() for call in signing_in]

    assert statuses(answers) == {200}
    assert statuses(refused) <= {401, 503} and 401 in statuses(refused)


def test_the_description_of_the_api_is_read_by_the_dozen_and_holds_nobody_up(hub, token):
    with ThreadPoolExecutor(8) as pool:
        reading = [pool.submit(hub.call, "GET", "schema") for _ in range(8)]
        answers = [hub.call("GET", "customers", token=token) for _ in range(5)]
        texts = {call.result().body for call in reading}

    assert statuses(answers) == {200} and len(texts) == 1
