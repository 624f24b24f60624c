"""Sockets of the real hub: who gets in and how, what they may ask for, and what ends them."""

import json
import time
from contextlib import ExitStack, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from config.tests.hub import PASSWORD

pytestmark = pytest.mark.slow

AGENT, MANAGER, ADMIN, VIEWER = "agent@hub.test", "manager@hub.test", "admin@hub.test", "viewer@hub.test"
PATIENCE_SECONDS = 10


@contextmanager
def socket_of(hub, token=None, path="/v1/ws", **options):
    """A socket of somebody; without a token one that has not said whose it is."""
    url = hub.url.replace("http", "ws") + path + (f"?token={token}" if token else "")
    with connect(url, open_timeout=PATIENCE_SECONDS, **options) as socket:
        if token:
            assert hear(socket)["event"] == "connected"
        yield socket


def say(socket, **message):
    socket.send(json.dumps(message))


def hear(socket, event=None):
    """The next message, or the next one of this name."""
    while True:
        message = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
        if event is None or message["event"] == event:
            return message


def code_of(socket):
    """The code that the hub closes a socket with."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(timeout=PATIENCE_SECONDS)
    return closed.value.rcvd.code


def subscribe(socket, *channels, **more):
    say(socket, type="subscribe", channels=list(channels), **more)
    return hear(socket, "subscribed")["data"]


def change_a_customer(hub, who=AGENT):
    """The id of a customer whose notes were changed."""
    customer = hub.call("GET", "customers?limit=1", token=hub.sign_in(who)).json()["data"]["customers"][0]["id"]
    answer = hub.call("PATCH", f"customers/{customer}", token=hub.sign_in(who), body={"notes": f"{time.time()}"})
    assert answer.status == 200
    return customer


@pytest.mark.parametrize("path", ["/ws", "/v1/ws", "/api/v1/ws", "/v1/ws/"])
def test_the_token_may_come_in_the_url_of_every_path(hub, path):
    with socket_of(hub, hub.sign_in(AGENT), path) as socket:
        assert subscribe(socket, "customers")["channels"] == ["customers"]


def test_the_token_may_come_as_a_subprotocol_as_a_header_or_as_the_first_message(hub):
    token = hub.sign_in(AGENT)
    with socket_of(hub, subprotocols=["bearer", token]) as socket:
        assert socket.subprotocol == "bearer" and hear(socket)["event"] == "connected"
    with socket_of(hub, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        assert hear(socket)["event"] == "connected"
    with socket_of(hub) as socket:
        say(socket, type="subscribe", channels=["customers"])
        assert hear(socket)["event"] == "error"
        say(socket, type="auth", token=token)
        connected = hear(socket)
        assert connected["event"] == "connected" and connected["data"]["employeeId"] == "emp_agent"


@pytest.mark.parametrize(
    "message",
    [
        {"event": "subscribe", "data": {"channels": ["customers", "nonsense", "employee:emp_admin"]}},
        {"type": "subscribe", "channels": ["customers", "nonsense", "employee:emp_admin"]},
        {"action": "subscribe", "channels": ["customers", "nonsense", "employee:emp_admin"]},
    ],
)
def test_every_spelling_of_subscribe_is_understood_and_says_what_was_refused(hub, message):
    with socket_of(hub, hub.sign_in(AGENT)) as socket:
        say(socket, **message)
        data = hear(socket, "subscribed")["data"]
        assert data["channels"] == ["customers"]
        assert sorted(data["refused"]) == ["employee:emp_admin", "nonsense"]
        customer = change_a_customer(hub)
        event = hear(socket)
        assert (event["event"], event["data"]["customerId"]) == ("customer.updated", customer)
        assert event["prevSeq"] == data["seq"] < event["seq"]


def test_a_manager_may_hear_the_team_alone(hub):
    with socket_of(hub, hub.sign_in(MANAGER)) as socket:
        data = subscribe(socket, "employee:emp_agent", "employee:emp_manager", "employee:emp_agent2")
        assert data["channels"] == ["employee:emp_agent", "employee:emp_manager"]
        assert data["refused"] == ["employee:emp_agent2"]


@pytest.mark.parametrize("name", ["employee:", "employee:\x00", "employee:x y", "employee:" + "x" * 51])
def test_what_can_be_nobody_is_refused_and_the_socket_lives(hub, name):
    with socket_of(hub, hub.sign_in(MANAGER)) as socket:
        data = subscribe(socket, name, "employee:emp_agent")
        assert (data["channels"], data["refused"]) == (["employee:emp_agent"], [name])


def test_another_organization_in_the_header_is_refused(hub):
    with socket_of(
        hub, path=f"/ws?token={hub.sign_in(AGENT)}", additional_headers={"X-Organization-ID": "org_x"}
    ) as socket:
        assert code_of(socket) == 4403


def test_a_socket_that_comes_back_gets_what_it_missed(hub):
    with socket_of(hub, hub.sign_in(AGENT)) as socket:
        start = subscribe(socket, "customers")["seq"]
    changed = [change_a_customer(hub) for _ in range(3)]
    with socket_of(hub, hub.sign_in(AGENT)) as socket:
        assert subscribe(socket, "customers", since=start)["seq"] == start
        heard = [hear(socket) for _ in changed]
        assert [event["data"]["customerId"] for event in heard] == changed
        assert [event["prevSeq"] for event in heard] == [start, *(event["seq"] for event in heard[:-1])]
    with socket_of(hub, hub.sign_in(AGENT)) as socket:
        far = subscribe(socket, "customers", since=10**12)["seq"]
        event = hear(socket)
        assert (event["event"], event["seq"], event["data"]) == ("resync_required", far, {"reason": "expired"})


def test_numbers_follow_a_change_and_are_the_viewers_own(hub):
    token = hub.sign_in(AGENT)
    with socket_of(hub, token) as socket:
        subscribe(socket, "stats")
        first = hear(socket, "stats.updated")
        assert "seq" not in first and first["channel"] == "stats"
        customer = hub.call("GET", "customers?limit=1", token=token).json()["data"]["customers"][0]["id"]
        body = {"customerId": customer, "type": "follow_up", "title": "متابعة"}
        assert hub.call("POST", "customers/actions", token=token, body=body).status == 201
        second = hear(socket, "stats.updated")["data"]["stats"]
        assert second["pending"] == first["data"]["stats"]["pending"] + 1
        assert second == hub.call("GET", "customers/actions/stats", token=token).json()["data"]["stats"]


@pytest.mark.parametrize(
    "frame", ["", "nonsense", "[]", "{}", '{"type": 1}', '{"type": "subscribe"}', "{" * 9000, b"\x00"]
)
def test_a_bad_frame_is_an_error_and_the_socket_lives(hub, frame):
    with socket_of(hub, hub.sign_in(AGENT), additional_headers={"Accept-Language": "ar"}) as socket:
        socket.send(frame)
        error = hear(socket)
        assert error["event"] == "error" and error["data"]["code"] == "VALIDATION_ERROR"
        assert any("؀" <= letter <= "ۿ" for letter in error["data"]["message"])
        say(socket, type="ping")
        assert hear(socket)["event"] == "pong"


def test_who_is_nobody_is_told_so(hub):
    with socket_of(hub, path="/v1/ws?token=nonsense") as socket:
        assert code_of(socket) == 4401
    with socket_of(hub, path="/v1/ws/elsewhere") as socket:
        assert code_of(socket) == 4404
    with socket_of(hub) as socket:  # and says nothing for ten seconds
        time.sleep(PATIENCE_SECONDS - 1)
        assert code_of(socket) == 4408


def test_who_sends_too_much_or_opens_too_many_is_sent_away(hub):
    with socket_of(hub, hub.sign_in(AGENT)) as socket:
        for _ in range(61):
            say(socket, type="ping")
        assert code_of(socket) == 4429
    with ExitStack() as sockets:
        for _ in range(20):
            sockets.enter_context(socket_of(hub, hub.sign_in(VIEWER)))
        with connect(f"{hub.url.replace('http', 'ws')}/ws?token={hub.sign_in(VIEWER)}") as one_too_many:
            assert code_of(one_too_many) == 4429


@pytest.mark.parametrize("end", ["sign out", "another role", "let go"])
def test_a_socket_ends_with_the_right_to_it(hub, end):
    admin = hub.sign_in(ADMIN)
    email = f"{end.replace(' ', '-')}@hub.test"
    body = {"name": "موظف مؤقت", "email": email, "password": PASSWORD, "roleKey": "sales_agent"}
    employee = hub.call("POST", "employees", token=admin, body=body).json()["data"]["employee"]["id"]
    token = hub.sign_in(email)
    with socket_of(hub, token) as socket:
        subscribe(socket, "customers")
        if end == "sign out":
            assert hub.call("POST", "auth/logout", token=token, body={}).status == 200
        elif end == "another role":
            assert hub.call("PATCH", f"employees/{employee}", token=admin, body={"roleKey": "viewer"}).status == 200
        else:
            assert hub.call("POST", f"employees/{employee}/deactivate", token=admin, body={}).status == 200
        began = time.monotonic()
        assert code_of(socket) == (4403 if end == "another role" else 4401)
        assert time.monotonic() - began < 5
    answer = hub.call(
        "POST", "customers", token=token, body={"name": "سارة", "phone": "0551234567", "source": "manual"}
    )
    assert answer.status == (403 if end == "another role" else 401)
