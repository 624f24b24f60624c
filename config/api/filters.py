"""The kinds of filters that lists are declared with, on django-filter's FilterSet.

Each value of a query string is cleaned strictly (400 naming the field); parameters
that are absent cost nothing.
"""

import copy
import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import django_filters
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import DateField, DateTimeField, DecimalField, Value
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api.query import FALSE, TRUE, QueryParams, one_of
from config.arabic import ascii_digits
from config.clock import zone_of
from config.numbers import parse_date

# No exponents: 1e999999999 would be written out.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)").fullmatch
# A `+03:00` whose plus was read as a space by URL decoding.
_LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$")


# Of several values with commas between them.
LONGEST_LIST = 10_000


class HubFilterSet(django_filters.FilterSet):
    """A FilterSet fed by QueryParams: only the parameters that are present are looked at.

    `aliases` maps other accepted names to declared ones; `request` carries the caller.
    """

    aliases = {}

    def __init__(self, params, queryset, *, request):
        self.queryset, self.request = queryset, request
        self.params = params
        self.filters = {}
        for name in self.base_filters:
            values = [v for spelling in self.spellings(name) for v in params.values_of(spelling)]
            if values:
                filter_ = copy.copy(self.base_filters[name])
                filter_.parent, filter_.values = self, values
                self.filters[name] = filter_

    @classmethod
    def of_body(cls, filters, queryset, *, request, path):
        """The FilterSet of an object in a body, already cleaned.

        ValidationError (400) with dotted paths, for names that mean nothing as well: a filter that is
        silently left out shows too much.
        """
        try:
            params = QueryParams.of_body(filters)
            filterset = cls(params, queryset, request=request)
            if params.ignored:
                message = _("Unknown filter; the filters are: %(names)s") % {"names": ", ".join(cls.base_filters)}
                raise ValidationError(dict.fromkeys(params.ignored, message))
            filterset.cleaned  # noqa: B018
            return filterset
        except ValidationError as error:
            raise ValidationError({f"{path}.{name}": messages for name, messages in error.detail.items()}) from None

    @classmethod
    def spellings(cls, name):
        """The declared name and its aliases."""
        return [name, *(alias for alias, meant in cls.aliases.items() if meant == name)]

    @cached_property
    def cleaned(self):
        """`{name: value}` of the parameters that are present; ValidationError (400) with all that is wrong."""
        errors, cleaned = {}, {}
        for name in self.params:
            declared, bracket, _key = name.partition("[")
            if bracket and declared in self.base_filters:
                # `filters[city]=…`, as clients write objects: a filter that is passed over shows too much.
                errors[declared] = [_("Must be a value or a list of values")]
        for name, filter_ in self.filters.items():
            longest = filter_.max_length
            if longest and any(len(value) > longest for value in filter_.values):
                errors[name] = [_("At most %(count)d characters are allowed") % {"count": longest}]
                continue
            try:
                cleaned[name] = filter_.clean(filter_.values)
            except DjangoValidationError as error:
                errors[name] = error.messages
            except ValidationError as error:
                errors[name] = error.detail
        errors |= self.contradictions(cleaned)
        if errors:
            raise ValidationError(errors)
        return cleaned

    @property
    def meaning(self):
        """What the filters say, however they were written: names in order, the values of each without repeats."""
        values = {
            name: sorted(set(map(repr, v))) if isinstance(v, list) else repr(v) for name, v in self.cleaned.items()
        }
        return sorted(values.items())

    @property
    def qs(self):
        """The queryset narrowed by every filter."""
        return self.narrowed(self.queryset, *self.cleaned)

    def narrowed(self, queryset, *names):
        """A queryset narrowed by these filters, where they are present."""
        for name in names:
            if name in self.cleaned:
                queryset = self.filters[name].filter(queryset, self.cleaned[name])
        return queryset

    def contradictions(self, cleaned):
        """Errors between parameters, by field: nothing lies in a range that ends before it begins."""
        errors = {}
        for begin, end in (("Min", "Max"), ("From", "To")):
            for lower in cleaned:
                upper = lower.removesuffix(begin) + end
                if not lower.endswith(begin) or upper not in cleaned:
                    continue
                if self.filters[upper].lies_before(cleaned[upper], cleaned[lower]):
                    errors[upper] = _("Must not be less than %(other)s") % {"other": lower}
        return errors


class HubFilter(django_filters.Filter):
    """A filter that turns the texts of a parameter into a value, then narrows a queryset by it."""

    many = False
    # Of each value: folding a text takes longer the longer it is.
    max_length = 255
    # What OpenAPI says of one value.
    value_schema = {"type": "string"}

    def clean(self, values):
        return self.clean_one(values[-1])

    def clean_one(self, text):
        return text

    def lies_before(self, value, lower):
        """Whether a value, as the upper bound of a range, leaves nothing of it."""
        return value < lower


class ListFilter(HubFilter):
    """Any of several values. Commas inside a value belong to it."""

    many = True

    def clean(self, values):
        return [self.clean_one(text) for text in values]

    def filter(self, queryset, value):
        words = self.words_of(value)
        return self.get_method(queryset)(**{f"{self.field_name}__in": words}) if words else queryset

    def words_of(self, value):
        """The stored words that the values mean."""
        return value


