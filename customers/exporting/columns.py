"""The columns of exported files: what they are called, and what a row says in them.

Columns that an import knows are called and written as it reads them, so that a file that went out comes in again.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from django.db.models import F
from django.db.models.expressions import RawSQL
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from config.clock import current_minute, zone_of
from config.places import REGIONS
from customers.choices import (
    AMENITIES,
    PROPERTY_TYPES,
    Furnishing,
    Gender,
    ListingPurpose,
    ListingStatus,
    Priority,
    Purpose,
    Source,
    Stage,
    Timeline,
    Transferred,
)
from customers.followups import next_follow_up_sql
from customers.importing.listing_words import AMENITY_WORDS, LISTING_HEADERS
from customers.importing.tables import list_text
from customers.importing.words import CUSTOMER_HEADERS, TYPES, labels_by_column
from customers.querying import AMOUNT_PAID

# What only leaves: no importer knows these names.
_CUSTOMER_FACTS = """
    id: Customer ID | معرف العميل
    leadScore: Lead score | درجة العميل
    assigneeName: Employee name | اسم الموظف
    preferredAreas: Preferred areas | الأحياء المفضلة
    expectedRevenue: Expected revenue | الإيراد المتوقع
    paidAmount: Amount paid | المبلغ المدفوع
    region: Region | المنطقة الإدارية
    doNotContact: Must not be contacted | عدم التواصل
    lastContactAt: Last contact | آخر تواصل
    nextFollowUpDate: Next follow-up | المتابعة القادمة
    updatedAt: Updated | آخر تحديث
"""
_LISTING_FACTS = """
    region: Region | المنطقة الإدارية
    updatedAt: Updated | آخر تحديث
