"""The rules of lists, read plainly in Python, over pools of random rows; and random questions to ask of both."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from actions.models import ActionCount, CustomerAction
from config.arabic import fold_text
from config.models import AuditEntry
from config.testing import HubClient, make_employee
from customers.models import Customer
from customers.search import derived_columns
from customers.tests.rules import RIYADH, ends_by, has_budget, is_customer_found, midnight, starts_by
from employees import services as employees
from employees.choices import Role
from employees.models import Team

TYPES = (
    "new_inquiry callback_request property_match follow_up document_required payment_due site_visit whatsapp_incoming "
    "ai_recommended"
).split()
STATUSES = "pending in_progress completed dismissed snoozed".split()
PRIORITIES = "low medium high urgent".split()
SOURCES = "inquiry manual whatsapp import referral".split()
TABS = {
    "inbox": ("open", {"new_inquiry", "callback_request", "whatsapp_incoming"}),
    "followups": ("open", {"follow_up", "site_visit"}),
    "all": ("open", set(TYPES)),
    "completed": ("ended", set(TYPES)),
}
BUCKETS = "overdue today week month no_date".split()
INSTANT, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)

# What people call a place -> the place; and what people call a region -> the places of the pool that lie in it.
CITIES = {
    "الرياض": "riyadh", "Riyadh": "riyadh", "الریاض": "riyadh", "جدة": "jeddah", "جده": "jeddah", "Jiddah": "jeddah",
    "الخبر": "khobar", "Al Khobar": "khobar", "قرية الفاو": "faw", "قريه الفاو": "faw", "Dubai": "dubai",
}  # fmt: skip
REGIONS = {
    "الرياض": {"riyadh"}, "Riyadh": {"riyadh"}, "مكة": {"jeddah"}, "مكة المكرمة": {"jeddah"}, "Makkah": {"jeddah"},
    "الشرقية": {"khobar"}, "Eastern Province": {"khobar"}, "المدينة": set(),
}  # fmt: skip
PROPERTY_TYPES = {"villa": "villa", "فيلا": "villa", "apartment": "apartment", "شقة": "apartment", "land": "land"}
NAMES = [
    ("محمد الغامدي", "Mohammed Al-Ghamdi"), ("أحمد الغامدى", "Ahmed"), ("احمد السعيد", ""), ("هند", "Hind"),
    ("عبدالله الشمري", "Abdullah"), ("شركة دار 1234 للتطوير", "Dar Co."),
]  # fmt: skip
EMAILS = ["", "Ahmed.S@hub.example", "mohd_99@mail.example"]
TITLES = [
    "اتصال بالأستاذ الغامدي", "إتصال ثان", "خصم 50% للعميل", "Send file_name", "send file name", "صك رقم ١٢٣٤٥",
    "معاينة فيلا", "Call 0551234567",
]  # fmt: skip
DESCRIPTIONS = ["", "", "", "أرسل العقد قبل ٣٠ رمضان", "100% CASH_now", "يريد شُقَّةً قريبة من المدرسة"]
SEARCHES = [
    "الغامدى", "الغامدي", "احمد", "أَحْمَد", "اتصال", "إتصال", "SEND", "file_name", "file name", "_", "%", "50%", "12345",
    "١٢٣٤", "٣٠ رمضان", "شقه قريبه", "hind", "mohd_99", "@hub.example", "0551", "055123", "٠٥٥١٢", "+966 55-1",
    "00966551", "cash_NOW", "!!", "غير موجود", "هند", "ان",
]  # fmt: skip
BUDGETS = [None, None, 500_000, 800_000, 1_200_000.5, 2_500_000]
ROLES = ("layla", "fatima", "ahmed", "huda")
TEAM = {"layla", "fatima", "ahmed", "huda", None}


# --- The pools: three brokerages, each around another now, with many ties, gaps and edges of days -------------


class Pool:
    """One brokerage: its people with a client for each, its customers and actions as plain dicts, and its now."""

    NOWS = (
        datetime(2024, 5, 15, 10, 20, 30, 500_000, RIYADH),
        datetime(2024, 5, 31, 23, 59, 59, 900_000, RIYADH),
        datetime(2024, 6, 1, 0, 0, 0, 0, RIYADH),
    )

    def __init__(self, number, *, customers=22, actions=80):
        self.number, self.now = number, self.NOWS[number].astimezone(UTC)
        self.minute = self.now.replace(second=0, microsecond=0)
        self.today = self.now.astimezone(RIYADH).date()
        self.organization = employees.create_organization(name=f"وساطة الاختبار {number}")
        north = Team.objects.get(organization=self.organization, is_default=True)
        south = Team.objects.create(organization=self.organization, name="جنوب الاختبار")
        self.people = {
            "layla": make_employee(self.organization, "ليلى Layla", Role.ADMIN, north),
            "fatima": make_employee(self.organization, "فاطمة Fatima", Role.SALES_MANAGER, north),
            "ahmed": make_employee(self.organization, "أحمد Ahmed", Role.SALES_AGENT, north),
            "huda": make_employee(self.organization, "هدى Huda", Role.VIEWER, north),
            "omar": make_employee(self.organization, "عمر Omar", Role.SALES_AGENT, south),
        }
        self.ids = {name: person.pk for name, person in self.people.items()} | {None: None}
        self.clients = {name: HubClient(person) for name, person in self.people.items()}
        self.chance = random.Random(1445 + number)
        self.moments = self.edges()
        self.customers = [self.make_customer(index) for index in range(customers)]
        self.rows = [self.make_action(index) for index in range(actions)]
        Customer.objects.bulk_create(Customer(**self.customer_columns(row)) for row in self.customers)
        derived = {row["id"]: self.place_of(row) for row in self.customers}
        CustomerAction.objects.bulk_create(
            CustomerAction(**self.action_columns(row), **derived[row["customer"]["id"]]) for row in self.rows
        )

    def __repr__(self):
        return f"Pool({self.number})"

    def edges(self):
        """Moments at and around the edges of this day, week and month and of this minute."""
        month, day = self.today.replace(day=1), self.today
        following = (month + 31 * DAY).replace(day=1)
        starts = [midnight(day) for day in (month, following, day, day + DAY, day + 8 * DAY)]
        starts += [self.minute, self.now, self.minute + MINUTE]
        around = [start + sign * INSTANT for start in starts for sign in (-1, 0, 1)]
        return around + [midnight(day) + hours * timedelta(hours=1) for hours in (-30, 1, 9, 23, 80, 400)]

    def make_customer(self, index):
        chance = self.chance
        name, name_en = chance.choice(NAMES)
        low, high = chance.choice(BUDGETS), chance.choice(BUDGETS)
        if low and high and low > high:
            low, high = high, low
        return {
            "id": f"cust_p{self.number}_{chance.randrange(10**6):06d}_{index}",
            "name": name,
            "nameEn": name_en,
            "phone": f"+96655{chance.choice('12')}234{index:03d}",
            "email": chance.choice(EMAILS),
            "city": chance.choice(["", *CITIES]),
            "budgetMin": low,
            "budgetMax": high,
            "types": chance.sample(list(PROPERTY_TYPES), chance.randrange(3)),
            "assignee": chance.choice(["ahmed", "ahmed", "huda", "huda", "omar", "fatima", "layla", None]),
            "deleted": index % 7 == 3,
            "response": chance.choice([None, Decimal("0.50"), Decimal("3.25"), Decimal("12")]),
            "created": chance.choice(self.moments),
        }

    def make_action(self, index):
        chance = self.chance
        customer, created = chance.choice(self.customers), chance.choice(self.moments)
        status = chance.choice(["pending", "pending", "in_progress", "snoozed", "snoozed", "completed", "dismissed"])
        took = chance.choice([timedelta(0), timedelta(minutes=25), timedelta(hours=7, seconds=1), 3 * DAY])
        ended = chance.choice([created + took, chance.choice(self.moments)])
        return {
            "id": f"action_p{self.number}_{chance.randrange(10**6):06d}_{index}",
            "customer": customer,
            "type": chance.choice(TYPES),
            "title": chance.choice(TITLES),
            "description": chance.choice(DESCRIPTIONS),
            "priority": chance.choice(PRIORITIES),
            "status": status,
            "source": chance.choice(SOURCES),
            "due": chance.choice([None, *self.moments]),
            "snoozed": chance.choice(self.snoozes()) if status == "snoozed" else None,
            "assignee": chance.choice([customer["assignee"]] * 3 + ["ahmed", "omar", "fatima", None]),
            "created": created,
            "ended": ended if status in ("completed", "dismissed") else None,
        }

    def snoozes(self):
        """Ends of snoozes: long past, of this very minute, of this minute's later seconds, ahead."""
        return [self.minute - DAY, self.minute - INSTANT, self.minute, self.minute + INSTANT, self.now + MINUTE]

    def place_of(self, customer):
        columns = self.customer_columns(customer)
        return {"city_key": columns["city_key"], "region": columns["region"]}

    def customer_columns(self, row):
        preferences = {"propertyType": row["types"], "preferredAreas": []}
        preferences |= {key: row[key] for key in ("budgetMin", "budgetMax") if row[key] is not None}
        searched = {"name": row["name"], "name_en": row["nameEn"], "city": row["city"], "district": "", "tags": []}
        return (
            {key: row[key] for key in ("id", "phone", "email")}
            | searched
            | derived_columns(preferences=preferences, **searched)
            | {
                "organization": self.organization,
                "preferences": preferences,
                "source": "manual",
                "assigned_employee_id": self.ids[row["assignee"]],
                "created_at": row["created"],
                "deleted_at": self.now if row["deleted"] else None,
                "avg_response_time": row["response"],
            }
        )

    def action_columns(self, row):
        customer = row["customer"]
        return {key: row[key] for key in ("id", "type", "title", "description", "priority", "status", "source")} | {
            "organization": self.organization,
            "customer_id": customer["id"],
            "customer_assignee": self.ids[customer["assignee"]],
            "customer_deleted": customer["deleted"],
            "assigned_to_id": self.ids[row["assignee"] if row["assignee"] != "huda" else None],
            "due_date": row["due"],
            "snoozed_until": row["snoozed"],
            "created_at": row["created"],
            "completed_at": row["ended"],
            "dismissed_at": row["ended"] if row["status"] == "dismissed" else None,
        }

    def remove(self):
        CustomerAction.objects.filter(organization=self.organization).delete()
        Customer.objects.filter(organization=self.organization).delete()
        self.organization.employees.all().delete()
        self.organization.delete()
        ActionCount.objects.filter(organization_id=self.organization.pk).delete()
        AuditEntry.objects.all().delete()


