"""Whoever is shown a whole national ID leaves an entry in the audit."""

import pytest

from config.models import AuditEntry
from config.testing import AdminClient, data_of, make_customer, make_employee


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed, national_id="1000000008", name="سارة")


def reads():
    return list(AuditEntry.objects.filter(operation="read").order_by("id").values_list("row_id", "actor_id"))


def test_reading_a_customer_with_a_national_id_is_recorded_once_an_hour(as_, ahmed, layla, customer, clock):
    path = f"customers/{customer.pk}"
    for _time in range(2):  # the second answer is a kept one
        data_of(as_(ahmed).get(path, headers={"X-Request-ID": "req_look"}))
    assert reads() == [(customer.pk, ahmed.pk)]
    entry = AuditEntry.objects.get(operation="read")
    assert (entry.table_name, entry.request_id, entry.door, entry.changes) == ("customers", "req_look", "api", None)
    assert entry.organization_id == ahmed.organization_id
    data_of(as_(layla).get(path))
    clock.move(hours=1)
    data_of(as_(ahmed).get(path))
    assert reads() == [(customer.pk, ahmed.pk), (customer.pk, layla.pk), (customer.pk, ahmed.pk)]


def test_an_answer_that_another_admin_had_made_is_a_read_of_its_own(as_, layla, organization, north, customer):

    other = make_employee(organization, "سلمى Salma", "admin", north)
    for viewer in (layla, other):
        data_of(as_(viewer).get(f"customers/{customer.pk}"))
    assert reads() == [(customer.pk, layla.pk), (customer.pk, other.pk)]


def test_another_process_does_not_record_it_again(as_, ahmed, customer, monkeypatch):
    data_of(as_(ahmed).get(f"customers/{customer.pk}"))
    monkeypatch.setattr("config.audit._written_down.reads", set())
    data_of(as_(ahmed).get(f"customers/{customer.pk}"))
    assert reads() == [(customer.pk, ahmed.pk)]


def test_nothing_is_recorded_where_no_whole_number_leaves(as_, ahmed, huda, layla, customer):
    without = make_customer(ahmed, notes='{"nationalId":"1000000008"}')
    seen = make_customer(layla, national_id="1000000008", assigned_employee_id=huda.pk)
    data_of(as_(ahmed).get(f"customers/{without.pk}"))
    assert data_of(as_(huda).get(f"customers/{seen.pk}"))["customer"]["nationalId"] == "******0008"
    data_of(as_(ahmed).get(f"customers/{customer.pk}?fields=name,phone"))
    data_of(as_(ahmed).get("customers"))
    assert reads() == []


def test_a_repeat_that_brings_nothing_is_no_read(as_, ahmed, customer, clock):
    client, path = as_(ahmed), f"customers/{customer.pk}"
    etag = client.get(path)["ETag"]
    clock.move(hours=1)
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert len(reads()) == 1


def test_finding_somebody_by_the_national_id_is_recorded(as_, ahmed, huda, customer):
    other = make_customer(ahmed, national_id="1000000016", name="سارة")
    found = data_of(as_(ahmed).post("customers/search", {"query": "١٠٠٠٠٠٠٠٠٨"}))["results"]
    assert [match["matchedFields"] for match in found] == [["nationalId"]]
    assert reads() == [(customer.pk, ahmed.pk)]
    assert len(data_of(as_(ahmed).post("customers/search", {"query": "سارة"}))["results"]) == 2
    assert (other.pk, ahmed.pk) not in reads()


def test_reads_are_told_to_admins_alone(as_, fatima, layla, ahmed, customer):
    data_of(as_(ahmed).get(f"customers/{customer.pk}"))
    path = f"customers/{customer.pk}/history"
    told = data_of(as_(layla).get(path, {"operation": "read"}))["history"]
    assert [(row["actor"]["id"], row["entity"], row["changes"]) for row in told] == [(ahmed.pk, "customer", [])]
    assert data_of(as_(fatima).get(path, {"operation": "read"}))["history"] == []
    assert [row["operation"] for row in data_of(as_(fatima).get(path))["history"]] == ["created"]


def test_the_pages_of_the_back_office_that_show_a_national_id_record_it_and_no_others(layla, customer):
    alone = make_customer(layla, national_id="1000000024")
    other = make_customer(layla, national_id="1000000016")
    client, page = AdminClient(layla), "/admin/customers/customer"
    for name in ("delete", "history", "do/erase"):
        assert client.get(f"{page}/{customer.pk}/{name}/").status_code == 200
    assert reads() == []
    shown = client.get(f"{page}/{customer.pk}/merge/{other.pk}/").content.decode()
    assert "1000000008" in shown and "1000000016" in shown
    assert sorted(reads()) == [(customer.pk, layla.pk), (other.pk, layla.pk)]
    assert "1000000024" in client.get(f"{page}/{alone.pk}/change/").content.decode()
    assert reads()[-1] == (alone.pk, layla.pk)
