"""Who may well be one person: customers who share a phone, a national ID, an e-mail, or a name in a city.

They are suggestions: a family has one WhatsApp, and a name that many in a city have says nothing. What an organization
has of them is gathered from indexes alone, group by group.
"""

from math import log
from typing import NamedTuple

import orjson
from django.db import connection

from customers.models import Customer

# How likely two are one person by each reason alone; several together make it likelier.
REASONS = {"nationalId": 0.95, "email": 0.8, "phone": 0.7, "name_city": 0.5}
# A name that more have in a city is a common one, and what more share is nobody's own.
MOST_NAMESAKES, MOST_SHARING = 5, 20

_LIVING = "organization_id = %s AND deleted_at IS NULL"
_HAS_ANOTHER = "whatsapp <> '' AND whatsapp <> phone"
# How unlikely it is that all of the reasons mislead: sums of logarithms, which PostgreSQL need not take for each row.
_DOUBTS = " ".join(f"WHEN '{reason}' THEN {log(1 - weight)!r}::float" for reason, weight in REASONS.items())
_JUDGED = (
    "array_agg(reason ORDER BY reason) AS reasons, "
    f"round((1 - exp(sum(CASE reason {_DOUBTS} END)))::numeric, 2)::float AS score"
)


def _groups(reason, condition, by, most):
    return (
        f"SELECT '{reason}' AS reason, array_agg(id) AS ids FROM customers WHERE {_LIVING} AND {condition} "
        f"GROUP BY {by} HAVING count(*) BETWEEN 2 AND {most}"
    )


# Looked at first, by the index alone: few share one.
_REPEATED_IDS = (
    f"SELECT national_id FROM customers WHERE {_LIVING} AND national_id <> '' GROUP BY national_id HAVING count(*) > 1"
)
# Phones are unique: one that two have is a WhatsApp of either.
_SHARED = " UNION ALL ".join(
    (
        _groups("nationalId", f"national_id <> '' AND national_id IN ({_REPEATED_IDS})", "national_id", MOST_SHARING),
        _groups("email", "email <> ''", "lower(email)", MOST_SHARING),
        _groups("phone", _HAS_ANOTHER, "whatsapp", MOST_SHARING),
        "SELECT 'phone', ARRAY[a.id, b.id] FROM "
        f"(SELECT id, whatsapp FROM customers WHERE {_LIVING} AND {_HAS_ANOTHER}) AS a "
        f"JOIN (SELECT id, phone FROM customers WHERE {_LIVING}) AS b ON b.phone = a.whatsapp",
        _groups("name_city", "city_key <> ''", "name_folded, city_key", MOST_NAMESAKES),
    )
)
_OF_ORGANIZATION = f"""
    WITH seen (id) AS MATERIALIZED ({{seen}}), shared AS ({_SHARED}), alike AS (
        SELECT DISTINCT least(a, b) AS one, greatest(a, b) AS other, reason
          FROM shared, unnest(ids) AS a, unnest(ids) AS b WHERE a < b
    ), pairs AS MATERIALIZED (
        SELECT one, other, {_JUDGED} FROM alike
         WHERE {{sees_all}} OR one IN (SELECT id FROM seen) AND other IN (SELECT id FROM seen) GROUP BY one, other
    ), page AS (SELECT * FROM pairs ORDER BY score DESC, one, other LIMIT %s OFFSET %s)
    SELECT (SELECT count(*) FROM pairs),
           (SELECT json_agg(json_build_array(one, other, reasons, score) ORDER BY score DESC, one, other)
              FROM page)::text
"""


def _others(reason, condition, most):
    """Those who share something with `me`, unless too many do."""
    return (
        f"SELECT id, '{reason}' AS reason FROM (SELECT id, count(*) OVER () AS number FROM ("
        "SELECT c.id FROM me JOIN customers c ON c.organization_id = me.organization_id AND c.deleted_at IS NULL "
        f"AND c.id <> me.id AND {condition} LIMIT {most}) AS others) AS counted WHERE number < {most}"
    )


_ALIKE = " UNION ".join(
    (
        _others("nationalId", "c.national_id <> '' AND c.national_id = me.national_id", MOST_SHARING),
        _others("email", "c.email <> '' AND lower(c.email) = lower(me.email)", MOST_SHARING),
        _others("phone", "c.phone = me.whatsapp", MOST_SHARING),
        _others(
            "phone",
            "c.whatsapp <> '' AND c.whatsapp <> c.phone AND c.whatsapp IN (me.phone, me.whatsapp)",
            MOST_SHARING,
        ),
        _others(
            "name_city",
            "c.name_folded = me.name_folded AND c.city_key = me.city_key AND c.city_key <> ''",
            MOST_NAMESAKES,
        ),
    )
)
_OF_ONE = f"""
    WITH me AS (SELECT * FROM customers WHERE id = %s), alike AS ({_ALIKE})
    SELECT id, {_JUDGED} FROM alike GROUP BY id ORDER BY score DESC, id
"""


class Likely(NamedTuple):
    """Customers who may be one person, for which REASONS, and how likely that is, up to 1."""

    keys: tuple
    reasons: list
    score: float


def duplicates_of(customer, employee):
    """A Likely for each other customer who may be this one, likeliest first, of those whom the employee sees."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_ONE, [customer.pk])
        found = [Likely((key,), reasons, score) for key, reasons, score in cursor.fetchall()]
    keys = [likely.keys[0] for likely in found]
    seen = set(Customer.objects.visible_to(employee).filter(pk__in=keys).values_list("pk", flat=True)) if keys else ()
    return [likely for likely in found if likely.keys[0] in seen]


def duplicate_pairs(employee, *, size, start):
    """`(how many pairs there are, [Likely])`, likeliest first, of customers whom the employee sees both."""
    seen, params = "SELECT NULL", ()
    if not employee.is_admin:
        seen, params = Customer.objects.visible_to(employee).values("pk").query.sql_with_params()
    sql = _OF_ORGANIZATION.format(seen=seen, sees_all=str(employee.is_admin))
    organization = [employee.organization_id] * _SHARED.count("%s")
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, *organization, size, start])
        total, page = cursor.fetchone()
    return total, [Likely((one, other), reasons, score) for one, other, reasons, score in orjson.loads(page or "[]")]
