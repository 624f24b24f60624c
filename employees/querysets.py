"""Which people, and which organization, a caller may see."""

from django.db import models


class OrganizationQuerySet(models.QuerySet):
    def visible_to(self, employee):
        """The caller's own."""
        return self.filter(pk=employee.organization_id)


class TeamQuerySet(models.QuerySet):
    def visible_to(self, employee):
        """Admins see the teams of their organization, everyone else the own one."""
        teams = self.filter(organization_id=employee.organization_id)
        return teams if employee.is_admin else teams.filter(pk=employee.team_id)


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
