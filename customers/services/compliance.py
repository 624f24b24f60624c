"""Every write about compliance. It is part of the customer: each change is an edit of it, held and told of as one.

`values` are columns by related name, as serializers.compliance.ComplianceSerializer reads them. An
object merges, None removes it; a list replaces the list, whose items keep what the hub knows of them.
Rules look at whole rows, so they are asked here, where nobody else can change them meanwhile; what breaks
one is malformed all the same: a 400 that names its field.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as RuleViolation
from django.db import IntegrityError
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.audit import recorded
from config.db import insert_rows, touch, update_rows
from customers.choices import ConsentPurpose, ContractStatus, DefectSeverity, DefectStatus, PaymentStatus, SakaniStatus
from customers.compliance.law import LEASES_RENEW_SINCE, STATUTORY_COMMISSION
from customers.compliance.parts import MAX_ITEMS, PARTS, api_name
from customers.compliance.rules import breaches, breaches_among, forbidden_move
from customers.compliance.standing import riyadh_day, standing_of
from customers.compliance.warnings import MEANINGS, is_credit_data
from customers.includes import INCLUDES
from customers.models import BrokerageContract, Customer, EjarContract, HandoverDefect, Payment, SakaniEligibility
from customers.services.child import hold, hold_child, tell
from customers.services.consent import has_agreed
from employees.choices import GatePreset

# What errors begin with when the customer is written as a whole.
ROOT = "ksaCompliance."
# What an item keeps when it is sent again without it.
_KEPT = {"status", "reported_at", "resolved_at", "approved_by", "approved_at"}
# What says nothing of the thing itself: verified stays verified when they change.
_REMARKS = {"verified_at", "notes", "eligibility_notes"}
_DAYS_TO_RESOLVE = {DefectSeverity.CRITICAL: 3, DefectSeverity.MAJOR: 14, DefectSeverity.MINOR: 30}
_NUMBERS = {
    "brokerage_contract_number_unique": ("brokerage_contracts", "contract_number"),
    "brokerage_contract_rega_unique": ("brokerage_contracts", "rega_contract_id"),
    "ejar_contract_number_unique": ("ejar_contracts", "ejar_contract_number"),
}
_NUMBER_TOLD = re.compile(r"\)=\(.*?, (.*)\) already exists", re.DOTALL)


@dataclass
class Draft:
    """A row as it is to become: `before` holds what was stored of it, `path` is what errors begin with."""

    row: object
    before: dict
    path: str

    @property
    def changed(self):
        """The columns that become another."""
        return {name for name, value in self.before.items() if getattr(self.row, name) != value}

    @property
    def is_changed(self):
        return not self.before or bool(self.changed)


@dataclass
class Edit:
    """What is to become of one part: the rows that are written, the others beside them, and those that go."""

    part: object
    drafts: list = field(default_factory=list)
    others: list = field(default_factory=list)
    removed: list = field(default_factory=list)


# --- Parts and items by themselves ------------------------------------------------------------


def change_part(customer, part, *, actor, values):
    """Merge values into an object of the customer, which may be a new one. Raises what `write` raises."""
    with _reported(actor, part, values), recorded(actor):
        customer = hold(customer, actor)
        _finish(customer, _edit_of_object(customer, part, values, actor), actor)


def remove_part(customer, part, *, actor):
    """Remove an object of the customer; DoesNotExist (404) when there is none."""
    with recorded(actor):
        customer = hold(customer, actor)
        _finish(customer, Edit(part, removed=[part.model.objects.get(customer=customer)]), actor)


def add_item(customer, part, *, actor, values):
    """One more item at the end of a list; returns its id. Raises what `write` raises."""
    with _reported(actor, part, values), recorded(actor):
        customer = hold(customer, actor)
        others = list(part.model.objects.filter(customer=customer).order_by("position", "id"))
        if len(others) >= MAX_ITEMS:
            raise ValidationError({part.name: _("At most %(count)d items are allowed") % {"count": MAX_ITEMS}})
        position = others[-1].position + 1 if others else 0
        draft = _draft(customer, part, None, values, actor=actor, position=position)
        _finish(customer, Edit(part, [draft], others), actor)
    return draft.row.pk


def change_item(row, part, *, actor, values):
    """Merge values into an item of a list; DoesNotExist (404) when it is gone. Raises what `write` raises."""
    with _reported(actor, part, values), recorded(actor):
        customer, row = hold_child(row, actor)
        others = list(part.model.objects.filter(customer=customer).exclude(pk=row.pk))
        draft = _draft(customer, part, row, values, actor=actor, position=row.position)
        _finish(customer, Edit(part, [draft], others), actor)


def remove_item(row, part, *, actor):
    """Remove an item of a list; DoesNotExist (404) when it is gone."""
    with recorded(actor):
        customer, row = hold_child(row, actor)
        _finish(customer, Edit(part, removed=[row]), actor)


def _reported(actor, part, values):
    return numbers_reported(actor, {part.related_name: [values]}, path="")


def _finish(customer, edit, actor):
    changes = write(customer, [edit], actor)
    if changes:
        touch(customer)
        tell(customer, actor, **changes)


# --- All of it together -----------------------------------------------------------------------


def edits_of(customer, values, *, actor):
    """The Edits that bring a held customer's compliance to `values`."""
    return [_edit_of(customer, PARTS[name], value, actor) for name, value in values.items()]


