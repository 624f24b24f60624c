"""The kinds of fields that bodies are declared with: cleaned texts, phones, money, days."""

import re
from datetime import datetime, time
from decimal import Decimal

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import URLValidator
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from rest_framework import serializers
from rest_framework.fields import empty

from config.api.filters import read_moment
from config.api.query import one_of
from config.arabic import ascii_digits, clean_text, is_invisible
from config.clock import zone_of
from config.numbers import parse_date, parse_decimal, phone_e164

# A sentence of DRF whose own Arabic ends in an English word: found here, it is in our catalogue, which comes first.
REWORDED = gettext_noop("This field may not be null.")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?").fullmatch


def _as_field_error(error):
    raise serializers.ValidationError(error.messages) from None


def optional(kind, *args, **options):
    """A field that may be left out, and emptied by null."""
    return kind(*args, required=False, allow_null=True, **options)


class _EmptyIsNull:
    """Forms send "" for a field that was left empty: where null is allowed, it means null."""

    def run_validation(self, data=empty):
        return super().run_validation(None if data == "" and self.allow_null else data)


class Question(serializers.Serializer):
    """A body that asks for rows. Names that mean nothing are refused: a filter under a wrong one shows everything."""

    MOST_TOLD, LONGEST_TOLD = 20, 64

    def to_internal_value(self, data):
        unknown = data.keys() - self.fields.keys() if isinstance(data, dict) else ()
        if unknown:
            told = sorted(map(str, unknown))[: self.MOST_TOLD]
            raise serializers.ValidationError({name[: self.LONGEST_TOLD]: one_of(self.fields) for name in told})
        return super().to_internal_value(data)


class NoticeSerializer(serializers.Serializer):
    """Something that speaks against what a field says, and refuses nothing; see config.api.labels.notice."""

    code = serializers.CharField()
    field = serializers.CharField()
    message = serializers.CharField(help_text="In the language of the request")
    messageAr = serializers.CharField(help_text="In Arabic")


class TextField(serializers.CharField):
    """Text in NFC without control characters. `name_like` texts also refuse bidi overrides; empty means no value."""

    def __init__(self, *, name_like=False, multiline=False, **options):
        self.name_like, self.multiline = name_like, multiline
        options.setdefault("allow_blank", not options.get("required", True) or options.get("allow_null", False))
        super().__init__(**options)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            text = clean_text(data, multiline=self.multiline, refuse_bidi=self.name_like)
        except DjangoValidationError as error:
            _as_field_error(error)
        if text and not self.allow_blank and is_invisible(text):
            self.fail("blank")
        return super().to_internal_value(text)


class NumberText(TextField):
    """The number of a document as its register writes it, its digits in ASCII; empty means no value."""

    def __init__(self, **options):
        super().__init__(max_length=50, name_like=True, required=False, allow_null=True, **options)

    def to_internal_value(self, data):
        return ascii_digits(super().to_internal_value(data))


class TextListField(serializers.ListField):
    """A list of short texts without repeats."""

    def __init__(self, *, max_items=50, text_length=255, **options):
        super().__init__(child=TextField(max_length=text_length, name_like=True), max_length=max_items, **options)

    def to_internal_value(self, data):
        return list(dict.fromkeys(super().to_internal_value(data)))


class NoteField(TextField):
    """Free text beside a change; left out, null and empty are the same."""

    def __init__(self, **options):
        options = {"max_length": 20_000, "multiline": True, **options}
        super().__init__(required=False, allow_null=True, default="", **options)

    def validate_empty_values(self, data):
        return super().validate_empty_values("" if data is None else data)


class EmailField(serializers.EmailField):
    """An e-mail address without what can make it read differently from what it says."""

    def to_internal_value(self, data):
        try:
            return super().to_internal_value(clean_text(str(data), refuse_bidi=True))
        except DjangoValidationError as error:
            _as_field_error(error)


class WebLinkField(TextField):
    """The address of something on the web: http or https, nothing that a browser would run or mail."""

    default_error_messages = {"link": _("Must be an address that begins with http:// or https://")}
    _is_link = URLValidator(schemes=["http", "https"])

    def __init__(self, **options):
        super().__init__(name_like=True, **options)

    def to_internal_value(self, data):
        link = super().to_internal_value(data)
        try:
            self._is_link(link)
        except DjangoValidationError:
            self.fail("link")
        return link


class PhoneField(serializers.CharField):
    """A phone number in any spelling, stored as E.164."""

    def __init__(self, *, mobile_only=False, **options):
        self.mobile_only = mobile_only
        options.setdefault("allow_blank", options.get("allow_null", False))
        super().__init__(**options)

    def to_internal_value(self, data):
        if not isinstance(data, (str, int)) or isinstance(data, bool):
            self.fail("invalid")
        if data == "" and self.allow_blank:
            return ""
        try:
            return phone_e164(str(data), mobile_only=self.mobile_only)
        except DjangoValidationError as error:
            _as_field_error(error)


