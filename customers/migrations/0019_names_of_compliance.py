from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0018_assignments_in_order'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='mortgageinfo',
            options={'verbose_name': 'mortgage information', 'verbose_name_plural': 'mortgage information'},
        ),
        migrations.AlterModelOptions(
            name='registryinfo',
            options={'verbose_name': 'registry information', 'verbose_name_plural': 'registry information'},
        ),
        migrations.AlterModelOptions(
            name='sakanieligibility',
            options={'verbose_name': 'Sakani eligibility', 'verbose_name_plural': 'Sakani eligibilities'},
        ),
    ]
