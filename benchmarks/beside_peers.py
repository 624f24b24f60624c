"""The hub beside what one would write instead: the same answers from Express and FastAPI, of the same database.

The gates below are multiples of Express's requests a second; under any of them the script exits with 1.
Express needs Node and npm, FastAPI a venv of its own: what cannot be installed is left out, and said.
"""

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import quote, urlencode

import measuring
import psutil
from django.conf import settings
from django.db import connection, transaction

from actions.models import CustomerAction
from actions.tasks import wake_snoozed
from config import processes
from customers.models import Customer
from employees.services import sign_in_as

PEERS = Path(__file__).resolve().parent / "peers"
CONNECTIONS, THREADS = 16, 4
BULK, BULKS = 100, 48

# `{kind: (the gate, the aim)}`, in multiples of Express.
GATES = {
    "filtered list": (1.6, 2),
    "unfiltered list": (5, 8),
    "detail with 3 relations": (3, 5),
    "actions, 5 filters": (6, 10),
    "action statistics": (50, None),
    "search with a typo": (4, None),
    "page 5,000": (8, None),
    "keyset in the middle": (2, None),
    "bulk complete 100": (0.8, 1),
}

FILTER = [("stage", "property_matching"), ("stage", "site_visit"), ("priority", "high"), ("city", "riyadh")]
FIVE = [
    *(("status", word) for word in ("pending", "in_progress")),
    *(("type", word) for word in ("new_inquiry", "callback_request")),
    *(("priority", word) for word in ("high", "urgent")),
    *(("city", "riyadh"), ("dueDate", "week")),
]
TYPO = {"query": "محمد القحطتني", "limit": 20}


class Server(NamedTuple):
    """A server that runs. `is_ours` says whose cursors it understands."""

    name: str
    process: psutil.Process
    port: int
    is_ours: bool


# --- What is asked for --------------------------------------------------------------------


class Asked(NamedTuple):
    """One request; all servers have the same paths."""

    method: str
    path: str
    body: dict | None = None


def asked(cursors):
    """`{kind: f(server) -> [Asked]}` of everything that reads."""
    customers, actions = "/api/v1/customers", "/api/v1/customers/actions"
    keys = Customer.objects.filter(deleted_at=None, organization_id="org_demo").order_by("-total_interactions", "pk")
    include = urlencode({"include": "properties,interactions,appointments"}, safe=",")
    details = [Asked("GET", f"{customers}/{key}?{include}") for key in keys.values_list("pk", flat=True)[:200:2]]
    always = {
        "filtered list": [Asked("GET", f"{customers}?{urlencode([*FILTER, ('limit', 20)])}")],
        "unfiltered list": [Asked("GET", f"{customers}?limit=20")],
        "detail with 3 relations": details,
        "actions, 5 filters": [Asked("GET", f"{actions}?{urlencode([*FIVE, ('limit', 20)])}")],
        "action statistics": [Asked("GET", f"{actions}/stats")],
        "search with a typo": [Asked("POST", f"{customers}/search", TYPO)],
        "page 5,000": [Asked("GET", f"{customers}?limit=20&page=5000")],
    }
    kinds = {kind: (lambda server, requests=requests: requests) for kind, requests in always.items()}
    kinds["keyset in the middle"] = lambda server: [Asked("GET", cursors[server.is_ours])]
    return kinds


