"""Matches: the listings that suit a customer, and the customers whom a listing suits."""

from config.api.exceptions import missing
from config.api.pagination import DEFAULT_SIZE, MAX_PAGE, MAX_SIZE, numbered
from config.api.viewsets import HubViewSet
from customers.matching import SUITS, WEIGHTS, customers_for, listings_for, reasons_of
from customers.models import Customer, Listing
from customers.serializers.duplicate import PagesSerializer
from customers.serializers.matching import (
    CustomerMatchSerializer,
    ListingMatchSerializer,
    MatchedCustomerSerializer,
    MatchedListingSerializer,
)
from customers.views.path import CustomerPathViewSet

_PARAMS = {
    "page": {"type": "integer", "minimum": 1, "default": 1},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
    "minScore": {"type": "integer", "minimum": 0, "maximum": 100, "default": SUITS},
}


class _MatchesViewSet(HubViewSet):
    """Matches as of now, best first."""

    permission = "customers.read"
    extra_params = {"list": _PARAMS}

    def matches(self, find):
        """`([Match], pagination)` of the page that the query string asks for: `find` is one of customers.matching."""
        size = self.params.integer("limit", DEFAULT_SIZE, minimum=1, maximum=MAX_SIZE)
        page = self.params.integer("page", 1, minimum=1, maximum=MAX_PAGE)
        least = self.params.integer("minScore", SUITS, minimum=0, maximum=100)
        total, matches = find(least=least, size=size, start=(page - 1) * size)
        return matches, numbered(page, size, total)


def _explained(match, customer, listing):
    parts = {name: part for name, part in zip(WEIGHTS, match.parts, strict=True) if part is not None}
    return {"score": match.score, "parts": parts, "reasons": reasons_of(customer, listing, match.parts)}


class CustomerMatchesViewSet(_MatchesViewSet, CustomerPathViewSet):
    resource, collection = "match", "matches"
    serializer_class = ListingMatchSerializer
    answers = {"list": {"matches": ListingMatchSerializer(many=True), "pagination": PagesSerializer}}

    def list(self, request, customer_id):
        """Available listings that suit a customer, best first: of at least `minScore`, and why."""
        customer = Customer.objects.visible_to(request.user).filter(pk=customer_id).first()
        if customer is None:
            raise missing("customer", customer_id)
        matches, pagination = self.matches(lambda **part: listings_for(customer, **part))
        keys = [match.listing_id for match in matches]
        shown = self.in_short(MatchedListingSerializer, keys)
        listings = Listing.objects.visible_to(request.user).in_bulk(keys)
        rows = [
            {"listing": shown[match.listing_id], **_explained(match, customer, listings[match.listing_id])}
            for match in matches
            if match.listing_id in listings
        ]
        return self.answer({"matches": rows, "pagination": pagination})


class ListingCustomersViewSet(_MatchesViewSet):
    resource, collection = "customerMatch", "matches"
    serializer_class = CustomerMatchSerializer
    answers = {"list": {"matches": CustomerMatchSerializer(many=True), "pagination": PagesSerializer}}

    def list(self, request, pk):
        """The caller's customers whom a listing suits, best first, then by lead score: of at least `minScore`."""
        listing = Listing.objects.visible_to(request.user).filter(pk=pk).first()
        if listing is None:
            raise missing("listing", pk)
        seen = Customer.objects.visible_to(request.user)
        matches, pagination = self.matches(lambda **part: customers_for(listing, seen, **part))
        keys = [match.customer_id for match in matches]
        shown = self.in_short(MatchedCustomerSerializer, keys)
        customers = seen.in_bulk(keys)
        rows = [
            {"customer": shown[match.customer_id], **_explained(match, customers[match.customer_id], listing)}
            for match in matches
            if match.customer_id in customers
        ]
        return self.answer({"matches": rows, "pagination": pagination})
