"""The customers of the demo: each follows from its number and today's date alone."""

import random
from datetime import date, datetime, timedelta
from typing import NamedTuple

import orjson

from config.demo.making import SEED, ZONE, array, make_id, midnight_of, money, picker, repeat, utc
from config.demo.people import MEN, OTHER, saudi_name
from config.places import CITIES
from customers.choices import PROPERTY_TYPES, Stage
from customers.search import derived_columns
from customers.stages import having_been

# So many belong to the people who can sign in; beyond them a larger sales floor shares the rest.
CORE_CUSTOMERS = 500
MAX_CUSTOMERS = 1_000_000
# The other agency's clients are others, apart from a few who went to both.
SHARED_CUSTOMERS = 6
OTHER_NUMBERS = (*range(SHARED_CUSTOMERS), *range(MAX_CUSTOMERS, MAX_CUSTOMERS + 34))

# Residents, who write themselves in Latin letters only.
_RESIDENTS = [
    ("Mohamed Hassan", "Egyptian"), ("Ahmed Mostafa", "Egyptian"), ("Mahmoud El-Sayed", "Egyptian"),
    ("Omar Haddad", "Jordanian"), ("Rami Khoury", "Lebanese"), ("Nadine Saad", "Lebanese"),
    ("Imran Khan", "Pakistani"), ("Bilal Ahmed", "Pakistani"), ("Rajesh Kumar", "Indian"), ("Priya Nair", "Indian"),
    ("Anil Menon", "Indian"), ("Maria Santos", "Filipino"), ("John Smith", "British"), ("Emily Carter", "British"),
    ("David Miller", "American"), ("Pierre Dubois", "French"), ("Yusuf Demir", "Turkish"),
    ("Ali Salem Bahashwan", "Yemeni"),
]  # fmt: skip


class _City(NamedTuple):
    slug: str
    spellings: tuple
    districts: tuple
    latitude: float
    longitude: float
    price: float


def _city(slug, districts, latitude, longitude, price, *others):
    """A city of config.places: nine in ten write it in Arabic; `price` scales the budgets, Riyadh being 1."""
    city = CITIES[slug]
    spellings = repeat({city.name: 36, city.name_en: 3, **dict.fromkeys(others, 1)})
    districts = tuple(f"حي {district.strip()}" for district in districts.split(","))
    return _City(slug, spellings, districts, latitude, longitude, price)


PLACES = repeat({
    _city("riyadh", """النرجس, الياسمين, الملقا, العليا, حطين, الصحافة, القيروان, العارض, الروضة, النخيل, السليمانية,
        الربوة, قرطبة, اشبيلية, المونسية, ظهرة لبن, العريجاء, الشفا, العزيزية, الندى""",
        24.75, 46.67, 1.0, "الریاض"): 38,
    _city("jeddah", """الزهراء, الشاطئ, الروضة, السلامة, النعيم, المرجان, أبحر الشمالية, الحمراء, الصفا, الفيصلية,
        البساتين, الرحاب""",
        21.58, 39.16, 0.95, "جده"): 22,
    _city("dammam", "الشاطئ الغربي, الفيصلية, النور, الشعلة, أحد, المنار, طيبة", 26.42, 50.09, 0.7): 8,
    _city("khobar", "العليا, الحزام الذهبي, الراكة, العقربية, اليرموك, التحلية, الكورنيش",
        26.28, 50.2, 0.8, "Khobar"): 8,
    _city("makkah", "العوالي, الشوقية, العزيزية, النسيم, بطحاء قريش, الزاهر", 21.42, 39.83, 0.85, "مكة المكرمة"): 7,
    _city("madinah", "العزيزية, قباء, الخالدية, شوران, العريض, الدفاع", 24.47, 39.61, 0.7, "المدينة المنورة"): 7,
    _city("taif", "شهار, الحوية, الفيصلية", 21.28, 40.42, 0.55): 3,
    _city("abha", "المنسك, الموظفين, شمسان", 18.22, 42.5, 0.5): 3,
    _city("buraydah", "الريان, الصفراء, الإسكان", 26.33, 43.97, 0.5): 2,
    _city("tabuk", "المروج, الورود, السلام", 28.38, 36.57, 0.5): 2,
})  # fmt: skip

