"""The command that brings customers in from a file: see `customers.importing`."""

from django.utils import timezone
from django.utils.translation import gettext_lazy

from customers.importing.columns import SheetRows
from customers.importing.command import ImportCommand
from customers.importing.documents import Documents
from customers.importing.loader import Loader, settle_search_index
from employees.models import Employee


class Command(ImportCommand):
    help = (
        "Import customers from a spreadsheet (CSV, xlsx) or the JSON of full customers, all of it in one transaction. "
        "Wrong rows go to an error file. Exit code: 0 every row is in, 2 some rows were wrong, 1 none is in."
    )
    rows = "customers"
    overtaken = gettext_lazy("Others changed the same customers meanwhile; nothing was imported")
    loader = Loader

    def sheet(self, headers, organization):
        active = Employee.objects.active().filter(organization=organization).values_list("pk", "email")
        employees = {name: pk for pk, email in active for name in (pk, email)}
        return SheetRows(headers, organization=organization, employees=employees, now=timezone.now())

    def documents(self, content, organization, report):
        return Documents(content, organization=organization, report=report, now=timezone.now())

    def settle(self):
        settle_search_index()
