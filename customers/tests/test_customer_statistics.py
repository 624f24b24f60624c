"""Every number of statistics, filter options and pipeline against the list that it stands for."""

import copy
import json
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.models import CustomerAction
from config.api import pagination
from config.testing import HubClient, data_of, fields_of, make_action, make_customer, make_employee, make_phone
from customers import counting, refreshing, tasks
from customers.models import Customer, CustomerSum, CustomerWord, StageChange, StageMedian
from customers.services import customer as services
from customers.services.bulk import bulk_change
from customers.tests.brokerage import (
    CITIES,
    DISTRICTS,
    PRIORITIES,
    ROLES,
    STAGES,
    TAGS,
    Brokerage,
    assert_close,
    check_everything,
    listed,
    options_of,
    pipeline_of,
    statistics_of,
    stats_of,
    total_of,
)
from employees import services as employees
from employees.authentication import forget_identities
from employees.choices import Role
from employees.models import Employee, Team

NOW = datetime(2024, 5, 15, 10, 20, 30, tzinfo=UTC)
RIYADH, ICELAND = ZoneInfo("Asia/Riyadh"), ZoneInfo("Atlantic/Reykjavik")
LISTS = {
    "stages": "stage", "sources": "source", "priorities": "priority", "cities": "city", "regions": "state",
    "districts": "district", "propertyTypes": "propertyType", "tags": "tags", "employees": "assignedEmployeeId",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


@pytest.fixture(scope="module")
def first_brokerage(module_db):
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(timezone, "now", lambda: NOW)
        organization = employees.create_organization(name="وساطة الرياض")
        north = Team.objects.get(organization=organization, is_default=True)
        south = Team.objects.create(organization=organization, name="الجنوب")
        people = {
            "layla": make_employee(organization, "ليلى", Role.ADMIN, north),
            "fatima": make_employee(organization, "فاطمة", Role.SALES_MANAGER, north),
            "ahmed": make_employee(organization, "أحمد", Role.SALES_AGENT, north),
            "omar": make_employee(organization, "عمر", Role.SALES_AGENT, south),
            "huda": make_employee(organization, "هدى", Role.VIEWER, north),
        }
        brokerage = Brokerage(people, random.Random(1445), NOW, 90)
        refreshing.refresh_medians()
        connection.check_constraints()
        return brokerage


@pytest.fixture
def brokerage(first_brokerage, clock, db):
    """What `first_brokerage` says, for each test anew."""
    clock.now = NOW
    brokerage = copy.copy(first_brokerage)
    brokerage.people = copy.deepcopy(first_brokerage.people)
    brokerage.organization = brokerage.people["layla"].organization
    return brokerage


# --- Each number and the list behind it --------------------------------------------------------------------------


def test_statistics_and_pipeline_equal_what_the_list_says(brokerage):
    for viewer in ROLES:
        client, ids = brokerage.clients[viewer], {name: person.pk for name, person in brokerage.people.items()}
        assert StageMedian.objects.exists()
        for query in (
            "",
            "assignedEmployeeId=me",
            f"employeeId={ids['ahmed']}&employeeId=unassigned",
            "assignedTo=emp_none",
        ):
            check_everything(client, NOW, query)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-05-01", ""),
        ("", "2024-05-14"),
        ("2024-01-01", "2024-04-30"),
        ("2000-01-01", "2099-12-31"),
        ("2024-04-30T21:00:00Z", "2024-05-15T09:20:30Z"),
    ],
)
def test_dated_statistics_equal_what_the_list_of_those_dates_says(brokerage, start, end):
    for viewer in ROLES:
        client = brokerage.clients[viewer]
        for who in ({}, {"assignedEmployeeId": "me,unassigned"}):
            rows = listed(client, urlencode({"createdFrom": start, "createdTo": end, **who}))
            found = stats_of(client, urlencode({"dateFrom": start, "dateTo": end, **who}))
            assert_close(found, statistics_of(rows, NOW))


