"""What people ask of whoever keeps their data: recording it, and what the law says of the answer."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from config.audit import recorded
from config.clock import not_ahead
from config.db import lock, save_changes
from customers.choices import RequestKind, RequestStatus
from customers.models import Customer, PrivacyRequest
from customers.services.child import ERASED, hold, tell

# Article 3 of the implementing regulation: thirty days, and thirty more where the person is told why.
ANSWERED_WITHIN = EXTENDED_BY = timedelta(days=30)
# A consent is withdrawn, and an objection raised, by whoever can be reached under the customer's number.
_NEEDS_NO_IDENTITY = (RequestKind.WITHDRAW, RequestKind.OBJECT)


def add_request(customer, *, actor, values):
    """Record what a person has asked for.

    Raises ValidationError (422) for what the law or the calendar forbids, and for texts of somebody who was erased.
    """
    with recorded(actor):
        customer = hold(customer, actor, even_gone=True)
        request = PrivacyRequest(
            organization_id=customer.organization_id,
            customer=customer,
            recorded_by=actor.name,
            recorded_by_id=actor.pk,
        )
        _refuse_texts(customer, values)
        for name, value in _columns(request, {"received_at": timezone.now(), **values}, actor).items():
            setattr(request, name, value)
        request.save(force_insert=True)
        tell(customer, actor, privacy_requests=(None, request))
    return request


def change_request(request, *, actor, values):
    """Change what is said of a request, close it or reopen it. Raises what add_request raises, 412 when stale.

    Once somebody was verified for it, or it was closed, it is no request of another kind (422).
    """
    with recorded(actor):
        customer = hold(Customer(pk=request.customer_id), actor, even_gone=True)
        request = lock(request, among=PrivacyRequest.objects.filter(customer=customer))
        _refuse_texts(customer, values)
        _refuse_another_kind(request, values)
        if save_changes(request, **_columns(request, values, actor)):
            tell(customer, actor, privacy_requests=(request, request))
    return request


def close_as_done(request, actor, **values):
    """Close a held request that has just been carried out. Raises ValidationError (422) like change_request."""
    return save_changes(request, **_columns(request, {"status": RequestStatus.DONE.value, **values}, actor))


def _refuse_texts(customer, values):
    """Of somebody who was erased only what the proof needs is written down, and no text, which may tell of them."""
    if customer.erased_at:
        names = {"outcome": "outcome", "extension_reason": "extensionReason"}
        if wrong := {shown: ERASED for name, shown in names.items() if values.get(name)}:
            raise ValidationError(wrong)


def _refuse_another_kind(request, values):
    """What was asked for is what the identity was verified for, and what the answer is proof of."""
    is_settled = request.identity_verified_at or request.closed_at
    if is_settled and values.get("kind", request.kind) != request.kind:
        message = _("A request that was verified or closed remains what it is; record another one")
        raise ValidationError({"kind": message})


def _columns(request, values, actor):
    """Columns of a request that become others by these values, with those that follow from them."""
    values, now = dict(values), timezone.now()
    if "identity_verified" in values:
        is_verified, was = values.pop("identity_verified"), request.identity_verified_at
        if bool(is_verified) != bool(was):
            values["identity_verified_by"] = actor.name if is_verified else ""
            values["identity_verified_by_id"] = actor.pk if is_verified else ""
            values["identity_verified_at"] = now if is_verified else None
    received = values.get("received_at", request.received_at)
    values["due_at"] = received + ANSWERED_WITHIN
    status = values.get("status", request.status)
    if status == RequestStatus.OPEN:
        values["closed_at"] = None
    elif request.closed_at is None:
        values["closed_at"] = now
    _check(request, values)
    return values


def _check(request, values):
    after = {name: values.get(name, getattr(request, name)) for name in _CHECKED}
    not_ahead(after["received_at"], "receivedAt")
    extended, due = after["extended_to"], after["due_at"]
    takes_texts = not request.customer.erased_at
    if extended and not due < extended <= due + EXTENDED_BY:
        raise ValidationError({"extendedTo": _("May lie at most thirty days after the day it was due")})
    if extended and takes_texts and not after["extension_reason"]:
        raise ValidationError({"extensionReason": _("An extension needs the reason that the person is told")})
    needs_identity = after["kind"] not in _NEEDS_NO_IDENTITY
    if after["status"] == RequestStatus.DONE and needs_identity and not after["identity_verified_at"]:
        raise ValidationError({"identityVerified": _("Make sure who is asking before the request is answered")})
    if after["status"] == RequestStatus.REFUSED and takes_texts and not after["outcome"]:
        raise ValidationError({"outcome": _("A refusal needs the reason that the person is told")})


_CHECKED = (
    "kind", "received_at", "due_at", "extended_to", "extension_reason", "identity_verified_at", "status", "outcome",
)  # fmt: skip
