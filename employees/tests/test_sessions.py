"""What keeps somebody signed in and what ends it: refresh, sign-out, expiry, forged tokens, lost rights."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace

import jwt
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from config.testing import HubClient, data_of, error_of, make_customer, make_employee
from employees import authentication, services
from employees.choices import Role
from employees.models import Employee, Session

INVALID = "Invalid or expired authentication token"
# As the hub has it; other tests remember for longer.
IDENTITY_SECONDS = authentication.IDENTITY_SECONDS


def me(token):
    """The status of GET /auth/me with a token."""
    return HubClient().get("auth/me", HTTP_AUTHORIZATION=f"Bearer {token}").status_code


def refresh(token):
    return HubClient().post("auth/refresh", {"refreshToken": token})


def refused(token):
    return error_of(refresh(token), 401, "AUTHENTICATION_FAILED")["message"] == "Invalid or expired refresh token"


@pytest.fixture
def tokens(ahmed):
    """The access and refresh tokens of a session of Ahmed's."""
    access, refresh_token, _seconds = services.sign_in(ahmed)
    return SimpleNamespace(access=access, refresh=refresh_token)


@pytest.fixture(autouse=True)
def _remembered_as_long_as_by_the_hub(monkeypatch):
    monkeypatch.setattr(authentication, "IDENTITY_SECONDS", IDENTITY_SECONDS)


