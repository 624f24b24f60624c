"""Whether an active model still fits: are customers like those it was made for, and do as many buy as it says."""

import logging
from typing import NamedTuple

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.choices import ModelStatus
from customers.models import LeadScore, LeadScoreModel
from customers.scoring.cards import Card
from customers.scoring.learning import metrics
from customers.scoring.learning.fitting import Outcomes, newton
from customers.scoring.learning.gate import LEAST_TO_CALIBRATE, OBSERVED_OVER_EXPECTED, chances
from customers.scoring.learning.rows import HORIZON
from customers.scoring.learning.training import known, score_shares
from customers.scoring.scorecard import SPEC_HASH, STAGE
from customers.services import lead_model as services
from customers.stages import CONVERTED_RANK

logger = logging.getLogger("hub.scoring")

MOST_STABILITY_INDEX = 0.25
# A slope of one leaves the model as it was; as unsure as that of a point. A flat one would leave no order to scores.
_SLOPE_SD, _LEAST_SLOPE = 1 / 3, 0.1


class Drift(NamedTuple):
    """How far a model has come from what it was made for; None is what cannot be told yet."""

    stability_index: float | None
    observed_over_expected: float | None
    recalibrated: LeadScoreModel | None


def watch(organization, *, by, now=None):
    """Compare the organization's active model with the customers of now, and calibrate it anew where it asks for it.

    Returns the Drift, or None where the organization has no model, or one of other features than the code's.
    """
    now = now or timezone.now()
    model = organization.lead_score_models.filter(status=ModelStatus.ACTIVE, spec_hash=SPEC_HASH).first()
    if model is None:
        return None
    index = _stability_index(model)
    _open_bins, rows = known(organization, now)
    cohort = rows[rows.days > now.timestamp() / 86_400 - 2 * HORIZON]
    ratio, recalibrated = None, None
    if _tells_enough(model, cohort):
        ratio = metrics.observed_over_expected(cohort.won, chances(Card(model), cohort))
        least, most = OBSERVED_OVER_EXPECTED
        if not least <= ratio <= most:
            recalibrated = calibrated_anew(model, cohort, ratio)
            services.keep(organization, [recalibrated], by=by)
    drift = Drift(index, ratio, recalibrated)
    facts = {
        "organization": organization.pk,
        "model": model.version,
        "stabilityIndex": index,
        "observedOverExpected": ratio,
        "calibratedAnew": recalibrated.version if recalibrated else None,
    }
    is_alarming = recalibrated or index is not None and index > MOST_STABILITY_INDEX
    logger.log(logging.WARNING if is_alarming else logging.INFO, "lead model watched", extra={"facts": facts})
    return drift


def _tells_enough(model, cohort):
    """Whether as many customers were won, or should have been, as a calibration asks for."""
    if not len(cohort):
        return False
    expected = chances(Card(model), cohort).sum() / cohort.per_customer
    return max(cohort.n_wins, expected) >= LEAST_TO_CALIBRATE


def _stability_index(model):
    still_open = LeadScore.objects.filter(model_id=model.pk, **{f"bins__{STAGE}__lt": CONVERTED_RANK})
    scores = still_open.values_list("score", flat=True)
    then = model.metrics.get("score_shares")
    return metrics.stability_index(then, score_shares(list(scores))) if then and scores else None


def calibrated_anew(model, rows, ratio):
    """A copy of a model with other chances, but the same scores: only intercept and slope of its logit are new."""
    card = Card(model)
    offset = rows.offset(card.logit)
    logits = np.array([card.logit(bins) for bins in rows.bins.tolist()]) + offset
    intercept, slope = newton(
        Outcomes(np.column_stack([np.ones(len(rows)), logits]), np.ones(len(rows)), rows.won),
        prior=np.array([0.0, 1.0]),
        stiffness=np.array([1e-3, _SLOPE_SD**-2]),
        is_floored=np.array([False, True]),
    ).coefficients
    slope = max(float(slope), _LEAST_SLOPE)
    scale = model.scale and model.scale | {
        "logit_mean": float(intercept) + slope * model.scale["logit_mean"],
        "logit_sd": slope * model.scale["logit_sd"],
    }
    return LeadScoreModel(
        kind=model.kind,
        spec_hash=model.spec_hash,
        train_from=model.train_from,
        train_to=model.train_to,
        n_rows=model.n_rows,
        n_customers=model.n_customers,
        n_wins=model.n_wins,
        lam=model.lam,
        intercept=float(intercept) + slope * model.intercept,
        coefs={name: [slope * coef for coef in coefs] for name, coefs in model.coefs.items()},
        bin_share=model.bin_share,
        scale=scale,
        # What else was found is of the model before; scores stay, and so do their shares.
        metrics={"score_shares": model.metrics.get("score_shares")},
        decision=_("Calibrated anew: of the expected customers, %(ratio).2f times as many were won") % {"ratio": ratio},
    )
