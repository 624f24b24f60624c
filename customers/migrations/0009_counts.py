import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from config.counts import counting
from customers.choices import Stage
from customers.counting import COLUMNS, TABLES


def _counts(name, table, *fields):
    whose = [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("organization_id", models.CharField(db_collation="C", max_length=50)),
        ("assignee", models.CharField(db_collation="C", max_length=50)),
    ]
    return migrations.CreateModel(name, [*whose, *fields], {"db_table": table})


def _total():
    return models.BigIntegerField(null=True)


def _amount():
    return models.DecimalField(decimal_places=2, max_digits=30, null=True)


def _word(length):
    return models.CharField(db_collation="C", max_length=length)


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_fill_place_in_the_pipeline"), ("employees", "0004_commission_rate")]
    operations = [
        _counts(
            "CustomerSum",
            "customer_sums",
            ("stage", _word(50)),
            *((name, _total()) for name in ("number", "score", "deals")),
            *((name, _amount()) for name in ("deal_value", "revenue", "unstated")),
            *((name, _total()) for name in ("interactions", "responses")),
            ("response_rate", _amount()),
            *((name, _total()) for name in ("reached", "closed", "closed_seconds")),
        ),
        _counts(
            "CustomerWord",
            "customer_words",
            ("dimension", _word(20)),
            ("word", models.TextField(db_collation="C")),
            ("spelling", _word(100)),
            *((name, _total()) for name in ("number", "score")),
            ("deal_value", _amount()),
        ),
        _counts(
            "CustomerDay",
            "customer_days",
            ("event", _word(50)),
            ("day", models.DateField()),
            ("number", _total()),
        ),
        migrations.AddIndex(
            "customersum", models.Index(fields=["organization_id", "assignee"], name="customer_sum_scope")
        ),
        migrations.AddIndex(
            "customerword",
            models.Index(fields=["organization_id", "assignee", "dimension", "word"], name="customer_word_scope"),
        ),
        migrations.AddIndex(
            "customerday",
            models.Index(
                fields=["organization_id", "assignee", "event", "day"],
                include=("number",),
                name="customer_day_scope",
            ),
        ),
        migrations.CreateModel(
            "StageMedian",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(choices=Stage, max_length=50)),
                ("median_days", models.FloatField()),
                ("stays", models.PositiveIntegerField()),
                ("computed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stage_medians",
                        to="employees.organization",
                    ),
                ),
            ],
            {"db_table": "stage_medians"},
        ),
        migrations.AddConstraint(
            "stagemedian",
            models.UniqueConstraint(fields=("organization", "stage"), name="stage_median_unique"),
        ),
        counting("customers", TABLES, columns=COLUMNS),
        # The triggers hold off writers until this transaction ends.
        *(
            migrations.RunSQL(counts.inserted("SELECT *, 1 AS sign FROM customers"), migrations.RunSQL.noop)
            for counts in TABLES
        ),
    ]
