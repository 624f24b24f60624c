"""Merging two customers who are one, taking that back, and forgetting what that would need.

The survivor keeps its id and takes over what hangs on the other, who is hidden like a deleted one and points to
it. A merge compares all rows of both before and after (customers.pictures) and keeps what differs: undoing
it puts that back, whatever subscribers have made of it meanwhile.
"""

from copy import copy
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import UniqueViolation

from config.api.renderers import iso
from config.audit import recorded
from config.db import PreconditionFailed, held, save_changes, touch
from config.logging import door, request_id
from config.models import AuditEntry
from config.signals import changed
from customers.compliance.parts import PARTS, api_name
from customers.contacts import contacts_of, news_of
from customers.models import Assignment, Customer, CustomerMerge, StageChange, StatusChange
from customers.models.compliance import ComplianceItem
from customers.models.merge import UNDONE_WITHIN
from customers.pictures import Picture, kinds, put_back
from customers.services.child import put_computed, refuse_erased
from customers.services.columns import derived
from customers.services.customer import MAX_REASON, phone_reported, put, write_assignments
from customers.services.uniting import CONTACTS, STAGE, TOTALS, united
from customers.stages import having_been
from employees.models import Employee
from employees.services import keep

# Hand-overs tell of one row and whose it was; the history of stages goes with the stage.
_STAYS = (Assignment, StageChange)
# What follows from other columns, and is worked out anew.
_FOLLOWS = frozenset({"name_folded", "name_en_folded", "name_keys", "city_key", "region", "district_key", "facets"})


class Undone(NamedTuple):
    """A merge that was undone: both customers, and `kept`, what was changed since and therefore stays.

    `kept` are dicts of `collection`, `id` and `fields`, as the API names them.
    """

    survivor: Customer
    merged: Customer
    kept: list


# --- Who became whom ----------------------------------------------------------------------------


def survivor_of(key, actor):
    """The id of the customer whom the customer of this id was merged into, by way of others perhaps.

    None for an id that was not merged away, and unless the actor sees the survivor.
    """
    merged = Customer.objects.filter(organization_id=actor.organization_id, merged_into__isnull=False)
    steps = []
    while into := merged.filter(pk=key).values_list("merged_into", flat=True).first():
        steps.append(into)
        key = into
    return key if steps and Customer.objects.visible_to(actor).filter(pk=key).exists() else None


def refusal_of_merged(into):
    """The 409 for a write to a customer who was merged into another."""
    return ValidationError(_("This customer was merged into another"), code="conflict", params={"mergedInto": into})


# --- Merging ------------------------------------------------------------------------------------


def merge_customers(survivor, merged_id, *, actor, takes=None, reason=""):
    """Let the customer `merged_id` go into `survivor`; returns the CustomerMerge.

    `takes` maps columns, related names of single parts of the compliance among them, to whether the survivor takes
    the other's value; see services.uniting for those that are not named. `stage` brings its history along.

    Raises ValidationError: 422 for a customer and itself, and where somebody has to choose; 409 (`conflict`) where
    one of them has gone meanwhile. DoesNotExist (404) for one that the actor does not see, PreconditionFailed
    (412) for a stale `If-Match`.
    """
    if survivor.pk == merged_id:
        raise ValidationError({"mergedId": _("A customer cannot be merged with itself")})
    takes = takes or {}
    with recorded(actor):
        keys = [survivor.pk, merged_id]
        keep(*Customer.objects.filter(pk__in=keys).values_list("assigned_employee_id", flat=True))
        survivor, other = _hold_both(survivor, merged_id, actor)
        before = Picture.of(survivor, other)
        columns = {name: is_taken for name, is_taken in takes.items() if name not in PARTS}
        news, measured = united(survivor, other, columns), contacts_of(survivor)
        totals = {name: getattr(other, name) for name in TOTALS}
        # The phone becomes free before the survivor takes it; a stage that is taken is left for the survivor's.
        place = {name: getattr(survivor, name) for name in STAGE if takes.get("stage")}
        save_changes(other, deleted_at=timezone.now(), merged_into_id=survivor.pk, **place)
        moved, staying = _move_children(survivor, other, takes)
        uncounted = _counted(staying)
        totals = {name: max(0, number - uncounted.get(name, 0)) for name, number in totals.items()}
        news |= {name: getattr(survivor, name) + number for name, number in totals.items()}
        changes = _save(survivor, news, measured)
        assigned_before, _after = changes.get("assigned_employee_id", (None, None))
        if "assigned_employee_id" in changes:
            write_assignments([survivor], [assigned_before], actor, reason)
        written = {kind.model: dict.fromkeys(ids, {kind.link.attname: (other.pk, survivor.pk)})
                   for kind, ids in moved}  # fmt: skip
        _tell(survivor, changes, written, actor)
        changed.send(Customer, rows=[other], kind="deleted", changes=[{}], actor=actor)
        after = Picture.of(survivor, other)
        merge = CustomerMerge.objects.create(
            organization_id=survivor.organization_id,
            survivor=survivor,
            merged=other,
            at=other.deleted_at,
            merged_by=actor.name,
            merged_by_id=actor.pk,
            reason=reason[:MAX_REASON],
            moved=_came_over(moved, before, after, survivor),
            snapshot={
                "changed": before.changes_to(after),
                "added": after.missing_from(before),
                "totals": totals,
                "counted": _counted([(kind, kind.model.objects.filter(pk__in=ids)) for kind, ids in moved]),
            },
        )
        _write_down(survivor, {"merges": [None, merge.pk]}, actor)
    return merge


