"""The next best action: a table of rules, of which the first that holds says what to do next for a customer.

A rule names what makes it true, its anchor: what was said about one anchor is not said of it again for a while.
What our rows do not tell is taken from the nearest that they do: nobody records that an offer was accepted, but a
booked contract signing tells of it; nobody declares cash, so who has no bank is asked; a listing counts as unseen
when nobody has been in touch since it was found.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from actions.choices import ActionType
from actions.signs import Signs
from config.clock import zone_of
from customers.choices import (
    STAGE_RANK,
    AppointmentStatus,
    AppointmentType,
    InterestStatus,
    MortgageStatus,
    Priority,
    Purpose,
    Stage,
    Timeline,
)
from customers.compliance.standing import riyadh_day
from customers.scoring import Scored
from customers.scoring.features import Facts
from employees.choices import GateRule
from employees.workdays import (
    ONE_DAY,
    add_workdays,
    closing,
    is_workday,
    next_working_moment,
    opening,
    workday_before,
    workday_on_or_after,
)

LOOKED_BACK = timedelta(days=60)
UNANSWERED_HOURS, STALLED_WORKDAYS, LIKED_DAYS = 2, 3, 3
NOTICE = timedelta(hours=24)
# What nobody has rescheduled by then has come to nothing.
NO_SHOW_DAYS = 45
WORTH_KEEPING = 50
COMPLETE = 4
# So many tries without an answer ask for another channel, and then for patience.
SWITCH_STREAK, NURTURE_STREAK = 3, 5
HANDOVER_DAYS = 30
HAPPY = 20


class Case(NamedTuple):
    """A customer whom rules look at: what is known of it, and of the moment."""

    key: str
    facts: Facts
    scored: Scored
    signs: Signs
    clock: "Clock"

    @classmethod
    def of(cls, scored, signs, clock):
        return cls(scored.facts.customer_id, scored.facts, scored, signs, clock)


class Clock(NamedTuple):
    """A moment, and what lies a few hours and days of work before it."""

    now: datetime
    hours_ago: datetime
    workday_ago: datetime
    workdays_ago: datetime

    @classmethod
    def of(cls, organization, now):
        return cls(
            now,
            _hours_before(organization, now, UNANSWERED_HOURS),
            _workdays_before(organization, now, 1),
            _workdays_before(organization, now, STALLED_WORKDAYS),
        )


def _hours_before(organization, moment, hours):
    """The moment since which so many hours have been worked, or LOOKED_BACK where days are that short."""
    left, day = timedelta(hours=hours), moment.astimezone(zone_of(organization)).date()
    while moment - opening(organization, day) < LOOKED_BACK:
        if is_workday(organization, day):
            worked = min(closing(organization, day), moment) - opening(organization, day)
            if worked >= left:
                return opening(organization, day) + worked - left
            left -= max(worked, timedelta(0))
        day -= ONE_DAY
    return moment - LOOKED_BACK


def _workdays_before(organization, moment, count):
    """The same time of day so many workdays earlier."""
    local = moment.astimezone(zone_of(organization))
    day = local.date()
    for _ in range(count):
        day = workday_before(organization, day)
    return datetime.combine(day, local.time(), local.tzinfo)


# --- When each rule holds: its anchor and what its words need, or None ----------------------------


def _stage(case):
    return f"{case.facts.stage}:{_minute(case.facts.stage_entered_at)}"


def _talked_at(facts):
    return max(facts.last_touch_at or facts.stage_entered_at, facts.stage_entered_at)


def _touch(case):
    return f"touch:{_minute(case.facts.last_touch_at or case.facts.created_at)}"


def _minute(moment):
    return moment.isoformat(timespec="minutes")


def _callback_due(case):
    asked = case.signs.callbacks.get(case.key)
    return asked and (asked.id, {})


def _inbound_unanswered(case):
    message = case.signs.unanswered.get(case.key)
    return message and message.at < case.clock.hours_ago and (message.id, {})


def _new_uncontacted(case):
    facts = case.facts
    return facts.first_try_at is None and not facts.longest_talk_minutes and (_stage(case), {})


def _payment_overdue(case):
    if case.key not in case.signs.overdue:
        return None
    payment, day = case.signs.overdue[case.key]
    return payment, {"days": (riyadh_day(case.clock.now) - day).days}


def _docs_missing(case):
    lacking = [rule for rule in case.signs.lacking.get(case.key, ()) if rule in DOCUMENTS]
    return lacking and (_stage(case), {"documents": lacking})


def _visit_tomorrow(case):
    visit = _coming(case, AppointmentType.SITE_VISIT)
    is_near = visit and visit.at <= case.clock.now + NOTICE and visit.status == AppointmentStatus.SCHEDULED
    return is_near and (visit.id, {"at": visit.at.isoformat()})


def _after_visit(case):
    visit = case.signs.visits.get(case.key)
    is_over = visit and visit.status == AppointmentStatus.COMPLETED and visit.at < case.clock.workday_ago
    return is_over and (visit.id, {})


def _no_show(case):
    visit = case.signs.visits.get(case.key)
    if not visit or visit.status != AppointmentStatus.NO_SHOW or _coming(case, AppointmentType.SITE_VISIT):
        return None
    return visit.at > case.clock.now - timedelta(days=NO_SHOW_DAYS) and (visit.id, {})


def _coming(case, kind):
    return case.key in case.signs.coming and case.signs.coming[case.key].get(kind)


def _liked_no_offer(case):
    liked = case.signs.liked.get(case.key)
    is_old = liked and liked.at < case.clock.now - timedelta(days=LIKED_DAYS)
    return is_old and (liked.id, {"property": [_cut(liked.title), _cut(liked.title_en or liked.title)]})


def _cut(title):
    return title if len(title) <= 200 else f"{title[:199]}…"


def _offer_stalled(case):
    since = _talked_at(case.facts)
    is_long = since < case.clock.workdays_ago
    return is_long and (f"since:{_minute(since)}", {"days": (case.clock.now - since).days})


def _contract_ready(case):
    signing = _coming(case, AppointmentType.CONTRACT_SIGNING)
    return signing and (signing.id, {})


_NO_BANK = (MortgageStatus.NOT_APPLIED, MortgageStatus.REJECTED)


def _financing(case):
    facts = case.facts
    is_open = facts.purpose == Purpose.BUY and facts.financing in (None, *_NO_BANK)
    return is_open and case.key not in case.signs.funded and (facts.stage, {})


def _churn_high(case):
    is_high = case.scored.insights.get("churnRisk") == "high" and case.scored.score >= WORTH_KEEPING
    return is_high and (_touch(case), {})


def _matches_new(case):
    matches = case.signs.matches.get(case.key)
    return matches and (matches.best, {"properties": matches.count})


def _schedule_visit(case):
    wants = case.facts.interest in (InterestStatus.VIEWED, InterestStatus.INTERESTED)
    return wants and not _coming(case, AppointmentType.SITE_VISIT) and (_stage(case), {})


def _complete_profile(case):
    return case.facts.completeness < COMPLETE and (case.facts.stage, {"fields": case.facts.missing_preferences})


def _no_inventory(case):
    return not case.facts.inventory and (case.facts.stage, {})


def _switch_channel(case):
    streak = case.facts.streak
    return SWITCH_STREAK <= streak < NURTURE_STREAK and (_touch(case), {"times": streak})


def _nurture(case):
    facts = case.facts
    return (facts.timeline == Timeline.MONTHS_6_PLUS or facts.streak >= NURTURE_STREAK) and (_touch(case), {})


def _handover(case):
    return case.facts.days_in_stage < HANDOVER_DAYS and (_stage(case), {})


def _referral(case):
    facts = case.facts
    is_settled = facts.days_in_stage >= HANDOVER_DAYS
    return is_settled and (facts.sentiment_now or 0) >= HAPPY and (_stage(case), {})


def _follow_up(case):
    date = case.scored.insights.get("recommendedFollowUpDate")
    return _touch(case), {"date": date} if date else {}


# --- When its action is due, of (organization, now, facts of the advice) --------------------------


def _in_hours(hours):
    return lambda organization, now, facts: next_working_moment(organization, now + timedelta(hours=hours))


def _in_workdays(count):
    return lambda organization, now, facts: closing(
        organization, add_workdays(organization, _day(organization, now), count)
    )


def _in_days(count):
    def due(organization, now, facts):
        day = _day(organization, now) + count * ONE_DAY
        return closing(organization, workday_on_or_after(organization, day))

    return due


def _before_the_visit(organization, now, facts):
    return max(datetime.fromisoformat(facts["at"]) - timedelta(hours=3), now)


def _when_recommended(organization, now, facts):
    today = _day(organization, now)
    if "date" not in facts:
        return closing(organization, workday_on_or_after(organization, today))
    day = datetime.fromisoformat(facts["date"]).astimezone(zone_of(organization)).date()
    return closing(organization, workday_on_or_after(organization, max(day, today)))


def _day(organization, now):
    return now.astimezone(zone_of(organization)).date()


_TODAY = _in_workdays(0)


# --- The table -------------------------------------------------------------------------------------


class Rule(NamedTuple):
    """One thing to do: in which stages and when it holds, its words, and the action that asks for it, if any.

    `found(case)` is its anchor and what its words need, or something false. Open actions of the type `action`, or of
    one in `instead`, ask for it already. `serves` what is going on: also who must not be contacted is to be served.
    One that is `timely` opens its action on the day that it is due.
    """

    key: str
    stages: tuple
    found: Callable
    priority: str
    ar: str
    en: str
    action: str | None = ActionType.AI_RECOMMENDED
    due: Callable = _TODAY
    instead: tuple = ()
    serves: bool = False
    timely: bool = False


_INQUIRIES = (ActionType.NEW_INQUIRY, ActionType.WHATSAPP_INCOMING, ActionType.CALLBACK_REQUEST)
_ANY, _P = tuple(Stage), Priority


def _stages(first, last):
    return tuple(stage for stage in Stage if STAGE_RANK[first] <= STAGE_RANK[stage] <= STAGE_RANK[last])


# The first that holds is what to do next.
RULES = (
    Rule(
        "callback_due", _ANY, _callback_due, _P.URGENT,
        "اتصل الآن: العميل طلب معاودة الاتصال", "Call now: the customer asked for it",
        action=None, serves=True,
    ),
    Rule(
        "inbound_unanswered", _ANY, _inbound_unanswered, _P.URGENT,
        "رسالة واردة دون رد - رد على العميل", "Unanswered message - reply to the customer",
        due=_in_hours(1), instead=(ActionType.WHATSAPP_INCOMING,), serves=True,
    ),
    Rule(
        "new_uncontacted", (Stage.NEW_LEAD,), _new_uncontacted, _P.HIGH,
        "عميل جديد - تواصل معه وأكد الميزانية والموعد", "New lead - make first contact, confirm budget and timeline",
        due=_in_hours(2), instead=_INQUIRIES,
    ),
    Rule(
        "payment_overdue", _stages(Stage.DOWN_PAYMENT, Stage.CLOSING), _payment_overdue, _P.URGENT,
        "دفعة متأخرة منذ {days} - تواصل لترتيب السداد", "Payment overdue for {days} - arrange it",
        action=ActionType.PAYMENT_DUE, serves=True,
    ),
    Rule(
        "docs_missing", _stages(Stage.CONTRACT_PREP, Stage.CLOSING), _docs_missing, _P.HIGH,
        "استكمل مستندات العقد: {documents}", "Collect what the contract needs: {documents}",
        action=ActionType.DOCUMENT_REQUIRED, due=_in_workdays(1), serves=True,
    ),
    Rule(
        "visit_tomorrow", _ANY, _visit_tomorrow, _P.HIGH,
        "أكد موعد المعاينة القادمة", "Confirm the coming viewing",
        action=ActionType.SITE_VISIT, due=_before_the_visit, serves=True,
    ),
    Rule(
        "after_visit", _ANY, _after_visit, _P.HIGH,
        "خذ رأي العميل بعد المعاينة", "Get feedback after the viewing",
    ),
    Rule(
        "no_show", _ANY, _no_show, _P.HIGH,
        "لم يحضر المعاينة - أعد الجدولة", "Did not come to the viewing - reschedule it",
        due=_in_workdays(1),
    ),
    Rule(
        "liked_no_offer", _ANY, _liked_no_offer, _P.HIGH,
        "أعجبه {property} - اعرض التفاوض", "Liked {property} - open negotiation",
        due=_in_workdays(1),
    ),
    Rule(
        "offer_stalled", (Stage.NEGOTIATION,), _offer_stalled, _P.URGENT,
        "التفاوض متوقف منذ {days} - قدّم عرضًا مضادًا", "Negotiation stalled for {days} - make a counter-offer",
    ),
    Rule(
        "contract_ready", (Stage.NEGOTIATION,), _contract_ready, _P.HIGH,
        "ابدأ إعداد العقد", "Start preparing the contract",
        due=_in_workdays(1), serves=True,
    ),
    Rule(
        "financing", _stages(Stage.PROPERTY_MATCHING, Stage.NEGOTIATION), _financing, _P.MEDIUM,
        "ناقش خيارات التمويل والدعم السكني", "Discuss financing and housing support",
        due=_in_workdays(2),
    ),
    Rule(
        "churn_high", _ANY, _churn_high, _P.HIGH,
        "خطر فقدان العميل - اتصل بعرض جديد", "About to lose the customer - call with a fresh offer",
    ),
    # Its action is opened when the listing appears: see actions.offering.
    Rule(
        "matches_new", _stages(Stage.NEW_LEAD, Stage.NEGOTIATION), _matches_new, _P.HIGH,
        "يطابق تفضيلاته {properties} - أرسل التوصيات", "Send what matches the preferences: {properties}",
        action=None,
    ),
    Rule(
        "schedule_visit", (Stage.PROPERTY_MATCHING,), _schedule_visit, _P.MEDIUM,
        "حدد موعد معاينة", "Book a viewing",
        due=_in_workdays(2),
    ),
    Rule(
        "complete_profile", _stages(Stage.NEW_LEAD, Stage.QUALIFIED), _complete_profile, _P.MEDIUM,
        "أكمل بيانات التفضيلات: {fields}", "Complete the preferences: {fields}",
        due=_in_workdays(2),
    ),
    Rule(
        "no_inventory", (Stage.PROPERTY_MATCHING,), _no_inventory, _P.MEDIUM,
        "لا يوجد عقار مناسب - وسّع النطاق أو الميزانية", "No suitable property - widen the area or the budget",
        due=_in_workdays(3),
    ),
    Rule(
        "switch_channel", _ANY, _switch_channel, _P.MEDIUM,
        "لم يرد {times} - جرّب واتساب في وقت آخر", "No answer {times} - try WhatsApp at another time",
        due=_in_workdays(2),
    ),
    Rule(
        "nurture", _stages(Stage.NEW_LEAD, Stage.CONTRACT_PREP), _nurture, _P.LOW,
        "متابعة شهرية خفيفة", "Light monthly follow-up",
        due=_in_days(21),
    ),
    Rule(
        "handover", (Stage.POST_SALE,), _handover, _P.MEDIUM,
        "تابع التسليم والملاحظات", "Follow the handover and what is left to mend",
        due=_in_days(7), serves=True,
    ),
    Rule(
        "referral", (Stage.POST_SALE,), _referral, _P.LOW,
        "اطلب إحالة أو تقييمًا", "Ask for a referral or a review",
        due=_in_workdays(5),
    ),
    Rule(
        "follow_up", _ANY, _follow_up, _P.LOW,
        "متابعة دورية", "Routine follow-up",
        action=ActionType.FOLLOW_UP, due=_when_recommended, timely=True,
    ),
)  # fmt: skip
RULE = {rule.key: rule for rule in RULES}

# Rules of the gates that ask for a document or its number, and what those are called.
DOCUMENTS = {
    GateRule.BROKERAGE_CONTRACT_REQUIRED: ("عقد الوساطة", "brokerage contract"),
    GateRule.BROKERAGE_CONTRACT_NUMBER_REQUIRED: ("رقم عقد الوساطة", "number of the brokerage contract"),
    GateRule.IDENTITY_REQUIRED: ("رقم الهوية أو الإقامة", "national ID or Iqama number"),
    GateRule.WAFI_LICENSE_REQUIRED: ("ترخيص وافي", "Wafi licence"),
    GateRule.ESCROW_ACCOUNT_REQUIRED: ("حساب الضمان", "escrow account"),
    GateRule.PAYMENT_SCHEDULE_REQUIRED: ("جدول الدفعات", "payment schedule"),
    GateRule.EJAR_CONTRACT_REQUIRED: ("عقد إيجار", "Ejar contract"),
    GateRule.MORTGAGE_NOT_APPROVED: ("موافقة جهة التمويل", "approval of the mortgage"),
    GateRule.DEED_REQUIRED: ("رقم الصك", "title deed number"),
}
