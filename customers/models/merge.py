"""Merges: two customers who turned out to be one."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
from customers.models.customer import Customer
from customers.querysets import MergeQuerySet

UNDONE_WITHIN = timedelta(days=30)


class CustomerMerge(models.Model):
    """One customer that went into another. Names of people stay as they were at the time."""

    id = PrefixedIDField("merge")
    organization = models.ForeignKey(
        "employees.Organization", models.CASCADE, db_index=False, related_name="+", editable=False
    )
    survivor = models.ForeignKey(
        Customer, models.CASCADE, db_index=False, related_name="merges", verbose_name=_("surviving customer")
    )
    merged = models.ForeignKey(
        Customer, models.CASCADE, db_index=False, related_name="own_merges", verbose_name=_("merged customer")
    )
    at = models.DateTimeField(_("merged at"), default=timezone.now)
    merged_by = models.CharField(_("merged by"), max_length=255)
    merged_by_id = models.CharField(max_length=50, db_collation="C")
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # How many rows went over, by the name that the customer has for them.
    moved = models.JSONField(_("moved"), default=dict)
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undone_by = models.CharField(_("undone by"), max_length=255, blank=True)
    undone_by_id = models.CharField(max_length=50, blank=True, db_collation="C")
    # What undoing needs, of all rows that the merge has written; None when that is no longer kept.
    snapshot = models.JSONField(null=True, editable=False)

    objects = MergeQuerySet.as_manager()

    class Meta:
        db_table = "customer_merges"
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        indexes = [
            models.Index(fields=["survivor", "at", "id"], name="customer_merge_survivor"),
            models.Index(fields=["merged", "at"], name="customer_merge_merged"),
            models.Index(fields=["at"], name="customer_merge_kept", condition=models.Q(snapshot__isnull=False)),
        ]

    def __str__(self):
        return f"{self.merged_id} → {self.survivor_id}"

    @property
    def until(self):
        """Until when it may be undone."""
        return self.at + UNDONE_WITHIN
