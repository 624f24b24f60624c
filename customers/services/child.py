"""What writes about the rows that hang on a customer share: the customer is held first, and told of afterwards."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from config.api.renderers import iso
from config.audit import forget_rows
from config.db import lock
from config.signals import changed
from customers.models import Customer
from customers.models.child import CustomerChild

ERASED = gettext_lazy("The data of this customer was erased; nothing can be added or changed")


def hold(customer, actor, *, even_gone=False):
    """The customer, held, if it is still there and still the actor's: it may have been handed over meanwhile.

    With `even_gone` also one that is deleted or of whom only a pseudonym is left; else DoesNotExist (404) for
    the first, ValidationError (409, `conflict`) for the second.
    """
    customer = lock(customer, among=Customer.objects.visible_to(actor, deleted=None if even_gone else False))
    if not even_gone:
        refuse_erased(customer)
    return customer


def refuse_erased(customer):
    """Raise ValidationError (409, `conflict`) for a customer of whom only a pseudonym is left."""
    if customer.erased_at:
        raise ValidationError(ERASED, code="conflict", params={"erasedAt": iso(customer.erased_at.timestamp())})


def refuse_any_erased(customer_ids):
    """The same for several; what is open is of nobody's who was erased, and need not be asked for."""
    keys = set(customer_ids)
    for customer in Customer.objects.filter(pk__in=keys, erased_at__isnull=False)[:1] if keys else ():
        refuse_erased(customer)


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
