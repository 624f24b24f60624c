"""What lead intelligence has to show, on invented brokerages with fixed seeds: `manage.py lead_model verify`.

numpy is at home here and in `learning`, and nowhere that a web process comes by.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the report: what was measured, what the figure has to be, and whether it is."""

    check: str
    figure: str
    required: str
    holds: bool
