"""The audit of actions, and the triggers that keep what statistics are read from (see models.ActionCount, ActionDay)."""

from django.db import migrations

from config.audit import audited

_OPEN = "status IN ('pending', 'in_progress')"
_SCOPES = """
    GROUP BY GROUPING SETS ((organization_id, customer_assignee, assigned_to_id, {0}), (organization_id, {0}))"""
_SCOPE_COLUMNS = """organization_id,
           CASE WHEN grouping(customer_assignee) = 1 THEN '*' ELSE customer_assignee END,
           CASE WHEN grouping(assigned_to_id) = 1 THEN '*' ELSE assigned_to_id END"""


def _counting(rows):
    """What rows of actions add to the counts; `sign` is -1 for those that are no more."""
    return f"""
    INSERT INTO action_counts (organization_id, customer_assignee, assigned_to, key, number)
    SELECT {_SCOPE_COLUMNS}, tally.key, sum(tally.number * sign)
      FROM ({rows}) AS actions, LATERAL (VALUES
        ('status:' || status, 1, true),
        ('type:' || type, 1, {_OPEN}),
        ('priority:' || priority, 1, {_OPEN}),
        ('source:' || source, 1, {_OPEN}),
        ('due:no_date', 1, {_OPEN} AND due_date IS NULL),
        ('seconds:completed', extract(epoch FROM completed_at - created_at)::bigint, status = 'completed')
      ) AS tally (key, number, counts)
     WHERE tally.counts AND NOT customer_deleted {_SCOPES.format("tally.key")} HAVING sum(tally.number * sign) <> 0;

    INSERT INTO action_days
        (organization_id, customer_assignee, assigned_to, day, due, completed, dismissed, seconds)
    SELECT {_SCOPE_COLUMNS}, day, sum(sign) FILTER (WHERE {_OPEN}), sum(sign) FILTER (WHERE status = 'completed'),
           sum(sign) FILTER (WHERE status = 'dismissed'), sum(sign * seconds) FILTER (WHERE status = 'completed')
      FROM (
        SELECT actions.*, extract(epoch FROM completed_at - actions.created_at)::bigint AS seconds,
               (CASE WHEN {_OPEN} THEN due_date ELSE completed_at END AT TIME ZONE organizations.time_zone)::date AS day
          FROM ({rows}) AS actions JOIN organizations ON organizations.id = organization_id
         WHERE NOT customer_deleted
      ) AS actions
     WHERE day IS NOT NULL {_SCOPES.format("day")}
    HAVING sum(sign) FILTER (WHERE {_OPEN}) <> 0 OR sum(sign) FILTER (WHERE status = 'completed') <> 0
        OR sum(sign) FILTER (WHERE status = 'dismissed') <> 0
        OR sum(sign * seconds) FILTER (WHERE status = 'completed') <> 0;
    """


_NEW, _OLD = "SELECT *, 1 AS sign FROM new_rows", "SELECT *, -1 AS sign FROM old_rows"
# Statement-level with transition tables: a bulk call or COPY of thousands adds a few rows of differences.
COUNTS_SQL = f"""
CREATE FUNCTION count_actions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN {_counting(_NEW)}
    ELSIF TG_OP = 'DELETE' THEN {_counting(_OLD)}
    ELSE {_counting(f"{_NEW} UNION ALL {_OLD}")}
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER count_inserted_actions AFTER INSERT ON customer_actions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_actions();
CREATE TRIGGER count_updated_actions AFTER UPDATE ON customer_actions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_actions();
CREATE TRIGGER count_deleted_actions AFTER DELETE ON customer_actions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_actions();

-- Days are those of the organization's zone: another zone, and they are counted anew.
CREATE FUNCTION recount_actions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Nobody writes between the two.
    LOCK TABLE customer_actions IN SHARE MODE;
    DELETE FROM action_counts WHERE organization_id = NEW.id;
    DELETE FROM action_days WHERE organization_id = NEW.id;
    {_counting("SELECT *, 1 AS sign FROM customer_actions WHERE organization_id = NEW.id")}
    RETURN NULL;
END $$;
CREATE TRIGGER recount_actions AFTER UPDATE OF time_zone ON organizations FOR EACH ROW
    WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION recount_actions();
"""
NO_COUNTS_SQL = """
DROP TRIGGER count_inserted_actions ON customer_actions;
DROP TRIGGER count_updated_actions ON customer_actions;
DROP TRIGGER count_deleted_actions ON customer_actions;
DROP TRIGGER recount_actions ON organizations;
DROP FUNCTION count_actions();
DROP FUNCTION recount_actions();
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
