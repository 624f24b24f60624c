"""Reasons of a score: the texts that people read, in both languages, on each side of each feature."""

import pytest

from customers.scoring.reasons import reason_of, reasons_of
from customers.scoring.scorecard import NAMES
from customers.tests.facts import NOW, STRANGER


@pytest.mark.parametrize(
    ("feature", "points", "known", "arabic", "english"),
    [
        ("source", 3, {"source": "referral"}, "عميل محال من عميل سابق", "Referred by an earlier customer"),
        ("source", -3, {"source": "import"}, "مستورد من قائمة", "Was imported from a list"),
        ("source", -3, {}, "مصدر العميل غير معروف", "Where the customer came from is unknown"),
        ("timeline", 4, {"timeline": "immediate", "purpose": "buy"}, "يريد الشراء فورًا", "Wants to buy at once"),
        ("timeline", 4, {"timeline": "immediate", "purpose": "rent"}, "يريد الاستئجار فورًا", "Wants to rent at once"),
        ("timeline", 2, {"timeline": "1-3months", "purpose": "invest"},
         "ينوي الاستثمار خلال شهر إلى 3 أشهر", "Plans to invest within 1 to 3 months"),
        ("timeline", -2, {}, "موعد إتمام الصفقة غير معروف", "When they want to make a deal is unknown"),
        ("completeness", 2, {"missing_preferences": []}, "بيانات التفضيلات مكتملة", "Preferences are complete"),
        ("completeness", -2, {}, "بيانات التفضيلات ناقصة", "Preferences are incomplete"),
        ("inventory_fit", 2, {"inventory": 1}, "عقار واحد يناسب طلبه", "1 property suits the request"),
        ("inventory_fit", 2, {"inventory": 2}, "عقاران يناسبان طلبه", "2 properties suit the request"),
        ("inventory_fit", 2, {"inventory": 3}, "3 عقارات تناسب طلبه", "3 properties suit the request"),
        ("inventory_fit", -2, {"inventory": 2}, "لا يناسب طلبه سوى عقارين", "Only 2 properties to suit the request"),
        ("inventory_fit", -3, {}, "لا يوجد عقار مناسب حاليًا", "No suitable property at present"),
        ("financing", 3, {"financing": "pre_approved"}, "تمويل معتمد مسبقًا", "Financing is pre-approved"),
        ("financing", -2, {"financing": "rejected"}, "رُفض طلب التمويل", "Financing was refused"),
        ("financing", -2, {}, "لا يوجد تمويل مسجل", "No financing on record"),
        ("recency", 5, {"recency_days": 0.9}, "تواصل خلال آخر 24 ساعة", "Contact within the last 24 hours"),
        ("recency", 5, {"recency_days": 2.0}, "تواصل قبل يومين", "Last contact 2 days ago"),
        ("recency", -5, {"recency_days": 45.2}, "لا تواصل منذ 45 يومًا", "No contact for 45 days"),
        ("recency", -5, {}, "لا تواصل حتى الآن", "No contact so far"),
        ("frequency", 3, {"touches_30d": 4}, "تواصل 4 مرات خلال 30 يومًا", "In contact 4 times in 30 days"),
        ("frequency", -2, {"touches_30d": 1},
         "تواصل مرة واحدة فقط خلال 30 يومًا", "In contact only 1 time in 30 days"),
        ("frequency", -3, {}, "لا تواصل خلال 30 يومًا", "No contact in 30 days"),
        ("longest_talk", 3, {"longest_talk_minutes": 18}, "مكالمة مطولة (18 دقيقة)", "A long talk (18 minutes)"),
        ("longest_talk", -2, {"longest_talk_minutes": 2},
         "المكالمات قصيرة (أطولها دقيقتان)", "Talks are short (the longest 2 minutes)"),
        ("longest_talk", -2, {}, "لا مكالمة مسجلة خلال 60 يومًا", "No talk on record in 60 days"),
        ("inbound", 3, {"inbound_30d": True}, "بادر بالتواصل هذا الشهر", "Reached out this month"),
        ("inbound", -2, {}, "لم يبادر بالتواصل هذا الشهر", "Has not reached out this month"),
        ("response_rate", 2, {"tries_90d": 6, "answered_90d": 5}, "رد على 5 من أصل 6 محاولات", "Answered 5 of 6 tries"),
        ("response_rate", -2, {"tries_90d": 11, "answered_90d": 2},
         "رد على 2 فقط من أصل 11 محاولة", "Answered only 2 of 11 tries"),
        ("response_rate", -2, {"tries_90d": 2}, "لم يرد على أي محاولة من أصل محاولتين", "Answered none of 2 tries"),
        ("response_rate", 2, {}, "لا محاولات تواصل بعد", "Nobody has tried to make contact yet"),
        ("streak", 2, {}, "لا محاولات دون رد", "No tries without an answer"),
        ("streak", -2, {"streak": 1}, "لم يرد على آخر محاولة", "No answer to the last try"),
        ("streak", -2, {"streak": 2}, "لم يرد على آخر محاولتين", "No answer to the last 2 tries"),
        ("streak", -2, {"streak": 3}, "لم يرد على آخر 3 محاولات", "No answer to the last 3 tries"),
        ("sentiment", 2, {"sentiment": 40.0}, "انطباع إيجابي في المحادثات", "Conversations went well"),
        ("sentiment", -2, {"sentiment": -40.0}, "انطباع سلبي في المحادثات", "Conversations went badly"),
        ("sentiment", -2, {}, "انطباع المحادثات غير مسجل", "How conversations went is not on record"),
        ("first_response", 2, {"first_try_at": NOW},
         "محاولة التواصل الأولى خلال 72 ساعة", "First tried within 72 hours"),
        ("first_response", -2, {"first_try_at": NOW},
         "تأخرت محاولة التواصل الأولى أكثر من 72 ساعة", "First tried after more than 72 hours"),
        ("first_response", -2, {}, "لم تبدأ محاولة التواصل بعد", "Nobody has tried to make contact yet"),
        ("interest", 6, {"interest": "offer_made"}, "قدّم عرضًا", "Made an offer"),
        ("interest", 4, {"interest": "liked"}, "أعجبه عقار معروض", "Liked a property"),
        ("interest", -3, {}, "لا اهتمام بعقار محدد بعد", "No interest in a particular property yet"),
        ("visits", 3, {"visits_45d": 2}, "أتم معاينتين خلال 45 يومًا", "Completed 2 viewings in 45 days"),
        ("visits", -3, {"visits_45d": 2, "last_visit_no_show": True},
         "لم يحضر المعاينة الأخيرة", "Did not come to the last viewing"),
        ("visits", -3, {}, "لا معاينة خلال 45 يومًا", "No viewing in 45 days"),
        ("stage", 5, {"stage": "negotiation"}, "وصل إلى مرحلة التفاوض", "Has reached Negotiation"),
        ("stage", -5, {}, "ما زال في مرحلة عميل جديد", "Is still at New Lead"),
        ("momentum", 2, {"momentum": 0.5}, "مدة المرحلة ضمن المعتاد", "No longer in the stage than usual"),
        ("momentum", -2, {"momentum": 4.0, "days_in_stage": 24.6},
         "متوقف في المرحلة منذ 24 يومًا", "Stuck in the stage for 24 days"),
    ],
)  # fmt: skip
def test_each_feature_tells_what_is_known(feature, points, known, arabic, english):
    told = reason_of(NAMES.index(feature), points, STRANGER._replace(**known))
    assert told == (feature, points, arabic, english)


def test_the_three_that_add_most_and_the_two_that_take_most_are_told_from_two_points_on():
    deltas = dict.fromkeys(NAMES, 1.9) | {
        "source": 2,
        "recency": 6,
        "inbound": 3,
        "visits": 4,
        "stage": -2,
        "streak": -5,
    }
    best, worst = reasons_of([deltas[name] for name in NAMES], STRANGER)
    assert [(reason.feature, reason.points) for reason in best] == [("recency", 6), ("visits", 4), ("inbound", 3)]
    assert [(reason.feature, reason.points) for reason in worst] == [("streak", -5), ("stage", -2)]
    assert reasons_of([-1.9] * len(NAMES), STRANGER) == ([], [])


def test_that_nobody_has_tried_to_reach_them_speaks_for_nobody():
    deltas = [4 if name in ("streak", "response_rate", "inbound") else 0 for name in NAMES]
    tried = STRANGER._replace(first_try_at=NOW)
    assert [reason.feature for reason in reasons_of(deltas, STRANGER)[0]] == ["inbound"]
    assert [reason.feature for reason in reasons_of(deltas, tried)[0]] == ["streak", "response_rate", "inbound"]
