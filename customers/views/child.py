"""What the routes below a customer share: `/customers/:customer_id/<collection>[/:id]`."""

from django.utils.functional import cached_property

from config.api.exceptions import missing
from config.api.renderers import iso
from customers.models import Customer
from customers.views.path import CustomerPathViewSet


class ChildViewSet(CustomerPathViewSet):
    """Rows that hang on a customer: seen and changed by those who see the customer.

    A concrete one names its `model` and the services that write it: `add(customer, actor=, values=)`,
    `change(row, actor=, values=)`, `remove(row, actor=)`.
    """

    permission, write_permission = "customers.read", "customers.write"
    answers = {"destroy": {"id": {"type": "string"}, "deletedAt": {"type": "string", "format": "date-time"}}}
    default_order = "asc"
    cached = {"list": 60, "retrieve": 300}
    model = add = change = remove = None
    # Whether it is there below deleted customers as well.
    even_deleted = False

    @property
    def path(self):
        return f"customers/{self.kwargs['customer_id']}/{self.collection}"

    @cached_property
    def customer(self):
        """The customer of the URL; 404 when there is none that the caller sees."""
        key = self.kwargs["customer_id"]
        seen = Customer.objects.visible_to(self.request.user, deleted=None if self.even_deleted else False)
        customer = seen.filter(pk=key).first()
        if customer is None:
            raise missing("customer", key)
        return customer

    def get_queryset(self):
        rows = self.model.objects.visible_to(self.request.user, deleted=None if self.even_deleted else False)
        return rows.filter(customer_id=self.kwargs["customer_id"])

    def scope_is_small(self):
        return True

    def sources(self):
        return [self.kwargs["customer_id"]]

    def list(self, request, customer_id):
        """What hangs on one customer."""
        return self.page(self.get_queryset().filter(customer=self.customer))

    def create(self, request, customer_id):
        """One more."""
        row = self.add(self.customer, actor=request.user, values=self.body())
        return self.show(row.pk, status=201)

    def retrieve(self, request, customer_id, pk):
        """One of them."""
        return self.show(self.visible_key())

    def update(self, request, customer_id, pk):
        """Change what is named; null clears."""
        row = self.get_object()
        self.change(row, actor=request.user, values=self.body(partial=True, instance=row))
        return self.show(pk)

    def destroy(self, request, customer_id, pk):
        """Remove one."""
        self.remove(self.get_object(), actor=request.user)
        return self.answer({"id": pk, "deletedAt": iso()})
