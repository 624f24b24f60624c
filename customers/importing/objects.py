"""What the JSON of an import may hold in place of what is expected: its parts read safely, its errors by path."""

import re

import orjson
from django.utils.translation import gettext as _
from rest_framework import serializers

from customers.importing.rows import messages_of

_USABLE_ID = re.compile(r"[A-Za-z0-9_-]{1,50}").fullmatch
# Words that routes have, or may come to have, in the place of an id.
_ROUTE_WORDS = frozenset(
    "actions all assign bulk claim count create delete documents duplicates erase events export filters import "
    "insights leads list matches me merge new null pipeline query scores search segments settings stages stats "
    "statistics suggestions tags unassigned".split()
)


def listed(value):
    return value if isinstance(value, list) else []


def mapping(value):
    return value if isinstance(value, dict) else {}


def is_usable(key):
    return isinstance(key, str) and _USABLE_ID(key) is not None and key not in _ROUTE_WORDS


def key_of(value):
    """The id of an object, as text where it is anything but a scalar: nobody is found by it then."""
    key = mapping(value).get("id")
    return str(key) if isinstance(key, (list, dict)) else key


def new_id_message(key, new):
    """Why a row has not the id that it came with."""
    if is_usable(key):
        return _("The id is taken; the new one is %(id)s") % {"id": new}
    return _("The id is not usable; the new one is %(id)s") % {"id": new}


def cells_of(customer, errors):
    """Errors of a serializer as `[(dotted path, value, reason)]`."""
    return [
        (path, _value_at(customer, path), message) for path, message in messages_of(serializers.ValidationError(errors))
    ]


def _value_at(value, path):
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = mapping(value).get(name, "")
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else "" if value is None else value
