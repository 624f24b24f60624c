"""Pages of keys: by offset with totals, or by keyset cursor that neither repeats nor loses a row.

A page is found as ids first; the rows are rendered afterwards by config.api.rows.
Rows without a sort value come last both ways, which is done in two segments
(with a value, then without): one plain index then serves both directions.
"""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from django.core import signing
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, F
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from config.api.query import one_of

_signer = signing.Signer(salt="hub.cursor")
DEFAULT_SIZE, MAX_SIZE = 20, 100
MAX_PAGE = 10_000_000
# Above this many matches the sort's index meets enough of them on its way.
GATHER_LIMIT = 20_000


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


class Part(NamedTuple):
    """The part of a list that is asked for: in which order, how many rows, and where: by cursor unless that is None."""

    order: Order
    size: int
    page: int
    cursor: str | None


class Page(NamedTuple):
    """The ids of one page, in order, and the `pagination` object that goes with them."""

    keys: list
    pagination: dict


def part_from(params, sorts, default_sort, default_size, max_size, default_order="desc"):
    """The Part that a query string asks for: by cursor when `cursor` is present, even empty."""
    size = params.integer("limit", default_size, minimum=1, maximum=max_size)
    page = params.integer("page", 1, minimum=1, maximum=MAX_PAGE)
    return Part(order_from(params, sorts, default_sort, default_order), size, page, params.cursor)


def order_from(params, sorts, default, default_order="desc"):
    """The Order that `sortBy` and `sortOrder` ask for; ValidationError (400) for unknown names."""
    name = params.choice("sortBy", sorts, default)
    direction = (params.text("sortOrder") or default_order).lower()
    if direction not in ("asc", "desc"):
        raise ValidationError({"sortOrder": one_of(("asc", "desc"))})
    return Order(sorts[name], direction == "desc")


def paginate(queryset, part, *, meaning, selective, total=None):
    """The Page of a list that a Part asks for.

    `meaning` is what the list shows, however it was asked for: cursors belong to it.
    `selective` says that the queryset may well be a small part of its table. Its keys are
    then gathered first and sorted afterwards: walking the index of the sort would throw
    away nearly every row it meets. `total` is how many rows there are, where that is kept:
    counting very many takes longer than all the rest.
    """
    is_broad = total is not None and total > GATHER_LIMIT
    selective, total = selective and not is_broad, total if is_broad else None
    if part.cursor is None:
        return _offset_page(queryset, part.order, part.size, part.page, selective, total)
    fingerprint = fingerprint_of(meaning, part.order.sort.column, part.order.descending)
    return _cursor_page(queryset, part.order, part.size, part.cursor, fingerprint, selective)


def _ordered(queryset, order, columns):
    """The segments of a list, each a queryset of `(id, sort value)` in order."""
    sign = "-" if order.descending else ""
    column = order.sort.column
    if not order.sort.nullable:
        return [queryset.order_by(sign + column, sign + "pk").values_list(*columns)]
    filled = queryset.filter(**{f"{column}__isnull": False}).order_by(sign + column, sign + "pk")
    empty = queryset.filter(**{f"{column}__isnull": True}).order_by(sign + "pk")
    return [filled.values_list(*columns), empty.values_list(*columns)]


def _offset_page(queryset, order, size, page, selective, known):
    start = (page - 1) * size
    gathered = _gather(queryset, order, size=size, start=start) if selective else None
    total, rows = gathered or _walk(queryset, order, size, start, known)
    return Page([key for key, _value in rows], numbered(page, size, total))


