"""What the API's values of a customer are as columns: merged, cleared, and with the columns that follow from them."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from customers.choices import CHANNELS
from customers.models import Customer
from customers.models.customer import empty_preferences
from customers.search import derived_columns

MAX_TAGS, MAX_FACTS, MAX_FACT_CHARACTERS = 50, 30, 5000
_SEARCHED = {"name", "name_en", "city", "district", "tags", "preferences"}
_NULLABLE = {field.name for field in Customer._meta.fields if field.null} | {"assigned_employee_id"}


def columns_of(values, customer):
    """API values as columns of this customer: merged, cleared, and with the columns that follow from them."""
    values = dict(values)
    if "source" in values and values["source"] in CHANNELS:
        channel = values["source"]
        values["source"] = CHANNELS[channel].value
        values["source_details"] = {**(values.get("source_details") or {}), "channel": channel}
    elif values.get("source", customer.source) != customer.source and "channel" in customer.source_details:
        values["source_details"] = {"channel": None, **(values.get("source_details") or {})}
    if "preferences" in values:
        values["preferences"] = merged_preferences(customer.preferences, values["preferences"])
    if "source_details" in values:
        values["source_details"] = merged(customer.source_details, values["source_details"], field="sourceDetails")
    if values.get("tags", "") is None:
        values["tags"] = []
    for name, value in values.items():
        if value is None and name not in _NULLABLE:
            values[name] = ""
    if _SEARCHED & values.keys():
        values |= derived(customer, values)
    return values


def derived(customer, values):
    return derived_columns(**{name: values.get(name, getattr(customer, name)) for name in _SEARCHED})


def merged_preferences(known, news):
    """Preferences after an update. Raises ValidationError (422) when a minimum exceeds its maximum."""
    preferences = empty_preferences() | _merged(known, news)
    for lower, upper in (("budgetMin", "budgetMax"), ("minArea", "maxArea")):
        if lower in preferences and upper in preferences and preferences[lower] > preferences[upper]:
            raise ValidationError({f"preferences.{upper}": _("Must not be less than %(other)s") % {"other": lower}})
    return preferences


def merged(known, news, *, field):
    """A free document after an update: null forgets a key. Raises ValidationError (422) when it grows too large."""
    document = _merged(known, news)
    if len(document) > MAX_FACTS:
        raise ValidationError({field: _("At most %(count)d values are allowed") % {"count": MAX_FACTS}})
    if len(str(document)) > MAX_FACT_CHARACTERS:
        raise ValidationError({field: _("Too large")})
    return document


def _merged(known, news):
    if news is None:
        return {}
    document = dict(known)
    for name, value in news.items():
        if isinstance(value, dict):
            before = known.get(name)
            document[name] = _merged(before if isinstance(before, dict) else {}, value)
        else:
            document[name] = _plain(value)
    return {name: value for name, value in document.items() if value is not None}


def _plain(value):
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value
