"""Lists of the Admin that are narrowed, sorted and paged by the API's own filters and indexes."""

from django.contrib import messages
from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from config.api.exceptions import field_errors
from config.api.pagination import MAX_PAGE, Order, Part, Sort, paginate
from config.api.query import QueryParams


class HubChangeList(ChangeList):
    """A list whose query string is that of the API's list of the same rows.

    So a link to it, a filter beside it, a figure of the dashboard and an export mean the same. Pages are found as ids
    first, by the indexes that the API's lists use, and counted only where nobody has counted already.
    """

    def get_filters(self, request):
        # What the query string says beyond the filters beside the list counts as well: figures link to it.
        specs = [spec(request, self.filter_params, self.model, self.model_admin) for spec in self.list_filter]
        shown = [spec for spec in specs if spec.has_output()]
        return shown, bool(shown), {}, False, bool(self.filterset.filters)

    def get_queryset(self, request, exclude_parameters=None):
        self.complaints, params = [], QueryParams(QueryDict())
        try:
            params = QueryParams(request.GET)
            if self.query:
                params["search"] = [self.query]
            self.filterset = self.model_admin.filterset_class(params, self.root_queryset, request=request)
            found = self.filterset.qs
        except ValidationError as error:
            # A filter that is passed over shows too much.
            self.complaints, found = field_errors(error.detail), self.root_queryset.none()
            self.filterset = self.model_admin.filterset_class(params, found, request=request)
        for complaint in self.complaints:
            messages.error(request, f"{complaint['field']}: {complaint['message']}")
        self.filter_specs, self.has_filters, _rest, _duplicates, self.has_active_filters = self.get_filters(request)
        self.clear_all_filters_qs = self.get_query_string(remove=list(self.filter_params))
        return found.order_by(*self.get_ordering(request, found))

    def get_results(self, request):
        pages = _Pages(self, request)
        # Beyond the last page, which may have been there a moment ago, is the last page.
        self.page_num = max(1, min(self.page_num, pages.num_pages))
        self.result_list = self.model_admin.rows_of_page(self.root_queryset, pages.keys_of(self.page_num))
        self.paginator, self.result_count = pages, pages.count
        is_whole = not self.filterset.filters
        self.full_result_count, self.show_full_result_count = self.result_count if is_whole else None, False
        self.show_admin_actions, self.can_show_all = True, False
        self.multi_page = pages.num_pages > 1

    @property
    def api_query(self):
        """What the list shows as the query string of the API's list, for an export."""
        return urlencode({name: found.values for name, found in self.filterset.filters.items()}, doseq=True)


class _Pages(Paginator):
    """The pages of a list, each as ids."""

    def __init__(self, changes, request):
        super().__init__(changes.queryset, changes.list_per_page)
        self.changes, self._found = changes, {}
        admin, filterset, is_wrong = changes.model_admin, changes.filterset, bool(changes.complaints)
        self.selective = is_wrong or bool(filterset.cleaned) or admin.scope_is_small(request)
        self.total = 0 if is_wrong else admin.known_total(request, filterset)

    @cached_property
    def count(self):
        if self.total is not None:
            return self.total
        return self._page(min(max(1, self.changes.page_num), MAX_PAGE)).pagination["totalItems"]

    def keys_of(self, number):
        return self._page(number).keys

    def _page(self, number):
        if number not in self._found:
            first = self.object_list.query.order_by[0]
            name, opts = first.lstrip("-"), self.object_list.model._meta
            field = opts.pk if name == "pk" else opts.get_field(name)
            order = Order(Sort(field.name, field.null), first.startswith("-"))
            part = Part(order, self.per_page, number, None)
            self._found[number] = paginate(
                self.object_list, part, meaning=None, selective=self.selective, total=self.total
            )
        return self._found[number]


class BoundedPaginator(Paginator):
    """Pages of a list that is leafed through from its beginning: whoever looks further on narrows it."""

    most = 10_000

    @cached_property
    def count(self):
        return self.object_list.order_by()[: self.most].count()


class ParameterFilter(ListFilter):
    """Words of one parameter of the API's list, to choose one of; made by `choice`."""

    parameter, words_of = None, None

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        self.chosen = (request.GET.getlist(self.parameter) or [None])[-1]
        self.words = list(self.words_of(request))

    def has_output(self):
        return bool(self.words)

    def expected_parameters(self):
        return [self.parameter]

    def queryset(self, request, queryset):
        return None

    def choices(self, changelist):
        yield {
            "selected": self.chosen is None,
            "query_string": changelist.get_query_string(remove=[self.parameter]),
            "display": _("All"),
        }
        for word, label in self.words:
            yield {
                "selected": self.chosen == str(word),
                "query_string": changelist.get_query_string({self.parameter: word}),
                "display": label,
            }


def choice(parameter, title, words):
    """A ParameterFilter; `words` are `[(word, label)]`, or a function of the request that gives them."""
    words_of = words if callable(words) else lambda request: words
    attributes = {"parameter": parameter, "title": title, "words_of": staticmethod(words_of)}
    return type(f"{parameter}Filter", (ParameterFilter,), attributes)


def yes_or_no(parameter, title):
    """A ParameterFilter of true and false."""
    return choice(parameter, title, [("true", _("Yes")), ("false", _("No"))])
