"""The columns of customer spreadsheets: how a cell is read, and how a row becomes a customer.

Whatever a cell says in Arabic or English ends as the value that the API would store
for it: cells are read by the API's own fields, or by shortcuts that agree with them.
"""

import re
from datetime import datetime, time
from functools import cache, lru_cache

import orjson
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from config.arabic import ascii_digits, national_id, parse_date, phone_e164, strip_bidi
from config.clock import zone_of
from config.db import new_id
from customers.choices import CHANNELS
from customers.importing.copying import NULL, array_text, copied_value
from customers.importing.rows import Problem, Row, messages_of
from customers.importing.words import (
    GENDERS,
    PRIORITIES,
    PURPOSES,
    SOURCES,
    STAGES,
    TIMELINES,
    TYPES,
    columns_by_key,
    key_of,
)
from customers.search import derived_columns
from customers.serializers.customer import CustomerInput, PreferencesInput
from customers.services.customer import merged_preferences
from customers.stages import having_been

REMEMBERED_CELLS = 50_000


# --- How cells are read -----------------------------------------------------------------------

_CUSTOMER = CustomerInput().fields
_PREFERENCES = PreferencesInput().fields
_LIST = re.compile(r"[،؛,;|\n]")
# Letters that NFC leaves alone, in words set apart by single spaces or hyphens: nearly all names and notes.
_PLAIN_TEXT = re.compile(
    r"[0-9A-Za-z\u0621-\u063a\u0641-\u064a]+(?:[ \-][0-9A-Za-z\u0621-\u063a\u0641-\u064a]+)*"
).fullmatch
_PLAIN_EMAIL = re.compile(
    r"[0-9A-Za-z_+\-]+(?:\.[0-9A-Za-z_+\-]+)*@(?:[0-9A-Za-z](?:[0-9A-Za-z\-]{0,61}[0-9A-Za-z])?\.)+[A-Za-z]{2,20}"
).fullmatch
_TIME = re.compile(
    r"(?P<day>.+?)(?:(?:T| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)? ?"
    r"(?P<half>am|pm|ص|م)?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
).fullmatch
INVALID_TIME = gettext_lazy("Enter a date, or a date and a time such as 2026-03-14 16:20")


class _Remembered(dict):
    """What each text of a column stands for, worked out once: most columns repeat few texts. Refusals are not kept."""

    def __init__(self, read):
        super().__init__()
        self.read = read

    def __missing__(self, cell):
        text = cell.strip()
        value = self.read(text) if text else None
        if len(self) < REMEMBERED_CELLS:
            self[cell] = value
        return value


def _text(field):
    longest = field.max_length

    def read(text):
        return text if len(text) <= longest and _PLAIN_TEXT(text) else field.run_validation(text)

    return read


def _email(text):
    return text if len(text) <= 64 and _PLAIN_EMAIL(text) else _CUSTOMER["email"].run_validation(text)


def _word(field, spellings):
    def read(text):
        return field.run_validation(spellings.get(key_of(text)) or text)

    return read


def _list(field, spellings):
    def read(text):
        parts = [part.strip() for part in _LIST.split(text)]
        return tuple(field.run_validation([spellings.get(key_of(part), part) for part in parts if part]))

    return read


def _moment(zone):
    """A reader of dates with or without a time, in the organization's time zone unless they name another."""

    def read(text):
        match = _TIME(" ".join(ascii_digits(strip_bidi(text)).split()))
        if not match:
            raise DjangoValidationError(INVALID_TIME)
        day = parse_date(match["day"])
        if not match["hour"]:
            return datetime.combine(day, time(), zone)
        hour, half = int(match["hour"]), (match["half"] or "").lower()
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half in ("pm", "م") else 0)
        try:
            moment = time(hour, int(match["minute"]), int(match["second"] or 0))
            offset = match["zone"]
            return datetime.combine(
                day, moment, datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo if offset else zone
            )
        except ValueError:
            raise DjangoValidationError(INVALID_TIME) from None

    return read


def _assignee(employees):
    def read(text):
        try:
            return employees[text.lower() if "@" in text else text]
        except KeyError:
            message = _("The organization has no active employee with this e-mail or id")
            raise DjangoValidationError(message) from None

    return read


