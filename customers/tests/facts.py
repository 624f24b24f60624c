"""Facts of customers who were never seen by a database."""

from datetime import UTC, datetime

from customers.scoring.features import Facts

# Thursday noon in Riyadh.
NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
# Somebody of whom nothing is known.
STRANGER = Facts(
    customer_id="cust_1",
    organization_id="org_1",
    at=NOW,
    created_at=NOW,
    source="other",
    purpose=None,
    timeline=None,
    missing_preferences=["budget", "propertyType", "area", "timeline", "size"],
    completeness=0,
    inventory=0,
    financing=None,
    last_touch_at=None,
    recency_days=None,
    touches_30d=0,
    longest_talk_minutes=None,
    inbound_30d=False,
    tries_90d=0,
    answered_90d=0,
    streak=0,
    sentiment=None,
    sentiment_now=None,
    first_try_at=None,
    interest=None,
    visits_45d=0,
    last_visit_no_show=False,
    stage="new_lead",
    stage_entered_at=NOW,
    days_in_stage=0.0,
    momentum=None,
    touches=0,
    mean_gap_days=None,
)
