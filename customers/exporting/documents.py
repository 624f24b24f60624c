"""Full customers as the JSON that `import_customers` reads: with all that hangs on them, not the newest alone."""

from functools import cache
from itertools import islice

from config.api.links import unmarked
from config.api.rows import Relation, declared_fields, rows_of
from customers.includes import INCLUDES
from customers.serializers.customer import CustomerSerializer
from employees.models import Employee
from employees.serializers import EmployeeSummarySerializer

CHUNK_ROWS = 200
# Written as somebody has set them, if anybody has: what follows from other rows would be set by coming in again.
_AS_SET = {"nextFollowUpDate", "paidAmount"}


def write_documents(file, customers, actor, heard):
    """Write customers, and the employees of the actor's organization, to an open binary file; returns how many."""
    employees = Employee.objects.filter(organization=actor.organization).order_by("pk").values_list("pk", flat=True)
    serializer, included = _whole()
    shape, written = rows_of(serializer, included=included, permissions=actor.permissions), 0
    file.write(b'{"employees": [')
    _write(file, rows_of(EmployeeSummarySerializer).fetch(list(employees)), is_first=True)
    file.write(b'],\n"customers": [')
    keys_of_all = customers.values_list("pk", flat=True).iterator(chunk_size=CHUNK_ROWS)
    while keys := list(islice(keys_of_all, CHUNK_ROWS)):
        rows = shape.fetch(keys)
        _write(file, rows, is_first=not written)
        written += len(rows)
        heard(written)
    file.write(b"]}\n")
    return written


def _write(file, rows, *, is_first):
    for text, *_version in rows:
        file.write(b"\n" if is_first else b",\n")
        file.write(unmarked(text).encode())
        is_first = False


@cache
def _whole():
    """`(serializer, relations)` of customers with every row of what hangs on them."""
    relations = {
        name: Relation({name: _unbounded(INCLUDES[name])}, required=field.required)
        for name, (field, _source) in declared_fields(CustomerSerializer).items()
        if isinstance(field, Relation) and name in INCLUDES
    }
    included = frozenset(relations)  # the serializer takes its fields out of the dict
    derived = {name: sql for name, sql in CustomerSerializer.Meta.derived.items() if name not in _AS_SET}
    relations["Meta"] = type("Meta", (CustomerSerializer.Meta,), {"derived": derived})
    return type("WholeCustomerSerializer", (CustomerSerializer,), relations), included


def _unbounded(serializer):
    meta = type("Meta", (serializer.Meta,), {"newest": None})
    return type(serializer.__name__, (serializer,), {"Meta": meta})
