from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("actions", "0004_origins_and_notes_of_customers")]
    operations = [
        migrations.RunSQL(
            """
            UPDATE action_notes SET customer_id = customer_actions.customer_id
              FROM customer_actions WHERE customer_actions.id = action_id AND action_notes.customer_id IS NULL
            """,
            migrations.RunSQL.noop,
        )
    ]
