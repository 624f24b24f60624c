"""What lists can be narrowed by, with how many customers each choice leaves: filter options and facets."""

from collections import defaultdict

from django.core.exceptions import EmptyResultSet
from django.db.models import Sum, Value
from django.db.models.functions import NullIf

from config.api.labels import labels_of
from config.db import at_one_moment
from config.places import CITIES, REGIONS
from customers.choices import PROPERTY_TYPES, Priority, Source, Stage
from customers.counting import counted_words
from customers.filters import UNASSIGNED
from customers.models import CustomerSum, CustomerWord
from customers.querysets import NOBODY
from employees.models import Employee

# So many choices of one kind at most.
MOST = 200
# What is counted, and the filter of the list that each choice is one of.
FILTERS = {
    "stage": "stage", "source": "source", "priority": "priority", "city": "city", "region": "state",
    "district": "district", "type": "propertyType", "tag": "tags", "employee": "assignedEmployeeId",
}  # fmt: skip
_NAMES = {
    "stage": "stages", "source": "sources", "priority": "priorities", "city": "cities", "region": "regions",
    "district": "districts", "type": "propertyTypes", "tag": "tags", "employee": "employees",
}  # fmt: skip
_ENUMS = {"stage": Stage, "source": Source, "priority": Priority}
_UNASSIGNED_LABELS = {"label": "غير معيّن", "labelEn": "Unassigned"}
# Each entry returns further options of a caller, `{name: options}`. The actions app adds its own.
OPTIONS = []


def filter_options(employee):
    """The object of `GET /customers/filters`, from what triggers keep."""
    words = [dimension for dimension in FILTERS if dimension not in _KEPT_IN_SUMS]
    parts = {dimension: _kept(employee, dimension) for dimension in _KEPT_IN_SUMS}
    return _options(employee, at_one_moment(words=_kept(employee, *words), **parts))


def facets(employee, filterset):
    """The same under the filters of a list: a choice of a kind ignores the filters of that kind.

    One pass for all kinds without a filter of their own, and one for each that has one; all of it one statement.
    """
    own = [dimension for dimension, name in FILTERS.items() if name in filterset.cleaned]
    passes = {"others": [dimension for dimension in FILTERS if dimension not in own]}
    passes |= {dimension: [dimension] for dimension in own}
    parts = {}
    for name, dimensions in passes.items():
        others = [filter_name for filter_name in filterset.cleaned if filter_name != FILTERS.get(name)]
        rows = filterset.narrowed(filterset.queryset, *others)
        parts[name] = _ranked(rows.values(*_COUNTED), dimensions) if others else _kept(employee, name)
    return _options(employee, at_one_moment(**parts))


_COUNTED = (
    "stage", "source", "priority", "assigned_employee_id", "city", "city_key", "region", "district", "district_key",
    "facets", "deleted_at",
)  # fmt: skip
# By column: the others are kept word by word.
_KEPT_IN_SUMS = {"stage": "stage", "employee": "assignee"}


def _kept(employee, *dimensions):
    """The choices of a kind that is kept in sums, or of several others, without filters."""
    column = _KEPT_IN_SUMS.get(dimensions[0])
    if not column:
        words = CustomerWord.objects.summed_for(employee, None).filter(dimension__in=dimensions)
        return _ranked(words.values("dimension", "word", "spelling").annotate(sum_number=Sum("number")))
    sums = CustomerSum.objects
    sums = sums.by_assignee(employee) if column == "assignee" else sums.summed_for(employee, None)
    named = sums.values(dimension=Value(dimensions[0]), word=NullIf(column, Value(NOBODY)), spelling=Value(""))
    return _ranked(named.annotate(sum_number=Sum("number")))


