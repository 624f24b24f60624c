"""Listings from files: how a row of a sheet or an object of a JSON file becomes one, and how they are written."""

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from config.api.serializers import TextField
from config.arabic import ascii_digits
from config.clock import not_ahead, zone_of
from config.db import held, new_id
from config.signals import changed
from customers.importing.copying import copied_value, copy, line_of, rewrite
from customers.importing.listing_words import (
    AMENITY_WORDS,
    FLOORS,
    FURNISHINGS,
    LISTING_HEADERS,
    PURPOSES,
    STATUSES,
)
from customers.importing.objects import cells_of, is_usable, new_id_message
from customers.importing.readers import UnreadableFile
from customers.importing.rows import Problem, messages_of
from customers.importing.tables import Table, list_reader, moment_reader, text_reader, word_reader
from customers.importing.words import TYPES, columns_by_key, key_of
from customers.models import Listing
from customers.querysets import reference_key
from customers.serializers.listing import ListingInput
from customers.services import listing as services

CHUNK_ROWS = 1_000
COPIED = tuple(field.column for field in Listing._meta.concrete_fields if not field.generated)
_BASEMENT = re.compile(r"-[0-9]{1,2}").fullmatch
_NEEDED = ("title", "type", "purpose")
# Columns whose cells hardly repeat.
_SINGULAR = {"id", "reference", "latitude", "longitude", "description", "image_url", "ad_license_number"}


@dataclass(slots=True)
class ListingRow:
    """One good row: its number in the file, the id that it names or "", its reference or "", and its columns."""

    number: int
    key: str
    reference: str
    values: dict


class _Listing(ListingInput):
    """A listing as a file tells it: with what the API lets nobody write."""

    id = TextField(max_length=100, name_like=True, required=False, allow_null=True)
    createdAt = serializers.DateTimeField(source="created_at", required=False, validators=[not_ahead])


# --- Where rows come from -------------------------------------------------------------------------


_FIELDS = _Listing().fields


def _floor(text):
    text = FLOORS.get(key_of(text)) or ascii_digits(text)
    return _FIELDS["floor"].run_validation(int(text) if _BASEMENT(text) else text)


def _type(text):
    return TYPES.get(key_of(text)) or _FIELDS["type"].run_validation(text)


def _readers(zone):
    """How the cells of each column are read in an organization of this time zone."""
    of_column = {field.source: field for field in _FIELDS.values()}
    texts = ("reference", "title", "title_en", "city", "district")
    return {
        **{name: field.run_validation for name, field in of_column.items()},
        **{name: text_reader(of_column[name]) for name in texts},
        "type": _type,
        "purpose": word_reader(of_column["purpose"], PURPOSES),
        "status": word_reader(of_column["status"], STATUSES),
        "furnishing": word_reader(of_column["furnishing"], FURNISHINGS),
        "amenities": list_reader(of_column["amenities"], AMENITY_WORDS),
        "floor": _floor,
        "created_at": moment_reader(zone),
    }


class ListingSheet(Table):
    """The rows of a spreadsheet as listings. Raises UnknownTable."""

    def __init__(self, headers, organization, *, mapping=None):
        readers = _readers(zone_of(organization))
        super().__init__(headers, columns_by_key(LISTING_HEADERS), readers, singular=_SINGULAR, mapping=mapping)
        self.require(title=_("title"), type=_("type"), purpose=_("purpose"))
        if "id" not in self.headers:
            self.require(reference=_("reference"))

    def row(self, number, cells):
        """The loader's ListingRow of one line. Raises Problem."""
        values, problems = self.read_cells(self.fitted(cells))
        problems += [(self.headers[name], "", _("This field is required.")) for name in _NEEDED if name not in values]
        if problems:
            raise Problem(problems)
        if "amenities" in values:
            values["amenities"] = list(values["amenities"])
        return _row(number, values, self.headers)


class ListingDocuments:
    """The listings of a JSON file, each as the API shows it. Raises UnreadableFile when the file holds none."""

    headers = {"id": "id", "reference": "reference"}

    def __init__(self, content):
        self.objects = content.get("listings") if isinstance(content, dict) else content
        if not isinstance(self.objects, list):
            raise UnreadableFile(_('The file must be a list of listings, or {"listings": […]}'))

    def row(self, number, listing):
        """The loader's ListingRow of one object. Raises Problem."""
        if not isinstance(listing, dict):
            raise Problem([("", listing, _("This is no object"))])
        body = _Listing(data=listing)
        if not body.is_valid():
            raise Problem(cells_of(listing, body.errors))
        return _row(number, dict(body.validated_data), self.headers)


def _row(number, values, headers):
    key, reference = values.pop("id", None) or "", values.get("reference") or ""
    if not key and not reference:
        message = _("A reference or an id is needed: by it the listing is known when it comes again")
        raise Problem([(headers.get("reference") or headers["id"], "", message)])
    return ListingRow(number, key, reference, values)


# --- Where they go --------------------------------------------------------------------------------


