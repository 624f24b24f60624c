from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):

    dependencies = [
        ('employees', '0006_employee_licences'),
    ]

    operations = [
        migrations.AddField(
            model_name='organization',
            name='deleted_days',
            field=models.PositiveIntegerField(blank=True, help_text='Empty keeps them', null=True, verbose_name='days to keep deleted customers'),
        ),
        audited(
            "organizations",
            columns=[
                "name", "name_en", "time_zone", "weekend", "holidays", "work_starts", "work_ends", "agents_may_claim",
                "opens_first_action", "commission_rate", "fal_license_number", "fal_license_expiry", "gate_preset",
                "gate_rules", "id_copies", "id_copy_days", "deleted_days",
            ],
            organization="id",
        ),
    ]