def new_rows(customer, values, *, documents=()):
    """The rows of a customer who has none yet, not saved, with the ids that `values` give them.

    For importers: nobody is asked who they are, and `documents` are ids that come along. Raises ValidationError (400)
    as `write` does.
    """
    edits = []
    for name, value in values.items():
        part = PARTS[name]
        bodies = value if part.is_list else [value]
        drafts = [
            _draft(customer, part, None, body, path=_path(part, place), position=place)
            for place, body in enumerate(bodies or [])
        ]
        for draft, body in zip(drafts, bodies or [], strict=True):
            draft.row.pk = body.get("id") or draft.row.pk
        edits.append(Edit(part, [draft for draft in drafts if not _is_empty(draft.row, part)]))
    _check(customer, edits, documents)
    return [draft.row for edit in edits for draft in edit.drafts]


def write(customer, edits, actor):
    """Save Edits of a held customer that keep the rules; returns `{related name: (before, after)}` of what changed.

    Raises rest_framework's ValidationError (400) with every rule that is broken, Django's (422) for a status that
    may not follow the one before or what a strict organization refuses, PermissionDenied when the actor may not say
    that something is verified.
    """
    _check(customer, edits)
    _be_strict(customer, edits, actor)
    paid_before = paid_by_schedule(customer) if any(edit.part.model is Payment for edit in edits) else None
    changes = {edit.part.related_name: (None, None) for edit in edits if _save(edit)}
    if "payments" in changes and customer.paid_amount is None:
        paid = paid_by_schedule(customer)
        changes |= {"paid_amount": (paid_before, paid)} if paid != paid_before else {}
    return changes


def _be_strict(customer, edits, actor):
    """Refuse in a strict organization what elsewhere is an issue: credit data and commissions without agreement."""
    if not actor or actor.organization.gate_preset != GatePreset.STRICT:
        return
    drafts = [draft for edit in edits for draft in edit.drafts if draft.is_changed]
    told = [draft for draft in drafts if is_credit_data([draft.row])]
    if told and not has_agreed(customer, ConsentPurpose.CREDIT_DATA):
        raise RuleViolation({told[0].path.rstrip(".") or "consents": MEANINGS["CREDIT_CONSENT_MISSING"].text})
    for draft in drafts:
        rate = getattr(draft.row, "commission_rate", None)
        if rate is not None and rate > STATUTORY_COMMISSION and not draft.row.documents:
            text = str(MEANINGS["COMMISSION_ABOVE_STATUTORY"].text) % {"limit": STATUTORY_COMMISSION}
            raise RuleViolation({f"{draft.path}commissionRate": text})


