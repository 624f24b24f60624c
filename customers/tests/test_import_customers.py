"""manage.py import_customers."""

import csv
import io
import threading
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from config.models import AuditEntry
from config.signals import changed
from config.testing import data_of, make_customer
from customers.importing import loader
from customers.importing.columns import COPIED
from customers.models import Assignment, Customer, StageChange
from customers.tests.imports import reasons, run_import, workbook
from employees.models import Employee

HEADER = "الاسم;الجوال;البريد;المدينة;المصدر;الأولوية;نوع العقار;الميزانية من;الميزانية إلى;تاريخ الإضافة;ملاحظات"
ROWS = [
    "منيرة السبيعي;٠٥١١٢٣٤٥٦٧;m@mail.example;جده;واتساب;عالية;فيلا، شقة;٨٠٠٬٠٠٠;1,200,000;1447-09-25;عميلة جادة",
    "نوره الجهني;00966541242486;;Riyadh;إحالة;عاجلة;أرض;;;14/03/2026;",
    "فهد العتيبي;+966 5 41250405;;;;;;;;2026-03-14 16:20;=HYPERLINK(1)",
    "ناصر القحطاني;\u202a+966 54 1258324\u202c;;;يدوي;منخفضة;استراحة;;;;",
]
PHONES = ["+966511234567", "+966541242486", "+966541250405", "+966541258324"]


@pytest.fixture
def run(tmp_path, organization):
    """Import text, bytes or an object; gives `(exit code, {summary}, [error rows])`."""

    def run(content, name="customers.csv", encoding="utf-8-sig", **options):
        options = {"organization": organization.pk, **options}
        return run_import("import_customers", tmp_path / name, content, encoding, **options)

    return run


def table(*rows, header=HEADER):
    return "\n".join([header, *rows]) + "\n"


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Customer, StageChange, Assignment, AuditEntry)]


