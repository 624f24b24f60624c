"""manage.py seed_demo: the demo that people sign in to, and that load tests scale."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Q
from django.test import override_settings
from django.utils import timezone

from actions import counting as action_counting
from actions.choices import ENDED, FIRST_ACTIONS, ActionStatus, ActionType
from actions.models import ActionCount, ActionNote, CustomerAction
from config import demo
from config.counts import EVERYBODY
from config.models import AuditEntry
from config.numbers import national_id, phone_e164
from config.testing import data_of
from customers import counting as customer_counting
from customers.ad_licenses import warnings_of
from customers.choices import COMING, PROPERTY_TYPES, ListingStatus, Priority, Source, Stage
from customers.contacts import contacts_of
from customers.models import (
    Appointment,
    Assignment,
    Customer,
    Interaction,
    Listing,
    PropertyInterest,
    Reminder,
    StageChange,
    StatusChange,
)
from customers.search import derived_columns
from customers.services import customer as customers
from customers.services import listing as listings
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


@pytest.fixture(scope="module")
def demo_rows(module_db):
    with override_settings(DEBUG=True):
        seed()
    # Here, or the end of each test would ask for all of them.
    connection.check_constraints()


@pytest.fixture
def seeded(demo_rows, db):
    """The demo, for each test anew."""


def contents():
    """Everything the demo consists of, as it is stored."""
    models = (
        *(Organization, Team, Employee, Customer, StageChange, Assignment, AuditEntry),
        *(CustomerAction, ActionNote, ActionCount, Listing),
        *(PropertyInterest, Interaction, Appointment, Reminder, StatusChange),
    )
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def signed_in(as_, key):
    return as_(Employee.objects.select_related("organization", "team").get(pk=key))


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
        return data_of(signed_in(as_, key).get("customers"))["pagination"]["totalItems"]

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
    assert scores[0] < 20 and scores[-1] == 100 and len(set(scores)) > 50


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
            district=customer.district,
            tags=customer.tags,
            preferences=customer.preferences,
        )
        assert {name: getattr(customer, name) for name in derived} == derived
        assert customer.contact == f"{customer.phone}\n{customer.email.lower()}"
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
    def customers():
        # What is computed of all of them may move with those who come.
        return {row["id"]: row | {"lead_score": None} for row in contents()["Customer"]}

    before = customers()
    assert ", 200 customers added" in seed(customers=700)
    after = customers()
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
    customer = Customer.objects.filter(organization_id="org_demo").first()
    customers.purge_customer(customer, actor=Employee.objects.get(pk="emp_admin"))
    seed()
    assert Customer.objects.filter(organization_id="org_demo").count() == 500


# --- Actions ------------------------------------------------------------------------------


def test_every_tile_of_the_requests_has_something_to_show_admins_managers_and_agents(seeded, as_):
    for key in ("emp_admin", "emp_manager", "emp_agent"):
        stats = data_of(signed_in(as_, key).get("customers/actions/stats"))["stats"]
        tiles = {
            (part, name): number
            for part, numbers in stats.items()
            for name, number in (numbers.items() if isinstance(numbers, dict) else [("", numbers)])
        }
        parts = Counter(part for part, _name in tiles)
        assert [parts[part] for part in ("total", "byType", "byPriority", "bySource", "dueDates")] == [5, 9, 4, 5, 5]
        assert [tile for tile, number in tiles.items() if not number > 0] == []


def test_everybody_who_works_on_actions_has_some_open_and_has_completed_some_this_month(seeded, as_):
    employees = data_of(signed_in(as_, "emp_admin").get("employees", {"includeStats": "true"}))["employees"]
    stats = {employee["id"]: employee["stats"] for employee in employees}
    for key in ("emp_manager", "emp_agent", "emp_agent2"):
        assert stats[key]["completedThisMonth"] > 0 and stats[key]["pendingActions"] > 0
    assert stats["emp_viewer"]["completedThisMonth"] == stats["emp_viewer"]["pendingActions"] == 0


def test_the_first_action_is_what_the_source_opens(seeded):
    for customer in Customer.objects.prefetch_related("actions"):
        first = min(customer.actions.all(), key=lambda action: action.created_at)
        assert (first.type, first.title) == FIRST_ACTIONS[customer.source]
        assert (first.source, first.priority) == (customer.source, customer.priority)
        hours = 24 if customer.priority in ("high", "urgent") else 48
        assert first.created_at == customer.created_at
        assert first.due_date == customer.created_at + timedelta(hours=hours)


def test_actions_carry_copies_of_their_customer(seeded):
    its_own = {
        "organization_id": F("customer__organization_id"),
        "city_key": F("customer__city_key"),
        "region": F("customer__region"),
        "customer_deleted": False,
    }
    actions = CustomerAction.objects.all()
    assert actions.filter(**its_own).count() == actions.count()
    wrong = Q(customer_assignee__isnull=True, customer__assigned_employee__isnull=False)
    wrong |= Q(customer_assignee__isnull=False) & ~Q(customer_assignee=F("customer__assigned_employee_id"))
    assert not actions.filter(wrong).exists()


def test_a_viewer_never_has_an_action_to_do_nor_writes_about_one(seeded):
    assert CustomerAction.objects.filter(customer_assignee="emp_viewer").exists()
    assert not CustomerAction.objects.filter(Q(assigned_to="emp_viewer") | Q(completed_by="emp_viewer")).exists()
    assert not ActionNote.objects.filter(created_by_id="emp_viewer").exists()


def test_most_actions_are_with_the_customers_assignee_a_few_with_a_colleague_or_nobody(seeded):
    actions = CustomerAction.objects.filter(organization_id="org_demo")
    total, assignee = actions.count(), F("customer_assignee")
    assert actions.filter(assigned_to=assignee).count() > 0.8 * total
    agents = actions.filter(customer_assignee__in=["emp_agent", "emp_agent2"])
    assert 0 < agents.filter(~Q(assigned_to=assignee)).count() < 0.05 * total
    unassigned = actions.filter(assigned_to=None)
    assert 0 < unassigned.count() < 0.1 * total
    assert set(unassigned.values_list("customer_assignee", flat=True)) == {None, "emp_viewer"}


def test_actions_end_between_their_creation_and_now_by_somebody(seeded):
    now, ended = timezone.now(), CustomerAction.objects.filter(status__in=ENDED)
    assert not CustomerAction.objects.filter(Q(created_at__gt=now) | Q(updated_at__gt=now)).exists()
    for action in ended:
        assert action.created_at < action.completed_at == action.updated_at < now
        assert action.completed_by_id and action.version == 2
        is_dismissed = action.status == ActionStatus.DISMISSED
        assert action.dismissed_at == (action.completed_at if is_dismissed else None)
        assert bool(action.reason) == is_dismissed and not (is_dismissed and action.outcome)
    assert ended.exclude(outcome="").exists()


def test_snoozes_end_between_tomorrow_and_three_weeks_ahead(seeded):
    now, snoozed = timezone.now(), CustomerAction.objects.filter(status=ActionStatus.SNOOZED)
    assert snoozed.exists()
    tomorrow = demo.midnight_of(now) + 86_400
    for action in snoozed:
        assert tomorrow <= action.snoozed_until.timestamp() and action.snoozed_until < now + timedelta(days=21)


def test_some_actions_say_more_in_descriptions_facts_and_notes(seeded):
    actions = CustomerAction.objects.all()
    assert actions.exclude(description="").count() > 0.2 * actions.count()
    facts = list(actions.exclude(metadata={}).values_list("metadata", flat=True))
    assert len(facts) > 0.2 * actions.count()
    names = {name for fact in facts for name in fact}
    assert names == {
        *("preferredContactTime", "propertyTitle", "propertyLocation"),
        *("documents", "amount", "confidence"),
    }
    numbers = list(actions.annotate(number=Count("notes")).values_list("number", flat=True))
    assert set(numbers) == {0, 1, 2}
    assert 0.2 < sum(number > 0 for number in numbers) / len(numbers) < 0.3
    names = dict(Employee.objects.values_list("pk", "name"))
    for note in ActionNote.objects.select_related("action"):
        assert note.created_by == names[note.created_by_id]
        assert note.action.created_at <= note.created_at <= timezone.now()


def test_the_counts_are_those_of_the_actions_and_compact(seeded):
    together, one_by_one = Counter(), Counter()
    for row in ActionCount.objects.filter(key__startswith="status:"):
        counted = together if row.assigned_to == EVERYBODY else one_by_one
        counted[row.organization_id, row.key.removeprefix("status:")] += row.number
    assert together == one_by_one == Counter(CustomerAction.objects.values_list("organization_id", "status"))
    assert action_counting.fold_counts() == customer_counting.fold_counts() == 0


def test_a_large_demo_has_three_actions_a_customer_in_the_proportions_of_a_real_one():
    now, staff = datetime(2026, 3, 1, 12, tzinfo=UTC), demo.Staff.of_floor()
    actions = []
    for number in range(2000):
        actions += demo.make_actions(number, demo.make_customer(number, "org_demo", staff, now), staff, now)[0]
    assert 5_700 < len(actions) < 6_300
    statuses = Counter(action["status"] for action in actions)
    expected = {"pending": 0.12, "in_progress": 0.03, "completed": 0.76, "dismissed": 0.06, "snoozed": 0.03}
    assert {status: number / len(actions) for status, number in statuses.items()} == pytest.approx(expected, abs=0.02)
    still_open = [action for action in actions if action["status"] in ("pending", "in_progress")]
    overdue = [action for action in still_open if action["due_date"] and action["due_date"] < now]
    assert 0.28 < len(overdue) / len(still_open) < 0.42
    assert {action["type"] for action in still_open} == set(ActionType.values)


def test_the_same_day_makes_the_same_actions_and_another_time_of_it_as_many_of_the_same_kind():
    staff, noon = demo.Staff.of_core(), datetime(2026, 3, 1, 9, tzinfo=UTC)

    def make(now):
        made = [(number, demo.make_customer(number, "org_demo", staff, now)) for number in range(50)]
        return [demo.make_actions(number, customer, staff, now) for number, customer in made]

    def kinds(now):
        return [
            (action["type"], action["title"], action["status"], action["assigned_to_id"])
            for actions, _notes in make(now)
            for action in actions
        ]

    assert make(noon) == make(noon)
    for hours in (-11.99, 11.99):
        assert kinds(noon + timedelta(hours=hours)) == kinds(noon)


def test_customers_are_those_they_were_before_they_had_actions():
    now, staff = datetime(2026, 3, 1, 12, tzinfo=UTC), demo.Staff.of_core()
    for number, name, stage, last_drawn in (
        (7, "منى الراشد", "new_lead", "asg_01kfth09kr0jpfw3xz68"),
        (140, "بشاير العسيري", "site_visit", "asg_01k4w6j4eg1jzvye8jed"),
        (141, "طلال سعد الجهني", "property_matching", "asg_01kgsxvs6g5cdc1d17tz"),
        (333, "سعود بن حمزة البقمي", "new_lead", "asg_01kg55eygrg9trzpwg57"),
    ):
        made = demo.make_customer(number, "org_demo", staff, now)
        before = repr(made)
        demo.make_actions(number, made, staff, now)
        assert repr(made) == before
        assert (made.customer["name"], made.customer["stage"]) == (name, stage)
        assert made.assignments[-1]["id"] == last_drawn


def test_both_agencies_have_listings_that_everybody_of_theirs_sees(seeded, as_):
    assert Listing.objects.filter(organization_id="org_demo").count() == 240
    assert Listing.objects.filter(organization_id="org_other").count() == 24
    archived = Listing.objects.filter(organization_id="org_demo", status="archived").count()
    for key in ("emp_admin", "emp_agent", "emp_viewer"):
        total = data_of(signed_in(as_, key).get("listings"))["pagination"]["totalItems"]
        assert total == 240 - archived < 240
    assert Listing.objects.get(pk="prop_001").organization_id == "org_demo"


def test_listings_are_of_every_kind_and_match_what_customers_look_for(seeded):
    ours = Listing.objects.filter(organization_id="org_demo")
    assert set(ours.values_list("status", flat=True)) == set(ListingStatus.values)
    assert set(ours.values_list("type_key", flat=True)) == {f"type:{word}" for word in PROPERTY_TYPES}
    assert not ours.filter(status="sold", purpose="rent").exists()
    assert not ours.filter(status="rented", purpose="sale").exists()
    wanted = Customer.objects.filter(
        organization_id="org_demo", preferences__purpose="buy", facets__contains=["type:villa"], city_key="riyadh"
    )
    offered = ours.filter(status="available", purpose="sale", type_key="type:villa", city_key="riyadh")
    assert wanted.exists() and offered.count() >= 5
    assert ours.filter(price__isnull=True).count() == 0
    assert {warning["code"] for listing in ours for warning in warnings_of(listing, listing.organization)} == {
        "AD_LICENSE_MISSING",
        "AD_LICENSE_EXPIRED",
        "AD_LICENSE_EXPIRING",
    }


def test_listings_are_stored_as_the_services_would_store_them(seeded):
    for listing in Listing.objects.all():
        derived = listings.columns_of({}, listing)
        assert {name: getattr(listing, name) for name in derived} == derived
        assert listing.created_at <= listing.updated_at <= timezone.now()


def test_what_has_gone_on_is_what_customers_tell_of_it(seeded):
    assert Interaction.objects.count() > Customer.objects.count()
    now = timezone.now()
    for customer in Customer.objects.order_by("pk")[:150]:
        contacts = contacts_of(customer)
        assert (contacts.at, contacts.type or "") == (customer.last_contact_at, customer.last_contact_type)
        for name in ("response_rate", "avg_response_time"):
            stored, computed = getattr(customer, name), getattr(contacts, name)
            assert (stored is None) == (computed is None) and abs((stored or 0) - (computed or 0)) <= Decimal("0.01")
        children = [*customer.properties.all(), *customer.interactions.all(), *customer.appointments.all()]
        totals = Counter()
        for row in children:
            totals.update(row.counts())
        assert totals["total_interactions"] == customer.total_interactions
        assert totals["total_appointments"] == customer.total_appointments
        assert totals["total_property_views"] == customer.total_property_views
    last = {}
    for change in StatusChange.objects.order_by("recorded_at", "from_status"):
        last[change.item_id] = change.to_status if change.from_status else last.get(change.item_id, change.to_status)
    rows = [*PropertyInterest.objects.all(), *Appointment.objects.all()]
    assert {row.pk: row.status for row in rows} == last
    assert not Appointment.objects.filter(status__in=COMING, datetime__lt=now).exists()
    assert Appointment.objects.filter(status__in=COMING).exists() and Reminder.objects.filter(status="pending").exists()
