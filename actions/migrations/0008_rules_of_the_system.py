from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("actions", "0007_names_in_the_back_office")]
    operations = [
        migrations.AddField(
            "customeraction", "rule", models.CharField(db_collation="C", editable=False, max_length=50, null=True)
        ),
        migrations.AddConstraint(
            "customeraction",
            models.UniqueConstraint(
                fields=["customer", "type"],
                condition=models.Q(rule__isnull=False, completed_at=None),
                name="action_rule",
            ),
        ),
    ]
