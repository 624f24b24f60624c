from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0017_activity_audit")]
    operations = [
        AddIndexConcurrently(
            "assignment", models.Index(fields=["customer", "assigned_at", "id"], name="assignment_of_customer")
        ),
        RemoveIndexConcurrently("assignment", "assignment_customer"),
    ]
