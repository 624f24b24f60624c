"""The command that recounts what statistics are read from, or only tells what is not as it should be."""

import json
import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from actions import refreshing as actions
from customers import refreshing as customers
from employees.models import Organization


class Command(BaseCommand):
    help = (
        "Recount what the statistics of customers and actions are read from, and compute how long stages take. "
        "With --check, only print what differs from the truth and exit with 1 if anything does."
    )

    def add_arguments(self, parser):
        parser.add_argument("--check", "--dry-run", action="store_true", help="change nothing")
        parser.add_argument("--organization", metavar="ID", help="of one organization only")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, check, organization, format, **options):
        if organization and not Organization.objects.filter(pk=organization).exists():
            raise CommandError(f"There is no organization {organization}.")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtext('refresh_stats'))")
            if not cursor.fetchone()[0]:
                raise CommandError("Another refresh is under way.")
            try:
                found = [*self.run(customers, check, organization), *self.run(actions, check, organization)]
            finally:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('refresh_stats'))")
        self.report(found, check, format)
        if check and found:
            sys.exit(1)

    def run(self, refreshing, check, organization):
        self.stderr.write(f"{'Checking' if check else 'Refreshing'} {refreshing.__name__.partition('.')[0]} …")
        return (refreshing.check if check else refreshing.refresh)(organization)

    def report(self, found, check, format):
        if format == "json":
            listed = [{"table": item.table, "names": item.names, "values": item.values} for item in found]
            self.stdout.write(json.dumps({"repaired": not check, "differences": listed}, default=str))
            return
        for difference in found:
            self.stdout.write(str(difference))
        done = "" if check else ", all set right"
        self.stdout.write(f"{len(found)} differences{done}" if found else "No differences")
