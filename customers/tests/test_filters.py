"""The filters and sorts of GET /customers, alone and combined, against a plain Python reading of the rules."""

import json
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from config.arabic import fold, fold_text
from config.models import AuditEntry
from config.testing import HubClient, data_of, error_of, fields_of, make_customer, make_employee
from customers.models import Customer
from customers.search import derived_columns
from customers.tests.rules import RIYADH, ends_by, has_budget, is_customer_found, is_empty, starts_by
from employees import services as employees
from employees.choices import Role
from employees.models import Team

STAGES = (
    "new_lead qualified property_matching site_visit negotiation contract_prep down_payment closing post_sale".split()
)
PRIORITIES = "low medium high urgent".split()
SOURCES = "inquiry manual whatsapp import referral".split()

# What people call a place -> the place; and what people call a region -> the places of the pool that lie in it.
CITIES = {
    "الرياض": "riyadh", "Riyadh": "riyadh", "الریاض": "riyadh", "جدة": "jeddah", "جده": "jeddah", "Jiddah": "jeddah",
    "الخبر": "khobar", "Al Khobar": "khobar", "قرية الفاو": "faw", "قريه الفاو": "faw", "Dubai": "dubai",
}  # fmt: skip
REGIONS = {
    "الرياض": {"riyadh"}, "Riyadh": {"riyadh"}, "مكة": {"jeddah"}, "مكة المكرمة": {"jeddah"}, "Makkah": {"jeddah"},
    "الشرقية": {"khobar"}, "Eastern Province": {"khobar"}, "المدينة": set(),
}  # fmt: skip
AREAS = ["الرياض - حي النرجس", "الرياض - حي الملقا", "حي النرجس", "جدة - حي الزهراء", "شمال الرياض", "Al Olaya"]
ASKED_AREAS = [*AREAS, "حى النرجس", "حي الزهرا", "حي الملقا", "AL OLAYA", "حي بعيد"]
TAGS = ["vip", "VIP", "hot_lead", "عميل مميز", "cash, now"]
TYPES = ["villa", "apartment", "land", "commercial"]
NAMES = [
    ("محمد الفهد", "Mohammed Al-Fahd"), ("أحمد السعيد", "Ahmed Al-Saeed"), ("احمد السعيد", ""), ("هند", "Hind"),
    ("عبدالله الشمري", "Abdullah"), ("عبد الله الشمرى", ""), ("فاطمة الزهراء", "Fatimah"), ("Nour El-Din", ""),
    ("سارة العتيبي", "Sara"), ("شركة دار 1234 للتطوير", "Dar Co."),
]  # fmt: skip
SEARCHES = [
    "محمد", "احمد", "أَحْمَد", "عبد الله", "عبدالله الشمري", "fahd", "MOHAMMED", "ساره", "زهرا", "nour eldin", "السعيد",
    "0512", "٠٥١٢٣", "+966 51-234", "00966512", "966512", "971501", "1234", "055", "@hub.example", "ahmed.s",
    "AHMED.S@HUB", "mohd", "al-fahd", "d_9", "_", "%", "!!", "غير موجود",
]  # fmt: skip
EMAILS = ["", "", "Ahmed.S@hub.example", "mohd_99@mail.example", "al-fahd@hub.example", "x@y.sa"]
# Around the ends of days in Riyadh, which are 21:00 UTC, and with fractions of a second.
MOMENTS = [
    datetime(2024, 1, 14, 20, 59, 59, tzinfo=UTC), datetime(2024, 1, 14, 21, 0, 0, tzinfo=UTC),
    datetime(2024, 1, 15, 10, 0, 0, tzinfo=UTC), datetime(2024, 1, 15, 20, 59, 59, 999999, tzinfo=UTC),
    datetime(2024, 1, 15, 21, 0, 0, tzinfo=UTC), datetime(2024, 2, 29, 8, 30, 0, 250000, tzinfo=UTC),
]  # fmt: skip
BUDGETS = [None, None, 500_000, 800_000, 1_200_000.5, 2_500_000]


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


