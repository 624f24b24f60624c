"""What somebody looks for, and whom it finds."""

from rest_framework import serializers

from config.api.pagination import DEFAULT_SIZE
from config.api.serializers import Question, TextField, WholeNumberField
from customers.serializers.customer import CustomerSerializer


class SearchInput(Question):
    """What somebody typed, and the filters of the list as an object of values or lists of values. Null is absent."""

    query = TextField(max_length=200, allow_blank=False)
    filters = serializers.DictField(required=False, allow_null=True)
    fuzzy = serializers.BooleanField(required=False, allow_null=True)
    limit = WholeNumberField(min_value=1, max_value=100, required=False, allow_null=True)

    def validate(self, values):
        defaults = {"filters": {}, "fuzzy": True, "limit": DEFAULT_SIZE}
        return defaults | {name: value for name, value in values.items() if value is not None}


class SearchResultSerializer(serializers.Serializer):
    """One customer that was found. `score` is 0 to 1, of which 1 is exact."""

    customer = CustomerSerializer()
    score = serializers.FloatField(min_value=0, max_value=1)
    matchedFields = serializers.ListField(
        child=serializers.ChoiceField(["name", "nameEn", "phone", "email", "nationalId"])
    )


class SearchResultsSerializer(serializers.Serializer):
    """The best matches, best first; `total` counts them all, up to 10,000."""

    results = SearchResultSerializer(many=True)
    total = serializers.IntegerField(min_value=0)