_STAGES = tuple(Stage.values)
_STAGE_RANKS = repeat({0: 24, 1: 18, 2: 15, 3: 12, 4: 9, 5: 6, 6: 5, 7: 4, 8: 7})
# Days from the first inquiry until today, at least and at most, by stage; always enough for a day a stage.
_AGES = [(0, 60), (2, 120), (4, 180), (6, 240), (12, 300), (20, 330), (30, 365), (40, 400), (60, 540)]
_SOURCES = repeat({"whatsapp": 32, "inquiry": 30, "manual": 14, "referral": 14, "import": 10})
_SOURCE_DETAILS = {
    "inquiry": [
        {"channel": "website", "utmSource": "google", "campaign": "riyadh_villas"},
        {"channel": "snapchat", "utmSource": "snapchat", "campaign": "ramadan_offers"},
        {"channel": "instagram", "utmSource": "instagram", "campaign": "jeddah_sea_view"},
        {"channel": "tiktok", "utmSource": "tiktok", "campaign": "first_home"},
        {"channel": "phone"},
    ],
    "referral": [{"referredBy": "عميل سابق"}, {"referredBy": "موظف"}, {"channel": "affiliate"}],
    "import": [{"file": "customers_2024.xlsx"}],
    "manual": [{"channel": "walk_in"}, {}],
    "whatsapp": [{}, {"campaign": "whatsapp_catalog"}],
}
PRIORITIES = repeat({"low": 24, "medium": 46, "high": 22, "urgent": 8})
_PURPOSES = repeat({"buy": 62, "rent": 26, "invest": 12})
_TYPES = {
    "buy": repeat({"villa": 45, "apartment": 42, "land": 13}),
    "rent": repeat({"apartment": 70, "villa": 20, "commercial": 10}),
    "invest": repeat({"land": 35, "commercial": 35, "apartment": 20, "villa": 10}),
}
# Riyals in Riyadh: for sale, or a year's rent.
PRICES = {
    ("buy", "villa"): (1_100_000, 4_500_000),
    ("buy", "apartment"): (450_000, 1_500_000),
    ("buy", "land"): (600_000, 3_500_000),
    ("rent", "apartment"): (25_000, 110_000),
    ("rent", "villa"): (80_000, 260_000),
    ("rent", "commercial"): (60_000, 450_000),
    ("invest", "land"): (2_000_000, 15_000_000),
    ("invest", "commercial"): (3_000_000, 25_000_000),
    ("invest", "apartment"): (900_000, 6_000_000),
    ("invest", "villa"): (2_000_000, 9_000_000),
}
_TIMELINES = repeat({"immediate": 22, "1-3months": 38, "3-6months": 25, "6months+": 15})
_TAGS = repeat({
    "hot_lead": 12, "vip": 6, "cash_buyer": 12, "mortgage": 14, "sakani": 12, "first_home": 12, "investor": 8,
    "follow_up": 10, "عائلة كبيرة": 6, "مستثمر": 5, "عاجل": 5, "مغترب": 3,
})  # fmt: skip
_AMENITIES = ["parking", "elevator", "garden", "pool", "maid_room", "driver_room", "majlis", "gym", "security"]
_OCCUPATIONS = [
    "مهندس", "طبيب", "معلم", "موظف حكومي", "رجل أعمال", "محاسب", "ضابط", "متقاعد", "مدير مشاريع", "Software Engineer",
    "Consultant", "",
]  # fmt: skip
_WANTS = ["يفضل الدور الأرضي", "يبحث عن مدخلين", "يريد قرب المدارس", "يحتاج تمويل عقاري", "يفضل الواجهة الشمالية",
          "مهتم بالمشاريع الجديدة", "ينتظر موافقة البنك", "يريد المعاينة مع العائلة"]  # fmt: skip
_HABITS = ["التواصل مساءً بعد الثامنة.", "يفضل واتساب.", "الاتصال صباحاً فقط.", "Prefers English.", "لا يتصل يوم الجمعة."]
_REASONS = ["تم التواصل وتأكيد الطلب", "أرسلت له خيارات مناسبة", "تمت المعاينة", "بدأ التفاوض على السعر",
            "تجهيز العقد", "دفع العربون", "موعد الإفراغ", "تم الإفراغ"]  # fmt: skip
_CONTACTS = repeat({"whatsapp": 45, "call": 35, "meeting": 8, "site_visit": 7, "email": 5})
_DOMAINS = ["example.com", "example.net", "example.org"]


class Made(NamedTuple):
    """One customer with its history: columns by attribute name, JSON and arrays as PostgreSQL's text of them."""

    customer: dict
    stage_changes: list
    assignments: list


def phone_of(number):
    """The phone of a customer: no two numbers share one, and a phone tells whether its customer is there."""
    scattered = (number * 7_368_787 + 2_468_013) % 80_000_000
    if number % 41 == 7:
        return f"+97150{scattered % 10_000_000:07d}"
    return f"+9665{'01345689'[scattered // 10_000_000]}{scattered % 10_000_000:07d}"