def _hold_both(survivor, merged_id, actor):
    """Both customers, held in id order, so that opposite merges wait for each other."""
    keys = [survivor.pk, merged_id]
    rows = {row.pk: row for row in held(Customer.objects.visible_to(actor, deleted=None).filter(pk__in=keys))}
    for key in keys:
        if key not in rows:
            into = survivor_of(key, actor)
            if into:
                raise refusal_of_merged(into)
            error = Customer.DoesNotExist()
            error.missing = "customer", key
            raise error
        if rows[key].deleted_at:
            message = _("A deleted customer cannot be merged")
            raise ValidationError(message, code="conflict", params={"deletedId": key})
        refuse_erased(rows[key])
    expected = getattr(survivor, "expected_version", None)
    if expected is not None and expected != rows[survivor.pk].version:
        raise PreconditionFailed
    return rows[survivor.pk], rows[merged_id]


def _move_children(survivor, other, takes):
    """Bring what hangs on `other` to the survivor; returns `[(kind, ids)]` of what went, `[(kind, rows)]` of the rest.

    Of what a customer may have once (a property, a licence), the survivor's stays and the other's remains hidden
    where it is; a single part that is taken changes places with the survivor's.
    """
    moved, changed_places, staying, kept = [], [], [], set()
    for kind in kinds():
        if kind.model in _STAYS:
            continue
        clashing, choice = _clashing(kind, survivor, other), takes.get(kind.collection)
        if clashing and choice:
            changed_places.append((kind, _change_places(kind, survivor, other)))
            continue
        if choice is False:
            clashing = set(kind.of(other).values_list("pk", flat=True))
        kept |= clashing
        ids = [key for key in kind.of(other).order_by("pk").values_list("pk", flat=True) if key not in clashing]
        staying.append((kind, kind.of(other).filter(pk__in=clashing)))
        moved.append((kind, ids))
    for place, (kind, ids) in enumerate(moved):
        if kind.model is StatusChange:  # those of an interest that stays, stay
            theirs = kind.of(other).filter(item_id__in=kept).values_list("pk", flat=True)
            moved[place] = kind, sorted(set(ids) - set(theirs))
    for kind, ids in moved:
        values = {kind.link.name: survivor}
        if issubclass(kind.model, ComplianceItem):
            last = kind.of(survivor).aggregate(last=Max("position"))["last"]
            values["position"] = F("position") + (0 if last is None else last + 1)
        kind.of(other).filter(pk__in=ids).update(**values)
    if takes.get("stage"):
        changed_places.append(_change_histories(survivor, other))
    return moved + changed_places, staying


def _clashing(kind, survivor, other):
    """The ids of `other`'s rows of which a customer may have one, that the survivor has."""
    alone = [((), Q())] if kind.link.unique else []
    for constraint in kind.model._meta.constraints:
        columns = getattr(constraint, "fields", ())
        if kind.link.name in columns:
            others = tuple(name for name in columns if name != kind.link.name)
            alone.append((others, constraint.condition or Q()))
    clashing = set()
    for columns, condition in alone:
        mine, theirs = (
            kind.of(customer).filter(condition).values_list("pk", *columns) for customer in (survivor, other)
        )
        known = {tuple(row) for _key, *row in mine}
        clashing |= {key for key, *row in theirs if tuple(row) in known and None not in row}
    return clashing


