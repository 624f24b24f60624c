"""What people do with transfers: files are uploaded, their columns chosen, imports confirmed, exports ordered.

Requests only write rows; customers.transferring is what workers do with them.
"""

import shutil
import unicodedata
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from config.audit import record_read, recorded
from config.db import lock
from config.logging import request_id
from customers.choices import ENDED_TRANSFERS, FileFormat, TransferKind, Transferred, TransferStatus
from customers.exporting.columns import shape_of
from customers.exporting.selection import selected
from customers.importing import readers
from customers.importing.importer import IMPORTERS
from customers.importing.rows import NothingImported
from customers.importing.tables import proposed
from customers.importing.words import columns_by_key, labels_by_column
from customers.models import Transfer
from customers.transfer_files import transfer_files

PREVIEW_ROWS = 5
# How the names of folders begin that a process which is killed leaves behind.
TEMPORARY = "hub-transfer-"
LONGEST_CELL, MOST_COLUMNS = 200, 200
# What a transfer needs; an import of customers may assign them too.
_NEEDED = {
    (TransferKind.IMPORT, Transferred.CUSTOMERS): ("customers.write", "customers.assign"),
    (TransferKind.IMPORT, Transferred.LISTINGS): ("listings.write",),
    (TransferKind.EXPORT, Transferred.CUSTOMERS): ("customers.export",),
    (TransferKind.EXPORT, Transferred.LISTINGS): ("listings.read",),
}


# --- Imports ------------------------------------------------------------------------------------


def start_import(*, actor, file, what, upsert=False):
    """Take in an uploaded file; the columns that its headers mean are proposed, in `mapping`.

    Raises PermissionDenied, ValidationError (422) on `file` with what is wrong with it, ServiceAway (503) when it
    cannot be stored.
    """
    check_may(actor, TransferKind.IMPORT, what)
    if file.size > settings.MAX_FILE_BYTES:
        message = _("The file is larger than %(megabytes)d MB") % {"megabytes": settings.MAX_FILE_BYTES >> 20}
        raise ValidationError({"file": message})
    try:
        with on_disk(file) as path:
            format, headers, rows = _beginning_of(path)
    except NothingImported as error:
        raise ValidationError({"file": str(error)}) from None
    values = {
        "format": format,
        "file_name": _clean_name(file.name),
        "preview": {"headers": [header.strip()[:LONGEST_CELL] for header in headers], "rows": rows},
        "mapping": proposed(headers, columns_by_key(IMPORTERS[what].header_table)),
        "upsert": upsert,
    }
    key = transfer_files.keep(file)
    try:
        with recorded(actor):
            return _begin(actor, TransferKind.IMPORT, what, TransferStatus.UPLOADED, source_key=key, **values)
    except BaseException:
        transfer_files.remove(key)
        raise


def check(transfer, *, actor, mapping=None, upsert=None):
    """Have a worker do the import and undo it; with `mapping`, by other columns than were proposed.

    `mapping` names a column of ours for each header, "" where it is left out. Raises ValidationError: 422 on
    `mapping` when two headers are the same column or a needed one is missing, 409 when the import is past that.
    """
    with recorded(actor):
        transfer = _held(transfer, actor, TransferStatus.UPLOADED, TransferStatus.CHECKED)
        mapping = transfer.mapping if mapping is None else list(mapping)
        _check_mapping(transfer, mapping, actor)
        upsert = transfer.upsert if upsert is None else upsert
        return _queue(transfer, TransferStatus.CHECKING, mapping=mapping, upsert=upsert)


def confirm(transfer, *, actor):
    """Have a worker do the import that was checked. Raises ValidationError (409) when none was."""
    with recorded(actor):
        return _queue(_held(transfer, actor, TransferStatus.CHECKED), TransferStatus.IMPORTING)


def column_choices(what):
    """`[(name, label)]` of the columns that a header can be, in the active language."""
    return list(labels_by_column(IMPORTERS[what].header_table, get_language()).items())


# --- Exports ------------------------------------------------------------------------------------


def start_export(*, actor, what, query="", format=FileFormat.CSV, columns=()):
    """Order a file of the rows that the list shows the actor for a query string; see exporting.selection.

    `columns` names those of export_columns that are wanted; without any all come. Raises PermissionDenied,
    ValidationError: 400 naming filters that are wrong, 422 for unknown columns.
    """
    check_may(actor, TransferKind.EXPORT, what)
    selected(what, query, actor)
    known = shape_of(what, actor).columns
    if strangers := [name for name in columns if name not in known]:
        raise ValidationError({"columns": _("Unknown columns: %(names)s") % {"names": ", ".join(strangers)}})
    name = f"{what}-{timezone.localdate()}.{format}"
    values = {"format": format, "query": query, "columns": list(columns), "file_name": name}
    with recorded(actor):
        return _begin(actor, TransferKind.EXPORT, what, TransferStatus.WAITING, scope=scope_of(actor), **values)


def export_columns(what, *, actor):
    """`[(name, label)]` of the columns that can be exported, in the active language."""
    return [(name, column.label) for name, column in shape_of(what, actor).columns.items()]


# --- Both ---------------------------------------------------------------------------------------


def cancel(transfer, *, actor):
    """End a transfer that has not ended; what a worker is doing of it is undone. Raises ValidationError (409)."""
    with recorded(actor):
        transfer = lock(transfer, among=Transfer.objects.visible_to(actor))
        if transfer.status in ENDED_TRANSFERS:
            raise ValidationError(_("The transfer has ended already"), code="conflict")
        end(transfer, TransferStatus.CANCELLED)
        return transfer


