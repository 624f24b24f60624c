"""Each rule of the next best action: a case in which it holds and is the first, and one in which it just does not."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from actions.advice import advice_for, words_of
from actions.conditions import Case, Clock
from actions.rules import RULE, RULES
from actions.signs import Matches, Row, Signs
from customers.scoring import Scored
from customers.scoring.features import Facts
from employees.models import Organization

RIYADH = ZoneInfo("Asia/Riyadh")
TUESDAY = datetime(2026, 11, 24, 11, tzinfo=RIYADH)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ORGANIZATION = Organization(time_zone="Asia/Riyadh")
# Somebody who is looked after and asks for nothing: a routine follow-up is all that is left.
CALM = Facts(
    customer_id="cust_1", organization_id="org_1", at=TUESDAY, created_at=TUESDAY - 40 * DAY, source="referral",
    purpose="rent", timeline="1-3months", missing_preferences=[], completeness=5, inventory=3, financing=None,
    last_touch_at=TUESDAY - DAY, recency_days=1.0, touches_30d=3, longest_talk_minutes=6, inbound_30d=True,
    tries_90d=3, answered_90d=2, streak=0, sentiment=10.0, sentiment_now=10.0, first_try_at=TUESDAY - 39 * DAY,
    interest=None, visits_45d=0, last_visit_no_show=False, stage="qualified", stage_entered_at=TUESDAY - 20 * DAY,
    days_in_stage=20.0, momentum=1.0, touches=6, mean_gap_days=5.0,
)  # fmt: skip
NOTHING = Signs(set(), set(), {}, {}, {}, {}, {}, {}, {}, {}, set())


def ago(**parts):
    return TUESDAY - timedelta(**parts)


def advised(facts=(), insights=(), score=60, **signs):
    """The Advice for somebody calm who differs in these facts; signs are those of this one customer."""
    facts = CALM._replace(**dict(facts))
    own = {name: {"cust_1": sign} if isinstance(getattr(NOTHING, name), dict) else sign for name, sign in signs.items()}
    scored = Scored(facts, (), 0, score, 0.0, 0.1, "default", [], dict(insights))
    return advice_for(Case.of(scored, NOTHING._replace(**own), Clock.of(ORGANIZATION, TUESDAY)))


def visit(at, status="completed"):
    return Row("apt_1", at, status)


NEW = {"stage": "new_lead", "first_try_at": None, "longest_talk_minutes": None}
MATCHING, TALKING, SOLD = {"stage": "property_matching"}, {"stage": "negotiation"}, {"stage": "post_sale"}
PAYS = {"stage": "closing"}
ENTERED, TOUCH = "2026-11-04T11:00+03:00", "touch:2026-11-23T11:00+03:00"
VILLA = Row("prop_int_1", ago(days=4), "", "فيلا النرجس", "Villa in Al Narjis")
BUYS = {"stage": "site_visit", "purpose": "buy"}
# The name of the rule, what makes it hold, its anchor, and what makes it just not hold.
CASES = [
    ("callback_due", {"callbacks": Row("action_1", ago(days=1))}, "action_1", {}),
    # Two hours of work lie between 17:00 on the day before and 11:00.
    ("inbound_unanswered", {"unanswered": Row("int_1", ago(hours=2, seconds=1))}, "int_1",
     {"unanswered": Row("int_1", ago(hours=2))}),
    ("new_uncontacted", {"facts": NEW}, f"new_lead:{ENTERED}", {"facts": NEW | {"first_try_at": ago(days=1)}}),
    ("payment_overdue", {"facts": PAYS, "overdue": ("pay_1", date(2026, 11, 20))}, "pay_1",
     {"overdue": ("pay_1", date(2026, 11, 20))}),
    ("docs_missing", {"facts": PAYS, "lacking": ["IDENTITY_REQUIRED", "ORG_LICENSE_INVALID"]},
     f"closing:{ENTERED}", {"facts": PAYS, "lacking": ["ORG_LICENSE_INVALID"]}),
    ("visit_tomorrow", {"coming": {"site_visit": visit(TUESDAY + DAY, "scheduled")}}, "apt_1",
     {"coming": {"site_visit": visit(TUESDAY + DAY, "confirmed")}}),
    ("after_visit", {"visits": visit(ago(days=1, seconds=1))}, "apt_1", {"visits": visit(ago(days=1))}),
    ("no_show", {"visits": visit(ago(days=44), "no_show")}, "apt_1",
     {"visits": visit(ago(days=44), "no_show"), "coming": {"site_visit": visit(TUESDAY + 2 * DAY, "scheduled")}}),
    ("liked_no_offer", {"liked": VILLA}, "prop_int_1",
     {"liked": VILLA._replace(at=ago(days=3))}),
    # Thursday at the same time is three days of work before Tuesday.
    ("offer_stalled", {"facts": TALKING | {"last_touch_at": ago(days=5, minutes=1)}}, "since:2026-11-19T10:59+03:00",
     {"facts": TALKING | {"last_touch_at": ago(days=5)}}),
    ("contract_ready", {"facts": TALKING, "coming": {"contract_signing": visit(TUESDAY + DAY, "scheduled")}}, "apt_1",
     {"facts": TALKING}),
    ("financing", {"facts": BUYS}, "site_visit", {"facts": BUYS, "funded": {"cust_1"}}),
    ("churn_high", {"insights": {"churnRisk": "high"}, "score": 50}, TOUCH,
     {"insights": {"churnRisk": "high"}, "score": 49}),
    ("matches_new", {"matches": Matches(2, "listing_1")}, "listing_1",
     {"facts": {"stage": "contract_prep"}, "matches": Matches(2, "listing_1")}),
    ("schedule_visit", {"facts": MATCHING | {"interest": "viewed"}}, f"property_matching:{ENTERED}",
     {"facts": MATCHING | {"interest": "viewed"}, "coming": {"site_visit": visit(TUESDAY + 3 * DAY)}}),
    ("complete_profile", {"facts": {"completeness": 3, "missing_preferences": ["budget", "size"]}}, "qualified",
     {"facts": {"completeness": 4, "missing_preferences": ["size"]}}),
    ("no_inventory", {"facts": MATCHING | {"inventory": 0}}, "property_matching", {"facts": {"inventory": 0}}),
    ("switch_channel", {"facts": {"streak": 3}}, TOUCH, {"facts": {"streak": 2}}),
    ("nurture", {"facts": {"streak": 5}}, TOUCH,
     {"facts": {"timeline": "6months+", "stage": "down_payment"}}),
    ("handover", {"facts": SOLD | {"days_in_stage": 29.9}}, f"post_sale:{ENTERED}",
     {"facts": SOLD | {"days_in_stage": 30.0}}),
    ("referral", {"facts": SOLD | {"days_in_stage": 30.0, "sentiment_now": 20.0}}, f"post_sale:{ENTERED}",
     {"facts": SOLD | {"days_in_stage": 30.0, "sentiment_now": 19.9}}),
    ("follow_up", {}, TOUCH, None),
]  # fmt: skip


def test_every_rule_has_its_case_in_the_order_of_the_rules():
    assert [case[0] for case in CASES] == [rule.key for rule in RULES]


@pytest.mark.parametrize(("key", "holds", "anchor", "not_quite"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_holds_from_its_bound_on_and_names_its_anchor(key, holds, anchor, not_quite):
    advice = advised(**holds)
    assert (advice.rule, advice.anchor) == (key, anchor)
    if not_quite is not None:
        assert advised(**not_quite).rule == "follow_up"


@pytest.mark.parametrize(
    ("rule", "facts", "ar", "en"),
    [
        ("payment_overdue", {"days": 2}, "دفعة متأخرة منذ يومين - تواصل لترتيب السداد",
         "Payment overdue for 2 days - arrange it"),
        ("docs_missing", {"documents": ["IDENTITY_REQUIRED", "DEED_REQUIRED"]},
         "استكمل مستندات العقد: رقم الهوية أو الإقامة، رقم الصك",
         "Collect what the contract needs: national ID or Iqama number, title deed number"),
        ("liked_no_offer", {"property": ["فيلا النرجس", "Villa"]}, "أعجبه فيلا النرجس - اعرض التفاوض",
         "Liked Villa - open negotiation"),
        ("offer_stalled", {"days": 11}, "التفاوض متوقف منذ 11 يومًا - قدّم عرضًا مضادًا",
         "Negotiation stalled for 11 days - make a counter-offer"),
        ("matches_new", {"properties": 1}, "يطابق تفضيلاته عقار واحد - أرسل التوصيات",
         "Send what matches the preferences: 1 property"),
        ("complete_profile", {"fields": ["budget", "size"]}, "أكمل بيانات التفضيلات: الميزانية، الغرف أو المساحة",
         "Complete the preferences: budget, rooms or area"),
        ("switch_channel", {"times": 3}, "لم يرد 3 مرات - جرّب واتساب في وقت آخر",
         "No answer 3 times - try WhatsApp at another time"),
    ],
)  # fmt: skip
def test_words_count_and_name_what_they_are_about(rule, facts, ar, en):
    assert words_of(RULE[rule], facts) == (ar, en)


def test_what_was_said_lets_the_next_rule_speak_and_the_last_one_always_does():
    both = {"insights": {"churnRisk": "high"}, "facts": {"streak": 3}}
    assert advised(**both, said={("cust_1", "churn_high", TOUCH)}).rule == "switch_channel"
    assert advised(said={("cust_1", "follow_up", TOUCH)}).rule == "follow_up"


def test_who_must_not_be_contacted_is_served_and_never_approached():
    assert advised(silent={"cust_1"}) is None
    assert advised(facts={"streak": 3}, silent={"cust_1"}) is None
    assert advised(facts=PAYS, overdue=("pay_1", date(2026, 11, 20)), silent={"cust_1"}).rule == "payment_overdue"


FRIDAY_EVENING, WEDNESDAY_LATE = (
    datetime(2026, 11, 27, 20, tzinfo=RIYADH),
    datetime(2026, 11, 25, 16, 30, tzinfo=RIYADH),
)


@pytest.mark.parametrize(
    ("rule", "facts", "now", "due"),
    [
        ("inbound_unanswered", {}, TUESDAY, "2026-11-24T12:00"),
        ("inbound_unanswered", {}, WEDNESDAY_LATE, "2026-11-26T09:00"),
        ("after_visit", {}, TUESDAY, "2026-11-24T17:00"),
        ("no_show", {}, WEDNESDAY_LATE, "2026-11-26T17:00"),
        ("financing", {}, WEDNESDAY_LATE, "2026-11-29T17:00"),
        ("nurture", {}, FRIDAY_EVENING, "2026-12-20T17:00"),
        ("visit_tomorrow", {"at": "2026-11-25T07:00:00+00:00"}, TUESDAY, "2026-11-25T07:00"),
        ("visit_tomorrow", {"at": "2026-11-24T10:00:00+00:00"}, TUESDAY, "2026-11-24T11:00"),
        ("follow_up", {"date": "2026-11-27T07:00:00+00:00"}, TUESDAY, "2026-11-29T17:00"),
        ("follow_up", {"date": "2026-11-20T07:00:00+00:00"}, TUESDAY, "2026-11-24T17:00"),
    ],
)
def test_actions_are_due_in_hours_and_days_that_are_worked(rule, facts, now, due):
    assert RULE[rule].due(ORGANIZATION, now, facts) == datetime.fromisoformat(due).replace(tzinfo=RIYADH)


def test_hours_of_work_are_counted_over_nights_and_weekends():
    clock = Clock.of(ORGANIZATION, datetime(2026, 11, 29, 10, tzinfo=RIYADH))  # a Sunday
    assert clock.hours_ago == datetime(2026, 11, 26, 16, tzinfo=RIYADH)
    assert clock.workday_ago == datetime(2026, 11, 26, 10, tzinfo=RIYADH)
    assert clock.workdays_ago == datetime(2026, 11, 24, 10, tzinfo=RIYADH)
