"""The command that brings listings in from a file: see `customers.importing.listings`."""

from customers.importing.command import ImportCommand
from customers.importing.importer import ListingImporter
from customers.importing.listing_words import columns_told


class Command(ImportCommand):
    help = (
        "Import listings from a spreadsheet (CSV, xlsx) or the JSON that the API shows, all of it in one transaction. "
        "A row is known again by its id or reference. Wrong rows go to an error file."
    )
    rows = "listings"
    importer = ListingImporter

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.epilog = (
            f"Columns of a spreadsheet, in any order, by these names among others: {columns_told()}. "
            "Needed: title, type, purpose (sale or rent), and reference or id. "
            "Prices are riyals: of a sale the whole, of a rent a year's."
        )
