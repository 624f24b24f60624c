"""What statistics, options and the pipeline are read from: counts that triggers keep (see customers.counting)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.counts import CountRow
from customers.choices import Stage
from customers.querysets import CountQuerySet


def _total():
    """A sum of whole numbers, None where nothing was summed."""
    return models.BigIntegerField(null=True)


def _amount():
    return models.DecimalField(max_digits=30, decimal_places=2, null=True)


class _Counted(CountRow):
    """Differences in numbers of living customers, by their assignee or NOBODY."""

    assignee = models.CharField(max_length=50, db_collation="C")

    objects = CountQuerySet.as_manager()

    class Meta:
        abstract = True


class CustomerSum(_Counted):
    """How many customers stand in a stage, and what is added up over them.

    `deals` have a deal value, of which `unstated` is that of customers without a stated `revenue`; of `responses`
    the rate is known; `reached` came as far as the down payment; `closed` took so many seconds from creation.
    """

    stage = models.CharField(max_length=50, db_collation="C")
    number = _total()
    score = _total()
    deals = _total()
    deal_value = _amount()
    revenue = _amount()
    unstated = _amount()
    interactions = _total()
    responses = _total()
    response_rate = _amount()
    reached = _total()
    closed = _total()
    closed_seconds = _total()

    class Meta:
        db_table = "customer_sums"
        verbose_name = _("sum over customers")
        verbose_name_plural = _("sums over customers")
        indexes = [models.Index(fields=["organization_id", "assignee"], name="customer_sum_scope")]


class CustomerWord(_Counted):
    """How many customers have a word: a source, priority, city, region, district, lead score, type or tag.

    `word` is what lists look for, `spelling` what people typed: cities and districts have several. Scores and
    deal values are summed for sources and cities.
    """

    dimension = models.CharField(max_length=20, db_collation="C")
    word = models.TextField(db_collation="C")
    spelling = models.CharField(max_length=100, db_collation="C")
    number = _total()
    score = _total()
    deal_value = _amount()

    class Meta:
        db_table = "customer_words"
        verbose_name = _("count of customers by word")
        verbose_name_plural = _("counts of customers by word")
        indexes = [
            models.Index(fields=["organization_id", "assignee", "dimension", "word"], name="customer_word_scope")
        ]


class CustomerDay(_Counted):
    """How many customers were `created`, last `contacted` or `closed` on a day, or entered a stage that they are in.

    Days are those of the organization's calendar; of an entered stage, the event is the stage.
    """

    event = models.CharField(max_length=50, db_collation="C")
    day = models.DateField()
    number = _total()

    class Meta:
        db_table = "customer_days"
        verbose_name = _("count of customers by day")
        verbose_name_plural = _("counts of customers by day")
        indexes = [
            models.Index(
                fields=["organization_id", "assignee", "event", "day"], name="customer_day_scope", include=["number"]
            )
        ]


class StageMedian(models.Model):
    """How long customers of an organization stayed in a stage before they moved on."""

    organization = models.ForeignKey("employees.Organization", models.CASCADE, related_name="stage_medians")
    stage = models.CharField(max_length=50, choices=Stage)
    median_days = models.FloatField()
    stays = models.PositiveIntegerField()
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "stage_medians"
        verbose_name = _("median of a stage")
        verbose_name_plural = _("medians of stages")
        constraints = [models.UniqueConstraint(fields=["organization", "stage"], name="stage_median_unique")]
