"""The columns of customer spreadsheets: how a cell is read, and how a row becomes a customer.

Whatever a cell says in Arabic or English ends as the value that the API would store
for it: cells are read by the API's own fields, or by shortcuts that agree with them.
"""

import re
from functools import cache, lru_cache

import orjson
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _

from config.clock import zone_of
from config.db import new_id
from config.numbers import national_id, phone_e164
from customers.choices import CHANNELS
from customers.importing.copying import NULL, array_text, copied_value
from customers.importing.rows import Problem, Row
from customers.importing.tables import (
    REMEMBERED_CELLS,
    Table,
    list_reader,
    moment_reader,
    text_reader,
    word_reader,
)
from customers.importing.words import (
    CUSTOMER_HEADERS,
    GENDERS,
    PRIORITIES,
    PURPOSES,
    SOURCES,
    STAGES,
    TIMELINES,
    TYPES,
    columns_by_key,
)
from customers.search import derived_columns
from customers.serializers.customer import CustomerInput, PreferencesInput
from customers.services.columns import merged_preferences
from customers.stages import having_been

# --- How cells are read -----------------------------------------------------------------------

_CUSTOMER = CustomerInput().fields
_PREFERENCES = PreferencesInput().fields
_PLAIN_EMAIL = re.compile(
    r"[0-9A-Za-z_+\-]+(?:\.[0-9A-Za-z_+\-]+)*@(?:[0-9A-Za-z](?:[0-9A-Za-z\-]{0,61}[0-9A-Za-z])?\.)+[A-Za-z]{2,20}"
).fullmatch


def _email(text):
    return text if len(text) <= 64 and _PLAIN_EMAIL(text) else _CUSTOMER["email"].run_validation(text)


def _assignee(employees, stranger):
    def read(text):
        try:
            return employees[text.lower() if "@" in text else text]
        except KeyError:
            raise DjangoValidationError(stranger) from None

    return read


def _readers(zone, employees, stranger):
    """How the cells of each column are read in this organization."""
    customer, wanted = _CUSTOMER, _PREFERENCES
    return {
        "name": text_reader(customer["name"]),
        "name_en": text_reader(customer["nameEn"]),
        "phone": phone_e164,
        "whatsapp": lambda text: phone_e164(text, mobile_only=True),
        "email": _email,
        "national_id": customer["nationalId"].run_validation,
        "nationality": text_reader(customer["nationality"]),
        "gender": word_reader(customer["gender"], GENDERS),
        "date_of_birth": customer["dateOfBirth"].run_validation,
        "occupation": text_reader(customer["occupation"]),
        "family_size": customer["familySize"].run_validation,
        "customer_type": text_reader(customer["customerType"]),
        "source": word_reader(customer["source"], SOURCES),
        "stage": word_reader(customer["stage"], STAGES),
        "priority": word_reader(customer["priority"], PRIORITIES),
        "tags": list_reader(customer["tags"], {}),
        "notes": text_reader(customer["notes"]),
        "assigned_employee_id": _assignee(employees, stranger),
        "total_deal_value": customer["totalDealValue"].run_validation,
        "city": text_reader(customer["city"]),
        "district": text_reader(customer["district"]),
        "address": text_reader(customer["address"]),
        "created_at": moment_reader(zone),
        "propertyType": list_reader(wanted["propertyType"], TYPES),
        "budgetMin": wanted["budgetMin"].run_validation,
        "budgetMax": wanted["budgetMax"].run_validation,
        "bedrooms": wanted["bedrooms"].run_validation,
        "bathrooms": wanted["bathrooms"].run_validation,
        "purpose": word_reader(wanted["purpose"], PURPOSES),
        "timeline": word_reader(wanted["timeline"], TIMELINES),
    }


# Columns that are keys of `preferences`.
_WANTED = {"propertyType", "budgetMin", "budgetMax", "bedrooms", "bathrooms", "purpose", "timeline"}
# Columns whose cells hardly repeat: remembering them would only fill memory.
_SINGULAR = {"phone", "whatsapp", "email", "national_id"}


# --- Rows -------------------------------------------------------------------------------------