def open_output(transfer, *, actor):
    """The file of an export, open. Raises Transfer.DoesNotExist when it is not the actor's, or there no longer.

    What somebody exported before they came to see less is theirs no more.
    """
    transfer = Transfer.objects.visible_to(actor).exclude(output_key="").get(pk=transfer.pk)
    check_may(actor, transfer.kind, transfer.what)
    if not actor.is_admin and transfer.scope != scope_of(actor):
        raise Transfer.DoesNotExist
    file = _opened(transfer.output_key)
    record_read(transfer, actor=actor)
    return file


def open_errors(transfer, *, actor):
    """The error file of an import, open: CSV in the language of who asked. Raises as open_output does."""
    transfer = Transfer.objects.visible_to(actor).exclude(error_key="").get(pk=transfer.pk)
    check_may(actor, transfer.kind, transfer.what)
    return _opened(transfer.error_key)


def forget_transfers(organization_id):
    """Remove all files of an organization's transfers, and what their rows repeat of them; those under way end.

    For when a person is forgotten, whom any of them may name. Called inside a transaction.
    """
    for transfer in Transfer.objects.filter(organization=organization_id).order_by("pk").select_for_update():
        if transfer.status not in ENDED_TRANSFERS:
            end(transfer, TransferStatus.CANCELLED)
        drop(transfer, error_key="", output_key="", sample=[], query="", file_name="", error="")


def check_may(actor, kind, what):
    """Raise PermissionDenied with the permission that the actor lacks for such transfers."""
    for permission in _NEEDED[kind, what]:
        if not actor.may(permission):
            raise PermissionDenied(permission)


def scope_of(actor):
    """Whose customers somebody sees: what was exported under another scope is not for them."""
    return f"{actor.role}:{actor.team_id or ''}"


def end(transfer, status, **values):
    """Give a held transfer its last status; what it was made of is removed."""
    put(transfer, status=status, finished_at=timezone.now(), **values)
    drop(transfer, source_key="", preview={})


def put(transfer, **values):
    """Save these columns of a held transfer."""
    for name, value in values.items():
        setattr(transfer, name, value)
    transfer.save(update_fields=list(values))


def drop(transfer, **values):
    """The same, where files that are named no more are removed when that is certain."""
    keys = [getattr(transfer, name) for name in values if name.endswith("_key")]
    put(transfer, **values)
    transfer_files.remove_on_commit(*keys)


@contextmanager
def on_disk(file):
    """An open file as a path, for as long as it is needed: readers of spreadsheets take paths."""
    with TemporaryDirectory(prefix=TEMPORARY) as folder:
        path = Path(folder) / "file"
        file.seek(0)
        with open(path, "wb") as copy:
            shutil.copyfileobj(file, copy)
        yield path


def _begin(actor, kind, what, status, **values):
    return Transfer.objects.create(
        organization_id=actor.organization_id,
        requested_by=actor,
        request_id=request_id.get(),
        language="ar" if get_language() == "ar" else "en",
        kind=kind,
        what=what,
        status=status,
        **values,
    )


def _held(transfer, actor, *statuses):
    """An import of the actor's own, held, in one of these states."""
    transfer = lock(transfer, among=Transfer.objects.visible_to(actor))
    check_may(actor, transfer.kind, transfer.what)
    if transfer.requested_by_id != actor.pk:
        raise ValidationError(_("Only the person who uploaded a file can import it"))
    if transfer.status not in statuses:
        message = _("The transfer has gone on meanwhile, or has ended")
        raise ValidationError(message, code="conflict", params={"currentStatus": transfer.status})
    return transfer


def _queue(transfer, status, **values):
    anew = {"progress": 0, "rows_done": 0, "attempts": 0, "started_at": None}
    put(transfer, status=status, queued_at=timezone.now(), **anew, **values)
    return transfer


def _check_mapping(transfer, mapping, actor):
    importer = IMPORTERS[transfer.what](actor.organization, None, actor=actor, mapping=mapping)
    named = [name for name in mapping if name]
    known = set(columns_by_key(importer.header_table).values())
    if len(mapping) != len(transfer.mapping) or set(named) - known:
        raise ValidationError({"mapping": _("Must name a column, or nothing, for each header of the file")})
    if len(set(named)) < len(named):
        raise ValidationError({"mapping": _("Two headers cannot be the same column")})
    try:
        importer.sheet(transfer.preview["headers"])
    except NothingImported as error:
        raise ValidationError({"mapping": str(error)}) from None


def _beginning_of(path):
    """`(format, headers, first rows)` of a spreadsheet. Raises NothingImported."""
    kind = readers.format_of(path)
    with open(path, "rb") as file:
        is_pdf = file.read(5) == b"%PDF-"
    if kind == "json" or is_pdf:
        raise readers.UnreadableFile(_("Only CSV and Excel (xlsx) files can be imported here"))
    with readers.open_sheet(path, kind) as sheet:
        if len(sheet.headers) > MOST_COLUMNS:
            raise readers.UnreadableFile(_("The file has more than %(count)d columns") % {"count": MOST_COLUMNS})
        rows = [[cell[:LONGEST_CELL] for cell in cells] for _number, cells in islice(sheet.rows, PREVIEW_ROWS)]
        return kind, sheet.headers, rows


def _opened(key):
    try:
        return transfer_files.open_kept(key)
    except FileNotFoundError:
        raise Transfer.DoesNotExist from None


def _clean_name(name):
    """The name of a file without folders and without what cannot be seen."""
    name = unicodedata.normalize("NFC", Path((name or "").replace("\\", "/")).name)
    return "".join(character for character in name if character.isprintable())[:255] or "file"