# --- The pool: sixty customers with many ties and gaps, and some that nobody may ever see --------------------


class Pool:
    """The people of the pool, a client for each, and the customers as plain dicts."""

    def __init__(self):
        self.organization = employees.create_organization(name="وساطة الاختبار")
        self.other = employees.create_organization(name="وساطة أخرى")
        north = Team.objects.get(organization=self.organization, is_default=True)
        south = Team.objects.create(organization=self.organization, name="جنوب الاختبار")
        self.people = {
            "layla": make_employee(self.organization, "ليلى Layla", Role.ADMIN, north),
            "fatima": make_employee(self.organization, "فاطمة Fatima", Role.SALES_MANAGER, north),
            "ahmed": make_employee(self.organization, "أحمد Ahmed", Role.SALES_AGENT, north),
            "omar": make_employee(self.organization, "عمر Omar", Role.SALES_AGENT, south),
        }
        self.ids = {name: person.pk for name, person in self.people.items()} | {None: None}
        self.clients = {name: HubClient(person) for name, person in self.people.items()}
        chance = random.Random(1445)
        self.rows = [self.make_row(chance, number) for number in range(60)]
        hidden = [self.make_row(chance, number) for number in range(60, 68)]
        columns = [self.columns(row) for row in self.rows + hidden]
        for column in columns[60:64]:
            column["deleted_at"] = MOMENTS[0]
        for column in columns[64:]:
            column |= {"organization": self.other, "assigned_employee_id": None}
        Customer.objects.bulk_create(Customer(**column) for column in columns)

    @staticmethod
    def make_row(chance, number):
        name, name_en = chance.choice(NAMES)
        low, high = chance.choice(BUDGETS), chance.choice(BUDGETS)
        if low and high and low > high:
            low, high = high, low
        return {
            "id": f"cust_pool_{chance.randrange(10**6):06d}_{number}",
            "name": name,
            "nameEn": name_en,
            "phone": f"+97150{1000000 + number}" if number % 9 == 0 else f"+9665{chance.choice('1235')}234{number:04d}",
            "email": chance.choice(EMAILS),
            "stage": chance.choice(STAGES[:5] + STAGES[-1:]),
            "source": chance.choice(SOURCES[:4]),
            "priority": chance.choice(PRIORITIES),
            "assignee": chance.choice(["ahmed", "ahmed", "ahmed", "omar", "fatima", None]),
            "score": chance.choice([0, 20, 50, 50, 80, 100]),
            "types": chance.sample(TYPES[:3], chance.randrange(3)),
            "areas": chance.sample(AREAS, chance.randrange(3)),
            "budgetMin": low,
            "budgetMax": high,
            "city": chance.choice(["", *CITIES]),
            "tags": chance.sample(TAGS, chance.randrange(3)),
            "created": chance.choice(MOMENTS),
            "contacted": chance.choice([None, None, *MOMENTS]),
            "deal": chance.choice([None, None, None, Decimal(0), Decimal("2200000"), Decimal("99.99")]),
        }

    def columns(self, row):
        preferences = {"propertyType": row["types"], "preferredAreas": row["areas"]}
        preferences |= {key: row[key] for key in ("budgetMin", "budgetMax") if row[key] is not None}
        searched = {"name": row["name"], "name_en": row["nameEn"], "city": row["city"], "tags": row["tags"]}
        searched["district"] = ""
        return (
            {key: row[key] for key in ("id", "phone", "email", "stage", "source", "priority")}
            | searched
            | derived_columns(preferences=preferences, **searched)
            | {
                "organization": self.organization,
                "preferences": preferences,
                "assigned_employee_id": self.ids[row["assignee"]],
                "lead_score": row["score"],
                "created_at": row["created"],
                "last_contact_at": row["contacted"],
                "total_deal_value": row["deal"],
            }
        )

    def remove(self):
        for organization in (self.organization, self.other):
            Customer.objects.filter(organization=organization).delete()
            organization.employees.all().delete()
            organization.delete()
        AuditEntry.objects.all().delete()


