"""What the client shows of a customer as `aiInsights`, but the next action: of each number, what it is made of.

Pure functions over a Scored and its Context. Nothing is null: what cannot be said is left out.
"""

from bisect import bisect_right
from math import ceil
from typing import NamedTuple

from config.counted import DAY, counted, counted_in_english
from customers.choices import STAGE_RANK, ChurnRisk, EngagementLevel, Stage, Timeline
from customers.scoring.reasons import reason_of, reasons_of
from customers.scoring.scorecard import NAMES, engagement_of
from customers.stages import CONVERTED_RANK

# Points of behaviour (0-40) from which on somebody is low, medium, high, very high in engagement.
_ENGAGED_FROM = (6, 14, 22, 31)
_ENGAGEMENT = EngagementLevel.values

# Silence, in gaps between contacts as they are usual for the customer.
_MEDIUM_SILENCE, _HIGH_SILENCE = 1, 2.5
# The usual gap of the stage counts as so many of the customer's own.
_STAGE_GAPS = 5
_LEAST_STREAK, _BAD_MOOD, _STALLED = 3, -40, 3
_RISKS = ChurnRisk.values

# Workdays between two contacts in a stage; a visit wants one sooner.
_CADENCE = {
    Stage.NEW_LEAD: 1,
    Stage.QUALIFIED: 2,
    Stage.PROPERTY_MATCHING: 3,
    Stage.SITE_VISIT: 3,
    Stage.NEGOTIATION: 1,
    Stage.CONTRACT_PREP: 2,
    Stage.DOWN_PAYMENT: 3,
    Stage.CLOSING: 2,
    Stage.POST_SALE: 20,
}
_AFTER_VISIT = 1
# How much later by tries without an answer, and for who is in no hurry.
_BACKOFF = (1, 1.5, 2.5, 4)
_NO_HURRY = 3
_LONGEST_CADENCE = 21

# Who is less likely to close than this gets no day on which to.
_LIKELY_ENOUGH = 0.05

_STREAK, _INVENTORY, _MOMENTUM, _SENTIMENT = map(NAMES.index, ("streak", "inventory_fit", "momentum", "sentiment"))
_RISK_WORDS = {
    ChurnRisk.MEDIUM: ("خطر فقدان متوسط", "Medium risk of losing the customer"),
    ChurnRisk.HIGH: ("خطر فقدان مرتفع", "High risk of losing the customer"),
}
_BASES = {
    "default": (
        "الدرجة من النقاط الموثقة، والنسبة تقديرية إلى أن يكفي سجل المنشأة",
        "The score is the documented points; the percentage is a placeholder until your own history suffices",
    ),
    "calibrated": (
        "الدرجة من النقاط الموثقة، معايرة على سجل المنشأة (النموذج {version})",
        "The score is the documented points, calibrated on your own history (model {version})",
    ),
    "fitted": (
        "الدرجة من نموذج مدرّب على سجل المنشأة (النموذج {version})",
        "The score is from a model trained on your own history (model {version})",
    ),
}


class Churn(NamedTuple):
    """How likely a customer is to be lost, and why: `[(Arabic, English)]`, none where the risk is low."""

    risk: str
    reasons: list


def insights_of(scored, context):
    """The client's `aiInsights` of a customer, without the next action."""
    facts, plans, calendar = scored.facts, context.plans_of(scored.facts.customer_id), context.calendar
    churn = churn_of(facts, plans, context.habits.gaps, calendar.today)
    insights = {
        "churnRisk": churn.risk,
        "engagementLevel": engagement_level(scored.bins),
        "conversionProbability": round(100 * scored.probability),
    }
    if churn.reasons:
        insights["churnReasons"] = [ar for ar, _en in churn.reasons]
        insights["churnReasonsEn"] = [en for _ar, en in churn.reasons]
    if plans.matches:
        insights["propertyMatches"] = plans.matches
    if facts.sentiment_now is not None:
        insights["sentimentScore"] = round(facts.sentiment_now)
    if plans.may_be_contacted:
        insights["recommendedFollowUpDate"] = follow_up_date(facts, plans, calendar)
    curve = curve_of(scored, context.habits.curves)
    closing_on = closing_date(facts, curve, plans, calendar)
    if closing_on:
        insights["predictedCloseDate"] = closing_on
    insights["aiNotes"] = notes(scored, churn, curve, context.model_version)
    return insights


