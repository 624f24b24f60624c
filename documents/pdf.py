"""What may not be in a PDF: whatever runs, what is attached, and what nobody can look into.

No viewer's parser is imitated: names are looked for wherever they may stand, which is in the plain
bytes and in object streams. Streams are inflated only if they can hold objects. Each byte is read a fixed
number of times, and what would take long all the same has a bound, past which the file is refused.
"""

import re
import zlib

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WINDOW, OVERLAP = 1 << 20, 1 << 16
# How far before its stream a dictionary may begin.
LONGEST_DICTIONARY = OVERLAP // 2
MOST_INFLATED, MOST_OBJECT_STREAMS = 25_000_000, 10_000
# Twenty megabytes of scans hold some hundred escapes, by chance; of text, a tenth of these objects.
MOST_ESCAPES, MOST_LANDMARKS = 100_000, 500_000
_PIECE, _LONGEST_NAME = 1 << 16, 128
_SPACE = rb"[\0\t\n\f\r ]*"
# Names this short stand by chance in what is compressed, hence what follows them: an object, or a comment before it.
_SHORT = rb"/(?:EF|AF|XFA)" + _SPACE + rb"(?:%|<<|\[" + _SPACE + rb"[\d(<%]|[+-]?\d{1,10}[\0\t\n\f\r %])"
_LONG = (
    rb"/(?:JavaScript|Launch|RichMedia|Rendition|ImportData|SubmitForm|GoToE|EmbeddedFiles?|FileAttachment|Encrypt)"
    rb"(?![A-Za-z0-9_])"
)
_ACTIVE = re.compile(_LONG + rb"|" + _SHORT)
_ATTACHED = (b"/Embedded", b"/FileAttachment", b"/EF", b"/AF")
_HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
_LANDMARK = re.compile(rb"obj|(?<!end)stream(?:\r\n|\n|\r)")
_LONGEST_MARK = len(b"endstream\r\n")
_OBJECT_STREAM = re.compile(rb"/ObjStm(?![A-Za-z0-9_])")
# Some viewers take what has a first object for an object stream, whatever it calls itself.
_OBJECTS = re.compile(rb"/(?:ObjStm|First)(?![A-Za-z0-9_])")
_FILTERS = re.compile(rb"/(\w+Decode|Crypt|Fl|AHx|A85|LZW|RL)(?!\w)")

ACTIVE = _("PDF files with scripts or actions that start programs are not accepted")
ATTACHED = _("PDF files with files attached to them are not accepted")
LOCKED = _("Files protected by a password are not accepted")
OPAQUE = _("This PDF file cannot be inspected; print it to a new PDF file and send that")


def check(file):
    """Refuse (ValidationError) a PDF that holds anything but pages."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - 1024))
    ending = file.read().rstrip(b"\0\t\r\n\f ")
    if not ending.endswith(b"%%EOF"):
        raise ValidationError(_("The PDF file is not complete"))
    _Inspection(file).run()


class _Inspection:
    """One walk through a PDF, with what it has met and spent so far."""

    def __init__(self, file):
        self.file = file
        self.mentioned = self.looked_into = self.object_streams = 0
        self.inflated = self.escapes = self.landmarks = 0
        # Offsets of the last landmark, and of what may still be a dictionary: since an object or a stream began.
        self.last, self.begin = -1, None
        self.streams, self.holds_objects = 0, False

    def run(self):
        for start, window, fresh in _windows(self.file):
            plain = self.check_names(window)
            self.mentioned += len(_OBJECT_STREAM.findall(plain))
            self.mentioned -= len(_OBJECT_STREAM.findall(self.plain(window[:fresh])))
            for match in _LANDMARK.finditer(window, max(0, fresh - _LONGEST_MARK)):
                # What touches the end of the window may go on; it is met again, whole, in the next.
                if self.last < start + match.start() and match.end() < len(window):
                    self.pass_landmark(start, window, match)
        if self.mentioned != self.looked_into:
            raise ValidationError(OPAQUE)

    def pass_landmark(self, start, window, match):
        self.last = start + match.start()
        self.landmarks += 1
        _refuse_above(self.landmarks, MOST_LANDMARKS)
        if match[0] == b"obj":
            self.begin, self.streams, self.holds_objects = self.last, 0, False
            return
        self.streams += 1
        begin, self.begin = self.begin, start + match.end()
        if begin is None:
            return
        # Between two streams of one object lies what the first holds, which may be long.
        is_long = self.last - begin > LONGEST_DICTIONARY
        piece = window[max(begin - start, match.start() - LONGEST_DICTIONARY) : match.start()]
        dictionary = self.plain(piece)
        if _OBJECTS.search(dictionary):
            self.holds_objects = True
            self.looked_into += len(_OBJECT_STREAM.findall(dictionary)) == 1
            self.check_objects(start + match.end(), dictionary)
        if self.streams == 1 and is_long or self.streams > 1 and self.holds_objects:
            raise ValidationError(OPAQUE)

    def check_objects(self, offset, dictionary):
        """Look into the objects of the stream that begins there."""
        if b"/Filter" not in dictionary:
            return  # they stand there in plain bytes
        if _FILTERS.findall(dictionary) != [b"FlateDecode"] or b"/DecodeParms" in dictionary:
            raise ValidationError(OPAQUE)
        self.object_streams += 1
        _refuse_above(self.object_streams, MOST_OBJECT_STREAMS)
        inflater, tail = zlib.decompressobj(), b""
        self.file.seek(offset)
        try:
            while not inflater.eof and (chunk := inflater.unconsumed_tail or self.file.read(_PIECE)):
                objects = inflater.decompress(chunk, WINDOW)
                self.inflated += len(objects)
                _refuse_above(self.inflated, MOST_INFLATED)
                self.check_names(tail + objects)
                tail = objects[-_LONGEST_NAME:]
        except zlib.error:
            raise ValidationError(OPAQUE) from None

    def check_names(self, text):
        """Refuse a text with a name of what is not accepted; returns it without escapes."""
        plain = self.plain(text)
        found = _ACTIVE.search(plain)
        if found:
            is_attached = found[0].startswith(_ATTACHED)
            raise ValidationError(ATTACHED if is_attached else LOCKED if b"Encrypt" in found[0] else ACTIVE)
        return plain

    def plain(self, text):
        """Names without the escapes they may be written with: /J#61vaScript is /JavaScript."""
        if b"#" not in text:
            return text
        text, count = _HEX.subn(lambda match: bytes([int(match[1], 16)]), text)
        self.escapes += count
        _refuse_above(self.escapes, MOST_ESCAPES)
        return text


def _windows(file):
    """`(offset, bytes, where in them what is new begins)`, each overlapping the one before."""
    offset, tail = 0, b""
    while True:
        file.seek(offset)
        chunk = file.read(WINDOW)
        if not chunk:
            return
        yield offset - len(tail), tail + chunk, len(tail)
        offset += len(chunk)
        tail = (tail + chunk)[-OVERLAP:]


def _refuse_above(number, most):
    if number > most:
        raise ValidationError(OPAQUE)