def _change_places(kind, survivor, other):
    """Exchange the one row that either customer has; returns the ids of both.

    Neither can have two for a moment: the survivor's waits under its own id, and the foreign key looks at the end.
    """
    (mine,), (theirs,) = (kind.of(customer).values_list("pk", flat=True) for customer in (survivor, other))
    rows = kind.model._base_manager
    for key, owner in ((mine, mine), (theirs, survivor.pk), (mine, other.pk)):
        rows.filter(pk=key).update(**{kind.link.attname: owner})
    return [theirs, mine]


def _change_histories(survivor, other):
    """Exchange the histories of stages: each stays the history of the stage that its customer is in."""
    (kind,) = (kind for kind in kinds() if kind.model is StageChange)
    mine, theirs = (list(kind.of(customer).values_list("pk", flat=True)) for customer in (survivor, other))
    for ids, owner in ((mine, other), (theirs, survivor)):
        StageChange.objects.filter(pk__in=ids).update(customer=owner)
    return kind, [*mine, *theirs]


def _came_over(moved, before, after, survivor):
    """How many rows are the survivor's now that were not, by the name that customers have for them."""
    numbers = {}
    for kind, ids in moved:
        was, now = (
            {key: picture.rows[kind.table][key][kind.link.column] for key in ids} for picture in (before, after)
        )
        came = [key for key in ids if now[key] == survivor.pk != was[key]]
        if came and kind.collection:
            numbers[kind.collection] = len(came)
    return numbers


def _counted(parts):
    """What rows of `[(kind, rows)]` add to the totals of their customers, by the name of the total."""
    totals = {}
    for kind, rows in parts:
        for row in rows if hasattr(kind.model, "counts") else ():
            for name, number in row.counts().items():
                totals[name] = totals.get(name, 0) + number
    return totals


def _save(customer, values, measured):
    """Save columns of a held customer whose children have come or gone; `{column: (before, after)}` of what differs.

    `measured` are its Contacts of before that.
    """
    before = copy(customer)
    put(customer, {name: values[name] for name in ("created_at", *CONTACTS)})
    now = contacts_of(customer)
    if now != measured:
        values = values | news_of(customer, measured, now)
    put(customer, {name: getattr(before, name) for name in ("created_at", *CONTACTS)})
    changes = save_changes(customer, **values)
    if not changes:
        touch(customer)
    return changes


def _tell(customer, changes, written, actor, **more):
    """Send `changed` of a customer whom rows came to or left; `written` is what config.signals says of it."""
    collections = {kind.collection: (None, None) for kind in kinds() if written.get(kind.model) and kind.collection}
    if "payments" in collections:
        collections["paid_amount"] = None, None  # what they come to, unless it was set by hand
    more["written"] = written
    changed.send(Customer, rows=[customer], kind="updated", changes=[collections | changes], actor=actor, **more)


def _write_down(customer, changes, actor):
    """An entry of the audit of a customer of whose own columns perhaps none has changed."""
    AuditEntry.objects.create(
        at=timezone.now(),
        table_name="customers",
        row_id=customer.pk,
        organization_id=customer.organization_id,
        operation="update",
        actor_id=actor.pk,
        request_id=request_id.get(),
        door=door.get(),
        changes=changes,
    )


# --- Undoing ------------------------------------------------------------------------------------


