"""An invented market to try matching on: what is on offer, and customers of whom it is known which offer is theirs.

Districts are real, with about the place and the level of prices that they have; listings are drawn by a fixed seed.
A trial draws a listing, the ideal of a customer, and what that customer would tell a broker: less than all, and not
quite right. How wrong they are was set by what a filter of all wishes loses, not by how well anything else finds.
"""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from config.places import CITIES
from customers.choices import AMENITIES, PROPERTY_TYPES
from customers.services.listing import derived_columns

SEED, LISTINGS = 1404, 1_400
_FIRST_DAY = datetime(2025, 1, 5, 9, tzinfo=UTC)


class District(NamedTuple):
    """A district of a city: its centre, and its prices beside the city's."""

    name: str
    latitude: float
    longitude: float
    level: float


class Town(NamedTuple):
    """A city's share of the market, its prices beside Riyadh's, and its districts."""

    slug: str
    share: float
    level: float
    districts: tuple


def _town(slug, share, level, table):
    rows = (line.rsplit(maxsplit=3) for line in table.strip().splitlines())
    return Town(slug, share, level, tuple(District(name.strip(), *map(float, numbers)) for name, *numbers in rows))


TOWNS = [
    _town("riyadh", 0.52, 1.0, """
        النرجس 24.872 46.665 1.05
        الياسمين 24.825 46.640 1.15
        الملقا 24.808 46.605 1.35
        حطين 24.765 46.597 1.40
        الصحافة 24.803 46.640 1.20
        العقيق 24.778 46.628 1.25
        القيروان 24.850 46.595 1.10
        العارض 24.890 46.620 1.00
        النخيل 24.747 46.625 1.30
        الغدير 24.775 46.655 1.20
        الربيع 24.795 46.665 1.15
        الندى 24.812 46.690 1.10
        المروج 24.755 46.665 1.15
        الازدهار 24.780 46.715 1.05
        الروضة 24.733 46.768 0.85
        قرطبة 24.815 46.735 0.95
        المونسية 24.830 46.775 0.85
        إشبيلية 24.795 46.790 0.85
        اليرموك 24.810 46.785 0.85
        الحمراء 24.777 46.755 0.95
        السليمانية 24.705 46.700 1.05
        العليا 24.695 46.682 1.15
        الرمال 24.880 46.790 0.75
        ظهرة لبن 24.635 46.560 0.70
        طويق 24.590 46.550 0.60
        الشفا 24.560 46.700 0.55
        العزيزية 24.585 46.770 0.55
        الدار البيضاء 24.560 46.790 0.50
    """),
    _town("jeddah", 0.27, 0.95, """
        الشاطئ 21.600 39.110 1.35
        الزهراء 21.593 39.130 1.20
        النعيم 21.620 39.150 1.10
        المحمدية 21.650 39.130 1.20
        المرجان 21.680 39.105 1.15
        البساتين 21.685 39.125 1.10
        الروضة 21.560 39.150 1.20
        الخالدية 21.555 39.130 1.20
        السلامة 21.590 39.155 1.00
        الصفا 21.585 39.210 0.85
        المروة 21.620 39.205 0.80
        الفيصلية 21.575 39.175 0.95
        الربوة 21.605 39.185 0.90
        الحمدانية 21.755 39.200 0.70
        أبحر الشمالية 21.755 39.130 1.05
        الحمراء 21.525 39.160 1.05
        الرحاب 21.555 39.225 0.80
        السامر 21.600 39.245 0.70
    """),
    _town("dammam", 0.11, 0.7, """
        الشاطئ الغربي 26.475 50.115 1.25
        الفيصلية 26.395 50.060 0.95
        النور 26.372 50.040 0.95
        الشعلة 26.385 50.020 1.00
        أحد 26.375 50.075 0.90
        المنار 26.360 50.015 0.85
        طيبة 26.355 50.055 0.90
        الفرسان 26.470 50.035 0.85
        الضاحية 26.490 50.000 0.80
        العزيزية 26.420 50.120 0.85
    """),
    _town("khobar", 0.10, 0.8, """
        العليا 26.305 50.185 1.05
        الحزام الذهبي 26.300 50.205 1.20
        الحزام الأخضر 26.318 50.200 1.10
        الراكة 26.350 50.195 0.95
        العقربية 26.290 50.195 0.95
        اليرموك 26.310 50.215 1.05
        التحلية 26.250 50.205 1.00
        الكورنيش 26.265 50.222 1.30
        العزيزية 26.190 50.190 0.85
        الثقبة 26.275 50.190 0.75
    """),
]  # fmt: skip


