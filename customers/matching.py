"""Which listings suit which customers: what a customer looks for, and how well a listing does by it, 0 to 100.

What must hold is a condition of the statements: organization, availability, purpose, type, city, a price
not far from the budget, and no property that the customer knows already. The rest is weighed: see WEIGHTS. A wish that
does not apply to the type of property is left out, and the others count for more. Everything is one statement of
SQL, in both directions.
"""

from itertools import islice, product
from typing import NamedTuple

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from config.arabic import fold_text
from config.places import city_key, resolve_city
from customers.choices import STAGE_RANK, Floor, Furnishing, ListingPurpose, Purpose, Stage
from customers.models import MatchKey
from customers.search import amenity_key, district_key, type_key

# What each wish weighs. They sum to 100; `parts` of a match stand in this order.
WEIGHTS = {"budget": 25, "location": 30, "bedrooms": 17, "area": 15, "amenities": 13}
# So many of at least this score are kept for a customer; from OFFERED on somebody is told.
KEPT, SUITS, OFFERED = 10, 70, 85
# How far below and above their budget customers look.
FARTHEST_BELOW, FARTHEST_ABOVE = 0.6, 1.15
# Districts whose centres are no farther apart are neighbours.
NEAR_KILOMETRES = 3
# Who has paid looks no further.
LOOKING = tuple(stage for stage in Stage.values if STAGE_RANK[stage] < STAGE_RANK[Stage.DOWN_PAYMENT])
_PURPOSES = {
    Purpose.BUY: [ListingPurpose.SALE],
    Purpose.INVEST: [ListingPurpose.SALE],
    Purpose.RENT: [ListingPurpose.RENT],
}
# Prices and rents lie so far apart that, where the purpose is not known, half of the highest is a lower bound.
_LIKELY_LOWEST = 0.5
_DISTRICT = f"{fold_text('حي')} "
MOST_ROOMS = 100
# Who names all types in all cities is looked after as far as this.
MOST_KEYS = 100
# Riyals and square metres beyond these are slips; who names no budget looks at all prices.
LEAST_AMOUNT, MOST_AMOUNT, ANY_PRICE = 0.01, 1e13, 1e14


# --- What a customer looks for --------------------------------------------------------------------


def keys_of(customer):
    """The MatchKeys of a customer, unsaved; none where no city is known.

    Whatever stands in the preferences: what makes no sense is no wish. Without a type any will do; without a purpose
    the budget tells sales from rents.
    """
    wishes = customer.preferences if isinstance(customer.preferences, dict) else {}
    places = _places(wishes, customer.city)
    types = dict.fromkeys(type_key(text)[:100] for text in _texts(wishes.get("propertyType"))) or [""]
    lower, upper = _amount(wishes.get("budgetMin")), _amount(wishes.get("budgetMax"))
    purposes = _PURPOSES.get(_word(wishes.get("purpose"), Purpose))
    likely = upper and not lower and not purposes and upper * _LIKELY_LOWEST
    furnishing = _word(wishes.get("furnishing"), Furnishing)
    said = {
        "customer_id": customer.pk,
        "organization_id": customer.organization_id,
        "lowest": round((lower or likely or 0) * FARTHEST_BELOW, 2),
        "highest": round(upper * FARTHEST_ABOVE, 2) if upper else ANY_PRICE,
        "budget_min": lower,
        "budget_max": upper,
        "bedrooms": _rooms(wishes.get("bedrooms")),
        "area_min": _amount(wishes.get("minArea")),
        "area_max": _amount(wishes.get("maxArea")),
        "amenities": sorted(set(map(amenity_key, _texts(wishes.get("amenities"))))),
        "bathrooms": _rooms(wishes.get("bathrooms")),
        "furnishing": "" if furnishing == Furnishing.ANY else furnishing,
        "floor": _word(wishes.get("floorPreference"), Floor),
    }
    combined = islice(product(purposes or ListingPurpose.values, types, places.items()), MOST_KEYS)
    return [
        MatchKey(**said, purpose=purpose, type_key=kind, city_key=city, districts=sorted(districts))
        for purpose, kind, (city, districts) in combined
    ]


