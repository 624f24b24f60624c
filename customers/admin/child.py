"""What hangs on a customer, in the back office: listed beneath one customer, written through the API's services."""

from urllib.parse import parse_qs

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import serializers

from config.api.filters import HubFilterSet, ListFilter
from config.backoffice.admin import HubAdmin
from config.backoffice.forms import with_present
from customers.models import Customer
from employees.models import Employee


class ChildFilterSet(HubFilterSet):
    """Of one customer at a time: over all of them there is no index, and nothing that a manager asks."""

    customer = ListFilter("customer")

    @property
    def qs(self):
        return super().qs if "customer" in self.filters else self.queryset.none()


class ChildAdmin(HubAdmin):
    """Rows that hang on a customer, seen and changed by those who see the customer.

    A new one names its customer: `new_serializer_class` is made by `with_customer`, `add` by `for_customer`.
    """

    permission, write_permission = "customers.read", "customers.write"
    filterset_class = ChildFilterSet
    form_options = {"rows": {"customerId": "customer"}}
    readonly_fields = ("customer",)

    def get_queryset(self, request):
        return self.model._base_manager.filter(customer__in=Customer.objects.visible_to(request.user))

    def get_model_perms(self, request):
        """None: they are found beneath their customer, and not in the menu."""
        return {}

    def get_readonly_fields(self, request, obj=None):
        return self.readonly_fields if obj else ()

    def get_changeform_initial_data(self, request):
        listed = parse_qs(request.GET.get("_changelist_filters", "")).get("customer", [None])[-1]
        return {"customerId": request.GET.get("customer") or listed}

    def changelist_view(self, request, extra_context=None):
        if not request.GET.get("customer"):
            messages.info(request, _("This list shows one customer at a time: open it from the customer’s page."))
        return super().changelist_view(request, extra_context)

    # --- Where somebody goes on: at the list of the customer ----------------------------------

    def response_post_save_add(self, request, obj):
        return self._list_of(obj.customer_id)

    response_post_save_change = response_post_save_add

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        request.removed_of = obj.customer_id

    def response_delete(self, request, obj_display, obj_id):
        super().response_delete(request, obj_display, obj_id)
        return self._list_of(request.removed_of)

    def _list_of(self, customer_id):
        return redirect(f"{reverse(f'admin:{self._route}_changelist')}?customer={customer_id}")


def beneath(filterset_class):
    """The filters of the API's list beneath a customer, with the customer as one of them."""
    return type(filterset_class.__name__, (ChildFilterSet, filterset_class), {})


def with_customer(serializer_class):
    """A body of the API that names its customer itself, as no path does it."""
    field = serializers.CharField(source="customer_id", max_length=50)
    return type(f"{serializer_class.__name__}WithCustomer", (serializer_class,), {"customerId": field})


def for_customer(add):
    """A service that adds to a customer, as one that finds the customer among its values."""

    def added(*, actor, values):
        customer = Customer.objects.visible_to(actor).filter(pk=values.pop("customer_id")).first()
        if customer is None:
            raise ValidationError({"customerId": _("Customer not found")})
        return add(customer, actor=actor, values=values)

    return staticmethod(added)


def all_but(serializer_class, *names):
    """The names of a body's other fields: what a form with few leaves out."""
    return {name for name in serializer_class().fields if name not in names}


def agents(request, row=None):
    """Whom somebody who assigns may name as the agent, by name; nobody means oneself; and who it is."""
    people = Employee.objects.visible_to(request.user).active().order_by("name")
    choices = [("", "---------"), *people.values_list("pk", "name")]
    return with_present(choices, row.agent_id, row.agent_name) if row else choices
