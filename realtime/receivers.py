"""Writes an event for every change that services tell of, in the same transaction."""

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import orjson
from django.db import transaction
from django.db.models import F, Func
from django.dispatch import receiver

from actions.choices import ENDED, FOLLOW_UPS
from actions.models import CustomerAction
from actions.serializers import CustomerActionSerializer
from config.api.links import unmarked
from config.api.rows import Relation, declared_fields, rows_of
from config.logging import request_id
from config.signals import changed
from customers.includes import INCLUDES
from customers.models import Customer
from customers.serializers.customer import CustomerSerializer
from customers.services.customer import SYSTEM_ID
from documents.models import Document
from employees.models import Employee, Organization
from employees.serializers import EmployeeSummarySerializer
from realtime.dispatcher import wake
from realtime.frames import SUMMARY
from realtime.models import Event

# A change of more rows than this is one event that tells everybody to read again.
MAX_ROWS = 1000
# Rows are kept whole; whoever sends them masks what a viewer may not see.
_EVERYTHING = frozenset({"customers.pii"})


class Kind(NamedTuple):
    """How the rows of one model are told of."""

    name: str
    serializer: type
    # Who sees a row depends on these columns: {what Event calls it: column}.
    viewers: dict
    # Fields that change along with those of a column.
    along: dict
    is_hidden: Callable

    def viewers_of(self, row, change, *, before):
        """The `before` or `after` of an event; the team of the owner comes with its number."""
        return {
            name: change[column][0 if before else 1] if column in change else getattr(row, column)
            for name, column in self.viewers.items()
        }


KINDS = {
    Customer: Kind(
        "customer",
        CustomerSerializer,
        viewers={"owner": "assigned_employee_id"},
        along={
            "stage": {"stageHistory"},
            "actions": {"nextFollowUpDate"},
            "appointments": {"nextFollowUpDate"},
            "reminders": {"nextFollowUpDate"},
        },
        is_hidden=lambda customer: customer.deleted_at is not None,
    ),
    CustomerAction: Kind(
        "action",
        CustomerActionSerializer,
        viewers={"owner": "customer_assignee", "assignee": "assigned_to_id"},
        along={"customer_assignee": {"customer", "customerName"}},
        is_hidden=lambda action: action.customer_deleted,
    ),
}


@receiver(changed)
def write_events(sender, rows, kind, changes, actor, once=(), **_message):
    if sender is Document and kind == "purged":
        forget_documents({row.customer_id for row in rows})
    told = KINDS.get(sender)
    if told is None or not rows:
        return
    common = {"actor_id": actor.pk if actor else SYSTEM_ID, "request_id": request_id.get()}
    if kind == "erased":  # clients hold copies too
        forget([*(row.pk for row in rows), *once])
        tell_to_read_again({row.organization_id for row in rows}, **common)
        return
    if len(rows) > MAX_ROWS:
        tell_to_read_again({row.organization_id for row in rows}, **common)
        return
    # What nobody can see is told of as a whole when it is restored.
    pairs = [pair for pair in zip(rows, changes, strict=True) if kind != "updated" or not told.is_hidden(pair[0])]
    if kind == "purged":
        forget([*(row.pk if sender is Customer else row.customer_id for row in rows), *once])
    wholes, parts = _rendered(told, kind, pairs)
    events = []
    for row, change in pairs:
        news = parts.get(row.pk)
        moves = bool(change.keys() & set(told.viewers.values()))
        if kind == "updated" and not news and not moves:
            continue  # a copy that nobody sees
        events.append(
            Event(
                organization_id=row.organization_id,
                event=f"{told.name}.{'deleted' if kind == 'purged' else kind}",
                data={"changes": news} if kind == "updated" else _where_to(row),
                also=_also(sender, row, change, news, actor),
                row=wholes.get(row.pk),
                row_id=row.pk,
                customer_id=row.pk if sender is Customer else row.customer_id,
                before=told.viewers_of(row, change, before=True) if kind in _WAS_SEEN else None,
                after=told.viewers_of(row, change, before=False) if kind in _IS_SEEN else None,
                **common,
            )
        )
    if sender is Customer and kind == "updated":
        events += _summaries_elsewhere(dict(pairs), common)
    if sender is CustomerAction:
        events += _follow_ups(kind, pairs, common)
    _write(events)


@receiver(changed, sender=Employee)
def tell_of_employees(rows, kind, changes, actor, **_message):
    """Who sees other rows from now on reads again, and so does everybody when an employee looks different."""
    common = {"actor_id": actor.pk if actor else SYSTEM_ID, "request_id": request_id.get()}
    for employee, change in zip(rows, changes, strict=True):
        if fields_of(EmployeeSummarySerializer, frozenset(change)) - {"isActive"}:
            tell_to_read_again({employee.organization_id}, row_id=employee.pk, **common)
        elif "team_id" in change:
            before, after = ({"team": team} for team in change["team_id"])
            both = {"row_id": employee.pk, "before": before, "after": after}
            tell_to_read_again({employee.organization_id}, **both, **common)


@receiver(changed, sender=Organization)
def tell_of_organizations(rows, changes, actor, **_message):
    """Days are those of another calendar when the zone is another."""
    common = {"actor_id": actor.pk if actor else SYSTEM_ID, "request_id": request_id.get()}
    tell_to_read_again({row.pk for row, change in zip(rows, changes, strict=True) if "time_zone" in change}, **common)


def tell_to_read_again(organization_ids, **values):
    """Write that what was read before tells nothing any more, to those whom `before` and `after` name or to all."""
    _write([Event(organization_id=key, event="resync_required", data={}, **values) for key in organization_ids])


def _write(events):
    if events:
        Event.objects.bulk_create(events)
        transaction.on_commit(wake, robust=True)


