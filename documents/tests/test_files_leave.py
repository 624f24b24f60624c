"""Files leave with their rows, after the commit, and no sooner."""

import os
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.models import AuditEntry
from config.testing import at_once, data_of, error_of, make_customer, one_request, requests, statuses
from customers.services.customer import purge_customer
from documents import services
from documents.models import Document
from documents.tasks import purge_id_copies, sweep_files
from documents.tests.files import form, make_document, pdf, send, stored, upload
from employees.models import Organization
from realtime.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed)


def test_the_file_of_a_removed_document_is_gone(as_, ahmed, customer):
    kept, removed = (data_of(upload(as_(ahmed), customer), 201)["document"] for _ in range(2))
    answer = data_of(as_(ahmed).delete(f"customers/{customer.pk}/documents/{removed['id']}"))
    assert answer.keys() == {"id", "deletedAt"} and answer["id"] == removed["id"]
    (row,) = Document.objects.all()
    assert row.pk == kept["id"] and set(stored()) == {row.storage_key}
    error_of(as_(ahmed).delete(f"customers/{customer.pk}/documents/{removed['id']}"), 404, "RESOURCE_NOT_FOUND")


def test_of_a_removed_document_neither_the_log_nor_a_repeated_upload_tells(as_, ahmed, customer):
    sent = {"name": "الكناري", "headers": {"Idempotency-Key": "upload-1"}}
    removed = data_of(upload(as_(ahmed), customer, **sent), 201)["document"]
    assert "الكناري" in str(list(Event.objects.values_list("data", "row")))
    data_of(as_(ahmed).delete(f"customers/{customer.pk}/documents/{removed['id']}"))
    assert "الكناري" not in str(list(Event.objects.values_list("data", "row")))
    error_of(upload(as_(ahmed), customer, **sent), 409, "CONFLICT")
    assert Document.objects.count() == 0


def test_a_removal_that_is_taken_back_keeps_the_file(as_, ahmed, customer):
    upload(as_(ahmed), customer)
    with transaction.atomic():
        services.remove_document(Document.objects.get(), actor=ahmed)
        transaction.set_rollback(True)
    assert set(stored()) == {Document.objects.get().storage_key}


def test_an_upload_that_fails_at_its_row_keeps_no_file(as_, ahmed, customer, monkeypatch):
    def fail(*args, **kwargs):
        assert len(stored()) == 1
        raise RuntimeError

    monkeypatch.setattr(services, "tell", fail)
    error_of(upload(as_(ahmed), customer), 500, "INTERNAL_ERROR")
    assert (Document.objects.count(), stored()) == (0, {})


def test_a_deleted_customer_keeps_its_files_a_purged_one_does_not(as_, layla, ahmed, customer):
    upload(as_(ahmed), customer, name="هوية الكناري", type="id_copy")
    document = Document.objects.get()
    data_of(as_(ahmed).patch(f"customers/{customer.pk}/documents/{document.pk}", {"name": "الكناري"}))
    other = make_document(as_(ahmed), ahmed)
    data_of(as_(layla).delete(f"customers/{customer.pk}"))
    assert len(stored()) == 2
    error_of(as_(ahmed).get(f"documents/{document.pk}/file"), 404, "RESOURCE_NOT_FOUND")
    data_of(as_(layla).post(f"customers/{customer.pk}/restore"))
    assert as_(ahmed).get(f"documents/{document.pk}/file").status_code == 200
    data_of(as_(layla).delete(f"customers/{customer.pk}?permanent=true"))
    (left,) = Document.objects.all()
    assert left.pk == other["id"] and set(stored()) == {left.storage_key}
    entries = AuditEntry.objects.filter(row_id=document.pk).exclude(changes=None)
    assert "الكناري" not in str(list(entries.values())) and AuditEntry.objects.filter(row_id=document.pk).count() >= 3


def test_a_purge_that_is_taken_back_keeps_the_files(as_, ahmed, layla, customer):
    upload(as_(ahmed), customer)
    with transaction.atomic():
        purge_customer(customer, actor=layla)
        transaction.set_rollback(True)
    assert set(stored()) == {Document.objects.get().storage_key}


def test_removed_while_somebody_reads_it(as_, ahmed, layla, customer):
    content = pdf(size=300_000)
    key = data_of(upload(as_(ahmed), customer, content), 201)["document"]["id"]
    reading = as_(layla).get(f"documents/{key}/file")
    data_of(as_(ahmed).delete(f"customers/{customer.pk}/documents/{key}"))
    # Whoever has begun reads to the end; whoever comes later finds nothing.
    assert b"".join(reading.streaming_content) == content
    error_of(as_(layla).get(f"documents/{key}/file"), 404, "RESOURCE_NOT_FOUND")


