"""What workers do with transfers: run the one that has waited longest, as who asked for it, and forget old files.

One worker does so at a time (config.jobs), so whatever is at work when another begins was left by one that ended: it
is begun anew. An import is one transaction with the word that it is done, so it is done once or not at all.
"""

import logging
import shutil
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from config.api.exceptions import ServiceAway
from config.audit import record_export, recorded
from config.logging import request_id
from customers.choices import AT_WORK, ENDED_TRANSFERS, TransferKind, TransferStatus
from customers.exporting.exporter import Exporter
from customers.importing.importer import IMPORTERS
from customers.importing.report import Report
from customers.importing.rows import NothingImported
from customers.models import Transfer
from customers.services.transfer import TEMPORARY, check_may, drop, end, on_disk, put
from customers.transfer_files import transfer_files
from employees.models import Employee

logger = logging.getLogger("hub.transfers")
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=1)
SECONDS_BETWEEN_WORDS = 1
_COUNTS = ("read", "inserted", "updated", "unchanged", "duplicates", "notices")


class Refused(Exception):
    """Says in one sentence why a transfer is not done."""


class Ended(Exception):
    """The transfer was cancelled, or another worker has begun with it."""


def run_next():
    """Run the transfer that has waited longest; returns its id, None when there is none."""
    transfer = _take()
    if transfer is None:
        return None
    token = request_id.set(transfer.request_id)
    try:
        with translation.override(transfer.language):
            _run(transfer)
    finally:
        request_id.reset(token)
    return transfer.pk


def ended_with_files(before):
    """Transfers that ended before a moment and of which something is left."""
    return Transfer.objects.filter(finished_at__lt=before).exclude(error_key="", output_key="", sample=[])


def prune(before=None):
    """Forget what is left of transfers that ended before a moment, by default a day ago; returns how many.

    Those that have waited for a word since then are cancelled.
    """
    past = before or timezone.now() - KEPT_FOR
    with recorded(None):
        waiting = Transfer.objects.filter(queued_at__lt=past).exclude(status__in=[*ENDED_TRANSFERS, *AT_WORK])
        for transfer in _held(waiting):
            end(transfer, TransferStatus.CANCELLED)
        old = _held(ended_with_files(past))
        for transfer in old:
            drop(transfer, error_key="", output_key="", sample=[])
    transfer_files.remove(*transfer_files.abandoned(_named))
    for folder in Path(gettempdir()).glob(f"{TEMPORARY}*"):
        if folder.stat().st_mtime < past.timestamp():
            shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _take():
    with recorded(None):
        due = Transfer.objects.filter(status__in=AT_WORK).order_by("queued_at", "pk")
        transfer = due.select_for_update(skip_locked=True).first()
        if transfer and transfer.status == TransferStatus.WAITING:
            put(transfer, status=TransferStatus.RUNNING)
        if transfer:
            put(transfer, attempts=transfer.attempts + 1, started_at=timezone.now(), progress=0, rows_done=0)
        return transfer


def _run(transfer):
    try:
        if transfer.attempts > MOST_ATTEMPTS:
            raise Refused(_("It was begun several times, and could not be finished"))
        actor = _requester(transfer)
        {TransferKind.IMPORT: _import, TransferKind.EXPORT: _export}[transfer.kind](transfer, actor)
    except Ended:
        logger.info("transfer ended meanwhile", extra={"facts": {"transfer": transfer.pk}})
    except (Refused, NothingImported) as error:
        _fail(transfer, str(error))
    except PermissionDenied:
        _fail(transfer, _("The person who asked for it may not do this any more"))
    except ServiceAway:
        put(transfer, attempts=0)  # it is begun anew until the storage is back
    except (APIException, ValidationError):
        _fail(transfer, _("The filters of the list mean nothing any more"))
    except FileNotFoundError:
        _fail(transfer, _("The file is not there any more"))
    except SoftTimeLimitExceeded:
        _fail(transfer, _("It took too long; please divide it into several"))
    except (DatabaseError, InterfaceError):
        if not connections["default"].is_usable():
            raise
        _fail_unexpectedly(transfer)
    except Exception:
        _fail_unexpectedly(transfer)


def _requester(transfer):
    """Who asked, with the role that they have now; a superuser in the organization that they worked in."""
    actor = Employee.objects.select_related("organization").get(pk=transfer.requested_by_id)
    if not actor.is_active:
        raise PermissionDenied
    if actor.organization_id != transfer.organization_id:
        if not actor.is_superuser:
            raise PermissionDenied
        actor = actor.working_in(transfer.organization_id)
    check_may(actor, transfer.kind, transfer.what)
    return actor


