"""The listings of the API: what the brokerage has to offer."""

from django.utils.translation import gettext as _

from config.api.serializers import NoticeSerializer
from config.api.viewsets import HubViewSet
from customers.ad_licenses import warnings_of
from customers.listing_filters import DEFAULT_SORT, SORTS, ListingFilterSet
from customers.models import Listing
from customers.serializers.listing import ListingInput, ListingSerializer
from customers.services import listing as services

_WITH_WARNINGS = {"listing": ListingSerializer, "warnings": NoticeSerializer(many=True)}


class ListingViewSet(HubViewSet):
    resource, collection = "listing", "listings"
    permission, write_permission = "listings.read", "listings.write"
    serializer_class = ListingSerializer
    filterset_class = ListingFilterSet
    bodies = {"create": ListingInput, "update": ListingInput}
    answers = dict.fromkeys(("create", "retrieve", "update", "destroy"), _WITH_WARNINGS)
    sorts, default_sort = SORTS, DEFAULT_SORT
    cached, reads = {"list": 60, "retrieve": 300}, (Listing,)

    def get_queryset(self):
        return Listing.objects.visible_to(self.request.user)

    def list(self, request):
        """Listings of the organization, filtered, sorted and paged; archived ones only where `status` asks for them."""
        listings = self.get_queryset()
        return self.page(listings if "status" in self.params else listings.on_the_books())

    def create(self, request):
        """A new listing. What is wrong with its advertising licence is a warning and refuses nothing."""
        listing = services.create_listing(actor=request.user, values=self.body())
        return self.tell(listing, status=201, message=_("Listing created"))

    def retrieve(self, request, pk):
        """One listing, archived or not, with what should be looked at."""
        return self.tell(self.get_object())

    def update(self, request, pk):
        """Change what is named: arrays replace, null clears."""
        listing = self.get_object()
        values = self.body(partial=True)
        listing = services.update_listing(listing, actor=request.user, values=values)
        return self.tell(listing, message=_("Listing updated"))

    def destroy(self, request, pk):
        """Archive a listing: it leaves the lists and stays for whatever names it. A `status` brings it back."""
        listing = services.archive_listing(self.get_object(), actor=request.user)
        return self.tell(listing, message=_("Listing archived"))

    def tell(self, listing, **options):
        """A listing with its warnings."""
        return self.show(listing.pk, warnings=warnings_of(listing, self.request.user.organization), **options)
