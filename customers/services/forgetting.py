"""What was copied out of customers and has to go with them: words, counts, kept answers."""

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from config import counts
from config.cache import wipe
from config.models import AuditEntry
from customers.counting import TABLES
from customers.models import CustomerMerge
from customers.services.search import forget_words


def forget_copies(customer):
    """Remove what was made of a customer who has just been removed for good or erased, as it was before.

    Whatever else keeps something of a customer beside its rows is told here.
    """
    forget_words(customer)
    words = [facet.partition(":")[2] for facet in customer.facets]
    counts.forget_words(TABLES, customer.organization_id, [*words, customer.city_key, customer.district_key])
    wipe(customer.organization_id)


def forget_unions(customer):
    """Empty what the audit holds of others for as long as a customer was merged into them; returns their ids.

    The first and the last of it is what the merge and its undoing have written, before and after their own entries.
    """
    unions = _undone_unions(customer)
    for union in unions:
        entries = AuditEntry.objects.filter(organization_id=union.organization_id)
        theirs = entries.filter(table_name="customers", row_id=union.survivor_id)
        marks = list(theirs.filter(changes__merges__contains=[union.pk]).order_by("pk"))
        if not marks:
            continue  # so long ago that nothing of that time is kept
        meanwhile = Q(pk__lt=marks[-1].pk, pk__gt=marks[0].pk if len(marks) > 1 else 0)
        theirs = theirs.filter(meanwhile | Q(request_id__in=[mark.request_id for mark in marks]))
        theirs.exclude(changes__has_key="merges").update(changes=None)
        removed = entries.alias(pointed_at=KeyTextTransform("customer_id", "changes"))
        removed = removed.filter(meanwhile, operation="delete", pointed_at=union.survivor_id)
        entries.filter(row_id__in=list(removed.values_list("row_id", flat=True))).update(changes=None)
    return [union.survivor_id for union in unions]


def _undone_unions(customer):
    """The merges, undone since, that brought values of a customer to others, by way of others perhaps."""
    undone = CustomerMerge.objects.filter(undone_at__isnull=False)
    unions, found = [], list(undone.filter(merged=customer))
    while found:
        unions += found
        onward = Q(pk__in=())
        for union in found:
            onward |= Q(merged=union.survivor_id, at__gte=union.at, undone_at__lte=union.undone_at)
        found = list(undone.filter(onward).exclude(pk__in=[union.pk for union in unions]))
    return unions
