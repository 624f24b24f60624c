"""What may not be in a PDF: whatever runs, what is attached, and what nobody can look into.

No viewer's parser is imitated: names are looked for wherever they may stand, which is in the plain
bytes and in object streams. Streams are inflated only if they can hold objects, and bounded.
"""

import re
import zlib

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WINDOW, OVERLAP = 1 << 20, 1 << 16
# How far before its stream a dictionary may begin.
LONGEST_DICTIONARY = OVERLAP // 2
MOST_INFLATED = 50_000_000
_PIECE, _LONGEST_NAME = 1 << 16, 128
_ACTIVE = re.compile(
    rb"/(?:JavaScript|Launch|RichMedia|Rendition|EmbeddedFiles?|Encrypt)(?![A-Za-z0-9_])|/XFA\s*[\[\d]"
)
_HEX = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_LONGEST_MARK = len(b"stream\r\n")
_OBJECTS = re.compile(rb"/ObjStm(?![A-Za-z0-9_])")
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
    mentioned = looked_into = inflated = 0
    for start, window, fresh in _windows(file):
        _check_names(window)
        mentioned += len(_OBJECTS.findall(_plain(window))) - len(_OBJECTS.findall(_plain(window[:fresh])))
        for match in _STREAM.finditer(window, max(0, fresh - _LONGEST_MARK + 1)):
            begin = window.rfind(b"obj", max(0, match.start() - LONGEST_DICTIONARY), match.start())
            dictionary = _plain(window[begin : match.start()]) if begin >= 0 else b""
            if _OBJECTS.search(dictionary):
                inflated += _check_objects(file, start + match.end(), dictionary, MOST_INFLATED - inflated)
                looked_into += 1
    if mentioned != looked_into:
        raise ValidationError(OPAQUE)


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


def _plain(names):
    """Names without the escapes they may be written with: /J#61vaScript is /JavaScript."""
    return _HEX.sub(lambda match: bytes([int(match[1], 16)]), names) if b"#" in names else names


def _check_names(text):
    found = _ACTIVE.search(_plain(text))
    if found:
        refusal = ATTACHED if b"Embedded" in found[0] else LOCKED if b"Encrypt" in found[0] else ACTIVE
        raise ValidationError(refusal)


def _check_objects(file, start, dictionary, budget):
    """Look into the objects of a stream; returns how many bytes they were."""
    if b"/Filter" not in dictionary:
        return 0  # they stand there in plain bytes
    if _FILTERS.findall(dictionary) != [b"FlateDecode"] or b"/DecodeParms" in dictionary:
        raise ValidationError(OPAQUE)
    inflater, tail, inflated = zlib.decompressobj(), b"", 0
    file.seek(start)
    try:
        while not inflater.eof and (chunk := inflater.unconsumed_tail or file.read(_PIECE)):
            objects = inflater.decompress(chunk, WINDOW)
            inflated += len(objects)
            if inflated > budget:
                raise ValidationError(OPAQUE)
            _check_names(tail + objects)
            tail = objects[-_LONGEST_NAME:]
    except zlib.error:
        raise ValidationError(OPAQUE) from None
    return inflated