class ListingLoader:
    """Loads the rows of one import into an organization, in the caller's transaction.

    A row is the listing of its id, else of its reference; where an id is taken and the row has no reference,
    the id becomes its reference, so that it is known again.
    """

    def __init__(self, organization, source, report, *, upsert, actor=None):
        self.organization, self.source, self.report, self.upsert = organization, source, report, upsert
        self.actor, self.now = actor, timezone.now()
        self.chunk, self.number_of = [], {}

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        pass

    def add(self, row):
        code = reference_key(row.reference or row.key)
        if not self._is_first(row, ("id", row.key)) or not self._is_first(row, ("reference", code)):
            return
        self.chunk.append(row)
        if len(self.chunk) >= CHUNK_ROWS:
            self.finish()

    def finish(self):
        """Write what has been added."""
        chunk, self.chunk = self.chunk, []
        keys = {row.key for row in chunk if row.key}
        ours = Listing.objects.filter(organization=self.organization)
        namesakes = ours.called(row.reference or row.key for row in chunk)
        known = list(held(ours.filter(Q(pk__in=keys) | Q(pk__in=namesakes.values("pk")))))
        of_id = {listing.pk: listing for listing in known}
        of_reference = {reference_key(listing.reference): listing for listing in known if listing.reference}
        taken = set(Listing.objects.filter(pk__in=keys).values_list("pk", flat=True))
        created, updates = [], []
        for row in chunk:
            namesake = of_reference.get(reference_key(row.reference or row.key))
            listing = of_id.get(row.key) or namesake
            if listing is None:
                self._try(row, lambda row=row: created.append(self._new(row, taken)))
            elif row.reference and namesake not in (None, listing):
                self._bad(row, services.TAKEN_REFERENCE, "reference", row.reference)
            elif self._is_first(row, ("listing", listing.pk)):
                self._meet(row, listing, updates)
        self._insert(created)
        self._update([(listing, news) for listing, news in updates if news])
        self.report.unchanged += sum(1 for _listing, news in updates if not news)

    # --- One row ----------------------------------------------------------------------------------

    def _meet(self, row, listing, updates):
        """A row of a known listing: what it says is put down among the updates, if they are wanted."""
        if self.upsert:
            self._try(row, lambda: updates.append((listing, self._news(row, listing))))
        elif row.key == listing.pk:
            self.report.unchanged += 1
        else:
            message = _("A listing with this reference exists already: %(id)s") % {"id": listing.pk}
            self._duplicate(row, "reference", row.reference or row.key, message)

    def _is_first(self, row, name):
        """Whether no earlier row has this id, reference or listing; a later one is a duplicate."""
        column, value = name
        first = self.number_of.setdefault(name, row.number) if value else row.number
        if first != row.number:
            message = _("The same listing as in row %(row)d") % {"row": first}
            shown = row.reference or row.key if column == "reference" else value
            self._duplicate(row, "id" if column == "listing" else column, shown, message)
        return first == row.number

    def _try(self, row, work):
        try:
            work()
        except ValidationError as error:
            for _path, message in messages_of(error):
                self._bad(row, message)

    def _new(self, row, taken):
        """A listing of its own id where that is free."""
        values = dict(row.values)
        key = row.key if is_usable(row.key) and row.key not in taken else new_id("prop")
        if row.key and key != row.key:
            self.report.notice(row.number, self._header("id"), row.key, new_id_message(row.key, key))
            values["reference"] = row.reference or row.key
        born = {"created_at": values.pop("created_at", self.now), "updated_at": self.now}
        listing = Listing(id=key, organization_id=self.organization.pk, **born)
        for name, value in services.columns_of(values, listing).items():
            setattr(listing, name, value)
        return listing

    def _news(self, row, listing):
        """`{column: (before, after)}` of what the row says otherwise of a listing."""
        values = {name: value for name, value in row.values.items() if name != "created_at"}
        columns = services.columns_of(values, listing)
        return {name: (getattr(listing, name), after) for name, after in columns.items()
                if getattr(listing, name) != after}  # fmt: skip

    # --- Many rows --------------------------------------------------------------------------------

    def _insert(self, listings):
        if not listings:
            return
        lines = [line_of([copied_value(getattr(listing, name)) for name in COPIED]) for listing in listings]
        with connection.cursor() as cursor:
            copy(cursor.cursor, "listings", COPIED, lines)
        self.report.inserted += len(listings)
        changed.send(Listing, rows=listings, kind="created", changes=[{}] * len(listings), actor=self.actor)

    def _update(self, updates):
        if not updates:
            return
        listings, changes = map(list, zip(*updates, strict=True))
        for listing, news in updates:
            for name, (_before, after) in news.items():
                setattr(listing, name, after)
            listing.version, listing.updated_at = listing.version + 1, self.now
        names = sorted({name for news in changes for name in news} | {"version", "updated_at"})
        with connection.cursor() as cursor:
            rows = [[listing.pk, *(getattr(listing, name) for name in names)] for listing in listings]
            rewrite(cursor.cursor, "listings", names, rows)
        self.report.updated += len(listings)
        changed.send(Listing, rows=listings, kind="updated", changes=changes, actor=self.actor)

    # --- What people must look at -----------------------------------------------------------------

    def _header(self, column):
        return self.source.headers.get(column, column)

    def _duplicate(self, row, column, value, reason):
        self.report.duplicate(row.number, self._header(column), value, reason)

    def _bad(self, row, reason, column="", value=""):
        self.report.bad(row.number, [(column and self._header(column), value, str(reason))])
