"""What `aiInsights` say of a customer, number by number, and the working days that they keep to."""

from datetime import date, datetime, time, timedelta

import orjson
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from config.db import new_id
from config.testing import make_customer, make_listing
from customers.models import Appointment, Customer, HandoverDefect, Interaction, LeadScore, Payment, Reminder
from customers.scoring import Scored, context
from customers.scoring.cards import Card
from customers.scoring.closing import USUAL_DAYS, Curve
from customers.scoring.context import USUAL_GAPS, Calendar, Context, Habits, Plans, context_of, habits_of
from customers.scoring.insights import churn_of, engagement_level, follow_up_date, insights_of, silence_of, why_next
from customers.scoring.scorecard import bins_of
from customers.services.matching import match_customers
from customers.tests.facts import NOW, STRANGER
from employees.models import Organization
from employees.tests.test_workdays import MOMENTS, ORGANIZATIONS
from employees.workdays import is_workday, within_hours

TODAY = NOW.date()
# After this Thursday the weekend follows, and Sunday is a holiday.
CALENDAR = Calendar(Organization(weekend=[5, 6], holidays=[date(2026, 10, 4)]), NOW)
CURVES = {stage: Curve({}, days) for stage, days in USUAL_DAYS.items()}
# A matching customer who was in touch eight times, every four days on average, three days ago the last time.
KNOWN = STRANGER._replace(
    at=NOW,
    created_at=NOW - timedelta(days=40),
    source="referral",
    purpose="buy",
    timeline="1-3months",
    inventory=3,
    stage="property_matching",
    recency_days=3.0,
    touches=8,
    touches_30d=5,
    mean_gap_days=4.0,
    longest_talk_minutes=16,
    inbound_30d=True,
    tries_90d=5,
    answered_90d=4,
    first_try_at=NOW - timedelta(days=40),
    interest="liked",
    days_in_stage=9.5,
    momentum=1.1,
    sentiment_now=33.4,
)


def score(facts):
    bins, card = bins_of(facts), Card()
    rating = card.rating(bins, facts)
    return Scored(facts, bins, *rating, card.basis, card.deltas(bins, rating.score), {})


def insights(facts, plans=None, **habits):
    habits = Habits(**{"curves": CURVES, "gaps": USUAL_GAPS, **habits})
    return insights_of(score(facts), Context(CALENDAR, habits, {facts.customer_id: plans or Plans()}))


class TestAll:
    def test_a_customer_in_touch(self):
        plans = Plans(last_contact_on=date(2026, 9, 28), matches=["lst_2", "lst_1"])
        assert insights(KNOWN, plans) == {
            "churnRisk": "low",
            "engagementLevel": "very_high",
            "conversionProbability": 26,
            "propertyMatches": ["lst_2", "lst_1"],
            "sentimentScore": 33,
            "recommendedFollowUpDate": "2026-10-01T10:00:00Z",
            # Thirty days on is a Saturday, which is not worked on.
            "predictedCloseDate": "2026-11-01",
            "aiNotes": (
                "يرفع الدرجة: عميل محال من عميل سابق، مكالمة مطولة (16 دقيقة)، تواصل 5 مرات خلال 30 يومًا. "
                "يخفض الدرجة: لا معاينة خلال 45 يومًا، لا يوجد تمويل مسجل. "
                "إن تمت الصفقة فالمتوقع خلال 4 أسابيع تقريبًا. "
                "الدرجة من النقاط الموثقة، والنسبة تقديرية إلى أن يكفي سجل المنشأة.\n"
                "Raises the score: Referred by an earlier customer; A long talk (16 minutes); "
                "In contact 5 times in 30 days. "
                "Lowers the score: No viewing in 45 days; No financing on record. "
                "If a deal comes of it, it is likely to within about 4 weeks. "
                "The score is the documented points; "
                "the percentage is a placeholder until your own history suffices."
            ),
        }

    def test_of_a_stranger_nothing_is_said_that_is_not_known(self):
        shown = insights(STRANGER._replace(at=NOW, created_at=NOW))
        assert shown.keys() == {
            "churnRisk", "engagementLevel", "conversionProbability", "recommendedFollowUpDate", "aiNotes"
        }  # fmt: skip
        assert None not in shown.values()

    def test_who_must_not_be_contacted_gets_no_day_for_it(self):
        assert "recommendedFollowUpDate" not in insights(KNOWN, Plans(may_be_contacted=False))

    def test_one_sentence_says_why_now_and_what_to_do(self):
        scored = score(KNOWN)
        assert why_next(scored.score, scored.deltas, KNOWN, ("حدد موعد معاينة", "Book a viewing")) == (
            f"الدرجة {scored.score} من 100: عميل محال من عميل سابق، مكالمة مطولة (16 دقيقة)، "
            "تواصل 5 مرات خلال 30 يومًا، لكن: لا معاينة خلال 45 يومًا؛ الخطوة التالية: حدد موعد معاينة.",
            f"Score {scored.score} of 100: referred by an earlier customer, a long talk (16 minutes), "
            "in contact 5 times in 30 days, but: no viewing in 45 days; next step: book a viewing.",
        )
        assert why_next(50, [0] * 17, KNOWN, None) == ("الدرجة 50 من 100.", "Score 50 of 100.")


