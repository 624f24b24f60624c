from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Lower

_LIVING = models.Q(deleted_at=None)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0024_do_not_contact_index")]
    operations = [
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["merged_into"],
                name="customer_merged_into",
                condition=models.Q(merged_into__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "whatsapp"],
                name="customer_whatsapp",
                include=["id"],
                condition=_LIVING & ~models.Q(whatsapp="") & ~models.Q(whatsapp=models.F("phone")),
            ),
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(
                models.F("organization"),
                Lower("email"),
                name="customer_email",
                include=["email", "id"],
                condition=_LIVING & ~models.Q(email=""),
            ),
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["organization", "name_folded", "city_key"],
                name="customer_namesake",
                include=["id"],
                condition=_LIVING & ~models.Q(city_key=""),
            ),
        ),
    ]
