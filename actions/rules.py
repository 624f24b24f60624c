"""The next best action: a table of rules, of which the first that holds says what to do next for a customer.

A rule names what makes it true, its anchor: what was said about one anchor is not said of it again for a while.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from actions import conditions
from actions.choices import ActionType
from config.clock import zone_of
from customers.choices import STAGE_RANK, Priority, Stage
from employees.workdays import ONE_DAY, add_workdays, closing, next_working_moment, workday_on_or_after

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
        "callback_due", _ANY, conditions.callback_due, _P.URGENT,
        "اتصل الآن: العميل طلب معاودة الاتصال", "Call now: the customer asked for it",
        action=None, serves=True,
    ),
    Rule(
        "inbound_unanswered", _ANY, conditions.inbound_unanswered, _P.URGENT,
        "رسالة واردة دون رد - رد على العميل", "Unanswered message - reply to the customer",
        due=_in_hours(1), instead=(ActionType.WHATSAPP_INCOMING,), serves=True,
    ),
    Rule(
        "new_uncontacted", (Stage.NEW_LEAD,), conditions.new_uncontacted, _P.HIGH,
        "عميل جديد - تواصل معه وأكد الميزانية والموعد", "New lead - make first contact, confirm budget and timeline",
        due=_in_hours(2), instead=_INQUIRIES,
    ),
    Rule(
        "payment_overdue", _stages(Stage.DOWN_PAYMENT, Stage.CLOSING), conditions.payment_overdue, _P.URGENT,
        "دفعة متأخرة منذ {days} - تواصل لترتيب السداد", "Payment overdue for {days} - arrange it",
        action=ActionType.PAYMENT_DUE, serves=True,
    ),
    Rule(
        "docs_missing", _stages(Stage.CONTRACT_PREP, Stage.CLOSING), conditions.docs_missing, _P.HIGH,
        "استكمل مستندات العقد: {documents}", "Collect what the contract needs: {documents}",
        action=ActionType.DOCUMENT_REQUIRED, due=_in_workdays(1), serves=True,
    ),
    Rule(
        "visit_tomorrow", _ANY, conditions.visit_tomorrow, _P.HIGH,
        "أكد موعد المعاينة القادمة", "Confirm the coming viewing",
        action=ActionType.SITE_VISIT, due=_before_the_visit, serves=True,
    ),
    Rule(
        "after_visit", _ANY, conditions.after_visit, _P.HIGH,
        "خذ رأي العميل بعد المعاينة", "Get feedback after the viewing",
    ),
    Rule(
        "no_show", _ANY, conditions.no_show, _P.HIGH,
        "لم يحضر المعاينة - أعد الجدولة", "Did not come to the viewing - reschedule it",
        due=_in_workdays(1),
    ),
    Rule(
        "liked_no_offer", _ANY, conditions.liked_no_offer, _P.HIGH,
        "أعجبه {property} - اعرض التفاوض", "Liked {property} - open negotiation",
        due=_in_workdays(1),
    ),
    Rule(
        "offer_stalled", (Stage.NEGOTIATION,), conditions.offer_stalled, _P.URGENT,
        "التفاوض متوقف منذ {days} - قدّم عرضًا مضادًا", "Negotiation stalled for {days} - make a counter-offer",
    ),
    Rule(
        "contract_ready", (Stage.NEGOTIATION,), conditions.contract_ready, _P.HIGH,
        "ابدأ إعداد العقد", "Start preparing the contract",
        due=_in_workdays(1), serves=True,
    ),
    Rule(
        "financing", _stages(Stage.PROPERTY_MATCHING, Stage.NEGOTIATION), conditions.financing, _P.MEDIUM,
        "ناقش خيارات التمويل والدعم السكني", "Discuss financing and housing support",
        due=_in_workdays(2),
    ),
    Rule(
        "churn_high", _ANY, conditions.churn_high, _P.HIGH,
        "خطر فقدان العميل - اتصل بعرض جديد", "About to lose the customer - call with a fresh offer",
    ),
    # Its action is opened when the listing appears: see actions.offering.
    Rule(
        "matches_new", _stages(Stage.NEW_LEAD, Stage.NEGOTIATION), conditions.matches_new, _P.HIGH,
        "يطابق تفضيلاته {properties} - أرسل التوصيات", "Send what matches the preferences: {properties}",
        action=None,
    ),
    Rule(
        "schedule_visit", (Stage.PROPERTY_MATCHING,), conditions.schedule_visit, _P.MEDIUM,
        "حدد موعد معاينة", "Book a viewing",
        due=_in_workdays(2),
    ),
    Rule(
        "complete_profile", _stages(Stage.NEW_LEAD, Stage.QUALIFIED), conditions.complete_profile, _P.MEDIUM,
        "أكمل بيانات التفضيلات: {fields}", "Complete the preferences: {fields}",
        due=_in_workdays(2),
    ),
    Rule(
        "no_inventory", (Stage.PROPERTY_MATCHING,), conditions.no_inventory, _P.MEDIUM,
        "لا يوجد عقار مناسب - وسّع النطاق أو الميزانية", "No suitable property - widen the area or the budget",
        due=_in_workdays(3),
    ),
    Rule(
        "switch_channel", _ANY, conditions.switch_channel, _P.MEDIUM,
        "لم يرد {times} - جرّب واتساب في وقت آخر", "No answer {times} - try WhatsApp at another time",
        due=_in_workdays(2),
    ),
    Rule(
        "nurture", _stages(Stage.NEW_LEAD, Stage.CONTRACT_PREP), conditions.nurture, _P.LOW,
        "متابعة شهرية خفيفة", "Light monthly follow-up",
        due=_in_days(21),
    ),
    Rule(
        "handover", (Stage.POST_SALE,), conditions.handover, _P.MEDIUM,
        "تابع التسليم والملاحظات", "Follow the handover and what is left to mend",
        due=_in_days(7), serves=True,
    ),
    Rule(
        "referral", (Stage.POST_SALE,), conditions.referral, _P.LOW,
        "اطلب إحالة أو تقييمًا", "Ask for a referral or a review",
        due=_in_workdays(5),
    ),
    Rule(
        "follow_up", _ANY, conditions.follow_up, _P.LOW,
        "متابعة دورية", "Routine follow-up",
        action=ActionType.FOLLOW_UP, due=_when_recommended, timely=True,
    ),
)  # fmt: skip
RULE = {rule.key: rule for rule in RULES}
