"""The customer's action, its notes, and the counts that statistics are read from."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from actions.choices import ENDED, FOLLOW_UPS, ActionStatus, ActionType
from actions.querysets import CountQuerySet, CustomerActionQuerySet
from config.counts import CountRow
from config.db import PrefixedIDField, VersionedModel, rank_field
from customers.choices import PRIORITY_RANK, Priority, Source

_KNOWN, _LIVE = Q(customer_deleted=False), Q(customer_deleted=False, completed_at=None)


def _live(*columns, name, include=()):
    """An index over the actions that have not ended, by organization first."""
    return models.Index(fields=["organization", *columns], name=name, include=include, condition=_LIVE)


def _known(*columns, name, include=()):
    """An index over the actions of customers that are not deleted."""
    return models.Index(fields=columns, name=name, include=include or None, condition=_KNOWN)


class CustomerAction(VersionedModel):
    """One thing to be done for a customer: who asked for it, who does it, until when, and how it ended."""

    id = PrefixedIDField("action")
    organization = models.ForeignKey(
        "employees.Organization", models.CASCADE, db_index=False, related_name="actions", editable=False
    )
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, db_index=False, related_name="actions", verbose_name=_("customer")
    )
    type = models.CharField(_("type"), max_length=50, choices=ActionType)
    title = models.CharField(_("title"), max_length=500)
    description = models.TextField(_("description"), blank=True)
    priority = models.CharField(_("priority"), max_length=20, choices=Priority, default=Priority.MEDIUM)
    status = models.CharField(_("status"), max_length=20, choices=ActionStatus, default=ActionStatus.PENDING)
    source = models.CharField(_("source"), max_length=50, choices=Source)
    due_date = models.DateTimeField(_("due"), null=True, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    assigned_to = models.ForeignKey(
        "employees.Employee",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="actions",
        verbose_name=_("assigned to"),
    )
    completed_at = models.DateTimeField(_("ended at"), null=True, editable=False)
    completed_by = models.ForeignKey(
        "employees.Employee",
        models.SET_NULL,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("ended by"),
        editable=False,
    )
    dismissed_at = models.DateTimeField(_("dismissed at"), null=True, editable=False)
    outcome = models.TextField(_("outcome"), blank=True)
    reason = models.TextField(_("reason for dismissing"), blank=True)
    metadata = models.JSONField(_("further facts"), default=dict, blank=True)
    # The row that opened it when its time came, such as a reminder: it opens none twice.
    origin = models.CharField(max_length=100, null=True, editable=False, db_collation="C")
    # The rule by which the system opened it, of which a customer has one of a type at a time; people open any number.
    rule = models.CharField(max_length=50, null=True, editable=False, db_collation="C")

    # Copies of the customer's, so that lists and counts need no join; following.follow_customers keeps them.
    customer_assignee = models.CharField(max_length=50, null=True, editable=False, db_collation="C")
    customer_deleted = models.BooleanField(default=False, editable=False)
    city_key = models.CharField(max_length=100, editable=False, db_collation="C")
    region = models.CharField(max_length=5, editable=False)

    priority_rank = rank_field("priority", PRIORITY_RANK)
    search_text = models.GeneratedField(
        expression=models.Func(
            template="(hub_fold(title) || E'\\n' || hub_fold(description))", output_field=models.TextField()
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = CustomerActionQuerySet.as_manager()

    class Meta:
        db_table = "customer_actions"
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        constraints = [
            # The partial indexes, and all that calls an action live, rely on it.
            models.CheckConstraint(
                condition=Q(status__in=ENDED, completed_at__isnull=False)
                | Q(~Q(status__in=ENDED), completed_at__isnull=True),
                name="action_ended_at",
            ),
            models.CheckConstraint(
                condition=Q(status=ActionStatus.SNOOZED, snoozed_until__isnull=False)
                | Q(~Q(status=ActionStatus.SNOOZED), snoozed_until__isnull=True),
                name="action_snoozed_until",
            ),
            models.UniqueConstraint(fields=["origin"], condition=Q(origin__isnull=False), name="action_origin"),
            models.UniqueConstraint(
                fields=["customer", "type"], condition=Q(rule__isnull=False, completed_at=None), name="action_rule"
            ),
        ]
        indexes = [
            # Filters over what is live are answered from these two alone, whatever the list is sorted by.
            _live(
                "status",
                "city_key",
                "priority",
                "type",
                "due_date",
                name="action_inbox",
                include=[
                    "id",
                    "customer",
                    "created_at",
                    "priority_rank",
                    "source",
                    "region",
                    "snoozed_until",
                    "customer_assignee",
                    "assigned_to",
                ],
            ),
            _live(
                "due_date",
                "id",
                name="action_due",
                include=["status", "snoozed_until", "customer_assignee", "assigned_to"],
            ),
            _known("organization", "created_at", "id", name="action_created"),
            _known("organization", "due_date", "id", name="action_due_ever"),
            _known("organization", "priority_rank", "id", name="action_priority"),
            models.Index(
                fields=["organization", "completed_at", "id"],
                name="action_ended",
                include=["status", "created_at", "customer_assignee", "assigned_to", "completed_by"],
                condition=Q(customer_deleted=False, completed_at__isnull=False),
            ),
            # Live ones are those without `completed_at`: one index each serves an agent's open list and history.
            _known("customer_assignee", "completed_at", "id", name="action_of_owner"),
            _known("assigned_to", "completed_at", "id", name="action_of_assignee"),
            # The timeline of a customer, and the first of its follow-ups.
            models.Index(fields=["customer", "created_at", "id"], name="action_opened"),
            models.Index(
                fields=["customer", "completed_at", "id"],
                name="action_completed",
                condition=Q(status=ActionStatus.COMPLETED),
            ),
            models.Index(
                fields=["customer", "completed_at", "id"],
                name="action_dismissed",
                condition=Q(status=ActionStatus.DISMISSED),
            ),
            models.Index(
                fields=["customer", "due_date"],
                name="action_next",
                include=["status", "snoozed_until"],
                condition=Q(completed_at=None, type__in=FOLLOW_UPS),
            ),
            models.Index(
                fields=["snoozed_until", "id"], name="action_snoozed", condition=Q(status=ActionStatus.SNOOZED)
            ),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="action_search"),
        ]

    def __str__(self):
        return self.title


class ActionNote(models.Model):
    """One thing that somebody wrote down about an action. Names stay as they were at the time."""

    id = PrefixedIDField("note")
    action = models.ForeignKey(CustomerAction, models.CASCADE, db_index=False, related_name="notes")
    # The action's, so that a customer's notes are found without it.
    customer = models.ForeignKey("customers.Customer", models.CASCADE, db_index=False, related_name="+", editable=False)
    content = models.TextField(_("note"))
    created_by = models.CharField(_("written by"), max_length=255)
    created_by_id = models.CharField(max_length=50, db_collation="C")
    created_at = models.DateTimeField(_("written at"), default=timezone.now)

    class Meta:
        db_table = "action_notes"
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [
            models.Index(fields=["action", "created_at", "id"], name="action_note_action"),
            models.Index(fields=["customer", "created_at", "id"], name="action_note_customer"),
        ]

    def __str__(self):
        return self.content


def _key(**options):
    return models.CharField(max_length=50, db_collation="C", **options)


class Recommendation(models.Model):
    """One thing that the system found worth doing for a customer: what was said, and whether an action was opened.

    Without foreign keys: it goes when the customer is removed or forgotten, and outlives its action.
    """

    customer_id = _key()
    organization_id = _key()
    # The rule that held, and the row or moment that made it true: said again of the same only after a while.
    rule = _key()
    anchor = models.CharField(max_length=100, db_collation="C")
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    action_id = _key(null=True)
    # One in ten opens no action, to tell what actions are good for.
    is_held_out = models.BooleanField(_("held out"), default=False)
    score = models.PositiveSmallIntegerField(_("lead score"))
    # Of the model that had computed the score; 0 are the documented points.
    model_version = models.PositiveIntegerField(_("model version"))
    # Until then the same is not said again, because somebody has done or dismissed it.
    silent_until = models.DateTimeField(_("silent until"), null=True)

    class Meta:
        db_table = "recommendations"
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        indexes = [
            models.Index(fields=["customer_id", "rule", "anchor"], name="recommendation_of_customer"),
            models.Index(fields=["action_id"], name="recommendation_action", condition=Q(action_id__isnull=False)),
            models.Index(fields=["organization_id", "made_at"], name="recommendation_made"),
        ]

    def __str__(self):
        return self.rule


class _Counted(CountRow):
    """Differences in numbers of actions, by their customer's assignee and their own (see actions.counting)."""

    customer_assignee = models.CharField(max_length=50, null=True, db_collation="C")
    assigned_to = models.CharField(max_length=50, null=True, db_collation="C")

    objects = CountQuerySet.as_manager()

    class Meta:
        abstract = True
        indexes = [
            # One for both: assignees are few, and PostgreSQL skips from one to the next.
            models.Index(fields=["organization_id", "assigned_to", "customer_assignee"], name="%(class)s_scope")
        ]


class ActionCount(_Counted):
    """How many actions have a property. Keys: `status:<status>`, `seconds:completed` (the time that completed ones
    took), and of open ones `type:`, `priority:`, `source:` and `due:no_date`."""

    key = models.CharField(max_length=60, db_collation="C")
    number = models.BigIntegerField()

    class Meta(_Counted.Meta):
        db_table = "action_counts"
        verbose_name = _("count of actions")
        verbose_name_plural = _("counts of actions")


class ActionDay(_Counted):
    """How many open actions are due on a day of the organization's calendar, and what ended on it.

    `seconds` is the time that the completed ones took.
    """

    day = models.DateField()
    due = models.BigIntegerField(null=True)
    completed = models.BigIntegerField(null=True)
    dismissed = models.BigIntegerField(null=True)
    seconds = models.BigIntegerField(null=True)

    class Meta(_Counted.Meta):
        db_table = "action_days"
        verbose_name = _("count of actions by day")
        verbose_name_plural = _("counts of actions by day")
