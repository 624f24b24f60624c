from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_LIVING = models.Q(deleted_at=None)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0009_counts")]
    operations = [
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "created_at", "id"],
                name="customer_added",
                include=[
                    "assigned_employee", "stage", "source", "priority", "lead_score", "city_key", "district_key",
                    "total_deal_value", "expected_revenue", "total_interactions", "response_rate",
                    "furthest_stage_rank", "closed_at", "last_contact_at",
                ],
                condition=_LIVING,
            ),
        ),
        RemoveIndexConcurrently("customer", "customer_created"),
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "stage", "priority_rank", "lead_score", "id"],
                name="customer_cards",
                include=["assigned_employee"],
                condition=_LIVING,
            ),
        ),
    ]
