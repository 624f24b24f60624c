from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0025_indexes_of_duplicates'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='brokeragecontract',
            options={'verbose_name': 'brokerage contract', 'verbose_name_plural': 'brokerage contracts'},
        ),
        migrations.AlterModelOptions(
            name='brokeragelicense',
            options={'verbose_name': 'brokerage license', 'verbose_name_plural': 'brokerage licenses'},
        ),
        migrations.AlterModelOptions(
            name='customerday',
            options={'verbose_name': 'count of customers by day', 'verbose_name_plural': 'counts of customers by day'},
        ),
        migrations.AlterModelOptions(
            name='customersum',
            options={'verbose_name': 'sum over customers', 'verbose_name_plural': 'sums over customers'},
        ),
        migrations.AlterModelOptions(
            name='customerword',
            options={'verbose_name': 'count of customers by word', 'verbose_name_plural': 'counts of customers by word'},
        ),
        migrations.AlterModelOptions(
            name='ejarcontract',
            options={'verbose_name': 'Ejar contract', 'verbose_name_plural': 'Ejar contracts'},
        ),
        migrations.AlterModelOptions(
            name='escrowmilestone',
            options={'verbose_name': 'escrow milestone', 'verbose_name_plural': 'escrow milestones'},
        ),
        migrations.AlterModelOptions(
            name='handoverdefect',
            options={'verbose_name': 'handover defect', 'verbose_name_plural': 'handover defects'},
        ),
        migrations.AlterModelOptions(
            name='nameword',
            options={'verbose_name': 'word of names', 'verbose_name_plural': 'words of names'},
        ),
        migrations.AlterModelOptions(
            name='payment',
            options={'verbose_name': 'payment', 'verbose_name_plural': 'payments'},
        ),
        migrations.AlterModelOptions(
            name='stagemedian',
            options={'verbose_name': 'median of a stage', 'verbose_name_plural': 'medians of stages'},
        ),
        migrations.AlterModelOptions(
            name='wafilicense',
            options={'verbose_name': 'Wafi license', 'verbose_name_plural': 'Wafi licenses'},
        ),
    ]
