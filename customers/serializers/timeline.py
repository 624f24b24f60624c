"""The shape of a customer's timeline."""

from rest_framework import serializers


class ActorSerializer(serializers.Serializer):
    """Who did something, as they were called then; `system` for the hub itself."""

    id = serializers.CharField()
    name = serializers.CharField()


class TimelineEntrySerializer(serializers.Serializer):
    """One thing that has happened to a customer."""

    id = serializers.CharField()
    type = serializers.CharField(help_text="One of `types`")
    at = serializers.DateTimeField()
    actor = ActorSerializer(required=False)
    title = serializers.CharField()
    titleEn = serializers.CharField()
    data = serializers.DictField()


class CursorsSerializer(serializers.Serializer):
    """The pages before and after this one."""

    nextCursor = serializers.CharField(allow_null=True)
    prevCursor = serializers.CharField(allow_null=True)
    hasNext = serializers.BooleanField()
    hasPrevious = serializers.BooleanField()
    limit = serializers.IntegerField()