def engagement_level(bins):
    """By the points of behaviour."""
    return _ENGAGEMENT[bisect_right(_ENGAGED_FROM, engagement_of(bins))]


def silence_of(facts, gaps):
    """`(days without a contact, usual days between two)`: the customer's own, held to those of the stage."""
    silent = facts.recency_days
    if silent is None:
        silent = (facts.at - facts.created_at).total_seconds() / 86_400
    usual, own = gaps[facts.stage], facts.touches - 1
    if facts.mean_gap_days is not None:
        usual = (own * facts.mean_gap_days + _STAGE_GAPS * usual) / (own + _STAGE_GAPS)
    return silent, usual


def churn_of(facts, plans, gaps, today):
    """The Churn of a customer. After the sale nobody is lost but who has a complaint."""
    silent, usual = silence_of(facts, gaps)
    feels_bad = facts.sentiment_now is not None and facts.sentiment_now <= _BAD_MOOD
    if facts.stage == Stage.POST_SALE:
        level = int(plans.has_open_complaint or feels_bad)
    else:
        level = (silent >= _MEDIUM_SILENCE * usual) + (silent >= _HIGH_SILENCE * usual)
        level += facts.streak >= _LEAST_STREAK or feels_bad or plans.missed_last_appointment
        level -= plans.appointment_on is not None and plans.appointment_is_confirmed
    risk = _RISKS[min(max(level, 0), 2)]
    if risk == ChurnRisk.LOW:
        return Churn(risk, [])
    return Churn(risk, list(_churn_reasons(facts, plans, silent, usual, feels_bad, today)))


def _churn_reasons(facts, plans, silent, usual, feels_bad, today):
    if plans.has_open_complaint:
        yield "شكوى مفتوحة عن عيوب عند التسليم", "An open complaint about defects at the handover"
    if silent >= usual and facts.stage != Stage.POST_SALE:
        yield _silence(facts, max(int(silent), 1), max(round(usual), 1))
    if facts.streak >= _LEAST_STREAK:
        yield reason_of(_STREAK, -1, facts)[2:]
    if plans.missed_last_appointment:
        yield "لم يحضر آخر موعد", "Did not come to the last appointment"
    if feels_bad:
        yield reason_of(_SENTIMENT, -1, facts)[2:]
    if plans.follow_up_on and plans.follow_up_on < today:
        yield "فات موعد المتابعة دون تواصل", "The day of the follow-up has passed without contact"
    if facts.momentum is not None and facts.momentum > _STALLED:
        yield reason_of(_MOMENTUM, -1, facts)[2:]
    if STAGE_RANK[facts.stage] < CONVERTED_RANK:
        if plans.budget_is_below_offers:
            yield "الميزانية أقل من الأسعار المعروضة", "The budget is below what is on offer"
        elif not facts.inventory:
            yield reason_of(_INVENTORY, -1, facts)[2:]


def _silence(facts, days, usual):
    ar, en = counted(days, DAY, oblique=True), counted_in_english(days, DAY)
    every, every_en = ("يوم", "day") if usual == 1 else (counted(usual, DAY, oblique=True), f"{usual} days")
    if facts.recency_days is None:
        return f"لا تواصل منذ الإضافة قبل {ar}", f"No contact since being added {en} ago"
    return f"لا تواصل منذ {ar}، والمعتاد كل {every}", f"No contact for {en}; usual is every {every_en}"


