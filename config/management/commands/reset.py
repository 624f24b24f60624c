"""The command that deletes what the embedded servers keep."""

import sys

from django.conf import settings
from django.core.management.base import BaseCommand

from config import embedded


class Command(BaseCommand):
    help = "Delete the data of the embedded PostgreSQL and Valkey, ending a running hub first."
    requires_system_checks = []

    def handle(self, **options):
        try:
            embedded.reset(settings.HUB_DATA)
        except embedded.EmbeddedServerError as error:
            sys.exit(str(error))
        self.stdout.write(f"The embedded data of {settings.HUB_DATA} is gone; the next start makes it anew.")
