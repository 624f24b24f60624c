"""The numbers of customers: statistics, choices of filters, the columns of the pipeline."""

from rest_framework import serializers

from customers.choices import Priority, Source, Stage
from customers.models import Customer


class CardSerializer(serializers.Serializer):
    """A customer as a card of the pipeline shows them."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en", required=False)
    phone = serializers.CharField()
    city = serializers.CharField(required=False)
    stage = serializers.ChoiceField(Stage.choices)
    stageEnteredAt = serializers.DateTimeField(source="stage_entered_at")
    priority = serializers.ChoiceField(Priority.choices)
    leadScore = serializers.IntegerField(source="lead_score")
    totalDealValue = serializers.FloatField(source="total_deal_value", required=False)
    assignedEmployeeId = serializers.CharField(source="assigned_employee", required=False)
    lastContactAt = serializers.DateTimeField(source="last_contact_at", required=False)

    class Meta:
        model = Customer


class ColumnSerializer(serializers.Serializer):
    """One stage of the pipeline."""

    stage = serializers.ChoiceField(Stage.choices)
    label = serializers.CharField()
    labelEn = serializers.CharField()
    count = serializers.IntegerField(help_text="As `stage=…` of the list")
    value = serializers.FloatField(help_text="Their deal values together")
    avgDays = serializers.FloatField(help_text="Calendar days since they entered the stage, on average")
    staleCount = serializers.IntegerField(help_text="Who are there more than twice the organization's median of days")
    customers = CardSerializer(many=True, help_text="The first cards: by priority, then by lead score")


def _numbers(name, words, kind=serializers.IntegerField, **help_texts):
    fields = {word: kind(help_text=help_texts.get(word)) for word in words}
    return type(name, (serializers.Serializer,), fields)()


class GroupSerializer(serializers.Serializer):
    """One group of `groupBy`."""

    key = serializers.CharField(
        allow_null=True, help_text="What the list's filter takes; null for unassigned customers, or without a city"
    )
    label = serializers.CharField()
    labelEn = serializers.CharField()
    count = serializers.IntegerField()
    avgLeadScore = serializers.FloatField()
    totalDealValue = serializers.FloatField()


class CustomerStatisticsSerializer(serializers.Serializer):
    """Each number equals `totalItems` of the list behind it, for the same caller and assignee."""

    total = serializers.IntegerField()
    byStage = _numbers("CustomersByStageSerializer", Stage.values)
    bySource = _numbers("CustomersBySourceSerializer", Source.values)
    byPriority = _numbers("CustomersByPrioritySerializer", Priority.values)
    leadScores = _numbers(
        "LeadScoresSerializer",
        ("avg", "median", "above80", "60to80", "40to60", "below40"),
        serializers.FloatField,
        median="Of an even number the mean of the middle two",
        above80="80 and more",
        **{"60to80": "60 to 79", "40to60": "40 to 59"},
    )
    financial = _numbers(
        "FinancialSerializer",
        ("totalDealValue", "totalExpectedRevenue", "avgDealSize"),
        serializers.FloatField,
        totalExpectedRevenue="As stated, else the organization's commission of the deal value",
        avgDealSize="Of those with a deal value",
    )
    conversion = _numbers(
        "ConversionSerializer",
        ("conversionRate", "avgDaysInPipeline", "closedThisMonth", "closedThisYear"),
        serializers.FloatField,
        conversionRate="Percent that ever reached the down payment or later",
        avgDaysInPipeline="From creation to closing, of those that closed",
    )
    engagement = _numbers(
        "EngagementSerializer",
        ("activeCustomers", "newThisMonth", "avgInteractions", "avgResponseRate"),
        serializers.FloatField,
        activeCustomers="Last contact today or in the thirty days before: `lastContactFrom=…`",
        newThisMonth="`createdFrom=` the first of this month",
        avgResponseRate="Percent, of those of whom it is known",
    )
    avgLeadScore = serializers.FloatField()
    totalDealValue = serializers.FloatField()
    conversionRate = serializers.FloatField()
    avgDaysInPipeline = serializers.FloatField()
    activeCustomers = serializers.IntegerField()
    newThisMonth = serializers.IntegerField()
    closedThisMonth = serializers.IntegerField()
    groups = GroupSerializer(many=True, required=False, help_text="With `groupBy`; at most 200")
    groupCount = serializers.IntegerField(required=False, help_text="How many groups there are")


class OptionSerializer(serializers.Serializer):
    """One choice: `value` is what the filter takes, `count` the total of the list that it gives."""

    value = serializers.CharField()
    label = serializers.CharField()
    labelEn = serializers.CharField()
    count = serializers.IntegerField()


class EmployeeOptionSerializer(serializers.Serializer):
    """One assignee; `unassigned` stands for nobody."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(required=False)
    count = serializers.IntegerField()


class FilterOptionsSerializer(serializers.Serializer):
    """What lists can be narrowed by: enums whole and in their order, the others by count, at most 200 of a kind."""

    stages = OptionSerializer(many=True)
    sources = OptionSerializer(many=True)
    priorities = OptionSerializer(many=True)
    cities = OptionSerializer(many=True)
    regions = OptionSerializer(many=True, help_text="For `state`")
    districts = OptionSerializer(many=True)
    propertyTypes = OptionSerializer(many=True)
    tags = OptionSerializer(many=True)
    employees = EmployeeOptionSerializer(many=True)
    actionTypes = OptionSerializer(many=True, help_text="Open actions, as `tab=all&type=…` of their list")
    actionStatuses = OptionSerializer(many=True, help_text="As `status=…` of the list of actions")
    cut = serializers.DictField(required=False, help_text="How many there are of the kinds that were cut to 200")
