"""The command that writes customers to a file: see `customers.exporting`."""

import os
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from config.audit import record_export
from config.commands import HubCommand
from config.progress import Progress
from customers.choices import Transferred
from customers.exporting.exporter import FORMATS, Exporter
from customers.importing.rows import messages_of
from employees.choices import Role
from employees.models import Employee, Organization


class Command(HubCommand):
    help = (
        "Write the customers of an organization to a file that import_customers reads: a spreadsheet (CSV, xlsx), or "
        "JSON with all that hangs on them. The file appears whole or not at all."
    )
    codes = "0 the file is there, 1 it is not"
    interrupted = gettext_lazy("Interrupted: nothing was written")

    def add_arguments(self, parser):
        parser.add_argument("file", help="a path, or - for standard output")
        parser.add_argument("--organization", required=True, metavar="ID")
        parser.add_argument("--format", choices=FORMATS, help="(default: by the name of the file, else csv)")
        parser.add_argument(
            "--filter", default="", metavar="QUERY", help="which: the query string of the list, stage=closing&city=جدة"
        )
        parser.add_argument("--language", choices=("ar", "en"), default="en", help="of headers and words")
        parser.add_argument("--dry-run", action="store_true", help="only count them")
        parser.add_argument("--force", action="store_true", help="write over a file that is there")
        self.add_summary(parser, "--summary")

    def handle(self, language, **options):
        with translation.override(language):
            super().handle(**options)

    def run(self, file, organization, format, dry_run, force, summary, **options):
        query, progress = options["filter"], Progress(self.stderr, lambda: exporter.fraction())
        try:
            actor = _everybody_s_eyes(organization)
            exporter = Exporter(Transferred.CUSTOMERS, query, actor=actor, heard=progress.show)
            if dry_run:
                self._summarize(exporter.count(), file, summary, dry_run)
                return
            is_stream = _is_stream(file)
            with self._opened(file, force) as opened:
                # What has left is written down: of a stream that is while it is written, of a file when it is there.
                if is_stream:
                    self._record(organization, exporter.count())
                count = exporter.write(opened, format or _format_of(file))
                progress.end(count)
                if not is_stream:
                    self._record(organization, count)
        except (ValidationError, PermissionDenied) as error:
            raise CommandError(_messages(error)) from None
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename or file}") from None
        self._summarize(count, file, summary, dry_run)

    def _summarize(self, count, file, summary, dry_run):
        if summary == "json":
            # The customers themselves may be on stdout.
            self.stdout = self.stderr if file == "-" else self.stdout
            self.summarize([("customers", None, count), ("file", None, file)], summary=summary, dry_run=dry_run)
        elif dry_run:
            self.stdout.write(_("Dry run: %(count)d customers would be written") % {"count": count})
        else:
            self.stderr.write(_("Customers written: %(count)d") % {"count": count}, style_func=str)

    def _record(self, organization, count):
        record_export("customers", "", organization_id=organization, rows=count, actor=None)

    def _opened(self, name, force):
        if name == "-":
            return nullcontext(sys.stdout.buffer)
        if _is_stream(name):
            return open(name, "wb")
        # Of a link the file that it names.
        path = Path(os.path.realpath(name))
        if path.is_dir():
            raise CommandError(_("%(path)s is a folder") % {"path": path})
        if path.exists() and not path.is_file():
            raise CommandError(_("%(path)s is no file that can be replaced") % {"path": path})
        if path.exists() and not force:
            raise CommandError(_("%(path)s is there already; --force writes over it") % {"path": path})
        return _whole_or_not(path)


def _is_stream(name):
    """Whether what is written has left at once: standard output, a pipe, a terminal."""
    return name == "-" or Path(name).is_fifo() or Path(name).is_char_device()


@contextmanager
def _whole_or_not(path):
    """A file to write, that only its owner reads; it takes its name when all of it is on disk."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _everybody_s_eyes(organization_id):
    """Somebody who sees all of an organization: whoever may run commands does."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None:
        raise CommandError(_("There is no organization %(id)s") % {"id": organization_id})
    return Employee(organization=organization, role=Role.ADMIN)


def _format_of(name):
    ending = Path(name).suffix.lower().removeprefix(".")
    return ending if ending in FORMATS else "csv"


def _messages(error):
    if isinstance(error, PermissionDenied):
        return str(error)
    return "; ".join(f"{name}: {message}" for name, message in messages_of(error))
