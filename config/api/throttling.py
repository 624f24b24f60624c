"""How often something may be called or tried: a GCRA limiter, atomic in Redis.

While Redis is away, tries (signing in) are limited in each process, and the calls of employees not at all.
"""

import math
import threading
import time
from typing import NamedTuple

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.exceptions import PermissionDenied, Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import BaseThrottle

from config.api.renderers import iso
from config.breaker import breaker

# One number per key: the time at which its bucket is empty again. Who only looks takes nothing.
_GCRA = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1e6
local interval, burst, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = empty_at + taken * interval - burst * interval - now
if wait > 0 then return {0, tostring(wait), tostring(empty_at - now)} end
if taken > 0 then
    empty_at = empty_at + taken * interval
    redis.call('SET', KEYS[1], string.format('%.6f', empty_at), 'PX', math.ceil((empty_at - now) * 1000))
end
return {1, '0', tostring(empty_at - now)}
"""


class Verdict(NamedTuple):
    """Whether a try was allowed, how many are left, and the seconds until the next one and until all are back."""

    allowed: bool
    limit: int
    remaining: int
    wait: float
    reset: float


class Limit(NamedTuple):
    """So many tries a minute, of which `burst` may come at once."""

    per_minute: int
    burst: int

    def at(self, per_minute):
        """The same at another rate, with the burst in proportion."""
        return Limit(per_minute, per_minute * self.burst // self.per_minute)

    def verdict(self, allowed, wait, used_seconds):
        remaining = max(0, int(self.burst - used_seconds * self.per_minute / 60 + 1e-6))
        return Verdict(allowed, self.per_minute, remaining, wait, used_seconds)


# What the API says of each category; roles have rates of their own (`employees.roles.RATES`).
CATEGORIES = {
    "read": Limit(per_minute=100, burst=150),
    "write": Limit(per_minute=30, burst=50),
    "bulk": Limit(per_minute=10, burst=15),
    "search": Limit(per_minute=20, burst=30),
    "upload": Limit(per_minute=5, burst=10),
}


class _LocalBuckets:
    """The same algorithm in this process, for as long as Redis is away."""

    def __init__(self):
        self.lock, self.empty_at = threading.Lock(), {}

    def take(self, key, limit):
        interval, now = 60 / limit.per_minute, time.time()
        with self.lock:
            if len(self.empty_at) > 50_000:
                self.empty_at = {k: at for k, at in self.empty_at.items() if at > now}
            empty_at = max(self.empty_at.get(key, 0), now)
            wait = empty_at + interval - limit.burst * interval - now
            if wait > 0:
                return limit.verdict(False, wait, empty_at - now)
            self.empty_at[key] = empty_at + interval
            return limit.verdict(True, 0, empty_at + interval - now)


_local = _LocalBuckets()


def take(key, limit):
    """Use one try of a key's Limit, if there is one; the Verdict either way."""
    try:
        return _counted(key, limit, 1)
    except RedisError:
        return _local.take(key, limit)


def _counted(key, limit, taken):
    # By its hash: only a Redis that does not know the script is sent all of it.
    allowed, wait, used = breaker.call(
        lambda redis: redis.register_script(_GCRA)([f"hub:limit:{key}"], [60 / limit.per_minute, limit.burst, taken])
    )
    return limit.verdict(bool(allowed), float(wait), float(used))


def require(key, limit):
    """Use one try or raise Throttled (429) with the documented details."""
    if not settings.RATE_LIMITS:
        return None
    verdict = take(key, limit)
    if not verdict.allowed:
        raise throttled(verdict)
    return verdict


def throttled(verdict):
    """The 429 of a Verdict."""
    error = Throttled(wait=verdict.wait)
    error.wait = verdict.wait
    error.details = {"limit": verdict.limit, "remaining": 0, "resetAt": iso(time.time() + verdict.reset)}
    return error


class EmployeeThrottle(BaseThrottle):
    """Counts calls in one bucket for each employee and category; what it said stays with the view as `verdict`.

    Viewsets name the category of an action in `throttle_scopes`, otherwise the method decides. The category of
    a role that may do nothing in it is left to permissions.
    """

    def allow_request(self, request, view):
        # Nobody is asked who they are where anybody may come.
        if not settings.RATE_LIMITS or getattr(view, "public", True) or request.user is None:
            return True
        view.verdict = _verdict_on(request.user, category_of(request, view), 1)
        if not view.verdict.limit:
            raise PermissionDenied
        if not view.verdict.allowed:
            raise throttled(view.verdict)
        return True


def category_of(request, view):
    """The category of a request; one whose method is unknown here costs a read."""
    is_read = request.method in SAFE_METHODS or view.action is None
    return view.throttle_scopes.get(view.action, "read" if is_read else "write")


def rate_headers(request, view):
    """What an answer says of the caller's limit, also where a refusal came before the throttle; {} for strangers."""
    # DRF's own `user` would ask the database a second time where it was away at the first.
    employee = getattr(request._request, "user", None)
    if not settings.RATE_LIMITS or view.public or employee is None:
        return {}
    verdict = getattr(view, "verdict", None) or _verdict_on(employee, category_of(request, view), 0)
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": str(math.ceil(time.time() + verdict.reset)),
    }


def _verdict_on(employee, category, taken):
    """The Verdict on an employee who takes so many calls of a category; as if untouched while Redis is away."""
    limit = CATEGORIES[category].at(employee.rates.get(category, CATEGORIES[category].per_minute))
    if not limit.per_minute:
        return Verdict(False, 0, 0, 0, 0)
    try:
        return _counted(f"{category}:{employee.pk}", limit, taken)
    except RedisError:
        return limit.verdict(True, 0, 0)


def client_address(request):
    """The caller's address: what the outermost of our own proxies saw, or the peer when there is none."""
    if settings.TRUSTED_PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(forwarded) >= settings.TRUSTED_PROXIES and forwarded[-settings.TRUSTED_PROXIES].strip():
            return forwarded[-settings.TRUSTED_PROXIES].strip()
    return request.META.get("REMOTE_ADDR", "")
