"""How far a command has come, on stderr."""

import time

from django.utils.translation import gettext as _

# How often the progress line of a terminal moves.
SECONDS_BETWEEN_LINES = 0.2


class Progress:
    """One line on a terminal that is written over; in a log, a line every tenth of the way."""

    def __init__(self, stream, fraction):
        self.stream, self.fraction = stream, fraction
        self.is_terminal = stream.isatty()
        self.next_time, self.next_tenth = 0, 1

    def show(self, rows):
        if self.is_terminal:
            now = time.monotonic()
            if now >= self.next_time:
                self.next_time = now + SECONDS_BETWEEN_LINES
                self._write(rows, self.fraction(), "\r", "")
            return
        fraction = self.fraction()
        if fraction * 10 >= self.next_tenth:
            self.next_tenth = int(fraction * 10) + 1
            self._write(rows, fraction, "", "\n")

    def end(self, rows):
        if self.is_terminal:
            self._write(rows, 1, "\r", "\n")

    def _write(self, rows, fraction, start, end):
        line = _("%(percent)d %%: %(rows)d rows") % {"percent": int(fraction * 100), "rows": rows}
        self.stream.write(f"{start}{line}", style_func=str, ending=end)
        self.stream.flush()
