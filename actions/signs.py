"""What tells what to do next for customers beyond their Facts: rows that are open, waiting, overdue or to come.

One statement for a batch of customers. Each of its parts asks only of those whose Facts leave it possible.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection

from config.db import id_array
from customers.choices import InterestStatus, Stage
from customers.compliance.standing import riyadh_day
from customers.gates import missing
from customers.matching import OFFERED

# What becomes of customers is looked at for so long after something was recommended.
MEASURED = timedelta(days=14)
# What happens so soon after a visit belongs to it.
AFTERMATH_HOURS = 4
# What a customer is asked for in a stage is what the next one needs.
NEXT_STAGES = {
    Stage.CONTRACT_PREP: Stage.DOWN_PAYMENT,
    Stage.DOWN_PAYMENT: Stage.CLOSING,
    Stage.CLOSING: Stage.POST_SALE,
}


class Row(NamedTuple):
    """A row of a customer: its id, the moment that it speaks of, and its status; titles where it has some."""

    id: str
    at: datetime | None
    status: str = ""
    title: str = ""
    title_en: str = ""


class Matches(NamedTuple):
    """How many listings suit a customer with whom nobody has been in touch since they were found, and the best."""

    count: int
    best: str


class Signs(NamedTuple):
    """Each by customer id, of those where there is any."""

    silent: set  # asked not to be contacted
    said: set  # (customer, rule, anchor) of what was said already and is not to be said for now
    callbacks: dict  # Row: the open action that asks for a call
    unanswered: dict  # Row: the first message since we last were in touch
    overdue: dict  # (id, day) of the payment that is overdue for longest
    lacking: dict  # rules of the gates that the next stage would not meet
    coming: dict  # `{type: Row}` of the next appointments
    visits: dict  # Row: the last site visit, if nobody has been in touch since or the customer did not come
    liked: dict  # Row: the property that was liked first, of those that no offer was made for
    matches: dict  # Matches
    funded: set  # pays without a bank


def signs_of(organization, every, now):
    """The Signs of customers of an organization, of whom these are the Facts."""
    signs = Signs(set(), set(), {}, {}, {}, _lacking(organization, every), defaultdict(dict), {}, {}, {}, set())
    for kind, key, *row in _rows(organization, every, now):
        _READ[kind](signs, key, Row(*row))
    return signs


_READ = {
    "silent": lambda signs, key, row: signs.silent.add(key),
    "said": lambda signs, key, row: signs.said.add((key, row.id, row.status)),
    "callback": lambda signs, key, row: signs.callbacks.update({key: row}),
    "message": lambda signs, key, row: signs.unanswered.update({key: row}),
    "payment": lambda signs, key, row: signs.overdue.update({key: (row.id, date.fromisoformat(row.status))}),
    "appointment": lambda signs, key, row: signs.coming[key].update({row.title: row}),
    "visit": lambda signs, key, row: signs.visits.update({key: row}),
    "liked": lambda signs, key, row: signs.liked.update({key: row}),
    "match": lambda signs, key, row: signs.matches.update({key: Matches(int(row.status), row.id)}),
    "funded": lambda signs, key, row: signs.funded.add(key),
}


def _rows(organization, every, now):
    def those(condition):
        return id_array(facts.customer_id for facts in every if condition(facts))

    suited = [facts for facts in every if facts.inventory]
    visited = [facts for facts in every if facts.visits_45d or facts.last_visit_no_show]
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL,
            {
                "everybody": id_array(facts.customer_id for facts in every),
                "organization": organization.pk,
                "now": now,
                "today": riyadh_day(now),
                "measured": now - MEASURED,
                # A try since the last touch was an answer.
                "waiting": those(lambda facts: facts.inbound_30d and not facts.streak),
                "paying": those(lambda facts: facts.stage in (Stage.DOWN_PAYMENT, Stage.CLOSING)),
                "visited": id_array(facts.customer_id for facts in visited),
                "seen": [facts.last_touch_at for facts in visited],
                "liking": those(lambda facts: facts.interest == InterestStatus.LIKED),
                "financed": those(lambda facts: facts.financing),
                "suited": id_array(facts.customer_id for facts in suited),
                "touched": [facts.last_touch_at for facts in suited],
            },
        )
        return cursor.fetchall()


_SQL = f"""
    WITH asked (id) AS MATERIALIZED (SELECT unnest(%(everybody)s::text[]))
    SELECT 'silent', c.id, '', NULL::timestamptz, '', '', ''
      FROM asked JOIN customers c ON c.id = asked.id
     WHERE c.organization_id = %(organization)s AND c.do_not_contact AND c.deleted_at IS NULL
    UNION ALL
    SELECT 'said', r.customer_id, r.rule, NULL, r.anchor, '', ''
      FROM asked JOIN recommendations r ON r.customer_id = asked.id
     WHERE r.silent_until > %(now)s OR r.is_held_out AND r.made_at < %(measured)s
    UNION ALL
    SELECT 'callback', a.customer_id, a.id, NULL, a.status, '', ''
      FROM asked JOIN customer_actions a ON a.customer_id = asked.id
     WHERE a.type = 'callback_request' AND a.completed_at IS NULL
       AND (a.status <> 'snoozed' OR a.snoozed_until <= %(now)s)
    UNION ALL
    -- Who calls or comes has been talked to; a message waits for an answer.
    SELECT 'message', waiting.id, message.id, message.date, '', '', ''
      FROM unnest(%(waiting)s::text[]) AS waiting (id)
     CROSS JOIN LATERAL (
        SELECT max(date) AS at FROM interactions
         WHERE customer_id = waiting.id AND NOT (type = 'note') AND date <= %(now)s
           AND (direction <> 'inbound' OR type IN ('call', 'meeting', 'site_visit'))
     ) AS last
     CROSS JOIN LATERAL (
        SELECT id, date FROM interactions
         WHERE customer_id = waiting.id AND NOT (type = 'note') AND type IN ('whatsapp', 'sms', 'email')
           AND direction = 'inbound' AND date > coalesce(last.at, '-infinity') AND date <= %(now)s
         ORDER BY date LIMIT 1
     ) AS message
    UNION ALL
    (SELECT DISTINCT ON (customer_id) 'payment', customer_id, id, NULL::timestamptz, due_date::text, '', ''
       FROM payments WHERE customer_id = ANY(%(paying)s) AND status IN ('pending', 'overdue') AND due_date < %(today)s
      ORDER BY customer_id, due_date, position, id)
    UNION ALL
    (SELECT DISTINCT ON (p.customer_id, p.type) 'appointment', p.customer_id, p.id, p.datetime, p.status, p.type, ''
       FROM asked JOIN appointments p ON p.customer_id = asked.id
      WHERE p.status IN ('scheduled', 'confirmed') AND p.datetime > %(now)s
      ORDER BY p.customer_id, p.type, p.datetime, p.id)
    UNION ALL
    -- What was written down soon after a visit tells of the visit.
    SELECT 'visit', visited.id, visit.id, visit.datetime, visit.status, '', ''
      FROM unnest(%(visited)s::text[], %(seen)s::timestamptz[]) AS visited (id, touched_at)
     CROSS JOIN LATERAL (
        SELECT id, datetime, status FROM appointments
         WHERE customer_id = visited.id AND type = 'site_visit' AND status IN ('completed', 'no_show')
           AND datetime <= %(now)s
         ORDER BY datetime DESC, id DESC LIMIT 1
     ) AS visit
     WHERE visit.status = 'no_show' OR visited.touched_at IS NULL
        OR visited.touched_at < visit.datetime + interval '{AFTERMATH_HOURS} hours'
    UNION ALL
    (SELECT DISTINCT ON (p.customer_id) 'liked', p.customer_id, p.id, coalesce(s.recorded_at, p.added_at) AS since, '',
            p.property_title, p.property_title_en
       FROM property_interests p
       LEFT JOIN LATERAL (
         SELECT max(recorded_at) AS recorded_at FROM status_changes WHERE item_id = p.id AND to_status = 'liked'
       ) AS s ON true
      WHERE p.customer_id = ANY(%(liking)s) AND p.status = 'liked'
      ORDER BY p.customer_id, since, p.id)
    UNION ALL
    SELECT 'match', m.customer_id, (array_agg(m.listing_id ORDER BY m.score DESC, m.listing_id))[1], NULL,
           count(*)::text, '', ''
      FROM unnest(%(suited)s::text[], %(touched)s::timestamptz[]) AS suited (id, touched_at)
      JOIN property_matches m ON m.customer_id = suited.id
     WHERE m.score >= {OFFERED} AND m.matched_at > coalesce(suited.touched_at, '-infinity')
     GROUP BY m.customer_id
    UNION ALL
    SELECT 'funded', customer_id, '', NULL, '', '', ''
      FROM mortgage_infos WHERE customer_id = ANY(%(financed)s) AND financing_type = 'self_funded'
"""


def _lacking(organization, every):
    in_stage = defaultdict(list)
    for facts in every:
        if facts.stage in NEXT_STAGES:
            in_stage[facts.stage].append(facts.customer_id)
    return {
        key: rules for stage, keys in in_stage.items() for key, rules in missing(organization, NEXT_STAGES[stage], keys)
    }
