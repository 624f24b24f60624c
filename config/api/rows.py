"""Rows rendered as JSON by PostgreSQL, from the same declaration that documents them.

An output serializer declares names, sources and kinds; this module compiles it once
into a SELECT that returns one JSON text per row. Nothing is built per row in Python.
"""

from functools import lru_cache

import orjson
from django.db import connection
from rest_framework import serializers

from config.clock import current_minute
from config.db import VersionedModel

# Times leave as ISO 8601 in UTC, without a fraction when there is none. Not STRICT: PostgreSQL inlines it then.
FUNCTIONS_SQL = """
CREATE OR REPLACE FUNCTION hub_iso(t timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN date_trunc('second', t) = t
        THEN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        ELSE to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END
$$;
"""


class Masked(serializers.CharField):
    """A text of which callers without `permission` see only the last four characters."""

    def __init__(self, permission, **options):
        self.permission = permission
        super().__init__(**options)


class KeptNull(serializers.CharField):
    """A text whose null is meant and stays in the answer."""

    def __init__(self, **options):
        super().__init__(allow_null=True, **options)


class Relation(serializers.ListField):
    """A related collection: an empty list unless it is included."""


class JSONRows:
    """How rows of one serializer are rendered: which fields, which relations, for whom.

    `serializer_class.Meta` names the `model`; `nested(many=True)` fields follow a reverse
    relation in the order of `Meta.order` (the last `Meta.newest` of it), other nested ones a
    foreign key; a source such as `customer.name` follows one too. `Meta.derived` maps fields
    to SQL over `{row}` and `moment.minute`, the minute that lists and counts go by. A nested
    serializer without Meta is a document; with `picks` only its declared keys are shown.
    """

    def __init__(self, serializer_class, fields, included, permissions):
        self.sql = _select(serializer_class, fields, included, permissions)

    def fetch(self, keys):
        """`[(json text, version, updated_at)]` in the order of the keys; vanished rows are skipped."""
        if not keys:
            return []
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [list(keys), current_minute()])
            return cursor.fetchall()


@lru_cache(maxsize=512)
def rows_of(serializer_class, fields=None, included=frozenset(), permissions=frozenset()):
    """The compiled JSONRows; `fields` None means all, `id` is always kept."""
    return JSONRows(serializer_class, fields, included, permissions)


def fragments(rows):
    """The JSON texts of fetched rows as one list that dumps() takes as it is."""
    return [orjson.Fragment(text) for text, *_ in rows]


def declared_fields(serializer_class):
    """`{name: field}` as declared, sources resolved."""
    return {name: (field, field.source or name) for name, field in serializer_class._declared_fields.items()}


def _select(serializer_class, fields, included, permissions):
    model = serializer_class.Meta.model
    version, updated_at = ('c."version"', 'c."updated_at"') if issubclass(model, VersionedModel) else ("0", "NULL")
    body = _object(serializer_class, "c", fields, included, permissions)
    return (
        f"SELECT {body}, {version}, {updated_at} FROM unnest(%s::text[]) WITH ORDINALITY AS k(id, n) "
        f'JOIN "{model._meta.db_table}" c ON c."id" = k.id '
        f"CROSS JOIN (SELECT %s::timestamptz AS minute) AS moment ORDER BY k.n"
    )