@pytest.fixture(scope="module")
def pool(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        pool = Pool()
        yield pool
        pool.remove()


# --- The rules, read plainly -----------------------------------------------------------------------------------


def in_scope(row, viewer, asked):
    """Admins see all, managers their team's and nobody's, agents their own; who may claim sees nobody's when asked."""
    if viewer == "layla":
        return True
    if viewer == "fatima":
        return row["assignee"] in ("ahmed", "fatima", None)
    if claims(viewer, asked):
        return row["assignee"] is None
    return row["assignee"] == viewer


def claims(viewer, asked):
    """Whether an agent asks for what nobody has taken yet: summaries, found and sorted by what they show."""
    return viewer == "ahmed" and set(asked.get("assignedEmployeeId", ())) == {"unassigned"}


HIDDEN_SORTS = {"lastContactAt", "lastContactDate", "dealValue", "totalDealValue"}


def is_named(row, text):
    """A folded name contains the text, wherever."""
    return bool(fold(text)) and any(fold(text) in fold(name) for name in (row["name"], row["nameEn"]))


def is_area(stored, asked):
    """The whole text, or its part after the city, is the area asked for."""
    return fold_text(asked) in {fold_text(stored), fold_text(stored.split(" - ")[-1])}


RULES = {
    "search": is_customer_found,
    "stage": lambda row, words: row["stage"] in words,
    "source": lambda row, words: row["source"] in words,
    "priority": lambda row, words: row["priority"] in words,
    "leadScoreMin": lambda row, bound: row["score"] >= bound,
    "leadScoreMax": lambda row, bound: row["score"] <= bound,
    "budgetMin": lambda row, bound: has_budget(row) and (row["budgetMax"] is None or row["budgetMax"] >= bound),
    "budgetMax": lambda row, bound: has_budget(row) and (row["budgetMin"] is None or row["budgetMin"] <= bound),
    "propertyType": lambda row, words: not set(row["types"]).isdisjoint(words),
    "preferredAreas": lambda row, areas: any(is_area(stored, asked) for stored in row["areas"] for asked in areas),
    "city": lambda row, names: row["city"] and CITIES[row["city"]] in {CITIES[name] for name in names},
    "state": lambda row, names: CITIES.get(row["city"]) in set().union(*(REGIONS[name] for name in names)),
    "tags": lambda row, tags: not set(row["tags"]).isdisjoint(tags),
    "createdFrom": lambda row, bound: starts_by(row["created"], bound),
    "createdTo": lambda row, bound: ends_by(row["created"], bound),
    "lastContactFrom": lambda row, bound: starts_by(row["contacted"], bound),
    "lastContactTo": lambda row, bound: ends_by(row["contacted"], bound),
}
SORT_KEYS = {
    "createdAt": lambda row: row["created"],
    "name": lambda row: fold(row["name"]),
    "leadScore": lambda row: row["score"],
    "lastContactAt": lambda row: row["contacted"],
    "lastContactDate": lambda row: row["contacted"],
    "dealValue": lambda row: row["deal"],
    "totalDealValue": lambda row: row["deal"],
    "priority": lambda row: PRIORITIES.index(row["priority"]),
    "stage": lambda row: STAGES.index(row["stage"]),
}


def is_assigned_to(pool, row, words, viewer):
    wanted = {{"unassigned": None, "me": pool.ids[viewer]}.get(word, word) for word in words}
    return pool.ids[row["assignee"]] in wanted


def expected_ids(pool, viewer, asked, sort_by, descending):
    """The ids that the rules give, in order: rows without a value last both ways, ties by id in the same direction."""
    rows = [row for row in pool.rows if in_scope(row, viewer, asked)]
    for name, meant in asked.items():
        if name == "assignedEmployeeId":
            rows = [row for row in rows if is_assigned_to(pool, row, meant, viewer)]
        elif name == "search" and claims(viewer, asked):
            rows = [row for row in rows if is_named(row, meant)]
        else:
            rows = [row for row in rows if RULES[name](row, meant)]
    key = SORT_KEYS[sort_by]
    filled = [row for row in rows if key(row) is not None]
    empty = [row for row in rows if key(row) is None]
    filled.sort(key=lambda row: (key(row), row["id"]), reverse=descending)
    empty.sort(key=lambda row: row["id"], reverse=descending)
    return [row["id"] for row in filled + empty]


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


def a_list(name, words, *, commas=False):
    @st.composite
    def build(draw):
        values = draw(st.lists(st.sampled_from(words), min_size=1, max_size=4))
        return values, written(draw, name, values, commas=commas)

    return build()


def a_number(name, numbers):
    @st.composite
    def build(draw):
        number = draw(st.sampled_from(numbers))
        text = f"{number}"
        if draw(st.booleans()):
            text = text.translate(str.maketrans("0123456789", draw(st.sampled_from(["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"]))))
        return number, [(name, text)]

    return build()


def a_moment(name):
    """A bound in each way of writing it: UTC, an offset, an offset whose plus was lost, Riyadh time, a Riyadh day."""

    @st.composite
    def build(draw):
        moment = draw(st.sampled_from(MOMENTS)) + draw(st.sampled_from([-1, 0, 0, 0, 1])) * timedelta(microseconds=1)
        local = moment.astimezone(RIYADH).replace(tzinfo=None).isoformat()
        spelling = draw(st.sampled_from(["utc", "offset", "lost plus", "naive", "day"]))
        text = {
            "utc": moment.isoformat().replace("+00:00", "Z"),
            "offset": f"{local}+03:00",
            "lost plus": f"{local} 03:00",
            "naive": local,
            "day": local[:10],
        }[spelling]
        return date.fromisoformat(local[:10]) if spelling == "day" else moment, [(name, text)]

    return build()


@st.composite
def an_assignee(draw, pool):
    values = draw(st.lists(st.sampled_from(["me", "unassigned", *filter(None, pool.ids.values())]), min_size=1))
    name = draw(st.sampled_from(["assignedEmployeeId", "assignedEmployee", "assignedTo", "employeeId"]))
    return values, written(draw, name, values, commas=True)


def kinds_of(pool):
    """Each filter with a strategy for `(what is meant, how it is written)`."""
    return {
        "search": st.sampled_from(SEARCHES).map(lambda text: (text, [("search", f" {text} ")])),
        "stage": a_list("stage", STAGES[:6], commas=True),
        "source": a_list("source", SOURCES, commas=True),
        "priority": a_list("priority", PRIORITIES, commas=True),
        "assignedEmployeeId": an_assignee(pool),
        "leadScoreMin": a_number("leadScoreMin", [0, 20, 21, 50]),
        "leadScoreMax": a_number("leadScoreMax", [20, 50, 79, 100]),
        "budgetMin": a_number("budgetMin", [0, 500000, 800001, Decimal("1200000.5")]),
        "budgetMax": a_number("budgetMax", [800000, Decimal("1200000.49"), Decimal("1200000.5"), 2500000, 9999999]),
        "propertyType": a_list("propertyType", TYPES),
        "preferredAreas": a_list("preferredAreas", ASKED_AREAS),
        "city": a_list("city", list(CITIES)),
        "state": a_list("state", list(REGIONS)),
        "tags": a_list("tags", TAGS),
        **{name: a_moment(name) for name in ("createdFrom", "createdTo", "lastContactFrom", "lastContactTo")},
    }


def questions(pool, names):
    """Strategy for `(viewer, what is asked, sortBy, descending, query string)`; `names` draws the filters to use."""
    kinds = kinds_of(pool)

    @st.composite
    def build(draw):
        asked, pairs = {}, []
        for name in draw(names):
            asked[name], written_pairs = draw(kinds[name])
            pairs += written_pairs
        sort_by = draw(st.sampled_from([None, *SORT_KEYS]))
        direction = draw(st.sampled_from([None, "asc", "desc", "ASC"]))
        if sort_by:
            pairs.append(("sortBy", sort_by))
        if direction:
            pairs.append(("sortOrder", direction))
        query = urlencode([*pairs, ("limit", "100"), ("fields", "id"), ("tags", "")], quote_via=quote)
        viewer = draw(st.sampled_from(["layla", "layla", "fatima", "ahmed"]))
        return viewer, asked, sort_by or "createdAt", direction in (None, "desc"), query

    return build()


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
    return any(
        asked.get(f"{name}Min", 0) > asked.get(f"{name}Max", Decimal("Infinity")) for name in ("budget", "leadScore")
    ) or any(
        is_empty(asked[f"{name}From"], asked[f"{name}To"])
        for name in ("created", "lastContact")
        if {f"{name}From", f"{name}To"} <= asked.keys()
    )


def ids_of(response):
    data = data_of(response)
    ids = [customer["id"] for customer in data["customers"]]
    assert data["pagination"]["totalItems"] == len(ids)
    return ids


@pytest.mark.django_db
def test_every_combination_of_filters_gives_what_the_rules_give_in_their_order(pool):
    seen = Counter()

    def check(question):
        viewer, asked, sort_by, descending, query = question
        response = pool.clients[viewer].get(f"customers?{query}")
        if is_contradiction(asked):
            assert set(fields_of(response)) <= {"budgetMax", "leadScoreMax", "createdTo", "lastContactTo"}
            return
        if claims(viewer, asked) and sort_by in HIDDEN_SORTS:
            assert fields_of(response) == ["sortBy"]
            return
        ids = ids_of(response)
        assert ids == expected_ids(pool, viewer, asked, sort_by, descending), (viewer, query)
        assert "ignoredParams" not in response.json()["meta"]
        seen["all"] += 1
        seen["not empty"] += bool(ids)
        seen["narrowed"] += bool(ids) and bool(asked)

    names = st.lists(st.sampled_from([*RULES, "assignedEmployeeId"]), max_size=4, unique=True)
    run(300, questions(pool, names), check)
    assert seen["all"] >= 250
    assert seen["not empty"] >= 0.3 * seen["all"]
    assert seen["narrowed"] >= 0.3 * seen["all"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*RULES, "assignedEmployeeId"])