def _ranked(words, dimensions=None):
    """`(sql, params)` of the MOST frequent words of each dimension: `dimension, word, spelling, number, words`.

    `words` are counts, or customers whose words are counted. The spelling is the most frequent one.
    """
    try:
        sql, params = words.order_by().query.sql_with_params()
    except EmptyResultSet:  # a filter that nothing can match
        return words.none()
    if dimensions:
        counted = counted_words("SELECT *, 1 AS sign FROM visible", dimensions)
        sql = f"WITH visible AS MATERIALIZED ({sql}) {counted}"
    number = "number" if dimensions else "sum_number"
    return (
        f"SELECT * FROM (SELECT dimension, word, min(spelling) FILTER (WHERE place = 1) AS spelling, "
        f"sum({number}) AS number, count(*) OVER (PARTITION BY dimension) AS words, "
        f"row_number() OVER (PARTITION BY dimension ORDER BY sum({number}) DESC, word) AS rank "
        f"FROM (SELECT *, row_number() OVER (PARTITION BY dimension, word ORDER BY {number} DESC, spelling) AS place "
        f"FROM ({sql}) AS spelled) AS placed WHERE word <> '' OR word IS NULL "
        f"GROUP BY dimension, word HAVING sum({number}) > 0) AS ranked WHERE rank <= {MOST}"
    ), params


def _options(employee, read):
    """Options by their names in the API, enums complete and in their order, the others by count."""
    options, cut, found = {}, {}, defaultdict(list)
    for row in (row for rows in read.values() for row in rows):
        found[row["dimension"]].append(row)
    for dimension, name in _NAMES.items():
        rows = found[dimension]
        if dimension in _ENUMS:
            numbers = {row["word"]: row["number"] for row in rows}
            options[name] = [
                {"value": word, **labels, "count": numbers.get(word, 0)}
                for word, labels in labels_of(_ENUMS[dimension]).items()
            ]
            continue
        rows = sorted(rows, key=lambda row: (-row["number"], row["word"] or ""))
        if rows and rows[0]["words"] > MOST:
            cut[name] = rows[0]["words"]
        labels = {row["word"]: _LABELS[dimension](row) for row in rows} if dimension in _LABELS else {}
        if dimension == "employee":
            labels = employee_names([row["word"] for row in rows])
            options[name] = [_person(row, labels[row["word"]]) for row in rows]
        else:
            options[name] = [labels[row["word"]] | {"count": row["number"]} for row in rows]
    for more in OPTIONS:
        options |= more(employee)
    return options | ({"cut": cut} if cut else {})


def _person(row, labels):
    english = {"nameEn": labels["labelEn"]} if labels["labelEn"] else {}
    return {"id": row["word"] or UNASSIGNED, "name": labels["label"], **english, "count": row["number"]}


def _named(value, english):
    return {"value": value, "label": value, "labelEn": english}


def _city(row):
    city = CITIES.get(row["word"])
    return _named(city.name, city.name_en) if city else _named(row["spelling"], row["spelling"])


def _type(row):
    word = row["word"]
    return {"value": word, "label": PROPERTY_TYPES.get(word, word), "labelEn": word.capitalize()}


_LABELS = {
    "city": _city,
    "region": lambda row: _named(REGIONS[row["word"]].name, REGIONS[row["word"]].name_en),
    "district": lambda row: _named(row["spelling"], row["spelling"]),
    "type": _type,
    "tag": lambda row: _named(row["word"], row["word"]),
}


def employee_names(ids):
    """`{id: {"label": name, "labelEn": English name, "" where there is none}}`; None is nobody."""
    people = Employee.objects.filter(pk__in=[key for key in ids if key]).values_list("pk", "name", "name_en")
    named = {key: {"label": name, "labelEn": name_en} for key, name, name_en in people}
    return named | {None: _UNASSIGNED_LABELS}


def city_names(employee, words):
    """The same of cities by their keys, with the `value` that lists are filtered by."""
    unknown = [word for word in words if word and word not in CITIES]
    rows = {word: {"word": word, "spelling": ""} for word in words}
    if unknown:
        spelled = CustomerWord.objects.summed_for(employee, None).filter(dimension="city", word__in=unknown)
        spelled = spelled.values("dimension", "word", "spelling").annotate(sum_number=Sum("number"))
        rows |= {row["word"]: row for row in at_one_moment(words=_ranked(spelled))["words"]}
    return {word: _city(row) for word, row in rows.items()}
