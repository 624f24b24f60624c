"""The routes of customers. Literal words come before ids, so none of them can be taken for one."""

from django.urls import path

from config.api.parsers import ShortJSONParser
from customers.views.customer import CustomerViewSet

_ONE = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path("customers", CustomerViewSet.as_view({"get": "list", "post": "create"}), name="customers"),
    path(
        "customers/query",
        CustomerViewSet.as_view({"post": "query"}, write_permission="customers.read", parser_classes=[ShortJSONParser]),
        name="customers-query",
    ),
    path("customers/stats", CustomerViewSet.as_view({"get": "stats"}, permission="stats.read"), name="customers-stats"),
    path("customers/filters", CustomerViewSet.as_view({"get": "filters"}), name="customers-filters"),
    path(
        "customers/pipeline",
        CustomerViewSet.as_view({"get": "pipeline"}, permission="stats.read"),
        name="customers-pipeline",
    ),
    path("customers/bulk", CustomerViewSet.as_view({"post": "bulk"}), name="customers-bulk"),
    path(
        "customers/search",
        CustomerViewSet.as_view({"post": "search"}, write_permission="customers.read"),
        name="customers-search",
    ),
    path("customers/<id:pk>", CustomerViewSet.as_view(_ONE), name="customer"),
    path("customers/<id:pk>/stage", CustomerViewSet.as_view({"patch": "stage"}), name="customer-stage"),
    path(
        "customers/<id:pk>/assign",
        CustomerViewSet.as_view({"post": "assign"}, write_permission="customers.assign"),
        name="customer-assign",
    ),
    path(
        "customers/<id:pk>/claim",
        CustomerViewSet.as_view({"post": "claim"}, write_permission="customers.claim"),
        name="customer-claim",
    ),
    path(
        "customers/<id:pk>/restore",
        CustomerViewSet.as_view({"post": "restore"}, write_permission="customers.delete"),
        name="customer-restore",
    ),
]
