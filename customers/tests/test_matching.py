"""Matching: which listings suit a customer, which customers a listing, and what is kept of it."""

from decimal import Decimal

import pytest

from config.testing import data_of, error_of, fields_of, make_customer, make_listing
from customers import tasks
from customers.matching import ANY_PRICE, best_matches, customers_for, keys_of, listings_for
from customers.models import Customer, Listing, MatchKey, MatchRequest, PropertyMatch
from customers.services import activity, erasing
from customers.services import customer as customers
from customers.services import listing as listings
from customers.services import matching as services
from customers.services.matching import match_listing
from customers.tests.imports import run_import
from customers.tests.two import merge

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
IDEAL = {"district": "النرجس", "price": 1_500_000, "bedrooms": 4, "area": 250, "amenities": ["مسبح", "majlis"]}
# What differs from the ideal, the score, and the parts: budget, location, bedrooms, area, amenities.
DIFFERENCES = [
    ({}, 100, [100, 100, 100, 100, 100]),
    ({"price": 2_150_000}, 88, [50, 100, 100, 100, 100]),
    ({"price": 2_300_000}, 75, [0, 100, 100, 100, 100]),
    ({"price": 800_000}, 94, [75, 100, 100, 100, 100]),
    ({"price": 600_000}, 88, [50, 100, 100, 100, 100]),
    ({"district": "حي النرجس"}, 100, [100, 100, 100, 100, 100]),
    ({"district": "الملقا"}, 78, [100, 25, 100, 100, 100]),
    ({"bedrooms": 5}, 100, [100, 100, 100, 100, 100]),
    ({"bedrooms": 6}, 97, [100, 100, 85, 100, 100]),
    ({"bedrooms": 7}, 93, [100, 100, 60, 100, 100]),
    ({"bedrooms": 3}, 90, [100, 100, 40, 100, 100]),
    ({"bedrooms": 2}, 83, [100, 100, 0, 100, 100]),
    ({"bedrooms": None}, 100, [100, 100, None, 100, 100]),
    ({"area": 185}, 93, [100, 100, 100, 50, 100]),
    ({"area": 150}, 85, [100, 100, 100, 0, 100]),
    ({"area": 375}, 96, [100, 100, 100, 75, 100]),
    ({"area": 900}, 93, [100, 100, 100, 50, 100]),
    ({"amenities": ["pool"]}, 94, [100, 100, 100, 100, 50]),
    ({"amenities": []}, 87, [100, 100, 100, 100, 0]),
]
# What must hold at all.
REFUSED = [
    {"price": 2_300_001}, {"price": 599_999}, {"price": None}, {"purpose": "rent"}, {"type": "apartment"},
    {"city": "جدة"}, {"status": "reserved"}, {"status": "archived"},
]  # fmt: skip


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed, preferences=WISHES)


def live(customer):
    _total, matches = listings_for(customer, least=0, size=100)
    return {match.listing_id: (match.score, match.parts) for match in matches}


def suited(listing):
    _total, matches = customers_for(listing, Customer.objects.all(), least=0)
    return {match.customer_id: (match.score, match.parts) for match in matches}


def kept():
    return {(row.customer_id, row.listing_id): row.score for row in PropertyMatch.objects.all()}


def keys_like(**wishes):
    return keys_of(Customer(pk="cust_1", organization_id="org_1", preferences=wishes, city="Riyadh"))


# --- How well a listing does -----------------------------------------------------------------------


def test_each_wish_counts_for_its_weight_and_what_must_hold_holds_both_ways(ahmed, noura, customer):
    expected = {make_listing(ahmed, **IDEAL | differs).pk: (score, parts) for differs, score, parts in DIFFERENCES}
    for differs in REFUSED:
        make_listing(ahmed, **IDEAL | differs)
    make_listing(noura, **IDEAL)
    known = make_listing(ahmed, **IDEAL)
    activity.add_interest(customer, actor=ahmed, values={"property_id": known.pk, "property_title": "فيلا"})
    tasks.match_waiting()
    assert live(customer) == expected
    for listing in Listing.objects.exclude(status__in=("reserved", "archived")):
        told = {customer.pk: expected[listing.pk]} if listing.pk in expected else {}
        assert suited(listing) == told


