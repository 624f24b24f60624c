"""Answers of reads, kept in Redis until something that they show is written.

Whatever answers show has a generation in Redis, a few random bytes that a write replaces once it is committed. An entry
names the generations under which it was made, which are read before the database is: what was read earlier is never
taken for what is so now. An entry that depends on the time is good for its minute alone.
"""

import hashlib
import secrets
import threading
import time
from collections import defaultdict
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

import orjson
from django.db import transaction
from django.dispatch import receiver
from redis.exceptions import RedisError

from config import clock
from config.breaker import breaker
from config.signals import changed

LONGEST_SECONDS = 3600
# Generations outlive what was made under them.
GENERATION_SECONDS = 2 * LONGEST_SECONDS
GENERATION_BYTES = 8
LARGEST_BYTES = 500_000
# What a process holds itself of what is in Redis.
AT_HAND_BYTES, AT_HAND_SECONDS = 20_000_000, 30
# A change of more rows than this makes void all that its organization has here.
MOST_ROWS = 100
# How often a process tries again to tell Redis what is void.
RETRY_SECONDS = 1

_EVERYTHING = "hub:cache:all"


class Answer(NamedTuple):
    """What a read answers: its `data` as JSON, with links unsigned, and what its headers and `meta` say of it."""

    body: bytes
    etag: str
    last_modified: str
    ignored: list


class Entry(NamedTuple):
    """An Answer with the generations and the minute it was made under: None when it does not depend on the time."""

    generations: bytes
    minute: int | None
    answer: Answer

    def is_good(self, generations, minute):
        return self.generations == generations and self.minute in (None, minute)

    def packed(self):
        head = orjson.dumps([self.minute, *self.answer[1:]])
        return b"".join((self.generations, head, b"\n", self.answer.body))

    @classmethod
    def unpacked(cls, packed, length):
        """The Entry whose generations take so many bytes."""
        end = packed.index(b"\n", length)
        minute, *said = orjson.loads(packed[length:end])
        return cls(packed[:length], minute, Answer(packed[end + 1 :], *said))


# --- Reading ------------------------------------------------------------------------------------


def remembered(meaning, organization_id, sources, make, lifetime):
    """The Answer that is kept of a read, else the one that `make()` returns, kept for `lifetime()` seconds if any.

    `meaning` are the texts that tell it from all others, the caller's scope among them. `sources` are the models, or
    the ids of single rows with what hangs on them, whose changes make it void, as those of the people and settings of
    the organization do. Of equal reads at once one is made.
    """
    names = [_EVERYTHING, *_names(organization_id, None, *sources)]
    key = f"hub:cache:{organization_id}:={_digest(repr(meaning), 16)}"
    try:
        generations, entry = _look_up(key, names)
    except RedisError:
        return make()
    minute = int(clock.current_minute().timestamp())
    if entry and entry.is_good(generations, minute):
        return entry.answer
    return _flights.share((key, generations, minute), lambda: _kept(key, generations, make, lifetime))


def _look_up(key, names):
    """`(the generations, the Entry or None)`, by one round trip if both are there; missing generations begin."""
    _debt.settle()
    entry, packed = _at_hand.get(key), None
    if entry:
        found = breaker.call(lambda redis: redis.mget(names))
        if b"".join(filter(None, found)) != entry.generations:  # another process may have made it anew
            entry, packed = None, breaker.call(lambda redis: redis.get(key))
    else:
        packed, *found = breaker.call(lambda redis: redis.mget([key, *names]))
    if None in found:
        missing = [name for name, generation in zip(names, found, strict=True) if generation is None]
        found = breaker.call(lambda redis: _begin(redis, missing).mget(names).execute())[-1]
    if None in found:
        raise RedisError("no room for generations")
    generations = b"".join(found)
    if packed and packed.startswith(generations):
        entry = Entry.unpacked(packed, len(generations))
        _at_hand.put(key, entry, AT_HAND_SECONDS)
    return generations, entry


def _kept(key, generations, make, lifetime):
    with clock.noticed() as minutes:
        answer = make()
    # Made across the end of a minute, it is as old as the first that it asked for.
    minute, seconds = (int(minutes[0].timestamp()), 60) if minutes else (None, LONGEST_SECONDS)
    seconds = min(seconds, lifetime() or 0)
    if seconds and len(answer.body) <= LARGEST_BYTES:
        entry = Entry(generations, minute, answer)
        with suppress(RedisError):
            breaker.call(lambda redis: redis.set(key, entry.packed(), ex=seconds))
            _at_hand.put(key, entry, min(seconds, AT_HAND_SECONDS))
    return answer