_WAS_SEEN, _IS_SEEN = {"updated", "deleted", "purged"}, {"created", "updated", "restored"}


def forget(customer_ids):
    """Empty what events say of customers and their actions; that something was changed remains."""
    Event.objects.filter(customer_id__in=customer_ids).update(data={}, also=[], row=None)


def forget_documents(customer_ids):
    """Remove what events say of the documents of customers; what they say of the customers themselves remains."""
    events = Event.objects.filter(customer_id__in=customer_ids)
    listed = Func(F("data"), template="%(expressions)s #- '{changes,documents}'")
    events.filter(data__changes__has_key="documents").update(data=listed)
    listed = Func(F("row"), template="jsonb_set(%(expressions)s, '{documents}', '[]')")
    events.filter(row__has_key="documents").update(row=listed)


def _where_to(row):
    """Whom a customer was merged into, where whoever saw the one sees the other."""
    survivor = getattr(row, "merged_into", None)
    is_seen_alike = survivor and survivor.assigned_employee_id == row.assigned_employee_id
    return {"mergedInto": survivor.pk} if is_seen_alike else {}


def _rendered(told, kind, pairs):
    """`({id: the whole row}, {id: {field: value now}})` as the API shows them, null where a field is left out."""
    if kind in ("deleted", "purged"):
        return {}, {}
    wholes = [row.pk for row, change in pairs if kind != "updated" or change.keys() & set(told.viewers.values())]
    groups = defaultdict(list)
    for row, change in pairs:
        shown = fields_of(told.serializer, frozenset(change)).union(*(told.along.get(name, ()) for name in change))
        if shown:
            groups[shown | {"updatedAt"}].append(row.pk)
    parts = {}
    for fields, keys in groups.items():
        shown = _fetch(told, keys, fields)
        parts |= {key: {name: row.get(name) for name in sorted(fields)} for key, row in shown.items()}
    return _fetch(told, wholes), parts


def _fetch(told, keys, fields=None):
    # Named collections come along; the row as a whole has them all.
    rows = rows_of(told.serializer, fields, fields or frozenset(INCLUDES), _EVERYTHING).fetch(keys)
    return {row["id"]: row for row in (orjson.loads(unmarked(text)) for text, *_rest in rows)}


@lru_cache(maxsize=256)
def fields_of(serializer, columns):
    """The fields of the API that show any of these columns or related collections."""
    fields = serializer.Meta.model._meta.get_fields()
    sources = {field.name for field in fields if getattr(field, "attname", field.name) in columns}
    shown = declared_fields(serializer).items()
    return frozenset(name for name, (field, source) in shown if _sources(field, name, source) & sources)


def _sources(field, name, source):
    """The columns or related collections that a field shows."""
    group = field.serializers.get(name) if isinstance(field, Relation) else None
    if group and not hasattr(group.Meta, "order"):
        return {inner for _field, inner in declared_fields(group).values()}
    return {source.partition(".")[0]}


def _also(sender, row, change, news, actor):
    """The further events that the API names for a change."""
    also = []
    if sender is Customer and "stage" in change:
        before, after = change["stage"]
        data = {"fromStage": before, "toStage": after, "changedBy": actor.pk if actor else SYSTEM_ID}
        also.append({"event": "customer.stage_changed", "data": data})
    if sender is Customer and "assigned_employee_id" in change:
        before, after = change["assigned_employee_id"]
        data = {"previousEmployee": before, "newEmployee": after}
        also.append({"event": "customer.assigned", "data": data})
    if sender is CustomerAction and "status" in change and change["status"][1] in ENDED:
        also.append({"event": f"action.{change['status'][1]}", "data": {"changes": news}})
    return also


# --- What one change does to the other kind -------------------------------------------------

_PLANS = {"due_date", "status", "type", "completed_at", "snoozed_until"}


def _follow_ups(kind, pairs, common):
    """Events of customers whose planned actions have changed: the next follow-up is looked up when they are numbered.

    Not further names of the action's event: a client that is cut off between the two must not miss it.
    """
    planned = {
        row.customer_id: row
        for row, change in pairs
        if kind == "created" or change.keys() & _PLANS
        if row.type in FOLLOW_UPS or "type" in change
    }
    return [
        Event(
            organization_id=action.organization_id,
            event="customer.updated",
            data={"changes": {"nextFollowUpDate": None}},
            row_id=key,
            customer_id=key,
            before={"owner": action.customer_assignee},
            after={"owner": action.customer_assignee},
            **common,
        )
        for key, action in planned.items()
    ]


def _summaries_elsewhere(change_of, common):
    """Events of actions whose assignee need not see the customer, whose summary they show.

    Everybody else hears of the customer, and knows of the summary by that.
    """
    keys = [
        row.pk
        for row, change in change_of.items()
        # A hand-over is followed by all actions, each with the summary.
        if "assigned_employee_id" not in change and fields_of(CustomerSerializer, frozenset(change)) & SUMMARY
    ]
    actions = CustomerAction.objects.filter(customer_id__in=keys, customer_deleted=False, assigned_to__isnull=False)
    actions = list(actions.exclude(assigned_to=F("customer_assignee"))) if keys else []
    told = KINDS[CustomerAction]
    shown = _fetch(told, [action.pk for action in actions], frozenset({"customer", "customerName"}))
    return [
        Event(
            organization_id=action.organization_id,
            event="action.updated",
            data={"changes": {name: shown[action.pk][name] for name in ("customer", "customerName")}},
            row_id=action.pk,
            customer_id=action.customer_id,
            before=told.viewers_of(action, {}, before=True),
            after=told.viewers_of(action, {}, before=False),
            **common,
        )
        for action in actions
    ]
