from django.db import migrations

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial"), ("employees", "0002_audit")]
    operations = [
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
                "name_folded", "name_en_folded", "city_key", "region", "facets", "budget_min", "budget_max",
                "stage_rank", "priority_rank", "search_text", "lead_score", "ai_insights", "total_interactions",
                "total_appointments", "total_property_views", "response_rate", "avg_response_time",
                "last_contact_at", "last_contact_type",
            ],
        ),
        migrations.RunSQL(
            """
            ALTER TABLE customers ADD CONSTRAINT customer_assignee_of_organization
                FOREIGN KEY (organization_id, assigned_employee_id) REFERENCES employees (organization_id, id)
                DEFERRABLE INITIALLY DEFERRED
            """,
            "ALTER TABLE customers DROP CONSTRAINT customer_assignee_of_organization",
        ),
    ]
