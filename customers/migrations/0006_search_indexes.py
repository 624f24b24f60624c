from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

LIVING = models.Q(("deleted_at", None))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0005_fill_name_keys")]
    operations = [
        AddIndexConcurrently("customer", GinIndex(OpClass("contact", name="gin_trgm_ops"), name="customer_contact")),
        AddIndexConcurrently(
            "customer", GinIndex(fields=["organization", "name_keys"], name="customer_name_keys", condition=LIVING)
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "national_id"],
                name="customer_national_id",
                condition=LIVING & ~models.Q(("national_id", "")),
            ),
        ),
        AddIndexConcurrently("nameword", models.Index(fields=["organization_id", "word"], name="name_word")),
        AddIndexConcurrently("nameword", GinIndex(fields=["organization_id", "slips"], name="name_word_slips")),
    ]
