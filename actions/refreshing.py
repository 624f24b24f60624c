"""Comparing what is kept of actions with the truth, and setting it right."""

from actions.counting import TABLES
from config import counts
from config.cache import void


def check(organization_id=None):
    """Every Difference between the counts of actions and what their rows say."""
    return counts.check(TABLES, organization_id)


def refresh(organization_id=None):
    """Set right what differs; returns the differences that there were."""
    found = counts.repair(TABLES, organization_id)
    if found:
        void(organization_id)
    return found