class WordFilter(HubFilter):
    """One word of several; 400 names the allowed ones."""

    def __init__(self, *args, words, **options):
        super().__init__(*args, **options)
        self.words = tuple(words)
        self.value_schema = {"type": "string", "enum": list(self.words)}

    def clean_one(self, text):
        if text not in self.words:
            raise ValidationError(one_of(self.words))
        return text

    def filter(self, queryset, value):
        """Nothing by default: it may say how rows are counted rather than which."""
        return queryset


class ChoiceListFilter(ListFilter):
    """Any of several words of an enum, which commas may separate; 400 names the allowed ones."""

    max_length = LONGEST_LIST

    def __init__(self, *args, choices, **options):
        super().__init__(*args, **options)
        self.words = list(choices)
        self.value_schema = {"type": "string", "enum": self.words}

    def clean(self, values):
        return super().clean([word.strip() for text in values for word in text.split(",") if word.strip()])

    def clean_one(self, text):
        if text not in self.words:
            raise ValidationError(one_of(self.words))
        return text


class BooleanFilter(HubFilter):
    """True or false."""

    value_schema = {"type": "boolean"}

    def clean_one(self, text):
        if text.lower() not in TRUE | FALSE:
            raise ValidationError(_("Must be true or false"))
        return text.lower() in TRUE

    def filter(self, queryset, value):
        return queryset.filter(**{self.field_name: value})


class NumberFilter(HubFilter):
    """A number, digits of any script, optionally bounded; `whole` numbers only where it says so."""

    def __init__(self, *args, minimum=None, maximum=None, whole=False, **options):
        super().__init__(*args, **options)
        self.minimum, self.maximum, self.whole = minimum, maximum, whole
        self.value_schema = {"type": "integer" if whole else "number"}
        self.value_schema |= {k: v for k, v in (("minimum", minimum), ("maximum", maximum)) if v is not None}

    def clean_one(self, text):
        message = _("Must be a whole number") if self.whole else _("Must be a number")
        number = read_number(text, message)
        if self.whole and number != int(number):
            raise ValidationError(message)
        if self.minimum is not None and number < self.minimum or self.maximum is not None and number > self.maximum:
            bounds = {"minimum": self.minimum, "maximum": self.maximum}
            if self.maximum is None:
                raise ValidationError(_("Must be at least %(minimum)s") % bounds)
            raise ValidationError(_("Must be from %(minimum)s to %(maximum)s") % bounds)
        return number


def read_number(text, message=None):
    """The Decimal that a text of digits of any script is; ValidationError (400) otherwise."""
    text = ascii_digits(text)
    if len(text) > 20 or not _NUMBER(text):
        raise ValidationError(message or _("Must be a number"))
    return Decimal(text)


class WrittenOut(Value):
    """A moment, a day or a Decimal that stands in the text of its statement.

    PostgreSQL plans a range of unknown bounds for half a percent of the rows, and such a plan,
    once prepared, is kept for ranges of all of them: seconds instead of milliseconds.
    """

    def __init__(self, value):
        kinds = {Decimal: DecimalField, datetime: DateTimeField, date: DateField}
        super().__init__(value, output_field=kinds[type(value)]())

    def as_sql(self, compiler, connection):
        if isinstance(self.value, Decimal):
            return f"{self.value:f}", []
        kind = "timestamptz" if isinstance(self.value, datetime) else "date"
        return f"'{self.value.isoformat()}'::{kind}", []


class MomentFilter(HubFilter):
    """A bound in time. A date alone means that day in the organization's zone: its start, or its end with `end`."""

    value_schema = {"type": "string", "description": "ISO 8601 date or date-time"}

    def __init__(self, *args, end=False, **options):
        super().__init__(*args, lookup_expr="lt" if end else "gte", **options)
        self.end = end

    def clean_one(self, text):
        span = read_span(text, zone_of(self.parent.request.user.organization))
        # "To" is inclusive: the whole day, or the whole instant as it is displayed.
        return span.after if self.end else span.start

    def lies_before(self, value, lower):
        return value <= lower  # it is the first moment after the range

    def filter(self, queryset, value):
        return super().filter(queryset, WrittenOut(value))


class Span(NamedTuple):
    """The time that a text names: from its start up to the first moment after it, both in UTC."""

    start: datetime
    after: datetime


def read_span(text, zone):
    """The Span of a whole day in `zone`, or of one instant as it is displayed. ValidationError (400) otherwise."""
    start, is_day = read_moment(text, zone)
    after = start
    with suppress(OverflowError):  # nothing comes after the year 9999
        after += timedelta(days=1) if is_day else timedelta(microseconds=1)
    return Span(start.astimezone(UTC), after.astimezone(UTC))


def read_moment(text, zone):
    """`(aware datetime, whether only a day was given)`; a naive time is in `zone`. ValidationError (400) otherwise."""
    text = ascii_digits(text).strip()
    try:
        if "T" not in text and ":" not in text:
            return datetime.combine(parse_date(text), time.min, zone), True
        moment = parse_datetime(_LOST_PLUS.sub(r"+\1", text))
        if moment is None:
            raise ValueError
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return aware.astimezone(UTC), False
    except (ValueError, OverflowError, DjangoValidationError):
        raise ValidationError(
            _("Must be an ISO 8601 date or date-time, such as 2024-01-31 or 2024-01-31T10:00:00Z")
        ) from None