class TestEngagement:
    @pytest.mark.parametrize(
        ("recency", "sentiment", "level"), [(0, 0, "very_low"), (1, 0, "very_low"), (2, 0, "low"), (4, 2, "medium")]
    )
    def test_it_is_told_by_the_points_of_behaviour(self, recency, sentiment, level):
        bins = [0] * 17
        bins[5], bins[11] = recency, sentiment
        assert engagement_level(bins) == level


class TestSilence:
    def test_the_usual_gap_of_the_stage_counts_as_five_of_the_customers_own(self):
        assert silence_of(KNOWN, USUAL_GAPS) == (3.0, pytest.approx((7 * 4 + 5 * 5) / 12))
        assert silence_of(KNOWN._replace(touches=1, mean_gap_days=None), USUAL_GAPS) == (3.0, 5)

    def test_without_any_contact_it_counts_from_the_beginning(self):
        assert silence_of(STRANGER._replace(at=NOW, created_at=NOW - timedelta(days=6)), USUAL_GAPS) == (6, 3)


class TestChurn:
    @pytest.mark.parametrize(
        ("facts", "plans", "risk"),
        [
            ({"recency_days": 4.4}, {}, "low"),
            ({"recency_days": 4.5}, {}, "medium"),
            ({"recency_days": 11.1}, {}, "high"),
            ({"streak": 3}, {}, "medium"),
            ({"sentiment_now": -40.0}, {}, "medium"),
            ({}, {"missed_last_appointment": True}, "medium"),
            ({"streak": 3, "sentiment_now": -40.0}, {"missed_last_appointment": True}, "medium"),
            ({"recency_days": 30.0, "streak": 5}, {}, "high"),
            ({"recency_days": 30.0}, {"appointment_on": TODAY, "appointment_is_confirmed": True}, "medium"),
            ({"recency_days": 30.0}, {"appointment_on": TODAY}, "high"),
            ({}, {"appointment_on": TODAY, "appointment_is_confirmed": True}, "low"),
            ({"stage": "post_sale", "recency_days": 900.0}, {"missed_last_appointment": True}, "low"),
            ({"stage": "post_sale"}, {"has_open_complaint": True}, "medium"),
        ],
    )
    def test_bands_of_silence_and_what_moves_them(self, facts, plans, risk):
        assert churn_of(KNOWN._replace(**facts), Plans(**plans), USUAL_GAPS, TODAY).risk == risk

    def test_reasons_are_told_where_there_is_a_risk(self):
        facts = KNOWN._replace(
            recency_days=45.0, streak=3, sentiment_now=-50.0, sentiment=-50.0, momentum=3.5, inventory=0,
            days_in_stage=32.0,
        )  # fmt: skip
        plans = Plans(missed_last_appointment=True, follow_up_on=date(2026, 9, 30))
        assert churn_of(facts, plans, USUAL_GAPS, TODAY).reasons == [
            ("لا تواصل منذ 45 يومًا، والمعتاد كل 4 أيام", "No contact for 45 days; usual is every 4 days"),
            ("لم يرد على آخر 3 محاولات", "No answer to the last 3 tries"),
            ("لم يحضر آخر موعد", "Did not come to the last appointment"),
            ("انطباع سلبي في المحادثات", "Conversations went badly"),
            ("فات موعد المتابعة دون تواصل", "The day of the follow-up has passed without contact"),
            ("متوقف في المرحلة منذ 32 يومًا", "Stuck in the stage for 32 days"),
            ("لا يوجد عقار مناسب حاليًا", "No suitable property at present"),
        ]
        assert churn_of(facts, Plans(budget_is_below_offers=True), USUAL_GAPS, TODAY).reasons[-1] == (
            "الميزانية أقل من الأسعار المعروضة", "The budget is below what is on offer"
        )  # fmt: skip
        assert churn_of(KNOWN, Plans(), USUAL_GAPS, TODAY).reasons == []
        unreached = STRANGER._replace(at=NOW, created_at=NOW - timedelta(days=5))
        assert churn_of(unreached, Plans(), USUAL_GAPS | {"new_lead": 1}, TODAY).reasons[0] == (
            "لا تواصل منذ الإضافة قبل 5 أيام", "No contact since being added 5 days ago"
        )  # fmt: skip


