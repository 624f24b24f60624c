"""Periodic work of live updates."""

from celery import shared_task

from realtime import log


@shared_task
def prune_events():
    """Number what nobody was there to hear, and remove what is older than a day."""
    log.number_events()
    return log.prune_events()