# --- Imports ------------------------------------------------------------------------------------


def _import(transfer, actor):
    is_check = transfer.status == TransferStatus.CHECKING
    with (
        closing(transfer_files.open_kept(transfer.source_key)) as source,
        on_disk(source) as path,
        closing(_Word(transfer)) as word,
    ):
        report = Report(path.with_name("errors.csv"))
        importer = IMPORTERS[transfer.what](
            actor.organization,
            report,
            upsert=transfer.upsert,
            actor=actor,
            mapping=transfer.mapping,
            heard=lambda rows: word.say(importer.fraction(), rows),
        )
        error_key = ""
        try:
            with transaction.atomic():
                importer.run(path, transfer.format, dry_run=is_check)
                error_key = _kept_errors(report)
                with recorded(actor):
                    _conclude(transfer, is_check, report, error_key)
        except BaseException:
            transfer_files.remove(error_key)
            raise
        finally:
            report.discard()
    importer.settle()


def _kept_errors(report):
    if not report.keep():
        return ""
    with open(report.path, "rb") as file:
        return transfer_files.keep(file)


def _conclude(transfer, is_check, report, error_key):
    counts = {name: getattr(report, name) for name in _COUNTS} | {"bad": report.bad_rows}
    row = _still(transfer)
    drop(row, error_key=error_key)
    found = {"counts": counts, "sample": report.sample, "progress": 1, "rows_done": report.read}
    if is_check:
        put(row, status=TransferStatus.CHECKED, **found)
    else:
        end(row, TransferStatus.DONE, **found)


# --- Exports ------------------------------------------------------------------------------------


def _export(transfer, actor):
    with closing(_Word(transfer)) as word, TemporaryFile() as file:
        exporter = Exporter(
            transfer.what,
            transfer.query,
            actor=actor,
            columns=transfer.columns,
            heard=lambda rows: word.say(exporter.fraction(), rows),
        )
        count = exporter.write(file, transfer.format)
        key = transfer_files.keep(file)
    try:
        with recorded(actor):
            done = {"counts": {"rows": count}, "progress": 1, "rows_done": count, "output_key": key}
            end(_still(transfer), TransferStatus.DONE, **done)
            record_export(transfer.what, transfer.pk, organization_id=transfer.organization_id, rows=count, actor=actor)
    except BaseException:
        transfer_files.remove(key)
        raise


# --- Both ---------------------------------------------------------------------------------------


class _Word:
    """Tells people how far a transfer has come, over a connection of its own: its run is a transaction."""

    def __init__(self, transfer):
        self.transfer, self.connection = transfer, None
        self.next_time = time.monotonic() + SECONDS_BETWEEN_WORDS

    def say(self, fraction, rows):
        """Once a second. Raises Ended when the transfer was cancelled meanwhile."""
        if time.monotonic() < self.next_time:
            return
        self.connection = self.connection or connections.create_connection("default")
        with self.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE transfers SET progress = %s, rows_done = %s WHERE id = %s AND attempts = %s RETURNING status",
                [min(fraction, 1), rows, self.transfer.pk, self.transfer.attempts],
            )
            if cursor.fetchone() == (TransferStatus.CANCELLED,):
                raise Ended
        self.next_time = time.monotonic() + SECONDS_BETWEEN_WORDS

    def close(self):
        if self.connection:
            self.connection.close()


def _still(transfer):
    """The row of a transfer, held, if it is still this run's. Raises Ended."""
    row = Transfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
    if (row.status, row.attempts) != (transfer.status, transfer.attempts):
        raise Ended
    return row


def _fail(transfer, sentence):
    with recorded(None):
        try:
            row = _still(transfer)
        except Ended:
            return
        end(row, TransferStatus.FAILED, error=sentence)


def _fail_unexpectedly(transfer):
    logger.exception("transfer failed", extra={"facts": {"transfer": transfer.pk}})
    _fail(transfer, _("Something went wrong; nothing was changed"))


def _held(transfers):
    return list(transfers.order_by("pk").select_for_update(no_key=True, skip_locked=True))


def _named(keys):
    """Those of some keys that a transfer names."""
    columns = ("source_key", "error_key", "output_key")
    named = (Transfer.objects.filter(**{f"{column}__in": keys}).values_list(column, flat=True) for column in columns)
    return {key for found in named for key in found}
