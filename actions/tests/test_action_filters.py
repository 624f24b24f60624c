"""The filters, sorts and pages of GET /customers/actions against a plain Python reading of the rules."""

import json
import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from actions.models import ActionCount, CustomerAction
from config.arabic import fold, fold_text
from config.models import AuditEntry
from config.testing import HubClient, data_of, error_of, fields_of, make_customer, make_employee
from customers.models import Customer
from customers.search import derived_columns
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
RIYADH = timezone(timedelta(hours=3))
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


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


class Clock:
    """What time it is for the hub, once set."""

    now = None


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


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
        searched = {"name": row["name"], "name_en": row["nameEn"], "city": row["city"], "tags": []}
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


@pytest.fixture(scope="module")
def pools(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        pools = [Pool(number) for number in range(len(Pool.NOWS))]
        yield pools
        for pool in pools:
            pool.remove()


# --- The rules, read plainly -----------------------------------------------------------------------------------


def midnight(day):
    return datetime.combine(day, time.min, RIYADH)


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


def holds(text, part):
    """One or two characters match beginnings of words only."""
    return part in text if len(part) >= 3 else f" {part}" in f" {text}"


def is_customer_found(customer, text):
    """Folded names, any form of the phone, or the e-mail contains the text."""
    plain = text.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
    texts = [fold(customer["name"]), fold(customer["nameEn"]), customer["phone"], customer["email"].lower()]
    if len([c for c in plain if c.isdigit()]) >= 4 and not plain.strip("0123456789+- ()"):
        digits = "".join(c for c in plain if c.isdigit())
        for prefix in ("00966", "966", "00", "0"):
            if digits.startswith(prefix):
                digits = digits.removeprefix(prefix).removeprefix("0")
                break
        return any(digits in text for text in texts)
    folded = fold(text)
    return bool(folded) and any(holds(text, folded) for text in texts) or holds(texts[-1], text.lower())


def is_found(row, text, pool):
    """The folded title or description contains the text, or it finds the customer."""
    own = any(fold_text(text) in fold_text(row[key]) for key in ("title", "description"))
    return own or is_customer_found(row["customer"], text)


def has_budget(customer):
    return customer["budgetMin"] is not None or customer["budgetMax"] is not None


def reaches(row, bound, *, end):
    """The customer's range of budgets overlaps the one asked for; an open end is open, no budget is none."""
    customer = row["customer"]
    value = customer["budgetMin" if end else "budgetMax"]
    if value is None:
        return has_budget(customer)
    return value <= bound if end else value >= bound


def starts_by(moment, bound):
    return moment is not None and moment >= (bound if isinstance(bound, datetime) else midnight(bound))


def ends_by(moment, bound):
    if moment is None:
        return False
    return moment <= bound if isinstance(bound, datetime) else moment < midnight(bound + DAY)


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


def is_contradiction(asked):
    return asked.get("budgetMin", 0) > asked.get("budgetMax", Decimal("Infinity"))


def shown(data):
    return [(action["id"], action["status"]) for action in data["actions"]]


def by_number(client, query, size):
    """All rows by page numbers; each page must tell the truth about the whole."""
    rows, page = [], 1
    while True:
        response = client.get(f"customers/actions?{query}&limit={size}&page={page}")
        data = data_of(response)
        assert "ignoredParams" not in response.json()["meta"]
        rows += shown(data)
        pagination = data["pagination"]
        assert pagination["currentPage"] == page and pagination["pageSize"] == size
        assert pagination["totalPages"] == -(-pagination["totalItems"] // size)
        assert pagination["hasPreviousPage"] == (page > 1)
        if not pagination["hasNextPage"]:
            assert pagination["totalItems"] == len(rows)
            return rows
        page += 1


def by_cursor(client, query, size):
    """All rows by cursors, there and back again."""
    pages, cursor = [], ""
    while cursor is not None:
        data = data_of(client.get(f"customers/actions?{query}&limit={size}&cursor={quote(cursor)}"))
        pages.append(shown(data))
        cursor = data["pagination"]["nextCursor"]
        assert data["pagination"]["hasNext"] == (cursor is not None)
    back, cursor = [pages[-1]], data["pagination"]["prevCursor"]
    while cursor is not None:
        data = data_of(client.get(f"customers/actions?{query}&limit={size}&cursor={quote(cursor)}"))
        back.insert(0, shown(data))
        cursor = data["pagination"]["prevCursor"]
    assert sum(back, []) == sum(pages, [])
    return sum(pages, [])


def answer_of(pool, viewer, query, paging):
    how, size = paging
    return (by_cursor if how == "cursor" else by_number)(pool.clients[viewer], query, size)


@pytest.mark.django_db
def test_every_combination_of_filters_gives_what_the_rules_give_in_their_order(pools, clock):
    seen = Counter()

    def check(question):
        pool, viewer, asked, sort_by, descending, query, paging = question
        clock.now = pool.now
        if is_contradiction(asked):
            assert fields_of(pool.clients[viewer].get(f"customers/actions?{query}")) == ["budgetMax"]
            return
        found = answer_of(pool, viewer, query, paging)
        assert found == expected(pool, viewer, asked, sort_by, descending), (pool, viewer, query)
        seen["all"] += 1
        seen["not empty"] += bool(found)
        seen["narrowed"] += bool(found) and bool(asked)

    names = st.lists(st.sampled_from([*RULES, "assignedTo"]), max_size=4, unique=True)
    run(140, questions(pools, names), check)
    assert seen["all"] >= 120
    assert seen["not empty"] >= 0.3 * seen["all"]
    assert seen["narrowed"] >= 0.3 * seen["all"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*RULES, "assignedTo"])
def test_every_filter_alone_gives_what_its_rule_gives_and_narrows_the_list(pools, clock, name):
    sizes = Counter()

    def check(question):
        pool, viewer, asked, sort_by, descending, query, paging = question
        clock.now = pool.now
        found = answer_of(pool, viewer, query, paging)
        assert found == expected(pool, viewer, asked, sort_by, descending), (pool, viewer, query)
        sizes["some"] += 0 < len(found) < len(expected(pool, viewer, {}, sort_by, descending))
        sizes["all"] += 1

    run(8, questions(pools, st.just([name])), check)
    assert sizes["some"] >= 0.3 * sizes["all"]


# --- One by one --------------------------------------------------------------------------------------------------

DAY_ONE = datetime(2024, 5, 15, 7, tzinfo=UTC)


@pytest.fixture
def theirs(layla, ahmed):
    """A customer of Ahmed without actions."""
    return make_customer(layla, assigned_employee_id=ahmed.pk)


def open_action(client, customer, **values):
    """The id of a new action."""
    body = {"customerId": customer.pk, "type": "follow_up", "title": "متابعة", **values}
    return data_of(client.post("customers/actions", body), 201)["action"]["id"]


def fill(customer, count, **same):
    """Many actions of a customer, among them many with equal and missing values; ids in no order."""
    chance = random.Random(7)
    numbers = list(range(count))
    chance.shuffle(numbers)
    rows = []
    for number in numbers:
        ended = chance.choice([None, DAY_ONE, DAY_ONE + INSTANT])
        values = {
            "type": chance.choice(TYPES),
            "priority": chance.choice(PRIORITIES),
            "status": "completed" if ended else "pending",
            "completed_at": ended,
            "created_at": DAY_ONE + chance.randrange(3) * INSTANT,
            "due_date": chance.choice([None, DAY_ONE, DAY_ONE + INSTANT]),
            "assigned_to_id": customer.assigned_employee_id,
            **same,
        }
        rows.append(
            CustomerAction(
                id=f"action_fill_{number:05d}",
                organization_id=customer.organization_id,
                customer=customer,
                customer_assignee=customer.assigned_employee_id,
                city_key=customer.city_key,
                region=customer.region,
                title="متابعة",
                source="manual",
                **values,
            )
        )
    CustomerAction.objects.bulk_create(rows)


def listed(client, query=None):
    data = data_of(client.get("customers/actions", query))
    return {action["id"] for action in data["actions"]}


def test_all_due_dates_filter_nothing(as_, ahmed, theirs):
    client = as_(ahmed)
    dated, undated, done, asleep = (
        open_action(client, theirs, **values) for values in ({"dueDate": "2024-05-15"}, {}, {}, {})
    )
    data_of(client.post(f"customers/actions/{done}/complete"))
    data_of(client.post(f"customers/actions/{asleep}/snooze", {"snoozedUntil": "2099-01-01"}))
    assert listed(client, {"dueDate": "all"}) == {dated, undated, done, asleep}
    assert listed(client, {"dueDate": "no_date"}) == {undated}
    assert listed(client, {"dueDate": "overdue"}) == {dated}


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("dueDate=tomorrow", "dueDate", "all, overdue, today, week, month, no_date"),
        ("tab=done", "tab", "inbox, followups, all, completed"),
        ("status=open", "status", "pending, in_progress, completed, dismissed, snoozed"),
        ("status=pending,gone", "status", "pending, in_progress, completed, dismissed, snoozed"),
        ("type=call", "type", "new_inquiry, callback_request"),
        ("priority=HIGH", "priority", "low, medium, high, urgent"),
        ("source=tiktok", "source", "inquiry, manual, whatsapp, import, referral"),
        ("sortBy=title", "sortBy", "createdAt, dueDate, priority, completedAt"),
        ("sortOrder=up", "sortOrder", "asc, desc"),
        ("state=أتلانتس", "state", "الرياض"),
        ("budgetMin=-1", "budgetMin", "at least 0"),
        ("budgetMax=many", "budgetMax", "number"),
        ("budgetMin=2&budgetMax=1", "budgetMax", "budgetMin"),
        ("createdFrom=yesterday", "createdFrom", "ISO 8601"),
        ("completedTo=2024-13-01", "completedTo", "ISO 8601"),
        ("dueFrom=2024-02-30T10:00:00Z", "dueFrom", "ISO 8601"),
        ("limit=201", "limit", "1 to 200"),
        ("limit=0", "limit", "1 to 200"),
        ("page=0", "page", "1 to"),
        ("page=abc", "page", "1 to"),
        ("cursor=forged", "cursor", "not valid"),
    ],
)
def test_a_wrong_value_names_its_field_and_what_is_allowed(as_, layla, query, field, hint):
    error = error_of(as_(layla).get(f"customers/actions?{query}"), 400, "VALIDATION_ERROR")
    (detail,) = error["details"]
    assert detail["field"] == field and hint in detail["message"]


