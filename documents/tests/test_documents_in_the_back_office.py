"""Documents in the back office: looked into like those of the API, and the audit keeps who had them."""

from django.core.files.uploadedfile import SimpleUploadedFile

from config.models import AuditEntry
from config.testing import AdminClient, make_customer
from documents.models import Document
from documents.tests.files import pdf

ADD = "/admin/documents/document/add/"


def _file(content, name="عقد.pdf"):
    return SimpleUploadedFile(name, content, content_type="application/pdf")


def test_a_file_is_kept_given_out_and_removed(layla, fatima, ahmed):
    customer, client = make_customer(layla, assigned_employee_id=ahmed.pk), AdminClient(fatima)
    content = pdf()
    answer = client.post(ADD, {"customerId": customer.pk, "type": "contract", "file": _file(content)})
    assert answer.headers["Location"] == f"/admin/documents/document/?customer={customer.pk}"
    document = Document.objects.get(customer=customer)
    assert (document.name, document.type, document.uploaded_by_id) == ("عقد.pdf", "contract", fatima.pk)
    url = f"/admin/documents/document/{document.pk}"
    assert client.get(f"{url}/file/").getvalue() == content
    read = AuditEntry.objects.get(operation="read", row_id=document.pk)
    assert (read.actor_id, read.table_name) == (fatima.pk, "documents")
    assert client.post(f"{url}/delete/", {"post": "yes"}).status_code == 302
    assert not Document.objects.filter(customer=customer).exists()


def test_what_is_no_such_file_is_refused_at_its_field(layla, fatima, ahmed):
    customer = make_customer(layla, assigned_employee_id=ahmed.pk)
    page = AdminClient(fatima).post(ADD, {"customerId": customer.pk, "file": _file(b"<script>alert(1)</script>")})
    assert page.status_code == 200
    assert page.context["adminform"].form.errors["file"]
    assert Document.objects.count() == 0
