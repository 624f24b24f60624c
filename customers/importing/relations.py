"""What hangs on the customers of a JSON file: read with the customer, written beside it, ids kept where they are free.

It is loaded as it was: nobody is asked who they are, nothing follows from it. What is here already stays as it is.
"""

from collections import defaultdict
from types import SimpleNamespace
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from config.api.serializers import TextField
from config.db import new_id
from customers.compliance.parts import PARTS
from customers.importing.objects import is_usable, listed, mapping
from customers.models import Appointment, Customer, Interaction, PropertyInterest, Reminder, StatusChange
from customers.serializers.activity import AppointmentInput, InteractionInput, InterestInput, ReminderInput
from customers.serializers.compliance import ComplianceSerializer
from customers.services.compliance import new_rows
from customers.services.customer import SYSTEM_ID, SYSTEM_NAME
from employees.models import Employee

_BATCH = 500
_TRACKED = (PropertyInterest, Appointment)


def kept_text(source, max_length=255):
    """A text that the hub writes otherwise, and an import keeps."""
    return TextField(source=source, max_length=max_length, required=False)


def kept_moment(source):
    return serializers.DateTimeField(source=source, required=False)


class Kept(serializers.Serializer):
    """What every row of a relation may bring beside what people write."""

    id = serializers.CharField(max_length=50, required=False)


class _Interest(Kept, InterestInput):
    addedAt = kept_moment("added_at")


class _Interaction(Kept, InteractionInput):
    agentName = kept_text("agent_name")


class _Appointment(Kept, AppointmentInput):
    agentName = kept_text("agent_name")
    createdAt = kept_moment("created_at")
    updatedAt = kept_moment("updated_at")


class _Reminder(Kept, ReminderInput):
    createdBy = kept_text("created_by")
    createdById = kept_text("created_by_id", 50)
    completedAt = serializers.DateTimeField(source="completed_at", required=False, allow_null=True)


class Relation(NamedTuple):
    """How one collection is read: its rows, the shape of its objects, and the column that names an employee, if any."""

    model: type
    serializer: type
    employee: str = ""


# By the name of the collection. Apps that stand on this one add their own.
RELATIONS = {
    "properties": Relation(PropertyInterest, _Interest),
    "interactions": Relation(Interaction, _Interaction, "agent_id"),
    "appointments": Relation(Appointment, _Appointment, "agent_id"),
    "reminders": Relation(Reminder, _Reminder, "created_by_id"),
}


class Reader:
    """Reads the relations of the customers of one file; `employee_id_of` says who its employees are here."""

    def __init__(self, organization, employee_id_of, now):
        self.organization, self.employee_id_of, self.now = organization, employee_id_of, now
        self.employees = set(Employee.objects.filter(organization=organization).values_list("pk", flat=True))
        # What the shapes of bodies ask of a caller: whose calendar it is.
        caller = SimpleNamespace(organization=organization, organization_id=organization.pk)
        self.context = {"request": SimpleNamespace(user=caller)}

    def read(self, customer):
        """`([unsaved rows], {relation: errors})` of a full object."""
        rows, errors = [], {}
        for name, relation in RELATIONS.items():
            body = relation.serializer(data=listed(customer.get(name)), many=True, context=self.context)
            if body.is_valid():
                rows += [self._row(relation, values) for values in body.validated_data]
            else:
                errors[name] = body.errors
        parts = mapping(customer.get("ksaCompliance"))
        body = ComplianceSerializer(data=parts, context=self.context)
        if not body.is_valid():
            return rows, errors | {"ksaCompliance": body.errors}
        try:
            rows += self._compliance(parts, body.validated_data, [row.pk for row in rows])
        except ValidationError as error:
            errors |= error.detail  # by whole paths
        return rows, errors

    def _row(self, relation, values):
        # null and "" are no value, or what stands for none.
        values = {name: value for name, value in values.items() if value not in (None, "")}
        key, column = values.pop("id", ""), relation.employee
        if column and column in values:
            values[column] = self.employee_id_of.get(values[column], values[column])
        if relation.model is Appointment and values.get("agent_id") not in self.employees:
            values["agent_id"] = None  # the name remains
        if relation.model is Reminder and values["datetime"] < self.now:
            values["surfaced_at"] = self.now  # what was due long ago is no news
        row = relation.model(organization=self.organization, **values)
        row.has_name = is_usable(key)
        if row.has_name:
            row.pk = key
        return row

    def _compliance(self, parts, values, known_documents):
        customer = Customer(organization=self.organization)
        rows = new_rows(customer, values, documents=known_documents)
        told = {part.model: part.name for part in PARTS.values()}
        for row in rows:
            of_part = parts[told[type(row)]]
            place = of_part[row.position] if isinstance(of_part, list) else of_part
            row.has_name = place is of_part or bool(place.get("id"))
            for name, column in (("createdAt", "created_at"), ("updatedAt", "updated_at")):
                if place.get(name):
                    setattr(row, column, serializers.DateTimeField().to_internal_value(place[name]))
        return rows


