"""What the interactions of a customer tell: the last contact, and how soon customers are answered.

A customer waits from the moment that it is created, and from each inbound contact, until the next outbound one.
`avg_response_time` is the average of those waits in hours, of those that have ended; `response_rate` is the
percentage of inbound contacts that were answered within a day. Notes are no contacts.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

ANSWERED_WITHIN_HOURS = 24


class Contacts(NamedTuple):
    """When and how the last contact was, and the measures above; None where there is nothing to measure."""

    at: datetime | None = None
    type: str | None = None
    response_rate: Decimal | None = None
    avg_response_time: Decimal | None = None


# Backwards in time, so that the next answer is the earliest one seen so far: each row is looked at once.
_SQL = f"""
    WITH contacts AS MATERIALIZED (
        SELECT date AS at, type, direction FROM interactions WHERE customer_id = %s AND NOT (type = 'note')
    ), moments AS (
        SELECT at, direction FROM contacts WHERE direction <> '' UNION ALL SELECT %s::timestamptz, 'created'
    ), waits AS (
        SELECT direction, extract(epoch FROM min(at) FILTER (WHERE direction = 'outbound') OVER (ORDER BY at DESC) - at)
               / 3600 AS hours
          FROM moments
    ), last AS (SELECT at, type FROM contacts ORDER BY at DESC LIMIT 1)
    SELECT (SELECT at FROM last), (SELECT type FROM last),
           round(100.0 * count(*) FILTER (WHERE direction = 'inbound' AND hours <= {ANSWERED_WITHIN_HOURS})
                 / nullif(count(*) FILTER (WHERE direction = 'inbound'), 0), 2),
           round(avg(hours) FILTER (WHERE direction <> 'outbound'), 2)
      FROM waits
"""


def contacts_of(customer):
    """The Contacts of a customer, from the rows that are there: one pass over an index."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [customer.pk, customer.created_at])
        return Contacts(*cursor.fetchone())


def news_of(customer, before, now):
    """Columns of a customer whose Contacts were these `before` a change and are those `now`.

    What came with an import, and no interaction has told, stays: measures until there is something to measure,
    a last contact until there is a later one.
    """
    news = {}
    known = customer.last_contact_at
    is_ours = known is not None and known == before.at
    if is_ours or now.at is not None and (known is None or now.at >= known):
        news |= {"last_contact_at": now.at, "last_contact_type": now.type or ""}
    for name in ("response_rate", "avg_response_time"):
        if getattr(now, name) is not None or getattr(before, name) is not None:
            news[name] = getattr(now, name)
    return news