def test_each_number_is_the_total_of_the_list_it_names(brokerage):
    for viewer in ROLES:
        client = brokerage.clients[viewer]
        stats = stats_of(client)
        for name, parameter in (("byStage", "stage"), ("bySource", "source"), ("byPriority", "priority")):
            assert stats[name] == {word: total_of(client, **{parameter: word}) for word in stats[name]}
        assert stats["total"] == total_of(client)
        assert stats["activeCustomers"] == total_of(client, lastContactFrom="2024-04-15")
        assert stats["newThisMonth"] == total_of(client, createdFrom="2024-05-01")
        assert stats["leadScores"]["60to80"] == total_of(client, leadScoreMin="60", leadScoreMax="79")
        for column in pipeline_of(client):
            assert column["count"] == total_of(client, stage=column["stage"])


@pytest.mark.parametrize(
    ("viewers", "filters"),
    [
        (ROLES, {}),
        (("layla", "ahmed"), {"stage": "closing,new_lead"}),
        (("layla", "omar"), {"city": "الرياض", "priority": "urgent,high"}),
        (("fatima", "huda"), {"tags": "vip", "createdFrom": "2024-01-01"}),
        (("layla", "ahmed"), {"search": "عميل", "assignedEmployeeId": "me"}),
        (ROLES, {"propertyType": "villa", "district": "حي النرجس", "leadScoreMin": "40"}),
    ],
)
def test_each_option_gives_as_many_as_it_says(brokerage, viewers, filters):
    for viewer in viewers:
        client = brokerage.clients[viewer]
        options = options_of(client, urlencode(filters))
        for name, parameter in LISTS.items():
            others = {other: value for other, value in filters.items() if other != parameter}
            for option in options[name]:
                value = option.get("value") or option["id"]
                assert option["count"] == total_of(client, **{**others, parameter: value}), (name, option)
        assert [option["value"] for option in options["stages"]] == STAGES
        assert "cut" not in options


@pytest.mark.parametrize("group", ["stage", "source", "employee", "city"])
@pytest.mark.parametrize("dates", ["", "2024-01-01", "2024-05-10"])
def test_groups_are_lists_of_their_own(brokerage, group, dates):
    parameter = {"employee": "assignedEmployeeId"}.get(group, group)
    for viewer in ("layla", "fatima", "ahmed"):
        client = brokerage.clients[viewer]
        stats = stats_of(client, f"groupBy={group}&dateFrom={dates}")
        assert sum(part["count"] for part in stats["groups"]) == stats["total"]
        assert len(stats["groups"]) == stats["groupCount"]
        for part in stats["groups"]:
            if group == "city" and part["key"] is None:
                continue
            rows = listed(client, urlencode({parameter: part["key"] or "unassigned", "createdFrom": dates}))
            scores, deals = [row["leadScore"] for row in rows], [row.get("totalDealValue", 0) for row in rows]
            assert part["count"] == len(rows)
            assert part["avgLeadScore"] == pytest.approx(sum(scores) / len(scores) if scores else 0, abs=0.0501)
            assert part["totalDealValue"] == pytest.approx(sum(deals))


def test_cities_are_called_what_people_read_and_group_their_spellings(brokerage):
    cities = {option["value"]: option for option in options_of(brokerage.clients["layla"])["cities"]}
    assert {"الرياض", "جدة", "Dubai"} < cities.keys() and "Riyadh" not in cities
    assert cities["الرياض"]["labelEn"] == "Riyadh"
    assert len({"قرية الفاو", "قريه الفاو"} & cities.keys()) == 1


def test_options_of_actions_equal_their_list(brokerage):
    layla = brokerage.people["layla"]
    for customer in Customer.objects.visible_to(layla).order_by("pk")[:7]:
        make_action(layla, customer, type="site_visit")
    CustomerAction.objects.filter(pk__in=CustomerAction.objects.order_by("pk").values("pk")[:2]).update(
        status="snoozed", snoozed_until=NOW - timedelta(minutes=2)
    )
    for viewer in ROLES:
        client = brokerage.clients[viewer]
        options = options_of(client)
        for option in options["actionTypes"]:
            assert option["count"] == total_of(client, "customers/actions", tab="all", type=option["value"])
        for option in options["actionStatuses"]:
            assert option["count"] == total_of(client, "customers/actions", status=option["value"])
    assert options_of(brokerage.clients["layla"])["actionTypes"][6]["count"] == 7


