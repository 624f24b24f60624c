from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("config", "0002_functions")]
    operations = [
        AddIndexConcurrently(
            "auditentry",
            models.Index(
                KeyTextTransform("customer_id", "changes"),
                "table_name",
                name="audit_removed_of_customer",
                condition=models.Q(operation="delete"),
            ),
        )
    ]