class AmountField(_EmptyIsNull, serializers.DecimalField):
    """A number that is not negative, as a JSON number; texts with Arabic digits are read too."""

    def __init__(self, *, positive=False, **options):
        self.positive = positive
        super().__init__(coerce_to_string=False, **options)

    def to_internal_value(self, data):
        if isinstance(data, bool):
            self.fail("invalid")
        if isinstance(data, str):
            try:
                data = parse_decimal(data)
            except DjangoValidationError as error:
                _as_field_error(error)
        value = super().to_internal_value(data)
        if value < 0 or self.positive and value == 0:
            message = _("Must be greater than 0") if self.positive else _("Must not be negative")
            raise serializers.ValidationError(message)
        return value


class MoneyField(AmountField):
    """An amount of at most 13 digits before the point."""

    def __init__(self, **options):
        super().__init__(max_digits=15, decimal_places=2, **options)


class PercentField(AmountField):
    """A share of a hundred."""

    def __init__(self, *, maximum=100, decimal_places=3, **options):
        digits = {"max_digits": decimal_places + 3, "decimal_places": decimal_places}
        super().__init__(max_value=Decimal(maximum), **digits, **options)


class DayField(_EmptyIsNull, serializers.DateField):
    """A calendar day: ISO, or Hijri with a year from 1343 to 1500. A date-time gives its day in Riyadh."""

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid", format="YYYY-MM-DD")
        try:
            if "T" in data:
                zone = get_default_timezone()
                return read_moment(data, zone)[0].astimezone(zone).date()
            return parse_date(data)
        except DjangoValidationError as error:
            _as_field_error(error)
        except OverflowError:
            self.fail("invalid", format="YYYY-MM-DD")


class StampedDay(DayField):
    """A day that leaves as its midnight in UTC, where the client's types hold date-times."""


class MomentField(_EmptyIsNull, serializers.DateTimeField):
    """A moment: ISO 8601, in the organization's zone without an offset. A day alone means `time_of_day` of it."""

    # Slips of the finger, and what no zone or sum of days could hold any more, lie beyond.
    FIRST_YEAR, LAST_YEAR = 1900, 2200

    def __init__(self, *, time_of_day, **options):
        self.time_of_day = time_of_day
        super().__init__(**options)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        zone = zone_of(self.context["request"].user.organization)
        moment, is_day = read_moment(data, zone)
        if not self.FIRST_YEAR <= moment.year <= self.LAST_YEAR:
            years = {"minimum": self.FIRST_YEAR, "maximum": self.LAST_YEAR}
            raise serializers.ValidationError(_("Must lie in the years from %(minimum)s to %(maximum)s") % years)
        return datetime.combine(moment.date(), self.time_of_day, zone) if is_day else moment


class LocalDayField(MomentField):
    """A calendar day in the organization's zone; a date-time gives its day there."""

    def __init__(self, **options):
        super().__init__(time_of_day=time.min, **options)

    def to_internal_value(self, data):
        return super().to_internal_value(data).astimezone(zone_of(self.context["request"].user.organization)).date()


class ClockField(_EmptyIsNull, serializers.CharField):
    """A time of day as clocks show it: `HH:MM`, seconds too, digits of any script."""

    default_error_messages = {"clock": _("Must be a time of day such as 09:30")}

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("clock")
        text = ascii_digits(data).strip()
        if not _CLOCK(text):
            self.fail("clock")
        hour, _colon, rest = text.partition(":")
        return time.fromisoformat(f"{hour:>02}:{rest}")


class EmployeeIdField(_EmptyIsNull, serializers.CharField):
    """The id of an employee among the fields of a form: null and "", which forms send, mean nobody."""

    def __init__(self, **options):
        super().__init__(max_length=50, allow_null=True, **options)


class IdsField(serializers.ListField):
    """The ids of a bulk call: repeats collapse, and there are at most as many as the caller's role may name."""

    child = serializers.CharField(max_length=1000)

    def __init__(self, **options):
        super().__init__(allow_empty=False, **options)

    def to_internal_value(self, data):
        ids = list(dict.fromkeys(super().to_internal_value(data)))
        limit = self.context["request"].user.bulk_limit
        if len(ids) > limit:
            raise serializers.ValidationError(_("At most %(count)d ids are allowed") % {"count": limit})
        return ids


class WordField(_EmptyIsNull, serializers.ChoiceField):
    """One word of an enum; the error names the allowed ones."""

    def to_internal_value(self, data):
        if isinstance(data, str) and (data in self.choices or data == "" and self.allow_blank):
            return data
        raise serializers.ValidationError(one_of(list(self.choices)))


class WholeNumberField(_EmptyIsNull, serializers.IntegerField):
    """A whole number; texts with Arabic digits are read too, booleans are not."""

    def to_internal_value(self, data):
        if isinstance(data, bool) or isinstance(data, float) and data != int(data):
            self.fail("invalid")
        if isinstance(data, str):
            try:
                data = str(parse_decimal(data))
            except DjangoValidationError as error:
                _as_field_error(error)
        return super().to_internal_value(data)


class CoordinateField(_EmptyIsNull, serializers.DecimalField):
    """Degrees with eight decimals, as a JSON number."""

    def __init__(self, *, limit, **options):
        super().__init__(
            max_digits=11,
            decimal_places=8,
            min_value=Decimal(-limit),
            max_value=Decimal(limit),
            coerce_to_string=False,
            **options,
        )

    def validate_precision(self, value):
        if abs(value) < 1000:  # longer numbers cannot be rounded, and are refused below
            value = round(value, self.decimal_places)
        return super().validate_precision(value)
