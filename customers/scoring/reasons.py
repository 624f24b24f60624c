"""Why a score is what it is: what speaks for a customer and what against, in Arabic and English.

A reason tells what is known, not what it is worth: how much it adds or takes stands beside it.
"""

from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from config.counted import DAY, MINUTE, PROPERTY, TIME, TRY, VIEWING, counted, counted_in_english
from customers.choices import Financing, InterestStatus, MortgageStatus, Purpose, Source, Stage, Timeline
from customers.scoring.features import TALK_DAYS, TOUCH_DAYS, VISIT_DAYS
from customers.scoring.scorecard import NAMES

# What moves the score by less is not worth a line.
LEAST_POINTS = 2
MOST_FOR, MOST_AGAINST = 3, 2
_TEXTS_KEPT = 500
# Whom nobody has tried to reach has left no try unanswered, which is no reason to think well of anybody.
_TRIED = (NAMES.index("response_rate"), NAMES.index("streak"))

STAGES = {
    Stage.NEW_LEAD: ("عميل جديد", "New Lead"),
    Stage.QUALIFIED: ("مؤهل", "Qualified"),
    Stage.PROPERTY_MATCHING: ("مطابقة العقارات", "Property Matching"),
    Stage.SITE_VISIT: ("المعاينة", "Site Visit"),
    Stage.NEGOTIATION: ("التفاوض", "Negotiation"),
    Stage.CONTRACT_PREP: ("إعداد العقد", "Contract Preparation"),
    Stage.DOWN_PAYMENT: ("الدفعة الأولى", "Down Payment"),
    Stage.CLOSING: ("إتمام الصفقة", "Closing"),
    Stage.POST_SALE: ("ما بعد البيع", "Post-Sale"),
}
_SOURCES = {
    Source.REFERRAL: ("عميل محال من عميل سابق", "Referred by an earlier customer"),
    Source.INQUIRY: ("جاء باستفسار مباشر", "Came with an inquiry"),
    Source.WHATSAPP: ("جاء عبر واتساب", "Came by WhatsApp"),
    Source.MANUAL: ("أُضيف يدويًا", "Was added by hand"),
    Source.IMPORT: ("مستورد من قائمة", "Was imported from a list"),
}
_PURPOSES = {
    Purpose.BUY: ("الشراء", "buy"),
    Purpose.RENT: ("الاستئجار", "rent"),
    Purpose.INVEST: ("الاستثمار", "invest"),
}
_TIMELINES = {
    Timeline.MONTHS_1_3: ("خلال شهر إلى 3 أشهر", "within 1 to 3 months"),
    Timeline.MONTHS_3_6: ("خلال 3 إلى 6 أشهر", "within 3 to 6 months"),
    Timeline.MONTHS_6_PLUS: ("بعد 6 أشهر أو أكثر", "in 6 months or later"),
}
_FINANCING = {
    MortgageStatus.APPLICATION_SUBMITTED: ("طلب التمويل قيد الدراسة", "Financing is applied for"),
    MortgageStatus.PRE_APPROVED: ("تمويل معتمد مسبقًا", "Financing is pre-approved"),
    MortgageStatus.APPROVED: ("تمويل معتمد", "Financing is approved"),
    MortgageStatus.DISBURSED: ("تم صرف التمويل", "Financing is paid out"),
    Financing.SELF_FUNDED: ("يدفع من ماله دون تمويل", "Pays without financing"),
    MortgageStatus.REJECTED: ("رُفض طلب التمويل", "Financing was refused"),
}
_INTERESTS = {
    InterestStatus.INTERESTED: ("مهتم بعقار معروض", "Interested in a property"),
    InterestStatus.VIEWING_SCHEDULED: ("حُدد موعد لمعاينة عقار", "A viewing of a property is planned"),
    InterestStatus.VIEWED: ("عاين عقارًا معروضًا", "Has seen a property"),
    InterestStatus.LIKED: ("أعجبه عقار معروض", "Liked a property"),
    InterestStatus.OFFER_MADE: ("قدّم عرضًا", "Made an offer"),
}


class Reason(NamedTuple):
    """What a feature adds to the score of the average customer, in points, and why."""

    feature: str
    points: float
    ar: str
    en: str


