"""Matching in one organization of 50,000 listings and 200,000 customers, 90,000 of them still looking: both ways.

Each limit below is a promise of docs/integration.md; over any of them the script exits with 1. What is drawn has the
spread of a large brokerage: prices and budgets a factor of six apart, cities and districts of very different sizes.
"""

import math
import random
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median

import measuring
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from config import embedded
from config.places import CITIES
from customers.choices import AMENITIES
from customers.importing.copying import copied_value, copy, line_of
from customers.matching import keys_of, listings_for
from customers.models import Customer, Listing, MatchKey, MatchRequest, PropertyMatch
from customers.search import derived_columns
from customers.services import listing as listings
from customers.services.matching import KEYS_AT_ONCE, map_districts, match_customers, match_listing
from employees.models import Organization

NAME = "Benchmark of matching"
LISTINGS, LOOKING, DISTRICTS, SAMPLE = 50_000, 90_000, 40, 200
# Milliseconds; the others are for information.
MAX_P95_MS = {"reverse": 400}

_CITIES = dict(zip(list(CITIES)[:12], [42, 20, 12, *[3] * 9], strict=True))
# The logarithm of a usual price by purpose, and square metres.
_KINDS = {
    "villa": (32, {"sale": 14.3, "rent": 11.2}, (200, 700)),
    "apartment": (43, {"sale": 13.4, "rent": 10.4}, (60, 240)),
    "land": (15, {"sale": 13.8, "rent": 10.6}, (300, 1500)),
    "commercial": (10, {"sale": 14.0, "rent": 11.3}, (50, 650)),
}


def in_batches(rows, size):
    rows = iter(rows)
    return iter(lambda: list(islice(rows, size)), [])


def _pick(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]


def _district(rng):
    return f"حي {int(rng.random() ** 1.6 * DISTRICTS)}"


def _drawn(rng):
    """A kind, a purpose, a city and a price that go together."""
    kind = _pick(rng, {name: weight for name, (weight, _price, _area) in _KINDS.items()})
    purpose = "sale" if rng.random() < 0.55 else "rent"
    spread = sum(rng.random() for _time in range(3)) - 1.5
    return kind, purpose, _pick(rng, _CITIES), round(math.exp(_KINDS[kind][1][purpose] + 0.9 * spread))


def _listing(rng, number, organization, now):
    kind, purpose, city, price = _drawn(rng)
    district, lived_in = _district(rng), kind in ("villa", "apartment")
    amenities = [name for name in AMENITIES if rng.random() < 0.3]
    return Listing(
        id=f"bench_prop_{number}",
        organization=organization,
        title=f"عقار {number}",
        type=kind,
        purpose=purpose,
        price=price,
        city=CITIES[city].name,
        district=district,
        # Districts lie in a row, two kilometres apart.
        latitude=20 + 0.018 * int(district.split()[1]),
        longitude=40 + list(_CITIES).index(city) / 2,
        bedrooms=1 + int(rng.random() * 6) if lived_in else None,
        area=rng.randint(*_KINDS[kind][2]),
        amenities=amenities,
        created_at=now - timedelta(minutes=rng.randrange(500_000)),
        **derived_of_listing(kind, city, district, amenities),
    )


def derived_of_listing(kind, city, district, amenities):
    return listings.derived_columns(type=kind, city=CITIES[city].name, district=district, amenities=amenities)


def _wishes(rng):
    kind, purpose, city, highest = _drawn(rng)
    kinds = [kind] if rng.random() < 0.75 else list({kind, rng.choice(list(_KINDS))})
    name = CITIES[city].name
    wishes = {"purpose": "rent" if purpose == "rent" else "buy", "propertyType": kinds, "preferredCities": [name]}
    wishes |= {"budgetMax": highest, "budgetMin": round(highest * rng.uniform(0.5, 0.9)), "preferredAreas": []}
    if rng.random() < 0.7:
        wishes["preferredAreas"] = [f"{name} - {_district(rng)}" for _wish in range(2)]
    if rng.random() < 0.8:
        wishes["bedrooms"] = 1 + int(rng.random() * 6)
    if rng.random() < 0.5:
        wishes["minArea"] = {"villa": 250, "apartment": 90, "land": 300, "commercial": 100}[kind]
    wishes["amenities"] = [name for name in AMENITIES if rng.random() < 0.2]
    return wishes


