"""What actions do when their customers or the people who work on them change: all within that change."""

from datetime import timedelta
from operator import attrgetter

from django.db.models import F, Q
from django.utils import timezone

from actions.choices import (
    DO_NOT_CONTACT_REASON,
    ENDED,
    ENDINGS,
    ERASED_TITLE,
    FIRST_ACTIONS,
    FOLLOW_UP_DROPPED,
    FOLLOW_UP_TITLE,
    OUTREACH,
    SETTLED,
    ActionStatus,
    ActionType,
)
from actions.models import ActionNote, CustomerAction
from actions.services import change_all, holder, holders_among, insert_all, move_to
from config.audit import recorded, scrub_entries
from config.db import held
from config.signals import changed
from customers.choices import Priority, ReminderStatus
from customers.models import Customer, Reminder
from customers.services.activity import settle_reminder


def open_first_action(customer, *, actor):
    """What a new customer asks for, due in a day when urgent or high, else in two."""
    kind, title = FIRST_ACTIONS[customer.source]
    hours = 24 if customer.priority in (Priority.URGENT, Priority.HIGH) else 48
    values = {
        "type": kind,
        "title": title,
        "priority": customer.priority,
        "source": customer.source,
        "due_date": customer.created_at + timedelta(hours=hours),
        "assigned_to_id": holder(customer.assigned_employee_id),
    }
    insert_all([customer], [values], actor)


def follow_customers(customers, changes, *, actor, since=None):
    """Bring actions up to what changed in their customers: copies, and live ones move with the customer.

    Of a customer that is handed over, the actions of the former assignee go to the new one, and
    those of nobody where the former assignee was nobody or one who could not be given any. Where the hand-over takes
    back an earlier one, only those that were opened `since`: the others are whose they were.
    """
    copied = {"assigned_employee_id", "city_key", "region"}
    news = {row.pk: change for row, change in zip(customers, changes, strict=True) if copied & change.keys()}
    if not news:
        return
    actions = _lock_all(customer_id__in=news)
    if not actions:
        return
    customer_of = {customer.pk: customer for customer in customers}
    able = holders_among({key for change in news.values() for key in change.get("assigned_employee_id", ())})
    groups = {}
    for action in actions:
        customer, change = customer_of[action.customer_id], news[action.customer_id]
        copies = {"customer_assignee": customer.assigned_employee_id}
        copies |= {name: getattr(customer, name) for name in ("city_key", "region") if name in change}
        is_free = since is None or action.created_at > since
        if "assigned_employee_id" in change and action.status not in ENDED and is_free:
            before, after = change["assigned_employee_id"]
            if action.assigned_to_id in ((before,) if before in able else (before, None)):
                copies["assigned_to_id"] = able.get(after)
        groups.setdefault(tuple(sorted(copies.items(), key=lambda item: item[0])), []).append(action)
    for copies, group in groups.items():
        change_all(group, dict(copies), actor, "")


def follow_merges(changes_of, *, actor):
    """Bring actions that a merge, or its undoing, has written up to the customers whose they are now.

    `changes_of` says by id what was written. Live ones change hands as when a customer is handed over, and notes go
    with their actions.
    """
    actions, now = _lock_all(pk__in=list(changes_of)), timezone.now()
    customers = Customer.objects.in_bulk({action.customer_id for action in actions})
    owners = {action.customer_assignee for action in actions}
    able = holders_among({*owners, *(customer.assigned_employee_id for customer in customers.values())})
    changes = []
    for action in actions:
        customer = customers[action.customer_id]
        before, after = action.customer_assignee, customer.assigned_employee_id
        news = {
            "customer_assignee": after,
            "customer_deleted": customer.deleted_at is not None,
            "city_key": customer.city_key,
            "region": customer.region,
        }
        leaves = before != after and action.assigned_to_id in ((before,) if before in able else (before, None))
        if leaves and action.status not in ENDED:
            news["assigned_to_id"] = able.get(after)
        told = dict(changes_of[action.pk])
        for name, value in news.items():
            if getattr(action, name) != value:
                told[name] = told.get(name, (getattr(action, name),))[0], value
                setattr(action, name, value)
        action.version, action.updated_at = action.version + 1, now
        changes.append(told)
    columns = ["customer_assignee", "customer_deleted", "city_key", "region", "assigned_to", "version", "updated_at"]
    CustomerAction.objects.bulk_update(actions, columns)
    for customer in customers.values():
        theirs = [action.pk for action in actions if action.customer_id == customer.pk]
        ActionNote.objects.filter(action__in=theirs).exclude(customer=customer).update(customer=customer)
    changed.send(CustomerAction, rows=actions, kind="updated", changes=changes, actor=actor)


def follow_deletions(customers, kind, *, actor):
    """Hide or show the actions of customers that were deleted or restored; of purged ones, forget what they said."""
    keys = [customer.pk for customer in customers]
    actions = _lock_all(customer_id__in=keys)
    if not actions:
        return
    if kind == "purged":
        scrub_entries("customer_actions", [action.pk for action in actions])
    else:
        deleted = kind == "deleted"
        CustomerAction.objects.filter(pk__in=[action.pk for action in actions]).update(customer_deleted=deleted)
        for action in actions:
            action.customer_deleted = deleted
    changed.send(CustomerAction, rows=actions, kind=kind, changes=[{}] * len(actions), actor=actor)


def follow_erasure(customer, *, actor):
    """Take out of the actions of an erased customer what was written about the person; what was open is dismissed."""
    keys = [action.pk for action in _lock_all(customer_id=customer.pk)]
    scrub_entries("customer_actions", keys)
    ActionNote.objects.filter(customer=customer).update(content="")
    actions = CustomerAction.objects.filter(pk__in=keys)
    actions.exclude(status__in=ENDED).update(**move_to(ActionStatus.DISMISSED, actor=actor))
    actions.update(
        title=ERASED_TITLE, description="", outcome="", reason="", metadata={},
        city_key=customer.city_key, region=customer.region, version=F("version") + 1, updated_at=timezone.now(),
    )  # fmt: skip


