"""Every write about customers that has a consequence. REST, the Admin, tasks and commands all come here.

`values` are columns of the model, already clean: see serializers.customer.CustomerInput for the
API's spelling of them. None clears; `preferences` and `source_details` merge. `ksa_compliance` is no
column: services.compliance writes it within the same change.
"""

from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from config.audit import recorded, scrub_entries
from config.db import held, lock, save_changes, touch
from config.signals import changed
from customers import gates
from customers.choices import CHANNELS, STAGE_RANK, Stage
from customers.models import Assignment, Customer, StageChange
from customers.models.customer import empty_preferences
from customers.search import derived_columns
from customers.services import compliance
from customers.services.child import forget_children, hold
from customers.stages import all_entering, entering
from employees.models import Employee
from employees.services import keep, not_of_yours

MAX_TAGS, MAX_FACTS, MAX_FACT_CHARACTERS = 50, 30, 5000
MAX_REASON = 500
SYSTEM_NAME, SYSTEM_ID = "System", "system"
_SEARCHED = {"name", "name_en", "city", "district", "tags", "preferences"}
_NULLABLE = {field.name for field in Customer._meta.fields if field.null} | {"assigned_employee_id"}


# --- One customer -------------------------------------------------------------------------


def create_customer(*, actor, values, first_action=True, override_reason=""):
    """A new customer of the actor's organization, with its first history rows.

    An agent who names nobody becomes the assignee. Unless `first_action` is False or the
    organization does without, subscribers hear that the customer waits for its first action.
    Raises ValidationError: 409 (`duplicate`) when the phone is taken, 422 when the values
    contradict each other or the gates of the stage refuse; PermissionDenied when the actor may not
    assign to the employee named, or gives an `override_reason` and may not override gates.
    """
    values, ksa = _apart(values)
    values = columns_of(values, Customer(preferences=empty_preferences(), source_details={}))
    if not values.get("assigned_employee_id") and not actor.may("customers.assign"):
        values["assigned_employee_id"] = actor.pk
    assignee_id = values.get("assigned_employee_id")
    now = timezone.now()
    born = {"created_at": now, "updated_at": now, "stage_entered_at": now}
    customer = Customer(organization_id=actor.organization_id, **born, **values)
    _put(customer, entering(customer, customer.stage, now))
    with _phone_reported(actor, customer.phone), compliance.numbers_reported(actor, ksa), recorded(actor):
        _check_assignee(actor, assignee_id)
        customer.save(force_insert=True)
        compliance.write(customer, compliance.edits_of(customer, ksa, actor=actor), actor)
        overridden = _pass_gates(customer, Stage.NEW_LEAD, actor, override_reason)
        write_stage_changes([customer], [None], actor, override_reason, overridden={customer.pk: overridden})
        if assignee_id:
            write_assignments([customer], [None], actor)
        opens = first_action and actor.organization.opens_first_action
        changed.send(Customer, rows=[customer], kind="created", changes=[{}], actor=actor, first_action=opens)
    return customer


def update_customer(customer, *, actor, values, reason="", notes="", override_reason=""):
    """Change a customer; a new stage or assignee leaves its history row with `reason` and `notes`.

    The `warnings` of the returned customer say what the gates of a new stage found missing.

    Raises what create_customer raises, PreconditionFailed (412) for a stale `If-Match`,
    DoesNotExist (404) when it was deleted meanwhile.
    """
    values, ksa = _apart(values)
    with _phone_reported(actor, values.get("phone")), compliance.numbers_reported(actor, ksa), recorded(actor):
        keep(values.get("assigned_employee_id"))
        customer = hold(customer, actor)
        if _is_what_was_paid(customer, values.get("paid_amount")):
            del values["paid_amount"]
        edits = compliance.edits_of(customer, ksa, actor=actor)
        texts = {"reason": reason, "notes": notes, "override_reason": override_reason}
        return _change(customer, actor, columns_of(values, customer), **texts, edits=edits)


def change_stage(customer, *, actor, to_stage, from_stage=None, reason="", notes="", override_reason=""):
    """Move a customer to a stage. The same stage again changes nothing.

    Raises ValidationError: 409 (`conflict`) when `from_stage` is named and is not where the customer stands,
    422 (`refused`) when the gates refuse and no `override_reason` is given.
    """
    with recorded(actor):
        customer = hold(customer, actor)
        if from_stage and from_stage != customer.stage:
            message = _("The customer has moved to another stage meanwhile")
            raise ValidationError(message, code="conflict", params={"currentStage": customer.stage})
        return _change(customer, actor, {"stage": to_stage}, reason, notes, override_reason=override_reason)


