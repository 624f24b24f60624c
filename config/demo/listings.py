"""The listings of the demo: each follows from its number and today's date alone, its id from its number."""

import random
from datetime import timedelta

from config.demo.customers import PLACES, PRICES
from config.demo.making import SEED, ZONE, array, midnight_of, money, picker, repeat, utc
from config.demo.people import DEMO, OTHER
from config.places import CITIES
from customers.choices import AMENITIES, PROPERTY_TYPES
from customers.services.listing import derived_columns

# Which numbers each agency has.
LISTINGS = {DEMO: range(1, 241), OTHER: range(1001, 1025)}

_OFFERS = repeat({
    ("sale", "villa"): 30, ("sale", "apartment"): 24, ("sale", "land"): 12, ("sale", "commercial"): 5,
    ("rent", "apartment"): 18, ("rent", "villa"): 7, ("rent", "commercial"): 4,
})  # fmt: skip
# Whose budgets the prices follow.
_BUDGETS = {"sale": "buy", "rent": "rent"}
_FOR_SALE, _FOR_RENT = "للبيع", "للإيجار"
_GONE = {"sale": "sold", "rent": "rented"}
_STATUSES = repeat({"available": 74, "reserved": 8, "gone": 11, "archived": 7})
_LOOKS = ["مدخل مستقل", "واجهة شمالية", "تشطيب فاخر", "قريبة من المدارس", "على شارعين", "حديثة البناء"]


def make_listing(number, organization_id, now):
    """The listing of this number as of `now`, as columns by attribute name; arrays as PostgreSQL's text of them."""
    rng = random.Random(f"{SEED} listing {number}")
    pick = picker(rng)
    (purpose, kind), place = pick(_OFFERS), pick(PLACES)
    city, district = CITIES[place.slug], pick(place.districts)
    budget = (_BUDGETS[purpose], kind)
    cheapest, dearest = PRICES.get(budget) or PRICES["invest", kind]
    status = pick(_STATUSES)
    lives_in = kind in ("villa", "apartment")
    bedrooms = 2 + int(rng.random() * (5 if kind == "villa" else 3)) if lives_in else None
    amenities = sorted(rng.sample(list(AMENITIES), pick((2, 3, 4)))) if lives_in else []
    age_days = 1 + int(rng.random() * 200)
    midnight = midnight_of(now)
    created = midnight - age_days * 86_400 + 32_400 + int(rng.random() * 40_000)
    columns = {
        "id": f"prop_{number:03d}",
        "organization_id": organization_id,
        "reference": f"{city.name_en[:3].upper()}-{number:04d}",
        "title": f"{PROPERTY_TYPES[kind]} {_FOR_SALE if purpose == 'sale' else _FOR_RENT} في {district}",
        "title_en": f"{kind.capitalize()} for {purpose} in {city.name_en}" if rng.random() < 0.8 else "",
        "type": kind,
        "purpose": purpose,
        "status": _GONE[purpose] if status == "gone" else status,
        "price": money((cheapest + (dearest - cheapest) * rng.random() ** 1.6) * place.price),
        "city": city.name,
        "district": district,
        "latitude": round(place.latitude + rng.uniform(-0.08, 0.08), 6),
        "longitude": round(place.longitude + rng.uniform(-0.08, 0.08), 6),
        "bedrooms": bedrooms,
        "bathrooms": bedrooms and max(1, bedrooms - int(rng.random() * 2)),
        "area": 100 + 25 * int(rng.random() * (24 if kind != "apartment" else 6)),
        "floor": int(rng.random() * 5) if kind == "apartment" else None,
        "total_floors": 4 if kind == "apartment" else None,
        "furnishing": pick(("", "unfurnished", "furnished", "semi-furnished")) if lives_in else "",
        "amenities": array(amenities),
        "description": f"{pick(_LOOKS)}، {pick(_LOOKS)}." if rng.random() < 0.7 else "",
        "created_at": utc(created),
        "updated_at": utc(created + int(rng.random() * (midnight - created))),
        **_licence(rng, now),
        **derived_columns(type=kind, city=city.name, district=district, amenities=amenities),
    }
    return columns | {"amenity_keys": array(columns["amenity_keys"])}


def _licence(rng, now):
    """An advertising licence, of which one in ten has expired or is about to; some listings have none."""
    if rng.random() < 0.08:
        return {}
    today = now.astimezone(ZONE).date()
    days = int(rng.random() * 360) if rng.random() < 0.92 else -int(rng.random() * 60) - 1
    return {
        "ad_license_number": f"7{1 + (rng.random() < 0.7)}{int(rng.random() * 10**8):08d}",
        "ad_license_expiry": today + timedelta(days=days),
    }
