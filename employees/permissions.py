"""The one permission class: a route without a declared permission is closed."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission


class RolePermission(BasePermission):
    """Allows what the view declares, if the caller's role has it and `X-Organization-ID` names no other organization.

    A view names `permission`, `write_permission` and `delete_permission`, or says
    `public = True` (anybody) or `signed_in = True` (every role).
    Whether a row is the caller's own is decided by `visible_to`.
    """

    def has_permission(self, request, view):
        if getattr(view, "public", False):
            return True
        if request.user is None:
            return False
        if request.headers.get("X-Organization-ID") not in (None, "", request.user.organization_id):
            raise PermissionDenied(_("X-Organization-ID does not name your organization"))
        if getattr(view, "action", "") in (None, "metadata"):
            return True  # no such method here, or OPTIONS: let it become a 405
        if getattr(view, "signed_in", False):
            return True
        needed = view.permission_for(request.method)
        if needed and request.user.may(needed):
            return True
        view.missing_permission = needed
        return False
