"""The shapes of listings: what leaves, and what may be written."""

from rest_framework import serializers

from config.api.serializers import (
    CoordinateField,
    DayField,
    MoneyField,
    TextField,
    TextListField,
    WebLinkField,
    WholeNumberField,
    WordField,
)
from config.arabic import ascii_digits
from customers.choices import LISTING_FURNISHING, ListingPurpose, ListingStatus
from customers.models import Listing

# --- What leaves --------------------------------------------------------------------------


class ListingSerializer(serializers.Serializer):
    """A property as every answer carries it; optional fields without a value are left out."""

    id = serializers.CharField()
    reference = serializers.CharField(
        required=False, help_text="The brokerage's own code, unique within it in any case"
    )
    title = serializers.CharField()
    titleEn = serializers.CharField(source="title_en", required=False)
    type = serializers.CharField(help_text="villa, apartment, land, commercial, or any other")
    purpose = serializers.ChoiceField(ListingPurpose.choices)
    status = serializers.ChoiceField(ListingStatus.choices)
    price = serializers.FloatField(required=False)
    priceUnit = serializers.ChoiceField(["SAR", "SAR/year"], source="price", required=False)
    city = serializers.CharField(required=False)
    district = serializers.CharField(required=False)
    location = serializers.CharField(required=False, help_text="City - District, as customers name preferred areas")
    latitude = serializers.FloatField(required=False)
    longitude = serializers.FloatField(required=False)
    bedrooms = serializers.IntegerField(required=False)
    bathrooms = serializers.IntegerField(required=False)
    area = serializers.FloatField(required=False, help_text="Square metres")
    floor = serializers.IntegerField(required=False, help_text="0 is the ground floor")
    totalFloors = serializers.IntegerField(source="total_floors", required=False, help_text="The topmost `floor`")
    furnishing = serializers.ChoiceField(LISTING_FURNISHING, required=False)
    amenities = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField(required=False)
    imageUrl = serializers.CharField(source="image_url", required=False)
    adLicenseNumber = serializers.CharField(source="ad_license_number", required=False)
    adLicenseExpiry = serializers.DateField(source="ad_license_expiry", required=False)
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")

    class Meta:
        model = Listing
        derived = {
            "priceUnit": "CASE WHEN {row}.price IS NOT NULL THEN "
            "CASE {row}.purpose WHEN 'rent' THEN 'SAR/year' ELSE 'SAR' END END"
        }


# --- What may be written --------------------------------------------------------------------


_OPTIONAL = {"required": False, "allow_null": True}


class LicenseNumberField(TextField):
    """The number of a licence, in digits of any script."""

    def to_internal_value(self, data):
        return ascii_digits(super().to_internal_value(str(data) if type(data) is int else data))


class ListingInput(serializers.Serializer):
    """The writable part of a listing. Keys that are missing stay as they are, null clears, arrays replace.

    Prices are riyals: the whole price of a sale, a year's rent.
    """

    reference = TextField(max_length=100, name_like=True, **_OPTIONAL)
    title = TextField(max_length=255, name_like=True)
    titleEn = TextField(source="title_en", max_length=255, name_like=True, **_OPTIONAL)
    type = TextField(max_length=50, name_like=True)
    purpose = WordField(ListingPurpose.choices)
    status = WordField(ListingStatus.choices, required=False)
    price = MoneyField(positive=True, **_OPTIONAL)
    city = TextField(max_length=100, name_like=True, **_OPTIONAL)
    district = TextField(max_length=100, name_like=True, **_OPTIONAL)
    latitude = CoordinateField(limit=90, **_OPTIONAL)
    longitude = CoordinateField(limit=180, **_OPTIONAL)
    bedrooms = WholeNumberField(min_value=0, max_value=100, **_OPTIONAL)
    bathrooms = WholeNumberField(min_value=0, max_value=100, **_OPTIONAL)
    area = MoneyField(positive=True, **_OPTIONAL)
    floor = WholeNumberField(min_value=-10, max_value=300, **_OPTIONAL)
    totalFloors = WholeNumberField(source="total_floors", min_value=0, max_value=300, **_OPTIONAL)
    furnishing = WordField(LISTING_FURNISHING, allow_blank=True, **_OPTIONAL)
    amenities = TextListField(text_length=100, **_OPTIONAL)
    description = TextField(max_length=20_000, multiline=True, **_OPTIONAL)
    imageUrl = WebLinkField(source="image_url", max_length=1000, **_OPTIONAL)
    adLicenseNumber = LicenseNumberField(source="ad_license_number", max_length=50, name_like=True, **_OPTIONAL)
    adLicenseExpiry = DayField(source="ad_license_expiry", **_OPTIONAL)
