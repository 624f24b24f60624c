"""GET /documents/:id/file: signed links, tokens, ranges, and what a download says of itself."""

import logging
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest

from config.api import links
from config.models import AuditEntry
from config.testing import data_of, error_of, make_customer
from documents.models import Document
from documents.tests.files import make_document, pdf, picture, upload

CONTENT = pdf(size=1000)


@pytest.fixture
def document(as_, ahmed):
    return make_document(as_(ahmed), ahmed, content=CONTENT)


@pytest.fixture
def fetch(client):
    """Follows a link as a browser does, without a token."""
    return lambda link, method="get", **headers: getattr(client, method)(link, headers=headers)


def edited(link, **query):
    """The link with parts of its query replaced, or left out where None."""
    parts = urlsplit(link)
    known = {name: values[0] for name, values in parse_qs(parts.query).items()} | query
    return urlunsplit(parts._replace(query=urlencode({k: v for k, v in known.items() if v is not None})))


def content_of(response):
    return b"".join(response.streaming_content)


def path_of(document):
    return f"documents/{document['id']}/file"


# --- Links --------------------------------------------------------------------------------------------


def test_the_link_gives_the_file_to_whoever_holds_it(fetch, document):
    response = fetch(document["fileUrl"])
    assert (response.status_code, content_of(response)) == (200, CONTENT)
    assert {name: response[name] for name in ("Content-Type", "Content-Length", "Cache-Control", "Accept-Ranges")} == {
        "Content-Type": "application/pdf",
        "Content-Length": "1000",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
    }
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == (
        "attachment; filename*=utf-8''%D8%B9%D9%82%D8%AF%20%D8%A7%D9%84%D8%A8%D9%8A%D8%B9.pdf"
    )


def test_under_every_prefix_of_the_api(fetch, document):
    for prefix in ("/v1/", "/api/", "/api/v1/v1/"):
        assert fetch(document["fileUrl"].replace("/api/v1/", prefix)).status_code == 200


def test_a_link_is_valid_for_five_minutes(fetch, document, monkeypatch):
    now = links.time.time()
    assert int(parse_qs(urlsplit(document["fileUrl"]).query)["expires"][0]) - now <= 300
    monkeypatch.setattr(links.time, "time", lambda: now + 298)
    assert fetch(document["fileUrl"]).status_code == 200
    monkeypatch.setattr(links.time, "time", lambda: now + 302)
    error_of(fetch(document["fileUrl"]), 403, "PERMISSION_DENIED")


def test_an_edited_link_is_worth_nothing(fetch, as_, ahmed, layla, document):
    link, other = document["fileUrl"], make_document(as_(ahmed), ahmed)
    signature = parse_qs(urlsplit(link).query)["signature"][0]
    for wrong in (
        edited(link, expires="9999999999"),
        edited(link, expires="soon"),
        edited(link, expires=None),
        edited(link, employee=layla.pk),
        edited(link, employee=None),
        edited(link, signature=""),
        edited(link, signature="ع"),
        edited(link, signature=signature[:-1]),
        edited(link, signature=signature.upper()),
        link.replace(document["id"], other["id"]),
        link.replace(document["id"], "doc_none"),
    ):
        error_of(fetch(wrong), 403, "PERMISSION_DENIED")
    error_of(fetch(edited(link, signature=None)), 401, "AUTHENTICATION_FAILED")


def test_a_link_ends_with_the_rights_of_the_one_it_was_made_for(fetch, as_, layla, ahmed, fatima, document):
    link = document["fileUrl"]
    customer = Document.objects.get().customer
    data_of(as_(layla).post(f"customers/{customer.pk}/assign", {"employeeId": None}))
    error_of(fetch(link), 404, "RESOURCE_NOT_FOUND")
    data_of(as_(layla).post(f"customers/{customer.pk}/assign", {"employeeId": ahmed.pk}))
    assert fetch(link).status_code == 200
    data_of(as_(layla).post(f"employees/{ahmed.pk}/deactivate", {"successorId": fatima.pk}))
    error_of(fetch(link), 403, "PERMISSION_DENIED")


