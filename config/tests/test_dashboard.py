"""Each figure of the back office's first page against the list that it links to, and how the pages around it look."""

import random
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from actions.services import complete_action, snooze_action
from config.templatetags.hub import in_short
from config.testing import HubClient, data_of, make_action, make_customer
from customers.models import Customer
from customers.tests.brokerage import Brokerage

NOW = datetime(2024, 5, 15, 10, 20, 30, tzinfo=UTC)
CUSTOMERS, ACTIONS = "/admin/customers/customer/", "/admin/actions/customeraction/"


@pytest.fixture
def brokerage(clock, layla, fatima, ahmed, omar, huda):
    """Customers of everybody and of nobody, with actions that are late, due, far, dateless, asleep, awake and done."""
    clock.now, chance = NOW - timedelta(days=3), random.Random(1447)
    people = {"layla": layla, "fatima": fatima, "ahmed": ahmed, "omar": omar, "huda": huda}
    brokerage = Brokerage(people, chance, NOW, 50)
    for customer in Customer.objects.filter(deleted_at=None).order_by("pk")[:40]:
        hours = chance.choice([None, 1, 60, 66, 72.5, 75, 90, 200, 400, 2000])
        due = hours and clock.now + timedelta(hours=hours)
        holder = chance.choice([None, layla, fatima, ahmed, omar])
        action = make_action(layla, customer, due_date=due, assigned_to_id=holder and holder.pk)
        ending = chance.choice(["", "", "", "done", "asleep", "overslept"])
        if ending == "done":
            complete_action(action, actor=layla)
        elif ending:
            snooze_action(action, actor=layla, until=NOW + timedelta(hours=5 if ending == "asleep" else -5))
    clock.now = NOW
    return brokerage


def signed_in(employee, language="en"):
    client = Client()
    client.force_login(employee)
    client.cookies["django_language"] = language
    return client


def figures_of(page):
    """`{(address, number)}` of the links with numbers in them."""
    links = re.findall(r'<a [^>]*href="(/admin/[^"]+)"[^>]*>(.*?)</a>', page.content.decode(), re.DOTALL)
    told = [(unescape(url), re.sub("<[^>]+>", " ", text).split()[-1].replace(",", "")) for url, text in links]
    return {(url, int(number)) for url, number in told if number.isdigit()}


@pytest.mark.parametrize("name", ["layla", "fatima"])
def test_each_figure_is_the_number_of_rows_of_its_link(brokerage, name):
    person = brokerage.people[name]
    client, api = signed_in(person), HubClient(person)
    figures = figures_of(client.get("/admin/"))

    linked = {url for url, _number in figures}
    assert {CUSTOMERS, f"{CUSTOMERS}?leadScoreMin=80", f"{CUSTOMERS}?assignedEmployeeId=unassigned"} <= linked
    assert {f"{ACTIONS}?dueDate=overdue", f"{ACTIONS}?dueDate=today", f"{ACTIONS}?dueDate=week"} <= linked
    assert {f"{CUSTOMERS}?stage=closing", f"{CUSTOMERS}?createdFrom=2024-05-01&createdTo=2024-05-31"} <= linked
    opened = set()
    for url, number in sorted(figures):
        path, _mark, query = url.partition("?")
        resource = {CUSTOMERS: "customers", ACTIONS: "customers/actions"}[path]
        assert data_of(api.get(f"{resource}?{query}&limit=1"))["pagination"]["totalItems"] == number, url
        # One list of each kind as its page shows it: pages take their time.
        kind = (path, *(part.partition("=")[0] for part in query.split("&")))
        if kind not in opened:
            opened.add(kind)
            assert client.get(url).context["cl"].result_count == number, url
    assert len(opened) == 9
    if name == "layla":
        of_all = {url: number for url, number in figures if "assigned" not in url}
        assert of_all[CUSTOMERS] > 35 and of_all[f"{ACTIONS}?dueDate=overdue"] > 3 and of_all[f"{ACTIONS}?tab=all"] > 20


