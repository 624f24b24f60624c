from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('employees', '0007_deleted_days'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='session',
            options={'verbose_name': 'session', 'verbose_name_plural': 'sessions'},
        ),
    ]
