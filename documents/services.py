"""Every write about documents: their rows, and through them their files.

A file is stored before its row and removed after it, so that what a crash leaves behind is a file without a
row, which `sweep_files` finds, and never a row without its file.
"""

from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from config.audit import forget_rows, recorded, scrub_entries
from config.db import held, save_changes
from config.signals import changed
from customers.models import Customer
from customers.services.child import hold, hold_child, tell
from customers.services.customer import SYSTEM_ID, SYSTEM_NAME
from documents.choices import DocumentType
from documents.models import Document
from documents.storage import storage
from employees.choices import IdCopies
from employees.models import Organization

PURGED_AT_ONCE = 100


def add_document(customer, *, actor, values, file=None):
    """A new document of a customer; `file` is what documents.inspection gave, None for one known by its URL alone.

    Raises ValidationError (422) for a copy of an ID where the organization refuses them, ServiceAway (503) when
    the file cannot be stored, DoesNotExist (404) when the customer is no longer the actor's.
    """
    check_id_copy(actor, values.get("type"))
    if file:
        values = {"name": file.name, **values, "file_name": file.name, "mime_type": file.mime_type}
        values |= {"file_size": file.size, "storage_key": storage.keep(file.file)}
    try:
        with recorded(actor):
            customer = hold(customer, actor)
            document = Document.objects.create(
                organization_id=customer.organization_id, customer=customer, **_uploader(actor), **values
            )
            tell(customer, actor, documents=(None, document))
    except BaseException:
        if file:
            storage.remove(values["storage_key"])
        raise
    return document


def change_document(document, *, actor, values):
    """Change what is said of a document; its file stays. Raises what add_document raises, and 412 when it is stale."""
    with recorded(actor):
        customer, document = hold_child(document, actor)
        if values.get("type") != document.type:
            check_id_copy(actor, values.get("type"))
        if save_changes(document, **values):
            tell(customer, actor, documents=(document, document))
    return document


def remove_document(document, *, actor):
    """Remove a document; its file goes when that is certain."""
    with recorded(actor):
        customer, document = hold_child(document, actor)
        _remove(customer, [document], actor)


def files_of(customer):
    """`[(name, call that opens the file)]` of a customer; names begin with the id, so none is twice."""
    documents = Document.objects.filter(customer=customer).exclude(storage_key="").order_by("pk")
    return [(f"{row.pk} {row.file_name}", partial(storage.open_kept, row.storage_key)) for row in documents]


def forget_files(customers):
    """Have the files of customers that are removed for good or erased go, and what the audit says of them."""
    documents = list(Document.objects.filter(customer__in=customers))
    for customer in customers:
        forget_rows("documents", Document.objects.filter(customer=customer), customer_id=customer.pk)
    storage.remove_on_commit(*(document.storage_key for document in documents))


def check_id_copy(actor, document_type):
    """Refuse (422) a copy of an ID where the organization keeps none: the law allows them to few."""
    if document_type == DocumentType.ID_COPY and actor.organization.id_copies == IdCopies.BLOCK:
        raise ValidationError({"type": _("Your organization does not keep copies of IDs")})


def purge_id_copies(now=None):
    """Remove the copies of IDs that have been kept for as long as their organization keeps them; returns how many.

    The audit and the event log keep that they were there and who put them there, but no value of theirs.
    """
    now, purged = now or timezone.now(), 0
    for organization in Organization.objects.filter(id_copy_days__isnull=False):
        due = Document.objects.filter(
            organization=organization,
            type=DocumentType.ID_COPY,
            created_at__lt=now - timedelta(days=organization.id_copy_days),
        )
        while customer_ids := list(due.order_by("customer").values_list("customer", flat=True)[:PURGED_AT_ONCE]):
            for customer_id in sorted(set(customer_ids)):
                purged += _purge_of(customer_id, due)
    return purged


def sweep_files():
    """Remove stored files that no document has had for a day; returns how many."""
    keys = list(storage.abandoned(_with_row))
    for key in keys:
        storage.remove(key)
    return len(keys)


def _purge_of(customer_id, due):
    with recorded(None, scrub=True):
        customer = held(Customer.objects.filter(pk=customer_id)).first()
        documents = list(held(due.filter(customer_id=customer_id)))
        if documents:
            scrub_entries("documents", [document.pk for document in documents])
            _remove(customer, documents, None)
    return len(documents)


def _remove(customer, documents, actor):
    changed.send(Document, rows=documents, kind="purged", changes=[{}] * len(documents), actor=actor)
    Document.objects.filter(pk__in=[document.pk for document in documents]).delete()
    storage.remove_on_commit(*(document.storage_key for document in documents))
    tell(customer, actor, documents=(documents[-1], None))


def _uploader(actor):
    return {
        "uploaded_by": actor.name if actor else SYSTEM_NAME,
        "uploaded_by_id": actor.pk if actor else SYSTEM_ID,
    }


def _with_row(keys):
    return set(Document.objects.filter(storage_key__in=keys).values_list("storage_key", flat=True))