def numbered(page, size, total):
    """The `pagination` object of one page by its number."""
    pages = -(-total // size)
    return {
        "currentPage": page,
        "pageSize": size,
        "totalPages": pages,
        "totalItems": total,
        "hasNextPage": page < pages,
        "hasPreviousPage": page > 1,
    }


def _count(queryset, order):
    """`(all rows, those with a sort value)`."""
    if not order.sort.nullable:
        total = queryset.count()
        return total, total
    counts = queryset.order_by().aggregate(total=Count("pk"), filled=Count(order.sort.column))
    return counts["total"], counts["filled"]


def _walk(queryset, order, size, start, known=None):
    """`(how many rows there are, [(id, sort value)] of one page)`, along the index of the sort."""
    columns = ["pk", order.sort.column]
    walks = _ordered(queryset, order, columns), _ordered(queryset, order.reversed(), columns)
    (first, *last), (first_backwards, *last_backwards) = walks
    if known is not None:
        end = min(start + size, known)
        if start >= end:
            return known, []
        # How many have no value is not known: a page that lies in one segment as a whole needs no count of them.
        rows = _slice(first, last_backwards[0] if last else first_backwards, start, end, known)
        if len(rows) == end - start:
            return known, rows
    total, filled = _count(queryset, order)
    end = min(start + size, total)
    if start >= end:
        return total, []
    if end <= filled:
        return total, _slice(first, first_backwards, start, end, filled)
    if start >= filled:
        return total, _slice(last[0], last_backwards[0], start - filled, end - filled, total - filled)
    # The page on the border: both parts in one statement, which keeps no order between them.
    rows = list(first[start:filled].union(last[0][: end - filled], all=True))
    filled_rows = sorted((row for row in rows if row[1] is not None), key=itemgetter(1, 0), reverse=order.descending)
    return total, filled_rows + sorted(
        (row for row in rows if row[1] is None), key=itemgetter(0), reverse=order.descending
    )


def _slice(rows, backwards, start, end, length):
    """Rows of an ordered queryset, walked from the nearer end: the last page is as near as the first."""
    if start + end <= length:
        return list(rows[start:end])
    return list(backwards[length - end : length - start])[::-1]


def _gather(queryset, order, *, size, start=0, position=None):
    """`(how many rows match, [(id, sort value)] of one page)` in one statement; None above GATHER_LIMIT.

    With a position, those that follow it in the order; going backward, rows without a value come first.
    """
    matches = queryset.order_by().values_list("pk", order.sort.column)[: GATHER_LIMIT + 1]
    try:
        inner, params = matches.query.sql_with_params()
    except EmptyResultSet:  # a filter that nothing can match
        return 0, []
    direction, beyond = ("DESC", "<") if order.descending else ("ASC", ">")
    backward = bool(position and position.backward)
    after, bounds = "TRUE", []
    if position and position.value is None:
        after = f"value IS NULL AND id {beyond} %s" + (" OR value IS NOT NULL" if backward else "")
        bounds = [position.key]
    elif position:
        after = f"(value, id) {beyond} (%s, %s)" + ("" if backward else " OR value IS NULL")
        bounds = [position.value, position.key]
    nulls = "FIRST" if backward else "LAST"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH matches (id, value) AS MATERIALIZED ({inner}), part AS MATERIALIZED ("
            f"SELECT id, value FROM matches WHERE {after} "
            f"ORDER BY value {direction} NULLS {nulls}, id {direction} LIMIT %s OFFSET %s) "
            "SELECT (SELECT count(*) FROM matches), ARRAY(SELECT id FROM part), ARRAY(SELECT value FROM part)",
            [*params, *bounds, size, start],
        )
        total, keys, values = cursor.fetchone()
    return None if total > GATHER_LIMIT else (total, list(zip(keys, values, strict=True)))


def _cursor_page(queryset, order, size, cursor, fingerprint, selective):
    position = _position_of(cursor, fingerprint, queryset.model, order) if cursor else None
    backward = bool(position and position.backward)
    direction = order.reversed() if backward else order
    gathered = _gather(queryset, direction, size=size + 1, position=position) if selective else None
    rows = gathered[1] if gathered else []
    for segment in _segments_after(queryset, direction, position, backward) if gathered is None else ():
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
            "nextCursor": _cursor_at(rows[-1], False, fingerprint) if has_next else None,
            "prevCursor": _cursor_at(rows[0], True, fingerprint) if has_previous else None,
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


def fingerprint_of(*meaning):
    """What a cursor belongs to: what the list shows, and its order."""
    return hashlib.blake2b(repr(meaning).encode(), digest_size=8).hexdigest()


def write_cursor(position, fingerprint):
    """A signed cursor: a position, a list of JSON values, in what the fingerprint stands for."""
    return _signer.sign_object([*position, fingerprint])


def read_cursor(cursor, fingerprint):
    """The position of a cursor; ValidationError (400) when it is of another list, or not ours."""
    try:
        *position, belongs_to = _signer.unsign_object(cursor)
    except (signing.BadSignature, ValueError, TypeError):
        belongs_to = None
    if belongs_to != fingerprint:
        raise ValidationError({"cursor": _("This cursor is not valid for this list; start again without it")})
    return position


def _cursor_at(row, backward, fingerprint):
    key, value = row
    if isinstance(value, (datetime, date)):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    return write_cursor([key, value, int(backward)], fingerprint)


def _position_of(cursor, fingerprint, model, order):
    key, value, backward = read_cursor(cursor, fingerprint)
    if value is not None:
        value = model._meta.get_field(order.sort.column).to_python(value)
    return _Position(key, value, bool(backward))
