"""Which model of lead scores counts for an organization, and which counted before."""

from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from config.db import held
from customers.choices import ModelStatus
from customers.scoring.cards import is_whole
from customers.scoring.scorecard import SPEC_HASH
from employees.models import Organization


def keep(organization, models, *, by):
    """Store trained models under the next versions of an organization; the first that was not refused becomes active.

    Returns that one, or None. Refusals take the place of those before them: a weekly no is told once.
    """
    with _alone(organization):
        rows = organization.lead_score_models
        last = rows.aggregate(last=Max("version"))["last"] or 0
        rows.filter(status=ModelStatus.REJECTED).delete()
        for version, model in enumerate(models, last + 1):
            model.organization, model.version, model.created_by = organization, version, by
            model.save(force_insert=True)
        passed = next((model for model in models if model.status == ModelStatus.CANDIDATE), None)
        if passed:
            _put_in_place(organization, passed, by)
    return passed


def activate(organization, version, *, by):
    """Have an organization scored by the model of this version, as somebody of this name wishes; returns it.

    Raises ValidationError when there is none, when the gate refused it, when it was made for other features, or when
    it lacks what scores are made of.
    """
    with _alone(organization):
        model = organization.lead_score_models.filter(version=version).first()
        if model is None:
            raise ValidationError(_("There is no model %(version)s") % {"version": version})
        if model.status == ModelStatus.REJECTED:
            raise ValidationError(model.decision, code="refused")
        if model.spec_hash != SPEC_HASH:
            raise ValidationError(_("Model %(version)s was made for other features") % {"version": version})
        if not is_whole(model):
            raise ValidationError(_("Model %(version)s lacks numbers that scores are made of") % {"version": version})
        if model.status != ModelStatus.ACTIVE:
            _put_in_place(organization, model, by)
    return model


def roll_back(organization, *, by):
    """Have the model count that did before the active one; returns it, or None where only the points are left.

    What is rolled back from comes back by `activate` alone. Raises ValidationError when no model is active.
    """
    with _alone(organization):
        active = organization.lead_score_models.filter(status=ModelStatus.ACTIVE).first()
        if active is None:
            raise ValidationError(_("No model is active: scores are the documented points"))
        before = organization.lead_score_models.filter(
            status=ModelStatus.RETIRED, activated_at__isnull=False, spec_hash=SPEC_HASH
        )
        model = before.order_by("-activated_at").first()
        _put_in_place(organization, model, by)
        organization.lead_score_models.filter(pk=active.pk).update(activated_at=None)
    return model


@contextmanager
def _alone(organization):
    """A transaction in which nobody else changes the organization's models."""
    with transaction.atomic():
        held(Organization.objects.filter(pk=organization.pk)).get()
        yield


def _put_in_place(organization, model, by):
    organization.lead_score_models.filter(status=ModelStatus.ACTIVE).update(status=ModelStatus.RETIRED)
    if model:
        model.status, model.activated_at, model.activated_by = ModelStatus.ACTIVE, timezone.now(), by
        model.save(update_fields=["status", "activated_at", "activated_by"])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO lead_score_queue (customer_id) SELECT id FROM customers "
            "WHERE organization_id = %s AND deleted_at IS NULL",
            [organization.pk],
        )
