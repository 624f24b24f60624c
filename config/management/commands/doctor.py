"""The command that looks at all that the hub stands on, and says of what is amiss what to do next."""

import json
import os
import re
import shutil
import tempfile
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation
from django_redis import get_redis_connection

from actions import refreshing as actions
from config.commands import FAILED, HubCommand
from config.jobs import HEARTBEAT
from customers import refreshing as customers
from documents import scanning
from documents.storage import storage
from employees.models import Organization

OK, WARN, FAIL = "ok", "warn", "fail"
EXTENSIONS = ("btree_gin", "pg_trgm")
OLDEST_POSTGRESQL, OLDEST_REDIS = 17, 7
# A minute passes between heartbeats.
HEARTBEAT_SECONDS = 150
SKEW_SECONDS = 2
COUNTS_SECONDS = 60
LEAST_FREE_BYTES, LEAST_FREE_SHARE = 200_000_000, 0.1
# What a web process keeps besides its threads: one that sends events, one for sockets.
OTHER_CONNECTIONS = 2
_TRIGGER = re.compile(r"(CREATE|DROP)(?: OR REPLACE)? TRIGGER(?: IF EXISTS)? (\w+)\b[^;]*?\bON (\w+)", re.IGNORECASE)


class Finding(NamedTuple):
    """One thing that was looked at: `advice` is what to do next, where anything is."""

    level: str
    message: str
    advice: str = ""


class Command(HubCommand):
    help = (
        "Look at settings, servers, storage, jobs and schema, and say what to do next. One line each: ok, warn or fail."
    )
    codes = "0 nothing failed, 1 something did"
    # They are among what is looked at.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"of {', '.join(CHECKS)}; all by default")
        self.add_summary(parser)

    @contextmanager
    def alone(self, organization_id=None):
        """It changes nothing, and the database may be away."""
        yield

    def run(self, checks, summary, **options):
        if unknown := set(checks) - CHECKS.keys():
            raise CommandError(f"Unknown: {', '.join(sorted(unknown))}. There are {', '.join(CHECKS)}.")
        found = []
        for name, finding in examined([name for name in CHECKS if name in checks] or list(CHECKS)):
            found.append({"check": name, **finding._asdict()})
            if summary == "text":
                advice = f": {finding.advice}" if finding.advice else ""
                self.stdout.write(f"{finding.level:<4}  {name:<9} {finding.message}{advice}")
        failed = any(finding["level"] == FAIL for finding in found)
        if summary == "json":
            self.stdout.write(json.dumps({"ok": not failed, "findings": found}, ensure_ascii=False))
        return FAILED if failed else None


def examined(names):
    """`(name of the check, Finding)` of each thing looked at; of a database that is away nothing else is asked."""
    is_away = False
    for name in names:
        check, needs_database = CHECKS[name]
        if is_away and needs_database:
            yield name, Finding(WARN, "not looked at: the database is away")
            continue
        try:
            for finding in check():
                yield name, finding
        except OperationalError as error:
            is_away = is_away or needs_database
            yield (
                name,
                Finding(
                    FAIL, f"the database does not answer ({_first_line(error)})", "start it, or correct DATABASE_URL"
                ),
            )
        except Exception as error:
            yield name, Finding(FAIL, f"{type(error).__name__}: {_first_line(error)}")


# --- Settings and files ---------------------------------------------------------------------------


def check_settings():
    """Django's own checks, those of a deployment included, and what only the environment shows."""
    told = [message for message in checks.run_checks(include_deployment_checks=not settings.DEBUG)
            if not message.is_silenced()]  # fmt: skip
    for message in told:
        yield Finding(FAIL if message.is_serious() else WARN, f"{message.id} {message.msg}", message.hint or "")
    if settings.DEBUG:
        yield Finding(WARN, "DEBUG is on", "set DEBUG=false and the secrets before anybody else can reach this server")
        return
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
        if len(set(getattr(settings, name))) < 12:
            yield Finding(FAIL, f"{name} repeats itself", "make one with: openssl rand -base64 48")
    if not settings.TRUSTED_PROXIES:
        yield Finding(WARN, "no proxy is trusted", "set TRUSTED_PROXIES to how many stand in front; TLS ends there")
    if settings.WEB_STATEMENT_TIMEOUT_MS > settings.WEB_DEADLINE_SECONDS * 1000:
        yield Finding(WARN, "statements may run for longer than requests", "lower WEB_STATEMENT_TIMEOUT_MS")
    if not told:
        yield Finding(OK, f"complete and safe, for {', '.join(settings.ALLOWED_HOSTS)}")


