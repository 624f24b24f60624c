"""Every write about what goes on with a customer: property interests, interactions, appointments, reminders.

Each is one change of its customer, which is held meanwhile: totals, the last contact and response times follow
from it in the same transaction and are told of with it. `values` are columns of the model, already clean; None clears.
"""

from copy import copy

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from config.audit import recorded
from config.clock import is_ahead, not_ahead
from config.db import held, lock, save_changes
from config.signals import changed
from customers.choices import APPOINTMENT_TITLES, COMING, OVER, SEEN, ReminderStatus
from customers.contacts import Contacts, contacts_of, news_of
from customers.models import Appointment, Customer, Interaction, Listing, PropertyInterest, Reminder, StatusChange
from customers.services.child import hold, hold_child, put_computed, tell
from customers.services.customer import SYSTEM_ID, SYSTEM_NAME
from employees.models import Employee
from employees.services import keep, not_of_yours

_TRACKED = (PropertyInterest, Appointment)


# --- Property interests ---------------------------------------------------------------------


# What an interest says of its property, and where the catalogue says it.
_OF_LISTING = {
    "property_title": "title",
    "property_title_en": "title_en",
    "property_image": "image_url",
    "property_price": "price",
    "property_type": "type",
    "property_location": "location",
}


def filled_from_catalogue(values, organization_id):
    """Values of a new interest with what the organization's catalogue says of the property, where they say nothing.

    They are copied: an interest tells how a property was called and priced then.
    """
    listing = Listing.objects.filter(organization=organization_id, pk=values["property_id"]).first()
    if listing is None:
        return values
    known = {name: getattr(listing, column) for name, column in _OF_LISTING.items() if not values.get(name)}
    return values | {name: value for name, value in known.items() if value}


def add_interest(customer, *, actor, values):
    """A property that a customer is interested in.

    Raises ValidationError: 409 (`duplicate`) when it is one already, 422 when it was seen in the future.
    """
    values = _seen(None, _columns(PropertyInterest, values))
    with recorded(actor):
        customer = hold(customer, actor)
        _refuse_repeated(customer, values["property_id"])
        born = _born(customer)
        return _insert(customer, actor, PropertyInterest(**born, added_at=born["created_at"], **values))


def change_interest(interest, *, actor, values):
    """Change an interest. Raises what add_interest raises, PreconditionFailed (412) for a stale `If-Match`."""
    with recorded(actor):
        customer, interest = hold_child(interest, actor)
        values = _seen(interest, _columns(PropertyInterest, values))
        if values.get("property_id", interest.property_id) != interest.property_id:
            _refuse_repeated(customer, values["property_id"])
        return _update(customer, actor, interest, values)


def _seen(interest, values):
    """The values, with when the property was seen for the first time unless that is said."""
    seen_before = getattr(interest, "viewed_at", None)
    if values.get("viewed_at") and values["viewed_at"] != seen_before:
        not_ahead(values["viewed_at"], "viewedAt")
    if values.get("status") in SEEN and not values.get("viewed_at", seen_before):
        values["viewed_at"] = timezone.now()
    return values


def _refuse_repeated(customer, property_id):
    # The customer is held: nobody adds the same one meanwhile.
    existing = PropertyInterest.objects.filter(customer=customer, property_id=property_id).values_list("pk", flat=True)
    if existing:
        message = _("The customer has this property among its interests already")
        details = {"field": "propertyId", "existingId": existing[0]}
        raise ValidationError(message, code="duplicate", params=details)


# --- Interactions -----------------------------------------------------------------------------


def add_interaction(customer, *, actor, values):
    """One contact with a customer, by the actor or the agent who is named; by default now.

    Raises ValidationError (422) when it lies in the future, or for an agent out of the actor's scope.
    """
    values = _columns(Interaction, values)
    with recorded(actor):
        agent = _agent(actor, values.pop("agent_id", None)) or actor
        customer = hold(customer, actor)
        born = _born(customer)
        values["date"] = values.get("date") or born["created_at"]
        not_ahead(values["date"], "date")
        interaction = Interaction(**born, agent_id=agent.pk, agent_name=agent.name, **values)
        return _insert(customer, actor, interaction)