def test_the_link_of_a_document_that_is_gone_is_a_404(fetch, as_, ahmed, document):
    customer = Document.objects.get().customer
    data_of(as_(ahmed).delete(f"customers/{customer.pk}/documents/{document['id']}"))
    error_of(fetch(document["fileUrl"]), 404, "RESOURCE_NOT_FOUND")


def test_the_host_is_the_one_that_was_asked_or_the_public_one(as_, ahmed, document, settings):
    path = f"customers/{Document.objects.get().customer_id}/documents"
    (shown,) = data_of(as_(ahmed).get(path, headers={"Host": "hub.example.com"}))["documents"]
    assert shown["fileUrl"].startswith(f"http://hub.example.com/api/v1/documents/{document['id']}/file?")
    settings.PUBLIC_URL = "https://files.example.com/hub"
    (shown,) = data_of(as_(ahmed).get(path))["documents"]
    assert shown["fileUrl"].startswith(f"https://files.example.com/hub/api/v1/documents/{document['id']}/file?")


def test_links_change_and_the_etag_does_not(as_, ahmed, document, monkeypatch):
    customer_id, now = Document.objects.get().customer_id, links.time.time()
    for path in (f"customers/{customer_id}", f"customers/{customer_id}/documents", "customers?include=documents"):
        first = as_(ahmed).get(path)
        monkeypatch.setattr(links.time, "time", lambda: now + 60)
        second = as_(ahmed).get(path)
        assert first["ETag"] == second["ETag"] and first.json()["data"] != second.json()["data"]
        assert as_(ahmed).get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
        monkeypatch.setattr(links.time, "time", lambda: now)


def test_no_text_of_a_document_can_pass_for_a_link(as_, ahmed):
    customer = make_customer(ahmed)
    data_of(upload(as_(ahmed), customer, name="/api/v1/documents/doc_x/file"), 201)
    Document.objects.update(description="\x1a/api/v1/documents/doc_x/file\x1a", original_url="\x1a/x\x1a")
    (shown,) = data_of(as_(ahmed).get(f"customers/{customer.pk}/documents"))["documents"]
    assert shown["description"] == "\x1a/api/v1/documents/doc_x/file\x1a"
    assert shown["name"] == "/api/v1/documents/doc_x/file"


def test_the_signature_is_in_no_line_of_the_log(fetch, document, caplog):
    caplog.set_level(logging.DEBUG)
    signature = parse_qs(urlsplit(document["fileUrl"]).query)["signature"][0]
    fetch(document["fileUrl"])
    fetch(edited(document["fileUrl"], expires="1"))
    assert "documents/<id:pk>/file" in str([record.__dict__ for record in caplog.records])
    assert signature not in str([record.__dict__ for record in caplog.records])


# --- Tokens -------------------------------------------------------------------------------------------


def test_a_token_gives_the_files_of_its_scope(as_, layla, fatima, ahmed, omar, noura, document):
    for employee in (layla, fatima, ahmed):
        assert content_of(as_(employee).get(path_of(document))) == CONTENT
    for employee in (omar, noura):
        error_of(as_(employee).get(path_of(document)), 404, "RESOURCE_NOT_FOUND")
    error_of(as_(layla).get("documents/doc_none/file"), 404, "RESOURCE_NOT_FOUND")
    error_of(as_().get(path_of(document)), 401, "AUTHENTICATION_FAILED")


