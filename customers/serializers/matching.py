"""Matches of customers and listings, seen from either side."""

from rest_framework import serializers

from customers.choices import ListingPurpose, ListingStatus, Priority, Stage
from customers.models import Customer, Listing
from customers.serializers.listing import ListingSerializer

_HUNDREDTHS = {"min_value": 0, "max_value": 100}


class MatchedListingSerializer(serializers.Serializer):
    """As much of a listing as it takes to tell a customer of it."""

    id = serializers.CharField()
    reference = serializers.CharField(required=False)
    title = serializers.CharField()
    titleEn = serializers.CharField(source="title_en", required=False)
    type = serializers.CharField()
    purpose = serializers.ChoiceField(ListingPurpose.choices)
    status = serializers.ChoiceField(ListingStatus.choices)
    price = serializers.FloatField(required=False)
    priceUnit = serializers.ChoiceField(["SAR", "SAR/year"], source="price", required=False)
    location = serializers.CharField(required=False)
    bedrooms = serializers.IntegerField(required=False)
    bathrooms = serializers.IntegerField(required=False)
    area = serializers.FloatField(required=False)
    imageUrl = serializers.CharField(source="image_url", required=False)

    class Meta:
        model = Listing
        derived = ListingSerializer.Meta.derived


class MatchedCustomerSerializer(serializers.Serializer):
    """As much of a customer as it takes to call about a listing."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en", required=False)
    phone = serializers.CharField()
    stage = serializers.ChoiceField(Stage.choices)
    priority = serializers.ChoiceField(Priority.choices)
    leadScore = serializers.IntegerField(source="lead_score")
    assignedEmployeeId = serializers.CharField(source="assigned_employee", required=False)

    class Meta:
        model = Customer


class PartsSerializer(serializers.Serializer):
    """How well each wish is met, 0 to 100; one that does not apply to the type of property is left out."""

    budget = serializers.IntegerField(**_HUNDREDTHS)
    location = serializers.IntegerField(**_HUNDREDTHS)
    bedrooms = serializers.IntegerField(required=False, **_HUNDREDTHS)
    area = serializers.IntegerField(**_HUNDREDTHS)
    amenities = serializers.IntegerField(**_HUNDREDTHS)


class _MatchSerializer(serializers.Serializer):
    score = serializers.IntegerField(**_HUNDREDTHS)
    parts = PartsSerializer()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Sentences for people")


class ListingMatchSerializer(_MatchSerializer):
    """A listing that suits a customer, how well and why."""

    listing = MatchedListingSerializer()


class CustomerMatchSerializer(_MatchSerializer):
    """A customer whom a listing suits, how well and why."""

    customer = MatchedCustomerSerializer()
