"""What the benchmarks of requests share: the demo to ask, the plans PostgreSQL used, and the hub's own web server.

It is imported first: it sets up Django on the data of the benchmarks.
"""

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEBUG", "true")
os.environ.setdefault("HUB_DATA", str(HOME / ".hub" / "benchmark"))
os.environ["HUB_RATE_LIMITS"] = "off"
os.environ["LOG_LEVEL"] = "WARNING"

import django  # noqa: E402

django.setup()

import psutil  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from config import embedded  # noqa: E402
from config.api import pagination  # noqa: E402
from employees import authentication  # noqa: E402
from employees.models import Employee  # noqa: E402
from employees.services import sign_in_as  # noqa: E402

ROLES = ("admin", "manager", "agent")
CONNECTIONS = 4
# The driver prepares a statement at its sixth call, and five calls later PostgreSQL chooses the plan that it keeps.
TRIES, WARM_UP = 4, 12


# --- The script around a benchmark --------------------------------------------------------


def arguments(description):
    """An ArgumentParser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--verbose", action="store_true", help="print every plan in full")
    return parser


@contextmanager
def demo(customers):
    """The hub with a demo of this size, filled where needed: `{role: signed-in client}`."""
    with embedded.running(settings.HUB_DATA, database=settings.EMBEDDED_DATABASE, redis=settings.EMBEDDED_REDIS):
        call_command("migrate", verbosity=0)
        # In a process of its own: what filling takes of memory is nothing that is measured.
        subprocess.run([sys.executable, HOME / "manage.py", "seed_demo", f"--customers={customers}"], check=True)
        # A request that is asked for twice within three seconds finds its identity; here it always does.
        authentication.IDENTITY_SECONDS = 10**6
        yield {role: Client(headers={"Authorization": f"Bearer {sign_in_as(f'{role}@hub.test')}"}) for role in ROLES}
        connection.close()


def finish(wrong):
    """Print what is wrong and end, with 1 if anything is."""
    print(f"\n{len(wrong)} over their limits" if wrong else "\nEverything within its limits")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


# --- What is asked for --------------------------------------------------------------------


class Case(NamedTuple):
    """One request as one role."""

    role: str
    kind: str
    order: str
    path: str


def employee_of(role):
    return Employee.objects.select_related("organization", "team").get(email=f"{role}@hub.test")


def half_way(client, path, rows, column, direction):
    """A list by cursor from the middle of `rows`, all that it shows; None when one page holds them.

    `column` is the one that the list at `path` is sorted by.
    """
    cursor = client.get(f"{path}&cursor=").json()["data"]["pagination"]["nextCursor"]
    if not cursor:
        return None
    rows = rows.exclude(**{column: None}).order_by(f"{'-' if direction == 'desc' else ''}{column}", "pk")
    position = rows.values_list("pk", column)[rows.count() // 2]
    # The signature of a real cursor, put on another position.
    fingerprint = pagination._signer.unsign_object(cursor)[-1]
    return f"{path}&cursor={quote(pagination._cursor_at(position, False, fingerprint))}"


# --- Plans --------------------------------------------------------------------------------


class Plans:
    """The plans that PostgreSQL really used on this connection, kept prepared statements included (auto_explain)."""

    SETTINGS = {"log_min_duration": "0", "log_timing": "off", "log_format": "json", "log_level": "notice"}

    def __init__(self):
        self.seen = []
        connection.ensure_connection()
        connection.connection.add_notice_handler(self.hear)
        with connection.cursor() as cursor:
            cursor.execute("LOAD 'auto_explain'")
        self.set(**self.SETTINGS)

    def set(self, **values):
        with connection.cursor() as cursor:
            for name, value in values.items():
                cursor.execute(f"SET auto_explain.{name} = '{value}'")

    def hear(self, notice):
        match = re.match(r"duration: ([\d.]+) ms  plan:\n(.*)", notice.message_primary, re.DOTALL)
        if match:
            self.seen.append((float(match[1]), json.loads(match[2])["Plan"]))

    def of(self, ask):
        """`[(milliseconds, plan)]` of the best of several tries, after the statements are prepared for good.

        The rows of the plans are those of one more call: counting them may double what a long scan takes.
        """
        for _ in range(WARM_UP):
            ask()
        best = min((self.once(ask) for _ in range(TRIES)), key=total)
        counted = self.once(ask, count_rows=True)
        return [(milliseconds, plan) for (milliseconds, _plan), (_more, plan) in zip(best, counted, strict=True)]

    def once(self, ask, *, count_rows=False):
        """The same of one call."""
        self.set(log_analyze="on" if count_rows else "off")
        self.seen.clear()
        ask()
        return list(self.seen)


def total(found):
    """The milliseconds of all statements together."""
    return sum(milliseconds for milliseconds, _plan in found)


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def outline(plan):
    """A plan in one line: which index or table, how many rows, how many thrown away."""
    name = plan.get("Index Name") or plan.get("Relation Name") or ""
    thrown_away = f" -{plan['Rows Removed by Filter']:.0f}" if plan.get("Rows Removed by Filter") else ""
    inner = ", ".join(map(outline, plan.get("Plans", ())))
    rows = f"[{plan['Actual Rows']:.0f}{thrown_away}]" if "Actual Rows" in plan else ""
    return f"{plan['Node Type']} {name}{rows}" + (f" ({inner})" if inner else "")


def check_plans(plans, clients, cases, *, most_ms, most_statements, table, shown):
    """Print one line per case, and outlines of this many characters; return what is wrong.

    `most_ms` are the limits by kind, None where cases are for information; `table` must not be scanned.
    """
    wrong = []
    for case in cases:

        def ask(case=case):
            response = clients[case.role].get(case.path)
            assert response.status_code == 200, response.content

        found, limit, faults = plans.of(ask), most_ms[case.kind], []
        if limit is not None:
            if len(found) > most_statements:
                faults.append(f"{len(found)} statements")
            if any(scans(plan, table) for _milliseconds, plan in found):
                faults.append(f"Seq Scan on {table}")
            if total(found) > limit:
                faults.append(f"over {limit} ms")
        print(
            f"{case.role:8} {case.kind:18} {case.order:19} {len(found)} statements {total(found):8.2f} ms  "
            f"{', '.join(faults)}"
        )
        if faults or shown:
            for milliseconds, plan in found:
                print(f"    {milliseconds:8.2f} ms  {outline(plan)[: shown or 300]}")
        wrong += [f"{case.role} {case.kind} {case.order}: {fault}" for fault in faults]
    return wrong


def scans(plan, table):
    return any(node["Node Type"] == "Seq Scan" and node["Relation Name"] == table for node in nodes(plan))


# --- Requests a second --------------------------------------------------------------------


@contextmanager
def web_server(application="config.asgi:application"):
    """The hub's own server on a free port: `(process, port)`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = ["granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    argv += ["--workers-kill-timeout", "5"]
    argv = [sys.executable, "-m", *argv, application]
    process = subprocess.Popen(argv, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("The web server does not start.")
                time.sleep(0.1)
        yield process, port
    finally:
        process.terminate()
        process.wait(15)


def cpu_seconds(roots):
    """The CPU time that these processes and their children have used so far."""
    family = {process for root in roots for process in (root, *root.children(recursive=True))}
    used = 0
    for process in family:
        try:
            times = process.cpu_times()
            used += times.user + times.system
        except psutil.NoSuchProcess:
            pass
    return used


def load(port, paths, token, seconds):
    """How many requests several keep-alive connections get answered in this time, all of them 200."""
    counts, end = [0] * CONNECTIONS, time.monotonic() + seconds

    def work(number):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Authorization": f"Bearer {token}"}
        while time.monotonic() < end:
            client.request("GET", paths[(number + counts[number] * CONNECTIONS) % len(paths)], headers=headers)
            response = client.getresponse()
            response.read()
            assert response.status == 200, response.status
            counts[number] += 1
        client.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)
