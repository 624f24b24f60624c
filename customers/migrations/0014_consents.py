import config.db
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


from config.audit import audited


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0013_gates_overridden'),
        ('employees', '0006_employee_licences'),
    ]

    operations = [
        migrations.AddField(
            model_name='customer',
            name='do_not_contact',
            field=models.BooleanField(db_default=False, default=False, verbose_name='must not be contacted'),
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('id', config.db.PrefixedIDField('con', serialize=False)),
                ('purpose', models.CharField(choices=[('service', 'Service'), ('marketing', 'Marketing'), ('credit_data', 'Credit data'), ('id_copy', 'Copy of the ID')], max_length=20, verbose_name='purpose')),
                ('channel', models.CharField(blank=True, choices=[('call', 'Call'), ('whatsapp', 'WhatsApp'), ('sms', 'SMS'), ('email', 'E-mail')], max_length=20, verbose_name='channel')),
                ('granted', models.BooleanField(verbose_name='granted')),
                ('given_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='given at')),
                ('evidence', models.TextField(blank=True, verbose_name='evidence')),
                ('recorded_by', models.CharField(max_length=255, verbose_name='recorded by')),
                ('recorded_by_id', models.CharField(db_collation='C', max_length=50)),
                ('customer', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='customers.customer', verbose_name='customer')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='employees.organization')),
            ],
            options={
                'verbose_name': 'consent',
                'verbose_name_plural': 'consents',
                'db_table': 'consents',
                'indexes': [models.Index(fields=['customer', 'purpose', 'given_at', 'id'], name='consent_customer')],
            },
        ),
        audited(
            "customers",
            columns=[
                "name", "name_en", "phone", "whatsapp", "email", "national_id", "nationality", "gender",
                "date_of_birth", "occupation", "family_size", "customer_type", "source", "source_details", "stage",
                "priority", "preferences", "tags", "notes", "do_not_contact", "assigned_employee_id", "total_deal_value",
                "expected_revenue", "paid_amount", "city", "district", "address", "latitude", "longitude",
                "next_follow_up_date", "deleted_at",
            ],
            hidden=[
                "name_folded", "name_en_folded", "name_keys", "contact", "city_key", "region", "district_key", "facets", "budget_min",
                "budget_max", "stage_rank", "priority_rank", "lead_score", "ai_insights",
                "total_interactions", "total_appointments", "total_property_views", "response_rate",
                "avg_response_time", "last_contact_at", "last_contact_type", "stage_entered_at", "closed_at",
                "furthest_stage_rank",
            ],
        ),
        audited(
            "consents", columns=["purpose", "channel", "granted", "given_at", "evidence", "recorded_by"]
        ),
    ]
