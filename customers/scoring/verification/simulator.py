"""A simulated brokerage, event by event: what scores are verified on.

Its truth is not ours: what customers are up to is never seen, each brokerage's sources, timelines and agents weigh
differently, customers fall silent without a word, and the share that buys drifts. It was there before the features,
and is not changed to please them.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

SOURCES = ("referral", "inquiry", "whatsapp", "manual", "import")
TIMELINES = ("immediate", "1-3months", "3-6months", "6months+", None)
FINANCING = ("none", "submitted", "preapproved", "ready")
# The last one is the down payment, with which a customer is won.
WON = 6

# Shares of sources, timelines and financing, and what each does to the intent of its customers.
_SOURCE_SHARES, _SOURCE_EFFECTS = (0.12, 0.35, 0.33, 0.12, 0.08), (0.7, 0.15, 0.0, -0.1, -0.9)
_TIMELINE_SHARES, _TIMELINE_EFFECTS = (0.2, 0.28, 0.2, 0.17, 0.15), (0.7, 0.35, -0.15, -0.6, -0.2)
_FINANCING_SHARES, _FINANCING_EFFECTS = (0.55, 0.13, 0.17, 0.15), (-0.2, 0.1, 0.4, 0.6)
_FIT_EFFECTS = {0: -0.5, 1: 0.0, 3: 0.3}
# By stage: days between tries, how much more often customers turn to us, and how likely they move on within a day.
_TRY_EVERY = (3, 4, 5, 5, 3, 3, 3)
_INBOUND = (1, 1, 1.3, 1.6, 2, 2, 1)
_MOVES_ON = (0.16, 0.10, 0.09, 0.055, 0.06, 0.12)
_FOLLOWED_DAYS = 270


class Event(NamedTuple):
    """What happened on a day, counted from the brokerage's first.

    Contacts are `inbound`, `answered` (with the minutes) and `unanswered`; a `sentiment` (-1, 0, 1) is that of the
    conversation just before it. Of interests and visits, the kind is the status that was reached.
    """

    day: float
    kind: str
    value: float = 0


@dataclass
class Life:
    """One customer of the simulation, from the first day to the last that was looked at."""

    number: int
    first_day: float
    source: str
    timeline: str | None
    is_female: bool
    is_foreign: bool
    matching_listings: int
    financing: str
    filled_preferences: int
    agent: int
    contacts: list[Event] = field(default_factory=list)
    interests: list[Event] = field(default_factory=list)
    visits: list[Event] = field(default_factory=list)
    # (day, place of the stage in the pipeline)
    stages: list[tuple[float, int]] = field(default_factory=list)
    won_on: float | None = None
    last_day: float = 0


def simulate(customers, *, days=730, seed=0, sharpness=1.0):
    """The lives of as many customers, of one brokerage in its first `days`. The seed decides everything.

    The sharper, the more of the outcome is decided by what customers are up to, and the less by chance.
    """
    draw = np.random.default_rng(seed)
    sources = dict(zip(SOURCES, np.array(_SOURCE_EFFECTS) + draw.normal(0, 0.25, 5), strict=True))
    timelines = dict(zip(TIMELINES, np.array(_TIMELINE_EFFECTS) + draw.normal(0, 0.2, 5), strict=True))
    agents = draw.normal(0, 0.5, 8)
    lives = []
    for number in range(customers):
        life = _customer(number, days, draw)
        intent = sharpness * (
            0.9 * draw.normal()
            + sources[life.source]
            + timelines[life.timeline]
            + _FIT_EFFECTS[life.matching_listings]
            + _FINANCING_EFFECTS[FINANCING.index(life.financing)]
            + 0.1 * (life.filled_preferences - 2.5)
            + 0.3 * agents[life.agent]
        )
        drift = 0.0006 * (life.first_day - days / 2)
        _live(life, intent + drift, agents[life.agent], days, draw)
        lives.append(life)
    return lives


def _customer(number, days, draw):
    first_day = float(draw.uniform(0, days))
    source = SOURCES[draw.choice(5, p=_SOURCE_SHARES)]
    timeline = TIMELINES[draw.choice(5, p=_TIMELINE_SHARES)]
    is_female, is_foreign = bool(draw.random() < 0.4), bool(draw.random() < 0.3)
    fit = draw.random()
    return Life(
        number=number,
        first_day=first_day,
        source=source,
        timeline=timeline,
        is_female=is_female,
        is_foreign=is_foreign,
        matching_listings=3 if fit < 0.45 else 1 if fit < 0.75 else 0,
        financing=FINANCING[draw.choice(4, p=_FINANCING_SHARES)],
        filled_preferences=int(draw.integers(0, 6)),
        agent=int(draw.integers(8)),
    )


def _live(life, intent, zeal, days, draw):
    """Day by day: tries and answers, inbound contacts, interests, visits and moves, until won or no longer followed."""

    def happens(chance):
        return draw.random() < chance

    day, stage, streak = life.first_day, 0, 0
    life.stages.append((day, stage))
    next_try = day + draw.exponential(0.25 * math.exp(-0.5 * zeal))
    if life.source in ("inquiry", "whatsapp"):
        life.contacts.append(Event(day, "inbound"))
    life.last_day = min(days, day + _FOLLOWED_DAYS)
    silent_from = day + draw.exponential(25 * math.exp(0.55 * intent))
    while day < life.last_day:
        day += 1.0
        is_there = day < silent_from
        if day >= next_try:
            if is_there and happens(_odds(0.8 * intent + 0.4)):
                streak = 0
                life.contacts.append(Event(day, "answered", draw.exponential(6)))
                if happens(0.75):
                    mood = round(draw.normal(0.25 + 0.5 * intent, 0.9))
                    life.contacts.append(Event(day + 0.001, "sentiment", max(-1, min(1, mood))))
            else:
                streak += 1
                life.contacts.append(Event(day, "unanswered"))
            next_try = 1 + day + draw.exponential(_TRY_EVERY[stage] * (1 + 0.6 * streak) * math.exp(-0.3 * zeal))
        if not is_there:
            continue
        if happens(0.045 * math.exp(0.45 * intent) * _INBOUND[stage]):
            life.contacts.append(Event(day, "inbound"))
            streak, next_try = 0, min(next_try, day + 1)
        if stage >= 1 and happens(0.03 * math.exp(0.35 * intent)):
            life.interests.append(Event(day, "interested"))
        if stage in (2, 3) and happens(0.05 * math.exp(0.4 * intent)):
            _visit(life, intent, day + 2, happens)
        if happens(_chance_to_move(life, intent, stage, day)):
            stage += 1
            life.stages.append((day, stage))
            if stage == 4:
                life.interests.append(Event(day, "offer_made"))
            if stage == WON:
                life.won_on = life.last_day = day
                break
    life.interests.sort()
    life.visits.sort()


def _visit(life, intent, day, happens):
    if not happens(_odds(intent + 1.4)):
        life.visits.append(Event(day, "no_show"))
        return
    life.visits.append(Event(day, "completed"))
    life.interests.append(Event(day, "liked" if happens(_odds(intent - 0.2)) else "rejected"))


def _chance_to_move(life, intent, stage, day):
    latest = life.contacts[-8:]
    talks = sum(contact.day > day - 14 and contact.kind in ("inbound", "answered") for contact in latest)
    chance = _MOVES_ON[stage] * math.exp(0.45 * intent + 0.18 * min(talks, 4) - 0.6)
    has_seen = any(visit.kind == "completed" and visit.day <= day for visit in life.visits)
    return chance * 2.2 if stage == 3 and has_seen else chance


def _odds(logit):
    return 1 / (1 + math.exp(-logit))


def moments(lives, *, every=14, seed=0):
    """`(life, day)` at which each customer is looked at: a fortnight apart, until it is won or no longer followed."""
    draw = np.random.default_rng(seed)
    for life in lives:
        day = life.first_day + float(draw.uniform(0.05, every))
        while day < life.last_day:
            yield life, day
            day += every


def is_won_within(life, day, horizon=90):
    """Whether the customer is won within so many days of this one."""
    return life.won_on is not None and life.won_on <= day + horizon
