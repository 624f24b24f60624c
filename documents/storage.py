"""Where the files of customers lie."""

from config.files import Shelf

storage = Shelf()
