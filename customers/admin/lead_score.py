"""The lead score on a customer's page: what it is made of, what follows from it, and the button that computes it."""

from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.contrib.admin.utils import quote
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from config.backoffice.admin import badge, ltr
from config.backoffice.bulk import Unasked, bulk_action
from customers.choices import ChurnRisk, EngagementLevel, FeatureBlock, LeadFeature, ModelKind, ProbabilityBasis, Trend
from customers.models import Customer, Listing
from customers.scoring.breakdown import breakdown_of, history_of
from customers.scoring.closing import in_words
from customers.scoring.insights import why_next
from customers.services import scoring as services

_ARROWS = {Trend.UP: "↑", Trend.DOWN: "↓", Trend.STEADY: "↔"}
_BLOCKS, _FEATURES = dict(FeatureBlock.choices), dict(LeadFeature.choices)


class Bar(NamedTuple):
    """A feature, and how many of its points a customer has."""

    label: str
    points: int
    most: int

    @property
    def share(self):
        return round(100 * self.points / self.most)

    @property
    def rest(self):
        return 100 - self.share


def score_today(request, customer):
    """The panel of a customer's score: as it was computed last, or as it would be now if it never was."""
    if customer.deleted_at or customer.erased_at:
        return ""
    breakdown = breakdown_of(customer)
    insights = breakdown.insights or {}
    context = {
        "breakdown": breakdown,
        "arrow": _ARROWS[breakdown.trend],
        "trend": breakdown.trend.label,
        "level": ModelKind(breakdown.card.kind).label,
        "why": _why(breakdown, insights),
        "chance": round(100 * breakdown.rating.probability),
        "chance_rests_on": _chance_rests_on(breakdown),
        "picture": _picture(history_of(customer), breakdown),
        "blocks": [_block(*block) for block in groupby(breakdown.lines, attrgetter("block"))],
        "reasons": [
            (_("What speaks for this customer"), list(map(_reason, breakdown.positive))),
            (_("What speaks against this customer"), list(map(_reason, breakdown.negative))),
        ],
        "insights": _told(insights),
        "matches": _matches(insights, request.user),
    }
    return render_to_string("admin/hub/score.html", context, request)


@bulk_action(gettext_lazy("Recompute score"), Unasked, permission="customers.write")
def recompute_scores(self, request, ids):
    # Workers do it: what a large organization is used to takes seconds to find out.
    visible = Customer.objects.visible_to(request.user).filter(pk__in=ids).values_list("pk", flat=True)
    services.touch(visible)
    return _("Scores that are computed anew within two minutes: %(count)d") % {"count": len(visible)}


def _in_language(ar, en):
    return ar if get_language() == "ar" else en


def _why(breakdown, insights):
    action = insights.get("nextBestAction")
    action = action and (action, insights.get("nextBestActionEn", action))
    deltas = [line.delta for line in breakdown.lines]
    return _in_language(*why_next(breakdown.rating.score, deltas, breakdown.facts, action))


def _chance_rests_on(breakdown):
    if breakdown.rating.probability == 1:
        return _("The down payment is made")
    if breakdown.card.kind == ModelKind.POINTS:
        return _("A placeholder: usual values, which rank customers but are not this organization's own")
    return ProbabilityBasis(breakdown.card.basis).label


def _picture(history, breakdown):
    """The course of a score until now as the path of an SVG of 100 by 100; None before there is any."""
    now, score = timezone.now(), breakdown.rating.score
    if not history or history[0][0] >= now:
        return None
    (first_at, first), *later = history
    since = max(breakdown.changed_at or now, history[-1][0])
    steps = [(100 * ((moment - first_at) / (now - first_at)), then) for moment, then in [*later, (since, score)]]
    path = f"M0 {100 - first}" + "".join(f"H{place:.2f}V{100 - then}" for place, then in steps) + "H100"
    return {"path": path, "first": first, "first_at": first_at}


def _block(block, lines):
    bars = [Bar(_FEATURES[line.feature], line.points, line.most) for line in lines]
    total = Bar(_BLOCKS[block], sum(bar.points for bar in bars), sum(bar.most for bar in bars))
    return {"total": total, "bars": bars}


def _reason(reason):
    sign = "+" if reason.points > 0 else "−"
    return f"{sign}{number_format(abs(reason.points), 1)}", _in_language(reason.ar, reason.en)


def _told(insights):
    """`[(label, value, [notes])]` of the other insights, as far as they are known."""
    risk, level = insights.get("churnRisk"), insights.get("engagementLevel")
    mood, closing = insights.get("sentimentScore"), insights.get("predictedCloseDate")
    follow_up = insights.get("recommendedFollowUpDate")
    found = []
    if risk:
        reasons = insights.get(_in_language("churnReasons", "churnReasonsEn"), [])
        found.append((_("Risk of losing the customer"), badge(risk, ChurnRisk(risk).label), reasons))
    if level:
        found.append((_("Engagement"), EngagementLevel(level).label, []))
    if mood is not None:
        found.append((_("Sentiment"), ltr(str(mood)), [_("From −100 to 100")]))
    if closing:
        day = date.fromisoformat(closing)
        soon = _in_language(*in_words((day - timezone.localdate()).days))
        found.append((_("Likely to close"), _("within about %(time)s") % {"time": soon}, []))
    if follow_up:
        found.append((_("Recommended follow-up"), timezone.localtime(parse_datetime(follow_up)), []))
    return found


def _matches(insights, employee):
    """`[(listing, address)]` of the listings that suit best and are there still, the best first."""
    keys = insights.get("propertyMatches", [])
    listings = Listing.objects.visible_to(employee).in_bulk(keys)
    return [
        (listings[key], reverse("admin:customers_listing_change", args=[quote(key)])) for key in keys if key in listings
    ]
