"""What matching has to show on the invented market: it finds what is theirs, refuses what must be, and tells once.

Everything happens in an organization that is made for it, inside a transaction that is taken back.
"""

from contextlib import contextmanager

from django.db import transaction
from django.db.models import Count

from customers.choices import Source
from customers.matching import listings_for
from customers.models import Customer, Listing, MatchRequest, PropertyMatch
from customers.scoring.verification import Row
from customers.scoring.verification.market import filtered, found, make_listings, make_trials, newest
from customers.search import derived_columns
from customers.services.matching import map_districts, match_customers, match_listing
from employees.models import Organization

TRIALS, SEEKERS, NEWS = 1_200, 400, 60
LEAST_RECALL, LEAST_LEAD = 0.65, 0.25


def rows(say):
    """The Rows of matching."""
    with _market() as (organization, offers):
        yield from _found(organization, offers, say)
        yield from _told(organization, offers, say)


@contextmanager
def _market():
    """The organization whose listings the market's are, and these as columns."""
    with transaction.atomic():
        organization = Organization.objects.create(name="سوق للتحقق")
        offers = [{**columns, "id": f"{organization.pk}-{columns['id']}"} for columns in make_listings()]
        Listing.objects.bulk_create(Listing(organization=organization, **columns) for columns in offers)
        map_districts([organization.pk])
        yield organization, offers
        transaction.set_rollback(True)


def _found(organization, offers, say):
    trials = make_trials(offers, TRIALS)
    say(f"{TRIALS} customers look among {len(offers)} listings for the one that is theirs")
    of_id = {offer["id"]: offer for offer in offers}
    total = wrong = 0

    def matched(trial):
        nonlocal total, wrong
        customer = Customer(organization=organization, preferences=trial.preferences)
        _total, matches = listings_for(customer, least=0, size=len(offers))
        total += len(matches)
        wrong += sum(not _may_have(trial.preferences, of_id[match.listing_id]) for match in matches)
        return [match.listing_id for match in matches]

    ours = found(trials, matched)
    strict = found(trials, lambda trial: [offer["id"] for offer in filtered(trial.preferences, offers)])
    latest = found(trials, lambda trial: [offer["id"] for offer in newest(trial.preferences, offers)])
    beside = f"a filter of all wishes {strict.at_10:.2f}, newest first {latest.at_10:.2f}"
    yield Row(
        "matching: recall@10",
        f"{ours.at_10:.3f} among {total // TRIALS} (@3 {ours.at_3:.2f}, MRR {ours.reciprocal:.2f}; {beside})",
        f">= {LEAST_RECALL}",
        ours.at_10 >= LEAST_RECALL,
    )
    lead = ours.at_10 - strict.at_10
    yield Row(
        "matching: recall@10 beyond a filter of all wishes", f"{lead:+.3f}", f">= {LEAST_LEAD}", lead >= LEAST_LEAD
    )
    yield Row("matching: listings that must not be offered", f"{wrong} of {total}", "0", wrong == 0)


def _may_have(wishes, offer):
    """Whether a listing is none that the customer must not be offered, said once more and differently."""
    purpose = {"buy": "sale", "rent": "rent"}[wishes["purpose"]]
    return (
        (offer["purpose"], offer["status"]) == (purpose, "available")
        and offer["type"] in wishes["propertyType"]
        and offer["city"] in wishes["preferredCities"]
        and 60 * wishes.get("budgetMin", 0) <= 100 * offer["price"] <= 115 * wishes["budgetMax"]
    )


def _told(organization, offers, say):
    say(f"{NEWS} listings are news to {SEEKERS} customers, twice")
    customers = [_customer(organization, number, trial) for number, trial in enumerate(make_trials(offers, SEEKERS, 7))]
    Customer.objects.bulk_create(customers)
    match_customers([customer.pk for customer in customers])
    news = [offer["id"] for offer in offers[::-1][:NEWS]]
    _tell(news)
    once, kept = _actions(organization), _matches(organization)
    _tell(news)
    twice = _actions(organization)
    new = sum(twice.values()) - sum(once.values())
    figure = f"{new} beside {sum(once.values())}"
    yield Row("matching: actions that a replay opens", figure, "0", bool(once) and new == 0 and once == twice)
    most = max(once.values(), default=0)
    yield Row("matching: open property_match actions of a customer", f"at most {most}", "1", most == 1)
    changed = len(kept ^ _matches(organization))
    yield Row("matching: matches that a replay changes", f"{changed} of {len(kept)}", "0", bool(kept) and not changed)


def _tell(listing_ids):
    for key in listing_ids:
        MatchRequest.objects.create(listing_id=key, is_news=True)
        match_listing(key)


def _customer(organization, number, trial):
    values = {"name": f"عميل {number}", "city": "", "tags": [], "preferences": trial.preferences}
    return Customer(
        organization=organization,
        phone=f"+9665{number:08d}",
        source=Source.INQUIRY,
        **values,
        **derived_columns(name_en="", district="", **values),
    )


def _actions(organization):
    """How many property_match actions each customer has open, as the app above has written them."""
    of_type = Customer.objects.filter(organization=organization, actions__type="property_match")
    live = of_type.filter(actions__completed_at=None).annotate(number=Count("actions"))
    return dict(live.values_list("pk", "number"))


def _matches(organization):
    theirs = Customer.objects.filter(organization=organization).values("pk")
    return set(PropertyMatch.objects.filter(customer_id__in=theirs).values_list("customer_id", "listing_id", "score"))
