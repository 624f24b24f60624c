"""Rows as files that people open: CSV that Excel reads in Arabic, and Excel workbooks. Nothing is held in memory."""

import csv
import io
import re
from datetime import date, datetime

from django.utils.translation import get_language

from customers.formulas import harmless

SHEET_ROWS = 1_048_576
# What XML cannot hold, and what Excel takes for an error of its own instead of a text.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PHONE = re.compile(r"\+[0-9]{7,15}").fullmatch
_ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"}


class CSVWriter:
    """Writes rows to an open binary file: numbers as they are, moments in the zone that they come in."""

    def __init__(self, file, title, headers, widths):
        self.text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self.lines = csv.writer(self.text)
        self.lines.writerow(headers)

    def write(self, values):
        self.lines.writerow([_csv_cell(value) for value in values])

    def close(self):
        self.text.flush()
        self.text.detach()


def _csv_cell(value):
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return "" if value is None else value


class XLSXWriter:
    """Writes rows as a workbook to an open binary file: right to left in Arabic, the header bold and always in view.

    A sheet holds a million rows; what goes beyond stands in another one.
    """

    def __init__(self, file, title, headers, widths):
        from openpyxl import Workbook

        self.file, self.title, self.headers, self.widths = file, title, headers, widths
        self.book = Workbook(write_only=True)
        self.sheet, self.rows = None, SHEET_ROWS
        self._begin_sheet()

    def write(self, values):
        if self.rows == SHEET_ROWS:
            self._begin_sheet()
        self.rows += 1
        self.sheet.append([self._cell(value) for value in values])

    def close(self):
        self.book.save(self.file)

    def _begin_sheet(self):
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

        self.sheet, self.rows = self.book.create_sheet(self.title), 1
        self.sheet.sheet_view.rightToLeft = get_language() == "ar"
        self.sheet.freeze_panes = "A2"
        cells = []
        for number, (header, width) in enumerate(zip(self.headers, self.widths, strict=True), 1):
            self.sheet.column_dimensions[get_column_letter(number)].width = width
            cells.append(WriteOnlyCell(self.sheet, header))
            cells[-1].font = Font(bold=True)
        self.sheet.append(cells)

    def _cell(self, value):
        if isinstance(value, str):
            return self._text(value) if value else None
        # Excel knows no time zones, and no day before 1900.
        if isinstance(value, datetime):
            value = value.replace(tzinfo=None, microsecond=0)
        if isinstance(value, date) and value.year < 1900:
            return value.isoformat()
        return value

    def _text(self, value):
        text = _NOT_XML.sub("", value)
        # The cell of a phone holds a text and is not evaluated: it needs no apostrophe.
        text = text if _PHONE(text) else harmless(text)
        if text not in _ERRORS:
            return text
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self.sheet, text)
        cell.data_type = "s"
        return cell


WRITERS = {"csv": CSVWriter, "xlsx": XLSXWriter}
