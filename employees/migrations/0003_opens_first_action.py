from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("employees", "0002_audit")]
    operations = [
        migrations.AddField(
            "organization",
            "opens_first_action",
            models.BooleanField(default=True, verbose_name="new customers open their first action"),
        ),
        audited(
            "organizations",
            columns=[
                "name", "name_en", "time_zone", "weekend", "holidays", "work_starts", "work_ends", "agents_may_claim",
                "opens_first_action",
            ],
            organization="id",
        ),
    ]
