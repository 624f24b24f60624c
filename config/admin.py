"""What the hub keeps of requests, in the back office: the audit, and which calls were repeated under a key."""

from django.contrib import admin
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from config.api.filters import HubFilterSet, ListFilter
from config.backoffice.admin import ReadOnlyAdmin, column, ltr
from config.backoffice.lists import choice
from config.models import AuditEntry, IdempotencyKey


class AuditFilterSet(HubFilterSet):
    """The newest entries, or those of a row, which an index finds however old they are."""

    newest = 100_000

    rowId = ListFilter("row_id")
    actorId = ListFilter("actor_id")
    table = ListFilter("table_name")
    operation = ListFilter("operation")

    @property
    def qs(self):
        if "rowId" in self.filters:
            return super().qs
        last = AuditEntry.objects.aggregate(last=Max("pk"))["last"] or 0
        return super().qs.filter(pk__gt=last - self.newest)


_OPERATIONS = {
    "insert": _("Made"),
    "update": _("Changed"),
    "delete": _("Removed"),
    "read": _("Read"),
}


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    permission = "audit.read"
    filterset_class = AuditFilterSet
    list_display = (
        column("at", _("when")),
        column("operation", _("what was done"), lambda entry: _OPERATIONS.get(entry.operation, entry.operation)),
        column("table_name", _("table"), lambda entry: ltr(entry.table_name)),
        column("row_id", _("row"), lambda entry: ltr(entry.row_id)),
        column("actor_id", _("done by"), lambda entry: ltr(entry.actor_id)),
        column("request_id", _("request"), lambda entry: ltr(entry.request_id)),
    )
    shown = (*list_display, column("changes", _("from what to what")))
    list_filter = (choice("operation", _("What was done"), list(_OPERATIONS.items())),)
    sortable_by = ()
    ordering = ("-id",)
    actions = None


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Which calls were made under a key, never what they were answered."""

    permission = "audit.read"
    list_display = (
        column("created_at", _("when")),
        column("key", _("key"), lambda row: ltr(row.key)),
        column("path", _("path"), lambda row: ltr(row.path)),
        column("employee_id", _("done by"), lambda row: ltr(row.employee_id)),
        column("status", _("status")),
    )
    shown = list_display
    sortable_by = ()
    ordering = ("-id",)
    actions = None
