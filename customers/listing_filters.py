"""What the list of listings can be narrowed and sorted by."""

from django.db.models import Q

from config.api.filters import ChoiceListFilter, HubFilter, HubFilterSet, ListFilter, MomentFilter, NumberFilter
from config.api.pagination import Sort
from config.arabic import fold_text
from customers.choices import LISTING_FURNISHING, ListingPurpose, ListingStatus
from customers.filters import CityFilter, DistrictFilter, PropertyTypeFilter, StateFilter
from customers.search import amenity_key, type_key

SORTS = {
    "createdAt": Sort("created_at"),
    "updatedAt": Sort("updated_at"),
    "title": Sort("title_folded"),
    "price": Sort("price", nullable=True),
    "area": Sort("area", nullable=True),
    "bedrooms": Sort("bedrooms", nullable=True),
}
DEFAULT_SORT = "createdAt"


class TitleFilter(HubFilter):
    """Folded title, English title or reference contains this; one or two characters begin a word of them."""

    def filter(self, queryset, value):
        folded = fold_text(value)
        if len(folded) >= 3:
            return queryset.filter(searched__contains=folded)
        begun = Q(searched__contains=f"\n{folded}") | Q(searched__contains=f" {folded}")
        return queryset.filter(begun) if folded else queryset.none()


class TypeFilter(PropertyTypeFilter):
    """Any of several property types, in Arabic or English, which commas may separate."""

    def filter(self, queryset, value):
        return queryset.filter(type_key__in=[self.key(text)[:100] for text in value])


class AmenitiesFilter(ListFilter):
    """Listings that have all of several amenities, in Arabic or English."""

    def filter(self, queryset, value):
        return queryset.filter(amenity_keys__contains=[amenity_key(text) for text in value])


class ListingFilterSet(HubFilterSet):
    search = TitleFilter()
    type = TypeFilter("type_key", key=type_key)
    purpose = ChoiceListFilter("purpose", choices=ListingPurpose.values)
    status = ChoiceListFilter("status", choices=ListingStatus.values)
    city = CityFilter("city_key")
    state = StateFilter("region")
    district = DistrictFilter("district_key")
    priceMin = NumberFilter("price", lookup_expr="gte", minimum=0)
    priceMax = NumberFilter("price", lookup_expr="lte", minimum=0)
    bedroomsMin = NumberFilter("bedrooms", lookup_expr="gte", minimum=0, maximum=100, whole=True)
    bathroomsMin = NumberFilter("bathrooms", lookup_expr="gte", minimum=0, maximum=100, whole=True)
    areaMin = NumberFilter("area", lookup_expr="gte", minimum=0)
    areaMax = NumberFilter("area", lookup_expr="lte", minimum=0)
    furnishing = ChoiceListFilter("furnishing", choices=[word for word, _label in LISTING_FURNISHING])
    amenities = AmenitiesFilter("amenity_keys")
    updatedFrom = MomentFilter("updated_at")
    updatedTo = MomentFilter("updated_at", end=True)

    aliases = {"propertyType": "type", "region": "state"}
