from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("actions", "0005_fill_customers_of_notes")]
    operations = [
        migrations.AlterField(
            "actionnote",
            "customer",
            models.ForeignKey("customers.Customer", models.CASCADE, db_index=False, editable=False, related_name="+"),
        ),
        AddIndexConcurrently(
            "actionnote", models.Index(fields=["customer", "created_at", "id"], name="action_note_customer")
        ),
        AddIndexConcurrently(
            "customeraction", models.Index(fields=["customer", "created_at", "id"], name="action_opened")
        ),
        RemoveIndexConcurrently("customeraction", "action_of_customer"),
        AddIndexConcurrently(
            "customeraction",
            models.Index(
                fields=["customer", "completed_at", "id"],
                name="action_completed",
                condition=models.Q(status="completed"),
            ),
        ),
        AddIndexConcurrently(
            "customeraction",
            models.Index(
                fields=["customer", "completed_at", "id"],
                name="action_dismissed",
                condition=models.Q(status="dismissed"),
            ),
        ),
        AddIndexConcurrently(
            "customeraction",
            models.Index(
                fields=["customer", "due_date"],
                name="action_next",
                include=["status", "snoozed_until"],
                condition=models.Q(completed_at=None, type__in=("follow_up", "site_visit")),
            ),
        ),
    ]