def change_interaction(interaction, *, actor, values):
    """Change an interaction. Raises what add_interaction raises, PreconditionFailed (412) for a stale `If-Match`."""
    values = _columns(Interaction, values)
    with recorded(actor):
        agent = _agent(actor, values.pop("agent_id", None), now=interaction.agent_id)
        customer, interaction = hold_child(interaction, actor)
        if "date" in values and values["date"] != interaction.date:
            not_ahead(values["date"], "date")
        if agent:
            values |= {"agent_id": agent.pk, "agent_name": agent.name}
        return _update(customer, actor, interaction, values)


# --- Appointments ------------------------------------------------------------------------------


def add_appointment(customer, *, actor, values):
    """An appointment with a customer, of the actor or the agent who is named.

    Raises ValidationError (422) when it has passed and is said to be still to come, when it lies ahead and is said to
    be over, or for an agent out of scope.
    """
    values = _columns(Appointment, values)
    with recorded(actor):
        agent = _agent(actor, values.pop("agent_id", None)) or actor
        customer = hold(customer, actor)
        appointment = Appointment(**_born(customer), agent=agent, agent_name=agent.name, **_titled(values, values))
        _check_status(appointment.status, appointment.datetime)
        return _insert(customer, actor, appointment)


def change_appointment(appointment, *, actor, values):
    """Change an appointment. One that has passed may stay to come, but is not moved into the past; nor is one that
    is over moved ahead.

    Raises what add_appointment raises, PreconditionFailed (412) for a stale `If-Match`.
    """
    unassigns = "agent_id" in values and values["agent_id"] is None and actor.may("customers.assign")
    values = _columns(Appointment, values)
    with recorded(actor):
        agent = _agent(actor, values.pop("agent_id", None), now=appointment.agent_id)
        customer, appointment = hold_child(appointment, actor)
        if agent or unassigns:
            values |= {"agent_id": agent and agent.pk, "agent_name": agent.name if agent else ""}
        values = _titled(values, {"title": appointment.title, "type": appointment.type} | values)
        moment, status = (values.get(name, getattr(appointment, name)) for name in ("datetime", "status"))
        stays = status == appointment.status or status in COMING and appointment.is_coming
        if moment != appointment.datetime or not stays:
            _check_status(status, moment)
        return _update(customer, actor, appointment, values)


def hand_over_appointments(employee, *, successor, actor):
    """Give the coming appointments of an employee who leaves to a successor, or to nobody; past ones stay theirs."""
    coming = Appointment.objects.filter(agent=employee, status__in=COMING, datetime__gte=timezone.now())
    with recorded(actor):
        customers = {row.pk: row for row in held(Customer.objects.filter(pk__in=coming.values("customer")))}
        appointments = list(held(coming.filter(customer__in=customers)))
        columns = {"agent_id": successor and successor.pk, "agent_name": successor.name if successor else ""}
        now, changes = timezone.now(), {}
        coming.filter(pk__in=[row.pk for row in appointments]).update(
            **columns, version=F("version") + 1, updated_at=now
        )
        for row in appointments:
            before, row.agent, row.agent_name = copy(row), successor, columns["agent_name"]
            changes[row.customer_id] = {"appointments": (before, row)}
        if changes:
            rows = [customers[key] for key in changes]
            changed.send(Customer, rows=rows, kind="updated", changes=list(changes.values()), actor=actor)


def _titled(values, whole):
    """The values, with the usual titles of its type where an appointment would have none."""
    if whole.get("title"):
        return values
    title, title_en = APPOINTMENT_TITLES[whole["type"]]
    return values | {"title": title, "title_en": values.get("title_en") or title_en}


def _check_status(status, moment):
    if status in OVER and is_ahead(moment):
        raise ValidationError({"status": _("The appointment still lies ahead")})
    if status in COMING and moment < timezone.now():
        raise ValidationError({"datetime": _("Has passed; say how it ended: completed, cancelled or no_show")})


# --- Reminders ----------------------------------------------------------------------------------


