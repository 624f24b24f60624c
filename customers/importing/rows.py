"""What the sources of an import have in common: a good row, and what is wrong with a bad one."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model


@dataclass(slots=True)
class Row:
    """One good row of a file: its number there, its values as the source reads them, and what COPY is to write.

    `known_id` names the customer that it is known to be. `history` are stage changes of its own, `(id, *columns after
    the customer)`; a row without any has a fresh id, and gets its first one from the loader.
    """

    number: int
    values: dict
    columns: tuple
    known_id: str | None = None
    history: tuple = ()
    # Unsaved rows of what hangs on the customer; see importing.relations.
    relations: tuple = ()
    # What COPY writes if it is new, and the customer that subscribers are told of.
    line: str = ""
    history_lines: tuple = ()
    assignment_lines: tuple = ()
    sketch: Model | None = None


class NothingImported(Exception):
    """Says in one sentence why nothing of a file is imported."""


class Problem(Exception):
    """A row that cannot be imported: `cells` are `[(column, value, reason)]`, every wrong cell of it."""

    def __init__(self, cells):
        super().__init__(cells)
        self.cells = cells


def messages_of(error):
    """The problems that a ValidationError of either framework names, as `[(dotted field or "", message)]`."""
    if isinstance(error, DjangoValidationError):
        return [("", message) for message in error.messages]
    return list(_flat(error.detail, ""))


def _flat(detail, path):
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list) and any(isinstance(inner, (dict, list)) for inner in detail):
        for index, inner in enumerate(detail):
            yield from _flat(inner, f"{path}.{index}")
    elif isinstance(detail, list):
        yield from ((path, str(message)) for message in detail)
    else:
        yield path, str(detail)