def test_totals_from_the_counts_are_those_of_the_rows(brokerage, monkeypatch):
    queries = ["", "stage=closing,new_lead", "source=import", "city=Riyadh&city=Dubai", "state=مكة", "tags=vip"]
    queries += ["propertyType=فيلا", "district=حى النرجس", "assignedEmployeeId=unassigned&priority=low", "employeeId=*"]
    clients = [brokerage.clients[viewer] for viewer in ("layla", "fatima", "karim")]
    counted = [len(listed(client, query)) for client in clients for query in queries]
    monkeypatch.setattr(pagination, "GATHER_LIMIT", 0)
    assert [len(listed(client, query)) for client in clients for query in queries] == counted


# --- Numbers stay true, whatever is written --------------------------------------------------------------------------


class Walk:
    """Anything may happen in any order: one method for each thing, all chosen by `chance`."""

    def __init__(self, brokerage, clock, folder):
        self.brokerage, self.clock, self.folder = brokerage, clock, folder
        self.chance, self.done, self.zone = brokerage.chance, set(), RIYADH

    def who(self, *names):
        name = self.chance.choice(names or ("layla", "layla", "fatima", "ahmed"))
        return Employee.objects.select_related("organization").get(pk=self.brokerage.people[name].pk)

    def some(self, actor, most=1, *, deleted=False):
        rows = list(Customer.objects.visible_to(actor, deleted=deleted).order_by("pk"))
        return self.chance.sample(rows, min(most, len(rows)))

    def target(self):
        name = self.chance.choice(["ahmed", "omar", "fatima", None])
        return name and self.brokerage.people[name].pk

    def write(self, call, *args, **options):
        with suppress(ValidationError, PermissionDenied), transaction.atomic():
            call(*args, **options)
            self.done.add(call.__name__)

    def create(self):
        values = {"city": self.chance.choice(CITIES), "stage": self.chance.choice(STAGES), "tags": TAGS[:2]}
        self.write(make_customer, self.who(), total_deal_value=10, **values)

    def update(self):
        actor = self.who()
        for customer in self.some(actor):
            values = {"stage": self.chance.choice(STAGES), "district": self.chance.choice(DISTRICTS), "tags": TAGS[1:]}
            values |= {
                "preferences": {"propertyType": ["villa", "فيلا"]},
                "total_deal_value": self.chance.choice([None, 7]),
            }
            self.write(services.update_customer, customer, actor=actor, values=values)

    def move(self):
        actor = self.who()
        for customer in self.some(actor):
            self.write(services.change_stage, customer, actor=actor, to_stage=self.chance.choice(STAGES))

    def assign(self):
        actor = self.who("layla", "fatima")
        for customer in self.some(actor):
            self.write(services.assign_customer, customer, actor=actor, employee_id=self.target())

    def claim(self):
        for customer in Customer.objects.filter(assigned_employee=None, deleted_at=None)[:1]:
            self.write(services.claim_customer, customer.pk, actor=self.who("ahmed"))

    def bulk(self):
        actor = self.who("layla", "fatima")
        ids = [row.pk for row in self.some(actor, 9)]
        parts = self.chance.choice(
            [
                {"operation": "stage", "toStage": self.chance.choice(STAGES)},
                {"operation": "priority", "priority": self.chance.choice(PRIORITIES)},
                {"operation": "assign", "assignedTo": self.target()},
                {"operation": "tags", "addTags": ["جديد"], "removeTags": ["vip"]},
            ]
        )
        self.write(bulk_change, actor=actor, customerIds=ids, **parts)

    def delete(self):
        actor = self.who("layla", "fatima")
        for customer in self.some(actor):
            self.write(services.delete_customer, customer, actor=actor)

    def restore(self):
        actor = self.who("layla")
        for customer in self.some(actor, deleted=True):
            self.write(services.restore_customer, customer, actor=actor)

    def purge(self):
        for customer in self.some(self.who("layla"), deleted=None):
            self.write(services.purge_customer, customer, actor=self.who("layla"))

    def score(self):
        for customer in self.some(self.who("layla"), 5):
            Customer.objects.filter(pk=customer.pk).update(lead_score=self.chance.randrange(101))

    def import_sheet(self):
        path = self.folder / "rows.csv"
        path.write_text(f"الاسم,الجوال,المدينة,المرحلة\nسعد,{make_phone()},الرياض,closing\n")
        call_command("import_customers", str(path), organization=self.brokerage.organization.pk, upsert=True)
        self.done.add("import_sheet")

    def import_json(self):
        moved = listed(self.brokerage.clients["layla"])[0]
        old = [
            {"fromStage": None, "toStage": "closing", "changedAt": "2024-01-01T10:00:00Z"},
            {"fromStage": "closing", "toStage": "qualified", "changedAt": "2024-02-01T10:00:00Z"},
        ]
        fresh = {
            "name": "نوف",
            "phone": make_phone(),
            "stage": "qualified",
            "stageHistory": old,
            "createdAt": "2023-12-01",
        }
        fresh["createdAt"] = "2023-12-01T00:00:00Z"
        known = {key: moved[key] for key in ("id", "name", "phone")} | {"stage": self.chance.choice(STAGES)}
        path = self.folder / "rows.json"
        path.write_text(json.dumps([fresh, known]))
        call_command("import_customers", str(path), organization=self.brokerage.organization.pk, upsert=True)
        self.done.add("import_json")

    def farewell(self):
        omar = self.who("omar")
        self.write(employees.deactivate_employee, omar, actor=self.who("layla"), successor_id=self.target())
        self.write(employees.activate_employee, self.who("omar"), actor=self.who("layla"))

    def travel(self):
        self.zone = ICELAND if self.zone == RIYADH else RIYADH
        self.brokerage.organization.time_zone = str(self.zone)
        self.brokerage.organization.save()
        forget_identities()

    def wait(self):
        self.clock.now += timedelta(hours=self.chance.choice([0.1, 5, 30]))

    def fold(self):
        self.write(tasks.fold_counts)

    def refresh(self):
        assert tasks.refresh_stats() == 0

    STEPS = (
        "create update update move move assign claim bulk bulk bulk bulk delete delete restore purge score "
        "import_sheet import_json farewell travel wait fold refresh"
    ).split()


