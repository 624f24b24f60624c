"""Erasing a person: a pseudonym stands for the customer, and what was theirs is gone from every place that had a copy.

Rows, ids, stages, amounts of deals and the counts made of them stay, and who of the organization did what and when.
"""

import copy
import hashlib

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from config.audit import recorded, scrub_entries
from config.db import held, lock
from config.signals import changed
from customers.choices import COMING, AppointmentStatus, ReminderStatus, RequestKind, RequestStatus
from customers.models import (
    Appointment,
    Assignment,
    Customer,
    MortgageInfo,
    PrivacyRequest,
    PropertyInterest,
    Reminder,
    SakaniEligibility,
    StageChange,
)
from customers.models.child import CustomerChild
from customers.models.customer import empty_preferences
from customers.services.child import forget_children
from customers.services.columns import derived
from customers.services.customer import merged_into
from customers.services.forgetting import forget_copies, forget_unions
from customers.services.privacy import close_as_done

PSEUDONYM, PSEUDONYM_EN = "عميل محذوف", "Erased customer"
# Texts that tell of the organization and its people, not of the customer.
_STAYS = {
    "agent_id", "agent_name", "created_by", "created_by_id", "recorded_by", "recorded_by_id", "identity_verified_by",
    "identity_verified_by_id", "last_contact_type",
}  # fmt: skip
# Of these no amount or answer stays either: they tell how a person lives.
_WHOLLY_PERSONAL = (SakaniEligibility, MortgageInfo)
_PERSONAL = ("date_of_birth", "family_size", "latitude", "longitude", "next_follow_up_date")


def erase_customer(customer, *, actor, request_id=None):
    """Take everything personal out of a customer and of all that hangs on it, for good. Again: unchanged.

    Those who were merged into it are the same person.
    `request_id` names the person's request that is carried out by it. Raises ValidationError (422) when that is not
    an open request of theirs to destroy what is kept, from somebody whose identity was verified.
    """
    with recorded(actor, scrub=True):
        customer = lock(customer, among=Customer.objects.visible_to(actor, deleted=None))
        if request_id:
            _close_request(customer, request_id, actor)
        if not customer.erased_at:
            for row in [*held(Customer.objects.filter(pk__in=merged_into(customer))), customer]:
                _erase(row, actor)
    return customer


def _erase(customer, actor):
    before = copy.copy(customer)
    scrub_entries("customers", [customer.pk])
    forget_children(customer)
    once = forget_unions(customer)
    _empty_children(customer)
    _put_pseudonym(customer)
    changed.send(Customer, rows=[customer], kind="erased", changes=[{}], actor=actor, once=once)
    forget_copies(before)


def pseudonymous_phone(pk):
    """What stands in the place of a phone: no number, and no other customer's."""
    return f"erased:{hashlib.blake2b(pk.encode(), digest_size=6).hexdigest()}"


def _close_request(customer, key, actor):
    asked = {"customer": customer, "kind": RequestKind.DESTROY, "status": RequestStatus.OPEN}
    request = held(PrivacyRequest.objects.filter(pk=key, **asked)).first()
    if request is None:
        raise ValidationError({"requestId": _("Must be an open request of this customer to destroy what is kept")})
    close_as_done(request, actor)


def _put_pseudonym(customer):
    # A city that is in the table of cities is shared by thousands; what else somebody typed may be an address.
    city = {"city": customer.city} if customer.region else {}
    values = _emptied(Customer) | dict.fromkeys(_PERSONAL) | city
    values |= {
        "name": PSEUDONYM,
        "name_en": PSEUDONYM_EN,
        "phone": pseudonymous_phone(customer.pk),
        "preferences": empty_preferences(),
        "do_not_contact": True,
        "erased_at": timezone.now(),
    }
    values |= derived(customer, values) | {"version": customer.version + 1, "updated_at": values["erased_at"]}
    for name, value in values.items():
        setattr(customer, name, value)
    customer.save(update_fields=list(values))


def _empty_children(customer):
    """Empty what hangs on the customer in this app; others hear of it."""
    edited = {"version": F("version") + 1, "updated_at": timezone.now()}
    for relation in Customer._meta.related_objects:
        model = relation.related_model
        if issubclass(model, CustomerChild) and model._meta.app_label == Customer._meta.app_label:
            model.objects.filter(customer=customer).update(**_emptied(model), **edited)
    StageChange.objects.filter(customer=customer).update(reason="", notes="")
    Assignment.objects.filter(customer=customer).update(notes="")
    Appointment.objects.filter(customer=customer, status__in=COMING).update(status=AppointmentStatus.CANCELLED)
    Reminder.objects.filter(customer=customer, status=ReminderStatus.PENDING).update(status=ReminderStatus.CANCELLED)


def _emptied(model):
    """`{column: no value}` of what people have typed into rows of a model; words of enums are no texts."""
    values = {}
    for field in model._meta.concrete_fields:
        if field.primary_key or field.is_relation or field.generated or field.choices or field.name in _STAYS:
            continue
        if isinstance(field, ArrayField):
            values[field.name] = []
        elif isinstance(field, models.JSONField):
            values[field.name] = {}
        elif field.null and (model in _WHOLLY_PERSONAL or isinstance(field, models.CharField | models.TextField)):
            values[field.name] = None
        elif isinstance(field, models.CharField | models.TextField):
            values[field.name] = ""
    if model is PropertyInterest:  # unique for a customer
        values["property_id"] = F("id")
    return values
