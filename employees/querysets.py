"""Which employees and customers-to-be-assigned-to a caller may see."""

from django.db import models


class EmployeeQuerySet(models.QuerySet):
    def visible_to(self, employee):
        """Admins see their organization, everyone else the own team and always themselves."""
        colleagues = self.filter(organization_id=employee.organization_id)
        if employee.is_admin:
            return colleagues
        own = models.Q(pk=employee.pk)
        if employee.team_id:
            own |= models.Q(team_id=employee.team_id)
        return colleagues.filter(own)

    def active(self):
        return self.filter(is_active=True)
