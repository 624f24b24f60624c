"""Periodic work about requests, and the sign that any work is done."""

import time

from config.api.idempotency import prune_keys
from config.breaker import breaker
from config.jobs import HEARTBEAT, job


@job
def prune_idempotency_keys():
    """Remove keys that nobody repeats any more, with the answers kept under them."""
    return sum(prune_keys())


@job
def heartbeat():
    """Say when a worker last did what the beat sent: see the command doctor."""
    breaker.call(lambda redis: redis.set(HEARTBEAT, time.time()), even_open=True)