def make_customer(number, organization_id, staff, now):
    """The customer of this number, as of `now`. All its dates lie before; only a follow-up may lie ahead."""
    rng = random.Random(SEED + number)
    pick = picker(rng)
    person = _person(rng, pick, number)
    if organization_id == OTHER:
        rng.random()  # The same person has another story there.
    rank, city = pick(_STAGE_RANKS), pick(PLACES)
    youngest, oldest = _AGES[rank]
    age_days = youngest + int((oldest - youngest) * rng.random() ** 1.7)
    midnight = midnight_of(now)

    def moment(days_after):
        """A second of the working day so many days after the first inquiry; before now if that is today."""
        if days_after >= age_days:
            return int(now.timestamp()) - 60 - int(rng.random() * 3600)
        return midnight - (age_days - days_after) * 86_400 + 32_400 + int(rng.random() * 43_200)

    created = moment(0)
    changed = [created, *map(moment, sorted(rng.sample(range(1, age_days), rank)) if rank else ())]
    key = make_id("cust", created, rng)

    holders = [pick(staff.shares)]
    if holders[0] and age_days > 3 and rng.random() < 0.12:
        holders.insert(0, pick(staff.shares))
    assigned = [min(created + 600 + int(rng.random() * 7200), int(now.timestamp())), moment(1)][: len(holders)]
    hand_overs = [
        (before, after, at)
        for before, after, at in zip([None, *holders], holders, assigned, strict=False)
        if before != after
    ]
    owner, decider = holders[-1], pick(staff.deciders)

    priority, source = pick(PRIORITIES), pick(_SOURCES)
    silent_days = int(rng.random() ** 2 * min(age_days, 90)) if age_days else 0
    contacted = None if rank == 0 and rng.random() < 0.35 else max(changed[-1], moment(age_days - silent_days))
    preferences, wish = _preferences(rng, pick, city) if rng.random() < 0.92 else ({}, 0)
    preferences = {"propertyType": [], "preferredAreas": []} | preferences
    worth = money(wish * (0.85 + rng.random() * 0.3)) if wish and rank >= 4 else None
    tags = list(dict.fromkeys(pick(_TAGS) for _ in range(pick((0, 0, 1, 1, 2, 3)))))
    city_name, district = (pick(city.spellings), pick(city.districts)) if rng.random() < 0.95 else ("", "")
    located = district and rng.random() < 0.35
    customer = {
        "id": key,
        "organization_id": organization_id,
        **person,
        "source": source,
        "source_details": orjson.dumps(pick(_SOURCE_DETAILS[source])).decode(),
        "stage": _STAGES[rank],
        "priority": priority,
        "preferences": orjson.dumps(preferences).decode(),
        "tags": array(tags),
        "notes": f"{pick(_WANTS)}. {pick(_HABITS)}" if rng.random() < 0.6 else "",
        "assigned_employee_id": owner,
        "total_deal_value": worth,
        "expected_revenue": worth and round(worth * 0.025, 2),
        "paid_amount": worth and rank >= 6 and (worth if rank == 8 else money(worth * 0.1)) or None,
        "city": city_name,
        "district": district,
        "address": f"{district}، شارع {pick(MEN)[0]}" if district and rng.random() < 0.4 else "",
        "latitude": round(city.latitude + rng.uniform(-0.08, 0.08), 6) if located else None,
        "longitude": round(city.longitude + rng.uniform(-0.08, 0.08), 6) if located else None,
        "lead_score": _score(rng, rank, silent_days if contacted else 60, priority),
        "last_contact_at": contacted and utc(contacted),
        "last_contact_type": pick(_CONTACTS) if contacted else "",
        "next_follow_up_date": _follow_up(rng, now) if rank < 8 and rng.random() < 0.6 else None,
        "version": rank + len(hand_overs) + 1,
        "created_at": utc(created),
        "updated_at": utc(max(changed[-1], hand_overs[-1][2] if hand_overs else 0)),
    }
    customer |= derived_columns(
        name=person["name"],
        name_en=person["name_en"],
        city=city_name,
        district=district,
        tags=tags,
        preferences=preferences,
    )
    customer |= {name: array(customer[name]) for name in ("facets", "name_keys")}
    customer |= having_been(_STAGES[rank], list(zip(_STAGES, map(utc, changed), strict=False)), otherwise=None)
    mover = staff.mover(owner, decider)
    return Made(
        customer,
        [
            {
                "id": make_id("stage", at, rng),
                "customer_id": key,
                "from_stage": _STAGES[place - 1] if place else None,
                "to_stage": _STAGES[place],
                "changed_by": staff.names[mover],
                "changed_by_id": mover,
                "changed_at": utc(at),
                "reason": _REASONS[place - 1] if place and rng.random() < 0.7 else "",
            }
            for place, at in enumerate(changed)
        ],
        [
            {
                "id": make_id("asg", at, rng),
                "customer_id": key,
                "from_employee_id": before,
                "to_employee_id": after,
                "assigned_by": staff.names[decider],
                "assigned_by_id": decider,
                "assigned_at": utc(at),
            }
            for before, after, at in hand_overs
        ],
    )


