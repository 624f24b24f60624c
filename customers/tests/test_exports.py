"""Files that go out: what their cells say, and that they come in again as they were."""

import csv
import gc
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from config.api.serializers import TextListField
from config.testing import make_customer, make_employee, make_listing
from customers.choices import PROPERTY_TYPES, Gender, Priority, Purpose, Source, Stage, Timeline
from customers.exporting.columns import shape_of
from customers.exporting.exporter import Exporter
from customers.exporting.writers import XLSXWriter
from customers.formulas import as_meant, harmless
from customers.importing.importer import IMPORTERS, CustomerImporter
from customers.importing.readers import open_sheet
from customers.importing.report import Report
from customers.importing.tables import list_reader, list_text
from customers.importing.words import TYPES, columns_by_key, key_of
from customers.models import Customer, Listing
from employees.choices import Role

LANGUAGES, FORMATS = ("ar", "en"), ("csv", "xlsx")


def file_of(actor, what="customers", format="csv", **options):
    file = io.BytesIO()
    Exporter(what, "sortOrder=asc", actor=actor, **options).write(file, format)
    return file.getvalue()


def lines_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


# --- Cells -------------------------------------------------------------------------------------


@given(st.text() | st.from_regex(r"'*[=+\-@\t\r][a-z]*", fullmatch=True))
def test_no_text_is_run_as_a_formula_and_each_comes_back(text):
    shown = harmless(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert as_meant(shown) == text


@pytest.mark.django_db
@pytest.mark.parametrize("format", FORMATS)
def test_a_text_that_looks_like_the_number_of_a_character_comes_back(layla, tmp_path, format):
    texts = ["a_x000D_b", "_x202E_", "_x005F_x0041_", "_x12_ _x00zz_"]
    for text in texts:
        make_customer(layla, name="سارة", notes=text)
    path = tmp_path / f"out.{format}"
    path.write_bytes(file_of(layla, format=format, columns=["name", "notes"]))
    with open_sheet(path, format) as sheet:
        assert [cells for _number, cells in sheet.rows] == [["سارة", text] for text in texts]


def test_a_workbook_that_is_broken_off_writes_no_more(monkeypatch):
    unraisable = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)
    file = io.BytesIO()
    book = XLSXWriter(file, "عملاء", ["name"], [20], total=2)
    book.write(["سارة"])
    book.abandon()
    written = len(file.getvalue())
    file.close()
    del book
    gc.collect()
    assert written and unraisable == []


TEXTS = st.text(alphabet='ab ,،؛;|\n"فيلا=', min_size=1, max_size=8).map(str.strip).filter(bool)


@given(st.lists(TEXTS | st.sampled_from([*PROPERTY_TYPES, "فيلا", "فلل", "شقه", "flat"]), unique=True, max_size=4))
def test_a_list_in_a_cell_comes_back_as_it_was(parts):
    parts = [part for part in parts if "\n" not in part]
    read = list_reader(TextListField(), TYPES)
    for labels in (PROPERTY_TYPES, {}):
        assert list(read(list_text(parts, TYPES, labels))) == parts


def test_an_export_in_excel_evaluates_nothing(layla):
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "#N/A", "'=1"):
        make_customer(layla, name=name)
    sheet = openpyxl.load_workbook(io.BytesIO(file_of(layla, format="xlsx", columns=["name", "phone"]))).active
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[0].value for row in rows] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "#N/A", "''=1"]
    assert {cell.data_type for row in rows for cell in row} == {"s"}
    assert [row[1].value for row in rows] == list(
        Customer.objects.order_by("created_at").values_list("phone", flat=True)
    )


def test_what_does_not_fit_a_sheet_stands_in_the_next(layla, monkeypatch):
    monkeypatch.setattr("customers.exporting.writers.SHEET_ROWS", 3)
    for number in range(5):
        make_customer(layla, name=f"عميل <{number}> &\ufffe")
    book = openpyxl.load_workbook(io.BytesIO(file_of(layla, format="xlsx", columns=["name"])), read_only=True)
    names = [[row[0].value for row in sheet.rows] for sheet in book]
    rows = [f"عميل <{number}> &" for number in range(5)]
    assert names == [["Name", *rows[:2]], ["Name", *rows[2:4]], ["Name", *rows[4:]]]


def test_an_empty_export_has_its_header(layla):
    for format in FORMATS:
        assert len(file_of(layla, format=format)) > 100
    book = openpyxl.load_workbook(io.BytesIO(file_of(layla, format="xlsx", columns=["name"])))
    assert [[cell.value for cell in row] for row in book.active.rows] == [["Name"]]


def test_a_csv_file_says_in_its_first_bytes_that_it_is_utf_8(layla):
    assert file_of(layla).startswith(b"\xef\xbb\xbf")


def test_times_are_those_of_the_organization(layla, organization):
    customer = make_customer(layla)
    Customer.objects.filter(pk=customer.pk).update(created_at=datetime(2026, 3, 13, 21, 30, tzinfo=UTC))
    (line,) = lines_of(file_of(layla))
    assert line["Created"] == "2026-03-14 00:30"
    sheet = openpyxl.load_workbook(io.BytesIO(file_of(layla, format="xlsx", columns=["created_at"]))).active
    assert sheet["A2"].value == datetime(2026, 3, 14, 0, 30)


