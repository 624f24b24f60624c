"""Import files as rows: of which kind a file is, how it is encoded and separated, and how much of it is read."""

import codecs
import csv
import io
import math
import re
import zipfile
import zlib
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from xml.parsers import expat

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError

from config.api.parsers import safe_json
from customers.importing.rows import NothingImported

FORMATS = ("csv", "xlsx", "json")
MAX_UNZIPPED_BYTES = 100_000_000
MAX_SHEET_ROWS = 1_000_000
# Of the rectangle around all that is filled: every cell in it takes memory, filled or not.
MAX_SHEET_CELLS = 10_000_000
MAX_JSON_BYTES = 100_000_000

_EXTENSIONS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".json": "json"}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_OLD_OFFICE_FILE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_QUOTED = re.compile(r'"[^"]*"')
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.IGNORECASE).fullmatch
_ROW = re.compile(r"[1-9][0-9]{0,6}").fullmatch
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


class UnreadableFile(NothingImported):
    """Of a file that cannot be read."""


class Sheet:
    """The rows of a spreadsheet: `headers`, then `rows` as (number, cells); the header is row 1, as people count.

    `fraction()` says how much has been read, from 0 to 1.
    """

    def __init__(self, rows, fraction):
        self.rows = _filled(rows)
        self.fraction = fraction
        _number, self.headers = next(self.rows, (0, []))
        if not self.headers:
            raise UnreadableFile(_("The file is empty"))


def _filled(rows):
    for number, cells in enumerate(rows, 1):
        if "\0" in "".join(cells):
            raise UnreadableFile(_("Row %(number)d holds the character U+0000, which is no text") % {"number": number})
        if any(cells):
            yield number, cells


def format_of(path, given=None):
    """`csv`, `xlsx` or `json`: as given, else by the file's beginning and its extension. Raises UnreadableFile."""
    path = Path(path)
    if path.is_dir():
        raise UnreadableFile(_("%(path)s is a folder") % {"path": path})
    try:
        with open(path, "rb") as file:
            beginning = file.read(4096)
    except OSError as error:
        raise UnreadableFile(_("%(path)s cannot be read: %(why)s") % {"path": path, "why": error.strerror}) from None
    if not beginning.strip():
        raise UnreadableFile(_("The file is empty"))
    if beginning.startswith(_OLD_OFFICE_FILE):
        raise UnreadableFile(_("This is an old Excel file: save it as .xlsx or CSV"))
    if given:
        return given
    if beginning.startswith(_ZIP):
        return "xlsx"
    known = _EXTENSIONS.get(path.suffix.lower())
    return known or ("json" if beginning.lstrip(codecs.BOM_UTF8 + b" \r\n\t")[:1] in b"[{" else "csv")


@contextmanager
def open_sheet(path, kind):
    """The Sheet of a CSV or xlsx file, closed afterwards. Raises UnreadableFile, also while rows are taken from it."""
    if kind == "xlsx":
        yield _xlsx_sheet(path)
        return
    with open(path, "rb") as raw:
        encoding = _encoding_of(raw)
        raw.seek(0)
        size = path.stat().st_size
        with io.TextIOWrapper(raw, encoding, newline="") as text:
            yield Sheet(_csv_rows(text), lambda: min(raw.tell() / size, 1))


