"""The web process: HTTP goes to Django's WSGI handler in a few threads, WebSockets find a closed door for now."""

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

    async def next_message():
        # granian's receive() is awaitable but no coroutine, and a2wsgi hands it to another thread as one.
        return await receive()

    if scope["type"] == "http":
        # WSGI spells "X_Forwarded_For" and "X-Forwarded-For" alike: the first could forge what a proxy sets.
        headers = [header for header in scope["headers"] if b"_" not in header[0]]
        names = {name.lower() for name, _value in headers}
        if b"transfer-encoding" in names and b"content-length" not in names:
            # WSGI knows a body by its length alone; without this a chunked one would count as empty.
            body = await _whole_body(receive)
            headers.append((b"content-length", str(len(body)).encode()))

            async def next_message():
                return {"type": "http.request", "body": body, "more_body": False}

        scope = scope | {
            "headers": headers,
            # a2wsgi decodes the query as ASCII; bytes that a browser would have escaped must not become a 500.
            "query_string": quote(scope["query_string"], safe="".join(map(chr, range(33, 127)))).encode(),
        }
    await http(scope, next_message, send)


async def _whole_body(receive):
    """A chunked body, read no further than one byte past what the API accepts."""
    body, more = b"", True
    while more and len(body) <= settings.MAX_JSON_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