def test_downloads_and_a_removal_at_once_give_the_whole_file_or_none(as_, ahmed, customer):
    content = pdf(size=100_000)
    for _ in range(3):
        key = data_of(upload(as_(ahmed), customer, content), 201)["document"]["id"]
        calls = [one_request(ahmed, "get", f"documents/{key}/file") for _ in range(4)]
        calls.append(one_request(ahmed, "delete", f"customers/{customer.pk}/documents/{key}"))
        *reads, removal = at_once(*calls)
        assert removal.status_code == 200
        for response in reads:
            assert response.status_code in (200, 404)
            if response.status_code == 200:
                assert b"".join(response.streaming_content) == content
    assert stored() == {}


def test_of_removals_at_once_one_is_heard(as_, ahmed, customer):
    key = data_of(upload(as_(ahmed), customer), 201)["document"]["id"]
    removal = ("delete", f"customers/{customer.pk}/documents/{key}")
    assert statuses(requests(ahmed, [removal] * 4)) == [200, 404, 404, 404]
    assert stored() == {}


# --- By age -------------------------------------------------------------------------------------------


def test_copies_of_ids_leave_when_their_time_has_come(as_, ahmed, noura, organization):
    Organization.objects.filter(pk=organization.pk).update(id_copy_days=30)
    ages = {}
    for name, kind, days in (("قديمة", "id_copy", 31), ("حديثة", "id_copy", 29), ("عقد", "contract", 99)):
        ages[name] = make_document(as_(ahmed), ahmed, name=name, type=kind)["id"]
        Document.objects.filter(pk=ages[name]).update(created_at=timezone.now() - timedelta(days=days))
    theirs = make_document(as_(noura), noura, type="id_copy")["id"]
    Document.objects.filter(pk=theirs).update(created_at=timezone.now() - timedelta(days=999))
    AuditEntry.objects.all().delete()
    assert purge_id_copies() == 1
    assert set(Document.objects.values_list("pk", flat=True)) == {ages["حديثة"], ages["عقد"], theirs}
    assert set(stored()) == set(Document.objects.values_list("storage_key", flat=True))
    (entry,) = AuditEntry.objects.all()
    assert (entry.operation, entry.table_name, entry.row_id) == ("delete", "documents", ages["قديمة"])
    assert (entry.actor_id, entry.changes) == ("system", None)
    assert purge_id_copies() == 0


def test_the_event_log_forgets_copies_of_ids_that_leave_by_age(as_, layla, ahmed, omar, organization, customer):
    Organization.objects.filter(pk=organization.pk).update(id_copy_days=30)
    data_of(upload(as_(ahmed), customer, name="هوية الكناري", type="id_copy"), 201)
    data_of(as_(layla).patch(f"customers/{customer.pk}", {"assignedEmployeeId": omar.pk, "notes": "ملاحظة"}))
    told = Event.objects.filter(customer_id=customer.pk)
    assert str(list(told.values())).count("هوية الكناري") == 2
    Document.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert purge_id_copies() == 1
    assert "الكناري" not in str(list(told.values()))
    handed = told.get(data__changes__notes="ملاحظة")
    assert (handed.row["notes"], handed.row["documents"]) == ("ملاحظة", [])
    # Clients are told of the list as it is now.
    assert told.latest("pk").data["changes"]["documents"] == []


# --- What a crash leaves behind -------------------------------------------------------------------------


def aged(key, **age):
    then = time.time() - timedelta(**age).total_seconds()
    os.utime(settings.DOCUMENT_FOLDER / key, (then, then))


def test_files_without_a_row_are_swept_after_a_day(as_, ahmed, customer):
    assert sweep_files() == 0
    for _ in range(3):
        upload(as_(ahmed), customer)
    kept, old, young = Document.objects.order_by("created_at").values_list("storage_key", flat=True)
    Document.objects.exclude(storage_key=kept).delete()
    aged(kept, days=9)
    aged(old, hours=25)
    aged(young, hours=23)
    assert sweep_files() == 1
    assert set(stored()) == {kept, young}


def test_a_file_is_stored_before_its_row(as_, ahmed, customer, monkeypatch):
    """What kill -9 leaves between storing and commit is a file without a row, never a row without its file."""
    keep, seen = services.storage.keep, []

    def watched(file):
        key = keep(file)
        seen.append((set(stored()) == {key}, Document.objects.count()))
        return key

    monkeypatch.setattr(services.storage, "keep", watched)
    data_of(send(as_(ahmed), customer, form(pdf(), "a.pdf")), 201)
    assert seen == [(True, 0)] and Document.objects.count() == 1
