"""From a bearer token to the employee behind it.

The token only names its session. Role, permissions, activity and organization come
from the database, remembered for at most IDENTITY_SECONDS in this process and
forgotten at once when they change here.
"""

import time
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from config.api.links import holder_of
from config.logging import employee_id
from employees.models import Employee, Session

IDENTITY_SECONDS = 3
MAX_IDENTITIES = 10_000
_identities = {}


def identity(session_id):
    """The active Employee of a live session, with organization and team, or None."""
    remembered = _identities.get(session_id)
    if remembered and remembered[0] > time.monotonic():
        return remembered[1]
    employee = live_employees({session_id}).get(session_id)
    if len(_identities) >= MAX_IDENTITIES:
        _identities.clear()
    _identities[session_id] = (time.monotonic() + IDENTITY_SECONDS, employee)
    return employee


def live_employees(session_ids):
    """`{session id: its active Employee, with organization and team}` of sessions that are live, from the database."""
    sessions = Session.objects.select_related("employee__organization", "employee__team").filter(
        pk__in=session_ids, ended_at=None, expires_at__gt=timezone.now(), employee__is_active=True
    )
    return {session.pk: session.employee for session in sessions}


def forget_identities():
    """Read everybody afresh at their next request."""
    _identities.clear()


class Bearer(NamedTuple):
    """Whom an access token stands for, and until when (POSIX seconds)."""

    session_id: str
    employee: Employee
    claims: dict
    expires_at: float


def bearer_of(token):
    """The Bearer of an access token, or None when it is malformed or expired or its session has ended."""
    try:
        claims = AccessToken(token).payload
        session_id = str(claims["sid"])
        employee = identity(session_id)
    except (TokenError, KeyError, ValueError):
        return None
    return Bearer(session_id, employee, claims, claims["exp"]) if employee else None


def issue_tokens(session, *, access_lifetime=None):
    """`(access, refresh)` token texts of a session; the claims are for display only."""
    employee = session.employee
    refresh = RefreshToken()
    refresh.payload |= {"jti": session.refresh_id, "sid": session.pk}
    access = AccessToken()
    if access_lifetime:
        access.set_exp(lifetime=access_lifetime)
    access.payload |= {
        "sid": session.pk,
        "userId": employee.pk,
        "email": employee.email,
        "role": employee.role,
        "organizationId": employee.organization_id,
        "permissions": sorted(employee.permissions),
    }
    return str(access), str(refresh)


class SignedLinkAuthentication(BaseAuthentication):
    """A signed link stands for the employee whom it was made for; 403 when it has expired or was edited.

    What that employee may do is asked again. For views that answer such links, before other ways.
    """

    def authenticate(self, request):
        holder = holder_of(request._request)
        if holder is None:
            return None
        employees = Employee.objects.select_related("organization", "team")
        employee = employees.filter(pk=holder, is_active=True).first()
        if employee is None:
            raise PermissionDenied
        employee_id.set(employee.pk)
        return employee, None

    def authenticate_header(self, request):
        return "Bearer"


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; 401 when it is malformed, expired or its session has ended."""

    def authenticate(self, request):
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _space, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise AuthenticationFailed(_("Invalid or expired authentication token"))
        bearer = bearer_of(token.strip())
        if bearer is None:
            raise AuthenticationFailed(_("Invalid or expired authentication token"))
        employee_id.set(bearer.employee.pk)
        return bearer.employee, bearer.claims

    def authenticate_header(self, request):
        return "Bearer"
