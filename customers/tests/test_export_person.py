"""GET /customers/:id/export: all that is kept of one person, as JSON or with the files as ZIP."""

import io
import json
import zipfile

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_action, make_customer, nothing_changes
from config.tests.test_permission_matrix import make_children
from documents.models import Document
from documents.tests.files import pdf, upload

LISTS = {"properties", "interactions", "appointments", "reminders", "statusChanges", "assignments", "consents",
         "privacyRequests", "actions", "actionNotes", "documents"}  # fmt: skip


def exported(client, customer):
    return data_of(client.get(f"customers/{customer.pk}/export"))["export"]


def test_everything_is_there_as_its_own_endpoint_shows_it(as_, fatima, ahmed):
    customer, client = make_customer(ahmed, national_id="1000000008"), as_(fatima)
    make_children(ahmed, customer, title="مكالمة")
    make_action(ahmed, customer, notes="ملاحظة")
    data_of(client.patch(f"customers/{customer.pk}/stage", {"toStage": "negotiation", "reason": "زيارة"}))
    person = exported(client, customer)
    assert person.keys() == {"exportedAt", "customer", "history", *LISTS}
    assert {name: len(person[name]) for name in LISTS} == dict.fromkeys(LISTS, 1) | {"statusChanges": 2}
    shown = data_of(client.get(f"customers/{customer.pk}"))["customer"]
    related = {"properties", "interactions", "appointments", "reminders", "documents"}
    assert person["customer"] == {name: value for name, value in shown.items() if name not in related}
    assert person["customer"]["ksaCompliance"].keys() >= {"mortgageInfo", "registryInfo", "paymentSchedule"}
    assert person["interactions"] == shown["interactions"] and person["properties"] == shown["properties"]
    assert person["actionNotes"][0]["content"] == "ملاحظة"
    assert [(row["entity"], row["operation"], row["changes"]) for row in person["history"]] == [
        ("consent", "created", []),
        ("customer", "updated", [{"field": "stage", "from": "new_lead", "to": "negotiation"}]),
    ]
    link = person["documents"][0]["fileUrl"].removeprefix("http://testserver")
    assert client.get(link).status_code == 200


def test_no_list_ends_at_the_newest_fifty(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    for number in range(52):
        data_of(client.post(f"customers/{customer.pk}/interactions", {"type": "note", "notes": str(number)}), 201)
    assert [row["notes"] for row in exported(client, customer)["interactions"]] == [str(n) for n in range(52)]


def test_the_archive_holds_the_files_under_their_names(as_, fatima, ahmed):
    client, customer = as_(fatima), make_customer(ahmed)
    first, second = (pdf(size=size) for size in (2_000, 3_000))
    keys = [data_of(upload(client, customer, content, "عقد.pdf"), 201)["document"]["id"] for content in (first, second)]
    response = client.get(f"customers/{customer.pk}/export?format=zip")
    assert (response.status_code, response["Content-Type"]) == (200, "application/zip")
    assert response["Content-Disposition"] == f'attachment; filename="{customer.pk}.zip"'
    assert response["Cache-Control"] == "private, no-store"
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    names = [f"files/{key} عقد.pdf" for key in keys]
    assert archive.namelist() == ["data.json", *names]
    assert [archive.read(name) for name in names] == [first, second]
    person = json.loads(archive.read("data.json"))
    assert person["customer"]["phone"] == customer.phone
    assert [row["fileUrl"] for row in person["documents"]] == [f"/api/v1/documents/{key}/file" for key in keys]


def test_a_file_that_is_gone_leaves_the_others(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    upload(client, customer)
    Document.objects.update(storage_key="00/nothing")
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"customers/{customer.pk}/export?format=zip").getvalue()))
    assert archive.namelist() == ["data.json"]


def test_an_export_is_recorded_each_time_also_of_a_deleted_customer(as_, layla):
    client, customer = as_(layla), make_customer(layla)
    data_of(client.delete(f"customers/{customer.pk}"))
    for query in ("", "?format=zip"):
        assert client.get(f"customers/{customer.pk}/export{query}").status_code == 200
    entries = AuditEntry.objects.filter(operation="read").values_list("row_id", "actor_id")
    assert list(entries) == [(customer.pk, layla.pk)] * 2


def test_who_may_not_export_leaves_no_trace(as_, fatima, ahmed, omar, huda, noura):
    mine, theirs = make_customer(ahmed), make_customer(omar)
    with nothing_changes():
        for viewer in (ahmed, huda):
            error = error_of(as_(viewer).get(f"customers/{mine.pk}/export"), 403, "PERMISSION_DENIED")
            assert error["details"]["requiredPermission"] == "customers.export"
        for viewer in (fatima, noura):
            error_of(as_(viewer).get(f"customers/{theirs.pk}/export"), 404, "RESOURCE_NOT_FOUND")
        assert fields_of(as_(fatima).get(f"customers/{mine.pk}/export?format=xml")) == ["format"]
