"""What every row that hangs on a customer has in common."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.db import VersionedModel
from customers.querysets import ChildQuerySet


def of_customer(related_name, **options):
    """The foreign key to the customer; `related_name` is also what changes are told under."""
    field = models.OneToOneField if options.pop("single", False) else models.ForeignKey
    options = {"db_index": False, **options} if field is models.ForeignKey else options
    return field(
        "customers.Customer",
        models.CASCADE,
        related_name=related_name,
        editable=False,
        verbose_name=_("customer"),
        **options,
    )


class CustomerChild(VersionedModel):
    """A row that hangs on a customer, is seen by whoever sees the customer, and leaves with it.

    A concrete model adds `id`, `customer = of_customer(…)`, and an index that begins with the customer.
    """

    organization = models.ForeignKey(
        "employees.Organization", models.CASCADE, db_index=False, related_name="+", editable=False
    )

    objects = ChildQuerySet.as_manager()

    @classmethod
    def collection(cls):
        """What the customer calls these rows."""
        return cls._meta.get_field("customer").remote_field.related_name

    class Meta:
        abstract = True
