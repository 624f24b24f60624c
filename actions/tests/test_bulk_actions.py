"""Endpoints 19 to 23: one operation on many actions, told id by id."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from actions import services
from actions.models import ActionNote, CustomerAction
from config.models import AuditEntry
from config.testing import data_of, error_of, make_action, make_customer, nothing_changes
from realtime.models import Event

AHEAD = "2099-01-05T06:00:00Z"


@pytest.fixture
def customer(ahmed):
    return make_customer(ahmed)


@pytest.fixture
def actions(ahmed, customer):
    return [make_action(ahmed, customer, title=f"طلب {number}") for number in range(3)]


@pytest.fixture
def ids(actions):
    return [action.pk for action in actions]


def done(ids):
    return [{"id": key, "status": "success"} for key in ids]


def statuses(ids):
    return set(CustomerAction.objects.filter(pk__in=ids).values_list("status", flat=True))


def test_19_update(as_, fatima, omar, layla, ids):
    body = {"actionIds": ids, "operation": "update", "updates": {"priority": "high", "assignedTo": fatima.pk}}
    data = data_of(as_(fatima).post("customers/actions/bulk", body))
    assert data == {"updatedCount": 3, "failed": [], "actions": done(ids)}
    assert set(CustomerAction.objects.values_list("priority", "assigned_to")) == {("high", fatima.pk)}


def test_20_complete(as_, ahmed, ids):
    body = {"actionIds": ids, "notes": "تم معالجة جميع الطلبات بنجاح"}
    data = data_of(as_(ahmed).post("customers/actions/bulk/complete", body))
    assert data == {"updatedCount": 3, "completedCount": 3, "failed": [], "actions": done(ids)}
    assert set(ActionNote.objects.values_list("content", "created_by_id")) == {(body["notes"], ahmed.pk)}
    assert ActionNote.objects.count() == 3


def test_21_dismiss(as_, ahmed, ids):
    data = data_of(as_(ahmed).post("customers/actions/bulk/dismiss", {"actionIds": ids, "reason": "غير مستجيبين"}))
    assert (data["dismissedCount"], data["failed"]) == (3, [])
    assert set(CustomerAction.objects.values_list("status", "reason")) == {("dismissed", "غير مستجيبين")}


def test_22_snooze(as_, ahmed, ids):
    data = data_of(as_(ahmed).post("customers/actions/bulk/snooze", {"actionIds": ids, "snoozedUntil": AHEAD}))
    assert (data["snoozedCount"], data["failed"]) == (3, [])
    assert statuses(ids) == {"snoozed"}


def test_23_assign(as_, fatima, ahmed, ids):
    body = {"actionIds": ids, "assignedTo": fatima.pk, "assignedToName": "اسم آخر"}
    data = data_of(as_(fatima).post("customers/actions/bulk/assign", body))
    assert data["assignedTo"] == {"id": fatima.pk, "name": fatima.name}
    assert (data["assignedCount"], data["failed"]) == (3, [])
    freed = data_of(as_(fatima).post("customers/actions/bulk/assign", {"actionIds": ids, "assignedTo": None}))
    assert freed["assignedCount"] == 3 and "assignedTo" not in freed
    assert set(CustomerAction.objects.values_list("assigned_to", flat=True)) == {None}


@pytest.mark.parametrize(
    ("operation", "parts", "count", "status"),
    [
        ("complete", {"outcome": "تم"}, "completedCount", "completed"),
        ("dismiss", {"reason": "لا"}, "dismissedCount", "dismissed"),
        ("snooze", {"snoozedUntil": AHEAD}, "snoozedCount", "snoozed"),
        ("snooze", {"updates": {"snoozedUntil": AHEAD}}, "snoozedCount", "snoozed"),
        ("update", {"updates": {"status": "in_progress"}}, "updatedCount", "in_progress"),
    ],
)
def test_one_route_takes_every_operation(as_, ahmed, ids, operation, parts, count, status):
    data = data_of(as_(ahmed).post("customers/actions/bulk", {"actionIds": ids, "operation": operation, **parts}))
    assert data[count] == data["updatedCount"] == 3
    assert statuses(ids) == {status}


def test_assigning_is_an_operation_too(as_, fatima, ids):
    body = {"actionIds": ids, "operation": "assign", "updates": {"assignedTo": fatima.pk}}
    assert data_of(as_(fatima).post("customers/actions/bulk", body))["assignedTo"]["id"] == fatima.pk


def test_repeated_ids_collapse_and_the_rest_is_told_one_by_one(as_, ahmed, layla, actions, ids):
    services.dismiss_action(actions[1], actor=layla)
    body = {"actionIds": [ids[0], ids[0], ids[1], "action_none", ids[2]]}
    data = data_of(as_(ahmed).post("customers/actions/bulk/complete", body))
    assert data["actions"] == done([ids[0], ids[2]]) and data["completedCount"] == 2
    assert data["failed"] == [
        {"id": "action_none", "code": "RESOURCE_NOT_FOUND", "message": "Action not found"},
        {
            "id": ids[1],
            "code": "CONFLICT",
            "message": "The current status of the action does not allow this",
            "currentStatus": "dismissed",
        },
    ]


def test_the_same_call_again_answers_the_same_and_changes_nothing(as_, ahmed, ids):
    first = data_of(as_(ahmed).post("customers/actions/bulk/complete", {"actionIds": ids, "notes": "تم"}))
    with nothing_changes():
        assert data_of(as_(ahmed).post("customers/actions/bulk/complete", {"actionIds": ids, "notes": "تم"})) == first


def test_a_call_of_which_everything_fails_is_still_answered(as_, ahmed):
    data = data_of(as_(ahmed).post("customers/actions/bulk/complete", {"actionIds": ["a", "b"]}))
    assert data["completedCount"] == 0 and [failure["id"] for failure in data["failed"]] == ["a", "b"]


def test_what_differs_already_is_all_that_is_written(as_, fatima, ids):
    services.bulk_update(ids[:2], actor=fatima, values={"priority": "low"})
    as_(fatima).post("customers/actions/bulk", {"actionIds": ids, "updates": {"priority": "low"}})
    assert list(CustomerAction.objects.order_by("pk").values_list("version", flat=True)) == [2, 2, 2]


def test_the_number_of_statements_does_not_grow_with_the_ids(as_, ahmed, customer):
    def statements(count):
        ids = [make_action(ahmed, customer).pk for _ in range(count)]
        client = as_(ahmed)
        client.get("auth/me")
        with CaptureQueriesContext(connection) as queries:
            data_of(client.post("customers/actions/bulk/complete", {"actionIds": ids, "notes": "تم"}))
        return len(queries)

    assert statements(2) == statements(40)


def told_of(rows):
    """Events and audit entries of some actions, without what no two calls share."""
    events = [
        (e.event, {k: v for k, v in e.data["changes"].items() if k not in {"updatedAt", "completedAt", "dismissedAt"}},
         [also["event"] for also in e.also], e.before, e.after, e.actor_id)
        for e in Event.objects.filter(row_id__in=rows, event="action.updated").order_by("row_id", "id")
    ]  # fmt: skip
    for event in events:
        for note in event[1].get("notes") or ():
            del note["id"], note["createdAt"]
    entries = [
        (entry.operation, sorted(entry.changes), entry.actor_id)
        for entry in AuditEntry.objects.filter(row_id__in=rows, operation="update").order_by("row_id", "id")
    ]
    return events, entries


@pytest.mark.parametrize(
    ("single", "bulk", "body"),
    [
        ("complete", "bulk/complete", {"outcome": "تم", "notes": "شكرا"}),
        ("dismiss", "bulk/dismiss", {"reason": "لا يرد"}),
        ("snooze", "bulk/snooze", {"snoozedUntil": AHEAD, "notes": "مسافر"}),
        (None, "bulk", {"priority": "urgent", "dueDate": "2030-01-01", "type": "site_visit", "status": "in_progress"}),
        (None, "bulk/assign", {"assignedTo": "fatima"}),
    ],
)
def test_events_and_history_of_a_bulk_equal_those_of_the_single_calls(as_, fatima, ahmed, customer, single, bulk, body):
    client = as_(fatima)
    body = {**body, "assignedTo": fatima.pk} if "assignedTo" in body else body
    one_by_one, together = ([make_action(ahmed, customer).pk for _ in range(3)] for _ in range(2))
    for key in one_by_one:
        if single:
            data_of(client.post(f"customers/actions/{key}/{single}", body))
        else:
            data_of(client.patch(f"customers/actions/{key}", body))
    parts = {"updates": body} if bulk == "bulk" else body
    data_of(client.post(f"customers/actions/{bulk}", {"actionIds": together, **parts}))
    assert told_of(together) == told_of(one_by_one)
    assert len(told_of(together)[0]) == len(told_of(together)[1]) == 3


def test_an_agent_assigns_nothing_and_a_viewer_touches_nothing(as_, ahmed, huda, ids):
    with nothing_changes():
        body = {"actionIds": ids, "assignedTo": ahmed.pk}
        error_of(as_(ahmed).post("customers/actions/bulk/assign", body), 403, "PERMISSION_DENIED")
        error_of(as_(huda).post("customers/actions/bulk/complete", {"actionIds": ids}), 403, "PERMISSION_DENIED")
