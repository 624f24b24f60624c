"""`manage.py changepassword EMAIL`: Django's, which here also ends the employee's sessions."""

from django.contrib.auth.management.commands.changepassword import Command as DjangoCommand

from employees import services
from employees.models import Session


class Command(DjangoCommand):
    def handle(self, *args, **options):
        said = super().handle(*args, **options)
        services.end_sessions(Session.objects.filter(employee__email=options["username"]))
        return said
