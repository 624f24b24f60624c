"""A random brokerage, and its statistics, options and pipeline computed plainly from the lists that people see."""

from collections import Counter
from datetime import datetime, timedelta
from statistics import mean, median
from zoneinfo import ZoneInfo

from config.arabic import fold_text
from config.places import city_key
from config.testing import HubClient, data_of, make_employee, make_phone
from customers.models import Customer, StageChange, StageMedian
from customers.search import derived_columns
from customers.stages import having_been
from employees.choices import Role

STAGES = (
    "new_lead qualified property_matching site_visit negotiation contract_prep down_payment closing post_sale"
).split()
SOURCES = "inquiry manual whatsapp import referral".split()
PRIORITIES = "urgent high medium low".split()
CITIES = ["", "الرياض", "Riyadh", "جدة", "قرية الفاو", "قريه الفاو", "Dubai"]
DISTRICTS = ["", "", "حي النرجس", "حى النرجس", "الملقا"]
TAGS = ["vip", "مستثمر", "a,b", "100%"]
TYPES = ["villa", "فيلا", "شقة", "استراحة"]
OWNERS = ("layla", "fatima", "ahmed", "ahmed", "omar", "huda", None)
ROLES = ("layla", "fatima", "karim", "ahmed", "huda")
DAY, INSTANT, RIYADH = timedelta(days=1), timedelta(microseconds=1), ZoneInfo("Asia/Riyadh")


class Brokerage:
    """People of all roles with a client each, and customers of every kind as of `now`."""

    def __init__(self, people, chance, now, count):
        self.people, self.chance, self.now = dict(people), chance, now
        self.organization = people["layla"].organization
        self.people["karim"] = make_employee(self.organization, "كريم Karim", Role.SALES_MANAGER)
        self.clients = {name: HubClient(person) for name, person in self.people.items()}
        made = [self.make(number) for number in range(count)]
        Customer.objects.bulk_create(customer for customer, _history in made)
        StageChange.objects.bulk_create(change for _customer, history in made for change in history)

    def moments(self):
        """Around the edges of days, months and years in Riyadh, and here and there."""
        today = self.now.astimezone(RIYADH).date()
        days = [today, today - 30 * DAY, today.replace(day=1), today.replace(month=1, day=1), today - 400 * DAY]
        edges = [datetime(day.year, day.month, day.day, tzinfo=RIYADH) for day in days]
        around = [
            edge + step for edge in edges for step in (-timedelta(microseconds=1), timedelta(0), timedelta(hours=1))
        ]
        return [moment for moment in around if moment <= self.now] + [
            self.now - number * DAY for number in (2, 9, 50, 200)
        ]

    def make(self, number):
        chance, moments = self.chance, self.moments()
        at = sorted(chance.sample(moments, chance.randrange(1, 5)))
        history = [(chance.choice(STAGES), moment) for moment in at]
        owner, types, stage = chance.choice(OWNERS), chance.sample(TYPES, chance.randrange(3)), history[-1][0]
        searched = {
            "name": f"عميل {number}",
            "name_en": "",
            "city": chance.choice(CITIES),
            "district": chance.choice(DISTRICTS),
            "tags": chance.sample(TAGS, chance.randrange(3)),
            "preferences": {"propertyType": types, "preferredAreas": ["الرياض - حي النرجس"]},
        }
        deal = chance.choice([None, None, 0, 1_500_000, 2_000_000.5])
        customer = Customer(
            organization=self.organization,
            phone=make_phone(),
            source=chance.choice(SOURCES),
            priority=chance.choice(PRIORITIES),
            stage=stage,
            lead_score=chance.choice([0, 39, 40, 59, 60, 79, 80, 100]),
            total_deal_value=deal,
            expected_revenue=chance.choice([None, 44_000]),
            total_interactions=chance.randrange(4),
            response_rate=chance.choice([None, 50, 33.33]),
            last_contact_at=chance.choice([None, *moments]),
            assigned_employee=self.people[owner] if owner else None,
            created_at=at[0],
            deleted_at=self.now if number % 9 == 4 else None,
            **searched,
            **derived_columns(**searched),
            **having_been(stage, history, otherwise=None),
        )
        befores = [None, *(entered for entered, _at in history)]
        return customer, [
            StageChange(customer=customer, from_stage=before, to_stage=entered, changed_at=moment, changed_by="x")
            for before, (entered, moment) in zip(befores, history, strict=False)
        ]


# --- Through the front door -----------------------------------------------------------------------


def stats_of(client, query=""):
    return data_of(client.get(f"customers/stats?{query}"))["stats"]


def options_of(client, query=""):
    return data_of(client.get(f"customers/filters?{query}"))["filters"]


def pipeline_of(client, query=""):
    return data_of(client.get(f"customers/pipeline?{query}"))["pipeline"]


def total_of(client, path="customers", **query):
    return data_of(client.get(path, {**query, "limit": "1", "fields": "id"}))["pagination"]["totalItems"]


def listed(client, query=""):
    """Every customer of a list."""
    rows, page = [], 1
    while True:
        data = data_of(client.get(f"customers?limit=100&page={page}&{query}"))
        rows += data["customers"]
        if not data["pagination"]["hasNextPage"]:
            assert len(rows) == data["pagination"]["totalItems"]
            return rows
        page += 1


# --- Computed plainly -----------------------------------------------------------------------------


def day_of(text, zone):
    return datetime.fromisoformat(text).astimezone(zone).date()


