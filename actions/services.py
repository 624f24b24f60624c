"""Every write about actions. REST, the Admin, tasks and what happens to customers all come here.

Each change, of one action or of hundreds, goes through `change_all`: one statement a table, one
`changed`. So a bulk call leaves the same history and events as the single calls would.
"""

from typing import NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from actions.choices import ENDED, MAY_FOLLOW, OPEN, OUTREACH, ActionStatus
from actions.models import ActionNote, CustomerAction
from config.audit import recorded
from config.db import held, lock
from config.signals import changed
from customers.models import Customer
from customers.services.child import refuse_any_erased, refuse_erased
from customers.services.columns import merged
from customers.services.consent import outreach_notices
from customers.services.customer import SYSTEM_ID, SYSTEM_NAME
from employees.choices import Role
from employees.models import Employee
from employees.services import keep

WAKE_BATCH = 500
STATUS_FORBIDS = gettext_lazy("The current status of the action does not allow this")


class Outcome(NamedTuple):
    """What became of the ids of a bulk call: changed or so already, not the actor's, refused (`{id: status}`)."""

    done: list
    missing: list
    refused: dict


# --- One action ---------------------------------------------------------------------------


def create_action(*, actor, customer_id, values, notes=""):
    """A new action for a customer that the actor sees.

    Without `assigned_to_id` it goes to the customer's assignee, of an agent who names nobody to the
    agent. Raises ValidationError (422) for an unknown customer or employee, or for an offer to somebody who
    must not be approached (else its `warnings` tell of a missing consent); PermissionDenied when the
    actor may not assign to the employee named.
    """
    theirs = Customer.objects.visible_to(actor).filter(pk=customer_id)
    with recorded(actor):
        assignee_id = values.get("assigned_to_id")
        if assignee_id:
            _check_assignee(actor, assignee_id)
        elif not actor.may("actions.assign"):
            keep(actor.pk)
        else:
            keep(theirs.values_list("assigned_employee_id", flat=True).first())
        # Held, so that its copies on the action are those of the last change.
        customer = held(theirs).first()
        if customer is None:
            raise ValidationError({"customerId": _("Customer not found")})
        refuse_erased(customer)
        if not assignee_id:
            assignee_id = holder(customer.assigned_employee_id if actor.may("actions.assign") else actor.pk)
        values = {"source": customer.source, **values, "assigned_to_id": assignee_id}
        values["metadata"] = merged({}, values.get("metadata"), field="metadata")
        notices = outreach_notices([customer.pk], actor.organization) if values["type"] in OUTREACH else {}
        (action,) = insert_all([customer], [values], actor, notes)
    action.warnings = notices.get(customer.pk)
    return action


def update_action(action, *, actor, values, notes=""):
    """Change an action: `metadata` merges, `status` moves it as the single calls do, `notes` appends a note.

    Raises ValidationError: 409 (`conflict`) when the status may not follow, 422 for an unknown
    employee; PermissionDenied when the actor may not assign; PreconditionFailed for a stale `If-Match`.
    """
    with recorded(actor):
        keep(values.get("assigned_to_id"))
        action = _lock_one(action, actor)
        values = dict(values)
        if "metadata" in values:
            values["metadata"] = merged(action.metadata, values["metadata"], field="metadata")
        if values.get("assigned_to_id", action.assigned_to_id) != action.assigned_to_id:
            _check_assignee(actor, values["assigned_to_id"], needed=True)
        parts = {name: values.pop(name) for name in ("until", "outcome", "reason") if name in values}
        status = values.pop("status", action.status)
        # A whole object that is sent back has the status that it had, and moves nothing.
        if status != action.status or parts.get("until", action.snoozed_until) != action.snoozed_until:
            if _may_move(action, status, actor):
                values |= move_to(status, actor=actor, **parts)
        change_all([action], values, actor, notes)
    return action


