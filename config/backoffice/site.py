"""The back office itself: who gets in, what its first page shows, and in which order its rooms stand."""

from functools import wraps

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import QueryDict
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError

from config.api.parsers import check_text

# What people open all day first; the rest follows by app.
ORDER = ["customers", "actions", "documents", "employees", "realtime", "config"]


class _Autocomplete(AutocompleteJsonView):
    def process_request(self, request):
        term, model_admin, field, name = super().process_request(request)
        if not field.concrete:
            # What points here from elsewhere; Django's goes wrong there.
            raise PermissionDenied
        return term, model_admin, field, name


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

    def admin_view(self, view, cacheable=False):
        """Django's, for requests of which PostgreSQL can store every word."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def checked(request, *args, **kwargs):
            texts = [request.path_info]
            # A form is told of the filters of the list that it was opened from: a query string within the other.
            within = QueryDict(request.GET.get("_changelist_filters", ""))
            for name, values in [*request.GET.lists(), *request.POST.lists(), *within.lists()]:
                texts += [name, *values]
            try:
                for text in texts:
                    check_text(text)
            except ParseError as error:
                raise BadRequest(error.detail) from None
            return inner(request, *args, **kwargs)

        return checked

    def autocomplete_view(self, request):
        return _Autocomplete.as_view(admin_site=self)(request)

    def password_change(self, request, extra_context=None):
        """A new password of one's own, by the service that sets everybody's."""
        view = PasswordChangeView.as_view(
            form_class=import_string(settings.BACK_OFFICE["password"]),
            template_name="registration/password_change_form.html",
            success_url=reverse("admin:password_change_done"),
            extra_context=self.each_context(request) | (extra_context or {}),
        )
        request.current_app = self.name
        return view(request)

    def index(self, request, extra_context=None):
        dashboard = import_string(settings.BACK_OFFICE["dashboard"])(request.user)
        return super().index(request, {"dashboard": dashboard, **(extra_context or {})})

    def get_app_list(self, request, app_label=None):
        apps = super().get_app_list(request, app_label)
        for app in apps:
            for model in app["models"]:
                model["in_menu"] = getattr(self._registry[model["model"]], "in_menu", False)
        return sorted(apps, key=lambda app: ORDER.index(app["app_label"]) if app["app_label"] in ORDER else len(ORDER))
