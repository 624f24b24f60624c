"""Writing an import: new customers by COPY, known ones by one UPDATE a chunk, all in the caller's transaction.

While PostgreSQL takes one chunk, in a thread that only waits for it, the next is
being read: the two together are what the speed of an import comes from.
"""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
from django.core.exceptions import ValidationError
from django.db import ProgrammingError, connection, transaction
from django.db.models import Model
from django.db.models.base import ModelState
from django.utils.translation import gettext as _

from config.db import held, new_id
from config.signals import changed
from customers import gates
from customers.choices import STAGE_RANK
from customers.importing import relations
from customers.importing.copying import NULL, copy, line_of, rewrite
from customers.importing.rows import messages_of
from customers.models import Customer
from customers.services import customer as services
from customers.services.child import ERASED
from customers.services.columns import columns_of
from customers.stages import entering

CHUNK_ROWS = 5_000
TRIES = 3
# What the search index collects before it sorts it in: with PostgreSQL's 4 MB it sorts, and waits, a dozen times.
PENDING_MEGABYTES = 128
_HISTORY = (
    "id", "customer_id", "from_stage", "to_stage", "changed_by", "changed_by_id", "changed_at", "reason", "notes",
    "auto_generated",
)  # fmt: skip
_ASSIGNMENTS = (
    "id", "customer_id", "from_employee_id", "to_employee_id", "assigned_by", "assigned_by_id", "assigned_at", "notes",
)  # fmt: skip

# One look into the index for each phone, whatever the planner believes of a table that has just been filled.
_ID_OF_PHONE = """
    SELECT given.phone, known.id FROM unnest(%s::text[]) AS given(phone)
    CROSS JOIN LATERAL (
        SELECT id FROM customers c
        WHERE c.organization_id = %s AND c.phone = given.phone AND c.deleted_at IS NULL
        LIMIT 1
    ) AS known
"""


