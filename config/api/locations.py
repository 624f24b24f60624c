"""The regions and cities that forms offer, from the table of places."""

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from config.api.query import one_of
from config.api.viewsets import HubViewSet
from config.places import REGIONS, find_cities, resolve_region


class RegionSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en")


class CitySerializer(serializers.Serializer):
    value = serializers.CharField(source="slug")
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en")
    region = serializers.CharField()


class LocationViewSet(HubViewSet):
    resource, collection = "location", "locations"
    signed_in = True
    answers = {
        "regions": {"regions": RegionSerializer(many=True)},
        "cities": {"cities": CitySerializer(many=True)},
    }
    extra_params = {
        "cities": {
            "region": {"type": "string", "description": "A region by its code or name, Arabic or English"},
            "search": {"type": "string", "description": "What a name of the city begins with or contains"},
        },
    }

    def regions(self, request):
        """The thirteen regions of Saudi Arabia."""
        return self.answer({"regions": RegionSerializer(REGIONS.values(), many=True).data})

    def cities(self, request):
        """The cities that the hub knows in every spelling; customers may live in others too."""
        cities = find_cities(self.params.text("search") or "", self.region())
        return self.answer({"cities": CitySerializer(cities, many=True).data})

    def region(self):
        """The Region that the query string names, or None; ValidationError (400) naming them all otherwise."""
        text = self.params.text("region")
        region = resolve_region(text)
        if text and region is None:
            raise ValidationError({"region": one_of([region.name for region in REGIONS.values()])})
        return region
