"""What may not be in a Word or Excel file: macros, programs, what is fetched from elsewhere, and more than it says.

Parts are judged by what is in them and by what the package says of them, never by their names alone. The sizes of
what is unpacked are summed first: no more is read than the bounds below.
"""

import io
import re
import struct
import zipfile
import zlib
from itertools import count
from urllib.parse import unquote
from xml.parsers import expat

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MOST_ENTRIES, MOST_DIRECTORY_BYTES = 5_000, 1_000_000
MOST_UNPACKED, MOST_RATIO = 200_000_000, 150
# Small parts shrink well without being bombs.
FREE_OF_RATIO = 1_000_000
# Of what is parsed: the lists of parts and relations, and the texts of Word.
MOST_LISTED, MOST_TEXT, MOST_ELEMENTS = 5_000_000, 50_000_000, 1_000_000
LONGEST_TAG, MOST_ATTRIBUTES, _PIECE = 500_000, 500, 1 << 16
# Of workbooks in documents, which charts have.
MOST_NESTED, MOST_NESTED_BYTES = 50, 10_000_000

DAMAGED = _("The file is damaged or is no Word or Excel file")
MACROS = _("Files with macros or embedded programs are not accepted")
FETCHING = _("Files that fetch parts of themselves from elsewhere are not accepted")
BOMB = _("The file unpacks to far more than its size")
LOCKED = _("Files protected by a password are not accepted")
OPAQUE = _("This file is too large to be inspected; save it as PDF and send that")

_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_MAIN = {
    f"{_OPEN_XML}.wordprocessingml.document.main+xml": ("docx", "word/document.xml"),
    f"{_OPEN_XML}.spreadsheetml.sheet.main+xml": ("xlsx", "xl/workbook.xml"),
}
_PROGRAMS = ("vbaproject", "vbadata", "activex", "macro", "oleobject", "dialogsheet")
# The last words of the types of relations that bring programs or foreign formats, and of those that fetch.
_BRINGING = {"control", "afchunk", "extensibility"}
_FETCHING = {"attachedtemplate", "externallink", "subdocument", "frame"}
_HYPERLINKS = {
    "http://schemas.openxmlformats.org/officedocument/2006/relationships/hyperlink",
    "http://purl.oclc.org/ooxml/officedocument/relationships/hyperlink",
}
_ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|//|\\)", re.IGNORECASE)
# How programs, older Office files (and all with macros in them), RTF and scripts begin.
_FOREIGN = (b"MZ", b"\x7fELF", b"\xd0\xcf\x11\xe0", b"{\\rt", b"#!", b"%PDF", b"ITSF", b"Rar!", b"7z\xbc\xaf")
_ARCHIVE = b"PK"
_TEXTS = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")
# A field that has another program answer, perhaps spelt in numbers.
_ASKING = re.compile(r'\0[\s"\\]*(?:DDE(?:AUTO)?\b|LINK\b|QUOTE[\s"]+\d)', re.IGNORECASE)
_END = struct.Struct("<4s4H2LH")
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, expat.ExpatError),
    *(NotImplementedError, RuntimeError, KeyError, OSError, ValueError, EOFError),
)


def kind_of(file, seen=None):
    """`docx` or `xlsx`. ValidationError for what is neither, or is not to be accepted.

    `seen` counts the elements of the file that this one is in, if any.
    """
    is_nested, seen = seen is not None, seen or count()
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = {_name_of(entry): entry for entry in archive.infolist()}
            _check_entries(archive.infolist(), parts)
            kind = _main_part(archive, parts, seen)
            _check_relations(archive, parts, seen)
            _check_contents(archive, parts, kind, seen, is_nested)
            return kind
    except _BROKEN:
        raise ValidationError(DAMAGED) from None


def _name_of(entry):
    """The name of a part; they are compared as Office does, whatever their case and escapes."""
    return unquote(entry.filename).lower()


def _check_directory(file):
    """The end of the archive is the end of the file, its directory stands before it, and is small enough to read."""
    size = file.seek(0, 2)
    if size < _END.size:
        raise ValidationError(DAMAGED)
    file.seek(size - _END.size)
    mark, disk, start_disk, here, entries, length, offset, comment = _END.unpack(file.read(_END.size))
    is_plain = mark == b"PK\5\6" and not disk and not start_disk and here == entries and not comment
    if not is_plain or offset + length != size - _END.size:
        raise ValidationError(DAMAGED)
    if entries > MOST_ENTRIES or length > MOST_DIRECTORY_BYTES:
        raise ValidationError(BOMB)


