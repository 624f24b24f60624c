"""The routes of actions. They stand before those of customers, and literal words before ids."""

from django.urls import path

from actions.views import ActionViewSet

_ONE = {"get": "retrieve", "put": "update", "patch": "update"}


def _bulk(action, permission="actions.bulk"):
    return ActionViewSet.as_view({"post": action}, write_permission=permission)


urlpatterns = [
    path("customers/actions", ActionViewSet.as_view({"get": "list", "post": "create"}), name="actions"),
    path(
        "customers/actions/stats",
        ActionViewSet.as_view({"get": "stats"}, permission="stats.read"),
        name="actions-stats",
    ),
    path("customers/actions/bulk", _bulk("bulk"), name="actions-bulk"),
    path("customers/actions/bulk/complete", _bulk("bulk_complete"), name="actions-bulk-complete"),
    path("customers/actions/bulk/dismiss", _bulk("bulk_dismiss"), name="actions-bulk-dismiss"),
    path("customers/actions/bulk/snooze", _bulk("bulk_snooze"), name="actions-bulk-snooze"),
    path("customers/actions/bulk/assign", _bulk("bulk_assign", "actions.assign"), name="actions-bulk-assign"),
    path("customers/actions/<id:pk>", ActionViewSet.as_view(_ONE), name="action"),
    path("customers/actions/<id:pk>/complete", ActionViewSet.as_view({"post": "complete"}), name="action-complete"),
    path("customers/actions/<id:pk>/dismiss", ActionViewSet.as_view({"post": "dismiss"}), name="action-dismiss"),
    path("customers/actions/<id:pk>/snooze", ActionViewSet.as_view({"post": "snooze"}), name="action-snooze"),
    path("customers/actions/<id:pk>/restore", ActionViewSet.as_view({"post": "restore"}), name="action-restore"),
    path("customers/actions/<id:pk>/notes", ActionViewSet.as_view({"post": "note"}), name="action-notes"),
]
