"""Where sockets are found: under every prefix that the API has, and nowhere else."""

from channels.routing import URLRouter
from django.urls import re_path

from realtime.consumers import UNKNOWN_PATH, UpdatesConsumer


async def closed_door(scope, receive, send):
    """Any other path, said politely: without a handshake no client would learn why."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": UNKNOWN_PATH})


sockets = URLRouter(
    [
        re_path(r"^(?:api/v1/v1/|api/v1/|api/|v1/)?ws/?$", UpdatesConsumer.as_asgi()),
        re_path("", closed_door),
    ]
)
