"""Pictures made anew: what they show stays; where and with what they were taken, and what hides in them, goes."""

import subprocess
import sys
import threading
from tempfile import TemporaryFile

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from documents import redraw

# Processors are few: a web process draws one picture at a time.
_turn = threading.Lock()

TOO_LARGE = _("The image has more than %(count)d million pixels")
DAMAGED = _("The image is damaged")


def made_anew(file, kind):
    """A temporary file with the picture alone, upright. ValidationError when it is damaged or too large."""
    made = TemporaryFile()
    file.seek(0)
    command = [sys.executable, "-I", redraw.__file__, kind]
    with _turn:
        ended = subprocess.run(command, stdin=file, stdout=made, stderr=subprocess.DEVNULL, cwd="/")
    if ended.returncode == redraw.TOO_LARGE:
        raise ValidationError(TOO_LARGE, params={"count": redraw.MOST_PIXELS // 1_000_000})
    if ended.returncode:
        raise ValidationError(DAMAGED)
    return made
