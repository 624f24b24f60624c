"""The command that computes lead scores anew."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.commands import PARTLY, HubCommand
from config.progress import Progress
from customers.services import scoring as services
from employees.commands import organization_of

MOST_JOBS = 8


class Command(HubCommand):
    help = (
        "Compute the lead scores of all customers anew, with their reasons and what is advised next. Workers do that "
        "each night, and within minutes for customers that something was changed about. "
        "Each batch is done or not; run it again after an interruption."
    )
    codes = f"0 done, 1 refused or failed, {PARTLY} some customers could not be scored, which the log tells of"
    interrupted = gettext_lazy("Interrupted: what was done stays; run it again for the rest")

    def add_arguments(self, parser):
        parser.add_argument("--organization", metavar="ID", help="only of this one")
        several = f"processes that work side by side: 1 to {MOST_JOBS}, by default 2"
        parser.add_argument("--jobs", type=int, choices=range(1, MOST_JOBS + 1), default=2, metavar="N", help=several)
        parser.add_argument("--dry-run", action="store_true", help="only count what would change")
        self.add_summary(parser)

    def run(self, organization, jobs, dry_run, summary, **options):
        organization = organization and organization_of(organization)
        fraction = [0]
        progress = Progress(self.stderr, lambda: fraction[0])

        def told(done, total):
            fraction[0] = min(done / total, 1)
            progress.show(done)

        only = organization and organization.pk
        outcome = services.recompute_all(only, jobs=jobs, dry_run=dry_run, progress=told)
        progress.end(outcome.scored)
        facts = (
            ("customers", _("customers"), outcome.scored),
            ("changed", _("scores changed"), outcome.changed),
            ("leftOut", _("left out"), outcome.left_out),
        )
        self.summarize(facts, summary=summary, dry_run=dry_run)
        return PARTLY if outcome.left_out else None
