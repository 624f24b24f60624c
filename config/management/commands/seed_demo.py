"""The command that fills a development database with the demo, and with as many customers as a load test wants.

Each customer comes with its actions, about three, and with what has gone on: contacts, visits and the like.
"""

import sys
from collections import defaultdict
from itertools import count, islice

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from actions import counting as action_counting
from actions.models import ActionNote, CustomerAction
from config import demo
from config.audit import recorded
from config.cache import void
from config.db import save_changes, tidy
from customers import counting as customer_counting
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
from customers.refreshing import refresh_medians
from customers.services import matching, scoring
from employees import services
from employees.models import Employee, Organization, Team

# One transaction each: a demo of the usual size is there as a whole or not at all.
BATCH = 10_000
# The customers of a usual demo need a few; of a large one, workers match the rest.
MATCHING_SECONDS = 20
# What the planner and index-only scans should know all about.
TABLES = (
    "customers",
    "stage_history",
    "assignments",
    "listings",
    "property_interests",
    "interactions",
    "appointments",
    "reminders",
    "status_changes",
    "match_keys",
    "property_matches",
    "customer_sums",
    "customer_words",
    "customer_days",
    "customer_actions",
    "action_notes",
    "action_counts",
    "action_days",
    "employees",
    "audit_entries",
)


class Command(BaseCommand):
    help = "Fill the database with two demo agencies, their logins and customers. Only where DEBUG is on."

    def add_arguments(self, parser):
        parser.add_argument("--customers", type=int, default=demo.CORE_CUSTOMERS, help="how many the demo agency has")

    def handle(self, customers, **options):
        if not settings.DEBUG:
            raise CommandError("The demo has well-known passwords and is for DEBUG=true only.")
        if not 1 <= customers <= demo.MAX_CUSTOMERS:
            raise CommandError(f"--customers must be from 1 to {demo.MAX_CUSTOMERS}.")
        now = timezone.now()
        try:
            added = self.fill(customers, now)
        except ValidationError as error:
            raise CommandError(f"The demo does not fit into this database: {' '.join(error.messages)}") from None
        if not options["verbosity"]:
            return
        if added:
            self.stdout.write(
                f"The demo is ready, {added} customers added: sign in as admin@hub.test, {demo.PASSWORD}."
            )
        else:
            self.stdout.write("The demo is there already; nothing was changed.")

    def fill(self, customers, now):
        """Make what is missing; returns how many customers of the demo agency were added."""
        have = Customer.objects.filter(organization_id=demo.DEMO).count()
        missing = max(0, customers - have)
        if not missing and have:
            return 0
        numbers, progress, done = _free_numbers(), Progress(missing, self.stderr), 0
        while done < missing:
            with recorded(None):
                _load_fast()
                if not done:
                    make_agencies(now)
                    make_floor(needed=customers > demo.CORE_CUSTOMERS)
                done += copy_customers(demo.DEMO, islice(numbers, min(BATCH, missing - done)), now, progress)
        progress.say("tidying up")
        refresh_medians()
        matching.note_everybody([demo.DEMO, demo.OTHER])
        matching.match_waiting(seconds=MATCHING_SECONDS)
        scoring.recompute_all(now=now)
        # Each batch left differences of its own; what reads the counts should meet few rows from the start.
        for counting in (customer_counting, action_counting):
            counting.fold_counts()
        void()
        tidy(*TABLES)
        progress.say("")
        return missing


def make_agencies(now):
    """The two organizations with everybody who can sign in, their listings, and the other one's customers; once."""
    if Organization.objects.filter(pk=demo.DEMO).exists():
        return
    organizations = {}
    for key, names in demo.ORGANIZATIONS.items():
        organizations[key] = services.create_organization(id=key, **names)
        name, name_en = demo.TEAMS[0] if key == demo.DEMO else demo.OTHER_TEAM
        save_changes(services.default_team(key), name=name, name_en=name_en)
    _make_people(organizations[demo.DEMO], demo.PEOPLE)
    _make_people(organizations[demo.OTHER], [demo.OTHER_ADMIN])
    with Copy(Listing) as listings:
        for organization_id, numbers in demo.LISTINGS.items():
            for number in numbers:
                listings.write(demo.make_listing(number, organization_id, now))
    copy_customers(demo.OTHER, demo.OTHER_NUMBERS, now)


