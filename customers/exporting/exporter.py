"""One export, whoever asks for it: the rows that they see, of one moment, written one after the other."""

from config.db import one_snapshot
from customers.exporting.columns import shape_of
from customers.exporting.selection import selected
from customers.exporting.writers import WRITERS

CHUNK_ROWS = 2_000


class Exporter:
    """Writes the rows of a list to a file: `what` and `query` as in selection.selected, in the active language.

    `columns` names those that are wanted, in order; without any all are written. `heard` hears now and then how many
    rows have been written; what it raises ends the export. Raises ValidationError for what selected refuses.
    """

    def __init__(self, what, query, *, actor, columns=(), heard=lambda rows: None):
        self.rows, self.heard = selected(what, query, actor), heard
        self.shape = shape_of(what, actor)
        self.columns = [self.shape.columns[name] for name in columns or self.shape.columns]
        self.total = self.written = 0

    def fraction(self):
        return self.written / max(self.total, 1)

    def write(self, file, format):
        """Write all to an open binary file; returns how many rows there were."""
        headers, widths = [column.label for column in self.columns], [column.width for column in self.columns]
        values = [column.value for column in self.columns]
        with one_snapshot():
            self.total = self.rows.count()
            writer = WRITERS[format](file, self.shape.title, headers, widths)
            rows = self.rows.values(*self.shape.fields, **self.shape.expressions)
            for row in rows.iterator(chunk_size=CHUNK_ROWS):
                writer.write([value(row) for value in values])
                self.written += 1
                if not self.written % CHUNK_ROWS:
                    self.heard(self.written)
            writer.close()
        return self.written
