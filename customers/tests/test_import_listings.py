"""manage.py import_listings."""

import csv
import io
import re
import threading
from datetime import UTC, datetime

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.models import AuditEntry
from config.signals import changed
from config.testing import data_of, make_listing
from customers.importing import listings as importing
from customers.importing.listing_words import LISTING_HEADERS
from customers.importing.words import columns_by_key, key_of
from customers.models import Listing
from customers.tests.imports import reasons, run_import

HEADER = (
    "رقم العقار;العنوان;نوع العقار;الغرض;الحالة;السعر;المدينة;الحي;غرف النوم;المساحة;الدور;المرافق;رخصة الإعلان;التأثيث"
)
ROWS = [
    "R-1;فيلا راقية;فيلا;للبيع;متاح;٢٬٨٠٠٬٠٠٠ ريال;الریاض;حي الياسمين;٥;٤١٢٫٥;;مسبح، حديقة;٧٢٠٠٠١٢٣٤٥;",
    "R-2;شقة مفروشة;شقق;إيجار;محجوزة;60000;Jeddah;;2;110;أرضي;pool|قبو;FL-1;مفروشة",
    "R-3;أرض سكنية;land;sale;;;;;;;;;;",
    "R-4;مستودع;مستودع;rent;مؤجر;1,000.50;الدمام;;;;-1;;;شبه مفروش",
]
HEAD = "reference,title,type,purpose,price"


@pytest.fixture
def run(tmp_path, organization):
    """Import text, bytes or an object; gives `(exit code, {summary}, [error rows])`."""

    def run(content, name="listings.csv", encoding="utf-8-sig", **options):
        options = {"organization": organization.pk, **options}
        return run_import("import_listings", tmp_path / name, content, encoding, **options)

    return run


def table(*rows, header=HEAD):
    return "\n".join([header, *rows]) + "\n"


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Listing, AuditEntry)]


# --- What files say --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8-sig", ";"), ("utf-8", ","), ("utf-16", "\t"), ("cp1256", ";"), ("cp1256", "\t")]
)
def test_every_encoding_and_separator_gives_the_same_listings(run, encoding, separator):
    rows = [line.split(";") for line in (HEADER, *ROWS)]
    if encoding == "cp1256":
        # What the code page does not have: Arabic digits and their points, and the Persian yeh.
        plain = str.maketrans("٠١٢٣٤٥٦٧٨٩٬٫ی", "0123456789,.ي")
        rows = [[cell.translate(plain) for cell in row] for row in rows]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    code, summary, found = run(text.getvalue(), encoding=encoding)
    assert (code, found) == (0, [])
    assert summary == {"read": 4, "inserted": 4, "updated": 0, "unchanged": 0, "duplicates": 0, "bad": 0}
    first, second, third, fourth = Listing.objects.order_by("reference")
    assert (first.title, first.type, first.purpose, first.status) == ("فيلا راقية", "villa", "sale", "available")
    assert (first.price, first.area, first.bedrooms, first.floor) == (2_800_000, 412.5, 5, None)
    assert (first.city_key, first.region, first.district) == ("riyadh", "SA-01", "حي الياسمين")
    assert (first.amenities, first.amenity_keys) == (["pool", "garden"], ["garden", "pool"])
    assert first.ad_license_number == "7200012345" and first.location.endswith(" - حي الياسمين")
    assert (second.type, second.purpose, second.status, second.floor) == ("apartment", "rent", "reserved", 0)
    assert (second.city_key, second.amenities, second.furnishing) == ("jeddah", ["pool", "قبو"], "furnished")
    assert (third.type_key, third.price, third.amenities) == ("type:land", None, [])
    assert (fourth.type, fourth.status, fourth.floor) == ("مستودع", "rented", -1)
    assert (float(fourth.price), fourth.furnishing) == (1000.5, "semi-furnished")


