"""What the actions of the system are good for: actions beside what was held out, after 14 days."""

from datetime import timedelta

import pytest
from django.utils import timezone

from actions.models import CustomerAction, Recommendation
from actions.uplift import Uplift, uplift_of
from config.testing import AdminClient, make_action, make_customer
from customers.models import StageChange

DAY = timedelta(days=1)
NOW = timezone.now()


@pytest.fixture
def recommended(ahmed):
    """Write down a recommendation, whether it was held out or completed, and whether the stage moved on: days after."""

    def write(rule="churn_high", *, days_ago=20, completed=None, moved=None, to="qualified", held_out=False):
        customer, made_at = make_customer(ahmed), NOW - days_ago * DAY
        action = None if held_out else make_action(ahmed, customer)
        if completed is not None:
            CustomerAction.objects.filter(pk=action.pk).update(
                status="completed", completed_at=made_at + completed * DAY
            )
        if moved is not None:
            StageChange.objects.create(
                customer=customer, from_stage="new_lead" if to != "new_lead" else "qualified", to_stage=to,
                changed_at=made_at + moved * DAY, changed_by="", changed_by_id="",
            )  # fmt: skip
        Recommendation.objects.create(
            customer_id=customer.pk, organization_id=ahmed.organization_id, rule=rule, anchor="touch:1", score=50,
            made_at=made_at, action_id=action and action.pk, is_held_out=held_out, model_version=0,
        )  # fmt: skip

    return write


def test_what_was_done_and_moved_on_within_two_weeks_counts(recommended, ahmed, noura):
    recommended(completed=1, moved=13)
    recommended(completed=15, moved=15)
    recommended(moved=1, to="new_lead")
    recommended(days_ago=13, completed=1, moved=1)
    recommended(held_out=True, moved=14)
    recommended(held_out=True)
    recommended("follow_up", completed=2)
    assert uplift_of(ahmed.organization_id, NOW) == [
        Uplift("churn_high", opened=3, completed=1, advanced=1, held_out=2, held_out_advanced=1),
        Uplift("follow_up", opened=1, completed=1, advanced=0, held_out=0, held_out_advanced=0),
    ]
    assert uplift_of(noura.organization_id, NOW) == []


def test_a_difference_is_told_of_thirty_on_either_side():
    row = Uplift("churn_high", opened=100, completed=60, advanced=40, held_out=30, held_out_advanced=6)
    assert (row.completed_percent, row.advanced_percent, row.held_out_advanced_percent) == (60.0, 40.0, 20.0)
    assert row.gain == (20.0, 17.2)
    assert row._replace(held_out=29).gain is None
    assert row._replace(held_out=0).held_out_advanced_percent is None


def test_admins_see_what_recommendations_are_good_for_above_them(recommended, layla, fatima):
    recommended(completed=1, moved=13)
    recommended("payment_overdue", days_ago=0)
    page = AdminClient(layla).get("/admin/actions/recommendation/")
    table = page.content.decode().partition('id="uplift"')[2].partition("</table>")[0]
    assert "About to lose the customer - call with a fresh offer" in table and "100.0" in table
    assert "Payment overdue for … - arrange it" not in table
    assert "Payment overdue for … - arrange it" in page.content.decode().partition('id="result_list"')[2]
    only = AdminClient(layla).get("/admin/actions/recommendation/?rule=payment_overdue").content.decode()
    assert "About to lose" not in only.partition('id="result_list"')[2].partition("</table>")[0]
    assert AdminClient(fatima).get("/admin/actions/recommendation/").status_code == 403
