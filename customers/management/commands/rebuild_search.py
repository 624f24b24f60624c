"""The command that works out anew what customers are found by."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.commands import HubCommand
from config.progress import Progress
from customers.models import Customer
from customers.services import search as services
from employees.commands import organization_of


class Command(HubCommand):
    help = (
        "Fold names and places of all customers by the rules of this version, and forget words that no name holds. "
        "For after an upgrade that says so. Each batch is done or not; run it again after an interruption."
    )
    interrupted = gettext_lazy("Interrupted: what was done stays; run it again for the rest")

    def add_arguments(self, parser):
        parser.add_argument("--organization", metavar="ID", help="only of this one")
        parser.add_argument("--dry-run", action="store_true", help="only count what would change")
        self.add_summary(parser)

    def run(self, organization, dry_run, summary, **options):
        organization = organization and organization_of(organization)
        customers = Customer.objects.filter(organization=organization) if organization else Customer.objects.all()
        total, seen, differing = max(customers.count(), 1), 0, 0
        progress = Progress(self.stderr, lambda: min(seen / total, 1))
        for rows, touched in services.rebuild_search(organization, dry_run=dry_run):
            seen, differing = seen + rows, differing + touched
            progress.show(seen)
        progress.end(seen)
        facts = (
            ("customers", _("customers"), seen),
            ("rebuilt", _("rebuilt"), differing),
            ("wordsForgotten", _("words forgotten"), 0 if dry_run else services.prune_name_words(organization)),
        )
        self.summarize(facts, summary=summary, dry_run=dry_run)
