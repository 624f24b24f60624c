"""What time makes of a stored status: a licence expires, a payment becomes overdue, and nobody writes it down.

Days are those of Riyadh, whose law it is, wherever an organization may be.
"""

from datetime import date
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import get_default_timezone

from config.api.filters import WrittenOut
from config.clock import current_minute
from customers.choices import MilestoneStatus
from customers.models import BrokerageLicense, EjarContract, EscrowMilestone, Payment

# The same day in SQL that is rendered for a minute: see config.api.rows.
_TODAY_SQL = f"(moment.minute AT TIME ZONE '{settings.TIME_ZONE}')::date"


class Turn(NamedTuple):
    """A status that becomes another after the day in a column, where `only` names one that must be true."""

    status: str
    column: str
    into: str
    only: str | None = None


# The first that applies is what happens.
TURNS = {
    BrokerageLicense: [Turn("active", "expiry_date", "expired")],
    EjarContract: [Turn("active", "end_date", "renewed", only="auto_renewal"), Turn("active", "end_date", "expired")],
    EscrowMilestone: [Turn("pending", "target_date", "overdue"), Turn("in_progress", "target_date", "overdue")],
    Payment: [Turn("pending", "due_date", "overdue")],
}

# A milestone that is late has passed its target without being certified, whatever status somebody has set.
_UNCERTIFIED = (MilestoneStatus.PENDING, MilestoneStatus.IN_PROGRESS, MilestoneStatus.OVERDUE)
LATE_MILESTONE_SQL = f"{{row}}.target_date < {_TODAY_SQL} AND {{row}}.status NOT IN ('certified', 'released')"


def riyadh_day(moment=None):
    """The calendar day in Riyadh of a moment, or of the minute that lists and counts go by."""
    try:
        return (moment or current_minute()).astimezone(get_default_timezone()).date()
    except OverflowError:  # the last hours of the year 9999
        return date.max


def standing_of(row, today):
    """The status of a row as it is shown on a day."""
    for turn in TURNS.get(type(row), ()):
        day = getattr(row, turn.column)
        if row.status == turn.status and day and day < today and (not turn.only or getattr(row, turn.only)):
            return turn.into
    return row.status


def standing_sql(model):
    """The same in SQL over `{row}`."""
    whens = [
        f"WHEN {{row}}.status = '{turn.status}' AND {{row}}.{turn.column} < {_TODAY_SQL}"
        + (f" AND {{row}}.{turn.only}" if turn.only else "")
        + f" THEN '{turn.into}'"
        for turn in TURNS[model]
    ]
    return f"CASE {' '.join(whens)} ELSE {{row}}.status END"


def is_standing(model, words, today=None):
    """The condition that a row is shown in one of these statuses on a day."""
    turns, day = TURNS.get(model, ()), WrittenOut(today or riyadh_day())
    turning = {turn.status: turn.column for turn in turns}
    conditions = [Q(status__in=sorted(set(words) - turning.keys()))]
    for word, column in turning.items():
        if word in words:
            conditions.append(Q(status=word) & (Q(**{f"{column}__gte": day}) | Q(**{column: None})))
    for place, turn in enumerate(turns):
        if turn.into in words:
            turned = Q(status=turn.status, **{f"{turn.column}__lt": day})
            for other in turns[:place]:  # what one that comes first takes is no longer there
                turned &= Q() if other.status != turn.status else Q(**{other.only: False}) | Q(**{other.only: None})
            conditions.append(turned & Q(**{turn.only: True}) if turn.only else turned)
    return reduce(or_, conditions)


def is_late_milestone(today=None):
    """The condition that a milestone is late on a day."""
    return Q(status__in=_UNCERTIFIED, target_date__lt=WrittenOut(today or riyadh_day()))


def having(model, *conditions):
    """The condition that a customer has a row of a part which meets others."""
    # The organization too: PostgreSQL then reads the index of one, not the table of all.
    own = {"customer": OuterRef("pk"), "organization": OuterRef("organization")}
    return Exists(model.objects.filter(*conditions, **own))
