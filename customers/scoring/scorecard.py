"""The scorecard: seventeen features of a customer, their bins, and the points that each bin is worth.

The maxima add up to 100. A bin of an ordinal feature is at least as good as the one before it; only `source` is
nominal. What may not be an input (people's origin, sex, age, name, income, what was typed after the fact, our own
earlier outputs) is listed in FORBIDDEN and kept out by a test.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

from customers.choices import STAGE_RANK, Source, Timeline

# Columns and facts that no feature may be made of: proxies of who somebody is, and of how it ended.
FORBIDDEN = frozenset(
    "nationality gender date_of_birth name name_en national_id family_size occupation city district language sakani "
    "assigned_employee tags priority total_deal_value expected_revenue paid_amount documents contracts "
    "payments lost_reason total_interactions total_appointments total_property_views response_rate "
    "avg_response_time lead_score ai_insights".split()
)

# Words of a feature, from the worst to the best.
_TIMELINES = (Timeline.MONTHS_6_PLUS, None, Timeline.MONTHS_3_6, Timeline.MONTHS_1_3, Timeline.IMMEDIATE)
_SOURCES = (Source.REFERRAL, Source.INQUIRY, Source.WHATSAPP, Source.MANUAL, Source.IMPORT)
_INTERESTS = {"interested": 1, "viewing_scheduled": 2, "viewed": 2, "liked": 3, "offer_made": 4}
_FINANCING = {"application_submitted": 1, "pre_approved": 2, "approved": 3, "disbursed": 3, "self_funded": 3}


class Feature(NamedTuple):
    """One input of the score: `bin_of(facts)` is the index of its points; `missing` that of who tells nothing."""

    name: str
    block: str
    points: tuple[int, ...]
    missing: int
    bin_of: Callable
    is_ordinal: bool = True


def _from(value, edges, missing=0):
    """The bin by how many edges a value has reached."""
    return missing if value is None else bisect_right(edges, value)


def _within(value, edges, missing=0):
    """The bin by how many edges, the widest first, a value lies within."""
    return missing if value is None else sum(value <= edge for edge in edges)


def _streak(facts):
    return 3 - bisect_right((1, 2, 5), facts.streak)


def _visits(facts):
    return 0 if facts.last_visit_no_show else min(facts.visits_45d, 2)


def _first_response(facts):
    if facts.first_try_at is None:
        return 0
    return int((facts.first_try_at - facts.created_at).total_seconds() <= 72 * 3600)


def _response_rate(facts):
    return bisect_right((0.3, 0.5, 0.7), (facts.answered_90d + 1) / (facts.tries_90d + 2))


FEATURES = (
    # What was declared: 30.
    Feature("source", "declared", (8, 6, 5, 3, 0, 3), 5,
            lambda facts: _SOURCES.index(facts.source) if facts.source in _SOURCES else 5, is_ordinal=False),
    Feature("timeline", "declared", (0, 2, 3, 6, 8), 1,
            lambda facts: _TIMELINES.index(facts.timeline) if facts.timeline in _TIMELINES else 1),
    Feature("completeness", "declared", (0, 2, 4), 0, lambda facts: _from(facts.completeness, (2, 4))),
    Feature("inventory_fit", "declared", (0, 3, 5), 0, lambda facts: _from(facts.inventory, (1, 3))),
    Feature("financing", "declared", (0, 2, 4, 5), 0, lambda facts: _FINANCING.get(facts.financing, 0)),
    # How the customer behaves: 40.
    Feature("recency", "behaviour", (0, 3, 6, 9, 12), 0, lambda facts: _within(facts.recency_days, (30, 14, 7, 2))),
    Feature("frequency", "behaviour", (0, 2, 4, 6), 0, lambda facts: _from(facts.touches_30d, (1, 2, 4))),
    Feature("longest_talk", "behaviour", (0, 1, 3, 6), 0,
            lambda facts: _from(facts.longest_talk_minutes, (2, 5, 15))),
    Feature("inbound", "behaviour", (0, 5), 0, lambda facts: int(facts.inbound_30d)),
    Feature("response_rate", "behaviour", (0, 1, 3, 4), 2, _response_rate),
    Feature("streak", "behaviour", (0, 1, 3, 4), 3, _streak),
    Feature("sentiment", "behaviour", (0, 1, 2), 1, lambda facts: _from(facts.sentiment, (-20, 20), 1)),
    Feature("first_response", "behaviour", (0, 1), 0, _first_response),
    # What it has looked at: 15.
    Feature("interest", "interest", (0, 3, 5, 8, 10), 0, lambda facts: _INTERESTS.get(facts.interest, 0)),
    Feature("visits", "interest", (0, 4, 5), 0, _visits),
    # How far it has come: 15.
    Feature("stage", "progress", (0, 2, 4, 7, 9, 11, 12), 0, lambda facts: min(STAGE_RANK[facts.stage], 6)),
    Feature("momentum", "progress", (0, 1, 3), 1, lambda facts: _within(facts.momentum, (3, 1), 1)),
)  # fmt: skip
NAMES = tuple(feature.name for feature in FEATURES)
STAGE = NAMES.index("stage")
# Points of behaviour alone: how engaged a customer is.
BEHAVIOUR = tuple(place for place, feature in enumerate(FEATURES) if feature.block == "behaviour")

# Changes when the meaning of a bin may have changed: raise the number with every change of features.py.
_FEATURES_VERSION = 1
SPEC_HASH = hashlib.sha256(repr((_FEATURES_VERSION, [feature[:4] for feature in FEATURES])).encode()).hexdigest()[:16]

_BIN_OF = tuple(feature.bin_of for feature in FEATURES)
_POINTS = tuple(feature.points for feature in FEATURES)
MISSING = tuple(feature.missing for feature in FEATURES)


def bins_of(facts):
    """The bin of each feature, of the Facts of a customer."""
    return tuple([bin_of(facts) for bin_of in _BIN_OF])


def points_of(bins):
    """The documented points (0-100) of bins."""
    return sum([points[place] for points, place in zip(_POINTS, bins, strict=True)])


def engagement_of(bins):
    """The points of behaviour (0-40)."""
    return sum([_POINTS[place][bins[place]] for place in BEHAVIOUR])
