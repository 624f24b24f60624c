"""What the Admin of every model shares: who may do what, whose rows these are, and that services write them."""

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.forms.models import BaseInlineFormSet
from django.http import Http404, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError as BadFilter

from config.api.exceptions import error_of
from config.api.query import QueryParams
from config.backoffice.bulk import too_many
from config.backoffice.forms import REFUSALS, complaints_of, form_of
from config.backoffice.lists import BoundedPaginator, HubChangeList


class HubAdmin(admin.ModelAdmin):
    """A model in the back office.

    `permission`, `write_permission` and `delete_permission` are words of the matrix of roles, as on the API's viewsets;
    one that is None opens nothing. `serializer_class` (and `new_serializer_class`, where a new row takes more) declares
    the form, see `form_of`, whose further arguments are `form_options`. Services write: `add(actor=, values=)`,
    `change(row, actor=, values=)`, `remove(row, actor=)`: a verb without a service has no button.
    `filterset_class` and `known_total` are those of the API's list.
    `buttons` names the bulk actions that a row has on its own page, `panels` functions of (request, row) that give what
    stands beneath its form; `shown` are the columns of a page that its reader may not change.
    """

    change_form_template = "admin/hub/change_form.html"

    permission = write_permission = delete_permission = None
    serializer_class = new_serializer_class = filterset_class = None
    form_options = {}
    add = change = remove = None
    buttons = panels = shown = ()
    # Whether it stands in the menu at the top: what people open all day.
    in_menu = False
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    view_on_site = False

    # --- Who may do what ----------------------------------------------------------------------

    def _may(self, request, permission):
        user = request.user
        return bool(permission and user.is_active and user.is_staff and user.may(permission))

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def has_view_permission(self, request, obj=None):
        return self._may(request, self.permission)

    def has_add_permission(self, request):
        return self.add is not None and self._may(request, self.write_permission)

    def has_change_permission(self, request, obj=None):
        return self.change is not None and self._may(request, self.write_permission)

    def has_delete_permission(self, request, obj=None):
        return self.remove is not None and self._may(request, self.delete_permission or self.write_permission)

    def get_actions(self, request):
        actions = super().get_actions(request)
        return {
            name: action
            for name, action in actions.items()
            if not hasattr(action[0], "permission") or self._may(request, action[0].permission)
        }

    # --- Which rows ---------------------------------------------------------------------------

    def get_queryset(self, request):
        return self.model.objects.visible_to(request.user)

    def lookup_allowed(self, lookup, value, request):
        """None: a list is narrowed by its filters. By any column, even hidden ones could be guessed."""
        return False

    def get_object(self, request, object_id, from_field=None):
        """The row if it is the caller's; one that is not is not there."""
        try:
            return self.get_queryset(request).filter(pk=self.model._meta.pk.to_python(object_id)).first()
        except (ValidationError, ValueError):
            return None

    def get_changelist(self, request, **options):
        return HubChangeList if self.filterset_class else super().get_changelist(request, **options)

    def scope_is_small(self, request):
        """Whether the caller sees a small part of the table even without filters."""
        return True

    def known_total(self, request, filterset):
        """How many rows a list holds, where that is kept and need not be counted; else None."""
        return None

    def rows_of_page(self, queryset, keys):
        """The rows of a page, with what the list shows of others, in the order of its ids."""
        rows = self.model._base_manager.select_related(*(self.list_select_related or ())).in_bulk(keys)
        return [rows[key] for key in keys if key in rows]

    def get_search_results(self, request, queryset, search_term):
        """What an autocomplete offers: the API's own search, in the order of the list.

        What nobody can be called finds nobody.
        """
        found, is_repeated = self._search_results(request, queryset, search_term)
        return found.order_by(*self.get_ordering(request), "pk"), is_repeated

    def _search_results(self, request, queryset, search_term):
        if not self.filterset_class or "search" not in self.filterset_class.base_filters or not search_term:
            return super().get_search_results(request, queryset, search_term)
        params = QueryParams(QueryDict())
        params["search"] = [search_term]
        try:
            return self.filterset_class(params, queryset, request=request).qs, False
        except BadFilter:
            return queryset.none(), False

    # --- The form -----------------------------------------------------------------------------

    def get_form(self, request, obj=None, change=False, **options):
        declared = (obj is None and self.new_serializer_class) or self.serializer_class
        if declared is None or self._is_only_shown(request, obj):
            return super().get_form(request, obj, change=change, **options)
        form = _form_of(declared, self.model, type(self))
        made = super().get_form(request, obj, change=change, form=form, **options)
        made.request, made.refusal = request, getattr(request, "refusal", None)
        return made

    def get_fieldsets(self, request, obj=None):
        if self._is_only_shown(request, obj):
            return [(None, {"fields": self.shown or [field.name for field in self.model._meta.concrete_fields]})]
        return super().get_fieldsets(request, obj)

    def get_inlines(self, request, obj):
        """None yet for a new row: what hangs on it comes after it."""
        return self.inlines if obj else ()

    def _is_only_shown(self, request, obj):
        return obj is not None and not self.has_change_permission(request, obj)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Django's, but for what a service refuses: nothing is written, and the form says why."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except REFUSALS as refusal:
            if request.method != "POST" or isinstance(refusal, Http404):
                raise
            status, _error = error_of(refusal, request=request)
            if status >= 500:
                raise
            request.refusal = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            buttons = [(name, self.get_action(name)) for name in self.buttons_of(obj)]
            context["buttons"] = [
                (reverse(f"admin:{self._route}_button", args=[quote(obj.pk), name]), label)
                for name, (button, _name, label) in buttons
                if self._may(request, button.permission)
            ]
            context["panels"] = [panel(request, obj) for panel in self.panels]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        if change and not form.values:
            return
        if change:
            saved = self.change(obj, actor=request.user, values=dict(form.values))
        else:
            saved = self.add(actor=request.user, values=dict(form.values))
            # What Django goes on with is the row that the service has made.
            obj.__dict__.update(saved.__dict__)
        for warning in getattr(saved, "warnings", None) or ():
            messages.warning(request, warning["message"])

    def delete_view(self, request, object_id, extra_context=None):
        return self._or_why_not(request, super().delete_view, object_id, extra_context)

    def response_action(self, request, queryset):
        return self._or_why_not(request, super().response_action, queryset)

    def _or_why_not(self, request, view, *arguments):
        """What a view answers, or the same page again with what a service has refused."""
        try:
            return view(request, *arguments)
        except REFUSALS as refusal:
            if isinstance(refusal, (Http404, PermissionDenied)):
                raise
            for complaint in complaints_of(refusal, request):
                messages.error(request, complaint["message"])
            return redirect(request.get_full_path())

    def delete_model(self, request, obj):
        self.remove(obj, actor=request.user)

    def delete_queryset(self, request, queryset):
        """All of them or none."""
        with transaction.atomic():
            for row in queryset.order_by("pk"):
                try:
                    self.remove(row, actor=request.user)
                except REFUSALS as refusal:
                    reasons = "; ".join(complaint["message"] for complaint in complaints_of(refusal, request))
                    said = {"row": row, "reason": reasons}
                    raise ValidationError(_("Nothing was deleted. %(row)s: %(reason)s") % said) from None

    def get_deleted_objects(self, objs, request):
        """What is to be confirmed: the rows alone. What hangs on them, thousands perhaps, is the services' business.

        Raises ValidationError for more rows than a bulk call of the API may name.
        """
        limit = request.user.bulk_limit
        if len(objs[: limit + 1]) > limit:
            raise ValidationError(too_many(limit))
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def save_formset(self, request, form, formset, change):
        """New rows of an inline, one by one through their service."""
        inline = next(one for one in self.get_inline_instances(request, form.instance) if one.model is formset.model)
        for extra in formset.extra_forms:
            if not extra.has_changed():
                continue
            try:
                inline.add(form.instance, actor=request.user, values=dict(extra.values))
            except REFUSALS as refusal:
                refusal.prefix = extra.prefix
                raise

    # --- Buttons of a row ---------------------------------------------------------------------

    @property
    def _route(self):
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def get_urls(self):
        button = self.admin_site.admin_view(self.button_view)
        return [path("<path:object_id>/do/<str:name>/", button, name=f"{self._route}_button"), *super().get_urls()]

    def buttons_of(self, row):
        """The names of the buttons that a row has as it stands."""
        return self.buttons

    def button_view(self, request, object_id, name):
        """A bulk action upon one row: what is to be done is asked for, then the row is shown again."""
        row = self.get_object(request, unquote(object_id))
        if row is None or name not in self.buttons_of(row):
            raise Http404
        button, _name, _label = self.get_action(name)
        if not self._may(request, button.permission):
            raise PermissionDenied
        answer = button(self, request, self.model._base_manager.filter(pk=row.pk))
        return answer or redirect(f"admin:{self._route}_change", quote(row.pk))

    # --- The audit has it ---------------------------------------------------------------------

    def history_of(self, row, viewer):
        """What was done to a row, newest first, in words; see customers.history.labelled."""
        return import_string(settings.BACK_OFFICE["history"])(self.model._meta.db_table, row.pk, viewer)

    def history_view(self, request, object_id, extra_context=None):
        """The audit of a row, for those who may see who changed what."""
        row = self.get_object(request, unquote(object_id))
        may = self.has_view_permission(request, row) and self._may(request, "customers.history")
        if row is None or not may:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("History"),
            "subtitle": str(row),
            "opts": self.opts,
            "object": row,
            "entries": self.history_of(row, request.user),
        }
        return TemplateResponse(request, "admin/hub/history.html", context)

    def construct_change_message(self, request, form, formsets, add=False):
        return ""

    def log_addition(self, request, obj, message):
        """Triggers write what was done; Django's own log would keep names for ever."""

    log_change = log_addition

    def log_deletions(self, request, queryset):
        """See log_addition."""


