"""The log of events as it is read: gapless numbers for each organization, a day of them kept.

Numbers are given to committed events by whoever asks first, under a lock of the organization's head,
so that a number that a reader has seen is never followed by a smaller one.
"""

from datetime import timedelta
from functools import cache

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from config.clock import current_minute
from config.db import removed
from customers.followups import next_follow_up_sql
from realtime.frames import CHANGED, EXPIRED, RESYNC, tells_to_read_again
from realtime.models import Event, EventHead

KEPT = timedelta(hours=24)
# At most so many events are numbered or read at once.
BATCH = 500

_NUMBER = """
WITH fresh AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM events
    WHERE organization_id = %s AND seq IS NULL ORDER BY id LIMIT %s
)
UPDATE events e SET seq = %s + fresh.place, before = {before}, after = {after}, data = {data}
  FROM fresh, (SELECT %s::timestamptz AS minute) AS moment WHERE e.id = fresh.id
"""
_WITH_TEAM = """
CASE WHEN e.{viewers} ? 'owner' THEN
    e.{viewers} || jsonb_build_object('team', (SELECT team_id FROM employees WHERE id = e.{viewers} ->> 'owner'))
ELSE e.{viewers} END
"""
# Of several rows, which transactions that do not wait for each other may change: only now all of them are there.
_WITH_FOLLOW_UP = """
CASE WHEN e.data -> 'changes' ? 'nextFollowUpDate' THEN jsonb_set(e.data, '{{changes,nextFollowUpDate}}', coalesce(
    (SELECT to_jsonb({day}) FROM customers c WHERE c.id = e.row_id), 'null'))
ELSE e.data END
"""


@cache
def _number_sql():
    """Compiled once all apps have said what they plan."""
    return _NUMBER.format(
        before=_WITH_TEAM.format(viewers="before"),
        after=_WITH_TEAM.format(viewers="after"),
        data=_WITH_FOLLOW_UP.format(day=next_follow_up_sql("c")),
    )


def number_events(organization_id=None):
    """Number what was committed since the last time, in one organization or in all.

    Returns the ids of the organizations whose logs have grown.
    """
    unnumbered = Event.objects.filter(seq=None).order_by()
    if organization_id:
        unnumbered = unnumbered.filter(organization_id=organization_id)
    keys = list(unnumbered.values_list("organization_id", flat=True).distinct())
    for key in keys:
        while _number_some(key) == BATCH:
            pass
    return keys


def _number_some(organization_id):
    with transaction.atomic(), connection.cursor() as cursor:
        head = _held_head(organization_id)
        cursor.execute(_number_sql(), [organization_id, BATCH, head.seq, current_minute()])
        head.seq += cursor.rowcount
        head.save(update_fields=["seq"])
        return cursor.rowcount


def _held_head(organization_id):
    heads = EventHead.objects.select_for_update().filter(pk=organization_id)
    head = heads.first()
    if head is None:
        EventHead.objects.bulk_create([EventHead(organization_id=organization_id)], ignore_conflicts=True)
        head = heads.get()
    return head


def head_of(organization_id):
    """The last number of an organization's log, 0 when nothing has ever happened."""
    head = EventHead.objects.filter(pk=organization_id).first()
    return head.seq if head else 0


def reason_to_read_again(since, viewer):
    """Why a viewer cannot go on after the number `since`, or None.

    What was written before it last saw other rows was for other eyes, and would tell it nothing.
    """
    organization_id = viewer.employee.organization_id
    head = EventHead.objects.filter(pk=organization_id).first() or EventHead()
    if not head.pruned_seq <= since <= head.seq:  # pruned, or never given
        return EXPIRED
    told = Event.objects.filter(organization_id=organization_id, seq__gt=since, event=RESYNC)
    return CHANGED if any(tells_to_read_again(event, viewer) for event in told) else None


def events_after(organization_id, seq, limit=BATCH):
    """The next numbered events of an organization, in their order."""
    return list(Event.objects.filter(organization_id=organization_id, seq__gt=seq).order_by("seq")[:limit])


def numbered_before(moment):
    """Numbered events of before a moment."""
    return Event.objects.filter(at__lt=moment).exclude(seq=None)


def prune_events(before=None):
    """Remove numbered events of before a moment, by default a day ago; yields how many, a batch at a time."""
    old = numbered_before(before or timezone.now() - KEPT)
    for organization_id in list(old.order_by().values_list("organization_id", flat=True).distinct()):
        last = old.filter(organization_id=organization_id).aggregate(last=Max("seq"))["last"]
        # First the head: a reader must never take what is being removed for what has not happened.
        EventHead.objects.filter(pk=organization_id).update(pruned_seq=last)
        yield from removed(old.filter(organization_id=organization_id, seq__lte=last))
