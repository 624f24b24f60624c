"""Keeping matches up to listings and customers: what has changed waits as a row, and a worker matches it.

A listing is matched in a transaction of its own, under an advisory lock, and leaves the same rows however often that
happens. Customers keep the best few of what suits them; who had as many and loses one is matched again.
"""

import time
from decimal import Decimal

from django.db import connection, transaction

from config.audit import recorded
from config.db import tried_again
from config.jobs import apart
from customers.choices import ListingStatus
from customers.matching import BEST_FIRST, FORWARD, KEPT, NEAR_KILOMETRES, OFFERED, REVERSE, SUITS, is_looking, keys_of
from customers.models import Customer, Listing, MatchKey, MatchRequest, PropertyMatch
from customers.services.scoring import touch

# Apps above add functions here that tell somebody of a listing that is news: (listing, [PropertyMatch]) of at least
# OFFERED, within the transaction that has matched it.
OFFERING = []

# What of a listing says whom it suits; a price that falls by NEWS_FALL is news.
_COMPARED = {
    "status", "price", "purpose", "type_key", "city_key", "district_key", "bedrooms", "bathrooms", "area",
    "amenity_keys", "furnishing", "floor", "total_floors", "latitude", "longitude",
}  # fmt: skip
NEWS_FALL = Decimal("0.03")
# What of a customer says what suits them. Known properties are no offer.
_ASKED = {"preferences", "city", "stage", "deleted_at", "merged_into_id", "properties"}
CUSTOMERS_AT_ONCE = 100
# A statement takes 65,535 parameters.
KEYS_AT_ONCE = 1_000


# --- What waits -----------------------------------------------------------------------------------


def note_listings(listings, changes, *, created=False):
    """Have listings matched that are new, or have changed in what matters; inside the caller's transaction."""
    news = {
        listing.pk: _is_news(listing, change, created)
        for listing, change in zip(listings, changes, strict=True)
        if created or _COMPARED & change.keys()
    }
    if news:
        sql = "INSERT INTO match_requests (listing_id, is_news) SELECT * FROM unnest(%s::text[], %s::bool[])"
        _run(sql, [list(news), list(news.values())])


def _is_news(listing, change, created):
    """Whether customers would want to hear of it: it can be had, and that or its price is new, or lower."""
    before, after = change.get("price", (None, None))
    falls = before and after and after <= before * (1 - NEWS_FALL)
    is_priced = "price" in change and before is None
    return listing.status == ListingStatus.AVAILABLE and bool(created or "status" in change or falls or is_priced)


def note_customers(customers, changes=None):
    """Have customers matched, all of them or those who have changed in what matters."""
    if changes is not None:
        pairs = zip(customers, changes, strict=True)
        customers = [customer for customer, change in pairs if _ASKED & change.keys()]
    ids = [customer.pk for customer in customers]
    if ids:
        _run("INSERT INTO match_requests (customer_id, is_news) SELECT id, false FROM unnest(%s::text[]) AS id", [ids])


def note_everybody(organization_ids):
    """Have all customers of organizations matched, as after rows were written past the services."""
    _run(
        "INSERT INTO match_requests (customer_id, is_news) SELECT id, false FROM customers "
        "WHERE organization_id = ANY(%s) AND deleted_at IS NULL ORDER BY id",
        [organization_ids],
    )


def forget_customers(customer_ids):
    """Remove what is kept of customers who leave."""
    MatchKey.objects.filter(customer_id__in=customer_ids).delete()
    PropertyMatch.objects.filter(customer_id__in=customer_ids).delete()


def match_waiting(*, seconds=50):
    """Match what waits for about so many seconds; returns how many customers and listings.

    Customers come first, for half of the time: when everybody waits, news of listings do not wait for all of them.
    """
    begun, customers, listings, seen = time.monotonic(), 0, 0, set()
    half, end = begun + seconds / 2, begun + seconds
    map_districts(_organizations_of_waiting())
    while (taken := tried_again(_match_waiting_customers)()) and time.monotonic() < half:
        customers += taken
    while time.monotonic() < end and (waiting := _waiting_listings(seen)):
        for listing_id in waiting:
            apart(tried_again(lambda keys: match_listing(*keys)), [listing_id])
            seen.add(listing_id)
            listings += 1
            if time.monotonic() >= end:
                break
    return customers + taken, listings


