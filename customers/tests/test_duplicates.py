"""GET /customers/duplicates and /customers/:id/duplicates: who may well be one person."""

from config.testing import data_of, error_of, fields_of, make_customer, make_phone
from customers.duplicates import MOST_NAMESAKES
from customers.services import customer as customers
from customers.tests.two import merge


def pairs(client, query=""):
    return data_of(client.get(f"customers/duplicates{query}"))


def found(client, customer):
    rows = data_of(client.get(f"customers/{customer.pk}/duplicates"))["duplicates"]
    return [(row["customer"]["id"], row["reasons"], row["score"]) for row in rows]


def test_each_reason_makes_a_pair_for_the_organization_and_for_either_of_both(as_, layla):
    client, phone = as_(layla), make_phone()
    ids = [make_customer(layla, name=f"هوية {n}", national_id="1000000008").pk for n in range(2)]
    emails = [
        make_customer(layla, name=f"بريد {n}", email=text).pk for n, text in enumerate(("A@hub.test", "a@hub.test"))
    ]
    whose = make_customer(layla, name="رقم", phone=phone).pk
    families = [make_customer(layla, name=f"عائلة {n}", whatsapp=phone).pk for n in range(2)]
    spelled = (("سارة القحطاني", "الرياض"), ("ساره القحطانى", "Riyadh"))
    names = [make_customer(layla, name=name, city=city).pk for name, city in spelled]
    make_customer(layla, name="سارة القحطاني", city="جدة")
    make_customer(layla, name="سارة القحطاني")
    expected = {
        (*sorted(ids),): (["nationalId"], 0.95),
        (*sorted(emails),): (["email"], 0.8),
        (*sorted((whose, families[0])),): (["phone"], 0.7),
        (*sorted((whose, families[1])),): (["phone"], 0.7),
        (*sorted(families),): (["phone"], 0.7),
        (*sorted(names),): (["name_city"], 0.5),
    }
    listed = pairs(client)
    told = {
        tuple(row["id"] for row in pair["customers"]): (pair["reasons"], pair["score"]) for pair in listed["duplicates"]
    }
    assert told == expected
    assert [pair["score"] for pair in listed["duplicates"]] == [0.95, 0.8, 0.7, 0.7, 0.7, 0.5]
    assert listed["pagination"]["totalItems"] == 6
    for (one, other), (reasons, score) in expected.items():
        for key, its in ((one, other), (other, one)):
            customer = customers.Customer(pk=key)
            assert (its, reasons, score) in found(client, customer)


def test_several_reasons_make_it_likelier_and_pages_go_on_where_the_last_ended(as_, layla):
    client = as_(layla)
    shared = {"name": "خالد", "city": "الرياض", "email": "k@hub.test"}
    first, second = make_customer(layla, **shared), make_customer(layla, **shared)
    make_customer(layla, name="خالد", city="الرياض")
    (likeliest,) = pairs(client, "?limit=1")["duplicates"]
    assert [row["id"] for row in likeliest["customers"]] == [first.pk, second.pk]
    assert (likeliest["reasons"], likeliest["score"]) == (["email", "name_city"], 0.9)
    rest = [pairs(client, f"?limit=1&page={page}") for page in (2, 3, 4)]
    assert [len(part["duplicates"]) for part in rest] == [1, 1, 0]
    assert rest[0]["pagination"] == {
        "currentPage": 2, "pageSize": 1, "totalPages": 3, "totalItems": 3, "hasNextPage": True, "hasPreviousPage": True,
    }  # fmt: skip
    assert fields_of(client.get("customers/duplicates?limit=101")) == ["limit"]


def test_a_common_name_and_one_s_own_whatsapp_say_nothing(as_, layla):
    phone = make_phone()
    make_customer(layla, phone=phone, whatsapp=phone, name="وحيد")
    namesakes = [make_customer(layla, name="محمد العتيبي", city="جدة") for _ in range(MOST_NAMESAKES)]
    assert len(found(as_(layla), namesakes[0])) == MOST_NAMESAKES - 1
    make_customer(layla, name="محمد العتيبى", city="جدة")
    assert found(as_(layla), namesakes[0]) == []
    assert pairs(as_(layla))["duplicates"] == []


def test_pairs_are_of_customers_whom_the_caller_sees_both(as_, layla, fatima, ahmed, omar, noura):
    shared = {"name": "نوف", "city": "الرياض", "national_id": "1000000008"}
    mine, theirs = make_customer(ahmed, **shared), make_customer(omar, **shared)
    nobody, elsewhere = make_customer(layla, **shared), make_customer(noura, **shared)
    assert pairs(as_(layla))["pagination"]["totalItems"] == 3
    (pair,) = pairs(as_(fatima))["duplicates"]
    assert [row["id"] for row in pair["customers"]] == sorted([mine.pk, nobody.pk])
    assert [key for key, *_rest in found(as_(fatima), mine)] == [nobody.pk]
    assert pairs(as_(noura))["duplicates"] == []
    for stranger in (theirs, elsewhere):
        error_of(as_(fatima).get(f"customers/{stranger.pk}/duplicates"), 404)
    for role in (ahmed, omar):
        error_of(as_(role).get("customers/duplicates"), 403, "PERMISSION_DENIED")
        error_of(as_(role).get(f"customers/{mine.pk}/duplicates"), 403, "PERMISSION_DENIED")


def test_who_was_merged_or_deleted_is_nobody_s_duplicate_any_more(as_, layla):
    client, shared = as_(layla), {"name": "نوف", "city": "الرياض", "national_id": "1000000008"}
    first, second, third = (make_customer(layla, **shared) for _ in range(3))
    assert pairs(client)["pagination"]["totalItems"] == 3
    merge(client, first, second)
    assert pairs(client)["pagination"]["totalItems"] == 1
    assert [key for key, *_rest in found(client, second)] == [third.pk]  # the survivor's
    customers.delete_customer(third, actor=layla)
    assert pairs(client)["duplicates"] == [] and found(client, first) == []
