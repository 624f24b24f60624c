"""Pages of keys: by offset with totals, or by keyset cursor that neither repeats nor loses a row.

A page is found as ids first; the rows are rendered afterwards by config.api.rows.
Rows without a sort value come last both ways, which is done in two segments
(with a value, then without): one plain index then serves both directions.
"""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.core import signing
from django.db.models import Count, F
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api.query import one_of

_signer = signing.Signer(salt="hub.cursor")
DEFAULT_SIZE, MAX_SIZE = 20, 100
MAX_PAGE = 10_000_000


class Sort(NamedTuple):
    """A column that a list can be sorted by."""

    column: str
    nullable: bool = False


class Order(NamedTuple):
    """A sort in one direction."""

    sort: Sort
    descending: bool

    def reversed(self):
        return Order(self.sort, not self.descending)


class Page(NamedTuple):
    """The ids of one page, in order, and the `pagination` object that goes with them."""

    keys: list
    pagination: dict


def order_from(params, sorts, default):
    """The Order that `sortBy` and `sortOrder` ask for; ValidationError (400) for unknown names."""
    name = params.choice("sortBy", sorts, default)
    direction = (params.text("sortOrder") or "desc").lower()
    if direction not in ("asc", "desc"):
        raise ValidationError({"sortOrder": one_of(("asc", "desc"))})
    return Order(sorts[name], direction == "desc")


def paginate(queryset, params, order, *, organization_id, default_size=DEFAULT_SIZE, max_size=MAX_SIZE):
    """The Page that the query string asks for: by cursor when `cursor` is present, even empty."""
    size = params.integer("limit", default_size, minimum=1, maximum=max_size)
    page = params.integer("page", 1, minimum=1, maximum=MAX_PAGE)
    if params.cursor is not None:
        return _cursor_page(queryset, order, size, params.cursor, _fingerprint(params, order, organization_id))
    return _offset_page(queryset, order, size, page)


def _ordered(queryset, order, columns):
    """The segments of a list, each a queryset of `(id, sort value)` in order."""
    sign = "-" if order.descending else ""
    column = order.sort.column
    if not order.sort.nullable:
        return [queryset.order_by(sign + column, sign + "pk").values_list(*columns)]
    filled = queryset.filter(**{f"{column}__isnull": False}).order_by(sign + column, sign + "pk")
    empty = queryset.filter(**{f"{column}__isnull": True}).order_by(sign + "pk")
    return [filled.values_list(*columns), empty.values_list(*columns)]


def _offset_page(queryset, order, size, page):
    start = (page - 1) * size
    filled, *empty = _ordered(queryset, order, ["pk"])
    keys = [key for (key,) in filled[start : start + size]]
    if not empty and (0 < len(keys) < size or page == 1 and not keys):
        total = start + len(keys)
    elif len(keys) == size or not empty:
        total = queryset.count()
    else:
        counts = queryset.aggregate(total=Count("pk"), filled=Count(order.sort.column))
        total, skip = counts["total"], max(0, start - counts["filled"])
        keys += [key for (key,) in empty[0][skip : skip + size - len(keys)]]
    pages = -(-total // size)
    return Page(
        keys,
        {
            "currentPage": page,
            "pageSize": size,
            "totalPages": pages,
            "totalItems": total,
            "hasNextPage": page < pages,
            "hasPreviousPage": page > 1,
        },
    )


def _cursor_page(queryset, order, size, cursor, fingerprint):
    position = _read_cursor(cursor, fingerprint, queryset.model, order) if cursor else None
    backward = bool(position and position.backward)
    direction = order.reversed() if backward else order
    rows = []
    for segment in _segments_after(queryset, direction, position, backward):
        if len(rows) <= size:
            rows += segment[: size + 1 - len(rows)]
    more, rows = len(rows) > size, rows[:size]
    if backward:
        rows.reverse()
    has_next, has_previous = (True, more) if backward else (more, position is not None)
    has_next, has_previous = has_next and bool(rows), has_previous and bool(rows)
    return Page(
        [key for key, _value in rows],
        {
            "nextCursor": _write_cursor(rows[-1], False, fingerprint) if has_next else None,
            "prevCursor": _write_cursor(rows[0], True, fingerprint) if has_previous else None,
            "hasNext": has_next,
            "hasPrevious": has_previous,
            "limit": size,
        },
    )


class _Position(NamedTuple):
    key: str
    value: object
    backward: bool


def _segments_after(queryset, order, position, backward):
    """The segments that follow a position, walking `order` (already turned round when going backward)."""
    columns = ["pk", order.sort.column]
    segments = _ordered(queryset, order, columns)
    if backward:
        segments.reverse()
    if position is None:
        return segments
    beyond = TupleLessThan if order.descending else TupleGreaterThan
    if position.value is not None:
        after = beyond(Tuple(F(order.sort.column), F("pk")), (position.value, position.key))
        current = 0
    else:
        after = beyond(Tuple(F("pk")), (position.key,))
        current = 1
    if backward:
        current = len(segments) - 1 - current
    return [segments[current].filter(after), *segments[current + 1 :]]


def _fingerprint(params, order, organization_id):
    """What a cursor belongs to: the filters, the order and the organization."""
    meaningless = _NOT_A_FILTER.union(params.ignored)
    asked = sorted((name, values) for name, values in params.items() if name not in meaningless)
    text = repr((asked, order.sort.column, order.descending, organization_id))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


_NOT_A_FILTER = {"cursor", "page", "limit", "fields", "include", "sortBy", "sortOrder"}


def _write_cursor(row, backward, fingerprint):
    key, value = row
    if isinstance(value, (datetime, date)):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    return _signer.sign_object([key, value, int(backward), fingerprint])


def _read_cursor(cursor, fingerprint, model, order):
    try:
        key, value, backward, belongs_to = _signer.unsign_object(cursor)
    except (signing.BadSignature, ValueError, TypeError):
        belongs_to = None
    if belongs_to != fingerprint:
        raise ValidationError({"cursor": _("This cursor is not valid for this list; start again without it")})
    if value is not None:
        value = model._meta.get_field(order.sort.column).to_python(value)
    return _Position(key, value, bool(backward))
