"""Actions are counted by the code that counts customers too; what is counted stays the same."""

from importlib import import_module

from django.db import migrations

from actions.counting import COLUMNS, TABLES
from config.counts import counting

_before = import_module("actions.migrations.0002_audit_and_counts")


class Migration(migrations.Migration):
    dependencies = [("actions", "0002_audit_and_counts")]
    operations = [
        migrations.RunSQL(_before.NO_COUNTS_SQL, _before.COUNTS_SQL),
        counting("actions", TABLES, columns=COLUMNS, held_first=["customers"]),
    ]
