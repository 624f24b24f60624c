"""What time it is for lists, counts and buckets of days."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone


def current_minute():
    """Now, floored to the minute: lists, counts and cached answers of one minute agree with each other."""
    return timezone.now().replace(second=0, microsecond=0)


def zone_of(organization):
    """The time zone that an organization's days begin in."""
    return ZoneInfo(organization.time_zone)


def start_of_day(day, zone):
    """The moment at which a calendar day begins in a zone."""
    return datetime.combine(day, time.min, zone)


def start_of_next_month(day):
    """The first day of the month after this day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
