"""What customers allow: recording it, and asking before their data is used."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from config.api.labels import notice
from config.audit import recorded
from config.clock import not_ahead
from customers.choices import ConsentPurpose
from customers.models import Consent, Customer
from customers.services.child import hold, tell
from employees.choices import GatePreset

DO_NOT_CONTACT = gettext_lazy("The customer asked not to be contacted")
NO_MARKETING_CONSENT = gettext_lazy("The customer has not agreed to marketing")


def add_consent(customer, *, actor, values):
    """Record what a customer agreed to or withdrew. Raises ValidationError (422) for a moment that lies ahead."""
    if "given_at" in values:
        not_ahead(values["given_at"], "at")
    with recorded(actor):
        customer = hold(customer, actor)
        consent = Consent.objects.create(
            organization_id=customer.organization_id,
            customer=customer,
            recorded_by=actor.name,
            recorded_by_id=actor.pk,
            **values,
        )
        tell(customer, actor, consents=(None, consent))
    return consent


def has_agreed(customer, purpose, channel=""):
    """Whether the last word of a customer on a purpose, through a channel or at all, is a yes."""
    return Customer.objects.filter(pk=customer.pk).having_agreed(purpose, channel).exists()


def approachable(organization):
    """The customers of an organization who may be approached with offers: of these, outreach_notices refuses none."""
    customers = Customer.objects.filter(organization=organization, do_not_contact=False)
    is_strict = organization.gate_preset == GatePreset.STRICT
    return customers.having_agreed(ConsentPurpose.MARKETING) if is_strict else customers


def outreach_notices(customer_ids, organization):
    """What speaks against approaching customers of an organization with offers: `{customer id: [notice]}`.

    Raises ValidationError (422) for those who must not be: who asked not to be contacted and,
    where the gates are strict, who has not agreed to marketing.
    """
    keys = set(customer_ids)
    if Customer.objects.filter(pk__in=keys, do_not_contact=True).exists():
        raise ValidationError({"customerId": DO_NOT_CONTACT})
    agreed = Customer.objects.filter(pk__in=keys).having_agreed(ConsentPurpose.MARKETING)
    silent = keys - set(agreed.values_list("pk", flat=True))
    if silent and organization.gate_preset == GatePreset.STRICT:
        raise ValidationError({"customerId": NO_MARKETING_CONSENT})
    return {key: [notice("MARKETING_CONSENT_MISSING", "consents", NO_MARKETING_CONSENT)] for key in silent}