# --- What spreadsheets say -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8-sig", ";"), ("utf-8", ","), ("utf-16", "\t"), ("cp1256", ";"), ("cp1256", ",")]
)
def test_every_encoding_and_separator_gives_the_same_customers(run, encoding, separator):
    rows = [line.split(";") for line in (HEADER, *ROWS)]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    content = text.getvalue()
    if encoding == "cp1256":
        content = content.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩٬", "0123456789,"))
        text = io.StringIO()
        csv.writer(text, delimiter=separator).writerows(
            [[cell.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩٬", "0123456789,")) for cell in row] for row in rows]
        )
        content = text.getvalue()
        content = content.replace("\u202a", "").replace("\u202c", "")
    code, summary, found = run(content, encoding=encoding)
    assert (code, found) == (0, [])
    assert summary == {"read": 4, "inserted": 4, "updated": 0, "unchanged": 0, "duplicates": 0, "bad": 0}
    customers = {customer.phone: customer for customer in Customer.objects.all()}
    assert sorted(customers) == sorted(PHONES)
    first = customers["+966511234567"]
    assert (first.name, first.email, first.city, first.city_key) == ("منيرة السبيعي", "m@mail.example", "جده", "jeddah")
    assert (first.source, first.priority, first.stage, first.notes) == ("whatsapp", "high", "new_lead", "عميلة جادة")
    assert first.preferences == {
        "propertyType": ["villa", "apartment"], "preferredAreas": [], "budgetMin": 800000, "budgetMax": 1200000,
    }  # fmt: skip
    assert first.created_at == datetime(2026, 3, 13, 21, tzinfo=UTC)
    assert customers["+966541250405"].created_at == datetime(2026, 3, 14, 13, 20, tzinfo=UTC)
    assert (customers["+966541250405"].source, customers["+966541250405"].notes) == ("import", "=HYPERLINK(1)")
    assert customers["+966541258324"].preferences["propertyType"] == ["استراحة"]
    assert customers["+966541258324"].name_folded == "ناصر قحطاني"
    assert {"=ناصر", "nsr", "=قحطاني", "khtn"} <= set(customers["+966541258324"].name_keys)


@pytest.mark.parametrize(
    "phone",
    ["0501234567", "501234567", "966501234567", "00966501234567", "+966501234567", "+966 050 123 4567", "٠٥٠١٢٣٤٥٦٧",
     "\u202a+966 50 123-4567\u202c", "\u200f0501234567\u200f"],
)  # fmt: skip
def test_every_spelling_of_a_phone_is_stored_in_one_form(run, phone):
    run(table(f"سارة,{phone}", header="name,phone"))
    assert Customer.objects.get().phone == "+966501234567"


def test_headers_are_known_in_english_and_arabic_and_the_rest_is_reported_once(run):
    header = "Customer Name,Mobile No.,الحي,رقم الهوية,تاريخ الميلاد,عدد أفراد الأسرة,المرحلة,Favourite Colour,Tags"
    code, summary, found = run(
        table("سارة,0501234567,حي النرجس,1000000008,1410/01/01,٥,معاينة,أزرق,vip|hot", header=header)
    )
    assert (code, summary["inserted"], summary["notices"]) == (0, 1, 1)
    assert reasons(found, "notice") == [
        ("", "Favourite Colour", "Nothing is known by this name; the column is left out")
    ]
    customer = Customer.objects.get()
    assert (customer.district, customer.national_id, customer.family_size) == ("حي النرجس", "1000000008", 5)
    assert (str(customer.date_of_birth), customer.stage, customer.tags) == ("1989-08-02", "site_visit", ["vip", "hot"])


def test_an_xlsx_file_reads_like_its_csv(run, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["الاسم", "الجوال", "الميزانية من", "تاريخ الإضافة"])
    sheet.append(["سارة", 966501234567, 800000, datetime(2026, 3, 14, 16, 20)])
    sheet.append(["هند", 512345, None, None])
    path = tmp_path / "book.xlsx"
    book.save(path)
    code, summary, found = run(path.read_bytes(), "book.xlsx")
    assert (code, summary["read"], summary["inserted"]) == (2, 2, 1)
    assert [(line["row"], line["value"]) for line in found] == [("3", "512345")]
    customer = Customer.objects.get()
    assert (customer.phone, customer.preferences["budgetMin"]) == ("+966501234567", 800000)
    assert customer.created_at == datetime(2026, 3, 14, 13, 20, tzinfo=UTC)


def test_an_xlsx_file_that_unpacks_to_too_much_is_refused(run, monkeypatch):
    monkeypatch.setattr("customers.importing.readers.MAX_UNZIPPED_BYTES", 1000)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", " " * 2000)
    with pytest.raises(CommandError, match="unpacks to more than"):
        run(content.getvalue(), "bomb.xlsx")


FIRST_ROW = '<row r="1"><c r="A1" t="str"><v>name</v></c><c r="B1" t="str"><v>phone</v></c></row>'


@pytest.mark.parametrize(
    ("far", "sentence"),
    [
        ('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "reaches over more than 10000000 cells"),
        ('<x:row r="2"><x:c r="xfd1048576"><x:is><x:t/></x:is></x:c></x:row>', "reaches over more than"),
        ('<row r="1048575"><c r="ALL2"><v>1</v></c></row><row><c><v>1</v></c></row>', "reaches over more than"),
        ('<row r="2"><c r="A99999999999"><v>1</v></c></row>', "not an Excel file"),
        ('<row r="2"><c r="A2"><v>1</v></row>', "not an Excel file"),
    ],
)
def test_a_cell_far_from_the_table_is_refused_before_room_is_made_for_all_between(run, far, sentence):
    xml = f'<worksheet xmlns:x="x"><sheetData>{FIRST_ROW}{far}</sheetData></worksheet>'
    with pytest.raises(CommandError, match=sentence):
        run(workbook(sheet=xml), "far.xlsx")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("name,phone\na\0b,0501234567\n".encode("utf-16"), "nul.csv"),
        ("name,phone\nab,0501234567\0\n".encode("utf-8-sig"), "nul.csv"),
        (workbook(["name", "phone"], ["a_x0000_b", "0501234567"]), "nul.xlsx"),
    ],
)
def test_a_cell_that_holds_nul_is_refused_by_its_row(run, content, name):
    with pytest.raises(CommandError, match=r"^Row 2 holds the character U\+0000"):
        run(content, name)


def test_cells_that_are_far_and_empty_are_no_part_of_the_table(run):
    row = '<row r="2"><c r="A2" t="str"><v>سارة</v></c><c r="B2"><v>966501234567</v></c></row>'
    empty = '<row r="1048576"><c r="XFD1048576" s="0"/></row>'
    xml = f"<worksheet><sheetData>{FIRST_ROW}{row}{empty}</sheetData></worksheet>"
    code, summary, _found = run(workbook(sheet=xml), "styled.xlsx")
    assert (code, summary["read"], summary["inserted"]) == (0, 1, 1)


def test_a_row_of_a_file_is_stored_like_the_same_body_of_the_api(run, as_, layla, ahmed):
    cells = {
        "name": "عبد الله الشمري",
        "nameEn": "Abdullah Al-Shammari",
        "phone": "0551234567",
        "whatsapp": "+966 55 123 4567",
        "email": "Abdullah@Email.com",
        "nationalId": "1000000008",
        "nationality": "Saudi",
        "gender": "male",
        "dateOfBirth": "1990-05-01",
        "occupation": "مهندس",
        "familySize": "٤",
        "customerType": "investor",
        "source": "snapchat",
        "stage": "qualified",
        "priority": "high",
        "city": "مكه المكرمة",
        "district": "العوالي",
        "address": "شارع 5",
        "notes": 'قال: \\ "نعم"\tثم\nذهب',
        "totalDealValue": "1,250,000.50",
        "assignedEmployeeId": ahmed.pk,
        "tags": 'vip|"q" \\ x',
        "propertyType": "villa،شاليه",
        "budgetMin": "800000",
        "budgetMax": "900000.5",
        "bedrooms": "3",
        "bathrooms": "2",
        "purpose": "invest",
        "timeline": "6months+",
    }
    text = io.StringIO()
    csv.writer(text).writerows([list(cells), list(cells.values())])
    code, _summary, found = run(text.getvalue())
    assert (code, found) == (0, [])

    wanted = {
        name: cells.pop(name) for name in ("budgetMin", "budgetMax", "bedrooms", "bathrooms", "purpose", "timeline")
    }
    wanted["propertyType"] = cells.pop("propertyType").split("،")
    body = {**cells, "tags": cells["tags"].split("|"), "preferences": wanted, "phone": "0551234568"}
    made = data_of(as_(layla).post("customers", body), 201)["customer"]

    apart = {"id", "phone", "contact", "created_at", "updated_at", "stage_entered_at"}
    by_file, by_api = (
        {name: value for name, value in row.items() if name not in apart}
        for row in (
            Customer.objects.exclude(pk=made["id"]).values().get(),
            Customer.objects.filter(pk=made["id"]).values().get(),
        )
    )
    assert by_file == by_api
    assert by_file["source_details"] == {"channel": "snapchat"}
    assert Assignment.objects.filter(to_employee=ahmed, assigned_by_id="system").count() == 1


# --- What is wrong ---------------------------------------------------------------------------


def test_every_wrong_cell_is_reported_by_row_and_the_good_rows_go_in(run):
    code, summary, found = run(
        table(
            ROWS[0],
            "هند;0512345;not-an-email;;تلفزيون;فورية;;مليون;;31/02/2026;",
            ";0501234567;;;;;;;;;",
            "",
            "ريم;;;;;;;;;;",
            "أمل;0501234568;;;;;;900000;800000;;",
            "وليد;0501234569;;;;;;;;;x;surplus",
        )
    )
    assert (code, summary["read"], summary["inserted"], summary["bad"]) == (2, 6, 1, 5)
    assert reasons(found) == [
        ("3", "الجوال", "Invalid Saudi phone number format"),
        ("3", "البريد", "Enter a valid email address."),
        ("3", "المصدر", "Must be one of: inquiry, manual, whatsapp, import, referral"),
        ("3", "الأولوية", "Must be one of: low, medium, high, urgent"),
        ("3", "الميزانية من", "Enter a number such as 1250000, 1,250,000 or 1250000.50"),
        ("3", "تاريخ الإضافة", "Enter a date as YYYY-MM-DD, YYYY/MM/DD, DD/MM/YYYY or DD-MM-YYYY, Gregorian or Hijri"),
        ("4", "الاسم", "Name is required"),
        ("6", "الجوال", "Phone number is required"),
        ("7", "الميزانية إلى", "Must not be less than الميزانية من"),
        ("8", "", "The row has more cells than the header"),
    ]
    assert Customer.objects.count() == 1


def test_no_value_of_the_error_file_is_a_formula(run):
    _code, _summary, found = run(table("هند;=1+1;@x;;;;;;;;"))
    assert [line["value"] for line in found] == ["'=1+1", "'@x"]


def test_an_agent_of_another_organization_is_no_assignee(run, ahmed, noura):
    rows = [f"سارة,0501234567,{noura.email}", f"هند,0501234568,{ahmed.email.upper()}"]
    code, _summary, found = run(table(*rows, header="name,phone,المندوب"))
    assert code == 2
    assert reasons(found) == [("2", "المندوب", "The organization has no active employee with this e-mail or id")]
    assert Customer.objects.get().assigned_employee == ahmed


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("", "empty.csv", "The file is empty"),
        ("name,city\nسارة,جدة\n", "x.csv", "no column for phone"),
        (b"\xd0\xcf\x11\xe0old", "x.xls", "old Excel file"),
        (b"name,phone\n\x00\x00", "x.csv", "not a text file"),
        (b"\xef\xbb\xbfname,phone\n\xff\xfe\xfa,0501234567\n", "x.csv", "not in its encoding"),
        (b"PK\x03\x04nothing", "x.xlsx", "not an Excel file"),
        ("{", "x.json", "not valid JSON"),
        ('{"customers": 1}', "x.json", "must be a list of customers"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(run, content, name, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(content, name, encoding="utf-8")
    assert not Customer.objects.exists()


def test_a_folder_a_missing_file_and_an_unknown_organization_are_refused(run, tmp_path, organization):
    with pytest.raises(CommandError, match="folder"):
        call_command("import_customers", str(tmp_path), organization=organization.pk)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_customers", str(tmp_path / "none.csv"), organization=organization.pk)
    with pytest.raises(CommandError, match="no organization org_none"):
        run(table(*ROWS), organization="org_none")


def test_a_file_without_one_good_row_ends_with_1(run):
    assert run(table("هند;12;;;;;;;;;"))[0] == 1


# --- Again and by halves -----------------------------------------------------------------------


def test_duplicates_in_the_file_and_in_the_database_are_reported(run, layla):
    existing = make_customer(layla, phone="+966541242486")
    code, summary, found = run(table(*ROWS, "أخرى;0511234567;;;;;;;;;"))
    assert (code, summary["inserted"], summary["duplicates"]) == (0, 3, 2)
    assert reasons(found, "duplicate") == [
        ("6", "الجوال", "The same phone number as in row 2"),
        ("3", "الجوال", f"A customer with this phone number exists already: {existing.pk}"),
    ]


def test_the_same_phone_in_another_organization_is_no_duplicate(run, noura):
    make_customer(noura, phone="+966541242486")
    assert run(table(*ROWS))[1]["inserted"] == 4


@pytest.mark.parametrize("upsert", [False, True])
def test_a_second_run_changes_nothing(run, upsert):
    run(table(*ROWS))
    before = everything()
    code, summary, _found = run(table(*ROWS), upsert=upsert)
    assert (code, summary["inserted"], summary["updated"]) == (0, 0, 0)
    assert summary["unchanged" if upsert else "duplicates"] == 4
    assert everything() == before


def test_upsert_changes_what_the_file_says_and_leaves_the_rest(run, layla, ahmed):
    known = make_customer(
        layla, phone=PHONES[0], name="منيرة", notes="قديمة", city="الدمام", tags=["vip"], national_id="1000000008",
        preferences={"bedrooms": 4, "budgetMin": 500000},
    )  # fmt: skip
    header = "الاسم;الجوال;المدينة;ملاحظات;الميزانية من;المرحلة;الموظف"
    rows = [f"منيرة السبيعي;{PHONES[0]};جدة;;600000;تفاوض;{ahmed.pk}", f"هند;{PHONES[1]};;;;;"]
    messages = []
    listener = lambda sender, rows, kind, changes, actor, **_: messages.append((kind, len(rows), changes))  # noqa: E731
    changed.connect(listener, sender=Customer)
    code, summary, _found = run(table(*rows, header=header), upsert=True)
    changed.disconnect(listener, sender=Customer)
    assert (code, summary["inserted"], summary["updated"], summary["unchanged"]) == (0, 1, 1, 0)
    fresh = Customer.objects.get(pk=known.pk)
    assert (fresh.name, fresh.city, fresh.region, fresh.notes, fresh.tags) == (
        "منيرة السبيعي",
        "جدة",
        "SA-02",
        "قديمة",
        ["vip"],
    )
    assert fresh.preferences == {"propertyType": [], "preferredAreas": [], "bedrooms": 4, "budgetMin": 600000}
    assert (fresh.version, fresh.national_id) == (known.version + 1, "1000000008")
    last = fresh.stage_history.order_by("changed_at").last()
    assert (last.from_stage, last.to_stage, last.changed_by_id) == ("new_lead", "negotiation", "system")
    assert fresh.assignments.get().to_employee == ahmed
    assert [(kind, count) for kind, count, _changes in messages] == [("created", 1), ("updated", 1)]
    assert messages[1][2][0]["stage"] == ("new_lead", "negotiation")
    entry = AuditEntry.objects.get(row_id=known.pk, operation="update")
    assert entry.actor_id == "system" and entry.changes["city"] == ["الدمام", "جدة"]


def test_a_dry_run_does_everything_and_keeps_nothing(run):
    before = everything()
    _code, summary, found = run(table(*ROWS, "هند;12;;;;;;;;;"), dry_run=True)
    assert (summary["inserted"], summary["bad"], len(found)) == (4, 1, 1)
    assert everything() == before


def test_an_import_that_ends_half_way_leaves_nothing(run, monkeypatch, tmp_path):
    monkeypatch.setattr(loader, "CHUNK_ROWS", 1)
    taken = iter(range(3))

    def interrupt(**_message):
        if next(taken) == 2:
            raise KeyboardInterrupt

    changed.connect(interrupt, sender=Customer)
    try:
        with pytest.raises(CommandError, match="Interrupted: nothing was imported"):
            run(table(*ROWS, "هند;12;;;;;;;;;"))
    finally:
        changed.disconnect(interrupt, sender=Customer)
    assert not Customer.objects.exists() and not StageChange.objects.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["customers.csv"]


@pytest.mark.django_db(transaction=True)
def test_a_customer_made_meanwhile_is_a_duplicate_and_no_failure(run, layla, monkeypatch):
    original, made = loader.Loader._insert_once, []

    def look_then_lose(self, cursor, rows):
        if not made:
            # Another connection makes the second customer between our look and our COPY.
            monkeypatch.setattr(loader, "_ID_OF_PHONE", "SELECT %s::text[], %s::text LIMIT 0")
            thread = threading.Thread(
                target=lambda: (made.append(make_customer(layla, phone=PHONES[1])), connection.close())
            )
            thread.start()
            thread.join()
        else:
            monkeypatch.undo()
        return original(self, cursor, rows)

    monkeypatch.setattr(loader.Loader, "_insert_once", look_then_lose)
    code, summary, _found = run(table(*ROWS))
    assert (code, summary["inserted"], summary["duplicates"]) == (0, 3, 1)


def test_new_customers_are_whole_history_audit_and_message(run, organization):
    messages = []
    listener = lambda sender, rows, kind, actor, **_: messages.append((rows, kind, actor, connection.in_atomic_block))  # noqa: E731
    changed.connect(listener, sender=Customer)
    run(table(*ROWS))
    changed.disconnect(listener, sender=Customer)
    ((rows, kind, actor, in_transaction),) = messages
    assert (kind, actor, in_transaction) == ("created", None, True)
    assert {row.pk for row in rows} == set(Customer.objects.values_list("pk", flat=True))
    assert {row.organization_id for row in rows} == {organization.pk}
    assert rows[0].name == "منيرة السبيعي"
    entries = AuditEntry.objects.filter(table_name="customers", operation="insert", actor_id="system", door="import")
    assert entries.count() == 4
    change = StageChange.objects.get(customer=rows[0].pk)
    assert (change.from_stage, change.to_stage, change.changed_by, change.changed_by_id, change.auto_generated) == (
        None, "new_lead", "System", "system", True,
    )  # fmt: skip


def test_every_column_of_a_customer_is_written_or_may_be_empty():
    fields = [field for field in Customer._meta.concrete_fields if not field.generated and not field.has_db_default()]
    needed = {field.column for field in fields if not field.null}
    assert needed <= set(COPIED)


def test_reasons_and_summary_come_in_arabic_too(run, tmp_path):
    run(table("هند;12;;;;;;;;;"), language="ar")
    assert (tmp_path / "customers.csv.errors.csv").exists()


# --- Full objects --------------------------------------------------------------------------------

AGENT = {
    "id": "emp_901",
    "name": "سالم الحربي",
    "nameEn": "Salem Al-Harbi",
    "email": "Salem@agency.example",
    "phone": "+966501234567",
    "whatsapp": "+966501234567",
    "role": "Senior Sales Agent",
    "avatar": "https://agency.example/a.svg?seed=1",
    "isActive": True,
}
LEAD = {"id": "emp_902", "name": "لمى", "email": "lama@agency.example", "role": "Sales Manager", "isActive": True}
HISTORY = [
    {
        "id": "stage_901_1",
        "fromStage": None,
        "toStage": "new_lead",
        "changedBy": "System",
        "changedById": "system",
        "changedAt": "2024-01-15T10:00:00Z",
        "autoGenerated": True,
    },
    {
        "id": "stage_901_2",
        "fromStage": "new_lead",
        "toStage": "qualified",
        "changedBy": "سالم الحربي",
        "changedById": "emp_901",
        "changedAt": "2024-01-16T14:30:00Z",
        "notes": "تم التأكد",
        "autoGenerated": False,
    },
]
FULL = {
    "id": "cust_901",
    "name": "محمد الفهد",
    "nameEn": "Mohammed Al-Fahd",
    "phone": "+966512345678",
    "whatsapp": "+966512345678",
    "email": "m.fahd@email.example",
    "nationality": "Saudi",
    "gender": "male",
    "source": "inquiry",
    "sourceDetails": {"inquiryId": "inq_1", "referredBy": "cust_902"},
    "stage": "qualified",
    "stageHistory": HISTORY,
    "preferences": {
        "propertyType": ["villa"],
        "budgetMin": 1500000,
        "budgetMax": 2500000.5,
        "preferredAreas": ["الرياض - حي النرجس"],
        "bedrooms": 5,
        "minArea": 400,
        "purpose": "buy",
        "timeline": "1-3months",
        "amenities": ["pool"],
        "floorPreference": "middle",
        "furnishing": "unfurnished",
    },
    "leadScore": 97,
    "aiInsights": {"churnRisk": "low", "conversionProbability": 78},
    "priority": "high",
    "customerType": "individual",
    "tags": ["vip", "hot_lead"],
    "assignedEmployee": AGENT,
    "assignedEmployeeId": "emp_901",
    "properties": [],
    "interactions": [],
    "appointments": [],
    "reminders": [],
    "documents": [],
    "totalDealValue": 2200000,
    "expectedRevenue": 44000,
    "paidAmount": 10,
    "createdAt": "2024-01-15T10:00:00Z",
    "updatedAt": "2024-01-20T15:30:00Z",
    "lastContactAt": "2024-01-20T14:00:00Z",
    "lastContactType": "whatsapp",
    "nextFollowUpDate": "2024-01-22",
    "city": "الرياض",
    "district": "حي النرجس",
    "latitude": 24.7736,
    "longitude": 46.7328,
    "familySize": 6,
    "occupation": "مهندس",
    "totalInteractions": 2,
    "totalAppointments": 1,
    "totalPropertyViews": 1,
    "responseRate": 100,
    "avgResponseTime": 1.5,
}
SECOND = {
    "id": "cust_902",
    "name": "سارة",
    "phone": "0501112222",
    "source": "referral",
    "createdAt": "2024-02-01T08:00:00Z",
    "assignedEmployeeId": "emp_902",
}


def test_full_objects_come_back_equal(run, as_, layla):
    code, summary, found = run({"employees": [AGENT, LEAD], "customers": [FULL, SECOND]}, "full.json")
    assert (code, summary["inserted"], found) == (0, 2, [])
    customer = data_of(as_(layla).get("customers/cust_901"))
    customer = customer.get("customer", customer)
    # roleKey is ours, and e-mails of employees are kept in lower case.
    agent = {**AGENT, "roleKey": "sales_agent", "email": "salem@agency.example"}
    given = {**FULL, "assignedEmployee": agent}
    assert {name: customer[name] for name in given if name != "stageHistory"} == {
        name: value for name, value in given.items() if name != "stageHistory"
    }
    for change, wanted in zip(customer["stageHistory"], FULL["stageHistory"], strict=True):
        assert {name: change[name] for name in wanted} == wanted
    assert StageChange.objects.filter(customer_id="cust_902").count() == 1
    manager = Employee.objects.get(pk="emp_902")
    assert (manager.role, manager.job_title, manager.has_usable_password()) == ("sales_manager", "Sales Manager", False)


def test_a_bare_list_brings_the_employees_that_its_customers_name(run):
    assert run([FULL], "full.json")[0] == 0
    assert Customer.objects.get().assigned_employee_id == "emp_901"


@pytest.mark.parametrize("upsert", [False, True])
def test_full_objects_a_second_time_change_nothing(run, upsert):
    content = {"employees": [AGENT, LEAD], "customers": [FULL, SECOND]}
    run(content, "full.json")
    before = [*everything(), list(Employee.objects.order_by("pk").values())]
    code, summary, _found = run(content, "full.json", upsert=upsert)
    assert (code, summary["inserted"], summary["updated"], summary["unchanged"]) == (0, 0, 0, 2)
    assert [*everything(), list(Employee.objects.order_by("pk").values())] == before


def test_nobody_was_added_or_moved_on_in_the_future(run):
    later = "2099-01-01T00:00:00Z"
    moved = {**FULL, "stageHistory": [{**FULL["stageHistory"][0], "changedAt": later}]}
    code, _summary, found = run(
        {"employees": [AGENT], "customers": [{**SECOND, "createdAt": later}, moved]}, "full.json"
    )
    assert code == 1
    assert reasons(found) == [
        ("1", "createdAt", "Must not lie in the future"),
        ("2", "stageHistory.0.changedAt", "Must not lie in the future"),
    ]
    code, _summary, found = run(table("هند;0512345678;;;;;;;;01/01/2099;"))
    assert (code, reasons(found)) == (1, [("2", "تاريخ الإضافة", "Must not lie in the future")])


def test_ids_that_others_have_or_routes_need_become_new_ones_and_are_reported(run, noura):
    theirs = make_customer(noura)
    with transaction.atomic():
        Customer.objects.create(
            id="cust_901", organization=noura.organization, name="x", phone="+966500000001", name_folded="x"
        )
        StageChange.objects.create(
            id="stage_901_1", customer=theirs, to_stage="new_lead", changed_by="x", changed_by_id="x"
        )
        Employee.objects.create(id="emp_901", organization=noura.organization, name="x", email="x@other.example")
    third = {**SECOND, "id": "stats", "phone": "0501112223", "assignedEmployeeId": None}
    fourth = {**third, "id": "a/b", "phone": "0501112224"}
    code, summary, found = run({"employees": [AGENT], "customers": [FULL, third, fourth]}, "full.json")
    assert (code, summary["inserted"]) == (0, 3)
    ours = Customer.objects.filter(organization__name="وساطة الرياض")
    first = ours.get(phone=FULL["phone"])
    assert first.pk.startswith("cust_") and first.pk != "cust_901" and not ours.filter(pk="stats").exists()
    assert first.assigned_employee.email == "salem@agency.example" and first.assigned_employee_id != "emp_901"
    assert [change.changed_by_id for change in first.stage_history.order_by("changed_at")] == [
        "system",
        first.assigned_employee_id,
    ]
    told = [
        (line["row"], line["column"], line["value"], line["reason"].partition(";")[0])
        for line in found
        if line["severity"] == "notice"
    ]
    assert told == [
        ("", "employees.id", "emp_901", "The id is taken"), ("1", "id", "cust_901", "The id is taken"),
        ("2", "id", "stats", "The id is not usable"), ("3", "id", "a/b", "The id is not usable"),
    ]  # fmt: skip


def test_an_employee_of_another_organization_is_reported_and_their_customers_are_unassigned(run, noura):
    Employee.objects.filter(pk=noura.pk).update(email="salem@agency.example")
    code, summary, found = run({"employees": [AGENT], "customers": [FULL]}, "full.json")
    assert (code, summary["inserted"]) == (0, 1)
    assert Customer.objects.get().assigned_employee is None
    assert [line["column"] for line in found] == ["employees.email", "assignedEmployeeId"]
    assert Employee.objects.get(pk=noura.pk).organization == noura.organization


def test_wrong_parts_of_an_object_are_named_with_dotted_paths(run):
    wrong = {**FULL, "phone": "123", "preferences": {**FULL["preferences"], "budgetMin": -1}, "leadScore": 101}
    wrong["stageHistory"] = [FULL["stageHistory"][0], {**FULL["stageHistory"][1], "toStage": "nowhere"}]
    code, summary, found = run([wrong, SECOND, "x"], "full.json")
    assert (code, summary["bad"], summary["inserted"]) == (2, 2, 1)
    assert [(line["row"], line["column"], line["value"]) for line in found if line["severity"] == "error"] == [
        ("1", "phone", "123"),
        ("1", "preferences.budgetMin", "'-1"),
        ("1", "leadScore", "101"),
        ("1", "stageHistory.1.toStage", "nowhere"),
        ("3", "", "x"),
    ]


def test_values_of_an_object_that_contradict_each_other_are_named_too(run):
    contrary = {**FULL, "preferences": {**FULL["preferences"], "budgetMin": 2_000_000, "budgetMax": 1_000_000}}
    code, summary, found = run([contrary, SECOND], "full.json")
    assert (code, summary["bad"], summary["inserted"]) == (2, 1, 1)
    assert [(line["row"], line["column"], line["value"]) for line in found if line["severity"] == "error"] == [
        ("1", "preferences.budgetMax", "1000000")
    ]


def test_ids_of_json_that_are_no_texts_are_wrong_rows_and_nobodys_ids(run):
    employee = {"id": {"q": 1}, "name": "أحمد", "email": "q@hub.example"}
    wrong = {"id": {"x": 1}, "name": "هند", "phone": "0501234567"}
    strange = {"name": "ريم", "phone": "0501234568", "assignedEmployee": {**employee, "id": ["q"]}}
    right = {"name": "ريم", "phone": "0501234569", "sourceDetails": {"referredBy": ["x"]}}
    content = {"employees": [employee], "customers": [wrong, strange, right]}
    code, summary, found = run(content, "in.json")
    assert (code, summary["read"], summary["inserted"]) == (2, 3, 1)
    assert reasons(found) == [
        ("1", "id", "Not a valid string."), ("2", "assignedEmployeeId", "Not a valid string."),
    ]  # fmt: skip
    assert Customer.objects.get().source_details == {"referredBy": ["x"]}


def test_an_error_file_that_is_a_folder_is_refused(run, tmp_path):
    with pytest.raises(CommandError, match="is a folder"):
        run(table(*ROWS), errors=Path("."))
    assert not Customer.objects.exists()


def test_the_error_file_is_its_owners_alone(run, tmp_path):
    left = tmp_path / ".customers.csv.errors.csv.part"
    left.write_text("left by a killed run")
    left.chmod(0o644)
    run(table(*ROWS, "هند;12;;;;;;;;;"))
    assert (tmp_path / "customers.csv.errors.csv").stat().st_mode & 0o777 == 0o600
    assert not left.exists()
