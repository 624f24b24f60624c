"""Which rows leave: those that the list shows the same caller for the same query string, in its order.

Not customers whose data was erased: of them nothing is left to be told, and nothing of a file may come back in.
"""

from types import SimpleNamespace
from typing import NamedTuple

from django.db.models import F
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api.pagination import order_from
from config.api.query import QueryParams
from customers import listing_filters, querying
from customers.choices import Transferred
from customers.filters import CustomerFilterSet
from customers.models import Customer, Listing

# What the query string of a list says of its page, and of how it is shown.
_OF_THE_PAGE = {"page", "limit", "cursor", "fields", "include"}


class _List(NamedTuple):
    """What a list is made of."""

    model: type
    filterset: type
    sorts: dict
    default_sort: str


_LISTS = {
    Transferred.CUSTOMERS: _List(Customer, CustomerFilterSet, querying.SORTS, querying.DEFAULT_SORT),
    Transferred.LISTINGS: _List(
        Listing, listing_filters.ListingFilterSet, listing_filters.SORTS, listing_filters.DEFAULT_SORT
    ),
}


def selected(what, query, actor):
    """The rows of a list that a query string describes, as the actor sees them; `ids=` names single ones.

    Raises ValidationError (400) for wrong values, and for names that mean nothing: a filter that is left out would
    let out too much.
    """
    listed = _LISTS[what]
    params = QueryParams(QueryDict(query.removeprefix("?")))
    params.use(*_OF_THE_PAGE)
    rows = listed.model.objects.visible_to(actor)
    if what == Transferred.LISTINGS and not {"status", "ids"} & params.keys():
        rows = rows.on_the_books()
    if what == Transferred.CUSTOMERS:
        rows = rows.filter(erased_at=None)
    ids = params.names_of("ids")
    if "ids" in params:
        rows = rows.filter(pk__in=ids)
    filterset = listed.filterset(params, rows, request=SimpleNamespace(user=actor))
    rows, order = filterset.qs, order_from(params, listed.sorts, listed.default_sort)
    if params.ignored:
        message = _("Unknown filter; the filters are: %(names)s") % {"names": ", ".join(listed.filterset.base_filters)}
        raise ValidationError(dict.fromkeys(params.ignored, [message]))
    return rows.order_by(*_by(order))


def _by(order):
    column = F(order.sort.column)
    if order.descending:
        return column.desc(nulls_last=order.sort.nullable or None), "-pk"
    return column.asc(nulls_last=order.sort.nullable or None), "pk"
