"""The query language read plainly in Python, over a pool of random customers; and random filters to ask of both."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from config.arabic import fold, fold_text
from config.models import AuditEntry
from config.testing import HubClient, make_employee
from customers.models import Customer
from customers.search import derived_columns
from customers.tests.rules import RIYADH, midnight
from employees import services as employees
from employees.choices import Role
from employees.models import Team

STAGES = (
    "new_lead qualified property_matching site_visit negotiation contract_prep down_payment closing post_sale".split()
)
PRIORITIES = "low medium high urgent".split()
SOURCES = "inquiry manual whatsapp import referral".split()
# What people call a place -> the place; and what people call a region -> the places that lie in it.
CITIES = {
    "الرياض": "riyadh",
    "Riyadh": "riyadh",
    "الریاض": "riyadh",
    "جدة": "jeddah",
    "Jiddah": "jeddah",
    "Dubai": "dubai",
}
REGIONS = {"الرياض": {"riyadh"}, "Riyadh": {"riyadh"}, "مكة": {"jeddah"}, "SA-02": {"jeddah"}, "المدينة": set()}
TYPES = {"villa": "villa", "فيلا": "villa", "apartment": "apartment", "شقة": "apartment", "قصر": "قصر"}
AREAS = ["الرياض - حي النرجس", "حي النرجس", "جدة - حي الزهراء", "Al Olaya"]
NAMES = [
    ("محمد الفهد", "Mohammed Al-Fahd"), ("احمد السعيد", ""), ("عبد الله الشمرى", "Abdullah"), ("100% عقار", "A_B"),
    ("فاطمة الزهراء", "Fatimah"), ("Nour El-Din", ""),
]  # fmt: skip
TEXTS = ["", "", "يريد شُقَّةً قريبة", "عميل مميز ٥٠%", "CASH now", "cash_now", "يريد شقه", "a\\b"]
EMAILS = ["", "Ahmed.S@hub.example", "mohd_99@mail.example", "x@y.sa"]
TAGS = ["vip", "VIP", "عميل مميز", "cash, now"]
AMENITIES = [["pool", "مسبح"], ["Majlis"], ["مَسبح", None, 5], [], "pool", None, {"pool": 1}]
ROOMS = [None, 1, 2, 3, 3, 4.5, "3", True, [3], {"n": 3}]
MOMENTS = [
    datetime(2024, 1, 14, 20, 59, 59, tzinfo=UTC), datetime(2024, 1, 14, 21, 0, 0, tzinfo=UTC),
    datetime(2024, 1, 15, 20, 59, 59, 999999, tzinfo=UTC), datetime(2024, 2, 29, 8, 30, 0, 250000, tzinfo=UTC),
]  # fmt: skip
DAYS = [date(1990, 5, 1), date(2024, 1, 15), date(2024, 2, 29)]
MONEY = [None, None, 500_000, 800_000, 1_200_000.5, 2_500_000]
IDS = ["", "1000000008", "2000000006", "AB 123"]

# Each field with its kind; a column, where it is one of its own name in Python's spelling, or none.
KINDS = {
    "id": "word", "name": "name", "nameEn": "name", "phone": "phone", "whatsapp": "phone", "email": "text",
    "nationalId": "id number", "gender": "word", "dateOfBirth": "day", "familySize": "number", "customerType": "text",
    "source": "word", "stage": "word", "priority": "word", "leadScore": "number", "tags": "tags", "notes": "text",
    "assignedEmployeeId": "assignee", "preferences.propertyType": "types", "preferences.preferredAreas": "areas",
    "preferences.amenities": "words", "preferences.budgetMin": "number", "preferences.budgetMax": "number",
    "preferences.bedrooms": "number", "preferences.purpose": "word", "preferences.timeline": "word",
    "preferences.notes": "text", "sourceDetails.campaign": "text", "totalDealValue": "number", "city": "city",
    "district": "text", "state": "region", "latitude": "number", "createdAt": "moment", "lastContactAt": "moment",
    "nextFollowUpDate": "day", "totalInteractions": "number", "responseRate": "number",
}  # fmt: skip
ALIASES = {
    "dealValue": "totalDealValue", "lastContactDate": "lastContactAt", "budgetMin": "preferences.budgetMin",
    "propertyType": "preferences.propertyType", "assignedTo": "assignedEmployeeId", "region": "state",
    "timeline": "preferences.timeline",
}  # fmt: skip
EQUALITY, ORDER, PARTS = ("eq", "ne", "in", "nin"), ("gt", "gte", "lt", "lte"), ("contains", "startsWith")
OPERATORS = {
    **dict.fromkeys(("word", "id number", "assignee", "region"), EQUALITY),
    **dict.fromkeys(("number", "moment", "day"), EQUALITY + ORDER),
    **dict.fromkeys(("name", "text", "phone", "city"), EQUALITY + PARTS),
    **dict.fromkeys(("tags", "types", "areas", "words"), (*EQUALITY, "contains")),
}


# --- The pool ------------------------------------------------------------------------------------------------


class Pool:
    """The people of the pool, a client for each, and the customers as `{field: value}`, None for no value."""

    def __init__(self):
        self.organization = employees.create_organization(name="وساطة الأسئلة")
        self.other = employees.create_organization(name="وساطة غيرها")
        north = Team.objects.get(organization=self.organization, is_default=True)
        south = Team.objects.create(organization=self.organization, name="جنوب الأسئلة")
        roles = {
            "layla": (Role.ADMIN, north), "fatima": (Role.SALES_MANAGER, north), "ahmed": (Role.SALES_AGENT, north),
            "huda": (Role.VIEWER, north), "omar": (Role.SALES_AGENT, south),
        }  # fmt: skip
        self.people = {name: make_employee(self.organization, name, *role) for name, role in roles.items()}
        self.clients = {name: HubClient(person) for name, person in self.people.items()}
        self.ids = {name: person.pk for name, person in self.people.items()}
        chance = random.Random(1446)
        self.rows = [self.make_row(chance, number) for number in range(70)]
        hidden = [self.make_row(chance, number) for number in range(70, 80)]
        columns = [self.columns(row) for row in self.rows + hidden]
        for column in columns[70:75]:
            column["deleted_at"] = MOMENTS[0]
        for column in columns[75:]:
            column |= {"organization": self.other, "assigned_employee_id": None}
        Customer.objects.bulk_create(Customer(**column) for column in columns)

    def make_row(self, chance, number):
        name, name_en = chance.choice(NAMES)
        low, high = sorted([chance.choice(MONEY) or 0, chance.choice(MONEY) or 0])
        pick = chance.choice
        return {
            "id": f"cust_lang_{chance.randrange(10**6):06d}_{number}",
            "name": name, "nameEn": name_en,
            "phone": f"+97150{1000000 + number}" if number % 9 == 0 else f"+9665{pick('135')}234{number:04d}",
            "whatsapp": pick(["", f"+966512340{number:03d}"]),
            "email": pick(EMAILS), "nationalId": pick(IDS), "gender": pick(["", "male", "female"]),
            "dateOfBirth": pick([None, *DAYS]), "familySize": pick([None, 0, 3, 7]), "customerType": pick(TEXTS),
            "source": pick(SOURCES[:3]), "stage": pick(STAGES[:4]), "priority": pick(PRIORITIES),
            "leadScore": pick([0, 20, 50, 50, 80, 100]), "tags": chance.sample(TAGS, chance.randrange(3)),
            "notes": pick(TEXTS),
            "assignedEmployeeId": pick([*self.ids.values(), self.ids["ahmed"], self.ids["huda"], None]),
            "preferences.propertyType": chance.sample(list(TYPES), chance.randrange(3)),
            "preferences.preferredAreas": chance.sample(AREAS, chance.randrange(3)),
            "preferences.amenities": pick(AMENITIES), "preferences.bedrooms": pick(ROOMS),
            "preferences.budgetMin": low or None, "preferences.budgetMax": high or None,
            "preferences.purpose": pick([None, "buy", "rent"]), "preferences.timeline": pick([None, "6months+"]),
            "preferences.notes": pick([None, *TEXTS]), "sourceDetails.campaign": pick([None, *TEXTS]),
            "totalDealValue": pick([None, Decimal(0), Decimal("99.99"), Decimal(2_200_000)]),
            "city": pick(["", *CITIES]), "district": pick(TEXTS), "latitude": pick([None, Decimal("24.71355170")]),
            "createdAt": pick(MOMENTS), "lastContactAt": pick([None, *MOMENTS]),
            "nextFollowUpDate": pick([None, *DAYS]), "totalInteractions": pick([0, 1, 12]),
            "responseRate": pick([None, Decimal("33.33"), Decimal(100)]),
        }  # fmt: skip

    def columns(self, row):
        documents = {"preferences": {"propertyType": [], "preferredAreas": []}, "sourceDetails": {}}
        for name, value in row.items():
            document, dot, key = name.partition(".")
            # The other half of what has no value stands there as null.
            if dot and (value is not None or len(row["id"]) % 2):
                documents[document][key] = value
        named = {
            "name": row["name"], "name_en": row["nameEn"], "city": row["city"], "tags": row["tags"],
            "preferences": documents["preferences"],
        }  # fmt: skip
        plain = {
            "nationalId": "national_id", "dateOfBirth": "date_of_birth", "familySize": "family_size",
            "customerType": "customer_type", "leadScore": "lead_score", "assignedEmployeeId": "assigned_employee_id",
            "totalDealValue": "total_deal_value", "createdAt": "created_at", "lastContactAt": "last_contact_at",
            "nextFollowUpDate": "next_follow_up_date", "totalInteractions": "total_interactions",
            "responseRate": "response_rate",
        }  # fmt: skip
        same = (
            "id", "phone", "whatsapp", "email", "gender", "source", "stage", "priority", "notes", "district",
            "latitude",
        )  # fmt: skip
        return (
            {name: row[name] for name in same}
            | {column: row[name] for name, column in plain.items()}
            | named
            | derived_columns(district=row["district"], **named)
            | {"source_details": documents["sourceDetails"], "organization": self.organization}
        )

    def remove(self):
        for organization in (self.organization, self.other):
            Customer.objects.filter(organization=organization).delete()
            organization.employees.all().delete()
            organization.delete()
        AuditEntry.objects.all().delete()

    def visible_to(self, viewer):
        """Admins see all, managers their team's and nobody's, agents and viewers their own."""
        seen = {
            "layla": {*self.ids.values(), None},
            "fatima": {*self.ids.values(), None} - {self.ids["omar"]},
        }.get(viewer, {self.ids[viewer]})
        return [row for row in self.rows if row["assignedEmployeeId"] in seen]


# --- The rules, read plainly ---------------------------------------------------------------------------------


def fulfils(row, filters, me, within=""):
    """Whether a customer is what the filters say, for somebody whose id is `me`."""
    return all(holds(row, within + key, value, me) for key, value in filters.items())


def holds(row, name, value, me):
    if name in ("and", "or"):
        return (all if name == "and" else any)(fulfils(row, inner, me) for inner in value)
    if name in ("preferences", "sourceDetails"):
        return fulfils(row, value, me, f"{name}.")
    name = ALIASES.get(name, name)
    if not isinstance(value, dict):
        value = {"in" if isinstance(value, list) else "eq": value}
    return all(compares(row, name, operator, asked, me) for operator, asked in value.items())


def compares(row, name, operator, asked, me):
    kind, stored = KINDS[name], row["city" if name == "state" else name]
    values = valued(kind, stored)
    if operator in ("eq", "in"):
        return any(is_one(kind, values, one, me) for one in (asked if operator == "in" else [asked]))
    if operator in ("ne", "nin"):
        return not any(is_one(kind, values, one, me) for one in (asked if operator == "nin" else [asked]))
    if operator == "contains":
        return any(part_of(kind, asked) in part_of(kind, value) for value in values)
    if operator == "startsWith" and kind == "phone":
        return any(value.startswith(beginning(asked)) for value in values)
    if operator == "startsWith":
        return any(part_of(kind, value).startswith(part_of(kind, asked)) for value in values)
    return any(in_order(kind, value, operator, asked) for value in values)


def valued(kind, stored):
    """The values that a field holds: several for lists, none where there is no value."""
    if kind in ("tags", "types", "areas", "words"):
        return [str(word) for word in stored if word is not None] if isinstance(stored, list) else []
    if kind == "number" and (isinstance(stored, bool) or not isinstance(stored, (int, float, Decimal))):
        return []
    if kind == "region":
        return [CITIES[stored]] if CITIES.get(stored) in ("riyadh", "jeddah") else []
    return [] if stored is None or stored == "" else [stored]


def is_one(kind, values, asked, me):
    if asked is None or kind == "assignee" and asked == "unassigned":
        return not values
    return any(is_same(kind, value, asked, me) for value in values)


def is_same(kind, value, asked, me):
    if kind == "name":
        return fold(value) == fold(asked)
    if kind in ("text", "words"):
        return fold_text(value) == fold_text(asked)
    if kind == "phone":
        return value == whole_phone(asked)
    if kind == "city":
        return CITIES[value] == CITIES[asked]
    if kind == "region":
        return value in REGIONS[asked]
    if kind == "types":
        return TYPES[value] == TYPES[asked]
    if kind == "areas":
        return fold_text(asked) in (fold_text(value), fold_text(value.split(" - ")[-1]))
    if kind == "number":
        return Decimal(str(value)) == Decimal(str(asked))
    if kind == "moment":
        first, after = span(asked)
        return first <= value < after
    if kind == "day":
        return value.isoformat() == asked
    return value == (me if kind == "assignee" and asked == "me" else asked)


def in_order(kind, value, operator, asked):
    if kind == "moment":
        first, after = span(asked)
        return {"gte": value >= first, "gt": value >= after, "lt": value < first, "lte": value < after}[operator]
    left, right = (value.isoformat(), asked) if kind == "day" else (Decimal(str(value)), Decimal(str(asked)))
    return {"gte": left >= right, "gt": left > right, "lt": left < right, "lte": left <= right}[operator]


def span(asked):
    """The first moment of what is asked for, and the first after it: of a day in Riyadh, or of an instant."""
    if "T" not in asked:
        day = date.fromisoformat(asked)
        return midnight(day), midnight(day + timedelta(days=1))
    moment = datetime.fromisoformat(asked.replace("Z", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=RIYADH)
    return moment, moment + timedelta(microseconds=1)


def part_of(kind, text):
    if kind == "phone":
        return "".join(c for c in plain(text) if c.isdigit())
    return fold(text) if kind == "name" else fold_text(text)


def plain(text):
    return text.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))


def whole_phone(asked):
    digits = part_of("phone", asked)
    for prefix in ("00966", "966", "00", "0"):
        if digits.startswith(prefix):
            return ("+" if prefix == "00" else "+966") + digits.removeprefix(prefix)
    return f"+{digits}"


def beginning(asked):
    digits = part_of("phone", asked)
    return f"+966{digits[1:]}" if digits.startswith("0") else f"+{digits}"


# --- Random filters ------------------------------------------------------------------------------------------


def values_asked(pool):
    """For each kind, what may be asked: mostly what is there, in other words."""
    return {
        "name": ["محمد", "أَحْمَد السعيد", "mohammed al fahd", "عبدالله", "زهرا", "fatimah", "100%", "a_b", "نور"],
        "text": ["شقة", "يُريد", "cash", "CASH NOW", "_now", "50%", "%", "_", "عميل", "a\\b", "\\", "Hub.exam"],
        "id number": ["1000000008", "2000000006", "AB 123"],
        "number": [0, 1, 3, "٣", 4.5, 20, 50, 99.99, 500_000, 1_200_000.5, 2_500_000, 24.7135517, -1, 10**12],
        "moment": [
            *(spelled for moment in MOMENTS for spelled in spellings(moment)), "2024-01-14", "2024-01-15", "2024-01-16",
        ],
        "day": ["1990-05-01", "2024-01-15", "2024-02-28", "2024-02-29"],
        "assignee": [*pool.ids.values(), "me", "unassigned", "emp_none"],
        "region": list(REGIONS), "city": list(CITIES), "tags": TAGS, "types": list(TYPES),
        "areas": [*AREAS, "حى النرجس", "AL OLAYA"], "words": ["مسبح", "POOL", "majlis", "5"],
    }  # fmt: skip


WORDS = {
    "gender": ["male", "female"], "source": SOURCES, "stage": STAGES, "priority": PRIORITIES,
    "preferences.purpose": ["buy", "rent", "invest"], "preferences.timeline": ["6months+", "immediate"],
}  # fmt: skip
PHONE_PARTS = {"contains": ["1234", "٩٦٦", "50", "+966 53"], "startsWith": ["+9665", "05", "٠٥", "+971", "053", "0"]}


def spellings(moment):
    local = moment.astimezone(RIYADH)
    return [moment.isoformat().replace("+00:00", "Z"), local.isoformat(), local.replace(tzinfo=None).isoformat()]


def spelled_phones(phone):
    national = phone.removeprefix("+966")
    arabic = national.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    return [phone] if national == phone else [phone, f"0{national}", f"00966 {national}", f"٠{arabic}"]


def filters_for(pool, fields=tuple(KINDS)):
    """Strategy for filters, each a JSON value: nested or dotted, by other names, in groups."""
    asked = values_asked(pool)
    others = {name: [alias for alias, meant in ALIASES.items() if meant == name] for name in KINDS}

    def values_of(name, operator):
        kind = KINDS[name]
        if kind == "phone":
            phones = [spelled for row in pool.rows if row[name] for spelled in spelled_phones(row[name])]
            return st.sampled_from(PHONE_PARTS.get(operator) or phones)
        if kind == "word":
            return st.sampled_from(WORDS.get(name) or [row["id"] for row in pool.rows])
        if kind == "text" and operator in EQUALITY:
            return st.sampled_from([row[name] for row in pool.rows if row[name]])
        if kind == "name" and operator in EQUALITY:
            return st.sampled_from([spelled for pair in NAMES for spelled in pair if spelled])
        if kind == "words" and operator == "contains":
            return st.sampled_from(["سب", "oo", "MAJ", "5"])
        if kind in ("tags", "types", "areas") and operator == "contains":
            return st.sampled_from(["ip", "V", "مميز", "لا", "شق", "olaya", "جس"])
        return st.sampled_from(asked[kind])

    @st.composite
    def a_condition(draw):
        name = draw(st.sampled_from(fields))
        chosen = draw(st.lists(st.sampled_from(OPERATORS[KINDS[name]]), min_size=1, max_size=2, unique=True))
        condition = {}
        for operator in chosen:
            value = values_of(name, operator)
            if operator in ("in", "nin"):
                condition[operator] = draw(st.lists(value | st.none(), min_size=1, max_size=4))
            else:
                condition[operator] = draw(value | st.none() if operator in ("eq", "ne") else value)
        if list(condition) in (["eq"], ["in"]) and draw(st.booleans()):
            (condition,) = condition.values()
        document, dot, key = name.partition(".")
        spelling = draw(st.sampled_from(["dotted", "nested", *others[name]]))
        if spelling == "nested":
            return {document: {key: condition}} if dot else {name: condition}
        return {name if spelling == "dotted" else spelling: condition}

    def merged(objects):
        return {name: value for one in objects for name, value in one.items()}

    def grouped(inner):
        return st.builds(
            lambda word, parts: {word: parts}, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)
        )

    condition = a_condition()
    some = st.lists(condition, min_size=1, max_size=2).map(merged)
    group = grouped(some | grouped(some))
    return some | group | st.lists(condition | group, min_size=2, max_size=3).map(merged)


def as_text(filters):
    return json.dumps(filters, ensure_ascii=False)