def check_files():
    """What a release brings along: compiled catalogues and collected static files."""
    with translation.override("ar"):
        is_translated = translation.gettext("customers") != "customers"
    if is_translated:
        yield Finding(OK, "the Arabic catalogue is compiled")
    else:
        yield Finding(FAIL, "the Arabic catalogue is missing", "python manage.py compilemessages")
    if settings.DEBUG:
        yield Finding(OK, "static files come from the source while DEBUG is on")
        return
    there_are = [path for finder in finders.get_finders() for path, _storage in finder.list([])]
    collected = staticfiles_storage.hashed_files
    missing = [path for path in there_are if staticfiles_storage.hash_key(path) not in collected]
    if missing:
        yield Finding(
            FAIL, f"{len(missing)} static files are not collected", "python manage.py collectstatic --noinput"
        )
    else:
        yield Finding(OK, f"{len(there_are)} static files are collected in {settings.STATIC_ROOT}")


def check_disk():
    """Room for files of customers and for uploads under way; that of the database is its own host's."""
    folders = [] if settings.S3_BUCKET else [settings.DOCUMENT_FOLDER]
    for folder in [*folders, Path(tempfile.gettempdir())]:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        usage = shutil.disk_usage(there)
        free = f"{usage.free // 1_000_000:,} MB free at {folder}"
        if usage.free < LEAST_FREE_BYTES:
            yield Finding(FAIL, free, "make room")
        elif usage.free < usage.total * LEAST_FREE_SHARE:
            yield Finding(WARN, free, "make room soon")
        else:
            yield Finding(OK, free)


# --- Servers --------------------------------------------------------------------------------------


def check_database():
    """Whether it answers, is new enough, knows Arabic letters, and has connections for all threads."""
    began = time.time()
    ((version, encoding, timeout, limit, used, size, clock),) = _rows(
        """
        SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
               current_setting('statement_timeout'),
               current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                   - current_setting('reserved_connections')::int,
               (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
               pg_size_pretty(pg_database_size(current_database())), extract(epoch FROM clock_timestamp())::float
        """
    )
    if version < OLDEST_POSTGRESQL:
        yield Finding(FAIL, f"PostgreSQL {version}", f"upgrade to {OLDEST_POSTGRESQL} or later")
    else:
        yield Finding(OK, f"PostgreSQL {version} answers, {size}")
    yield from _skew("PostgreSQL", clock, began)
    installed = {name for (name,) in _rows("SELECT extname FROM pg_extension")}
    if missing := sorted(set(EXTENSIONS) - installed):
        yield Finding(FAIL, f"without {', '.join(missing)}", "python manage.py migrate, as a role that may create them")
    elif encoding != "UTF8" or _rows("SELECT similarity('محمد', 'محمد')") != [(1,)]:
        yield Finding(FAIL, "finds no Arabic letters", "create it anew with encoding UTF8 and LC_CTYPE C.UTF-8")
    else:
        yield Finding(OK, "finds Arabic letters")
    if timeout != "0":
        yield Finding(WARN, f"stops every statement after {timeout}", "ALTER ROLE … RESET statement_timeout")
    threads, workers = (int(os.environ.get(name) or default) for name, default in
                        (("WEB_THREADS", 4), ("GRANIAN_WORKERS", 1)))  # fmt: skip
    needed = workers * (threads + OTHER_CONNECTIONS)
    told = f"{used} of {limit} connections are used; the web processes of this host take up to {needed}"
    if needed > limit or used > limit * 0.9:
        yield Finding(WARN, told, "raise max_connections, or lower WEB_THREADS or the workers")
    else:
        yield Finding(OK, told)


