"""All that is kept of one person, in one piece: the copy that the law lets them ask for."""

import tempfile
import zipfile

from django.db.models import Q

from config.api.links import unmarked
from config.api.renderers import dumps, iso
from config.api.rows import Relation, declared_fields, fragments, rows_of
from customers.choices import Operation
from customers.history import entries_of_customer, shown
from customers.models import Consent
from customers.serializers.activity import (
    AppointmentSerializer,
    InteractionSerializer,
    PropertyInterestSerializer,
    ReminderSerializer,
    StatusChangeSerializer,
)
from customers.serializers.consent import ConsentSerializer
from customers.serializers.customer import AssignmentSerializer, CustomerSerializer
from customers.serializers.privacy import PrivacyRequestSerializer

# Rows of a customer, all of them, by the name of their list. Other apps add their own.
LISTS = {
    "properties": PropertyInterestSerializer,
    "interactions": InteractionSerializer,
    "appointments": AppointmentSerializer,
    "reminders": ReminderSerializer,
    "statusChanges": StatusChangeSerializer,
    "assignments": AssignmentSerializer,
    "consents": ConsentSerializer,
    "privacyRequests": PrivacyRequestSerializer,
}
# Of a customer, `[(name in an archive, call that opens the file)]`. Other apps add their own.
FILES = []
_COMPLIANCE = frozenset({"ksaCompliance"})


def copy_of(customer, viewer):
    """What is kept of a customer, as a viewer with all rights to it sees it: what dumps() takes."""
    permissions = frozenset(viewer.permissions)
    declared = declared_fields(CustomerSerializer).items()
    own = frozenset(name for name, (field, _source) in declared if not isinstance(field, Relation)) | _COMPLIANCE
    (person,) = fragments(rows_of(CustomerSerializer, own, _COMPLIANCE, permissions).fetch([customer.pk]))
    lists = {name: _rows(serializer, customer, permissions) for name, serializer in LISTS.items()}
    return {"exportedAt": iso(), "customer": person, **lists, "history": _history(customer, viewer)}


def archive_of(customer, viewer):
    """The same as an open ZIP file, with the files of the customer beside it."""
    archive = tempfile.TemporaryFile()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("data.json", unmarked(dumps(copy_of(customer, viewer)).decode()))
        for name, opened in (file for files_of in FILES for file in files_of(customer)):
            try:
                with opened() as source, packed.open(f"files/{name}", "w", force_zip64=True) as target:
                    while piece := source.read(256 * 1024):
                        target.write(piece)
            except FileNotFoundError:  # it was removed in this moment
                continue
    return archive


def _rows(serializer, customer, permissions):
    keys = serializer.Meta.model.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True)
    return fragments(rows_of(serializer, permissions=permissions).fetch(list(keys)))


def _history(customer, viewer):
    """Who moved the customer to which stage, and who wrote down or removed which consent."""
    told = Q(table_name=Consent._meta.db_table) | Q(changes__has_key="stage")
    entries = entries_of_customer(customer, viewer).filter(told).exclude(operation="read").order_by("at", "id")
    rows = shown(entries, viewer)
    for row in rows:
        if row["entity"] == "customer" and row["operation"] == Operation.UPDATED:
            row["changes"] = [change for change in row["changes"] if change["field"] == "stage"]
    return rows
