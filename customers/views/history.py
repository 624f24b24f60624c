"""Who changed what of a customer: `/customers/:id/history`."""

from config.api.filters import ChoiceListFilter, HubFilterSet, ListFilter, MomentFilter
from config.api.pagination import Sort
from customers import history
from customers.choices import Operation
from customers.serializers.history import HistoryEntrySerializer
from customers.views.child import ChildViewSet


class EntityFilter(ChoiceListFilter):
    """Any of several kinds of rows."""

    def words_of(self, value):
        return [history.ENTITIES[name].Meta.model._meta.db_table for name in value]


class OperationFilter(ChoiceListFilter):
    """Any of several things that are done to rows."""

    def filter(self, queryset, value):
        return queryset.filter(history.operated(*value))


class HistoryFilterSet(HubFilterSet):
    """Loaded with the routes, when every app has added its entities."""

    entity = EntityFilter("table_name", choices=history.entities_of_customers())
    operation = OperationFilter(choices=Operation.values)
    actorId = ListFilter("actor_id")
    dateFrom = MomentFilter("at")
    dateTo = MomentFilter("at", end=True)


class HistoryViewSet(ChildViewSet):
    """The audit of one customer. What a caller does not see of the rows is not in their history."""

    resource = collection = "history"
    permission = "customers.history"
    serializer_class, filterset_class = HistoryEntrySerializer, HistoryFilterSet
    sorts, default_sort, default_order = {"at": Sort("at")}, "at", "desc"
    cached, even_deleted = {}, True

    def list(self, request, customer_id):
        """What was done to a customer and to all that hangs on it: by whom, when, and from what to what.

        Newest first. That somebody read a national ID or a file is told to those with `audit.read`.
        """
        return self.page(history.entries_of_customer(self.customer, request.user))

    def rows_of(self, keys):
        rows, fields = history.shown_by_key(keys, self.request.user), self.params.names_of("fields")
        return [{name: row[name] for name in row if name in {"id", *fields}} for row in rows] if fields else rows