# --- The rules, read plainly -----------------------------------------------------------------------------------


def assignee_of(row):
    """Viewers are given customers, never actions."""
    return None if row["assignee"] == "huda" else row["assignee"]


def in_scope(row, viewer):
    """Actions of visible customers and those assigned to oneself; of deleted customers none."""
    if row["customer"]["deleted"]:
        return False
    owner = row["customer"]["assignee"]
    is_visible = {"layla": True, "fatima": owner in TEAM}.get(viewer, owner == viewer)
    return is_visible or assignee_of(row) == viewer


def standing(row, pool):
    """A snoozed action whose time has come by the full minute is pending."""
    is_woken = row["status"] == "snoozed" and row["snoozed"] <= pool.minute
    return "pending" if is_woken else row["status"]


def is_open(row, pool):
    return standing(row, pool) in ("pending", "in_progress")


def is_due(row, word, pool):
    if word == "all":
        return True
    if not is_open(row, pool):
        return False
    if word == "no_date" or row["due"] is None:
        return word == "no_date" and row["due"] is None
    if word == "overdue":
        return row["due"] < pool.minute
    day = row["due"].astimezone(RIYADH).date()
    if word == "month":
        return (day.year, day.month) == (pool.today.year, pool.today.month)
    return pool.today <= day <= pool.today + {"today": 0, "week": 7}[word] * DAY


