"""What customers are found by, kept in step with the rules of folding and with the names that there are."""

from django.db import connection, transaction

from config.audit import recorded
from config.cache import void
from config.db import held
from config.signals import changed
from customers.models import Customer
from customers.services.columns import derived


def forget_words(customer):
    """Forget the words of a removed customer's names that nobody else's name holds."""
    words = [key[1:] for key in customer.name_keys if key.startswith("=")]
    held_by = "c.organization_id = w.organization_id AND c.name_keys @> ARRAY['=' || w.word]"
    is_nobodys = f"""
        NOT EXISTS (SELECT FROM customers c WHERE {held_by} AND c.deleted_at IS NULL)
        AND NOT EXISTS (SELECT FROM customers c WHERE {held_by} AND c.deleted_at IS NOT NULL)
    """
    _forget(f"organization_id = %s AND word = ANY(%s) AND {is_nobodys}", [customer.organization_id, words])


def _forget(condition, params):
    """Remove words `w` of which a condition holds, but for those that are being written down; returns how many.

    Whoever writes a name holds its words until it can be seen; nobody waits for an import to end. Asked again once
    the words are held: until then a name may have come. A word that is held and then not needed is left to pruning.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM name_words w WHERE {condition} FOR UPDATE OF w SKIP LOCKED", params)
        ids = [key for (key,) in cursor.fetchall()]
        cursor.execute(f"DELETE FROM name_words w WHERE id = ANY(%s) AND {condition}", [ids, *params])
        return cursor.rowcount


REBUILT_AT_ONCE = 2_000
# Copies of these stand in other tables, whose keepers must hear of them.
_COPIED = {"city_key", "region"}


def rebuild_search(organization=None, *, dry_run=False):
    """Work out anew what customers are found by, after its rules have changed; yields `(rows seen, rows changed)`.

    A batch at a time, each in a transaction of its own; it is no edit and tells nobody. With
    `dry_run` it only counts.
    """
    customers = Customer.objects.filter(organization=organization) if organization else Customer.objects.all()
    last = ""
    while True:
        with recorded(None):
            rows = list(held(customers.filter(pk__gt=last))[:REBUILT_AT_ONCE])
            if not rows:
                return
            last, touched, changes = rows[-1].pk, [], []
            for row in rows:
                difference = {name: (getattr(row, name), value) for name, value in derived(row, {}).items()
                              if getattr(row, name) != value}  # fmt: skip
                if difference:
                    for name, (_before, after) in difference.items():
                        setattr(row, name, after)
                    touched.append(row)
                    changes.append(difference)
            if touched and not dry_run:
                Customer.objects.bulk_update(touched, sorted(set().union(*changes)))
                for organization_id in {row.organization_id for row in touched}:
                    void(organization_id)
                moved = [(row, change) for row, change in zip(touched, changes, strict=True) if _COPIED & change.keys()]
                if moved:
                    rows_moved, changes_moved = map(list, zip(*moved, strict=True))
                    changed.send(Customer, rows=rows_moved, kind="updated", changes=changes_moved, actor=None)
        yield len(rows), len(touched)


def prune_name_words(organization=None):
    """Forget words that no name holds any more, and repeats of others; returns how many."""
    of_one, params = ("organization_id = %s AND", [organization.pk]) if organization else ("", [])
    stale = f"""
        {of_one} id NOT IN (
            SELECT min(id) FROM name_words JOIN (
                SELECT DISTINCT organization_id, substr(key, 2) AS word FROM customers, unnest(name_keys) AS key
                WHERE {of_one} key LIKE '=%%'
            ) AS living USING (organization_id, word)
            GROUP BY organization_id, word
        )
    """
    return _forget(stale, params * 2)
