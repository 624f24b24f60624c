"""The timeline of a customer."""

from config.api.filters import ChoiceListFilter, HubFilterSet, MomentFilter
from config.api.pagination import DEFAULT_SIZE, MAX_SIZE
from customers.serializers.timeline import CursorsSerializer, TimelineEntrySerializer
from customers.timeline import KINDS, timeline
from customers.views.child import ChildViewSet


class TimelineFilterSet(HubFilterSet):
    """Loaded with the routes, when every app has added its kinds."""

    types = ChoiceListFilter(choices=KINDS)
    dateFrom = MomentFilter()
    dateTo = MomentFilter(end=True)

    aliases = {"type": "types"}


class TimelineViewSet(ChildViewSet):
    resource = collection = "timeline"
    lists = frozenset({"timeline"})
    cached = {"timeline": 60}
    filtersets = {"timeline": TimelineFilterSet}
    answers = {"timeline": {"timeline": TimelineEntrySerializer(many=True), "pagination": CursorsSerializer}}
    extra_params = {
        "timeline": {
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
            "cursor": {"type": "string", "description": "`nextCursor` or `prevCursor` of an earlier answer"},
        }
    }

    def timeline(self, request, customer_id):
        """Everything that has happened to a customer, newest first.

        `data` is the object as its own endpoint shows it now, or what a change was from and to. An entry is told
        apart by its `id`; one object may have several, such as a reminder that was made and completed.
        """
        asked = TimelineFilterSet(self.params, None, request=request).cleaned
        self.params.use("cursor")
        entries, pagination = timeline(
            self.customer,
            kinds=frozenset(asked.get("types", ())),
            since=asked.get("dateFrom"),
            until=asked.get("dateTo"),
            size=self.params.integer("limit", DEFAULT_SIZE, minimum=1, maximum=MAX_SIZE),
            cursor=self.params.cursor,
            permissions=frozenset(request.user.permissions),
        )
        return self.answer({"timeline": entries, "pagination": pagination})
