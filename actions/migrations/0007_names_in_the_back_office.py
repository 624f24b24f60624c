from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('actions', '0006_indexes_of_the_timeline'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='actioncount',
            options={'verbose_name': 'count of actions', 'verbose_name_plural': 'counts of actions'},
        ),
        migrations.AlterModelOptions(
            name='actionday',
            options={'verbose_name': 'count of actions by day', 'verbose_name_plural': 'counts of actions by day'},
        ),
    ]