def is_looking(customer):
    """Whether listings are matched to a customer."""
    return customer.deleted_at is None and customer.erased_at is None and customer.stage in LOOKING


def _places(wishes, lives_in):
    """`{city key: the keys of its districts that are wanted}`; where no city is named, that in which somebody lives."""
    places = {city_key(text)[:100]: set() for text in _texts(wishes.get("preferredCities"))}
    anywhere = set()
    for area in _texts(wishes.get("preferredAreas")):
        city, dash, district = f" {area.strip()} ".partition(" - ")
        if dash:
            places.setdefault(city_key(city)[:100], set()).update(_spellings(district))
        elif resolve_city(area):
            places.setdefault(city_key(area)[:100], set())
        else:
            anywhere |= _spellings(area)
    places.pop("", None)
    if not places and lives_in:
        places[city_key(lives_in)[:100]] = set()
    for districts in places.values():
        districts |= anywhere
    return places


def _spellings(district):
    """The keys that listings may have of a district: with the word for it before its name, and without."""
    key = district_key(district).removeprefix(_DISTRICT)
    return {key, _DISTRICT + key} if key else set()


def _texts(value):
    return [text for text in value if isinstance(text, str) and fold_text(text)] if isinstance(value, list) else []


def _amount(value):
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and LEAST_AMOUNT <= value < MOST_AMOUNT else None


def _rooms(value):
    return min(int(_amount(value) or 0), MOST_ROOMS) or None


def _word(value, words):
    return value if isinstance(value, str) and value in words.values else ""


# --- How well a listing does ----------------------------------------------------------------------

# Over a listing `l`, a key `k`, and whether the district is near a wanted one, {is_near}.
_UTILITIES = """
    SELECT (CASE
            WHEN k.budget_min IS NULL AND k.budget_max IS NULL THEN 0.6
            WHEN l.price > k.budget_max THEN greatest(0, 1 - (l.price - k.budget_max) / (0.15 * k.budget_max))
            WHEN l.price < k.budget_min THEN greatest(0.5, 1 - 0.5 * (k.budget_min - l.price) / (0.4 * k.budget_min))
            ELSE 1 END)::float8 AS budget,
        (CASE
            WHEN k.districts = '{{}}' THEN 0.7
            WHEN l.district_key = ANY(k.districts) THEN 1
            WHEN {is_near} THEN 0.7
            ELSE 0.25 END)::float8 AS location,
        (CASE
            WHEN l.bedrooms IS NULL OR l.type_key IN ('type:land', 'type:commercial') THEN NULL
            WHEN k.bedrooms IS NULL THEN 0.6
            WHEN l.bedrooms - k.bedrooms IN (0, 1) THEN 1
            WHEN l.bedrooms - k.bedrooms = 2 THEN 0.85
            WHEN l.bedrooms > k.bedrooms THEN 0.6
            WHEN l.bedrooms - k.bedrooms = -1 THEN 0.4
            ELSE 0 END)::float8 AS bedrooms,
        (CASE
            WHEN l.area IS NULL OR k.area_min IS NULL AND k.area_max IS NULL THEN 0.6
            WHEN l.area < k.area_min THEN greatest(0, 1 - (k.area_min - l.area) / (0.15 * k.area_min))
            WHEN l.area > k.area_max THEN greatest(0.5, 1 - 0.5 * (l.area - k.area_max) / (0.5 * k.area_max))
            ELSE 1 END)::float8 AS area,
        (CASE
            WHEN k.amenities = '{{}}' THEN 0.6
            ELSE (SELECT count(*) FROM unnest(k.amenities) AS wanted WHERE wanted = ANY(l.amenity_keys))::float8
                 / cardinality(k.amenities) END)::float8 AS amenities
"""
_PARTS = ", ".join(f"(100 * u.{name})::smallint" for name in WEIGHTS)
_WEIGHED = " + ".join(f"coalesce({weight} * u.{name}, 0)" for name, weight in WEIGHTS.items())
_APPLYING = " + ".join(f"CASE WHEN u.{name} IS NULL THEN 0 ELSE {weight} END" for name, weight in WEIGHTS.items())
_EXTRAS = """
    coalesce((l.bathrooms >= k.bathrooms)::int, 0)
    + (k.furnishing <> '' AND l.furnishing = k.furnishing)::int
    + coalesce((CASE k.floor WHEN 'ground' THEN l.floor = 0 WHEN 'top' THEN l.floor = l.total_floors
                WHEN 'middle' THEN l.floor > 0 AND l.floor < l.total_floors END)::int, 0)
"""
_SCORED = f"""
    SELECT k.customer_id, l.id AS listing_id, floor(100 * ({_WEIGHED}) / ({_APPLYING}) + 0.5)::smallint AS score,
           ({_EXTRAS})::smallint AS extras, ARRAY[{_PARTS}] AS parts, l.created_at
      FROM {{pairs}} CROSS JOIN LATERAL ({{utilities}}) AS u
     WHERE NOT EXISTS (SELECT FROM property_interests i WHERE i.customer_id = k.customer_id AND i.property_id = l.id)
"""
BEST_FIRST = "score DESC, extras DESC, created_at DESC, listing_id DESC"

