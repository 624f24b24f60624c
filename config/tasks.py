"""Periodic work about requests."""

from celery import shared_task

from config.api.idempotency import prune_keys


@shared_task
def prune_idempotency_keys():
    """Remove keys that nobody repeats any more, with the answers kept under them."""
    return prune_keys()
