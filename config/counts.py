"""Counts that triggers keep: differences that writers insert, folded by a job, compared with the truth and set right.

The sum over the rows of a count is its number: writers insert and never wait for each other. Rows of
EVERYBODY repeat those of all people of an organization together.
"""

import logging
from typing import NamedTuple

from django.db import connection, migrations, models, transaction

logger = logging.getLogger("hub.counts")

# Stands for all people together.
EVERYBODY = "*"
_NEW, _OLD = "SELECT *, 1 AS sign FROM new_rows", "SELECT *, -1 AS sign FROM old_rows"


class CountRow(models.Model):
    """One difference in what is counted of an organization: written by triggers only."""

    organization_id = models.CharField(max_length=50, db_collation="C")

    class Meta:
        abstract = True


class Counts(NamedTuple):
    """A table of counts: which columns say whose and what is counted, and which are summed.

    `select` counts `{rows}`, rows of `source` with a `sign` each, -1 for those that are no more: it returns
    organization_id, the columns of `whose`, of `what` and `numbers`, and may name a count more than once.
    """

    table: str
    source: str
    whose: tuple
    what: tuple
    numbers: tuple
    select: str
    # Days are those of the organization's zone: another zone, and they are counted anew.
    by_day: bool = False

    @property
    def names(self):
        return ("organization_id", *self.whose, *self.what)

    def counted(self, rows):
        """The SELECT of what rows add to the counts, those of EVERYBODY included; nothing where nothing is added."""
        names, what = ", ".join(self.names), ", ".join(["organization_id", *self.what])
        everybody = ", ".join(f"'{EVERYBODY}'" for _column in self.whose)
        there_is = " OR ".join(f"{number} <> 0" for number in self.numbers)
        sums = ", ".join(f"sum({number}) AS {number}" for number in self.numbers)
        something = " OR ".join(f"sum({number}) <> 0" for number in self.numbers)
        return (
            f"WITH counted AS MATERIALIZED ({self.select.format(rows=rows)}) "
            f"SELECT {names}, {', '.join(self.numbers)} FROM counted WHERE {there_is} UNION ALL "
            f"SELECT organization_id, {everybody}{''.join(f', {column}' for column in self.what)}, {sums} "
            f"FROM counted GROUP BY {what} HAVING {something}"
        )

    def inserted(self, rows):
        """The INSERT of the same."""
        return f"INSERT INTO {self.table} ({', '.join([*self.names, *self.numbers])}) {self.counted(rows)}"


def counting(name, tables, *, columns, held_first=()):
    """A migration operation that has triggers keep tables of one source; `name` is part of the triggers' names.

    `columns` are those of the source that are counted by; `held_first` names tables that writers of the source
    hold before it.
    """
    (source,) = {counts.source for counts in tables}
    added, removed, changed = (
        _all_inserted(tables, columns, rows) for rows in (_NEW, _OLD, f"{_NEW} UNION ALL {_OLD}")
    )
    days = [counts for counts in tables if counts.by_day]
    forgotten = "\n".join(f"DELETE FROM {counts.table} WHERE organization_id = NEW.id;" for counts in days)
    theirs = f"SELECT *, 1 AS sign FROM {source} WHERE organization_id = NEW.id"
    recounted = "\n".join(f"{counts.inserted(theirs)};" for counts in days)
    # Statement-level with transition tables: a bulk call or COPY of thousands adds a few rows of differences.
    return migrations.RunSQL(
        f"""
        CREATE FUNCTION count_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN {added}
            ELSIF TG_OP = 'DELETE' THEN {removed}
            ELSE {changed}
            END IF;
            RETURN NULL;
        END $$;

        CREATE TRIGGER count_inserted_{name} AFTER INSERT ON {source}
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_{name}();
        CREATE TRIGGER count_updated_{name} AFTER UPDATE ON {source}
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
            EXECUTE FUNCTION count_{name}();
        CREATE TRIGGER count_deleted_{name} AFTER DELETE ON {source}
            REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_{name}();

        CREATE FUNCTION recount_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- Nobody writes between the two, nor adds up what is about to go.
            LOCK TABLE {", ".join([*held_first, source])} IN SHARE MODE;
            PERFORM pg_advisory_xact_lock(hashtext('{tables[0].table}'));
            {forgotten}
            {recounted}
            RETURN NULL;
        END $$;
        CREATE TRIGGER recount_{name} AFTER UPDATE OF time_zone ON organizations FOR EACH ROW
            WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION recount_{name}();
        """,
        f"""
        DROP TRIGGER count_inserted_{name} ON {source};
        DROP TRIGGER count_updated_{name} ON {source};
        DROP TRIGGER count_deleted_{name} ON {source};
        DROP TRIGGER recount_{name} ON organizations;
        DROP FUNCTION count_{name}();
        DROP FUNCTION recount_{name}();
        """,
    )


def _all_inserted(tables, columns, rows):
    """One statement: the rows are wide, and reading them takes longer than counting them."""
    *others, last = (counts.inserted("SELECT * FROM narrow") for counts in tables)
    narrow = f"narrow AS MATERIALIZED (SELECT {', '.join(columns)}, sign FROM ({rows}) AS wide)"
    withs = [narrow, *(f"part_{place} AS ({insert})" for place, insert in enumerate(others, 1))]
    return f"WITH {', '.join(withs)} {last};"