def _check_entries(entries, names):
    if len(entries) > MOST_ENTRIES:
        raise ValidationError(BOMB)
    if len(names) < len(entries) or any(".." in name or "\\" in name or name.startswith("/") for name in names):
        raise ValidationError(DAMAGED)
    if any(entry.flag_bits & 1 for entry in entries):
        raise ValidationError(LOCKED)
    if any(word in name for name in names for word in _PROGRAMS):
        raise ValidationError(MACROS)
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise ValidationError(BOMB)
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValidationError(DAMAGED)
        if entry.file_size > max(FREE_OF_RATIO, entry.compress_size * MOST_RATIO):
            raise ValidationError(BOMB)
        # Parts that share their bytes unpack to more than there is.
        if entry.header_offset < end:
            raise ValidationError(BOMB)
        end = entry.header_offset + entry.compress_size


def _main_part(archive, parts, seen):
    types = set()

    def collect(parser, element, attributes):
        types.add(attributes.get("ContentType", "").strip().lower())

    _parse(archive, [parts["[content_types].xml"]], MOST_LISTED, collect, seen)
    if any(word in name for name in types for word in _PROGRAMS):
        raise ValidationError(MACROS)
    for name, (kind, part) in _MAIN.items():
        if name in types and part in parts:
            return kind
    raise ValidationError(DAMAGED)


def _check_relations(archive, parts, seen):
    """No part that is a program, and none that is fetched from elsewhere, with whatever is in it then."""

    def check(parser, element, attributes):
        kind, target = attributes.get("Type", "").strip().lower(), attributes.get("Target", "")
        mode = attributes.get("TargetMode", "").strip().lower()
        is_elsewhere = mode not in ("", "internal") or _ELSEWHERE.match(target)
        word = kind.rpartition("/")[2]
        if word in _FETCHING or is_elsewhere and kind not in _HYPERLINKS:
            raise ValidationError(FETCHING)
        if word in _BRINGING or any(program in word for program in _PROGRAMS):
            raise ValidationError(MACROS)

    _parse(archive, [entry for name, entry in parts.items() if name.endswith(".rels")], MOST_LISTED, check, seen)


def _check_contents(archive, parts, kind, seen, is_nested):
    """No part that begins as a program does, no archive but a sound workbook, no field that starts a program."""
    texts, nested = [], []
    for entry in parts.values():
        with archive.open(entry) as part:
            head = part.read(4)
        if head.startswith(_FOREIGN):
            raise ValidationError(MACROS)
        if head.startswith(_ARCHIVE):
            nested.append(entry)
        elif head.lstrip().startswith(_TEXTS) or head.isspace():
            texts.append(entry)
    if nested and is_nested:
        raise ValidationError(MACROS)
    if len(nested) > MOST_NESTED or sum(entry.file_size for entry in nested) > MOST_NESTED_BYTES:
        raise ValidationError(OPAQUE)
    for entry in nested:
        kind_of(io.BytesIO(archive.read(entry)), seen)
    if kind == "docx":
        _check_fields(archive, texts, seen)


def _check_fields(archive, entries, seen):
    """The instructions of the fields of a Word file, which may be in pieces, name no other program."""
    written = []

    def collect(parser, element, attributes):
        name = element.rpartition(":")[2]
        parser.CharacterDataHandler = written.append if name == "instrText" else None
        if name in ("fldChar", "fldSimple"):
            written.append("\0" + next((text for key, text in attributes.items() if key.endswith("instr")), ""))

    _parse(archive, entries, MOST_TEXT, collect, seen)
    if _ASKING.search("".join(written)):
        raise ValidationError(MACROS)


def _parse(archive, entries, most, see, seen):
    """Call `see(parser, name, attributes)` for each element of XML parts; what is declared in them is refused."""
    if sum(entry.file_size for entry in entries) > most:
        raise ValidationError(OPAQUE)
    for entry in entries:
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def start(name, attributes, parser=parser):
            if next(seen) >= MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
                raise ValidationError(OPAQUE)
            see(parser, name, attributes)

        parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, _refuse_declarations
        with archive.open(entry) as part:
            fed = 0
            while piece := part.read(_PIECE):
                parser.Parse(piece)
                fed += len(piece)
                # Attributes take the square of their number, before anybody sees them.
                if fed - max(parser.CurrentByteIndex, 0) > LONGEST_TAG:
                    raise ValidationError(OPAQUE)
            parser.Parse(b"", True)


def _refuse_declarations(*_declared):
    raise ValidationError(DAMAGED)
