"""Telling brokers of a listing that is new, cheaper or to be had again: one open action for each customer it suits.

Later listings join the action that is open. The best customers by lead score are told of, and only those who may be
approached with offers and have not come too far to look at others.
"""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import override

from actions.choices import ActionStatus, ActionType
from actions.models import CustomerAction
from actions.services import change_all, holders_among, insert_all
from config.clock import zone_of
from config.counted import APARTMENT, LAND, PROPERTY, VILLA, counted
from config.db import held
from customers.choices import STAGE_RANK, ConsentPurpose, ListingStatus, Priority, Stage
from customers.matching import KEPT, reasons_of
from customers.models import Customer, Listing
from employees.choices import GatePreset
from employees.models import Organization
from employees.services import keep
from employees.workdays import add_workdays, opening

RULE = "matches_new"
MOST_TOLD = 25
# Silence after somebody has dealt with matches of a customer, and about a property that was not wanted.
AFTER_COMPLETION, AFTER_DISMISSAL = timedelta(days=3), timedelta(days=14)
TITLE = "%(listings)s %(match)s تفضيلات العميل"
_NOUNS = {"type:villa": VILLA, "type:apartment": APARTMENT, "type:land": LAND}
STILL_LOOK = [stage for stage in Stage.values if STAGE_RANK[stage] < STAGE_RANK[Stage.CONTRACT_PREP]]


def offer_listing(listing, matches):
    """Open an action for the best of the customers whom a listing suits, or add it to the one that is open.

    Again: nothing. Runs inside the transaction that has matched the listing.
    """
    organization = Organization.objects.get(pk=listing.organization_id)
    match_of = {match.customer_id: match for match in matches}
    customers = _hold_best(organization, match_of)
    offers = list(held(_offers().filter(customer_id__in=customers)))
    open_of = {action.customer_id: action for action in offers if action.completed_at is None}
    silent = {action.customer_id for action in offers if _silences(action, listing)}
    news = [
        customer for key, customer in customers.items()
        if key not in silent and listing.pk not in _listings_of(open_of.get(key))
    ]  # fmt: skip
    for customer in news:
        if action := open_of.get(customer.pk):
            _add(action, customer, listing, match_of[customer.pk])
    served = open_of.keys() | _served_by_people(customers)
    _open(organization, [customer for customer in news if customer.pk not in served], listing, match_of)


def _hold_best(organization, ids):
    """`{id: customer}` of the best by lead score who may be told of offers, held."""
    allowed = Customer.objects.filter(
        pk__in=ids, deleted_at=None, erased_at=None, do_not_contact=False, stage__in=STILL_LOOK
    )
    if organization.gate_preset == GatePreset.STRICT:
        allowed = allowed.having_agreed(ConsentPurpose.MARKETING)
    best = allowed.order_by("-lead_score", "pk").values_list("pk", "assigned_employee")[:MOST_TOLD]
    assignee_of = dict(best)
    keep(*assignee_of.values())
    customers = held(allowed.filter(pk__in=assignee_of))
    # Whoever was handed over meanwhile waits for the next listing: employees are held before customers.
    return {row.pk: row for row in customers if row.assigned_employee_id == assignee_of[row.pk]}


def _offers():
    """The actions of this rule that are open, or ended so lately that they still mean silence."""
    return CustomerAction.objects.filter(type=ActionType.PROPERTY_MATCH, rule=RULE).exclude(
        completed_at__lt=timezone.now() - max(AFTER_COMPLETION, AFTER_DISMISSAL)
    )


def _served_by_people(customer_ids):
    """Those for whom somebody has opened such an action, or taken one over, that is still open."""
    theirs = CustomerAction.objects.filter(type=ActionType.PROPERTY_MATCH, rule=None, completed_at=None)
    return set(theirs.filter(customer__in=customer_ids).values_list("customer", flat=True))


def _silences(action, listing):
    if action.status == ActionStatus.COMPLETED:
        return action.completed_at >= timezone.now() - AFTER_COMPLETION
    # What the system has taken back nobody has refused.
    is_refused = action.status == ActionStatus.DISMISSED and action.completed_by_id is not None
    return is_refused and listing.pk in _listings_of(action)


def _listings_of(action):
    """The ids that an action tells of; its metadata may be edited by people."""
    ids = action.metadata.get("propertyIds") if action else None
    return [key for key in ids if isinstance(key, str)] if isinstance(ids, list) else []


def _open(organization, customers, listing, match_of):
    today = timezone.now().astimezone(zone_of(organization)).date()
    due, able = opening(organization, add_workdays(organization, today, 1)), _able(customers)
    values = [
        {
            "type": ActionType.PROPERTY_MATCH,
            "rule": RULE,
            "title": _title([listing]),
            "priority": Priority.HIGH,
            "source": customer.source,
            "due_date": due,
            "assigned_to_id": able.get(customer.assigned_employee_id),
            "metadata": _metadata(customer, listing, match_of[customer.pk], [listing.pk]),
        }
        for customer in customers
    ]
    if values:
        insert_all(customers, values, None)


def _able(customers):
    return holders_among({customer.assigned_employee_id for customer in customers})


def _add(action, customer, listing, match):
    """Tell of one more, and no longer of what cannot be had or what the customer knows by now."""
    named = dict.fromkeys([*_listings_of(action), listing.pk])
    on_offer = Listing.objects.filter(organization=customer.organization_id, status=ListingStatus.AVAILABLE)
    told = on_offer.exclude(pk__in=customer.properties.values("property_id")).in_bulk(list(named))
    if listing.pk in told:
        ids = [key for key in named if key in told][-KEPT:]
        metadata = {**action.metadata, **_metadata(customer, listing, match, ids)}
        change_all([action], {"title": _title([told[key] for key in ids]), "metadata": metadata}, None, "")


def _metadata(customer, listing, match, ids):
    """What the action tells of, and why: reasons of the listing that came last, in both languages."""
    reasons = {}
    for language in ("ar", "en"):
        with override(language):
            reasons[language] = reasons_of(customer, listing, match.parts)
    return {
        "rule": RULE,
        "propertyIds": ids,
        "score": match.score,
        "reasons": reasons["ar"],
        "reasonsEn": reasons["en"],
    }


def _title(listings):
    kinds = {listing.type_key for listing in listings}
    noun = _NOUNS.get(kinds.pop(), PROPERTY) if len(kinds) == 1 else PROPERTY
    one, two = ("يطابق", "يطابقان") if noun is PROPERTY else ("تطابق", "تطابقان")
    match = {1: one, 2: two}.get(len(listings), "تطابق")
    return TITLE % {"listings": counted(len(listings), noun), "match": match}
