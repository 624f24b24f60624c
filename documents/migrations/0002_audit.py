from django.db import migrations

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [
        audited(
            "documents",
            columns=[
                "name", "type", "description", "tags", "file_name", "mime_type", "file_size", "storage_key",
                "original_url", "uploaded_by_id",
            ],
        ),
    ]
