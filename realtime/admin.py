"""The log of events in the back office: what was told to whom, to be looked at."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.backoffice.admin import InternalAdmin, ReadOnlyAdmin, column, ltr
from realtime.models import Event, EventHead

admin.site.register(EventHead, InternalAdmin)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    permission = "audit.read"
    list_display = (
        column("at", _("when")),
        column("event", _("event"), lambda event: ltr(event.event)),
        column("row_id", _("row"), lambda event: ltr(event.row_id)),
        column("customer_id", _("customer"), lambda event: ltr(event.customer_id)),
        column("actor_id", _("done by"), lambda event: ltr(event.actor_id)),
        column("seq", _("number")),
    )
    shown = (*list_display, column("data", _("what was told")), column("request_id", _("request")))
    sortable_by = ()
    ordering = ("-seq",)
    actions = None