@pytest.fixture
def clock(monkeypatch):
    """The clock by which identities are remembered: `clock.now` moves it."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(authentication, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def later(**delta):
    """Make the last refresh of every session lie so far back."""
    for session in Session.objects.all():
        session.refreshed_at -= timedelta(**delta)
        session.save()


# --- Refresh --------------------------------------------------------------------------------------


def test_a_refresh_gives_a_new_pair_in_the_shape_of_the_sign_in(tokens, ahmed, settings):
    settings.DEMO = False
    data = data_of(refresh(tokens.refresh))
    assert set(data) == {"token", "refreshToken", "expiresIn", "user"}
    assert data["expiresIn"] == 900 and data["user"]["id"] == ahmed.pk
    assert data["refreshToken"] != tokens.refresh
    assert me(data["token"]) == me(tokens.access) == 200
    data_of(refresh(data["refreshToken"]))


def test_a_refreshed_token_carries_the_claims_of_now(tokens, ahmed):
    Employee.objects.filter(pk=ahmed.pk).update(role=Role.VIEWER, email="ahmed.new@hub.test")
    claims = jwt.decode(data_of(refresh(tokens.refresh))["token"], options={"verify_signature": False})
    assert (claims["role"], claims["email"]) == ("viewer", "ahmed.new@hub.test")
    assert "customers.write" not in claims["permissions"]


def test_a_refresh_prolongs_the_session(tokens):
    Session.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    data_of(refresh(tokens.refresh))
    assert Session.objects.get().expires_at > timezone.now() + timedelta(days=13)


def test_a_token_spent_a_moment_ago_is_refused_and_nothing_more(tokens):
    news = data_of(refresh(tokens.refresh))
    assert refused(tokens.refresh) and refused(tokens.refresh)
    assert me(tokens.access) == me(news["token"]) == 200
    data_of(refresh(news["refreshToken"]))


def test_nine_seconds_are_a_moment(tokens):
    news = data_of(refresh(tokens.refresh))
    later(seconds=9)
    assert refused(tokens.refresh)
    assert me(news["token"]) == 200


def test_a_token_spent_earlier_ends_the_whole_family(tokens):
    news = data_of(refresh(tokens.refresh))
    later(seconds=10)
    assert refused(tokens.refresh)
    assert me(tokens.access) == me(news["token"]) == 401
    assert refused(news["refreshToken"])


def test_a_token_two_generations_old_ends_the_family_at_once(tokens):
    first = data_of(refresh(tokens.refresh))
    second = data_of(refresh(first["refreshToken"]))
    assert refused(tokens.refresh)
    assert me(second["token"]) == 401


def test_the_end_of_one_family_leaves_the_others_of_the_same_person(tokens, ahmed):
    other = services.sign_in(ahmed)
    data_of(refresh(tokens.refresh))
    later(minutes=1)
    assert refused(tokens.refresh)
    assert me(other[0]) == 200
    data_of(refresh(other[1]))


@pytest.mark.django_db(transaction=True)
def test_of_parallel_refreshes_one_wins_and_the_family_lives(ahmed):
    access, token, _seconds = services.sign_in(ahmed)
    barrier = Barrier(8)

    def race(_number):
        try:
            barrier.wait(60)
            return refresh(token)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(race, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    (won,) = [data_of(answer) for answer in answers if answer.status_code == 200]
    assert me(won["token"]) == me(access) == 200
    data_of(refresh(won["refreshToken"]))


@pytest.mark.parametrize(
    "change", [{"expires_at": timezone.now() - timedelta(seconds=1)}, {"ended_at": timezone.now()}]
)
def test_a_session_that_is_over_refreshes_nothing(tokens, change):
    Session.objects.update(**change)
    assert refused(tokens.refresh)
    assert me(tokens.access) == 401


def test_a_deactivated_employee_refreshes_nothing(tokens, ahmed):
    Employee.objects.filter(pk=ahmed.pk).update(is_active=False)
    assert refused(tokens.refresh)


def test_the_tokens_of_somebody_who_was_deleted_are_refused(tokens, ahmed):
    Employee.objects.filter(pk=ahmed.pk).delete()
    assert refused(tokens.refresh)
    assert me(tokens.access) == 401


# --- Sign-out ----------------------------------------------------------------------------------------


def test_signing_out_ends_both_tokens_and_no_other_session(tokens, ahmed):
    other = services.sign_in(ahmed)
    response = HubClient().post("auth/logout", HTTP_AUTHORIZATION=f"Bearer {tokens.access}")
    assert data_of(response) == {} and response.json()["message"] == "Signed out"
    assert me(tokens.access) == 401
    assert refused(tokens.refresh)
    error_of(HubClient().post("auth/logout", HTTP_AUTHORIZATION=f"Bearer {tokens.access}"), 401)
    assert me(other[0]) == 200


def test_signing_out_ends_access_tokens_that_were_refreshed_too(tokens):
    news = data_of(refresh(tokens.refresh))
    HubClient().post("auth/logout", HTTP_AUTHORIZATION=f"Bearer {tokens.access}")
    assert me(news["token"]) == 401
    assert refused(news["refreshToken"])


def test_signing_out_after_the_older_sign_in_ends_its_token(organization):
    make_employee(organization, "سارة", Role.VIEWER, email="sara@hub.test", password="a-long-pass-phrase")
    token = HubClient().post("login", {"email": "sara@hub.test", "password": "a-long-pass-phrase"}).json()["token"]
    data_of(HubClient().post("auth/logout", HTTP_AUTHORIZATION=f"Bearer {token}"))
    assert me(token) == 401


def test_sessions_that_ended_long_ago_are_pruned(ahmed, huda):
    for employee, days in ((ahmed, 31), (huda, 29)):
        services.sign_in(employee)
        employee.sessions.update(expires_at=timezone.now() - timedelta(days=days))
    assert sum(services.prune_sessions()) == 1
    assert Session.objects.get().employee == huda


# --- Forged and misused tokens ---------------------------------------------------------------------------


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def forged(token, *, key=None, algorithm="HS256", drop=(), **changes):
    claims = {name: value for name, value in claims_of(token).items() if name not in drop} | changes
    return jwt.encode(claims, django_settings.JWT_SIGNING_KEY if key is None else key, algorithm=algorithm)


def unsigned(token, algorithm):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims_of(token))}."


def test_a_forged_token_with_everything_right_is_accepted(tokens):
    """What the tests below change one thing of."""
    assert me(forged(tokens.access)) == 200
    data_of(refresh(forged(tokens.refresh)))


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_forged_tokens_are_refused(tokens, kind, ahmed, layla, caplog):
    token, other = getattr(tokens, kind), getattr(tokens, "refresh" if kind == "access" else "access")
    header, payload, signature = token.split(".")
    admins = base64.urlsafe_b64encode(json.dumps(claims_of(token) | {"userId": layla.pk, "role": "admin"}).encode())
    forgeries = {
        "the other kind of token": other,
        "another key": forged(token, key="x" * 40),
        "the key of the cookies": forged(token, key=django_settings.SECRET_KEY),
        "an empty key": f"{header}.{payload}.",
        "no signature": f"{header}.{payload}",
        "changed claims": f"{header}.{admins.rstrip(b'=').decode()}.{signature}",
        "alg none": unsigned(token, "none"),
        "alg None": unsigned(token, "None"),
        "alg HS256 without signature": unsigned(token, "HS256"),
        "another algorithm": forged(token, algorithm="HS512"),
        "expired": forged(token, exp=1),
        "expires never": forged(token, drop=["exp"]),
        "expires in words": forged(token, exp="tomorrow"),
        "no session": forged(token, drop=["sid"]),
        "unknown session": forged(token, sid="ses_00000000000000000000"),
        "session of another type": forged(token, sid=["ses"]),
        "session null": forged(token, sid=None),
        "no type": forged(token, drop=["token_type"]),
        "unknown type": forged(token, token_type="sliding"),
        "no jti": forged(token, drop=["jti"]),
        "twice": f"{token}{token}",
        "with spaces": token.replace(".", " . "),
        "empty": "",
        "Arabic": "رمز.الدخول.هنا",
    }
    accepted = []
    for what, forgery in forgeries.items():
        if kind == "access":
            response = HubClient().get("auth/me", HTTP_AUTHORIZATION=f"Bearer {forgery}")
        else:
            response = refresh(forgery)
        expected = (400,) if kind == "refresh" and forgery == "" else (401,)
        if response.status_code not in expected:
            accepted.append((what, response.status_code))
    assert accepted == []
    assert "unhandled" not in [record.message for record in caplog.records]
    assert me(tokens.access) == 200  # nobody can end a session without its tokens


def test_the_claims_of_a_token_are_for_display_only(tokens, ahmed, layla):
    """Even with a valid signature, what they say of the person counts for nothing."""
    claims = {"userId": layla.pk, "role": "admin", "permissions": ["employees.write"], "organizationId": "org_other"}
    client = HubClient()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {forged(tokens.access, **claims)}"
    assert data_of(client.get("auth/me"))["user"]["id"] == ahmed.pk
    error_of(client.post("employees", {"name": "س", "email": "s@x.co"}), 403, "PERMISSION_DENIED")


def test_a_token_is_read_from_its_header_only(tokens):
    for path in (f"auth/me?token={tokens.access}", f"auth/me?access_token={tokens.access}"):
        error_of(HubClient().get(path), 401)
    client = HubClient()
    client.cookies["token"] = client.cookies["sessionid"] = tokens.access
    error_of(client.get("auth/me"), 401)


def test_the_word_bearer_is_read_in_any_case(tokens):
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert HubClient().get("auth/me", HTTP_AUTHORIZATION=f"{scheme} {tokens.access}").status_code == 200


def test_a_refusal_says_why_without_saying_which(tokens):
    for token in ("nonsense", tokens.refresh, forged(tokens.access, exp=1)):
        response = HubClient().get("auth/me", HTTP_AUTHORIZATION=f"Bearer {token}")
        assert error_of(response, 401) == {"code": "AUTHENTICATION_FAILED", "message": INVALID}
        assert response["WWW-Authenticate"] == "Bearer"


# --- The organization of the caller ------------------------------------------------------------------------


def test_the_organization_header_may_be_absent_or_right_but_never_another(as_, ahmed, organization, noura):
    client = as_(ahmed)
    data_of(client.get("auth/me"))
    data_of(client.get("auth/me", headers={"X-Organization-ID": organization.pk}))
    data_of(client.get("auth/me", headers={"X-Organization-ID": ""}))
    for other in (noura.organization_id, "org_123456", organization.pk.upper()):
        response = client.get("auth/me", headers={"X-Organization-ID": other})
        error = error_of(response, 403, "PERMISSION_DENIED")
        assert error["message"] == "X-Organization-ID does not name your organization"


# --- Rights that were lost -----------------------------------------------------------------------------------


def test_rights_are_remembered_for_less_than_five_seconds():
    assert authentication.IDENTITY_SECONDS < 5


def test_whoever_is_deactivated_through_the_api_is_out_at_once(as_, layla, ahmed, tokens):
    assert me(tokens.access) == 200
    data_of(as_(layla).post(f"employees/{ahmed.pk}/deactivate"))
    assert me(tokens.access) == 401
    assert refused(tokens.refresh)


def test_whoever_is_activated_again_has_to_sign_in_again(as_, layla, ahmed, tokens):
    data_of(as_(layla).post(f"employees/{ahmed.pk}/deactivate"))
    data_of(as_(layla).post(f"employees/{ahmed.pk}/activate"))
    assert me(tokens.access) == 401
    assert refused(tokens.refresh)
    assert me(services.sign_in(ahmed)[0]) == 200


def test_a_deactivation_by_hand_is_seen_as_soon_as_the_memory_ends(ahmed, tokens, clock):
    assert me(tokens.access) == 200
    Employee.objects.filter(pk=ahmed.pk).update(is_active=False)
    clock.now += authentication.IDENTITY_SECONDS
    assert me(tokens.access) == 401


def test_a_session_ended_by_hand_is_seen_as_soon_as_the_memory_ends(tokens, clock):
    assert me(tokens.access) == 200
    Session.objects.update(ended_at=timezone.now())
    clock.now += authentication.IDENTITY_SECONDS
    assert me(tokens.access) == 401


def test_whoever_is_demoted_through_the_api_loses_the_right_at_once(
    as_, layla, ahmed, fatima, django_capture_on_commit_callbacks
):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    boss = as_(fatima)
    data_of(boss.post(f"customers/{customer.pk}/assign", {"employeeId": fatima.pk}))
    with django_capture_on_commit_callbacks(execute=True):
        data_of(as_(layla).patch(f"employees/{fatima.pk}", {"roleKey": "viewer"}))
    assert data_of(boss.get("auth/me"))["user"]["roleKey"] == "viewer"
    error = error_of(boss.post(f"customers/{customer.pk}/assign", {"employeeId": ahmed.pk}), 403)
    assert error["details"] == {"requiredPermission": "customers.assign", "currentRole": "viewer"}
    error_of(boss.patch(f"customers/{customer.pk}", {"notes": "ملاحظة"}), 403)


def test_a_demotion_by_hand_is_seen_as_soon_as_the_memory_ends(as_, ahmed, layla, clock):
    make_customer(layla)
    boss = as_(layla)
    assert len(data_of(boss.get("customers"))["customers"]) == 1
    Employee.objects.filter(pk=layla.pk).update(role=Role.SALES_AGENT)
    clock.now += authentication.IDENTITY_SECONDS
    assert data_of(boss.get("customers"))["customers"] == []
    error_of(boss.get("customers?deleted=only"), 403, "PERMISSION_DENIED")
    error_of(boss.post("employees", {"name": "س", "email": "s@x.co"}), 403, "PERMISSION_DENIED")


def test_a_move_to_another_team_changes_the_scope_at_once(
    as_, layla, fatima, ahmed, omar, south, django_capture_on_commit_callbacks
):
    norths, souths = (make_customer(layla, assigned_employee_id=agent.pk).pk for agent in (ahmed, omar))
    boss = as_(fatima)
    assert [row["id"] for row in data_of(boss.get("customers"))["customers"]] == [norths]
    with django_capture_on_commit_callbacks(execute=True):
        data_of(as_(layla).patch(f"employees/{fatima.pk}", {"teamId": south.pk}))
    assert [row["id"] for row in data_of(boss.get("customers"))["customers"]] == [souths]


def test_a_new_password_ends_every_session_of_its_owner_and_of_nobody_else(as_, layla, ahmed, huda, tokens):
    other, bystander = services.sign_in(ahmed), services.sign_in(huda)
    data_of(as_(layla).post(f"employees/{ahmed.pk}/password", {"password": "another-long-pass-phrase"}))
    assert me(tokens.access) == me(other[0]) == 401
    assert refused(tokens.refresh) and refused(other[1])
    assert me(bystander[0]) == 200


def test_a_flood_of_sessions_does_not_grow_the_memory_without_end(monkeypatch, ahmed):
    monkeypatch.setattr(authentication, "MAX_IDENTITIES", 3)
    for _ in range(10):
        assert me(services.sign_in(ahmed)[0]) == 200
    assert len(authentication._identities) <= 3


def test_a_refresh_token_signs_out_where_the_access_token_has_expired(as_, ahmed):
    access, refresh, _seconds = services.sign_in(ahmed)
    stale = as_()
    data_of(stale.post("auth/logout", {"refreshToken": refresh}, HTTP_AUTHORIZATION="Bearer stale"))
    error_of(stale.post("auth/refresh", {"refreshToken": refresh}), 401)
    error_of(stale.get("auth/me", HTTP_AUTHORIZATION=f"Bearer {access}"), 401)
    error_of(stale.post("auth/logout", {"refreshToken": refresh}), 401)
