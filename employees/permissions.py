"""The one permission class: a route without a declared permission is closed."""

from rest_framework.permissions import BasePermission


class RolePermission(BasePermission):
    """Allows what the view declares, if the caller's role has it.

    A view names `permission`, `write_permission` and `delete_permission`, or says
    `public = True` (anybody) or `signed_in = True` (every role).
    Whether a row is the caller's own is decided by `visible_to`.
    """

    def has_permission(self, request, view):
        if getattr(view, "public", False):
            return True
        if request.user is None:
            return False
        if getattr(view, "action", "") is None:
            return True  # no such method here: let it become a 405
        if getattr(view, "signed_in", False):
            return True
        needed = view.permission_for(request.method)
        if needed and request.user.may(needed):
            return True
        view.missing_permission = needed
        return False