"""
_WIDTHS = {
    **dict.fromkeys(("name", "title", "email", "address", "assigned_employee_id"), 28),
    **dict.fromkeys(("notes", "description"), 40),
}
_NARROW, _WIDE = {"bedrooms", "bathrooms", "family_size", "leadScore", "gender", "floor", "total_floors"}, 18


class Column(NamedTuple):
    """One column: what it is called, how wide it is, and what it says of a row, read as a dict."""

    label: str
    width: int
    value: Callable


class Shape(NamedTuple):
    """What is read of each row, as names or expressions for `values`, and the columns that show it, by name."""

    title: str
    fields: list
    expressions: dict
    columns: dict


def shape_of(what, actor):
    """The Shape of exported customers or listings, in the active language, as the actor may see them."""
    return {Transferred.CUSTOMERS: _customers, Transferred.LISTINGS: _listings}[what](actor)


def _customers(actor):
    moment = partial(_moment, zone=zone_of(actor.organization))
    types = PROPERTY_TYPES if get_language() == "ar" else {}
    values = {
        "id": itemgetter("id"),
        **dict.fromkeys(("name", "name_en", "phone", "whatsapp", "email")),
        "national_id": itemgetter("national_id") if actor.may("customers.pii") else _masked,
        "nationality": None,
        "gender": _word("gender", Gender),
        **dict.fromkeys(("date_of_birth", "occupation", "family_size", "customer_type")),
        "source": _word("source", Source),
        "stage": _word("stage", Stage),
        "priority": _word("priority", Priority),
        "leadScore": itemgetter("lead_score"),
        "tags": lambda row: list_text(row["tags"], {}, {}),
        "assigned_employee_id": itemgetter("assignee_email"),
        "assigneeName": itemgetter("assignee_name"),
        "propertyType": lambda row: list_text(row["preferences"].get("propertyType", ()), TYPES, types),
        "preferredAreas": lambda row: list_text(row["preferences"].get("preferredAreas", ()), {}, {}),
        **{name: _wanted(name) for name in ("budgetMin", "budgetMax", "bedrooms", "bathrooms")},
        "purpose": _wanted("purpose", Purpose),
        "timeline": _wanted("timeline", Timeline),
        "total_deal_value": _amount("total_deal_value"),
        "expectedRevenue": _amount("expected_revenue"),
        "paidAmount": _amount("amount_paid"),
        **dict.fromkeys(("city", "district")),
        "region": _region,
        **dict.fromkeys(("address", "notes")),
        "doNotContact": lambda row: _("Yes") if row["do_not_contact"] else "",
        "lastContactAt": lambda row: moment(row["last_contact_at"]),
        "nextFollowUpDate": itemgetter("next_follow_up"),
        "created_at": lambda row: moment(row["created_at"]),
        "updatedAt": lambda row: moment(row["updated_at"]),
    }
    fields = [
        "id", "name", "name_en", "phone", "whatsapp", "email", "national_id", "nationality", "gender", "date_of_birth",
        "occupation", "family_size", "customer_type", "source", "stage", "priority", "lead_score", "tags",
        "preferences", "total_deal_value", "expected_revenue", "city", "district", "region", "address",
        "notes", "do_not_contact", "last_contact_at", "created_at", "updated_at",
    ]  # fmt: skip
    expressions = {
        "assignee_name": F("assigned_employee__name"),
        "assignee_email": F("assigned_employee__email"),
        "amount_paid": AMOUNT_PAID,
        "next_follow_up": RawSQL(
            f"(SELECT {next_follow_up_sql('customers')} FROM (SELECT %s::timestamptz AS minute) AS moment)",
            [current_minute()],
        ),
    }
    return Shape(_("Customers"), fields, expressions, _columns(values, CUSTOMER_HEADERS, _CUSTOMER_FACTS))


def _listings(actor):
    moment = partial(_moment, zone=zone_of(actor.organization))
    arabic = get_language() == "ar"
    types, amenities = (PROPERTY_TYPES, AMENITIES) if arabic else ({}, {})
    values = {
        **dict.fromkeys(("id", "reference", "title", "title_en")),
        "type": lambda row: types.get(row["type"], row["type"]),
        "purpose": _word("purpose", ListingPurpose),
        "status": _word("status", ListingStatus),
        "price": _amount("price"),
        **dict.fromkeys(("city", "district")),
        "region": _region,
        "latitude": _amount("latitude"),
        "longitude": _amount("longitude"),
        **dict.fromkeys(("bedrooms", "bathrooms")),
        "area": _amount("area"),
        **dict.fromkeys(("floor", "total_floors")),
        "furnishing": _word("furnishing", Furnishing),
        "amenities": lambda row: list_text(row["amenities"], AMENITY_WORDS, amenities),
        **dict.fromkeys(("description", "image_url", "ad_license_number", "ad_license_expiry")),
        "created_at": lambda row: moment(row["created_at"]),
        "updatedAt": lambda row: moment(row["updated_at"]),
    }
    fields = [name for name in values if name != "updatedAt"] + ["updated_at"]
    return Shape(_("Listings"), fields, {}, _columns(values, LISTING_HEADERS, _LISTING_FACTS))


def _columns(values, *tables):
    """The columns by name; a value of None is that of the field of the same name."""
    labels = {}
    for table in tables:
        labels |= labels_by_column(table, get_language())
    return {
        name: Column(labels[name], _WIDTHS.get(name, 10 if name in _NARROW else _WIDE), value or itemgetter(name))
        for name, value in values.items()
    }


# --- What a row says --------------------------------------------------------------------------


def _word(field, choices):
    """The label of a word, in the active language."""
    labels = {word: str(label) for word, label in choices.choices}
    return lambda row: labels.get(row[field], row[field])


def _wanted(key, choices=None):
    """One of the preferences."""
    labels = {word: str(label) for word, label in choices.choices} if choices else {}

    def value(row):
        wanted = row["preferences"].get(key)
        return labels.get(wanted, wanted)

    return value


def _amount(field):
    def value(row):
        amount = row[field]
        return amount if amount is None else _plain(amount)

    return value


def _plain(amount):
    """A Decimal without zeros that say nothing, and without an exponent."""
    return int(amount) if amount == amount.to_integral_value() else Decimal(f"{amount:f}".rstrip("0"))


def _region(row):
    region = REGIONS.get(row["region"])
    if region is None:
        return ""
    return region.name if get_language() == "ar" else region.name_en


def _masked(row):
    number = row["national_id"]
    return "*" * max(len(number) - 4, 0) + number[-4:]


def _moment(moment, *, zone):
    return moment and moment.astimezone(zone)