@pytest.mark.parametrize("seed", range(2))
def test_numbers_stay_equal_to_the_lists_whatever_is_written(brokerage, clock, tmp_path, seed):
    brokerage.chance.seed(seed)
    walk, steps = Walk(brokerage, clock, tmp_path), 2 * Walk.STEPS
    brokerage.chance.shuffle(steps)
    for number, step in enumerate(steps, start=1):
        getattr(walk, step)()
        if number % 4 == 0 or number == len(steps):
            try:
                check_everything(brokerage.clients[brokerage.chance.choice(ROLES)], clock.now, zone=walk.zone)
                check_everything(brokerage.clients["layla"], clock.now, "assignedEmployeeId=unassigned", zone=walk.zone)
            except AssertionError as error:
                error.add_note(f"after {' '.join(steps[:number])}")
                raise
    assert len(walk.done) >= 14, walk.done
    assert refreshing.check() == []
    for viewer in ROLES:
        check_everything(brokerage.clients[viewer], clock.now, zone=walk.zone)


def test_an_update_that_changes_nothing_counted_writes_no_difference(brokerage):
    counting.fold_counts()
    rows = [model.objects.count() for model in (CustomerSum, CustomerWord)]
    customer = Customer.objects.filter(deleted_at=None).first()
    services.update_customer(customer, actor=brokerage.people["layla"], values={"notes": "ملاحظة", "email": "a@b.co"})
    assert [model.objects.count() for model in (CustomerSum, CustomerWord)] == rows


# --- The check --------------------------------------------------------------------------------------------------------


