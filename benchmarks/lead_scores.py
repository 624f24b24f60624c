"""How long lead scores take at 200,000 customers with 2,000,000 interactions, in two processes.

Three passes over everybody: the first one, in which nearly every score is new; one a day later, as each night; and a
thousand customers who were touched. Prints seconds and the peak memory of all processes together, and looks whether
any of it wrote audit rows or events. Ends with 1 when a limit is missed.
"""

import time
from datetime import timedelta

import psutil
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from measuring import arguments, demo, finish

from customers.models import Customer
from customers.services import scoring
from employees.models import Organization

INTERACTIONS_EACH, JOBS, TOUCHED = 10, 2, 1_000
FULL_SECONDS, TOUCHED_SECONDS, MOST_MEGABYTES = 60, 2, 500
ORGANIZATION = "org_demo"

# Contacts and visits of the last half year, spread evenly and always the same; a third of the tries are not answered.
INTERACTIONS = """
    INSERT INTO interactions (id, organization_id, customer_id, type, direction, date, duration, notes, outcome,
                              agent_name, agent_id, sentiment, follow_up_required, created_at, updated_at, version)
    SELECT 'int_bench_' || c.n || '_' || i, c.organization_id, c.id,
           (ARRAY['call', 'whatsapp', 'call', 'meeting', 'whatsapp', 'email'])[1 + h %% 6],
           CASE WHEN h %% 3 = 0 THEN 'inbound' ELSE 'outbound' END, at.date,
           CASE WHEN h %% 6 IN (0, 3) AND h %% 7 < 5 THEN h %% 25 END, '', '', 'وكيل', 'emp_agent',
           CASE h %% 10 WHEN 0 THEN 'positive' WHEN 1 THEN 'negative' WHEN 2 THEN 'neutral' ELSE '' END, false,
           at.date, at.date, 1
      FROM (SELECT id, organization_id, row_number() OVER (ORDER BY id) AS n FROM customers
             WHERE organization_id = %s AND deleted_at IS NULL) AS c
     CROSS JOIN generate_series(1, %s) AS i
     CROSS JOIN LATERAL (SELECT abs(hashint8(c.n * 100 + i)) AS h) AS hashed
     CROSS JOIN LATERAL (SELECT now() - make_interval(hours => h / 7 %% 4320) AS date) AS at
"""
APPOINTMENTS = """
    INSERT INTO appointments (id, organization_id, customer_id, title, title_en, type, datetime, duration, location,
                              property_id, property_title, status, priority, notes, outcome, agent_name,
                              created_at, updated_at, version)
    SELECT 'apt_bench_' || n, organization_id, id, 'معاينة', '', 'site_visit', date, 30, '', '', '',
           CASE WHEN n %% 5 = 0 THEN 'no_show' ELSE 'completed' END, 'medium', '', '', '', date, date, 1
      FROM (SELECT id, organization_id, row_number() OVER (ORDER BY id) AS n FROM customers
             WHERE organization_id = %s AND deleted_at IS NULL) AS c
     CROSS JOIN LATERAL (SELECT now() - make_interval(hours => (abs(hashint8(n)) %% 2880)::int) AS date) AS at
     WHERE n %% 4 <> 0
"""
STATUSES = """
    INSERT INTO status_changes (id, customer_id, collection, item_id, from_status, to_status, changed_by, changed_by_id,
                                recorded_at)
    SELECT 'status_bench_' || id, customer_id, 'appointments', id, NULL, status, '', '', datetime
      FROM appointments WHERE id LIKE 'apt_bench_%'
"""


def fill():
    """Interactions, visits and their statuses for every customer, unless they are there."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM appointments WHERE id LIKE 'apt_bench_%')")
        if cursor.fetchone()[0]:
            return
        print("Filling …", flush=True)
        # Nothing hears of these rows: neither audit nor counts are what is measured.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(INTERACTIONS, [ORGANIZATION, INTERACTIONS_EACH])
        cursor.execute(APPOINTMENTS, [ORGANIZATION])
        cursor.execute(STATUSES)


def as_if_never_scored():
    """Every customer as it is created: with the score of the schema, and nothing kept."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE lead_scores, lead_feature_snapshots, lead_score_queue")
        cursor.execute("UPDATE customers SET lead_score = 50 WHERE lead_score <> 50")
        cursor.execute("VACUUM ANALYZE")


def written():
    """How many rows the audit and the log of events have."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM audit_entries), (SELECT count(*) FROM events)")
        return cursor.fetchone()


def megabytes_of_all():
    """What this process and those that work beside it have in memory."""
    processes = [each for each in psutil.Process().children() if each.exe() == psutil.Process().exe()]
    return sum(each.memory_info().rss for each in (psutil.Process(), *processes)) / 2**20


def timed(name, limit, work, wrong):
    began = time.perf_counter()
    outcome = work()
    seconds = time.perf_counter() - began
    print(f"{name:34} {seconds:6.1f} s of {limit}, {outcome.scored:,} scored, {outcome.changed:,} changed", flush=True)
    if seconds > limit:
        wrong.append(f"{name}: {seconds:.1f} s of {limit}")


def main():
    options = arguments(__doc__).parse_args()
    wrong, seen, now = [], [], timezone.now()

    def everybody(moment):
        return scoring.recompute_all(
            jobs=JOBS, now=moment, progress=lambda done, total: seen.append(megabytes_of_all())
        )

    with demo(options.customers):
        settings.DEBUG = False  # with it Django keeps the text of every statement
        fill()
        as_if_never_scored()
        before = written()
        timed("everybody, the first time", FULL_SECONDS, lambda: everybody(now), wrong)
        tomorrow = now + timedelta(days=1)
        timed("everybody, a day later", FULL_SECONDS, lambda: everybody(tomorrow), wrong)
        organization = Organization.objects.get(pk=ORGANIZATION)
        ids = list(Customer.objects.filter(organization=organization, deleted_at=None).order_by("?")[:TOUCHED]
                   .values_list("pk", flat=True))  # fmt: skip
        timed("a thousand who were touched", TOUCHED_SECONDS,
              lambda: scoring.recompute(organization, ids, now=tomorrow), wrong)  # fmt: skip
        if written() != before:
            wrong.append("audit rows or events were written")
    megabytes = max(seen)
    print(f"peak memory {megabytes:.0f} MB of {MOST_MEGABYTES}")
    if megabytes > MOST_MEGABYTES:
        wrong.append(f"memory: {megabytes:.0f} MB of {MOST_MEGABYTES}")
    finish(wrong)


if __name__ == "__main__":
    main()
