"""What waits for a listing is found by an index, however many customers wait beside it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0030_match_everybody")]
    operations = [
        migrations.AddIndex(
            "matchrequest",
            models.Index(
                fields=["listing_id"],
                name="match_request_listing",
                condition=models.Q(listing_id__isnull=False),
            ),
        )
    ]