def test_amounts_are_sums_over_the_list_they_link_to(brokerage):
    for name in ("layla", "fatima"):
        page = signed_in(brokerage.people[name]).get("/admin/")
        rows = Customer.objects.visible_to(brokerage.people[name])
        value = sum(customer.total_deal_value or 0 for customer in rows)
        title = re.search(rf'href="{CUSTOMERS}" title="([0-9,.]+) SAR"><span>Deal value', page.content.decode())
        assert float(title[1].replace(",", "")) == value > 1_000_000


def test_months_are_the_last_twelve_of_the_organizations_calendar(as_, clock, layla):
    clock.now = datetime(2024, 2, 29, 20, 59, tzinfo=UTC)  # one minute to March in Riyadh
    make_customer(layla)
    clock.now += timedelta(minutes=2)
    make_customer(layla)
    months = [url.partition("createdFrom=")[2] for url, _number in figures_of(signed_in(layla).get("/admin/"))]

    assert figures_of(signed_in(layla).get("/admin/")) >= {
        (f"{CUSTOMERS}?createdFrom=2024-02-01&createdTo=2024-02-29", 1),
        (f"{CUSTOMERS}?createdFrom=2024-03-01&createdTo=2024-03-31", 1),
        (f"{CUSTOMERS}?createdFrom=2023-04-01&createdTo=2023-04-30", 0),
    }
    assert len([month for month in months if month]) == 12


def test_figures_cost_the_same_statements_for_few_as_for_many(brokerage, noura):
    statements = {}
    for person in (brokerage.people["layla"], brokerage.people["fatima"], noura):
        client = signed_in(person)
        client.get("/admin/")
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/admin/").status_code == 200
        statements[person.pk] = len(captured)
    assert len(set(statements.values())) == 1


def test_an_organization_without_anything_has_figures_all_the_same(noura):
    figures = figures_of(signed_in(noura).get("/admin/"))
    assert (CUSTOMERS, 0) in figures
    assert {number for _url, number in figures} == {0}
    assert (f"{ACTIONS}?tab=all&assignedTo={noura.pk}", 0) in figures


def test_people_are_called_by_the_language_of_the_page(layla, omar):
    omar.name_en = "Omar Al-Dosari"
    omar.save()
    assert "Omar Al-Dosari" in signed_in(layla).get("/admin/").content.decode()
    arabic = signed_in(layla, "ar").get("/admin/").content.decode()
    assert omar.name in arabic and "Omar Al-Dosari" not in arabic


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0, "0"),
        (999, "999"),
        (999.6, "1 k"),
        (1000, "1 k"),
        (25_160, "25.2 k"),
        (999_950, "1 m"),
        (1_500_000, "1.5 m"),
        (201_429_000, "201 m"),
        (1_334_000_000, "1.33 bn"),
        (1_234_567_000_000, "1,235 bn"),
    ],
)
def test_amounts_are_told_in_three_digits(amount, told):
    assert in_short(amount) == told


# --- Pages of what went wrong ---------------------------------------------------------------------------------------


def test_an_unknown_page_answers_in_both_languages_and_an_unknown_route_of_the_api_in_json(layla):
    page = signed_in(layla).get("/admin/nowhere/")
    assert page.status_code == 404 and page["Content-Type"].startswith("text/html")
    assert "الصفحة غير موجودة" in page.content.decode() and "Page not found" in page.content.decode()
    assert HubClient(layla).get("nowhere").json()["error"]["code"] == "RESOURCE_NOT_FOUND"


def test_a_form_without_its_token_answers_in_both_languages(layla):
    client = Client(enforce_csrf_checks=True)
    client.force_login(layla)
    page = client.post("/admin/language/", {"language": "en"})
    assert page.status_code == 403 and "The page has expired" in page.content.decode()


def test_a_failure_answers_in_both_languages(layla, monkeypatch):
    def fail(employee):
        raise RuntimeError

    monkeypatch.setattr("config.dashboard.dashboard", fail)
    client = signed_in(layla)
    client.raise_request_exception = False
    page = client.get("/admin/")
    assert page.status_code == 500 and "Something went wrong" in page.content.decode()
    assert "<style" not in page.content.decode()
