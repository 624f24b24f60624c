"""The site map. RequestMiddleware brings every accepted prefix of the API to /api/v1/ first."""

from django.contrib import admin
from django.shortcuts import redirect
from django.urls import include, path, re_path, register_converter
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularSwaggerSplitView

from config import health
from config.api.exceptions import unknown_route
from config.api.locations import LocationViewSet
from config.openapi import SchemaView


class IdConverter:
    """An id of the API: anything else in its place is an unknown route."""

    regex = "[A-Za-z0-9_-]{1,50}"
    to_python = to_url = staticmethod(str)


register_converter(IdConverter, "id")

api = [
    path("schema", SchemaView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("locations/regions", LocationViewSet.as_view({"get": "regions"}), name="locations-regions"),
    path("locations/cities", LocationViewSet.as_view({"get": "cities"}), name="locations-cities"),
    path("", include("employees.urls")),
    path("", include("actions.urls")),
    path("", include("documents.urls")),
    path("", include("customers.urls")),
    path("", include("realtime.urls")),
    re_path("", unknown_route, name="unknown"),
]

urlpatterns = [
    path("admin/language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("", lambda request: redirect("docs"), name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", include(api)),
]
