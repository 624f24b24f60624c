"""What a caller sees of a row that was rendered for somebody who sees everything.

The second reader of the declarations that `config.api.rows` compiles: rows of events are rendered once,
when they are written, and shown to each viewer by this.
"""

import orjson
from rest_framework import serializers

from config.api.links import marked
from config.api.rows import Confidential, Masked, Redacted, Relation, SignedLink, declared_fields


def shown_to(serializer_class, row, permissions):
    """A rendered row, or some fields of one, as callers with these permissions see it: what dumps() takes.

    Paths of files are marked, as in rows from the database; `config.api.links` signs them.
    """
    declared = declared_fields(serializer_class)
    shown = {}
    for name, value in row.items():
        field = declared[name][0] if name in declared else None
        if value is None or field is None:
            shown[name] = value
        elif not _is_kept_from(field, permissions):
            seen = _value(name, field, value, row, permissions)
            if seen or not value or field.required:  # what is left empty is left out
                shown[name] = seen
    return shown


def _is_kept_from(field, permissions):
    needed = field.permission if isinstance(field, Confidential) else getattr(_meta(field), "permission", None)
    return needed is not None and needed not in permissions


def _meta(field):
    return getattr(field, "Meta", None) if isinstance(field, serializers.Serializer) else None


def _value(name, field, value, row, permissions):
    if isinstance(field, Relation):
        return _nested(field.serializers[name], value, permissions) if name in field.serializers else value
    if isinstance(field, serializers.ListSerializer):
        return _nested(type(field.child), value, permissions)
    if isinstance(field, serializers.Serializer) and hasattr(field, "Meta"):
        return _nested(type(field), value, permissions)
    if isinstance(field, SignedLink):
        return _link(field, value, row, permissions)
    if getattr(field, "permission", None) in (None, *permissions):
        return value
    if isinstance(field, Masked):
        return "*" * (len(value) - 4) + value[-4:]
    if isinstance(field, Redacted):
        return [word for word in value if word != field.private]
    return value


def _nested(serializer_class, value, permissions):
    if isinstance(value, list):
        return [shown_to(serializer_class, row, permissions) for row in value]
    return shown_to(serializer_class, value, permissions)


def _link(field, value, row, permissions):
    name, word = field.confidential
    if field.permission not in permissions and row.get(name) == word:
        return ""
    return orjson.Fragment(marked(value)) if value.startswith("/") else value