def check_schema():
    """Migrations, triggers and indexes: whether the tables are as this release made them."""
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    if waiting := executor.migration_plan(leaves):
        yield Finding(FAIL, f"{len(waiting)} migrations wait", "python manage.py migrate")
        return
    if strangers := executor.loader.applied_migrations.keys() - executor.loader.disk_migrations.keys():
        yield Finding(WARN, f"{len(strangers)} migrations of a newer release are applied", "run that release")
    yield Finding(OK, "all migrations are applied")
    made = _triggers_of(migration for migration, _backwards in executor.migration_plan(leaves, clean_start=True))
    live = set(
        _rows("SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
    )
    audited = {table for name, table in made if "_audit_" in name}
    for name, table in sorted(made - live):
        what = "is no longer audited" if "_audit_" in name else "is no longer counted"
        yield Finding(FAIL, f"{table} {what}: {name} is gone or disabled", f"ALTER TABLE {table} ENABLE TRIGGER {name}")
    if made <= live:
        yield Finding(OK, f"{len(made)} triggers stand, {len(audited)} tables are audited")
    invalid = _rows("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
    for (name,) in invalid:
        yield Finding(
            FAIL, f"the index {name} is invalid", f"REINDEX INDEX CONCURRENTLY {name}, unless it is being built"
        )
    if not invalid:
        yield Finding(OK, "all indexes are valid")


def check_redis():
    """Whether it answers, takes writes, keeps them, and drops only what it may."""
    redis, began = get_redis_connection("default"), time.time()
    try:
        told = redis.info()
        redis.set("hub:doctor", 1, px=1000)
        seconds, microseconds = redis.time()
    except Exception as error:
        yield Finding(
            FAIL, f"Redis does not answer or refuses writes ({_first_line(error)})", "see REDIS_URL and its log"
        )
        return
    version = told.get("valkey_version") or told["redis_version"]
    if int(version.partition(".")[0]) < OLDEST_REDIS:
        yield Finding(FAIL, f"Redis {version}", f"upgrade to {OLDEST_REDIS} or later")
    else:
        yield Finding(OK, f"{'Valkey' if 'valkey_version' in told else 'Redis'} {version} takes writes")
    yield from _skew("Redis", seconds + microseconds / 1_000_000, began)
    if not told["aof_enabled"]:
        yield Finding(WARN, "appendonly is off: a crash loses the jobs that wait", "appendonly yes")
    if told["maxmemory"] and told["maxmemory_policy"] != "volatile-ttl":
        policy = told["maxmemory_policy"]
        level = FAIL if policy.startswith("allkeys") else WARN
        yield Finding(level, f"maxmemory-policy is {policy}", "volatile-ttl, which keeps jobs and drops answers")
    if not told["maxmemory"]:
        yield Finding(WARN, "maxmemory is not set", "give it one, with maxmemory-policy volatile-ttl")


def check_storage():
    """Whether files of customers can be kept, read and removed."""
    where = settings.S3_BUCKET or settings.DOCUMENT_FOLDER
    advice = "let the user of the hub write there, and see DOCUMENT_FOLDER or S3_*"
    try:
        key = storage.keep(BytesIO(b"doctor"))
        with storage.open_kept(key) as file:
            is_same = file.read() == b"doctor"
        storage.remove(key)
    except Exception as error:
        yield Finding(FAIL, f"{where} cannot be used ({_first_line(error.__cause__ or error)})", advice)
        return
    if not is_same or _is_kept(key):
        yield Finding(FAIL, f"{where} gives back something else, or keeps what was removed", advice)
        return
    yield Finding(OK, f"{where} keeps, gives back and removes")
    if not settings.S3_BUCKET and settings.DOCUMENT_FOLDER.stat().st_mode & 0o077:
        yield Finding(WARN, f"others may look into {where}", f"chmod 700 {where}")


def check_scanner():
    """Whether the scanner of uploads gives a verdict."""
    if not settings.DOCUMENT_SCANNER:
        yield Finding(OK, "none is set (DOCUMENT_SCANNER)")
        return
    try:
        scanning.scan(BytesIO(b"doctor"))
    except Exception as error:
        reason = _first_line(error.__cause__ or error)
        yield Finding(
            FAIL, f"{settings.DOCUMENT_SCANNER} gives no verdict ({reason})", "uploads are refused until it does"
        )
        return
    yield Finding(OK, f"{settings.DOCUMENT_SCANNER} gives its verdict")


def check_jobs():
    """Whether beat and workers live: each minute the beat sends a job that leaves the time."""
    redis = get_redis_connection("default")
    try:
        left, waiting = redis.get(HEARTBEAT), redis.llen("hub:celery")
    except Exception as error:
        yield Finding(
            FAIL, f"Redis, which holds them, does not answer ({_first_line(error)})", "see REDIS_URL and its log"
        )
        return
    age = time.time() - float(left) if left else None
    if age is not None and age < HEARTBEAT_SECONDS:
        yield Finding(OK, f"beat and worker live, {waiting} jobs wait")
        return
    since = "ever" if age is None else f"for {int(age)} s"
    dead = "worker: jobs wait and nobody takes them" if waiting else "beat: nothing is sent"
    yield Finding(WARN if settings.DEBUG else FAIL, f"no job was done {since}", f"look after the {dead}")


# --- Time and numbers -----------------------------------------------------------------------------


def check_zones():
    """Whether Python and PostgreSQL know the time zones of all organizations."""
    zones = {settings.TIME_ZONE, *Organization.objects.values_list("time_zone", flat=True)}
    known = {name for (name,) in _rows("SELECT name FROM pg_timezone_names WHERE name = ANY(%s)", [sorted(zones)])}
    missing = sorted(zone for zone in zones if zone not in known or not _is_zone(zone))
    if missing:
        yield Finding(
            FAIL, f"unknown time zones: {', '.join(missing)}", "install the system's tzdata, or pip install tzdata"
        )
    else:
        yield Finding(OK, f"{', '.join(sorted(zones))}")


def check_counts():
    """Whether statistics are read from what is so. It reads all customers and actions."""
    try:
        with transaction.atomic():
            _rows("SELECT set_config('statement_timeout', %s, true)", [str(COUNTS_SECONDS * 1000)])
            found = [*customers.check(), *actions.check()]
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "57014":
            raise
        yield Finding(WARN, f"comparing took over {COUNTS_SECONDS} s", "python manage.py refresh_stats --check")
        return
    if found:
        yield Finding(WARN, f"{len(found)} counts differ from their rows", "python manage.py refresh_stats")
    else:
        yield Finding(OK, "counts agree with their rows")


# --- Parts ----------------------------------------------------------------------------------------


def _rows(statement, params=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]


def _skew(name, clock, began):
    """A warning when another clock was neither at `began` nor is now at the time of this one."""
    skew = max(began - clock, clock - time.time())
    if skew > SKEW_SECONDS:
        yield Finding(WARN, f"the clock of {name} differs by {skew:.0f} s", "run NTP on both hosts")


def _triggers_of(migrations):
    """`(name, table)` of the triggers that migrations leave."""
    there = set()
    for migration in migrations:
        for operation in migration.operations:
            statements = operation.sql if isinstance(getattr(operation, "sql", None), str) else ""
            for verb, name, table in _TRIGGER.findall(statements):
                (there.add if verb.upper() == "CREATE" else there.discard)((name, table))
    return there


def _is_kept(key):
    try:
        storage.open_kept(key).close()
    except FileNotFoundError:
        return False
    return True


def _is_zone(name):
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


# In the order in which they are told; and whether the database is needed.
CHECKS = {
    "settings": (check_settings, False),
    "files": (check_files, False),
    "disk": (check_disk, False),
    "database": (check_database, True),
    "schema": (check_schema, True),
    "redis": (check_redis, False),
    "jobs": (check_jobs, False),
    "storage": (check_storage, False),
    "scanner": (check_scanner, False),
    "zones": (check_zones, True),
    "counts": (check_counts, True),
}