def assign_customer(customer, *, actor, employee_id, notes=""):
    """Hand a customer over to an active employee in the actor's scope, or to nobody.

    Raises PermissionDenied without `customers.assign`, ValidationError (422) for an unknown employee.
    """
    with recorded(actor):
        _check_assignee(actor, employee_id, field="employeeId", needed=True)
        customer = hold(customer, actor)
        return _change(customer, actor, {"assigned_employee_id": employee_id}, "", notes, checked=True)


def claim_customer(pk, *, actor):
    """Take an unassigned customer of the organization. Of parallel claims one wins.

    Raises ValidationError (409, `conflict`) when somebody else has it, without saying who;
    DoesNotExist (404) when the organization has no such customer.
    """
    with recorded(actor):
        _check_assignee(actor, actor.pk)
        living = Customer.objects.filter(organization_id=actor.organization_id, deleted_at=None)
        customer = held(living).get(pk=pk)
        if customer.assigned_employee_id not in (None, actor.pk):
            raise ValidationError(_("This customer has been taken already"), code="conflict")
        return _change(customer, actor, {"assigned_employee_id": actor.pk}, "", "", checked=True)


def delete_customer(customer, *, actor):
    """Hide a customer and, through it, all its children; the phone becomes free. See restore_customer."""
    with recorded(actor):
        customer = hold(customer, actor)
        save_changes(customer, deleted_at=timezone.now())
        changed.send(Customer, rows=[customer], kind="deleted", changes=[{}], actor=actor)
    return customer


def restore_customer(customer, *, actor):
    """Bring a deleted customer back. Raises ValidationError (409, `duplicate`) when its phone is taken meanwhile."""
    with _phone_reported(actor, customer.phone), recorded(actor):
        customer = lock(customer)
        if save_changes(customer, deleted_at=None):
            changed.send(Customer, rows=[customer], kind="restored", changes=[{}], actor=actor)
    return customer


def purge_customer(customer, *, actor):
    """Remove a customer and its children for good; the audit keeps who and when, but no value."""
    with recorded(actor, scrub=True):
        customer = lock(customer)
        key = customer.pk
        scrub_entries("customers", [key])
        forget_children(customer)
        changed.send(Customer, rows=[customer], kind="purged", changes=[{}], actor=actor)
        customer.delete()
        _forget_words(customer)


def _forget_words(customer):
    """Forget the words of a removed customer's names that nobody else's name holds."""
    words = [key[1:] for key in customer.name_keys if key.startswith("=")]
    with connection.cursor() as cursor:
        # Nobody writes down a word between the look at the names and its removal; see prune_name_words.
        cursor.execute("LOCK TABLE name_words IN SHARE ROW EXCLUSIVE MODE")
        held_by = "c.organization_id = w.organization_id AND c.name_keys @> ARRAY['=' || w.word]"
        cursor.execute(
            f"""
            DELETE FROM name_words w WHERE organization_id = %s AND word = ANY(%s)
               AND NOT EXISTS (SELECT FROM customers c WHERE {held_by} AND c.deleted_at IS NULL)
               AND NOT EXISTS (SELECT FROM customers c WHERE {held_by} AND c.deleted_at IS NOT NULL)
            """,
            [customer.organization_id, words],
        )


