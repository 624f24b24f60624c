"""The cells of a spreadsheet as values: which column a header names, and how each cell is read."""

import re
from datetime import datetime, time

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from config.arabic import ascii_digits, strip_bidi
from config.clock import not_ahead
from config.numbers import parse_date
from customers.formulas import as_meant
from customers.importing.rows import NothingImported, Problem, messages_of
from customers.importing.words import key_of

REMEMBERED_CELLS = 50_000


# --- How cells are read -----------------------------------------------------------------------

_LIST = re.compile(r"[،؛,;|\n]")
_PARTS = re.compile(r'\s*"(?P<quoted>(?:[^"]|"")*)"\s*(?:[،؛,;|\n]|$)|(?P<typed>[^،؛,;|\n]+)(?:[،؛,;|\n]|$)')
# Letters that NFC leaves alone, in words set apart by single spaces or hyphens: nearly all names and notes.
_PLAIN_TEXT = re.compile(
    r"[0-9A-Za-z\u0621-\u063a\u0641-\u064a]+(?:[ \-][0-9A-Za-z\u0621-\u063a\u0641-\u064a]+)*"
).fullmatch
_TIME = re.compile(
    r"(?P<day>.+?)(?:(?:T| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)? ?"
    r"(?P<half>am|pm|ص|م)?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
).fullmatch
INVALID_TIME = gettext_lazy("Enter a date, or a date and a time such as 2026-03-14 16:20")


def text_reader(field):
    longest = field.max_length

    def read(text):
        return text if len(text) <= longest and _PLAIN_TEXT(text) else field.run_validation(text)

    return read


def word_reader(field, spellings):
    def read(text):
        return field.run_validation(spellings.get(key_of(text)) or text)

    return read


def list_reader(field, spellings):
    def read(text):
        return tuple(field.run_validation([*_parts(text, spellings)]))

    return read


def _parts(text, spellings):
    """The texts of a list; one in quotation marks is taken as it stands."""
    if '"' not in text:
        for part in filter(None, map(str.strip, _LIST.split(text))):
            yield spellings.get(key_of(part), part)
        return
    for match in _PARTS.finditer(text):
        part = match["typed"].strip() if match["quoted"] is None else match["quoted"].replace('""', '"')
        if part:
            yield spellings.get(key_of(part), part) if match["quoted"] is None else part


def list_text(parts, spellings, labels):
    """Texts as one cell that a list_reader reads back; `labels` say how those that have a word of ours are shown."""
    return "، ".join(_part_text(part, spellings, labels) for part in parts)


def _part_text(part, spellings, labels):
    if part in labels:
        return labels[part]
    is_plain = not _LIST.search(part) and '"' not in part and spellings.get(key_of(part), part) == part
    return part if is_plain else '"{}"'.format(part.replace('"', '""'))


def moment_reader(zone):
    """A reader of days gone by, with or without a time, in the organization's time zone unless they name another."""

    def read(text):
        moment = moment_of(text)
        not_ahead(moment)
        return moment

    def moment_of(text):
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


# --- Tables -------------------------------------------------------------------------------------


class _Remembered(dict):
    """What each text of a column stands for, worked out once: most columns repeat few texts. Refusals are not kept."""

    def __init__(self, read):
        super().__init__()
        self.read = read

    def __missing__(self, cell):
        text = as_meant(cell.strip())
        value = self.read(text) if text else None
        if len(self) < REMEMBERED_CELLS:
            self[cell] = value
        return value


def _stripped(read):
    def read_stripped(cell):
        cell = as_meant(cell.strip())
        return read(cell) if cell else None

    return read_stripped


class UnknownTable(NothingImported):
    """Of a sheet without a column that no row can be read without."""


def proposed(headers, columns):
    """The name of the column that each header means, "" for those that mean none, or one that was named before."""
    names = []
    for header in headers:
        name = columns.get(key_of(header), "")
        names.append("" if name in names else name)
    return names


class Table:
    """How the rows of one sheet are read.

    `columns` are `{key of a header: name of the column}`, `readers` say how the cells of each column are read;
    those of `singular` columns hardly repeat, and remembering them would only fill memory. A `mapping` says instead
    which column each header is, "" for those that are left out. After construction, `headers` says how the file calls
    each column, and `unknown` names the headers that mean nothing here.
    """

    def __init__(self, headers, columns, readers, *, singular=frozenset(), mapping=None):
        self.found = headers
        self.headers, self.unknown, self.plan = {}, [], []
        for index, (header, name) in enumerate(zip(headers, mapping or proposed(headers, columns), strict=True)):
            if not name:
                if header.strip() and not mapping:
                    self.unknown.append(header.strip())
                continue
            self.headers[name] = header.strip() or name
            read = _stripped(readers[name]) if name in singular else _Remembered(readers[name]).__getitem__
            self.plan.append((index, name, read))
        self.width = len(headers)

    def require(self, **labels):
        """Raise UnknownTable where a column is missing; `labels` say what people call it."""
        missing = [label for name, label in labels.items() if name not in self.headers]
        if missing:
            message = _("The file has no column for %(missing)s; its columns are: %(headers)s")
            found = ", ".join(header.strip()[:40] for header in self.found[:30])
            raise UnknownTable(message % {"missing": ", ".join(missing), "headers": found})

    def fitted(self, cells):
        """A row with as many cells as there are headers. Raises Problem for more."""
        if len(cells) == self.width:
            return cells
        if len(cells) > self.width and any(cells[self.width :]):
            surplus = " ".join(cells[self.width :])
            raise Problem([("", surplus, _("The row has more cells than the header"))])
        return cells + [""] * (self.width - len(cells))

    def read_cells(self, cells):
        """`(values by column name, only what the row says; problems)` of a fitted row."""
        values, problems = {}, []
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
        return values, problems

    def cell(self, cells, name):
        """What a row says in a column."""
        return next(cells[index] for index, column, _read in self.plan if column == name)
