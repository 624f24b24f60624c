"""What the list of employees can be narrowed by."""

from django.db.models import Q

from config.api.filters import BooleanFilter, HubFilter, HubFilterSet


class RoleFilter(HubFilter):
    """The key of a role, or a job title."""

    def filter(self, queryset, value):
        return queryset.filter(Q(role=value) | Q(job_title__iexact=value))


class EmployeeFilterSet(HubFilterSet):
    role = RoleFilter()
    isActive = BooleanFilter("is_active")