def test_land_has_no_bedrooms_and_the_other_wishes_count_for_more(ahmed):
    customer = make_customer(ahmed, preferences={**WISHES, "propertyType": ["land"], "amenities": None})
    land = make_listing(ahmed, **IDEAL | {"type": "أرض", "bedrooms": 9})
    # (25 + 30 + 15 + 0.6 × 13) of 83
    assert live(customer) == {land.pk: (94, [100, 100, None, 100, 60])}


def test_districts_within_three_kilometres_are_neighbours(ahmed, customer):
    far, near, own = (
        make_listing(ahmed, **IDEAL | {"district": district, "latitude": latitude, "longitude": 46.66})
        for district, latitude in (("الملقا", 24.84), ("الياسمين", 24.85), ("النرجس", 24.875))
    )
    tasks.match_waiting()
    scores = {far.pk: 78, near.pk: 91, own.pk: 100}
    assert {key: score for key, (score, _parts) in live(customer).items()} == scores
    assert kept() == {(customer.pk, key): score for key, score in scores.items()}
    listings.update_listing(near, actor=ahmed, values={"latitude": Decimal("24.5")})
    tasks.match_waiting()
    assert kept()[customer.pk, near.pk] == 78


def test_smaller_wishes_and_then_the_newest_decide_between_equals(ahmed):
    customer = make_customer(ahmed, preferences={**WISHES, "furnishing": "furnished", "bathrooms": 3})
    plain, furnished, both, later = (
        make_listing(ahmed, **IDEAL | more).pk
        for more in ({}, {"furnishing": "furnished"}, {"furnishing": "furnished", "bathrooms": 4}, {})
    )
    tasks.match_waiting()
    assert best_matches([customer.pk]) == {customer.pk: [both, furnished, later, plain]}
    assert list(live(customer)) == [both, furnished, later, plain]


# --- What a customer looks for ---------------------------------------------------------------------


def test_cities_come_from_what_is_preferred_and_else_from_where_the_customer_lives():
    def places(**wishes):
        return {key.city_key: set(key.districts) for key in keys_like(purpose="buy", **wishes)}

    narjis, malqa = ({name, f"حي {name}"} for name in ("النرجس", "الملقا"))
    assert places() == {"riyadh": set()}
    assert places(preferredCities=["جدة", "Khobar"]) == {"jeddah": set(), "khobar": set()}
    assert places(preferredAreas=["جدة - حي النرجس", "الدمام"]) == {"jeddah": narjis, "dammam": set()}
    assert places(preferredAreas=["الملقا"]) == {"riyadh": malqa}


def test_without_a_type_any_will_do_and_without_a_purpose_the_budget_tells():
    def ranges(**wishes):
        return {(key.purpose, key.type_key): (key.lowest, round(key.highest)) for key in keys_like(**wishes)}

    assert ranges(purpose="invest", budgetMax=100) == {("sale", ""): (0, 115)}
    assert ranges(purpose="rent", propertyType=["شقة", "villa"]) == {
        ("rent", "type:apartment"): (0, ANY_PRICE), ("rent", "type:villa"): (0, ANY_PRICE),
    }  # fmt: skip
    assert ranges(budgetMax=1000) == {("sale", ""): (300, 1150), ("rent", ""): (300, 1150)}


@pytest.mark.parametrize(
    "wishes",
    [
        {"propertyType": "villa", "preferredAreas": {"a": 1}, "preferredCities": 7, "amenities": "pool"},
        {"propertyType": [None, 3, "", "villa"], "preferredAreas": [[], " - ", "الرياض - "], "bedrooms": "أربع"},
        {"propertyType": ["ـ"], "preferredAreas": ["ـ", "الرياض -"], "amenities": ["ـ", "\u200f"]},
        {"budgetMin": "كثير", "budgetMax": -5, "minArea": 0, "maxArea": True, "bedrooms": 0.5},
        {"purpose": ["buy"], "furnishing": 3, "floorPreference": {}, "bedrooms": 10**30},
        {"budgetMax": 1e300, "budgetMin": 1e-300},
        [], "text", None,
    ],
)  # fmt: skip
def test_preferences_that_make_no_sense_are_no_wishes(ahmed, wishes):
    customer = make_customer(ahmed, city="الرياض")
    customer.preferences = wishes
    listing = make_listing(ahmed, **IDEAL)
    MatchKey.objects.bulk_create(keys_of(customer))
    nothing_wished = {listing.pk: (63, [60, 70, 60, 60, 60])}
    assert live(customer) == nothing_wished
    assert suited(listing) == {customer.pk: nothing_wished[listing.pk]}


