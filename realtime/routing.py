"""Where sockets are found: under every prefix that the API has, and nowhere else."""

import asyncio

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
    """Serve a socket by what stands behind its path, as the ASGI specification has it.

    granian forgets a close that is sent while it is asked for the next message, so that question is taken back
    first; and it raises where a socket is gone, which is no error.
    """
    asking, closed = None, asyncio.get_running_loop().create_future()

    async def next_message():
        return await receive()  # granian's is awaitable but no coroutine

    async def receive_or_end():
        nonlocal asking
        asking = asyncio.ensure_future(next_message())
        try:
            await asyncio.wait([asking])
            if not asking.cancelled():
                return asking.result()
            await closed
        except RuntimeError:
            pass
        finally:
            asking.cancel()
        return {"type": "websocket.disconnect", "code": 1005}

    async def send_or_end(message):
        is_last = message["type"] == "websocket.close"
        if is_last and asking:
            asking.cancel()
        try:
            await send(message)
        except RuntimeError:
            pass
        finally:
            if is_last and not closed.done():
                closed.set_result(None)

    await _doors(scope, receive_or_end, send_or_end)
