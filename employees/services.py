"""Every write about people: signing in and out, sessions, hiring, changing and letting go."""

import hashlib
import unicodedata
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session as BrowserSession
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from config.api import throttling
from config.audit import recorded
from config.db import held, lock, new_id, removed, save_changes
from config.signals import changed
from employees.authentication import forget_identities, issue_tokens
from employees.choices import Role
from employees.models import Employee, Organization, Session, Team

# Two tabs that refresh the same token together: the slower one is not a thief.
SPENT_GRACE = timedelta(seconds=10)
MAX_PASSWORD = 256
SESSIONS_KEPT = timedelta(days=30)
SIGN_INS_OF_AN_ACCOUNT = throttling.Limit(per_minute=5, burst=10)
SIGN_INS_OF_AN_ADDRESS = throttling.Limit(per_minute=50, burst=50)
# An office of a hundred behind one address, whose tabs all wake at nine.
SESSION_CALLS_OF_AN_ADDRESS = throttling.Limit(per_minute=60, burst=120)


def check_credentials(email, password, *, address):
    """The active employee with this e-mail and password, or None.

    Unknown, inactive and wrong cost the same one password hash. Raises Throttled (429)
    before hashing when this address or this account was tried too often.
    """
    throttling.require(f"signin:address:{address}", SIGN_INS_OF_AN_ADDRESS)
    _count_try(email)
    return authenticate(username=email.strip(), password=_tried(password))


def is_password_of(employee, password):
    """Whether this is the employee's password. Raises Throttled (429) when the account was tried too often."""
    _count_try(employee.email)
    return employee.check_password(_tried(password))


def _count_try(email):
    account = hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]
    throttling.require(f"signin:account:{account}", SIGN_INS_OF_AN_ACCOUNT)


def _tried(password):
    return "" if len(password) > MAX_PASSWORD else normal_password(password)


def normal_password(password):
    """A password in the one form in which it is kept and compared, however a keyboard writes it."""
    return unicodedata.normalize("NFC", password)


def count_session_call(address):
    """Raises Throttled (429) when an address refreshes or signs out too often; neither says yet who it is."""
    throttling.require(f"session:address:{address}", SESSION_CALLS_OF_AN_ADDRESS)


def start_session(employee):
    """A new Session of an employee, live for as long as its refresh token may be used."""
    return Session.objects.create(
        employee=employee,
        refresh_id=new_id("rt"),
        expires_at=timezone.now() + settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"],
    )


def access_lifetime(*, can_refresh=True):
    """How long an access token lives: a day where the client cannot refresh and in the demo."""
    if can_refresh and not settings.DEMO:
        return settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]
    return settings.LONG_ACCESS_TOKEN_LIFETIME


def sign_in(employee, *, can_refresh=True):
    """`(access, refresh, seconds until the access token expires)` in a new session."""
    lifetime = access_lifetime(can_refresh=can_refresh)
    access, refresh = issue_tokens(start_session(employee), access_lifetime=lifetime)
    return access, refresh, int(lifetime.total_seconds())


def refresh_session(token):
    """Trade a refresh token for a new pair: `(employee, access, refresh, seconds)`, or None.

    Each refresh token works once; of parallel calls one wins. One that was spent less
    than ten seconds ago is refused and nothing more, an older one ends the session:
    somebody else has had it.
    """
    try:
        claims = RefreshToken(token).payload
        session_id, refresh_id = str(claims["sid"]), str(claims["jti"])
    except (TokenError, KeyError, ValueError):
        return None
    now = timezone.now()
    lifetime = settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]
    successor = new_id("rt")
    # No join here: behind one, PostgreSQL would not look again at a row that it had to wait for, and two would win.
    live = Session.objects.filter(pk=session_id, refresh_id=refresh_id, ended_at=None, expires_at__gt=now)
    won = live.update(refresh_id=successor, spent_refresh_id=refresh_id, refreshed_at=now, expires_at=now + lifetime)
    if not won:
        just_spent = Q(spent_refresh_id=refresh_id, refreshed_at__gt=now - SPENT_GRACE)
        end_sessions(Session.objects.filter(pk=session_id).exclude(refresh_id=refresh_id).exclude(just_spent))
        return None
    session = Session.objects.select_related("employee__organization").get(pk=session_id)
    if not session.employee.is_active:
        return None
    lifetime = access_lifetime()
    access, refresh = issue_tokens(session, access_lifetime=lifetime)
    return session.employee, access, refresh, int(lifetime.total_seconds())


