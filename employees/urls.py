"""The routes of sessions and employees."""

from django.urls import path

from employees.views import EmployeeViewSet, OrganizationViewSet, SessionViewSet

_ONE = {"get": "retrieve", "patch": "update", "put": "update"}

urlpatterns = [
    path("auth/login", SessionViewSet.as_view({"post": "login"}, public=True), name="auth-login"),
    path("auth/refresh", SessionViewSet.as_view({"post": "refresh"}, public=True), name="auth-refresh"),
    path("auth/logout", SessionViewSet.as_view({"post": "logout"}, public=True), name="auth-logout"),
    path("auth/me", SessionViewSet.as_view({"get": "me"}, signed_in=True), name="auth-me"),
    path("login", SessionViewSet.as_view({"post": "client_login"}, public=True), name="client-login"),
    path("user", SessionViewSet.as_view({"get": "client_user"}, signed_in=True), name="client-user"),
    path("organization", OrganizationViewSet.as_view(_ONE), name="organization"),
    path("employees", EmployeeViewSet.as_view({"get": "list", "post": "create"}), name="employees"),
    path("employees/<id:pk>", EmployeeViewSet.as_view(_ONE), name="employee"),
    path("employees/<id:pk>/password", EmployeeViewSet.as_view({"post": "password"}), name="employee-password"),
    path("employees/<id:pk>/deactivate", EmployeeViewSet.as_view({"post": "deactivate"}), name="employee-deactivate"),
    path("employees/<id:pk>/activate", EmployeeViewSet.as_view({"post": "activate"}), name="employee-activate"),
]
