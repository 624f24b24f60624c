"""What the demo consists of: two agencies, their people, and as many customers as are asked for.

A customer follows from its number and today's date alone, so the demo of 500 is the
beginning of the one of 200,000, and a second run can tell what is there already.
"""

import random
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import orjson

from config.places import CITIES
from customers.choices import PROPERTY_TYPES, Stage
from customers.search import derived_columns
from employees.choices import Role

PASSWORD = "demo-hub"
DEMO, OTHER = "org_demo", "org_other"
# So many belong to the people who can sign in; beyond them a larger sales floor shares the rest.
CORE_CUSTOMERS = 500
MAX_CUSTOMERS = 1_000_000
# The other agency's clients are others, apart from a few who went to both.
SHARED_CUSTOMERS = 6
OTHER_NUMBERS = (*range(SHARED_CUSTOMERS), *range(MAX_CUSTOMERS, MAX_CUSTOMERS + 34))
FLOOR_TEAMS, FLOOR_AGENTS = 12, 60
_SEED = 1445
_ZONE = ZoneInfo("Asia/Riyadh")


# --- People -------------------------------------------------------------------------------


class Person(NamedTuple):
    """An employee of the demo; `team` is the number of the team, 0 being the default one."""

    id: str
    email: str
    name: str
    name_en: str
    role: str
    team: int
    job_title: str
    extension: int

    @property
    def phone(self):
        return f"+966501110{self.extension:03d}"


ORGANIZATIONS = {
    DEMO: {"name": "وساطة الرياض العقارية", "name_en": "Riyadh Real Estate Brokers"},
    OTHER: {"name": "بيوت جدة للعقارات", "name_en": "Jeddah Homes"},
}
# The first is the default team; the second one's agents see other customers.
TEAMS = [
    ("فريق شمال الرياض", "North Riyadh"),
    ("فريق جدة", "Jeddah"),
    ("فريق الشرقية", "Eastern Province"),
    ("فريق مكة", "Makkah"),
    ("فريق المدينة", "Madinah"),
    ("فريق جنوب الرياض", "South Riyadh"),
    ("فريق شرق الرياض", "East Riyadh"),
    ("فريق غرب الرياض", "West Riyadh"),
    ("فريق القصيم", "Qassim"),
    ("فريق عسير", "Asir"),
    ("فريق تبوك", "Tabuk"),
    ("فريق الاستثمار", "Investment"),
]
_MANAGER, _AGENT = Role.SALES_MANAGER, Role.SALES_AGENT
PEOPLE = [
    Person(*words)
    for words in (
        ("emp_admin", "admin@hub.test", "ليلى العتيبي", "Layla Al-Otaibi", Role.ADMIN, 0, "Managing Director", 1),
        ("emp_manager", "manager@hub.test", "فاطمة الزهراني", "Fatima Al-Zahrani", _MANAGER, 0, "Sales Manager", 2),
        ("emp_agent", "agent@hub.test", "أحمد الغامدي", "Ahmed Al-Ghamdi", _AGENT, 0, "Senior Sales Agent", 3),
        ("emp_agent2", "agent2@hub.test", "عمر الدوسري", "Omar Al-Dosari", _AGENT, 1, "Sales Agent", 4),
        ("emp_viewer", "viewer@hub.test", "هدى القحطاني", "Huda Al-Qahtani", Role.VIEWER, 0, "Accountant", 5),
    )
]
OTHER_TEAM = ("فريق المبيعات", "Sales")
OTHER_ADMIN = Person("emp_other_admin", "admin@other.test", "نورة الحربي", "Noura Al-Harbi", Role.ADMIN, 0, "Owner", 6)


def floor():
    """The further agents of a large demo, `emp_demo_001` and on, spread evenly over the teams."""
    for number in range(FLOOR_AGENTS):
        name, name_en, _is_male = _saudi_name(random.Random(_SEED - 1 - number), short=True)
        key, title = f"{number + 1:03d}", ("Sales Agent", "Senior Sales Agent")[number % 3 == 0]
        team, extension = number % FLOOR_TEAMS, 100 + number
        yield Person(f"emp_demo_{key}", f"agent{key}@hub.test", name, name_en, _AGENT, team, title, extension)


