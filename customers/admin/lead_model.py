"""The models of lead scores in the back office: what each was found to be worth, what it says, and which one counts."""

from typing import NamedTuple

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.backoffice.admin import ReadOnlyAdmin, badge, column
from config.backoffice.bulk import Unasked, bulk_action
from customers.choices import LeadFeature, ModelFigure, ModelKind, ModelStatus, Stage
from customers.models import LeadScoreModel
from customers.scoring.cards import Card, is_whole
from customers.scoring.scorecard import FEATURES, SPEC_HASH
from customers.services import lead_model as services

# A figure and what is required of it, which reads from left to right on any page.
_LEFT_TO_RIGHT = " \u2066%(figure)s (%(required)s)\u2069"
_CHECK = ("name", "figure", "required", "holds")
# How far the axes of the plot reach: as little as holds all that there is.
_REACHES = (0.1, 0.2, 0.4, 0.6, 0.8, 1)


class Plot(NamedTuple):
    """Groups of customers by rising probability in a square of 100: to the right what was said, upwards what came."""

    dots: list[tuple[str, str]]
    # What stands at the middle and at the end of both axes, in percent.
    middle: str
    end: str


def report(request, model):
    """The panel of what was found when a model was made, beside the one that counted then and the documented points."""
    metrics, baselines = _named(model.metrics), _named(model.baseline_metrics)
    incumbent, points = _named(baselines.get("incumbent")), _named(baselines.get("points"))
    compared = [metrics, incumbent, points] if incumbent.get("kind") != ModelKind.POINTS else [metrics, points]
    groups, stages = _groups(metrics), _named(metrics.get("stages"))
    context = {
        "decision": decision_of(model),
        "checks": [check | {"name": _(check["name"])} for check in _checks(model)],
        "heads": [model, *map(_name_of, compared[1:])],
        "figures": [(label, [_figure(told.get(name)) for told in compared]) for name, label in ModelFigure.choices],
        "plot": _plot(groups),
        "groups": [(rows, _percent(chance), _percent(share)) for rows, chance, share in groups],
        "stages": [_stage(label, stages[stage]) for stage, label in Stage.choices if stage in stages],
        "worths": _worths(model),
    }
    return render_to_string("admin/hub/lead_model.html", context, request)


def decision_of(model):
    """Why a model may count, or may not, in the language of the page."""
    checks = _checks(model)
    if not checks:
        return model.decision
    failed = [_(check["name"]) + _LEFT_TO_RIGHT % check for check in checks if not check["holds"]]
    return _("Refused: %(reasons)s") % {"reasons": "; ".join(failed)} if failed else _("Passed the gate")


_STRENGTH = column(
    "lam", gettext_lazy("held to the points by"), lambda model: "∞" if model.lam is None else f"{model.lam:g}"
)


@admin.register(LeadScoreModel)
class LeadScoreModelAdmin(ReadOnlyAdmin):
    permission = "settings.write"
    list_display = (
        "version",
        "kind",
        column("status", gettext_lazy("status"), lambda model: badge(model.status, model.get_status_display())),
        "created_at",
        "n_rows",
        "n_wins",
        column("decision", gettext_lazy("decision"), decision_of),
    )
    shown = (
        list_display[:3],
        ("created_at", "created_by", _STRENGTH),
        ("activated_at", "activated_by"),
        ("train_from", "train_to"),
        ("n_rows", "n_customers", "n_wins"),
    )
    sortable_by = ()
    ordering = ("-version",)
    actions = None
    buttons = ("activate", "roll_back")
    panels = (report,)

    def buttons_of(self, row):
        """What the gate has refused never counts."""
        return {ModelStatus.ACTIVE: ("roll_back",), ModelStatus.REJECTED: ()}.get(row.status, ("activate",))

    @bulk_action(gettext_lazy("Have scores follow this model"), Unasked, permission="settings.write")
    def activate(self, request, ids):
        model = self.get_queryset(request).get(pk=ids[0])
        services.activate(model.organization, model.version, by=request.user.name)
        return _("Scores follow %(model)s within minutes.") % {"model": model}

    @bulk_action(gettext_lazy("Roll back to the model before"), Unasked, permission="settings.write")
    def roll_back(self, request, ids):
        model = services.roll_back(request.user.organization, by=request.user.name)
        return _("Scores follow %(model)s within minutes.") % {"model": model or ModelKind.POINTS.label}


# Rows may have been written by other code, or by hand: what cannot be shown is left out, and the rest is.


def _named(value):
    return value if isinstance(value, dict) else {}


def _list(value):
    return value if isinstance(value, list) else []


def _checks(model):
    checks = _list(_named(model.metrics).get("checks"))
    return [check for check in checks if _named(check).keys() >= set(_CHECK) and isinstance(check["name"], str)]


def _groups(metrics):
    """`[[rows, mean probability, share won]]`."""
    groups = [group for group in _list(metrics.get("calibration")) if len(_list(group)) == 3]
    return [
        group
        for group in groups
        if all(isinstance(number, int | float) for number in group) and all(0 <= share <= 1 for share in group[1:])
    ]


def _name_of(told):
    kind, version = told.get("kind"), told.get("version")
    label = dict(ModelKind.choices).get(kind, "–") if isinstance(kind, str) else "–"
    return f"{label} {version}" if version else label


def _stage(label, told):
    return label, *(_figure(_named(told).get(name)) for name in ("rows", "wins", "auc"))


def _figure(value):
    if not isinstance(value, int | float):
        return "–"
    return number_format(value, 3) if isinstance(value, float) else number_format(value, force_grouping=True)


def _percent(share):
    return f"{number_format(100 * share, 1)}%"


def _plot(groups):
    """The Plot of `[(rows, mean probability, share won)]`; None where there is none."""
    if not groups:
        return None
    most = max(max(chance, share) for _rows, chance, share in groups)
    reach = next(reach for reach in _REACHES if most <= reach)
    dots = [(f"{100 * chance / reach:.2f}", f"{100 - 100 * share / reach:.2f}") for _rows, chance, share in groups]
    return Plot(dots, f"{50 * reach:g}%", f"{100 * reach:g}%")


def _worths(model):
    """`[(feature, [(points of a bin by the model, documented points)])]`; none where it was made for other features."""
    if model.spec_hash != SPEC_HASH or not is_whole(model):
        return []
    labels = dict(LeadFeature.choices)
    return [
        (labels[feature.name], list(zip(_from_zero(worths), feature.points, strict=True)))
        for feature, worths in zip(FEATURES, Card(model).worths, strict=True)
    ]


def _from_zero(worths):
    """What bins are worth, above the least of them, as the documented points are told."""
    return [number_format(worth - min(worths), 1) for worth in worths]
