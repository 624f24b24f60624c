"""Who changed what: a trigger on every audited table, and the actor it writes down. Who read what is guarded.

The trigger sees every door: services, the Admin, bulk statements and COPY. An
insert leaves only its key, because the row itself holds the values and later
entries hold what was replaced.
"""

from contextlib import contextmanager

from django.db import connection, migrations, transaction
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from config.logging import door, request_id

FUNCTIONS_SQL = """
CREATE OR REPLACE FUNCTION hub_audit_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO audit_entries (at, table_name, row_id, organization_id, operation, actor_id, request_id, door)
         SELECT now(), $1, id, %s, ''insert'', $2, $3, $4 FROM new_rows', TG_ARGV[0])
    USING TG_TABLE_NAME, coalesce(current_setting('hub.actor', true), ''),
          coalesce(current_setting('hub.request', true), ''), coalesce(current_setting('hub.door', true), '');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION hub_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    secrets text[] := TG_ARGV[2]::text[];
    before jsonb := to_jsonb(OLD) - TG_ARGV[1]::text[] - secrets;
    after jsonb;
    difference jsonb;
    done text := lower(TG_OP);
BEGIN
    IF TG_OP = 'UPDATE' THEN
        after := to_jsonb(NEW) - TG_ARGV[1]::text[] - secrets;
        SELECT coalesce(jsonb_object_agg(b.key, jsonb_build_array(b.value, after -> b.key)), '{}') INTO difference
          FROM jsonb_each(before) b WHERE b.value IS DISTINCT FROM after -> b.key;
        SELECT difference || coalesce(jsonb_object_agg(s, NULL), '{}') INTO difference
          FROM unnest(secrets) s WHERE to_jsonb(OLD) -> s IS DISTINCT FROM to_jsonb(NEW) -> s;
        IF difference = '{}' THEN
            RETURN NULL;
        END IF;
    ELSE
        difference := before;
    END IF;
    IF current_setting('hub.scrub', true) = 'on' THEN
        difference := NULL;
        IF TG_OP = 'UPDATE' THEN
            done := 'erase';
        END IF;
    END IF;
    INSERT INTO audit_entries (at, table_name, row_id, organization_id, operation, actor_id, request_id, door,
                               changes)
    VALUES (now(), TG_TABLE_NAME, OLD.id, before ->> TG_ARGV[0], done,
            coalesce(current_setting('hub.actor', true), ''), coalesce(current_setting('hub.request', true), ''),
            coalesce(current_setting('hub.door', true), ''), difference);
    RETURN NULL;
END $$;
"""


def _array(words):
    return "{" + ",".join(words) + "}"


def audited(table, *, columns, organization="organization_id", hidden=(), secret=()):
    """A migration operation that puts the audit on a table with a text key named `id`.

    `columns` are those whose updates count (an update of others, such as scores or
    counters, never fires); `hidden` are left out altogether, of `secret` ones it is
    recorded that they changed. `organization` names the column that holds the tenant.
    A later call for the same table, after a column came, replaces the earlier one.
    """
    words = f"'{organization}', '{_array(['version', 'updated_at', *hidden])}', '{_array(secret)}'"
    return migrations.RunSQL(
        f"""
        CREATE OR REPLACE TRIGGER {table}_audit_insert AFTER INSERT ON {table}
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
            EXECUTE FUNCTION hub_audit_insert('{organization}');
        CREATE OR REPLACE TRIGGER {table}_audit_update AFTER UPDATE OF {", ".join(columns)} ON {table}
            FOR EACH ROW EXECUTE FUNCTION hub_audit_change({words});
        CREATE OR REPLACE TRIGGER {table}_audit_delete AFTER DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION hub_audit_change({words});
        """,
        f"""
        DROP TRIGGER IF EXISTS {table}_audit_insert ON {table};
        DROP TRIGGER IF EXISTS {table}_audit_update ON {table};
        DROP TRIGGER IF EXISTS {table}_audit_delete ON {table};
        """,
    )


