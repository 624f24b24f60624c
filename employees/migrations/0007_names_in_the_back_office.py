from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('employees', '0006_employee_licences'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='session',
            options={'verbose_name': 'session', 'verbose_name_plural': 'sessions'},
        ),
    ]
