"""Days and hours that an organization works on: its weekend, its holidays, and when its door opens and closes.

Pure functions over an Organization's columns. Days are calendar days in its zone, moments are aware.
"""

from datetime import UTC, datetime, timedelta

from config.clock import zone_of

ONE_DAY = timedelta(days=1)


def is_workday(organization, day):
    """Neither of the weekend nor a holiday."""
    return day.isoweekday() not in organization.weekend and day not in organization.holidays


def workday_on_or_after(organization, day):
    """The day itself if it is worked on, else the next that is."""
    while not is_workday(organization, day):
        day += ONE_DAY
    return day


def workday_before(organization, day):
    """The last workday before a day."""
    day -= ONE_DAY
    while not is_workday(organization, day):
        day -= ONE_DAY
    return day


def add_workdays(organization, day, count):
    """The workday that comes `count` workdays after a day; of 0 the day itself, or the first workday after it."""
    if not count:
        return workday_on_or_after(organization, day)
    for _ in range(count):
        day = workday_on_or_after(organization, day + ONE_DAY)
    return day


def opening(organization, day):
    """The moment at which work starts on a day, whether or not it is worked on."""
    return datetime.combine(day, organization.work_starts, zone_of(organization))


def closing(organization, day):
    """The moment at which work ends on a day, whether or not it is worked on."""
    return datetime.combine(day, organization.work_ends, zone_of(organization))


def within_hours(organization, moment):
    """Say whether somebody is at work at a moment."""
    local = moment.astimezone(zone_of(organization))
    starts, ends = organization.work_starts, organization.work_ends
    return starts <= local.time() < ends and is_workday(organization, local.date())


def next_working_moment(organization, moment):
    """The moment itself within working hours, else the next opening."""
    if within_hours(organization, moment):
        return moment
    local = moment.astimezone(zone_of(organization))
    day = local.date() if local.time() < organization.work_starts else local.date() + ONE_DAY
    return opening(organization, workday_on_or_after(organization, day))


def working_hours_between(organization, start, end):
    """How many hours of work lie between two moments; 0 when the second is not the later one."""
    zone = zone_of(organization)
    # In UTC: moments of one zone are otherwise subtracted by the clock on the wall, which summer time moves.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    worked = timedelta(0)
    while day <= last:
        if is_workday(organization, day):
            opened, closed = opening(organization, day).astimezone(UTC), closing(organization, day).astimezone(UTC)
            worked += max(min(closed, end) - max(opened, start), timedelta(0))
        day += ONE_DAY
    return worked / timedelta(hours=1)