def test_every_filter_alone_gives_what_its_rule_gives_and_narrows_the_list(pool, name):
    sizes = set()

    def check(question):
        viewer, asked, sort_by, descending, query = question
        response = pool.clients[viewer].get(f"customers?{query}")
        if claims(viewer, asked) and sort_by in HIDDEN_SORTS:
            assert fields_of(response) == ["sortBy"]
            return
        ids = ids_of(response)
        assert ids == expected_ids(pool, viewer, asked, sort_by, descending), (viewer, query)
        sizes.add(len(ids))

    run(12, questions(pool, st.just([name])), check)
    assert any(0 < size < len(pool.rows) for size in sizes)


# --- Spellings and aliases, one by one -------------------------------------------------------------------------


@pytest.fixture
def funnel(layla, ahmed):
    """Three customers of Ahmed in three stages: `{stage: id}`."""
    stages = ("new_lead", "site_visit", "closing")
    return {stage: make_customer(layla, stage=stage, assigned_employee_id=ahmed.pk).pk for stage in stages}


def listed(response):
    return {customer["id"] for customer in data_of(response)["customers"]}


@pytest.mark.parametrize(
    "query",
    [
        "stage=new_lead&stage=closing",
        "stage[]=new_lead&stage[]=closing",
        "stage%5B%5D=new_lead&stage%5B%5D=closing",
        "stage[0]=new_lead&stage[1]=closing",
        'stage=["new_lead","closing"]',
        "stage=new_lead,closing",
        "stage=new_lead, closing,,",
        "stage=&stage=closing&stage=new_lead&stage=closing&stage[]=",
        'stage=["new_lead",""]&stage[]=closing',
    ],
)
def test_every_spelling_of_an_array_means_the_same(as_, ahmed, funnel, query):
    response = as_(ahmed).get(f"customers?{query}")
    assert listed(response) == {funnel["new_lead"], funnel["closing"]}
    assert "ignoredParams" not in response.json()["meta"]


