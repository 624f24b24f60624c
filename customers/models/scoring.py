"""Lead scores: what each customer's is made of, the models they are computed by, and the rows that models learn from.

The system computes all of it. Customers are named by id alone: rows leave with them by services.scoring.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db import PrefixedIDField
from customers.choices import ModelKind, ModelStatus


def _bins():
    return ArrayField(models.PositiveSmallIntegerField())


class LeadScoreModel(models.Model):
    """One card of numbers that scores are computed by, of an organization or, without one, of all.

    Without an active row the documented points count: see customers.scoring.cards.
    """

    id = PrefixedIDField("model")
    organization = models.ForeignKey(
        "employees.Organization",
        models.CASCADE,
        null=True,
        db_index=False,
        related_name="lead_score_models",
        verbose_name=_("organization"),
    )
    version = models.PositiveIntegerField(_("version"))
    kind = models.CharField(_("level"), max_length=2, choices=ModelKind)
    status = models.CharField(_("status"), max_length=10, choices=ModelStatus, default=ModelStatus.CANDIDATE)
    # Of the features that it was trained with: another code computes other bins.
    spec_hash = models.CharField(max_length=64)
    train_from = models.DateTimeField(_("trained from"), null=True)
    train_to = models.DateTimeField(_("trained to"), null=True)
    n_rows = models.PositiveIntegerField(_("rows"), default=0)
    n_customers = models.PositiveIntegerField(_("customers"), default=0)
    n_wins = models.PositiveIntegerField(_("won customers"), default=0)
    # How strongly the coefficients were held to the points; null is infinitely.
    lam = models.FloatField(null=True)
    intercept = models.FloatField()
    # What each bin of a feature adds to the logit, and the share of open customers in it: {feature: [one per bin]}.
    coefs = models.JSONField()
    bin_share = models.JSONField()
    # {points_mean, points_sd, logit_mean, logit_sd} of the day it was made: scores keep their distribution by it.
    scale = models.JSONField()
    metrics = models.JSONField(default=dict)
    baseline_metrics = models.JSONField(default=dict)
    decision = models.TextField(_("decision"), blank=True)
    created_by = models.CharField(_("made by"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("made at"), default=timezone.now)
    # When it was put in place last; null where it never was, or where it was taken back.
    activated_at = models.DateTimeField(_("in place since"), null=True)
    activated_by = models.CharField(_("put in place by"), max_length=255, blank=True)

    class Meta:
        db_table = "lead_score_models"
        verbose_name = _("lead score model")
        verbose_name_plural = _("lead score models")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "version"], name="lead_score_model_version", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(status=ModelStatus.ACTIVE),
                name="lead_score_model_active",
                nulls_distinct=False,
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.version}"


class LeadScore(models.Model):
    """What the score of one customer is made of, and what is advised; missing until it is computed first."""

    customer_id = models.CharField(primary_key=True, max_length=50, db_collation="C")
    organization_id = models.CharField(max_length=50, db_collation="C")
    as_of = models.DateTimeField()
    # The row that it was computed by; null are the documented points.
    model_id = models.CharField(max_length=50, null=True, db_collation="C")
    bins = _bins()
    # The Facts that the bins were made of, in their order, for the reasons.
    values = models.JSONField()
    points = models.PositiveSmallIntegerField()
    score = models.PositiveSmallIntegerField()
    # What it was before it became what it is.
    previous_score = models.PositiveSmallIntegerField(null=True)
    changed_at = models.DateTimeField()
    logit = models.FloatField()
    # Of reaching the down payment within 90 days, 0 to 1.
    probability = models.FloatField()
    basis = models.CharField(max_length=10)
    # The client's `aiInsights`. No column of the customer: a row with twenty indexes is dear to write each night.
    insights = models.JSONField(default=dict)
    # {rule, anchor, facts} of what is to be done next, as the apps above advise.
    advice = models.JSONField(null=True)

    class Meta:
        db_table = "lead_scores"
        verbose_name = _("lead score")
        verbose_name_plural = _("lead scores")
        indexes = [models.Index(fields=["organization_id", "score"], name="lead_score_best", include=["customer_id"])]


class LeadFeatureSnapshot(models.Model):
    """The bins of one open customer on one day: what models learn from, without anything that came later."""

    customer_id = models.CharField(max_length=50, db_collation="C")
    organization_id = models.CharField(max_length=50, db_collation="C")
    as_of = models.DateTimeField()
    bins = _bins()
    points = models.PositiveSmallIntegerField()
    score = models.PositiveSmallIntegerField()
    logit = models.FloatField()
    # 0 are the documented points.
    model_version = models.PositiveIntegerField()
    # Of the features that the bins are of.
    spec_hash = models.CharField(max_length=64)

    class Meta:
        db_table = "lead_feature_snapshots"
        verbose_name = _("lead feature snapshot")
        verbose_name_plural = _("lead feature snapshots")
        indexes = [
            models.Index(fields=["customer_id", "as_of"], name="lead_snapshot_customer", include=["score"]),
            models.Index(fields=["organization_id", "as_of"], name="lead_snapshot_made"),
        ]


class LeadScoreTouch(models.Model):
    """A customer to be scored anew, because something about it has changed. Rows are only added, and taken."""

    customer_id = models.CharField(max_length=50, db_collation="C")

    class Meta:
        db_table = "lead_score_queue"
        verbose_name = _("customer to be scored")
        verbose_name_plural = _("customers to be scored")