def start_action(action, *, actor, notes=""):
    """Mark an action as being worked on; 409 (`conflict`) when it has ended."""
    return _move_one(action, ActionStatus.IN_PROGRESS, actor, notes)


def complete_action(action, *, actor, outcome="", notes=""):
    """End an action as done. Again by the same person: unchanged; 409 (`conflict`) when it has ended otherwise."""
    return _move_one(action, ActionStatus.COMPLETED, actor, notes, outcome=outcome)


def dismiss_action(action, *, actor, reason="", notes=""):
    """End an action as not to be done. Again by the same person: unchanged; 409 when it has ended otherwise."""
    return _move_one(action, ActionStatus.DISMISSED, actor, notes, reason=reason)


def snooze_action(action, *, until, actor, notes=""):
    """Hide an action from the open list until a later time.

    `until` is an aware datetime and must lie ahead; the wake_snoozed task returns the action to
    pending within a minute of it. Raises ValidationError (422) when it has passed, with code
    "conflict" (409) when the action has ended. API section 13.
    """
    return _move_one(action, ActionStatus.SNOOZED, actor, notes, until=until)


def restore_action(action, *, actor, notes=""):
    """Bring an ended or snoozed action back to pending. A pending one stays as it is.

    Raises ValidationError (422) for an offer to somebody who must not be approached.
    """
    return _move_one(action, ActionStatus.PENDING, actor, notes)


def assign_action(action, *, actor, employee_id, notes=""):
    """Hand an action over to an active employee in the actor's scope, or to nobody."""
    with recorded(actor):
        _check_assignee(actor, employee_id, needed=True)
        action = _lock_one(action, actor)
        change_all([action], {"assigned_to_id": employee_id}, actor, notes)
    return action


def add_note(action, *, actor, content):
    """Append a note, which changes nothing else of the action; returns it."""
    with recorded(actor):
        action = _lock_one(action, actor)
        (note,) = change_all([action], {}, actor, content)
    return note


# --- Many actions ---------------------------------------------------------------------------


def bulk_change(ids, operation, *, actor, **parts):
    """One operation of `POST /customers/actions/bulk`; see serializers.BulkActionsInput. Returns the Outcome."""
    if operation == "update":
        return bulk_update(ids, actor=actor, values=parts["updates"], notes=parts["notes"])
    if operation == "assign":
        return bulk_assign(ids, actor=actor, **parts)
    status = {
        "complete": ActionStatus.COMPLETED,
        "dismiss": ActionStatus.DISMISSED,
        "snooze": ActionStatus.SNOOZED,
    }[operation]
    return bulk_move(ids, status, actor=actor, **parts)


def bulk_move(ids, status, *, actor, notes="", **parts):
    """Move many actions to one status, as the single calls would; returns the Outcome. `parts`: see move_to."""
    with recorded(actor):
        return _change_visible(ids, {}, actor, notes, status=status, **parts)


def bulk_assign(ids, *, actor, employee_id, notes=""):
    """Hand many actions over to an employee, or to nobody; returns the Outcome."""
    return bulk_update(ids, actor=actor, values={"assigned_to_id": employee_id}, notes=notes)


def bulk_update(ids, *, actor, values, notes=""):
    """Give many actions the same values, `status` among them at most in_progress; returns the Outcome."""
    with recorded(actor):
        if "assigned_to_id" in values:
            _check_assignee(actor, values["assigned_to_id"], field="assignedTo", needed=True)
        status = values.get("status")
        rest = {name: value for name, value in values.items() if name != "status"}
        return _change_visible(ids, rest, actor, notes, status=status)