def add_reminder(customer, *, actor, values):
    """Something to be reminded of about a customer."""
    values = _completed(_columns(Reminder, values), ReminderStatus.PENDING)
    with recorded(actor):
        customer = hold(customer, actor)
        made = {"created_by": actor.name, "created_by_id": actor.pk}
        return _insert(customer, actor, Reminder(**_born(customer), **made, **values))


def change_reminder(reminder, *, actor, values):
    """Change a reminder. Raises PreconditionFailed (412) for a stale `If-Match`."""
    with recorded(actor):
        customer, reminder = hold_child(reminder, actor)
        return _update(customer, actor, reminder, _completed(_columns(Reminder, values), reminder.status))


def settle_reminder(reminder, *, status, actor):
    """Give a reminder the status that follows from what became of its action: who may do that may do this."""
    with recorded(actor):
        customer, reminder = lock(Customer(pk=reminder.customer_id)), lock(reminder)
        return _update(customer, actor, reminder, _completed({"status": status}, reminder.status))


def _completed(values, before):
    """The values, with when a reminder was completed."""
    status = values.get("status", before)
    if status == before:
        return values
    return values | {"completed_at": timezone.now() if status == ReminderStatus.COMPLETED else None}


# --- The parts of a change ------------------------------------------------------------------------


def remove(row, *, actor):
    """Remove any of them. Its statuses remain, and so does what the audit has of it."""
    with recorded(actor):
        customer, row = hold_child(row, actor)
        before, measured = copy(row), _measured(customer, row)
        row.delete()
        _follow(customer, actor, before, None, measured)


def _born(customer):
    now = timezone.now()
    return {"customer": customer, "organization_id": customer.organization_id, "created_at": now, "updated_at": now}


def _columns(model, values):
    """Values as columns: null empties what may be empty, and says nothing of the others."""
    columns = {}
    for name, value in values.items():
        field = model._meta.get_field(name)
        if value is not None or field.null:
            columns[name] = value
        elif field.blank:
            columns[name] = ""
    return columns


def _agent(actor, agent_id, now=None):
    """The employee whom somebody who assigns has named anew; nobody where others name one. Called before rows are held.

    Raises ValidationError (422) for one who is not active or not in the actor's scope.
    """
    if not agent_id or agent_id == now or not actor.may("customers.assign"):
        return None
    keep(agent_id)
    agent = Employee.objects.visible_to(actor).active().filter(pk=agent_id).first()
    if agent is None:
        raise ValidationError({"agentId": not_of_yours(actor)})
    return agent


def _insert(customer, actor, row):
    row.save(force_insert=True)
    _follow(customer, actor, None, row, Contacts())
    return row


def _update(customer, actor, row, values):
    before, measured = copy(row), _measured(customer, row)
    if save_changes(row, **values):
        _follow(customer, actor, before, row, measured)
    return row


def _measured(customer, row):
    return contacts_of(customer) if isinstance(row, Interaction) else Contacts()


def _follow(customer, actor, before, after, measured):
    """Bring a held customer up to a row that came, changed or went, and tell of both; `measured` is of before."""
    row = after or before
    if isinstance(after, _TRACKED) and (before is None or before.status != after.status):
        _write_status(before, after, actor)
    news = _totals(customer, before, after)
    if isinstance(row, Interaction):
        news |= news_of(customer, measured, contacts_of(customer))
    tell(customer, actor, **{row.collection(): (before, after)}, **put_computed(customer, **news))


def _totals(customer, before, after):
    """The totals by what differs: those of an import may count more than our rows."""
    less, more = before.counts() if before else {}, after.counts() if after else {}
    return {
        name: max(0, getattr(customer, name) + more.get(name, 0) - less.get(name, 0)) for name in less.keys() | more
    }


def _write_status(before, after, actor):
    StatusChange.objects.create(
        customer_id=after.customer_id,
        collection=after.collection(),
        item_id=after.pk,
        from_status=before.status if before else None,
        to_status=after.status,
        changed_by=actor.name if actor else SYSTEM_NAME,
        changed_by_id=actor.pk if actor else SYSTEM_ID,
        recorded_at=timezone.now(),
    )
