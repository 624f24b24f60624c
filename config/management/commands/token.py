"""The command that signs a demo employee in and prints the access token, for curl and scripts."""

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from employees.services import sign_in_as


class Command(BaseCommand):
    help = "Print an access token of a demo login, and nothing else."

    def add_arguments(self, parser):
        parser.add_argument("--role", choices=("admin", "manager", "agent", "viewer"), default="admin")

    def handle(self, role, **options):
        try:
            self.stdout.write(sign_in_as(f"{role}@hub.test"))
        except (ObjectDoesNotExist, ProgrammingError):
            raise CommandError("The demo logins do not exist yet: the first make run creates them.") from None
