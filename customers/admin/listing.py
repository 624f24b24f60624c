"""What the brokerage has to offer, in the back office. Nothing is deleted: an archived listing leaves the list."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.backoffice.admin import HubAdmin
from config.backoffice.bulk import Unasked, bulk_action
from config.backoffice.lists import choice
from customers.ad_licenses import warnings_of
from customers.choices import LISTING_FURNISHING, ListingPurpose, ListingStatus
from customers.listing_filters import ListingFilterSet
from customers.models import Listing
from customers.serializers.listing import ListingInput
from customers.services import listing as services


class OnTheBooksFilterSet(ListingFilterSet):
    """Without archived listings, unless a status asks for them."""

    @property
    def qs(self):
        return super().qs if "status" in self.filters else super().qs.on_the_books()


def _with_warnings(write):
    def written(*rows, actor, values):
        listing = write(*rows, actor=actor, values=values)
        listing.warnings = warnings_of(listing, actor.organization)
        return listing

    return staticmethod(written)


@admin.register(Listing)
class ListingAdmin(HubAdmin):
    permission, write_permission = "listings.read", "listings.write"
    serializer_class = ListingInput
    form_options = {"without": {"latitude", "longitude"}}
    filterset_class = OnTheBooksFilterSet
    in_menu = True
    add, change = _with_warnings(services.create_listing), _with_warnings(services.update_listing)

    list_display = ("title", "reference", "type", "purpose", "status", "price", "city", "district", "bedrooms", "area")
    list_filter = (
        choice("status", _("Status"), ListingStatus.choices),
        choice("purpose", _("Purpose"), ListingPurpose.choices),
        choice("furnishing", _("Furnishing"), LISTING_FURNISHING),
    )
    ordering = ("-created_at", "-pk")
    sortable_by = ("price", "area", "bedrooms")
    search_fields = ("title", "reference")
    search_help_text = _("Title in Arabic or English, or reference")
    fieldsets = (
        (None, {"fields": (("title", "titleEn"), ("reference", "status"), ("type", "purpose"), "price")}),
        (_("Where it is"), {"fields": (("city", "district"),)}),
        (
            _("What it has"),
            {
                "fields": (
                    ("bedrooms", "bathrooms"),
                    ("area", "furnishing"),
                    ("floor", "totalFloors"),
                    "amenities",
                    "description",
                    "imageUrl",
                )
            },
        ),
        (_("Advertising licence"), {"fields": (("adLicenseNumber", "adLicenseExpiry"),)}),
    )
    actions = buttons = ("archive",)

    @bulk_action(_("Archive…"), Unasked, permission="listings.write")
    def archive(self, request, ids):
        for listing in self.get_queryset(request).filter(pk__in=ids).order_by("pk"):
            services.archive_listing(listing, actor=request.user)
