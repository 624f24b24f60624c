"""The documents of customers in the back office: kept, given out and removed with the guards of the API."""

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound

from config.backoffice.admin import HubInline, column
from config.backoffice.lists import choice
from customers.admin.child import ChildAdmin, beneath, for_customer, with_customer
from customers.admin.customer import CustomerAdmin
from documents import services
from documents.choices import DocumentType
from documents.files import file_of
from documents.filters import DocumentFilterSet
from documents.models import Document
from documents.serializers import DocumentInput, NewDocumentInput

_FILE = {"labels": {"file": gettext_lazy("File")}}
_SIZE = column("file_size", gettext_lazy("size"), lambda row: row.file_size and filesizeformat(row.file_size))
_UPLOADED = column("created_at", gettext_lazy("uploaded"))


def _keep(customer, *, actor, values):
    return services.add_document(customer, actor=actor, values=values, file=values.pop("file"))


def _download(document):
    """A way to the file, if it lies here."""
    if not document.storage_key:
        return None
    url = reverse("admin:documents_document_file", args=[quote(document.pk)])
    return format_html('<a href="{}">{}</a>', url, _("Download"))


_DOWNLOAD = column("file_name", gettext_lazy("file"), _download)


@admin.register(Document)
class DocumentAdmin(ChildAdmin):
    permission, write_permission = "documents.read", "documents.write"
    serializer_class, new_serializer_class = DocumentInput, with_customer(NewDocumentInput)
    form_options = ChildAdmin.form_options | _FILE
    filterset_class = beneath(DocumentFilterSet)
    add, change = for_customer(_keep), staticmethod(services.change_document)
    remove = staticmethod(services.remove_document)
    list_display = ("name", "type", _DOWNLOAD, _SIZE, "tags_in_line", "uploaded_by", _UPLOADED)
    list_filter = (choice("type", gettext_lazy("Type"), DocumentType.choices),)
    ordering = ("-created_at", "-pk")
    sortable_by = ("name", "type")
    readonly_fields = ("customer", _DOWNLOAD, _SIZE, "uploaded_by", _UPLOADED)

    @admin.display(description=gettext_lazy("tags"))
    def tags_in_line(self, document):
        return "، ".join(document.tags)

    def get_urls(self):
        file = self.admin_site.admin_view(self.file_view)
        return [path("<path:object_id>/file/", file, name="documents_document_file"), *super().get_urls()]

    def file_view(self, request, object_id):
        """The file of a document, as the API gives it out: the audit keeps who had it."""
        document = self.get_object(request, unquote(object_id)) if self.has_view_permission(request) else None
        if document is None or not document.storage_key:
            raise Http404
        if document.type == DocumentType.ID_COPY and not request.user.may("customers.pii"):
            raise PermissionDenied
        try:
            return file_of(document, request)
        except NotFound:
            raise Http404 from None


class Documents(HubInline):
    model, serializer_class = Document, NewDocumentInput
    permission, write_permission = "documents.read", "documents.write"
    form_options = _FILE | {"without": {"description", "tags"}}
    columns = ("name", "type", _DOWNLOAD, _SIZE, "uploaded_by", _UPLOADED)
    add = staticmethod(_keep)


CustomerAdmin.inlines += (Documents,)
