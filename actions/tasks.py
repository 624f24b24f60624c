"""Periodic work about actions. Each may run twice, late, or in two beats at once."""

from celery import shared_task

from actions import counting, due, refreshing, services
from config.counts import report


@shared_task
def wake_snoozed():
    """Return snoozed actions whose time has come to pending."""
    return services.wake_snoozed()


@shared_task
def surface_due():
    """Open the actions of reminders and appointments whose time has come."""
    return due.surface_due()


@shared_task
def surface_expiring():
    """Open the actions of leases and licences that end soon."""
    return due.surface_expiring()


@shared_task
def fold_counts():
    """Add up what has gathered in the counts that statistics are read from."""
    return counting.fold_counts()


@shared_task
def refresh_stats():
    """Compare counts with the truth, say what differs, and set it right."""
    return report(refreshing.refresh())
