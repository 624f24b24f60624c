"""Rows as files that people open: CSV that Excel reads in Arabic, and Excel workbooks. Nothing is held in memory."""

import csv
import io
import re
import zipfile
from datetime import date, datetime
from decimal import Decimal
from xml.sax.saxutils import escape

from django.utils.translation import get_language
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from customers.formulas import harmless

SHEET_ROWS = 1_048_576
FIRST_YEAR = 1900
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What readers of workbooks take for a character by its number.
_NUMBERED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_PHONE = re.compile(r"\+[0-9]{7,15}").fullmatch
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml").fullmatch
_DIMENSION = re.compile(rb"<dimension [^>]*/>")
_SAMPLE_ROW = re.compile(r'(<row r="2".*?</row>)', re.DOTALL)


class CSVWriter:
    """Writes rows to an open binary file: numbers as they are, moments in the zone that they come in."""

    def __init__(self, file, title, headers, widths, total):
        self.text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self.lines = csv.writer(self.text)
        self.lines.writerow(headers)

    def write(self, values):
        self.lines.writerow([_csv_cell(value) for value in values])

    def close(self):
        self.text.flush()
        self.text.detach()

    def abandon(self):
        """Nothing is open that would write any more."""


def _csv_cell(value):
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return "" if value is None else value


class XLSXWriter:
    """Writes rows as a workbook to an open binary file: right to left in Arabic, the header bold and always in view.

    A sheet holds a million rows, what goes beyond stands in another one. openpyxl makes the book, with one row
    to go by; the rows are written into it as text, which takes a tenth of the time and leaves nothing on disk.
    """

    def __init__(self, file, title, headers, widths, total):
        self.numbers = [f"{get_column_letter(number)}%d" for number in range(1, len(headers) + 1)]
        self.parts, self.styles = _book(title, headers, widths, sheets=max(-(-total // (SHEET_ROWS - 1)), 1))
        self.archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.sheets = sorted(filter(_SHEET, self.parts), key=lambda name: int(_SHEET(name)[1]))
        for name in self.parts.keys() - set(self.sheets):
            self.archive.writestr(name, self.parts[name])
        self.sheet, self.rows = None, SHEET_ROWS

    def write(self, values):
        if self.rows == SHEET_ROWS:
            self._begin_sheet()
        self.rows += 1
        cells = [self._cell(number % self.rows, value) for number, value in zip(self.numbers, values, strict=True)
                 if value is not None and value != ""]  # fmt: skip
        self.sheet.write(f'<row r="{self.rows}">{"".join(cells)}</row>'.encode())

    def close(self):
        """Write what stands after the rows."""
        if self.sheet is None:
            self._begin_sheet()
        self._end_sheet()
        self.archive.close()

    def abandon(self):
        """Let what zipfile would still write at its end go nowhere: the file is closed by then."""
        self.archive.fp = io.BytesIO()
        if self.sheet:
            self.sheet.close()
        self.archive.close()

    def _begin_sheet(self):
        if self.sheet:
            self._end_sheet()
        name = self.sheets.pop(0)
        before, _row, self.rest = _SAMPLE_ROW.split(self.parts[name].decode())
        self.sheet, self.rows = self.archive.open(name, "w", force_zip64=True), 1
        self.sheet.write(before.encode())

    def _end_sheet(self):
        self.sheet.write(self.rest.encode())
        self.sheet.close()

    def _cell(self, number, value):
        if isinstance(value, datetime) and value.year >= FIRST_YEAR:
            return f'<c r="{number}" s="{self.styles["moment"]}"><v>{to_excel(value.replace(tzinfo=None))}</v></c>'
        if isinstance(value, date) and value.year >= FIRST_YEAR:
            return f'<c r="{number}" s="{self.styles["day"]}"><v>{to_excel(value)}</v></c>'
        if isinstance(value, (int, float, Decimal)):
            return f'<c r="{number}"><v>{value}</v></c>'
        text = _NOT_XML.sub("", str(value))
        # The cell of a phone holds a text and is not evaluated: it needs no apostrophe.
        text = text if _PHONE(text) else _NUMBERED.sub("_x005F_", harmless(text))
        return f'<c r="{number}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _book(title, headers, widths, *, sheets):
    """`{name: bytes}` of the parts of a workbook, each sheet with its header and one row; `{kind of cell: style}`."""
    book = Workbook()
    book.remove(book.active)
    for _number in range(sheets):
        sheet = book.create_sheet(title)
        sheet.sheet_view.rightToLeft = get_language() == "ar"
        sheet.freeze_panes = "A2"
        for number, (header, width) in enumerate(zip(headers, widths, strict=True), 1):
            sheet.column_dimensions[get_column_letter(number)].width = width
            sheet.cell(1, number, header).font = Font(bold=True)
        day, moment = sheet.cell(2, 1, date(2000, 1, 1)), sheet.cell(2, 2, datetime(2000, 1, 1))
        day.number_format, moment.number_format = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as archive:
        # How many rows there are is not said beforehand: readers would believe it.
        parts = {name: _DIMENSION.sub(b"", archive.read(name)) for name in archive.namelist()}
    return parts, {"day": day.style_id, "moment": moment.style_id}


WRITERS = {"csv": CSVWriter, "xlsx": XLSXWriter}