def sign_out(session_id):
    """End one session."""
    end_sessions(Session.objects.filter(pk=session_id))


def sign_out_with(refresh_token):
    """End the session of a live refresh token; returns whether there was one."""
    try:
        claims = RefreshToken(refresh_token).payload
        theirs = Session.objects.filter(pk=str(claims["sid"]), refresh_id=str(claims["jti"]))
    except (TokenError, KeyError, ValueError):
        return False
    return bool(end_sessions(theirs))


def end_sessions(sessions):
    """End sessions with their access and refresh tokens; returns how many were live."""
    ended = sessions.filter(ended_at=None).update(ended_at=timezone.now())
    forget_identities()
    return ended


def _end_browser_sessions(employee):
    """Sign an employee out of the back office. A new password does so by itself: the sessions name the old one."""
    live = BrowserSession.objects.filter(expire_date__gt=timezone.now())
    theirs = [session.pk for session in live if session.get_decoded().get(SESSION_KEY) == employee.pk]
    BrowserSession.objects.filter(pk__in=theirs).delete()


def expired_sessions(before=None):
    """Sessions that expired before a moment, by default a month ago, and those of browsers that have expired at all."""
    theirs = Session.objects.filter(expires_at__lt=before or timezone.now() - SESSIONS_KEPT)
    return theirs, BrowserSession.objects.filter(expire_date__lt=timezone.now())


def prune_sessions(before=None):
    """Remove these; yields how many, a batch at a time."""
    for sessions in expired_sessions(before):
        yield from removed(sessions)


def keep(*employee_ids):
    """Hold employees as they are until the end of the transaction: who lets one go or changes a role waits.

    Called before anybody is given something, and before its rows are held: whoever lets an
    employee go holds the employee first, and then what was theirs.
    """
    keys = sorted({key for key in employee_ids if key})
    if keys:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM employees WHERE id = ANY(%s) ORDER BY id FOR SHARE", [keys])


def not_of_yours(actor):
    """What is said of somebody whom the actor may not choose: the whole organization is there for admins alone."""
    if actor.is_admin:
        return _("Must be an active employee of your organization")
    return _("Must be an active employee of your team")


def create_organization(*, name, **values):
    """A brokerage with its default team."""
    with recorded(None):
        organization = Organization.objects.create(name=name, **values)
        Team.objects.create(organization=organization, name="المبيعات", name_en="Sales", is_default=True)
        return organization


def update_organization(organization, *, actor, values):
    """Change how an organization works. Raises PreconditionFailed (412) for a stale `If-Match`."""
    with recorded(actor):
        organization = lock(organization)
        changes = save_changes(organization, **values)
        if changes:
            changed.send(Organization, rows=[organization], kind="updated", changes=[changes], actor=actor)
    return organization


def default_team(organization_id):
    """The team that an employee joins when none is named."""
    return Team.objects.get(organization_id=organization_id, is_default=True)


def create_team(*, actor, values):
    """A team of the actor's organization. Raises ValidationError (409) for a name that another team has."""
    with _team_reported(), recorded(actor):
        return Team.objects.create(organization_id=actor.organization_id, **values)


def update_team(team, *, actor, values):
    """Call a team otherwise. Raises what create_team raises."""
    with _team_reported(), recorded(actor):
        team = lock(team, among=Team.objects.visible_to(actor))
        save_changes(team, **values)
    return team


def remove_team(team, *, actor):
    """Remove a team that nobody is in. Raises ValidationError (422) for one with members, and for the default team."""
    with recorded(actor):
        team = lock(team, among=Team.objects.visible_to(actor))
        if team.is_default:
            raise ValidationError(_("The default team stays: new employees join it"))
        if team.members.exists():
            raise ValidationError(_("The team has members; let them join another one first"))
        team.delete()


def create_employee(actor, *, organization, password=None, **values):
    """Hire somebody. Without a password nobody can sign in as them. Raises ValidationError (409) for a taken e-mail."""
    if "team_id" not in values:
        values["team_id"] = default_team(organization.pk).pk
    _check_team(organization.pk, values)
    values["email"] = values["email"].lower()
    employee = Employee(organization=organization, **values)
    _put_password(employee, password)
    with _email_reported(), recorded(actor):
        employee.save(force_insert=True)
        changed.send(Employee, rows=[employee], kind="created", changes=[{}], actor=actor)
    return employee