# --- Many customers -------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What became of the ids of a bulk call: changed or so already, not the actor's, refused by the gates.

    `refused` and `warned` are findings by id; see customers.gates.
    """

    updated: list
    missing: list
    refused: dict
    warned: dict


def bulk_change(*, actor, customerIds, operation, reason="", notes="", override_reason="", **parts):
    """One operation of `POST /customers/bulk`; see serializers.customer.BulkInput. Returns the Outcome."""
    if operation == "tags":
        add, remove = parts.get("addTags", []), parts.get("removeTags", [])
        return bulk_tag_customers(customerIds, actor=actor, add=add, remove=remove)
    column, key = {
        "assign": ("assigned_employee_id", "assignedTo"),
        "stage": ("stage", "toStage"),
        "priority": ("priority", "priority"),
    }[operation]
    texts = {"reason": reason, "notes": notes, "override_reason": override_reason}
    return bulk_update_customers(customerIds, actor=actor, values={column: parts[key]}, **texts)


def bulk_update_customers(ids, *, actor, values, reason="", notes="", override_reason=""):
    """Give many customers the same stage, priority or assignee: one statement a table. Returns the Outcome."""
    with recorded(actor):
        if "assigned_employee_id" in values:
            _check_assignee(actor, values["assigned_employee_id"], field="assignedTo", needed=True)
        rows, refused, overridden = _lock_visible(ids, actor), {}, {}
        if "stage" in values:
            onward = [row for row in rows if STAGE_RANK[row.stage] < STAGE_RANK[values["stage"]]]
            refused, overridden = gates.sort(onward, values["stage"], actor, override_reason)
            reason = _joined(reason, override_reason)
        moving = [row for row in rows if row.pk not in refused]
        _put_on_all(moving, values, actor, reason, notes, overridden)
    return _outcome(ids, rows, refused)


def bulk_tag_customers(ids, *, actor, add=(), remove=()):
    """Add and remove tags of many customers. Returns the Outcome."""
    with recorded(actor):
        rows, touched, changes = _lock_visible(ids, actor), [], []
        for row in rows:
            tags = [tag for tag in row.tags if tag not in remove]
            tags += [tag for tag in add if tag not in tags]
            if len(tags) > MAX_TAGS:
                raise ValidationError({"addTags": _("At most %(count)d values are allowed") % {"count": MAX_TAGS}})
            if tags != row.tags:
                changes.append({"tags": (row.tags, tags)})
                row.tags = tags
                row.facets = _derived(row, {})["facets"]
                row.version, row.updated_at = row.version + 1, timezone.now()
                touched.append(row)
        if touched:
            Customer.objects.bulk_update(touched, ["tags", "facets", "version", "updated_at"])
            changed.send(Customer, rows=touched, kind="updated", changes=changes, actor=actor)
    return _outcome(ids, rows)


def hand_over_customers(employee, *, successor, actor):
    """Give all customers of an employee who leaves to a successor, or to nobody."""
    with recorded(actor):
        theirs = list(held(Customer.objects.filter(assigned_employee=employee)))
        _put_on_all(theirs, {"assigned_employee_id": successor.pk if successor else None}, actor)


REBUILT_AT_ONCE = 2_000
# Copies of these stand in other tables, whose keepers must hear of them.
_COPIED = {"city_key", "region"}


def rebuild_search(organization=None, *, dry_run=False):
    """Work out anew what customers are found by, after its rules have changed; yields `(rows seen, rows changed)`.

    A batch at a time, each in a transaction of its own; it is no edit and tells nobody. With
    `dry_run` it only counts.
    """
    customers = Customer.objects.filter(organization=organization) if organization else Customer.objects.all()
    last = ""
    while True:
        with recorded(None):
            rows = list(held(customers.filter(pk__gt=last))[:REBUILT_AT_ONCE])
            if not rows:
                return
            last, touched, changes = rows[-1].pk, [], []
            for row in rows:
                difference = {name: (getattr(row, name), value) for name, value in _derived(row, {}).items()
                              if getattr(row, name) != value}  # fmt: skip
                if difference:
                    for name, (_before, after) in difference.items():
                        setattr(row, name, after)
                    touched.append(row)
                    changes.append(difference)
            if touched and not dry_run:
                Customer.objects.bulk_update(touched, sorted(set().union(*changes)))
                moved = [(row, change) for row, change in zip(touched, changes, strict=True) if _COPIED & change.keys()]
                if moved:
                    rows_moved, changes_moved = map(list, zip(*moved, strict=True))
                    changed.send(Customer, rows=rows_moved, kind="updated", changes=changes_moved, actor=None)
        yield len(rows), len(touched)


def prune_name_words(organization=None):
    """Forget words that no name holds any more, and repeats of others; returns how many."""
    of_one = "WHERE organization_id = %s" if organization else ""
    params = [organization.pk] if organization else []
    with transaction.atomic(), connection.cursor() as cursor:
        # Nobody writes down a word between the look at the names and its removal.
        cursor.execute("LOCK TABLE name_words IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            f"""
            WITH living AS (
                SELECT DISTINCT organization_id, substr(key, 2) AS word FROM customers, unnest(name_keys) AS key
                {of_one} {"AND" if of_one else "WHERE"} key LIKE '=%%'
            ), kept AS (
                SELECT min(id) AS id FROM name_words JOIN living USING (organization_id, word)
                GROUP BY organization_id, word
            )
            DELETE FROM name_words {of_one} {"AND" if of_one else "WHERE"} id NOT IN (SELECT id FROM kept)
            """,
            params * 2,
        )
        return cursor.rowcount


def _put_on_all(rows, values, actor, reason="", notes="", overridden=None):
    ((column, after),) = values.items()
    touched = [row for row in rows if getattr(row, column) != after]
    if not touched:
        return
    befores, now = [getattr(row, column) for row in touched], timezone.now()
    moves = column == "stage"
    Customer.objects.filter(pk__in=[row.pk for row in touched]).update(
        **(all_entering(after, now) if moves else values), version=F("version") + 1, updated_at=now
    )
    for row in touched:
        _put(row, entering(row, after, now) if moves else values)
        row.version, row.updated_at = row.version + 1, now
    if moves:
        write_stage_changes(touched, befores, actor, reason, notes, overridden=overridden)
    elif column == "assigned_employee_id":
        write_assignments(touched, befores, actor, notes)
    changes = [{column: (before, after)} for before in befores]
    changed.send(Customer, rows=touched, kind="updated", changes=changes, actor=actor)


def _put(customer, values):
    for name, value in values.items():
        setattr(customer, name, value)


def _lock_visible(ids, actor):
    return list(held(Customer.objects.visible_to(actor).filter(pk__in=ids)))


def _outcome(ids, rows, refused=None):
    refused, known = refused or {}, {row.pk for row in rows}
    updated = [pk for pk in ids if pk in known and pk not in refused]
    warned = {row.pk: row.warnings for row in rows if row.warnings}
    return Outcome(updated, [pk for pk in ids if pk not in known], refused, warned)


# --- The parts of a change -------------------------------------------------------------------


def _apart(values):
    """`(columns, compliance)` of API values; null for the compliance is no value for each part of it."""
    values = dict(values)
    ksa = values.pop("ksa_compliance", {})
    return values, dict.fromkeys(compliance.PARTS) if ksa is None else ksa


def _is_what_was_paid(customer, amount):
    """Whether an amount is the sum of the payments, which is shown where nobody has set another."""
    if amount is None or customer.paid_amount is not None:
        return False
    return amount == compliance.paid_by_schedule(customer)


def _change(customer, actor, values, reason="", notes="", *, checked=False, override_reason="", edits=()):
    """Save columns of a locked customer and Edits of its compliance, with the history rows that belong to them."""
    assignee_id = values.get("assigned_employee_id", customer.assigned_employee_id)
    if assignee_id != customer.assigned_employee_id and not checked:
        _check_assignee(actor, assignee_id, needed=True)
    if values.get("stage", customer.stage) != customer.stage:
        values = values | entering(customer, values["stage"], timezone.now())
    changes, related = save_changes(customer, **values), compliance.write(customer, edits, actor)
    if related and not changes:
        touch(customer)
    changes = related | changes
    if "stage" in changes:
        before = changes["stage"][0]
        overridden = {customer.pk: _pass_gates(customer, before, actor, override_reason)}
        reason = _joined(reason, override_reason)
        write_stage_changes([customer], [before], actor, reason, notes, overridden=overridden)
    if "assigned_employee_id" in changes:
        write_assignments([customer], [changes["assigned_employee_id"][0]], actor, notes)
    if changes:
        changed.send(Customer, rows=[customer], kind="updated", changes=[changes], actor=actor)
    return customer


def _pass_gates(customer, come_from, actor, override_reason):
    """The rules that a customer, as it is stored now, passes by override. Raises ValidationError (422, `refused`)."""
    onward = [customer] if STAGE_RANK[customer.stage] > STAGE_RANK[come_from] else []
    refused, overridden = gates.sort(onward, customer.stage, actor, override_reason)
    for refusals in refused.values():
        raise ValidationError(gates.REFUSED, code="refused", params={"details": refusals})
    return overridden.get(customer.pk)


def _check_assignee(actor, employee_id, *, field="assignedEmployeeId", needed=False):
    """Refuse an assignee that the actor may not choose, or who is being let go.

    Keeping a customer for oneself needs no permission, unless `needed`. Called before customers are held: see keep.
    """
    is_own = employee_id == actor.pk and not needed
    if (employee_id or needed) and not is_own and not actor.may("customers.assign"):
        raise PermissionDenied("customers.assign")
    keep(employee_id)
    if employee_id and not Employee.objects.visible_to(actor).active().filter(pk=employee_id).exists():
        raise ValidationError({field: not_of_yours(actor)})


def columns_of(values, customer):
    """API values as columns of this customer: merged, cleared, and with the columns that follow from them."""
    values = dict(values)
    if "source" in values and values["source"] in CHANNELS:
        channel = values["source"]
        values["source"] = CHANNELS[channel].value
        values["source_details"] = {**(values.get("source_details") or {}), "channel": channel}
    elif values.get("source", customer.source) != customer.source and "channel" in customer.source_details:
        values["source_details"] = {"channel": None, **(values.get("source_details") or {})}
    if "preferences" in values:
        values["preferences"] = merged_preferences(customer.preferences, values["preferences"])
    if "source_details" in values:
        values["source_details"] = merged(customer.source_details, values["source_details"], field="sourceDetails")
    if values.get("tags", "") is None:
        values["tags"] = []
    for name, value in values.items():
        if value is None and name not in _NULLABLE:
            values[name] = ""
    if _SEARCHED & values.keys():
        values |= _derived(customer, values)
    return values


def _derived(customer, values):
    return derived_columns(**{name: values.get(name, getattr(customer, name)) for name in _SEARCHED})


def merged_preferences(known, news):
    """Preferences after an update. Raises ValidationError (422) when a minimum exceeds its maximum."""
    preferences = empty_preferences() | _merged(known, news)
    for lower, upper in (("budgetMin", "budgetMax"), ("minArea", "maxArea")):
        if lower in preferences and upper in preferences and preferences[lower] > preferences[upper]:
            raise ValidationError({f"preferences.{upper}": _("Must not be less than %(other)s") % {"other": lower}})
    return preferences


def merged(known, news, *, field):
    """A free document after an update: null forgets a key. Raises ValidationError (422) when it grows too large."""
    document = _merged(known, news)
    if len(document) > MAX_FACTS:
        raise ValidationError({field: _("At most %(count)d values are allowed") % {"count": MAX_FACTS}})
    if len(str(document)) > MAX_FACT_CHARACTERS:
        raise ValidationError({field: _("Too large")})
    return document


def _merged(known, news):
    if news is None:
        return {}
    document = dict(known)
    for name, value in news.items():
        if isinstance(value, dict):
            before = known.get(name)
            document[name] = _merged(before if isinstance(before, dict) else {}, value)
        else:
            document[name] = _plain(value)
    return {name: value for name, value in document.items() if value is not None}


def _plain(value):
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value


def _joined(*reasons):
    return " – ".join(reason for reason in reasons if reason)[:MAX_REASON]


def write_stage_changes(customers, befores, actor, reason="", notes="", *, overridden=None):
    """One history row for each customer; `overridden` are rules of the gates by customer id."""
    StageChange.objects.bulk_create(
        StageChange(
            customer=customer,
            from_stage=before,
            to_stage=customer.stage,
            changed_by=actor.name if actor else SYSTEM_NAME,
            changed_by_id=actor.pk if actor else SYSTEM_ID,
            changed_at=customer.stage_entered_at,
            reason=reason,
            notes=notes,
            auto_generated=actor is None,
            overridden=(overridden or {}).get(customer.pk),
        )
        for customer, before in zip(customers, befores, strict=True)
    )


def write_assignments(customers, befores, actor, notes=""):
    now = timezone.now()
    Assignment.objects.bulk_create(
        Assignment(
            customer=customer,
            from_employee_id=before,
            to_employee_id=customer.assigned_employee_id,
            assigned_by=actor.name if actor else SYSTEM_NAME,
            assigned_by_id=actor.pk if actor else SYSTEM_ID,
            assigned_at=now,
            notes=notes,
        )
        for customer, before in zip(customers, befores, strict=True)
    )


@contextmanager
def _phone_reported(actor, phone):
    """Turn a violation of the phone's uniqueness into a 409; the other customer is named only to those who see it."""
    try:
        yield
    except IntegrityError as error:
        if "customer_phone_unique" not in str(error):
            raise
        details = {"field": "phone"}
        existing = Customer.objects.visible_to(actor).filter(phone=phone).values_list("pk", flat=True).first()
        if existing:
            details["existingId"] = existing
        message = _("A customer with this phone number exists already")
        raise ValidationError(message, code="duplicate", params=details) from None
