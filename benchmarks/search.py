"""How well POST /customers/search finds people by other spellings of their names, and how fast, at 200,000 customers.

Every pair of name_pairs.tsv is asked for among them: as admin, as an agent, and under filters. Prints
recall by class and milliseconds inside the server; below its limits the script exits with 1.
"""

import csv
import logging
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import measuring
from django.db import connection
from django.utils import timezone

from config.arabic import fold
from customers.models import Customer
from customers.search import derived_columns

PAIRS = Path(__file__).with_name("name_pairs.tsv")
SHOWN = 20
# Of all pairs of spellings; of every class of them; of the pairs that must be told apart, the right one first.
LEAST_FIRST, LEAST_SHOWN, LEAST_SHOWN_OF_A_CLASS, LEAST_APART = 0.85, 0.95, 0.85, 0.95
MOST_MS = 10

STAGES, PRIORITY = ("negotiation", "site_visit"), "high"
VIEWERS = {
    "admin": ("admin", {}),
    "agent": ("agent", {}),
    "filters": ("admin", {"stage": STAGES, "priority": [PRIORITY]}),
}


class Pair(NamedTuple):
    """A line of the file: what somebody types, and the two names of the customer meant, or of another one."""

    kind: str
    query: str
    name: str
    name_en: str

    @property
    def right(self):
        """The folded names that are as good an answer as the pair's own: who bears them cannot be told from it.

        Of a pair that must differ, that is whoever is called what was typed.
        """
        names = (self.query,) if self.kind == "differs" else (self.query, self.name, self.name_en)
        return {fold(name) for name in names if name}


def read_pairs():
    with PAIRS.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t")
        next(lines)
        return [Pair(*line) for line in lines]


@contextmanager
def among_the_others(pairs):
    """The customers of the pairs among those of the demo, theirs the agent's, until the end: `{id: pair}`."""
    agent, now, customers, pair_of = measuring.employee_of("agent"), timezone.now(), [], {}
    names = [(pair, pair.name, pair.name_en) for pair in pairs]
    names += [(None, pair.query, "") for pair in pairs if pair.kind == "differs"]
    forget()
    for number, (pair, name, name_en) in enumerate(names):
        preferences = {"propertyType": [], "preferredAreas": []}
        derived = derived_columns(name=name, name_en=name_en, city="", district="", tags=[], preferences=preferences)
        customer = Customer(
            id=f"cust_pair_{number:05}", organization_id=agent.organization_id, name=name, name_en=name_en,
            phone=f"+99900{number:05}", stage=STAGES[number % 2], priority=PRIORITY, assigned_employee=agent,
            created_at=now, preferences=preferences, **derived,
        )  # fmt: skip
        customers.append(customer)
        pair_of[customer.pk] = pair
    Customer.objects.bulk_create(customers, batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE customers")
        cursor.execute("VACUUM ANALYZE name_words")
    try:
        yield pair_of
    finally:
        forget()


def forget():
    Customer.objects.filter(pk__startswith="cust_pair_").delete()


def ask(client, pair, filters):
    """`([(id, folded names)], milliseconds)` of the first results."""
    body = {"query": pair.query, "filters": filters, "limit": SHOWN}
    answer, times = client.handler.get_response, []

    def timed(request):
        started = time.perf_counter()
        response = answer(request)
        times.append(time.perf_counter() - started)
        return response

    # What a test client does around the server is no time of the server.
    client.handler.get_response = timed
    response = client.post("/api/v1/customers/search", body, content_type="application/json")
    client.handler.get_response = answer
    took = times[0] * 1000
    assert response.status_code == 200, response.content
    found = [result["customer"] for result in response.json()["data"]["results"]]
    return [(row["id"], {fold(row["name"]), fold(row.get("nameEn", ""))} - {""}) for row in found], took


def place_of(pair, found, pair_of):
    """Where the right answer stands, 0 for the first; SHOWN when it is behind the one that must differ or absent."""
    for place, (key, names) in enumerate(found):
        if pair.kind == "differs" and pair_of.get(key) is pair:
            return SHOWN
        if names & pair.right:
            return place
    return SHOWN


def check(clients, pairs, pair_of, *, verbose):
    wrong = []
    for viewer, (role, filters) in VIEWERS.items():
        places, times = {}, []
        for pair in pairs:
            found, took = ask(clients[role], pair, filters)
            places.setdefault(pair.kind, []).append(place_of(pair, found, pair_of))
            times.append(took)
            if verbose and places[pair.kind][-1]:
                print(f"    {pair.kind:14} {places[pair.kind][-1]:3} {pair.query} | {pair.name} | {pair.name_en}")
        apart = share(places.pop("differs"), 1)
        whole = [place for of_class in places.values() for place in of_class]
        print(f"\n{viewer:16}{'pairs':>7}{'first':>8}{f'in {SHOWN}':>8}")
        for kind, of_class in [*places.items(), ("all", whole)]:
            print(f"{kind:16}{len(of_class):7}{share(of_class, 1):8.3f}{share(of_class, SHOWN):8.3f}")
        half, most = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        print(f"told apart {apart:.3f}, {half:.1f} ms half of the time, {most:.1f} ms 95 of 100")
        wrong += [
            f"{viewer}: {name} {value:.3f}, at least {least}"
            for name, value, least in (
                ("first", share(whole, 1), LEAST_FIRST),
                (f"in {SHOWN}", share(whole, SHOWN), LEAST_SHOWN),
                ("told apart", apart, LEAST_APART),
                *((f"{kind} in {SHOWN}", share(some, SHOWN), LEAST_SHOWN_OF_A_CLASS) for kind, some in places.items()),
            )
            if value < least
        ]
        if half > MOST_MS:
            wrong.append(f"{viewer}: {half:.1f} ms half of the time, at most {MOST_MS}")
    return wrong


def share(places, first):
    return sum(place < first for place in places) / len(places)


def main():
    options = measuring.arguments(__doc__).parse_args()
    logging.disable(logging.WARNING)
    pairs = read_pairs()
    with measuring.demo(options.customers) as clients, among_the_others(pairs) as pair_of:
        wrong = check(clients, pairs, pair_of, verbose=options.verbose)
    measuring.finish(wrong)


if __name__ == "__main__":
    main()
