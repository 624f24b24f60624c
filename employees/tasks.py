"""Periodic work about people."""

from config.jobs import job
from employees import services


@job
def prune_sessions():
    """Remove sessions that nobody can use any more."""
    return sum(services.prune_sessions())