class Kind(NamedTuple):
    """What is offered: riyals a square metre in Riyadh, square metres by bedrooms, and how often it has what."""

    type: str
    purpose: str
    share: float
    price: float
    area: dict
    bedrooms: dict
    amenities: dict


_KINDS = [
    Kind(
        "villa", "sale", 0.55, 7_000,
        {3: 220, 4: 270, 5: 320, 6: 380, 7: 450}, {3: 12, 4: 30, 5: 33, 6: 17, 7: 8},
        {"majlis": 0.75, "parking": 0.8, "maid_room": 0.65, "kitchen": 0.6, "air_conditioning": 0.5, "driver_room": 0.4,
         "garden": 0.4, "balcony": 0.3, "elevator": 0.25, "pool": 0.2, "security": 0.12, "gym": 0.07},
    ),
    Kind(
        "apartment", "rent", 0.45, 380,
        {1: 65, 2: 95, 3: 130, 4: 165, 5: 200}, {1: 8, 2: 27, 3: 38, 4: 20, 5: 7},
        {"parking": 0.7, "elevator": 0.65, "kitchen": 0.6, "air_conditioning": 0.55, "balcony": 0.35, "security": 0.3,
         "maid_room": 0.25, "majlis": 0.25, "gym": 0.12, "pool": 0.08, "garden": 0.06, "driver_room": 0.1},
    ),
]  # fmt: skip


def make_listings():
    """The listings of the market, as columns of Listing; the later ones are newer."""
    rng = random.Random(SEED)
    return [_listing(rng, number) for number in range(1, LISTINGS + 1)]


def _listing(rng, number):
    town = _drawn(rng, {town: town.share for town in TOWNS})
    kind = _drawn(rng, {each.type: each.share for each in _KINDS})
    kind = next(each for each in _KINDS if each.type == kind)
    # Some districts are larger than others.
    district = town.districts[int(len(town.districts) * rng.random() ** 1.3)]
    city, bedrooms = CITIES[town.slug], _drawn(rng, kind.bedrooms)
    area = 5 * round(kind.area[bedrooms] * math.exp(rng.gauss(0, 0.14)) / 5)
    amenities = [name for name, often in kind.amenities.items() if rng.random() < often]
    worth = town.level * district.level * (1 + 0.02 * len(amenities)) * math.exp(rng.gauss(-0.12, 0.16))
    step = 10_000 if kind.purpose == "sale" else 500
    return {
        "id": f"prop_{number:05d}",
        "title": f"{PROPERTY_TYPES[kind.type]} في {district.name}",
        "type": kind.type,
        "purpose": kind.purpose,
        "status": "available",
        "price": step * max(1, round(kind.price * area * worth / step)),
        "city": city.name,
        "district": district.name,
        "latitude": round(district.latitude + rng.gauss(0, 0.005), 6),
        "longitude": round(district.longitude + rng.gauss(0, 0.005), 6),
        "bedrooms": bedrooms,
        "bathrooms": max(1, bedrooms - int(rng.random() * 2)),
        "area": area,
        "furnishing": _drawn(rng, {"": 20, "unfurnished": 60, "furnished": 14, "semi-furnished": 6}),
        "amenities": amenities,
        "created_at": _FIRST_DAY + timedelta(hours=5 * number),
        **derived_columns(type=kind.type, city=city.name, district=district.name, amenities=amenities),
    }


class Trial(NamedTuple):
    """A customer's preferences, in the API's words, and the id of the listing that would be the right one."""

    preferences: dict
    ideal: str


def make_trials(listings, count, seed=SEED):
    """So many customers of this market."""
    rng = random.Random(seed)
    return [Trial(_told(rng, ideal), ideal["id"]) for ideal in (rng.choice(listings) for _trial in range(count))]


