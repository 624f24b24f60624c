"""What people ask of whoever keeps their data, and the copy of it: `/customers/:id/privacy-requests` and `/export`."""

import os
from secrets import token_hex

from config.api.downloads import download
from config.api.pagination import Sort
from config.api.viewsets import HubViewSet
from config.audit import record_read
from customers.filters import PrivacyRequestFilterSet
from customers.models import Customer, PrivacyRequest
from customers.person import archive_of, copy_of
from customers.serializers.privacy import PersonSerializer, PrivacyRequestInput, PrivacyRequestSerializer
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


class PersonViewSet(ChildViewSet):
    resource = collection = "personalData"
    permission = "customers.export"
    cached, even_deleted = {}, True
    answers = {"export": {"export": PersonSerializer}}
    extra_params = {
        "export": {
            "format": {
                "type": "string",
                "enum": ["json", "zip"],
                "default": "json",
                "description": "`zip` is a file to be saved: `data.json`, and the files of the customer under `files/`",
            }
        }
    }

    def export(self, request, customer_id):
        """All that is kept of one person, for the person: rows, files, stages, consents, requests."""
        is_archive = self.params.choice("format", ("json", "zip"), "json") == "zip"
        customer = self.customer
        record_read(customer, actor=request.user)
        if not is_archive:
            return self.answer({"export": copy_of(customer, request.user)})
        archive = archive_of(customer, request.user)
        return download(
            request,
            lambda: archive,
            size=archive.seek(0, os.SEEK_END),
            name=f"{customer.pk}.zip",
            content_type="application/zip",
            etag=f'"{token_hex(8)}"',  # each one is another
        )
