"""Whoever is there already waits to be matched, as if everybody had just changed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0029_matching")]
    operations = [
        migrations.RunSQL(
            "INSERT INTO match_requests (customer_id, is_news) "
            "SELECT id, false FROM customers WHERE deleted_at IS NULL ORDER BY id",
            migrations.RunSQL.noop,
        )
    ]