# --- What is kept ----------------------------------------------------------------------------------


def test_a_change_of_either_side_is_matched_by_the_next_job(as_, fatima, ahmed, customer):
    listing = make_listing(ahmed, **IDEAL)
    assert tasks.match_waiting() == (1, 1)
    assert kept() == {(customer.pk, listing.pk): 100}
    listing = listings.update_listing(listing, actor=fatima, values={"price": Decimal(2_150_000)})
    assert (tasks.match_waiting(), kept()) == ((0, 1), {(customer.pk, listing.pk): 88})
    listings.update_listing(listing, actor=fatima, values={"description": "زاوية"})
    assert tasks.match_waiting() == (0, 0)
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", {"preferences": {"budgetMax": 2_150_000}}))
    assert (tasks.match_waiting(), kept()) == ((1, 0), {(customer.pk, listing.pk): 100})
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", {"notes": "متفرغ مساءً"}))
    assert tasks.match_waiting() == (0, 0)
    interest = {"propertyId": listing.pk, "propertyTitle": "فيلا"}
    data_of(as_(ahmed).post(f"customers/{customer.pk}/properties", interest), 201)
    assert (tasks.match_waiting(), kept()) == ((1, 0), {})


def test_what_is_imported_is_matched_like_what_is_typed(tmp_path, organization, customer):
    tasks.match_waiting()
    villa = {"reference": "R-1", "title": "فيلا", "type": "villa", "purpose": "sale", "city": "الرياض", **IDEAL}
    run_import("import_listings", tmp_path / "l.json", [villa], "utf-8", organization=organization.pk)
    assert tasks.match_waiting() == (0, 1)
    person = {"name": "سارة القحطاني", "phone": "+966512345678", "preferences": WISHES}
    run_import("import_customers", tmp_path / "c.json", [person], "utf-8", organization=organization.pk)
    assert tasks.match_waiting() == (1, 0)
    keys = Customer.objects.values_list("pk", flat=True)
    assert kept() == {(key, Listing.objects.get().pk): 100 for key in keys} and len(keys) == 2


def test_the_best_ten_are_kept_and_the_next_best_comes_in_when_one_is_gone(ahmed, customer):
    made = [make_listing(ahmed, **IDEAL | {"price": 2_000_000 + 20_000 * place}) for place in range(12)]
    tasks.match_waiting()
    keys = [listing.pk for listing in made]
    assert best_matches([customer.pk]) == {customer.pk: keys[:10]}
    before = kept()
    for listing in made:
        assert match_listing(listing.pk) == []
    assert kept() == before
    listings.archive_listing(made[0], actor=ahmed)
    assert best_matches([customer.pk]) == {customer.pk: keys[1:10]}  # nobody is told of it until it is worked off
    tasks.match_waiting()
    assert best_matches([customer.pk]) == {customer.pk: keys[1:11]}
    listings.update_listing(made[1], actor=ahmed, values={"bedrooms": 1})
    tasks.match_waiting()
    assert best_matches([customer.pk]) == {customer.pk: keys[2:]}


@pytest.mark.parametrize("way", ["false", "true", "erase", "pay"])
def test_nothing_is_kept_of_who_leaves_or_looks_no_further(as_, layla, customer, way):
    make_listing(layla, **IDEAL)
    tasks.match_waiting()
    assert len(kept()) == 1
    if way == "pay":
        customers.change_stage(customer, actor=layla, to_stage="down_payment")
        tasks.match_waiting()
    elif way == "erase":
        erasing.erase_customer(customer, actor=layla)
    else:
        data_of(as_(layla).delete(f"customers/{customer.pk}?permanent={way}"))
    assert (kept(), MatchKey.objects.count()) == ({}, 0)
    tasks.match_waiting()
    assert (kept(), MatchKey.objects.count(), MatchRequest.objects.count()) == ({}, 0, 0)


