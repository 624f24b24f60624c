"""A manager's morning in the back office, in a real browser; the sockets of an agent hear of each change."""

import json
import time

import pytest
from django.contrib.admin.utils import unquote

from config.tests.browser import MISSING, browser, installed
from config.tests.hub import PASSWORD
from realtime.tests.test_sockets import AGENT, MANAGER, hear, socket_of, subscribe

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not installed(), reason=MISSING)]

CUSTOMERS, ACTIONS, TRANSFERS = (
    f"/admin/{path}/" for path in ("customers/customer", "actions/customeraction", "customers/transfer")
)
# One customer for the agent, one without a phone that could be called, one twice.
FILE = """الاسم,رقم الجوال,الموظف المسؤول
عبير المستوردة,0557770001,agent@hub.test
نورة القحطاني,12345,agent@hub.test
فهد الدوسري,0557770001,agent@hub.test
"""


class Morning:
    """The page that the manager looks at, the hub behind it, and the socket of an agent."""

    def __init__(self, hub, page, socket):
        self.hub, self.page, self.socket = hub, page, socket

    def open(self, path):
        self.page.open(self.hub.url + path)

    def text(self, selector):
        return self.page.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent.trim()")

    def heard(self, event, count):
        """`{customer id: data}` of the next messages of a name."""
        messages = [hear(self.socket, event)["data"] for _number in range(count)]
        return {data["customerId"]: data for data in messages}

    def wait_for(self, selector):
        """Look at the page again and again until something is there."""
        deadline = time.monotonic() + 60
        while not self.page.evaluate(f"!!document.querySelector({json.dumps(selector)})"):
            assert time.monotonic() < deadline, self.text("#content")
            self.page.open(self.page.evaluate("location.href"))


@pytest.fixture
def morning(hub):
    with (
        socket_of(hub, hub.sign_in(AGENT)) as socket,
        browser() as chromium,
        chromium.page() as page,
    ):
        subscribe(socket, "customers", "actions")
        yield Morning(hub, page, socket)


def test_a_managers_morning(morning, tmp_path):
    signs_in(morning)
    opens_what_is_overdue(morning)
    gives_ten_customers_to_the_agent(morning)
    changes_a_stage(morning)
    imports_a_file_with_mistakes(morning, tmp_path)
    exports_what_the_list_shows(morning)


def signs_in(morning):
    morning.open("/admin/")
    morning.page.fill("#id_username", MANAGER)
    morning.page.fill("#id_password", PASSWORD)
    morning.page.click("[type=submit]")
    assert morning.text("#content > h1") == "اليوم"


def opens_what_is_overdue(morning):
    tile = 'a.hub-figure[href$="?dueDate=overdue"]'
    overdue = int(morning.text(f"{tile} b"))
    assert overdue > 10
    morning.page.click(tile)
    assert morning.text("#changelist-form .paginator").split()[-2] == str(overdue)
    title = morning.text("#result_list tbody th a")
    morning.page.click("#result_list tbody th a")
    assert morning.page.evaluate("document.querySelector('#id_title').value") == title


def gives_ten_customers_to_the_agent(morning):
    morning.open(f"{CUSTOMERS}?assignedEmployeeId=emp_manager")
    chosen = morning.page.evaluate(
        "[...document.querySelectorAll('.action-select')].slice(0, 10).map(box => (box.checked = true, box.value))"
    )
    assert len(chosen) == 10
    morning.page.fill("select[name=action]", "assign")
    morning.page.click("#changelist-form [name=index]")
    morning.page.fill("#id_employee", "emp_agent")
    morning.page.click("[name=apply]")
    assert "10" in morning.text(".messagelist .success")
    heard = morning.heard("customer.assigned", 10)
    assert heard.keys() == set(chosen)
    assert {(data["previousEmployee"], data["newEmployee"]) for data in heard.values()} == {
        ("emp_manager", "emp_agent")
    }


def changes_a_stage(morning):
    morning.open(f"{CUSTOMERS}?assignedEmployeeId=emp_agent&stage=new_lead")
    morning.page.click("#result_list tbody th a")
    customer = unquote(morning.page.evaluate("location.pathname").split("/")[-3])
    morning.page.fill("#id_stage", "qualified")
    morning.page.click("[name=_continue]")
    assert morning.page.evaluate("document.querySelector('#id_stage').value") == "qualified"
    heard = morning.heard("customer.stage_changed", 1)
    assert (heard[customer]["fromStage"], heard[customer]["toStage"]) == ("new_lead", "qualified")


def imports_a_file_with_mistakes(morning, folder):
    file = folder / "agency.csv"
    file.write_text(FILE, encoding="utf-8-sig")
    morning.open(f"{TRANSFERS}add/")
    morning.page.attach("#id_file", file)
    morning.page.click("#content [type=submit]")
    morning.page.click("[name=check]")
    morning.wait_for("[name=confirm]")
    rows = morning.page.evaluate(
        "[...document.querySelectorAll('.hub-scroll tbody tr')].map(row => row.cells[0].textContent)"
    )
    assert rows[:2] == ["3", "4"]
    morning.page.click("[name=confirm]")
    morning.wait_for(".hub-badge.hub-done")
    assert hear(morning.socket, "customer.created")["data"]["customer"]["name"] == "عبير المستوردة"
    status, errors = morning.page.fetch(morning.page.evaluate("document.querySelector('a.hub-all').href"))
    assert status == 200 and "12345" in errors and "عبير" not in errors
    morning.open(f"{CUSTOMERS}?q=0557770001")
    assert morning.text("#result_list tbody th a") == "عبير المستوردة"


def exports_what_the_list_shows(morning):
    morning.open(f"{CUSTOMERS}?q=0557770001")
    morning.page.click(".hub-export [value=csv]")
    morning.wait_for("a.hub-button")
    status, text = morning.page.fetch(morning.page.evaluate("document.querySelector('a.hub-button').href"))
    assert status == 200 and "عبير المستوردة" in text and len(text.splitlines()) == 2
