"""Two customers who are one: each with a row of every kind that hangs on customers, and their rows as they stand."""

from django.db import connection

from config.testing import data_of, make_action, make_customer
from config.tests.test_permission_matrix import make_children
from customers.pictures import kinds


def make_whole(actor, owner, **values):
    """A customer of `owner` with a row of every kind, and its action with a note."""
    customer = make_customer(owner, **values)
    make_children(actor, customer)
    make_action(actor, customer, notes="اتصل به")
    return customer


def merge(client, survivor, other, **body):
    return data_of(client.post(f"customers/{survivor.pk}/merge", {"mergedId": other.pk, **body}))


def rows_of(*customers):
    """`{(table, id): the row as text}` of customers and all that hangs on them, but for what counts edits."""
    keys = [customer.pk for customer in customers]
    parts = [
        "SELECT 'customers', id, (to_jsonb(t) - 'version' - 'updated_at')::text FROM customers t WHERE id = ANY(%s)"
    ]
    parts += [
        f"SELECT '{kind.table}', id, (to_jsonb(t) - 'version' - 'updated_at')::text FROM {kind.table} t "
        f"WHERE {kind.link.column} = ANY(%s)"
        for kind in kinds()
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [keys] * len(parts))
        return {(table, key): row for table, key, row in cursor.fetchall()}
