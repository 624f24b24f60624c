"""What a client is told that comes back: what it missed, for as long as that was for its eyes."""

import pytest

from actions.models import CustomerAction
from config.testing import data_of, make_action, make_customer
from customers.services import customer as customers
from employees import services as employees
from realtime.feed import Feed
from realtime.frames import ACTIONS, CUSTOMERS, Viewer, frames_of
from realtime.log import events_after, number_events
from realtime.models import Event


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed, name="محمد الغامدي")


def seq_of(client):
    return data_of(client.get("events"))["seq"]


def told(client, since):
    """`[(event, seq)]` of what a client missed."""
    answer = data_of(client.get(f"events?since={since}"))
    assert answer["resyncRequired"] is False
    return [(frame["event"], frame["seq"] - since) for frame in answer["events"]]


def test_frames_of_one_number_are_names_of_one_change_and_the_next_follow_up_is_another(as_, ahmed, customer):
    action = make_action(ahmed, customer, due_date=customer.created_at)
    client = as_(ahmed)
    since = seq_of(client)
    data_of(client.post(f"customers/actions/{action.pk}/complete"))
    assert told(client, since) == [("action.updated", 1), ("action.completed", 1), ("customer.updated", 2)]


def test_the_next_follow_up_is_that_of_the_moment_when_its_event_is_numbered(as_, ahmed, customer):
    client, action = as_(ahmed), make_action(ahmed, customer)
    since = seq_of(client)
    data_of(client.patch(f"customers/actions/{action.pk}", {"dueDate": "2031-01-01T09:00:00Z"}))
    # Another transaction changes another action of the customer at the same time, and is not waited for.
    CustomerAction.objects.filter(pk=action.pk).update(due_date="2030-05-05T09:00:00Z")
    answer = data_of(client.get(f"events?since={since}"))
    changes = answer["events"][-1]["data"]["changes"]
    assert changes == {"nextFollowUpDate": "2030-05-05"}
    assert changes.items() <= data_of(client.get(f"customers/{customer.pk}"))["customer"].items()


def test_nothing_from_before_a_move_of_teams_is_replayed(as_, layla, fatima, ahmed, omar, south):
    """Whoever leads another team now may see neither what it had then, nor what left it since."""
    passing, client = make_customer(omar, name="كان لعمر"), as_(fatima)
    since = seq_of(client)
    customers.update_customer(passing, actor=omar, values={"notes": "سر الفريق"})
    customers.assign_customer(passing, actor=layla, employee_id=layla.pk)
    employees.update_employee(fatima, actor=layla, team_id=south.pk)
    answer = data_of(client.get(f"events?since={since}"))
    assert answer["events"] == [] and answer["resyncRequired"] is True
    assert told(as_(ahmed), since) == []
    assert told(client, answer["seq"]) == []


def test_nothing_of_somebody_who_was_erased_is_replayed_neither_from_the_log_nor_from_memory(as_, layla, customer):
    client = as_(layla)
    since = seq_of(client)
    feed = Feed(layla.organization_id, since)
    customers.update_customer(customer, actor=layla, values={"notes": "سر العميل"})
    number_events()
    feed.append(events_after(layla.organization_id, since))
    assert "سر العميل" in str([event.data for event in feed._events])
    data_of(client.post(f"customers/{customer.pk}/erase", {"confirm": customer.pk}))
    answer = data_of(client.get(f"events?since={since}"))
    assert answer["resyncRequired"] is True and "سر العميل" not in str(answer)
    feed.append(events_after(layla.organization_id, feed.seq))
    assert [event.event for event in feed._events] == ["resync_required"]


def test_cards_of_an_employee_alone_follow_their_customers(ahmed, layla, customer):
    make_action(ahmed, customer)
    Event.objects.all().delete()
    customers.update_customer(customer, actor=ahmed, values={"name": "محمد العتيبي"})
    number_events()
    (event,) = Event.objects.all()
    for channels, channel in [
        ({f"employee:{ahmed.pk}"}, f"employee:{ahmed.pk}"),
        ({ACTIONS, f"employee:{ahmed.pk}"}, ACTIONS),
        ({CUSTOMERS, f"employee:{ahmed.pk}"}, CUSTOMERS),
    ]:
        (frame,) = frames_of(event, Viewer(layla, frozenset(channels)))
        assert (frame.event, frame.channel) == ("customer.updated", channel)
    assert frames_of(event, Viewer(layla, frozenset({f"employee:{layla.pk}"}))) == []