def test_all_wrong_values_are_named_at_once(as_, layla):
    response = as_(layla).get("customers/actions?dueDate=soon&tab=x&status=y&budgetMin=z")
    assert sorted(fields_of(response)) == ["budgetMin", "dueDate", "status", "tab"]


def test_a_page_holds_fifty_unless_asked_for_up_to_two_hundred(as_, ahmed, theirs):
    fill(theirs, 201)
    client = as_(ahmed)
    for query, size, pages in (({}, 50, 5), ({"limit": 200}, 200, 2), ({"limit": "٢٠"}, 20, 11)):
        data = data_of(client.get("customers/actions", query))
        assert len(data["actions"]) == size
        assert data["pagination"] == {
            "currentPage": 1,
            "pageSize": size,
            "totalPages": pages,
            "totalItems": 201,
            "hasNextPage": True,
            "hasPreviousPage": False,
        }
    data = data_of(client.get("customers/actions", {"cursor": ""}))
    assert len(data["actions"]) == data["pagination"]["limit"] == 50


@pytest.mark.parametrize("sort_by", ["createdAt", "dueDate"])
def test_a_page_past_the_end_is_empty_and_still_counts(as_, layla, theirs, sort_by):
    fill(theirs, 3)
    data = data_of(as_(layla).get("customers/actions", {"page": 2, "sortBy": sort_by}))
    assert data["actions"] == []
    assert data["pagination"] == {
        "currentPage": 2,
        "pageSize": 50,
        "totalPages": 1,
        "totalItems": 3,
        "hasNextPage": False,
        "hasPreviousPage": True,
    }


