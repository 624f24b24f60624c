"""What people ask of whoever keeps their data: `/customers/:id/privacy-requests` and `/privacy-requests`."""

from config.api.pagination import Sort
from config.api.viewsets import HubViewSet
from customers.filters import PrivacyRequestFilterSet
from customers.models import Customer, PrivacyRequest
from customers.serializers.privacy import PrivacyRequestInput, PrivacyRequestSerializer
from customers.services import privacy as services
from customers.views.child import ChildViewSet

_SORTS = {"receivedAt": Sort("received_at"), "dueAt": Sort("due_at")}


class PrivacyRequestViewSet(ChildViewSet):
    """Requests of one person, whether or not they are still a customer. They are proof, and stay."""

    resource, collection = "privacyRequest", "privacyRequests"
    permission = write_permission = "customers.privacy"
    model, even_deleted = PrivacyRequest, True
    serializer_class, filterset_class = PrivacyRequestSerializer, PrivacyRequestFilterSet
    bodies = {"create": PrivacyRequestInput, "update": PrivacyRequestInput}
    sorts, default_sort = _SORTS, "receivedAt"
    add, change = staticmethod(services.add_request), staticmethod(services.change_request)

    @property
    def path(self):
        return f"customers/{self.kwargs['customer_id']}/privacy-requests"


class PrivacyRequestsViewSet(HubViewSet):
    resource = collection = "privacyRequests"
    path = "privacy-requests"
    permission = "customers.privacy"
    serializer_class, filterset_class = PrivacyRequestSerializer, PrivacyRequestFilterSet
    sorts, default_sort, default_order = _SORTS, "dueAt", "asc"
    cached, reads = {"list": 60}, (Customer,)

    def get_queryset(self):
        return PrivacyRequest.objects.visible_to(self.request.user, deleted=None)

    def list(self, request):
        """The requests of all people in the caller's scope, the one that is due first at the top."""
        return self.page(self.get_queryset())
