"""One import, whoever asks for it: each row of a file judged, all of them written in one transaction."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg.errors import UniqueViolation

from config.audit import recorded
from config.cache import void
from config.logging import door
from customers.choices import Transferred
from customers.importing import readers
from customers.importing.columns import SheetRows
from customers.importing.documents import Documents
from customers.importing.listing_words import LISTING_HEADERS
from customers.importing.listings import ListingDocuments, ListingLoader, ListingSheet
from customers.importing.loader import Loader, settle_search_index
from customers.importing.rows import NothingImported, Problem
from customers.importing.words import CUSTOMER_HEADERS
from employees.models import Employee
from employees.services import not_of_yours

ROWS_BETWEEN_WORDS = 500


class Overtaken(NothingImported):
    """Of a file whose rows others have written meanwhile."""


class Importer:
    """Brings rows of one kind into an organization.

    `report` hears what became of each row, `heard` now and then how many have been read; what it raises ends the
    import. Done as `actor`, within their scope (None: the system). `mapping` names the column of each header, where
    people have chosen them: see tables.Table.

    A concrete one has `sheet(headers)` and `documents(content)`, which make the source of the rows of a spreadsheet
    or of a JSON file: its `row(number, content)` is what the `loader` takes, a context manager with `add` and
    `finish`. A sheet also says what headers are `unknown`, documents which `objects` there are. `header_table` names
    the columns of sheets, `overtaken` is what is said when somebody else was faster.
    """

    header_table, overtaken, loader = None, None, None

    def __init__(self, organization, report, *, upsert=False, actor=None, mapping=None, heard=lambda rows: None):
        self.organization, self.report, self.upsert = organization, report, upsert
        self.actor, self.mapping, self.heard = actor, mapping, heard
        self.fraction = lambda: 0

    def run(self, path, kind, *, dry_run=False):
        """Import a file of a kind of `readers.FORMATS`; with `dry_run`, do everything and undo it.

        Raises NothingImported.
        """
        entered = door.set("import")
        try:
            with recorded(self.actor):
                if kind == "json":
                    self._load_documents(readers.read_json(path))
                else:
                    with readers.open_sheet(path, kind) as sheet:
                        self._load_sheet(sheet)
                void(self.organization.pk)
                transaction.set_rollback(dry_run)
        except (UniqueViolation, IntegrityError) as error:
            if not isinstance(error.__cause__ or error, UniqueViolation):
                raise
            raise Overtaken(str(self.overtaken)) from None
        finally:
            door.reset(entered)

    def settle(self):
        """What is left to do when everything is in, and committed."""

    def _load_sheet(self, sheet):
        source = self.sheet(sheet.headers)
        for header in source.unknown:
            self.report.notice(None, header, "", _("Nothing is known by this name; the column is left out"))
        self.fraction = sheet.fraction
        self._load(source, sheet.rows)

    def _load_documents(self, content):
        source = self.documents(content)
        count = max(len(source.objects), 1)
        self.fraction = lambda: self.report.read / count
        self._load(source, enumerate(source.objects, 1))

    def _load(self, source, rows):
        report = self.report
        with self.loader(self.organization, source, report, upsert=self.upsert, actor=self.actor) as loader:
            for number, content in rows:
                report.read += 1
                try:
                    row = source.row(number, content)
                except Problem as problem:
                    report.bad(number, problem.cells)
                else:
                    loader.add(row)
                if not report.read % ROWS_BETWEEN_WORDS:
                    self.heard(report.read)
            loader.finish()


class CustomerImporter(Importer):
    header_table = CUSTOMER_HEADERS
    overtaken = gettext_lazy("Others changed the same customers meanwhile; nothing was imported")
    loader = Loader

    def sheet(self, headers):
        colleagues = Employee.objects.visible_to(self.actor) if self.actor else Employee.objects
        active = colleagues.active().filter(organization=self.organization).values_list("pk", "email")
        if self.actor and not self.actor.is_admin:
            stranger = not_of_yours(self.actor)
        else:
            stranger = _("The organization has no active employee with this e-mail or id")
        return SheetRows(
            headers,
            organization=self.organization,
            employees={name: pk for pk, email in active for name in (pk, email)},
            stranger=stranger,
            now=timezone.now(),
            mapping=self.mapping,
        )

    def documents(self, content):
        return Documents(content, organization=self.organization, report=self.report, now=timezone.now())

    def settle(self):
        settle_search_index()


class ListingImporter(Importer):
    header_table = LISTING_HEADERS
    overtaken = gettext_lazy("Others changed the same listings meanwhile; nothing was imported")
    loader = ListingLoader

    def sheet(self, headers):
        return ListingSheet(headers, self.organization, mapping=self.mapping)

    def documents(self, content):
        return ListingDocuments(content)


IMPORTERS = {Transferred.CUSTOMERS: CustomerImporter, Transferred.LISTINGS: ListingImporter}
