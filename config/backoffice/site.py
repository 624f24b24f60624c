"""The back office itself: who gets in, what its first page shows, and in which order its rooms stand."""

from django.conf import settings
from django.contrib import admin
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

# What people open all day first; the rest follows by app.
ORDER = ["customers", "actions", "documents", "employees", "realtime", "config"]


class BackOffice(admin.AdminSite):
    """Django's Admin for admins and managers, in Arabic first."""

    site_title = site_header = _("Customers Hub")
    index_title = _("Today")
    site_url = None
    enable_nav_sidebar = False
    empty_value_display = "–"
    final_catch_all_view = True

    @property
    def login_form(self):
        return import_string(settings.BACK_OFFICE["sign_in"])

    def has_permission(self, request):
        return request.user.is_active and request.user.is_staff

    def index(self, request, extra_context=None):
        dashboard = import_string(settings.BACK_OFFICE["dashboard"])(request.user)
        return super().index(request, {"dashboard": dashboard, **(extra_context or {})})

    def get_app_list(self, request, app_label=None):
        apps = super().get_app_list(request, app_label)
        for app in apps:
            for model in app["models"]:
                model["in_menu"] = getattr(self._registry[model["model"]], "in_menu", False)
        return sorted(apps, key=lambda app: ORDER.index(app["app_label"]) if app["app_label"] in ORDER else len(ORDER))
