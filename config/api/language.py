"""The query language: filters as JSON, read against a table of fields and turned into one condition.

A filter object maps fields, nested or dotted, to conditions: a scalar means `eq`, an array `in`,
an object of operators all of them; its entries join with *and*. `and` and `or` hold lists of
filter objects. What fields there are, and what their values mean, is a table of config.api.kinds.
"""

from functools import reduce
from operator import and_, or_

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.settings import api_settings

from config.api.filters import HubFilter
from config.api.kinds import EQUALITY, LISTS, MAX_CHARACTERS
from config.api.pagination import DEFAULT_SIZE, MAX_PAGE, MAX_SIZE, Order, Part
from config.api.parsers import safe_json
from config.api.query import one_of
from config.api.serializers import Question, WholeNumberField, WordField

MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES, MAX_ALL_VALUES, MAX_ERRORS = 30, 4, 100, 500, 20
GROUPS = {"and": and_, "or": or_}
# Of a key that nobody knows this much is repeated.
_MAX_KEY = 64


class Filters:
    """Filters that have been read: the condition of a row, and what they mean, however they were written."""

    def __init__(self, condition=None, meaning=""):
        self.condition = Q() if condition is None else condition
        self.meaning = meaning

    def __bool__(self):
        return bool(self.meaning)

    def __repr__(self):
        return self.meaning


class Language:
    """The query language over a table of fields.

    `fields` maps dotted names to kinds, `aliases` other names to these.
    """

    def __init__(self, fields, aliases):
        self.fields, self.aliases = fields, aliases
        self.by_name = fields | {alias: fields[name] for alias, name in aliases.items()}

    def only(self, *names):
        """The same language knowing these fields alone, or whole objects of them."""
        known = {name: kind for name, kind in self.fields.items() if name in names or name.split(".")[0] in names}
        return Language(known, {alias: name for alias, name in self.aliases.items() if name in known})

    def read(self, filters, caller):
        """The Filters of a JSON value; ValidationError (400) with all that is wrong by its dotted path, bounded."""
        return _Reader(self, caller).read(filters)

    @property
    def description(self):
        """The language in words, for the reference."""
        kinds = {}
        for name, kind in self.fields.items():
            kinds.setdefault((kind.label, kind.operators, kind.permission), []).append(f"`{name}`")
        lines = [
            "Maps fields, nested or dotted, to conditions: a scalar means `eq`, an array `in`, an object of operators "
            "all of them. `and` and `or` hold lists of such objects. null means no value; `ne` and `nin` include rows "
            f"without one. At most {MAX_CONDITIONS} conditions, {MAX_VALUES} values in a list and {MAX_ALL_VALUES} in "
            f"all, texts of {MAX_CHARACTERS} characters, groups {MAX_DEPTH} deep.",
            "",
        ]
        for (label, operators, permission), names in kinds.items():
            needed = f"; needs `{permission}`" if permission else ""
            lines.append(f"- {', '.join(names)}: {label} ({', '.join(operators)}{needed})")
        others = ", ".join(f"`{alias}` = `{name}`" for alias, name in self.aliases.items())
        return "\n".join([*lines, f"- Other names: {others}"])


class _EnoughErrors(Exception):
    """So much is wrong that the rest is not looked at."""


