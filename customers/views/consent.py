"""What a customer allows to be done with their data: `/customers/:customer_id/consents`."""

from config.api.pagination import Sort
from customers.filters import ConsentFilterSet
from customers.models import Consent
from customers.serializers.consent import ConsentInput, ConsentSerializer
from customers.services import consent as services
from customers.views.child import ChildViewSet


class ConsentViewSet(ChildViewSet):
    """Consents are only added: one that is withdrawn is followed by another with the status `withdrawn`."""

    resource, collection = "consent", "consents"
    model, add = Consent, staticmethod(services.add_consent)
    serializer_class = ConsentSerializer
    filterset_class = ConsentFilterSet
    bodies = {"create": ConsentInput}
    sorts, default_sort = {"at": Sort("given_at")}, "at"
