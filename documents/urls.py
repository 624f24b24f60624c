"""The routes of documents: below their customer, and of their files."""

from django.urls import path

from config.api.uploads import FormParser
from documents.views import DocumentFileViewSet, DocumentViewSet

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path(
        "customers/<id:customer_id>/documents",
        DocumentViewSet.as_view(_MANY, parser_classes=[FormParser]),
        name="documents",
    ),
    path("customers/<id:customer_id>/documents/<id:pk>", DocumentViewSet.as_view(_ONE), name="document"),
    path("documents/<id:pk>/file", DocumentFileViewSet.as_view({"get": "file"}), name="document-file"),
]
