"""What the import commands share: their options, one transaction, the error file, the exit codes."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from config.audit import recorded
from config.cache import void
from config.progress import Progress
from customers.importing import readers
from customers.importing.report import Report
from customers.importing.rows import Problem
from customers.importing.tables import UnknownTable
from employees.models import Organization

ALL_IN, NONE_IN, SOME_IN = 0, 1, 2


class ImportCommand(BaseCommand):
    """A command that brings rows of one kind in from a file.

    A concrete one has `sheet(headers, organization)` and `documents(content, organization, report)`, which
    make the source of the rows of a spreadsheet or of a JSON file: its `row(number, content)` is what the
    `loader` takes, a context manager with `add` and `finish`. A sheet also says what headers are `unknown`,
    documents which `objects` there are. `rows` is what people call them, `overtaken` what is said when
    somebody else was faster.
    """

    rows, overtaken, loader = None, None, None

    def settle(self):
        """What is left to do when everything is in."""

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--organization", required=True, metavar="ID")
        parser.add_argument("--dry-run", action="store_true", help="do everything, then undo it")
        parser.add_argument("--upsert", action="store_true", help=f"update the {self.rows} that exist already")
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
            except (UniqueViolation, IntegrityError) as error:
                if not isinstance(error.__cause__ or error, UniqueViolation):
                    raise
                raise CommandError(str(self.overtaken)) from None
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
            void(organization.pk)
            transaction.set_rollback(dry_run)
        self.settle()

    def _load_sheet(self, sheet, organization, report, upsert):
        source = self.sheet(sheet.headers, organization)
        for header in source.unknown:
            report.notice(None, header, "", _("Nothing is known by this name; the column is left out"))
        self._load(source, sheet.rows, sheet.fraction, organization, report, upsert)

    def _load_documents(self, content, organization, report, upsert):
        source = self.documents(content, organization, report)
        count = max(len(source.objects), 1)
        rows = enumerate(source.objects, 1)
        self._load(source, rows, lambda: report.read / count, organization, report, upsert)

    def _load(self, source, rows, fraction, organization, report, upsert):
        progress = Progress(self.stderr, fraction)
        with self.loader(organization, source, report, upsert=upsert) as loader:
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
        for label, count in (+report.relations).items():
            self.stdout.write(f"{label}: {count}")
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
