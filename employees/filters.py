"""What the list of employees can be narrowed by."""

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api.filters import HubFilter, HubFilterSet
from config.api.query import FALSE, TRUE


class RoleFilter(HubFilter):
    """The key of a role, or a job title."""

    def filter(self, queryset, value):
        return queryset.filter(Q(role=value) | Q(job_title__iexact=value))


class BooleanFilter(HubFilter):
    value_schema = {"type": "boolean"}

    def clean_one(self, text):
        if text.lower() not in TRUE | FALSE:
            raise ValidationError(_("Must be true or false"))
        return text.lower() in TRUE

    def filter(self, queryset, value):
        return queryset.filter(**{self.field_name: value})


class EmployeeFilterSet(HubFilterSet):
    role = RoleFilter()
    isActive = BooleanFilter("is_active")
