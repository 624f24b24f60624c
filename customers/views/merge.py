"""Two customers who are one: merging them, and undoing that."""

import orjson
from rest_framework.exceptions import NotFound

from config.api.exceptions import missing
from config.api.filters import HubFilterSet
from config.api.pagination import Sort
from config.api.rows import rows_of
from config.api.viewsets import HubViewSet
from customers.includes import INCLUDES
from customers.models import Customer, CustomerMerge
from customers.serializers.customer import CustomerSerializer
from customers.serializers.merge import (
    MergeInput,
    MergeResultSerializer,
    MergeSerializer,
    UndoneSerializer,
)
from customers.services import merge as services
from customers.views.child import ChildViewSet


class MergeViewSet(ChildViewSet):
    """The merges of a customer: those who went into it."""

    resource, collection = "merge", "merges"
    permission, write_permission = "customers.read", "customers.merge"
    serializer_class, filterset_class, model = MergeSerializer, HubFilterSet, CustomerMerge
    bodies = {"create": MergeInput}
    answers = {"create": MergeResultSerializer}
    created = frozenset()
    sorts, default_sort, default_order = {"at": Sort("at")}, "at", "desc"

    def get_queryset(self):
        return CustomerMerge.objects.visible_to(self.request.user)

    def list(self, request, customer_id):
        """Who was merged into a customer, the latest first, undone merges included."""
        return self.page(self.get_queryset().filter(survivor=self.customer))

    def create(self, request, customer_id):
        """Let another customer go into this one, which keeps its id.

        Where both have a value this one's stands, unless `fields` say otherwise; what only the other has is taken
        over. Tags and the lists of the preferences are united, a wish not to be contacted holds, `createdAt` is the
        earlier one, and a stage that is chosen brings its history. All that hangs on the other hangs on this one from
        then on, but for what a customer may have once. The other is gone like a deleted one; its id answers for this
        customer, and refuses writes.
        """
        customers = Customer.objects.visible_to(request.user, deleted=None)
        customer = customers.filter(pk=customer_id).first()
        if customer is None:
            raise missing("customer", customer_id)
        customer.expected_version = self._expected_version(customer)
        merge = services.merge_customers(customer, actor=request.user, **self.body(instance=customer))
        return tell(self, customer=customer.pk, merge=merge.pk)


class UndoViewSet(HubViewSet):
    resource, collection = "merge", "merges"
    permission, write_permission = "customers.read", "customers.merge"
    serializer_class = MergeSerializer
    answers = {"undo": UndoneSerializer}

    def undo(self, request, pk):
        """Take a merge back, within thirty days and the latest of a customer first.

        Both are what they were before, but for what was changed since: that stays with the survivor, and `kept` names
        it. 409 `DUPLICATE_RESOURCE` when a phone is taken meanwhile.
        """
        merge = CustomerMerge.objects.visible_to(request.user).filter(pk=pk).first()
        if merge is None:
            raise NotFound
        undone = services.undo_merge(merge, actor=request.user)
        rows = {"customer": undone.survivor.pk, "restored": undone.merged.pk, "merge": pk}
        return tell(self, **rows, kept=undone.kept)


def tell(view, *, merge, customer, restored=None, **more):
    """A merge, the customers that it concerns with all that hangs on them, and what else is named."""
    permissions = frozenset(view.request.user.permissions)
    whole = rows_of(CustomerSerializer, None, frozenset(INCLUDES), permissions)
    ((text, version, updated_at),) = whole.fetch([customer])
    ((told, *_rest),) = rows_of(MergeSerializer, permissions=permissions).fetch([merge])
    parts = {"customer": orjson.Fragment(text), "merge": orjson.Fragment(told), **more}
    if restored:
        parts["restored"] = orjson.Fragment(whole.fetch([restored])[0][0])
    response = view.answer(parts)
    response.row_version, response.row_updated_at = version, updated_at
    return response
