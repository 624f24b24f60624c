"""The command that works out anew what customers are found by."""

import json

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from config.progress import Progress
from customers.models import Customer
from customers.services import search as services
from employees.models import Organization


class Command(BaseCommand):
    help = (
        "Fold names and places of all customers by the rules of this version, and forget words that no name holds. "
        "For after an upgrade that says so. Each batch is done or not; run it again after an interruption."
    )

    def add_arguments(self, parser):
        parser.add_argument("--organization", metavar="ID", help="only of this one")
        parser.add_argument("--dry-run", action="store_true", help="only count what would change")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, organization, dry_run, format, **options):
        if organization is not None:
            key, organization = organization, Organization.objects.filter(pk=organization).first()
            if organization is None:
                raise CommandError(_("There is no organization %(id)s") % {"id": key})
        customers = Customer.objects.filter(organization=organization) if organization else Customer.objects.all()
        total, seen, differing = max(customers.count(), 1), 0, 0
        progress = Progress(self.stderr, lambda: min(seen / total, 1))
        for rows, touched in services.rebuild_search(organization, dry_run=dry_run):
            seen, differing = seen + rows, differing + touched
            progress.show(seen)
        progress.end(seen)
        forgotten = 0 if dry_run else services.prune_name_words(organization)
        if format == "json":
            self.stdout.write(json.dumps({"customers": seen, "rebuilt": differing, "wordsForgotten": forgotten}))
            return
        if dry_run:
            self.stdout.write(_("Dry run: nothing was changed."))
        for label, count in (
            (_("customers"), seen),
            (_("rebuilt"), differing),
            (_("words forgotten"), forgotten),
        ):
            self.stdout.write(f"{label}: {count}")
