"""Lists and details at 200,000 customers: how many statements, by which plans, and how many requests a second.

Each limit below is a promise of docs and code; over any of them the script exits with 1.
"""

import time
from urllib.parse import urlencode

import measuring
import psutil
from django.conf import settings
from measuring import Case

from config import processes
from customers.models import Customer
from customers.views.customer import CustomerViewSet
from employees.services import sign_in_as

SORTS = ("createdAt", "name", "leadScore", "lastContactAt", "dealValue", "priority", "stage")
FILTER = [("stage", "property_matching"), ("stage", "site_visit"), ("priority", "high"), ("city", "الرياض")]
SEARCH = [("search", "القحطاني")]
# Other filters that people use alone, each in the default order both ways.
SINGLE = {
    "one stage": [("stage", "post_sale")],
    "one source": [("source", "referral")],
    "one tag": [("tags", "vip")],
    "one region": [("state", "الشرقية")],
    "a budget": [("budgetMin", "500000"), ("budgetMax", "1000000")],
    "high scores": [("leadScoreMin", "95")],
    "nobody's": [("assignedEmployeeId", "unassigned")],
    "two letters": [("search", "مح")],
}

MAX_STATEMENTS = 4
# Milliseconds of PostgreSQL for all statements of a request, the best of several tries.
MAX_SQL_MS = {
    "detail": 3,
    "cursor": 8,
    "filtered": 20,
    "filtered cursor": 20,
    "unfiltered": 130,
    "search": 60,
    **dict.fromkeys(SINGLE, 200),
}
# Requests a second as a share of those of the bare view in the same run.
MIN_SHARE = {"detail": 0.12, "cursor": 0.08, "filtered": 0.08, "unfiltered": 0.03, "search": 0.07}

ROUNDS, ROUND_SECONDS = 4, 1.5


# --- What is asked for --------------------------------------------------------------------


def list_path(query, sort="createdAt", direction="desc"):
    return f"/api/v1/customers?{urlencode([*query, ('sortBy', sort), ('sortOrder', direction)])}"


def cases(clients):
    """Every case: filtered, unfiltered, searched and deep by cursor in every order, single filters, one detail."""
    for role, client in clients.items():
        for sort in SORTS:
            for direction in ("desc", "asc"):
                order = f"{sort} {direction}"
                yield Case(role, "filtered", order, list_path(FILTER, sort, direction))
                yield Case(role, "unfiltered", order, list_path([], sort, direction))
                yield Case(role, "search", order, list_path(SEARCH, sort, direction))
                for kind, query in (("cursor", []), ("filtered cursor", FILTER)):
                    path = half_way(client, role, query, sort, direction)
                    if path:
                        yield Case(role, kind, order, path)
        for kind, query in SINGLE.items():
            for direction in ("desc", "asc"):
                yield Case(role, kind, f"createdAt {direction}", list_path(query, "createdAt", direction))
        yield Case(role, "detail", "", f"/api/v1/customers/{ids_of(client)[0]}")


def ids_of(client):
    answer = client.get("/api/v1/customers?limit=100").json()
    return [customer["id"] for customer in answer["data"]["customers"]]


def half_way(client, role, query, sort, direction):
    """A list by cursor from the middle of all that the role sees; None when one page holds it all."""
    visible = Customer.objects.visible_to(measuring.employee_of(role))
    path, column = list_path(query, sort, direction), CustomerViewSet.sorts[sort].column
    return measuring.half_way(client, path, visible, column, direction)


# --- Requests a second --------------------------------------------------------------------


def check_speed(clients):
    """Print requests a second and CPU per request beside those of a bare view; return what is wrong."""
    token_of = {role: sign_in_as(f"{role}@hub.test") for role in clients}
    targets = {("bare", "admin"): ["/healthz"]}
    for role, client in clients.items():
        targets["detail", role] = [f"/api/v1/customers/{key}" for key in ids_of(client)]
        targets["filtered", role] = [list_path(FILTER)]
        targets["unfiltered", role] = [list_path([])]
        targets["search", role] = [list_path(SEARCH)]
        targets["cursor", role] = [half_way(client, role, [], "createdAt", "desc")]
    best = {}
    postgres, _signal = processes.noted(settings.HUB_DATA, "postgres")
    with measuring.web_server() as (server, port):
        roots = [psutil.Process(server.pid), *([postgres] if settings.EMBEDDED_DATABASE else [])]
        # Rounds in turn, and the best of each: neighbours on the same machine come and go.
        for number in range(ROUNDS + 1):
            for (kind, role), paths in targets.items():
                before, started = measuring.cpu_seconds(roots), time.monotonic()
                done = measuring.load(port, paths, token_of[role], ROUND_SECONDS if number else 0.5)
                rate = done / (time.monotonic() - started)
                cpu_ms = (measuring.cpu_seconds(roots) - before) / done * 1000
                if number:
                    known = best.get((kind, role), (0, float("inf")))
                    best[kind, role] = max(known[0], rate), min(known[1], cpu_ms)
    bare, wrong = best["bare", "admin"][0], []
    print(f"\n{'':26}{'requests/s':>11}{'of bare':>9}{'CPU-ms':>8}   at least")
    for (kind, role), (rate, cpu_ms) in best.items():
        least = MIN_SHARE.get(kind, 0)
        fault = "too slow" if rate / bare < least else ""
        print(f"{kind:16} {role:9}{rate:11.0f}{rate / bare:9.3f}{cpu_ms:8.2f}   {least:.3f}  {fault}")
        if fault:
            wrong.append(f"{role} {kind}: {rate / bare:.3f} of the bare view, at least {least}")
    return wrong


def main():
    parser = measuring.arguments(__doc__)
    parser.add_argument("--only", choices=("plans", "speed"), help="half of it")
    options, wrong = parser.parse_args(), []
    with measuring.demo(options.customers) as clients:
        if options.only != "plans":
            wrong += check_speed(clients)
        if options.only != "speed":
            wrong += measuring.check_plans(
                measuring.Plans(),
                clients,
                cases(clients),
                most_ms=MAX_SQL_MS,
                most_statements=MAX_STATEMENTS,
                table="customers",
                shown=2000 if options.verbose else 0,
            )
    measuring.finish(wrong)


if __name__ == "__main__":
    main()