def _change_visible(ids, values, actor, notes, *, status=None, **parts):
    if status in ENDED:
        _hold_customers(CustomerAction.objects.visible_to(actor).filter(pk__in=ids))
    rows = list(held(CustomerAction.objects.visible_to(actor).filter(pk__in=ids)))
    refused, moving = {}, []
    for row in rows:
        try:
            if status is None or _may_move(row, status, actor):
                moving.append(row)
        except ValidationError:
            refused[row.pk] = row.status
    if status is not None:
        # Only now, for it says when: others may have ended and restored them while we waited.
        values = values | move_to(status, actor=actor, **parts)
    change_all(moving, values, actor, notes)
    found = {row.pk for row in rows}
    return Outcome(
        [pk for pk in ids if pk in found and pk not in refused], [pk for pk in ids if pk not in found], refused
    )


# --- What the clock does --------------------------------------------------------------------


def wake_snoozed():
    """Return snoozed actions whose time has come to pending; returns how many.

    Each batch is a transaction of its own and skips what somebody else holds: a second beat, or a
    run after a crash, wakes what is left and nothing twice.
    """
    woken = 0
    while True:
        with recorded(None):
            rows = list(held(CustomerAction.objects.overslept(timezone.now()), skip_locked=True)[:WAKE_BATCH])
            change_all(rows, move_to(ActionStatus.PENDING, actor=None), None, "")
        woken += len(rows)
        if len(rows) < WAKE_BATCH:
            return woken


# --- The parts of a change --------------------------------------------------------------------

# Copies of the customer's are no edit that `version` and `updated_at` tell of.
_COPIES = {"customer_assignee", "city_key", "region"}


def move_to(status, *, actor, until=None, outcome="", reason=""):
    """The columns that a move to a status sets.

    Raises ValidationError (422) when `until`, of a snooze, is missing or does not lie ahead.
    """
    now, ends = timezone.now(), status in ENDED
    if status == ActionStatus.SNOOZED:
        if until is None:
            raise ValidationError({"snoozedUntil": _("This field is required.")})
        if until <= now:
            raise ValidationError({"snoozedUntil": _("Must lie in the future")})
    return {
        "status": str(status),
        "snoozed_until": until if status == ActionStatus.SNOOZED else None,
        "completed_at": now if ends else None,
        "completed_by_id": actor.pk if ends and actor else None,
        "dismissed_at": now if status == ActionStatus.DISMISSED else None,
        "outcome": outcome if ends else "",
        "reason": reason if ends else "",
    }


def _may_move(action, status, actor):
    """Whether a move is one: an end that the same person repeats is none and changes nothing.

    Raises ValidationError (409, `conflict`, with `currentStatus`) when the status may not follow.
    """
    if action.status == status:
        if status not in ENDED:
            return True
        if action.completed_by_id == actor.pk:
            return False
    if status not in MAY_FOLLOW[action.status]:
        raise ValidationError(STATUS_FORBIDS, code="conflict", params={"currentStatus": action.status})
    return True


def _move_one(action, status, actor, notes, **parts):
    with recorded(actor):
        action = _lock_one(action, actor)
        if _may_move(action, status, actor):
            change_all([action], move_to(status, actor=actor, **parts), actor, notes)
    return action


def _lock_one(action, actor):
    """The action, held, if it is still there and still the actor's."""
    if action.origin:
        _hold_customers(CustomerAction.objects.filter(pk=action.pk))
    return lock(action, among=CustomerAction.objects.visible_to(actor))


def _hold_customers(actions):
    """Hold the customers whose rows have opened some of these actions, and may change with them: before the actions."""
    opened = actions.filter(origin__isnull=False)
    list(held(Customer.objects.filter(pk__in=opened.values("customer"))))


def insert_all(customers, values, actor, notes=""):
    """New actions of customers, which are held or new themselves, with the same note if any."""
    now = timezone.now()
    actions = [
        CustomerAction(
            organization_id=customer.organization_id,
            customer=customer,
            customer_assignee=customer.assigned_employee_id,
            city_key=customer.city_key,
            region=customer.region,
            created_at=now,
            updated_at=now,
            **columns,
        )
        for customer, columns in zip(customers, values, strict=True)
    ]
    CustomerAction.objects.bulk_create(actions)
    if notes:
        _note_rows(actions, notes, actor)
    changed.send(CustomerAction, rows=actions, kind="created", changes=[{}] * len(actions), actor=actor)
    return actions


