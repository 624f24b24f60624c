"""How much each employee has to do, as far as the caller may count it."""

from django.db.models import Count, Q

from employees.choices import Role
from employees.models import Employee


def assigned_by_employee(caller):
    """`{employee id: customers assigned to them}`."""
    colleagues = Employee.objects.visible_to(caller).order_by()
    return dict(colleagues.values_list("pk").annotate(number=Count("customers", filter=Q(customers__deleted_at=None))))


# Each entry counts for all employees at once. The actions app adds its own.
WORKLOAD = {"assignedCustomers": assigned_by_employee}
# The same, absent where there is nothing to average. The customers app adds its own.
AVERAGES = {}


def workload(employees, caller):
    """`{employee id: {name: number}}` for those employees whose rows the caller may list."""
    if caller.role not in (Role.ADMIN, Role.SALES_MANAGER):
        employees = employees.filter(pk=caller.pk)
    counted = {name: count(caller) for name, count in WORKLOAD.items()}
    averaged = {name: average(caller) for name, average in AVERAGES.items()}
    return {
        key: {name: numbers.get(key, 0) for name, numbers in counted.items()}
        | {name: numbers[key] for name, numbers in averaged.items() if key in numbers}
        for key in employees.order_by().values_list("pk", flat=True)
    }
