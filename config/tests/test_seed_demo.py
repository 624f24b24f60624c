"""manage.py seed_demo: the demo that people sign in to, and that load tests scale."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from config import demo
from config.arabic import national_id, phone_e164
from config.models import AuditEntry
from config.testing import data_of
from customers.choices import Priority, Source, Stage
from customers.models import Assignment, Customer, StageChange
from customers.search import derived_columns
from employees.models import Employee, Organization, Team

STAGES = list(Stage.values)
LOGINS = {
    "admin@hub.test": ("emp_admin", "admin", "org_demo"),
    "manager@hub.test": ("emp_manager", "sales_manager", "org_demo"),
    "agent@hub.test": ("emp_agent", "sales_agent", "org_demo"),
    "agent2@hub.test": ("emp_agent2", "sales_agent", "org_demo"),
    "viewer@hub.test": ("emp_viewer", "viewer", "org_demo"),
    "admin@other.test": ("emp_other_admin", "admin", "org_other"),
}


@pytest.fixture(autouse=True)
def _development(settings):
    settings.DEBUG = True


def seed(**options):
    """What the command says."""
    output = StringIO()
    call_command("seed_demo", stdout=output, **options)
    return output.getvalue()


@pytest.fixture
def seeded(db):
    seed()


def contents():
    """Everything the demo consists of, as it is stored."""
    models = (Organization, Team, Employee, Customer, StageChange, Assignment, AuditEntry)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_two_agencies_with_500_and_40_customers(seeded):
    assert set(Organization.objects.values_list("pk", flat=True)) == {"org_demo", "org_other"}
    assert Customer.objects.filter(organization_id="org_demo").count() == 500
    assert Customer.objects.filter(organization_id="org_other").count() == 40
    assert Team.objects.filter(organization_id="org_demo").count() == 2
    assert Employee.objects.count() == len(LOGINS)


def test_everybody_of_the_cast_signs_in(seeded, as_):
    for email, expected in LOGINS.items():
        user = data_of(as_(None).post("auth/login", {"email": email, "password": "demo-hub"}))["user"]
        assert (user["id"], user["roleKey"], user["organizationId"]) == expected
        assert user["name"] and user["nameEn"].isascii() and user["role"]


def test_the_agents_are_in_different_teams_and_the_viewer_in_the_managers(seeded):
    team_of = dict(Employee.objects.values_list("pk", "team_id"))
    assert team_of["emp_agent"] == team_of["emp_manager"] == team_of["emp_viewer"] != team_of["emp_agent2"]
    assert Team.objects.get(pk=team_of["emp_manager"]).is_default


def test_each_role_finds_customers_of_its_own(seeded, as_):
    def total(key):
        employee = Employee.objects.select_related("organization", "team").get(pk=key)
        return data_of(as_(employee).get("customers"))["pagination"]["totalItems"]

    assert total("emp_admin") == 500
    assert 300 > total("emp_agent") > 150
    assert 250 > total("emp_agent2") > 100
    assert total("emp_viewer") >= 10
    assert total("emp_agent") < total("emp_manager") < 500
    unassigned = Customer.objects.filter(organization_id="org_demo", assigned_employee=None).count()
    assert 25 <= unassigned <= 60


def test_the_funnel_narrows_and_every_word_occurs(seeded):
    customers = Customer.objects.filter(organization_id="org_demo")
    per_stage = [customers.filter(stage=stage).count() for stage in STAGES]
    assert min(per_stage) > 0 and per_stage[0] > per_stage[3] > per_stage[7]
    assert set(customers.values_list("source", flat=True)) == set(Source.values)
    assert set(customers.values_list("priority", flat=True)) == set(Priority.values)
    assert {"riyadh", "jeddah", "dammam", "khobar", "makkah", "madinah"} <= set(
        customers.values_list("city_key", flat=True)
    )
    assert customers.filter(city="Riyadh").exists() and customers.filter(city="الرياض").exists()
    scores = sorted(customers.values_list("lead_score", flat=True))
    assert scores[0] < 10 and scores[-1] > 90


def test_history_leads_to_the_stage_without_gaps_and_in_order(seeded):
    rows = {}
    for change in StageChange.objects.order_by("changed_at", "pk"):
        rows.setdefault(change.customer_id, []).append(change)
    for customer in Customer.objects.all():
        history = rows[customer.pk]
        passed = STAGES[: STAGES.index(customer.stage) + 1]
        assert [change.to_stage for change in history] == passed
        assert [change.from_stage for change in history] == [None, *passed[:-1]]
        times = [change.changed_at for change in history]
        assert times == sorted(set(times)) and times[0] == customer.created_at
        assert times[-1] <= customer.updated_at


def test_nothing_but_follow_ups_lies_ahead(seeded):
    now = timezone.now()
    assert not Customer.objects.filter(created_at__gt=now).exists()
    assert not Customer.objects.filter(updated_at__gt=now).exists()
    assert not Customer.objects.filter(last_contact_at__gt=now).exists()
    assert not StageChange.objects.filter(changed_at__gt=now).exists()
    assert not Assignment.objects.filter(assigned_at__gt=now).exists()
    assert Customer.objects.filter(next_follow_up_date__gt=now.date()).exists()
    assert Customer.objects.filter(next_follow_up_date__lt=now.date()).exists()


def test_assignments_end_with_the_assignee(seeded):
    last = {row.customer_id: row.to_employee_id for row in Assignment.objects.order_by("assigned_at", "pk")}
    for customer in Customer.objects.all():
        assert last.get(customer.pk) == customer.assigned_employee_id


def test_late_stages_carry_deal_values_and_early_ones_none(seeded):
    customers = Customer.objects.filter(organization_id="org_demo")
    assert not customers.filter(stage__in=STAGES[:4], total_deal_value__isnull=False).exists()
    late = customers.filter(stage__in=STAGES[4:], total_deal_value__gt=0)
    assert late.count() > 100
    assert late.filter(stage="post_sale", paid_amount__gt=0).exists()


def test_what_is_stored_is_what_the_services_would_store(seeded):
    for customer in Customer.objects.all():
        assert phone_e164(customer.phone) == customer.phone
        assert national_id(customer.national_id, nationality=customer.nationality) == customer.national_id
        derived = derived_columns(
            name=customer.name,
            name_en=customer.name_en,
            city=customer.city,
            tags=customer.tags,
            preferences=customer.preferences,
        )
        assert {name: getattr(customer, name) for name in derived} == derived
        assert customer.search_text.startswith(f"{customer.name_folded}\n")
        assert customer.budget_min is None or customer.budget_min <= customer.budget_max


def test_a_few_clients_went_to_both_agencies(seeded):
    demo_phones = dict(Customer.objects.filter(organization_id="org_demo").values_list("phone", "name"))
    other_phones = dict(Customer.objects.filter(organization_id="org_other").values_list("phone", "name"))
    shared = demo_phones.keys() & other_phones.keys()
    assert len(shared) == demo.SHARED_CUSTOMERS
    assert all(demo_phones[phone] == other_phones[phone] for phone in shared)


def test_a_second_run_says_so_and_changes_nothing(seeded):
    before = contents()
    assert seed() == "The demo is there already; nothing was changed.\n"
    assert seed(customers=100) == "The demo is there already; nothing was changed.\n"
    assert contents() == before


def test_asking_for_more_adds_the_missing_ones_and_a_sales_floor(seeded):
    before = {row["id"]: row for row in contents()["Customer"]}
    assert ", 200 customers added" in seed(customers=700)
    after = {row["id"]: row for row in contents()["Customer"]}
    assert len(after) == 740 and before.items() <= after.items()
    floor = Employee.objects.filter(pk__startswith="emp_demo_")
    assert floor.count() == 60 and floor.values("team").distinct().count() == 12
    added = [row["assigned_employee_id"] or "emp_demo_" for key, row in after.items() if key not in before]
    assert sum(key.startswith("emp_demo_") for key in added) > 190


def test_the_same_day_makes_the_same_customers():
    now, staff = datetime(2026, 3, 1, 12, tzinfo=UTC), demo.Staff.of_core()
    assert demo.make_customer(7, "org_demo", staff, now) == demo.make_customer(7, "org_demo", staff, now)
    assert len({demo.phone_of(number) for number in range(200_000)}) == 200_000


def test_a_removed_customer_is_replaced_by_one_with_a_phone_that_is_free(seeded):
    Customer.objects.filter(organization_id="org_demo").first().delete()
    seed()
    assert Customer.objects.filter(organization_id="org_demo").count() == 500


def test_it_is_refused_outside_debug(db, settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=true only"):
        seed()
    assert not Organization.objects.exists()


def test_it_is_refused_where_a_login_is_taken(db, layla):
    Employee.objects.filter(pk=layla.pk).update(email="admin@hub.test")
    with pytest.raises(CommandError, match="does not fit into this database"), transaction.atomic():
        seed()
    assert not Organization.objects.filter(pk="org_demo").exists()
