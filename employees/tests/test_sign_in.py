"""POST /auth/login, POST /login and GET /user: who gets in, in which shape, and how often it may be tried."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import SimpleNamespace

import jwt
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django_redis import get_redis_connection
from redis.exceptions import ConnectionError as RedisAway

from config import breaker
from config.api import throttling
from config.logging import JSONFormatter
from config.testing import HubClient, data_of, error_of, make_employee
from employees import services
from employees.choices import Role

pytestmark = pytest.mark.usefixtures("limits")

PASSWORD = "كلمة سر طويلة جدا 42"


@pytest.fixture
def sara(organization, north):
    return make_employee(
        organization,
        "سارة القحطاني",
        Role.SALES_AGENT,
        north,
        email="sara@hub.test",
        password=PASSWORD,
        name_en="Sara Al-Qahtani",
        phone="+966501234567",
        job_title="Senior Sales Agent",
    )


@pytest.fixture
def hashes(monkeypatch):
    """Counts the password hashes that are computed."""
    counted, encode = [], MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda *args, **options: counted.append(1) or encode(*args, **options)
    )
    return counted


@pytest.fixture
def redis_away(monkeypatch):
    """Redis refuses every connection; counts the tries."""
    tries = []

    def refuse(*args, **options):
        tries.append(1)
        raise RedisAway("refused")

    monkeypatch.setattr(breaker, "get_redis_connection", refuse)
    monkeypatch.setattr(breaker.breaker, "_open_until", 0.0)
    monkeypatch.setattr(throttling, "_local", throttling._LocalBuckets())
    return tries


def sign_in(email="sara@hub.test", password=PASSWORD, path="auth/login", **options):
    return HubClient().post(path, {"email": email, "password": password}, **options)


def claims_of(token):
    return jwt.decode(token, django_settings.JWT_SIGNING_KEY, algorithms=["HS256"])


def without_meta(response):
    return {name: value for name, value in response.json().items() if name != "meta"}


# --- The answer -----------------------------------------------------------------------------------


def test_the_answer_holds_both_tokens_their_lifetime_and_the_profile(sara, organization, north, settings):
    settings.DEMO = False
    data = data_of(sign_in())
    assert set(data) == {"token", "refreshToken", "expiresIn", "user"}
    assert data["expiresIn"] == 900
    assert data["user"] == {
        "id": sara.pk,
        "name": "سارة القحطاني",
        "nameEn": "Sara Al-Qahtani",
        "email": "sara@hub.test",
        "phone": "+966501234567",
        "role": "Senior Sales Agent",
        "roleKey": "sales_agent",
        "isActive": True,
        "teamId": north.pk,
        "organizationId": organization.pk,
        "organizationName": "وساطة الرياض",
        "permissions": sorted(sara.permissions),
    }
    assert data_of(HubClient().get("auth/me", HTTP_AUTHORIZATION=f"Bearer {data['token']}"))["user"] == data["user"]


def test_the_claims_are_those_of_the_specification(sara, organization, settings):
    settings.DEMO = False
    data = data_of(sign_in())
    claims = claims_of(data["token"])
    assert {name: claims[name] for name in ("userId", "email", "role", "organizationId", "permissions")} == {
        "userId": sara.pk,
        "email": "sara@hub.test",
        "role": "sales_agent",
        "organizationId": organization.pk,
        "permissions": sorted(sara.permissions),
    }
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60
    refresh = claims_of(data["refreshToken"])
    assert refresh["exp"] - refresh["iat"] == 14 * 24 * 3600
    assert not {"email", "role", "permissions"} & set(refresh)


def test_in_the_demo_a_token_lives_for_a_day(sara, settings):
    settings.DEMO = True
    data = data_of(sign_in())
    claims = claims_of(data["token"])
    assert data["expiresIn"] == claims["exp"] - claims["iat"] == 86_400


def test_the_answer_is_not_to_be_stored(sara):
    assert sign_in()["Cache-Control"] == "no-store"


@pytest.mark.parametrize("email", ["SARA@HUB.TEST", "Sara@Hub.Test", "  sara@hub.test  ", "sara@hub.test"])
def test_an_email_is_the_same_in_any_case_and_with_spaces_around(sara, email):
    assert data_of(sign_in(email))["user"]["id"] == sara.pk


def test_a_password_is_the_same_however_its_accents_are_composed(organization):
    make_employee(organization, "رينيه", Role.VIEWER, email="rene@hub.test", password="caf\u00e9-au-lait-42")
    data_of(sign_in("rene@hub.test", "cafe\u0301-au-lait-42"))


def test_spaces_belong_to_a_password(sara):
    error_of(sign_in(password=f" {PASSWORD}"), 401)
    error_of(sign_in(password=f"{PASSWORD} "), 401)


def test_a_stale_token_in_the_header_does_not_hinder_signing_in(sara):
    for header in ("Bearer stale", "Bearer", "Basic abc", "nonsense"):
        data = data_of(sign_in(HTTP_AUTHORIZATION=header))
        assert sign_in(path="login", HTTP_AUTHORIZATION=header).status_code == 200
        refresh = {"refreshToken": data["refreshToken"]}
        data_of(HubClient().post("auth/refresh", refresh, HTTP_AUTHORIZATION=header))


def test_a_foreign_organization_header_does_not_hinder_signing_in(sara):
    data_of(sign_in(headers={"X-Organization-ID": "org_of_yesterday"}))


# --- Who does not get in ----------------------------------------------------------------------------


def test_unknown_wrong_inactive_and_without_password_answer_alike_and_cost_the_same(sara, organization, hashes):
    make_employee(organization, "بلا كلمة", Role.ADMIN, email="none@hub.test")
    gone = make_employee(organization, "ذهب", Role.ADMIN, email="gone@hub.test", password=PASSWORD)
    gone.is_active = False
    gone.save()
    tries = {
        "wrong": ("sara@hub.test", "wrong"),
        "unknown": ("nobody@hub.test", PASSWORD),
        "inactive": ("gone@hub.test", PASSWORD),
        "inactive and wrong": ("gone@hub.test", "wrong"),
        "no password set": ("none@hub.test", "!"),
        "unusable hash as password": ("none@hub.test", organization.employees.get(email="none@hub.test").password),
        "not an email": ("سارة", PASSWORD),
        "too long to hash": ("sara@hub.test", PASSWORD + "x" * 300),
    }
    answers, costs = {}, {}
    for what, (email, password) in tries.items():
        hashes.clear()
        response = sign_in(email, password)
        error_of(response, 401, "AUTHENTICATION_FAILED")
        answers[what], costs[what] = without_meta(response), len(hashes)
    expected = {
        "success": False,
        "error": {"code": "AUTHENTICATION_FAILED", "message": "Invalid email or password"},
        "message": "Invalid email or password",
    }
    assert answers == dict.fromkeys(tries, expected)
    assert costs == dict.fromkeys(tries, 1)
    hashes.clear()
    data_of(sign_in())
    assert len(hashes) == 1


def test_a_password_over_256_characters_never_matches(organization):
    long = "ab1!" * 64
    make_employee(organization, "طويل", Role.VIEWER, email="long@hub.test", password=long)
    data_of(sign_in("long@hub.test", long))
    error_of(sign_in("long@hub.test", long + "x"), 401)


def test_no_log_line_holds_the_password_the_email_or_a_token(sara, caplog):
    caplog.set_level("DEBUG")
    data = data_of(sign_in())
    sign_in(password="another-secret")
    HubClient().get("auth/me", HTTP_AUTHORIZATION=f"Bearer {data['token']}")
    lines = "\n".join(JSONFormatter().format(record) for record in caplog.records)
    assert "api/v1/auth/login" in lines
    for secret in (PASSWORD, "another-secret", "sara@hub.test", data["token"], data["refreshToken"]):
        assert secret not in lines


# --- How often it may be tried ------------------------------------------------------------------------


def assert_limited(response, limit):
    error = error_of(response, 429, "RATE_LIMIT_EXCEEDED")
    assert error["message"] == "Rate limit exceeded. Please try again later."
    assert set(error["details"]) == {"limit", "remaining", "resetAt"}
    assert (error["details"]["limit"], error["details"]["remaining"]) == (limit, 0)
    ahead = datetime.fromisoformat(error["details"]["resetAt"]).timestamp() - time.time()
    assert 0 < ahead <= 121
    assert 1 <= int(response["Retry-After"]) <= 60 / limit + 1


def test_an_account_may_be_tried_ten_times_at_once_from_wherever(sara, hashes):
    spellings = ("sara@hub.test", "SARA@hub.test", " sara@hub.test")
    for number in range(10):
        response = sign_in(spellings[number % 3], "wrong", REMOTE_ADDR=f"10.0.0.{number}")
        error_of(response, 401)
    hashes.clear()
    for path in ("auth/login", "login"):
        assert_limited(sign_in(password="wrong", path=path, REMOTE_ADDR="10.0.1.1"), 5)
    assert_limited(sign_in(REMOTE_ADDR="10.0.1.2"), 5)  # the right password too
    assert hashes == []


def test_an_unknown_account_is_limited_like_a_known_one(db):
    for number in range(10):
        error_of(sign_in("nobody@hub.test", REMOTE_ADDR=f"10.0.0.{number}"), 401)
    assert_limited(sign_in("nobody@hub.test", REMOTE_ADDR="10.0.1.1"), 5)


def test_another_account_is_not_held_up(sara, organization):
    make_employee(organization, "ريم", Role.VIEWER, email="reem@hub.test", password=PASSWORD)
    for number in range(11):
        sign_in(password="wrong", REMOTE_ADDR=f"10.0.0.{number}")
    data_of(sign_in("reem@hub.test"))


def use_up(address, tries=50):
    """Let an address have tried so often just now."""
    for _ in range(tries):
        throttling.take(f"signin:address:{address}", services.SIGN_INS_OF_AN_ADDRESS)


def test_an_address_may_try_fifty_times_a_minute_whatever_the_account(sara, hashes):
    use_up("10.0.0.1", 49)
    error_of(sign_in("somebody@hub.test", REMOTE_ADDR="10.0.0.1"), 401)
    hashes.clear()
    assert_limited(sign_in("somebody.else@hub.test", REMOTE_ADDR="10.0.0.1"), 50)
    assert hashes == []
    data_of(sign_in(REMOTE_ADDR="10.0.0.2"))


def test_a_made_up_forwarding_header_opens_no_new_bucket(sara, settings):
    settings.TRUSTED_PROXIES = 0
    use_up("127.0.0.1")
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "X-Client-IP"):
        assert_limited(sign_in("x@hub.test", headers={header: "198.51.100.7"}), 50)


def test_behind_one_proxy_only_what_it_saw_counts(sara, settings):
    settings.TRUSTED_PROXIES = 1
    use_up("198.51.100.7")
    for forged in ("198.51.100.7", "203.0.113.1, 198.51.100.7", "203.0.113.2, 203.0.113.3,198.51.100.7"):
        assert_limited(sign_in("x@hub.test", headers={"X-Forwarded-For": forged}), 50)
    data_of(sign_in(headers={"X-Forwarded-For": "198.51.100.7, 198.51.100.8"}))


@pytest.mark.parametrize("header", [{}, {"X-Forwarded-For": ""}, {"X-Forwarded-For": "198.51.100.7, "}])
def test_without_the_proxys_word_the_peer_counts(sara, settings, header):
    settings.TRUSTED_PROXIES = 1
    use_up("10.0.0.1")
    assert_limited(sign_in("x@hub.test", headers=header, REMOTE_ADDR="10.0.0.1"), 50)
    data_of(sign_in(headers=header, REMOTE_ADDR="10.0.0.2"))


def test_every_twelve_seconds_one_more_try_is_free(sara):
    for _ in range(11):
        response = sign_in(password="wrong")
    assert_limited(response, 5)
    redis = get_redis_connection("default")
    (key,) = redis.keys("hub:limit:signin:account:*")
    redis.set(key, float(redis.get(key)) - 12)
    data_of(sign_in())
    assert_limited(sign_in(), 5)


def test_the_limit_says_nothing_about_the_account_in_redis(sara):
    sign_in()
    assert not [key for key in get_redis_connection("default").keys("*") if b"sara" in key]


def test_of_many_parallel_tries_exactly_the_burst_goes_through(db):
    limit = throttling.Limit(per_minute=5, burst=10)
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda _: throttling.take("test:parallel", limit), range(60)))
    assert sum(verdict.allowed for verdict in verdicts) == 10
    assert sorted(verdict.remaining for verdict in verdicts if verdict.allowed) == list(range(10))


def test_without_redis_tries_are_limited_in_the_process(sara, redis_away, hashes):
    for number in range(10):
        error_of(sign_in(password="wrong", REMOTE_ADDR=f"10.0.0.{number}"), 401)
    hashes.clear()
    assert_limited(sign_in(REMOTE_ADDR="10.0.1.1"), 5)
    assert hashes == []
    assert len(redis_away) < 5  # then it is left alone for a while, but for who waits for its return


def test_without_redis_an_address_is_limited_in_the_process(sara, redis_away):
    use_up("127.0.0.1")
    assert_limited(sign_in(), 50)
    data_of(sign_in(REMOTE_ADDR="10.0.0.2"))


def test_redis_is_asked_again_after_five_seconds(sara, redis_away, monkeypatch):
    clock = SimpleNamespace(now=1_000_000.0)
    fake = SimpleNamespace(time=lambda: clock.now, monotonic=lambda: clock.now)
    monkeypatch.setattr(breaker, "time", fake)
    sign_in()
    sign_in()
    assert len(redis_away) == 1
    clock.now += 5
    sign_in()
    assert len(redis_away) == 2


def test_the_local_limit_refills_like_the_one_in_redis(sara, redis_away, monkeypatch):
    clock = SimpleNamespace(now=time.time())
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: clock.now, monotonic=lambda: clock.now))
    for _ in range(11):
        response = sign_in(password="wrong")
    assert response.status_code == 429 and response["Retry-After"] == "12"
    clock.now += 12
    data_of(sign_in())
    assert sign_in().status_code == 429


# --- The client of today -----------------------------------------------------------------------------------


def test_the_older_sign_in_answers_without_envelope(sara, organization):
    body = {"email": "Sara@hub.test", "password": PASSWORD, "recaptcha_token": "x" * 500}
    response = HubClient().post("login", body)
    assert response.status_code == 200 and response["Content-Type"] == "application/json"
    answer = response.json()
    assert set(answer) == {"user", "token"}
    assert answer["user"] == {
        "id": sara.pk,
        "email": "sara@hub.test",
        "username": "sara@hub.test",
        "first_name": "سارة",
        "last_name": "القحطاني",
        "onboarding_completed": True,
        "role": "sales_agent",
        "account_type": "employee",
        "tenant_id": organization.pk,
        "company_name": "وساطة الرياض",
        "permissions": sorted(sara.permissions),
    }
    claims = claims_of(answer["token"])
    assert claims["exp"] - claims["iat"] == 86_400
    data_of(HubClient().get("customers", HTTP_AUTHORIZATION=f"Bearer {answer['token']}"))


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_older_sign_in_refuses_with_the_sentence_that_the_client_compares(sara, language):
    for email, password in (("sara@hub.test", "wrong"), ("nobody@hub.test", PASSWORD)):
        response = sign_in(email, password, path="login", headers={"Accept-Language": language})
        error_of(response, 401, "AUTHENTICATION_FAILED")
        assert response.json()["message"] == "Invalid credentials"


@pytest.mark.parametrize("prefix", ["/api/v1", "/api", "/v1", "/api/v1/v1"])
def test_the_older_sign_in_is_found_under_every_prefix(sara, prefix):
    assert set(sign_in(path=f"{prefix}/login").json()) == {"user", "token"}


def test_the_user_of_the_client_is_told_in_its_own_words(as_, layla, ahmed, organization):
    boss, agent = data_of(as_(layla).get("user")), data_of(as_(ahmed).get("user"))
    assert (boss["account_type"], agent["account_type"]) == ("tenant", "employee")
    assert agent == {
        "id": ahmed.pk,
        "email": ahmed.email,
        "username": ahmed.email,
        "first_name": "أحمد",
        "last_name": "Ahmed",
        "onboarding_completed": True,
        "role": "sales_agent",
        "account_type": "employee",
        "tenant_id": organization.pk,
        "company_name": "وساطة الرياض",
        "permissions": sorted(ahmed.permissions),
    }
    error_of(as_().get("user"), 401, "AUTHENTICATION_FAILED")


def test_a_phone_typed_in_the_place_of_an_id_is_not_logged(as_, layla, caplog):
    caplog.set_level("DEBUG")
    for path in ("customers/0551234567", "employees/Ahmed_Al-Ghamdi", "nowhere/0551234567"):
        error_of(as_(layla).get(path), 404)
    lines = "\n".join(JSONFormatter().format(record) for record in caplog.records)
    assert "api/v1/customers/<id:pk>" in lines
    assert "0551234567" not in lines and "Ghamdi" not in lines
