"""Which files are accepted: by what is in them, with which their name and their declared type must agree."""

import re
import unicodedata
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from documents import images, office, pdf
from documents.scanning import Infected, scan

LONGEST_NAME = 255


class Kind(NamedTuple):
    """One kind of files: its MIME type, what else that is called, how names end, and Pillow's word for it."""

    mime_type: str
    also: tuple
    endings: tuple
    picture: str = ""


PDF = Kind("application/pdf", ("application/x-pdf",), (".pdf",))
PICTURES = {
    b"\xff\xd8\xff": Kind("image/jpeg", ("image/jpg", "image/pjpeg"), (".jpg", ".jpeg"), "JPEG"),
    b"\x89PNG\r\n\x1a\n": Kind("image/png", ("image/x-png",), (".png",), "PNG"),
    b"RIFF": Kind("image/webp", (), (".webp",), "WEBP"),
}
_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_ZIP = ("application/zip", "application/x-zip-compressed")
OFFICE = {
    "docx": Kind(f"{_OPEN_XML}.wordprocessingml.document", _ZIP, (".docx",)),
    "xlsx": Kind(f"{_OPEN_XML}.spreadsheetml.sheet", _ZIP, (".xlsx",)),
}
_UNDECLARED = ("", "application/octet-stream")
# What browsers call a file that a script has made without a name.
_NAMELESS = "blob"
# What other programs would take a file for, wherever it stands in one that pretends to be something else.
# Twenty megabytes of compressed bytes hold any three letters by chance, hence what follows them.
_MARKUP = re.compile(rb"<(?:script|html|svg|\?php|!doctype\shtml)[\s>/]", re.IGNORECASE)
_ARCHIVE_END, _ARCHIVE_TAIL = b"PK\5\6", 65_557
_PIECE = 1 << 20

UNKNOWN = _("Only PDF, JPEG, PNG, WebP, Word (docx) and Excel (xlsx) files are accepted")
CONTRADICTORY = _("The content of the file, the ending of its name and its declared type do not agree")
TWO_THINGS = _("The file is more than one kind of file at once")
LOCKED_OR_OLD = _("Office files that are protected by a password, or older than docx and xlsx, are not accepted")
INFECTED = _("The virus scanner refused this file")


class Inspected(NamedTuple):
    """A file that may be kept, open."""

    file: Any
    name: str
    mime_type: str
    size: int


def inspected(upload):
    """An uploaded file as it may be kept: pictures made anew, all others as they are.

    Raises ValidationError with the reason why it is refused, ServiceAway when the scanner is.
    """
    file = upload.file
    kind = _kind_of(file)
    declared, name = (upload.content_type or "").lower(), clean_name(upload.name)
    if name == _NAMELESS and declared in (kind.mime_type, *kind.also):
        name = f"document{kind.endings[0]}"
    if not name.lower().endswith(kind.endings):
        raise ValidationError(CONTRADICTORY)
    if declared not in (kind.mime_type, *kind.also, *_UNDECLARED):
        raise ValidationError(CONTRADICTORY)
    try:
        scan(file)
    except Infected:
        raise ValidationError(INFECTED) from None
    if kind.picture:
        file = images.made_anew(file, kind.picture)
    size = file.seek(0, 2)
    file.seek(0)
    return Inspected(file, name, kind.mime_type, size)


def _kind_of(file):
    """What a file is by its content, after everything that may not be in it has been looked for."""
    file.seek(0)
    head = file.read(1024)
    if head.startswith(b"%PDF-"):
        _check_is_one_thing(file)
        pdf.check(file)
        return PDF
    for mark, kind in PICTURES.items():
        if head.startswith(mark) and (mark != b"RIFF" or head[8:12] == b"WEBP"):
            if b"%PDF-" in head:
                raise ValidationError(TWO_THINGS)
            _check_is_one_thing(file)
            return kind
    if head.startswith(b"PK\3\4"):
        return OFFICE[office.kind_of(file)]
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise ValidationError(LOCKED_OR_OLD)
    raise ValidationError(UNKNOWN)


def _check_is_one_thing(file):
    """No web page, script or archive hides in a file that is also something else."""
    file.seek(0)
    tail = b""
    while chunk := file.read(_PIECE):
        text = tail + chunk
        if _MARKUP.search(text):
            raise ValidationError(TWO_THINGS)
        tail = text[-_ARCHIVE_TAIL:]
    if _ARCHIVE_END in tail:
        raise ValidationError(TWO_THINGS)


def clean_name(name):
    """The name of a file without folders and without what cannot be seen, which includes what turns text around."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    name = "".join(c for c in name if c.isprintable()).strip(" .")
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}"[:LONGEST_NAME] or "file"