class Loader:
    """Loads the rows of one import into an organization. Use it inside a transaction, as a context manager.

    `source` knows the `columns` that its rows have, the `headers` that the file gives them and, for updates, the
    `api_values` of a row, and the moment, `now`, that all of it happens at; `report` hears what became of each.

    What an `actor` brings in is theirs: known customers out of their scope stay as they are, and the gates are asked
    of those whom it moves on. Without one it is loaded as what has been.
    """

    def __init__(self, organization, source, report, *, upsert, actor=None):
        self.organization, self.source, self.report, self.upsert = organization, source, report, upsert
        self.actor, self.now = actor, source.now
        self.number_of_phone = {}
        self.chunk, self.at_work = [], None
        places = ("id", "phone", "stage", "assigned_employee_id")
        self.id_at, self.phone_at, self.stage_at, self.assignee_at = map(source.columns.index, places)
        name, name_id = (actor.name, actor.pk) if actor else (services.SYSTEM_NAME, services.SYSTEM_ID)
        self.by, self.automatic = line_of((name, name_id, self.now.isoformat())), "f" if actor else "t"

    def __enter__(self):
        # Django binds its connections to threads; psycopg's own may be used by one thread after the other.
        connection.ensure_connection()
        self.raw = connection.connection
        self.raw.execute(f"SET LOCAL gin_pending_list_limit = '{PENDING_MEGABYTES}MB'")
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="import")
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None and self.at_work is not None and not self.at_work.done():
            self.raw.cancel_safe(timeout=5)
        self.thread.shutdown(wait=True)

    def add(self, row):
        phone = row.columns[self.phone_at]
        first = self.number_of_phone.setdefault(phone, row.number)
        if first != row.number:
            self.report.duplicate(
                row.number,
                self.source.headers["phone"],
                phone,
                _("The same phone number as in row %(row)d") % {"row": first},
            )
            return
        # Here and not in the thread: PostgreSQL would wait for it there.
        row.line = line_of(row.columns)
        row.history_lines, row.assignment_lines = self._history_of(row), self._assignment_of(row)
        row.sketch = self._sketched(row)
        self.chunk.append(row)
        if len(self.chunk) >= CHUNK_ROWS:
            self._hand_over()

    def _history_of(self, row):
        """The lines that COPY writes of its stage changes."""
        key, stage = row.columns[self.id_at], row.columns[self.stage_at]
        if row.history:
            return [line_of((change_id, key, *columns)) for change_id, *columns in row.history]
        # The fresh id of the customer serves once more: another takes longer to make than all the rest here.
        return [f"stage_{key.partition('_')[2]}\t{key}\t{NULL}\t{stage}\t{self.by}\t\t\t{self.automatic}"]

    def _assignment_of(self, row):
        """The same of its assignment; none where it is nobody's."""
        key, assignee = row.columns[self.id_at], row.columns[self.assignee_at]
        return [] if assignee == NULL else [f"{new_id('asg')}\t{key}\t{NULL}\t{assignee}\t{self.by}\t"]

    def _sketched(self, row):
        key, assignee = row.columns[self.id_at], row.columns[self.assignee_at]
        assignee = None if assignee == NULL else assignee
        return _sketch(id=key, organization_id=self.organization.pk, assigned_employee_id=assignee)

    def finish(self):
        """Return when everything is written."""
        self._hand_over()
        self._settle()

    def _hand_over(self):
        self._settle()
        if self.chunk:
            chunk, self.chunk = self.chunk, []
            self.at_work = self.thread.submit(self._insert, chunk)

    def _settle(self):
        """Wait for the chunk at work, then do what belongs to it and needs Django's connection."""
        if self.at_work is None:
            return
        inserted, known = self.at_work.result()
        self.at_work = None
        known = self._standing(self._in_scope(known))
        related = {row.columns[self.id_at]: row.relations for row in inserted if row.relations}
        related |= {key: row.relations for row, key in known if row.relations and (self.upsert or row.known_id)}
        news = relations.write(related, {key for _row, key in known}, self.organization, self.report)
        if inserted:
            self.report.inserted += len(inserted)
            rows = [row.sketch for row in inserted]
            changed.send(Customer, rows=rows, kind="created", changes=[{}] * len(rows), actor=self.actor)
        if known and news:
            self._tell({key: news[key] for _row, key in known if key in news})
        if known and self.upsert:
            self._update(known)
        else:
            for row, customer_id in known:
                if row.known_id:
                    self.report.unchanged += 1
                else:
                    message = _("A customer with this phone number exists already: %(id)s") % {"id": customer_id}
                    self._report_duplicate(row, message)

    def _in_scope(self, known):
        """Those of the known customers that are the actor's; of all others nobody is told more than that they exist."""
        if self.actor is None or self.actor.is_admin or not known:
            return known
        ids = [customer_id for _row, customer_id in known]
        mine = set(self._customers(ids).values_list("pk", flat=True))
        for row, customer_id in known:
            if customer_id not in mine:
                self._report_duplicate(row, _("A customer with this phone number exists already"))
        return [(row, customer_id) for row, customer_id in known if customer_id in mine]

    def _standing(self, known):
        """Those of the known customers whose data was not erased, held if the file may add to them."""
        told_of = {customer_id: row for row, customer_id in known if self.upsert or row.known_id}
        customers = held(Customer.objects.filter(pk__in=told_of)).values_list("pk", "erased_at") if told_of else ()
        erased = {customer_id for customer_id, erased_at in customers if erased_at}
        for customer_id in sorted(erased):
            self.report.bad(told_of[customer_id].number, [("id", customer_id, ERASED)])
        return [(row, customer_id) for row, customer_id in known if customer_id not in erased]

    def _customers(self, ids):
        living = Customer.objects.visible_to(self.actor) if self.actor else Customer.objects.filter(deleted_at=None)
        return living.filter(pk__in=ids)

    def _report_duplicate(self, row, message):
        self.report.duplicate(row.number, self.source.headers["phone"], row.columns[self.phone_at], message)

    def _tell(self, news):
        """Tell of what came to hang on known customers."""
        customers = list(Customer.objects.filter(pk__in=news))
        changes = [news[customer.pk] for customer in customers]
        changed.send(Customer, rows=customers, kind="updated", changes=changes, actor=self.actor)

    # --- New customers, in the thread ---------------------------------------------------------

    def _insert(self, rows):
        """The rows that were inserted, and `[(row, customer id)]` of those that exist already."""
        with self.raw.cursor() as cursor:
            for attempt in range(TRIES):
                cursor.execute("SAVEPOINT import_chunk")
                try:
                    outcome = self._insert_once(cursor, rows)
                except psycopg.errors.UniqueViolation:
                    # Somebody made a customer of this chunk meanwhile; the next look sees it.
                    cursor.execute("ROLLBACK TO SAVEPOINT import_chunk")
                    if attempt == TRIES - 1:
                        raise
                else:
                    cursor.execute("RELEASE SAVEPOINT import_chunk")
                    return outcome

    def _insert_once(self, cursor, rows):
        cursor.execute(_ID_OF_PHONE, [[row.columns[self.phone_at] for row in rows], self.organization.pk])
        id_of_phone = dict(cursor.fetchall())
        inserted, known = [], []
        for row in rows:
            customer_id = row.known_id or id_of_phone.get(row.columns[self.phone_at])
            if customer_id:
                known.append((row, customer_id))
            else:
                inserted.append(row)
        copy(cursor, "customers", self.source.columns, [row.line for row in inserted])
        copy(cursor, "stage_history", _HISTORY, [line for row in inserted for line in row.history_lines])
        copy(cursor, "assignments", _ASSIGNMENTS, [line for row in inserted for line in row.assignment_lines])
        # Foreign keys are looked at now, while the next rows are read, and not all at once at the end.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        return inserted, known

    # --- Known customers ------------------------------------------------------------------------

    def _update(self, known):
        """Give known customers what the file says of them; those that say so already stay untouched."""
        row_of = {customer_id: row for row, customer_id in known}
        customers = held(self._customers(row_of))
        touched, changes, refused = [], [], 0
        for customer in customers:
            row = row_of[customer.pk]
            try:
                values = columns_of(self.source.api_values(row.values), customer)
            except ValidationError as error:
                self.report.bad(row.number, [("", "", message) for _path, message in messages_of(error)])
                refused += 1
                continue
            if values.get("phone", customer.phone) != customer.phone and self._is_taken(values["phone"]):
                message = _("A customer with this phone number exists already")
                self.report.bad(row.number, [("phone", values["phone"], message)])
                refused += 1
                continue
            if values.get("stage", customer.stage) != customer.stage:
                values |= entering(customer, values["stage"], self.now)
            difference = {name: (getattr(customer, name), after) for name, after in values.items()}
            difference = {name: pair for name, pair in difference.items() if pair[0] != pair[1]}
            if difference:
                for name, (_before, after) in difference.items():
                    setattr(customer, name, after)
                customer.version, customer.updated_at = customer.version + 1, self.now
                touched.append(customer)
                changes.append(difference)
        self.report.unchanged += len(known) - len(touched) - refused
        touched, changes = self._write(touched, changes, row_of)
        self.report.updated += len(touched)
        if not touched:
            return
        for name, write in (
            ("stage", services.write_stage_changes),
            ("assigned_employee_id", services.write_assignments),
        ):
            moved = [(customer, difference[name][0]) for customer, difference in zip(touched, changes, strict=True)
                     if name in difference]  # fmt: skip
            if moved:
                write(*zip(*moved, strict=True), self.actor)
        changed.send(Customer, rows=touched, kind="updated", changes=changes, actor=self.actor)

    def _write(self, touched, changes, row_of):
        """Write what has changed; returns `(customers, changes)` without those whom the gates do not let pass."""
        with transaction.atomic():
            _rewrite(touched, changes)
            refused = self._refused(touched, changes)
            transaction.set_rollback(bool(refused))
        if not refused:
            return touched, changes
        column = self.source.headers.get("stage", "stage")
        for key, findings in refused.items():
            row = row_of[key]
            self.report.bad(row.number, [(column, row.values["stage"], finding["message"]) for finding in findings])
        pairs = [pair for pair in zip(touched, changes, strict=True) if pair[0].pk not in refused]
        touched, changes = [customer for customer, _change in pairs], [change for _customer, change in pairs]
        _rewrite(touched, changes)
        return touched, changes

    def _refused(self, touched, changes):
        """What the gates say, `{id: findings}`, of customers as they are now whom the actor has moved on too early."""
        onward, refused = defaultdict(list), {}
        for customer, difference in zip(touched, changes, strict=True):
            before, after = difference.get("stage", (customer.stage, customer.stage))
            if self.actor and STAGE_RANK[before] < STAGE_RANK[after]:
                onward[after].append(customer)
        for stage, customers in onward.items():
            refused |= gates.sort(customers, stage, self.actor)[0]
        return refused

    def _is_taken(self, phone):
        return Customer.objects.filter(organization=self.organization, phone=phone, deleted_at=None).exists()


def _rewrite(touched, changes):
    if not touched:
        return
    names = sorted({name for difference in changes for name in difference} | {"version", "updated_at"})
    with connection.cursor() as cursor:
        rows = [[customer.pk, *(getattr(customer, name) for name in names)] for customer in touched]
        rewrite(cursor.cursor, "customers", names, rows)


def settle_search_index():
    """Sort in what the search index has collected, so that the searches after an import need not go through it."""
    with connection.cursor() as cursor, suppress(ProgrammingError):  # only its owner may; autovacuum will
        for index in ("customer_contact", "customer_name_keys", "customer_facets"):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])


def _sketch(**values) -> Model:
    """A customer of which only some columns are loaded, the rest on demand; made without the cost of a full row."""
    customer = Customer.__new__(Customer)
    customer._state = state = ModelState()
    state.adding, state.db = False, "default"
    customer.__dict__.update(values)
    return customer