def _person(rng, pick, number):
    """Who the customer is: names, ways to reach them, and what identifies them."""
    if rng.random() < 0.06:
        name, nationality = pick(_RESIDENTS)
        name_en, latin, is_male = "", name, rng.random() < 0.7
    else:
        name, latin, is_male = saudi_name(rng)
        name_en, nationality = latin if rng.random() < 0.85 else "", "Saudi"
    phone = phone_of(number)
    words = latin.lower().replace("al-", "").split()
    return {
        "name": name,
        "name_en": name_en,
        "phone": phone,
        "whatsapp": phone if rng.random() < 0.7 else "",
        "email": f"{words[0]}.{words[-1]}{number}@{pick(_DOMAINS)}" if rng.random() < 0.6 else "",
        "national_id": _national_id(rng, nationality) if rng.random() < 0.45 else "",
        "nationality": nationality if rng.random() < 0.8 else "",
        "gender": ("female", "male")[is_male] if rng.random() < 0.85 else "",
        "date_of_birth": date(1955, 1, 1) + timedelta(days=int(rng.random() * 17_500)) if rng.random() < 0.3 else None,
        "occupation": pick(_OCCUPATIONS),
        "family_size": 1 + int(rng.random() * 8) if rng.random() < 0.5 else None,
        "customer_type": "company" if rng.random() < 0.06 else "individual",
    }


def _national_id(rng, nationality):
    """Ten digits with a valid checksum: 1 for citizens, 2 for residents."""
    digits = [1 if nationality == "Saudi" else 2, *(int(rng.random() * 10) for _ in range(8))]
    total = sum((digit * 2) // 10 + (digit * 2) % 10 for digit in digits[::2]) + sum(digits[1::2])
    return "".join(map(str, [*digits, -total % 10]))


def _preferences(rng, pick, city):
    """`(preferences, the price in the middle of the budget)`."""
    purpose = pick(_PURPOSES)
    kind = pick(_TYPES[purpose])
    cheapest, dearest = PRICES[purpose, kind]
    lower = money((cheapest + (dearest - cheapest) * rng.random() ** 2) * city.price)
    upper = money(lower * (1.15 + rng.random() * 0.5))
    types = [PROPERTY_TYPES[kind] if rng.random() < 0.1 else kind]
    if rng.random() < 0.2:
        types = list(dict.fromkeys([*types, pick(_TYPES[purpose])]))
    name = city.spellings[0]
    areas = {f"{name} - {pick(city.districts)}": None for _ in range(pick((1, 1, 2, 3)))}
    preferences = {"propertyType": types, "preferredAreas": list(areas)}
    preferences |= {"purpose": purpose, "timeline": pick(_TIMELINES)}
    if rng.random() < 0.93:
        preferences["budgetMin"] = lower
    preferences["budgetMax"] = upper
    if kind in ("villa", "apartment"):
        preferences["bedrooms"] = 2 + int(rng.random() * (5 if kind == "villa" else 3))
        preferences["bathrooms"] = preferences["bedrooms"] - int(rng.random() * 2)
    if rng.random() < 0.5:
        preferences["minArea"] = 100 + 25 * int(rng.random() * 16)
        preferences["maxArea"] = preferences["minArea"] + 100
    if rng.random() < 0.3:
        preferences["amenities"] = sorted({pick(_AMENITIES), pick(_AMENITIES)})
    return preferences, (lower + upper) / 2


def _score(rng, rank, silent_days, priority):
    """0 to 100: higher along the funnel, after recent contact and for urgent ones."""
    recency = 18 if silent_days <= 3 else 8 if silent_days <= 10 else 0 if silent_days <= 30 else -14
    urgency = {"low": -8, "medium": 0, "high": 6, "urgent": 12}[priority]
    return max(0, min(100, round(26 + 6 * rank + recency + urgency + rng.gauss(0, 13))))


def _follow_up(rng, now):
    """A day of the next three weeks, or one of the last that nobody has kept."""
    return datetime.fromtimestamp(midnight_of(now), ZONE).date() + timedelta(days=int(rng.random() * 26) - 5)
