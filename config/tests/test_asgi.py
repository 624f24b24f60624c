"""The server's entry: what HTTP servers hand over reaches Django whole."""

import asyncio

import orjson
import pytest
from django.conf import settings


@pytest.fixture
def call(monkeypatch):
    """A call of the ASGI application with a chunked body; gives `(status, envelope)`."""
    monkeypatch.setattr("config.processes.die_with_parent", lambda: None)
    monkeypatch.setattr("django.db.backends.signals.connection_created.connect", lambda receiver: None)
    from config.asgi import application

    def send(chunks, headers):
        messages = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
        messages.append({"type": "http.request", "body": b"", "more_body": False})
        sent = []

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def collect(message):
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/api/v1/auth/refresh",
            "raw_path": b"/api/v1/auth/refresh",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"testserver"), (b"content-type", b"application/json"), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        asyncio.run(application(scope, receive, collect))
        body = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], orjson.loads(body)

    return send


CHUNKED = [(b"transfer-encoding", b"chunked")]


def test_a_chunked_body_is_read_whole(call):
    status, envelope = call([b'{"refresh', b'Token": 5', b', "refreshToken": 5}'], CHUNKED)
    assert (status, envelope["message"]) == (400, "The JSON body names the same key twice")


def test_a_chunked_body_over_the_limit_is_a_413(call):
    status, envelope = call([b" " * 500_000] * 4, CHUNKED)
    assert (status, envelope["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert settings.MAX_JSON_BYTES == 1_000_000
