"""How often something may be tried: a GCRA limiter, atomic in Redis, local when Redis is away."""

import threading
import time
from typing import NamedTuple

from django.conf import settings
from rest_framework.exceptions import Throttled

from config.api.renderers import iso
from config.breaker import RedisAway, breaker

# One number per key: the time at which its bucket is empty again.
_GCRA = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1e6
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = empty_at + interval - burst * interval - now
if wait > 0 then return {0, tostring(wait), tostring(empty_at - now)} end
empty_at = empty_at + interval
redis.call('SET', KEYS[1], string.format('%.6f', empty_at), 'PX', math.ceil((empty_at - now) * 1000))
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

    def verdict(self, allowed, wait, used_seconds):
        interval = 60 / self.per_minute
        remaining = max(0, int(self.burst - used_seconds / interval + 1e-6))
        return Verdict(allowed, self.per_minute, remaining, wait, used_seconds)


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
        allowed, wait, used = breaker.call(
            lambda redis: redis.eval(_GCRA, 1, f"hub:limit:{key}", 60 / limit.per_minute, limit.burst)
        )
    except RedisAway:
        return _local.take(key, limit)
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


def client_address(request):
    """The caller's address: what the outermost of our own proxies saw, or the peer when there is none."""
    if settings.TRUSTED_PROXIES:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(forwarded) >= settings.TRUSTED_PROXIES and forwarded[-settings.TRUSTED_PROXIES].strip():
            return forwarded[-settings.TRUSTED_PROXIES].strip()
    return request.META.get("REMOTE_ADDR", "")
