"""/customers/:id/appointments: when, where and with whom; day, time and moment always agree."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from config.testing import data_of, error_of, fields_of, make_customer, make_employee, nothing_changes
from customers.models import Appointment, Customer, StatusChange
from customers.services import customer as customers
from employees.choices import Role
from employees.models import Organization

NOON = datetime(2026, 1, 15, 9, 0, tzinfo=ZoneInfo("UTC"))  # in Riyadh


@pytest.fixture(autouse=True)
def _at_noon(clock):
    clock.now = NOON


@pytest.fixture
def customer(ahmed, clock):
    return make_customer(ahmed)


@pytest.fixture
def path(customer):
    return f"customers/{customer.pk}/appointments"


def add(client, path, **body):
    return data_of(client.post(path, {"type": "site_visit", **body}), 201)["appointment"]


def when(row):
    return row["date"], row["time"], row["datetime"]


def test_everything_about_an_appointment_comes_back_as_it_was_written(as_, ahmed, path):
    body = {
        "title": "معاينة فيلا الياسمين", "titleEn": "Villa visit", "type": "site_visit", "duration": 60,
        "location": "الرياض - الياسمين", "propertyId": "prop_villa_023", "propertyTitle": "فيلا", "priority": "high",
        "status": "confirmed", "notes": "إحضار مخططات العقار", "outcome": "لا شيء بعد",
    }  # fmt: skip
    moment = {"date": "2026-01-28", "time": "14:00", "datetime": "2026-01-28T11:00:00Z"}
    ignored = {"agentName": "غيره", "reminderSent": True, "createdAt": "2001-01-01T00:00:00Z"}
    response = as_(ahmed).post(path, {**body, **moment, **ignored})
    shown = data_of(response, 201)["appointment"]
    assert shown == {
        **body, **moment, "id": shown["id"], "agentName": ahmed.name, "agentId": ahmed.pk, "reminderSent": False,
        "createdAt": "2026-01-15T09:00:00Z", "updatedAt": "2026-01-15T09:00:00Z",
    }  # fmt: skip
    assert shown["id"].startswith("apt_") and response["Location"] == f"/api/v1/{path}/{shown['id']}"
    assert data_of(as_(ahmed).get(f"{path}/{shown['id']}"))["appointment"] == shown


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # The specification's example contradicts itself: the moment wins.
        ({"date": "2026-01-28", "time": "11:00", "datetime": "2026-01-28T11:00:00Z"}, "2026-01-28 14:00 11:00"),
        ({"datetime": "2026-01-28T22:30:00Z"}, "2026-01-29 01:30 22:30"),
        ({"datetime": "2026-01-28T14:00"}, "2026-01-28 14:00 11:00"),
        ({"date": "2026-01-28", "time": "11:00"}, "2026-01-28 11:00 08:00"),
        ({"date": "٢٠٢٦-٠١-٢٨", "time": "٩:٠٥"}, "2026-01-28 09:05 06:05"),
        ({"date": "2026-01-28", "time": "01:00", "datetime": ""}, "2026-01-28 01:00 22:00"),
        ({"date": "2026-01-28", "time": "10:30:00"}, "2026-01-28 10:30 07:30"),
        ({"date": "", "time": "", "datetime": "2026-01-28T11:00:00Z"}, "2026-01-28 14:00 11:00"),
        # What the client's dialog sends: the day of a whole moment, which is the next one in Riyadh.
        ({"date": "2026-01-27T21:30:00.000Z", "time": "10:00"}, "2026-01-28 10:00 07:00"),
    ],
)
def test_day_time_and_moment_always_agree(as_, ahmed, path, body, expected):
    shown = add(as_(ahmed), path, **body)
    day, clock, utc = expected.split()
    assert (shown["date"], shown["time"], shown["datetime"][11:16]) == (day, clock, utc)


def test_days_are_those_of_the_organization(as_, ahmed, path):
    Organization.objects.update(time_zone="Europe/London")
    ahmed.organization.refresh_from_db()
    shown = add(as_(ahmed), path, date="2026-07-01", time="10:00")
    assert when(shown) == ("2026-07-01", "10:00", "2026-07-01T09:00:00Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "datetime"),
        ({"date": "2026-01-28"}, "time"),
        ({"time": "10:00"}, "date"),
        ({"date": "2026-02-30", "time": "10:00"}, "date"),
        ({"date": "2026-01-28", "time": "24:00"}, "time"),
        ({"date": "2026-01-28", "time": "10"}, "time"),
        ({"date": "2026-01-28", "time": 10}, "time"),
        ({"date": 20260128, "time": "10:00"}, "date"),
        ({"datetime": "soon"}, "datetime"),
        ({"datetime": "9999-12-31T23:59:59Z"}, "datetime"),
        ({"datetime": "2201-01-01T00:00:00Z"}, "datetime"),
        ({"datetime": "1899-12-31T23:59:59Z", "status": "completed"}, "datetime"),
        ({"datetime": "0001-01-01T00:00:00Z", "status": "completed"}, "datetime"),
        ({"date": "9999-12-31", "time": "23:59"}, "date"),
        ({"date": "2026-01-28", "time": "10:30:60"}, "time"),
        ({"date": "2026-01-28", "time": ""}, "time"),
        ({"datetime": "2026-01-28", "type": "party"}, "type"),
        ({"datetime": "2026-01-28", "duration": 4}, "duration"),
        ({"datetime": "2026-01-28", "duration": 1441}, "duration"),
        ({"datetime": "2026-01-28", "status": "late"}, "status"),
        ({"datetime": "2026-01-28", "priority": "highest"}, "priority"),
        ({"datetime": "2026-01-28", "title": "x" * 501}, "title"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(as_, ahmed, path, body, field):
    with nothing_changes():
        assert fields_of(as_(ahmed).post(path, {"type": "site_visit", **body})) == [field]


@pytest.mark.parametrize("year", [1, 9999])
def test_one_at_an_end_of_time_that_came_before_the_rule_is_still_read_and_edited(as_, ahmed, path, year):
    client = as_(ahmed)
    key = add(client, path, datetime="2026-01-28T11:00:00Z")["id"]
    stored = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23, 59, tzinfo=ZoneInfo("UTC"))
    Appointment.objects.update(datetime=stored)
    Organization.objects.update(time_zone="Asia/Riyadh" if year > 1 else "America/New_York")
    one, moment = f"{path}/{key}", stored.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
    assert data_of(client.get(one))["appointment"]["datetime"] == moment
    assert data_of(client.patch(one, {"notes": "قديم", "status": "cancelled"}))["appointment"]["notes"] == "قديم"
    assert fields_of(client.patch(one, {"datetime": moment})) == ["datetime"]
    assert client.patch(one, {"time": "10:00"}).status_code < 500
    assert client.patch(one, {"date": "2026-01-28"}).status_code < 500
    assert data_of(client.patch(one, {"datetime": "2026-01-28T11:00:00Z"}))["appointment"]["id"] == key


def test_what_is_left_out_has_its_usual_value(as_, ahmed, path):
    shown = add(
        as_(ahmed), path, datetime="2026-01-28T11:00:00Z", title="", duration=None, status="", type="phone_call"
    )
    usual = {"title": "مكالمة هاتفية", "titleEn": "Phone call", "duration": 30, "status": "scheduled"}
    assert {name: shown[name] for name in usual} == usual and shown["priority"] == "medium"


def test_what_has_passed_says_how_it_ended(as_, ahmed, path):
    client, past = as_(ahmed), "2026-01-15T08:59:00Z"
    for status in ("scheduled", "confirmed"):
        with nothing_changes():
            response = client.post(path, {"type": "site_visit", "datetime": past, "status": status})
            assert fields_of(response, 422) == ["datetime"]
    for status in ("completed", "cancelled", "no_show"):
        add(client, path, datetime=past, status=status)
    one = f"{path}/{Appointment.objects.get(status='cancelled').pk}"
    with nothing_changes():
        assert fields_of(client.patch(one, {"status": "scheduled"}), 422) == ["datetime"]


def test_one_that_lies_ahead_is_not_over(as_, ahmed, path, clock):
    client, ahead, nearly = as_(ahmed), "2026-01-15T09:06:00Z", "2026-01-15T09:05:00Z"
    one = f"{path}/{add(client, path, datetime=ahead)['id']}"
    for status in ("completed", "no_show"):
        with nothing_changes():
            body = {"type": "site_visit", "datetime": ahead, "status": status}
            assert fields_of(client.post(path, body), 422) == ["status"]
            assert fields_of(client.patch(one, {"status": status}), 422) == ["status"]
        add(client, path, datetime=nearly, status=status)
    over = f"{path}/{Appointment.objects.get(status='completed').pk}"
    with nothing_changes():
        assert fields_of(client.patch(over, {"datetime": "2026-01-16T09:00:00Z"}), 422) == ["status"]
    # What was stored before the rule is still edited.
    Appointment.objects.filter(status="completed").update(datetime="2026-02-01T09:00:00Z")
    shown = data_of(client.get(over))["appointment"]
    assert data_of(client.put(over, {**shown, "notes": "قديم"}))["appointment"] == {**shown, "notes": "قديم"}
    clock.move(minutes=1)
    assert data_of(client.patch(one, {"status": "completed"}))["appointment"]["status"] == "completed"


def test_one_that_has_passed_is_still_edited_but_not_moved_into_the_past(as_, ahmed, path, clock):
    client = as_(ahmed)
    shown = add(client, path, datetime="2026-01-15T10:00:00Z")
    one = f"{path}/{shown['id']}"
    clock.move(hours=5)
    assert data_of(client.put(one, {**shown, "notes": "تأخر"}))["appointment"]["notes"] == "تأخر"
    assert data_of(client.patch(one, {"status": "confirmed"}))["appointment"]["status"] == "confirmed"
    with nothing_changes():
        assert fields_of(client.patch(one, {"time": "15:00"}), 422) == ["datetime"]
    assert data_of(client.patch(one, {"status": "no_show"}))["appointment"]["status"] == "no_show"
    moved = data_of(client.patch(one, {"status": "scheduled", "date": "2026-01-20"}))["appointment"]
    assert when(moved) == ("2026-01-20", "13:00", "2026-01-20T10:00:00Z")


def test_a_new_day_or_time_moves_it_even_beside_the_moment_that_it_had(as_, ahmed, path):
    client = as_(ahmed)
    shown = add(client, path, datetime="2026-01-28T11:00:30Z")
    one = f"{path}/{shown['id']}"

    def put(**body):
        return when(data_of(client.put(one, {**shown, **body}))["appointment"])

    assert put() == when(shown) == ("2026-01-28", "14:00", "2026-01-28T11:00:30Z")
    assert put(time="16:15") == ("2026-01-28", "16:15", "2026-01-28T13:15:00Z")
    assert put(datetime="2026-01-29T11:00:00Z") == ("2026-01-29", "14:00", "2026-01-29T11:00:00Z")
    moved = data_of(client.patch(one, {"date": "2026-02-01"}))["appointment"]
    assert when(moved) == ("2026-02-01", "14:00", "2026-02-01T11:00:00Z")


def test_an_appointment_without_a_title_is_called_after_its_type_again(as_, ahmed, path):
    one = f"{path}/{add(as_(ahmed), path, datetime='2026-01-28', title='خاص')['id']}"
    shown = data_of(as_(ahmed).patch(one, {"title": "", "titleEn": "", "type": "video_call"}))["appointment"]
    assert (shown["title"], shown["titleEn"]) == ("مكالمة مرئية", "Video call")


def totals(customer):
    row = Customer.objects.get(pk=customer.pk)
    return row.total_appointments, row.total_property_views


def test_appointments_and_completed_visits_are_counted(as_, ahmed, customer, path, clock):
    Customer.objects.filter(pk=customer.pk).update(total_appointments=5)
    client = as_(ahmed)
    visit = f"{path}/{add(client, path, datetime='2026-01-28')['id']}"
    meeting = f"{path}/{add(client, path, type='office_meeting', datetime='2026-01-28')['id']}"
    clock.move(days=13)
    for one in (visit, meeting):
        data_of(client.patch(one, {"status": "completed"}))
    assert totals(customer) == (7, 1)
    data_of(client.patch(meeting, {"type": "site_visit"}))
    assert totals(customer) == (7, 2)
    data_of(client.delete(visit))
    assert totals(customer) == (6, 1)
    changes = StatusChange.objects.filter(item_id=meeting.rpartition("/")[2]).order_by("recorded_at", "id")
    assert list(changes.values_list("from_status", "to_status")) == [(None, "scheduled"), ("scheduled", "completed")]


def test_who_assigns_names_the_agent_or_nobody(as_, fatima, ahmed, omar, path):
    shown = add(as_(fatima), path, datetime="2026-01-28", agentId=ahmed.pk)
    one = f"{path}/{shown['id']}"
    assert (shown["agentId"], shown["agentName"]) == (ahmed.pk, ahmed.name)
    assert data_of(as_(ahmed).patch(one, {"agentId": None}))["appointment"]["agentId"] == ahmed.pk
    assert not {"agentId", "agentName"} & data_of(as_(fatima).patch(one, {"agentId": None}))["appointment"].keys()
    with nothing_changes():
        assert fields_of(as_(fatima).patch(one, {"agentId": omar.pk}), 422) == ["agentId"]


@pytest.mark.parametrize("has_successor", [True, False])
def test_who_leaves_hands_over_what_is_to_come_and_keeps_what_was(
    as_, layla, ahmed, organization, north, path, clock, has_successor
):
    successor = make_employee(organization, "سامي Sami", Role.SALES_AGENT, north)
    client = as_(layla)
    coming = add(client, path, datetime="2026-01-28", agentId=ahmed.pk)
    done = add(client, path, datetime="2026-01-10", agentId=ahmed.pk, status="completed")
    today = add(client, path, datetime="2026-01-15T10:00:00Z", agentId=ahmed.pk)
    clock.move(hours=2)
    body = {"successorId": successor.pk} if has_successor else {}
    data_of(client.post(f"employees/{ahmed.pk}/deactivate", body))
    agents = {
        row["id"]: (row.get("agentId"), row.get("agentName")) for row in data_of(client.get(path))["appointments"]
    }
    heir = (successor.pk, successor.name) if has_successor else (None, None)
    assert agents == {
        coming["id"]: heir, done["id"]: (ahmed.pk, ahmed.name), today["id"]: (ahmed.pk, ahmed.name),
    }  # fmt: skip


def test_whoever_takes_the_customer_over_sees_its_appointments_as_they_were(as_, layla, ahmed, omar, customer, path):
    shown = add(as_(ahmed), path, datetime="2026-01-28")
    customers.assign_customer(customer, actor=layla, employee_id=omar.pk)
    assert data_of(as_(omar).get(path))["appointments"] == [shown]
    error_of(as_(ahmed).get(path), 404)


def test_the_list_is_in_order_of_time_and_narrowed_on_demand(as_, layla, ahmed, path):
    client = as_(layla)
    late = add(client, path, datetime="2026-02-03T21:30:00Z", priority="high")["id"]  # the 4th in Riyadh
    soon = add(client, path, datetime="2026-01-28", type="video_call", status="confirmed", agentId=ahmed.pk)["id"]

    def listed(**query):
        return [row["id"] for row in data_of(client.get(path, query))["appointments"]]

    assert listed() == [soon, late] and listed(sortBy="createdAt") == [late, soon]
    assert listed(status="confirmed") == listed(type="video_call") == listed(agentId=ahmed.pk) == [soon]
    assert listed(priority="high") == listed(dateFrom="2026-02-04") == [late]
    assert listed(dateTo="2026-02-03") == [soon]
    assert fields_of(client.get(path, {"status": "late"})) == ["status"]