def _told(rng, ideal):
    """What a customer says who is looking for just this listing."""
    step = 50_000 if ideal["purpose"] == "sale" else 5_000
    guessed = ideal["price"] * math.exp(rng.gauss(0, 0.10))
    highest = step * max(1, round(guessed * rng.uniform(1.05, 1.25) / step))
    wishes = {
        "purpose": "buy" if ideal["purpose"] == "sale" else "rent",
        "propertyType": [ideal["type"]],
        "preferredCities": [ideal["city"]],
        "budgetMax": highest,
    }
    if rng.random() < 0.9:
        wishes["budgetMin"] = min(highest, step * max(1, round(guessed * rng.uniform(0.7, 0.9) / step)))
    if rng.random() < 0.75:
        wishes["preferredAreas"] = [f"{ideal['city']} - {name}" for name in _districts_told(rng, ideal)]
    if rng.random() < 0.85:
        wishes["bedrooms"] = max(1, ideal["bedrooms"] + _drawn(rng, {0: 70, -1: 20, 1: 10}))
    if rng.random() < 0.6:
        wishes["minArea"] = 10 * round(ideal["area"] * math.exp(rng.gauss(-0.10, 0.12)) / 10)
        if rng.random() < 0.5:
            wishes["maxArea"] = 10 * round(wishes["minArea"] * rng.uniform(1.3, 1.7) / 10)
    if rng.random() < 0.6:
        wishes["amenities"] = sorted({_amenity_told(rng, ideal) for _wish in range(rng.randint(1, 3))})
    return wishes


def _districts_told(rng, ideal):
    """One to three districts near the ideal, which seven in ten name among them."""
    town = next(town for town in TOWNS if CITIES[town.slug].name == ideal["city"])
    own = next(district for district in town.districts if district.name == ideal["district"])
    others = sorted(
        (each for each in town.districts if each is not own),
        key=lambda each: math.hypot(each.latitude - own.latitude, each.longitude - own.longitude),
    )
    named = [own.name] if rng.random() < 0.7 else []
    number = rng.randint(1, 3)
    while len(named) < number:
        name = others[int(rng.random() ** 2 * min(8, len(others)))].name
        if name not in named:
            named.append(name)
    return named


def _amenity_told(rng, ideal):
    is_right = ideal["amenities"] and rng.random() < 0.85
    return rng.choice(ideal["amenities"] if is_right else list(AMENITIES))


# --- What other ways of finding it come to --------------------------------------------------------


def filtered(preferences, listings):
    """The listings that have all that was asked for, the newest first, as a list with filters shows them."""
    districts = {area.partition(" - ")[2] for area in preferences.get("preferredAreas", ())}
    return [
        listing
        for listing in newest(preferences, listings)
        if preferences.get("budgetMin", 0) <= listing["price"] <= preferences["budgetMax"]
        and (not districts or listing["district"] in districts)
        and listing["bedrooms"] >= preferences.get("bedrooms", 0)
        and preferences.get("minArea", 0) <= listing["area"] <= preferences.get("maxArea", math.inf)
        and set(preferences.get("amenities", ())) <= set(listing["amenities"])
    ]


def newest(preferences, listings):
    """The listings of the right kind and city, the newest first."""
    purpose = "rent" if preferences["purpose"] == "rent" else "sale"
    return [
        listing
        for listing in reversed(listings)
        if (listing["purpose"], listing["city"]) == (purpose, preferences["preferredCities"][0])
        and listing["type"] in preferences["propertyType"]
    ]


class Found(NamedTuple):
    """How often the ideal was among the first three and the first ten, and the mean of one by its place."""

    at_3: float
    at_10: float
    reciprocal: float


def found(trials, ranked):
    """The Found of a way of ranking: `ranked(trial)` are the ids that it shows, best first."""
    places = [_place(trial.ideal, ranked(trial)) for trial in trials]
    return Found(
        sum(0 < place <= 3 for place in places) / len(places),
        sum(0 < place <= 10 for place in places) / len(places),
        sum(1 / place for place in places if place) / len(places),
    )


def _place(key, keys):
    """Where in a list of keys one is, counted from 1; 0 when it is missing."""
    return keys.index(key) + 1 if key in keys else 0


def _drawn(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]