def test_unknown_parameters_are_ignored_and_named(as_, ahmed, theirs):
    mine = open_action(as_(ahmed), theirs)
    query = "_=172&colour[]=red&stage=closing&leadScoreMin=9&tab=&dueDate=&fields=id,shoeSize&include=friends"
    response = as_(ahmed).get(f"customers/actions?{query}")
    assert listed(as_(ahmed)) == {mine} == {action["id"] for action in data_of(response)["actions"]}
    ignored = response.json()["meta"]["ignoredParams"]
    assert sorted(ignored) == ["_", "colour", "friends", "leadScoreMin", "shoeSize", "stage"]


def test_empty_values_are_no_filters(as_, ahmed, theirs):
    mine = open_action(as_(ahmed), theirs)
    names = [*RULES, "assignedTo", "employeeId", "status[]", "type[0]", "sortBy", "sortOrder", "page", "limit"]
    response = as_(ahmed).get("customers/actions?" + "&".join(f"{name}=" for name in names) + "&city=[]&status=,")
    assert [action["id"] for action in data_of(response)["actions"]] == [mine]
    assert "ignoredParams" not in response.json()["meta"]


def test_the_newest_come_first_unless_asked_otherwise(as_, ahmed, theirs):
    fill(theirs, 12)
    client = as_(ahmed)
    first = [action["id"] for action in data_of(client.get("customers/actions"))["actions"]]
    keys = dict(theirs.actions.values_list("pk", "created_at"))
    assert first == sorted(keys, key=lambda pk: (keys[pk], pk), reverse=True)
    assert [pk for pk, _status in by_number(client, "sortBy=createdAt&sortOrder=asc", 200)] == first[::-1]


