"""The models of lead scores in the back office: what was found when each was made, and which one counts."""

import re

import pytest

from config.testing import AdminClient
from customers.scoring.scorecard import FEATURES
from customers.tests.test_lead_model import model_of, standing
from customers.tests.test_score_pages import panel_of, said_of

REPORT = {
    "kind": "l2", "version": 2, "rows": 1400, "wins": 63, "auc": 0.8612, "ece": 0.0214,
    "calibration": [[700, 0.05, 0.04], [700, 0.3, 0.4]],
    "stages": {"negotiation": {"rows": 90, "wins": 31, "auc": 0.68}, "closing": {"rows": 2, "wins": 2, "auc": None}},
}  # fmt: skip
REFUSAL = [
    {"name": "won customers in training", "figure": "61", "required": "≥ 50", "holds": True},
    {"name": "calibration error", "figure": "0.0614", "required": "≤ 0.05", "holds": False},
]


def url_of(model, page="change"):
    return f"/admin/customers/leadscoremodel/{model.pk.replace('_', '_5F')}/{page}/"


def panel(person, model, name):
    return panel_of(AdminClient(person).get(url_of(model)), name)


@pytest.fixture
def model(organization):
    model_of(organization, 1, "active")
    coefs = {feature.name: [0.05 * points for points in feature.points] for feature in FEATURES}
    return model_of(
        organization, 2, "rejected", kind="l2", coefs=coefs, metrics=REPORT | {"checks": REFUSAL},
        scale={"points_mean": 40, "points_sd": 10, "logit_mean": -3, "logit_sd": 0.5},
        baseline_metrics={"incumbent": {"kind": "l1", "version": 1, "auc": 0.84}, "points": {"kind": "l0"}},
    )  # fmt: skip


def test_a_model_is_shown_beside_the_one_that_counted_and_the_points(layla, model):
    assert panel(layla, model, "decision")[0] == (
        "What was asked of it Refused: calibration error \u20660.0614 (≤ 0.05)\u2069 Check Found Required Holds "
        "Won customers in training 61 ≥ 50 Yes Calibration error 0.0614 ≤ 0.05 No"
    )
    figures = panel(layla, model, "figures")[0]
    assert " Refitted 2 Points, calibrated 1 Documented points Rows 1,400 – – " in figures
    assert " AUC 0.861 0.840 – " in figures
    assert panel(layla, model, "stages")[0] == (
        "By stage Stage Rows Won customers AUC Negotiation 90 31 0.680 Closing 2 2 –"
    )
    plot = panel(layla, model, "calibration")[1]
    # Of axes up to 40 percent.
    assert re.findall(r'cx="([^"]+)" cy="([^"]+)"', plot) == [("12.50", "90.00"), ("75.00", "0.00")]
    assert "5.0%</td><td>4.0%</td><td>700" in plot
    # Twice the logit's spread is the points': a point of each is a point of the other.
    assert "Timeline 0.0 (0) 2.0 (2) 3.0 (3) 6.0 (6) 8.0 (8)" in panel(layla, model, "worths")[0]


def test_a_model_without_figures_or_of_other_features_is_shown_as_it_is(layla, model):
    bare = model_of(model.organization, 3, "retired", spec_hash="of another version", decision="اختير يدويًا")
    assert panel(layla, bare, "decision")[0] == "What was asked of it اختير يدويًا"
    assert panel(layla, bare, "worths")[0].endswith("cannot count.")
    client = AdminClient(layla)
    page = client.post(url_of(bare, "do/activate"), {"apply": "1"})
    assert page.context["form"].non_field_errors() == ["Model 3 was made for other features"]
    assert standing(model.organization) == {1: "active", 2: "rejected", 3: "retired"}


@pytest.mark.parametrize(
    ("metrics", "baselines"),
    [
        ([], "none"),
        (
            {"checks": [{"name": "won customers in training"}, 5], "calibration": [[1], [7, 1.5, "much"], 3],
             "stages": {"negotiation": 3}, "auc": "high"},
            {"incumbent": 5, "points": {"kind": "l9", "version": []}},
        ),
    ],
)  # fmt: skip
def test_of_a_model_with_odd_figures_is_shown_what_can_be(layla, model, metrics, baselines):
    odd = model_of(
        model.organization, 3, "retired", metrics=metrics, baseline_metrics=baselines, decision="By hand",
        coefs={"recency": "much"}, scale={"points_sd": 5, "logit_sd": 1},
    )  # fmt: skip
    assert panel(layla, odd, "decision")[0] == "What was asked of it By hand"
    assert " AUC – – – " in panel(layla, odd, "figures")[0]
    listed = AdminClient(layla).get("/admin/customers/leadscoremodel/")
    assert listed.status_code == 200 and "By hand" in listed.content.decode()


def test_admins_choose_which_model_counts_but_none_that_the_gate_has_refused(layla, fatima, model):
    first = model.organization.lead_score_models.get(version=1)
    client = AdminClient(layla)
    assert client.post(url_of(model, "do/activate"), {"apply": "1"}).status_code == 404
    assert AdminClient(fatima).post(url_of(first, "do/roll_back"), {"apply": "1"}).status_code == 403
    rolled_back = client.post(url_of(first, "do/roll_back"), {"apply": "1"})
    assert said_of(rolled_back) == "Scores follow Documented points within minutes."
    assert standing(model.organization) == {1: "retired", 2: "rejected"}
    activated = client.post(url_of(first, "do/activate"), {"apply": "1"})
    assert said_of(activated) == "Scores follow Points, calibrated 1 within minutes."
    assert standing(model.organization) == {1: "active", 2: "rejected"}
    first.refresh_from_db()
    assert first.activated_by == layla.name and layla.name in client.get(url_of(first)).content.decode()
