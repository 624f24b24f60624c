"""The shape of what a lead score is made of."""

from rest_framework import serializers

from customers.choices import FeatureBlock, LeadFeature, ModelKind, ProbabilityBasis, Trend


class FeatureSerializer(serializers.Serializer):
    """One of the seventeen features: the points of its bin, and what it adds to the average score."""

    feature = serializers.ChoiceField(LeadFeature.choices)
    block = serializers.ChoiceField(FeatureBlock.choices)
    label = serializers.CharField(help_text="In Arabic")
    labelEn = serializers.CharField()
    bin = serializers.IntegerField(help_text="0 is the worst of `bins`; those of `source` have no order")
    bins = serializers.IntegerField()
    points = serializers.IntegerField()
    maxPoints = serializers.IntegerField()
    delta = serializers.FloatField()


class ReasonSerializer(serializers.Serializer):
    """Why a score is higher or lower than the average one."""

    feature = serializers.ChoiceField(LeadFeature.choices)
    delta = serializers.FloatField()
    text = serializers.CharField(help_text="In Arabic")
    textEn = serializers.CharField()


class ScorePointSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    score = serializers.IntegerField()


class ScoreSerializer(serializers.Serializer):
    """A score with everything that it is made of: `base` and the `delta` of all features add up to `score`."""

    customerId = serializers.CharField()
    score = serializers.IntegerField(min_value=0, max_value=100)
    previousScore = serializers.IntegerField(required=False, min_value=0, max_value=100)
    trend = serializers.ChoiceField(Trend.choices)
    changedAt = serializers.DateTimeField(required=False)
    computedAt = serializers.DateTimeField()
    points = serializers.IntegerField(help_text="The documented points, whatever the level")
    level = serializers.ChoiceField(ModelKind.choices)
    modelVersion = serializers.IntegerField(help_text="0 are the documented points")
    conversionProbability = serializers.IntegerField(min_value=0, max_value=100)
    probabilityBasis = serializers.ChoiceField(
        ProbabilityBasis.choices, help_text="`default`: ranks, but the percentage is a placeholder"
    )
    engagementPoints = serializers.IntegerField(min_value=0, max_value=40)
    base = serializers.FloatField(
        help_text="Where reasons start: of a model the score of the average open customer, of points the mean of bins"
    )
    features = FeatureSerializer(many=True)
    positive = ReasonSerializer(many=True)
    negative = ReasonSerializer(many=True)
    history = ScorePointSerializer(many=True, help_text="As it was written down, the oldest first")