def _readers(zone, employees):
    """How the cells of each column are read in this organization."""
    customer, wanted = _CUSTOMER, _PREFERENCES
    return {
        "name": _text(customer["name"]),
        "name_en": _text(customer["nameEn"]),
        "phone": phone_e164,
        "whatsapp": lambda text: phone_e164(text, mobile_only=True),
        "email": _email,
        "national_id": customer["nationalId"].run_validation,
        "nationality": _text(customer["nationality"]),
        "gender": _word(customer["gender"], GENDERS),
        "date_of_birth": customer["dateOfBirth"].run_validation,
        "occupation": _text(customer["occupation"]),
        "family_size": customer["familySize"].run_validation,
        "customer_type": _text(customer["customerType"]),
        "source": _word(customer["source"], SOURCES),
        "stage": _word(customer["stage"], STAGES),
        "priority": _word(customer["priority"], PRIORITIES),
        "tags": _list(customer["tags"], {}),
        "notes": _text(customer["notes"]),
        "assigned_employee_id": _assignee(employees),
        "total_deal_value": customer["totalDealValue"].run_validation,
        "city": _text(customer["city"]),
        "district": _text(customer["district"]),
        "address": _text(customer["address"]),
        "created_at": _moment(zone),
        "propertyType": _list(wanted["propertyType"], TYPES),
        "budgetMin": wanted["budgetMin"].run_validation,
        "budgetMax": wanted["budgetMax"].run_validation,
        "bedrooms": wanted["bedrooms"].run_validation,
        "bathrooms": wanted["bathrooms"].run_validation,
        "purpose": _word(wanted["purpose"], PURPOSES),
        "timeline": _word(wanted["timeline"], TIMELINES),
    }


# Columns that are keys of `preferences`.
_WANTED = {"propertyType", "budgetMin", "budgetMax", "bedrooms", "bathrooms", "purpose", "timeline"}
# Columns whose cells hardly repeat: remembering them would only fill memory.
_SINGULAR = {"phone", "whatsapp", "email", "national_id"}


# --- Rows -------------------------------------------------------------------------------------


class UnknownTable(Exception):
    """Says in one sentence that a sheet has no column without which no customer can be made."""


class SheetRows:
    """How the rows of one sheet become customers of one organization.

    `employees` are `{id or e-mail: id}` of those who can be assigned. After construction, `headers` says how the
    file calls each column, and `unknown` names the headers that mean nothing here. Raises UnknownTable.
    """

    def __init__(self, headers, *, organization, employees, now):
        self.organization_id, self.now = organization.pk, now
        self.now_text = now.isoformat()
        self.columns = COPIED
        self.preferences_and_facets = lru_cache(REMEMBERED_CELLS)(self._preferences_and_facets)
        readers = _readers(zone_of(organization), employees)
        self.headers, self.unknown, self.plan = {}, [], []
        for index, header in enumerate(headers):
            name = columns_by_key().get(key_of(header))
            if name is None or name in self.headers:
                if header.strip():
                    self.unknown.append(header.strip())
                continue
            self.headers[name] = header.strip()
            read = _stripped(readers[name]) if name in _SINGULAR else _Remembered(readers[name]).__getitem__
            self.plan.append((index, name, read))
        self.preferences = [name for name in self.headers if name in _WANTED]
        self.width = len(headers)
        missing = [label for name, label in (("name", _("name")), ("phone", _("phone"))) if name not in self.headers]
        if missing:
            message = _("The file has no column for %(missing)s; its columns are: %(headers)s")
            found = ", ".join(header.strip()[:40] for header in headers[:30])
            raise UnknownTable(message % {"missing": ", ".join(missing), "headers": found})

    def row(self, number, cells):
        """The loader's Row of one line. Raises Problem."""
        values = self.read(cells)
        return Row(number, values, self.copied(values))

    def read(self, cells):
        """The values of a row by column name, only what it says. Raises Problem."""
        values, problems = {}, []
        if len(cells) != self.width:
            cells = self._fitted(cells)
        for index, name, read in self.plan:
            cell = cells[index]
            if cell:
                try:
                    value = read(cell)
                except (ValidationError, DjangoValidationError) as error:
                    problems += [(self.headers[name], cell, message) for _path, message in messages_of(error)]
                    # So that it does not count as missing as well.
                    values[name] = None
                else:
                    if value is not None:
                        values[name] = value
        if "name" not in values:
            problems.append((self.headers["name"], "", _("Name is required")))
        if "phone" not in values:
            problems.append((self.headers["phone"], "", _("Phone number is required")))
        if "budgetMin" in values and "budgetMax" in values and not problems:
            if values["budgetMin"] > values["budgetMax"]:
                reason = _("Must not be less than %(other)s") % {"other": self.headers["budgetMin"]}
                problems.append((self.headers["budgetMax"], self._cell(cells, "budgetMax"), reason))
        if "national_id" in values and not problems:
            try:
                values["national_id"] = national_id(values["national_id"], nationality=values.get("nationality"))
            except DjangoValidationError as error:
                cell = self._cell(cells, "national_id")
                problems += [(self.headers["national_id"], cell, message) for message in error.messages]
        if problems:
            raise Problem(problems)
        return values

    def _cell(self, cells, name):
        return next(cells[index] for index, column, _read in self.plan if column == name)

    def _fitted(self, cells):
        if len(cells) > self.width and any(cells[self.width :]):
            surplus = " ".join(cells[self.width :])
            raise Problem([("", surplus, _("The row has more cells than the header"))])
        return cells + [""] * (self.width - len(cells))

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


def _stripped(read):
    def read_stripped(cell):
        cell = cell.strip()
        return read(cell) if cell else None

    return read_stripped


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
