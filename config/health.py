"""Whether this process lives, and whether what it stands on is there."""

import asyncio

import psycopg
import redis.asyncio
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from django.http import JsonResponse
from redis.exceptions import RedisError, ResponseError

SECONDS = 1.5
_THREADS_ONLY = {"context", "cursor_factory", "prepare_threshold"}


def healthz(request):
    """200 as long as the process answers; it asks nobody else."""
    return JsonResponse({"status": "ok"})


def readyz(request):
    """200 when PostgreSQL answers; Redis away or refusing writes is reported, but requests go on without it."""
    return readiness(async_to_sync(report)())


def readiness(report):
    """The answer that a report makes."""
    return JsonResponse(report, status=200 if report["postgresql"] == "ok" else 503)


async def report():
    """What answers within SECONDS, over connections of its own: those of the threads may be stuck."""
    names = ("postgresql", "redis")
    return dict(zip(names, await asyncio.gather(_word(_ask_postgresql), _word(_ask_redis)), strict=True))


async def _word(ask):
    try:
        async with asyncio.timeout(SECONDS):
            await ask()
    except ResponseError:
        return "refuses writes"
    except (OSError, psycopg.Error, RedisError):
        return "away"
    return "ok"


async def _ask_postgresql():
    params = {name: value for name, value in connection.get_connection_params().items() if name not in _THREADS_ONLY}
    async with await psycopg.AsyncConnection.connect(**params) as own:
        await own.execute("SELECT 1")


async def _ask_redis():
    async with redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS) as own:
        # A replica, a full memory or a full disk still answers a PING.
        await own.set("hub:ready", 1, px=1000)
