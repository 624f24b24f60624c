"""The documents of a customer: lists, changes, and what comes along with the customer."""

import pytest

from config.models import AuditEntry
from config.testing import at_once, data_of, error_of, fields_of, make_customer, nothing_changes, statuses
from documents.models import Document
from documents.services import add_document
from documents.tests.files import make_document, pdf, stored, upload
from realtime.models import Event


@pytest.fixture
def document(as_, ahmed):
    return make_document(as_(ahmed), ahmed, name="عقد", type="contract", description="الأول", tags="a,b")


@pytest.fixture
def path(document):
    return f"customers/{Document.objects.get().customer_id}/documents/{document['id']}"


def without_link(document):
    return {name: value for name, value in document.items() if name != "fileUrl"}


def names_of(response):
    return [document["name"] for document in data_of(response)["documents"]]


def test_the_list_is_sorted_filtered_and_paged(as_, ahmed):
    customer, client = make_customer(ahmed), as_(ahmed)
    for name, word in (("ب", "contract"), ("أ", "receipt"), ("ج", "contract")):
        upload(client, customer, name=name, type=word)
    upload(client, make_customer(ahmed), name="آخر")
    root = f"customers/{customer.pk}/documents"
    assert names_of(client.get(root)) == ["ب", "أ", "ج"]
    assert names_of(client.get(root, {"sortBy": "uploadedAt", "sortOrder": "desc"})) == ["ج", "أ", "ب"]
    assert names_of(client.get(root, {"sortBy": "name"})) == ["أ", "ب", "ج"]
    assert names_of(client.get(root, {"type": "contract"})) == ["ب", "ج"]
    page = data_of(client.get(root, {"cursor": "", "limit": 2}))
    rest = client.get(root, {"cursor": page["pagination"]["nextCursor"], "limit": 2})
    assert (len(page["documents"]), names_of(rest)) == (2, ["ج"])
    assert fields_of(client.get(root, {"type": "passport"})) == ["type"]


def test_documents_come_along_with_their_customer(as_, ahmed, document):
    customer_id, client = Document.objects.get().customer_id, as_(ahmed)
    for customer in (
        data_of(client.get(f"customers/{customer_id}"))["customer"],
        data_of(client.get(f"customers/{customer_id}?include=documents"))["customer"],
        data_of(client.get("customers?include=documents"))["customers"][0],
        data_of(client.post("customers/query", {"include": ["documents"]}))["customers"][0],
        data_of(client.post("customers/search?include=documents", {"query": "محمد"}))["results"][0]["customer"],
        data_of(client.patch(f"customers/{customer_id}", {"notes": "x"}))["customer"],
    ):
        (shown,) = customer["documents"]
        assert without_link(shown) == without_link(document)
        assert client.get(shown["fileUrl"].removeprefix("http://testserver")).status_code == 200
    assert data_of(client.get("customers"))["customers"][0]["documents"] == []


def test_what_is_said_of_a_document_changes_and_its_file_does_not(as_, ahmed, document, path):
    client, before = as_(ahmed), stored()
    changed = data_of(client.patch(path, {"name": "عقد نهائي", "description": None, "file": "x", "fileUrl": "x"}))
    expected = without_link(document) | {"name": "عقد نهائي"}
    del expected["description"]
    assert without_link(changed["document"]) == expected
    whole = data_of(client.put(path, {**changed["document"], "tags": ["c"], "type": "agreement"}))["document"]
    assert without_link(whole) == expected | {"tags": ["c"], "type": "agreement"}
    assert data_of(client.patch(path, {"tags": None}))["document"]["tags"] == []
    assert stored() == before


def test_a_change_leaves_an_event_an_audit_entry_and_a_version(as_, ahmed, path):
    client = as_(ahmed)
    etag = client.get(path)["ETag"]
    Event.objects.all().delete()
    AuditEntry.objects.all().delete()
    response = client.patch(path, {"name": "جديد"}, headers={"If-Match": etag})
    assert data_of(response)["document"]["name"] == "جديد" and response["ETag"] != etag
    (event,) = Event.objects.all()
    assert (event.event, event.data["changes"]["documents"][0]["name"]) == ("customer.updated", "جديد")
    (entry,) = AuditEntry.objects.all()
    assert (entry.table_name, entry.operation, entry.changes) == ("documents", "update", {"name": ["عقد", "جديد"]})
    with nothing_changes():
        error_of(client.patch(path, {"name": "آخر"}, headers={"If-Match": etag}), 412, "PRECONDITION_FAILED")
        data_of(client.patch(path, {"name": "جديد"}))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"type": "passport"}, "type"),
        ({"type": None}, "type"),
        ({"tags": "a"}, "tags"),
        ({"tags": ["a", 1]}, "tags.1"),
        ({"description": "ا" * 5001}, "description"),
    ],
)
def test_a_wrong_change_names_its_field(as_, ahmed, path, body, field):
    with nothing_changes():
        assert fields_of(as_(ahmed).patch(path, body)) == [field]


def test_strangers_find_no_document_and_lookers_change_none(as_, layla, ahmed, omar, huda, noura, document, path):
    other = make_customer(ahmed)
    with nothing_changes():
        for stranger in (omar, noura, huda):
            error_of(as_(stranger).get(path), 404, "RESOURCE_NOT_FOUND")
            error_of(as_(stranger).get(path.rpartition("/")[0]), 404, "RESOURCE_NOT_FOUND")
        for stranger in (omar, noura):
            error_of(as_(stranger).patch(path, {"name": "x"}), 404, "RESOURCE_NOT_FOUND")
            error_of(as_(stranger).delete(path), 404, "RESOURCE_NOT_FOUND")
        for call in ("patch", "put", "delete"):
            error_of(getattr(as_(huda), call)(path), 403, "PERMISSION_DENIED")
        # Under another customer it is none.
        error_of(as_(layla).get(f"customers/{other.pk}/documents/{document['id']}"), 404, "RESOURCE_NOT_FOUND")
    assert len(stored()) == 1


def test_a_document_may_be_known_by_its_url_alone(as_, ahmed):
    customer, client = make_customer(ahmed), as_(ahmed)
    values = {"name": "قديم", "original_url": "https://cdn.example.com/عقد.pdf"}
    kept = add_document(customer, actor=ahmed, values=values)
    add_document(customer, actor=ahmed, values={"name": "x", "original_url": "javascript:alert(1)"})
    root = f"customers/{customer.pk}/documents"
    plain, odd = data_of(client.get(root))["documents"]
    assert (plain["fileUrl"], odd["fileUrl"]) == ("https://cdn.example.com/عقد.pdf", "")
    assert not {"fileSize", "mimeType"} & plain.keys()
    error_of(client.get(f"documents/{kept.pk}/file"), 404, "RESOURCE_NOT_FOUND")
    data_of(client.delete(f"{root}/{kept.pk}"))
    assert names_of(client.get(root)) == ["x"]


@pytest.mark.django_db(transaction=True)
def test_of_ten_uploads_at_once_each_is_kept(as_, ahmed):
    customer = make_customer(ahmed)
    clients = [as_(ahmed) for _ in range(10)]
    answers = at_once(*(lambda client=client: upload(client, customer, pdf()) for client in clients))
    assert statuses(answers) == [201] * 10
    assert len(stored()) == Document.objects.filter(customer=customer).count() == 10
