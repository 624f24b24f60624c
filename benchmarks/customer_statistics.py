"""Numbers at 200,000 customers: statistics, filter options and pipeline, by what PostgreSQL takes for them.

Each limit below is a promise of docs; over any of them the script exits with 1.
"""

from datetime import date, timedelta
from urllib.parse import urlencode

import measuring
from django.core.management import call_command
from django.db import connection
from measuring import Case, employee_of

# The identity, what is kept, the rows that dates leave, names, actions.
MAX_STATEMENTS = 6
# Milliseconds of PostgreSQL for all statements of a request, the best of several tries; None is for information.
MAX_SQL_MS = {
    "stats": 20,
    "stats of one": 20,
    "stats by employee": 20,
    "stats by city": 20,
    "filters": 20,
    "pipeline": 20,
    "stats, month": 150,
    "stats, year": 150,
    # Nearly half of all, the most that is passed over.
    "stats, half": 150,
    "stats, ever": 150,
    "stats by city, month": 150,
    "facets of a stage": None,
    "facets of three": None,
    "facets of a search": None,
    "facets of a range": None,
}


def cases(clients):
    today, agent = date.today(), employee_of("agent").pk
    month, half, year = (today - timedelta(days=days) for days in (30, 45, 365))
    asked = {
        "stats": ("stats", {}),
        "stats of one": ("stats", {"assignedEmployeeId": agent}),
        "stats by employee": ("stats", {"groupBy": "employee"}),
        "stats by city": ("stats", {"groupBy": "city"}),
        "filters": ("filters", {}),
        "pipeline": ("pipeline", {}),
        "stats, month": ("stats", {"dateFrom": month, "dateTo": today}),
        "stats, half": ("stats", {"dateFrom": half}),
        "stats, year": ("stats", {"dateFrom": year, "dateTo": today}),
        "stats, ever": ("stats", {"dateFrom": "2000-01-01", "dateTo": "2099-12-31"}),
        "stats by city, month": ("stats", {"dateFrom": month, "groupBy": "city"}),
        "facets of a stage": ("filters", {"stage": "negotiation"}),
        "facets of three": ("filters", {"stage": "negotiation", "priority": "urgent", "city": "الرياض"}),
        "facets of a search": ("filters", {"search": "القحطاني"}),
        "facets of a range": ("filters", {"createdFrom": month}),
    }
    for role in clients:
        for kind, (path, query) in asked.items():
            yield Case(role, kind, "", f"/api/v1/customers/{path}?{urlencode(query)}")


def main():
    options = measuring.arguments(__doc__).parse_args()
    with measuring.demo(options.customers) as clients:
        call_command("refresh_stats", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) customers, customer_sums, customer_words, customer_days")
        wrong = measuring.check_plans(
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
