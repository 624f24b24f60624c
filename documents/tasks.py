"""Periodic work about documents. Each may run twice, late, or in two beats at once."""

from celery import shared_task

from documents import services


@shared_task
def purge_id_copies():
    """Remove copies of IDs that have been kept for as long as their organization keeps them."""
    return services.purge_id_copies()


@shared_task
def sweep_files():
    """Remove stored files that belong to no document."""
    return services.sweep_files()