def paid_by_schedule(customer):
    """What the paid payments of a customer come to, None where there are none: `paidAmount` unless set by hand."""
    paid = Payment.objects.filter(customer=customer, status=PaymentStatus.PAID)
    return paid.aggregate(sum=Sum(Coalesce("paid_amount", "amount")))["sum"]


def _path(part, place):
    return f"{ROOT}{part.name}.{place}." if part.is_list else f"{ROOT}{part.name}."


def _edit_of(customer, part, value, actor):
    if not part.is_list:
        return _edit_of_object(customer, part, value, actor, path=_path(part, 0))
    rows, drafts, position = {row.pk: row for row in part.model.objects.filter(customer=customer)}, [], -1
    for place, body in enumerate(value or []):
        key = body.get("id")
        if key and key not in rows:
            raise ValidationError(
                {f"{_path(part, place)}id": _("No item of this list has the id %(id)s") % {"id": key}}
            )
        row = rows.pop(key) if key else None
        # What still follows the item before stays where it is: of a list that has lost one, nothing else is written.
        position = row.position if row and row.position > position else position + 1
        options = {"path": _path(part, place), "position": position, "is_whole": True}
        drafts.append(_draft(customer, part, row, body, actor=actor, **options))
    return Edit(part, drafts, removed=list(rows.values()))


def _edit_of_object(customer, part, values, actor, path=""):
    """Merge values into an object; None removes it, and so does what leaves nothing in it."""
    stored = list(part.model.objects.filter(customer=customer))
    if values is None:
        return Edit(part, removed=stored)
    draft = _draft(customer, part, stored[0] if stored else None, values, actor=actor, path=path)
    return Edit(part, removed=stored) if _is_empty(draft.row, part) else Edit(part, [draft])


def _is_empty(row, part):
    """Whether a row may be without values, and is."""
    return all(column.blank and getattr(row, column.attname) in (None, "", []) for column in part.columns)


def _draft(customer, part, row, values, *, actor=None, path="", position=None, is_whole=False):
    """The Draft of a row with values put on it; `is_whole` values leave nothing behind of what they do not name."""
    columns = part.columns
    before = {column.attname: getattr(row, column.attname) for column in columns} if row else {}
    shown = standing_of(row, riyadh_day()) if before.get("status") else None
    now = timezone.now()
    born = {"organization_id": customer.organization_id, "created_at": now, "updated_at": now}
    row = row or part.model(customer=customer, **born)
    for column in columns:
        name = column.attname
        if name not in values and (not is_whole or before and name in _KEPT):
            continue
        value = _stored(column, values.get(name))
        if name == "status" and value == shown:
            continue  # what time has made of it is sent back, and is no decision
        if name == "verified_at" and value != before.get(name) and actor and not actor.may("customers.verify"):
            raise PermissionDenied("customers.verify")
        setattr(row, name, value)
    if part.is_list:
        before |= {"position": row.position} if before else {}
        row.position = position
    draft = Draft(row, before, path)
    _follow(draft, actor, now)
    return draft


def _stored(column, value):
    """A value of the API as its column holds it: null and "" are no value, or what stands for none."""
    if value is None or value == "":
        return None if column.null else column.get_default()
    return value


def _follow(draft, actor, now):
    """Put on a row what follows from what was written."""
    row, was = draft.row, draft.before.get("status")
    if isinstance(row, BrokerageContract) and was and was != row.status == ContractStatus.ACTIVE:
        row.approved_by, row.approved_at = actor.name if actor else "", now
    if isinstance(row, EjarContract) and not draft.before and row.auto_renewal is None and row.end_date:
        row.auto_renewal = row.end_date > LEASES_RENEW_SINCE or None
    if isinstance(row, SakaniEligibility):
        is_told = row.eligibility_checked_at != draft.before.get("eligibility_checked_at")
        checked_at = row.eligibility_checked_at if is_told or row.status == was else None
        row.eligibility_checked_at = (checked_at or now) if row.status != SakaniStatus.NOT_CHECKED else None
    if isinstance(row, HandoverDefect):
        row.reported_at = row.reported_at or min(now, row.resolved_at or now)
        row.resolved_at = (row.resolved_at or now) if row.status == DefectStatus.RESOLVED else None
        if not draft.before and row.target_resolution_date is None and row.severity:
            day, days = riyadh_day(row.reported_at), timedelta(days=_DAYS_TO_RESOLVE[row.severity])
            row.target_resolution_date = day + min(days, date.max - day)
    if draft.before.get("verified_at") and draft.changed - _REMARKS and actor and not actor.may("customers.verify"):
        row.verified_at = None


