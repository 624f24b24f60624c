"""Where the files of transfers lie: two folders deep, for the sweep of documents looks one folder deep."""

from config.files import Shelf

transfer_files = Shelf("transfers/")
