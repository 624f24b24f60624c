"""The command that recounts what statistics are read from, or only tells what is not as it should be."""

import json

from django.utils.translation import gettext_lazy

from actions import refreshing as actions
from config.commands import FAILED, HubCommand
from customers import refreshing as customers
from employees.commands import organization_of


class Command(HubCommand):
    help = (
        "Recount what the statistics of customers and actions are read from, and compute how long stages take. "
        "With --check, only print what differs from the truth and exit with 1 if anything does."
    )
    codes = "0 done, or nothing differs, 1 something differs (--check), or it was refused or failed"
    interrupted = gettext_lazy("Interrupted: what was done stays; run it again for the rest")

    def add_arguments(self, parser):
        parser.add_argument("--check", "--dry-run", action="store_true", help="change nothing")
        parser.add_argument("--organization", metavar="ID", help="only of this one")
        self.add_summary(parser)

    def run(self, check, organization, summary, **options):
        if organization is not None:
            organization_of(organization)
        found = [*self.compare(customers, check, organization), *self.compare(actions, check, organization)]
        self.report(found, check, summary)
        return FAILED if check and found else None

    def compare(self, refreshing, check, organization):
        self.stderr.write(f"{'Checking' if check else 'Refreshing'} {refreshing.__name__.partition('.')[0]} …")
        return (refreshing.check if check else refreshing.refresh)(organization)

    def report(self, found, check, summary):
        if summary == "json":
            listed = [{"table": item.table, "names": item.names, "values": item.values} for item in found]
            self.stdout.write(json.dumps({"dryRun": check, "repaired": not check, "differences": listed}, default=str))
            return
        for difference in found:
            self.stdout.write(str(difference))
        done = "" if check else ", all set right"
        self.stdout.write(f"{len(found)} differences{done}" if found else "No differences")