def test_a_restored_and_a_merged_customer_are_matched_as_who_they_are_now(as_, layla, customer):
    listing = make_listing(layla, **IDEAL)
    customers.delete_customer(customer, actor=layla)
    customers.restore_customer(customer, actor=layla)
    tasks.match_waiting()
    assert kept() == {(customer.pk, listing.pk): 100}
    survivor = make_customer(layla)
    merge(as_(layla), survivor, customer)
    tasks.match_waiting()
    assert kept() == {(survivor.pk, listing.pk): 100}


# --- GET /customers/:id/matches and /listings/:id/customers ----------------------------------------


def test_matches_come_with_their_reasons_in_the_language_of_the_request(as_, ahmed, customer):
    listing = make_listing(ahmed, **IDEAL | {"price": 2_150_000, "bedrooms": 3, "amenities": ["pool"], "area": 400})
    make_listing(ahmed, **IDEAL | {"bedrooms": 2, "area": 150, "amenities": [], "district": ""})
    told = data_of(as_(ahmed, language="en").get(f"customers/{customer.pk}/matches?minScore=60"))
    (match,) = told["matches"]
    assert (match["listing"]["id"], match["listing"]["price"], match["score"]) == (listing.pk, 2_150_000, 66)
    assert match["parts"] == {"budget": 50, "location": 100, "bedrooms": 40, "area": 67, "amenities": 50}
    assert match["reasons"] == [
        "A little above the budget", "In a wanted district", "Fewer bedrooms than wanted", "Larger than wanted",
        "Has 1 of 2 wanted amenities",
    ]  # fmt: skip
    assert told["pagination"]["totalItems"] == 1
    assert data_of(as_(ahmed).get(f"customers/{customer.pk}/matches"))["matches"] == []
    assert fields_of(as_(ahmed).get(f"customers/{customer.pk}/matches?minScore=x")) == ["minScore"]


def test_customers_of_a_listing_are_those_whom_the_caller_sees_the_best_first(as_, layla, ahmed, omar, huda, noura):
    listing = make_listing(layla, **IDEAL)
    ids = {}
    for name, owner, score in (("cold", ahmed, 10), ("hot", ahmed, 90), ("other", omar, 50), ("stranger", noura, 99)):
        made = make_customer(owner, preferences=WISHES)
        Customer.objects.filter(pk=made.pk).update(lead_score=score)
        ids[name] = made.pk
    less = make_customer(ahmed, preferences={**WISHES, "bedrooms": 2})
    tasks.match_waiting()

    def seen(employee, query=""):
        told = data_of(as_(employee).get(f"listings/{listing.pk}/customers{query}"))
        return [match["customer"]["id"] for match in told["matches"]], told["pagination"]["totalItems"]

    assert seen(ahmed) == ([ids["hot"], ids["cold"], less.pk], 3)
    assert seen(ahmed, "?limit=1&page=2") == ([ids["cold"]], 3)
    assert seen(ahmed, "?limit=10&page=50") == ([], 3)
    assert seen(layla) == ([ids["hot"], ids["other"], ids["cold"], less.pk], 4)
    assert seen(huda) == ([], 0)
    error_of(as_(noura).get(f"listings/{listing.pk}/customers"), 404, "RESOURCE_NOT_FOUND")
    error_of(as_(omar).get(f"customers/{less.pk}/matches"), 404, "RESOURCE_NOT_FOUND")


def test_a_listing_that_cannot_be_matched_holds_up_no_other(ahmed, monkeypatch, caplog):
    bad, good = make_listing(ahmed, **IDEAL), make_listing(ahmed, **IDEAL)
    real = services.match_listing

    def match_listing(listing_id):
        if listing_id == bad.pk:
            raise ValueError("odd")
        return real(listing_id)

    monkeypatch.setattr(services, "match_listing", match_listing)
    services.match_waiting(seconds=5)
    waiting = set(MatchRequest.objects.filter(listing_id__isnull=False).values_list("listing_id", flat=True))
    assert waiting == {bad.pk} and good.pk not in waiting
    assert [record.facts for record in caplog.records if record.name == "hub.jobs"] == [{"row": bad.pk}]
