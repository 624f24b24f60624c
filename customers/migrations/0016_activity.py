import config.db
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0015_listings"),
        ("employees", "0006_employee_licences"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Appointment",
            fields=[
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", config.db.PrefixedIDField("apt", serialize=False)),
                ("title", models.CharField(max_length=500, verbose_name="title")),
                ("title_en", models.CharField(blank=True, max_length=500, verbose_name="English title")),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("site_visit", "Site visit"),
                            ("office_meeting", "Office meeting"),
                            ("phone_call", "Phone call"),
                            ("video_call", "Video call"),
                            ("contract_signing", "Contract signing"),
                            ("other", "Other"),
                        ],
                        max_length=50,
                        verbose_name="type",
                    ),
                ),
                ("datetime", models.DateTimeField(verbose_name="date and time")),
                ("duration", models.PositiveSmallIntegerField(default=30, verbose_name="duration in minutes")),
                ("location", models.CharField(blank=True, max_length=500, verbose_name="location")),
                ("property_id", models.CharField(blank=True, db_collation="C", max_length=50, verbose_name="property")),
                ("property_title", models.CharField(blank=True, max_length=500, verbose_name="title of the property")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("confirmed", "Confirmed"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                            ("no_show", "Did not come"),
                        ],
                        default="scheduled",
                        max_length=50,
                        verbose_name="status",
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("urgent", "Urgent")],
                        default="medium",
                        max_length=20,
                        verbose_name="priority",
                    ),
                ),
                ("notes", models.TextField(blank=True, verbose_name="notes")),
                ("outcome", models.TextField(blank=True, verbose_name="outcome")),
                ("agent_name", models.CharField(blank=True, editable=False, max_length=255)),
                ("surfaced_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "appointment",
                "verbose_name_plural": "appointments",
                "db_table": "appointments",
            },
        ),
        migrations.CreateModel(
            name="Interaction",
            fields=[
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", config.db.PrefixedIDField("int", serialize=False)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("call", "Call"),
                            ("whatsapp", "WhatsApp"),
                            ("email", "E-mail"),
                            ("meeting", "Meeting"),
                            ("site_visit", "Site visit"),
                            ("note", "Note"),
                            ("sms", "SMS"),
                        ],
                        max_length=50,
                        verbose_name="type",
                    ),
                ),
                (
                    "direction",
                    models.CharField(
                        blank=True,
                        choices=[("inbound", "Inbound"), ("outbound", "Outbound")],
                        max_length=20,
                        verbose_name="direction",
                    ),
                ),
                ("date", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date")),
                (
                    "duration",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="duration in minutes"),
                ),
                ("notes", models.TextField(blank=True, verbose_name="notes")),
                ("outcome", models.CharField(blank=True, max_length=500, verbose_name="outcome")),
                ("agent_name", models.CharField(max_length=255, verbose_name="agent")),
                ("agent_id", models.CharField(db_collation="C", max_length=50)),
                (
                    "sentiment",
                    models.CharField(
                        blank=True,
                        choices=[("positive", "Positive"), ("neutral", "Neutral"), ("negative", "Negative")],
                        max_length=20,
                        verbose_name="sentiment",
                    ),
                ),
                ("follow_up_required", models.BooleanField(default=False, verbose_name="needs a follow-up")),
                ("follow_up_date", models.DateTimeField(blank=True, null=True, verbose_name="follow-up")),
            ],
            options={
                "verbose_name": "interaction",
                "verbose_name_plural": "interactions",
                "db_table": "interactions",
            },
        ),
        migrations.CreateModel(
            name="PropertyInterest",
            fields=[
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", config.db.PrefixedIDField("prop_int", serialize=False)),
                ("property_id", models.CharField(db_collation="C", max_length=50, verbose_name="property")),
                ("property_title", models.CharField(max_length=500, verbose_name="title")),
                ("property_title_en", models.CharField(blank=True, max_length=500, verbose_name="English title")),
                ("property_image", models.CharField(blank=True, max_length=2000, verbose_name="image")),
                (
                    "property_price",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True, verbose_name="price"),
                ),
                ("property_type", models.CharField(blank=True, max_length=50, verbose_name="type")),
                ("property_location", models.CharField(blank=True, max_length=255, verbose_name="location")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("interested", "Interested"),
                            ("viewing_scheduled", "Viewing scheduled"),
                            ("viewed", "Viewed"),
                            ("liked", "Liked"),
                            ("rejected", "Rejected"),
                            ("offer_made", "Offer made"),
                        ],
                        default="interested",
                        max_length=50,
                        verbose_name="status",
                    ),
                ),
                (
                    "added_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="added at"),
                ),
                ("viewed_at", models.DateTimeField(blank=True, null=True, verbose_name="viewed at")),
                ("feedback", models.TextField(blank=True, verbose_name="feedback")),
                ("rating", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="rating")),
                ("notes", models.TextField(blank=True, verbose_name="notes")),
            ],
            options={
                "verbose_name": "property interest",
                "verbose_name_plural": "property interests",
                "db_table": "property_interests",
            },
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", config.db.PrefixedIDField("rem", serialize=False)),
                ("title", models.CharField(max_length=500, verbose_name="title")),
                ("title_en", models.CharField(blank=True, max_length=500, verbose_name="English title")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("datetime", models.DateTimeField(verbose_name="date and time")),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("urgent", "Urgent")],
                        default="medium",
                        max_length=20,
                        verbose_name="priority",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("completed", "Completed"),
                            ("overdue", "Overdue"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("follow_up", "Follow-up"),
                            ("document", "Document"),
                            ("payment", "Payment"),
                            ("viewing", "Viewing"),
                            ("general", "General"),
                        ],
                        default="general",
                        max_length=50,
                        verbose_name="type",
                    ),
                ),
                ("related_to", models.CharField(blank=True, max_length=50, verbose_name="related to")),
                ("created_by", models.CharField(editable=False, max_length=255, verbose_name="made by")),
                ("created_by_id", models.CharField(db_collation="C", editable=False, max_length=50)),
                ("completed_at", models.DateTimeField(editable=False, null=True, verbose_name="completed at")),
                ("surfaced_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "reminder",
                "verbose_name_plural": "reminders",
                "db_table": "reminders",
            },
        ),
        migrations.CreateModel(
            name="StatusChange",
            fields=[
                ("id", config.db.PrefixedIDField("status", serialize=False)),
                ("collection", models.CharField(max_length=20)),
                ("item_id", models.CharField(db_collation="C", max_length=50)),
                ("from_status", models.CharField(max_length=50, null=True)),
                ("to_status", models.CharField(max_length=50)),
                ("changed_by", models.CharField(max_length=255)),
                ("changed_by_id", models.CharField(db_collation="C", max_length=50)),
                ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "status change",
                "verbose_name_plural": "status changes",
                "db_table": "status_changes",
            },
        ),
        migrations.AddField(
            model_name="appointment",
            name="agent",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="appointments",
                to=settings.AUTH_USER_MODEL,
                verbose_name="agent",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="appointments",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="employees.organization",
            ),
        ),
        migrations.AddField(
            model_name="interaction",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="interactions",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="interaction",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="employees.organization",
            ),
        ),
        migrations.AddField(
            model_name="propertyinterest",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="properties",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="propertyinterest",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="employees.organization",
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reminders",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="employees.organization",
            ),
        ),
        migrations.AddField(
            model_name="statuschange",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="status_changes",
                to="customers.customer",
            ),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(fields=["customer", "datetime", "id"], name="appointment_customer"),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(fields=["customer", "created_at", "id"], name="appointment_made"),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("status__in", ("scheduled", "confirmed"))),
                fields=["customer", "datetime"],
                name="appointment_coming",
            ),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(fields=["agent", "datetime"], name="appointment_agent"),
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("status__in", ("scheduled", "confirmed")), ("surfaced_at__isnull", True)),
                fields=["datetime"],
                name="appointment_due",
            ),
        ),
        migrations.AddIndex(
            model_name="interaction",
            index=models.Index(fields=["customer", "date", "id"], name="interaction_customer"),
        ),
        migrations.AddIndex(
            model_name="interaction",
            index=models.Index(
                condition=models.Q(("type", "note"), _negated=True),
                fields=["customer", "date"],
                include=("type", "direction"),
                name="interaction_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="propertyinterest",
            index=models.Index(fields=["customer", "added_at", "id"], name="property_interest_customer"),
        ),
        migrations.AddConstraint(
            model_name="propertyinterest",
            constraint=models.UniqueConstraint(fields=("customer", "property_id"), name="property_interest_unique"),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(fields=["customer", "datetime", "id"], name="reminder_customer"),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(fields=["customer", "created_at", "id"], name="reminder_made"),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("completed_at__isnull", False)),
                fields=["customer", "completed_at", "id"],
                name="reminder_completed",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["customer", "datetime"], name="reminder_pending"
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("status", "pending"), ("surfaced_at__isnull", True)),
                fields=["datetime"],
                name="reminder_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.CheckConstraint(
                condition=models.Q(("status", "overdue"), _negated=True), name="reminder_overdue_is_derived"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("completed_at__isnull", False), ("status", "completed")),
                    models.Q(models.Q(("status", "completed"), _negated=True), ("completed_at__isnull", True)),
                    _connector="OR",
                ),
                name="reminder_completed_at",
            ),
        ),
        migrations.AddIndex(
            model_name="statuschange",
            index=models.Index(fields=["customer", "collection", "recorded_at", "id"], name="status_change_customer"),
        ),
        migrations.AddIndex(
            model_name="statuschange",
            index=models.Index(fields=["item_id", "recorded_at"], name="status_change_item"),
        ),
    ]