def reasons_of(deltas, facts):
    """`(for, against)`: the Reasons that tell most, the strongest first, of what each feature adds in their order."""
    told = sorted([(delta, place) for place, delta in enumerate(deltas) if abs(delta) >= LEAST_POINTS])
    best = [(delta, place) for delta, place in reversed(told) if delta > 0]
    if facts.first_try_at is None:
        best = [(delta, place) for delta, place in best if place not in _TRIED]
    return (
        [reason_of(place, delta, facts) for delta, place in best[:MOST_FOR]],
        [reason_of(place, delta, facts) for delta, place in told[:MOST_AGAINST] if delta < 0],
    )


def reason_of(place, delta, facts):
    """The Reason of one feature, by its place in the scorecard."""
    known, tell = _TELLERS[place]
    return Reason(NAMES[place], delta, *tell(known(facts), delta > 0))


def _some(number, noun):
    return counted(number, noun, oblique=True), counted_in_english(number, noun)


def _source(source, _is_good):
    return _SOURCES.get(source, ("مصدر العميل غير معروف", "Where the customer came from is unknown"))


def _timeline(known, _is_good):
    purpose, timeline = known
    wish, aim = _PURPOSES.get(purpose, ("إتمام الصفقة", "make a deal"))
    if timeline == Timeline.IMMEDIATE:
        return f"يريد {wish} فورًا", f"Wants to {aim} at once"
    if timeline not in _TIMELINES:
        return f"موعد {wish} غير معروف", f"When they want to {aim} is unknown"
    when, when_en = _TIMELINES[timeline]
    return f"ينوي {wish} {when}", f"Plans to {aim} {when_en}"


def _completeness(is_complete, is_good):
    if is_complete:
        return "بيانات التفضيلات مكتملة", "Preferences are complete"
    if is_good:
        return "معظم بيانات التفضيلات متوفرة", "Most preferences are known"
    return "بيانات التفضيلات ناقصة", "Preferences are incomplete"


def _inventory_fit(number, is_good):
    if not number:
        return "لا يوجد عقار مناسب حاليًا", "No suitable property at present"
    if not is_good:
        few, few_en = _some(number, PROPERTY)
        return f"لا يناسب طلبه سوى {few}", f"Only {few_en} to suit the request"
    suit = {1: "يناسب", 2: "يناسبان"}.get(number, "تناسب")
    suits = "suits" if number == 1 else "suit"
    return f"{counted(number, PROPERTY)} {suit} طلبه", f"{counted_in_english(number, PROPERTY)} {suits} the request"


def _financing(status, _is_good):
    return _FINANCING.get(status, ("لا يوجد تمويل مسجل", "No financing on record"))


def _recency(days, is_good):
    if days is None:
        return "لا تواصل حتى الآن", "No contact so far"
    if not days:
        return "تواصل خلال آخر 24 ساعة", "Contact within the last 24 hours"
    ar, en = _some(days, DAY)
    return (f"تواصل قبل {ar}", f"Last contact {en} ago") if is_good else (f"لا تواصل منذ {ar}", f"No contact for {en}")


def _frequency(number, is_good):
    days, days_en = _some(TOUCH_DAYS, DAY)
    if not number:
        return f"لا تواصل خلال {days}", f"No contact in {days_en}"
    only, only_en = ("", "") if is_good else (" فقط", "only ")
    times, times_en = _some(number, TIME)
    return f"تواصل {times}{only} خلال {days}", f"In contact {only_en}{times_en} in {days_en}"


def _longest_talk(minutes, is_good):
    if not minutes:
        days, days_en = _some(TALK_DAYS, DAY)
        return f"لا مكالمة مسجلة خلال {days}", f"No talk on record in {days_en}"
    ar, en = counted(minutes, MINUTE), counted_in_english(minutes, MINUTE)
    if is_good:
        return f"مكالمة مطولة ({ar})", f"A long talk ({en})"
    return f"المكالمات قصيرة (أطولها {ar})", f"Talks are short (the longest {en})"