class TestFollowUps:
    @pytest.mark.parametrize(
        ("facts", "plans", "moment"),
        [
            # Two workdays after Wednesday: Thursday, then Monday, for Sunday is a holiday.
            ({"stage": "qualified"}, {"last_contact_on": date(2026, 9, 30)}, "2026-10-05T07:00:00Z"),
            ({"stage": "site_visit", "visits_45d": 1}, {"last_contact_on": TODAY}, "2026-10-05T07:00:00Z"),
            ({"stage": "site_visit"}, {"last_contact_on": TODAY}, "2026-10-07T07:00:00Z"),
            ({"stage": "qualified", "streak": 1}, {"last_contact_on": TODAY}, "2026-10-07T07:00:00Z"),
            ({"stage": "qualified", "streak": 9}, {"last_contact_on": TODAY}, "2026-10-14T07:00:00Z"),
            ({"stage": "qualified", "timeline": "6months+"}, {"last_contact_on": TODAY}, "2026-10-12T07:00:00Z"),
            ({"stage": "post_sale", "timeline": "6months+"}, {"last_contact_on": TODAY}, "2026-11-02T07:00:00Z"),
            # Overdue: as soon as possible, which is the next full hour.
            ({}, {"last_contact_on": date(2026, 9, 1)}, "2026-10-01T10:00:00Z"),
            ({}, {"follow_up_on": date(2026, 9, 20)}, "2026-10-01T10:00:00Z"),
            # What somebody has set stays, on a Saturday too.
            ({}, {"follow_up_on": date(2026, 10, 10), "appointment_on": date(2026, 10, 7)}, "2026-10-10T07:00:00Z"),
            ({}, {"appointment_on": date(2026, 10, 7)}, "2026-10-06T07:00:00Z"),
            ({}, {"appointment_on": date(2026, 10, 5)}, "2026-10-01T10:00:00Z"),
        ],
    )
    def test_they_are_as_set_or_as_stage_answers_and_hurry_ask(self, facts, plans, moment):
        assert follow_up_date(KNOWN._replace(**facts), Plans(**plans), CALENDAR) == moment

    @pytest.mark.parametrize(
        ("hour", "soonest"),
        [(5, "2026-10-01T07:00:00Z"), (12, "2026-10-01T13:00:00Z"), (13, "2026-10-05T07:00:00Z")],
    )
    def test_as_soon_as_possible_is_within_hours(self, hour, soonest):
        organization = Organization(weekend=[5, 6], holidays=[date(2026, 10, 4)])
        assert Calendar(organization, NOW.replace(hour=hour)).soonest == soonest

    def test_offices_that_open_in_the_evening_have_their_own_hours(self):
        late = Organization(weekend=[], work_starts=time(20), work_ends=time(23))
        assert Calendar(late, NOW).soonest == "2026-10-01T17:00:00Z"


@given(ORGANIZATIONS, MOMENTS, st.integers(0, 400))
def test_no_organization_is_told_a_day_off_or_a_moment_that_has_passed(organization, now, days):
    calendar = Calendar(organization, now)
    soonest = datetime.fromisoformat(calendar.soonest)
    assert soonest > now and within_hours(organization, soonest)
    closing_on = date.fromisoformat(calendar.workday_in(days))
    assert closing_on >= calendar.today and is_workday(organization, closing_on)
    followed_up = datetime.fromisoformat(calendar.follow_up_after(calendar.day_of(now) - timedelta(days=days), 3))
    assert followed_up > now and within_hours(organization, followed_up)


class TestClosing:
    def test_who_has_paid_closes_with_the_last_payment_if_it_is_to_come(self):
        paid = KNOWN._replace(stage="closing")
        assert insights(paid, Plans(last_payment_on=date(2026, 10, 9)))["predictedCloseDate"] == "2026-10-11"
        assert "predictedCloseDate" not in insights(paid, Plans(last_payment_on=date(2026, 9, 9)))
        assert "predictedCloseDate" not in insights(paid)

    def test_an_unlikely_one_gets_no_day(self):
        cold = KNOWN._replace(stage="new_lead", recency_days=90.0, touches_30d=0, interest=None, inbound_30d=False)
        assert score(cold).probability < 0.05
        assert "predictedCloseDate" not in insights(cold)


def write_rhythms(employee, rhythms):
    """Scores of customers who were in touch three times: the stage and the days between two of each."""
    for stage, gap in rhythms:
        facts = KNOWN._replace(stage=stage, mean_gap_days=gap, touches=3)
        LeadScore.objects.create(
            customer_id=new_id("cust"), organization_id=employee.organization_id, as_of=NOW, changed_at=NOW, bins=[],
            values=orjson.loads(orjson.dumps(tuple(facts))), points=1, score=1, logit=0, probability=0,
            basis="default",
        )  # fmt: skip