# Twice: of a type that is given, by the index, and of any.
_SEARCHED = """
    SELECT id, type_key, price, district_key, bedrooms, bathrooms, area, amenity_keys, furnishing, floor, total_floors,
           created_at
      FROM listings
     WHERE organization_id = k.organization_id AND status = 'available' AND purpose = k.purpose
       AND city_key = k.city_key AND price BETWEEN k.lowest::numeric AND k.highest::numeric AND
"""
# The customers of `keys`, with all that they may have.
FORWARD = _SCORED.format(
    pairs=f"""keys k
      CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(DISTINCT one), '{{}}') AS near FROM district_neighbours n, unnest(n.near) AS one
         WHERE n.organization_id = k.organization_id AND n.city_key = k.city_key AND n.district_key = ANY(k.districts)
      ) AS around
      CROSS JOIN LATERAL (
        {_SEARCHED} k.type_key <> '' AND type_key = k.type_key UNION ALL {_SEARCHED} k.type_key = ''
      ) AS l""",
    utilities=_UTILITIES.format(is_near="l.district_key = ANY(around.near)"),
)
# The listing %s, with all customers who may have it.
REVERSE = _SCORED.format(
    pairs="""(
        SELECT offer.*, coalesce((
            SELECT n.near FROM district_neighbours n
             WHERE n.organization_id = offer.organization_id AND n.city_key = offer.city_key
               AND n.district_key = offer.district_key), '{}') AS near
          FROM listings offer WHERE offer.id = %s
      ) AS l
      JOIN match_keys k ON k.organization_id = l.organization_id AND k.purpose = l.purpose
       AND k.type_key = ANY(ARRAY[l.type_key, '']) AND k.city_key = l.city_key
       AND k.highest >= l.price::float8 AND k.lowest <= l.price::float8""",
    utilities=_UTILITIES.format(is_near="l.near && k.districts"),
)


class Match(NamedTuple):
    """A customer and a listing that suits them; see models.PropertyMatch."""

    customer_id: str
    listing_id: str
    score: int
    parts: list


def listings_for(customer, *, least=SUITS, size=KEPT, start=0):
    """`(how many available listings have at least this score, [Match])` of a customer as of now, best first."""
    keys = [{field.column: getattr(key, field.column) for field in MatchKey._meta.fields} for key in keys_of(customer)]
    sql = f"""
        WITH keys AS MATERIALIZED (SELECT * FROM json_populate_recordset(NULL::match_keys, %s)), scored AS ({FORWARD})
        SELECT count(*) OVER (), customer_id, listing_id, score, parts FROM scored WHERE score >= %s
         ORDER BY {BEST_FIRST} LIMIT %s OFFSET %s
    """
    return _page(sql, [orjson.dumps(keys).decode(), least], size, start)


