"""Where sockets are found: under every prefix that the API has, and nowhere else."""

from contextlib import suppress

from channels.routing import URLRouter
from django.urls import re_path

from realtime.consumers import UNKNOWN_PATH, UpdatesConsumer


async def closed_door(scope, receive, send):
    """Any other path, said politely: without a handshake no client would learn why."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": UNKNOWN_PATH})


_doors = URLRouter(
    [
        re_path(r"^(?:api/v1/v1/|api/v1/|api/|v1/)?ws/?$", UpdatesConsumer.as_asgi()),
        re_path("", closed_door),
    ]
)


async def sockets(scope, receive, send):
    """Serve a socket by what stands behind its path. granian raises where a socket is gone, which is no error."""

    async def next_message():
        try:
            return await receive()  # awaitable, but no coroutine
        except RuntimeError:
            return {"type": "websocket.disconnect", "code": 1006}

    async def send_if_open(message):
        with suppress(RuntimeError):
            await send(message)

    await _doors(scope, next_message, send_if_open)