def _inbound(has_called, _is_good):
    if has_called:
        return "بادر بالتواصل هذا الشهر", "Reached out this month"
    return "لم يبادر بالتواصل هذا الشهر", "Has not reached out this month"


def _response_rate(known, is_good):
    tries, answered = known
    if not tries:
        return "لا محاولات تواصل بعد", "Nobody has tried to make contact yet"
    ar, en = _some(tries, TRY)
    if not answered:
        return f"لم يرد على أي محاولة من أصل {ar}", f"Answered none of {en}"
    only, only_en = ("", "") if is_good else (" فقط", "only ")
    return f"رد على {answered}{only} من أصل {ar}", f"Answered {only_en}{answered} of {en}"


def _streak(number, _is_good):
    if not number:
        return "لا محاولات دون رد", "No tries without an answer"
    if number == 1:
        return "لم يرد على آخر محاولة", "No answer to the last try"
    tries, tries_en = _some(number, TRY)
    return f"لم يرد على آخر {tries}", f"No answer to the last {tries_en}"


def _sentiment(is_known, is_good):
    if not is_known:
        return "انطباع المحادثات غير مسجل", "How conversations went is not on record"
    if is_good:
        return "انطباع إيجابي في المحادثات", "Conversations went well"
    return "انطباع سلبي في المحادثات", "Conversations went badly"


def _first_response(was_tried, is_good):
    if not was_tried:
        return "لم تبدأ محاولة التواصل بعد", "Nobody has tried to make contact yet"
    if is_good:
        return "محاولة التواصل الأولى خلال 72 ساعة", "First tried within 72 hours"
    return "تأخرت محاولة التواصل الأولى أكثر من 72 ساعة", "First tried after more than 72 hours"


def _interest(status, _is_good):
    return _INTERESTS.get(status, ("لا اهتمام بعقار محدد بعد", "No interest in a particular property yet"))


def _visits(known, _is_good):
    number, was_missed = known
    days, days_en = _some(VISIT_DAYS, DAY)
    if was_missed:
        return "لم يحضر المعاينة الأخيرة", "Did not come to the last viewing"
    if not number:
        return f"لا معاينة خلال {days}", f"No viewing in {days_en}"
    viewings, viewings_en = _some(number, VIEWING)
    return f"أتم {viewings} خلال {days}", f"Completed {viewings_en} in {days_en}"


def _stage(stage, is_good):
    ar, en = STAGES[stage]
    return (f"وصل إلى مرحلة {ar}", f"Has reached {en}") if is_good else (f"ما زال في مرحلة {ar}", f"Is still at {en}")


def _momentum(days, is_good):
    if is_good or days is None:
        return "مدة المرحلة ضمن المعتاد", "No longer in the stage than usual"
    ar, en = _some(max(days, 1), DAY)
    return f"متوقف في المرحلة منذ {ar}", f"Stuck in the stage for {en}"


def _recency_known(facts):
    return None if facts.recency_days is None else int(facts.recency_days)


def _momentum_known(facts):
    return None if facts.momentum is None else int(facts.days_in_stage)


# What each feature's reason goes by, and its words: remembered, as a night tells the same few of everybody.
_TELLERS = [
    (known, lru_cache(maxsize=_TEXTS_KEPT)(tell))
    for known, tell in (
        (attrgetter("source"), _source),
        (attrgetter("purpose", "timeline"), _timeline),
        (lambda facts: not facts.missing_preferences, _completeness),
        (attrgetter("inventory"), _inventory_fit),
        (attrgetter("financing"), _financing),
        (_recency_known, _recency),
        (attrgetter("touches_30d"), _frequency),
        (attrgetter("longest_talk_minutes"), _longest_talk),
        (attrgetter("inbound_30d"), _inbound),
        (attrgetter("tries_90d", "answered_90d"), _response_rate),
        (attrgetter("streak"), _streak),
        (lambda facts: facts.sentiment is not None, _sentiment),
        (lambda facts: facts.first_try_at is not None, _first_response),
        (attrgetter("interest"), _interest),
        (attrgetter("visits_45d", "last_visit_no_show"), _visits),
        (attrgetter("stage"), _stage),
        (_momentum_known, _momentum),
    )
]
