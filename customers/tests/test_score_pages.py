"""The lead score in the back office: all that it is made of on a customer's page, and the button that computes it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.models import AuditEntry
from config.testing import AdminClient, make_customer, make_listing
from customers import tasks
from customers.models import Customer, LeadFeatureSnapshot, LeadScore, LeadScoreTouch
from customers.scoring.scorecard import FEATURES, SPEC_HASH
from customers.services.activity import add_interaction
from customers.services.matching import match_customers
from customers.tests.test_lead_scores import WISHES

CUSTOMERS = "/admin/customers/customer/"
PLACEHOLDER = "A placeholder: usual values, which rank customers but are not this organization's own"


@pytest.fixture
def customer(ahmed, clock):
    # A Sunday, which is a workday, at nine in Riyadh.
    clock.now = datetime(2030, 3, 3, 6, tzinfo=UTC)
    customer = make_customer(ahmed, source="referral", preferences=WISHES)
    clock.move(days=1)
    return customer


def url_of(customer, page="change"):
    return f"{CUSTOMERS}{customer.pk.replace('_', '_5F')}/{page}/"


def score_of(person, customer, language="en"):
    """What a customer's page tells of its score: words, and HTML."""
    return panel_of(AdminClient(person, language=language).get(url_of(customer)), "score")


def panel_of(page, name):
    """The words and the HTML of a panel."""
    html = re.search(rf'<section class="hub-related" id="{name}">(.*?)</section>', page.content.decode(), re.DOTALL)[1]
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", html))).strip(), html


def said_of(response):
    """What the next page tells."""
    return str(list(response.wsgi_request._messages)[-1])


def test_who_was_never_scored_shows_what_the_score_would_be(fatima, customer):
    words, html = score_of(fatima, customer)
    assert words.startswith("Lead score Score 31 of 100: wants to buy at once, referred by an earlier customer, ")
    assert f"Score 31 ↔ Steady Down payment within 90 days 4% {PLACEHOLDER} What speaks for" in words
    assert words.endswith(
        "Not computed yet: this is what it would be now. "
        "31 documented points. Reasons are told from a score of 50.8. Level: Documented points."
    )
    assert "hub-course" not in html


@pytest.fixture
def known(fatima, ahmed, customer, clock):
    """A customer whose score has risen in its second day, by a conversation."""
    make_listing(fatima, title="فيلا الندى", price=1_200_000, bedrooms=4, district="النرجس")
    match_customers([customer.pk])
    tasks.score_touched()
    LeadFeatureSnapshot.objects.create(
        customer_id=customer.pk, organization_id=customer.organization_id, as_of=clock.now - timedelta(hours=12),
        bins=[], points=20, score=20, logit=0, model_version=0, spec_hash=SPEC_HASH,
    )  # fmt: skip
    clock.move(hours=9)
    talk = {"type": "call", "direction": "outbound", "duration": 16, "sentiment": "positive"}
    add_interaction(customer, actor=ahmed, values=talk)
    tasks.score_touched()
    clock.move(hours=3)
    return customer


def test_a_score_is_shown_with_all_that_it_is_made_of(fatima, known):
    words, html = score_of(fatima, known)
    assert "Score 56 ↑ Rising: 34 until 4 March 2030 Down payment within 90 days 8% A placeholder: " in words
    assert (
        "Risk of losing the customer Low risk Engagement High engagement Sentiment 50 From −100 to 100 "
        "Likely to close within about 6 weeks Recommended follow-up 5 March 2030, 10:00 3 March 2030 Today"
    ) in words
    assert (
        "What speaks for this customer +5.9 Contact within the last 24 hours +4.1 Wants to buy at once "
        "+3.8 Referred by an earlier customer What speaks against this customer −6.4 Is still at New Lead "
        "−5.2 No interest in a particular property yet What suits best فيلا الندى What was declared 23 of 30 "
        "Source 8 of 8 Timeline 8 of 8 "
    ) in words
    assert re.findall(r"<h3>(.+?) <span>(\d+ of \d+)</span></h3>", html) == [
        ("What was declared", "23 of 30"), ("Behaviour", "30 of 40"), ("Interest", "0 of 15"), ("Progress", "3 of 15"),
    ]  # fmt: skip
    assert len(re.findall(r"<li><span>[^<]+</span>", html)) == len(FEATURES)
    # In steps from 20 to 56, which it became after 21 of 24 hours.
    assert 'class="hub-line" d="M0 80H87.50V44H100"' in html


def test_why_somebody_is_next_is_told_in_arabic_as_well(fatima, known):
    words, html = score_of(fatima, known, language="ar")
    assert (
        "الدرجة 56 من 100: تواصل خلال آخر 24 ساعة، يريد الشراء فورًا، عميل محال من عميل سابق، "
        "لكن: ما زال في مرحلة عميل جديد؛ الخطوة التالية: متابعة دورية."
    ) in words
    assert '<bdi dir="ltr">−5.2</bdi> لا اهتمام بعقار محدد بعد' in html


def test_why_somebody_may_be_lost_is_told_in_the_language_of_the_page(fatima, known, clock):
    clock.move(days=20)
    tasks.score_everybody()
    words, _html = score_of(fatima, known)
    assert "Risk of losing the customer High risk No contact for 20 days; usual is every 3 days" in words
    assert "لا تواصل منذ 20 يومًا، والمعتاد كل 3 أيام" in score_of(fatima, known, language="ar")[0]


def test_a_page_asks_no_more_of_the_database_for_a_longer_course_and_more_matches(fatima, known, clock):
    score_of(fatima, known)
    with CaptureQueriesContext(connection) as few:
        score_of(fatima, known)
    for number in range(3):
        make_listing(fatima, title=f"فيلا {number}", price=1_200_000, bedrooms=4, district="النرجس")
        clock.move(days=1)
        match_customers([known.pk])
        tasks.score_everybody()
    with CaptureQueriesContext(connection) as many:
        html = score_of(fatima, known)[1]
    assert html.count("/admin/customers/listing/") == 4
    assert html.count("H", html.index("hub-line")) > 2
    assert len(many) == len(few)


def test_scores_are_computed_anew_by_a_button_without_a_trace_in_the_audit(fatima, omar, customer):
    other = make_customer(omar)
    Customer.objects.update(lead_score=1)
    LeadScoreTouch.objects.all().delete()
    before, client = AuditEntry.objects.count(), AdminClient(fatima)
    page = client.press(CUSTOMERS, "recompute_scores", [customer.pk, other.pk])
    assert said_of(page) == "Scores that are computed anew within two minutes: 1"
    assert client.post(url_of(customer, "do/recompute_scores"), {"apply": "1"}).status_code == 302
    assert client.post(url_of(other, "do/recompute_scores"), {"apply": "1"}).status_code == 404
    tasks.score_touched()
    assert dict(Customer.objects.values_list("pk", "lead_score")) == {customer.pk: 31, other.pk: 1}
    assert list(LeadScore.objects.values_list("customer_id", "score")) == [(customer.pk, 31)]
    assert AuditEntry.objects.count() == before
