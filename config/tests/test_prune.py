"""manage.py prune."""

import json
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from django.utils import timezone

from config import audit
from config.models import AuditEntry, IdempotencyKey
from config.testing import make_customer, nothing_changes
from config.tests.commands import ran
from customers.models import Customer, CustomerMerge, NameWord, Transfer
from customers.services import customer as services
from customers.tasks import purge_deleted
from employees.models import Organization, Session
from realtime import log
from realtime.models import Event

NOW = timezone.now()
NOTHING = dict.fromkeys(["events", "audit", "idempotency", "sessions", "transfers", "merges", "words", "deleted"], 0)


def pruned(*words):
    """What a run says that it has removed."""
    told = json.loads(ran("prune", *words, "--format=json").out)
    assert told.pop("dryRun") is ("--dry-run" in words)
    return told


def entry(days):
    AuditEntry.objects.create(
        at=NOW - timedelta(days=days), table_name="customers", row_id="cust_1", operation="update", actor_id="system",
        request_id="", changes={},
    )  # fmt: skip


def key(layla, name, **age):
    row = IdempotencyKey.objects.create(
        employee_id=layla.pk, organization_id=layla.organization_id, key=name, path="/", fingerprint=""
    )
    IdempotencyKey.objects.filter(pk=row.pk).update(created_at=NOW - timedelta(**age))


def deleted(employee, days, **values):
    customer = make_customer(employee, **values)
    Customer.objects.filter(pk=customer.pk).update(deleted_at=NOW - timedelta(days=days, minutes=1))
    return customer


def test_what_is_older_than_promised_goes_and_the_rest_stays(layla, as_):
    as_(layla).post("customers", {"name": "منيرة", "phone": "0511234567"})
    log.number_events()
    AuditEntry.objects.all().delete()
    old, kept = Event.objects.values_list("pk", flat=True).first(), Event.objects.count() - 1
    assert kept > 0
    Event.objects.filter(pk=old).update(at=NOW - timedelta(hours=25))
    entry(days=4000)
    key(layla, "old", hours=25)
    key(layla, "new", hours=23)
    for days in (31, 29):
        Session.objects.create(employee=layla, refresh_id=str(days), expires_at=NOW - timedelta(days=days))
    for hours in (-1, 1):
        BrowserSession.objects.create(session_key=str(hours), expire_date=NOW + timedelta(hours=hours))
    for hours in (23, 25):
        ended = {"status": "done", "finished_at": NOW - timedelta(hours=hours), "sample": [["منيرة"]]}
        asked = {"organization_id": layla.organization_id, "requested_by": layla, "language": "ar", "format": "csv"}
        Transfer.objects.create(kind="import", what="customers", file_name="a.csv", **asked, **ended)
    NameWord.objects.create(organization_id=layla.organization_id, word="منسي")
    due = NOTHING | {"events": 1, "idempotency": 1, "sessions": 2, "transfers": 1, "words": 1}

    with nothing_changes():
        assert pruned("--dry-run") == due
    assert NameWord.objects.filter(word="منسي").exists() and Transfer.objects.filter(sample=[]).count() == 0
    assert pruned() == due
    assert pruned() == NOTHING
    assert not Event.objects.filter(pk=old).exists() and Event.objects.count() == kept
    assert [row.key for row in IdempotencyKey.objects.all()] == ["new"]
    assert Session.objects.get(employee=layla, refresh_id="29")
    assert BrowserSession.objects.get().session_key == "1"
    assert sorted(transfer.sample for transfer in Transfer.objects.all()) == [[], [["منيرة"]]]
    assert AuditEntry.objects.filter(row_id="cust_1").count() == 1


def test_the_audit_goes_only_when_told_how_much_of_it_and_in_batches(db, monkeypatch):
    monkeypatch.setattr(audit, "PRUNED_AT_ONCE", 3)
    for days in (900, 800, 500, 400, 366, 364, 1):
        entry(days)
    assert pruned("audit") == {"audit": 0}
    assert pruned("audit,events", "--older-than=365", "--dry-run") == {"audit": 5, "events": 0}
    assert AuditEntry.objects.count() == 7
    assert pruned("audit,events", "--older-than=365") == {"audit": 5, "events": 0}
    assert sorted((NOW - at).days for at in AuditEntry.objects.values_list("at", flat=True)) == [1, 364]


def test_deleted_customers_stay_until_somebody_says_how_long(layla, noura):
    kept = [deleted(layla, days=4000), deleted(noura, days=90)]
    living = make_customer(layla, phone="+966511234567")
    assert pruned("deleted") == {"deleted": 0}

    Organization.objects.filter(pk=noura.organization_id).update(deleted_days=90)
    assert pruned("deleted", "--dry-run") == {"deleted": 1}
    assert purge_deleted() == 1
    assert set(Customer.objects.values_list("pk", flat=True)) == {kept[0].pk, living.pk}
    gone = AuditEntry.objects.get(row_id=kept[1].pk, operation="delete")
    assert (gone.actor_id, gone.changes) == ("system", None)

    assert pruned("deleted", "--older-than=1") == {"deleted": 0}
    assert pruned("deleted", "--deleted-days=4001") == {"deleted": 0}
    assert pruned("deleted", "--deleted-days=4000") == {"deleted": 1}
    assert list(Customer.objects.values_list("pk", flat=True)) == [living.pk]


def test_a_customer_that_is_restored_meanwhile_stays(layla):
    first, second = deleted(layla, days=9), deleted(layla, days=9, phone="+966511234567")
    removing = services.purge_deleted(days=7)
    assert next(removing) == 1
    Customer.objects.filter(pk__in=[first.pk, second.pk]).update(deleted_at=None)
    assert list(removing) == [0]
    assert Customer.objects.count() == 1


def test_a_merge_can_be_undone_for_its_thirty_days_whatever_is_asked_for(layla):
    pair = [make_customer(layla), make_customer(layla, phone="+966511234567")]
    names = {"organization_id": layla.organization_id, "survivor": pair[0], "merged": pair[1], "merged_by_id": "emp_1"}
    merges = [CustomerMerge.objects.create(**names, at=NOW - timedelta(days=days), snapshot={}) for days in (31, 29)]
    assert pruned("merges", "--older-than=1", "--dry-run") == {"merges": 1}
    assert pruned("merges", "--older-than=1") == {"merges": 1}
    assert [CustomerMerge.objects.get(pk=row.pk).snapshot for row in merges] == [None, {}]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (
            ["events,everything"],
            f"Unknown: everything. There are {', '.join(NOTHING)}.",
        ),
        ([""], f"Must name what is removed: of {', '.join(NOTHING)}."),
        (["--older-than=0"], "--older-than must be from 1 to 36500 days."),
        (["--deleted-days=-1"], "--deleted-days must be from 1 to 36500 days."),
        (["--older-than=99999999"], "--older-than must be from 1 to 36500 days."),
    ],
)
def test_what_makes_no_sense_is_refused(layla, words, refusal):
    with nothing_changes():
        ended = ran("prune", *words)
    assert (ended.code, ended.refusal) == (1, refusal)