def is_in_tab(row, word, pool):
    kind, types = TABS[word]
    return is_open(row, pool) == (kind == "open") and row["type"] in types and standing(row, pool) != "snoozed"


def is_found(row, text, pool):
    """The folded title or description contains the text, or it finds the customer."""
    own = any(fold_text(text) in fold_text(row[key]) for key in ("title", "description"))
    return own or is_customer_found(row["customer"], text)


def reaches(row, bound, *, end):
    """The customer's range of budgets overlaps the one asked for; an open end is open, no budget is none."""
    customer = row["customer"]
    value = customer["budgetMin" if end else "budgetMax"]
    if value is None:
        return has_budget(customer)
    return value <= bound if end else value >= bound


RULES = {
    "status": lambda row, words, pool: standing(row, pool) in words,
    "type": lambda row, words, pool: row["type"] in words,
    "priority": lambda row, words, pool: row["priority"] in words,
    "source": lambda row, words, pool: row["source"] in words,
    "dueDate": is_due,
    "tab": is_in_tab,
    "customerId": lambda row, ids, pool: row["customer"]["id"] in ids,
    "city": lambda row, names, pool: CITIES.get(row["customer"]["city"]) in {CITIES[name] for name in names},
    "state": lambda row, names, pool: (
        CITIES.get(row["customer"]["city"]) in set().union(*(REGIONS[name] for name in names))
    ),
    "budgetMin": lambda row, bound, pool: reaches(row, bound, end=False),
    "budgetMax": lambda row, bound, pool: reaches(row, bound, end=True),
    "propertyType": lambda row, words, pool: (
        not {PROPERTY_TYPES[word] for word in row["customer"]["types"]}.isdisjoint(
            PROPERTY_TYPES[word] for word in words
        )
    ),
    "search": is_found,
    "createdFrom": lambda row, bound, pool: starts_by(row["created"], bound),
    "createdTo": lambda row, bound, pool: ends_by(row["created"], bound),
    "completedFrom": lambda row, bound, pool: starts_by(row["ended"], bound),
    "completedTo": lambda row, bound, pool: ends_by(row["ended"], bound),
    "dueFrom": lambda row, bound, pool: starts_by(row["due"], bound),
    "dueTo": lambda row, bound, pool: ends_by(row["due"], bound),
}
SORT_KEYS = {
    "createdAt": lambda row: row["created"],
    "dueDate": lambda row: row["due"],
    "priority": lambda row: PRIORITIES.index(row["priority"]),
    "completedAt": lambda row: row["ended"],
}


