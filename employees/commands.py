"""What commands ask about the organization that they are for."""

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from employees.models import Organization


def organization_of(key):
    """The organization with this id. Raises CommandError when there is none."""
    organization = Organization.objects.filter(pk=key).first()
    if organization is None:
        raise CommandError(_("There is no organization %(id)s") % {"id": key})
    return organization
