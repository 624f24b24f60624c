"""The history of rows as people read it: who changed what, from what to what, when, through which door and request.

What the audit holds (config.audit) is shown under the API's names, by the declarations that rows are rendered by: what
a viewer does not see of a row is not in its history either.
"""

from functools import cache
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.text import capfirst
from rest_framework import serializers

from config.api.masking import shown_to
from config.api.rows import declared_fields
from config.api.serializers import StampedDay
from config.models import AuditEntry
from customers.choices import Door, Operation
from customers.compliance.parts import PARTS, api_name
from customers.models import Customer
from customers.serializers.activity import (
    AppointmentSerializer,
    InteractionSerializer,
    PropertyInterestSerializer,
    ReminderSerializer,
)
from customers.serializers.compliance import serializer_of
from customers.serializers.consent import ConsentSerializer
from customers.serializers.customer import CustomerSerializer
from customers.serializers.listing import ListingSerializer
from customers.serializers.privacy import PrivacyRequestSerializer
from customers.services.customer import SYSTEM_ID, SYSTEM_NAME
from employees.models import Employee
from employees.serializers import EmployeeSerializer, OrganizationSerializer

# Other apps add their own.
ENTITIES = {
    "customer": CustomerSerializer,
    "property": PropertyInterestSerializer,
    "interaction": InteractionSerializer,
    "appointment": AppointmentSerializer,
    "reminder": ReminderSerializer,
    "consent": ConsentSerializer,
    "privacyRequest": PrivacyRequestSerializer,
    **{part.one: serializer_of(part) for part in PARTS.values()},
    "listing": ListingSerializer,
    "employee": EmployeeSerializer,
    "organization": OrganizationSerializer,
}
# What every row has and nobody changes by hand.
_OURS = {"id", "customer_id", "organization_id", "created_at", "updated_at"}
_OPERATIONS = {
    "insert": Operation.CREATED,
    "update": Operation.UPDATED,
    "delete": Operation.DELETED,
    "erase": Operation.ERASED,
    "read": Operation.READ,
}
# How long the history is that a page of the Admin shows.
SHOWN = 100


# --- Which entries ------------------------------------------------------------------------------


def entities_of_customers():
    """The names of what hangs on customers, and of customers."""
    return [name for name, serializer in ENTITIES.items() if _is_of_customer(serializer.Meta.model)]


def entries_of_customer(customer, viewer):
    """The audit entries of a customer and of all that hangs on it, or hung on it, as far as a viewer may know of it."""
    entries = AuditEntry.objects.filter(organization_id=customer.organization_id)
    tables, ids = _rows_of(customer)
    return _known_to(viewer, entries.filter(row_id__in=ids, table_name__in=tables))


def entries_of_row(table, pk, viewer):
    """The audit entries of one row of a viewer's organization; of any for superusers."""
    entries = AuditEntry.objects.filter(table_name=table, row_id=pk)
    if not viewer.is_superuser:
        entries = entries.filter(organization_id=viewer.organization_id)
    return _known_to(viewer, entries)


def operated(*operations):
    """The condition that entries are of any of these operations."""
    condition = Q(pk__in=[])
    hidden = Q(operation="update", changes__has_key="deleted_at")
    for operation in operations:
        if operation == Operation.UPDATED:
            condition |= Q(operation="update") & (Q(changes=None) | ~Q(changes__has_key="deleted_at"))
        elif operation == Operation.DELETED:
            condition |= Q(operation="delete") | hidden & Q(hidden_since__isnull=False)
        elif operation == Operation.RESTORED:
            condition |= hidden & Q(hidden_since__isnull=True)
        else:
            condition |= Q(operation=next(word for word, meant in _OPERATIONS.items() if meant == operation))
    return condition


def _known_to(viewer, entries):
    permissions = viewer.permissions
    hidden = {_table(s) for s in ENTITIES.values() if getattr(s.Meta, "permission", None) not in (None, *permissions)}
    entries = entries.alias(hidden_since=KeyTextTransform(1, KeyTransform("deleted_at", "changes")))
    entries = entries.exclude(table_name__in=hidden) if hidden else entries
    return entries if viewer.may("audit.read") else entries.exclude(operation="read")


def _rows_of(customer):
    """`(tables, ids)` of a customer and of the rows that hang on it or did when they were deleted."""
    models = [ENTITIES[name].Meta.model for name in entities_of_customers()]
    tables = [model._meta.db_table for model in models]
    living = " UNION ALL ".join(f"SELECT id FROM {table} WHERE customer_id = %(customer)s" for table in tables[1:])
    removed = "operation = 'delete' AND changes ->> 'customer_id' = %(customer)s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{living} UNION ALL SELECT row_id FROM audit_entries WHERE {removed}", {"customer": customer.pk}
        )
        return tables, list({customer.pk, *(key for (key,) in cursor.fetchall())})


def _is_of_customer(model):
    return model is Customer or any(field.name == "customer" for field in model._meta.concrete_fields)


# --- What they say ------------------------------------------------------------------------------


class _Shown(NamedTuple):
    """A column as the API shows it: under which name, declared how, and the field of the model."""

    name: str
    declared: serializers.Field
    stored: object