def fold(tables):
    """Add up the differences that have gathered; returns how many rows became fewer.

    One at a time: a second run finds the lock taken and leaves it to the first. The lock comes
    before the statements, whose snapshots must not be older than the end of another run.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [tables[0].table])
        if not cursor.fetchone()[0]:
            return 0
        return sum(_fold(cursor, counts) for counts in tables)


def _fold(cursor, counts):
    group = ", ".join(counts.names)
    sums = ", ".join(f"nullif(sum({number}), 0)" for number in counts.numbers)
    is_nothing = " AND ".join(f"coalesce(sum({number}), 0) = 0" for number in counts.numbers)
    table = counts.table
    cursor.execute(
        f"WITH crowded AS (SELECT unnest(array_agg(id)) AS id FROM {table} GROUP BY {group} "
        f"HAVING count(*) > 1 OR {is_nothing}), "
        f"gone AS (DELETE FROM {table} USING crowded WHERE {table}.id = crowded.id RETURNING {table}.*), "
        f"folded AS (INSERT INTO {table} ({group}, {', '.join(counts.numbers)}) SELECT {group}, {sums} FROM gone "
        f"GROUP BY {group} HAVING NOT ({is_nothing}) RETURNING 1) "
        "SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM folded)"
    )
    return cursor.fetchone()[0]


def forget_words(tables, organization_id, words):
    """Remove what has come to nothing of these words in an organization: until it is folded they stand in it.

    Called last in its transaction: whoever folds leaves it to others until its end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [tables[0].table])
        for counts in tables:
            if "word" not in counts.names:
                continue
            is_nothing = " AND ".join(f"coalesce(sum({number}), 0) = 0" for number in counts.numbers)
            cursor.execute(
                f"DELETE FROM {counts.table} USING (SELECT unnest(array_agg(id)) AS id FROM {counts.table} "
                f"WHERE organization_id = %s AND word = ANY(%s) GROUP BY {', '.join(counts.names)} "
                f"HAVING {is_nothing}) AS nothing WHERE {counts.table}.id = nothing.id",
                [organization_id, words],
            )


class Difference(NamedTuple):
    """One thing that is kept and not as it should be: `values` are `{column: (kept, true)}`."""

    table: str
    names: dict
    values: dict

    @classmethod
    def between(cls, table, names, name_columns, pairs, value_columns):
        """Of the columns of a row: its names, then a kept and a true value for each of its values."""
        both = zip(value_columns, pairs[::2], pairs[1::2], strict=True)
        wrong = {column: (kept, true) for column, kept, true in both if kept != true}
        return cls(table, dict(zip(name_columns, names, strict=True)), wrong)

    def __str__(self):
        names = " ".join(f"{name}={value}" for name, value in self.names.items())
        return f"{self.table} {names}: " + ", ".join(
            f"{column} is {kept}, should be {true}" for column, (kept, true) in self.values.items()
        )


def check(tables, organization_id=None):
    """Every Difference between counts and what their rows say."""
    return [difference for counts in tables for difference in _differences(counts, organization_id)]


def repair(tables, organization_id=None):
    """Insert what counts lack; returns the differences that there were.

    Writers need not wait, for each table is compared in one snapshot; two repairs must not do it both.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [tables[0].table])
        found = check(tables, organization_id)
        for counts in tables:
            sums = ", ".join(f"nullif({_BALANCE.format(number)}, 0)" for number in counts.numbers)
            query, params = _compared(counts, sums, organization_id)
            columns = ", ".join([*counts.names, *counts.numbers])
            cursor.execute(f"INSERT INTO {counts.table} ({columns}) {query}", params)
    return found


def report(found):
    """Log what differed, without words that people have typed."""
    for difference in found:
        names = {name: value for name, value in difference.names.items() if name not in ("word", "spelling")}
        facts = {"table": difference.table, "names": names, "columns": sorted(difference.values)}
        logger.error("counts differed", extra={"facts": facts})
    return len(found)


_BALANCE = "coalesce(sum({0} * CASE WHEN truth THEN 1 ELSE -1 END), 0)"


def _differences(counts, organization_id):
    side = "coalesce(sum({0}) FILTER (WHERE {1}truth), 0)"
    pairs = ", ".join(side.format(number, word) for number in counts.numbers for word in ("NOT ", ""))
    with connection.cursor() as cursor:
        cursor.execute(*_compared(counts, pairs, organization_id))
        split = len(counts.names)
        return [
            Difference.between(counts.table, row[:split], counts.names, row[split:], counts.numbers)
            for row in cursor.fetchall()
        ]


def _compared(counts, shown, organization_id):
    """The statement that shows what differs of each count, and its parameters."""
    where = "WHERE organization_id = %s" if organization_id else ""
    names, columns = ", ".join(counts.names), ", ".join([*counts.names, *counts.numbers])
    truth = counts.counted(f"SELECT *, 1 AS sign FROM {counts.source} {where}")
    differs = " OR ".join(f"{_BALANCE.format(number)} <> 0" for number in counts.numbers)
    query = (
        f"SELECT {names}, {shown} FROM (SELECT *, true AS truth FROM ({truth}) AS counted UNION ALL "
        f"SELECT {columns}, false FROM {counts.table} {where}) AS sides GROUP BY {names} HAVING {differs}"
    )
    return query, [organization_id] * query.count("%s")