def _object(serializer_class, alias, fields, included, permissions):
    """A SQL expression for one row as a JSON text.

    Scalars go through row_to_json and lose their nulls; documents, relations and
    meant nulls are spliced in afterwards, because stripping would reach inside them.
    """
    model = serializer_class.Meta.model
    scalars, spliced = [], []
    for name, (field, source) in declared_fields(serializer_class).items():
        if fields is not None and name != "id" and name not in fields:
            continue
        if isinstance(field, Relation):
            spliced.append(f"""',"{name}":[]'""")
        elif isinstance(field, serializers.ListSerializer):
            spliced.append(f"""',"{name}":' || {_collection(field, source, model, alias, permissions)}""")
        elif isinstance(field, serializers.Serializer) and hasattr(field, "Meta"):
            relation = model._meta.get_field(source)
            inner = f"{alias}{name[0]}"
            one = _object(type(field), inner, None, included, permissions)
            table, column = relation.related_model._meta.db_table, relation.column
            select = f'SELECT {one} FROM "{table}" {inner} WHERE {inner}."id" = {alias}."{column}"'
            spliced.append(f"""coalesce(',"{name}":' || ({select}), '')""")
        else:
            column = _column(serializer_class, name, source, alias)
            if isinstance(field, KeptNull):
                spliced.append(f"""',"{name}":' || coalesce(to_json({column})::text, 'null')""")
            elif isinstance(field, (serializers.JSONField, serializers.DictField, serializers.Serializer)):
                document = f"""',"{name}":' || {_picked(field, column)}::text"""
                if not field.required:  # an optional document without content is left out
                    document = f"CASE WHEN {column} <> '{{}}' THEN {document} ELSE '' END"
                spliced.append(document)
            elif isinstance(field, serializers.ListField):
                spliced.append(f"""',"{name}":' || to_json({column})::text""")
            else:
                scalars.append(f'{_scalar(field, column, permissions)} AS "{name}"')
    flat = f"json_strip_nulls((SELECT row_to_json(s) FROM (SELECT {', '.join(scalars)}) s))::text"
    return f"left({flat}, -1) || {' || '.join(spliced)} || '}}'" if spliced else flat


def _column(serializer_class, name, source, alias):
    """The SQL of one value: a column of the row, of a row that a foreign key names, or derived."""
    model = serializer_class.Meta.model
    derived = getattr(serializer_class.Meta, "derived", {}).get(name)
    if derived:
        return f"({derived.format(row=alias)})"
    first, _dot, rest = source.partition(".")
    field = model._meta.get_field(first)
    if not rest:
        return f'{alias}."{field.column}"'
    related, inner = field.related_model._meta, f"{alias}{first[0]}"
    value = f'{inner}."{related.get_field(rest).column}"'
    return f'(SELECT {value} FROM "{related.db_table}" {inner} WHERE {inner}."id" = {alias}."{field.column}")'


def _picked(field, column):
    """A document, or of one that `picks` the declared keys that it has."""
    if not getattr(field, "picks", False):
        return column
    pairs = ", ".join(f"'{key}', {column} -> '{key}'" for key in field._declared_fields)
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"


def _scalar(field, column, permissions):
    if isinstance(field, Masked) and field.permission not in permissions:
        return f"nullif(repeat('*', greatest(length({column}) - 4, 0)) || right({column}, 4), '')"
    if isinstance(field, serializers.DateTimeField):
        return f"hub_iso({column})"
    if isinstance(field, (serializers.CharField, serializers.ChoiceField)) and not field.required:
        return f"nullif({column}, '')"
    if isinstance(field, (serializers.FloatField, serializers.DecimalField)):
        return f"trim_scale({column})"
    return column


def _collection(field, source, model, alias, permissions):
    child = type(field.child)
    related = child.Meta.model
    foreign_key = model._meta.get_field(source).field.column
    inner = f"{alias}{source[0]}"
    order = ", ".join(f'{inner}."{column}"' for column in child.Meta.order)
    one = _object(child, inner, None, frozenset(), permissions)
    rows = f'"{related._meta.db_table}" {inner} WHERE {inner}."{foreign_key}" = {alias}."id"'
    newest = getattr(child.Meta, "newest", None)
    if newest:
        backward = ", ".join(f'{inner}."{column}" DESC' for column in child.Meta.order)
        rows = f"(SELECT * FROM {rows} ORDER BY {backward} LIMIT {newest}) {inner}"
    return f"(SELECT '[' || coalesce(string_agg({one}, ',' ORDER BY {order}), '') || ']' FROM {rows})"
