from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0023_transfers")]
    operations = [
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "created_at", "id"],
                name="customer_do_not_contact",
                condition=models.Q(deleted_at=None, do_not_contact=True),
            ),
        ),
    ]