class _Reader:
    """One reading of filters for one caller, who may not know every field."""

    def __init__(self, language, caller):
        self.caller, self.aliases = caller, language.aliases
        self.fields = {
            name: kind
            for name, kind in language.by_name.items()
            if kind.permission is None or caller.may(kind.permission)
        }
        self.objects = {name.split(".")[0] for name in self.fields if "." in name}
        self.conditions = self.all_values = self.mistakes = 0
        self.errors = {}

    def read(self, filters):
        try:
            read = self.all_of(filters, ())
        except _EnoughErrors:
            read = None
        if self.errors:
            raise ValidationError(self.errors)
        return read

    def refuse(self, path, message):
        name = ".".join(key[:_MAX_KEY] for key in path) if path else api_settings.NON_FIELD_ERRORS_KEY
        self.errors.setdefault(name, []).append(message)
        self.mistakes += 1
        if self.mistakes >= MAX_ERRORS:
            raise _EnoughErrors

    def all_of(self, filters, path, *, depth=0, within=""):
        """What the entries of a filter object, or of a nested object of fields, say together."""
        if not isinstance(filters, dict):
            self.refuse(path, _("Must be an object"))
            return Filters()
        if path and not filters:
            self.refuse(path, _("Must hold at least one condition"))
        parts = []
        for key, value in filters.items():
            here, name = (*path, key), within + key
            if key in GROUPS and not within:
                parts.append(self.group(key, value, here, depth + 1))
            elif name in self.fields:
                parts += self.about(name, value, here)
            elif name in self.objects:
                parts.append(self.all_of(value, here, depth=depth, within=f"{name}."))
            else:
                names = [field.removeprefix(within) for field in self.fields if field.startswith(within)]
                self.refuse(here, one_of(names if within else [*names, *GROUPS]))
        return _joined("and", parts)

    def group(self, word, filters, path, depth):
        """What a list of filter objects says: all of them or any of them."""
        if depth > MAX_DEPTH:
            self.refuse(path, _("Groups may be at most %(count)d deep") % {"count": MAX_DEPTH})
            return Filters()
        if not isinstance(filters, list) or not filters:
            self.refuse(path, _("Must be a list of at least one object"))
            return Filters()
        parts = [self.all_of(inner, (*path, str(index)), depth=depth) for index, inner in enumerate(filters)]
        return _joined(word, parts)

    def about(self, name, value, path):
        """The conditions on one field."""
        if not isinstance(value, dict):
            return [self.compared(name, "in" if isinstance(value, list) else "eq", value, path)]
        if not value:
            self.refuse(path, one_of(self.fields[name].operators))
        return [self.compared(name, operator, inner, (*path, operator)) for operator, inner in value.items()]

    def compared(self, name, operator, value, path):
        """One condition."""
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            self.refuse((), _("At most %(count)d conditions are allowed") % {"count": MAX_CONDITIONS})
            raise _EnoughErrors
        kind = self.fields[name]
        if operator not in kind.operators:
            self.refuse(path, one_of(kind.operators))
            return Filters()
        before = self.mistakes
        values = self.values(kind, operator, value, path)
        if self.mistakes > before:
            return Filters()
        canonical = {"eq": "in", "ne": "nin"}.get(operator, operator)
        meaning = f"{self.aliases.get(name, name)} {canonical} {sorted(set(map(repr, values)))}"
        return Filters(kind.condition(operator, values), meaning)

    def values(self, kind, operator, value, path):
        """What a condition compares with, as its kind reads it."""
        if operator not in LISTS:
            return [self.value(kind, operator, value, path)]
        if not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES:
            self.refuse(path, _("Must be a list of 1 to %(count)d values") % {"count": MAX_VALUES})
            return []
        self.all_values += len(value)
        if self.all_values > MAX_ALL_VALUES:
            self.refuse((), _("At most %(count)d values are allowed in all lists") % {"count": MAX_ALL_VALUES})
            raise _EnoughErrors
        return [self.value(kind, operator, item, (*path, str(index))) for index, item in enumerate(value)]

    def value(self, kind, operator, value, path):
        try:
            if value is not None:
                return kind.read(value, operator, self.caller)
            if operator not in EQUALITY:
                raise ValidationError(_("This field may not be null."))
        except ValidationError as error:
            self.refuse(path, error.detail[0])
        return None


def _joined(word, parts):
    """Filters of which all or any hold, as one."""
    if len(parts) <= 1:
        return parts[0] if parts else Filters()
    meanings = sorted({part.meaning for part in parts})
    return Filters(reduce(GROUPS[word], [part.condition for part in parts]), f"{word}({', '.join(meanings)})")


# --- Its doors: a parameter of lists, and a body ----------------------------------------------


class QueryFilter(HubFilter):
    """Filters in the query language, as the JSON text of one object."""

    max_length = None

    def __init__(self, language):
        super().__init__()
        self.language = language

    def clean(self, values):
        try:
            (text,) = values
            filters = safe_json(text)
        except (ValueError, ParseError):
            raise ValidationError(_("Must be the JSON text of one object")) from None
        return self.language.read(filters, self.parent.request.user)

    def filter(self, queryset, value):
        return queryset.filter(value.condition)


class FiltersField(serializers.Field):
    """Filters in the query language, in a body."""

    def __init__(self, language, **options):
        super().__init__(**options)
        self.language = language

    def to_internal_value(self, data):
        return self.language.read(data, self.context["request"].user)


class NamesField(serializers.ListField):
    """Names in a list, or in one text with commas between them."""

    child = serializers.CharField(max_length=100)

    def to_internal_value(self, data):
        names = [name.strip() for name in data.split(",") if name.strip()] if isinstance(data, str) else data
        return super().to_internal_value(names)


class DirectionField(WordField):
    """`asc` or `desc`, in either case."""

    def __init__(self, **options):
        super().__init__([("asc", "asc"), ("desc", "desc")], **options)

    def to_internal_value(self, data):
        return super().to_internal_value(data.lower() if isinstance(data, str) else data)


class SortInput(Question):
    """What a page is sorted by: `field`, of which subclasses name the words and the default, and `order`."""

    order = DirectionField(default="desc")


class QueryInput(Question):
    """What a page is asked for with in a body. Null is as good as absent, but for `cursor`.

    Subclasses declare `filters` and `sort`, and name the `sorts` that `sort` has words for.
    """

    limit = WholeNumberField(min_value=1, max_value=MAX_SIZE, required=False, allow_null=True)
    page = WholeNumberField(min_value=1, max_value=MAX_PAGE, required=False, allow_null=True)
    cursor = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    fields = NamesField(required=False, allow_null=True, max_length=100)
    include = NamesField(required=False, allow_null=True, max_length=100)

    sorts = {}

    def validate(self, values):
        """`{part, filters, fields, include}`."""
        sort = values.get("sort") or self.fields["sort"].run_validation({})
        cursor = (values["cursor"] or "") if "cursor" in values else None
        order = Order(self.sorts[sort["field"]], sort["order"] == "desc")
        return {
            "part": Part(order, values.get("limit") or DEFAULT_SIZE, values.get("page") or 1, cursor),
            "filters": values.get("filters") or Filters(),
            "fields": values.get("fields") or [],
            "include": values.get("include") or [],
        }
