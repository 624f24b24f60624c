"""Signing in and out, the caller's own profile, the organization and its people."""

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated

from config.api.rows import fragments, rows_of
from config.api.throttling import client_address
from config.api.viewsets import HubViewSet
from employees import services
from employees.filters import EmployeeFilterSet
from employees.models import Employee, Organization
from employees.serializers import (
    ClientSignedInSerializer,
    ClientUserSerializer,
    DeactivateInput,
    EmployeeChangesInput,
    EmployeeSerializer,
    EmployeeWithStatsSerializer,
    LogoutInput,
    NewEmployeeInput,
    OrganizationInput,
    OrganizationSerializer,
    PasswordInput,
    ProfileSerializer,
    RefreshInput,
    SignedInSerializer,
    SignInInput,
)
from employees.stats import workload


def profile(employee):
    """The caller as `/auth/me` and sign-in show them."""
    ((text, *_rest),) = rows_of(EmployeeSerializer).fetch([employee.pk])
    return orjson.loads(text) | {
        "organizationId": employee.organization_id,
        "organizationName": employee.organization.name,
        "permissions": sorted(employee.permissions),
    }


def client_user(employee):
    """The caller in the words of the client's older sign-in."""
    first_name, _space, last_name = employee.name.partition(" ")
    return {
        "id": employee.pk,
        "email": employee.email,
        "username": employee.email,
        "first_name": first_name,
        "last_name": last_name,
        "onboarding_completed": True,
        "role": employee.role,
        "account_type": "tenant" if employee.is_admin else "employee",
        "tenant_id": employee.organization_id,
        "company_name": employee.organization.name,
        "permissions": sorted(employee.permissions),
    }


def with_stats(rows, counts):
    """Rendered employees with the workload of those that have one."""
    for text, *_rest in rows:
        employee = orjson.loads(text)
        if employee["id"] in counts:
            employee["stats"] = counts[employee["id"]]
        yield employee


class SessionViewSet(HubViewSet):
    """Signing in, staying in, signing out."""

    bodies = {"login": SignInInput, "client_login": SignInInput, "refresh": RefreshInput, "logout": LogoutInput}
    answers = {
        "login": SignedInSerializer,
        "client_login": ClientSignedInSerializer,
        "refresh": SignedInSerializer,
        "logout": {},
        "me": {"user": ProfileSerializer},
        "client_user": ClientUserSerializer,
    }
    bare = {"client_login"}

    def credentials(self):
        """The employee whom the body names and proves to be; 401 otherwise, 429 after too many tries."""
        body = self.body()
        employee = services.check_credentials(**body, address=client_address(self.request))
        if employee is None:
            raise AuthenticationFailed(_("Invalid email or password"))
        return employee

    def login(self, request):
        """Sign in with e-mail and password."""
        employee = self.credentials()
        return self.signed_in_answer(employee, *services.sign_in(employee))

    def client_login(self, request):
        """Sign in as the web client does today: the answer has no envelope, the token lives for a day."""
        try:
            employee = self.credentials()
        except AuthenticationFailed:
            # The client compares this sentence, so it is never translated.
            raise AuthenticationFailed("Invalid credentials") from None
        token, _refresh, _seconds = services.sign_in(employee, can_refresh=False)
        return self.answer({"user": client_user(employee), "token": token})

    def refresh(self, request):
        """Trade a refresh token, which works once, for a new pair of tokens."""
        services.count_session_call(client_address(request))
        refreshed = services.refresh_session(self.body()["refreshToken"])
        if refreshed is None:
            raise AuthenticationFailed(_("Invalid or expired refresh token"))
        return self.signed_in_answer(*refreshed)

    def signed_in_answer(self, employee, token, refresh, seconds):
        return self.answer({"token": token, "refreshToken": refresh, "expiresIn": seconds, "user": profile(employee)})

    def logout(self, request):
        """End this session and both its tokens; where the access token has expired, the refresh token will do."""
        services.count_session_call(client_address(request))
        token = self.body().get("refreshToken")
        if not (token and services.sign_out_with(token)):
            if request.user is None:
                raise NotAuthenticated
            services.sign_out(request.auth["sid"])
        return self.answer({}, message=_("Signed out"))

    def me(self, request):
        """The caller's own profile and permissions."""
        return self.answer({"user": profile(request.user)})

    def client_user(self, request):
        """The caller in the words of the web client of today."""
        return self.answer(client_user(request.user))


