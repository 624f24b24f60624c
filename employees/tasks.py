"""Periodic work about people."""

from celery import shared_task

from employees import services


@shared_task
def prune_sessions():
    """Remove sessions that nobody can use any more."""
    return services.prune_sessions()
