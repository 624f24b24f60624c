"""Periodic jobs: at most one of a name runs at a time, however many beats and workers there are."""

import logging
import signal
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import wraps

import django
from celery import shared_task
from django.db import OperationalError, connection, connections

from config.processes import die_with_parent

logger = logging.getLogger("hub.jobs")

# Where config.tasks.heartbeat leaves the time, once a minute.
HEARTBEAT = "hub:heartbeat"


def job(run):
    """A Celery task that returns None at once while another of its name runs: that one does the work."""

    @wraps(run)
    def run_alone():
        with only_one(f"{run.__module__}.{run.__name__}") as is_only:
            return run() if is_only else None

    return shared_task(run_alone)


def apart(work, keys, left=None):
    """What `work(keys)` returns, in a list; where that fails, of halves and their halves: one row holds up no others.

    A single row that fails is logged, and appended to the list `left` if there is one. That the database is away, or
    a process was ended, is no row's fault, and raised.
    """
    try:
        return [work(keys)]
    except (OperationalError, BrokenExecutor):
        raise
    except Exception:
        if len(keys) == 1:
            logger.exception("left out", extra={"facts": {"row": keys[0]}})
            if left is not None:
                left += keys
            return []
    middle = len(keys) // 2
    return apart(work, keys[:middle], left) + apart(work, keys[middle:], left)


@contextmanager
def side_by_side(jobs):
    """Yields a `map` that works in so many processes, whose work is given and returned pickled; one works here.

    Work that has begun is finished when the block ends early; what waits is not begun. Raises BrokenExecutor when
    somebody ends one of the processes.
    """
    if jobs == 1:
        yield map
        return
    pool = ProcessPoolExecutor(jobs, initializer=_begin)
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _begin():
    """Begin a process of `side_by_side`: with connections of its own, and the parent's word to end."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    django.setup()  # where processes are not forked
    for each in connections.all(initialized_only=True):
        del connections[each.alias]  # left open, for it is the parent's


@contextmanager
def only_one(name, part=None):
    """Whether nobody else is inside a block of this name; PostgreSQL lets go of it with the block or the process.

    Blocks of different parts leave each other alone; one without a part, which is all of it, excludes every other.
    """
    if part is None:
        with _lock("", name) as is_only:
            yield is_only
        return
    with _lock("_shared", name) as is_free, _lock("", name, part) as is_only:
        yield is_free and is_only


@contextmanager
def _lock(kind, *names):
    """Whether this session has an advisory lock for the block; what another holds is not waited for."""
    keys = ", ".join(["hashtext(%s)"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock{kind}({keys})", names)
        (is_held,) = cursor.fetchone()
    try:
        yield is_held
    finally:
        # A connection that was lost meanwhile has let go already; asking it would hide what went wrong.
        if is_held and connection.connection and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock{kind}({keys})", names)
