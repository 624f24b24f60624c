"""Signing in and out, the caller's own profile, and the people of the organization."""

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response

from config.api.rows import fragments, rows_of
from config.api.serializers import clean_body
from config.api.throttling import client_address
from config.api.viewsets import HubViewSet
from employees import services
from employees.filters import EmployeeFilterSet
from employees.models import Employee, Session
from employees.serializers import (
    DeactivateInput,
    EmployeeInput,
    EmployeeSerializer,
    NewEmployeeInput,
    PasswordInput,
    RefreshInput,
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

    def credentials(self):
        """The employee whom the body names and proves to be; 401 otherwise, 429 after too many tries."""
        body = clean_body(SignInInput, self.request)
        employee = services.check_credentials(**body, address=client_address(self.request))
        if employee is None:
            raise AuthenticationFailed(_("Invalid email or password"))
        return employee

    def login(self, request):
        employee = self.credentials()
        return self.signed_in_answer(employee, *services.sign_in(employee))

    def client_login(self, request):
        try:
            employee = self.credentials()
        except AuthenticationFailed:
            # The client compares this sentence, so it is never translated.
            raise AuthenticationFailed("Invalid credentials") from None
        token, _refresh, _seconds = services.sign_in(employee, can_refresh=False)
        response = Response({"user": client_user(employee), "token": token})
        response.bare = True
        return response

    def refresh(self, request):
        refreshed = services.refresh_session(clean_body(RefreshInput, request)["refreshToken"])
        if refreshed is None:
            raise AuthenticationFailed(_("Invalid or expired refresh token"))
        return self.signed_in_answer(*refreshed)

    def signed_in_answer(self, employee, token, refresh, seconds):
        return self.answer(
            {"token": token, "refreshToken": refresh, "expiresIn": seconds, "user": profile(employee)}
        )

    def logout(self, request):
        services.end_sessions(Session.objects.filter(pk=request.auth["sid"]))
        return self.answer({}, message=_("Signed out"))

    def me(self, request):
        return self.answer({"user": profile(request.user)})

    def client_user(self, request):
        return self.answer(client_user(request.user))


class EmployeeViewSet(HubViewSet):
    resource, collection = "employee", "employees"
    permission, write_permission = "employees.read", "employees.write"
    serializer_class = EmployeeSerializer
    filterset_class = EmployeeFilterSet

    def get_queryset(self):
        return Employee.objects.visible_to(self.request.user)

    def list(self, request):
        employees = self.filterset_class(self.params, self.get_queryset(), request=request).qs
        rows = self.shape.fetch(employees.order_by("name", "pk").values_list("pk", flat=True))
        if not self.params.boolean("includeStats"):
            return self.answer({"employees": fragments(rows)})
        return self.answer({"employees": list(with_stats(rows, workload(employees, request.user)))})

    def create(self, request):
        values = clean_body(NewEmployeeInput, request)
        employee = services.create_employee(request.user, organization=request.user.organization, **values)
        return self.show(employee.pk, status=201, message=_("Employee created"))

    def retrieve(self, request, pk):
        return self.show(self.visible_key())

    def update(self, request, pk):
        employee = self.get_object()
        values = clean_body(EmployeeInput, request, partial=True)
        services.update_employee(employee, actor=request.user, **values)
        return self.show(pk, message=_("Employee updated"))

    def password(self, request, pk):
        services.set_password(self.get_object(), actor=request.user, **clean_body(PasswordInput, request))
        return self.show(pk, message=_("Password changed; all sessions have ended"))

    def deactivate(self, request, pk):
        employee = self.get_object()
        successor_id = clean_body(DeactivateInput, request).get("successorId")
        services.deactivate_employee(employee, actor=request.user, successor_id=successor_id)
        return self.show(pk, message=_("Employee deactivated"))

    def activate(self, request, pk):
        services.activate_employee(self.get_object(), actor=request.user)
        return self.show(pk, message=_("Employee activated"))
