"""Where the customers of before stand, by their history; some thousands at a time, for each is a transaction."""

from django.db import migrations

from customers.stages import HISTORY_SQL

BATCH = 5_000


def fill(apps, schema_editor):
    last = ""
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT id FROM customers WHERE id > %s ORDER BY id LIMIT %s", [last, BATCH])
            keys = [key for (key,) in cursor.fetchall()]
            if not keys:
                return
            cursor.execute(
                f"""
                UPDATE customers SET stage_entered_at = h.stage_entered_at, closed_at = h.closed_at,
                       furthest_stage_rank = h.furthest_stage_rank, district_key = left(hub_fold(district), 100)
                  FROM ({HISTORY_SQL} WHERE c.id = ANY(%s)) AS h WHERE customers.id = h.id
                """,
                [keys],
            )
            last = keys[-1]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0007_place_in_the_pipeline")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
