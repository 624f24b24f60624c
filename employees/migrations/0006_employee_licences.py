from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):

    dependencies = [
        ('employees', '0005_compliance_settings'),
    ]

    operations = [
        migrations.AddField(
            model_name='employee',
            name='fal_license_expiry',
            field=models.DateField(blank=True, null=True, verbose_name='FAL licence expires'),
        ),
        migrations.AddField(
            model_name='employee',
            name='fal_license_number',
            field=models.CharField(blank=True, max_length=50, verbose_name='FAL licence number'),
        ),
        audited(
            "employees",
            columns=[
                "email", "password", "name", "name_en", "phone", "whatsapp", "role", "job_title", "avatar", "team_id",
                "is_active", "is_superuser", "fal_license_number", "fal_license_expiry",
            ],
            hidden=["last_login"],
            secret=["password"],
        ),
    ]
