"""What became of the rows of an import: the counts, and the file of those that people must look at."""

import csv
import os
from collections import Counter
from pathlib import Path

from django.utils.translation import gettext as _

from customers.formulas import harmless

LONGEST_VALUE = 500
SAMPLE_LINES = 50


class Report:
    """Counts rows and writes the error file, which appears whole or not at all: see `keep` and `discard`."""

    def __init__(self, path):
        self.path = Path(path)
        self.read = self.inserted = self.updated = self.unchanged = self.duplicates = self.bad_rows = self.notices = 0
        self.other_counts = []
        # How many rows of what hangs on customers were inserted, by what they are called.
        self.relations = Counter()
        # The first lines that are no notices, as `{row, severity, column, value, reason}`.
        self.sample = []
        self._unfinished = self.path.with_name(f".{self.path.name}.part")
        self._file = self._lines = None

    @property
    def lines(self):
        return self.bad_rows + self.duplicates + self.notices

    def bad(self, number, cells):
        """A row that is not imported; `cells` are `[(column, value, reason)]`."""
        self.bad_rows += 1
        for column, value, reason in cells:
            self._remember(number, "error", column, value, reason)
            self._write(number, _("error"), column, value, reason)

    def duplicate(self, number, column, value, reason):
        self.duplicates += 1
        self._remember(number, "duplicate", column, value, reason)
        self._write(number, _("duplicate"), column, value, reason)

    def notice(self, number, column, value, reason):
        """Something that people should know of a row, or of the file (number None), that is imported all the same."""
        self.notices += 1
        self._write("" if number is None else number, _("notice"), column, value, reason)

    def _remember(self, number, severity, column, value, reason):
        if len(self.sample) < SAMPLE_LINES:
            texts = {"column": str(column), "value": _shown(value), "reason": str(reason)}
            self.sample.append({"row": number, "severity": severity, **texts})

    def _write(self, number, severity, column, value, reason):
        if self._file is None:
            self._open()
        self._lines.writerow([number, severity, harmless(_shown(column)), harmless(_shown(value)), reason])

    def _open(self):
        # What a killed run has left may be open to others.
        self._unfinished.unlink(missing_ok=True)
        self._file = open(self._unfinished, "w", encoding="utf-8-sig", newline="", opener=_for_its_owner)
        self._lines = csv.writer(self._file)
        self._lines.writerow([_("row"), _("severity"), _("column"), _("value"), _("reason")])

    def keep(self):
        """Put the error file in its place; returns whether there is one. One of an earlier run does not stay."""
        if self._file is None:
            if self.path.exists():
                self._open()
            else:
                return False
        self._file.close()
        os.replace(self._unfinished, self.path)
        return self.lines > 0

    def discard(self):
        if self._file is not None:
            self._file.close()
            self._unfinished.unlink(missing_ok=True)


def _for_its_owner(path, flags):
    return os.open(path, flags, 0o600)


def _shown(value):
    return str(value)[:LONGEST_VALUE]