def expected(pool, viewer, asked, sort_by, descending):
    """`[(id, status)]` by the rules: rows without a value last both ways, ties by id in the direction of the sort."""
    rows = [row for row in pool.rows if in_scope(row, viewer)]
    for name, meant in asked.items():
        if name == "assignedTo":
            wanted = {{"unassigned": None, "me": pool.ids[viewer]}.get(word, word) for word in meant}
            rows = [row for row in rows if pool.ids[assignee_of(row)] in wanted]
        else:
            rows = [row for row in rows if RULES[name](row, meant, pool)]
    key = SORT_KEYS[sort_by]
    filled = [row for row in rows if key(row) is not None]
    empty = [row for row in rows if key(row) is None]
    filled.sort(key=lambda row: (key(row), row["id"]), reverse=descending)
    empty.sort(key=lambda row: row["id"], reverse=descending)
    return [(row["id"], standing(row, pool)) for row in filled + empty]


# --- How clients write them --------------------------------------------------------------------------------------


def written(draw, name, values, *, commas=False):
    """The values of a list in one of the spellings that clients send, sometimes with an empty one among them."""
    spelling = draw(
        st.sampled_from(["repeat", "brackets", "indexed", "json", "mixed", *(["commas"] if commas else [])])
    )
    pairs = {
        "repeat": [(name, value) for value in values],
        "brackets": [(f"{name}[]", value) for value in values],
        "indexed": [(f"{name}[{index}]", value) for index, value in enumerate(values)],
        "json": [(name, json.dumps(values, ensure_ascii=draw(st.booleans())))],
        "mixed": [(name if index % 2 else f"{name}[]", value) for index, value in enumerate(values)],
        "commas": [(name, ", ".join(dict.fromkeys(values)))],
    }[spelling]
    if draw(st.integers(0, 4)) == 0:
        pairs.insert(draw(st.integers(0, len(pairs))), (name, ""))
    return pairs