# --- Search --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts",
    [
        # the customer's name, in its usual spellings
        ["الغامدى", "الغامدي", "غامدي", "احمد", "أحمد", "إحمد", "AHMED", "al-ghamdi"],
        # the title and the description, Arabic digits too
        ["اتصال", "إتصال", "وحدة 12", "وحده ١٢", "VILLA", "مدرسه", "المَدرسة", "قرب  المدرسة"],
        # the phone
        ["0551234567", "+966 55 123 4567", "٠٥٥١٢٣٤٥٦٧", "00966551234567", "966551234567", "055-123-4567", "1234"],
        # the e-mail
        ["a.ghamdi@mail.example", "A.Ghamdi@"],
    ],
    ids=["name", "words", "phone", "email"],
)
def test_a_search_finds_titles_descriptions_and_customers_however_they_are_typed(as_, layla, ahmed, texts):
    wanted = make_customer(
        layla,
        name="أحمد الغامدى",
        name_en="Ahmed Al-Ghamdi",
        phone="+966551234567",
        email="a.ghamdi@mail.example",
        assigned_employee_id=ahmed.pk,
    )
    other = make_customer(layla, name="هند", phone="+966500000000", assigned_employee_id=ahmed.pk)
    client = as_(ahmed)
    found = open_action(client, wanted, title="إتصال عن الوحدة ١٢", description="Villa قرب المدرسة")
    open_action(client, other, title="زيارة", description="لا شيء")
    assert {text: listed(client, {"search": text}) for text in texts} == {text: {found} for text in texts}


def test_signs_that_databases_read_as_patterns_mean_themselves(as_, ahmed, theirs):
    client = as_(ahmed)
    titles = ["خصم 50%", "خصم 500", "file_name", "file name", "C:\\temp", "Sa'ad", "زيارة"]
    ids = {title: open_action(client, theirs, title=title) for title in titles}
    for text, found in (
        ("%", {"خصم 50%"}),
        ("50%", {"خصم 50%"}),
        ("_", {"file_name"}),
        ("file_name", {"file_name"}),
        ("file name", {"file name"}),
        ("f%e", set()),
        ("\\", {"C:\\temp"}),
        ("'", {"Sa'ad"}),
        ("زيارة", {"زيارة"}),
    ):
        assert listed(client, {"search": text}) == {ids[title] for title in found}, text


@pytest.mark.parametrize("text", ["؟", "ـــ", "😀", "«»", "%FF", "ء"])
def test_a_search_that_folds_to_nothing_or_fits_nothing_finds_nothing(as_, layla, theirs, text):
    open_action(as_(layla), theirs)
    for more in ("", "&cursor=", "&sortBy=dueDate", "&status=pending"):
        assert data_of(as_(layla).get(f"customers/actions?search={text}{more}"))["actions"] == []


def test_a_search_finds_nothing_of_other_scopes_and_of_deleted_customers(as_, layla, ahmed, omar, noura, theirs):
    mine = open_action(as_(ahmed), theirs, title="فريد")
    beyond = make_customer(layla, name="فريد", assigned_employee_id=omar.pk)
    other = open_action(as_(omar), beyond, title="فريد")
    foreign = open_action(as_(noura), make_customer(noura, name="فريد"), title="فريد")
    assert listed(as_(ahmed), {"search": "فريد"}) == {mine}
    assert listed(as_(layla), {"search": "فريد"}) == {mine, other}
    assert listed(as_(noura), {"search": "فريد"}) >= {foreign}
    assert not listed(as_(noura), {"search": "فريد"}) & {mine, other}
    data_of(as_(layla).delete(f"customers/{beyond.pk}"))
    assert listed(as_(layla), {"search": "فريد"}) == {mine}


# --- Whose -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["assignedTo", "assignedEmployee", "assignedEmployeeId", "employeeId"])
def test_the_assignee_has_four_names_and_is_the_actions_own(as_, layla, ahmed, omar, theirs, name):
    client = as_(layla)
    his, given, free = (open_action(client, theirs, assignedTo=who.pk) for who in (ahmed, omar, omar))
    data_of(client.patch(f"customers/actions/{free}", {"assignedTo": None}))
    assert listed(client, {name: ahmed.pk}) == {his}
    assert listed(client, {name: f"{ahmed.pk},unassigned"}) == {his, free}
    assert listed(client, {f"{name}[]": omar.pk}) == {given}
    assert listed(client, {name: "me"}) == set()
    assert listed(as_(omar), {name: "me"}) == {given}
    response = client.get("customers/actions", {name: "unassigned"})
    assert "ignoredParams" not in response.json()["meta"]
    assert [action["id"] for action in data_of(response)["actions"]] == [free]


