"""Who may well be the same person: in an organization, and beside one customer."""

from config.api.pagination import DEFAULT_SIZE, MAX_PAGE, MAX_SIZE, numbered
from config.api.viewsets import HubViewSet
from customers.duplicates import duplicate_pairs, duplicates_of
from customers.models import Customer
from customers.serializers.duplicate import (
    DuplicatePairSerializer,
    DuplicateSerializer,
    LikelySerializer,
    PagesSerializer,
)
from customers.views.child import ChildViewSet


class DuplicatesViewSet(HubViewSet):
    resource, collection = "pair", "duplicates"
    permission = "customers.merge"
    serializer_class = DuplicatePairSerializer
    answers = {"list": {"duplicates": DuplicatePairSerializer(many=True), "pagination": PagesSerializer}}
    extra_params = {
        "list": {
            "page": {"type": "integer", "minimum": 1, "default": 1},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
        }
    }
    cached, reads = {"list": 60}, (Customer,)

    def list(self, request):
        """Pairs of customers who may be one person, likeliest first, of those of whom the caller sees both.

        They share a `nationalId`, an `email`, a `phone` (one's phone or WhatsApp is the other's WhatsApp: families do
        so too), or the folded name and the city (`name_city`, unless more than five do).
        """
        size = self.params.integer("limit", DEFAULT_SIZE, minimum=1, maximum=MAX_SIZE)
        page = self.params.integer("page", 1, minimum=1, maximum=MAX_PAGE)
        total, pairs = duplicate_pairs(request.user, size=size, start=(page - 1) * size)
        shown = self.in_short(LikelySerializer, [key for pair in pairs for key in pair.keys])
        duplicates = [
            {"customers": [shown[key] for key in pair.keys], "reasons": pair.reasons, "score": pair.score}
            for pair in pairs
        ]
        return self.answer({"duplicates": duplicates, "pagination": numbered(page, size, total)})


class CustomerDuplicatesViewSet(ChildViewSet):
    resource, collection = "duplicate", "duplicates"
    permission = "customers.merge"
    serializer_class = DuplicateSerializer
    answers = {"list": {"duplicates": DuplicateSerializer(many=True)}}
    cached, reads = {"list": 60}, (Customer,)

    def sources(self):
        return self.reads

    def list(self, request, customer_id):
        """Other customers who may be this one, likeliest first: of those whom the caller sees."""
        found = duplicates_of(self.customer, request.user)
        shown = self.in_short(LikelySerializer, [one.keys[0] for one in found])
        duplicates = [{"customer": shown[one.keys[0]], "reasons": one.reasons, "score": one.score} for one in found]
        return self.answer({"duplicates": duplicates})
