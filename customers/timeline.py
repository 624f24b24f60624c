"""Everything that has happened to a customer as one feed: which kinds of entries there are, and a page of them.

An entry is a row of some table at one of its moments. A page takes at most as many rows as it is long from each
table, by an index, and merges them; all of it is one statement.
"""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import orjson
from django.db import connection

from config.api.pagination import fingerprint_of, read_cursor, write_cursor
from config.api.rows import json_sql
from config.clock import current_minute
from customers.serializers.activity import (
    AppointmentSerializer,
    InteractionSerializer,
    PropertyInterestSerializer,
    ReminderSerializer,
    StatusChangeSerializer,
)
from customers.serializers.consent import ConsentSerializer
from customers.serializers.customer import AssignmentSerializer, StageChangeSerializer


class Kind(NamedTuple):
    """Entries of one kind: rows as `serializer` shows them, at the moment in their column `moment`.

    The table has a `customer_id`, and an index on it, the moment and the id, under the condition `where`. `actor`
    is the SQL of the id and the name of who did it, over {row}.
    """

    serializer: type
    moment: str
    title: str
    title_en: str
    where: str = ""
    actor: tuple = ("NULL", "NULL")


def _by(column):
    return f"{{row}}.{column}_id", f"{{row}}.{column}"


def _by_who_gave_the_first_status():
    first = "(SELECT {} FROM status_changes WHERE item_id = {{row}}.id AND from_status IS NULL LIMIT 1)"
    return first.format("changed_by_id"), first.format("changed_by")


_STATUS_OF = "collection = '{}' AND from_status IS NOT NULL"
# Other apps add kinds of their own.
KINDS = {
    "stage_changed": Kind(
        StageChangeSerializer, "changed_at", "تغيير المرحلة", "Stage changed", actor=_by("changed_by")
    ),
    "assigned": Kind(AssignmentSerializer, "assigned_at", "إسناد العميل", "Assigned", actor=_by("assigned_by")),
    "interaction": Kind(
        InteractionSerializer, "date", "تواصل مع العميل", "Interaction", actor=("{row}.agent_id", "{row}.agent_name")
    ),
    "property_added": Kind(
        PropertyInterestSerializer,
        "added_at",
        "اهتمام بعقار",
        "Property of interest",
        actor=_by_who_gave_the_first_status(),
    ),
    "property_status_changed": Kind(
        StatusChangeSerializer,
        "recorded_at",
        "تحديث الاهتمام بعقار",
        "Interest in a property changed",
        where=_STATUS_OF.format("properties"),
        actor=_by("changed_by"),
    ),
    "appointment_made": Kind(
        AppointmentSerializer, "created_at", "حجز موعد", "Appointment made", actor=_by_who_gave_the_first_status()
    ),
    "appointment_status_changed": Kind(
        StatusChangeSerializer,
        "recorded_at",
        "تحديث حالة موعد",
        "Appointment changed",
        where=_STATUS_OF.format("appointments"),
        actor=_by("changed_by"),
    ),
    "reminder_made": Kind(ReminderSerializer, "created_at", "إنشاء تذكير", "Reminder made", actor=_by("created_by")),
    "reminder_completed": Kind(
        ReminderSerializer, "completed_at", "إكمال تذكير", "Reminder completed", where="completed_at IS NOT NULL"
    ),
    # A customer has so few of them that their index need not know the moment.
    "consent": Kind(
        ConsentSerializer, "given_at", "موافقة أو سحبها", "Consent given or withdrawn", actor=_by("recorded_by")
    ),
}


class Position(NamedTuple):
    """The entry that a page follows, or with `backward` goes before."""

    at: str
    id: str
    kind: str
    backward: bool


