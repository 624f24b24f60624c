"""Who put a model of lead scores in place."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0033_cheaper_scores")]
    operations = [
        migrations.AddField(
            "leadscoremodel",
            "activated_by",
            models.CharField(blank=True, default="", max_length=255, verbose_name="put in place by"),
            preserve_default=False,
        ),
    ]
