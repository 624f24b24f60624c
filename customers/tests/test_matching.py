"""Matching: which listings suit a customer, which customers a listing, and what is kept of it."""

import pytest

from config.testing import data_of, make_customer, make_listing
from customers import tasks
from customers.matching import best_matches, keys_of
from customers.models import Customer, Listing, MatchKey, MatchRequest, PropertyMatch

WISHES = {
    "purpose": "buy",
    "propertyType": ["villa"],
    "preferredAreas": ["الرياض - حي النرجس"],
    "budgetMin": 1_000_000,
    "budgetMax": 2_000_000,
    "bedrooms": 4,
    "minArea": 200,
    "maxArea": 300,
    "amenities": ["pool", "مجلس"],
}
IDEAL = {
    "district": "النرجس",
    "price": 1_500_000,
    "bedrooms": 4,
    "area": 250,
    "amenities": ["مسبح", "majlis"],
}


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed, preferences=WISHES)


def kept():
    rows = PropertyMatch.objects.order_by("customer_id", "-score", "listing_id")
    return [(row.customer_id, row.listing_id, row.score, row.parts) for row in rows]


def scored(listing):
    """The score and the parts of the only match of a listing."""
    tasks.match_waiting()
    ((_customer, _listing, score, parts),) = [row for row in kept() if row[1] == listing.pk]
    return score, parts


def test_what_is_just_right_scores_a_hundred_and_leads_the_insights(ahmed, customer):
    listing = make_listing(ahmed, **IDEAL)
    assert scored(listing) == (100, [100, 100, 100, 100, 100])
    assert best_matches([customer.pk]) == {customer.pk: [listing.pk]}
