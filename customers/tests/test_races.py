"""Many at once: parallel requests leave what one after the other would have left."""

import threading

import pytest
from django.db import connection, transaction

from config.models import AuditEntry
from config.testing import HubClient, at_once, data_of, make_customer, make_employee, one_request, requests, statuses
from customers import counting, refreshing
from customers.models import Assignment, Customer, NameWord, StageChange
from customers.services import search
from employees import services as employees
from employees.choices import Role
from employees.models import Organization, Session

pytestmark = pytest.mark.django_db(transaction=True)

EIGHT_SPELLINGS = [
    "+966551234567", "0551234567", "551234567", "966551234567", "00966551234567", "٠٥٥١٢٣٤٥٦٧", "+966 055-123-4567",
    "\u202a+966 55 123 4567\u202c",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


def test_of_twenty_creates_of_one_phone_in_eight_spellings_one_wins(layla):
    bodies = [{"name": f"عميل {n}", "phone": EIGHT_SPELLINGS[n % 8], "source": "manual"} for n in range(20)]
    responses = requests(layla, [("post", "customers", body) for body in bodies])
    assert statuses(responses) == [201] + [409] * 19
    (row,) = Customer.objects.all()
    assert row.phone == "+966551234567"
    (won,) = [data_of(response, 201)["customer"] for response in responses if response.status_code == 201]
    assert won["id"] == row.pk and won["name"] == row.name
    for response in responses:
        if response.status_code == 409:
            error = response.json()["error"]
            assert error["code"] == "DUPLICATE_RESOURCE"
            assert error["details"] == {"field": "phone", "existingId": row.pk}
    assert StageChange.objects.count() == 1
    assert AuditEntry.objects.filter(table_name="customers").count() == 1


def test_two_agencies_create_the_same_phone_at_once(layla, noura):
    body = {"name": "مشترك", "phone": "0551234567"}
    calls = [one_request(employee, "post", "customers", body) for employee in [layla, noura] * 5]
    assert statuses(at_once(*calls)) == [201] * 2 + [409] * 8
    assert Customer.objects.values("organization").distinct().count() == 2


def test_of_parallel_claims_of_each_customer_one_wins(layla, organization, north):
    agents = [make_employee(organization, f"وسيط {n}", Role.SALES_AGENT, north) for n in range(5)]
    free = [make_customer(layla, assigned_employee_id=None) for _ in range(4)]
    calls = [one_request(agent, "post", f"customers/{customer.pk}/claim") for customer in free for agent in agents]
    responses = at_once(*calls)
    for index, customer in enumerate(free):
        answers = responses[index * 5 : index * 5 + 5]
        assert statuses(answers) == [200] + [409] * 4
        winner = agents[[response.status_code for response in answers].index(200)]
        customer.refresh_from_db()
        assert customer.assigned_employee_id == winner.pk
        (hand_over,) = Assignment.objects.filter(customer=customer)
        assert (hand_over.from_employee_id, hand_over.to_employee_id) == (None, winner.pk)
        for response in answers:
            if response.status_code == 409:
                assert response.json()["error"]["code"] == "CONFLICT"
                assert winner.name not in response.content.decode() and winner.pk not in response.content.decode()


def test_thirty_moves_to_one_stage_leave_one_history_row(layla):
    customer = make_customer(layla)
    call = ("patch", f"customers/{customer.pk}/stage", {"toStage": "site_visit", "notes": "معاينة"})
    assert statuses(requests(layla, [call] * 30)) == [200] * 30
    assert list(StageChange.objects.order_by("changed_at", "id").values_list("from_stage", "to_stage")) == [
        (None, "new_lead"),
        ("new_lead", "site_visit"),
    ]
    customer.refresh_from_db()
    assert (customer.stage, customer.version) == ("site_visit", 2)


def test_of_conditional_moves_from_one_stage_one_wins(layla):
    customer = make_customer(layla)
    path, stages = f"customers/{customer.pk}/stage", ["qualified", "site_visit", "negotiation", "closing"] * 3
    calls = [("patch", path, {"fromStage": "new_lead", "toStage": stage}) for stage in stages]
    assert statuses(requests(layla, calls)) == [200] + [409] * 11
    assert StageChange.objects.filter(customer=customer).count() == 2


def test_parallel_moves_leave_an_unbroken_chain(layla):
    customer = make_customer(layla)
    stages = ["qualified", "site_visit", "negotiation", "closing", "post_sale"] * 3
    path = f"customers/{customer.pk}/stage"
    assert statuses(requests(layla, [("patch", path, {"toStage": stage}) for stage in stages])) == [200] * 15
    history = data_of(HubClient(layla).get(f"customers/{customer.pk}"))["customer"]["stageHistory"]
    assert [row["fromStage"] for row in history] == [None, *(row["toStage"] for row in history[:-1])]
    customer.refresh_from_db()
    assert customer.stage == history[-1]["toStage"]


def test_parallel_changes_of_different_fields_lose_none(layla):
    customer = make_customer(layla, preferences={"budgetMin": 1})
    bodies = [
        {"name": "اسم جديد"},
        {"nameEn": "New Name"},
        {"email": "new@hub.example"},
        {"notes": "ملاحظة"},
        {"priority": "urgent"},
        {"stage": "closing"},
        {"city": "جدة"},
        {"tags": ["vip"]},
        {"totalDealValue": 2200000},
        {"preferences": {"bedrooms": 5}},
        {"preferences": {"budgetMax": 9}},
        {"preferences": {"propertyType": ["villa"]}},
        {"preferences": {"preferredAreas": ["حي النرجس"]}},
        {"sourceDetails": {"campaign": "رمضان"}},
        {"sourceDetails": {"utmSource": "x"}},
    ]
    assert statuses(requests(layla, [("patch", f"customers/{customer.pk}", body) for body in bodies])) == [200] * 15
    after = data_of(HubClient(layla).get(f"customers/{customer.pk}"))["customer"]
    assert after["preferences"] == {
        "budgetMin": 1,
        "budgetMax": 9,
        "bedrooms": 5,
        "propertyType": ["villa"],
        "preferredAreas": ["حي النرجس"],
    }
    assert after["sourceDetails"] == {"campaign": "رمضان", "utmSource": "x"}
    for body in bodies[:9]:
        assert after.items() >= body.items()
    # What lists look for has kept up, whoever wrote last.
    found = data_of(
        HubClient(layla).get(
            "customers?search=جديد&tags=vip&city=Jeddah&propertyType=villa&preferredAreas=حي النرجس&budgetMin=5"
        )
    )
    assert [row["id"] for row in found["customers"]] == [customer.pk]
    customer.refresh_from_db()
    assert customer.version == 16


def test_of_two_writers_who_read_the_same_version_one_is_told_so(layla, fatima):
    customer = make_customer(layla)
    etag = HubClient(layla).get(f"customers/{customer.pk}")["ETag"]
    calls = [
        one_request(employee, "patch", f"customers/{customer.pk}", {"name": name}, headers={"If-Match": etag})
        for employee, name in ((layla, "الأولى"), (fatima, "الثانية"))
    ]
    responses = at_once(*calls)
    assert statuses(responses) == [200, 412]
    (won,) = [data_of(response)["customer"]["name"] for response in responses if response.status_code == 200]
    customer.refresh_from_db()
    assert (customer.name, customer.version) == (won, 2)


def test_bulks_over_the_same_rows_in_opposite_order_never_deadlock(layla, fatima):
    ids = [make_customer(layla, assigned_employee_id=None).pk for _ in range(30)]
    for turn in range(10):
        there, back = ("qualified", "closing") if turn % 2 else ("closing", "qualified")
        calls = [
            one_request(layla, "post", "customers/bulk", {"customerIds": ids, "operation": "stage", "toStage": there}),
            one_request(
                fatima, "post", "customers/bulk", {"customerIds": ids[::-1], "operation": "stage", "toStage": back}
            ),
            one_request(
                layla, "post", "customers/bulk",
                {"customerIds": ids[15:] + ids[:15], "operation": "tags", "addTags": [f"جولة {turn}"]},
            ),
            one_request(fatima, "patch", f"customers/{ids[turn]}", {"notes": f"جولة {turn}"}),
        ]  # fmt: skip
        assert statuses(at_once(*calls)) == [200] * 4
    assert set(Customer.objects.values_list("stage", flat=True)) <= {"qualified", "closing"}
    for customer in Customer.objects.prefetch_related("stage_history"):
        assert set(customer.tags) == {f"جولة {turn}" for turn in range(10)}
        moves = sorted(customer.stage_history.all(), key=lambda move: (move.changed_at, move.pk))
        assert [move.from_stage for move in moves[1:]] == [move.to_stage for move in moves[:-1]]


def test_of_twelve_refreshes_of_one_token_one_wins_and_its_pair_lives(layla):
    _access, token, _seconds = employees.sign_in(layla)
    responses = requests(None, [("post", "auth/refresh", {"refreshToken": token})] * 12)
    assert statuses(responses) == [200] + [401] * 11
    (won,) = [data_of(response) for response in responses if response.status_code == 200]
    bearer = {"Authorization": f"Bearer {won['token']}"}
    assert HubClient().get("auth/me", headers=bearer).status_code == 200
    assert HubClient().post("auth/refresh", {"refreshToken": won["refreshToken"]}).status_code == 200
    assert not Session.objects.exclude(ended_at=None).exists()


def test_a_restore_and_a_create_of_the_same_phone_cannot_both_win(layla):
    for turn in range(5):
        phone = f"+96655000000{turn}"
        gone = make_customer(layla, phone=phone)
        assert HubClient(layla).delete(f"customers/{gone.pk}").status_code == 200
        restored, created = at_once(
            one_request(layla, "post", f"customers/{gone.pk}/restore"),
            one_request(layla, "post", "customers", {"name": "وارث الرقم", "phone": phone}),
        )
        assert (restored.status_code, created.status_code) in {(200, 409), (409, 201)}
        (living,) = Customer.objects.filter(phone=phone, deleted_at=None)
        loser = restored if restored.status_code == 409 else created
        assert loser.json()["error"]["details"] == {"field": "phone", "existingId": living.pk}


def test_a_change_and_a_delete_at_once_leave_a_deleted_customer(layla):
    for _turn in range(5):
        customer = make_customer(layla)
        deleted, patched = at_once(
            one_request(layla, "delete", f"customers/{customer.pk}"),
            one_request(layla, "patch", f"customers/{customer.pk}", {"name": "متأخر"}),
        )
        assert deleted.status_code == 200
        assert patched.status_code in (200, 404)
        customer.refresh_from_db()
        assert customer.deleted_at
        assert (customer.name == "متأخر") is (patched.status_code == 200)


def test_of_parallel_deletes_one_wins(layla):
    customer = make_customer(layla)
    responses = requests(layla, [("delete", f"customers/{customer.pk}")] * 8)
    assert statuses(responses) == [200] + [404] * 7
    deletions = AuditEntry.objects.filter(row_id=customer.pk, changes__has_key="deleted_at")
    assert deletions.count() == 1


def test_a_purge_and_a_change_at_once_leave_no_value_behind(layla):
    for _turn in range(5):
        customer = make_customer(layla, name="سر قديم")
        purged, patched = at_once(
            one_request(layla, "delete", f"customers/{customer.pk}?permanent=true"),
            one_request(layla, "patch", f"customers/{customer.pk}", {"name": "سر جديد"}),
        )
        assert purged.status_code == 200
        assert patched.status_code in (200, 404)
        assert not Customer.objects.filter(pk=customer.pk).exists()
        assert not AuditEntry.objects.filter(row_id=customer.pk).exclude(changes=None).exists()


def test_counts_are_true_after_many_have_moved_the_same_customers_at_once(layla, ahmed, omar):
    keys = [make_customer(ahmed).pk for _ in range(4)]
    moves = [
        ("patch", f"customers/{key}/stage", {"toStage": stage}) for key in keys for stage in ("closing", "negotiation")
    ]
    hands = [("post", f"customers/{key}/assign", {"employeeId": person.pk}) for key in keys for person in (ahmed, omar)]
    bulk = ("post", "customers/bulk", {"customerIds": keys[::-1], "operation": "stage", "toStage": "post_sale"})
    for calls in (moves, hands, [*moves[:3], *hands[:4], bulk]):
        *answers, _folded = at_once(*(one_request(layla, *call) for call in calls), counting.fold_counts)
        assert statuses(answers) == [200] * 8
        assert refreshing.check() == []


def test_nobody_waits_for_an_import_to_forget_a_name_and_no_word_that_it_writes_is_forgotten(layla):
    gone = make_customer(layla, name="زرياب نادر")
    erase = one_request(layla, "post", f"customers/{gone.pk}/erase", {"confirm": gone.pk})
    with transaction.atomic():  # as an import that goes on
        make_customer(layla, name="زرياب الكندي")
        (answer,) = at_once(erase)
        assert answer.status_code == 200
        assert at_once(lambda: search.prune_name_words(layla.organization)) == [0]
    words = set(NameWord.objects.values_list("word", flat=True))
    assert "زرياب" in words and "نادر" not in words


def test_days_are_right_though_the_zone_changes_while_counts_are_folded(layla):
    for _ in range(3):
        make_customer(layla)
    Organization.objects.filter(pk=layla.organization_id).update(time_zone="Asia/Dubai")
    folding, tick = threading.Event(), threading.Event()

    def fold():
        with transaction.atomic(), connection.cursor() as cursor:
            counting.fold_counts()
            folding.set()
            for _ in range(500):  # until the other waits for this transaction
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0]:
                    return
                tick.wait(0.02)

    def change_zone():
        folding.wait(timeout=60)
        Organization.objects.filter(pk=layla.organization_id).update(time_zone="Asia/Riyadh")

    at_once(fold, change_zone)
    assert refreshing.check(layla.organization_id) == []