def half_way(client):
    """`{is_ours: path}` of the page by cursor that begins in the middle of all customers."""
    path = "/api/v1/customers?limit=20"
    rows = Customer.objects.filter(deleted_at=None, organization_id="org_demo")
    ours = measuring.half_way(client, path, rows, "created_at", "desc")
    key, created_at = rows.order_by("-created_at", "pk").values_list("pk", "created_at")[rows.count() // 2]
    cursor = base64.urlsafe_b64encode(json.dumps([created_at.isoformat(), key]).encode()).decode().rstrip("=")
    return {True: ours, False: f"{path}&cursor={quote(cursor)}"}


def written(request, server, token):
    """A request as the text that goes over the wire."""
    body = json.dumps(request.body, ensure_ascii=True) if request.body else ""
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
    lines += [f"Authorization: Bearer {token}", "Accept-Language: ar"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", body])


# --- Whether the answers are equal ----------------------------------------------------------

# What the hub works out beyond the columns, and the peers are spared.
BEYOND = {"doNotContact", "nextFollowUpDate", "paidAmount", "reminderSent", "date", "time"}


def check_equal(kinds, servers, token):
    """End unless each server gives the hub's answer, but for null, what is empty, and BEYOND."""
    hub, *others = servers
    for kind, requests_of in kinds.items():
        for number in {0, len(requests_of(hub)) - 1}:
            ours = fetched(hub, requests_of(hub)[number], token)
            for other in others:
                theirs = fetched(other, requests_of(other)[number], token)
                if compared(kind, theirs) != compared(kind, ours):
                    sys.exit(f"{kind}: {other.name} answers {difference(compared(kind, ours), compared(kind, theirs))}")


def fetched(server, request, token):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    client.request(request.method, request.path, json.dumps(request.body) if request.body else None, headers)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    if answer.status != 200:
        sys.exit(f"{server.name} answers {request.path} with {answer.status}: {body[:400]}")
    return json.loads(body)["data"]


def compared(kind, data):
    """The part of an answer in which all servers must agree."""
    if kind == "action statistics":
        return plain({part: data["stats"][part] for part in ("total", "byType", "byPriority", "bySource")})
    if kind == "search with a typo":
        # Each finds by its own idea of likeness; how much they say of whom they found is the same.
        return len(data["results"]), sorted(data["results"][0])
    return plain({name: value for name, value in data.items() if name != "pagination"})


def plain(value):
    if isinstance(value, dict):
        return {name: kept for name, inner in value.items() if name not in BEYOND and (kept := plain(inner))}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and value[4:5] == "-" and value[10:11] == "T":
        return round(datetime.fromisoformat(value).timestamp())
    return float(value) if isinstance(value, int) else value


def difference(one, other, path=""):
    """Where two answers differ first."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            if one.get(name) != other.get(name):
                return difference(one.get(name), other.get(name), f"{path}.{name}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            if mine != theirs:
                return difference(mine, theirs, f"{path}[{number}]")
    return f"{other!r:.300} at {path}, not {one!r:.300}"


# --- The servers ----------------------------------------------------------------------------


@contextmanager
def hub(name, cache):
    os.environ["HUB_CACHE"] = cache
    with measuring.web_server() as (process, port):
        yield Server(name, psutil.Process(process.pid), port, True)


@contextmanager
def peer(name, argv):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = settings.DATABASES["default"]
    variables = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {variable: str(database[key]) for variable, key in variables.items() if database.get(key)}
    environment |= {"PORT": str(port), "POOL": str(THREADS), "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY}
    argv = [str(word).format(port=port) for word in argv]
    process = subprocess.Popen(argv, cwd=PEERS, env={**os.environ, **environment, "NODE_ENV": "production"})
    try:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{name} does not start.")
            time.sleep(0.1)
        yield Server(name, psutil.Process(process.pid), port, False)
    finally:
        process.terminate()
        process.wait(15)


def installed():
    """`{name: argv}` of the peers that can be run here, installed where they are not."""
    found, python = {}, PEERS / ".venv" / "bin" / "python"
    if not shutil.which("node"):
        print("Express is left out: there is no Node here.")
    elif (PEERS / "node_modules").exists() or done("npm", "install", "--no-audit", "--no-fund", "--no-package-lock"):
        found["Express"] = ["node", "express_api.js"]
    else:
        print("Express is left out: npm cannot install benchmarks/peers/package.json.")
    requirements = ["-m", "pip", "install", "-q", "-r", "requirements.txt"]
    if python.exists() or done(sys.executable, "-m", "venv", ".venv") and done(python, *requirements):
        found["FastAPI"] = [python, "-m", "uvicorn", "fastapi_api:app", "--port", "{port}", "--no-access-log"]
        found["FastAPI"] += ["--log-level", "warning"]
    else:
        shutil.rmtree(PEERS / ".venv", ignore_errors=True)
        print("FastAPI is left out: pip cannot install benchmarks/peers/requirements.txt.")
    return found


def done(*argv):
    return subprocess.run(argv, cwd=PEERS, capture_output=True, timeout=600).returncode == 0


@contextmanager
def names_of_peers():
    """The names that the peers search by trigrams, for as long as they run."""
    living = "FROM customers WHERE deleted_at IS NULL"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS names_of_peers")
        cursor.execute(f"CREATE TABLE names_of_peers AS SELECT id, organization_id, hub_fold(name) AS name {living}")
        cursor.execute("CREATE INDEX ON names_of_peers USING gin (name gin_trgm_ops)")
        cursor.execute("ANALYZE names_of_peers")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE names_of_peers")


# --- Measuring ------------------------------------------------------------------------------


class Slice(NamedTuple):
    """What one server did in one round."""

    rate: float
    server_ms: float
    postgres_ms: float


def measured(server, requests, seconds, token, postgres):
    """A Slice of these requests, again and again for some seconds, or each once."""
    order = {"port": server.port, "connections": CONNECTIONS, "seconds": seconds}
    order["requests"] = [written(request, server, token) for request in requests]
    roots = ([server.process], postgres)
    before = [measuring.cpu_seconds(family) for family in roots]
    argv = [sys.executable, PEERS.with_name("load.py")]
    said = subprocess.run(argv, input=json.dumps(order).encode(), stdout=subprocess.PIPE, check=True).stdout.split()
    answers, taken = int(said[0]), float(said[1])
    used = [measuring.cpu_seconds(family) - start for family, start in zip(roots, before, strict=True)]
    return Slice(answers / taken, *(seconds_of_cpu / answers * 1000 for seconds_of_cpu in used))


def measure_reads(kinds, servers, options, token, postgres):
    """`{kind: {server's name: [Slice of each round]}}`, the servers in turn."""
    rounds = {kind: {server.name: [] for server in servers} for kind in kinds}
    for kind, requests_of in kinds.items():
        for number in range(options.rounds + 1):
            for server in servers:
                # The first round only warms up: Node compiles, and PostgreSQL keeps plans.
                slice_ = measured(server, requests_of(server), options.seconds if number else 2, token, postgres)
                if number:
                    rounds[kind][server.name].append(slice_)
    return rounds


def measure_bulks(servers, options, token, postgres):
    """The same of bulk calls; each completes actions of its own, which are opened again before the next round."""
    open_ones = CustomerAction.objects.filter(
        organization_id="org_demo", customer_deleted=False, status="pending", completed_at=None
    )
    keys = list(open_ones.order_by("pk").values_list("pk", flat=True)[: BULK * BULKS])
    path = "/api/v1/customers/actions/bulk/complete"
    requests = [Asked("POST", path, {"actionIds": keys[at : at + BULK]}) for at in range(0, len(keys), BULK)]
    rounds = {server.name: [] for server in servers}
    for number in range(options.rounds + 1):
        for server in servers:
            try:
                slice_ = measured(server, requests, None, token, postgres)
            finally:
                open_again(keys, with_triggers=server.is_ours)
            if number:
                rounds[server.name].append(slice_)
    return rounds


def open_again(keys, *, with_triggers):
    """Put actions back that a server has completed; the peers did it behind the backs of the hub's triggers."""
    with transaction.atomic(), connection.cursor() as cursor:
        role = "origin" if with_triggers else "replica"
        cursor.execute("SELECT set_config('session_replication_role', %s, true)", [role])
        CustomerAction.objects.filter(pk__in=keys).update(status="pending", completed_at=None, completed_by=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM customer_actions")


# --- What is printed -----------------------------------------------------------------------------


def report(rounds):
    """Print each kind, and return what is under its gate."""
    wrong = []
    titles = f"{'requests/s':>11}{'x Express':>11}{'x FastAPI':>11}{'CPU-ms server':>15}{'PostgreSQL':>12}"
    print(f"\n{'':42}{titles}")
    for kind, of_servers in rounds.items():
        for name, slices in of_servers.items():
            times = {peer: times_of(slices, of_servers.get(peer)) for peer in ("Express", "FastAPI")}
            rate, server_ms, postgres_ms = (median(values) for values in zip(*slices, strict=True))
            beside = "".join(f"{f'{value:.2f}' if value else '-':>11}" for value in times.values())
            print(f"{kind:26}{name:16}{rate:11.1f}{beside}{server_ms:15.2f}{postgres_ms:12.2f}", end="")
            if name == "hub" and times["Express"]:
                gate, aim = GATES[kind]
                fault = "under its gate" if times["Express"] < gate else ""
                print(f"   at least {gate}{f', aim {aim}' if aim else ''}  {fault}", end="")
                if fault:
                    wrong.append(f"{kind}: {times['Express']:.2f} x Express, at least {gate}")
            print()
            kind = ""
        kind = ""
    return wrong


def times_of(slices, others):
    """How many times as many requests a second, the median of all rounds."""
    return median(one.rate / other.rate for one, other in zip(slices, others, strict=True)) if others else None


def main():
    parser = measuring.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--only", action="append", choices=GATES, help="this kind; may be repeated")
    options = parser.parse_args()
    peers = installed()
    with measuring.demo(options.customers) as clients, names_of_peers(), ExitStack() as stack:
        wake_snoozed()
        token = sign_in_as("admin@hub.test")
        servers = [stack.enter_context(hub("hub", "off")), stack.enter_context(hub("hub, cached", "on"))]
        servers += [stack.enter_context(peer(name, argv)) for name, argv in peers.items()]
        postgres = [processes.noted(settings.HUB_DATA, "postgres")[0]] if settings.EMBEDDED_DATABASE else []
        wanted = options.only or GATES
        kinds = {kind: requests for kind, requests in asked(half_way(clients["admin"])).items() if kind in wanted}
        check_equal(kinds, servers, token)
        rounds = measure_reads(kinds, servers, options, token, postgres)
        if "bulk complete 100" in wanted:
            uncached = [server for server in servers if server.name != "hub, cached"]
            rounds["bulk complete 100"] = measure_bulks(uncached, options, token, postgres)
    wrong = report(rounds)
    if "Express" not in peers:
        print("\nWithout Express no gate is judged.")
    measuring.finish(wrong)


if __name__ == "__main__":
    main()
