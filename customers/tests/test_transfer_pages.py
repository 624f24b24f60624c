"""Imports and exports in the back office: uploaded, checked, confirmed, ordered and fetched on pages of their own."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from config.testing import AdminClient, make_customer
from customers import transferring
from customers.models import Customer, Transfer

ADD = "/admin/customers/transfer/add/"
SHEET = "الاسم,الجوال,المدينة\nنورة الحربي,0551234567,الرياض\nفهد العتيبي,051,جدة\n"


@pytest.fixture
def manager(fatima):
    return AdminClient(fatima)


def page_of(transfer):
    return f"/admin/customers/transfer/{transfer.pk.replace('_', '_5F')}/"


def upload(client, text=SHEET, name="العملاء.csv", what="customers"):
    file = SimpleUploadedFile(name, text.encode(), content_type="text/csv")
    return client.post(ADD, {"what": what, "file": file})


def columns(transfer):
    return {f"column_{number}": name for number, name in enumerate(transfer.mapping)}


def test_a_file_is_uploaded_checked_looked_at_and_imported(manager):
    answer = upload(manager)
    transfer = Transfer.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"{page_of(transfer)}change/"
    assert transfer.mapping == ["name", "phone", "city"]

    manager.post(f"{page_of(transfer)}change/", {**columns(transfer), "check": "1"})
    transferring.run_next()
    page = manager.get(f"{page_of(transfer)}change/").content.decode()
    assert not Customer.objects.filter(phone="+966551234567").exists()
    assert "051" in page and "Import now" in page

    manager.post(f"{page_of(transfer)}change/", {"confirm": "1"})
    transferring.run_next()
    transfer.refresh_from_db()
    assert (transfer.status, transfer.counts["inserted"], transfer.counts["bad"]) == ("done", 1, 1)
    assert Customer.objects.get(phone="+966551234567").city == "الرياض"
    errors = b"".join(manager.get(f"{page_of(transfer)}errors/").streaming_content).decode("utf-8-sig")
    assert errors.splitlines()[1].startswith("3,")


def test_the_columns_of_a_file_can_be_chosen_otherwise(manager):
    upload(manager, "name,phone,remark\nSara,0551234568,vip\n")
    transfer = Transfer.objects.get()
    chosen = {"column_0": "name_en", "column_1": "phone", "column_2": "name", "check": "1"}
    manager.post(f"{page_of(transfer)}change/", chosen)
    transferring.run_next()
    manager.post(f"{page_of(transfer)}change/", {"confirm": "1"})
    transferring.run_next()
    customer = Customer.objects.get(phone="+966551234568")
    assert (customer.name, customer.name_en) == ("vip", "Sara")


def test_two_headers_that_are_the_same_column_are_refused_and_nothing_is_checked(manager):
    upload(manager)
    transfer = Transfer.objects.get()
    again = {"column_0": "name", "column_1": "phone", "column_2": "name", "check": "1"}
    page = manager.post(f"{page_of(transfer)}change/", again, follow=True).content.decode()
    transfer.refresh_from_db()
    assert transfer.status == "uploaded" and "same column" in page


def test_a_column_that_nobody_knows_is_refused(manager):
    upload(manager)
    transfer = Transfer.objects.get()
    strange = {**columns(transfer), "column_2": "password", "check": "1"}
    page = manager.post(f"{page_of(transfer)}change/", strange, follow=True).content.decode()
    transfer.refresh_from_db()
    assert transfer.status == "uploaded" and "password is not one of the available choices" in page


def test_what_is_no_table_is_said_at_the_file(manager):
    answer = upload(manager, "\x00\x01\x02")
    assert answer.status_code == 200 and answer.context["form"].errors["file"]
    assert not Transfer.objects.exists()


def test_a_header_that_holds_nul_is_said_at_the_file(manager):
    file = SimpleUploadedFile("nul.csv", "na\0me,phone\n".encode("utf-16"))
    answer = manager.post(ADD, {"what": "customers", "file": file})
    assert answer.context["form"].errors["file"] == ["Row 1 holds the character U+0000, which is no text"]
    assert not Transfer.objects.exists()


def test_a_list_is_exported_as_it_is_shown(manager, layla, fatima, ahmed, omar):
    make_customer(fatima, name="سارة الشهري", priority="urgent", assigned_employee_id=ahmed.pk)
    make_customer(fatima, name="خالد الشهري", priority="low", assigned_employee_id=ahmed.pk)
    make_customer(layla, name="هند الشهري", priority="urgent", assigned_employee_id=omar.pk)
    shown = manager.get("/admin/customers/customer/?priority=urgent&q=الشهري").content.decode()
    query = re.search(r'name="query" value="([^"]*)"', shown)[1].replace("&amp;", "&")
    export = {"what": "customers", "format": "xlsx", "query": query}
    answer = manager.post("/admin/customers/transfer/export/", export)
    assert answer.status_code == 302
    transferring.run_next()
    transfer = Transfer.objects.get()
    file = b"".join(manager.get(f"{page_of(transfer)}output/").streaming_content)
    rows = list(load_workbook(io.BytesIO(file)).active.iter_rows(values_only=True))
    assert len(rows) == 2 and "سارة الشهري" in rows[1]


def test_chosen_rows_are_exported(manager, fatima):
    chosen = make_customer(fatima, name="سارة الشهري")
    make_customer(fatima, name="خالد الشهري")
    manager.post("/admin/customers/customer/", {"action": "export_selected", "_selected_action": [chosen.pk]})
    transferring.run_next()
    assert Transfer.objects.get().counts == {"rows": 1}


def test_deleted_customers_are_not_exported_nor_changed_from_their_list(layla):
    gone, stays = make_customer(layla, name="سارة الشهري"), make_customer(layla, name="خالد الشهري")
    client = AdminClient(layla)
    client.post(f"/admin/customers/customer/{gone.pk.replace('_', '_5F')}/delete/", {"post": "yes"})
    page = client.get("/admin/customers/customer/?deleted=only").content.decode()
    assert "سارة الشهري" in page and "خالد الشهري" not in page
    assert 'name="query"' not in page and 'name="action"' not in page
    for action in ("export_selected", "delete_selected", "assign"):
        chosen = {"action": action, "_selected_action": [gone.pk, stays.pk], "post": "yes"}
        assert client.post("/admin/customers/customer/?deleted=only", chosen).status_code == 200
    assert not Transfer.objects.exists()
    assert list(Customer.objects.visible_to(layla)) == [stays]


@pytest.mark.parametrize(
    ("narrowed", "shown"), [("kind=import", 1), ("kind=export", 1), ("what=listings", 0), ("status=uploaded", 1)]
)
def test_transfers_are_narrowed_by_the_filters_beside_their_list(manager, narrowed, shown):
    upload(manager)
    manager.post("/admin/customers/transfer/export/", {"what": "customers", "format": "csv", "query": ""})
    page = manager.get("/admin/customers/transfer/")
    assert f'href="?{narrowed}"' in page.content.decode()
    answer = manager.get(f"/admin/customers/transfer/?{narrowed}")
    assert (answer.status_code, len(answer.context["cl"].result_list)) == (200, shown)


def test_a_transfer_is_its_requesters_and_the_admins_of_the_organization(manager, layla, noura):
    upload(manager)
    transfer = Transfer.objects.get()
    assert AdminClient(layla).get(f"{page_of(transfer)}change/").status_code == 200
    for page in ("change", "errors", "output"):
        assert AdminClient(noura).get(f"{page_of(transfer)}{page}/").status_code == 404
        assert AdminClient().get(f"{page_of(transfer)}{page}/")["Location"].startswith("/admin/login/")
