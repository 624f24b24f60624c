"""When a model of lead scores was put in place, so that a rollback finds what counted before it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0031_waiting_listings")]
    operations = [
        migrations.AddField(
            "leadscoremodel", "activated_at", models.DateTimeField(null=True, verbose_name="in place since")
        ),
        # Until now models took over as they were made, but for what nobody wrote down.
        migrations.RunSQL(
            "UPDATE lead_score_models SET activated_at = created_at WHERE status IN ('active', 'retired')",
            migrations.RunSQL.noop,
        ),
    ]
