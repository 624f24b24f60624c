"""The web process: HTTP goes to Django's WSGI handler in a few threads, WebSockets to Channels' consumers.

Threads are few, and one that waits for a slow caller is none: bodies are collected before a thread
is taken, and files are sent after it is free again. Who has no answer in time gets one without a thread.
"""

import asyncio
import os
import time
from tempfile import SpooledTemporaryFile
from urllib.parse import quote
from wsgiref.util import FileWrapper

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

from config import processes
from config.deadline import Threads, TooLate

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

# Models may be imported only now.
from config import cache  # noqa: E402
from config.middleware import request_id_of  # noqa: E402
from config.threadless import answer_error, answer_health, answer_too_late  # noqa: E402
from realtime.dispatcher import dispatcher  # noqa: E402
from realtime.routing import sockets  # noqa: E402

# granian's worker would outlive a killed granian, and hold the port.
processes.die_with_parent()
cache.settle_soon()

# How long a body may take to arrive, and how much of one that is too large is read to its end.
BODY_SECONDS, FORM_SECONDS = 30, 300
MOST_DROPPED = 50_000_000
# What is longer is collected on disk, in a file without a name: it is gone when the process is.
MOST_IN_MEMORY = 1_000_000
PIECE = 256 * 1024


class Exchange:
    """One request on its way: its body, the moment it was complete, and the file that answers it, if one does."""

    def __init__(self):
        self.body, self.arrived, self.file = SpooledTemporaryFile(MOST_IN_MEMORY), None, None

    def close(self):
        self.body.close()
        if self.file:
            self.file.close()


def _wsgi(environ, start_response):
    """Django, reading the body where it was collected; a file that it answers with is left to _send_file."""
    exchange = environ["asgi.scope"]["hub"]
    environ |= {"wsgi.input": exchange.body, "wsgi.file_wrapper": FileWrapper, "hub.arrived": exchange.arrived}
    answer = _django(environ, start_response)
    if not isinstance(answer, FileWrapper):
        return answer
    exchange.file = answer.filelike
    return []


# Each thread keeps one database connection: threads x workers = connections.
THREADS = int(os.environ.get("WEB_THREADS") or 4)
http = WSGIMiddleware(_wsgi, workers=THREADS)
threads = Threads(THREADS, settings.WEB_DEADLINE_SECONDS)
# By how a path ends, what costs much and is done for strangers: hashing a password, and the first description of the
# API. Of each only so many hold a thread at once, so that the others are there for who has signed in.
turns = {"login": asyncio.Semaphore(max(1, THREADS // 2)), "schema": asyncio.Semaphore(1)}


def limit_statements(connection, **kwargs):
    """Give a new connection of this process the web's statement_timeout; commands and workers never import this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(settings.WEB_STATEMENT_TIMEOUT_MS)])


connection_created.connect(limit_statements)


async def application(scope, receive, send):
    dispatcher.start()
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
        return

    if scope["type"] != "http":
        await http(scope, receive, send)
        return

    exchange = Exchange()
    scope = _described(scope, exchange)
    if await answer_health(scope, send):
        return
    given_up = None
    try:
        failure = await _collect_in_time(scope, receive, exchange)
        exchange.arrived = time.perf_counter()
        if failure:
            await answer_error(scope, send, failure)
            return
        turn = turns.get(scope["path"].rstrip("/").rpartition("/")[2])
        for message in await threads.run(lambda: _answer_of_django(_with_length(scope, exchange), receive), turn):
            await send(message)
        if exchange.file:
            await _send_file(exchange.file, send)
    except TooLate as late:
        given_up = late.running
        await answer_too_late(scope, send)
    finally:
        if given_up:
            given_up.add_done_callback(lambda running: exchange.close())
        else:
            await asyncio.to_thread(exchange.close)


def _described(scope, exchange):
    """The scope as Django is to see it, but for the length of its body."""
    # WSGI spells "X_Forwarded_For" and "X-Forwarded-For" alike: the first could forge what a proxy sets.
    headers = [(name.lower(), value) for name, value in scope["headers"] if b"_" not in name]
    # Named here, for Django and for whoever answers in its stead.
    given = dict(headers).get(b"x-request-id", b"").decode("latin-1")
    headers = [header for header in headers if header[0] != b"x-request-id"]
    headers.append((b"x-request-id", request_id_of(given).encode()))
    # a2wsgi decodes the query as ASCII; bytes that a browser would have escaped must not become a 500.
    query = quote(scope["query_string"], safe="".join(map(chr, range(33, 127)))).encode()
    return scope | {"hub": exchange, "headers": headers, "query_string": query}


async def _collect_in_time(scope, receive, exchange):
    """Collect the body, if there is one; the status of the error when that fails."""
    headers = dict(scope["headers"])
    if not headers.keys() & {b"content-length", b"transfer-encoding"}:
        return None
    is_form = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
    limit, seconds = (settings.MAX_FORM_BYTES, FORM_SECONDS) if is_form else (settings.MAX_JSON_BYTES, BODY_SECONDS)
    try:
        return None if await asyncio.wait_for(_collect(receive, exchange.body, limit), seconds) else 400
    except TimeoutError:
        return 408


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


def _with_length(scope, exchange):
    """The scope with the length of what was collected: WSGI knows a body by it alone, a chunked one counts as empty."""
    told = (b"content-length", b"transfer-encoding")
    if not dict(scope["headers"]).keys() & set(told):
        return scope
    headers = [header for header in scope["headers"] if header[0] not in told]
    headers.append((b"content-length", str(exchange.body.tell()).encode()))
    exchange.body.seek(0)
    return scope | {"headers": headers}


async def _answer_of_django(scope, receive):
    """What Django answers in a thread, gathered: nothing is said before all of it can be, but for the file."""
    messages = []

    async def gather(message):
        messages.append(message)

    await http(scope, receive, gather)
    start = next(message for message in messages if message["type"] == "http.response.start")
    if scope["hub"].file:
        return [start]
    body = b"".join(message.get("body", b"") for message in messages)
    return [start, {"type": "http.response.body", "body": body}]


async def _send_file(file, send):
    while piece := await asyncio.to_thread(file.read, PIECE):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
