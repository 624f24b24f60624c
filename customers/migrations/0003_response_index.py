from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0002_audit")]
    operations = [
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "assigned_employee"],
                name="customer_response",
                include=["avg_response_time", "created_at"],
                condition=models.Q(deleted_at=None, avg_response_time__isnull=False),
            ),
        ),
    ]
