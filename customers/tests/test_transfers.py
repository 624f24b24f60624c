"""Files that go in and out in the background: services.transfer, and the worker that runs them."""

import csv
import io
import os
import shutil
from datetime import timedelta

import openpyxl
import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation
from rest_framework.exceptions import ValidationError as Malformed

from config.api.exceptions import ServiceAway
from config.models import AuditEntry
from config.testing import make_customer, make_employee, make_listing, make_phone, nothing_changes
from customers.models import Customer, Listing, StageChange, Transfer
from customers.services import transfer as services
from customers.tasks import prune_transfers, run_transfers
from customers.transfer_files import transfer_files
from customers.transferring import KEPT_FOR, MOST_ATTEMPTS
from employees.choices import GatePreset, Role

HEADER = "الاسم;الجوال;المدينة;المرحلة;الموظف المسؤول;ملاحظات;لون"
ROWS = ["منيرة السبيعي;0511234567;جدة;;;;أزرق", "نورة الجهني;0541242486;;;;;", "هند;12;;;;;"]


@pytest.fixture(autouse=True)
def _no_files_left():
    yield
    shutil.rmtree(settings.DOCUMENT_FOLDER, ignore_errors=True)


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """A block after which whatever waits for a commit is done."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def table(*rows, header=HEADER):
    return "\n".join([header, *rows]) + "\n"


def upload(actor, content, *, name="customers.csv", what="customers", **options):
    content = content if isinstance(content, bytes) else content.encode("utf-8-sig")
    return services.start_import(actor=actor, file=SimpleUploadedFile(name, content), what=what, **options)


def run(transfer):
    """The transfer after a worker has passed."""
    assert run_transfers() == transfer.pk
    transfer.refresh_from_db()
    return transfer


def checked(actor, content, **options):
    return run(services.check(upload(actor, content, **options), actor=actor))


def imported(actor, content, **options):
    return run(services.confirm(checked(actor, content, **options), actor=actor))


def exported(actor, **options):
    options = {"what": "customers", **options}
    return run(services.start_export(actor=actor, **options))


def lines_of(transfer, actor):
    with services.open_output(transfer, actor=actor) as file:
        return list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"))))


def errors_of(transfer, actor):
    with services.open_errors(transfer, actor=actor) as file:
        return list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"))))


def stored():
    return [path for path in settings.DOCUMENT_FOLDER.rglob("*") if path.is_file()]


# --- Imports -----------------------------------------------------------------------------------


def test_an_upload_shows_its_first_rows_and_what_its_headers_mean(layla):
    transfer = upload(layla, table(*ROWS))
    assert (transfer.status, transfer.format, transfer.file_name) == ("uploaded", "csv", "customers.csv")
    assert transfer.preview == {"headers": HEADER.split(";"), "rows": [row.split(";") for row in ROWS]}
    assert transfer.mapping == ["name", "phone", "city", "stage", "assigned_employee_id", "notes", ""]
    with translation.override("ar"):
        assert ("phone", "الجوال") in services.column_choices("customers")
    assert ("phone", "Phone") in services.column_choices("customers")
    assert run_transfers() is None


def test_a_check_counts_everything_and_changes_nothing(layla):
    transfer = upload(layla, table(*ROWS))
    with nothing_changes():
        before = set(AuditEntry.objects.values_list("pk", flat=True))
        checked = run(services.check(transfer, actor=layla))
        # The transfer's own entries are no change of what it is about.
        AuditEntry.objects.filter(table_name="transfers").exclude(pk__in=before).delete()
    assert (checked.status, checked.progress, checked.rows_done) == ("checked", 1, 3)
    assert checked.counts == {
        "read": 3, "inserted": 2, "updated": 0, "unchanged": 0, "duplicates": 0, "bad": 1, "notices": 0,
    }  # fmt: skip
    (bad,) = checked.sample
    assert (bad["row"], bad["severity"], bad["column"], bad["value"]) == (4, "error", "الجوال", "12")
    assert [(line["row"], line["value"]) for line in errors_of(checked, layla)] == [("4", "12")]


def test_a_confirmed_import_is_done_by_who_asked(layla, committed):
    with committed():
        transfer = imported(layla, table(*ROWS))
    assert (transfer.status, transfer.counts["inserted"], transfer.counts["bad"]) == ("done", 2, 1)
    assert sorted(Customer.objects.values_list("phone", flat=True)) == ["+966511234567", "+966541242486"]
    change = StageChange.objects.filter(customer__phone="+966511234567").get()
    assert (change.changed_by, change.changed_by_id, change.auto_generated) == (layla.name, layla.pk, False)
    entries = AuditEntry.objects.filter(table_name="customers", operation="insert")
    assert set(entries.values_list("actor_id", flat=True)) == {layla.pk}
    # The source is gone, the error file is not.
    assert (transfer.source_key, transfer.preview, len(stored())) == ("", {}, 1)


def test_columns_are_chosen_by_people(layla):
    header = "العميل;رقم;هاتف آخر;المدينة"
    transfer = upload(layla, table("سارة;7;0501234567;جدة", header=header))
    assert transfer.mapping == ["name", "", "", "city"]
    services.check(transfer, actor=layla, mapping=["name", "", "phone", ""])
    transfer = run(transfer)
    assert (transfer.status, transfer.counts["inserted"], transfer.counts["notices"]) == ("checked", 1, 0)
    run(services.confirm(transfer, actor=layla))
    customer = Customer.objects.get()
    assert (customer.name, customer.phone, customer.city) == ("سارة", "+966501234567", "")


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (["name", "name", "", ""], "Two headers cannot be the same column"),
        (["name", "phone"], "Must name a column"),
        (["name", "phone", "nothing", ""], "Must name a column"),
        (["name", "", "", ""], "no column for phone"),
    ],
)
def test_columns_that_make_no_sense_are_refused(layla, mapping, sentence):
    transfer = upload(layla, table("سارة;0501234567;;", header="الاسم;الجوال;المدينة;الحي"))
    with pytest.raises(ValidationError, match=sentence) as refusal:
        services.check(transfer, actor=layla, mapping=mapping)
    assert list(refusal.value.message_dict) == ["mapping"]
    assert Transfer.objects.get().status == "uploaded"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b'[{"name": "x"}]', "Only CSV and Excel"),
        (b"%PDF-1.7 a;b", "Only CSV and Excel"),
        (b"a\0b", "not a text file"),
        (b"PK\x03\x04 no archive", "not an Excel file"),
        (b"\xd0\xcf\x11\xe0 old", "old Excel file"),
        (b"a;" * 201 + b"a\n", "more than 200 columns"),
    ],
)
def test_other_files_are_refused_and_not_kept(layla, content, sentence):
    with pytest.raises(ValidationError, match=sentence) as refusal:
        upload(layla, content)
    assert list(refusal.value.message_dict) == ["file"]
    assert not Transfer.objects.exists() and stored() == []


def test_a_file_that_is_too_large_is_refused(layla, settings):
    settings.MAX_FILE_BYTES = 100
    with pytest.raises(ValidationError, match="larger than"):
        upload(layla, table(*ROWS * 10))


def test_agents_and_viewers_import_nothing(ahmed, huda):
    for actor in (ahmed, huda):
        with pytest.raises(PermissionDenied):
            upload(actor, table(*ROWS))
        with pytest.raises(PermissionDenied):
            upload(actor, table("a", header="title"), what="listings")


def test_a_manager_assigns_to_the_own_team_alone(fatima, ahmed, omar):
    rows = [f"سارة;0501234567;;;{ahmed.email};;", f"هند;0501234568;;;{omar.email};;"]
    transfer = imported(fatima, table(*rows))
    assert (transfer.counts["inserted"], transfer.counts["bad"]) == (1, 1)
    assert Customer.objects.get().assigned_employee == ahmed
    assert [line["reason"] for line in transfer.sample] == ["Must be an active employee of your team"]


def test_a_manager_changes_no_customer_of_another_team_and_learns_no_id(layla, fatima, ahmed, omar):
    theirs = make_customer(layla, phone="+966501234567", name="سارة", assigned_employee_id=omar.pk)
    mine = make_customer(layla, phone="+966501234568", name="هند", assigned_employee_id=ahmed.pk)
    rows = ["أخرى;0501234567;;;;;", "هند القحطاني;0501234568;;;;;"]
    transfer = imported(fatima, table(*rows), upsert=True)
    assert (transfer.counts["updated"], transfer.counts["duplicates"]) == (1, 1)
    assert Customer.objects.get(pk=theirs.pk).name == "سارة"
    assert Customer.objects.get(pk=mine.pk).name == "هند القحطاني"
    assert [line["reason"] for line in transfer.sample] == ["A customer with this phone number exists already"]
    entry = AuditEntry.objects.get(table_name="customers", operation="update")
    assert (entry.actor_id, entry.changes["name"]) == (fatima.pk, ["هند", "هند القحطاني"])


def test_the_gates_are_asked_of_customers_whom_an_import_moves_on(layla, organization):
    organization.gate_preset = GatePreset.STRICT
    organization.save()
    make_customer(layla, phone="+966501234567", preferences={"propertyType": ["villa"]})
    make_customer(layla, phone="+966501234568", preferences={})
    layla.refresh_from_db()
    rows = ["سارة;0501234567;;مؤهل;;;", "هند;0501234568;;مؤهل;;;"]
    transfer = imported(layla, table(*rows), upsert=True)
    assert (transfer.counts["updated"], transfer.counts["bad"]) == (1, 1)
    assert dict(Customer.objects.values_list("phone", "stage")) == {
        "+966501234567": "qualified",
        "+966501234568": "new_lead",
    }
    assert Customer.objects.get(phone="+966501234568").name != "هند"
    assert transfer.sample[0]["reason"].startswith("A qualified customer needs")


def test_the_reasons_are_in_the_language_of_who_asked(layla):
    with translation.override("ar"):
        transfer = services.check(upload(layla, table(*ROWS)), actor=layla)
    transfer = run(transfer)
    with services.open_errors(transfer, actor=layla) as file:
        header = file.read().decode("utf-8-sig").splitlines()[0]
    assert header != "row,severity,column,value,reason"


def test_listings_come_in_the_same_way(fatima):
    content = table("A-1;فيلا في النرجس;فيلا;للبيع;٢٥٠٠٠٠٠", header="رقم العقار;العنوان;نوع العقار;الغرض;السعر")
    transfer = imported(fatima, content, what="listings")
    assert (transfer.status, transfer.counts["inserted"]) == ("done", 1)
    assert Listing.objects.get().price == 2_500_000


# --- What becomes of transfers --------------------------------------------------------------------


def test_only_who_uploaded_a_file_imports_it_and_only_after_a_check(layla, fatima, noura):
    transfer = upload(fatima, table(*ROWS))
    with pytest.raises(ValidationError, match="Only the person who uploaded"):
        services.check(transfer, actor=layla)
    with pytest.raises(Transfer.DoesNotExist):
        services.check(transfer, actor=noura)
    with pytest.raises(ValidationError) as conflict:
        services.confirm(transfer, actor=fatima)
    assert conflict.value.code == "conflict"


def test_everybody_sees_their_own_and_admins_the_organizations(layla, fatima, noura):
    transfer = upload(fatima, table(*ROWS))
    other = make_employee(fatima.organization, "سعود Saud", Role.SALES_MANAGER, fatima.team)
    for person, sees in ((layla, True), (fatima, True), (other, False), (noura, False)):
        assert Transfer.objects.visible_to(person).filter(pk=transfer.pk).exists() is sees


def test_who_lost_the_right_meanwhile_imports_nothing(fatima, committed):
    services.check(upload(fatima, table(*ROWS)), actor=fatima)
    fatima.role = Role.SALES_AGENT
    fatima.save()
    with committed():
        transfer = run(Transfer.objects.get())
    assert (transfer.status, transfer.error) == ("failed", "The person who asked for it may not do this any more")
    assert not Customer.objects.exists() and stored() == []


def test_a_cancelled_import_is_not_done(layla):
    transfer = services.confirm(checked(layla, table(*ROWS)), actor=layla)
    services.cancel(transfer, actor=layla)
    assert run_transfers() is None
    assert Transfer.objects.get().status == "cancelled" and not Customer.objects.exists()
    with pytest.raises(ValidationError, match="ended already"):
        services.cancel(transfer, actor=layla)


def test_an_import_that_is_cancelled_while_it_runs_leaves_nothing(layla, monkeypatch):
    transfer = services.confirm(checked(layla, table(*ROWS)), actor=layla)
    original = services.on_disk

    def cancel_first(file):
        Transfer.objects.filter(pk=transfer.pk).update(status="cancelled")
        return original(file)

    monkeypatch.setattr("customers.transferring.on_disk", cancel_first)
    assert run(transfer).status == "cancelled"
    assert not Customer.objects.exists()


def test_what_a_worker_left_is_begun_anew_but_not_for_ever(layla):
    transfer = services.confirm(checked(layla, table(*ROWS)), actor=layla)
    Transfer.objects.filter(pk=transfer.pk).update(attempts=MOST_ATTEMPTS - 1)
    assert (run(transfer).status, transfer.attempts) == ("done", MOST_ATTEMPTS)
    assert Customer.objects.count() == 2

    transfer = services.start_export(actor=layla, what="customers")
    Transfer.objects.filter(pk=transfer.pk).update(attempts=MOST_ATTEMPTS, status="running")
    assert run(transfer).status == "failed"
    assert transfer.error == "It was begun several times, and could not be finished"


def test_something_unexpected_fails_with_a_sentence_and_changes_nothing(layla, monkeypatch, committed):
    transfer = services.confirm(checked(layla, table(ROWS[0])), actor=layla)
    monkeypatch.setattr("customers.importing.loader.Loader.finish", lambda self: 1 / 0)
    with committed():
        run(transfer)
    assert (transfer.status, transfer.error) == ("failed", "Something went wrong; nothing was changed")
    assert not Customer.objects.exists() and stored() == []


def test_a_transfer_waits_for_a_storage_that_is_away(layla, monkeypatch):
    def away(file):
        raise ServiceAway

    transfer = services.start_export(actor=layla, what="customers")
    with monkeypatch.context() as broken:
        broken.setattr(transfer_files, "keep", away)
        for _time in range(MOST_ATTEMPTS + 1):
            assert run(transfer).status == "running"
    assert run(transfer).status == "done"


def test_the_oldest_goes_first(layla):
    second = services.start_export(actor=layla, what="customers")
    first = services.start_export(actor=layla, what="listings")
    Transfer.objects.filter(pk=first.pk).update(queued_at=timezone.now() - timedelta(minutes=1))
    assert [run_transfers(), run_transfers(), run_transfers()] == [first.pk, second.pk, None]


# --- Exports -----------------------------------------------------------------------------------


def test_an_export_holds_what_the_list_shows_who_asked(layla, fatima, ahmed, omar, noura):
    mine = make_customer(layla, name="سارة", city="جدة", assigned_employee_id=ahmed.pk)
    make_customer(layla, name="هند", city="الرياض", assigned_employee_id=ahmed.pk)
    make_customer(layla, name="ريم", city="جدة", assigned_employee_id=omar.pk)
    make_customer(noura, name="غريبة", city="جدة")
    transfer = exported(fatima, query="?city=Jeddah&sortBy=name&page=2&limit=5")
    assert (transfer.status, transfer.rows_done, transfer.counts) == ("done", 1, {"rows": 1})
    (line,) = lines_of(transfer, fatima)
    assert (line["Customer ID"], line["Name"], line["Phone"]) == (mine.pk, "سارة", f"'{mine.phone}")
    assert (line["Assigned employee"], line["Stage"]) == (ahmed.email, "New Lead")
    read = AuditEntry.objects.get(table_name="customers", operation="read")
    assert (read.actor_id, read.row_id, read.changes) == (fatima.pk, transfer.pk, {"rows": 1})
    assert read.organization_id == fatima.organization_id


def test_an_export_is_sorted_as_the_list(layla):
    for name, value in (("ب", 5), ("أ", None), ("ت", 9)):
        make_customer(layla, name=name, total_deal_value=value)
    transfer = exported(layla, query="sortBy=dealValue&sortOrder=desc", columns=["name", "total_deal_value"])
    assert [tuple(line.values()) for line in lines_of(transfer, layla)] == [("ت", "9"), ("ب", "5"), ("أ", "")]


def test_selected_customers_can_be_exported_alone(layla, fatima, omar):
    customers = [make_customer(layla) for _number in range(3)]
    strange = make_customer(layla, assigned_employee_id=omar.pk)
    ids = f"{customers[0].pk},{customers[2].pk},{strange.pk}"
    transfer = exported(fatima, query=f"ids={ids}&sortOrder=asc")
    assert [line["Customer ID"] for line in lines_of(transfer, fatima)] == [customers[0].pk, customers[2].pk]


@pytest.mark.parametrize("query", ["stage=nowhere", "color=blue", "deleted=only", "sortBy=phone", "leadScoreMin=x"])
def test_an_export_of_what_the_list_would_refuse_or_ignore_is_refused(layla, query):
    with pytest.raises(Malformed) as refusal:
        services.start_export(actor=layla, what="customers", query=query)
    assert list(refusal.value.detail) == [query.partition("=")[0]]
    assert not Transfer.objects.exists()


def test_agents_and_viewers_export_no_customers(ahmed, huda):
    for actor in (ahmed, huda):
        with pytest.raises(PermissionDenied):
            services.start_export(actor=actor, what="customers")


def test_an_excel_file_reads_from_right_to_left_in_arabic(layla):
    make_customer(layla, name="سارة", total_deal_value="1500000.50", date_of_birth="1990-05-01", notes="=1+1")
    with translation.override("ar"):
        transfer = services.start_export(actor=layla, what="customers", format="xlsx")
    transfer = run(transfer)
    with services.open_output(transfer, actor=layla) as file:
        sheet = openpyxl.load_workbook(io.BytesIO(file.read())).active
    assert (sheet.sheet_view.rightToLeft, sheet.freeze_panes, sheet["A1"].font.bold) == (True, "A2", True)
    header, row = [[cell.value for cell in cells] for cells in sheet.rows]
    values = dict(zip(header, row, strict=True))
    assert (values["قيمة الصفقة"], values["الجوال"][:4], values["ملاحظات"]) == (1500000.5, "+966", "'=1+1")
    assert values["تاريخ الميلاد"].date().isoformat() == "1990-05-01"


def test_what_was_exported_is_not_there_for_who_sees_less_since(layla, fatima, south):
    make_customer(layla)
    transfer = exported(fatima)
    fatima.team = south
    fatima.save()
    with pytest.raises(Transfer.DoesNotExist):
        services.open_output(transfer, actor=fatima)
    assert len(lines_of(transfer, layla)) == 1
    assert AuditEntry.objects.filter(table_name="transfers", operation="read", actor_id=layla.pk).count() == 1


def test_a_superusers_transfer_is_of_the_organization_that_they_worked_in(layla, noura):
    theirs = make_customer(noura, name="غريبة")
    make_customer(layla, name="سارة")
    layla.is_superuser = True
    layla.save()
    worked = layla.working_in(noura.organization_id)
    assert [line["Customer ID"] for line in lines_of(exported(worked), noura)] == [theirs.pk]
    assert imported(worked, table(*ROWS)).counts["inserted"] == 2
    assert Customer.objects.filter(organization=noura.organization_id).count() == 3


def test_who_is_no_superuser_any_more_transfers_nothing_of_another_organization(layla, noura):
    make_customer(layla)
    transfer = services.start_export(actor=layla.working_in(noura.organization_id), what="customers")
    transfer = run(transfer)
    assert (transfer.status, transfer.output_key) == ("failed", "")
    assert transfer.error == "The person who asked for it may not do this any more"


# --- What is kept ------------------------------------------------------------------------------


def test_files_leave_after_a_day(layla, committed):
    past = timezone.now() - KEPT_FOR - timedelta(minutes=1)
    with committed():
        output, errors, waiting = exported(layla), imported(layla, table(*ROWS)), upload(layla, table(*ROWS))
    with committed():
        assert prune_transfers() == 0
    assert len(stored()) == 3
    Transfer.objects.exclude(pk=waiting.pk).update(finished_at=past)
    with committed():
        assert prune_transfers() == 2
    with pytest.raises(Transfer.DoesNotExist):
        services.open_output(output, actor=layla)
    errors.refresh_from_db()
    assert (errors.sample, errors.counts["bad"], errors.file_name, len(stored())) == ([], 1, "customers.csv", 1)
    Transfer.objects.filter(pk=waiting.pk).update(queued_at=past)
    with committed():
        prune_transfers()
    assert (Transfer.objects.get(pk=waiting.pk).status, stored()) == ("cancelled", [])


def test_files_without_a_row_are_swept_after_a_day(layla):
    lost = upload(layla, table(*ROWS)), upload(layla, table(*ROWS)), upload(layla, table(*ROWS))
    Transfer.objects.exclude(pk=lost[0].pk).delete()
    then = (timezone.now() - timedelta(days=2)).timestamp()
    for transfer in lost[:2]:
        os.utime(settings.DOCUMENT_FOLDER / transfer.source_key, (then, then))
    prune_transfers()
    kept = {transfer.source_key.rpartition("/")[2] for transfer in (lost[0], lost[2])}
    assert {path.name for path in stored()} == kept


def test_when_a_person_is_forgotten_so_are_all_files(layla, noura, committed):
    with committed():
        theirs = exported(noura)
        exported(layla, query="search=منيرة")
        imported(layla, table(*ROWS), name="منيرة.csv")
        services.check(upload(layla, table(*ROWS)), actor=layla)
        services.forget_transfers(layla.organization_id)
    assert [path.name for path in stored()] == [theirs.output_key.rpartition("/")[2]]
    assert run_transfers() is None
    texts = [
        [transfer.file_name, transfer.query, transfer.sample, transfer.preview, transfer.error]
        for transfer in Transfer.objects.filter(organization=layla.organization_id)
    ]
    assert texts == [["", "", [], {}, ""]] * 3
    entries = AuditEntry.objects.filter(table_name="transfers").values_list("changes", flat=True)
    assert "منيرة" not in str(list(entries))


def test_what_a_killed_worker_left_on_disk_is_removed_after_a_day(tmp_path, monkeypatch, db):
    monkeypatch.setattr("customers.transferring.gettempdir", lambda: str(tmp_path))
    then = (timezone.now() - timedelta(days=2)).timestamp()
    for name in ("hub-transfer-old", "hub-transfer-new", "others"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "hub-transfer-old", (then, then))
    os.utime(tmp_path / "others", (then, then))
    prune_transfers()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hub-transfer-new", "others"]


def test_the_sweep_of_documents_leaves_files_of_transfers_alone(layla):
    from documents.services import sweep_files

    exported(layla)
    assert (sweep_files(), len(stored())) == (0, 1)


def test_listings_go_out_and_come_in_again(layla):
    make_listing(layla, reference="A-1", price="2500000.50", amenities=["pool", "a,b"], floor=0)
    archived = make_listing(layla, reference="A-2")
    Listing.objects.filter(pk=archived.pk).update(status="archived")
    transfer = exported(layla, what="listings")
    with services.open_output(transfer, actor=layla) as file:
        content = file.read()
    assert transfer.rows_done == 1
    again = imported(layla, content, what="listings", upsert=True)
    assert (again.counts["unchanged"], again.counts["updated"], again.counts["bad"]) == (1, 0, 0)


# --- Workers that end --------------------------------------------------------------------------

_AS_ADMIN = """
from django.core.files.uploadedfile import SimpleUploadedFile as File
from customers.models import Transfer
from customers.services import transfer as services
from employees.models import Employee
actor = Employee.objects.get(email="admin@hub.test")
"""
_UPLOAD = r"""
content = "name,phone\nسارة,PHONE\n".encode()
transfer = services.start_import(actor=actor, file=File("c.csv", content), what="customers")
print(services.check(transfer, actor=actor).pk)
"""
_AT_WORK = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY customers%'"


@pytest.fixture
def importing(hub):
    """The import of a customer, checked: how it stands with how many customers, and what people do with it.

    It waits for the words of names, which nothing else needs.
    """
    phone = make_phone()
    key = hub.run(_AS_ADMIN + _UPLOAD.replace("PHONE", phone)).strip()

    def state():
        ours = "(SELECT count(*) FROM customers WHERE phone = %s)"
        return hub.sql(f"SELECT status, attempts, {ours} FROM transfers WHERE id = %s", phone, key)[0]

    def ask(verb):
        hub.run(f"{_AS_ADMIN}services.{verb}(Transfer.objects.get(pk={key!r}), actor=actor)")

    hub.wait_for(lambda: state() == ("checked", 1, 0))
    return state, ask


@pytest.mark.slow
def test_an_import_whose_worker_was_killed_is_done_once_by_the_next(hub, importing):
    state, ask = importing
    with hub.locked("name_words"):
        ask("confirm")
        hub.wait_for(lambda: hub.sql(_AT_WORK) == [(1,)])
        hub.kill("worker")
        assert state() == ("importing", 1, 0)
    hub.start("worker")
    hub.wait_for(lambda: state() == ("done", 2, 1))


@pytest.mark.slow
def test_an_import_that_is_cancelled_in_a_workers_hands_leaves_nothing(hub, importing):
    state, ask = importing
    with hub.locked("name_words"):
        ask("confirm")
        hub.wait_for(lambda: hub.sql(_AT_WORK) == [(1,)])
        ask("cancel")
    # The worker comes to it when it is done with the import.
    order = "print(services.start_export(actor=actor, what='listings').pk)"
    key = hub.run(_AS_ADMIN + order).strip()
    hub.wait_for(lambda: hub.sql("SELECT status FROM transfers WHERE id = %s", key) == [("done",)])
    assert state() == ("cancelled", 1, 0)
