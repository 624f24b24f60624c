"""What the import commands share: their options, the progress line, the error file, the exit codes."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation
from django.utils.translation import gettext as _

from config.progress import Progress
from customers.importing import readers
from customers.importing.report import Report
from customers.importing.rows import NothingImported
from employees.models import Organization

ALL_IN, NONE_IN, SOME_IN = 0, 1, 2


class ImportCommand(BaseCommand):
    """A command that brings rows of one kind in from a file.

    `rows` is what people call them, `importer` the Importer that does it.
    """

    rows, importer = None, None

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
            except NothingImported as error:
                raise CommandError(str(error)) from None
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
        progress = Progress(self.stderr, lambda: importer.fraction())
        importer = self.importer(organization, report, upsert=upsert, heard=progress.show)
        importer.run(file, kind, dry_run=dry_run)
        progress.end(report.read)
        importer.settle()

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