def read_json(path):
    """What a JSON file holds. Raises UnreadableFile."""
    if path.stat().st_size > MAX_JSON_BYTES:
        message = _("The file is larger than %(megabytes)d MB") % {"megabytes": MAX_JSON_BYTES // 1_000_000}
        raise UnreadableFile(message)
    try:
        return safe_json(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableFile(_("A JSON file must be in UTF-8")) from None
    except ParseError as error:
        raise UnreadableFile(str(error.detail)) from None


# --- CSV ------------------------------------------------------------------------------------


def _encoding_of(raw):
    """How a text file is encoded: by its byte order mark, UTF-8 if all of it is, else Windows-1256."""
    beginning = raw.read(4)
    for mark, encoding in _BOMS:
        if beginning.startswith(mark):
            return encoding
    raw.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    while block := raw.read(1 << 20):
        if b"\0" in block:
            raise UnreadableFile(_("This is not a text file: save the table as CSV in UTF-8, or as .xlsx"))
        if is_utf8:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return "utf-8" if is_utf8 else "cp1256"


def _csv_rows(text):
    try:
        first = text.readline()
        separator_line = _SEPARATOR_LINE.fullmatch(first)
        if separator_line:
            delimiter, lines = separator_line[1], text
        else:
            # The Arabic comma is no separator: it stands inside cells.
            plain = _QUOTED.sub("", first)
            delimiter, lines = max(";,\t", key=plain.count), _chain(first, text)
        yield from csv.reader(lines, delimiter=delimiter)
    except UnicodeDecodeError:
        raise UnreadableFile(_("The file holds bytes that are not in its encoding: save it as CSV in UTF-8")) from None
    except csv.Error as error:
        raise UnreadableFile(_("This is not a CSV file: %(why)s") % {"why": error}) from None


def _chain(first, rest):
    yield first
    yield from rest


# --- xlsx -----------------------------------------------------------------------------------


def _xlsx_sheet(path):
    from python_calamine import CalamineError, load_workbook

    _refuse_monsters(path)
    try:
        sheet = load_workbook(str(path)).get_sheet_by_index(0)
    except CalamineError:
        raise UnreadableFile(_("This is not an Excel file that can be read")) from None
    total = sheet.height
    if total > MAX_SHEET_ROWS:
        raise UnreadableFile(_("The sheet has more than %(count)d rows") % {"count": MAX_SHEET_ROWS})
    done = 0

    def rows():
        nonlocal done
        # Rows above the first filled one count too, as people see them.
        for _above in range((sheet.start or (0, 0))[0]):
            yield []
        for cells in sheet.iter_rows():
            done += 1
            yield [cell if type(cell) is str else _cell_text(cell) for cell in cells]

    return Sheet(rows(), lambda: done / max(total, 1))


def _refuse_monsters(path):
    """Refuse a file that unpacks to more than it may, or to something else than its directory says, and sheets whose
    filled cells lie too far apart."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNZIPPED_BYTES:
                message = _("The file unpacks to more than %(megabytes)d MB")
                raise UnreadableFile(message % {"megabytes": MAX_UNZIPPED_BYTES // 1_000_000})
            for entry in archive.infolist():
                # Sizes in the directory may lie; reading fails where contents and directory disagree.
                with archive.open(entry) as part:
                    _Extent().measure(part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, _Malformed):
        raise UnreadableFile(_("This is not an Excel file that can be read")) from None


class _Malformed(Exception):
    """Of a sheet that is no XML, or whose cells lie nowhere."""


class _Extent:
    """How far the filled cells of a part of a workbook reach, found while it streams by."""

    def __init__(self):
        self.row = self.column = self.bottom = self.right = 0
        self.top = self.left = math.inf
        self.pending = None

    def measure(self, part):
        """Raises UnreadableFile beyond MAX_SHEET_CELLS, _Malformed for a sheet that cannot be followed."""
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._begin
        # A sheet may have any name: the word without which none is read tells it from pictures and the like.
        is_sheet, wrong, tail = False, None, b""
        while block := part.read(1 << 20):
            is_sheet = is_sheet or b"sheetData" in tail + block
            tail = block[-10:]
            try:
                wrong or parser.Parse(block)
            except (expat.ExpatError, _Malformed) as error:
                wrong = error
        if is_sheet and wrong:
            raise _Malformed

    def _begin(self, name, attributes):
        name = name.rpartition(":")[2] if ":" in name else name
        if name == "c":
            self.pending = self._place(attributes.get("r"))
        elif name in ("v", "is") and self.pending:
            self._fill(*self.pending)
        elif name == "row":
            self.row, self.column = self._number(attributes.get("r"), self.row + 1), 0

    def _number(self, text, otherwise):
        if text is None:
            return otherwise
        if not _ROW(text):
            raise _Malformed
        return int(text)

    def _place(self, reference):
        """The row and column of a cell: as it says itself, else beside the one before it."""
        if reference is None:
            self.column += 1
            return self.row, self.column
        found = _CELL(reference)
        if not found:
            raise _Malformed
        letters, row = found.groups()
        self.column = _column(letters)
        return int(row), self.column

    def _fill(self, row, column):
        self.pending = None
        if self.top <= row <= self.bottom and self.left <= column <= self.right:
            return
        self.top, self.bottom = min(self.top, row), max(self.bottom, row)
        self.left, self.right = min(self.left, column), max(self.right, column)
        if (self.bottom - self.top + 1) * (self.right - self.left + 1) > MAX_SHEET_CELLS:
            message = _("The sheet reaches over more than %(count)d cells: remove what stands far from the table")
            raise UnreadableFile(message % {"count": MAX_SHEET_CELLS})


@cache
def _column(letters):
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _cell_text(cell):
    """A typed cell as it would stand in a CSV file."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, (bool, timedelta)):
        return str(cell).lower()
    return str(cell)
