"""The first page of the back office: figures, each with the list behind it, by the counts that triggers keep."""

from calendar import monthrange
from typing import NamedTuple

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from actions import stats as actions
from config.api.query import QueryParams
from customers import stats as customers
from customers.choices import Stage
from customers.filters import StatisticsFilterSet
from customers.options import employee_names
from customers.querying import UNASSIGNED
from employees.choices import Role
from employees.models import Employee

MONTHS = 12
HOT_SCORE = 80
# Who has most to do; everybody is in the list of employees.
MOST_PEOPLE = 10


class Figure(NamedTuple):
    """A number and the address of the rows that it counts; `share` is its percentage of the largest beside it."""

    label: str
    number: int
    url: str
    share: int = 0
    kind: str = ""

    @property
    def rest(self):
        return 100 - self.share


def dashboard(employee):
    """The figures of what an employee may see, as the API counts it for the same person."""
    numbers = customers.statistics(employee, StatisticsFilterSet(QueryParams.of_body({}), None, request=None))
    return {
        "figures": _figures(numbers, actions.open_now(employee)),
        "amounts": _amounts(numbers["financial"]),
        "stages": _stages(numbers["byStage"]),
        "months": _months(customers.created_by_month(employee, MONTHS)),
        "people": _people(employee),
        "all_people": _address("employees", "employee"),
    }


def _figures(numbers, due):
    return [
        Figure(_("Overdue actions"), due["overdue"], _of_actions(dueDate="overdue"), kind="late"),
        Figure(_("Due today"), due["today"], _of_actions(dueDate="today")),
        Figure(_("Due within a week"), due["week"], _of_actions(dueDate="week")),
        Figure(_("Open actions"), due["open"], _of_actions(tab="all")),
        Figure(_("Customers"), numbers["total"], _of_customers()),
        Figure(_("Hot leads"), numbers["leadScores"]["above80"], _of_customers(leadScoreMin=HOT_SCORE), kind="hot"),
    ]


def _amounts(financial):
    return [
        Figure(_("Deal value"), financial["totalDealValue"], _of_customers()),
        Figure(_("Expected revenue"), financial["totalExpectedRevenue"], _of_customers()),
    ]


def _stages(by_stage):
    most = max(by_stage.values())
    return [
        Figure(label, by_stage[stage], _of_customers(stage=stage), _share(by_stage[stage], most))
        for stage, label in Stage.choices
    ]


def _months(created):
    most = max(created.values())
    figures = []
    for first, number in created.items():
        last = first.replace(day=monthrange(first.year, first.month)[1])
        figures.append(Figure(first, number, _of_customers(createdFrom=first, createdTo=last), _share(number, most)))
    return figures


def _people(employee):
    """`[(name, customers, open actions, overdue actions)]`, Figures but for the name: who has most to do first."""
    assigned, to_do = customers.assigned_by_employee(employee), actions.open_by_employee(employee)
    colleagues = Employee.objects.visible_to(employee).active().exclude(role=Role.VIEWER)
    busy = {key for key, numbers in to_do.items() if any(numbers.values())}
    people = {*assigned, *busy, *colleagues.values_list("pk", flat=True)}
    ranked = sorted(
        people, key=lambda key: (-to_do[key]["overdue"], -to_do[key]["open"], -assigned.get(key, 0), key or "")
    )[:MOST_PEOPLE]
    most = max((to_do[key]["open"] for key in ranked), default=0)
    names = employee_names(ranked)
    return [
        (
            _("Nobody") if key is None else _in_language(names[key]),
            Figure(_("Customers"), assigned.get(key, 0), _of_customers(assignedEmployeeId=key or UNASSIGNED)),
            Figure(
                _("Open actions"),
                to_do[key]["open"],
                _of_actions(tab="all", assignedTo=key or UNASSIGNED),
                _share(to_do[key]["open"], most),
            ),
            Figure(
                _("Overdue actions"),
                to_do[key]["overdue"],
                _of_actions(dueDate="overdue", assignedTo=key or UNASSIGNED),
                kind="late",
            ),
        )
        for key in ranked
    ]


def _in_language(name):
    return name["label"] if get_language() == "ar" else name["labelEn"] or name["label"]


def _share(number, most):
    """A percentage that shows as soon as there is anything."""
    return max(1, round(100 * number / most)) if number else 0


def _of_customers(**query):
    return _address("customers", "customer", **query)


def _of_actions(**query):
    return _address("actions", "customeraction", **query)


def _address(app, model, **query):
    """The list of a model, narrowed by the parameters of the API's list."""
    path = f"{reverse('admin:index')}{app}/{model}/"
    return f"{path}?{urlencode(query)}" if query else path
