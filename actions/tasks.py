"""Periodic work about actions. Each may run late, or again."""

from actions import counting, due, recommending, refreshing, services
from config.counts import report
from config.jobs import job


@job
def wake_snoozed():
    """Return snoozed actions whose time has come to pending."""
    return services.wake_snoozed()


@job
def surface_due():
    """Open the actions of reminders and appointments whose time has come."""
    return due.surface_due()


@job
def surface_expiring():
    """Open the actions of leases and licences that end soon."""
    return due.surface_expiring()


@job
def recommend():
    """Open actions by what is advised for customers, and take back what holds no longer, where people are at work."""
    return recommending.recommend_everywhere().opened


@job
def prune_recommendations():
    """Remove recommendations that are too old to tell anything."""
    return recommending.prune()


@job
def fold_counts():
    """Add up what has gathered in the counts that statistics are read from."""
    return counting.fold_counts()


@job
def refresh_stats():
    """Compare counts with the truth, say what differs, and set it right."""
    return report(refreshing.refresh())
