"""A simulated brokerage in temporary tables named as ours, so that the features that live scores have read it."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import numpy as np
from django.db import connection, transaction

from customers.choices import Stage
from customers.importing.copying import copied_value, copy, line_of
from customers.scoring.features import Facts, facts_of
from customers.scoring.learning.rows import HORIZON, Rows
from customers.scoring.scorecard import bins_of
from customers.scoring.verification.simulator import Life, is_won_within

ORGANIZATION = "org_simulated"
DAYS = 730
# The simulation ends this morning, so what reads the clock finds it as of its end.
_FIRST_DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
_STAGES = Stage.values
# What the simulation calls them, and what we do.
_MORTGAGES = {"submitted": "application_submitted", "preapproved": "pre_approved", "ready": "approved"}
_MOODS = {-1: "negative", 0: "neutral", 1: "positive"}
# What preferences say, in the order in which they are filled in; the timeline is the simulation's.
_PREFERENCES = {
    "propertyType": ["villa"],
    "budgetMax": 1_200_000,
    "preferredAreas": ["الرياض - حي النرجس"],
    "bedrooms": 4,
}
_MATCH = 80
TABLES = {
    "customers": "id organization_id created_at source stage preferences gender nationality",
    "stage_history": "id customer_id from_stage to_stage changed_at",
    "interactions": "id organization_id customer_id type direction date duration sentiment created_at",
    "property_interests": "id organization_id customer_id property_id status added_at created_at",
    "appointments": "id organization_id customer_id type datetime status created_at",
    "status_changes": "id customer_id collection item_id from_status to_status recorded_at",
    "mortgage_infos": "id organization_id customer_id status created_at",
    "property_matches": "customer_id listing_id score",
    "stage_medians": "organization_id stage median_days",
}


@contextmanager
def tables():
    """Empty temporary tables in place of those that features are read from, until the end of the block."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for table in TABLES:
                # Without constraints: what no feature reads stays empty.
                cursor.execute(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT * FROM public.{table} WITH NO DATA")
            cursor.execute("CREATE TEMP TABLE looks (customer_id text, at timestamptz) ON COMMIT DROP")
        yield
        transaction.set_rollback(True)


def fill(rows):
    """COPY `{table: [values of its columns in TABLES]}` into the temporary tables."""
    with connection.cursor() as cursor:
        for table, values in rows.items():
            write(cursor.cursor, table, TABLES[table].split(), values)
            if "customer_id" in TABLES[table]:
                cursor.execute(f"CREATE INDEX ON pg_temp.{table} (customer_id)")
            cursor.execute(f"ANALYZE pg_temp.{table}")


def write(cursor, table, names, rows):
    copy(cursor, f"pg_temp.{table}", names, [line_of([copied_value(value) for value in row]) for row in rows])


def facts_at(looks):
    """`{(customer id, moment): Facts}` of such pairs."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE pg_temp.looks")
        write(cursor.cursor, "looks", ("customer_id", "at"), looks)
        cursor.execute("ANALYZE pg_temp.looks")
    return {(facts.customer_id, facts.at): facts for facts in facts_of("SELECT customer_id, at FROM looks")}


def customer_id(life):
    return f"cust_{life.number:06d}"


def moment(day):
    """The time of a day of the simulation."""
    return _FIRST_DAY + timedelta(days=day)


def rows_of(lives, organization_id=ORGANIZATION):
    """`{table: rows}` of simulated lives. Whatever happened was written down at once."""
    writer = _Writer(organization_id)
    for life in lives:
        writer.write(life)
    return writer.rows


class _Writer:
    """Writes down lives as rows of one organization."""

    def __init__(self, organization_id):
        self.organization_id, self.rows, self.numbers = organization_id, {table: [] for table in TABLES}, count()

    def write(self, life):
        self.customer(life)
        self.contacts(life)
        for interest in life.interests:
            key, at = self.key("prop_int"), moment(interest.day)
            row = (key, self.organization_id, customer_id(life), key, interest.kind, at, at)
            self.rows["property_interests"].append(row)
            self.status(life, "properties", key, None, interest.kind, at)
        for visit in life.visits:
            key, made, at = self.key("apt"), moment(visit.day - 2), moment(visit.day)
            row = (key, self.organization_id, customer_id(life), "site_visit", at, visit.kind, made)
            self.rows["appointments"].append(row)
            self.status(life, "appointments", key, None, "scheduled", made)
            self.status(life, "appointments", key, "scheduled", visit.kind, at)

    def customer(self, life):
        key, came, before = customer_id(life), moment(life.first_day), None
        stage, origin = _STAGES[life.stages[-1][1]], "EG" if life.is_foreign else "SA"
        row = (key, self.organization_id, came, life.source, stage, _preferences(life))
        self.rows["customers"].append((*row, "female" if life.is_female else "male", origin))
        for day, place in life.stages:
            self.rows["stage_history"].append((self.key("stage"), key, before, _STAGES[place], moment(day)))
            before = _STAGES[place]
        if life.financing in _MORTGAGES:
            row = (self.key("mi"), self.organization_id, key, _MORTGAGES[life.financing], came)
            self.rows["mortgage_infos"].append(row)
        self.rows["property_matches"] += [(key, f"listing_{n}", _MATCH) for n in range(life.matching_listings)]

    def contacts(self, life):
        """Contacts of one day come a minute after each other; a sentiment is written to its conversation."""
        rows, before = [], moment(life.first_day) - timedelta(minutes=1)
        for contact in life.contacts:
            if contact.kind == "sentiment":
                rows[-1][-2] = _MOODS[contact.value]
                continue
            at = before = max(moment(contact.day), before + timedelta(minutes=1))
            is_inbound = contact.kind == "inbound"
            kind, direction = ("whatsapp", "inbound") if is_inbound else ("call", "outbound")
            # As telephones say it: whoever answers has talked for a minute.
            minutes = None if is_inbound else 0 if contact.kind == "unanswered" else max(round(contact.value), 1)
            key = self.key("int")
            rows.append([key, self.organization_id, customer_id(life), kind, direction, at, minutes, "", at])
        self.rows["interactions"] += rows

    def status(self, life, collection, item, before, after, at):
        row = (self.key("status"), customer_id(life), collection, item, before, after, at)
        self.rows["status_changes"].append(row)

    def key(self, prefix):
        return f"{prefix}_{next(self.numbers):07d}"


def _preferences(life):
    timeline = {"timeline": life.timeline} if life.timeline else {}
    rest = max(life.filled_preferences - len(timeline), 0)
    return {"purpose": "buy", "propertyType": [], **timeline, **dict(list(_PREFERENCES.items())[:rest])}


class Seen(NamedTuple):
    """A customer of the simulation as features saw it on a day."""

    life: Life
    day: float
    facts: Facts
    bins: tuple


def seen(lives, looks):
    """A Seen of each `(life, day)`, in their order."""
    with tables():
        fill(rows_of(lives))
        found = facts_at([(customer_id(life), moment(day)) for life, day in looks])
    told = [(life, day, found[customer_id(life), moment(day)]) for life, day in looks]
    return [Seen(life, day, facts, bins_of(facts)) for life, day, facts in told]


def learned_from(observed):
    """The Rows of what was Seen."""
    return Rows(
        bins=np.array([one.bins for one in observed], np.uint8),
        won=np.array([is_won_within(one.life, one.day, HORIZON) for one in observed], float),
        days=np.array([one.day for one in observed]),
        ages=np.array([one.day - one.life.first_day for one in observed]),
        customers=np.array([one.life.number for one in observed]),
    )