def _organizations_of_waiting():
    waiting = "SELECT {}_id FROM match_requests WHERE {}_id IS NOT NULL"
    sql = " UNION ".join(
        f"SELECT organization_id FROM {table} WHERE id IN ({waiting.format(name, name)})"
        for name, table in (("listing", "listings"), ("customer", "customers"))
    )
    return [key for (key,) in _rows(sql, [])]


def _waiting_listings(seen):
    """Those that wait, but for those that were tried before: what fails waits for the next time."""
    waiting = MatchRequest.objects.filter(listing_id__isnull=False).exclude(listing_id__in=seen)
    return list(dict.fromkeys(waiting.order_by("id").values_list("listing_id", flat=True)[:1000]))


@transaction.atomic
def _match_waiting_customers():
    waiting = MatchRequest.objects.filter(customer_id__isnull=False).select_for_update(skip_locked=True)
    requests = dict(waiting.order_by("id").values_list("pk", "customer_id")[:CUSTOMERS_AT_ONCE])
    apart(match_customers, sorted(set(requests.values())))
    MatchRequest.objects.filter(pk__in=requests).delete()
    return len(requests)


# --- Matching -------------------------------------------------------------------------------------

# Who still has all but one may have had all, and something that was not kept beside them.
_MAY_MISS_ONE = f"""
    SELECT customer_id FROM property_matches WHERE customer_id = ANY(%s) GROUP BY 1 HAVING count(*) >= {KEPT - 1}
"""

_PUT_OF_CUSTOMERS = f"""
    WITH keys AS MATERIALIZED (SELECT * FROM match_keys WHERE customer_id = ANY(%s)),
         scored AS ({FORWARD}),
         best AS MATERIALIZED (SELECT * FROM (
             SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY {BEST_FIRST}) AS place
               FROM scored WHERE score >= {SUITS}) AS ranked WHERE place <= {KEPT}),
         gone AS (
             DELETE FROM property_matches m WHERE customer_id = ANY(%s) AND NOT EXISTS (
                 SELECT FROM best WHERE best.customer_id = m.customer_id AND best.listing_id = m.listing_id)
             RETURNING customer_id),
         put AS (
             INSERT INTO property_matches AS m (customer_id, listing_id, score, extras, parts, matched_at)
             SELECT customer_id, listing_id, score, extras, parts, now() FROM best
                 ON CONFLICT (customer_id, listing_id) DO UPDATE
                SET score = excluded.score, extras = excluded.extras, parts = excluded.parts
              WHERE (m.score, m.extras, m.parts) IS DISTINCT FROM (excluded.score, excluded.extras, excluded.parts)
             RETURNING customer_id)
    SELECT customer_id FROM gone UNION SELECT customer_id FROM put
"""

# What the listing was to those who have it or are to have it, and what it is.
_PUT_OF_LISTING = f"""
    WITH scored AS MATERIALIZED (SELECT * FROM ({REVERSE}) AS s WHERE score >= {SUITS}),
         old AS MATERIALIZED (SELECT * FROM property_matches WHERE listing_id = %s),
         gone AS (
             DELETE FROM property_matches m USING old
              WHERE m.customer_id = old.customer_id AND m.listing_id = old.listing_id
                AND NOT EXISTS (SELECT FROM scored WHERE scored.customer_id = old.customer_id)),
         put AS (
             INSERT INTO property_matches AS m (customer_id, listing_id, score, extras, parts, matched_at)
             SELECT customer_id, listing_id, score, extras, parts, now() FROM scored
                 ON CONFLICT (customer_id, listing_id) DO UPDATE
                SET score = excluded.score, extras = excluded.extras, parts = excluded.parts
              WHERE (m.score, m.extras, m.parts) IS DISTINCT FROM (excluded.score, excluded.extras, excluded.parts))
    SELECT coalesce(old.customer_id, scored.customer_id), old.score, old.extras, old.parts,
           scored.score, scored.extras, scored.parts
      FROM old FULL JOIN scored ON scored.customer_id = old.customer_id
"""

_TRIM = f"""
    DELETE FROM property_matches m USING (
        SELECT customer_id, listing_id, row_number() OVER (PARTITION BY customer_id ORDER BY {BEST_FIRST}) AS place
          FROM property_matches JOIN listings ON id = listing_id WHERE customer_id = ANY(%s)) AS ranked
     WHERE m.customer_id = ranked.customer_id AND m.listing_id = ranked.listing_id AND place > {KEPT}
    RETURNING m.customer_id, m.listing_id
"""


