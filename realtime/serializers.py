"""The shapes of live updates."""

from rest_framework import serializers


class FrameSerializer(serializers.Serializer):
    """One message, as the socket sends it. Those with the same `seq` are further names of the same change."""

    event = serializers.CharField(help_text="`customer.updated`, `action.created`, …, or `resync_required`")
    channel = serializers.CharField(help_text="`customers`, `actions`, or `*` for what concerns all of them")
    data = serializers.DictField()
    timestamp = serializers.DateTimeField()
    seq = serializers.IntegerField()
    prevSeq = serializers.IntegerField(help_text="The `seq` of the event before it, among those that the caller sees")


class EventsSerializer(serializers.Serializer):
    """A part of the log, as the caller sees it."""

    events = FrameSerializer(many=True)
    seq = serializers.IntegerField(help_text="How far this answer goes: the next `since`")
    hasMore = serializers.BooleanField(help_text="Whether to ask again at once")
    resyncRequired = serializers.BooleanField(help_text="`since` is too old: read everything again")
