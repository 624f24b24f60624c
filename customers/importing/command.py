"""What the import commands share: their options, the progress line, the error file, the exit codes."""

from pathlib import Path

from django.core.management.base import CommandError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.commands import DONE, FAILED, PARTLY, HubCommand
from config.progress import Progress
from customers.importing import readers
from customers.importing.report import Report
from customers.importing.rows import NothingImported
from employees.models import Organization


class ImportCommand(HubCommand):
    """A command that brings rows of one kind in from a file.

    `rows` is what people call them, `importer` the Importer that does it.
    """

    rows, importer = None, None
    codes = "0 every row is in, 2 some rows were wrong, or the command line was, 1 none is in, or it failed"
    interrupted = gettext_lazy("Interrupted: nothing was imported")

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
        self.add_summary(parser, "--summary")

    def handle(self, language, **options):
        with translation.override(language):
            super().handle(**options)

    def run(self, file, organization, summary, errors=None, **options):
        for path in filter(None, (file, errors)):
            if path.is_dir():
                raise CommandError(_("%(path)s is a folder") % {"path": path})
        report = Report(errors or file.with_name(f"{file.name}.errors.csv"))
        try:
            self._import(file, organization, report, **options)
            there_is_a_file = report.keep()
        except NothingImported as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename}") from None
        finally:
            report.discard()
        self._summarize(report, there_is_a_file, summary, options["dry_run"])
        return DONE if not report.bad_rows else FAILED if report.bad_rows == report.read else PARTLY

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

    def _summarize(self, report, there_is_a_file, summary, dry_run):
        counts = [
            ("read", _("read"), report.read),
            ("inserted", _("inserted"), report.inserted),
            ("updated", _("updated"), report.updated),
            ("unchanged", _("unchanged"), report.unchanged),
            ("duplicates", _("duplicates"), report.duplicates),
            ("bad", _("bad"), report.bad_rows),
            ("notices", _("notices"), report.notices),
        ]
        related = (+report.relations).items()
        if summary == "json":
            others = [dict(zip(("label", "read", "inserted", "known"), other, strict=True))
                      for other in report.other_counts]  # fmt: skip
            relations = [{"label": label, "inserted": count} for label, count in related]
            file = report.path if there_is_a_file else None
            told = (("others", None, others), ("relations", None, relations), ("errorFile", None, file))
            self.summarize([*counts, *told], summary=summary, dry_run=dry_run)
            return
        line = _("read %(read)d, inserted %(inserted)d, known %(known)d")
        facts = [(None, label, line % {"read": read, "inserted": hired, "known": known})
                 for label, read, hired, known in report.other_counts]  # fmt: skip
        facts += [(None, label, count) for label, count in related]
        facts += counts if report.notices else counts[:-1]
        self.summarize(facts, summary=summary, dry_run=dry_run)
        if there_is_a_file:
            self.stdout.write(_("Details: %(path)s") % {"path": report.path})
