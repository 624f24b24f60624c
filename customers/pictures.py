"""All that stands in the database about some customers, before and after: what it takes to undo a merge.

Which tables hang on customers is read off the models, hidden relations included, so no kind can be forgotten.
"""

from collections import defaultdict
from typing import NamedTuple

import orjson
from django.db import connection, models

from customers.models import Customer, CustomerMerge

# What tells of edits, and is no value itself.
_OF_EDITS = {"version", "updated_at"}


class Kind(NamedTuple):
    """A table whose rows hang on customers by the foreign key `link`."""

    model: type[models.Model]
    link: models.ForeignKey

    @property
    def table(self):
        return self.model._meta.db_table

    @property
    def collection(self):
        """What the customer calls these rows; nothing where it has no name for them."""
        return "" if self.link.remote_field.hidden else self.link.remote_field.related_name

    def of(self, customer):
        return self.model._base_manager.filter(**{self.link.name: customer})


def kinds():
    """A Kind for each table that hangs on customers; merges themselves belong to both."""
    return [
        Kind(relation.related_model, relation.field)
        for relation in Customer._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and relation.related_model not in (Customer, CustomerMerge)
    ]


class Picture(NamedTuple):
    """Rows as `{table: {id: {column: JSON value}}}`, without what PostgreSQL generates."""

    rows: dict

    @classmethod
    def of(cls, *customers):
        """The rows of customers and of all that hangs on them, by one statement."""
        parts = [_rows_sql(Customer, "id"), *(_rows_sql(kind.model, kind.link.column) for kind in kinds())]
        keys = [customer.pk for customer in customers]
        rows = defaultdict(dict)
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), [keys] * len(parts))
            for table, key, row in cursor.fetchall():
                rows[table][key] = orjson.loads(row)
        return cls(rows)

    def changes_to(self, other):
        """`{table: {id: {column: [value here, value there]}}}` of the rows of both that differ."""
        changes = defaultdict(dict)
        for table, rows in self.rows.items():
            for key, row in rows.items():
                there = other.rows[table].get(key, row)
                if there != row:
                    changes[table][key] = {name: [row[name], there[name]] for name in row if row[name] != there[name]}
        return dict(changes)

    def missing_from(self, other):
        """`{table: [id]}` of the rows that only stand here."""
        missing = {table: sorted(rows.keys() - other.rows[table].keys()) for table, rows in self.rows.items()}
        return {table: keys for table, keys in missing.items() if keys}


def _rows_sql(model, column):
    left_out = _OF_EDITS | {field.column for field in model._meta.concrete_fields if field.generated}
    names = "{" + ",".join(sorted(left_out)) + "}"
    table = model._meta.db_table
    return (
        f"SELECT '{table}', id, (to_jsonb({table}) - '{names}'::text[])::text FROM {table} "
        f"WHERE {column} = ANY(%s::text[])"
    )


def put_back(table, rows):
    """Write `{id: {column: JSON value}}` into a table: one statement for the rows that share columns."""
    alike = defaultdict(list)
    for key, values in rows.items():
        if values:
            alike[tuple(sorted(values))].append({"id": key, **values})
    with connection.cursor() as cursor:
        for columns, values in alike.items():
            assigned = ", ".join(f'"{column}" = r."{column}"' for column in columns)
            cursor.execute(
                f"UPDATE {table} t SET {assigned} FROM json_populate_recordset(NULL::{table}, %s::json) r "
                "WHERE t.id = r.id",
                [orjson.dumps(values).decode()],
            )
