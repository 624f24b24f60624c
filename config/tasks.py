"""Periodic work about requests."""

from config.api.idempotency import prune_keys
from config.jobs import job


@job
def prune_idempotency_keys():
    """Remove keys that nobody repeats any more, with the answers kept under them."""
    return sum(prune_keys())