def customers_for(listing, customers, *, least=SUITS, size=KEPT, start=0):
    """`(how many, [Match])` of the customers of a queryset whom a listing suits, best first, then by lead score."""
    among, params = customers.order_by().values_list("pk", "lead_score").query.sql_with_params()
    sql = f"""
        WITH scored AS ({REVERSE}), among (id, lead_score) AS ({among})
        SELECT count(*) OVER (), customer_id, listing_id, score, parts FROM scored JOIN among ON id = customer_id
         WHERE score >= %s ORDER BY score DESC, lead_score DESC, customer_id LIMIT %s OFFSET %s
    """
    return _page(sql, [listing.pk, *params, least], size, start)


def _page(sql, params, size, start):
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, size, start])
        rows = cursor.fetchall()
    if not rows and start:  # past the end, where no row says how many there are
        return _page(sql, params, 1, 0)[0], []
    return rows[0][0] if rows else 0, [Match(*match) for _total, *match in rows]


def best_matches(customer_ids):
    """`{customer id: the ids of the listings that suit best}`, best first, as they were last worked out."""
    best = {key: [] for key in customer_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT customer_id, listing_id FROM property_matches JOIN listings ON id = listing_id
                 WHERE customer_id = ANY(%s) AND status = 'available' ORDER BY {BEST_FIRST}""",
            [list(best)],
        )
        for customer_id, listing_id in cursor.fetchall():
            best[customer_id].append(listing_id)
    return best


# --- Why ------------------------------------------------------------------------------------------


def reasons_of(customer, listing, parts):
    """What speaks for a listing, and what is not as wished, in sentences of the language in use."""
    key = next((key for key in keys_of(customer) if _is_of(listing, key)), None)
    if key is None:
        return []
    part = dict(zip(WEIGHTS, parts, strict=True))
    reasons = [_of_budget(key, listing), _of_location(key, part["location"])]
    if part["bedrooms"] is not None and key.bedrooms:
        reasons.append(_of_bedrooms(key, listing))
    if listing.area and (key.area_min or key.area_max):
        reasons.append(_of_area(key, listing))
    if key.amenities:
        reasons.append(_of_amenities(key, listing))
    return [reason for reason in reasons if reason]


def _is_of(listing, key):
    return (key.purpose, key.city_key) == (listing.purpose, listing.city_key) and key.type_key in (listing.type_key, "")


def _of_budget(key, listing):
    if key.budget_max and listing.price > key.budget_max:
        return _("A little above the budget")
    if key.budget_min and listing.price < key.budget_min:
        return _("Below the budget")
    return _("Within the budget") if key.budget_min or key.budget_max else ""


def _of_location(key, part):
    if not key.districts or part == 25:
        return _("In the wanted city")
    return _("In a wanted district") if part == 100 else _("Near a wanted district")


def _of_bedrooms(key, listing):
    if listing.bedrooms < key.bedrooms:
        return _("Fewer bedrooms than wanted")
    return _("As many bedrooms as wanted") if listing.bedrooms <= key.bedrooms + 1 else _("More bedrooms than wanted")


def _of_area(key, listing):
    if key.area_min and listing.area < key.area_min:
        return _("Smaller than wanted")
    return _("Larger than wanted") if key.area_max and listing.area > key.area_max else _("As large as wanted")


def _of_amenities(key, listing):
    missing = len(set(key.amenities) - set(listing.amenity_keys))
    if not missing:
        return _("Has all wanted amenities")
    return _("Has %(count)d of %(wanted)d wanted amenities") % {
        "count": len(key.amenities) - missing,
        "wanted": len(key.amenities),
    }