class SheetRows(Table):
    """How the rows of one sheet become customers of one organization.

    `employees` are `{id or e-mail: id}` of those who can be assigned, `stranger` is said of all others. Raises
    UnknownTable.
    """

    def __init__(self, headers, *, organization, employees, stranger, now, mapping=None):
        readers = _readers(zone_of(organization), employees, stranger)
        super().__init__(headers, columns_by_key(CUSTOMER_HEADERS), readers, singular=_SINGULAR, mapping=mapping)
        self.require(name=_("name"), phone=_("phone"))
        self.organization_id, self.now = organization.pk, now
        self.now_text = now.isoformat()
        self.columns = COPIED
        self.preferences_and_facets = lru_cache(REMEMBERED_CELLS)(self._preferences_and_facets)
        self.preferences = [name for name in self.headers if name in _WANTED]

    def row(self, number, cells):
        """The loader's Row of one line. Raises Problem."""
        values = self.read(cells)
        return Row(number, values, self.copied(values))

    def read(self, cells):
        """The values of a row by column name, only what it says. Raises Problem."""
        cells = self.fitted(cells)
        values, problems = self.read_cells(cells)
        if "name" not in values:
            problems.append((self.headers["name"], "", _("Name is required")))
        if "phone" not in values:
            problems.append((self.headers["phone"], "", _("Phone number is required")))
        if "budgetMin" in values and "budgetMax" in values and not problems:
            if values["budgetMin"] > values["budgetMax"]:
                reason = _("Must not be less than %(other)s") % {"other": self.headers["budgetMin"]}
                problems.append((self.headers["budgetMax"], self.cell(cells, "budgetMax"), reason))
        if "national_id" in values and not problems:
            try:
                values["national_id"] = national_id(values["national_id"], nationality=values.get("nationality"))
            except DjangoValidationError as error:
                cell = self.cell(cells, "national_id")
                problems += [(self.headers["national_id"], cell, message) for message in error.messages]
        if problems:
            raise Problem(problems)
        return values

    def api_values(self, values):
        """The same as the API's validated values, for an update."""
        wanted = {name: _listed(values[name]) for name in self.preferences if name in values}
        rest = {name: _listed(value) for name, value in values.items() if name not in wanted and name != "created_at"}
        return rest | ({"preferences": wanted} if wanted else {})

    def copied(self, values):
        """What COPY writes of a new customer, in the order of COPIED."""
        get = values.get
        name, name_en, city = values["name"], get("name_en", ""), get("city", "")
        tags = get("tags", ())
        preferences, facets = self.preferences_and_facets(tags, *[get(name) for name in self.preferences])
        source, details = get("source", "import"), "{}"
        if source in CHANNELS:
            source, details = _source_and_details(source)
        return (
            new_id("cust"), self.organization_id, name, name_en, values["phone"], get("whatsapp", ""),
            get("email", ""), get("national_id", ""), get("nationality", ""), get("gender", ""),
            copied_value(get("date_of_birth")), get("occupation", ""), copied_value(get("family_size")),
            get("customer_type", ""), source, details, get("stage", "new_lead"), get("priority", "medium"),
            preferences, array_text(tags), get("notes", ""), get("assigned_employee_id", NULL),
            copied_value(get("total_deal_value")), city, get("district", ""), get("address", ""),
            *_folded(name, name_en), *_place(city, get("district", "")), facets,
            values["created_at"].isoformat() if "created_at" in values else self.now_text, self.now_text,
            self.now_text, *_place_in_pipeline(get("stage", "new_lead"), self.now_text),
            "50", "{}", "", "0", "0", "0", "1",
        )  # fmt: skip

    def _preferences_and_facets(self, tags, *wanted):
        news = {name: _listed(value) for name, value in zip(self.preferences, wanted, strict=True) if value is not None}
        preferences = merged_preferences({}, news)
        columns = derived_columns(name="", name_en="", city="", district="", tags=tags, preferences=preferences)
        return orjson.dumps(preferences).decode(), array_text(columns["facets"])


COPIED = (
    "id", "organization_id", "name", "name_en", "phone", "whatsapp", "email",
    "national_id", "nationality", "gender", "date_of_birth",
    "occupation", "family_size", "customer_type", "source", "source_details", "stage",
    "priority", "preferences", "tags", "notes", "assigned_employee_id",
    "total_deal_value", "city", "district", "address",
    "name_folded", "name_en_folded", "name_keys", "city_key", "region", "district_key", "facets", "created_at",
    "updated_at", "stage_entered_at", "closed_at", "furthest_stage_rank",
    "lead_score", "ai_insights", "last_contact_type", "total_interactions", "total_appointments",
    "total_property_views", "version",
)  # fmt: skip


def _listed(value):
    return list(value) if isinstance(value, tuple) else value


@cache
def _source_and_details(channel):
    return CHANNELS[channel].value, orjson.dumps({"channel": channel}).decode()


# Parts of derived_columns, each remembered by what it follows from.


@lru_cache(REMEMBERED_CELLS)
def _folded(name, name_en):
    columns = derived_columns(name=name, name_en=name_en, city="", district="", tags=(), preferences={})
    return columns["name_folded"], columns["name_en_folded"], array_text(columns["name_keys"])


@lru_cache(REMEMBERED_CELLS)
def _place(city, district):
    columns = derived_columns(name="", name_en="", city=city, district=district, tags=(), preferences={})
    return columns["city_key"], columns["region"], columns["district_key"]


@cache
def _place_in_pipeline(stage, now_text):
    columns = having_been(stage, [(stage, now_text)], otherwise=None)
    return columns["closed_at"] or NULL, str(columns["furthest_stage_rank"])