def undo_merge(merge, *, actor):
    """Bring both customers of a merge back to what they were; returns Undone.

    Columns of the survivor, and rows that hang on either, are put back where they are still what the merge has made
    of them. What was added since stays with the survivor. Raises ValidationError (409): `duplicate` when a phone is
    taken meanwhile, `conflict` when it is too late, was done already, or another merge stands on this one.
    """
    with phone_reported(actor), recorded(actor):
        keep(*_assignees_of(merge))
        keys = [merge.survivor_id, merge.merged_id]
        rows = {row.pk: row for row in held(Customer.objects.in_scope_of(actor).filter(pk__in=keys))}
        merge = held(CustomerMerge.objects.visible_to(actor)).get(pk=merge.pk)
        survivor, other = rows[merge.survivor_id], rows[merge.merged_id]
        _check_undoable(merge, survivor)
        snapshot, now, measured = merge.snapshot, Picture.of(survivor, other), contacts_of(survivor)
        was, columns = copy(survivor), snapshot["changed"]["customers"]
        back, stay = _columns_of_survivor(columns.get(survivor.pk, {}), now.rows["customers"][survivor.pk])
        kept = [_kept("customers", survivor.pk, stay, Customer)] if stay else []
        # The survivor's phone becomes free before the other takes it.
        put_back("customers", {survivor.pk: back})
        theirs = {name: pair[0] for name, pair in columns[other.pk].items() if name in now.rows["customers"][other.pk]}
        put_back("customers", {other.pk: theirs})
        written = _bring_children_back(
            snapshot, now, kept, spared=Assignment if "assigned_employee_id" in stay else None
        )
        _move_statuses(survivor, other, written)
        survivor.refresh_from_db()
        other.refresh_from_db()
        _work_out_anew(survivor, other, snapshot, written, back, measured)
        touch(survivor)
        touch(other)
        merge.snapshot, merge.undone_at = None, timezone.now()
        merge.undone_by, merge.undone_by_id = actor.name, actor.pk
        merge.save(update_fields=["snapshot", "undone_at", "undone_by", "undone_by_id"])
        _write_down(survivor, {"merges": [merge.pk, None]}, actor)
        _tell(survivor, _difference(was, survivor), written, actor, since=merge.at)
        changed.send(Customer, rows=[other], kind="restored", changes=[{}], actor=actor)
    return Undone(survivor, other, kept)


def _assignees_of(merge):
    """Who may be given a customer again; read before anything is held."""
    columns = (merge.snapshot or {}).get("changed", {}).get("customers", {}).get(merge.survivor_id, {})
    theirs = Customer.objects.filter(pk=merge.merged_id).values_list("assigned_employee_id", flat=True)
    return [*columns.get("assigned_employee_id", [])[:1], *theirs]


def _check_undoable(merge, survivor):
    def refuse(message, **details):
        raise ValidationError(message, code="conflict", params=details)

    if merge.undone_at:
        refuse(_("This merge was undone already"), undoneAt=iso(merge.undone_at.timestamp()))
    if survivor.merged_into_id:
        refuse(_("This customer was merged into another"), mergedInto=survivor.merged_into_id)
    if survivor.deleted_at:
        refuse(_("The customer was deleted meanwhile; restore it first"), deletedId=survivor.pk)
    if timezone.now() > merge.until or merge.snapshot is None:
        refuse(_("This merge can no longer be undone"), until=iso(merge.until.timestamp()))
    newest = CustomerMerge.objects.filter(survivor=survivor, undone_at=None).order_by("-at", "-id").first()
    if newest != merge:
        refuse(_("Undo the later merge of this customer first"), newerMergeId=newest.pk)


def _columns_of_survivor(changes, now):
    """`({column: value of before}, {column that was changed since})` of what the merge has changed of the survivor."""
    changes = {name: pair for name, pair in changes.items() if name in now and name not in {*_FOLLOWS, *TOTALS}}
    stay = {name for name, (_before, after) in changes.items() if now[name] != after}
    for group in (STAGE, CONTACTS):
        if stay & set(group):
            stay |= changes.keys() & set(group)
    assignee = changes.get("assigned_employee_id", [None])[0]
    if assignee and not Employee.objects.active().filter(pk=assignee).exists():
        stay.add("assigned_employee_id")
    return {name: before for name, (before, _after) in changes.items() if name not in stay}, stay


