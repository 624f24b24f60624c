"""Whether this process lives, and whether what it stands on is there."""

from django.db import DatabaseError, connection
from django.http import JsonResponse
from django_redis import get_redis_connection
from redis.exceptions import RedisError


def healthz(request):
    """200 as long as the process answers; it asks nobody else."""
    return JsonResponse({"status": "ok"})


def readyz(request):
    """200 when PostgreSQL answers; Redis away is reported, but requests go on without it."""
    report = {"postgresql": _postgresql(), "redis": _redis()}
    return JsonResponse(report, status=200 if report["postgresql"] == "ok" else 503)


def _postgresql():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "away"
    return "ok"


def _redis():
    try:
        get_redis_connection("default").ping()
    except RedisError:
        return "away"
    return "ok"
