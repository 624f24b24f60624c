"""Two brokerages on a running hub, in which people write at random, and what each of them may see after every step."""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
from django.conf import settings

from config import embedded
from config.tests.hub import PASSWORD
from documents.tests.files import MULTIPART, form, pdf
from realtime.tests.model import Person

STAGES = ["new_lead", "qualified", "property_matching", "site_visit", "negotiation", "contract_prep", "down_payment"]
PRIORITIES = ["low", "medium", "high", "urgent"]
ACTION_TYPES = ["new_inquiry", "callback_request", "follow_up", "site_visit", "document_required"]
CITIES = ["الرياض", "جدة", "Dammam", "Elsewhere", None]
# Nobody but those who may see it whole is ever sent this.
NATIONAL_ID = "1000000008"
OURS, THEIRS = "Canary Homes", "Magpie Estates"

_MAKE = """
import json
from employees import services
from employees.models import Team
people = []
def hire(organization, word, role, team):
    email = f"{word}@{organization.pk}.test"
    employee = services.create_employee(None, organization=organization, name=f"{organization.name} {word}",
                                        role=role, team_id=team.pk, email=email)
    token = services.sign_in(employee, can_refresh=False)[0]
    people.append({"word": word, "id": employee.pk, "role": role, "email": email, "token": token,
                   "organization": organization.pk})
    return employee
for name in %r:
    organization = services.create_organization(name=name)
    north = Team.objects.get(organization=organization)
    south = Team.objects.create(organization=organization, name="South")
    hire(organization, "admin", "admin", north)
    if len(people) > 1:
        break
    for word, role, team in [("fatima", "sales_manager", north), ("saad", "sales_manager", south),
                             ("ahmed", "sales_agent", north), ("badr", "sales_agent", north),
                             ("omar", "sales_agent", south), ("huda", "viewer", north)]:
        employee = hire(organization, word, role, team)
        if role == "sales_agent":
            services.set_password(employee, %r, actor=None)
            people[-1]["token"] = services.sign_in(employee, can_refresh=False)[0]
print(json.dumps({"people": people, "teams": list(Team.objects.filter(organization=people[0]["organization"])
                                                  .values_list("pk", flat=True))}))
"""

_TRUTH = """
SELECT json_build_object(
    'customers', (SELECT coalesce(json_object_agg(id, assigned_employee_id), '{}') FROM customers
                   WHERE organization_id = %(key)s AND deleted_at IS NULL),
    'deleted', (SELECT coalesce(json_agg(id), '[]') FROM customers
                 WHERE organization_id = %(key)s AND deleted_at IS NOT NULL),
    'actions', (SELECT coalesce(json_object_agg(a.id, json_build_array(a.customer_id, a.assigned_to_id)), '{}')
                  FROM customer_actions a JOIN customers c ON c.id = a.customer_id
                 WHERE c.organization_id = %(key)s AND c.deleted_at IS NULL),
    'people', (SELECT json_object_agg(id, json_build_array(role, team_id, is_active)) FROM employees
                WHERE organization_id = %(key)s)
)
"""


class Truth(NamedTuple):
    """What the tables say after a step, and how far the log went."""

    seq: int
    customers: dict
    deleted: list
    actions: dict
    people: dict

    def shows(self, person, kind, key):
        """Whether a row is in somebody's scope: written from the contract, not from the code."""
        if person.id not in self.people:
            return False
        role, team, _active = self.people[person.id]
        if kind == "action":
            if key not in self.actions:
                return False
            customer, assignee = self.actions[key]
            return assignee == person.id or self.shows(person, "customer", customer)
        if key not in self.customers:
            return False
        owner = self.customers[key]
        if role == "sales_manager" and (owner is None or team is not None and self.people[owner][1] == team):
            return True
        return role == "admin" or owner == person.id