def follow_wishes(customers, changes, *, actor):
    """Dismiss the offers to customers who asked not to be contacted."""
    silent = {
        customer.pk
        for customer, change in zip(customers, changes, strict=True)
        if "do_not_contact" in change and customer.do_not_contact
    }
    offers = _lock_all(customer_id__in=silent, type__in=OUTREACH, completed_at=None) if silent else ()
    if offers:
        dismissed = move_to(ActionStatus.DISMISSED, actor=actor, reason=DO_NOT_CONTACT_REASON)
        change_all(offers, dismissed, actor, "")


def hand_over_actions(employee, *, successor, actor):
    """Give the live actions of an employee who leaves to a successor, or to nobody."""
    with recorded(actor):
        theirs = _lock_all(assigned_to=employee, completed_at=None)
        change_all(theirs, {"assigned_to_id": holder(successor.pk) if successor else None}, actor, "")


# --- What goes on with a customer --------------------------------------------------------------

FOLLOW_UP_AFTER = timedelta(hours=48)


def follow_interaction(customer, before, after, *, actor):
    """Bring the follow-up that an interaction asks for up to it: opened once, moved while it is open, dismissed.

    A dismissed one is restored when it is asked for again.
    """
    row, asks, asked = after or before, _asks(after), _asks(before)
    if not (asks or asked) or asks and asked and after.follow_up_date == before.follow_up_date:
        return
    action = held(CustomerAction.objects.filter(origin=row.pk)).first()
    if action is None:
        if asks and not asked:
            _open_follow_up(customer, after, actor)
    elif asks and (action.status not in ENDED or not asked and action.status == ActionStatus.DISMISSED):
        restored = move_to(ActionStatus.PENDING, actor=actor) if action.status in ENDED else {}
        change_all([action], {"due_date": after.follow_up_date or action.due_date, **restored}, actor, "")
    elif not asks and action.status not in ENDED:
        dismissed = move_to(ActionStatus.DISMISSED, actor=actor, reason=FOLLOW_UP_DROPPED)
        change_all([action], dismissed, actor, "")


def _asks(interaction):
    return interaction is not None and interaction.follow_up_required


def _open_follow_up(customer, after, actor):
    values = {
        "type": ActionType.FOLLOW_UP,
        "title": FOLLOW_UP_TITLE,
        "description": after.notes,
        "priority": customer.priority,
        "source": customer.source,
        "due_date": after.follow_up_date or timezone.now() + FOLLOW_UP_AFTER,
        "assigned_to_id": holder(customer.assigned_employee_id),
        "metadata": {"interactionId": after.pk},
        "origin": after.pk,
    }
    insert_all([customer], [values], actor)


def follow_plan(customer, before, after, *, actor):
    """Bring the last action of a reminder or an appointment up to it: when it is due, and whether it has ended.

    What has ended otherwise stays so, unless the plan itself is taken up again. One that is put off after its
    action has ended surfaces anew when its time comes.
    """
    row = after or before
    moved = after is None or before is None or (before.status, before.datetime) != (after.status, after.datetime)
    if row.surfaced_at is None or not moved:
        return
    action = max(held(_opened_by(row)), key=attrgetter("created_at"), default=None)
    if action is None:
        return
    ending = ENDINGS[row.collection()].get(after.status if after else None)
    if ending and action.status not in ENDED:
        status, reason = ending
        change_all([action], move_to(status, actor=actor, reason=reason), actor, "")
    elif not ending and action.status in ENDED and _lies_ahead_anew(before, after):
        type(after).objects.filter(pk=after.pk).update(surfaced_at=None)
        after.surfaced_at = None
        # Others have been told of the move already, when it counted as surfaced.
        changed.send(
            Customer, rows=[customer], kind="updated", changes=[{row.collection(): (after, after)}], actor=actor
        )
    elif not ending and (action.status not in ENDED or before.status != after.status):
        restored = move_to(ActionStatus.PENDING, actor=actor) if action.status in ENDED else {}
        change_all([action], {"due_date": after.datetime, **restored}, actor, "")


def _lies_ahead_anew(before, after):
    """Whether a plan was moved to a moment that nobody has been told of."""
    return after.datetime != before.datetime and after.datetime > min(before.datetime, timezone.now())


FOLLOWED = {"interactions": follow_interaction, "appointments": follow_plan, "reminders": follow_plan}


def follow_endings(actions, changes, *, actor):
    """Complete the reminders whose actions were completed, cancel those whose were dismissed, take that back with them.

    An action that was followed by another of the same reminder says nothing of it any more.
    """
    moved = {
        action.origin.partition(":")[0]: action
        for action, change in zip(actions, changes, strict=True)
        if action.origin and set(ENDED) & set(change.get("status", ()))
    }
    for reminder in Reminder.objects.filter(pk__in=moved).order_by("customer_id") if moved else ():
        action = moved[reminder.pk]
        if not _opened_by(reminder).filter(created_at__gt=action.created_at).exists():
            status = SETTLED.get(action.status, ReminderStatus.PENDING)
            settle_reminder(reminder, status=status.value, actor=actor)


def _opened_by(row):
    """The actions that a reminder or an appointment has opened: one, and one more whenever it was put off since."""
    opened = Q(origin=row.pk) | Q(origin__startswith=f"{row.pk}:")
    return CustomerAction.objects.filter(opened, customer=row.customer_id)


def _lock_all(**conditions):
    return list(held(CustomerAction.objects.filter(**conditions)))
