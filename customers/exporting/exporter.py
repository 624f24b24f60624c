"""One export, whoever asks for it: the rows that they see, of one moment, written one after the other."""

from config.db import one_snapshot
from customers.exporting.columns import shape_of
from customers.exporting.documents import write_documents
from customers.exporting.selection import selected
from customers.exporting.writers import WRITERS

CHUNK_ROWS = 2_000
FORMATS = (*WRITERS, "json")


class Exporter:
    """Writes the rows of a list to a file: `what` and `query` as in selection.selected, in the active language.

    `columns` names those that are wanted, in order; without any all are written. `heard` hears now and then how many
    rows have been written; what it raises ends the export. Raises ValidationError for what selected refuses.
    """

    def __init__(self, what, query, *, actor, columns=(), heard=lambda rows: None):
        self.actor, self.rows, self.heard = actor, selected(what, query, actor), heard
        self.shape = shape_of(what, actor)
        self.columns = [self.shape.columns[name] for name in columns or self.shape.columns]
        self.total = self.written = 0

    def count(self):
        return self.rows.count()

    def fraction(self):
        return min(self.written / max(self.total, 1), 1)

    def write(self, file, format):
        """Write all to an open binary file, as one of FORMATS (JSON: customers alone); returns how many there were."""
        with one_snapshot():
            self.total = self.count()
            if format == "json":
                return write_documents(file, self.rows, self.actor, self._say)
            return self._write_table(WRITERS[format], file)

    def _write_table(self, writer, file):
        headers, widths = [column.label for column in self.columns], [column.width for column in self.columns]
        values = [column.value for column in self.columns]
        table = writer(file, self.shape.title, headers, widths, self.total)
        written = 0
        rows = self.rows.values(*self.shape.fields, **self.shape.expressions)
        try:
            for written, row in enumerate(rows.iterator(chunk_size=CHUNK_ROWS), 1):
                table.write([value(row) for value in values])
                if not written % CHUNK_ROWS:
                    self._say(written)
        except BaseException:
            table.abandon()
            raise
        table.close()
        return written

    def _say(self, written):
        self.written = written
        self.heard(written)
