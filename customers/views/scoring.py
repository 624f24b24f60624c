"""What the lead score of one customer is made of: `/customers/:id/score`."""

from config.api.exceptions import missing
from config.api.labels import labels_of
from config.api.renderers import iso
from customers.choices import LeadFeature
from customers.scoring.breakdown import breakdown_of, history_of
from customers.serializers.scoring import ScoreSerializer
from customers.views.child import ChildViewSet


class ScoreViewSet(ChildViewSet):
    resource = collection = "score"
    cached = {"retrieve": 300}
    answers = {"retrieve": {"score": ScoreSerializer}}

    def retrieve(self, request, customer_id):
        """The lead score with all its reasons: each of the seventeen features, its points, and what it adds.

        As it was computed last, which is within minutes of a change and each night.
        """
        if self.customer.erased_at:
            raise missing("score", customer_id)
        return self.answer({"score": _shown(self.customer)})


def _shown(customer):
    breakdown = breakdown_of(customer)
    rating, labels = breakdown.rating, labels_of(LeadFeature)
    shown = {
        "customerId": customer.pk,
        "score": rating.score,
        "previousScore": breakdown.previous_score,
        "trend": breakdown.trend,
        "changedAt": breakdown.changed_at and iso(breakdown.changed_at.timestamp()),
        "computedAt": iso(breakdown.as_of.timestamp()),
        "points": rating.points,
        "level": breakdown.card.kind,
        "modelVersion": breakdown.card.version,
        "conversionProbability": round(100 * rating.probability),
        "probabilityBasis": breakdown.card.basis,
        "engagementPoints": breakdown.engagement,
        "base": round(breakdown.base, 2),
        "features": [
            {
                "feature": line.feature,
                "block": line.block,
                **labels[line.feature],
                "bin": line.bin,
                "bins": line.bins,
                "points": line.points,
                "maxPoints": line.most,
                "delta": round(line.delta, 2),
            }
            for line in breakdown.lines
        ],
        "positive": list(map(_reason, breakdown.positive)),
        "negative": list(map(_reason, breakdown.negative)),
        "history": [{"at": iso(moment.timestamp()), "score": score} for moment, score in history_of(customer)],
    }
    return {name: value for name, value in shown.items() if value is not None}


def _reason(reason):
    return {"feature": reason.feature, "delta": round(reason.points, 2), "text": reason.ar, "textEn": reason.en}
