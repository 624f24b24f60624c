"""Every write about one customer that has a consequence. REST, the Admin, tasks and commands all come here.

`values` are columns of the model, already clean: see serializers.customer.CustomerInput for the
API's spelling of them. None clears; `preferences` and `source_details` merge. `ksa_compliance` is no
column: services.compliance writes it within the same change.
"""

import re
from contextlib import contextmanager
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from config.audit import recorded, scrub_entries
from config.db import held, lock, save_changes, touch
from config.signals import changed
from customers import gates
from customers.choices import STAGE_RANK, Stage
from customers.models import Assignment, Customer, StageChange
from customers.models.customer import empty_preferences
from customers.services import compliance
from customers.services.child import forget_children, hold, refuse_erased
from customers.services.columns import columns_of
from customers.services.forgetting import forget_copies, forget_unions
from customers.stages import entering
from employees.models import Employee, Organization
from employees.services import keep, not_of_yours

MAX_REASON = 500
SYSTEM_NAME, SYSTEM_ID = "System", "system"
# How PostgreSQL names the phone that it refuses, in whatever language.
_PHONE_TOLD = re.compile(r"\)=\(.*?, (.*?)\)")


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
    put(customer, entering(customer, customer.stage, now))
    with phone_reported(actor), compliance.numbers_reported(actor, ksa), recorded(actor):
        check_assignee(actor, assignee_id)
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
    with phone_reported(actor), compliance.numbers_reported(actor, ksa), recorded(actor):
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
        check_assignee(actor, employee_id, field="employeeId", needed=True)
        customer = hold(customer, actor)
        return _change(customer, actor, {"assigned_employee_id": employee_id}, "", notes, checked=True)


def claim_customer(pk, *, actor):
    """Take an unassigned customer of the organization. Of parallel claims one wins.

    Raises ValidationError (409, `conflict`) when somebody else has it, without saying who;
    DoesNotExist (404) when the organization has no such customer.
    """
    with recorded(actor):
        check_assignee(actor, actor.pk)
        living = Customer.objects.filter(organization_id=actor.organization_id, deleted_at=None)
        customer = held(living).get(pk=pk)
        refuse_erased(customer)
        if customer.assigned_employee_id not in (None, actor.pk):
            raise ValidationError(_("This customer has been taken already"), code="conflict")
        return _change(customer, actor, {"assigned_employee_id": actor.pk}, "", "", checked=True)


def delete_customer(customer, *, actor):
    """Hide a customer and, through it, all its children; the phone becomes free. See restore_customer."""
    with recorded(actor):
        customer = lock(customer, among=Customer.objects.visible_to(actor))
        save_changes(customer, deleted_at=timezone.now())
        changed.send(Customer, rows=[customer], kind="deleted", changes=[{}], actor=actor)
    return customer


def restore_customer(customer, *, actor):
    """Bring a deleted customer back. Raises ValidationError (409, `duplicate`) when its phone is taken meanwhile,
    DoesNotExist when the customer was merged into another meanwhile.
    """
    with phone_reported(actor), recorded(actor):
        customer = lock(customer, among=Customer.objects.filter(merged_into=None))
        if save_changes(customer, deleted_at=None):
            changed.send(Customer, rows=[customer], kind="restored", changes=[{}], actor=actor)
    return customer


def purge_customer(customer, *, actor):
    """Remove a customer and its children for good, with those who were merged into it: they are the same person.

    The audit keeps who and when, but no value. Raises DoesNotExist when the customer was merged into another meanwhile.
    """
    with recorded(actor, scrub=True):
        # Held first: nobody is merged into a held customer, or taken back out of it.
        customer = lock(customer, among=Customer.objects.filter(merged_into=None))
        keys = merged_into(customer)
        rows = {row.pk: row for row in held(Customer.objects.filter(pk__in=keys))}
        _purge_all([*(rows[key] for key in reversed(keys)), customer], actor)


def _purge_all(customers, actor):
    for customer in customers:
        scrub_entries("customers", [customer.pk])
        forget_children(customer)
        once = forget_unions(customer)
        changed.send(Customer, rows=[customer], kind="purged", changes=[{}], actor=actor, once=once)
        customer.delete()
        forget_copies(customer)


def out_of_keeping(days=None):
    """Deleted customers that have been kept for `days`, by default for as long as their organization keeps them."""
    # Who was merged into another leaves with that one.
    now, deleted = timezone.now(), Customer.objects.filter(deleted_at__isnull=False, merged_into=None)
    if days is not None:
        return deleted.filter(deleted_at__lt=now - timedelta(days=days))
    is_due = Q(pk__in=[])
    for key, its_days in Organization.objects.exclude(deleted_days=None).values_list("pk", "deleted_days"):
        is_due |= Q(organization_id=key, deleted_at__lt=now - timedelta(days=its_days))
    return deleted.filter(is_due)


def purge_deleted(days=None):
    """Remove these for good, each in a transaction of its own; yields how many went each time."""
    for key in list(out_of_keeping(days).values_list("pk", flat=True)):
        with recorded(None, scrub=True):
            # It may have been restored meanwhile.
            customer = held(out_of_keeping(days).filter(pk=key)).first()
            if customer:
                purge_customer(customer, actor=None)
        yield int(customer is not None)


def merged_into(customer):
    """The ids of those who were merged into a customer, then of those who had been merged into them, and so on."""
    keys, found = [], [customer.pk]
    while found:
        found = list(Customer.objects.filter(merged_into__in=found).values_list("pk", flat=True))
        keys += found
    return keys


def put(customer, values):
    for name, value in values.items():
        setattr(customer, name, value)


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
        check_assignee(actor, assignee_id, needed=True)
    if values.get("stage", customer.stage) != customer.stage:
        values = values | entering(customer, values["stage"], timezone.now())
    changes, related = save_changes(customer, **values), compliance.write(customer, edits, actor)
    if related and not changes:
        touch(customer)
    changes = related | changes
    if "stage" in changes:
        before = changes["stage"][0]
        overridden = {customer.pk: _pass_gates(customer, before, actor, override_reason)}
        reason = joined(reason, override_reason)
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


def check_assignee(actor, employee_id, *, field="assignedEmployeeId", needed=False):
    """Refuse an assignee that the actor may not choose, or who is being let go.

    Keeping a customer for oneself needs no permission, unless `needed`. Called before customers are held: see keep.
    """
    is_own = employee_id == actor.pk and not needed
    if (employee_id or needed) and not is_own and not actor.may("customers.assign"):
        raise PermissionDenied("customers.assign")
    keep(employee_id)
    if employee_id and not Employee.objects.visible_to(actor).active().filter(pk=employee_id).exists():
        raise ValidationError({field: not_of_yours(actor)})


def joined(*reasons):
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
def phone_reported(actor):
    """Turn a violation of the phone's uniqueness into a 409; the other customer is named only to those who see it."""
    try:
        yield
    except IntegrityError as error:
        if "customer_phone_unique" not in str(error):
            raise
        details = {"field": "phone"}
        taken = _PHONE_TOLD.search(error.__cause__.diag.message_detail or "")
        existing = (
            Customer.objects.visible_to(actor)
            .filter(phone=taken[1] if taken else "")
            .values_list("pk", flat=True)
            .first()
        )
        if existing:
            details["existingId"] = existing
        message = _("A customer with this phone number exists already")
        raise ValidationError(message, code="duplicate", params=details) from None
