"""How much each employee has to do, as far as the caller may count it."""

from django.db.models import Count, IntegerField, Q, Value

from employees.choices import Role

# Counted over related names. No action exists before the actions app; it replaces its two entries.
WORKLOAD = {
    "assignedCustomers": Count("customers", filter=Q(customers__deleted_at=None)),
    "pendingActions": Value(0, output_field=IntegerField()),
    "completedThisMonth": Value(0, output_field=IntegerField()),
}


def workload(employees, caller):
    """`{employee id: {name: number}}` for those employees whose rows the caller may list."""
    if caller.role not in (Role.ADMIN, Role.SALES_MANAGER):
        employees = employees.filter(pk=caller.pk)
    return {row.pop("pk"): row for row in employees.order_by().values("pk").annotate(**WORKLOAD)}