class ReadOnlyAdmin(HubAdmin):
    """Rows that the hub itself writes, in the order of `ordering`; of the caller's organization."""

    def get_queryset(self, request):
        return self.model._base_manager.filter(organization_id=request.user.organization_id)


class InternalAdmin(ReadOnlyAdmin):
    """A table that only the hub's own machinery knows: for superusers, who look for what has gone wrong."""

    actions = None

    def has_view_permission(self, request, obj=None):
        return request.user.is_active and request.user.is_superuser

    def get_list_display(self, request):
        return [field.name for field in self.model._meta.concrete_fields]

    def get_queryset(self, request):
        return self.model._base_manager.all()


class _NewRows(BaseInlineFormSet):
    """Django makes the empty line anew for each of the five that ask for it."""

    @cached_property
    def empty_form(self):
        return super().empty_form


class HubInline(admin.StackedInline):
    """What hangs on a row: the newest of them to look at and follow, and empty lines for new ones, which `add` writes.

    Those that are there are changed on their own pages: a form for each would make a page of a thousand fields.
    """

    template, formset = "admin/hub/related.html", _NewRows
    extra, newest, order = 0, 8, "-created_at"
    # How many new ones at once: as many as anybody writes by hand.
    max_num = 20
    permission, write_permission = "customers.read", "customers.write"
    serializer_class, form_options = None, {}
    columns = list_select_related = ()
    # What the list of all of them calls their parent, where that is not the name of the column.
    parameter = None
    add = None

    def has_view_permission(self, request, obj=None):
        return request.user.may(self.permission)

    def has_add_permission(self, request, obj):
        return self.add is not None and obj is not None and request.user.may(self.write_permission)

    has_change_permission = has_delete_permission = lambda self, request, obj=None: False

    def get_queryset(self, request):
        """Nothing to edit here; see rows_of."""
        return self.model._base_manager.none()

    def rows_of(self, parent):
        """The newest rows, with what their columns show, and how many more there are."""
        rows = self.model._base_manager.filter(**{self.fk: parent}).order_by(self.order)
        rows = rows.select_related(*self.list_select_related) if self.list_select_related else rows
        found = list(rows[: self.newest + 1])
        return found[: self.newest], len(found) > self.newest

    @property
    def fk(self):
        return self.fk_name or "customer"

    def get_formset(self, request, obj=None, **options):
        if self.serializer_class:
            options["form"] = made = type("Form", (_form_of(self.serializer_class, self.model, type(self)),), {})
            made.request, made.refusal = request, getattr(request, "refusal", None)
            options["fields"] = list(made.base_fields)
        return super().get_formset(request, obj, absolute_max=self.max_num, **options)


def _form_of(declared, model, admin_class):
    key = f"_{declared.__name__}Form"
    if key not in admin_class.__dict__:
        setattr(admin_class, key, form_of(declared, model, **admin_class.form_options))
    return admin_class.__dict__[key]


def column(name, label, show=None):
    """A column of a list or of a page, where the model has no name for it or shows it otherwise."""

    @admin.display(description=label, ordering=name)
    def cell(row):
        return show(row) if show else getattr(row, name)

    cell.__name__ = name
    return cell


def badge(kind, label):
    """A word that is told apart by its colour, such as a priority."""
    return format_html('<span class="hub-badge hub-{}">{}</span>', kind, label)


def ltr(text):
    """A phone, an id or an e-mail, which read from left to right on any page."""
    return format_html('<bdi dir="ltr">{}</bdi>', text) if text else "–"
