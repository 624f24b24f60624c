"""POST /customers/:id/documents: forms as clients send them."""

import io
import re

import pytest
from PIL import Image

from config.models import AuditEntry
from config.testing import data_of, error_of, fields_of, make_customer, nothing_changes
from customers.models import Customer
from documents.models import Document
from documents.scanning import Infected
from documents.tests.files import (
    BOUNDARY,
    DOCX_TYPE,
    MULTIPART,
    XLSX_TYPE,
    body_of,
    form,
    office,
    part,
    pdf,
    photo_with_a_place,
    picture,
    send,
    stored,
    upload,
)
from employees.authentication import forget_identities
from employees.models import Organization
from realtime.models import Event


def test_a_file_is_kept_with_what_is_said_of_it(as_, ahmed):
    customer, content = make_customer(ahmed), pdf()
    body = form(
        content,
        "هوية العميل.pdf",
        name="صورة الهوية",
        type="contract",
        description="وجه\r\nوظهر",
        tags='["identity","kyc"]',
    )
    response = send(as_(ahmed), customer, body)
    document = data_of(response, 201)["document"]
    link, uploaded_at = document.pop("fileUrl"), document.pop("uploadedAt")
    assert document == {
        "id": document["id"],
        "name": "صورة الهوية",
        "type": "contract",
        "fileSize": len(content),
        "mimeType": "application/pdf",
        "uploadedBy": ahmed.name,
        "uploadedById": ahmed.pk,
        "description": "وجه\nوظهر",
        "tags": ["identity", "kyc"],
    }
    assert document["id"].startswith("doc_") and uploaded_at.endswith("Z")
    assert link.startswith(f"http://testserver/api/v1/documents/{document['id']}/file?")
    assert response["Location"] == f"/api/v1/customers/{customer.pk}/documents/{document['id']}"
    assert list(stored().values()) == [content]


def test_only_the_file_is_needed_its_name_and_other_are_the_defaults(as_, ahmed):
    document = data_of(upload(as_(ahmed), make_customer(ahmed), file_name="عقد البيع.pdf"), 201)["document"]
    assert (document["name"], document["type"], document["tags"]) == ("عقد البيع.pdf", "other", [])
    assert "description" not in document


@pytest.mark.parametrize(
    ("texts", "tags"),
    [
        ({"tags": '["identity", "kyc"]'}, ["identity", "kyc"]),
        ({"tags": ["identity", "kyc, new"]}, ["identity", "kyc, new"]),
        ({"tags[]": ["هوية", "kyc"]}, ["هوية", "kyc"]),
        ({"tags[0]": "identity", "tags[1]": "kyc"}, ["identity", "kyc"]),
        ({"tags": "identity, kyc,kyc"}, ["identity", "kyc"]),
        ({"tags": "هوية، kyc,عقد"}, ["هوية", "kyc", "عقد"]),
        ({"tags": ""}, []),
        ({"tags": "null"}, []),
        ({"tags": "[]"}, []),
    ],
)
def test_tags_are_read_as_forms_send_them(as_, ahmed, texts, tags):
    document = data_of(upload(as_(ahmed), make_customer(ahmed), **texts), 201)["document"]
    assert document["tags"] == tags


@pytest.mark.parametrize(
    ("content", "file_name", "declared", "mime_type"),
    [
        (pdf(), "a.PDF", "application/octet-stream", "application/pdf"),
        (pdf(), "a.pdf", None, "application/pdf"),
        (picture(), "a.jpeg", "image/jpg", "image/jpeg"),
        (picture(mode="CMYK"), "a.jpg", "image/jpeg", "image/jpeg"),
        (picture("PNG", mode="RGBA"), "a.png", "image/png", "image/png"),
        (picture("PNG", mode="P"), "a.png", "image/png", "image/png"),
        (picture("WEBP"), "a.webp", "image/webp", "image/webp"),
        (office("docx"), "a.docx", DOCX_TYPE, DOCX_TYPE),
        (office("xlsx"), "a.xlsx", "application/zip", XLSX_TYPE),
    ],
)
def test_what_is_accepted(as_, ahmed, content, file_name, declared, mime_type):
    body = body_of(part("file", content, file_name=file_name, content_type=declared))
    document = data_of(send(as_(ahmed), make_customer(ahmed), body), 201)["document"]
    (kept,) = stored().values()
    assert (document["mimeType"], document["fileSize"], document["name"]) == (mime_type, len(kept), file_name)


