"""How tests run the operators' commands."""

from contextlib import contextmanager
from io import StringIO
from typing import NamedTuple

from django.core.management import CommandError, call_command
from django.db import connection


class Ran(NamedTuple):
    """How a command ended: its exit code, what it wrote, and the sentence that it refused with."""

    code: int
    out: str
    err: str
    refusal: str


def ran(*words):
    """Run a command as the shell does."""
    out, err, code, refusal = StringIO(), StringIO(), 0, ""
    try:
        call_command(*words, stdout=out, stderr=err)
    except CommandError as error:
        code, refusal = error.returncode, str(error)
    except SystemExit as end:
        code = end.code
    return Ran(code, out.getvalue(), err.getvalue(), refusal)


@contextmanager
def another_session():
    """A cursor of a session of its own, as another process has one."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            yield cursor
            # Its end would release its locks as well, but a moment later.
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