class Staff:
    """Who the customers of an organization are assigned to, in which proportion (None is nobody), and by whom."""

    def __init__(self, names, shares, deciders):
        self.names, self.shares, self.deciders = names, _repeat(shares), deciders

    def mover(self, owner, decider):
        """Who moves a customer along its stages: the owner, unless that is nobody or one who may only look."""
        return decider if owner in (None, "emp_viewer") else owner

    @classmethod
    def of_core(cls):
        shares = {"emp_agent": 44, "emp_agent2": 30, "emp_manager": 12, "emp_viewer": 6, None: 8}
        return cls({person.id: person.name for person in PEOPLE}, shares, ("emp_manager", "emp_admin"))

    @classmethod
    def of_floor(cls):
        """The manager's team has a tenth, the other teams the rest; agents from 0.1 to 2.7 percent, agent@ a few."""
        shares, names = {None: 80, "emp_agent": 1, "emp_agent2": 4}, {person.id: person.name for person in PEOPLE}
        for number, person in enumerate(floor()):
            names[person.id] = person.name
            among_five = (1, 14, 18, 19, 23)[number // FLOOR_TEAMS]
            shares[person.id] = among_five + 4 * (person.team == 0 and among_five > 1)
        return cls(names, shares, ("emp_manager", "emp_admin"))

    @classmethod
    def of_other(cls):
        return cls({OTHER_ADMIN.id: OTHER_ADMIN.name}, {OTHER_ADMIN.id: 9, None: 1}, (OTHER_ADMIN.id,))


# --- Tables -------------------------------------------------------------------------------


def _repeat(shares):
    """A tuple from which a uniform pick has these proportions."""
    return tuple(word for word, share in shares.items() for _ in range(share))


def _pairs(table):
    """`[(Arabic, Latin)]` of a table of `عربي Latin` entries apart by commas."""
    return [tuple(entry.split()) for entry in table.split(",")]


_MEN = _pairs("""
    محمد Mohammed, عبدالله Abdullah, أحمد Ahmed, عبدالرحمن Abdulrahman, خالد Khalid, فهد Fahad, سعد Saad, سعود Saud,
    سلطان Sultan, فيصل Faisal, عبدالعزيز Abdulaziz, ناصر Nasser, ماجد Majed, تركي Turki, بندر Bandar, نواف Nawaf,
    مشعل Mishal, طلال Talal, يوسف Yousef, إبراهيم Ibrahim, علي Ali, حسن Hassan, حسين Hussain, عمر Omar, سامي Sami,
    صالح Saleh, سليمان Sulaiman, راشد Rashid, منصور Mansour, وليد Waleed, هاني Hani, ياسر Yasser, رائد Raed, زياد Ziyad,
    عادل Adel, بدر Badr, حمد Hamad, مساعد Musaed, عبدالملك Abdulmalik, عبدالإله Abdulelah, أنس Anas, باسل Basel,
    معاذ Muath, حمزة Hamza, ريان Rayan, متعب Mutaib, غازي Ghazi, عصام Essam, جابر Jaber, مبارك Mubarak
""")
_WOMEN = _pairs("""
    فاطمة Fatimah, نورة Noura, سارة Sarah, ريم Reem, هدى Huda, منى Mona, أمل Amal, هند Hind, لطيفة Latifa, مها Maha,
    عائشة Aisha, خديجة Khadija, مريم Maryam, شهد Shahad, لمى Lama, دانة Dana, غادة Ghada, أسماء Asma, وفاء Wafa,
    ابتسام Ibtisam, حصة Hessa, الجوهرة Aljawharah, العنود Alanoud, رهف Rahaf, جواهر Jawaher, سمية Sumayyah,
    نجلاء Najla, عبير Abeer, بشاير Bashayer, أروى Arwa
""")
_FAMILIES = _pairs("""
    القحطاني Al-Qahtani, العتيبي Al-Otaibi, الغامدي Al-Ghamdi, الزهراني Al-Zahrani, الحربي Al-Harbi, الشمري Al-Shammari,
    الدوسري Al-Dosari, المطيري Al-Mutairi, العنزي Al-Anazi, الشهري Al-Shehri, السبيعي Al-Subaie, البقمي Al-Buqami,
    الرشيدي Al-Rashidi, الجهني Al-Juhani, البلوي Al-Balawi, العسيري Al-Asiri, اليامي Al-Yami, المالكي Al-Malki,
    الثقفي Al-Thaqafi, السلمي Al-Sulami, الأحمدي Al-Ahmadi, العمري Al-Amri, الخالدي Al-Khaldi, التميمي Al-Tamimi,
    الراشد Al-Rashed, السديري Al-Sudairi, العجمي Al-Ajmi, الهاجري Al-Hajri, المري Al-Marri, القرني Al-Qarni,
    الأسمري Al-Asmari, البيشي Al-Bishi, الشريف Al-Sharif, الفيفي Al-Faifi, الحازمي Al-Hazmi, العوفي Al-Oufi,
    الصاعدي Al-Saedi, المولد Al-Muwallad, باوزير Bawazir, باجابر Bajaber, الحسيني Al-Husseini,
    الخليفة Al-Khalifa, النعيمي Al-Nuaimi, الفهد Al-Fahad, السالم Al-Salem, الصالح Al-Saleh, المنصور Al-Mansour,
    العيسى Al-Issa, الموسى Al-Mousa, السعيد Al-Saeed, الحمدان Al-Hamdan, الربيعة Al-Rabiah, الفوزان Al-Fawzan,
    العثيمين Al-Uthaymeen, الجاسر Al-Jasser, الداود Al-Dawood, الخضير Al-Khudair, المهنا Al-Muhanna, الشايع Al-Shaya
""")
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
    spellings = _repeat({city.name: 36, city.name_en: 3, **dict.fromkeys(others, 1)})
    districts = tuple(f"حي {district.strip()}" for district in districts.split(","))
    return _City(slug, spellings, districts, latitude, longitude, price)


_CITIES = _repeat({
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
_STAGE_RANKS = _repeat({0: 24, 1: 18, 2: 15, 3: 12, 4: 9, 5: 6, 6: 5, 7: 4, 8: 7})
# Days from the first inquiry until today, at least and at most, by stage; always enough for a day a stage.
_AGES = [(0, 60), (2, 120), (4, 180), (6, 240), (12, 300), (20, 330), (30, 365), (40, 400), (60, 540)]
_SOURCES = _repeat({"whatsapp": 32, "inquiry": 30, "manual": 14, "referral": 14, "import": 10})
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
_PRIORITIES = _repeat({"low": 24, "medium": 46, "high": 22, "urgent": 8})
_PURPOSES = _repeat({"buy": 62, "rent": 26, "invest": 12})
_TYPES = {
    "buy": _repeat({"villa": 45, "apartment": 42, "land": 13}),
    "rent": _repeat({"apartment": 70, "villa": 20, "commercial": 10}),
    "invest": _repeat({"land": 35, "commercial": 35, "apartment": 20, "villa": 10}),
}
# Riyals in Riyadh: for sale, or a year's rent.
_PRICES = {
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
_TIMELINES = _repeat({"immediate": 22, "1-3months": 38, "3-6months": 25, "6months+": 15})
_TAGS = _repeat({
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
_CONTACTS = _repeat({"whatsapp": 45, "call": 35, "meeting": 8, "site_visit": 7, "email": 5})
_DOMAINS = ["example.com", "example.net", "example.org"]


# --- Customers ----------------------------------------------------------------------------


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
    rng = random.Random(_SEED + number)
    pick = _picker(rng)
    person = _person(rng, pick, number)
    if organization_id == OTHER:
        rng.random()  # The same person has another story there.
    rank, city = pick(_STAGE_RANKS), pick(_CITIES)
    youngest, oldest = _AGES[rank]
    age_days = youngest + int((oldest - youngest) * rng.random() ** 1.7)
    midnight = _midnight(now)

    def moment(days_after):
        """A second of the working day so many days after the first inquiry; before now if that is today."""
        if days_after >= age_days:
            return int(now.timestamp()) - 60 - int(rng.random() * 3600)
        return midnight - (age_days - days_after) * 86_400 + 32_400 + int(rng.random() * 43_200)

    created = moment(0)
    changed = [created, *map(moment, sorted(rng.sample(range(1, age_days), rank)) if rank else ())]
    key = _id("cust", created, rng)

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

    priority, source = pick(_PRIORITIES), pick(_SOURCES)
    silent_days = int(rng.random() ** 2 * min(age_days, 90)) if age_days else 0
    contacted = None if rank == 0 and rng.random() < 0.35 else max(changed[-1], moment(age_days - silent_days))
    preferences, wish = _preferences(rng, pick, city) if rng.random() < 0.92 else ({}, 0)
    preferences = {"propertyType": [], "preferredAreas": []} | preferences
    worth = _money(wish * (0.85 + rng.random() * 0.3)) if wish and rank >= 4 else None
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
        "tags": _array(tags),
        "notes": f"{pick(_WANTS)}. {pick(_HABITS)}" if rng.random() < 0.6 else "",
        "assigned_employee_id": owner,
        "total_deal_value": worth,
        "expected_revenue": worth and round(worth * 0.025, 2),
        "paid_amount": worth and rank >= 6 and (worth if rank == 8 else _money(worth * 0.1)) or None,
        "city": city_name,
        "district": district,
        "address": f"{district}، شارع {pick(_MEN)[0]}" if district and rng.random() < 0.4 else "",
        "latitude": round(city.latitude + rng.uniform(-0.08, 0.08), 6) if located else None,
        "longitude": round(city.longitude + rng.uniform(-0.08, 0.08), 6) if located else None,
        "lead_score": _score(rng, rank, silent_days if contacted else 60, priority),
        "last_contact_at": contacted and _utc(contacted),
        "last_contact_type": pick(_CONTACTS) if contacted else "",
        "next_follow_up_date": _follow_up(rng, now) if rank < 8 and rng.random() < 0.6 else None,
        "version": rank + len(hand_overs) + 1,
        "created_at": _utc(created),
        "updated_at": _utc(max(changed[-1], hand_overs[-1][2] if hand_overs else 0)),
    }
    customer |= derived_columns(
        name=person["name"], name_en=person["name_en"], city=city_name, tags=tags, preferences=preferences
    )
    customer["facets"] = _array(customer["facets"])
    mover = staff.mover(owner, decider)
    return Made(
        customer,
        [
            {
                "id": _id("stage", at, rng),
                "customer_id": key,
                "from_stage": _STAGES[place - 1] if place else None,
                "to_stage": _STAGES[place],
                "changed_by": staff.names[mover],
                "changed_by_id": mover,
                "changed_at": _utc(at),
                "reason": _REASONS[place - 1] if place and rng.random() < 0.7 else "",
            }
            for place, at in enumerate(changed)
        ],
        [
            {
                "id": _id("asg", at, rng),
                "customer_id": key,
                "from_employee_id": before,
                "to_employee_id": after,
                "assigned_by": staff.names[decider],
                "assigned_by_id": decider,
                "assigned_at": _utc(at),
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
        name, latin, is_male = _saudi_name(rng)
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


def _saudi_name(rng, *, short=False):
    """`(Arabic, Latin, is male)`: given name, often the father's, family name; spelled as people spell."""
    pick = _picker(rng)
    is_male = rng.random() < 0.72
    given, father, family = pick(_MEN if is_male else _WOMEN), pick(_MEN), pick(_FAMILIES)
    style = 1 if short else rng.random()
    if style < 0.3:
        son = ("بنت", "bint") if not is_male else ("بن", "bin")
        return f"{given[0]} {son[0]} {father[0]} {family[0]}", f"{given[1]} {son[1]} {father[1]} {family[1]}", is_male
    if style < 0.5:
        return f"{given[0]} {father[0]} {family[0]}", f"{given[1]} {father[1]} {family[1]}", is_male
    name, latin = f"{given[0]} {family[0]}", f"{given[1]} {family[1]}"
    if style < 0.58:
        name = name.replace("عبدال", "عبد ال").replace("أ", "ا").replace("إ", "ا")
    return name, latin, is_male


def _national_id(rng, nationality):
    """Ten digits with a valid checksum: 1 for citizens, 2 for residents."""
    digits = [1 if nationality == "Saudi" else 2, *(int(rng.random() * 10) for _ in range(8))]
    total = sum((digit * 2) // 10 + (digit * 2) % 10 for digit in digits[::2]) + sum(digits[1::2])
    return "".join(map(str, [*digits, -total % 10]))


def _preferences(rng, pick, city):
    """`(preferences, the price in the middle of the budget)`."""
    purpose = pick(_PURPOSES)
    kind = pick(_TYPES[purpose])
    cheapest, dearest = _PRICES[purpose, kind]
    lower = _money((cheapest + (dearest - cheapest) * rng.random() ** 2) * city.price)
    upper = _money(lower * (1.15 + rng.random() * 0.5))
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
    return datetime.fromtimestamp(_midnight(now), _ZONE).date() + timedelta(days=int(rng.random() * 26) - 5)


def _money(amount):
    """Rounded as people name prices: to thousands below 300,000, else to 25,000."""
    step = 1_000 if amount < 300_000 else 25_000
    return round(amount / step) * step


@lru_cache(maxsize=8)
def _midnight(now):
    """The second at which the day of `now` began in Riyadh."""
    return int(datetime.combine(now.astimezone(_ZONE).date(), datetime.min.time(), _ZONE).timestamp())


def _picker(rng):
    uniform = rng.random
    return lambda words: words[int(uniform() * len(words))]


def _array(words):
    # psycopg's own way takes twenty times as long; none of our words needs more than JSON's quotes.
    return f"{{{orjson.dumps(words).decode()[1:-1]}}}"


def _utc(seconds):
    return datetime.fromtimestamp(seconds, UTC)


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TWO_CHARACTERS = [first + second for first in _ALPHABET for second in _ALPHABET]


def _id(prefix, seconds, rng):
    """An id as config.db.new_id would have made it at that time."""
    when, chance, two = seconds * 1000, rng.getrandbits(50), _TWO_CHARACTERS
    return (
        f"{prefix}_{two[when >> 40]}{two[when >> 30 & 1023]}{two[when >> 20 & 1023]}{two[when >> 10 & 1023]}"
        f"{two[when & 1023]}{two[chance >> 40]}{two[chance >> 30 & 1023]}{two[chance >> 20 & 1023]}"
        f"{two[chance >> 10 & 1023]}{two[chance & 1023]}"
    )
