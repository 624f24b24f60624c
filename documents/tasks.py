"""Periodic work about documents. Each may run late, or again."""

from config.jobs import job
from documents import services


@job
def purge_id_copies():
    """Remove copies of IDs that have been kept for as long as their organization keeps them."""
    return services.purge_id_copies()


@job
def sweep_files():
    """Remove stored files that belong to no document."""
    return services.sweep_files()
