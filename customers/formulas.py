"""Texts in files that spreadsheets open: none is run as a formula there, and each comes back as it was."""

import re

# What a spreadsheet takes for a formula. One with apostrophes before it gets another, so that each text comes back.
_FORMULA = re.compile(r"'*[=+\-@\t\r]").match
_HARMLESS = re.compile(r"'+[=+\-@\t\r]").match


def harmless(text):
    """A text that no spreadsheet evaluates."""
    return f"'{text}" if _FORMULA(text) else text


def as_meant(cell):
    """The text that `harmless` was given, or that somebody wrote an apostrophe before."""
    return cell[1:] if _HARMLESS(cell) else cell