def update_employee(employee, *, actor, **values):
    """Change an employee's data, role or team.

    Raises ValidationError: 409 for a taken e-mail, 422 if no admin would be left; PermissionDenied: see _refuse_below.
    """
    _check_team(employee.organization_id, values)
    if "email" in values:
        values["email"] = values["email"].lower()
    with _email_reported(), recorded(actor):
        admins = _lock_admins(employee.organization_id)
        employee = lock(employee)
        if any(values.get(name, getattr(employee, name)) != getattr(employee, name) for name in ("email", "role")):
            _refuse_below(employee, actor)
        if values.get("role", employee.role) != employee.role:
            _refuse_last(admins, employee)
        changes = save_changes(employee, **values)
        if changes:
            changed.send(Employee, rows=[employee], kind="updated", changes=[changes], actor=actor)
    return employee


def set_password(employee, password, *, actor):
    """Give an employee a new password and end all their sessions. Raises PermissionDenied: see _refuse_below."""
    _put_password(employee, password)
    with recorded(actor):
        _refuse_below(lock(employee), actor)
        employee.save(update_fields=["password"])
        end_sessions(employee.sessions.all())
        transaction.on_commit(forget_identities)


def deactivate_employee(employee, *, actor, successor_id=None):
    """Let an employee go: sessions end, and what was theirs goes to a successor or becomes unassigned.

    The apps that own such rows move them when they hear of it (`successor` travels with
    `changed`). Raises ValidationError (422) for an impossible successor or the last admin,
    PermissionDenied: see _refuse_below.
    """
    with recorded(actor):
        admins = _lock_admins(employee.organization_id)
        employee = lock(employee)
        _refuse_below(employee, actor)
        if not employee.is_active:
            return employee
        successor = None
        if successor_id:
            keep(successor_id)
            others = Employee.objects.active().exclude(pk=employee.pk)
            successor = others.filter(organization_id=employee.organization_id, pk=successor_id).first()
            if successor is None:
                raise ValidationError({"successorId": _("The successor must be another active employee")})
        _refuse_last(admins, employee)
        changes = save_changes(employee, is_active=False)
        end_sessions(employee.sessions.all())
        _end_browser_sessions(employee)
        changed.send(Employee, rows=[employee], kind="updated", changes=[changes], actor=actor, successor=successor)
    return employee


def activate_employee(employee, *, actor):
    """Let an employee sign in again. Raises PermissionDenied: see _refuse_below."""
    with recorded(actor):
        employee = lock(employee)
        _refuse_below(employee, actor)
        changes = save_changes(employee, is_active=True)
        if changes:
            changed.send(Employee, rows=[employee], kind="updated", changes=[changes], actor=actor)
    return employee


def sign_in_as(email):
    """An access token for a person of the demo, for the command line."""
    return sign_in(Employee.objects.get_by_natural_key(email))[0]


@contextmanager
def _email_reported():
    """Turn a violation of the e-mail's uniqueness into a 409."""
    try:
        yield
    except IntegrityError as error:
        if "employee_email_unique" not in str(error):
            raise
        message = _("An employee with this email exists already")
        raise ValidationError(message, code="duplicate", params={"field": "email"}) from None


@contextmanager
def _team_reported():
    """Turn a violation of the uniqueness of a team's name into a 409."""
    try:
        yield
    except IntegrityError as error:
        if "team_name_unique" not in str(error):
            raise
        message = _("A team with this name exists already")
        raise ValidationError(message, code="duplicate", params={"field": "name"}) from None


def _check_team(organization_id, values):
    team_id = values.get("team_id")
    if team_id and not Team.objects.filter(organization_id=organization_id, pk=team_id).exists():
        raise ValidationError({"teamId": _("The organization has no such team")})


def _put_password(employee, password):
    if password is None:
        employee.set_unusable_password()
        return
    password = normal_password(password)
    if len(password) > MAX_PASSWORD:
        raise ValidationError({"password": _("At most %(count)d characters") % {"count": MAX_PASSWORD}})
    try:
        validate_password(password, employee)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
    employee.set_password(password)


def _refuse_below(employee, actor):
    """Raise PermissionDenied where an admin of one organization would decide who signs in as a superuser of all."""
    if actor and employee.is_superuser and not actor.is_superuser:
        raise PermissionDenied("superuser")


def _lock_admins(organization_id):
    """The ids of the active admins, held in id order: two who demote each other must not both succeed."""
    admins = Employee.objects.filter(organization_id=organization_id, role=Role.ADMIN, is_active=True)
    return list(held(admins).values_list("pk", flat=True))


def _refuse_last(admins, employee):
    if admins == [employee.pk]:
        raise ValidationError({"role": _("The organization needs at least one active admin")})
