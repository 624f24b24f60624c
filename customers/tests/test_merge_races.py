"""Merges at once: phones stay unique, nothing is half merged, and of opposite ones one wins."""

import pytest

from actions import refreshing as actions
from config.testing import at_once, data_of, error_of, make_customer, make_phone, one_request, requests, statuses
from customers import refreshing
from customers.models import Customer, CustomerMerge, Interaction
from customers.services import activity, merge
from customers.services import customer as customers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


def living():
    return Customer.objects.filter(deleted_at=None)


def test_of_two_opposite_merges_one_wins(layla):
    for _turn in range(5):
        one, other = make_customer(layla), make_customer(layla)
        answers = requests(
            layla,
            [("post", f"customers/{a.pk}/merge", {"mergedId": b.pk}) for a, b in ((one, other), (other, one))],
        )
        assert statuses(answers) == [200, 409]
        (row,) = CustomerMerge.objects.filter(survivor__in=[one, other])
        loser = answers[0] if answers[0].status_code == 409 else answers[1]
        assert error_of(loser, 409, "CONFLICT")["details"] == {"mergedInto": row.survivor_id}
        assert set(living().filter(pk__in=[one.pk, other.pk])) == {row.survivor}


def test_twenty_creates_and_merges_at_once_keep_phones_unique_and_nothing_half_merged(layla):
    phones = [make_phone() for _ in range(4)]
    rows = [make_customer(layla, phone=phone) for phone in phones] + [make_customer(layla) for _ in range(4)]
    for row in rows:
        for _number in range(2):
            activity.add_interaction(row, actor=layla, values={"type": "note"})
    survivors, gone = rows[4:], rows[:4]
    merges = [
        ("post", f"customers/{survivor.pk}/merge", {"mergedId": other.pk, "fields": {"phone": "merged"}})
        for survivor, other in zip(survivors, gone, strict=True)
    ]
    # A chain and a rival beside them, and creates of every phone that is let go for a moment.
    merges += [("post", f"customers/{survivors[0].pk}/merge", {"mergedId": survivors[1].pk})]
    merges += [("post", f"customers/{survivors[2].pk}/merge", {"mergedId": gone[3].pk})]
    creates = [("post", "customers", {"name": "جديد", "phone": phone}) for phone in [*phones, *phones[:2]]]
    edits = [("patch", f"customers/{row.pk}", {"notes": "تعديل"}) for row in rows]
    answers = requests(layla, [*merges, *creates, *edits])
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    alive = list(living().values_list("phone", flat=True))
    assert len(alive) == len(set(alive))
    merged = Customer.objects.exclude(merged_into=None)
    assert merged.count() == CustomerMerge.objects.count() >= 4
    assert Interaction.objects.count() == 16 and not Interaction.objects.filter(customer__in=merged).exists()
    assert refreshing.check() == [] and actions.check() == []


def test_a_merge_and_its_undoing_twice_at_once_leave_one_state(layla):
    one, other = make_customer(layla), make_customer(layla)
    call = ("post", f"customers/{one.pk}/merge", {"mergedId": other.pk})
    assert statuses(requests(layla, [call] * 5)) == [200] + [409] * 4
    (row,) = CustomerMerge.objects.all()
    undo = one_request(layla, "post", f"customers/merges/{row.pk}/undo")
    create = one_request(layla, "post", "customers", {"name": "وارث الرقم", "phone": other.phone})
    first, second, new = at_once(undo, one_request(layla, "post", f"customers/merges/{row.pk}/undo"), create)
    assert sorted([first.status_code, second.status_code]) in ([200, 409], [409, 409])
    is_undone = 200 in (first.status_code, second.status_code)
    assert new.status_code == (409 if is_undone else 201)
    assert living().filter(phone=other.phone).count() == 1
    assert refreshing.check() == []


def test_whoever_is_taken_back_while_the_survivor_is_removed_for_good_stays(as_, layla, monkeypatch):
    survivor, other = make_customer(layla), make_customer(layla)
    done, lock = merge.merge_customers(survivor, other.pk, actor=layla), customers.lock

    def lock_after_undoing(row, **options):
        monkeypatch.setattr(customers, "lock", lock)
        merge.undo_merge(done, actor=layla)
        return lock(row, **options)

    monkeypatch.setattr(customers, "lock", lock_after_undoing)
    data_of(as_(layla).delete(f"customers/{survivor.pk}?permanent=true"))
    assert list(living()) == [other]


@pytest.mark.parametrize(
    "service, method, path",
    [("purge_customer", "delete", "?permanent=true"), ("restore_customer", "post", "/restore")],
)
def test_whoever_has_just_been_merged_is_neither_removed_nor_brought_back(
    as_, layla, monkeypatch, service, method, path
):
    survivor, other = make_customer(layla), make_customer(layla)
    serve = getattr(customers, service)

    def serve_after_merging(row, **options):
        merge.merge_customers(survivor, other.pk, actor=layla)
        return serve(row, **options)

    monkeypatch.setattr(customers, service, serve_after_merging)
    answer = as_(layla).call(method, f"customers/{other.pk}{path}")
    assert error_of(answer, 409, "CONFLICT")["details"] == {"mergedInto": survivor.pk}
    assert list(living()) == [survivor] and Customer.objects.count() == 2