def _customer(rng, number, organization):
    values = {"name": f"عميل {number}", "city": "", "tags": [], "preferences": _wishes(rng)}
    return Customer(
        id=f"bench_cust_{number}",
        organization=organization,
        phone=f"bench {number}",
        stage="property_matching" if number < LOOKING else "post_sale",
        lead_score=rng.randrange(100),
        **values,
        **derived_columns(name_en="", district="", **values),
    )


def fill(customers):
    """The organization of the benchmark with everything in it, made when it is missing."""
    found = Organization.objects.filter(name=NAME).first()
    if found:
        return found
    print("Filling, which takes some minutes …")
    rng, now = random.Random(12), datetime.now(UTC)
    with transaction.atomic():
        organization = Organization.objects.create(name=NAME)
        with connection.cursor() as cursor:
            # Audit and counts are no part of what is measured.
            cursor.execute("SET LOCAL session_replication_role = replica")
        _copy(_listing(rng, number, organization, now) for number in range(LISTINGS))
        _copy(_customer(rng, number, organization) for number in range(customers))
        map_districts([organization.pk])
        looking = Customer.objects.filter(organization=organization, stage="property_matching")
        for customer_batch in in_batches(looking.iterator(), 5_000):
            MatchKey.objects.bulk_create(
                [key for customer in customer_batch for key in keys_of(customer)], KEYS_AT_ONCE
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return organization


def _copy(rows):
    for batch in in_batches(rows, 5_000):
        model = type(batch[0])
        names = [field.column for field in model._meta.concrete_fields if not field.generated]
        with connection.cursor() as cursor:
            copy(cursor.cursor, model._meta.db_table, names, [_line(row, names) for row in batch])


def _line(row, names):
    return line_of([copied_value(getattr(row, name)) for name in names])


@contextmanager
def brokerage(customers):
    with embedded.running(settings.HUB_DATA, database=settings.EMBEDDED_DATABASE, redis=settings.EMBEDDED_REDIS):
        call_command("migrate", verbosity=0)
        yield fill(customers)
        connection.close()


def timed(call, over):
    """The milliseconds that a call takes for each of some things, the first few left out."""
    taken = []
    for one in over:
        begun = time.perf_counter()
        call(one)
        taken.append(1000 * (time.perf_counter() - begun))
    return taken[measuring.WARM_UP :]


def news(listing_id):
    MatchRequest.objects.create(listing_id=listing_id, is_news=True)
    match_listing(listing_id)


def measure(organization):
    """`{what: [milliseconds]}`."""
    rng = random.Random(5)
    offered = rng.sample(range(LISTINGS), 2 * SAMPLE)
    seekers = [f"bench_cust_{number}" for number in rng.sample(range(LOOKING), SAMPLE + 30 * 100)]
    of_id = Customer.objects.in_bulk(seekers[:SAMPLE])
    listing_ids = [f"bench_prop_{number}" for number in offered]
    return {
        "forward, one": timed(listings_for, of_id.values()),
        "forward, a hundred": timed(match_customers, in_batches(seekers[SAMPLE:], 100)),
        "reverse": timed(match_listing, listing_ids[:SAMPLE]),
        "reverse, news": timed(news, listing_ids[SAMPLE:]),
    }


def main():
    options = measuring.arguments(__doc__).parse_args()
    with brokerage(options.customers) as organization:
        wrong, keys = [], MatchKey.objects.filter(organization_id=organization.pk).count()
        print(f"{LISTINGS} listings, {options.customers} customers, of whom {LOOKING} look for {keys} kinds of places")
        for name, taken in measure(organization).items():
            p95 = sorted(taken)[int(len(taken) * 0.95)]
            print(f"{name:20} median {median(taken):8.1f} ms   p95 {p95:8.1f} ms   max {max(taken):8.1f} ms")
            limit = MAX_P95_MS.get(name)
            if limit and p95 > limit:
                wrong.append(f"{name}: p95 over {limit} ms")
        print(f"{PropertyMatch.objects.filter(customer_id__startswith='bench_').count()} matches are kept")
    measuring.finish(wrong)


if __name__ == "__main__":
    main()
