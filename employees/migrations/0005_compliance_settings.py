from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):

    dependencies = [
        ('employees', '0004_commission_rate'),
    ]

    operations = [
        migrations.AddField(
            model_name='organization',
            name='fal_license_expiry',
            field=models.DateField(blank=True, null=True, verbose_name='FAL licence expires'),
        ),
        migrations.AddField(
            model_name='organization',
            name='fal_license_number',
            field=models.CharField(blank=True, max_length=50, verbose_name='FAL licence number'),
        ),
        migrations.AddField(
            model_name='organization',
            name='gate_preset',
            field=models.CharField(choices=[('relaxed', 'Relaxed: nothing is asked for'), ('standard', 'Standard: warn, and refuse to take money for unlicensed off-plan projects'), ('strict', 'Strict: refuse')], default='standard', max_length=20, verbose_name='compliance gates'),
        ),
        migrations.AddField(
            model_name='organization',
            name='gate_rules',
            field=models.JSONField(blank=True, default=dict, verbose_name='compliance gates that differ from the preset'),
        ),
        migrations.AddField(
            model_name='organization',
            name='id_copies',
            field=models.CharField(choices=[('allow', 'Allow'), ('warn', 'Warn'), ('block', 'Refuse')], default='warn', max_length=10, verbose_name='copies of ID documents'),
        ),
        migrations.AddField(
            model_name='organization',
            name='id_copy_days',
            field=models.PositiveIntegerField(blank=True, help_text='Empty keeps them', null=True, verbose_name='days to keep copies of ID documents'),
        ),
        audited(
            "organizations",
            columns=[
                "name", "name_en", "time_zone", "weekend", "holidays", "work_starts", "work_ends", "agents_may_claim",
                "opens_first_action", "commission_rate", "fal_license_number", "fal_license_expiry", "gate_preset",
                "gate_rules", "id_copies", "id_copy_days",
            ],
            organization="id",
        ),
    ]
