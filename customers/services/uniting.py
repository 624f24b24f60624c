"""What two customers have together, column by column, when one goes into the other."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from customers.services.columns import MAX_TAGS, derived

PLACE = ("city", "district", "address", "latitude", "longitude")
STAGE = ("stage", "stage_entered_at", "closed_at", "furthest_stage_rank")
CONTACTS = ("last_contact_at", "last_contact_type", "response_rate", "avg_response_time")
TOTALS = ("total_interactions", "total_appointments", "total_property_views")
# Of which the survivor's stands, and the other's where the survivor has none.
_PLAIN = (
    "name", "name_en", "phone", "whatsapp", "email", "national_id", "nationality", "gender", "date_of_birth",
    "occupation", "family_size", "customer_type", "source", "priority", "notes", "assigned_employee_id",
    "total_deal_value", "expected_revenue", "paid_amount", "next_follow_up_date", "response_rate",
    "avg_response_time",
)  # fmt: skip
# A minimum of one and a maximum of the other may contradict each other.
_BOUNDS = ({"budgetMin", "budgetMax"}, {"minArea", "maxArea"})


def united(survivor, other, takes):
    """The columns of `survivor` once `other` has gone into it; `takes` are those that become the other's.

    `takes` may hold `survivor`'s columns as well, mapped to False: then nothing fills them. Raises
    ValidationError (422) where lists grow too long: somebody has to choose.
    """
    values = {name: _filled(getattr(survivor, name), getattr(other, name)) for name in _PLAIN}
    values |= _united_place(survivor, other)
    values["source_details"] = survivor.source_details
    if survivor.source == other.source:
        values["source_details"] = _filled(survivor.source_details, other.source_details)
    # Whoever did not want to be called under one name does not want it under the other.
    values["do_not_contact"] = survivor.do_not_contact or other.do_not_contact
    for name, both in (("tags", _union), ("preferences", _united_preferences)):
        if name not in takes:
            values[name] = both(getattr(survivor, name), getattr(other, name), name)
    # A person is new once: when the brokerage first met them. What went on since then has not gone on before.
    values["created_at"] = min(survivor.created_at, other.created_at)
    latest = max(survivor, other, key=lambda row: (row.last_contact_at is not None, row.last_contact_at))
    values |= {name: getattr(latest, name) for name in ("last_contact_at", "last_contact_type")}
    for name, is_taken in takes.items():
        for column in STAGE if name == "stage" else (name,):
            values[column] = getattr(other if is_taken else survivor, column)
    if takes.get("source") and "source_details" not in takes:
        values["source_details"] = other.source_details
    return values | derived(survivor, values)


def _is_empty(value):
    return value in (None, "", [], {})


def _filled(mine, theirs):
    return theirs if _is_empty(mine) else mine


def _united_place(survivor, other):
    """The survivor's place, with what is missing of it where both are in the same city, or the other's whole place."""
    knows_none = all(_is_empty(getattr(survivor, name)) for name in PLACE)
    is_same = bool(survivor.city_key) and survivor.city_key == other.city_key
    place = {name: getattr(survivor, name) for name in PLACE}
    if knows_none or is_same:
        place |= {name: _filled(place[name], getattr(other, name)) for name in PLACE}
    if survivor.latitude is not None or survivor.longitude is not None:
        place |= {"latitude": survivor.latitude, "longitude": survivor.longitude}
    return place


def _union(mine, theirs, field):
    both = list(dict.fromkeys([*mine, *theirs]))
    if len(both) > max(MAX_TAGS, len(mine)):
        raise ValidationError({f"fields.{field}": _("At most %(count)d values are allowed") % {"count": MAX_TAGS}})
    return both


def _united_preferences(mine, theirs, field):
    known = set().union(*(bounds for bounds in _BOUNDS if bounds & mine.keys()))
    theirs = {name: value for name, value in theirs.items() if name not in known}
    lists = {name: _union(mine[name], theirs[name], field) for name in mine.keys() & theirs.keys()
             if isinstance(mine[name], list) and isinstance(theirs[name], list)}  # fmt: skip
    return {**theirs, **mine, **lists}
