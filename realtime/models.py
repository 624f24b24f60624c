"""The log of events: what was changed, for whom it is, written in the transaction of the change."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One change of one row, or `resync_required`: a change of too many, or of what somebody may see.

    Writers only insert. `seq` is given after the commit (realtime.log): a number taken here could be
    overtaken by a transaction that commits first.

    `before` and `after` say who could see the row then and can now: `{"owner", "team", "assignee"}`
    (the customer's assignee, that one's team, the action's assignee), or null where nobody but in
    another state (not made yet, deleted). Both null: everybody in the organization. Teams come with
    the number, so that a move of the owner between the two is not missed.
    """

    organization = models.ForeignKey("employees.Organization", models.CASCADE, db_index=False, related_name="+")
    seq = models.BigIntegerField(null=True)
    # Its name, its data beside the row's id, and further events of the same change: [{"event", "data"}, …].
    event = models.CharField(max_length=40)
    data = models.JSONField()
    also = models.JSONField(default=list)
    # The whole row as it was afterwards, for those who see it for the first time.
    row = models.JSONField(null=True)
    row_id = models.CharField(max_length=50, db_collation="C")
    customer_id = models.CharField(max_length=50, db_collation="C")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    actor_id = models.CharField(max_length=50, db_collation="C")
    request_id = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "events"
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["organization", "seq"], name="event_seq"),
            models.Index(fields=["organization", "id"], name="event_unnumbered", condition=models.Q(seq=None)),
            models.Index(fields=["customer_id"], name="event_customer"),
            # Whoever resumes asks for these first.
            models.Index(
                fields=["organization", "seq"], name="event_resync", condition=models.Q(event="resync_required")
            ),
        ]


class EventHead(models.Model):
    """How far the log of an organization goes: the last number given, and the last one that was pruned."""

    organization = models.OneToOneField(
        "employees.Organization", models.CASCADE, primary_key=True, related_name="+", db_column="organization_id"
    )
    seq = models.BigIntegerField(default=0)
    pruned_seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "event_heads"
        verbose_name = _("head of the log of events")
        verbose_name_plural = _("heads of the log of events")
