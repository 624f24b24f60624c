"""The customer, and what has happened to it: stage changes and assignments."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField, VersionedModel, rank_field
from customers.choices import PRIORITY_RANK, STAGE_RANK, Gender, Priority, Source, Stage
from customers.querysets import CustomerQuerySet


def empty_preferences():
    return {"propertyType": [], "preferredAreas": []}


def _budget(key):
    money = models.DecimalField(max_digits=15, decimal_places=2)
    # Django renders its own JSON lookups with parameters, which a generated column cannot hold.
    expression = models.Func(template=f"((preferences ->> '{key}')::numeric(15, 2))", output_field=money)
    return models.GeneratedField(expression=expression, output_field=money, db_persist=True)


def _living(*columns, name, include=()):
    """An index over the customers that are not deleted, by organization first."""
    return models.Index(
        fields=["organization", *columns], name=name, include=include, condition=models.Q(deleted_at=None)
    )


class Customer(VersionedModel):
    """A person or company that one brokerage serves, from first inquiry to after the sale."""

    id = PrefixedIDField("cust")
    organization = models.ForeignKey(
        "employees.Organization", models.CASCADE, db_index=False, related_name="customers", editable=False
    )

    name = models.CharField(_("name"), max_length=255)
    name_en = models.CharField(_("English name"), max_length=255, blank=True)
    phone = models.CharField(_("phone"), max_length=20)
    whatsapp = models.CharField(_("WhatsApp"), max_length=20, blank=True)
    email = models.EmailField(_("email"), max_length=255, blank=True)
    national_id = models.CharField(_("national ID"), max_length=20, blank=True)
    nationality = models.CharField(_("nationality"), max_length=50, blank=True)
    gender = models.CharField(_("gender"), max_length=10, choices=Gender, blank=True)
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    occupation = models.CharField(_("occupation"), max_length=255, blank=True)
    family_size = models.PositiveSmallIntegerField(_("family size"), null=True, blank=True)
    customer_type = models.CharField(_("customer type"), max_length=50, blank=True)

    source = models.CharField(_("source"), max_length=50, choices=Source, default=Source.MANUAL)
    source_details = models.JSONField(_("source details"), default=dict, blank=True)
    stage = models.CharField(_("stage"), max_length=50, choices=Stage, default=Stage.NEW_LEAD)
    priority = models.CharField(_("priority"), max_length=20, choices=Priority, default=Priority.MEDIUM)
    preferences = models.JSONField(_("preferences"), default=empty_preferences, blank=True)
    tags = ArrayField(models.CharField(max_length=100), verbose_name=_("tags"), default=list, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    do_not_contact = models.BooleanField(_("must not be contacted"), default=False, db_default=False)
    assigned_employee = models.ForeignKey(
        "employees.Employee",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="customers",
        verbose_name=_("assigned employee"),
    )

    total_deal_value = models.DecimalField(_("deal value"), max_digits=15, decimal_places=2, null=True, blank=True)
    expected_revenue = models.DecimalField(
        _("expected revenue"), max_digits=15, decimal_places=2, null=True, blank=True
    )
    paid_amount = models.DecimalField(_("paid amount"), max_digits=15, decimal_places=2, null=True, blank=True)

    city = models.CharField(_("city"), max_length=100, blank=True)
    district = models.CharField(_("district"), max_length=100, blank=True)
    address = models.TextField(_("address"), blank=True)
    latitude = models.DecimalField(max_digits=10, decimal_places=8, null=True, blank=True)
    longitude = models.DecimalField(max_digits=11, decimal_places=8, null=True, blank=True)

    # Computed by us: writing these is no edit and touches neither version, updated_at nor audit.
    lead_score = models.PositiveSmallIntegerField(_("lead score"), default=50, editable=False)
    ai_insights = models.JSONField(default=dict, editable=False)
    last_contact_at = models.DateTimeField(_("last contact"), null=True, blank=True, editable=False)
    last_contact_type = models.CharField(max_length=50, blank=True, editable=False)
    next_follow_up_date = models.DateField(_("next follow-up"), null=True, blank=True)
    # What stage_history tells: see customers.stages. They change together with the stage.
    stage_entered_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    furthest_stage_rank = models.PositiveSmallIntegerField(default=0, editable=False)
    total_interactions = models.PositiveIntegerField(default=0, editable=False)
    total_appointments = models.PositiveIntegerField(default=0, editable=False)
    total_property_views = models.PositiveIntegerField(default=0, editable=False)
    response_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True, editable=False)
    avg_response_time = models.DecimalField(max_digits=10, decimal_places=2, null=True, editable=False)

    # What lists look for; see customers.search.derived_columns.
    name_folded = models.CharField(max_length=255, editable=False, db_collation="C")
    name_en_folded = models.CharField(max_length=255, editable=False, db_collation="C")
    name_keys = ArrayField(models.TextField(), default=list, editable=False)
    city_key = models.CharField(max_length=100, editable=False, db_collation="C")
    region = models.CharField(max_length=5, editable=False)
    district_key = models.CharField(max_length=100, editable=False, db_collation="C")
    facets = ArrayField(models.TextField(), default=list, editable=False)
    budget_min = _budget("budgetMin")
    budget_max = _budget("budgetMax")
    stage_rank = rank_field("stage", STAGE_RANK)
    priority_rank = rank_field("priority", PRIORITY_RANK)
    contact = models.GeneratedField(
        # One text for one trigram index; a line break keeps matches from running across columns.
        expression=models.Func(template="(phone || E'\\n' || lower(email))", output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
    )

    deleted_at = models.DateTimeField(null=True, editable=False)
    # Since then a pseudonym stands for the person: services.erasing.
    erased_at = models.DateTimeField(null=True, editable=False)
    # The customer that this one turned out to be: see services.merge. It leaves with that one.
    merged_into = models.ForeignKey(
        "self", models.CASCADE, null=True, db_index=False, related_name="merged_customers", editable=False
    )

    # What the gates found missing when a service has just moved this customer on: customers.gates.
    warnings = None

    objects = CustomerQuerySet.as_manager()

    class Meta:
        db_table = "customers"
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "phone"], condition=models.Q(deleted_at=None), name="customer_phone_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | models.Q(deleted_at__isnull=False),
                name="customer_merged_is_deleted",
            ),
        ]
        indexes = [
            # Statistics of a range of dates are read from this index alone, and so are districts.
            _living(
                "created_at",
                "id",
                name="customer_added",
                include=[
                    "assigned_employee",
                    "stage",
                    "source",
                    "priority",
                    "lead_score",
                    "city_key",
                    "district_key",
                    "total_deal_value",
                    "expected_revenue",
                    "total_interactions",
                    "response_rate",
                    "furthest_stage_rank",
                    "closed_at",
                    "last_contact_at",
                ],
            ),
            # Filters are answered from this index alone, whatever the list is sorted by: see config.api.pagination.
            _living(
                "stage",
                "priority",
                "city_key",
                "lead_score",
                "id",
                name="customer_funnel",
                include=[
                    "assigned_employee",
                    "source",
                    "region",
                    "created_at",
                    "name_folded",
                    "last_contact_at",
                    "total_deal_value",
                    "budget_min",
                    "budget_max",
                    "priority_rank",
                    "stage_rank",
                ],
            ),
            _living("lead_score", "id", name="customer_score"),
            # Likely duplicates by name and city are found by this alone: see customers.duplicates.
            _living("name_folded", "id", name="customer_named", include=["city_key"]),
            _living("last_contact_at", "id", name="customer_last_contact"),
            _living("total_deal_value", "id", name="customer_deal_value"),
            _living("priority_rank", "id", name="customer_priority"),
            _living("stage_rank", "id", name="customer_stage"),
            # The first cards of a column of the pipeline.
            _living("stage", "priority_rank", "lead_score", "id", name="customer_cards", include=["assigned_employee"]),
            _living("assigned_employee", "created_at", "id", name="customer_assigned"),
            models.Index(
                fields=["organization", "assigned_employee"],
                name="customer_response",
                include=["avg_response_time", "created_at"],
                condition=models.Q(deleted_at=None, avg_response_time__isnull=False),
            ),
            models.Index(
                fields=["organization", "deleted_at"],
                name="customer_deleted",
                condition=models.Q(deleted_at__isnull=False),
            ),
            # Few, among hundreds of thousands.
            models.Index(
                fields=["organization", "created_at", "id"],
                name="customer_do_not_contact",
                condition=models.Q(deleted_at=None, do_not_contact=True),
            ),
            models.Index(
                fields=["merged_into"],
                name="customer_merged_into",
                condition=models.Q(merged_into__isnull=False),
            ),
            GinIndex(fields=["facets"], name="customer_facets"),
            GinIndex(OpClass("contact", name="gin_trgm_ops"), name="customer_contact"),
            GinIndex(
                fields=["organization", "name_keys"], name="customer_name_keys", condition=models.Q(deleted_at=None)
            ),
            models.Index(
                fields=["organization", "national_id"],
                name="customer_national_id",
                condition=models.Q(deleted_at=None) & ~models.Q(national_id=""),
            ),
            # The other likely duplicates are found by these alone.
            models.Index(
                fields=["organization", "whatsapp"],
                name="customer_whatsapp",
                include=["id"],
                condition=models.Q(deleted_at=None) & ~models.Q(whatsapp="") & ~models.Q(whatsapp=models.F("phone")),
            ),
            models.Index(
                models.F("organization"),
                Lower("email"),
                name="customer_email",
                include=["email", "id"],
                condition=models.Q(deleted_at=None) & ~models.Q(email=""),
            ),
        ]

    def __str__(self):
        return self.name


class NameWord(models.Model):
    """A word of the names of an organization's customers: where parts of words, and slips of the finger, are looked up.

    `slips` are the word and what is left of it without one of its letters: two words that share one
    differ by about one letter. Triggers write what is new; a word may stand here twice, or longer
    than its last customer.
    """

    organization_id = models.CharField(max_length=50, db_collation="C")
    word = models.TextField()
    slips = ArrayField(models.TextField(), default=list)

    class Meta:
        db_table = "name_words"
        verbose_name = _("word of names")
        verbose_name_plural = _("words of names")
        indexes = [
            models.Index(fields=["organization_id", "word"], name="name_word"),
            GinIndex(fields=["organization_id", "slips"], name="name_word_slips"),
        ]


class StageChange(models.Model):
    """One move of a customer to another stage. Names stay as they were at the time."""

    id = PrefixedIDField("stage")
    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="stage_history")
    from_stage = models.CharField(_("from"), max_length=50, choices=Stage, null=True)
    to_stage = models.CharField(_("to"), max_length=50, choices=Stage)
    changed_by = models.CharField(_("changed by"), max_length=255)
    changed_by_id = models.CharField(max_length=50, db_collation="C")
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    auto_generated = models.BooleanField(default=False)
    # Rules of the gates that would have refused the move; the reason says why they were passed.
    overridden = ArrayField(models.CharField(max_length=50), null=True)

    class Meta:
        db_table = "stage_history"
        verbose_name = _("stage change")
        verbose_name_plural = _("stage history")
        indexes = [models.Index(fields=["customer", "changed_at", "id"], name="stage_history_customer")]


class Assignment(models.Model):
    """One hand-over of a customer: from nobody or somebody, to somebody or nobody."""

    id = PrefixedIDField("asg")
    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="assignments")
    from_employee = models.ForeignKey(
        "employees.Employee", models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    to_employee = models.ForeignKey("employees.Employee", models.SET_NULL, null=True, db_index=False, related_name="+")
    assigned_by = models.CharField(max_length=255)
    assigned_by_id = models.CharField(max_length=50, db_collation="C")
    assigned_at = models.DateTimeField(default=timezone.now)
    notes = models.TextField(blank=True)

    class Meta:
        db_table = "assignments"
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        indexes = [models.Index(fields=["customer", "assigned_at", "id"], name="assignment_of_customer")]