@pytest.mark.parametrize(
    ("content", "declared", "name"),
    [
        (pdf(), "application/pdf", "document.pdf"),
        (picture(), "image/jpeg", "document.jpg"),
        (office("xlsx"), XLSX_TYPE, "document.xlsx"),
    ],
)
def test_what_a_browser_calls_blob_is_named_after_its_type(as_, ahmed, content, declared, name):
    body = body_of(part("file", content, file_name="blob", content_type=declared))
    document = data_of(send(as_(ahmed), make_customer(ahmed), body), 201)["document"]
    assert (document["name"], Document.objects.get().file_name) == (name, name)


@pytest.mark.parametrize("declared", ["image/png", "application/octet-stream", None])
def test_what_a_browser_calls_blob_must_be_declared_as_what_it_is(as_, ahmed, declared):
    body = body_of(part("file", pdf(), file_name="blob", content_type=declared))
    assert fields_of(send(as_(ahmed), make_customer(ahmed), body)) == ["file"]
    assert stored() == {}


def test_a_photo_is_kept_upright_and_without_its_place_maker_and_comment(as_, ahmed):
    content = photo_with_a_place()
    assert b"KanaryPhone" in content and b"Kanary comment" in content
    data_of(upload(as_(ahmed), make_customer(ahmed), content, "photo.jpg", type="photo"), 201)
    (kept,) = stored().values()
    with Image.open(io.BytesIO(kept)) as image:
        assert (image.size, dict(image.getexif()), image.info.get("comment")) == ((20, 40), {}, None)
        # Turned by the clock: what was left is above.
        assert image.getpixel((10, 5))[2] > 200 and image.getpixel((10, 35))[0] > 200
    assert b"Kanary" not in kept and b"GPS" not in kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/عقد.pdf", "عقد.pdf"),
        ("C:\\Users\\x\\عقد.pdf", "عقد.pdf"),
        ("عقد\u202efdp.pdf", "عقدfdp.pdf"),
        ("ب" * 300 + ".pdf", "ب" * 251 + ".pdf"),
    ],
)
def test_names_of_files_lose_folders_and_what_cannot_be_seen(as_, ahmed, sent, kept):
    data_of(upload(as_(ahmed), make_customer(ahmed), file_name=sent), 201)
    document = Document.objects.get()
    assert (document.name, document.file_name) == (kept, kept)
    (key,) = stored()
    assert key == document.storage_key and re.fullmatch("[0-9a-f]{2}/[0-9a-f]{32}", key)


# --- Forms that are none ------------------------------------------------------------------------------

