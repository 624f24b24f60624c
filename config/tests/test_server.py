"""The running server: what it writes, whom the slow cost nothing, and how it ends."""

import os
import signal
import socket
import threading
from contextlib import ExitStack
from urllib.parse import quote

import pytest

from config.tests.hub import running_hub

pytestmark = pytest.mark.slow

SECRET = "SECRETTOKEN7391"


@pytest.fixture(scope="module")
def web():
    """A hub of which only the web process runs, on all that it logs."""
    with running_hub("web", LOG_LEVEL="DEBUG") as hub:
        yield hub


def raw(hub, text, *, reset=False):
    """Send bytes as they are, read what comes first, and leave, in mid-word if need be."""
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as connection:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.sendall(text.encode())
        return b"" if reset else connection.recv(4096)


def upgrade(path):
    """The request of a WebSocket."""
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n\r\n"


def test_no_query_string_and_no_token_is_written_anywhere(web):
    for path in ("/v1/ws", "/api/v1/ws", "/ws", "/wrong/ws", "/%ff"):
        assert raw(web, upgrade(f"{path}?token={SECRET}")).startswith(b"HTTP/1.1 ")
        raw(web, upgrade(f"{path}?token={SECRET}"), reset=True)
    bearer = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}"}
    for path in ("customers", "nope", "/nowhere", "customers/cust_1", "auth/me", "/healthz", "/readyz"):
        web.call("GET", f"{path}?q={SECRET}&search={quote('محمد')}", headers=bearer)
        web.call("POST", f"{path}?q={SECRET}", {"password": SECRET, "refreshToken": SECRET}, headers=bearer)
    raw(web, f"GET /api/v1/customers?q={SECRET} HTTP/1.1\r\nBroken {SECRET}\r\n\r\n")
    raw(web, f"{SECRET} / HTTP/9\r\n\r\n")
    raw(web, f"POST /api/v1/auth/login?q={SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{{", reset=True)

    assert web.call("GET", "/healthz").status == 200
    said = web.log()
    assert '"route": "api/v1/customers"' in said
    assert SECRET not in said and "محمد" not in said


def test_hundreds_who_send_slowly_take_no_thread(web):
    head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow = [head, f"{head}Content-Length: 900\r\n\r\n{{", f"{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"]
    token = web.sign_in()
    with ExitStack() as held:
        for number in range(300):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", web.port), timeout=10))
            connection.sendall(slow[number % 3].encode())
        answers = [web.call("GET", "customers", token=token) for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 5
    assert max(answer.seconds for answer in answers) < 5


def test_who_is_being_served_when_the_server_is_told_to_end_is_answered(web):
    token, idle = web.sign_in(), socket.create_connection(("127.0.0.1", web.port), timeout=20)
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert idle.recv(4096).startswith(b"HTTP/1.1 200")
    body = {"name": "خالد", "phone": "+966555000222", "source": "inquiry"}
    answers = []
    calling = threading.Thread(target=lambda: answers.append(web.call("POST", "customers", body, token=token)))

    with web.locked("customers"):
        calling.start()
        web.wait_for(web.somebody_waits)
        os.kill(web.pid("web"), signal.SIGTERM)
    calling.join(20)

    assert [answer.status for answer in answers] == [201]
    assert idle.recv(1) == b""
    web.wait_for(lambda: web.pid("web") is None, seconds=10)