def test_a_filter_never_widens_what_the_caller_may_see(as_, layla, ahmed, huda, omar, noura, theirs):
    mine = open_action(as_(ahmed), theirs)
    beyond = make_customer(layla, assigned_employee_id=omar.pk)
    other = open_action(as_(omar), beyond)
    foreign = make_customer(noura, assigned_employee_id=noura.pk)
    for viewer, visible in ((ahmed, set()), (huda, set()), (layla, {other})):
        for query in ({"assignedTo": omar.pk}, {"customerId": beyond.pk}, {"search": beyond.phone}):
            assert listed(as_(viewer), query) == visible
        for query in ({"assignedTo": noura.pk}, {"customerId": foreign.pk}, {"search": foreign.phone}):
            assert listed(as_(viewer), query) == set()
    assert listed(as_(ahmed), {"assignedTo": f"me,{omar.pk}"}) == {mine}


# --- Cursors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sort_by", list(SORT_KEYS))
def test_cursors_neither_repeat_nor_lose_rows_that_share_a_value(as_, layla, ahmed, theirs, sort_by, direction):
    fill(theirs, 31)
    query = f"sortBy={sort_by}&sortOrder={direction}"
    whole = by_number(as_(layla), query, 200)
    assert len(set(whole)) == 31
    # Lists of those who see much and of those who see little are read in different ways.
    for viewer, sizes in ((layla, (4, 31)), (ahmed, (5, 30))):
        client = as_(viewer)
        for size in sizes:
            assert by_cursor(client, query, size) == whole


def test_new_actions_do_not_shift_the_pages_of_a_cursor(as_, ahmed, theirs):
    fill(theirs, 20)
    client = as_(ahmed)
    before = [pk for pk, _status in by_number(client, "", 200)]
    seen, cursor = [], ""
    while cursor is not None:
        data = data_of(client.get("customers/actions", {"cursor": cursor, "limit": 6}))
        seen += [action["id"] for action in data["actions"]]
        cursor = data["pagination"]["nextCursor"]
        open_action(client, theirs)
    assert seen == before


def test_a_cursor_belongs_to_its_filters_its_order_and_its_organization(as_, ahmed, noura, theirs):
    fill(theirs, 8, status="pending", completed_at=None)
    data = data_of(as_(ahmed).get("customers/actions?cursor=&limit=3&status=pending"))
    cursor = quote(data["pagination"]["nextCursor"])
    assert len(data_of(as_(ahmed).get(f"customers/actions?cursor={cursor}&status[]=pending"))["actions"]) == 5
    for query in ("", "&status=in_progress", "&status=pending&sortBy=dueDate", "&status=pending&sortOrder=asc"):
        assert fields_of(as_(ahmed).get(f"customers/actions?cursor={cursor}{query}")) == ["cursor"]
    assert fields_of(as_(noura).get(f"customers/actions?cursor={cursor}&status=pending")) == ["cursor"]


# --- Costs -----------------------------------------------------------------------------------------------------------


QUERIES = [
    {},
    {"limit": 200, "sortBy": "dueDate"},
    {"cursor": "", "sortBy": "completedAt"},
    {"search": "متابعة", "dueDate": "all", "propertyType": "villa", "budgetMin": 1},
    {"tab": "all", "assignedTo": "me,unassigned", "state": "الرياض"},
]


@pytest.mark.parametrize("name", ROLES)
def test_a_list_costs_as_many_statements_for_two_rows_as_for_sixty(request, as_, layla, name):
    viewer = request.getfixturevalue(name)
    preferences = {"propertyType": ["villa"], "budgetMin": 5}
    customer = make_customer(layla, city="الرياض", preferences=preferences, assigned_employee_id=viewer.pk)
    client, costs = as_(viewer), {2: [], 60: []}
    for count, spent in costs.items():
        customer.actions.all().delete()
        fill(customer, count, assigned_to_id=None, status="pending", completed_at=None)
        listed(client)
        for query in QUERIES:
            with CaptureQueriesContext(connection) as captured:
                assert len(listed(client, query)) == min(count, query.get("limit", 50))
            spent.append(len(captured))
    assert costs[2] == costs[60]
    assert max(costs[2]) <= 4
