"""The audit of what goes on with customers; and status changes are there for good."""

from django.db import migrations

from config.audit import audited

KEPT_SQL = """
CREATE FUNCTION keep_status_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only who removes a customer for good removes these: see config.audit.recorded.
    IF TG_OP = 'DELETE' AND current_setting('hub.scrub', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'status_changes are never changed or removed' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER status_changes_kept BEFORE UPDATE OR DELETE ON status_changes
    FOR EACH ROW EXECUTE FUNCTION keep_status_changes();
"""
NOT_KEPT_SQL = "DROP TRIGGER status_changes_kept ON status_changes; DROP FUNCTION keep_status_changes();"


class Migration(migrations.Migration):
    dependencies = [("customers", "0016_activity")]
    operations = [
        audited(
            "property_interests",
            columns=[
                "property_id", "property_title", "property_title_en", "property_image", "property_price",
                "property_type", "property_location", "status", "viewed_at", "feedback", "rating", "notes",
            ],
        ),
        audited(
            "interactions",
            columns=[
                "type", "direction", "date", "duration", "notes", "outcome", "agent_name", "agent_id", "sentiment",
                "follow_up_required", "follow_up_date",
            ],
        ),
        audited(
            "appointments",
            columns=[
                "title", "title_en", "type", "datetime", "duration", "location", "property_id", "property_title",
                "status", "priority", "notes", "outcome", "agent_id", "agent_name",
            ],
            hidden=["surfaced_at"],
        ),
        audited(
            "reminders",
            columns=[
                "title", "title_en", "description", "datetime", "priority", "status", "type", "related_to",
                "completed_at",
            ],
            hidden=["surfaced_at"],
        ),
        migrations.RunSQL(KEPT_SQL, NOT_KEPT_SQL),
    ]
