from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations

from config.api.rows import FUNCTIONS_SQL as ROW_FUNCTIONS_SQL
from config.arabic import HUB_FOLD_SQL
from config.audit import FUNCTIONS_SQL as AUDIT_FUNCTIONS_SQL


class Migration(migrations.Migration):
    dependencies = [("config", "0001_initial")]
    operations = [
        TrigramExtension(),
        BtreeGinExtension(),
        migrations.RunSQL(HUB_FOLD_SQL, "DROP FUNCTION hub_fold(text)"),
        migrations.RunSQL(ROW_FUNCTIONS_SQL, "DROP FUNCTION hub_iso(timestamptz)"),
        migrations.RunSQL(AUDIT_FUNCTIONS_SQL, "DROP FUNCTION hub_audit_insert(); DROP FUNCTION hub_audit_change()"),
    ]
