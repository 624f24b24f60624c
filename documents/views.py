"""The documents of the API: endpoint 28, the rest of what one does with them, and their files."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.api.labels import notice
from config.api.pagination import Sort
from config.api.serializers import NoticeSerializer
from config.api.viewsets import HubViewSet
from customers.views.child import ChildViewSet
from documents import services
from documents.choices import DocumentType
from documents.files import file_of
from documents.filters import DocumentFilterSet
from documents.models import Document
from documents.serializers import DocumentInput, DocumentSerializer, NewDocumentInput
from employees.authentication import SessionTokenAuthentication, SignedLinkAuthentication
from employees.choices import IdCopies

DISCOURAGED = gettext_lazy("The law forbids copies of IDs to those whom no other law obliges to keep them")
_WITH_WARNINGS = {"document": DocumentSerializer, "warnings": NoticeSerializer(many=True, required=False)}


class DocumentViewSet(ChildViewSet):
    resource, collection = "document", "documents"
    permission, write_permission = "documents.read", "documents.write"
    model, serializer_class, filterset_class = Document, DocumentSerializer, DocumentFilterSet
    sorts = {"uploadedAt": Sort("created_at"), "name": Sort("name")}
    default_sort = "uploadedAt"
    bodies = {"create": NewDocumentInput, "update": DocumentInput}
    answers = {**ChildViewSet.answers, "create": _WITH_WARNINGS, "update": _WITH_WARNINGS}
    throttle_scopes = {"create": "upload"}
    change, remove = staticmethod(services.change_document), staticmethod(services.remove_document)

    def create(self, request, customer_id):
        """Keep a file: PDF, JPEG, PNG, WebP, docx or xlsx of at most 20 MB, by its content."""
        customer, values = self.customer, self.body()
        file = values.pop("file")
        document = services.add_document(customer, actor=request.user, values=values, file=file)
        return self.show(document.pk, status=201, message=_("Document uploaded"), warnings=self.warnings(values))

    def update(self, request, customer_id, pk):
        """Change what is said of a document; its file stays."""
        document, values = self.get_object(), self.body(partial=True)
        self.change(document, actor=request.user, values=values)
        return self.show(pk, warnings=self.warnings(values))

    def warnings(self, values):
        """What the organization wants said of values that were accepted all the same."""
        is_discouraged = self.request.user.organization.id_copies == IdCopies.WARN
        if values.get("type") != DocumentType.ID_COPY or not is_discouraged:
            return None
        return [notice("ID_COPY_DISCOURAGED", "type", DISCOURAGED)]


class DocumentFileViewSet(HubViewSet):
    resource = "document"
    permission = "documents.read"
    authentication_classes = [SignedLinkAuthentication, SessionTokenAuthentication]
    files = frozenset({"file"})

    def get_queryset(self):
        return Document.objects.visible_to(self.request.user).exclude(storage_key="")

    def file(self, request, pk):
        """The file of a document, whole or by `Range`: by the signed link that `fileUrl` is, or with a token."""
        document = self.get_object()
        if document.type == DocumentType.ID_COPY:
            self.require("customers.pii")
        return file_of(document, request)
