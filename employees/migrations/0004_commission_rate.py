from decimal import Decimal

import django.core.validators
from django.db import migrations, models

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("employees", "0003_opens_first_action")]
    operations = [
        migrations.AddField(
            "organization",
            "commission_rate",
            models.DecimalField(
                decimal_places=2,
                default=Decimal("2.5"),
                max_digits=5,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(100),
                ],
                verbose_name="commission, in percent",
            ),
        ),
        audited(
            "organizations",
            columns=[
                "name", "name_en", "time_zone", "weekend", "holidays", "work_starts", "work_ends", "agents_may_claim",
                "opens_first_action", "commission_rate",
            ],
            organization="id",
        ),
    ]
