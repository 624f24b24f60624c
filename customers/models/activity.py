"""What goes on with a customer: properties of interest, interactions, appointments, reminders, and their statuses."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
from customers.choices import (
    COMING,
    SEEN,
    AppointmentStatus,
    AppointmentType,
    Direction,
    InteractionType,
    InterestStatus,
    Priority,
    ReminderStatus,
    ReminderType,
    Sentiment,
)
from customers.models.child import CustomerChild, of_customer
from customers.models.customer import Customer


class PropertyInterest(CustomerChild):
    """One property that a customer is interested in, as it was called and priced then."""

    id = PrefixedIDField("prop_int")
    customer = of_customer("properties")
    property_id = models.CharField(_("property"), max_length=50, db_collation="C")
    property_title = models.CharField(_("title"), max_length=500)
    property_title_en = models.CharField(_("English title"), max_length=500, blank=True)
    property_image = models.CharField(_("image"), max_length=2000, blank=True)
    property_price = models.DecimalField(_("price"), max_digits=15, decimal_places=2, null=True, blank=True)
    property_type = models.CharField(_("type"), max_length=50, blank=True)
    property_location = models.CharField(_("location"), max_length=255, blank=True)
    status = models.CharField(_("status"), max_length=50, choices=InterestStatus, default=InterestStatus.INTERESTED)
    added_at = models.DateTimeField(_("added at"), default=timezone.now, editable=False)
    viewed_at = models.DateTimeField(_("viewed at"), null=True, blank=True)
    feedback = models.TextField(_("feedback"), blank=True)
    rating = models.PositiveSmallIntegerField(_("rating"), null=True, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        db_table = "property_interests"
        verbose_name = _("property interest")
        verbose_name_plural = _("property interests")
        constraints = [models.UniqueConstraint(fields=["customer", "property_id"], name="property_interest_unique")]
        indexes = [models.Index(fields=["customer", "added_at", "id"], name="property_interest_customer")]

    def __str__(self):
        return self.property_title

    def counts(self):
        """What it adds to the totals of its customer."""
        return {"total_property_views": int(self.status in SEEN)}


class Interaction(CustomerChild):
    """One time that somebody was in touch with a customer, or wrote a note. The agent's name is that of the time."""

    id = PrefixedIDField("int")
    customer = of_customer("interactions")
    type = models.CharField(_("type"), max_length=50, choices=InteractionType)
    direction = models.CharField(_("direction"), max_length=20, choices=Direction, blank=True)
    date = models.DateTimeField(_("date"), default=timezone.now)
    duration = models.PositiveSmallIntegerField(_("duration in minutes"), null=True, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    outcome = models.CharField(_("outcome"), max_length=500, blank=True)
    agent_name = models.CharField(_("agent"), max_length=255)
    agent_id = models.CharField(max_length=50, db_collation="C")
    sentiment = models.CharField(_("sentiment"), max_length=20, choices=Sentiment, blank=True)
    follow_up_required = models.BooleanField(_("needs a follow-up"), default=False)
    follow_up_date = models.DateTimeField(_("follow-up"), null=True, blank=True)

    class Meta:
        db_table = "interactions"
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        indexes = [
            models.Index(fields=["customer", "date", "id"], name="interaction_customer"),
            # The last contact, and how soon customers are answered, are read from this index alone.
            models.Index(
                fields=["customer", "date"],
                name="interaction_contact",
                include=["type", "direction"],
                condition=~Q(type=InteractionType.NOTE),
            ),
        ]

    def __str__(self):
        return f"{self.get_type_display()} {self.date:%Y-%m-%d}"

    @property
    def is_contact(self):
        return self.type != InteractionType.NOTE

    def counts(self):
        """What it adds to the totals of its customer."""
        return {"total_interactions": 1}


class Appointment(CustomerChild):
    """One appointment with a customer. Its day and time are those of `datetime` in the organization's zone."""

    id = PrefixedIDField("apt")
    customer = of_customer("appointments")
    title = models.CharField(_("title"), max_length=500)
    title_en = models.CharField(_("English title"), max_length=500, blank=True)
    type = models.CharField(_("type"), max_length=50, choices=AppointmentType)
    datetime = models.DateTimeField(_("date and time"))
    duration = models.PositiveSmallIntegerField(_("duration in minutes"), default=30)
    location = models.CharField(_("location"), max_length=500, blank=True)
    property_id = models.CharField(_("property"), max_length=50, blank=True, db_collation="C")
    property_title = models.CharField(_("title of the property"), max_length=500, blank=True)
    status = models.CharField(
        _("status"), max_length=50, choices=AppointmentStatus, default=AppointmentStatus.SCHEDULED
    )
    priority = models.CharField(_("priority"), max_length=20, choices=Priority, default=Priority.MEDIUM)
    notes = models.TextField(_("notes"), blank=True)
    outcome = models.TextField(_("outcome"), blank=True)
    agent = models.ForeignKey(
        "employees.Employee", models.SET_NULL, null=True, blank=True, db_index=False, related_name="appointments",
        verbose_name=_("agent"),
    )  # fmt: skip
    agent_name = models.CharField(max_length=255, blank=True, editable=False)
    # When what comes due was told that it is near; see actions.due.
    surfaced_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "appointments"
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        indexes = [
            models.Index(fields=["customer", "datetime", "id"], name="appointment_customer"),
            models.Index(fields=["customer", "created_at", "id"], name="appointment_made"),
            models.Index(fields=["customer", "datetime"], name="appointment_coming", condition=Q(status__in=COMING)),
            models.Index(fields=["agent", "datetime"], name="appointment_agent"),
            models.Index(
                fields=["datetime"], name="appointment_due", condition=Q(status__in=COMING, surfaced_at__isnull=True)
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def is_coming(self):
        return self.status in COMING

    def counts(self):
        """What it adds to the totals of its customer."""
        was_visit = self.type == AppointmentType.SITE_VISIT and self.status == AppointmentStatus.COMPLETED
        return {"total_appointments": 1, "total_property_views": int(was_visit)}


class Reminder(CustomerChild):
    """One thing to be reminded of about a customer. Who made it is called as at the time."""

    id = PrefixedIDField("rem")
    customer = of_customer("reminders")
    title = models.CharField(_("title"), max_length=500)
    title_en = models.CharField(_("English title"), max_length=500, blank=True)
    description = models.TextField(_("description"), blank=True)
    datetime = models.DateTimeField(_("date and time"))
    priority = models.CharField(_("priority"), max_length=20, choices=Priority, default=Priority.MEDIUM)
    status = models.CharField(_("status"), max_length=20, choices=ReminderStatus, default=ReminderStatus.PENDING)
    type = models.CharField(_("type"), max_length=50, choices=ReminderType, default=ReminderType.GENERAL)
    related_to = models.CharField(_("related to"), max_length=50, blank=True)
    created_by = models.CharField(_("made by"), max_length=255, editable=False)
    created_by_id = models.CharField(max_length=50, db_collation="C", editable=False)
    completed_at = models.DateTimeField(_("completed at"), null=True, editable=False)
    # When its time had come and was told; see actions.due.
    surfaced_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "reminders"
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.CheckConstraint(condition=~Q(status=ReminderStatus.OVERDUE), name="reminder_overdue_is_derived"),
            models.CheckConstraint(
                condition=Q(status=ReminderStatus.COMPLETED, completed_at__isnull=False)
                | Q(~Q(status=ReminderStatus.COMPLETED), completed_at__isnull=True),
                name="reminder_completed_at",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "datetime", "id"], name="reminder_customer"),
            models.Index(fields=["customer", "created_at", "id"], name="reminder_made"),
            models.Index(
                fields=["customer", "completed_at", "id"],
                name="reminder_completed",
                condition=Q(completed_at__isnull=False),
            ),
            models.Index(
                fields=["customer", "datetime"], name="reminder_pending", condition=Q(status=ReminderStatus.PENDING)
            ),
            models.Index(
                fields=["datetime"],
                name="reminder_due",
                condition=Q(status=ReminderStatus.PENDING, surfaced_at__isnull=True),
            ),
        ]

    def __str__(self):
        return self.title

    def counts(self):
        """What it adds to the totals of its customer."""
        return {}


class StatusChange(models.Model):
    """One status that a property interest or an appointment was given, the first one included. Never changed."""

    id = PrefixedIDField("status")
    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="status_changes")
    # The related name of the rows, and the row: which may have been removed since.
    collection = models.CharField(max_length=20)
    item_id = models.CharField(max_length=50, db_collation="C")
    from_status = models.CharField(max_length=50, null=True)
    to_status = models.CharField(max_length=50)
    changed_by = models.CharField(max_length=255)
    changed_by_id = models.CharField(max_length=50, db_collation="C")
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "status_changes"
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        indexes = [
            models.Index(fields=["customer", "collection", "recorded_at", "id"], name="status_change_customer"),
            models.Index(fields=["item_id", "recorded_at"], name="status_change_item"),
        ]