@pytest.mark.parametrize(
    "query",
    [
        "stage=&source=&priority=&assignedEmployeeId=&search=&city=&state=&tags=&propertyType=&preferredAreas=",
        "stage[]=&tags[0]=&city=[]&stage=,&assignedEmployeeId=,",
        "leadScoreMin=&leadScoreMax=&budgetMin=&budgetMax=&createdFrom=&createdTo=&lastContactFrom=&lastContactTo=",
        "page=&limit=&sortBy=&sortOrder=",
    ],
)
def test_an_empty_value_is_no_filter(as_, ahmed, funnel, query):
    assert listed(as_(ahmed).get(f"customers?{query}")) == set(funnel.values())


def test_free_text_is_never_split_at_commas(as_, ahmed):
    rich = make_customer(ahmed, name="ثري", tags=["cash, now"], city="الدرعية، الرياض")
    make_customer(ahmed, name="آخر", tags=["cash", "now"])
    client = as_(ahmed)
    assert listed(client.get("customers", {"tags": "cash, now"})) == {rich.pk}
    assert listed(client.get("customers", {"city": "الدرعية، الرياض"})) == {rich.pk}


def test_the_example_of_the_specification_narrows_sorts_and_pages(as_, layla):
    wanted = {"stage": "site_visit", "priority": "high", "city": "Riyadh"}
    low, high = make_customer(layla, **wanted), make_customer(layla, **wanted | {"stage": "property_matching"})
    Customer.objects.filter(pk=high.pk).update(lead_score=90)
    for other in ({"priority": "low"}, {"city": "جدة"}, {"stage": "closing"}):
        make_customer(layla, **wanted | other)
    path = (
        "customers?page=1&limit=20&stage=property_matching&stage=site_visit&priority=high"
        f"&city={quote('الرياض')}&sortBy=leadScore&sortOrder=desc"
    )
    data = data_of(as_(layla).get(path))
    assert [customer["id"] for customer in data["customers"]] == [high.pk, low.pk]
    assert data["pagination"]["totalItems"] == 2


