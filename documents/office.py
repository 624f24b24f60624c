"""What may not be in a Word or Excel file: macros, programs, foreign templates, and more than its size says.

Only headers are summed, and two small parts read: nothing is unpacked whole.
"""

import struct
import zipfile
import zlib

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MOST_ENTRIES, MOST_DIRECTORY_BYTES = 5_000, 1_000_000
MOST_UNPACKED, MOST_RATIO = 200_000_000, 150
# Small parts shrink well without being bombs.
FREE_OF_RATIO = 1_000_000
MOST_READ = 1_000_000

DAMAGED = _("The file is damaged or is no Word or Excel file")
MACROS = _("Files with macros or embedded programs are not accepted")
BOMB = _("The file unpacks to far more than its size")
LOCKED = _("Files protected by a password are not accepted")

_MAIN = {
    b"wordprocessingml.document.main+xml": ("docx", "word/document.xml"),
    b"spreadsheetml.sheet.main+xml": ("xlsx", "xl/workbook.xml"),
}
_PROGRAMS = ("vbaproject", "vbadata", "activex/", "macrosheets/", "oleobject", "dialogsheets/")
_END = struct.Struct("<4s4H2LH")


def kind_of(file):
    """`docx` or `xlsx`. ValidationError for what is neither, or is not to be accepted."""
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            names = {entry.filename.lower() for entry in entries}
            _check_entries(entries, names)
            _check_parts(archive, names)
            return _main_part(archive, names)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, KeyError, OSError, ValueError, EOFError):
        raise ValidationError(DAMAGED) from None


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


def _check_parts(archive, names):
    """No template that is fetched from elsewhere, with whatever macros it has then."""
    if "word/_rels/settings.xml.rels" in names:
        relations = _read(archive, "word/_rels/settings.xml.rels")
        if b"attachedTemplate" in relations and b"External" in relations:
            raise ValidationError(MACROS)


def _main_part(archive, names):
    types = _read(archive, "[content_types].xml")
    if b"macroenabled" in types.lower():
        raise ValidationError(MACROS)
    for mark, (kind, part) in _MAIN.items():
        if mark in types and part in names:
            return kind
    raise ValidationError(DAMAGED)


def _read(archive, name):
    """A small part; names are compared as Office does, whatever their case."""
    entry = next(entry for entry in archive.infolist() if entry.filename.lower() == name)
    with archive.open(entry) as part:
        content = part.read(MOST_READ + 1)
    if len(content) > MOST_READ:
        raise ValidationError(BOMB)
    return content
