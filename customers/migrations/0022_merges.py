import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import config.db
from config.audit import audited

_KEEP = """
CREATE OR REPLACE FUNCTION keep_status_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only who removes a customer for good removes these: see config.audit.recorded.
    IF TG_OP = 'DELETE' AND current_setting('hub.scrub', true) = 'on' THEN
        RETURN OLD;
    END IF;{}
    RAISE EXCEPTION 'status_changes are never changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
_MOVED = """
    -- They go along with what they are of when its customer is merged into another.
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'customer_id' = to_jsonb(OLD) - 'customer_id' THEN
        RETURN NEW;
    END IF;"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0021_privacy")]
    operations = [
        migrations.AddField(
            "customer",
            "merged_into",
            models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="merged_customers",
                to="customers.customer",
            ),
        ),
        migrations.AddConstraint(
            "customer",
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | models.Q(deleted_at__isnull=False),
                name="customer_merged_is_deleted",
            ),
        ),
        migrations.CreateModel(
            "CustomerMerge",
            fields=[
                ("id", config.db.PrefixedIDField("merge", serialize=False)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="merged at")),
                ("merged_by", models.CharField(max_length=255, verbose_name="merged by")),
                ("merged_by_id", models.CharField(db_collation="C", max_length=50)),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("moved", models.JSONField(default=dict, verbose_name="moved")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone at")),
                ("undone_by", models.CharField(blank=True, max_length=255, verbose_name="undone by")),
                ("undone_by_id", models.CharField(blank=True, db_collation="C", max_length=50)),
                ("snapshot", models.JSONField(editable=False, null=True)),
                (
                    "merged",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="own_merges",
                        to="customers.customer",
                        verbose_name="merged customer",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="employees.organization",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merges",
                        to="customers.customer",
                        verbose_name="surviving customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "db_table": "customer_merges",
                "indexes": [
                    models.Index(fields=["survivor", "at", "id"], name="customer_merge_survivor"),
                    models.Index(fields=["merged", "at"], name="customer_merge_merged"),
                    models.Index(
                        condition=models.Q(("snapshot__isnull", False)), fields=["at"], name="customer_merge_kept"
                    ),
                ],
            },
        ),
        audited(
            "customers",
            columns=[
                "name", "name_en", "phone", "whatsapp", "email", "national_id", "nationality", "gender",
                "date_of_birth", "occupation", "family_size", "customer_type", "source", "source_details", "stage",
                "priority", "preferences", "tags", "notes", "do_not_contact", "assigned_employee_id",
                "total_deal_value", "expected_revenue", "paid_amount", "city", "district", "address", "latitude",
                "longitude", "next_follow_up_date", "deleted_at", "merged_into_id",
            ],
            hidden=[
                "name_folded", "name_en_folded", "name_keys", "contact", "city_key", "region", "district_key",
                "facets", "budget_min", "budget_max", "stage_rank", "priority_rank", "lead_score", "ai_insights",
                "total_interactions", "total_appointments", "total_property_views", "response_rate",
                "avg_response_time", "last_contact_at", "last_contact_type", "stage_entered_at", "closed_at",
                "furthest_stage_rank",
            ],
        ),
        migrations.RunSQL(_KEEP.format(_MOVED), _KEEP.format("")),
        audited("customer_merges", columns=["undone_at"], hidden=["snapshot"]),
    ]