def test_a_filter_never_widens_what_the_caller_may_see(as_, layla, ahmed, fatima, omar, noura):
    mine = make_customer(ahmed)
    theirs, foreign = make_customer(omar), make_customer(noura, assigned_employee_id=noura.pk)
    for viewer, visible in ((ahmed, set()), (fatima, set()), (layla, {theirs.pk})):
        assert listed(as_(viewer).get("customers", {"assignedEmployeeId": omar.pk})) == visible
        assert listed(as_(viewer).get("customers", {"assignedEmployeeId": noura.pk})) == set()
        assert listed(as_(viewer).get("customers", {"search": foreign.phone})) == set()
    both = data_of(as_(ahmed).get("customers", {"assignedTo": f"me,{omar.pk}"}))
    assert [customer["id"] for customer in both["customers"]] == [mine.pk]
    assert both["pagination"]["totalItems"] == 1


def test_the_deleted_are_listed_only_when_asked_for_by_those_who_may_delete(as_, layla, fatima, ahmed):
    living, gone = make_customer(ahmed), make_customer(ahmed)
    data_of(as_(layla).delete(f"customers/{gone.pk}"))
    assert listed(as_(layla).get("customers")) == {living.pk}
    for viewer in (layla, fatima):
        assert listed(as_(viewer).get("customers", {"deleted": "only"})) == {gone.pk}
    error = error_of(as_(ahmed).get("customers", {"deleted": "only"}), 403, "PERMISSION_DENIED")
    assert error["details"] == {"requiredPermission": "customers.delete", "currentRole": "sales_agent"}


