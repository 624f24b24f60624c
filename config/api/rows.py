"""Rows rendered as JSON by PostgreSQL, from the same declaration that documents them.

An output serializer declares names, sources and kinds; this module compiles it once
into a SELECT that returns one JSON text per row. Nothing is built per row in Python.
"""

from functools import lru_cache

import orjson
from django.db import connection
from rest_framework import serializers

from config.api.links import MARK
from config.api.serializers import StampedDay
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


class Confidential:
    """Beside a kind of field: callers without `permission` do not get it."""

    def __init__(self, permission, **options):
        self.permission = permission
        super().__init__(**options)


class Redacted(serializers.ListField):
    """A list of words, among which callers without `permission` do not find `private`."""

    def __init__(self, permission, private, **options):
        self.permission, self.private = permission, private
        super().__init__(**options)


class SignedLink(serializers.URLField):
    """A link: to a file of ours, signed at last, where the value is a path of this API; otherwise the URL it is.

    Rows with the word of `confidential`, `(column, word)`, give callers without `permission` an empty one.
    """

    def __init__(self, *, permission, confidential, **options):
        self.permission, self.confidential = permission, confidential
        super().__init__(**options)


class Relation(serializers.ListField):
    """What comes along when it is included: rows as `serializers` declares them under the field's name.

    Otherwise an empty list or, where it is not required, nothing.
    """

    def __init__(self, serializers, **options):
        self.serializers = serializers
        super().__init__(**options)


class JSONRows:
    """How rows of one serializer are rendered: which fields, which relations, for whom.

    `serializer_class.Meta` names the `model`; `nested(many=True)` fields follow a reverse
    relation in the order of `Meta.order` (the last `Meta.newest` of it), other nested ones a
    foreign key or a reverse one-to-one; a source such as `customer.name` follows one too. A nested
    one with the source `*` groups fields of the same row. Nested ones that are not required are left out
    when empty, and those with `Meta.permission` for callers without it. `Meta.derived` maps fields
    to SQL over `{row}` (or to a function of it) and `moment.minute`, the minute that lists and counts go by. A nested
    serializer without Meta is a document; with `picks` only its declared keys are shown.
    """

    def __init__(self, serializer_class, fields, included, permissions):
        self.sql = _select(serializer_class, fields, included, permissions)
        # What does not depend on the time is not asked for it: such answers may be kept for longer than a minute.
        self.tells_time = "moment.minute" in self.sql

    def fetch(self, keys):
        """`[(json text, version, updated_at)]` in the order of the keys; vanished rows are skipped."""
        if not keys:
            return []
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [list(keys), current_minute() if self.tells_time else None])
            return cursor.fetchall()


@lru_cache(maxsize=512)
def rows_of(serializer_class, fields=None, included=frozenset(), permissions=frozenset()):
    """The compiled JSONRows; `fields` None means all, `id` is always kept."""
    return JSONRows(serializer_class, fields, included, permissions)


@lru_cache(maxsize=128)
def json_sql(serializer_class, alias, permissions):
    """SQL of the JSON text of the row that `alias` stands for, where `moment.minute` is known too."""
    return _object(serializer_class, alias, None, frozenset(), permissions)


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
    # The keys are hidden in a subquery: seeing how many there are, PostgreSQL would plan the statement anew each time,
    # which takes longer than running it.
    return (
        f"SELECT {body}, {version}, {updated_at} FROM unnest((SELECT %s::text[])) WITH ORDINALITY AS k(id, n) "
        f'JOIN "{model._meta.db_table}" c ON c."id" = k.id '
        f"CROSS JOIN (SELECT %s::timestamptz AS minute) AS moment ORDER BY k.n"
    )


