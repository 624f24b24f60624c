import config.db
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0022_merges'),
        ('employees', '0006_employee_licences'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', config.db.PrefixedIDField('trf', serialize=False)),
                ('request_id', models.CharField(blank=True, editable=False, max_length=64)),
                ('kind', models.CharField(choices=[('import', 'Import'), ('export', 'Export')], editable=False, max_length=10, verbose_name='kind')),
                ('what', models.CharField(choices=[('customers', 'Customers'), ('listings', 'Listings')], editable=False, max_length=20, verbose_name='content')),
                ('status', models.CharField(choices=[('uploaded', 'Uploaded'), ('checking', 'Being checked'), ('checked', 'Checked'), ('importing', 'Being imported'), ('waiting', 'Waiting'), ('running', 'Being written'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], editable=False, max_length=20, verbose_name='status')),
                ('language', models.CharField(editable=False, max_length=2, verbose_name='language')),
                ('format', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'Excel')], editable=False, max_length=5, verbose_name='format')),
                ('file_name', models.CharField(editable=False, max_length=255, verbose_name='file')),
                ('preview', models.JSONField(default=dict, editable=False)),
                ('mapping', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(blank=True, max_length=50), default=list, editable=False, size=None)),
                ('upsert', models.BooleanField(default=False, editable=False, verbose_name='change those that exist already')),
                ('query', models.TextField(blank=True, editable=False)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), default=list, editable=False, size=None)),
                ('scope', models.CharField(blank=True, editable=False, max_length=100)),
                ('source_key', models.CharField(blank=True, editable=False, max_length=100)),
                ('error_key', models.CharField(blank=True, editable=False, max_length=100)),
                ('output_key', models.CharField(blank=True, editable=False, max_length=100)),
                ('counts', models.JSONField(default=dict, editable=False, verbose_name='counts')),
                ('sample', models.JSONField(default=list, editable=False)),
                ('progress', models.FloatField(default=0, editable=False, verbose_name='progress')),
                ('rows_done', models.PositiveIntegerField(default=0, editable=False, verbose_name='rows')),
                ('error', models.TextField(blank=True, editable=False, verbose_name='error')),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('queued_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('started_at', models.DateTimeField(editable=False, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='transfers', to='employees.organization')),
                ('requested_by', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='transfers', to=settings.AUTH_USER_MODEL, verbose_name='requested by')),
            ],
            options={
                'verbose_name': 'transfer',
                'verbose_name_plural': 'transfers',
                'db_table': 'transfers',
                'indexes': [models.Index(fields=['organization', 'created_at', 'id'], name='transfer_added'), models.Index(fields=['requested_by', 'created_at'], name='transfer_of_employee'), models.Index(condition=models.Q(('status__in', ('checking', 'importing', 'waiting', 'running'))), fields=['queued_at'], name='transfer_queue')],
            },
        ),
        audited(
            "transfers",
            columns=["status"],
            # What people's data may stand in, and what moves while it runs.
            hidden=[
                "file_name", "preview", "mapping", "query", "sample", "error", "counts", "progress", "rows_done",
                "attempts", "source_key", "error_key", "output_key",
            ],
        ),
    ]