@pytest.mark.parametrize(
    "query",
    [
        "assignedEmployeeId=unassigned",
        "assignedEmployeeId[]=unassigned",
        "employeeId=unassigned",
        "assignedEmployeeId=unassigned,unassigned",
        "assignedEmployeeId=unassigned&assignedTo=unassigned",
    ],
)
def test_an_agent_lists_what_nobody_has_taken_as_summaries(as_, layla, ahmed, query):
    make_customer(ahmed)
    free = make_customer(layla, name="خالد الحربي", email="khalid@hub.example", assigned_employee_id=None)
    (summary,) = data_of(as_(ahmed).get(f"customers?{query}"))["customers"]
    assert summary["id"] == free.pk and summary["name"] == "خالد الحربي"
    assert not {"phone", "whatsapp", "email", "notes", "nationalId"} & summary.keys()


def test_filters_that_summaries_do_not_have_are_refused_by_name_rather_than_passed_over(as_, layla, ahmed):
    make_customer(layla, assigned_employee_id=None)
    for name, value in (("ejarContractStatus", "active"), ("doNotContact", "true"), ("lastContactTo", "2024-01-01")):
        query = f"customers?assignedEmployeeId=unassigned&{name}={value}"
        assert fields_of(as_(ahmed).get(query)) == [name]
        assert listed(as_(layla).get(query)) == set()
    error = error_of(as_(ahmed).get("customers?assignedEmployeeId=unassigned&deleted=only"), 403, "PERMISSION_DENIED")
    assert error["details"] == {"requiredPermission": "customers.delete", "currentRole": "sales_agent"}


def test_an_agent_cannot_find_out_the_phone_of_a_summary_by_searching_for_it(as_, layla, ahmed):
    free = make_customer(layla, name="خالد الحربي", email="khalid@hub.example", assigned_employee_id=None)
    unassigned = {"assignedEmployeeId": "unassigned"}
    assert listed(as_(ahmed).get("customers", {**unassigned, "search": "خالد"})) == {free.pk}
    for guess in (free.phone, free.phone[4:9], "khalid@hub.example", "@hub"):
        assert listed(as_(ahmed).get("customers", {**unassigned, "search": guess})) == set()


def test_the_organization_may_keep_its_unassigned_customers_from_agents(as_, layla, ahmed, organization):
    make_customer(layla, assigned_employee_id=None)
    organization.agents_may_claim = False
    organization.save()
    assert listed(as_(ahmed).get("customers", {"assignedEmployeeId": "unassigned"})) == set()


# --- What is not understood ----------------------------------------------------------------------------------------


def test_unknown_parameters_are_ignored_and_named(as_, ahmed, funnel):
    response = as_(ahmed).get("customers?_=1720000000&colour[]=red&stages=closing&fields=id,shoeSize&include=friends")
    assert listed(response) == set(funnel.values())
    assert sorted(response.json()["meta"]["ignoredParams"]) == ["_", "colour", "friends", "shoeSize", "stages"]


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("stage=new_lead,gone", "stage", "new_lead, qualified"),
        ("source=tiktok", "source", "inquiry, manual"),
        ("priority=HIGH", "priority", "low, medium, high, urgent"),
        ("state=أتلانتس", "state", "الرياض"),
        ("leadScoreMin=-1", "leadScoreMin", "0 to 100"),
        ("leadScoreMax=101", "leadScoreMax", "0 to 100"),
        ("leadScoreMin=4.5", "leadScoreMin", "whole number"),
        ("leadScoreMin=many", "leadScoreMin", "number"),
        ("leadScoreMin=1e1", "leadScoreMin", "number"),
        ("leadScoreMin=60&leadScoreMax=40", "leadScoreMax", "leadScoreMin"),
        ("budgetMin=-1", "budgetMin", "at least 0"),
        ("budgetMin=abc", "budgetMin", "number"),
        ("budgetMin=NaN", "budgetMin", "number"),
        ("budgetMax=Infinity", "budgetMax", "number"),
        ("budgetMax=1_000", "budgetMax", "number"),
        ("budgetMin=1e999999", "budgetMin", "number"),
        ("budgetMin=2&budgetMax=1", "budgetMax", "budgetMin"),
        ("createdFrom=2024-01-02&createdTo=2024-01-01", "createdTo", "createdFrom"),
        ("lastContactFrom=2024-01-02&lastContactTo=2024-01-01T20:59:59Z", "lastContactTo", "lastContactFrom"),
        ("createdFrom=yesterday", "createdFrom", "ISO 8601"),
        ("createdTo=2024-13-01", "createdTo", "ISO 8601"),
        ("lastContactFrom=2024-02-30T10:00:00Z", "lastContactFrom", "ISO 8601"),
        ("sortBy=phone", "sortBy", "createdAt, name"),
        ("sortOrder=up", "sortOrder", "asc, desc"),
        ("deleted=yes", "deleted", "only"),
        ("&".join(f"tags={n}" for n in range(201)), "tags", "200"),
    ],
)
def test_a_wrong_value_names_its_field_and_what_is_allowed(as_, layla, query, field, hint):
    error = error_of(as_(layla).get(f"customers?{query}"), 400, "VALIDATION_ERROR")
    (detail,) = error["details"]
    assert detail["field"] == field and hint in detail["message"]


