"""The web process: HTTP goes to Django's WSGI handler in a few threads, WebSockets find a closed door for now."""

import asyncio
import os
from urllib.parse import quote

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

from config import processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# granian's worker would outlive a killed granian, and hold the port.
processes.die_with_parent()

# How long a body may take to arrive, and how much of one that is too large is read to its end.
BODY_SECONDS = 30
MOST_DROPPED = 20_000_000

# Each thread keeps one database connection: threads x workers = connections.
http = WSGIMiddleware(get_wsgi_application(), workers=int(os.environ.get("WEB_THREADS") or 4))


def limit_statements(connection, **kwargs):
    """Give a new connection of this process the web's statement_timeout; commands and workers never import this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(settings.WEB_STATEMENT_TIMEOUT_MS)])


connection_created.connect(limit_statements)


async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4404})
        return

    if scope["type"] != "http":
        await http(scope, receive, send)
        return

    # WSGI spells "X_Forwarded_For" and "X-Forwarded-For" alike: the first could forge what a proxy sets.
    headers = [header for header in scope["headers"] if b"_" not in header[0]]
    names = {name.lower() for name, _value in headers}
    body = b""
    if names & {b"content-length", b"transfer-encoding"}:
        try:
            body = await asyncio.wait_for(_whole_body(receive), BODY_SECONDS)
        except TimeoutError:
            await _say_too_slow(send)
            return
        # WSGI knows a body by its length alone: a chunked one would count as empty.
        headers = [header for header in headers if header[0].lower() not in (b"content-length", b"transfer-encoding")]
        headers.append((b"content-length", str(len(body)).encode()))
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message():
        # granian's receive() is awaitable but no coroutine, and a2wsgi hands it to another thread as one.
        return messages.pop() if messages else await receive()

    scope = scope | {
        "headers": headers,
        # a2wsgi decodes the query as ASCII; bytes that a browser would have escaped must not become a 500.
        "query_string": quote(scope["query_string"], safe="".join(map(chr, range(33, 127)))).encode(),
    }
    await http(scope, next_message, send)


async def _whole_body(receive):
    """A body as it arrives: threads are few, and one that waits for a slow caller is none.

    Past the API's limit the rest is read and dropped, so that the 413 finds its reader.
    """
    kept, length, more = [], 0, True
    while more and length <= MOST_DROPPED:
        message = await receive()
        chunk = message.get("body", b"")
        if length <= settings.MAX_JSON_BYTES:
            kept.append(chunk)
        length += len(chunk)
        more = message.get("more_body", False)
    return b"".join(kept)


async def _say_too_slow(send):
    from config.api.exceptions import plain
    from config.api.renderers import error_envelope, meta_of

    error = error_envelope(plain(408), meta_of(None))
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 408, "headers": headers})
    await send({"type": "http.response.body", "body": error})
