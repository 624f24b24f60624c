"""Which customers and listings a caller may see, and which counts of customers are the caller's."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Lower, Trim

from config.counts import EVERYBODY
from customers.choices import ConsentPurpose, ListingStatus
from employees.choices import Role
from employees.models import Employee

# Who counts are of that are nobody's: one more name to look up, where NULL would need a search of its own.
NOBODY = ""


class CustomerQuerySet(models.QuerySet):
    def visible_to(self, employee, *, deleted=False):
        """Customers that are the caller's: admins see the organization's, managers their team's and
        the unassigned ones, everybody else their own.

        Living ones only; with `deleted=True` the deleted ones instead, with None both. Who was merged into
        another is neither.
        """
        scoped = self.in_scope_of(employee)
        if deleted is False:
            return scoped.filter(deleted_at=None)
        standing = scoped.filter(merged_into=None)
        return standing.filter(deleted_at__isnull=False) if deleted else standing

    def claimable_by(self, employee):
        """Unassigned customers of the organization, for those who may claim them."""
        if not employee.may("customers.claim"):
            return self.none()
        return self.filter(organization_id=employee.organization_id, deleted_at=None, assigned_employee=None)

    def having_agreed(self, purpose, channel=""):
        """Customers whose last word on a use of their data is a yes; who must not be contacted agreed to no marketing.

        Words about a channel count for that channel alone, those without one for all of them.
        """
        said = self.model._meta.get_field("consents").related_model.objects
        words = said.filter(customer=OuterRef("pk"), purpose=purpose, channel__in={"", channel})
        last = words.order_by("-given_at", "-id").values("granted")[:1]
        agreed = self.filter(Exists(words), Q(Subquery(last)))
        return agreed.filter(do_not_contact=False) if purpose == ConsentPurpose.MARKETING else agreed

    def in_scope_of(self, employee):
        """Customers that are the caller's, whatever has become of them."""
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


class ChildQuerySet(models.QuerySet):
    """Rows that hang on customers."""

    def visible_to(self, employee, *, deleted=False):
        """Those of the living customers that are the caller's; see CustomerQuerySet for `deleted`."""
        customers = self.model._meta.get_field("customer").related_model
        return self.filter(customer__in=customers.objects.visible_to(employee, deleted=deleted))


class MergeQuerySet(models.QuerySet):
    def visible_to(self, employee):
        """Merges of two customers that both are the caller's, whatever has become of them since."""
        customers = self.model._meta.get_field("survivor").related_model.objects.in_scope_of(employee)
        return self.filter(survivor__in=customers, merged__in=customers)


class ListingQuerySet(models.QuerySet):
    def visible_to(self, employee):
        """Listings of the caller's organization: they belong to no team."""
        return self.filter(organization_id=employee.organization_id)

    def on_the_books(self):
        """Listings that have not been archived."""
        return self.exclude(status=ListingStatus.ARCHIVED)

    def called(self, references):
        """Listings with one of these references, in any case and between any spaces."""
        keys = {reference_key(text) for text in references if text}
        return self.alias(key=Lower(Trim("reference"))).exclude(reference="").filter(key__in=keys)


class TransferQuerySet(models.QuerySet):
    def visible_to(self, employee):
        """Admins see the organization's transfers, everybody else their own."""
        mine = self.filter(organization_id=employee.organization_id)
        return mine if employee.is_admin else mine.filter(requested_by=employee.pk)


def reference_key(text):
    """What two spellings of a reference have in common; the constraint on listings says the same in SQL."""
    return text.strip(" ").lower()


class _IsAny(Func):
    template, arg_joiner, output_field = "%(expressions)s)", " = ANY (", models.BooleanField()


class CountQuerySet(models.QuerySet):
    def summed_for(self, employee, narrow):
        """The rows whose sum is the caller's; `narrow` narrows them to assignees, None to none."""
        if narrow is None and employee.role == Role.ADMIN:
            return self.filter(organization_id=employee.organization_id, assignee=EVERYBODY)
        return (narrow or (lambda rows: rows))(self.by_assignee(employee))

    def by_assignee(self, employee):
        """The rows in the caller's scope (see CustomerQuerySet.visible_to), each of somebody or NOBODY."""
        mine = self.filter(organization_id=employee.organization_id)
        if employee.role == Role.ADMIN:
            return mine.exclude(assignee=EVERYBODY)
        if employee.role != Role.SALES_MANAGER:
            return mine.filter(assignee=employee.pk)
        if employee.team_id is None:
            return mine.filter(assignee=NOBODY)
        team = ArraySubquery(Employee.objects.filter(team_id=employee.team_id).values("pk"))
        # An array is looked up in the index; a subquery is compared with every row of the organization.
        return mine.filter(_IsAny("assignee", Func(team, Value(NOBODY), function="array_append")))