def timeline(customer, *, kinds, since, until, size, cursor, permissions):
    """`(entries, pagination)` of one page, newest first; `permissions` are those of who reads it.

    `kinds` are names, none for all; `since` and `until` bound the moments, None for no bound. Entries of one moment
    are in the order of their ids, and those of one row in that of their kinds: none is repeated or lost while
    others are recorded. ValidationError (400) for a cursor of another feed.
    """
    kinds = tuple(name for name in KINDS if not kinds or name in kinds)
    fingerprint = fingerprint_of("timeline", customer.pk, kinds, since, until)
    position = Position(*read_cursor(cursor, fingerprint)) if cursor else None
    backward = bool(position and position.backward)
    bounds = {"since": since, "until": until}
    params = {"customer": customer.pk, "size": size + 1, "minute": current_minute()}
    params |= {name: moment for name, moment in bounds.items() if moment}
    if position:
        params |= {"at": datetime.fromisoformat(position.at), "id": position.id}
    bounded = tuple(name for name, moment in bounds.items() if moment)
    sql = _page_sql(kinds, bounded, backward, position and position.kind, permissions)
    with connection.cursor() as database:
        database.execute(sql, params)
        rows = database.fetchall()
    more, rows = len(rows) > size, rows[:size]
    if backward:
        rows.reverse()
    has_next, has_previous = (True, more) if backward else (more, position is not None)

    def write(row, back):
        return write_cursor([row[2].isoformat(), row[1], row[0], back], fingerprint)

    return [_entry(*row) for row in rows], {
        "nextCursor": write(rows[-1], False) if rows and has_next else None,
        "prevCursor": write(rows[0], True) if rows and has_previous else None,
        "hasNext": bool(rows) and has_next,
        "hasPrevious": bool(rows) and has_previous,
        "limit": size,
    }


def _entry(kind, key, _moment, at, actor_id, actor_name, data):
    declared = KINDS[kind]
    actor = {"actor": {"id": actor_id, "name": actor_name}} if actor_id else {}
    titles = {"title": declared.title, "titleEn": declared.title_en}
    return {"id": f"{kind}:{key}", "type": kind, "at": at, **actor, **titles, "data": orjson.Fragment(data)}


@lru_cache(maxsize=256)
def _page_sql(kinds, bounded, backward, after, permissions):
    """The statement of a page that follows an entry of the kind `after`, if any."""
    order = "ASC" if backward else "DESC"
    parts = " UNION ALL ".join(f"({_part_sql(name, bounded, backward, after)})" for name in kinds)
    shown = " UNION ALL ".join(_shown_sql(name, permissions) for name in kinds)
    order_by = f'ORDER BY at {order}, id {order}, kind COLLATE "C" {order}'
    return (
        f"WITH page AS MATERIALIZED (SELECT * FROM ({parts}) AS parts {order_by} LIMIT %(size)s) "
        "SELECT page.kind, page.id, page.at, hub_iso(page.at), shown.* FROM page "
        "CROSS JOIN (SELECT %(minute)s::timestamptz AS minute) AS moment "
        f"CROSS JOIN LATERAL ({shown}) AS shown (actor_id, actor_name, data) {order_by}"
    )


def _part_sql(name, bounded, backward, after):
    """The rows of one kind that may be on the page."""
    kind = KINDS[name]
    conditions = ["customer_id = %(customer)s", *filter(None, [kind.where])]
    conditions += [{"since": f"{kind.moment} >= %(since)s", "until": f"{kind.moment} < %(until)s"}[b] for b in bounded]
    beyond, order = (">", "ASC") if backward else ("<", "DESC")
    if after:
        # Of the entries of one row at one moment, those of further kinds are still to come.
        beyond += "=" if (name > after if backward else name < after) else ""
        conditions.append(f"({kind.moment}, id) {beyond} (%(at)s, %(id)s)")
    return (
        f"SELECT '{name}' AS kind, id, {kind.moment} AS at FROM {kind.serializer.Meta.model._meta.db_table} "
        f"WHERE {' AND '.join(conditions)} ORDER BY {kind.moment} {order}, id {order} LIMIT %(size)s"
    )


def _shown_sql(name, permissions):
    """What an entry of one kind says, beside when."""
    kind = KINDS[name]
    actor_id, actor_name = (sql.format(row="c") for sql in kind.actor)
    table = kind.serializer.Meta.model._meta.db_table
    return (
        f"SELECT {actor_id}, {actor_name}, {json_sql(kind.serializer, 'c', permissions)} FROM {table} c "
        f"WHERE page.kind = '{name}' AND c.id = page.id"
    )