class OrganizationViewSet(HubViewSet):
    """The caller's own organization."""

    resource = collection = "organization"
    permission, write_permission = "employees.read", "settings.write"
    serializer_class = OrganizationSerializer
    bodies = {"update": OrganizationInput}

    def get_queryset(self):
        return Organization.objects.visible_to(self.request.user)

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        self.kwargs["pk"] = request.user.organization_id  # the route names none: there is one

    def retrieve(self, request, pk):
        """How the organization works: its calendar, its licence, what it asks for before a customer moves on."""
        return self.show(self.visible_key())

    def update(self, request, pk):
        """Change what is named."""
        organization = self.get_object()
        values = self.body(partial=True, instance=organization)
        services.update_organization(organization, actor=request.user, values=values)
        return self.show(pk, message=_("Settings saved"))


class EmployeeViewSet(HubViewSet):
    resource, collection = "employee", "employees"
    permission, write_permission = "employees.read", "employees.write"
    serializer_class = EmployeeSerializer
    filterset_class = EmployeeFilterSet
    bodies = {
        "create": NewEmployeeInput,
        "update": EmployeeChangesInput,
        "password": PasswordInput,
        "deactivate": DeactivateInput,
    }
    answers = {"list": {"employees": EmployeeWithStatsSerializer(many=True)}}
    extra_params = {"list": {"includeStats": {"type": "boolean", "description": "Add each employee's workload"}}}
    cached = {"list": 900, "retrieve": 900}

    def lifetime(self):
        return None if "includeStats" in self.params else super().lifetime()

    def get_queryset(self):
        return Employee.objects.visible_to(self.request.user)

    def list(self, request):
        """Employees to choose from: an admin sees the organization, others their team."""
        employees = self.filterset_class(self.params, self.get_queryset(), request=request).qs
        rows = self.shape.fetch(employees.order_by("name", "pk").values_list("pk", flat=True))
        if not self.params.boolean("includeStats"):
            return self.answer({"employees": fragments(rows)})
        return self.answer({"employees": list(with_stats(rows, workload(employees, request.user)))})

    def create(self, request):
        """Hire somebody. Without a password nobody can sign in as them yet."""
        values = self.body()
        employee = services.create_employee(request.user, organization=request.user.organization, **values)
        return self.show(employee.pk, status=201, message=_("Employee created"))

    def retrieve(self, request, pk):
        """One employee."""
        return self.show(self.visible_key())

    def update(self, request, pk):
        """Change data, role or team."""
        employee = self.get_object()
        values = self.body(partial=True, instance=employee)
        services.update_employee(employee, actor=request.user, **values)
        return self.show(pk, message=_("Employee updated"))

    def password(self, request, pk):
        """Set a new password; all sessions of the employee end."""
        services.set_password(self.get_object(), actor=request.user, **self.body())
        return self.show(pk, message=_("Password changed; all sessions have ended"))

    def deactivate(self, request, pk):
        """Let somebody go. What was theirs goes to `successorId`, or becomes unassigned."""
        employee = self.get_object()
        successor_id = self.body().get("successorId")
        services.deactivate_employee(employee, actor=request.user, successor_id=successor_id)
        return self.show(pk, message=_("Employee deactivated"))

    def activate(self, request, pk):
        """Let somebody sign in again."""
        services.activate_employee(self.get_object(), actor=request.user)
        return self.show(pk, message=_("Employee activated"))
