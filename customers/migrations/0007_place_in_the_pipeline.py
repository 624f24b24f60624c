import django.utils.timezone
from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_search_indexes")]
    operations = [
        migrations.AddField("customer", "closed_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField(
            "customer",
            "district_key",
            models.CharField(db_collation="C", default="", editable=False, max_length=100),
            preserve_default=False,
        ),
        migrations.AddField(
            "customer", "furthest_stage_rank", models.PositiveSmallIntegerField(default=0, editable=False)
        ),
        migrations.AddField(
            "customer", "stage_entered_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)
        ),
        audited(
            "customers",
            columns=[
                "name", "name_en", "phone", "whatsapp", "email", "national_id", "nationality", "gender",
                "date_of_birth", "occupation", "family_size", "customer_type", "source", "source_details", "stage",
                "priority", "preferences", "tags", "notes", "assigned_employee_id", "total_deal_value",
                "expected_revenue", "paid_amount", "city", "district", "address", "latitude", "longitude",
                "next_follow_up_date", "deleted_at",
            ],
            hidden=[
                "name_folded", "name_en_folded", "name_keys", "contact", "city_key", "region", "district_key", "facets", "budget_min",
                "budget_max", "stage_rank", "priority_rank", "lead_score", "ai_insights",
                "total_interactions", "total_appointments", "total_property_views", "response_rate",
                "avg_response_time", "last_contact_at", "last_contact_type", "stage_entered_at", "closed_at",
                "furthest_stage_rank",
            ],
        ),
    ]