def test_an_xlsx_file_reads_like_its_csv(run, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(
        ["المعرف", "العنوان", "نوع العقار", "الغرض", "السعر", "الدور", "انتهاء الترخيص", "تاريخ الإضافة"]
    )
    book.active.append(
        ["prop_x1", "فيلا", "فيلا", "بيع", 2800000, -1, datetime(2027, 1, 31), datetime(2026, 3, 14, 16, 20)]
    )
    book.active.append(["prop_x2", "فيلا", "فيلا", "هدية", None, None, None, None])
    book.save(tmp_path / "book.xlsx")
    code, summary, found = run((tmp_path / "book.xlsx").read_bytes(), "book.xlsx")
    assert (code, summary["inserted"]) == (2, 1)
    assert reasons(found) == [("3", "الغرض", "Must be one of: sale, rent")]
    listing = Listing.objects.get()
    assert (listing.pk, listing.price, listing.floor) == ("prop_x1", 2_800_000, -1)
    assert str(listing.ad_license_expiry) == "2027-01-31"
    assert listing.created_at == datetime(2026, 3, 14, 13, 20, tzinfo=UTC)


def test_a_row_of_a_file_and_an_object_are_stored_like_the_same_body_of_the_api(run, as_, layla):
    body = {
        "title": "دور أرضي", "titleEn": "Ground floor", "type": "دور", "purpose": "rent", "status": "reserved",
        "price": 85000.5, "city": "مكه المكرمة", "district": "العوالي", "latitude": 21.4, "longitude": 39.8,
        "bedrooms": 4, "bathrooms": 3, "area": 200, "floor": 0, "totalFloors": 3, "furnishing": "unfurnished",
        "amenities": ["مسبح", "قبو"], "description": "قال: \"نعم\"\nثم ذهب", "imageUrl": "https://x.example/1.jpg",
        "adLicenseNumber": "7100012345", "adLicenseExpiry": "2030-01-31",
    }  # fmt: skip
    cells = {**body, "reference": "F-1", "amenities": "مسبح|قبو"}
    text = io.StringIO()
    csv.writer(text).writerows([list(cells), list(cells.values())])
    assert run(text.getvalue())[0] == 0
    shown = data_of(as_(layla).post("listings", {**body, "reference": "F-2"}), 201)["listing"]
    assert run({"listings": [{**shown, "id": "prop_f3", "reference": "F-3"}]}, "full.json")[0] == 0
    by_file, by_api, by_object = Listing.objects.order_by("reference").values()
    # A spreadsheet's word for an amenity becomes the usual one; its key is the same.
    assert by_file.pop("amenities") == ["pool", "قبو"] and by_api.pop("amenities") == by_object.pop("amenities")
    apart = {"id", "reference", "searched", "created_at", "updated_at"}
    rows = [{name: value for name, value in row.items() if name not in apart} for row in (by_file, by_api, by_object)]
    assert rows[0] == rows[1] == rows[2]
    assert by_object["created_at"] == by_api["created_at"]


def test_every_header_means_one_column():
    of = columns_by_key(LISTING_HEADERS)
    lines = re.sub(r"\n +\|", ",", LISTING_HEADERS.strip()).splitlines()
    for name, _colon, spelled in (line.strip().partition(":") for line in lines):
        camel = re.sub(r"_(.)", lambda match: match[1].upper(), name)
        texts = [text for text in (name, camel, *re.split("[,|]", spelled)) if text.strip()]
        assert {of[key_of(text)] for text in texts} == {name}


# --- What is wrong ---------------------------------------------------------------------------------


def test_every_wrong_cell_is_reported_by_row_and_the_good_rows_go_in(run):
    header = "الكود,العنوان,النوع,الغرض,السعر,الغرف,الدور,عدد الأدوار,اللون"
    code, summary, found = run(
        table(
            "A-1,فيلا,فيلا,بيع,100,,,,أحمر",
            "A-2,فيلا,فيلا,=هدية,مليون,كثير,,,",
            "A-3,,,بيع,,,,,",
            ",فيلا,فيلا,بيع,,,,,",
            "A-5,شقة,شقة,بيع,,,9,4,",
            "A-6,شقة,شقة,بيع,,,,,,زيادة",
            header=header,
        )
    )
    assert (code, summary["read"], summary["inserted"], summary["bad"], summary["notices"]) == (2, 6, 1, 5, 1)
    assert reasons(found) == [
        ("3", "الغرض", "Must be one of: sale, rent"),
        ("3", "السعر", "Enter a number such as 1250000, 1,250,000 or 1250000.50"),
        ("3", "الغرف", "Enter a number such as 1250000, 1,250,000 or 1250000.50"),
        ("4", "العنوان", "This field is required."),
        ("4", "النوع", "This field is required."),
        ("5", "الكود", "A reference or an id is needed: by it the listing is known when it comes again"),
        ("7", "", "The row has more cells than the header"),
        ("6", "", "Must not be more than totalFloors"),
    ]
    assert reasons(found, "notice")[0][1] == "اللون"
    assert {line["value"] for line in found if line["column"] == "الغرض"} == {"'=هدية"}
    assert Listing.objects.get().reference == "A-1"


def test_wrong_parts_of_an_object_are_named_and_the_good_ones_go_in(run):
    good = {"id": "prop_1", "title": "فيلا", "type": "villa", "purpose": "sale"}
    wrong = {**good, "id": "prop_2", "price": -1, "amenities": ["pool", {"x": 1}], "createdAt": "soon"}
    later = {**good, "id": "prop_3", "createdAt": "2099-01-01T00:00:00Z"}
    code, summary, found = run([good, wrong, "x", {**good, "id": None}, later], "listings.json")
    assert (code, summary["inserted"], summary["bad"]) == (2, 1, 4)
    assert [(line["row"], line["column"], line["value"]) for line in found] == [
        ("2", "price", "'-1"),
        ("2", "amenities.1", '{"x":1}'),
        ("2", "createdAt", "soon"),
        ("3", "", "x"),
        ("4", "reference", ""),
        ("5", "createdAt", "2099-01-01T00:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("", "empty.csv", "The file is empty"),
        ("reference,title,type\nA-1,x,villa\n", "x.csv", "no column for purpose"),
        ("title,type,purpose\nx,villa,sale\n", "x.csv", "no column for reference"),
        (b"PK\x03\x04nothing", "x.xlsx", "not an Excel file"),
        ("{", "x.json", "not valid JSON"),
        ('{"customers": []}', "x.json", "must be a list of listings"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(run, content, name, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(content, name, encoding="utf-8")
    assert not Listing.objects.exists()


def test_a_file_without_one_good_row_ends_with_1_and_an_unknown_organization_is_refused(run):
    assert run(table("A-1,x,villa,gift,"))[0] == 1
    with pytest.raises(CommandError, match="no organization org_none"):
        run(table("A-1,x,villa,sale,"), organization="org_none")


# --- Again and by halves -----------------------------------------------------------------------------


@pytest.mark.parametrize("upsert", [False, True])
def test_a_second_run_changes_nothing(run, upsert):
    objects = [{"id": "prop_1", "title": "فيلا", "type": "villa", "purpose": "sale", "amenities": ["مسبح"]}]
    run(table(*ROWS, header=HEADER))
    run(objects, "full.json")
    before = everything()
    code, summary, _found = run(table(*ROWS, header=HEADER), upsert=upsert)
    assert (code, summary["unchanged" if upsert else "duplicates"]) == (0, 4)
    code, summary, _found = run(objects, "full.json", upsert=upsert)
    assert (code, summary["unchanged"]) == (0, 1)
    assert everything() == before


def test_upsert_changes_what_the_file_says_and_leaves_the_rest(run, layla):
    by_reference = make_listing(layla, reference="A-1", price=5, bedrooms=3, status="sold")
    by_id = make_listing(layla, reference="A-2")
    heard = []
    listener = lambda rows, kind, changes, **_: heard.append((kind, [row.pk for row in rows], changes))  # noqa: E731
    changed.connect(listener, sender=Listing)
    header = "id,reference,title,type,purpose,price,city,created_at"
    rows = ["prop_none,a-1,فيلا جديدة,villa,sale,6,جدة,2020-01-01", f"{by_id.pk},A-9,فيلا,villa,sale,,,",
            ",A-3,أرض,land,sale,7,,"]  # fmt: skip
    code, summary, found = run(table(*rows, header=header), upsert=True)
    changed.disconnect(listener, sender=Listing)
    assert (code, summary["inserted"], summary["updated"], found) == (0, 1, 2, [])
    before = by_reference.created_at
    by_reference.refresh_from_db()
    assert (by_reference.title, by_reference.price, by_reference.city_key) == ("فيلا جديدة", 6, "jeddah")
    assert (by_reference.bedrooms, by_reference.status, by_reference.version) == (3, "sold", 2)
    assert by_reference.created_at == before
    by_id.refresh_from_db()
    assert (by_id.reference, by_id.city, by_id.title) == ("A-9", "الرياض", "فيلا")
    new = Listing.objects.get(reference="A-3")
    assert [(kind, keys) for kind, keys, _changes in heard] == [
        ("created", [new.pk]),
        ("updated", [by_reference.pk, by_id.pk]),
    ]
    assert heard[1][2][0]["price"] == (5, 6)
    entry = AuditEntry.objects.get(row_id=by_reference.pk, operation="update")
    assert entry.actor_id == "system" and entry.changes["city"] == ["الرياض", "جدة"]


def test_ids_survive_where_they_are_free_and_taken_ones_become_references(run, noura, layla):
    theirs = make_listing(noura)
    rows = [f"{theirs.pk},,فيلا,villa,sale", "prop_free,R-7,فيلا,villa,sale", "A/12,,شقة,villa,sale",
            "stats,R-8,شقة,villa,sale"]  # fmt: skip
    content = table(*rows, header="id,reference,title,type,purpose")
    code, summary, found = run(content)
    assert (code, summary["inserted"]) == (0, 4)
    ours = {listing.reference: listing.pk for listing in Listing.objects.filter(organization=layla.organization)}
    assert ours.keys() == {theirs.pk, "R-7", "A/12", "R-8"} and ours["R-7"] == "prop_free"
    assert theirs.pk not in ours.values() and "stats" not in ours.values()
    assert reasons(found, "notice") == [
        (str(row), "id", f"The id is {why}; the new one is {ours[reference]}")
        for row, reference, why in ((2, theirs.pk, "taken"), (4, "A/12", "not usable"), (5, "R-8", "not usable"))
    ]
    before = everything()
    assert run(content, upsert=True)[1]["unchanged"] == 4
    assert everything() == before


def test_repeats_in_the_file_and_references_of_others_are_reported(run, layla):
    first, second, third = (make_listing(layla, reference=text, title="بيت") for text in ("A-1", "A-2", "A-3"))
    rows = ["prop_1,N-1,فيلا,villa,sale", "prop_1,N-2,فيلا,villa,sale", ",N-1,فيلا,villa,sale",
            f"{first.pk},A-2,فيلا,villa,sale", ",A-1,فيلا,villa,sale", f"{second.pk},,فيلا,villa,sale",
            f"{third.pk},,فيلا,villa,sale", ",A-3,فيلا,villa,sale"]  # fmt: skip
    code, summary, found = run(table(*rows, header="id,reference,title,type,purpose"), upsert=True)
    assert (code, summary["inserted"], summary["updated"], summary["duplicates"], summary["bad"]) == (2, 1, 3, 3, 1)
    assert reasons(found, "duplicate") == [
        ("3", "id", "The same listing as in row 2"),
        ("4", "reference", "The same listing as in row 2"),
        ("9", "id", "The same listing as in row 8"),
    ]
    assert reasons(found) == [("5", "reference", "A listing with this reference exists already")]


def test_a_dry_run_does_everything_and_keeps_nothing(run):
    before = everything()
    _code, summary, found = run(table(*ROWS, "x;;;;;;;;;;;;;", header=HEADER), dry_run=True)
    assert (summary["inserted"], summary["bad"], len(found)) == (4, 1, 3)
    assert everything() == before


def test_an_import_that_ends_half_way_leaves_nothing(run, monkeypatch, tmp_path):
    monkeypatch.setattr(importing, "CHUNK_ROWS", 1)
    taken = iter(range(3))

    def interrupt(**_message):
        if next(taken) == 2:
            raise KeyboardInterrupt

    changed.connect(interrupt, sender=Listing)
    try:
        with pytest.raises(CommandError, match="Interrupted: nothing was imported"):
            run(table(*ROWS, header=HEADER))
    finally:
        changed.disconnect(interrupt, sender=Listing)
    assert not Listing.objects.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["listings.csv"]


@pytest.mark.django_db(transaction=True)
def test_a_listing_made_meanwhile_ends_the_import_with_one_sentence(run, layla, monkeypatch):
    original = importing.ListingLoader._insert

    def lose(self, listings):
        thread = threading.Thread(target=lambda: (make_listing(layla, reference="R-2"), connection.close()))
        thread.start()
        thread.join()
        original(self, listings)

    monkeypatch.setattr(importing.ListingLoader, "_insert", lose)
    with pytest.raises(CommandError, match="Others changed the same listings meanwhile; nothing was imported"):
        run(table(*ROWS, header=HEADER))
    assert Listing.objects.get().reference == "R-2"


def test_chunks_know_what_earlier_ones_have_written(run, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK_ROWS", 2)
    rows = [f"N-{number % 7},فيلا,villa,sale,{number + 1}" for number in range(10)]
    code, summary, _found = run(table(*rows))
    assert (code, summary["inserted"], summary["duplicates"]) == (0, 7, 3)


def test_help_tells_the_columns(capsys):
    with pytest.raises(SystemExit):
        call_command("import_listings", "--help")
    told = " ".join(capsys.readouterr().out.split())
    for column in ("reference (رقم العقار)", "ad_license_number (رقم ترخيص الإعلان)", "purpose (الغرض)"):
        assert column in told