def make_floor(*, needed):
    """The further agents who share the customers of a large demo; once."""
    people = list(demo.floor())
    if needed and not Employee.objects.filter(pk=people[0].id).exists():
        _make_people(Organization.objects.get(pk=demo.DEMO), people)


def copy_customers(organization_id, numbers, now, progress=None):
    """Write the customers of these numbers with their histories and actions by COPY; returns how many."""
    core, larger = _staff(organization_id)
    stage_changes, assignments, actions, notes, written = [], [], [], [], 0
    activity = defaultdict(list)
    with Copy(Customer) as customers:
        for number in numbers:
            staff = core if number < demo.CORE_CUSTOMERS or organization_id == demo.OTHER else larger
            made = demo.make_customer(number, organization_id, staff, now)
            for name, rows in demo.make_activity(number, made, staff, now).items():
                activity[name] += rows
            customers.write(made.customer)
            stage_changes += made.stage_changes
            assignments += made.assignments
            its_actions, their_notes = demo.make_actions(number, made, staff, now)
            actions += its_actions
            notes += their_notes
            written += 1
            if progress:
                progress.step()
    # One COPY a table, for triggers run once a statement.
    histories = (
        (StageChange, stage_changes),
        (Assignment, assignments),
        (PropertyInterest, activity["properties"]),
        (Interaction, activity["interactions"]),
        (Appointment, activity["appointments"]),
        (Reminder, activity["reminders"]),
        (StatusChange, activity["status_changes"]),
        (CustomerAction, actions),
        (ActionNote, notes),
    )
    for model, rows in histories:
        with Copy(model) as copy:
            for row in rows:
                copy.write(row)
    return written


class Copy:
    """COPY into a model's table: rows are dicts by attribute name; what they leave out takes the model's default."""

    def __init__(self, model):
        fields = [field for field in model._meta.concrete_fields if not field.generated]
        self.defaults = [(field.attname, _default(field)) for field in fields]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        self.statement = f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN'

    def __enter__(self):
        self.cursor = connection.cursor()
        self.copy = self.cursor.copy(self.statement)
        self.write_row = self.copy.__enter__().write_row
        return self

    def __exit__(self, *error):
        self.copy.__exit__(*error)
        self.cursor.close()

    def write(self, row):
        self.write_row([row.get(name, default) for name, default in self.defaults])


def _default(field):
    if field.null and not field.has_default():
        return None
    return field.get_db_prep_save(field.get_default(), connection)


class Progress:
    """How far a long run is: one changing line on a terminal, a line every tenth in a log. Short runs say nothing."""

    def __init__(self, total, stream):
        self.total, self.stream, self.done = total, stream, 0
        self.is_long = total > BATCH
        self.on_terminal = sys.stderr.isatty()

    def step(self):
        self.done += 1
        if self.done % (1000 if self.on_terminal else max(1, self.total // 10)) == 0:
            self.say(f"{self.done:,} of {self.total:,} customers")

    def say(self, text):
        if self.is_long and self.on_terminal:
            self.stream.write(f"\r{text:<40}" + ("" if text else "\r"), ending="")
            self.stream.flush()
        elif self.is_long and text:
            self.stream.write(text)


def _load_fast():
    """For the rest of the transaction: the trigram index takes many rows at once, and a crash may lose the batch."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('gin_pending_list_limit', '65536', true), set_config('synchronous_commit', 'off', true)"
        )


def _staff(organization_id):
    if organization_id == demo.OTHER:
        return demo.Staff.of_other(), None
    return demo.Staff.of_core(), demo.Staff.of_floor()


def _free_numbers():
    """The numbers whose customers are not there yet."""
    taken = set(Customer.objects.filter(organization_id=demo.DEMO).values_list("phone", flat=True))
    return (number for number in count() if demo.phone_of(number) not in taken)


def _make_people(organization, people):
    teams = [services.default_team(organization.pk)]
    for name, name_en in demo.TEAMS[1 : max(person.team for person in people) + 1]:
        teams.append(Team.objects.get_or_create(organization=organization, name=name, defaults={"name_en": name_en})[0])
    for person in people:
        values = person._asdict() | {"team_id": teams[person.team].pk, "phone": person.phone}
        del values["team"], values["extension"]
        services.create_employee(None, organization=organization, **values)
    # Hashing is slow on purpose, and the password is the same.
    Employee.objects.filter(pk__in=[person.id for person in people]).update(password=make_password(demo.PASSWORD))