def _bring_children_back(snapshot, now, kept, *, spared):
    """Put rows back where they were, and as they were unless they were changed since; adds those to `kept`.

    Rows that the merge has added go, but for those of the model `spared`. Returns what was written, for `_tell`.
    """
    written = {}
    for kind in kinds():
        if kind.model is not spared:
            kind.model._base_manager.filter(pk__in=snapshot["added"].get(kind.table, ())).delete()
        rows, back = now.rows[kind.table], {}
        for key, columns in snapshot["changed"].get(kind.table, {}).items():
            if key not in rows:
                continue
            columns = {name: pair for name, pair in columns.items() if name in rows[key]}
            stay = {name for name, (_before, after) in columns.items() if rows[key][name] != after}
            # A row is whole or not: its columns keep rules among each other.
            back[key] = {name: before for name, (before, _after) in columns.items()
                         if not stay or name == kind.link.column}  # fmt: skip
            if shown := [name for name in stay if kind.model._meta.get_field(name).editable]:
                kept.append(_kept(kind.collection or kind.table, key, shown, kind.model))
        if kind.link.unique:
            _make_room(kind, back, rows)
        try:
            put_back(kind.table, back)
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise
            raise _refusal_of_another(kind) from None
        if back:
            written[kind.model] = {key: {name: (rows[key][name], value) for name, value in values.items()}
                                   for key, values in back.items()}  # fmt: skip
    return written


def _make_room(kind, back, rows):
    """Let rows of which a customer has one wait under their own ids. Refuses (409) where another has come since."""
    owners = {values[kind.link.column] for values in back.values() if kind.link.column in values}
    for key, row in rows.items():
        if row[kind.link.column] in owners and key not in back:
            raise _refusal_of_another(kind, existingId=key)
    kind.model._base_manager.filter(pk__in=back).update(**{kind.link.attname: F("pk")})


def _refusal_of_another(kind, **details):
    message = _("The customer has got another one since; remove it first")
    return ValidationError(message, code="conflict", params={"collection": api_name(kind.collection), **details})


def _move_statuses(survivor, other, written):
    """Let statuses that were recorded since go along with what they are of."""
    keys = [key for rows in written.values() for key in rows]
    StatusChange.objects.filter(customer=survivor, item_id__in=keys).update(customer=other)


def _work_out_anew(survivor, other, snapshot, written, back, measured):
    """Bring what follows from columns and rows up to what is so again, later changes included."""
    returned = [(kind, kind.of(other).filter(pk__in=written[kind.model])) for kind in kinds() if kind.model in written]
    now, then = _counted(returned), snapshot["counted"]
    values = derived(survivor, {})
    for name in TOTALS:
        surplus = snapshot["totals"][name] - then.get(name, 0)
        values[name] = max(0, getattr(survivor, name) - surplus - now.get(name, 0))
    contacts = contacts_of(survivor)
    if contacts != measured and not back.keys() & set(CONTACTS):
        values |= news_of(survivor, measured, contacts)
    if "stage" in snapshot["changed"]["customers"].get(survivor.pk, {}) and "stage" not in back:
        history = list(StageChange.objects.filter(customer=survivor).values_list("to_stage", "changed_at"))
        values |= having_been(survivor.stage, history, otherwise=survivor.created_at)
    put_computed(survivor, **values)
    gained = {name: now.get(name, 0) - then.get(name, 0) for name in TOTALS}
    put_computed(other, **{name: max(0, getattr(other, name) + number) for name, number in gained.items()})


def _difference(before, after):
    names = [field.attname for field in Customer._meta.concrete_fields if field.name not in ("version", "updated_at")]
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _kept(collection, key, columns, model):
    names = sorted(api_name(column) for column in columns if model._meta.get_field(column).editable)
    return {"collection": api_name(collection), "id": key, "fields": names}


# --- Forgetting ---------------------------------------------------------------------------------


def forget_merges(customer):
    """Empty what is kept of the merges in which values of a customer stand: its own, and those they rest on."""
    known, found = set(), {customer.pk}
    while found:
        known |= found
        pairs = CustomerMerge.objects.filter(Q(survivor__in=found) | Q(merged__in=found))
        found = {key for pair in pairs.values_list("survivor_id", "merged_id") for key in pair} - known
    CustomerMerge.objects.filter(Q(survivor__in=known) | Q(merged__in=known)).update(snapshot=None, reason="")


def stale_snapshots(now=None):
    """Merges that can no longer be undone, and still keep what undoing would need."""
    too_late = (now or timezone.now()) - UNDONE_WITHIN
    return CustomerMerge.objects.filter(at__lt=too_late, snapshot__isnull=False)


def prune_snapshots(now=None):
    """Empty what these keep; returns how many."""
    return stale_snapshots(now).update(snapshot=None)
