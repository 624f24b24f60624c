"""The web process: HTTP goes to Django's WSGI handler in a few threads, WebSockets to Channels' consumers.

Threads are few, and one that waits for a slow caller is none: bodies are collected before a thread
is taken, and files are sent after it is free again.
"""

import asyncio
import os
from tempfile import SpooledTemporaryFile
from urllib.parse import quote
from wsgiref.util import FileWrapper

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

from config import processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# granian's worker would outlive a killed granian, and hold the port.
processes.die_with_parent()

# How long a body may take to arrive, and how much of one that is too large is read to its end.
BODY_SECONDS, FORM_SECONDS = 30, 300
MOST_DROPPED = 50_000_000
# What is longer is collected on disk, in a file without a name: it is gone when the process is.
MOST_IN_MEMORY = 1_000_000
PIECE = 256 * 1024

_django = get_wsgi_application()

# These need Django's apps, which the line above has loaded.
from realtime.dispatcher import dispatcher  # noqa: E402
from realtime.routing import sockets  # noqa: E402


def _wsgi(environ, start_response):
    """Django, reading the body where it was collected; a file that it answers with is left to _send_file."""
    exchange = environ["asgi.scope"]["hub"]
    environ |= {"wsgi.input": exchange["body"], "wsgi.file_wrapper": FileWrapper}
    answer = _django(environ, start_response)
    if not isinstance(answer, FileWrapper):
        return answer
    exchange["file"] = answer.filelike
    return []


# Each thread keeps one database connection: threads x workers = connections.
http = WSGIMiddleware(_wsgi, workers=int(os.environ.get("WEB_THREADS") or 4))


def limit_statements(connection, **kwargs):
    """Give a new connection of this process the web's statement_timeout; commands and workers never import this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(settings.WEB_STATEMENT_TIMEOUT_MS)])


connection_created.connect(limit_statements)


async def application(scope, receive, send):
    dispatcher.start()
    if scope["type"] == "websocket":

        async def received():  # granian's is awaitable but no coroutine, which is what Channels asks for
            return await receive()

        await sockets(scope, received, send)
        return

    if scope["type"] != "http":
        await http(scope, receive, send)
        return

    # WSGI spells "X_Forwarded_For" and "X-Forwarded-For" alike: the first could forge what a proxy sets.
    headers = [(name.lower(), value) for name, value in scope["headers"] if b"_" not in name]
    described = dict(headers)
    with SpooledTemporaryFile(MOST_IN_MEMORY) as body:
        if described.keys() & {b"content-length", b"transfer-encoding"}:
            is_form = described.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
            limit, seconds = (
                (settings.MAX_FORM_BYTES, FORM_SECONDS) if is_form else (settings.MAX_JSON_BYTES, BODY_SECONDS)
            )
            try:
                arrived = await asyncio.wait_for(_collect(receive, body, limit), seconds)
            except TimeoutError:
                await _say_plainly(send, 408)
                return
            if not arrived:
                await _say_plainly(send, 400)
                return
            # WSGI knows a body by its length alone: a chunked one would count as empty.
            headers = [header for header in headers if header[0] not in (b"content-length", b"transfer-encoding")]
            headers.append((b"content-length", str(body.tell()).encode()))
            body.seek(0)
        exchange = {"body": body}
        scope = scope | {
            "hub": exchange,
            "headers": headers,
            # a2wsgi decodes the query as ASCII; bytes that a browser would have escaped must not become a 500.
            "query_string": quote(scope["query_string"], safe="".join(map(chr, range(33, 127)))).encode(),
        }
        await _answer(scope, receive, send, exchange)


async def _collect(receive, body, limit):
    """Write a body as it arrives; False when it breaks off.

    Past the limit of its kind the rest is read and dropped, so that the 413 finds its reader.
    """
    length, more = 0, True
    while more and length <= MOST_DROPPED:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        chunk = message.get("body", b"")
        if length <= limit:
            body.write(chunk)
        length += len(chunk)
        more = message.get("more_body", False)
    return True


async def _answer(scope, receive, send, exchange):
    """Have Django answer in a thread, and then send the file that it answers with, if it does."""

    async def before_file(message):
        if not exchange.get("file") or message["type"] == "http.response.start":
            await send(message)

    try:
        await http(scope, receive, before_file)
        if exchange.get("file"):
            await _send_file(exchange["file"], send)
    finally:
        if exchange.get("file"):
            await asyncio.to_thread(exchange["file"].close)


async def _send_file(file, send):
    while piece := await asyncio.to_thread(file.read, PIECE):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _say_plainly(send, status):
    from config.api.exceptions import plain
    from config.api.renderers import error_envelope, meta_of

    error = error_envelope(plain(status), meta_of(None))
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": error})