def follow_up_date(facts, plans, calendar):
    """When to be in touch next: as somebody has set, before an appointment, else by stage, answers and hurry."""
    if plans.follow_up_on:
        return calendar.follow_up_on(plans.follow_up_on)
    if plans.appointment_on:
        return calendar.follow_up_before(plans.appointment_on)
    has_visited = facts.stage == Stage.SITE_VISIT and facts.visits_45d and not facts.last_visit_no_show
    workdays = _AFTER_VISIT if has_visited else _CADENCE[facts.stage]
    workdays *= _BACKOFF[min(facts.streak, len(_BACKOFF) - 1)]
    if facts.timeline == Timeline.MONTHS_6_PLUS:
        workdays *= _NO_HURRY
    last = plans.last_contact_on or calendar.day_of(facts.created_at)
    return calendar.follow_up_after(last, min(ceil(workdays), _LONGEST_CADENCE))


def curve_of(scored, curves):
    """The Curve that a customer's closing is predicted by; None where there is nothing to go by."""
    facts = scored.facts
    is_stranger = facts.stage == Stage.NEW_LEAD and not facts.touches
    return None if is_stranger or scored.probability < _LIKELY_ENOUGH else curves.get(facts.stage)


def closing_date(facts, curve, plans, calendar):
    """The workday on which a deal is likely to close; of who has paid, that of the last payment, if it is to come."""
    if curve:
        return calendar.workday_in(curve.remaining_days(int(facts.days_in_stage)))
    if plans.last_payment_on and plans.last_payment_on >= calendar.today:
        return calendar.workday_from(plans.last_payment_on)
    return None


def notes(scored, churn, curve, model_version):
    """What the numbers rest on, in a paragraph of each language."""
    best, worst = reasons_of(scored.deltas, scored.facts)
    ar, en = [], []
    if best:
        ar.append(f"يرفع الدرجة: {'، '.join([reason.ar for reason in best])}")
        en.append(f"Raises the score: {'; '.join([reason.en for reason in best])}")
    if worst:
        ar.append(f"يخفض الدرجة: {'، '.join([reason.ar for reason in worst])}")
        en.append(f"Lowers the score: {'; '.join([reason.en for reason in worst])}")
    if churn.reasons:
        risk, risk_en = _RISK_WORDS[churn.risk]
        ar.append(f"{risk}: {'، '.join([reason for reason, _en in churn.reasons])}")
        en.append(f"{risk_en}: {'; '.join([reason for _ar, reason in churn.reasons])}")
    if curve:
        within, within_en = curve.told(int(scored.facts.days_in_stage))
        ar.append(f"إن تمت الصفقة فالمتوقع خلال {within}")
        en.append(f"If a deal comes of it, it is likely to within {within_en}")
    basis, basis_en = _BASES[scored.basis]
    ar.append(basis.format(version=model_version))
    en.append(basis_en.format(version=model_version))
    return f"{'. '.join(ar)}.\n{'. '.join(en)}."


def why_next(score, deltas, facts, action):
    """One sentence of each language, `(Arabic, English)`: why this customer is next, and what to do.

    `action` is what to do, `(Arabic, English)`, or None.
    """
    best, worst = reasons_of(deltas, facts)
    ar = "، ".join([reason.ar for reason in best])
    en = ", ".join([_lower(reason.en) for reason in best])
    if worst:
        ar += f"{'، لكن: ' if best else ''}{worst[0].ar}"
        en += f"{', but: ' if best else ''}{_lower(worst[0].en)}"
    ar, en = f"الدرجة {score} من 100{ar and ': '}{ar}", f"Score {score} of 100{en and ': '}{en}"
    if action:
        ar, en = f"{ar}؛ الخطوة التالية: {action[0]}", f"{en}; next step: {_lower(action[1])}"
    return f"{ar}.", f"{en}."


def _lower(sentence):
    return sentence[:1].lower() + sentence[1:]
