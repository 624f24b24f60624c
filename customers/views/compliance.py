"""Compliance below a customer: all of it with what is amiss, its objects, and its lists."""

import orjson
from django.utils.functional import cached_property

from config.api.exceptions import missing
from config.api.renderers import iso
from config.api.rows import fragments, rows_of
from customers.compliance.warnings import issues_of, shown
from customers.models import Customer
from customers.serializers.compliance import (
    ComplianceSerializer,
    IssueSerializer,
    serializer_of,
)
from customers.services import compliance as services
from customers.views.child import ChildViewSet

_DELETED_AT = {"type": "string", "format": "date-time"}
_ALL = {"ksaCompliance": ComplianceSerializer, "issues": IssueSerializer(many=True)}


class ComplianceViewSet(ChildViewSet):
    """What Saudi law asks of a customer's deal. Its version is the customer's, of which it is a part."""

    resource, collection = "compliance", "compliance"
    serializer_class = ComplianceSerializer
    answers = {"retrieve": _ALL}

    def retrieve(self, request, customer_id):
        """All of a customer's compliance, and what in it wants attention today."""
        return self.answer_with(shape=self.shape)

    @cached_property
    def customer(self):
        """The customer of the URL, marked with the version that `If-Match` expects."""
        customer = super().customer
        customer.expected_version = self._expected_version(customer)
        return customer

    def shows_row(self):
        return not self.is_list  # the customer's version comes along with every part

    def answer_with(self, *, one=None, shape=None, status=200, **parts):
        """Parts of an answer, `one` of the objects among them, with all of the compliance and its issues as of now."""
        key = self.kwargs["customer_id"]
        customer = Customer.objects.visible_to(self.request.user).filter(pk=key).first()
        if customer is None:
            raise missing("customer", key)
        shape = shape or rows_of(ComplianceSerializer, permissions=frozenset(self.request.user.permissions))
        ((text, version, updated_at),) = shape.fetch([key])
        if one:
            parts[one] = orjson.loads(text).get(one, {})
        issues = shown(issues_of([customer])[key], self.request.user)
        response = self.answer({**parts, "ksaCompliance": orjson.Fragment(text), "issues": issues}, status=status)
        response.row_version, response.row_updated_at = version, updated_at
        return response


class PartViewSet(ComplianceViewSet):
    """One of the parts, as the route names it; writes answer with it and with the whole."""

    part = None

    def __init__(self, part, **options):
        super().__init__(**options)
        shape = serializer_of(part)
        self.part, self.model, self.serializer_class = part, part.model, shape
        self.resource, self.collection = part.one, part.name
        self.bodies = dict.fromkeys(("create", "update"), shape)
        self.answers = dict.fromkeys(("create", "update"), {part.one: shape, **_ALL})
        self.answers["destroy"] = {"deletedAt": _DELETED_AT, **_ALL}


class ObjectViewSet(PartViewSet):
    """A part of which a customer has one."""

    def update(self, request, customer_id):
        """Change what is named, or begin it; null clears."""
        values = self.body(partial=True)
        services.change_part(self.customer, self.part, actor=request.user, values=values)
        return self.answer_with(one=self.part.name)

    def destroy(self, request, customer_id):
        """Remove it."""
        services.remove_part(self.customer, self.part, actor=request.user)
        return self.answer_with(deletedAt=iso())


class ItemViewSet(PartViewSet):
    """A part that is a list of items, each with a version of its own."""

    def __init__(self, part, **options):
        super().__init__(part, **options)
        self.answers["list"] = {part.name: self.serializer_class(many=True)}

    def list(self, request, customer_id):
        """All of them, in their order."""
        rows = self.get_queryset().filter(customer=self.customer).order_by("position", "id")
        return self.answer({self.part.name: fragments(self.shape.fetch(rows.values_list("pk", flat=True)))})

    def create(self, request, customer_id):
        """One more, at the end."""
        key = services.add_item(self.customer, self.part, actor=request.user, values=self.body())
        response = self.show_with_whole(key, status=201)
        response["Location"] = f"/api/v1/customers/{customer_id}/compliance/{self.part.word}/{key}"
        return response

    def retrieve(self, request, customer_id, pk):
        """One of them."""
        return self.show(self.visible_key())

    def update(self, request, customer_id, pk):
        """Change what is named; null clears."""
        row = self.get_object()
        services.change_item(row, self.part, actor=request.user, values=self.body(partial=True))
        return self.show_with_whole(pk)

    def destroy(self, request, customer_id, pk):
        """Remove one."""
        services.remove_item(self.get_object(), self.part, actor=request.user)
        return self.answer_with(id=pk, deletedAt=iso())

    def show_with_whole(self, key, *, status=200):
        ((text, version, updated_at),) = self.shape.fetch([key])
        response = self.answer_with(status=status, **{self.part.one: orjson.Fragment(text)})
        response.row_version, response.row_updated_at = version, updated_at
        return response
