"""What rules ask of a customer: each condition is the anchor that makes it true and what words need, or false.

What our rows do not tell is taken from the nearest that they do: nobody records that an offer was accepted, but a
booked contract signing tells of it; nobody declares cash, so who has no bank is asked; a listing counts as unseen
when nobody has been in touch since it was found.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from actions.signs import Signs
from config.clock import zone_of
from customers.choices import (
    AppointmentStatus,
    AppointmentType,
    InterestStatus,
    MortgageStatus,
    Purpose,
    Timeline,
)
from customers.compliance.standing import riyadh_day
from customers.scoring import Scored
from customers.scoring.features import Facts
from employees.choices import GateRule
from employees.workdays import ONE_DAY, closing, is_workday, opening, workday_before

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


def _stage(case):
    return f"{case.facts.stage}:{_minute(case.facts.stage_entered_at)}"


def _talked_at(facts):
    return max(facts.last_touch_at or facts.stage_entered_at, facts.stage_entered_at)


def _touch(case):
    return f"touch:{_minute(case.facts.last_touch_at or case.facts.created_at)}"


def _minute(moment):
    return moment.isoformat(timespec="minutes")


def callback_due(case):
    asked = case.signs.callbacks.get(case.key)
    return asked and (asked.id, {})


def inbound_unanswered(case):
    message = case.signs.unanswered.get(case.key)
    return message and message.at < case.clock.hours_ago and (message.id, {})


def new_uncontacted(case):
    facts = case.facts
    return facts.first_try_at is None and not facts.longest_talk_minutes and (_stage(case), {})


def payment_overdue(case):
    if case.key not in case.signs.overdue:
        return None
    payment, day = case.signs.overdue[case.key]
    return payment, {"days": (riyadh_day(case.clock.now) - day).days}


def docs_missing(case):
    lacking = [rule for rule in case.signs.lacking.get(case.key, ()) if rule in DOCUMENTS]
    return lacking and (_stage(case), {"documents": lacking})


def visit_tomorrow(case):
    visit = _coming(case, AppointmentType.SITE_VISIT)
    is_near = visit and visit.at <= case.clock.now + NOTICE and visit.status == AppointmentStatus.SCHEDULED
    return is_near and (visit.id, {"at": visit.at.isoformat()})


def after_visit(case):
    visit = case.signs.visits.get(case.key)
    is_over = visit and visit.status == AppointmentStatus.COMPLETED and visit.at < case.clock.workday_ago
    return is_over and (visit.id, {})


def no_show(case):
    visit = case.signs.visits.get(case.key)
    if not visit or visit.status != AppointmentStatus.NO_SHOW or _coming(case, AppointmentType.SITE_VISIT):
        return None
    return visit.at > case.clock.now - timedelta(days=NO_SHOW_DAYS) and (visit.id, {})


def _coming(case, kind):
    return case.key in case.signs.coming and case.signs.coming[case.key].get(kind)


def liked_no_offer(case):
    liked = case.signs.liked.get(case.key)
    is_old = liked and liked.at < case.clock.now - timedelta(days=LIKED_DAYS)
    return is_old and (liked.id, {"property": [_cut(liked.title), _cut(liked.title_en or liked.title)]})


def _cut(title):
    return title if len(title) <= 200 else f"{title[:199]}…"


def offer_stalled(case):
    since = _talked_at(case.facts)
    is_long = since < case.clock.workdays_ago
    return is_long and (f"since:{_minute(since)}", {"days": (case.clock.now - since).days})


def contract_ready(case):
    signing = _coming(case, AppointmentType.CONTRACT_SIGNING)
    return signing and (signing.id, {})


_NO_BANK = (MortgageStatus.NOT_APPLIED, MortgageStatus.REJECTED)


def financing(case):
    facts = case.facts
    is_open = facts.purpose == Purpose.BUY and facts.financing in (None, *_NO_BANK)
    return is_open and case.key not in case.signs.funded and (facts.stage, {})


def churn_high(case):
    is_high = case.scored.insights.get("churnRisk") == "high" and case.scored.score >= WORTH_KEEPING
    return is_high and (_touch(case), {})


def matches_new(case):
    matches = case.signs.matches.get(case.key)
    return matches and (matches.best, {"properties": matches.count})


def schedule_visit(case):
    wants = case.facts.interest in (InterestStatus.VIEWED, InterestStatus.INTERESTED)
    return wants and not _coming(case, AppointmentType.SITE_VISIT) and (_stage(case), {})


def complete_profile(case):
    return case.facts.completeness < COMPLETE and (case.facts.stage, {"fields": case.facts.missing_preferences})


def no_inventory(case):
    return not case.facts.inventory and (case.facts.stage, {})


def switch_channel(case):
    streak = case.facts.streak
    return SWITCH_STREAK <= streak < NURTURE_STREAK and (_touch(case), {"times": streak})


def nurture(case):
    facts = case.facts
    return (facts.timeline == Timeline.MONTHS_6_PLUS or facts.streak >= NURTURE_STREAK) and (_touch(case), {})


def handover(case):
    return case.facts.days_in_stage < HANDOVER_DAYS and (_stage(case), {})


def referral(case):
    facts = case.facts
    is_settled = facts.days_in_stage >= HANDOVER_DAYS
    return is_settled and (facts.sentiment_now or 0) >= HAPPY and (_stage(case), {})


def follow_up(case):
    date = case.scored.insights.get("recommendedFollowUpDate")
    return _touch(case), {"date": date} if date else {}
