"""What the list of actions, and their statistics, can be narrowed by."""

from actions.choices import TABS, ActionStatus, ActionType
from actions.models import CustomerAction
from actions.querysets import BUCKETS
from config.api.filters import (
    ChoiceListFilter,
    HubFilter,
    HubFilterSet,
    ListFilter,
    MomentFilter,
    WordFilter,
    WrittenOut,
)
from config.arabic import fold_text
from config.clock import current_minute, zone_of
from customers.choices import Priority, Source
from customers.filters import (
    AssigneeFilter,
    BudgetFilter,
    CityFilter,
    PropertyTypeFilter,
    StateFilter,
)
from customers.models import Customer
from customers.search import matching, type_key


class StatusFilter(ChoiceListFilter):
    """Any of several statuses; snoozed actions whose time has come are pending."""

    def filter(self, queryset, value):
        return queryset.standing(value, current_minute()) if value else queryset


class DueDateFilter(WordFilter):
    """Open actions that are overdue, due today, in a week or this month, or have no date; `all` filters nothing."""

    def __init__(self, *args, **options):
        super().__init__(*args, words=("all", *BUCKETS), **options)

    def filter(self, queryset, value):
        if value == "all":
            return queryset
        return queryset.due(value, current_minute(), zone_of(self.parent.request.user.organization))


class TabFilter(WordFilter):
    """The tabs of the requests page: open ones of the inbox, to follow up, all open ones, ended ones."""

    def __init__(self, *args, **options):
        super().__init__(*args, words=TABS, **options)

    def filter(self, queryset, value):
        statuses, types = TABS[value]
        queryset = queryset.standing(statuses, current_minute())
        return queryset.filter(type__in=types) if types else queryset


class SearchFilter(HubFilter):
    """Folded title or description contains this, or the customer's name, phone or e-mail does."""

    def filter(self, queryset, value):
        folded, ours = fold_text(value), {"organization_id": self.parent.request.user.organization_id}
        theirs = Customer.objects.filter(matching(value, ours["organization_id"]), **ours).order_by().values("pk")
        # Two lists of ids, for each of which there is an index; an OR over two tables has none.
        found = CustomerAction.objects.filter(customer__in=theirs).values("pk")
        if folded:
            own = CustomerAction.objects.filter(search_text__contains=folded, **ours).values("pk")
            found = found.union(own, all=True)
        return queryset.filter(pk__in=found)


class ActionFilterSet(HubFilterSet):
    search = SearchFilter()
    customerId = ListFilter("customer")
    status = StatusFilter(choices=ActionStatus.values)
    type = ChoiceListFilter("type", choices=ActionType.values)
    priority = ChoiceListFilter("priority", choices=Priority.values)
    source = ChoiceListFilter("source", choices=Source.values)
    assignedTo = AssigneeFilter("assigned_to")
    dueDate = DueDateFilter()
    tab = TabFilter()
    city = CityFilter("city_key")
    state = StateFilter("region")
    budgetMin = BudgetFilter("customer__budget_max", lookup_expr="gte", other="customer__budget_min")
    budgetMax = BudgetFilter("customer__budget_min", lookup_expr="lte", other="customer__budget_max")
    propertyType = PropertyTypeFilter("customer__facets", key=type_key)
    createdFrom = MomentFilter("created_at")
    createdTo = MomentFilter("created_at", end=True)
    completedFrom = MomentFilter("completed_at")
    completedTo = MomentFilter("completed_at", end=True)
    dueFrom = MomentFilter("due_date")
    dueTo = MomentFilter("due_date", end=True)

    aliases = {"assignedEmployee": "assignedTo", "assignedEmployeeId": "assignedTo", "employeeId": "assignedTo"}


class StatisticsFilterSet(HubFilterSet):
    assignedTo = AssigneeFilter("assigned_to")
    dateFrom = MomentFilter()
    dateTo = MomentFilter(end=True)

    aliases = ActionFilterSet.aliases

    def of_assignees(self, queryset, column):
        """A queryset narrowed to the assignees, by one of its columns."""
        if "assignedTo" not in self.cleaned:
            return queryset
        return queryset.filter(self.filters["assignedTo"].condition(self.cleaned["assignedTo"], column))

    def within(self, queryset, column):
        """A queryset narrowed to the range of dates, by one of its columns."""
        bounds = (("dateFrom", "gte"), ("dateTo", "lt"))
        limits = {name: lookup for name, lookup in bounds if name in self.cleaned}
        return queryset.filter(
            **{f"{column}__{lookup}": WrittenOut(self.cleaned[name]) for name, lookup in limits.items()}
        )


class RecommendationFilterSet(HubFilterSet):
    """Of what the system has recommended: a rule's, or a customer's."""

    rule = ListFilter("rule")
    customerId = ListFilter("customer_id")
