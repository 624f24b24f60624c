"""Query strings as clients really write them: every spelling of an array, empty values, unknown names."""

import re

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError

from config.api.parsers import check_text, safe_json
from config.arabic import ascii_digits

_ARRAY_KEY = re.compile(r"^([^\[\]]+)\[\d*\]$")
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
MAX_VALUES = 200


class QueryParams(dict):
    """The query string as `{name: [values]}` without empty values or repeats.

    `k=a&k=b`, `k[]=a`, `k[0]=a` and `k=["a","b"]` are the same. Names that nobody
    asks for by `used` end up in `ignored`.
    """

    def __init__(self, querydict):
        super().__init__()
        self._used = set()
        for key, values in querydict.lists():
            check_text(key)
            array = _ARRAY_KEY.match(key)
            name = array[1] if array else key
            items = [item for value in values for item in _spread(value) if item]
            if items:
                self[name] = list(dict.fromkeys(self.get(name, []) + items))

    @classmethod
    def of_body(cls, filters):
        """The same from an object of a body: `{name: value or values}`; null and [] count as absent."""
        params = cls(QueryDict())
        for name, value in filters.items():
            values = value if isinstance(value, list) else [value]
            if not all(item is None or isinstance(item, (str, int, float)) for item in values):
                raise ValidationError({name: _("Must be a value or a list of values")})
            texts = [_text_of(item) for item in values if item is not None and item != ""]
            if texts:
                params[name] = list(dict.fromkeys(texts))
        return params

    def use(self, *names):
        """Mark names as understood."""
        self._used.update(names)

    def values_of(self, name):
        """All values of one parameter, [] when absent."""
        self.use(name)
        values = self.get(name, [])
        if len(values) > MAX_VALUES:
            raise ValidationError({name: _("At most %(count)d values are allowed") % {"count": MAX_VALUES}})
        return values

    def names_of(self, name):
        """The values of a list of names, where commas separate too."""
        return [part.strip() for value in self.values_of(name) for part in value.split(",") if part.strip()]

    def text(self, name):
        """The last value of one parameter, or None."""
        values = self.values_of(name)
        return values[-1] if values else None

    def integer(self, name, default, *, minimum, maximum):
        """A whole number in its range, digits of any script; ValidationError (400) otherwise."""
        text = self.text(name)
        if text is None:
            return default
        digits = ascii_digits(text).strip()
        if not re.fullmatch(r"\d{1,9}", digits) or not minimum <= int(digits) <= maximum:
            bounds = {"minimum": minimum, "maximum": maximum}
            raise ValidationError({name: _("Must be a whole number from %(minimum)d to %(maximum)d") % bounds})
        return int(digits)

    def boolean(self, name):
        """True, False, or None when absent; ValidationError (400) otherwise."""
        text = self.text(name)
        if text is None:
            return None
        if text.lower() in TRUE | FALSE:
            return text.lower() in TRUE
        raise ValidationError({name: _("Must be true or false")})

    def choice(self, name, choices, default=None):
        """One of the allowed words; ValidationError (400) naming them otherwise."""
        text = self.text(name)
        if text is None:
            return default
        if text not in choices:
            raise ValidationError({name: one_of(choices)})
        return text

    @property
    def ignored(self):
        """Names in the query string that mean nothing here, for `meta.ignoredParams`."""
        return sorted(set(self) - self._used)


def one_of(choices):
    """The sentence that names the allowed values."""
    return _("Must be one of: %(choices)s") % {"choices": ", ".join(choices)}


def _text_of(value):
    return value.strip() if isinstance(value, str) else str(value).lower()


def _spread(value):
    check_text(value)
    if value.startswith("["):
        try:
            items = safe_json(value)
        except ParseError:
            return [value]
        if isinstance(items, list) and all(isinstance(item, (str, int, float)) for item in items):
            return [str(item).strip() for item in items]
    return [value.strip()]
