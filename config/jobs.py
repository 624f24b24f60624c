"""Periodic jobs: at most one of a name runs at a time, however many beats and workers there are."""

from contextlib import contextmanager
from functools import wraps

from celery import shared_task
from django.db import connection


def job(run):
    """A Celery task that returns None at once while another of its name runs: that one does the work."""

    @wraps(run)
    def run_alone():
        with only_one(f"{run.__module__}.{run.__name__}") as is_only:
            return run() if is_only else None

    return shared_task(run_alone)


@contextmanager
def only_one(name):
    """Whether nobody else is inside a block of this name; PostgreSQL lets go of it with the block or the process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        (is_only,) = cursor.fetchone()
    try:
        yield is_only
    finally:
        # A connection that was lost meanwhile has let go already; asking it would hide what went wrong.
        if is_only and connection.connection and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