class _AtHand:
    """Entries in this process: Redis then has to send no more than their generations."""

    def __init__(self):
        self.lock, self.entries, self.size = threading.Lock(), {}, 0

    def get(self, key):
        entry, until = self.entries.get(key, (None, 0))
        return entry if until > time.monotonic() else None

    def put(self, key, entry, seconds):
        with self.lock:
            self._drop(key)
            self.entries[key] = entry, time.monotonic() + seconds
            self.size += len(entry.answer.body)
            while self.size > AT_HAND_BYTES:
                self._drop(next(iter(self.entries)))

    def drop(self, beginning):
        """Let go of the entries whose keys begin like this."""
        with self.lock:
            for key in [key for key in self.entries if key.startswith(beginning)]:
                self._drop(key)

    def _drop(self, key):
        entry, _until = self.entries.pop(key, (None, 0))
        self.size -= len(entry.answer.body) if entry else 0


_at_hand = _AtHand()


class _Flights:
    """Of equal reads at once the first one makes the answer, and the others wait for it."""

    def __init__(self):
        self.lock, self.under_way = threading.Lock(), {}

    def share(self, key, make):
        with self.lock:
            others = self.under_way.get(key)
            mine = None if others else self.under_way.setdefault(key, Future())
        if others:
            return others.result() or make()
        answer = None
        try:
            answer = make()
            return answer
        finally:
            with self.lock:
                del self.under_way[key]
            mine.set_result(answer)


_flights = _Flights()


# --- Writing ------------------------------------------------------------------------------------


class _Writes(threading.local):
    """The generations that the transaction of this thread makes void."""

    def __init__(self):
        self.names = set()


class _Debt:
    """Whether something is void that Redis does not know of: until it does, this process reads without the cache.

    A process begins with it, for the one before may have ended between a commit and its word to Redis.
    """

    def __init__(self):
        self.owed, self.settled, self.collector = object(), None, None

    def settle(self, **options):
        """Make everything void if need be. Raises RedisError."""
        owed = self.owed
        if owed is not self.settled:
            breaker.call(lambda redis: _begin(redis, [_EVERYTHING], anew=True).execute(), **options)
            self.settled = owed

    def incur(self):
        self.owed = object()
        self.collect()

    def collect(self):
        """Settle it as soon as Redis is there, whether or not anybody reads here meanwhile: others do elsewhere."""
        if not (self.collector and self.collector.is_alive()):
            self.collector = threading.Thread(target=self._collect, daemon=True)
            self.collector.start()

    def _collect(self):
        while self.owed is not self.settled:
            try:
                self.settle(even_open=True)
            except RedisError:
                time.sleep(RETRY_SECONDS)


_writes, _debt = _Writes(), _Debt()


def settle_soon():
    """Have Redis told, in the background, what the process before this one may not have told any more."""
    _debt.collect()


@receiver(changed)
def void_what_is_made_of_them(sender, rows, **_message):
    """Make void what is made of rows that were changed: lists and numbers, and details of what they are or hang on."""
    roots = defaultdict(set)
    for row in rows:
        key = row.pk
        roots[getattr(row, "organization_id", key)].update((key, getattr(row, "customer_id", key)))
    for organization_id, ids in roots.items():
        void(organization_id, *((sender, *ids) if len(ids) <= MOST_ROWS else ()))


def void(organization_id=None, *sources):
    """Make void, after the commit, what is made of these models or ids of an organization, or all that it has here.

    Without an organization everything.
    """
    _writes.names.update(_names(organization_id, *(sources or (None,))) if organization_id else [_EVERYTHING])
    _when_committed(_void)


def wipe(organization_id):
    """Remove, after the commit, the answers that are kept of an organization: what is void is still there to be read.

    What somebody makes in this very moment is void, and gone when its lifetime is over.
    """
    void(organization_id)
    _when_committed(lambda: _wipe(f"hub:cache:{organization_id}:="))


def _wipe(beginning):
    _at_hand.drop(beginning)
    with suppress(RedisError):  # without it, lifetimes end all the same
        keys = breaker.call(lambda redis: list(redis.scan_iter(f"{beginning}*", count=1000)))
        for start in range(0, len(keys), 1000):
            breaker.call(lambda redis, some=keys[start : start + 1000]: redis.delete(*some))


def _when_committed(call):
    transaction.on_commit(call, robust=True)


def _void():
    """Tell Redis. The first commit hook speaks for all: of a transaction's many changes comes one round trip."""
    names, _writes.names = _writes.names, set()
    if names:
        try:
            breaker.call(lambda redis: _begin(redis, names, anew=True).execute())
        except RedisError:
            _debt.incur()


def _begin(redis, names, *, anew=False):
    """A pipeline that begins generations: those that are missing, or all of them `anew`."""
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.set(name, secrets.token_bytes(GENERATION_BYTES), ex=GENERATION_SECONDS, nx=not anew)
    return pipeline


def _names(organization_id, *sources):
    """Where the generations of models and ids stand; None is the organization as a whole."""
    for part in sources:
        if part is None:
            yield f"hub:cache:{organization_id}"
        else:
            yield f"hub:cache:{organization_id}:{_digest(part if isinstance(part, str) else part._meta.label, 8)}"


def _digest(text, size):
    """What stands for a text in a key: ids and queries hold whatever somebody typed."""
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
