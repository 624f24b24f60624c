"""What has to be so of any history: nothing comes from the future, more is never worse, and silence never helps."""

import random
from datetime import UTC, datetime, timedelta

from django.db import connection

from customers.choices import AppointmentStatus, AppointmentType, Direction, InteractionType, InterestStatus, Stage
from customers.scoring.cards import Card
from customers.scoring.scorecard import NAMES, bins_of
from customers.scoring.verification import Row, brokerage
from customers.scoring.verification.models import fitted_card
from customers.scoring.verification.simulator import simulate

_NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
_HISTORIES, _INBOUND, _SILENT = 1_000, 1_500, 1_000
_DAYS_OF_SILENCE = (0, 0.5, 1, 2, 3, 5, 8, 13, 20, 31, 46, 61, 91, 120, 200)
_MOODS = ("", "", "", "positive", "neutral", "negative")
# What has no history is as it is now: nothing of it is forgotten here.
_FORGOTTEN = {
    "interactions": "t.created_at > looks.at OR t.date > looks.at",
    "status_changes": "t.recorded_at > looks.at",
    "property_interests": "t.created_at > looks.at",
    "appointments": "t.created_at > looks.at OR t.datetime > looks.at",
    "stage_history": "t.changed_at > looks.at",
}


def rows(say):
    yield from _as_of(say)
    card = fitted_card()
    yield from _more(say, card)
    yield from _silence(say, card)