def close_of(row):
    """When a customer closed: the first time in closing or after the sale."""
    times = [change["changedAt"] for change in row["stageHistory"] if change["toStage"] in STAGES[7:]]
    return min(map(datetime.fromisoformat, times), default=None)


def statistics_of(rows, now, zone=RIYADH, rate=0.025):
    today = now.astimezone(zone).date()
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    scores = [row["leadScore"] for row in rows]
    deals = [row["totalDealValue"] for row in rows if "totalDealValue" in row]
    revenue = [row.get("expectedRevenue", rate * row.get("totalDealValue", 0)) for row in rows]
    took = [
        (close_of(row) - datetime.fromisoformat(row["createdAt"])).total_seconds() / 86_400
        for row in rows
        if close_of(row)
    ]
    closed = [close_of(row).astimezone(zone).date() for row in rows if close_of(row)]
    reached = [
        any(STAGES.index(change["toStage"]) >= 6 for change in row["stageHistory"]) or STAGES.index(row["stage"]) >= 6
        for row in rows
    ]
    rates = [row["responseRate"] for row in rows if "responseRate" in row]
    nested = {
        "total": len(rows),
        "byStage": {word: sum(row["stage"] == word for row in rows) for word in STAGES},
        "bySource": {word: sum(row["source"] == word for row in rows) for word in SOURCES},
        "byPriority": {word: sum(row["priority"] == word for row in rows) for word in PRIORITIES},
        "leadScores": {
            "avg": mean(scores) if rows else 0,
            "median": median(scores) if rows else 0,
            "above80": sum(score >= 80 for score in scores),
            "60to80": sum(60 <= score < 80 for score in scores),
            "40to60": sum(40 <= score < 60 for score in scores),
            "below40": sum(score < 40 for score in scores),
        },
        "financial": {
            "totalDealValue": sum(deals),
            "totalExpectedRevenue": sum(revenue),
            "avgDealSize": mean(deals) if deals else 0,
        },
        "conversion": {
            "conversionRate": 100 * sum(reached) / len(rows) if rows else 0,
            "avgDaysInPipeline": mean(took) if took else 0,
            "closedThisMonth": sum(day >= month for day in closed),
            "closedThisYear": sum(day >= year for day in closed),
        },
        "engagement": {
            "activeCustomers": sum(
                day_of(row["lastContactAt"], zone) >= today - 30 * DAY for row in rows if "lastContactAt" in row
            ),
            "newThisMonth": sum(day_of(row["createdAt"], zone) >= month for row in rows),
            "avgInteractions": mean(row["totalInteractions"] for row in rows) if rows else 0,
            "avgResponseRate": mean(rates) if rates else 0,
        },
    }
    flat = {"avgLeadScore": nested["leadScores"]["avg"], "totalDealValue": nested["financial"]["totalDealValue"]}
    flat |= {name: nested["conversion"][name] for name in ("conversionRate", "avgDaysInPipeline", "closedThisMonth")}
    flat |= {name: nested["engagement"][name] for name in ("activeCustomers", "newThisMonth")}
    return nested | flat


def assert_close(found, expected, digits=0.0501):
    """The same keys and the same numbers, but for the rounding of averages."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_close(found[name], value)
        elif isinstance(value, int):
            assert found[name] == value, name
        else:
            assert abs(found[name] - value) <= digits, (name, found[name], value)


def check_everything(client, now, query="", zone=RIYADH):
    """Statistics, options and pipeline of a caller equal what their list says."""
    rows = listed(client, query)
    assert_close(stats_of(client, query), statistics_of(rows, now, zone))
    check_pipeline(pipeline_of(client, query), rows, now, zone)
    if not query:
        counted = {name: {option.get("value", option.get("id")): option["count"] for option in options}
                   for name, options in options_of(client).items() if isinstance(options, list)}  # fmt: skip
        assert counted["stages"] == {word: sum(row["stage"] == word for row in rows) for word in STAGES}
        assert counted["sources"] == {word: sum(row["source"] == word for row in rows) for word in SOURCES}
        tags = Counter(tag for row in rows for tag in row["tags"])
        assert counted["tags"] == tags
        people = Counter(row.get("assignedEmployeeId", "unassigned") for row in rows)
        assert counted["employees"] == people
        for name, column, key in (("cities", "city", city_key), ("districts", "district", fold_text)):
            found = {key(value): number for value, number in counted[name].items()}
            assert found == Counter(key(row[column]) for row in rows if column in row)


def check_pipeline(columns, rows, now, zone):
    today, medians = now.astimezone(zone).date(), dict(StageMedian.objects.values_list("stage", "median_days"))
    assert [column["stage"] for column in columns] == STAGES
    for column in columns:
        there = [row for row in rows if row["stage"] == column["stage"]]
        days = [
            (today - day_of(max(change["changedAt"] for change in row["stageHistory"]), zone)).days for row in there
        ]
        limit = medians.get(column["stage"])
        assert column["count"] == len(there)
        assert abs(column["value"] - sum(row.get("totalDealValue", 0) for row in there)) < 0.01
        assert abs(column["avgDays"] - (mean(days) if days else 0)) <= 0.0501
        assert column["staleCount"] == sum(limit is not None and number > 2 * limit for number in days)
        order = sorted(there, key=lambda row: row["id"], reverse=True)
        order.sort(key=lambda row: (PRIORITIES.index(row["priority"]), -row["leadScore"]))
        assert [card["id"] for card in column["customers"]] == [row["id"] for row in order[:5]]
