"""`manage.py create_organization`: a brokerage with its default team and its first admin."""

import sys
from getpass import getpass

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from config.commands import HubCommand
from employees import services
from employees.choices import Role
from employees.models import Employee, Organization


class Command(HubCommand):
    help = (
        "Create an organization with its default team and its first admin, whose password is asked for, "
        "or read from a pipe."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the organization's name")
        parser.add_argument("--name-en", default="", help="its English name")
        parser.add_argument("--admin-email", help="the e-mail that the admin signs in with")
        parser.add_argument("--admin-name", help="the admin's name")
        parser.add_argument("--no-admin", action="store_true", help="the organization and its team only")
        parser.add_argument("--dry-run", action="store_true", help="do everything, then undo it")
        self.add_summary(parser)

    def run(self, name, name_en, admin_email, admin_name, no_admin, dry_run, summary, **options):
        named = [option for option in (admin_email, admin_name) if option]
        if len(named) != (0 if no_admin else 2):
            raise CommandError("Either --admin-email and --admin-name, or --no-admin.")
        _check(Organization(name=name, name_en=name_en), name="name", name_en="--name-en")
        admin = None
        if not no_admin:
            _check(Employee(name=admin_name, email=admin_email), name="--admin-name", email="--admin-email")
            password = _password()
        try:
            with transaction.atomic():
                organization = services.create_organization(name=name, name_en=name_en)
                if not no_admin:
                    who = {"email": admin_email, "name": admin_name, "role": Role.ADMIN, "password": password}
                    admin = services.create_employee(None, organization=organization, **who)
                transaction.set_rollback(dry_run)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.report(organization, admin, summary, dry_run)

    def report(self, organization, admin, summary, dry_run):
        if summary == "text" and not dry_run:
            self.stdout.write(f"Created {organization.pk}{f'; {admin.email} may sign in' if admin else ''}.")
            return
        facts = [("organization", "organization", organization.pk)]
        facts += [("admin", "admin", admin.pk), ("email", "email", admin.email)] if admin else []
        self.summarize(facts, summary=summary, dry_run=dry_run)


def _password():
    """Asked for twice on a terminal, else read as it comes. An option would stay in the shell's history."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password of the admin: ")
    if password != getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    return password


def _check(row, **option_of):
    """Refuse values that do not fit their columns, by the options that gave them."""
    try:
        row.clean_fields(exclude={field.name for field in row._meta.fields} - option_of.keys())
    except ValidationError as error:
        told = [f"{option_of[name]}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
        raise CommandError(" ".join(told)) from None