def test_all_wrong_values_are_named_at_once(as_, layla):
    assert sorted(fields_of(as_(layla).get("customers?stage=x&priority=y&budgetMin=z"))) == [
        "budgetMin", "priority", "stage",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["2024-01-15 10:00", "2024-01-15 10:00:00", "2024-01-15T10:00", "٢٠٢٤-٠١-١٥T١٠:٠٠"])
def test_a_naive_time_is_riyadh_time_however_it_is_written(as_, layla, text):
    customer = make_customer(layla)
    Customer.objects.filter(pk=customer.pk).update(last_contact_at=datetime(2024, 1, 15, 7, tzinfo=UTC))
    client = as_(layla)
    assert listed(client.get("customers", {"lastContactFrom": text, "lastContactTo": text})) == {customer.pk}


@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"])
def test_the_end_of_time_is_no_bound(as_, ahmed, funnel, end):
    assert listed(as_(ahmed).get("customers", {"createdTo": end})) == set(funnel.values())


def test_a_day_may_be_hijri_or_day_first(as_, layla):
    customer = make_customer(layla)
    Customer.objects.filter(pk=customer.pk).update(last_contact_at=datetime(2024, 3, 11, 9, tzinfo=UTC))
    for day in ("2024-03-11", "11/03/2024", "1445-09-01", "١٤٤٥-٠٩-٠١"):
        query = {"lastContactFrom": day, "lastContactTo": day}
        assert listed(as_(layla).get("customers", query)) == {customer.pk}


@pytest.mark.parametrize("text", ["؟", "،", "ـــ", "😀", "«»", "%FF"])
def test_a_search_that_folds_to_nothing_finds_nobody(as_, layla, ahmed, text):
    make_customer(layla)
    for client, more in ((as_(layla), ""), (as_(layla), "&cursor="), (as_(ahmed), "&assignedTo=unassigned")):
        assert data_of(client.get(f"customers?search={text}{more}"))["customers"] == []


@pytest.mark.parametrize("asked", ["villa", "فيلا", "land,villa", "أرض،فيلا"])
def test_a_property_type_is_the_same_in_arabic_and_english(as_, layla, asked):
    ids = [make_customer(layla, preferences={"propertyType": [word]}).pk for word in ("villa", "فيلا", "apartment")]
    found = data_of(as_(layla).get("customers", {"propertyType": asked}))["customers"]
    assert {customer["id"] for customer in found} == set(ids[:2])


def test_claimable_customers_carry_every_collection_that_clients_walk_through(as_, layla, ahmed):
    make_customer(layla)
    (customer,) = data_of(as_(ahmed).get("customers", {"assignedTo": "unassigned"}))["customers"]
    for name in ("stageHistory", "properties", "interactions", "appointments", "reminders", "documents", "tags"):
        assert isinstance(customer[name], list)
    assert customer["stageHistory"] == [] and customer["aiInsights"] == {} and "phone" not in customer