def run_check(*options):
    """What `refresh_stats` prints, and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command("refresh_stats", *options, stdout=out, stderr=StringIO())
    except SystemExit as end:
        code = end.code
    return out.getvalue(), code


def test_a_wrong_count_is_found_named_and_set_right(brokerage):
    organization = brokerage.organization
    assert run_check("--check") == ("No differences\n", 0)
    CustomerSum.objects.filter(stage="closing", assignee="*").delete()
    CustomerWord.objects.create(organization_id=organization.pk, assignee="", dimension="tag", word="vip", number=3)
    text, code = run_check("--check", f"--organization={organization.pk}")
    assert code == 1 and "customer_sums" in text and "dimension=tag word=vip" in text and "stage=closing" in text
    parsed = json.loads(run_check("--dry-run", "--format=json")[0])
    assert parsed["repaired"] is False and {"customer_sums", "customer_words"} == {
        difference["table"] for difference in parsed["differences"]
    }
    assert run_check()[1] == 0
    assert run_check("--check") == ("No differences\n", 0)
    check_everything(brokerage.clients["layla"], NOW)


def test_a_customer_out_of_place_is_put_where_its_history_says(brokerage):
    customer = Customer.objects.filter(closed_at__isnull=False, deleted_at=None).first()
    place = (customer.stage_entered_at, customer.closed_at, customer.furthest_stage_rank)
    Customer.objects.filter(pk=customer.pk).update(stage_entered_at=NOW, closed_at=None, furthest_stage_rank=0)
    (found,) = refreshing.check()
    assert found.names["id"] == customer.pk and set(found.values) == {
        "stage_entered_at", "closed_at", "furthest_stage_rank",
    }  # fmt: skip
    assert tasks.refresh_stats() == 1
    customer.refresh_from_db()
    assert (customer.stage_entered_at, customer.closed_at, customer.furthest_stage_rank) == place
    assert refreshing.check() == []


def test_an_unknown_organization_is_refused(db):
    with pytest.raises(CommandError):
        call_command("refresh_stats", organization="org_none")


# --- One by one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "dateFrom=2024-01-01", "assignedEmployeeId=emp_none", "groupBy=city"])
@pytest.mark.parametrize("name", ["layla", "fatima", "ahmed", "huda"])
def test_every_bucket_is_there_when_there_is_nothing(request, as_, name, query):
    client = as_(request.getfixturevalue(name))
    stats = stats_of(client, query)
    assert stats.pop("groups", []) == [] and stats.pop("groupCount", 0) == 0
    assert_close(stats, statistics_of([], NOW))
    assert [column["count"] for column in pipeline_of(client)] == [0] * 9
    options = options_of(client)
    assert [option["count"] for option in options["stages"]] == [0] * 9 and options["cities"] == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("stats?dateFrom=soon", "dateFrom"),
        ("stats?dateFrom=2024-05-02&dateTo=2024-05-01", "dateTo"),
        ("stats?dateTo=2024-02-30", "dateTo"),
        ("stats?groupBy=colour", "groupBy"),
        ("filters?stage=nowhere", "stage"),
        ("filters?facets=maybe", "facets"),
        ("filters?leadScoreMin=200", "leadScoreMin"),
        ("pipeline?cards=21", "cards"),
        ("pipeline?cards=-1", "cards"),
    ],
)
def test_a_wrong_value_is_named(as_, layla, path, field):
    assert fields_of(as_(layla).get(f"customers/{path}")) == [field]


@pytest.mark.parametrize(
    "query", ["dateTo=9999-12-31T23:59:59.999999Z", "dateFrom=0001-01-01T00:00:00Z", "dateFrom=9999-12-31"]
)
def test_dates_at_the_ends_of_time_are_dates(as_, layla, query):
    make_customer(layla)
    assert stats_of(as_(layla), query)["total"] == (0 if "From=9999" in query else 1)


def test_the_commission_of_the_organization_fills_in_for_unstated_revenue(as_, layla, organization):
    make_customer(layla, total_deal_value=1_000_000)
    make_customer(layla, total_deal_value=1_000_000, expected_revenue=5)
    assert stats_of(as_(layla))["financial"]["totalExpectedRevenue"] == 25_005
    organization.commission_rate = 1
    organization.save()
    forget_identities()
    assert stats_of(as_(layla))["financial"]["totalExpectedRevenue"] == 10_005


def test_who_skips_closing_has_closed_and_who_returns_has_closed_once(as_, clock, layla):
    clock.now = NOW
    customer = make_customer(layla)
    for days, stage, month, year in ((3, "post_sale", 1, 1), (40, "closing", 0, 1), (1, "new_lead", 0, 1)):
        clock.now += timedelta(days=days)
        services.change_stage(customer, actor=layla, to_stage=stage)
        stats = stats_of(as_(layla))
        assert stats["conversion"] == {
            "conversionRate": 100.0, "avgDaysInPipeline": 3.0, "closedThisMonth": month, "closedThisYear": year,
        }  # fmt: skip


def test_more_choices_than_fit_are_cut_and_said(as_, layla, monkeypatch):
    monkeypatch.setattr("customers.options.MOST", 2)
    for city in ("الرياض", "الرياض", "جدة", "Dubai"):
        make_customer(layla, city=city)
    options = options_of(as_(layla))
    assert [option["count"] for option in options["cities"]] == [2, 1] and options["cut"] == {"cities": 3}
    assert options_of(as_(layla), "source=inquiry")["cut"] == {"cities": 3}


def test_nobody_hears_of_other_organizations(as_, layla, noura):
    make_customer(layla, city="الرياض", tags=["vip"])
    client = as_(noura)
    for query in ("", "dateFrom=2000-01-01", "groupBy=employee", f"assignedEmployeeId={layla.pk}", "employeeId=*"):
        assert stats_of(client, query)["total"] == 0
    assert options_of(client)["tags"] == options_of(client, "stage=new_lead")["tags"] == []
    assert sum(column["count"] for column in pipeline_of(client)) == 0


def test_cards_show_what_a_card_needs_and_as_many_as_asked(as_, ahmed):
    for score in (10, 90, 50):
        customer = make_customer(ahmed, priority="high" if score == 50 else "low", total_deal_value=score)
        Customer.objects.filter(pk=customer.pk).update(lead_score=score)
    first = pipeline_of(as_(ahmed), "cards=2")[0]
    assert [card["leadScore"] for card in first["customers"]] == [50, 90] and first["count"] == 3
    assert set(first["customers"][0]) == {
        "id", "name", "phone", "stage", "stageEnteredAt", "priority", "leadScore", "totalDealValue",
        "assignedEmployeeId",
    }  # fmt: skip
    assert pipeline_of(as_(ahmed), "cards=0")[0]["customers"] == []


def test_many_and_few_customers_show_the_same_cards(brokerage, monkeypatch):
    for viewer in ROLES:
        few = pipeline_of(brokerage.clients[viewer])
        with monkeypatch.context() as patch:
            patch.setattr("customers.pipeline.FEW", -1)
            assert pipeline_of(brokerage.clients[viewer]) == few


@pytest.mark.parametrize(
    "path", ["stats", "stats?dateFrom=2000-01-01&groupBy=city", "filters", "filters?stage=new_lead", "pipeline"]
)
def test_numbers_cost_the_same_statements_for_few_as_for_many(as_, layla, path):
    client, costs = as_(layla), []
    data_of(client.get("auth/me"))
    for _round in range(2):
        for _number in range(6):
            make_customer(layla, city="الرياض")
        with CaptureQueriesContext(connection) as captured:
            data_of(client.get(f"customers/{path}"))
        costs.append(len(captured))
    assert 1 <= costs[0] == costs[1] <= 5


def test_history_and_customer_agree_on_when_a_stage_was_entered(layla):
    customer = make_customer(layla)
    services.change_stage(customer, actor=layla, to_stage="closing")
    bulk_change(actor=layla, customerIds=[customer.pk], operation="stage", toStage="qualified")
    customer.refresh_from_db()
    changes = StageChange.objects.filter(customer=customer).order_by("changed_at")
    assert customer.stage_entered_at == changes[2].changed_at and customer.closed_at == changes[1].changed_at
    assert customer.furthest_stage_rank == 7 and refreshing.check() == []


def test_only_people_who_sign_in_see_numbers(db):
    for path in ("stats", "filters", "pipeline"):
        assert HubClient().get(f"customers/{path}").status_code == 401


def test_a_type_with_a_comma_in_it_is_found_by_its_option(layla, as_):
    make_customer(layla, preferences={"propertyType": ["دور، علوي"]})
    make_customer(layla, preferences={"propertyType": ["villa", "apartment"]})
    (option,) = (
        option for option in data_of(as_(layla).get("customers/filters"))["filters"]["propertyTypes"]
        if "،" in option["value"]
    )  # fmt: skip
    answer = data_of(as_(layla).get("customers", {"propertyType": option["value"]}))
    assert answer["pagination"]["totalItems"] == option["count"] == 1
    assert data_of(as_(layla).get("customers", {"propertyType": "فيلا,land"}))["pagination"]["totalItems"] == 1