def a_list(draw, name, words, *, commas=False, most=4):
    values = draw(st.lists(st.sampled_from(words), min_size=1, max_size=most))
    return values, written(draw, name, values, commas=commas)


def a_word(draw, name, words):
    word = draw(st.sampled_from(words))
    return word, written(draw, name, [word])


def a_number(draw, name, numbers):
    number = draw(st.sampled_from(numbers))
    text = f"{number}"
    if draw(st.booleans()):
        text = text.translate(str.maketrans("0123456789", draw(st.sampled_from(["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"]))))
    return number, [(name, text)]


def a_moment(draw, name, moments):
    """A bound in each way of writing it: UTC, an offset, an offset whose plus was lost, Riyadh time, a Riyadh day."""
    moment = draw(st.sampled_from(moments))
    local = moment.astimezone(RIYADH).replace(tzinfo=None).isoformat()
    spelling = draw(st.sampled_from(["utc", "offset", "lost plus", "naive", "day"]))
    text = {
        "utc": moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "offset": f"{local}+03:00",
        "lost plus": f"{local} 03:00",
        "naive": local,
        "day": local[:10],
    }[spelling]
    return date.fromisoformat(local[:10]) if spelling == "day" else moment, [(name, text)]


def an_assignee(draw, pool):
    values = draw(st.lists(st.sampled_from(["me", "me", "unassigned", *filter(None, pool.ids.values())]), min_size=1))
    name = draw(st.sampled_from(["assignedTo", "assignedEmployee", "assignedEmployeeId", "employeeId"]))
    return values, written(draw, name, values, commas=True)


def a_filter(draw, pool, name):
    """`(what is meant, how it is written)` of one filter."""
    enums = {"status": STATUSES, "type": TYPES, "priority": PRIORITIES, "source": SOURCES}
    if name in enums:
        return a_list(draw, name, enums[name], commas=True, most=len(enums[name]))
    if name.endswith(("From", "To")) and name != "assignedTo":
        return a_moment(draw, name, pool.moments)
    return {
        "assignedTo": lambda: an_assignee(draw, pool),
        "dueDate": lambda: a_word(draw, name, ["all", *BUCKETS]),
        "tab": lambda: a_word(draw, name, list(TABS)),
        "customerId": lambda: a_list(draw, name, [row["id"] for row in pool.customers], most=8),
        "city": lambda: a_list(draw, name, list(CITIES)),
        "state": lambda: a_list(draw, name, list(REGIONS)),
        "budgetMin": lambda: a_number(draw, name, [0, 500000, 800001, Decimal("1200000.5")]),
        "budgetMax": lambda: a_number(draw, name, [800000, Decimal("1200000.49"), Decimal("1200000.5"), 9999999]),
        "propertyType": lambda: a_list(draw, name, list(PROPERTY_TYPES), commas=True),
        "search": lambda: (lambda text: (text, [(name, f" {text} ")]))(draw(st.sampled_from(SEARCHES))),
    }[name]()


@st.composite
def questions(draw, pools, names):
    """`(pool, viewer, what is asked, sortBy, descending, query string, how to page)`; `names` draws the filters."""
    pool = draw(st.sampled_from(pools))
    asked, pairs = {}, []
    for name in draw(names):
        asked[name], written_pairs = a_filter(draw, pool, name)
        pairs += written_pairs
    sort_by = draw(st.sampled_from([None, *SORT_KEYS]))
    direction = draw(st.sampled_from([None, "asc", "desc", "ASC"]))
    pairs += [("sortBy", sort_by)] if sort_by else []
    pairs += [("sortOrder", direction)] if direction else []
    query = urlencode([*pairs, ("fields", "id,status"), ("source", "")], quote_via=quote)
    viewer = draw(st.sampled_from(ROLES))
    paging = draw(st.sampled_from([("page", 200), ("page", 200), ("page", 17), ("cursor", 11), ("cursor", 40)]))
    return pool, viewer, asked, sort_by or "createdAt", direction in (None, "desc"), query, paging


def run(max_examples, strategy, check):
    settled = examples(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settled(given(strategy)(check))()