def _check(customer, edits, documents=()):
    errors = {}
    drafts = [draft for edit in edits for draft in edit.drafts]
    for draft in drafts:
        errors |= {draft.path + name: [message] for name, message in breaches(draft.row)}
    for edit in edits if not errors else ():
        path_of = {draft.row.pk: draft.path for draft in edit.drafts}
        for row, name, message in breaches_among([*edit.others, *(draft.row for draft in edit.drafts)]):
            errors[path_of[row.pk] + name] = [message]
    errors |= _unknown_documents(customer, drafts, documents)
    if errors:
        raise ValidationError(errors)
    moves = {
        f"{draft.path}status": RuleViolation(message, code="INVALID_TRANSITION")
        for draft in drafts
        if "status" in draft.before and (message := forbidden_move(draft.row, draft.before["status"]))
    }
    if moves:
        raise RuleViolation(moves)


def _unknown_documents(customer, drafts, coming):
    """Errors for ids that name no document of the customer, where customers have documents."""
    documents = INCLUDES.get("documents")
    named = {
        (draft.path + name, key)
        for draft in drafts
        for name in ("documents", "photos")
        for key in getattr(draft.row, name, ())
        if ":" not in key and key not in coming and key not in draft.before.get(name, ())
    }
    if not documents or not named:
        return {}
    keys = {key for _path, key in named}
    known = set(documents.Meta.model.objects.filter(customer=customer, pk__in=keys).values_list("pk", flat=True))
    return {path: [_("Unknown document %(id)s") % {"id": key}] for path, key in sorted(named) if key not in known}


def _save(edit):
    """Write what differs: a statement for what goes, one for what changes, one for what is new."""
    model, now = edit.part.model, timezone.now()
    new = [draft.row for draft in edit.drafts if not draft.before]
    changes = {draft.row: names for draft in edit.drafts if (names := draft.changed)}
    if edit.removed:
        model.objects.filter(pk__in=[row.pk for row in edit.removed]).delete()
    for row in changes:
        row.version, row.updated_at = row.version + 1, now
    if changes:
        update_rows(list(changes), sorted(set().union(*changes.values())) + ["version", "updated_at"])
    if new:
        insert_rows(new)
    return bool(edit.removed or changes or new)


# --- Numbers that may exist once --------------------------------------------------------------


@contextmanager
def numbers_reported(actor, values, *, path=ROOT):
    """Turn a number that another contract has into a 409; whose it is, is told to those who see that customer."""
    try:
        yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if diagnosis is None or diagnosis.constraint_name not in _NUMBERS:
            raise
        related_name, column = _NUMBERS[diagnosis.constraint_name]
        told = _NUMBER_TOLD.search(diagnosis.message_detail or "")
        number = told[1] if told else ""
        places = [place for place, body in enumerate(values.get(related_name) or []) if body.get(column) == number]
        part = PARTS[related_name]
        details = {"field": (_path(part, places[-1] if places else 0) if path else "") + api_name(column)}
        owners = Customer.objects.visible_to(actor).filter(**{f"{related_name}__{column}": number})
        owner = owners.values_list("pk", flat=True).first()
        if owner:
            details["existingId"] = owner
        message = _("Another contract has the number %(number)s") % {"number": number}
        raise RuleViolation(message, code="duplicate", params=details) from None
