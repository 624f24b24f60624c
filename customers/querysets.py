"""Which customers a caller may see."""

from django.db import models
from django.db.models import Q

from employees.choices import Role
from employees.models import Employee


class CustomerQuerySet(models.QuerySet):
    def visible_to(self, employee, *, deleted=False):
        """Customers that are the caller's: admins see the organization's, managers their team's and
        the unassigned ones, everybody else their own.

        Living ones only; with `deleted=True` the deleted ones instead, with None both.
        """
        scoped = self._in_scope(employee)
        return scoped if deleted is None else scoped.filter(deleted_at__isnull=not deleted)

    def claimable_by(self, employee):
        """Unassigned customers of the organization, for those who may claim them."""
        if not employee.may("customers.claim"):
            return self.none()
        return self.filter(organization_id=employee.organization_id, deleted_at=None, assigned_employee=None)

    def _in_scope(self, employee):
        mine = self.filter(organization_id=employee.organization_id)
        if employee.role == Role.ADMIN:
            return mine
        if employee.role == Role.SALES_MANAGER:
            unassigned = Q(assigned_employee=None)
            if employee.team_id is None:
                return mine.filter(unassigned)
            team = Employee.objects.filter(team_id=employee.team_id).values("pk")
            return mine.filter(unassigned | Q(assigned_employee__in=team))
        return mine.filter(assigned_employee=employee.pk)
