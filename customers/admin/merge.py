"""Two customers who are one, in the back office: who may be, side by side, merged, and taken back."""

import re

from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_field, quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from config.audit import record_disclosure
from config.backoffice.admin import HubAdmin, HubInline
from config.backoffice.bulk import Unasked, bulk_action
from config.backoffice.forms import REFUSALS, complaints_of
from customers.duplicates import duplicate_pairs, duplicates_of
from customers.models import Customer, CustomerMerge
from customers.serializers.merge import CHOICES
from customers.services import merge as services

REASONS = {
    "phone": _("The same number"),
    "name_city": _("The same name in the same city"),
    "nationalId": _("The same national ID"),
    "email": _("The same e-mail"),
}
PAIRS = 50
# What people tell customers apart by, of what may be chosen; documents and lists are united.
_FIELDS = {field.attname: field for field in Customer._meta.concrete_fields}
_COMPARED = [column for column in CHOICES.values() if column in _FIELDS and _FIELDS[column].get_internal_type() not in
             ("JSONField", "ArrayField")]  # fmt: skip


@admin.register(CustomerMerge)
class MergeAdmin(HubAdmin):
    permission = "customers.merge"
    list_display = shown = ("at", "survivor", "merged", "merged_by", "reason", "undone_at", "undone_by")
    list_select_related = ("survivor", "merged")
    ordering = ("-at", "-pk")
    buttons = ("undo",)

    @bulk_action(_("Undo the merge"), Unasked, permission="customers.merge")
    def undo(self, request, ids):
        merge = CustomerMerge.objects.visible_to(request.user).get(pk=ids[0])
        undone = services.undo_merge(merge, actor=request.user)
        if undone.kept:
            messages.warning(request, _("What was changed since the merge stays with the surviving customer."))


class Merges(HubInline):
    model, fk_name, order = CustomerMerge, "survivor", "-at"
    permission = "customers.merge"
    columns = ("at", "merged", "merged_by", "reason", "undone_at")


def likely(request, customer):
    """The panel of those who may be the same person as a customer."""
    if not request.user.may("customers.merge") or customer.deleted_at:
        return ""
    found = duplicates_of(customer, request.user)
    people = Customer.objects.visible_to(request.user).in_bulk([duplicate.keys[0] for duplicate in found])
    rows = [(people[one.keys[0]], _reasons(one), _url_of_merge(customer.pk, one.keys[0])) for one in found]
    return render_to_string("admin/hub/likely.html", {"rows": rows}, request)


class MergePages:
    """The pages of merging, of the customers' Admin."""

    def get_urls(self):
        def to(view):
            return self.admin_site.admin_view(view)

        return [
            path("duplicates/", to(self.duplicates_view), name="customers_customer_duplicates"),
            path("<path:object_id>/merge/<str:other_id>/", to(self.merge_view), name="customers_customer_merge"),
            *super().get_urls(),
        ]

    def duplicates_view(self, request):
        """Who may be one person, of all that the caller sees, likeliest first."""
        self._check(request)
        asked = request.GET.get("p", "")
        page = max(1, int(asked)) if re.fullmatch("[0-9]{1,5}", asked) else 1
        count, pairs = duplicate_pairs(request.user, size=PAIRS, start=(page - 1) * PAIRS)
        people = Customer.objects.visible_to(request.user).in_bulk({key for pair in pairs for key in pair.keys})
        rows = [
            (*(people[key] for key in pair.keys), _reasons(pair), _url_of_merge(*pair.keys))
            for pair in pairs
            if all(key in people for key in pair.keys)
        ]
        more = {"rows": rows, "count": count, "page": page, "has_next": page * PAIRS < count}
        return self._page(request, "admin/hub/duplicates.html", _("Who may be one person"), **more)

    def merge_view(self, request, object_id, other_id):
        """Two customers side by side: which values stand when the second goes into the first."""
        self._check(request)
        people = Customer.objects.visible_to(request.user).in_bulk([unquote(object_id), unquote(other_id)])
        survivor, other = people.get(unquote(object_id)), people.get(unquote(other_id))
        if survivor is None or other is None:
            raise Http404
        if request.method == "POST":
            takes = {column: request.POST[column] == "merged" for column in _COMPARED if column in request.POST}
            try:
                reason = request.POST.get("reason", "").strip()[: services.MAX_REASON]
                services.merge_customers(survivor, other.pk, actor=request.user, takes=takes, reason=reason)
            except REFUSALS as refusal:
                for complaint in complaints_of(refusal, request):
                    messages.error(request, complaint["message"])
            else:
                messages.success(request, _("Both are one customer now. It can be undone for thirty days."))
                return redirect("admin:customers_customer_change", quote(survivor.pk))
        rows = [(_FIELDS[column], _told(survivor, column), _told(other, column)) for column in _COMPARED]
        compared = [
            {"column": field.attname, "label": capfirst(field.verbose_name), "mine": mine, "theirs": theirs,
             "takes": not getattr(survivor, field.attname) and bool(getattr(other, field.attname))}
            for field, mine, theirs in rows if mine != theirs
        ]  # fmt: skip
        if any(row["column"] == "national_id" for row in compared):
            shown = [customer.pk for customer in (survivor, other) if customer.national_id]
            record_disclosure(Customer, shown, actor=request.user)
        more = {
            "survivor": survivor,
            "other": other,
            "compared": compared,
            "swap": _url_of_merge(other.pk, survivor.pk),
        }
        return self._page(request, "admin/hub/merge.html", _("Merge two customers"), **more)

    def _check(self, request):
        if not self._may(request, "customers.merge"):
            raise PermissionDenied

    def _page(self, request, template, title, **context):
        shared = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**shared, "opts": self.opts, "title": title, **context})


def _reasons(duplicate):
    return "، ".join(str(REASONS[reason]) for reason in duplicate.reasons)


def _url_of_merge(key, other):
    return reverse("admin:customers_customer_merge", args=[quote(key), quote(other)])


def _told(customer, column):
    field = _FIELDS[column]
    value = getattr(customer, field.name)
    return str(value) if field.is_relation and value else display_for_field(value, field, "–")