@contextmanager
def recorded(actor, *, scrub=False):
    """One transaction whose changes are recorded as done by `actor` (None: the system), through this door and request.

    With `scrub`, rows that are deleted or erased leave an entry without their values.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('hub.actor', %s, true), set_config('hub.request', %s, true), "
                "set_config('hub.door', %s, true), set_config('hub.scrub', %s, true)",
                [actor.pk if actor else "system", request_id.get(), door.get(), "on" if scrub else ""],
            )
        yield


def record_read(row, *, actor):
    """Write down that `actor` was given what a row guards, in this request."""
    from config.models import AuditEntry

    AuditEntry.objects.create(
        at=timezone.now(),
        table_name=row._meta.db_table,
        row_id=row.pk,
        organization_id=row.organization_id,
        operation="read",
        actor_id=actor.pk,
        request_id=request_id.get(),
        door=door.get(),
    )


def record_export(table_name, export_id, *, organization_id, rows, actor):
    """Write down that `actor` (None: the system) was given so many rows of a table as a file."""
    from config.models import AuditEntry

    AuditEntry.objects.create(
        at=timezone.now(),
        table_name=table_name,
        row_id=export_id,
        organization_id=organization_id,
        operation="read",
        actor_id=actor.pk if actor else "system",
        request_id=request_id.get(),
        changes={"rows": rows},
        door=door.get(),
    )


class _WrittenDown:
    """What this process has written down of reads since the hour began: to look it up would cost a statement a read."""

    def __init__(self):
        self.hour, self.reads = None, set()

    MOST = 100_000

    def without(self, reads):
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        if hour != self.hour or len(self.reads) > self.MOST:
            self.hour, self.reads = hour, set()
        return [read for read in reads if read not in self.reads]


_written_down = _WrittenDown()


def record_disclosure(model, row_ids, *, actor):
    """Write down that `actor` was shown what rows guard: of one row once an hour, by one statement for all of them."""
    table = model._meta.db_table
    news = _written_down.without([(actor.pk, table, key) for key in row_ids])
    if not news:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_entries (at, table_name, row_id, organization_id, operation, actor_id, request_id, door)
            SELECT %(at)s, %(table)s::text, shown.key, %(organization)s, 'read', %(actor)s::text, %(request)s, %(door)s
              FROM unnest(%(ids)s::text[]) AS shown (key)
             WHERE NOT EXISTS (SELECT FROM audit_entries e WHERE e.row_id = shown.key AND e.table_name = %(table)s
                   AND e.operation = 'read' AND e.actor_id = %(actor)s AND e.at >= %(hour)s)
            """,
            {
                "at": timezone.now(),
                "table": table,
                "organization": actor.organization_id,
                "actor": actor.pk,
                "request": request_id.get(),
                "door": door.get(),
                "ids": [key for _actor, _table, key in news],
                "hour": _written_down.hour,
            },
        )
    _written_down.reads.update(news)


def scrub_entries(table_name, row_ids):
    """Empty the recorded values of rows that are to be forgotten; who and when remain."""
    from config.models import AuditEntry

    AuditEntry.objects.filter(table_name=table_name, row_id__in=row_ids).update(changes=None)


def forget_rows(table_name, rows, **pointed_at):
    """The same of a queryset of rows of a table, and of those that pointed at `column=key` until they were removed."""
    from config.models import AuditEntry

    ((column, key),) = pointed_at.items()
    entries = AuditEntry.objects.alias(pointed_at=KeyTextTransform(column, "changes"))
    removed = entries.filter(table_name=table_name, operation="delete", pointed_at=key)
    scrub_entries(table_name, [*rows.values_list("pk", flat=True), *removed.values_list("row_id", flat=True)])


# At most so many entries are looked at, and removed, at once.
PRUNED_AT_ONCE = 5_000


def entries_before(moment):
    """Entries of before a moment."""
    from config.models import AuditEntry

    return AuditEntry.objects.filter(at__lt=moment)


def prune_entries(before):
    """Remove entries of before a moment; yields how many, a batch at a time.

    From the oldest on, by key: there is no index by time. Those that a long transaction wrote late are left to the
    next run.
    """
    from config.models import AuditEntry

    while True:
        first = AuditEntry.objects.order_by("pk").values_list("pk", "at")[:PRUNED_AT_ONCE]
        keys = [key for key, at in first if at < before]
        if not keys:
            return
        yield AuditEntry.objects.filter(pk__in=keys).delete()[0]