class TestContext:
    def test_plans_are_read_of_all_customers_at_once(self, layla, django_assert_num_queries):
        plain, busy, owner, poor = (make_customer(layla) for _number in range(4))
        mine = {"customer": busy, "organization_id": layla.organization_id}
        call = {"type": "call", "date": NOW - timedelta(days=2), "follow_up_date": NOW + timedelta(days=5)}
        Interaction.objects.create(**mine, **call, agent_name="ليلى", agent_id=layla.pk)
        Customer.objects.filter(pk=busy.pk).update(last_contact_at=NOW - timedelta(days=2))
        Reminder.objects.create(**mine, title="اتصال", type="follow_up", datetime=NOW + timedelta(days=4))
        booked = [(-9, "completed"), (-1, "no_show"), (-1.5, "cancelled"), (6, "confirmed"), (9, "scheduled")]
        for days, status in booked:
            visit = {"title": "معاينة", "type": "site_visit", "datetime": NOW + timedelta(days=days)}
            Appointment.objects.create(**mine, **visit, status=status)
        stage = {"last_contact_at": NOW, "next_follow_up_date": date(2026, 9, 30)}
        Customer.objects.filter(pk=owner.pk).update(stage="post_sale", do_not_contact=True, **stage)
        HandoverDefect.objects.create(
            customer=owner, organization_id=owner.organization_id, position=0, category="plumbing", severity="major",
            description="تسرب", reported_at=NOW,
        )  # fmt: skip
        ids = [plain.pk, busy.pk, owner.pk, poor.pk]
        habits_of(layla.organization_id, TODAY)
        with django_assert_num_queries(4):
            plans = context_of(layla.organization, ids, NOW).plans
        assert plans == {
            plain.pk: Plans(matches=[]),
            busy.pk: Plans(
                last_contact_on=date(2026, 9, 29),
                follow_up_on=date(2026, 10, 5),
                appointment_on=date(2026, 10, 7),
                appointment_is_confirmed=True,
                missed_last_appointment=True,
                matches=[],
            ),
            owner.pk: Plans(may_be_contacted=False, last_contact_on=TODAY, has_open_complaint=True, matches=[]),
            poor.pk: Plans(matches=[]),
        }

    def test_the_last_payment_counts_once_somebody_has_paid(self, layla):
        payer, open_one = make_customer(layla), make_customer(layla)
        Customer.objects.filter(pk=payer.pk).update(stage="closing")
        for customer in (payer, open_one):
            for position, (day, status) in enumerate([(9, "pending"), (20, "paid"), (12, "pending")]):
                Payment.objects.create(
                    customer=customer, organization_id=customer.organization_id, position=position, type="installment",
                    description="دفعة", amount=1000, due_date=date(2026, 10, day), status=status,
                )  # fmt: skip
        plans = context_of(layla.organization, [payer.pk, open_one.pk], NOW).plans
        assert [plans[customer.pk].last_payment_on for customer in (payer, open_one)] == [date(2026, 10, 12), None]

    def test_a_budget_below_all_that_is_on_offer_is_noticed(self, layla):
        make_listing(layla, price=2_000_000)
        wishes = {"propertyType": ["villa"], "preferredCities": ["الرياض"], "preferredAreas": [], "purpose": "buy"}
        poor = make_customer(layla, preferences=wishes | {"budgetMax": 1_000_000})
        near = make_customer(layla, preferences=wishes | {"budgetMax": 1_800_000})
        away = make_customer(layla, preferences=wishes | {"budgetMax": 1_000_000, "preferredCities": ["جدة"]})
        match_customers([poor.pk, near.pk, away.pk])
        plans = context_of(layla.organization, [poor.pk, near.pk, away.pk], NOW).plans
        assert [plans[customer.pk].budget_is_below_offers for customer in (poor, near, away)] == [True, False, False]

    def test_the_rhythm_of_a_stage_is_that_of_its_customers_where_there_are_twenty(self, layla):
        write_rhythms(layla, [("qualified", 10.0 if not number else 2.0) for number in range(20)])
        write_rhythms(layla, [("negotiation", 9.0)] * 19)
        gaps = habits_of(layla.organization_id, TODAY).gaps
        assert gaps["qualified"] == pytest.approx((19 * 2 + 10) / 20)
        assert gaps["negotiation"] == 3

    def test_of_a_large_organization_one_in_so_many_customers_tells_its_rhythm(self, layla, monkeypatch):
        monkeypatch.setattr(context, "MOST_ASKED", 1)
        for _number in range(3):
            make_customer(layla)
        write_rhythms(layla, [("qualified", 9.0)] * 240)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE lead_scores SET values = jsonb_set(values, '{30}', '2.0') WHERE hashtext(customer_id) & 3 = 0"
            )
        assert habits_of(layla.organization_id, TODAY).gaps["qualified"] == 2