def test_who_may_not_see_national_ids_gets_them_masked(layla, organization):
    make_customer(layla, national_id="1000000008")
    clerk = make_employee(organization, "سمر Samar", Role.ADMIN)
    clerk.permissions = clerk.permissions - {"customers.pii"}
    assert [line["National ID"] for line in lines_of(file_of(layla)) + lines_of(file_of(clerk))] == [
        "1000000008",
        "******0008",
    ]


def test_deleted_customers_stay(layla):
    from customers.services.customer import delete_customer

    kept, gone = make_customer(layla), make_customer(layla)
    delete_customer(gone, actor=layla)
    assert [line["Customer ID"] for line in lines_of(file_of(layla))] == [kept.pk]


def test_the_memory_and_the_statements_of_an_export_do_not_grow(layla, django_assert_num_queries):
    for _number in range(3):
        make_customer(layla)
    with django_assert_num_queries(2):
        file_of(layla)


# --- There and back ------------------------------------------------------------------------------


def test_an_importer_knows_each_of_its_columns_by_what_exports_call_it_and_none_of_the_others(layla):
    for what, importer in IMPORTERS.items():
        known = columns_by_key(importer.header_table)
        for language in LANGUAGES:
            with translation.override(language):
                for name, column in shape_of(what, layla).columns.items():
                    expected = name if name in known.values() else None
                    assert known.get(key_of(column.label)) == expected, column.label


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("format", FORMATS)
def test_customers_that_go_out_and_come_in_again_are_as_they_were(layla, ahmed, tmp_path, language, format):
    full = {
        "name": "=محمد", "name_en": "Mohammed", "whatsapp": "+966511112222", "email": "m@mail.example",
        "national_id": "1000000008", "nationality": "Saudi", "date_of_birth": date(1990, 5, 1),
        "occupation": "مهندس", "family_size": 5, "customer_type": "investor", "source": "website",
        "tags": ["vip", "a,b", 'say "x"'], "notes": "=1+1\nسطر ثان", "city": "جده", "district": "حي النرجس",
        "address": "شارع 1\nمبنى 2", "total_deal_value": "1500000.50", "assigned_employee_id": ahmed.pk,
        "preferences": {
            "propertyType": ["villa", "فلل", "استراحة"], "preferredAreas": ["الرياض - حي النرجس"], "bedrooms": 4,
            "bathrooms": 0, "budgetMin": 800000, "budgetMax": 1200000.5,
        },
    }  # fmt: skip
    make_customer(layla, **full)
    words = zip(Stage, [*Priority] * 3, [*Source] * 2, [*Gender] * 5, [*Purpose] * 3, [*Timeline] * 3, strict=False)
    for stage, priority, source, gender, purpose, timeline in words:
        wanted = {"purpose": purpose.value, "timeline": timeline.value, "propertyType": ["villa"]}
        values = {"stage": stage.value, "priority": priority.value, "source": source.value, "gender": gender.value}
        make_customer(layla, **values, preferences=wanted)
    path = tmp_path / "file"
    before = list(Customer.objects.order_by("pk").values())
    with translation.override(language):
        path.write_bytes(file_of(layla, format=format))
        report = Report(tmp_path / "errors.csv")
        CustomerImporter(layla.organization, report, upsert=True, actor=layla).run(path, format)
    assert report.sample == []
    assert (report.read, report.unchanged, report.updated, report.bad_rows) == (10, 10, 0, 0)
    assert list(Customer.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("format", FORMATS)
def test_listings_that_go_out_and_come_in_again_are_as_they_were(layla, tmp_path, language, format):
    make_listing(
        layla, reference="=A-1", title_en="Villa", price="2500000.50", latitude="24.77360000", longitude="46.5",
        bedrooms=5, bathrooms=0, area="400", floor=0, total_floors=2, furnishing="semi-furnished",
        amenities=["pool", "maid_room", "قبو", "a,b"], description="سطر\nسطر", image_url="https://x.example/a.jpg",
        ad_license_number="7100", ad_license_expiry=date(2027, 1, 1), status="reserved",
    )  # fmt: skip
    for status, purpose, kind in (
        ("sold", "rent", "apartment"),
        ("rented", "sale", "استراحة"),
        ("available", "sale", "land"),
    ):
        make_listing(layla, reference=f"B-{status}", status=status, purpose=purpose, type=kind)
    path = tmp_path / "file"
    before = list(Listing.objects.order_by("pk").values())
    with translation.override(language):
        path.write_bytes(file_of(layla, "listings", format))
        report = Report(tmp_path / "errors.csv")
        IMPORTERS["listings"](layla.organization, report, upsert=True, actor=layla).run(path, format)
    assert report.sample == []
    assert (report.read, report.unchanged, report.updated) == (4, 4, 0)
    assert list(Listing.objects.order_by("pk").values()) == before
