"""Periodic work of live updates."""

from config.jobs import job
from realtime import log


@job
def prune_events():
    """Number what nobody was there to hear, and remove what is older than a day."""
    log.number_events()
    return sum(log.prune_events())
