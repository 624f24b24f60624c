"""What time it is for lists, counts and buckets of days."""

import threading
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

# So much the clocks of others may be fast.
CLOCK_SKEW = timedelta(minutes=5)


class _Noticed(threading.local):
    minutes = None


_noticed = _Noticed()


def current_minute():
    """Now, floored to the minute: lists, counts and cached answers of one minute agree with each other."""
    minute = timezone.now().replace(second=0, microsecond=0)
    if _noticed.minutes is not None:
        _noticed.minutes.append(minute)
    return minute


@contextmanager
def noticed():
    """Yields the list of the minutes that are asked for inside: what comes of none does not depend on the time."""
    _noticed.minutes = minutes = []
    try:
        yield minutes
    finally:
        _noticed.minutes = None


def is_ahead(moment):
    """Whether a moment is still to come, by any clock."""
    return moment > timezone.now() + CLOCK_SKEW


def not_ahead(moment, field=None):
    """The validator of moments at which something is said to have happened. Raises ValidationError, of the field."""
    if is_ahead(moment):
        message = _("Must not lie in the future")
        raise ValidationError({field: message} if field else message)


def zone_of(organization):
    """The time zone that an organization's days begin in."""
    return ZoneInfo(organization.time_zone)


def start_of_day(day, zone):
    """The moment at which a calendar day begins in a zone."""
    return datetime.combine(day, time.min, zone)


def start_of_next_month(day):
    """The first day of the month after this day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
