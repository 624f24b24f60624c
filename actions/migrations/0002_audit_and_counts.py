from django.db import migrations

from config.audit import audited

# Statement-level with transition tables: a bulk call or COPY of thousands adds a few rows of differences.
COUNTS_SQL = """
CREATE FUNCTION action_tallies(
    status text, type text, priority text, source text, due_date timestamptz, created_at timestamptz,
    completed_at timestamptz, customer_deleted boolean
) RETURNS TABLE (key text, number bigint) LANGUAGE sql IMMUTABLE AS $$
    SELECT tally.key, tally.number
      FROM (VALUES
        ('status:' || status, 1, true),
        ('type:' || type, 1, status IN ('pending', 'in_progress')),
        ('priority:' || priority, 1, status IN ('pending', 'in_progress')),
        ('source:' || source, 1, status IN ('pending', 'in_progress')),
        ('due:no_date', 1, status IN ('pending', 'in_progress') AND due_date IS NULL),
        ('seconds:completed', extract(epoch FROM completed_at - created_at)::bigint, status = 'completed')
      ) AS tally (key, number, counts)
     WHERE counts AND NOT customer_deleted
$$;

CREATE FUNCTION count_actions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO action_counts (organization_id, customer_assignee, assigned_to, key, number)
        SELECT organization_id, customer_assignee, assigned_to_id, t.key, sum(t.number) FROM new_rows, LATERAL
            action_tallies(status, type, priority, source, due_date, created_at, completed_at, customer_deleted) t
        GROUP BY 1, 2, 3, 4;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO action_counts (organization_id, customer_assignee, assigned_to, key, number)
        SELECT organization_id, customer_assignee, assigned_to_id, t.key, -sum(t.number) FROM old_rows, LATERAL
            action_tallies(status, type, priority, source, due_date, created_at, completed_at, customer_deleted) t
        GROUP BY 1, 2, 3, 4;
    ELSE
        INSERT INTO action_counts (organization_id, customer_assignee, assigned_to, key, number)
        SELECT organization_id, customer_assignee, assigned_to_id, t.key, sum(t.number * sign)
          FROM (SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) AS rows, LATERAL
            action_tallies(status, type, priority, source, due_date, created_at, completed_at, customer_deleted) t
        GROUP BY 1, 2, 3, 4 HAVING sum(t.number * sign) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER count_inserted_actions AFTER INSERT ON customer_actions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_actions();
CREATE TRIGGER count_updated_actions AFTER UPDATE ON customer_actions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_actions();
CREATE TRIGGER count_deleted_actions AFTER DELETE ON customer_actions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_actions();
"""
NO_COUNTS_SQL = """
DROP TRIGGER count_inserted_actions ON customer_actions;
DROP TRIGGER count_updated_actions ON customer_actions;
DROP TRIGGER count_deleted_actions ON customer_actions;
DROP FUNCTION count_actions();
DROP FUNCTION action_tallies(text, text, text, text, timestamptz, timestamptz, timestamptz, boolean);
"""


class Migration(migrations.Migration):
    dependencies = [("actions", "0001_initial")]
    operations = [
        audited(
            "customer_actions",
            columns=[
                "type", "title", "description", "priority", "status", "source", "due_date", "snoozed_until",
                "assigned_to_id", "completed_at", "completed_by_id", "dismissed_at", "outcome", "reason", "metadata",
            ],
            hidden=[
                "customer_assignee", "customer_deleted", "city_key", "region", "priority_rank", "search_text",
            ],
        ),
        migrations.RunSQL(COUNTS_SQL, NO_COUNTS_SQL),
        migrations.RunSQL(
            """
            ALTER TABLE customer_actions ADD CONSTRAINT action_assignee_of_organization
                FOREIGN KEY (organization_id, assigned_to_id) REFERENCES employees (organization_id, id)
                DEFERRABLE INITIALLY DEFERRED
            """,
            "ALTER TABLE customer_actions DROP CONSTRAINT action_assignee_of_organization",
        ),
    ]
