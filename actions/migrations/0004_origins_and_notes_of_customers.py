from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("actions", "0003_counts_in_one_statement"), ("customers", "0001_initial")]
    operations = [
        migrations.AddField(
            "customeraction", "origin", models.CharField(db_collation="C", editable=False, max_length=100, null=True)
        ),
        migrations.AddConstraint(
            "customeraction",
            models.UniqueConstraint(fields=["origin"], condition=models.Q(origin__isnull=False), name="action_origin"),
        ),
        migrations.AddField(
            "actionnote",
            "customer",
            models.ForeignKey(
                "customers.Customer", models.CASCADE, db_index=False, editable=False, null=True, related_name="+"
            ),
        ),
    ]