def _object(serializer_class, alias, fields, included, permissions):
    """A SQL expression for one row as a JSON text.

    Scalars go through row_to_json and lose their nulls; documents, relations and
    meant nulls are spliced in afterwards, because stripping would reach inside them.
    """
    model = serializer_class.Meta.model
    scalars, spliced, has_value = [], [], False
    for name, (field, source) in declared_fields(serializer_class).items():
        if fields is not None and name != "id" and name not in fields:
            continue
        if isinstance(field, Relation):
            nested = field.serializers.get(name) if name in included else None
            if nested and hasattr(nested.Meta, "order"):
                spliced.append(f"""',"{name}":' || {_collection(nested, source, model, alias, permissions)}""")
            elif nested:
                spliced.append(_unless_empty(name, _object(nested, alias, None, included, permissions), "{}"))
            elif field.required:
                spliced.append(f"""',"{name}":[]'""")
        elif isinstance(field, serializers.ListSerializer):
            rows = _collection(type(field.child), source, model, alias, permissions)
            spliced.append(f"""',"{name}":' || {rows}""" if field.required else _unless_empty(name, rows, "[]"))
        elif isinstance(field, serializers.Serializer) and hasattr(field, "Meta"):
            if getattr(field.Meta, "permission", None) in (None, *permissions):
                spliced.append(_unless_empty(name, _related(field, source, model, alias, included, permissions), "{}"))
        elif isinstance(field, Confidential) and field.permission not in permissions:
            continue
        else:
            column = _column(serializer_class, name, source, alias)
            if isinstance(field, SignedLink):
                spliced.append(f"""',"{name}":' || {_link(field, column, alias, permissions)}""")
            elif isinstance(field, KeptNull):
                spliced.append(f"""',"{name}":' || coalesce(to_json({column})::text, 'null')""")
            elif isinstance(field, (serializers.JSONField, serializers.DictField, serializers.Serializer)):
                document = f"""',"{name}":' || {_picked(field, column)}::text"""
                if not field.required:  # an optional document without content is left out
                    document = f"CASE WHEN {column} <> '{{}}' THEN {document} ELSE '' END"
                spliced.append(document)
            elif isinstance(field, serializers.ListField):
                if isinstance(field, Redacted) and field.permission not in permissions:
                    column = f"array_remove({column}, '{field.private}')"
                rows = f"to_json({column})::text"
                spliced.append(f"""',"{name}":' || {rows}""" if field.required else _unless_empty(name, rows, "[]"))
            else:
                has_value = has_value or field.required
                scalars.append(f'{_scalar(field, column, permissions)} AS "{name}"')
    flat = f"json_strip_nulls((SELECT row_to_json(s) FROM (SELECT {', '.join(scalars)}) s))::text"
    if not spliced:
        return flat
    if not has_value:  # what is spliced in may come first, without the comma that it begins with
        return f"'{{' || ltrim(substr({flat}, 2, length({flat}) - 2) || {' || '.join(spliced)}, ',') || '}}'"
    return f"left({flat}, -1) || {' || '.join(spliced)} || '}}'"


def _unless_empty(name, value, empty):
    """A part that is left out when there is nothing in it."""
    return f"""coalesce(',"{name}":' || nullif({value}, '{empty}'), '')"""


def _related(field, source, model, alias, included, permissions):
    """The one row that a nested serializer shows, NULL when there is none."""
    if source == "*":
        return _object(type(field), alias, None, included, permissions)
    relation = model._meta.get_field(source)
    inner = f"{alias}{source[0]}"
    one = _object(type(field), inner, None, included, permissions)
    near, far = ("id", relation.field.column) if relation.auto_created else (relation.column, "id")
    table = relation.related_model._meta.db_table
    return f'(SELECT {one} FROM "{table}" {inner} WHERE {inner}."{far}" = {alias}."{near}")'


def _column(serializer_class, name, source, alias):
    """The SQL of one value: a column of the row, of a row that a foreign key names, or derived."""
    model = serializer_class.Meta.model
    derived = getattr(serializer_class.Meta, "derived", {}).get(name)
    if derived:
        return f"({derived(alias) if callable(derived) else derived.format(row=alias)})"
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


def _link(field, column, alias, permissions):
    """A URL as a JSON text, a path of ours between marks."""
    marked = f"""'"' || chr({ord(MARK)}) || {column} || chr({ord(MARK)}) || '"'"""
    link = f"CASE WHEN left({column}, 1) = '/' THEN {marked} ELSE to_json({column})::text END"
    if field.permission in permissions:
        return link
    name, word = field.confidential
    return f"""CASE WHEN {alias}."{name}" = '{word}' THEN '""' ELSE {link} END"""


def _scalar(field, column, permissions):
    if isinstance(field, Masked) and field.permission not in permissions:
        return f"nullif(repeat('*', greatest(length({column}) - 4, 0)) || right({column}, 4), '')"
    if isinstance(field, StampedDay):
        return f"""to_char({column}, 'YYYY-MM-DD"T00:00:00Z"')"""
    if isinstance(field, serializers.DateTimeField):
        return f"hub_iso({column})"
    if isinstance(field, (serializers.CharField, serializers.ChoiceField)) and not field.required:
        return f"nullif({column}, '')"
    if isinstance(field, (serializers.FloatField, serializers.DecimalField)):
        return f"trim_scale({column})"
    return column


def _collection(child, source, model, alias, permissions):
    """A list of the rows that point at this one, as a JSON text."""
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