def change_all(actions, values, actor, notes):
    """Give held actions the same values and, if any, the same note; returns the notes.

    Only what differs counts: an action that is so already is neither written nor told of.
    Raises ValidationError (422) when they become offers to somebody who must not be approached, or open again as such.
    """
    if actor:  # the clock wakes what was an open offer all along
        offers = [action.customer_id for action in actions if _becomes_offer(action, values)]
        if offers:
            outreach_notices(offers, actor.organization)
    if notes or not values.keys() <= _COPIES:
        refuse_any_erased(action.customer_id for action in actions if action.status in ENDED)
    if actor and any(_becomes_theirs(action, values) for action in actions):
        values = values | {"rule": None}
    now, touched, changes = timezone.now(), [], []
    for action in actions:
        difference = {name: (getattr(action, name), after) for name, after in values.items()}
        difference = {name: pair for name, pair in difference.items() if pair[0] != pair[1]}
        if difference:
            for name, (_before, after) in difference.items():
                setattr(action, name, after)
            touched.append(action)
        changes.append(difference)
    if touched:
        columns, edited = dict(values), not values.keys() <= _COPIES
        if edited:
            columns |= {"version": F("version") + 1, "updated_at": now}
        CustomerAction.objects.filter(pk__in=[action.pk for action in touched]).update(**columns)
        if edited:
            for action in touched:
                action.version, action.updated_at = action.version + 1, now
    written = _note_rows(actions, notes, actor) if notes else []
    for note, difference in zip(written, changes, strict=False):
        difference["notes"] = (None, note)
    told = [(action, difference) for action, difference in zip(actions, changes, strict=True) if difference]
    if told:
        rows, changes = zip(*told, strict=True)
        changed.send(CustomerAction, rows=list(rows), kind="updated", changes=list(changes), actor=actor)
    return written


def _becomes_offer(action, values):
    """Whether an action is to be an open offer, and was none."""
    opens = values.get("status") in OPEN and action.status not in OPEN
    return values.get("type", action.type) in OUTREACH and (opens or action.type not in OUTREACH)


def _becomes_theirs(action, values):
    """Whether somebody takes over what the system opened, by opening it again or making another type of it.

    The system may have opened the next one meanwhile, and has one of a type at a time.
    """
    reopens = action.status in ENDED and values.get("status", action.status) not in ENDED
    return bool(action.rule) and (reopens or values.get("type", action.type) != action.type)


def _note_rows(actions, content, actor):
    name, key = (actor.name, actor.pk) if actor else (SYSTEM_NAME, SYSTEM_ID)
    return ActionNote.objects.bulk_create(
        ActionNote(action=action, customer_id=action.customer_id, content=content, created_by=name, created_by_id=key)
        for action in actions
    )


def _check_assignee(actor, employee_id, *, field="assignedTo", needed=False):
    """Refuse an assignee that the actor may not choose, or who is being let go.

    Keeping a new action for oneself needs no permission. Called before actions are held: see keep.
    """
    is_own = employee_id == actor.pk and not needed
    if not is_own and not actor.may("actions.assign"):
        raise PermissionDenied("actions.assign")
    keep(employee_id)
    if employee_id and not able(Employee.objects.visible_to(actor)).filter(pk=employee_id).exists():
        raise ValidationError({field: _("Must be an active employee of your team who may work on actions")})


def able(employees):
    """Those who can be given an action: viewers only look."""
    return employees.active().exclude(role=Role.VIEWER)


def holders_among(employee_ids):
    """`{id: id}` of those who can be given an action."""
    known = able(Employee.objects.filter(pk__in=[key for key in employee_ids if key]))
    return {key: key for key in known.values_list("pk", flat=True)}


def holder(employee_id):
    """The employee if one who can be given an action, else None."""
    return holders_among([employee_id]).get(employee_id)
