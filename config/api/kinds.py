"""What the fields of the query language hold: how a value is read, and which rows an operator finds.

Values are read as bodies and lists read them, and are then what is compared: texts folded,
phones in E.164, moments as spans. None stands for no value, which an empty text is too.
"""

from decimal import Decimal
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.fields import ArrayField
from django.db.models import DecimalField, Func, IntegerField, Q, TextField, Value
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api import serializers
from config.api.filters import WrittenOut, read_number, read_span
from config.arabic import fold, fold_sql, fold_text
from config.clock import zone_of
from config.numbers import phone_part, phone_prefix

EQUALITY = ("eq", "ne", "in", "nin")
ORDER = ("gt", "gte", "lt", "lte")
PARTS = ("contains", "startsWith")
LISTS = ("in", "nin")
MAX_CHARACTERS = 255
# A trigram index finds nothing shorter.
MIN_INDEXED = 3

TEXT = serializers.TextField(max_length=MAX_CHARACTERS)
_PHONE, _DAY = serializers.PhoneField(), serializers.DayField()


def where(column, lookup, value):
    """The condition that a column, by its name or as an expression, stands so to a value."""
    if isinstance(column, str):
        return Q(**{f"{column}__{lookup}": value})
    return Q(column.get_lookup(lookup)(column, value))


# --- Columns that are not plain ones ---------------------------------------------------------


class Folded(Func):
    """A text as `fold_text` folds it."""

    template, output_field = fold_sql("%(expressions)s"), TextField()


class KeyText(Func):
    """The text of a key of a JSON document, "" without one."""

    template, output_field = "coalesce(%(expressions)s ->> '%(key)s', '')", TextField()


class KeyNumber(Func):
    """The number of a key of a JSON document; whatever else stands there is no value."""

    template = (
        "CASE WHEN jsonb_typeof(%(expressions)s -> '%(key)s') = 'number' "
        "THEN (%(expressions)s ->> '%(key)s')::numeric END"
    )
    output_field = DecimalField()


class FoldedWords(Func):
    """The words of an array, folded."""

    template = f"ARRAY(SELECT {fold_sql('word')} FROM unnest(%(expressions)s) AS word)"
    output_field = ArrayField(TextField())


class FoldedKeyWords(FoldedWords):
    """The words of an array in a JSON document, folded; whatever else stands there holds none."""

    template = (
        f"ARRAY(SELECT {fold_sql('word')} FROM jsonb_array_elements_text("
        "CASE WHEN jsonb_typeof(%(expressions)s -> '%(key)s') = 'array' THEN %(expressions)s -> '%(key)s' "
        "ELSE '[]' END) AS word WHERE word IS NOT NULL)"
    )


# --- Kinds -----------------------------------------------------------------------------------


class Kind:
    """A field whose values are equal or not. Callers without its `permission` do not know it.

    `column` is the name of a column or an expression; `label` is what the reference calls its values.
    """

    operators = EQUALITY
    label = "id"
    # What stands in the column where there is no value.
    nothing = None

    def __init__(self, column, *, permission=None):
        self.column = column
        self.permission = permission

    def read(self, value, operator, caller):
        """A JSON value as what is compared, None for no value; ValidationError (400) when it is none of this kind."""
        return TEXT.run_validation(value)

    def condition(self, operator, values):
        """That a row is found. What is not equal to something may have no value at all."""
        if operator not in EQUALITY:
            return self.compared(operator, values[0])
        known = [value for value in values if value is not None]
        equal = [self.any_of(known)] if known else []
        nothing = [self.without()] if None in values else []
        if operator in ("eq", "in"):
            return reduce(or_, equal + nothing)
        unequal = [~condition for condition in equal]
        return reduce(and_, unequal + [~nothing[0]]) if nothing else unequal[0] | self.without()

    def without(self):
        """That a row has no value."""
        if self.nothing is None:
            return where(self.column, "isnull", True)
        return where(self.column, "exact", self.nothing)

    def any_of(self, values):
        """That a row has one of these values."""
        return where(self.column, "in", values)

    def compared(self, operator, value):
        """What any operator but those of equality finds."""
        return where(self.column, operator.lower(), value)


class Word(Kind):
    """One word of an enum, as a field of bodies reads it."""

    nothing = ""

    def __init__(self, column, field, **options):
        super().__init__(column, **options)
        self.field = field
        self.label = "one of " + ", ".join(field.choices)

    def read(self, value, operator, caller):
        return self.field.run_validation(value)


