"""The routes of customers and listings. Literal words come before ids, so none of them can be taken for one."""

from django.urls import path

from config.api.parsers import ShortJSONParser
from customers.compliance.parts import PARTS
from customers.views.activity import AppointmentViewSet, InteractionViewSet, InterestViewSet, ReminderViewSet
from customers.views.compliance import ComplianceViewSet, ItemViewSet, ObjectViewSet
from customers.views.consent import ConsentViewSet
from customers.views.customer import CustomerViewSet
from customers.views.duplicate import CustomerDuplicatesViewSet, DuplicatesViewSet
from customers.views.history import HistoryViewSet
from customers.views.listing import ListingViewSet
from customers.views.matching import CustomerMatchesViewSet, ListingCustomersViewSet
from customers.views.merge import MergeViewSet, UndoViewSet
from customers.views.privacy import PersonViewSet, PrivacyRequestsViewSet, PrivacyRequestViewSet
from customers.views.scoring import ScoreViewSet
from customers.views.timeline import TimelineViewSet

_ONE = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}
_OBJECT = {"put": "update", "patch": "update", "delete": "destroy"}
_COMPLIANCE = "customers/<id:customer_id>/compliance"


def _routes_of(part):
    """Where a part of the compliance is: an object, or a list and its items."""
    place, name = f"{_COMPLIANCE}/{part.word}", f"customer-{part.word}"
    if not part.is_list:
        return [path(place, ObjectViewSet.as_view(_OBJECT, part=part), name=name)]
    return [
        path(place, ItemViewSet.as_view({"get": "list", "post": "create"}, part=part), name=name),
        path(f"{place}/<id:pk>", ItemViewSet.as_view(_ONE, part=part), name=f"{name}-item"),
    ]


def _below_customer(viewset, **of_one):
    """The routes of what hangs on a customer; `of_one` are the methods of a single row where they are not all."""
    collection = f"customers/<id:customer_id>/{viewset.collection}"
    all_of_them = viewset.as_view({"get": "list", "post": "create"})
    return [
        path(collection, all_of_them, name=f"customer-{viewset.collection}"),
        path(f"{collection}/<id:pk>", viewset.as_view(of_one or _ONE), name=f"customer-{viewset.resource}"),
    ]


urlpatterns = [
    path("customers", CustomerViewSet.as_view({"get": "list", "post": "create"}), name="customers"),
    path(
        "customers/query",
        CustomerViewSet.as_view({"post": "query"}, write_permission="customers.read", parser_classes=[ShortJSONParser]),
        name="customers-query",
    ),
    path("customers/stats", CustomerViewSet.as_view({"get": "stats"}, permission="stats.read"), name="customers-stats"),
    path(
        "customers/stats/compliance",
        CustomerViewSet.as_view({"get": "compliance_stats"}, permission="stats.read"),
        name="customers-stats-compliance",
    ),
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
    path("customers/duplicates", DuplicatesViewSet.as_view({"get": "list"}), name="customers-duplicates"),
    path("customers/merges/<id:pk>/undo", UndoViewSet.as_view({"post": "undo"}), name="merge-undo"),
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
    path(
        "customers/<id:pk>/erase",
        CustomerViewSet.as_view({"post": "erase"}, write_permission="customers.erase"),
        name="customer-erase",
    ),
    path("customers/<id:customer_id>/merge", MergeViewSet.as_view({"post": "create"}), name="customer-merge"),
    path("customers/<id:customer_id>/merges", MergeViewSet.as_view({"get": "list"}), name="customer-merges"),
    path(
        "customers/<id:customer_id>/duplicates",
        CustomerDuplicatesViewSet.as_view({"get": "list"}),
        name="customer-duplicates",
    ),
    path(
        "customers/<id:customer_id>/matches", CustomerMatchesViewSet.as_view({"get": "list"}), name="customer-matches"
    ),
    *_below_customer(ConsentViewSet, get="retrieve"),
    path("customers/<id:customer_id>/export", PersonViewSet.as_view({"get": "export"}), name="customer-export"),
    path("privacy-requests", PrivacyRequestsViewSet.as_view({"get": "list"}), name="privacy-requests"),
    path(
        "customers/<id:customer_id>/privacy-requests",
        PrivacyRequestViewSet.as_view({"get": "list", "post": "create"}),
        name="customer-privacy-requests",
    ),
    path(
        "customers/<id:customer_id>/privacy-requests/<id:pk>",
        PrivacyRequestViewSet.as_view({"get": "retrieve", "put": "update", "patch": "update"}),
        name="customer-privacy-request",
    ),
    path("listings", ListingViewSet.as_view({"get": "list", "post": "create"}), name="listings"),
    path("listings/<id:pk>", ListingViewSet.as_view(_ONE), name="listing"),
    path("listings/<id:pk>/customers", ListingCustomersViewSet.as_view({"get": "list"}), name="listing-customers"),
    path("customers/<id:customer_id>/timeline", TimelineViewSet.as_view({"get": "timeline"}), name="customer-timeline"),
    path("customers/<id:customer_id>/score", ScoreViewSet.as_view({"get": "retrieve"}), name="customer-score"),
    path("customers/<id:customer_id>/history", HistoryViewSet.as_view({"get": "list"}), name="customer-history"),
    *_below_customer(InterestViewSet),
    *_below_customer(InteractionViewSet),
    *_below_customer(AppointmentViewSet),
    *_below_customer(ReminderViewSet),
    path(_COMPLIANCE, ComplianceViewSet.as_view({"get": "retrieve"}), name="customer-compliance"),
    *(route for part in PARTS.values() for route in _routes_of(part)),
]