def test_copies_of_ids_are_for_those_who_may_see_national_ids(fetch, as_, ahmed, layla, huda):
    document = make_document(as_(ahmed), ahmed, type="id_copy")
    customer = Document.objects.get().customer
    customer.assigned_employee = huda
    customer.save()
    (shown,) = data_of(as_(huda).get(f"customers/{customer.pk}/documents"))["documents"]
    (included,) = data_of(as_(huda).get(f"customers/{customer.pk}"))["customer"]["documents"]
    assert shown == included == {**document, "fileUrl": ""}
    error = error_of(as_(huda).get(path_of(document)), 403, "PERMISSION_DENIED")
    assert error["details"] == {"requiredPermission": "customers.pii", "currentRole": "viewer"}
    Document.objects.update(type="contract")
    (shown,) = data_of(as_(huda).get(f"customers/{customer.pk}/documents"))["documents"]
    assert fetch(shown["fileUrl"]).status_code == 200
    Document.objects.update(type="id_copy")
    error_of(fetch(shown["fileUrl"]), 403, "PERMISSION_DENIED")


def test_each_reading_leaves_who_what_and_when(fetch, as_, layla, ahmed, omar, document):
    AuditEntry.objects.all().delete()
    as_(layla).get(path_of(document), headers={"X-Request-ID": "req_layla"})
    fetch(document["fileUrl"], **{"X-Request-ID": "req_link", "Range": "bytes=0-9"})
    as_(omar).get(path_of(document))
    fetch(document["fileUrl"], "head")
    entries = AuditEntry.objects.order_by("id").values_list(
        *("operation", "table_name", "row_id", "organization_id", "actor_id", "request_id", "changes")
    )
    assert list(entries) == [
        ("read", "documents", document["id"], layla.organization_id, layla.pk, "req_layla", None),
        ("read", "documents", document["id"], layla.organization_id, ahmed.pk, "req_link", None),
    ]


# --- Parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=990-", 990, 999),
        ("bytes=990-5000", 990, 999),
        ("bytes=-10", 990, 999),
        ("bytes=-5000", 0, 999),
    ],
)
def test_a_part_of_the_file(fetch, document, asked, start, end):
    response = fetch(document["fileUrl"], Range=asked)
    assert (response.status_code, content_of(response)) == (206, CONTENT[start : end + 1])
    assert response["Content-Range"] == f"bytes {start}-{end}/1000"
    assert response["Content-Length"] == str(end + 1 - start)


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=-0", "bytes=9999-10000"])
def test_a_part_that_there_is_not(fetch, document, asked):
    response = fetch(document["fileUrl"], Range=asked)
    error_of(response, 416, "VALIDATION_ERROR")
    assert response["Content-Range"] == "bytes */1000"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=-", "bytes=a-b", "pages=1-2", "bytes=" + "9" * 400 + "-"])
def test_what_is_no_single_range_is_answered_with_the_whole(fetch, document, asked):
    response = fetch(document["fileUrl"], Range=asked)
    assert (response.status_code, content_of(response)) == (200, CONTENT)


def test_a_part_of_another_file_is_not_mixed_in(fetch, document):
    etag = fetch(document["fileUrl"])["ETag"]
    assert fetch(document["fileUrl"], **{"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
    assert fetch(document["fileUrl"], **{"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200


def test_the_head_without_the_file(fetch, document):
    response = fetch(document["fileUrl"], "head")
    assert (response.status_code, response.content) == (200, b"")
    assert (response["Content-Length"], response["Content-Type"]) == ("1000", "application/pdf")


def test_no_other_method_and_no_inline(fetch, as_, ahmed, document):
    for method in ("post", "put", "delete"):
        error_of(getattr(as_(ahmed), method)(path_of(document)), 405, "METHOD_NOT_ALLOWED")
    assert fetch(document["fileUrl"] + "&inline=1")["Content-Disposition"].startswith("attachment")


def test_a_picture_is_saved_under_its_plain_name(fetch, as_, ahmed):
    document = make_document(as_(ahmed), ahmed, content=picture(), file_name="front side.jpg", name="وجه")
    response = fetch(document["fileUrl"])
    assert response["Content-Disposition"] == 'attachment; filename="front side.jpg"'
    assert response["Content-Type"] == "image/jpeg"