WHOLE = form(pdf(), "a.pdf", name="a")
NO_BOUNDARY = "Content-Type names no boundary: leave this header to your HTTP client"
BROKEN_OFF = "The multipart body ends before its last boundary"
NAMELESS = "The multipart body has a part without a name"
NO_UTF8 = "The form holds text that is not UTF-8"
NO_TEXT = "The request holds characters that are not text"
FILE = part("file", pdf(), file_name="a.pdf")
FORMS = {
    "no boundary": (WHOLE, "multipart/form-data", NO_BOUNDARY),
    "another boundary": (WHOLE, "multipart/form-data; boundary=other", BROKEN_OFF),
    "broken off": (WHOLE[:-30], MULTIPART, BROKEN_OFF),
    "broken off in the file": (WHOLE[:300], MULTIPART, BROKEN_OFF),
    "not a form": (b'{"file": 1}', MULTIPART, BROKEN_OFF),
    "a part without a name": (body_of(FILE, f"--{BOUNDARY}\r\n\r\nx\r\n".encode()), MULTIPART, NAMELESS),
    "a file without a name": (body_of(part("file", pdf(), file_name="..")), MULTIPART, NAMELESS),
    "a name without end": (body_of(part("x" * 2000, "y")), MULTIPART, "The multipart body is malformed"),
    "10,000 parts": (body_of(FILE, part("x", "y") * 10_000), MULTIPART, "The request is malformed"),
    "100 files": (body_of(FILE * 100), MULTIPART, "The request is malformed"),
    "a text in another encoding": (body_of(FILE, part("name", "عقد".encode("cp1256"))), MULTIPART, NO_UTF8),
    "a text with NUL": (body_of(FILE, part("x", "\0")), MULTIPART, NO_TEXT),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_a_form_that_is_none_is_a_400_that_says_why(as_, ahmed, case):
    body, content_type, message = FORMS[case]
    customer = make_customer(ahmed)
    with nothing_changes():
        response = send(as_(ahmed), customer, body, content_type)
        assert error_of(response, 400, "VALIDATION_ERROR")["message"] == message
    assert (Document.objects.count(), stored()) == (0, {})


FIELDS = {
    "no file": (body_of(part("name", "a")), "file"),
    "a text for a file": (body_of(part("file", "a")), "file"),
    "an empty form": (b"", "file"),
    "an empty file": (form(b"", "a.pdf"), "file"),
    "two files": (body_of(FILE * 2), "file"),
    "a file too many": (body_of(FILE, part("b", pdf(), file_name="b.pdf")), "file"),
    "an unknown type": (form(pdf(), "a.pdf", type="passport"), "type"),
    "a name that turns around": (form(pdf(), "a.pdf", name="a\u202eb"), "name"),
    "a name that is empty to see": (form(pdf(), "a.pdf", name="\u200b"), "name"),
    "a name too long": (form(pdf(), "a.pdf", name="ا" * 256), "name"),
    "tags that are no list": (form(pdf(), "a.pdf", tags='["a"'), "tags"),
    "tags that are an object": (form(pdf(), "a.pdf", tags='{"a": 1}'), "tags"),
    "tags that are half an object": (form(pdf(), "a.pdf", tags='{"a'), "tags"),
    "tags that are no texts": (form(pdf(), "a.pdf", tags="[1, {}]"), "tags.0"),
    "a tag too long": (form(pdf(), "a.pdf", tags="ا" * 101), "tags.0"),
}


@pytest.mark.parametrize("case", FIELDS)
def test_a_field_that_is_wrong_is_named(as_, ahmed, case):
    body, field = FIELDS[case]
    customer = make_customer(ahmed)
    with nothing_changes():
        assert fields_of(send(as_(ahmed), customer, body))[0] == field
    assert (Document.objects.count(), stored()) == (0, {})


def test_json_is_no_form_and_a_form_is_no_json(as_, ahmed):
    customer = make_customer(ahmed)
    error = error_of(as_(ahmed).post(f"customers/{customer.pk}/documents", {"name": "a"}), 415)
    assert (error["code"], error["message"]) == ("UNSUPPORTED_MEDIA_TYPE", "Send the body as multipart/form-data")
    response = as_(ahmed).generic("PATCH", f"/api/v1/customers/{customer.pk}", WHOLE, content_type=MULTIPART)
    assert error_of(response, 415)["message"] == "Send the body as application/json"


@pytest.mark.parametrize("surplus", [1, 2_000_000])
def test_a_file_over_20_mb_is_a_413(as_, ahmed, settings, surplus):
    customer = make_customer(ahmed)
    with nothing_changes():
        response = upload(as_(ahmed), customer, pdf(size=settings.MAX_FILE_BYTES + surplus))
        error_of(response, 413, "PAYLOAD_TOO_LARGE")
    assert (Document.objects.count(), stored()) == (0, {})


def test_a_file_of_20_mb_is_kept(as_, ahmed, settings):
    content = pdf(size=settings.MAX_FILE_BYTES)
    assert len(content) == 20 * 1024 * 1024
    document = data_of(upload(as_(ahmed), make_customer(ahmed), content), 201)["document"]
    assert document["fileSize"] == len(content)


# --- Who may, and what follows ------------------------------------------------------------------------


def test_who_does_not_see_the_customer_or_only_looks_uploads_nothing(as_, ahmed, omar, huda, noura):
    mine, hers = make_customer(ahmed), make_customer(ahmed)
    Customer.objects.filter(pk=hers.pk).update(assigned_employee=huda)
    with nothing_changes():
        for stranger in (omar, noura):
            error_of(upload(as_(stranger), mine), 404, "RESOURCE_NOT_FOUND")
        error_of(upload(as_(huda), hers), 403, "PERMISSION_DENIED")
        error_of(upload(as_(), mine), 401, "AUTHENTICATION_FAILED")
    assert (Document.objects.count(), stored()) == (0, {})


def test_what_the_client_says_of_the_uploader_is_ignored(as_, ahmed):
    texts = {"uploadedBy": "غيري", "uploadedById": "emp_x", "id": "doc_mine", "fileUrl": "http://x"}
    document = data_of(upload(as_(ahmed), make_customer(ahmed), **texts), 201)["document"]
    assert (document["uploadedBy"], document["uploadedById"]) == (ahmed.name, ahmed.pk)
    assert document["id"] != "doc_mine" and document["fileUrl"].startswith("http://testserver/")


def test_an_upload_leaves_an_event_and_an_audit_entry(as_, ahmed):
    customer = make_customer(ahmed)
    Event.objects.all().delete()
    AuditEntry.objects.all().delete()
    response = upload(as_(ahmed), customer, headers={"X-Request-ID": "req_upload"})
    document = data_of(response, 201)["document"]
    (event,) = Event.objects.all()
    assert (event.event, event.row_id, event.request_id) == ("customer.updated", customer.pk, "req_upload")
    (told,) = event.data["changes"]["documents"]
    assert told == {**document, "fileUrl": f"/api/v1/documents/{document['id']}/file"}
    (entry,) = AuditEntry.objects.filter(table_name="documents")
    assert (entry.operation, entry.row_id, entry.actor_id, entry.request_id) == (
        *("insert", document["id"], ahmed.pk, "req_upload"),
    )


# --- Copies of IDs ------------------------------------------------------------------------------------


@pytest.fixture
def rule(organization):
    """Sets what the organization says of copies of IDs."""

    def set_rule(word):
        Organization.objects.filter(pk=organization.pk).update(id_copies=word)
        forget_identities()

    return set_rule


def test_a_copy_of_an_id_is_kept_with_a_warning_unless_the_organization_says_otherwise(as_, ahmed, rule):
    customer, client = make_customer(ahmed), as_(ahmed)
    data = data_of(upload(client, customer, type="id_copy"), 201)
    (warning,) = data["warnings"]
    assert (warning["code"], warning["field"]) == ("ID_COPY_DISCOURAGED", "type")
    assert warning["message"] == "The law forbids copies of IDs to those whom no other law obliges to keep them"
    assert warning.keys() == {"code", "field", "message", "messageAr"}
    assert "warnings" not in data_of(upload(client, customer, type="contract"), 201)
    rule("allow")
    assert "warnings" not in data_of(upload(client, customer, type="id_copy"), 201)


def test_where_copies_of_ids_are_refused_none_comes_in_by_any_door(as_, ahmed, rule):
    customer, client = make_customer(ahmed), as_(ahmed)
    contract = data_of(upload(client, customer, type="contract"), 201)["document"]
    rule("block")
    with nothing_changes():
        assert fields_of(upload(client, customer, type="id_copy"), 422) == ["type"]
        path = f"customers/{customer.pk}/documents/{contract['id']}"
        assert fields_of(client.patch(path, {"type": "id_copy"}), 422) == ["type"]
    assert len(stored()) == Document.objects.count() == 1


# --- When something is away ---------------------------------------------------------------------------


def refuse(file):
    raise Infected


def break_down(file):
    raise ConnectionRefusedError


@pytest.mark.parametrize(
    ("scanner", "status", "code"), [(refuse, 400, "VALIDATION_ERROR"), (break_down, 503, "EXTERNAL_SERVICE_ERROR")]
)
def test_nothing_is_kept_that_the_scanner_refuses_or_has_not_seen(as_, ahmed, settings, scanner, status, code):
    settings.DOCUMENT_SCANNER = f"{__name__}.{scanner.__name__}"
    customer = make_customer(ahmed)
    with nothing_changes():
        error_of(upload(as_(ahmed), customer), status, code)
    assert (Document.objects.count(), stored()) == (0, {})


def test_a_storage_that_is_away_is_a_503_and_leaves_no_row(as_, ahmed, settings):
    settings.DOCUMENT_FOLDER.write_text("no folder")
    customer = make_customer(ahmed)
    try:
        with nothing_changes():
            error_of(upload(as_(ahmed), customer), 503, "EXTERNAL_SERVICE_ERROR")
    finally:
        settings.DOCUMENT_FOLDER.unlink()
    assert Document.objects.count() == 0
