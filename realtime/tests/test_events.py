"""GET /events: what the log is for each of its readers."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from config.testing import data_of, fields_of, make_action, make_customer
from customers.services import customer as customers
from documents.tests.files import upload
from employees import services as employees
from realtime import log
from realtime.models import Event, EventHead


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed, name="محمد الغامدي", national_id="1000000008")


@pytest.fixture
def action(ahmed, customer):
    return make_action(ahmed, customer, title="متابعة")


@pytest.fixture
def told(as_):
    """`told(employee)` are the frames of whatever has happened since the last call, by anybody."""
    seen = {}

    def told(employee):
        # Whoever has not asked before begins where the test did.
        data = data_of(as_(employee).get("events", {"since": seen.get(employee, seen.get("start", 0))}))
        seen[employee] = data["seq"]
        return [{"event": "resync_required"}] if data["resyncRequired"] else data["events"]

    def begin(*readers):
        for reader in readers:
            told(reader)

    told.begin = begin
    return told


def names(frames):
    return [frame["event"] for frame in frames]


def test_without_since_the_answer_says_where_the_log_is(as_, ahmed, customer):
    data = data_of(as_(ahmed).get("events"))
    assert data == {"events": [], "seq": 1, "hasMore": False, "resyncRequired": False}
    assert data_of(as_(ahmed).get("events", {"since": 1})) == data


def test_an_event_names_its_channel_its_number_and_the_one_before(as_, ahmed, layla, customer, told):
    told.begin(ahmed)
    shown = data_of(as_(layla).patch(f"customers/{customer.pk}", {"notes": "جديد"}))["customer"]
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", {"notes": "آخر"}))
    first, second = told(ahmed)
    event = Event.objects.get(seq=2)
    assert first == {
        "event": "customer.updated",
        "channel": "customers",
        "data": {"customerId": customer.pk, "changes": {"notes": "جديد", "updatedAt": shown["updatedAt"]}},
        "timestamp": event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seq": 2,
        "prevSeq": 1,
    }
    assert (second["seq"], second["prevSeq"], second["data"]["changes"]["notes"]) == (3, 2, "آخر")


def test_names_of_one_change_share_its_number(as_, ahmed, customer, action, told):
    told.begin(ahmed)
    data_of(as_(ahmed).patch(f"customers/{customer.pk}/stage", {"toStage": "qualified"}))
    data_of(as_(ahmed).post(f"customers/actions/{action.pk}/complete", {}))
    frames = told(ahmed)
    assert [(frame["event"], frame["seq"], frame["prevSeq"]) for frame in frames] == [
        ("customer.updated", 4, 3),
        ("customer.stage_changed", 4, 3),
        ("action.updated", 5, 4),
        ("action.completed", 5, 4),
        ("customer.updated", 6, 5),
    ]
    moved = {"customerId": customer.pk, "fromStage": "new_lead", "toStage": "qualified", "changedBy": ahmed.pk}
    assert frames[1]["data"] == moved
    assert frames[3]["data"]["actionId"] == action.pk and frames[3]["data"]["changes"]["status"] == "completed"
    assert frames[4]["data"] == {"customerId": customer.pk, "changes": {"nextFollowUpDate": None}}


def test_everybody_hears_of_what_is_theirs_and_of_nothing_else(layla, fatima, ahmed, omar, huda, noura, told):
    readers = {"layla": layla, "fatima": fatima, "ahmed": ahmed, "omar": omar, "huda": huda, "noura": noura}
    told.begin(*readers.values())
    for owner in (ahmed, omar, noura):
        make_customer(owner, name=f"عميل {owner.name_en or owner.name}", assigned_employee_id=owner.pk)
    make_customer(layla, name="بلا موظف", assigned_employee_id=None)
    heard = {
        name: [frame["data"]["customer"]["name"].split()[-1] for frame in told(reader)]
        for name, reader in readers.items()
    }
    assert heard == {
        "layla": ["Ahmed", "Omar", "موظف"],
        "fatima": ["Ahmed", "موظف"],
        "ahmed": ["Ahmed"],
        "omar": ["Omar"],
        "huda": [],
        "noura": ["Noura"],
    }


def test_a_hand_over_takes_rows_from_one_and_brings_them_whole_to_the_other(
    as_, layla, ahmed, omar, customer, action, told
):
    told.begin(layla, ahmed, omar)
    data_of(as_(layla).post(f"customers/{customer.pk}/assign", {"employeeId": omar.pk}))
    lost = told(ahmed)
    assert [(frame["event"], frame["data"]) for frame in lost] == [
        ("customer.assigned", {"customerId": customer.pk, "removed": True}),
        ("action.deleted", {"actionId": action.pk}),
    ]
    won = told(omar)
    assert names(won) == ["customer.created", "customer.assigned", "action.created"]
    assert won[0]["data"]["customer"] == data_of(as_(omar).get(f"customers/{customer.pk}"))["customer"]
    assert won[1]["data"] == {"customerId": customer.pk, "previousEmployee": ahmed.pk, "newEmployee": omar.pk}
    assert won[2]["data"]["action"] == data_of(as_(omar).get(f"customers/actions/{action.pk}"))["action"]
    assert names(told(layla)) == ["customer.updated", "customer.assigned", "action.updated"]
    data_of(as_(omar).patch(f"customers/{customer.pk}", {"notes": "سر"}))
    assert told(ahmed) == []


def test_what_is_deleted_goes_by_its_id_and_comes_back_whole(as_, layla, ahmed, customer, action, told):
    told.begin(ahmed)
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    assert [(frame["event"], frame["data"]) for frame in told(ahmed)] == [
        ("customer.deleted", {"customerId": customer.pk}),
        ("action.deleted", {"actionId": action.pk}),
    ]
    data_of(as_(layla).post(f"customers/{customer.pk}/restore"))
    back = told(ahmed)
    assert names(back) == ["customer.restored", "action.restored"]
    shown = data_of(as_(ahmed).get(f"customers/{customer.pk}"))["customer"]
    assert back[0]["data"] == {"customerId": customer.pk, "customer": shown}


def test_viewers_are_shown_what_their_role_is_shown(as_, fatima, huda, told):
    told.begin(fatima, huda)
    customer = make_customer(fatima, assigned_employee_id=huda.pk, national_id="1000000008")
    path = f"customers/{customer.pk}"
    data_of(as_(fatima).put(f"{path}/compliance/mortgage-info", {"status": "rejected", "bankName": "الراجحي"}))
    data_of(upload(as_(fatima), customer, type="id_copy"), 201)
    for reader, national_id in ((fatima, "1000000008"), (huda, "******0008")):
        made, mortgage, document = told(reader)
        assert made["data"]["customer"]["nationalId"] == national_id
        shown = data_of(as_(reader).get(path))["customer"]
        assert mortgage["data"]["changes"]["ksaCompliance"] == shown.get("ksaCompliance")
        (uploaded,) = document["data"]["changes"]["documents"]
        link = uploaded.pop("fileUrl")
        assert bool(link) == (reader is fatima)
        assert uploaded | {"fileUrl": ""} == shown["documents"][0] | {"fileUrl": ""}
        if link:
            assert link.startswith("http://testserver/api/v1/documents/")
            assert as_().get(link.removeprefix("http://testserver")).status_code == 200


def test_who_has_an_action_of_a_customer_of_others_hears_of_its_summary(as_, layla, ahmed, omar, customer, told):
    action = make_action(layla, customer, assigned_to_id=omar.pk)
    told.begin(omar, ahmed)
    data_of(as_(ahmed).patch(f"customers/{customer.pk}", {"name": "محمد الزهراني", "notes": "سر"}))
    (frame,) = told(omar)
    shown = data_of(as_(omar).get(f"customers/actions/{action.pk}"))["action"]
    assert frame["event"] == "action.updated"
    changes = {"customer": shown["customer"], "customerName": "محمد الزهراني"}
    assert frame["data"] == {"actionId": action.pk, "changes": changes}


def test_a_move_to_another_team_has_both_managers_read_again(layla, fatima, ahmed, omar, south, customer, told):
    told.begin(layla, fatima, ahmed, omar)
    employees.update_employee(ahmed, actor=layla, team_id=south.pk)
    assert names(told(fatima)) == ["resync_required"]
    assert names(told(ahmed)) == ["resync_required"]
    assert told(layla) == [] and told(omar) == []
    # From here on his customers are none of hers.
    customers.update_customer(customer, actor=layla, values={"notes": "سر"})
    assert told(fatima) == [] and names(told(ahmed)) == ["customer.updated"]


@pytest.mark.parametrize("change", [{"name": "أحمد الحربي"}, {"role": "sales_manager"}, {"job_title": "مستشار"}])
def test_when_an_employee_looks_different_everybody_reads_again(layla, ahmed, omar, noura, change, told):
    told.begin(omar, noura)
    employees.update_employee(ahmed, actor=layla, **change)
    assert names(told(omar)) == ["resync_required"] and told(noura) == []


def test_a_reader_is_told_when_there_is_more(as_, ahmed):
    for _ in range(3):
        make_customer(ahmed)
    first = data_of(as_(ahmed).get("events", {"since": 0, "limit": 2}))
    assert ([frame["seq"] for frame in first["events"]], first["seq"], first["hasMore"]) == ([1, 2], 2, True)
    second = data_of(as_(ahmed).get("events", {"since": 2, "limit": 2}))
    assert ([frame["seq"] for frame in second["events"]], second["seq"], second["hasMore"]) == ([3], 3, False)


def test_what_others_hear_makes_no_gap(as_, layla, ahmed, omar, told):
    told.begin(ahmed)
    make_customer(ahmed)
    make_customer(omar)
    make_customer(ahmed)
    assert [(frame["seq"], frame["prevSeq"]) for frame in told(ahmed)] == [(1, 0), (3, 1)]


def test_a_day_is_kept_and_who_comes_later_reads_again(as_, ahmed):
    for hours in (25, 23):
        make_customer(ahmed)
        log.number_events()
        Event.objects.filter(at__gt=timezone.now() - timedelta(hours=1)).update(
            at=timezone.now() - timedelta(hours=hours)
        )
    assert sum(log.prune_events()) == 1
    client = as_(ahmed)
    data = data_of(client.get("events", {"since": 1}))
    assert [frame["seq"] for frame in data["events"]] == [2]
    assert data_of(client.get("events", {"since": 0})) == {
        "events": [], "seq": 2, "hasMore": False, "resyncRequired": True,
    }  # fmt: skip


def test_a_number_that_never_was_means_another_log(as_, ahmed, customer):
    assert data_of(as_(ahmed).get("events", {"since": 2}))["resyncRequired"] is True


@pytest.mark.parametrize("query", [{"since": "x"}, {"since": -1}, {"since": 2**63}, {"limit": 0}, {"limit": 501}])
def test_numbers_that_are_none_are_named(as_, ahmed, query):
    assert fields_of(as_(ahmed).get("events", query)) == list(query)


def test_what_was_removed_for_good_is_not_replayed(as_, layla, customer):
    customers.update_customer(customer, actor=layla, values={"notes": "سر"})
    data_of(as_(layla).delete(f"customers/{customer.pk}?permanent=true"))
    frames = data_of(as_(layla).get("events", {"since": 0}))["events"]
    assert [(frame["event"], frame["data"]) for frame in frames] == [("customer.deleted", {"customerId": customer.pk})]


def test_who_commits_first_is_numbered_first(transactional_db, layla, ahmed, as_):
    """The slower transaction took its row of the log first; a reader who has seen the faster one still gets it."""
    slow, fast = make_customer(ahmed), make_customer(ahmed)
    log.number_events()
    written, seen = threading.Event(), threading.Event()

    def update_slowly():
        with transaction.atomic():
            customers.update_customer(slow, actor=layla, values={"notes": "بطيء"})
            written.set()
            seen.wait(20)
        connection.close()

    slower = threading.Thread(target=update_slowly)
    slower.start()
    written.wait(20)
    customers.update_customer(fast, actor=layla, values={"notes": "سريع"})
    client = as_(layla)
    first = data_of(client.get("events", {"since": 2}))
    seen.set()
    slower.join(20)
    second = data_of(client.get("events", {"since": first["seq"]}))
    assert [frame["data"]["customerId"] for frame in first["events"] + second["events"]] == [fast.pk, slow.pk]
    assert (first["seq"], second["seq"]) == (3, 4)


def test_logs_of_organizations_are_numbered_by_themselves(layla, noura):
    for actor in (layla, noura, layla):
        make_customer(actor)
    assert sorted(log.number_events()) == sorted([layla.organization_id, noura.organization_id])
    assert dict(EventHead.objects.values_list("pk", "seq")) == {layla.organization_id: 2, noura.organization_id: 1}
    assert log.number_events() == []
