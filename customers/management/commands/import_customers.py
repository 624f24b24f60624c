"""The command that brings customers in from a file: see `customers.importing`."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from config.audit import recorded
from config.progress import Progress
from customers.importing import readers
from customers.importing.columns import SheetRows, UnknownTable
from customers.importing.documents import Documents
from customers.importing.loader import Loader, settle_search_index
from customers.importing.report import Report
from customers.importing.rows import Problem
from employees.models import Employee, Organization

ALL_IN, NONE_IN, SOME_IN = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Import customers from a spreadsheet (CSV, xlsx) or the JSON of full customers, all of it in one transaction. "
        "Wrong rows go to an error file. Exit code: 0 every row is in, 2 some rows were wrong, 1 none is in."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--organization", required=True, metavar="ID")
        parser.add_argument("--dry-run", action="store_true", help="do everything, then undo it")
        parser.add_argument("--upsert", action="store_true", help="update the customers that exist already")
        parser.add_argument("--errors", type=Path, metavar="PATH", help="the error file (default: FILE.errors.csv)")
        parser.add_argument(
            "--format", choices=readers.FORMATS, help="of the file (default: by its name and beginning)"
        )
        parser.add_argument("--language", choices=("ar", "en"), default="en", help="of the reasons and the summary")

    def handle(self, file, organization, language, errors=None, **options):
        with translation.override(language):
            report = Report(errors or file.with_name(f"{file.name}.errors.csv"))
            try:
                self._import(file, organization, report, **options)
                there_is_a_file = report.keep()
            except (readers.UnreadableFile, UnknownTable) as error:
                raise CommandError(str(error)) from None
            except UniqueViolation:
                raise CommandError(_("Others changed the same customers meanwhile; nothing was imported")) from None
            except OSError as error:
                raise CommandError(f"{error.strerror}: {error.filename}") from None
            except KeyboardInterrupt:
                raise CommandError(_("Interrupted: nothing was imported")) from None
            finally:
                report.discard()
            self._summarize(report, there_is_a_file, options["dry_run"])
        code = ALL_IN if not report.bad_rows else NONE_IN if report.bad_rows == report.read else SOME_IN
        if code:
            sys.exit(code)

    def _import(self, file, organization_id, report, *, format, dry_run, upsert, **_options):
        kind = readers.format_of(file, format)
        if report.path.exists() and report.path.samefile(file):
            raise readers.UnreadableFile(_("The error file must not be the file itself"))
        organization = Organization.objects.filter(pk=organization_id).first()
        if organization is None:
            raise CommandError(_("There is no organization %(id)s") % {"id": organization_id})
        with recorded(None):
            if kind == "json":
                self._load_documents(readers.read_json(file), organization, report, upsert)
            else:
                with readers.open_sheet(file, kind) as sheet:
                    self._load_sheet(sheet, organization, report, upsert)
            transaction.set_rollback(dry_run)
        settle_search_index()

    def _load_sheet(self, sheet, organization, report, upsert):
        employees = _assignable(organization)
        source = SheetRows(sheet.headers, organization=organization, employees=employees, now=timezone.now())
        for header in source.unknown:
            report.notice(None, header, "", _("Nothing is known by this name; the column is left out"))
        self._load(source, sheet.rows, sheet.fraction, organization, report, upsert)

    def _load_documents(self, content, organization, report, upsert):
        source = Documents(content, organization=organization, report=report, now=timezone.now())
        count = max(len(source.objects), 1)
        rows = enumerate(source.objects, 1)
        self._load(source, rows, lambda: report.read / count, organization, report, upsert)

    def _load(self, source, rows, fraction, organization, report, upsert):
        progress = Progress(self.stderr, fraction)
        with Loader(organization, source, report, upsert=upsert) as loader:
            for number, content in rows:
                report.read += 1
                try:
                    row = source.row(number, content)
                except Problem as problem:
                    report.bad(number, problem.cells)
                else:
                    loader.add(row)
                if not report.read % 500:
                    progress.show(report.read)
            loader.finish()
        progress.end(report.read)

    def _summarize(self, report, there_is_a_file, dry_run):
        if dry_run:
            self.stdout.write(_("Dry run: nothing was changed."))
        for label, read, hired, known in report.other_counts:
            line = _("%(label)s: read %(read)d, inserted %(inserted)d, known %(known)d")
            self.stdout.write(line % {"label": label, "read": read, "inserted": hired, "known": known})
        for label, count in (
            (_("read"), report.read),
            (_("inserted"), report.inserted),
            (_("updated"), report.updated),
            (_("unchanged"), report.unchanged),
            (_("duplicates"), report.duplicates),
            (_("bad"), report.bad_rows),
        ):
            self.stdout.write(f"{label}: {count}")
        if report.notices:
            self.stdout.write(f"{_('notices')}: {report.notices}")
        if there_is_a_file:
            self.stdout.write(_("Details: %(path)s") % {"path": report.path})


def _assignable(organization):
    """`{id or e-mail: id}` of the employees that a file may name."""
    active = Employee.objects.active().filter(organization=organization).values_list("pk", "email")
    return {name: pk for pk, email in active for name in (pk, email)}