class Brokerage:
    """The people of one brokerage, and the admin of another, who writes too and must stay alone."""

    def __init__(self, hub, rng):
        self.hub, self.rng = hub, rng
        made = json.loads(hub.run(_MAKE % ([OURS, THEIRS], PASSWORD)))
        self.teams, self.people = made["teams"], {}
        for fields in made["people"]:
            word = fields.pop("word")
            person = Person(hub, **fields)
            if person.organization != made["people"][0]["organization"]:
                self.stranger = person
            else:
                self.people[word] = person
        self.id = self.people["admin"].organization
        self.admin, self.statuses, self.phones = self.people["admin"], {}, 30_000_000
        self.truths = []
        self.look()
        weights = {write: weight for write, weight in _WEIGHTS.items()}
        self.writes, self.weights = list(weights), list(weights.values())

    # --- What is so ------------------------------------------------------------------------

    def look(self):
        """Note what is so now, under the number that the log has reached."""
        seq = self.admin.get("events")["seq"]
        with psycopg.connect(embedded.database_url(self.hub.folder), autocommit=True) as connection:
            ((told,),) = connection.execute(_TRUTH, {"key": self.id}).fetchall()
        self.truths.append(Truth(seq, **told))

    @property
    def truth(self):
        return self.truths[-1]

    def unsettled(self):
        """Customers with a snooze whose time has come and that nobody has woken yet."""
        rows = self.hub.sql(
            "SELECT customer_id FROM customer_actions WHERE status = 'snoozed' AND snoozed_until <= now()"
        )
        return {key for (key,) in rows}

    def around(self, seq):
        """The Truths before and after the step that an event belongs to."""
        place = next(place for place, truth in enumerate(self.truths) if truth.seq >= seq)
        return self.truths[max(place - 1, 0)], self.truths[place]

    # --- What people do ----------------------------------------------------------------------

    def step(self):
        """One write by somebody; returns what it was."""
        (write,) = self.rng.choices(self.writes, self.weights)
        before = dict(self.statuses)
        getattr(self, write)()
        self.look()
        return write, {key: n - before.get(key, 0) for key, n in self.statuses.items() if n != before.get(key, 0)}

    def ask(self, person, method, path, body=None, **options):
        answer = person.call(method, path, body, **options)
        assert answer.status < 500, (method, path, body, answer.body)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        return answer.json()

    def anybody(self, *words):
        return self.people[self.rng.choice(words or ("admin", "fatima", "saad", "ahmed", "badr", "omar"))]

    def boss(self):
        return self.anybody("admin", "admin", "fatima", "saad")

    def somebody(self):
        """The id of an employee, or nobody's."""
        return self.rng.choice([None, *(self.people[w].id for w in ("ahmed", "badr", "omar", "huda", "fatima"))])

    def one(self, kind, person):
        """A row that the person sees, if there is one."""
        seen = [key for key in getattr(self.truth, f"{kind}s") if self.truth.shows(person, kind, key)]
        return self.rng.choice(seen) if seen else "nobody"

    def some(self, kind, person):
        return list({self.one(kind, person) for _ in range(self.rng.randint(2, 8))})

    def phone(self):
        self.phones += 1
        return f"+9665{self.phones}"

    def word(self):
        return self.rng.choice(["نورة", "سالم", "Huda", "Majed", "ريم", "Fahd"]) + f" {self.rng.randint(1, 999)}"

    def moment(self, *, hours=0, ahead=400):
        at = datetime.now(UTC) + timedelta(hours=hours, minutes=self.rng.randint(30, 60 * ahead))
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def day(self):
        return (datetime.now(UTC) + timedelta(days=self.rng.randint(2, 300))).strftime("%Y-%m-%d")

    def fields(self):
        """Some fields of a customer with values; null takes one away."""
        rng = self.rng
        every = {
            "name": f"{OURS} {self.word()}",
            "nameEn": rng.choice([None, self.word()]),
            "phone": self.phone(),
            "whatsapp": rng.choice([None, self.phone()]),
            "email": rng.choice([None, f"c{rng.randint(1, 999)}@mail.test"]),
            "nationalId": rng.choice([None, NATIONAL_ID]),
            "nationality": rng.choice([None, "Saudi"]),
            "gender": rng.choice([None, "male", "female"]),
            "dateOfBirth": rng.choice([None, "1990-05-01"]),
            "priority": rng.choice(PRIORITIES),
            "source": rng.choice(["inquiry", "whatsapp", "referral", "snapchat", "walk_in"]),
            "sourceDetails": rng.choice([None, {"campaign": self.word()}]),
            "city": rng.choice(CITIES),
            "district": rng.choice([None, "النرجس"]),
            "notes": rng.choice([None, self.word()]),
            "tags": rng.choice([[], ["vip"], ["vip", "مهم"]]),
            "familySize": rng.choice([None, 4]),
            "totalDealValue": rng.choice([None, 1_500_000, 2_250_000.5]),
            "expectedRevenue": rng.choice([None, 40_000]),
            "paidAmount": rng.choice([None, 10_000]),
            "nextFollowUpDate": rng.choice([None, self.day()]),
            "doNotContact": rng.random() < 0.2,
            "latitude": rng.choice([None, 24.71]),
            "preferences": {
                "propertyType": rng.choice([[], ["villa"], ["villa", "apartment"]]),
                "budgetMin": rng.choice([None, 500_000]),
                "budgetMax": rng.choice([None, 900_000]),
                "preferredAreas": rng.choice([[], ["الرياض - حي النرجس"]]),
                "bedrooms": rng.choice([None, 3]),
                "notes": rng.choice([None, self.word()]),
            },
        }
        return {name: every[name] for name in rng.sample(list(every), rng.randint(1, 6))}

    def create(self):
        body = {"source": "inquiry"} | self.fields() | {"name": f"{OURS} {self.word()}", "phone": self.phone()}
        person = self.anybody()
        if person.role != "sales_agent" and self.rng.random() < 0.7:
            body["assignedEmployeeId"] = self.somebody()
        if self.rng.random() < 0.2:
            body["ksaCompliance"] = {"mortgageInfo": {"status": "pre_approved"}, "paymentSchedule": [self.payment()]}
        self.ask(person, "POST", "customers", body)

    def change(self):
        person, body = self.anybody(), self.fields()
        if person.role != "sales_agent" and self.rng.random() < 0.2:
            body["assignedEmployeeId"] = self.somebody()
        if self.rng.random() < 0.2:
            body["stage"] = self.rng.choice(STAGES)
        self.ask(person, self.rng.choice(["PATCH", "PUT"]), f"customers/{self.one('customer', person)}", body)

    def move(self):
        person = self.anybody()
        body = {"toStage": self.rng.choice(STAGES), "reason": self.word()}
        self.ask(person, "PATCH", f"customers/{self.one('customer', person)}/stage", body)

    def hand_over(self):
        person = self.boss()
        body = {"employeeId": self.somebody()}
        self.ask(person, "POST", f"customers/{self.one('customer', person)}/assign", body)

    def claim(self):
        free = [key for key, owner in self.truth.customers.items() if owner is None]
        if free:
            self.ask(self.anybody("ahmed", "badr", "omar"), "POST", f"customers/{self.rng.choice(free)}/claim", {})

    def delete(self):
        person = self.boss()
        how = "?permanent=true" if person is self.admin and self.rng.random() < 0.3 else ""
        self.ask(person, "DELETE", f"customers/{self.one('customer', person)}{how}")

    def restore(self):
        if self.truth.deleted:
            self.ask(self.boss(), "POST", f"customers/{self.rng.choice(self.truth.deleted)}/restore", {})

    def change_many(self):
        person = self.boss()
        body = {"customerIds": self.some("customer", person)} | self.rng.choice([
            {"operation": "assign", "assignedTo": self.somebody()},
            {"operation": "stage", "toStage": self.rng.choice(STAGES)},
            {"operation": "priority", "priority": self.rng.choice(PRIORITIES)},
            {"operation": "tags", "addTags": [self.word()], "removeTags": ["vip"]},
        ])  # fmt: skip
        self.ask(person, "POST", "customers/bulk", body)

    # --- What hangs on customers ---------------------------------------------------------------

    def payment(self):
        status = self.rng.choice([{"status": "pending"}, {"status": "paid", "paidDate": "2026-01-01"}])
        body = {"type": "installment", "description": self.word(), "dueDate": self.day()}
        return body | status | {"amount": self.rng.randint(1, 9) * 1000}

    def add(self):
        """One more thing that hangs on a customer, or a part of its compliance."""
        rng, person = self.rng, self.anybody()
        collection, body = rng.choice([
            ("properties", {"propertyId": f"p{rng.randint(1, 9)}", "propertyTitle": self.word(), "status": "viewed"}),
            ("interactions", {"type": rng.choice(["call", "whatsapp", "note"]), "notes": self.word(),
                              "direction": rng.choice(["inbound", "outbound"]),
                              "followUpRequired": rng.random() < 0.5, "followUpDate": self.moment()}),
            ("appointments", {"type": "site_visit", "datetime": self.moment(hours=2)}),
            ("appointments", {"type": "site_visit", "datetime": self.moment(ahead=20)}),
            ("reminders", {"title": self.word(), "datetime": self.moment()}),
            ("reminders", {"title": self.word(), "datetime": self.moment(hours=-500)}),
            ("compliance/payment-schedule", self.payment()),
            ("compliance/handover-defects", {"category": "plumbing", "severity": "minor", "description": "x",
                                             "status": "open"}),
            ("consents", {"purpose": "marketing", "granted": rng.random() < 0.5}),
        ])  # fmt: skip
        self.ask(person, "POST", f"customers/{self.one('customer', person)}/{collection}", body)

    def write_compliance(self):
        person = self.anybody()
        part, body = self.rng.choice([
            ("mortgage-info", {"status": "pre_approved", "preApprovedAmount": 5000}),
            ("wafi-license", {"status": "licensed", "projectName": self.word()}),
            ("sakani-eligibility", {"status": "pending_verification", "householdIncome": 12_000}),
            ("registry-info", {"deedNumber": "12345"}),
        ])  # fmt: skip
        path = f"customers/{self.one('customer', person)}/compliance/{part}"
        if self.rng.random() < 0.3:
            self.ask(person, "DELETE", path)
        else:
            self.ask(person, "PUT", path, body)

    def change_child(self):
        """Change or remove something that hangs on a customer."""
        person, rng = self.anybody(), self.rng
        key = self.one("customer", person)
        collection = rng.choice(["properties", "interactions", "appointments", "reminders", "payment-schedule"])
        path = f"customers/{key}/{'compliance/' if collection == 'payment-schedule' else ''}{collection}"
        listed = self.ask(person, "GET", path).get("data", {})
        rows = next((value for value in listed.values() if isinstance(value, list)), [])
        if not rows:
            return
        path = f"{path}/{rng.choice(rows)['id']}"
        if rng.random() < 0.3:
            self.ask(person, "DELETE", path)
            return
        body = {
            "properties": {"status": rng.choice(["liked", "rejected", "interested"]), "rating": 3},
            "interactions": {"notes": self.word(), "followUpRequired": rng.random() < 0.5},
            "appointments": {"datetime": self.moment(hours=2), "status": rng.choice(["confirmed", "scheduled"])},
            "reminders": {"status": rng.choice(["pending", "completed", "cancelled"]), "datetime": self.moment()},
            "payment-schedule": {"status": "paid", "paidDate": "2026-01-01", "amount": rng.randint(1, 9) * 500},
        }[collection]
        self.ask(person, "PATCH", path, body)

    def upload(self):
        person = self.anybody()
        path = f"customers/{self.one('customer', person)}/documents"
        if self.rng.random() < 0.3:
            rows = self.ask(person, "GET", path).get("data", {}).get("documents", [])
            if rows:
                self.ask(person, "DELETE", f"{path}/{self.rng.choice(rows)['id']}")
            return
        kind = self.rng.choice(["id_copy", "contract", "other"])
        body = form(pdf(), "paper.pdf", title=self.word(), type=kind)
        self.ask(person, "POST", path, body, headers={"Content-Type": MULTIPART})

    # --- Actions ----------------------------------------------------------------------------------

    def ask_for(self):
        person = self.anybody()
        body = {"customerId": self.one("customer", person), "type": self.rng.choice(ACTION_TYPES),
                "title": f"{OURS} {self.word()}", "dueDate": self.rng.choice([None, self.moment()]),
                "notes": self.rng.choice(["", self.word()])}  # fmt: skip
        if person.role != "sales_agent" and self.rng.random() < 0.6:
            body["assignedTo"] = self.somebody()
        self.ask(person, "POST", "customers/actions", body)

    def change_action(self):
        person, rng = self.anybody(), self.rng
        every = {
            "title": f"{OURS} {self.word()}",
            "description": rng.choice([None, self.word()]),
            "type": rng.choice(ACTION_TYPES),
            "priority": rng.choice(PRIORITIES),
            "dueDate": rng.choice([None, self.moment()]),
            "metadata": {self.word(): rng.choice([None, 1])},
            "notes": self.word(),
            "status": rng.choice(["pending", "in_progress"]),
        }
        body = {name: every[name] for name in rng.sample(list(every), rng.randint(1, 4))}
        if person.role != "sales_agent" and rng.random() < 0.3:
            body["assignedTo"] = self.somebody()
        self.ask(person, "PATCH", f"customers/actions/{self.one('action', person)}", body)

    def snooze_until(self):
        soon = (datetime.now(UTC) + timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self.rng.choice([soon, self.moment()])

    def move_action(self):
        person, rng = self.anybody(), self.rng
        verb, body = rng.choice([
            ("complete", {"outcome": self.word()}), ("dismiss", {"reason": self.word(), "notes": self.word()}),
            ("snooze", {"snoozedUntil": self.snooze_until()}), ("restore", {}), ("notes", {"content": self.word()}),
        ])  # fmt: skip
        self.ask(person, "POST", f"customers/actions/{self.one('action', person)}/{verb}", body)

    def change_many_actions(self):
        person = self.anybody()
        body = {"actionIds": self.some("action", person)} | self.rng.choice([
            {"operation": "complete", "notes": self.word()},
            {"operation": "snooze", "snoozedUntil": self.snooze_until()},
            {"operation": "assign", "assignedTo": self.somebody()},
            {"operation": "update", "updates": {"priority": "low", "dueDate": self.moment()}},
        ])  # fmt: skip
        self.ask(person, "POST", "customers/actions/bulk", body)

    # --- People, files, and the other brokerage ------------------------------------------------------

    def rename(self):
        body = {"name": f"{OURS} {self.word()}"}
        self.ask(self.admin, "PATCH", f"employees/{self.anybody().id}", body)

    def change_team(self):
        person = self.anybody("fatima", "saad", "ahmed", "badr", "omar", "huda")
        self.ask(self.admin, "PATCH", f"employees/{person.id}", {"teamId": self.rng.choice(self.teams)})

    def let_go(self):
        """Somebody leaves, and is back a moment later, with a session of their own."""
        person = self.anybody("ahmed", "badr", "omar")
        successor = self.rng.choice([None, self.people["fatima"].id])
        self.ask(self.admin, "POST", f"employees/{person.id}/deactivate", {"successorId": successor})
        self.look()
        self.ask(self.admin, "POST", f"employees/{person.id}/activate", {})
        answer = self.hub.call("POST", "login", {"email": person.email, "password": PASSWORD})
        assert answer.status == 200, answer.body
        person.token = answer.json()["token"]

    def write_elsewhere(self):
        """The other brokerage writes too: of none of it anything may arrive here."""
        body = {"name": f"{THEIRS} {self.word()}", "phone": self.phone(), "source": "inquiry"}
        self.ask(self.stranger, "POST", "customers", body)

    def bring_in(self, count=4):
        """A file of customers comes in by the command."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "customers.csv"
            rows = [f"{OURS} {self.word()},{self.phone()},{self.word()}" for _ in range(count)]
            path.write_text("\n".join(["name,phone,notes", *rows]))
            argv = [sys.executable, "manage.py", "import_customers", str(path), "--organization", self.id]
            ran = subprocess.run(argv, cwd=settings.BASE_DIR, env=self.hub.environment, capture_output=True, text=True)
            assert ran.returncode == 0, ran.stderr
        self.look()


_WEIGHTS = {
    "create": 12,
    "change": 14,
    "move": 6,
    "hand_over": 8,
    "claim": 3,
    "delete": 4,
    "restore": 4,
    "change_many": 5,
    "add": 12,
    "write_compliance": 4,
    "change_child": 8,
    "upload": 3,
    "ask_for": 10,
    "change_action": 10,
    "move_action": 12,
    "change_many_actions": 5,
    "rename": 1,
    "change_team": 1.5,
    "let_go": 0.7,
    "write_elsewhere": 3,
}
