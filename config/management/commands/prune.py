"""The command that removes what has been kept for long enough."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from config import audit
from config.api import idempotency
from config.commands import HubCommand
from config.progress import Progress
from customers import transferring
from customers.services import customer, merge, search
from employees import services as employees
from employees.models import Organization
from realtime import log

logger = logging.getLogger("hub.prune")


class Kind(NamedTuple):
    """What can be removed: `expired(before)` counts it, `prune(before)` removes it, yielding how many each time.

    `kept` is how long, when nobody says otherwise; None keeps it until somebody does.
    """

    kept: timedelta | None
    expired: Callable
    prune: Callable


def _transfers(before):
    yield transferring.prune(before)


def _merges(before):
    # Whatever the age that was asked for: for so long they can be undone.
    yield merge.prune_snapshots()


def _words(before):
    for organization in Organization.objects.all():
        yield search.prune_name_words(organization)


def _unused_words(before):
    count = 0
    for organization in Organization.objects.all():
        with transaction.atomic():
            count += search.prune_name_words(organization)
            transaction.set_rollback(True)
    return count


KINDS = {
    "events": Kind(log.KEPT, lambda before: log.numbered_before(before).count(), log.prune_events),
    "audit": Kind(None, lambda before: audit.entries_before(before).count(), audit.prune_entries),
    "idempotency": Kind(
        idempotency.KEPT, lambda before: idempotency.used_before(before).count(), idempotency.prune_keys
    ),
    "sessions": Kind(
        employees.SESSIONS_KEPT,
        lambda before: sum(sessions.count() for sessions in employees.expired_sessions(before)),
        employees.prune_sessions,
    ),
    "transfers": Kind(
        transferring.KEPT_FOR,
        lambda before: transferring.ended_with_files(before).count(),
        _transfers,
    ),
    "merges": Kind(merge.UNDONE_WITHIN, lambda before: merge.stale_snapshots().count(), _merges),
    "words": Kind(timedelta(0), _unused_words, _words),
}
# Its time is the organizations' own, or --deleted-days.
DELETED = "deleted"


class Command(HubCommand):
    help = (
        "Remove what has been kept for long enough: events of live updates (a day), the audit (for ever), answers to "
        "idempotency keys (a day), sessions (30 days after they expired), files of imports and exports (a day), "
        "what undoing a merge needs (30 days), "
        "words that no name holds any more, customers that were deleted (for as long as their organization keeps "
        "them). The beat does so too, but for the audit."
    )
    interrupted = gettext_lazy("Interrupted: what was done stays; run it again for the rest")

    def add_arguments(self, parser):
        parser.add_argument(
            "kinds",
            nargs="?",
            metavar="KINDS",
            help=f"of {', '.join([*KINDS, DELETED])}, separated by commas; all of them when none is named",
        )
        parser.add_argument(
            "--older-than", type=int, metavar="DAYS", help="keep so many days instead; the audit is kept without this"
        )
        parser.add_argument(
            "--deleted-days", type=int, metavar="DAYS",
            help="keep deleted customers so many days, whatever their organizations say",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="only count what would be removed")
        self.add_summary(parser)

    def run(self, kinds, older_than, deleted_days, dry_run, summary, **options):
        names = [name.strip() for name in kinds.split(",")] if kinds is not None else [*KINDS, DELETED]
        if "" in names:
            raise CommandError(f"Must name what is removed: of {', '.join([*KINDS, DELETED])}.")
        if unknown := set(names) - {*KINDS, DELETED}:
            raise CommandError(f"Unknown: {', '.join(sorted(unknown))}. There are {', '.join([*KINDS, DELETED])}.")
        for option, days in (("--older-than", older_than), ("--deleted-days", deleted_days)):
            # Less than a day would break what is promised of events and idempotency keys.
            if days is not None and not 1 <= days <= 36_500:
                raise CommandError(f"{option} must be from 1 to 36500 days.")
        facts = [(name, name, self.prune(name, older_than, deleted_days, dry_run)) for name in dict.fromkeys(names)]
        self.summarize(facts, summary=summary, dry_run=dry_run)

    def prune(self, name, older_than, deleted_days, dry_run):
        """How many of a kind were removed, or would be."""
        if name == DELETED:
            expired = customer.out_of_keeping(deleted_days).count()
            batches = customer.purge_deleted(deleted_days)
        else:
            kind = KINDS[name]
            kept = kind.kept if older_than is None else timedelta(days=older_than)
            if kept is None:
                return 0
            before = timezone.now() - kept
            expired, batches = kind.expired(before), kind.prune(before)
        if dry_run or not expired:
            return expired
        self.stderr.write(f"{name} …")
        removed, progress = 0, Progress(self.stderr, lambda: min(removed / expired, 1))
        for count in batches:
            removed += count
            progress.show(removed)
        progress.end(removed)
        logger.info("pruned", extra={"facts": {"kind": name, "removed": removed}})
        return removed
