"""One change of many customers at once."""

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from config.audit import recorded
from config.db import held
from config.signals import changed
from customers import gates
from customers.choices import STAGE_RANK
from customers.models import Customer
from customers.services.columns import MAX_TAGS, derived
from customers.services.customer import check_assignee, joined, put, write_assignments, write_stage_changes
from customers.stages import all_entering, entering


class Outcome(NamedTuple):
    """What became of the ids of a bulk call: changed or so already, not the actor's, refused by the gates.

    `refused` and `warned` are findings by id; see customers.gates.
    """

    updated: list
    missing: list
    refused: dict
    warned: dict


def bulk_change(*, actor, customerIds, operation, reason="", notes="", override_reason="", **parts):
    """One operation of `POST /customers/bulk`; see serializers.bulk.BulkInput. Returns the Outcome."""
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
            check_assignee(actor, values["assigned_employee_id"], field="assignedTo", needed=True)
        rows, refused, overridden = _lock_visible(ids, actor), {}, {}
        if "stage" in values:
            onward = [row for row in rows if STAGE_RANK[row.stage] < STAGE_RANK[values["stage"]]]
            refused, overridden = gates.sort(onward, values["stage"], actor, override_reason)
            reason = joined(reason, override_reason)
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
                row.facets = derived(row, {})["facets"]
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
        put(row, entering(row, after, now) if moves else values)
        row.version, row.updated_at = row.version + 1, now
    if moves:
        write_stage_changes(touched, befores, actor, reason, notes, overridden=overridden)
    elif column == "assigned_employee_id":
        write_assignments(touched, befores, actor, notes)
    changes = [{column: (before, after)} for before in befores]
    changed.send(Customer, rows=touched, kind="updated", changes=changes, actor=actor)


def _lock_visible(ids, actor):
    """What is left of erased customers is changed by nobody: in bulk they are not there."""
    return list(held(Customer.objects.visible_to(actor).filter(pk__in=ids, erased_at=None)))


def _outcome(ids, rows, refused=None):
    refused, known = refused or {}, {row.pk for row in rows}
    updated = [pk for pk in ids if pk in known and pk not in refused]
    warned = {row.pk: row.warnings for row in rows if row.warnings}
    return Outcome(updated, [pk for pk in ids if pk not in known], refused, warned)
