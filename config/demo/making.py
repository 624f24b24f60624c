"""What the rows of the demo are made with: picks by share, prices, times, and ids of an earlier day."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import orjson

SEED = 1445
ZONE = ZoneInfo("Asia/Riyadh")


def repeat(shares):
    """A tuple from which a uniform pick has these proportions."""
    return tuple(word for word, share in shares.items() for _ in range(share))


def pairs(table):
    """`[(Arabic, Latin)]` of a table of `عربي Latin` entries apart by commas."""
    return [tuple(entry.split()) for entry in table.split(",")]


def money(amount):
    """Rounded as people name prices: to thousands below 300,000, else to 25,000."""
    step = 1_000 if amount < 300_000 else 25_000
    return round(amount / step) * step


@lru_cache(maxsize=8)
def midnight_of(now):
    """The second at which the day of `now` began in Riyadh."""
    return int(datetime.combine(now.astimezone(ZONE).date(), datetime.min.time(), ZONE).timestamp())


def picker(rng):
    uniform = rng.random
    return lambda words: words[int(uniform() * len(words))]


def array(words):
    # psycopg's own way takes twenty times as long; none of our words needs more than JSON's quotes.
    return f"{{{orjson.dumps(words).decode()[1:-1]}}}"


def utc(seconds):
    return datetime.fromtimestamp(seconds, UTC)


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TWO_CHARACTERS = [first + second for first in _ALPHABET for second in _ALPHABET]


def make_id(prefix, seconds, rng):
    """An id as config.db.new_id would have made it at that time."""
    when, chance, two = seconds * 1000, rng.getrandbits(50), _TWO_CHARACTERS
    return (
        f"{prefix}_{two[when >> 40]}{two[when >> 30 & 1023]}{two[when >> 20 & 1023]}{two[when >> 10 & 1023]}"
        f"{two[when & 1023]}{two[chance >> 40]}{two[chance >> 30 & 1023]}{two[chance >> 20 & 1023]}"
        f"{two[chance >> 10 & 1023]}{two[chance & 1023]}"
    )
