"""How long the lists of the back office take inside the server, and how many statements they ask.

Asked as a manager and as an admin of the demo, in this process, each page several times; the best counts,
for what else the machine does only adds. The limits are the script's exit code.
"""

import statistics
import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from measuring import arguments, demo, finish

from employees.models import Employee

LIMIT_MS, ROUNDS = 300, 7
CUSTOMERS = "/admin/customers/customer/"


def pages():
    """`{name: path}` of what is asked for; the last page is found by asking far beyond it."""
    yield "first page", ""
    yield "page 100", "?p=100"
    yield "last page", "?p=9999999"
    for column, name in enumerate(("name", "phone", "stage", "priority", "score", "assignee", "last contact"), 1):
        if name not in ("phone", "assignee"):
            yield f"sorted by {name}", f"?o={column}"
            yield f"sorted by {name}, backwards", f"?o=-{column}"
            yield f"sorted by {name}, last page", f"?o={column}&p=9999999"
    yield "stage", "?stage=new_lead"
    yield "stage, last page", "?stage=new_lead&p=9999999"
    yield "two filters", "?stage=negotiation&priority=urgent"
    yield "priority", "?priority=high"
    yield "nobody's", "?assignedEmployeeId=unassigned"
    yield "one agent's", "?assignedEmployeeId=emp_agent"
    yield "hot", "?leadScoreMin=80"
    yield "source", "?source=inquiry"
    yield "do not contact", "?doNotContact=true"
    yield "search, common", "?q=محمد"
    yield "search, rare", "?q=الخليفة"
    yield "search, phone", "?q=0531543"
    yield "search with a filter", "?q=محمد&stage=new_lead"
    yield "city", "?city=الرياض"


def measure(client, path):
    """`(milliseconds, statements)` of the best of several rounds."""
    times, statements = [], 0
    for _round in range(ROUNDS):
        with CaptureQueriesContext(connection) as captured:
            began = time.perf_counter()
            response = client.get(CUSTOMERS + path)
            times.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200, (path, response.status_code)
        statements = len(captured)
    return min(times), statistics.median(times), statements


def main():
    options = arguments(__doc__).parse_args()
    wrong = []
    with demo(options.customers):
        for role in ("manager", "admin"):
            client = Client()
            client.force_login(Employee.objects.get_by_natural_key(f"{role}@hub.test"))
            print(f"\n{role:32}  best ms  median  statements")
            counts = set()
            for name, path in pages():
                best, median, statements = measure(client, path)
                counts.add(statements)
                mark = " !" if best > LIMIT_MS else ""
                print(f"{name:32} {best:8.0f} {median:7.0f} {statements:8}{mark}", flush=True)
                if mark:
                    wrong.append(f"{role}: {name} takes {best:.0f} ms of {LIMIT_MS}")
    finish(wrong)


if __name__ == "__main__":
    main()
