import django.contrib.postgres.fields
from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_response_index"), ("config", "0002_functions")]
    operations = [
        migrations.CreateModel(
            name="NameWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("organization_id", models.CharField(db_collation="C", max_length=50)),
                ("word", models.TextField()),
                (
                    "slips",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
            ],
            options={"db_table": "name_words"},
        ),
        migrations.AddField(
            "customer",
            "name_keys",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), default=list, editable=False, size=None
            ),
        ),
        migrations.RemoveIndex("customer", "customer_search"),
        migrations.RemoveField("customer", "search_text"),
        migrations.AddField(
            "customer",
            "contact",
            models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    output_field=models.TextField(), template="(phone || E'\\n' || lower(email))"
                ),
                output_field=models.TextField(),
            ),
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
                "name_folded", "name_en_folded", "name_keys", "contact", "city_key", "region", "facets", "budget_min",
                "budget_max", "stage_rank", "priority_rank", "lead_score", "ai_insights", "total_interactions",
                "total_appointments", "total_property_views", "response_rate", "avg_response_time",
                "last_contact_at", "last_contact_type",
            ],
        ),
    ]