def write(rows_of, known, organization, report):
    """Insert what is not here yet of `{customer id: rows}`; returns `{customer id: {collection: (None, None)}}`.

    Of `known` customers, rows without an id of their own cannot be told from those that are here: they stay out.
    """
    by_model, news = defaultdict(list), defaultdict(dict)
    for customer_id, rows in rows_of.items():
        for row in rows:
            if row.has_name or customer_id not in known:
                row.customer_id = customer_id
                by_model[type(row)].append(row)
    for model, rows in by_model.items():
        fresh = _settled(model, rows, organization, report)
        model.objects.bulk_create(fresh, batch_size=_BATCH)
        if model in _TRACKED:
            StatusChange.objects.bulk_create(map(_first_status, fresh), batch_size=_BATCH)
        for row in fresh:
            news[row.customer_id][model.collection()] = (None, None)
        report.relations[model._meta.verbose_name_plural] += len(fresh)
    return news


def _first_status(row):
    return StatusChange(
        customer_id=row.customer_id,
        collection=row.collection(),
        item_id=row.pk,
        to_status=row.status,
        changed_by=SYSTEM_NAME,
        changed_by_id=SYSTEM_ID,
    )


def _settled(model, rows, organization, report):
    """Those of the rows that are not here yet, each with an id that is free."""
    owners = dict(model.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "customer_id"))
    taken = [_Taken(model, columns, rows, organization) for columns in _uniques(model)]
    fresh, renamed = [], 0
    for row in rows:
        if owners.get(row.pk) == row.customer_id or any([unique.has(row) for unique in taken]):
            continue
        if row.pk in owners:
            row.pk, renamed = new_id(model._meta.pk.prefix), renamed + 1
        owners[row.pk] = row.customer_id
        fresh.append(row)
    if renamed:
        message = _("%(count)d ids were taken; these have new ones") % {"count": renamed}
        report.notice(None, model.collection(), "", message)
    return fresh


def _uniques(model):
    """The columns that no two rows share, constraint by constraint."""
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key:
            yield (field.attname,)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None:
            yield tuple(model._meta.get_field(name).attname for name in constraint.fields)


class _Taken:
    """What rows hold in columns that no two may share: here already, or of an earlier row."""

    def __init__(self, model, columns, rows, organization):
        self.columns = columns
        narrowest = columns[-1]
        values = {getattr(row, narrowest) for row in rows}
        here = model.objects.filter(organization=organization, **{f"{narrowest}__in": values})
        self.seen = set(here.values_list(*columns))

    def has(self, row):
        """Whether an earlier one has the same; a row without a value shares none."""
        values = tuple(getattr(row, column) for column in self.columns)
        if None in values:
            return False
        is_taken = values in self.seen
        self.seen.add(values)
        return is_taken
