"""The server's entry: what HTTP servers hand over reaches Django whole."""

import asyncio
import threading

import orjson
import pytest
from django.conf import settings


@pytest.fixture
def call(monkeypatch):
    """A call of the ASGI application with a chunked body; gives `(status, envelope)`."""
    monkeypatch.setattr("config.processes.die_with_parent", lambda: None)
    monkeypatch.setattr("django.db.backends.signals.connection_created.connect", lambda receiver: None)
    from config.asgi import application

    def send(chunks, headers, stalls=False, breaks_off=False, content_type=b"application/json", raw=False):
        messages = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
        if not breaks_off:
            messages.append({"type": "http.request", "body": b"", "more_body": False})
        sent = []

        async def receive():
            if stalls and len(messages) == 1:
                await asyncio.sleep(60)
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
            "headers": [(b"host", b"testserver"), (b"content-type", content_type), *headers],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        asyncio.run(application(scope, receive, collect))
        if raw:
            return sent
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


def test_a_body_that_stalls_costs_no_thread_and_ends_in_a_408(call, monkeypatch):
    monkeypatch.setattr("config.asgi.BODY_SECONDS", 0.05)
    status, envelope = call([b'{"email"'], [(b"content-length", b"200")], stalls=True)
    assert (status, envelope["success"]) == (408, False)


def test_a_form_may_be_longer_than_json_but_is_for_views_that_declare_it(call):
    status, envelope = call([b"x" * 500_000] * 4, CHUNKED, content_type=b"multipart/form-data; boundary=x")
    assert (status, envelope["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_that_breaks_off_reaches_no_view(call):
    status, envelope = call([b'{"email": "a@b.co", "password": "x"}'], [(b"content-length", b"200")], breaks_off=True)
    assert (status, envelope["message"]) == (400, "The request is malformed")


def test_a_file_is_sent_in_pieces_after_the_thread_is_free(call, monkeypatch, tmp_path):
    import config.asgi as asgi

    (tmp_path / "file").write_bytes(b"0123456789")
    threads = []

    class Watched(asgi.FileWrapper):
        def __init__(self, file, size):
            super().__init__(file, size)
            threads.append(threading.current_thread().name)

    def django(environ, start_response):
        start_response("200 OK", [("content-length", "10")])
        return environ["wsgi.file_wrapper"]((tmp_path / "file").open("rb"), 4)

    monkeypatch.setattr(asgi, "FileWrapper", Watched)
    monkeypatch.setattr(asgi, "_django", django)
    monkeypatch.setattr(asgi, "PIECE", 4)
    sent = call([], [], raw=True)
    assert [message.get("body") for message in sent[1:]] == [b"0123", b"4567", b"89", b""]
    assert [message.get("more_body") for message in sent[1:]] == [True, True, True, False]
    assert threads[0].startswith("WSGI")


def test_sign_ins_by_the_dozen_leave_half_of_the_threads_to_who_has_signed_in(call, monkeypatch):
    import config.asgi as asgi

    both_hash, hashed, most, now, lock = threading.Event(), threading.Event(), [], [0], threading.Lock()

    def django(environ, start_response):
        if environ["PATH_INFO"] != "/api/v1/customers":
            with lock:
                now[0] += 1
                most.append(now[0])
            if now[0] == asgi.THREADS // 2:
                both_hash.set()
            assert hashed.wait(30)
            with lock:
                now[0] -= 1
        start_response("200 OK", [("content-length", "2")])
        return [b"{}"]

    async def ask(path):
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path}
        scope |= {
            "query_string": b"",
            "root_path": "",
            "headers": [],
            "client": ("127.0.0.1", 1),
            "server": ("hub", 80),
        }
        await asgi.application(scope, None, send)
        return sent[0]["status"]

    async def play():
        paths = ["/api/v1/auth/login", "/v1/auth/login/", "/api/v1/v1/login", "/login"] * 5
        signing_in = [asyncio.create_task(ask(path)) for path in paths]
        assert await asyncio.to_thread(both_hash.wait, 30)
        others = await asyncio.gather(*(ask("/api/v1/customers") for _ in range(20)))
        hashed.set()
        return others, await asyncio.gather(*signing_in)

    monkeypatch.setattr(asgi, "_django", django)
    monkeypatch.setattr(asgi, "threads", asgi.Threads(asgi.THREADS, 30))
    monkeypatch.setattr(asgi, "turns", {"login": asyncio.Semaphore(asgi.THREADS // 2)})
    assert asyncio.run(play()) == ([200] * 20, [200] * 20)
    assert max(most) == asgi.THREADS // 2
