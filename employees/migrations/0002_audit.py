from django.db import migrations

from config.audit import audited


class Migration(migrations.Migration):
    dependencies = [("employees", "0001_initial"), ("config", "0002_functions")]
    operations = [
        audited(
            "organizations",
            columns=[
                "name", "name_en", "time_zone", "weekend", "holidays", "work_starts", "work_ends", "agents_may_claim",
            ],
            organization="id",
        ),
        audited("teams", columns=["name", "name_en", "is_default"]),
        audited(
            "employees",
            columns=[
                "email",
                "password", "name", "name_en", "phone", "whatsapp", "role", "job_title", "avatar", "team_id",
                "is_active", "is_superuser",
            ],
            hidden=["last_login"],
            secret=["password"],
        ),
        # An employee can be named together with the organization, so that no row can point into another one.
        migrations.RunSQL(
            "ALTER TABLE employees ADD CONSTRAINT employee_of_organization UNIQUE (organization_id, id)",
            "ALTER TABLE employees DROP CONSTRAINT employee_of_organization",
        ),
    ]