class Text(Kind):
    """A text, compared as it is folded: by its own column where there is one, else as PostgreSQL folds it.

    `indexed` names a column with a trigram index which contains all that this one does.
    """

    operators = (*EQUALITY, *PARTS)
    label = "text"
    nothing = ""
    folding = staticmethod(fold_text)

    def __init__(self, column, *, folded=None, indexed=None, **options):
        super().__init__(column, **options)
        self.folded = folded or self.fold_column(column)
        self.indexed = indexed

    def fold_column(self, column):
        return Folded(column)

    def read(self, value, operator, caller):
        folded = self.folding(TEXT.run_validation(value))
        if not folded:
            TEXT.fail("blank")
        return folded

    def any_of(self, values):
        return where(self.folded, "in", values)

    def compared(self, operator, value):
        return where(self.folded, operator.lower(), value) & self.near(value)

    def near(self, text):
        """What the index can say of rows that hold a text."""
        return where(self.indexed, "contains", text) if self.indexed and len(text) >= MIN_INDEXED else Q()


class Name(Text):
    """A person's name, whose usual spellings are one."""

    label = "name"
    folding = staticmethod(fold)


class Email(Text):
    """An e-mail address, in which nothing but case is folded."""

    label = "e-mail"
    folding = staticmethod(str.lower)

    def fold_column(self, column):
        return Func(column, function="lower", output_field=TextField())

    def any_of(self, values):
        hints = [self.near(value) for value in values]
        return super().any_of(values) & (reduce(or_, hints) if all(hints) else Q())


class Phone(Text):
    """A phone number in any spelling, or the beginning of one; `contains` goes by digits alone."""

    label = "phone"

    def fold_column(self, column):
        return column

    def read(self, value, operator, caller):
        if operator in EQUALITY:
            return _PHONE.run_validation(value)
        text = TEXT.run_validation(value)
        part = phone_prefix(text) if operator == "startsWith" else phone_part(text)
        if part is None:
            raise ValidationError(_("Must be a part of a phone number"))
        return part


class Number(Kind):
    """A number, or a text of digits of any script."""

    operators = (*EQUALITY, *ORDER)
    label = "number"

    def read(self, value, operator, caller):
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValidationError(_("Must be a number"))
        number = read_number(value) if isinstance(value, str) else Decimal(str(value))
        return number.normalize()

    def any_of(self, values):
        return super().any_of([WrittenOut(value) for value in values])

    def compared(self, operator, value):
        return super().compared(operator, WrittenOut(value))


class Moment(Kind):
    """A moment. A date alone is that whole day in the organization's zone."""

    operators = (*EQUALITY, *ORDER)
    label = "date or date-time"

    def read(self, value, operator, caller):
        if not isinstance(value, str):
            TEXT.fail("invalid")
        return read_span(value[: MAX_CHARACTERS + 1], zone_of(caller.organization))

    def any_of(self, values):
        return reduce(or_, [self.compared("gte", span) & self.compared("lte", span) for span in values])

    def compared(self, operator, value):
        bound = value.start if operator in ("gte", "lt") else value.after
        return where(self.column, "gte" if operator in ("gt", "gte") else "lt", WrittenOut(bound))


class Day(Kind):
    """A calendar day."""

    operators = (*EQUALITY, *ORDER)
    label = "date"

    def read(self, value, operator, caller):
        return _DAY.run_validation(value)


class Words(Kind):
    """A list of texts: equal to a text is a list that holds it; `contains` looks inside its texts."""

    operators = (*EQUALITY, "contains")
    label = "list of texts"
    key = staticmethod(fold_text)

    def read(self, value, operator, caller):
        text = TEXT.run_validation(value)
        folded = fold_text(text)
        if not folded:
            TEXT.fail("blank")
        return self.key(text) if operator in EQUALITY else folded

    def without(self):
        return where(Func(self.column, function="cardinality", output_field=IntegerField()), "exact", 0)

    def any_of(self, values):
        return where(self.column, "overlap", values)

    def compared(self, operator, value):
        # A folded text has no line break in it, so none is found across two of them.
        joined = Func(self.column, Value("\n"), function="array_to_string", output_field=TextField())
        return where(joined, "contains", value)
