"""The command that brings customers in from a file: see `customers.importing`."""

from customers.importing.command import ImportCommand
from customers.importing.importer import CustomerImporter


class Command(ImportCommand):
    help = (
        "Import customers from a spreadsheet (CSV, xlsx) or the JSON of full customers, all of it in one transaction. "
        "Wrong rows go to an error file."
    )
    rows = "customers"
    importer = CustomerImporter
