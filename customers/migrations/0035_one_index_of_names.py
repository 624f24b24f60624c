"""Names are sorted, and namesakes of a city found, by one index: each costs every write of a customer."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0034_activated_by")]
    operations = [
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "name_folded", "id"],
                name="customer_named",
                include=["city_key"],
                condition=models.Q(deleted_at=None),
            ),
        ),
        RemoveIndexConcurrently("customer", "customer_name"),
        RemoveIndexConcurrently("customer", "customer_namesake"),
    ]
