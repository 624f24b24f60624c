"""How a row is named, locked and saved."""

import os
import time
from contextlib import contextmanager
from functools import wraps

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, models, transaction
from django.utils import timezone

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Two characters at a time: an import makes a hundred thousand ids.
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_SHIFTS = range(90, -1, -10)


def new_id(prefix):
    """A fresh id such as `cust_06fk2…`: 10 characters of milliseconds, then 50 random bits.

    Ids made later sort later, so inserts fill the primary key from one end.
    """
    number = (int(time.time() * 1000) << 50) | (int.from_bytes(os.urandom(7), "big") >> 6)
    return f"{prefix}_{''.join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])}"


def id_array(ids):
    """Ids as PostgreSQL reads an array: none needs quotes, for which psycopg would look at each."""
    return f"{{{','.join(ids)}}}"


class PrefixedIDField(models.CharField):
    """A primary key of the API's form `<prefix>_<time-ordered characters>`, made on creation."""

    def __init__(self, prefix, **options):
        self.prefix = prefix
        super().__init__(
            **{
                "max_length": 50,
                "primary_key": True,
                "editable": False,
                "db_collation": "C",
                **options,
                "default": self.make,
            }
        )

    def make(self):
        return new_id(self.prefix)

    def db_type(self, connection):
        # The same type by its long name: for "varchar" Django adds a second index for LIKE, which COLLATE "C" serves.
        return f"character varying({self.max_length})"

    def deconstruct(self):
        name, path, args, options = super().deconstruct()
        for implied in ("default", "primary_key", "max_length", "editable", "db_collation"):
            options.pop(implied, None)
        return name, path, [self.prefix], options


def rank_field(column, ranks):
    """A stored column that sorts the words of an enum in their own order."""
    whens = [models.When(**{column: word}, then=rank) for word, rank in ranks.items()]
    return models.GeneratedField(
        expression=models.Case(*whens, default=0, output_field=models.SmallIntegerField()),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )


class VersionedModel(models.Model):
    """A row that people edit: `version` counts their edits and is what `If-Match` compares."""

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


_TRIES = 3
_DEADLOCK, _SERIALIZATION = "40P01", "40001"


def tried_again(call):
    """`call`, up to three times when PostgreSQL ends its transaction in favour of another.

    Rows are locked in id order, customers before their actions, so this is rare; foreign keys
    and triggers lock in an order of their own.
    """

    @wraps(call)
    def tried(*args, **kwargs):
        for attempt in range(1, _TRIES + 1):
            try:
                return call(*args, **kwargs)
            except OperationalError as error:
                is_loser = getattr(error.__cause__, "sqlstate", None) in (_DEADLOCK, _SERIALIZATION)
                if not is_loser or attempt == _TRIES or connection.in_atomic_block:
                    raise

    return tried


def tidy(*tables):
    """Clear away what was written over in these tables, and count anew what plans go by.

    Inside a transaction, where PostgreSQL clears nothing away, only the latter.
    """
    task = "ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)"
    with connection.cursor() as cursor:
        cursor.execute(f"{task} {', '.join(tables)}")


@contextmanager
def one_snapshot():
    """All statements inside see the database as it was at the first of them."""
    if connection.in_atomic_block:  # whoever opened the transaction has chosen how it sees
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def at_one_moment(**parts):
    """`{name: rows as dicts}` of several querysets of `values`, by one statement: what is read together agrees.

    A part may also be `(sql, params)`. Numbers with a fraction come as floats.
    """
    compiled = {name: sql for name, part in parts.items() if (sql := _compiled(part))}
    if not compiled:
        return {name: [] for name in parts}
    listed = ", ".join(f"(SELECT json_agg(part) FROM {name} AS part)" for name in compiled)
    withs = ", ".join(f"{name} AS ({sql})" for name, (sql, _params) in compiled.items())
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {withs} SELECT {listed}", [p for _sql, params in compiled.values() for p in params])
        rows = dict(zip(compiled, cursor.fetchone(), strict=True))
    return {name: rows.get(name) or [] for name in parts}


def _compiled(part):
    try:
        return part if isinstance(part, tuple) else part.order_by().query.sql_with_params()
    except EmptyResultSet:  # a filter that nothing can match
        return None


class PreconditionFailed(Exception):
    """The row has changed since the version that the caller named in `If-Match` (412)."""


def held(rows, **options):
    """Rows of a queryset, to be held until the end of the transaction.

    In id order, so that two calls over the same rows cannot deadlock; keys are never
    changed, so that rows which point here need not wait.
    """
    return rows.order_by("pk").select_for_update(of=("self",), no_key=True, **options)


def lock(row, *, among=None):
    """The same row, read again and held until the end of the transaction.

    `among` is the queryset it must still belong to, such as what the actor may see.

    A row that a view has marked with `expected_version` (from `If-Match`) must still
    have it, otherwise PreconditionFailed. Raises DoesNotExist when it is gone.
    """
    rows = type(row)._base_manager.all() if among is None else among
    fresh = held(rows).get(pk=row.pk)
    expected = getattr(row, "expected_version", None)
    if expected is not None and expected != fresh.version:
        raise PreconditionFailed
    return fresh


def save_changes(row, **values):
    """Save the columns that differ, with `updated_at` and `version`, and nothing else.

    Returns `{field: (before, after)}`; empty means that nothing was written.
    """
    changes = {}
    for name, after in values.items():
        before = getattr(row, name)
        if before != after:
            changes[name] = (before, after)
            setattr(row, name, after)
    if changes:
        row.updated_at = timezone.now()
        row.version += 1
        row.save(update_fields=[*changes, "updated_at", "version"])
    return changes


def insert_rows(rows):
    """Insert rows of one model, all columns given, by one statement; for hundreds bulk_create spends longer on SQL."""
    _write_rows(rows, _stored_columns(rows[0]), "INSERT INTO {table} ({columns}) SELECT {columns} FROM {rows}")


def update_rows(rows, names):
    """Save these columns of rows of one model by one statement; for hundreds of rows bulk_update takes seconds."""
    columns = [type(rows[0])._meta.get_field(name).column for name in names]
    assigned = ", ".join(f'"{column}" = r."{column}"' for column in columns)
    _write_rows(rows, ["id", *columns], f"UPDATE {{table}} t SET {assigned} FROM {{rows}} WHERE t.id = r.id")


def _stored_columns(row):
    return [field.column for field in row._meta.concrete_fields if not field.generated]


def _write_rows(rows, columns, statement):
    """Run a statement over `rows`, a table of these rows: PostgreSQL reads it from one JSON text."""
    attribute_of = {field.column: field.attname for field in rows[0]._meta.concrete_fields}
    listed = [{column: getattr(row, attribute_of[column]) for column in columns} for row in rows]
    names = {
        "table": f'"{rows[0]._meta.db_table}"',
        "columns": ", ".join(f'"{column}"' for column in columns),
    }
    names["rows"] = f"json_populate_recordset(NULL::{names['table']}, %s::json) r"
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**names), [orjson.dumps(listed, default=str).decode()])


def removed(rows, at_once=5_000):
    """Remove rows of a queryset, a batch a transaction; yields how many went each time."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:at_once]):
        yield rows.model._base_manager.filter(pk__in=keys).delete()[0]


def touch(row):
    """Count an edit of a row of which only what hangs on it has changed."""
    row.updated_at = timezone.now()
    row.version += 1
    row.save(update_fields=["updated_at", "version"])
