"""`manage.py create_organization`: a brokerage with its default team and its first admin."""

import sys
from getpass import getpass

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from employees import services
from employees.choices import Role


class Command(BaseCommand):
    help = "Create an organization with its default team and its first admin, whose password is asked for."

    def add_arguments(self, parser):
        parser.add_argument("name", help="the organization's name")
        parser.add_argument("--name-en", default="", help="its English name")
        parser.add_argument("--admin-email", required=True, help="the e-mail that the admin signs in with")
        parser.add_argument("--admin-name", required=True, help="the admin's name")

    def handle(self, *, name, name_en, admin_email, admin_name, **options):
        # From a pipe it is read as it comes; on a command line it would stay in the shell's history.
        password = getpass("Password of the admin: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            with transaction.atomic():
                organization = services.create_organization(name=name, name_en=name_en)
                services.create_employee(
                    None,
                    organization=organization,
                    email=admin_email,
                    name=admin_name,
                    role=Role.ADMIN,
                    password=password,
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"Created {organization.pk}; {admin_email} may sign in.")