def _as_of(say):
    say(f"{_HISTORIES} random histories")
    draw = random.Random(808)
    looks = [(f"cust_{number}", _NOW - timedelta(days=draw.uniform(0, 60))) for number in range(_HISTORIES)]
    with brokerage.tables():
        brokerage.fill(_random_rows(looks, draw))
        before, again = brokerage.facts_at(looks), brokerage.facts_at(looks)
        _forget_what_came_later()
        after = brokerage.facts_at(looks)
    told = sum(facts.touches > 0 for facts in before.values())
    yield Row("histories with contacts before T", str(told), f"≥ {_HISTORIES // 2}", told >= _HISTORIES // 2)
    differing = sum(not _same(before[look], after[look]) for look in looks)
    yield Row("as-of: features that rows after T change", str(differing), "0", not differing)
    differing = sum(before[look] != again[look] for look in looks)
    yield Row("as-of: features that computing again changes", str(differing), "0", not differing)


def _more(say, card):
    say(f"{_INBOUND} inbound contacts")
    lives = simulate(_INBOUND, seed=301)
    draw = random.Random(301)
    looks = [(life, draw.uniform(life.first_day, max(life.last_day, life.first_day + 1))) for life in lives]
    keys = [(brokerage.customer_id(life), brokerage.moment(day)) for life, day in looks]
    with brokerage.tables():
        brokerage.fill(brokerage.rows_of(lives))
        before = brokerage.facts_at(keys)
        welcome = _with_inbound(keys, lambda: draw.choice(("", "neutral", "positive")))
        unwelcome = _with_inbound(keys, lambda: "negative")
    for name, each in (("points", Card()), ("refitted model", card)):
        lower = sum(each.score(bins_of(welcome[key])) < each.score(bins_of(before[key])) for key in keys)
        yield Row(f"monotone: an inbound contact lowers, {name}", f"{lower} of {len(keys)}", "0", not lower)
    lowered = {
        name
        for key in keys
        for name, was, now in zip(NAMES, bins_of(before[key]), bins_of(unwelcome[key]), strict=True)
        if now < was and name != "source"
    }
    holds = lowered <= {"sentiment"}
    yield Row("monotone: a negative contact may lower", ", ".join(sorted(lowered)) or "-", "sentiment alone", holds)


def _silence(say, card):
    say(f"{_SILENT} customers in silence")
    lives = simulate(_SILENT, seed=302)
    draw = random.Random(302)
    looks = [(life, draw.uniform(life.first_day, max(life.last_day, life.first_day + 1))) for life in lives]
    keys = [(brokerage.customer_id(life), brokerage.moment(day)) for life, day in looks]
    with brokerage.tables():
        brokerage.fill(brokerage.rows_of(lives))
        brokerage.facts_at(keys)
        _forget_what_came_later()
        days = [timedelta(days=days) for days in _DAYS_OF_SILENCE]
        found = brokerage.facts_at([(key, at + later) for key, at in keys for later in days])
    for name, each in (("points", Card()), ("refitted model", card)):
        rising = 0
        for key, at in keys:
            scores = [each.score(bins_of(found[key, at + later])) for later in days]
            rising += any(after > before for before, after in zip(scores, scores[1:], strict=False))
        yield Row(f"decay: scores that rise in silence, {name}", f"{rising} of {len(keys)}", "0", not rising)


def _with_inbound(keys, mood):
    """The Facts with one more inbound contact just before each look; it is gone afterwards."""
    names = brokerage.TABLES["interactions"].split()
    added = []
    for number, (key, at) in enumerate(keys):
        moment = at - timedelta(minutes=15)
        row = (f"int_new_{number}", "", key, "whatsapp", "inbound", moment, None, mood(), moment)
        added.append(row)
    with connection.cursor() as cursor:
        brokerage.write(cursor.cursor, "interactions", names, added)
        found = brokerage.facts_at(keys)
        cursor.execute("DELETE FROM pg_temp.interactions WHERE id LIKE 'int_new_%%'")
    return found


def _forget_what_came_later():
    """Remove whatever was written down, or happens, after the looks, and put customers back into the stage of then."""
    with connection.cursor() as cursor:
        for table, is_later in _FORGOTTEN.items():
            cursor.execute(
                f"DELETE FROM pg_temp.{table} t USING looks WHERE looks.customer_id = t.customer_id AND ({is_later})"
            )
        cursor.execute(
            "UPDATE pg_temp.customers c SET stage = (SELECT to_stage FROM stage_history h WHERE h.customer_id = c.id "
            "ORDER BY changed_at DESC, id DESC LIMIT 1)"
        )


def _same(some, others):
    """Whether Facts are equal, but for the last digits of sums that were added up in another order."""
    return all(
        a == b or isinstance(a, float) and isinstance(b, float) and abs(a - b) <= 1e-9 * max(1, abs(a))
        for a, b in zip(some, others, strict=True)
    )


def _random_rows(looks, draw):
    """Rows as no brokerage writes them, before and after the looks: told late, told ahead, in any order."""
    rows = {table: [] for table in brokerage.TABLES}
    for key, at in looks:
        came = at - timedelta(days=draw.uniform(0, 300))

        def around(came=came, at=at):
            return came + (at - came) * draw.uniform(0, 2)

        def told(happened, came=came):
            return max(came, happened + timedelta(days=draw.choice((0, 0, 0, 0.1, 5, 40, -3, -20))))

        _random_customer(rows, key, came, around, draw)
        for number in range(draw.randrange(12)):
            happened = around()
            row = (
                f"int_{key}_{number}", "", key, draw.choice(InteractionType.values),
                draw.choice((*Direction.values, "")), happened, draw.choice((None, 0, 1, 4, 20)),
                draw.choice(_MOODS), told(happened),
            )  # fmt: skip
            rows["interactions"].append(row)
        for number in range(draw.randrange(4)):
            made = around()
            row = (f"prop_int_{key}_{number}", "", key, f"property_{number}", draw.choice(InterestStatus.values), made)
            rows["property_interests"].append((*row, made))
            _random_statuses(rows, key, "properties", row[0], InterestStatus.values, made, draw)
        for number in range(draw.randrange(4)):
            happens = around()
            made = told(happens)
            row = (f"apt_{key}_{number}", "", key, draw.choice(AppointmentType.values), happens)
            rows["appointments"].append((*row, draw.choice(AppointmentStatus.values), made))
            _random_statuses(rows, key, "appointments", row[0], AppointmentStatus.values, made, draw)
    return rows


def _random_customer(rows, key, came, around, draw):
    rows["customers"].append((key, "", came, "whatsapp", draw.choice(Stage.values), {}, "", ""))
    changes = [came, *sorted(around() for _change in range(draw.randrange(5)))]
    stage = None
    for number, at in enumerate(changes):
        before, stage = stage, draw.choice(Stage.values)
        rows["stage_history"].append((f"stage_{key}_{number}", key, before, stage, at))


def _random_statuses(rows, key, collection, item, statuses, made, draw):
    before, at = None, made
    for number in range(1 + draw.randrange(4)):
        status = draw.choice(statuses)
        rows["status_changes"].append((f"{item}_{number}", key, collection, item, before, status, at))
        before, at = status, at + timedelta(days=draw.uniform(0, 40))
