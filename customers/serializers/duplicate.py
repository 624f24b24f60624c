"""Customers who may well be the same person, in short."""

from rest_framework import serializers

from customers.duplicates import REASONS
from customers.models import Customer


class LikelySerializer(serializers.Serializer):
    """As much of a customer as it takes to compare two."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en", required=False)
    phone = serializers.CharField()
    whatsapp = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    stage = serializers.CharField()
    assignedEmployeeId = serializers.CharField(source="assigned_employee", required=False)
    createdAt = serializers.DateTimeField(source="created_at")
    lastContactAt = serializers.DateTimeField(source="last_contact_at", required=False)

    class Meta:
        model = Customer


class DuplicateSerializer(serializers.Serializer):
    """Another customer who may be the same person. It is a suggestion: families share a phone."""

    customer = LikelySerializer()
    reasons = serializers.ListField(child=serializers.ChoiceField(list(REASONS)))
    score = serializers.FloatField(help_text="0 to 1")


class DuplicatePairSerializer(serializers.Serializer):
    """Two customers who may be one person."""

    customers = LikelySerializer(many=True)
    reasons = serializers.ListField(child=serializers.ChoiceField(list(REASONS)))
    score = serializers.FloatField(help_text="0 to 1")


class PagesSerializer(serializers.Serializer):
    """Where a page is among the others."""

    currentPage = serializers.IntegerField()
    pageSize = serializers.IntegerField()
    totalPages = serializers.IntegerField()
    totalItems = serializers.IntegerField()
    hasNextPage = serializers.BooleanField()
    hasPreviousPage = serializers.BooleanField()