def match_customers(customer_ids):
    """Work out anew what customers look for and the best that there is; returns the ids whose matches have changed."""
    ids = list(customer_ids)
    with transaction.atomic():
        looking = [customer for customer in Customer.objects.filter(pk__in=ids) if is_looking(customer)]
        MatchKey.objects.filter(customer_id__in=ids).delete()
        MatchKey.objects.bulk_create([key for customer in looking for key in keys_of(customer)], KEYS_AT_ONCE)
        return _match_forward(ids)


def _match_forward(ids):
    """Put the best listings for the keys of customers in the place of those that they have."""
    if not ids:
        return []
    changed = [customer_id for (customer_id,) in _rows(_PUT_OF_CUSTOMERS, [ids, ids])]
    touch(changed)
    return changed


def match_listing(listing_id):
    """Match a listing to the customers whom it suits; returns the ids of those whose matches have changed.

    When a request says that it is news, OFFERING tell of it.
    """
    with recorded(None):
        _rows("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"match {listing_id}"])
        requests = dict(MatchRequest.objects.filter(listing_id=listing_id).values_list("pk", "is_news"))
        listing = Listing.objects.filter(pk=listing_id).first()
        is_available = listing is not None and listing.status == ListingStatus.AVAILABLE
        changed, worse = _match_reverse(listing) if is_available else _take_off(listing_id)
        touch(changed)
        changed += _match_forward([key for (key,) in _rows(_MAY_MISS_ONE, [worse])])
        if is_available and any(requests.values()):
            matches = list(PropertyMatch.objects.filter(listing_id=listing_id, score__gte=OFFERED))
            for offer in OFFERING:
                offer(listing, matches)
        MatchRequest.objects.filter(pk__in=requests).delete()
    return changed


def _take_off(listing_id):
    """Remove the matches of a listing that nobody can have; returns as _match_reverse does."""
    rows = _rows("DELETE FROM property_matches WHERE listing_id = %s RETURNING customer_id", [listing_id])
    lost = [customer_id for (customer_id,) in rows]
    return lost, lost


def _match_reverse(listing):
    """`(ids whose matches have changed, ids for whom the listing does worse than before)`."""
    before, after = {}, {}
    for key, *both in _rows(_PUT_OF_LISTING, [listing.pk, listing.pk]):
        for matches, match in ((before, both[:3]), (after, both[3:])):
            if match[0] is not None:
                matches[key] = match
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    # What comes in and is no better than what is there leaves at once.
    left = {key for key, listing_id in _rows(_TRIM, [list(after.keys() & changed)]) if listing_id == listing.pk}
    worse = [key for key, match in before.items() if key not in after or after[key][:2] < match[:2]]
    return sorted(changed - (left - before.keys())), worse


# --- Districts ------------------------------------------------------------------------------------

_NEIGHBOURS = f"""
    WITH centres AS MATERIALIZED (
        SELECT organization_id, city_key, district_key,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY latitude::float8) AS latitude,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY longitude::float8) AS longitude
          FROM listings
         WHERE organization_id = ANY(%s) AND district_key <> '' AND latitude IS NOT NULL AND longitude IS NOT NULL
         GROUP BY 1, 2, 3
    )
    INSERT INTO district_neighbours AS n (organization_id, city_key, district_key, near)
    SELECT a.organization_id, a.city_key, a.district_key,
           array_remove(array_agg(b.district_key ORDER BY b.district_key), NULL)
      FROM centres a LEFT JOIN centres b ON b.organization_id = a.organization_id AND b.city_key = a.city_key
       AND b.district_key <> a.district_key
       AND 111.2 * sqrt((a.latitude - b.latitude) ^ 2
                        + ((a.longitude - b.longitude) * cos(radians(a.latitude))) ^ 2) <= {NEAR_KILOMETRES}
     GROUP BY 1, 2, 3
        ON CONFLICT (organization_id, city_key, district_key) DO UPDATE SET near = excluded.near
     WHERE n.near <> excluded.near
"""


def map_districts(organization_ids):
    """Work out which districts are neighbours, from where the listings of organizations are: the median of each."""
    if organization_ids:
        _run(_NEIGHBOURS, [organization_ids])


def _rows(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _run(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