def shown(entries, viewer):
    """Entries as the API shows them to a viewer, with the names of who did it."""
    entries, names = list(entries), _names_of({entry.actor_id for entry in entries})
    return [
        {
            "id": str(entry.pk),
            "at": entry.at,
            "operation": _operation(entry),
            "entity": _entity_of(entry.table_name),
            "entityId": entry.row_id,
            "actor": {"id": entry.actor_id or SYSTEM_ID, "name": names.get(entry.actor_id, SYSTEM_NAME)},
            "door": entry.door,
            "requestId": entry.request_id,
            "changes": list(_changes(entry, viewer.permissions)),
        }
        for entry in entries
    ]


def shown_by_key(keys, viewer):
    """The entries of these keys, in their order, as shown."""
    entries = AuditEntry.objects.in_bulk(keys)
    return shown([entries[key] for key in keys if key in entries], viewer)


def history_of(customer, viewer, limit=SHOWN):
    """The newest entries of a customer and what hangs on it, with labels in the active language: see labelled."""
    return labelled(entries_of_customer(customer, viewer).order_by("-at", "-id")[:limit], viewer)


def history_of_row(table, pk, viewer, limit=SHOWN):
    """The same of one row of any table: an employee, a listing, an action, the organization."""
    return labelled(entries_of_row(table, pk, viewer).order_by("-at", "-id")[:limit], viewer)


def labelled(entries, viewer):
    """Entries as shown, and beside each word what it is called: `entityLabel`, `operationLabel`, `doorLabel`, and in
    changes `label`, `fromLabel` and `toLabel`, where an enum's words and employees are called by their names."""
    rows = shown(entries, viewer)
    people = _names_of({value for row in rows for value in _employees_in(row)})
    for row in rows:
        serializer = ENTITIES.get(row["entity"])
        row["entityLabel"] = str(serializer.Meta.model._meta.verbose_name) if serializer else row["entity"]
        row["operationLabel"] = str(Operation(row["operation"]).label)
        row["doorLabel"] = str(Door(row["door"]).label) if row["door"] in Door.values else row["door"]
        stored = {column.name: column.stored for column in _columns_of(serializer).values()} if serializer else {}
        for change in row["changes"]:
            name, _dot, inner = change["field"].partition(".")
            field = stored.get(name)
            change["label"] = " ".join(filter(None, [str(capfirst(field.verbose_name)) if field else name, inner]))
            for side in ("from", "to"):
                if side in change:
                    change[f"{side}Label"] = _label(field, change[side], people)
    return rows


def _label(field, value, people):
    if isinstance(value, list):
        return [_label(getattr(field, "base_field", None), item, people) for item in value]
    if not isinstance(value, str):
        return value
    words = {word: str(label) for word, label in getattr(field, "flatchoices", ())}
    return words.get(value) or people.get(value) or value


def _employees_in(row):
    for change in row["changes"]:
        yield from (change[side] for side in ("from", "to") if str(change.get(side)).startswith("emp_"))


def _operation(entry):
    if entry.operation == "update" and "deleted_at" in (entry.changes or ()):
        return (Operation.DELETED if entry.changes["deleted_at"][1] else Operation.RESTORED).value
    return _OPERATIONS[entry.operation].value


def _changes(entry, permissions):
    """`{field, from, to}` of each column that answers show to somebody with these permissions."""
    serializer = ENTITIES.get(_entity_of(entry.table_name))
    columns = _columns_of(serializer) if serializer else {}
    for column, values in (entry.changes or {}).items():
        if values is None and column not in columns and entry.operation == "update":
            yield {"field": api_name(column)}  # a secret of which it is only known that it changed
        elif column in columns:
            shown = columns[column]
            pair = values if entry.operation == "update" else [values, None]
            sides = [_masked(serializer, shown, value, permissions) for value in pair]
            if None not in sides:
                yield from _differences(shown, *(side[0] for side in sides))


def _masked(serializer, column, value, permissions):
    """`[value]` as it is shown to somebody with these permissions, None when it is kept from them."""
    seen = shown_to(serializer, {column.name: _as_shown(column.declared, value)}, permissions)
    return [seen[column.name]] if column.name in seen else None


def _differences(column, before, after):
    """What differs between two values of a column: in documents, key by key."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        if before != after:
            yield {"field": column.name, "from": before, "to": after}
        return
    for key in [*before, *(key for key in after if key not in before)]:
        if before.get(key) != after.get(key):
            yield {"field": f"{column.name}.{key}", "from": before.get(key), "to": after.get(key)}


def _as_shown(declared, value):
    """A value of the audit as answers spell it."""
    if value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and isinstance(declared, StampedDay):
        return f"{value}T00:00:00Z"
    if isinstance(value, str) and isinstance(declared, serializers.DateTimeField):
        return value.replace("+00:00", "Z")
    return value


def _names_of(employee_ids):
    return dict(Employee.objects.filter(pk__in=employee_ids).values_list("pk", "name"))


def _table(serializer):
    return serializer.Meta.model._meta.db_table


@cache
def _entity_of(table):
    return next((name for name, serializer in ENTITIES.items() if _table(serializer) == table), table)


@cache
def _columns_of(serializer):
    """`{column: _Shown}` of the columns that answers show by themselves; of several names the column's own."""
    stored = {field.name: field for field in serializer.Meta.model._meta.concrete_fields}
    columns = {}
    for name, (declared, source) in declared_fields(serializer).items():
        field = stored.get(source)
        if field and field.column not in _OURS and (field.column not in columns or name == api_name(field.column)):
            columns[field.column] = _Shown(name, declared, field)
    return columns
