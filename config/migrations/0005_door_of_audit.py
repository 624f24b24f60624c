from django.db import migrations, models

from config.audit import FUNCTIONS_SQL


class Migration(migrations.Migration):
    dependencies = [("config", "0004_idempotency_keys")]
    operations = [
        migrations.AddField(
            "auditentry", "door", models.CharField(db_default="", default="", max_length=20)
        ),
        migrations.RunSQL(FUNCTIONS_SQL),
    ]
