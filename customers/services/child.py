"""What writes about the rows that hang on a customer share: the customer is held first, and told of afterwards."""

from config.audit import forget_rows
from config.db import lock
from config.signals import changed
from customers.models import Customer
from customers.models.child import CustomerChild


def hold(customer, actor):
    """The customer, held, if it is still there and still the actor's: it may have been handed over meanwhile."""
    return lock(customer, among=Customer.objects.visible_to(actor))


def hold_child(child, actor):
    """`(customer, child)`, both held, the customer first; what hangs on a customer changes one after the other.

    Raises DoesNotExist (404) when either is gone or no longer the actor's, PreconditionFailed for a stale `If-Match`.
    """
    customer = hold(Customer(pk=child.customer_id), actor)
    return customer, lock(child, among=type(child).objects.filter(customer=customer))


def put_computed(customer, **values):
    """Columns of a held customer that the hub works out; no edit that `version` tells of.

    Returns `{column: (before, after)}` of those that differ.
    """
    changes = {}
    for name, after in values.items():
        if getattr(customer, name) != after:
            changes[name] = (getattr(customer, name), after)
            setattr(customer, name, after)
    if changes:
        Customer.objects.filter(pk=customer.pk).update(**{name: after for name, (_before, after) in changes.items()})
    return changes


def tell(customer, actor, **changes):
    """Send `changed` of a held customer: by related collection `(before, after)`, None where there was or is no row.

    Columns that changed along with it are named beside the collection.
    """
    changed.send(Customer, rows=[customer], kind="updated", changes=[changes], actor=actor)


def forget_children(customer):
    """Empty what the audit holds of the rows of a customer who is about to be removed for good."""
    for relation in Customer._meta.related_objects:
        if issubclass(relation.related_model, CustomerChild):
            rows = relation.related_model.objects.filter(customer=customer)
            forget_rows(relation.related_model._meta.db_table, rows, customer_id=customer.pk)
