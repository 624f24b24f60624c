from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('config', '0005_door_of_audit'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='auditentry',
            options={'verbose_name': 'audit entry', 'verbose_name_plural': 'audit entries'},
        ),
        migrations.AlterModelOptions(
            name='idempotencykey',
            options={'verbose_name': 'repeatable call', 'verbose_name_plural': 'repeatable calls'},
        ),
    ]
