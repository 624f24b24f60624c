"""Imports and exports in the back office: a file is uploaded, checked and confirmed, or ordered and fetched."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from config.backoffice.admin import HubAdmin
from config.backoffice.forms import REFUSALS, complaints_of
from config.backoffice.lists import choice
from customers.choices import AT_WORK, ENDED_TRANSFERS, FileFormat, TransferKind, Transferred, TransferStatus
from customers.filters import TransferFilterSet
from customers.models import Transfer
from customers.services import transfer as services

COUNTS = {
    "read": _("Rows read"),
    "inserted": _("New"),
    "updated": _("Changed"),
    "unchanged": _("Unchanged"),
    "duplicates": _("There already"),
    "bad": _("Wrong"),
    "notices": _("Remarks"),
    "rows": _("Rows"),
}
SEVERITIES = {"error": _("Error"), "duplicate": _("Duplicate"), "notice": _("Remark")}


class UploadForm(forms.Form):
    what = forms.ChoiceField(label=_("Content"), choices=Transferred.choices)
    file = forms.FileField(label=_("File"), help_text=_("CSV or Excel (xlsx), at most 20 MB"))
    upsert = forms.BooleanField(
        label=_("Change those that exist already"),
        required=False,
        help_text=_("Customers are known by their phone, listings by their reference; empty cells change nothing"),
    )


class MappingForm(forms.Form):
    """Which column of ours each header of the file is."""

    def __init__(self, *args, transfer, **options):
        super().__init__(*args, **options)
        choices = [("", _("Left out")), *services.column_choices(transfer.what)]
        for number, header in enumerate(transfer.preview["headers"]):
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=header or _("Without a name"),
                choices=choices,
                required=False,
                initial=transfer.mapping[number],
            )

    @property
    def mapping(self):
        return [self.cleaned_data[name] for name in self.fields]


@admin.register(Transfer)
class TransferAdmin(HubAdmin):
    permission = write_permission = "customers.export"
    in_menu = True
    list_display = ("created_at", "kind", "what", "file_name", "status", "requested_by")
    filterset_class = TransferFilterSet
    list_filter = (
        choice("kind", _("Kind"), TransferKind.choices),
        choice("what", _("Content"), Transferred.choices),
        choice("status", _("Status"), TransferStatus.choices),
    )
    list_select_related = ("requested_by",)
    ordering = ("-created_at", "-pk")
    sortable_by = ("created_at",)

    def has_add_permission(self, request):
        return self.has_view_permission(request)

    def get_urls(self):
        def to(view):
            return self.admin_site.admin_view(view)

        return [
            path("export/", to(require_POST(self.export)), name="customers_transfer_export"),
            path("<path:pk>/errors/", to(require_GET(self.errors)), name="customers_transfer_errors"),
            path("<path:pk>/output/", to(require_GET(self.output)), name="customers_transfer_output"),
            *super().get_urls(),
        ]

    # --- Uploading ---------------------------------------------------------------------------

    def add_view(self, request, form_url="", extra_context=None):
        """Take a file in; the next page shows what its columns were taken for."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self.to(services.start_import(actor=request.user, **form.cleaned_data))
            except REFUSALS as refusal:
                _complain(form, refusal, request)
        return self.page(request, "admin/hub/upload.html", title=_("Import a file"), form=form)

    # --- One transfer --------------------------------------------------------------------------

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Where a transfer stands, and what can be done about it now."""
        transfer = self.get_object(request, unquote(object_id))
        if transfer is None:
            raise Http404
        form = None
        if transfer.status in (TransferStatus.UPLOADED, TransferStatus.CHECKED):
            is_mapped = "check" in request.POST
            form = MappingForm(request.POST if is_mapped else None, transfer=transfer)
        if request.method == "POST":
            try:
                self.act(request, transfer, form)
                return self.to(transfer)
            except REFUSALS as refusal:
                for complaint in complaints_of(refusal, request):
                    messages.error(request, complaint["message"])
                return self.to(transfer)
        return self.page(
            request,
            "admin/hub/transfer.html",
            title=transfer.file_name or transfer.get_kind_display(),
            transfer=transfer,
            form=form,
            columns=form and list(zip(form, *_cells(transfer), strict=True)),
            counts=[(label, transfer.counts[name]) for name, label in COUNTS.items() if name in transfer.counts],
            sample=[row | {"severity": SEVERITIES.get(row["severity"], "")} for row in transfer.sample],
            is_import=transfer.kind == TransferKind.IMPORT,
            is_own=transfer.requested_by_id == request.user.pk,
            is_at_work=transfer.status in AT_WORK,
            has_ended=transfer.status in ENDED_TRANSFERS,
            is_checked=transfer.status == TransferStatus.CHECKED,
        )

    def act(self, request, transfer, form):
        """What the button says that was pressed."""
        if "check" in request.POST and form is not None:
            if not form.is_valid():
                raise ValidationError([error for errors in form.errors.values() for error in errors])
            upsert = "upsert" in request.POST
            services.check(transfer, actor=request.user, mapping=form.mapping, upsert=upsert)
        elif "confirm" in request.POST:
            services.confirm(transfer, actor=request.user)
        elif "cancel" in request.POST:
            services.cancel(transfer, actor=request.user)

    def errors(self, request, pk):
        """The error file of an import."""
        transfer = self.found(request, pk)
        file = services.open_errors(transfer, actor=request.user)
        return FileResponse(file, as_attachment=True, filename=f"{transfer.file_name}.errors.csv")

    def output(self, request, pk):
        """The file of an export."""
        transfer = self.found(request, pk)
        file = services.open_output(transfer, actor=request.user)
        return FileResponse(file, as_attachment=True, filename=transfer.file_name)

    # --- Ordering ----------------------------------------------------------------------------------

    def export(self, request):
        """Order a file of what a list shows."""
        what, format = request.POST.get("what"), request.POST.get("format")
        if what not in Transferred or format not in FileFormat:
            raise Http404
        try:
            query = request.POST.get("query", "")
            return self.to(services.start_export(actor=request.user, what=what, query=query, format=format))
        except REFUSALS as refusal:
            for complaint in complaints_of(refusal, request):
                messages.error(request, complaint["message"])
            return redirect("admin:index")

    # --- The parts -----------------------------------------------------------------------------------

    def found(self, request, pk):
        transfer = self.get_object(request, unquote(pk))
        if transfer is None or not (transfer.error_key or transfer.output_key):
            raise Http404
        return transfer

    def to(self, transfer):
        return redirect("admin:customers_transfer_change", quote(transfer.pk))

    def page(self, request, template, **context):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "counts_url": reverse("admin:customers_transfer_changelist"),
            **context,
        }
        return TemplateResponse(request, template, context)


def export_selected(self, request, queryset):
    """Order an Excel file of the rows that are marked."""
    limit = request.user.bulk_limit
    ids = list(queryset.order_by().values_list("pk", flat=True)[: limit + 1])
    if len(ids) > limit:
        messages.error(request, _("For more than %(count)d rows, use the export of the list.") % {"count": limit})
        return None
    what = Transferred.CUSTOMERS if self.opts.model_name == "customer" else Transferred.LISTINGS
    query = f"ids={','.join(ids)}"
    transfer = services.start_export(actor=request.user, what=what, query=query, format=FileFormat.XLSX)
    return redirect("admin:customers_transfer_change", quote(transfer.pk))


export_selected.short_description = _("Export to Excel")
export_selected.permission = "customers.export"


def _complain(form, refusal, request):
    for complaint in complaints_of(refusal, request):
        form.add_error(complaint["field"] if complaint["field"] in form.fields else None, complaint["message"])


def _cells(transfer):
    """What stands in the first rows beneath each header."""
    count = len(transfer.preview["headers"])
    rows = [[*cells, *[""] * count][:count] for cells in transfer.preview["rows"]]
    return [[list(filter(None, column))[:3] for column in zip(*rows, strict=True)] if rows else [[]] * count]
