from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('realtime', '0003_resync_index'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='event',
            options={'verbose_name': 'event', 'verbose_name_plural': 'events'},
        ),
        migrations.AlterModelOptions(
            name='eventhead',
            options={'verbose_name': 'head of the log of events', 'verbose_name_plural': 'heads of the log of events'},
        ),
    ]
