"""The requests centre in the back office: what is to be done, by whom, until when."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from actions import services
from actions.advice import label_of
from actions.choices import ENDED, OPEN, ActionStatus, ActionType
from actions.filters import ActionFilterSet, RecommendationFilterSet
from actions.models import ActionCount, ActionDay, ActionNote, CustomerAction, Recommendation
from actions.rules import RULES
from actions.serializers import ActionInput, NewActionInput, NoteInput, SnoozeInput
from actions.stats import total_of
from actions.uplift import uplift_of
from config.api.exceptions import field_errors
from config.backoffice.admin import HubAdmin, HubInline, InternalAdmin, ReadOnlyAdmin, badge, column, ltr
from config.backoffice.bulk import Unasked, bulk_action
from config.backoffice.forms import with_present
from config.backoffice.lists import ParameterFilter, choice
from config.clock import current_minute
from customers.admin.customer import CustomerAdmin
from customers.choices import Priority, Source
from customers.querying import UNASSIGNED
from employees.choices import Role
from employees.models import Employee

admin.site.register([ActionCount, ActionDay], InternalAdmin)

_LONGEST = 20_000
# What moves an action has its own buttons.
_MOVES = {"status", "snoozedUntil", "outcome", "reason", "metadata"}


def assignees(request, row=None):
    """Who of those the caller may choose can be given an action, by name, nobody first; and who has it."""
    people = Employee.objects.visible_to(request.user).active().exclude(role=Role.VIEWER).order_by("name")
    choices = [("", _("Nobody")), *people.values_list("pk", "name")]
    return with_present(choices, row.assigned_to_id, row.assigned_to) if row else choices


def _with_nobody(request):
    return [(UNASSIGNED, _("Nobody")), *assignees(request)[1:]]


def _text(label):
    return forms.CharField(label=label, required=False, max_length=_LONGEST, widget=forms.Textarea(attrs={"rows": 2}))


class CompleteForm(Unasked):
    outcome, notes = _text(_("Outcome")), _text(_("Note"))


class DismissForm(Unasked):
    reason, notes = _text(_("Reason")), _text(_("Note"))


class RestoreForm(Unasked):
    notes = _text(_("Note"))


class SnoozeForm(Unasked):
    until = forms.CharField(
        label=_("Until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local", "dir": "ltr"})
    )
    notes = _text(_("Note"))

    def clean_until(self):
        """The moment as the API reads it."""
        asked = SnoozeInput(data={"until": self.cleaned_data["until"]}, context={"request": self.request})
        if not asked.is_valid():
            raise ValidationError([error["message"] for error in field_errors(asked.errors)])
        return asked.validated_data["until"]


class AssignForm(Unasked):
    employee = forms.ChoiceField(label=_("Assigned employee"), required=False)
    notes = _text(_("Note"))

    def __init__(self, *args, request, **options):
        super().__init__(*args, request=request, **options)
        self.fields["employee"].choices = assignees(request)


class TabFilter(ParameterFilter):
    """The tabs of the requests page; the list begins with what is open, and shows everything when it is asked to."""

    title, parameter = _("To do"), "tab"
    words_of = staticmethod(
        lambda request: [
            ("all", _("Open")),
            ("inbox", _("Inbox")),
            ("followups", _("Follow-ups")),
            ("completed", _("Ended")),
        ]
    )

    def choices(self, changelist):
        everything, *tabs = super().choices(changelist)
        due = changelist.params.get("dueDate", "all")
        yield everything | {"query_string": changelist.get_query_string({"dueDate": due}, remove=["tab"])}
        yield from tabs


class InlineActionInput(NewActionInput):
    """A new action of the customer whose page it is written on."""

    customerId = None


class Notes(HubInline):
    model, serializer_class, fk_name = ActionNote, NoteInput, "action"
    permission, write_permission = "actions.read", "actions.write"
    columns, newest = ("created_at", "created_by", "content"), 50
    add = staticmethod(lambda action, actor, values: services.add_note(action, actor=actor, **values))


def _create(*, actor, values):
    customer_id, notes = values.pop("customer_id"), values.pop("notes", "")
    return services.create_action(actor=actor, customer_id=customer_id, values=values, notes=notes)


def _update(action, *, actor, values):
    notes = values.pop("notes", "")
    return services.update_action(action, actor=actor, values=values, notes=notes)


@admin.register(CustomerAction)
class ActionAdmin(HubAdmin):
    permission, write_permission = "actions.read", "actions.write"
    serializer_class, new_serializer_class = ActionInput, NewActionInput
    form_options = {
        "without": _MOVES | {"notes"},
        "rows": {"customerId": "customer"},
        "choices": {"assignedTo": assignees},
    }
    filterset_class = ActionFilterSet
    in_menu = True
    add, change = staticmethod(_create), staticmethod(_update)

    list_display = ("title", "customer", "type", "standing", "priority_badge", "due", "assigned_to")
    list_select_related = ("customer", "assigned_to")
    list_filter = (
        TabFilter,
        choice(
            "dueDate",
            _("Due"),
            [
                ("overdue", _("Overdue")),
                ("today", _("Today")),
                ("week", _("In a week")),
                ("month", _("This month")),
                ("no_date", _("Without a date")),
            ],
        ),
        choice("priority", _("Priority"), Priority.choices),
        choice("assignedTo", _("Assigned employee"), _with_nobody),
        choice("type", _("Type"), ActionType.choices),
        choice("status", _("Status"), ActionStatus.choices),
        choice("source", _("Source"), Source.choices),
    )
    ordering = ("-created_at", "-pk")
    sortable_by = ("priority_badge", "due")
    search_fields = ("title",)
    search_help_text = _("Title, or the customer’s name, phone or e-mail")
    readonly_fields = ("customer", "standing", "snoozed_until", "outcome", "reason", "completed_at", "completed_by")
    inlines = (Notes,)
    actions = buttons = ("complete", "dismiss", "snooze", "assign", "restore")

    def get_fieldsets(self, request, obj=None):
        asked = (("title", "type"), ("priority", "dueDate"), ("assignedTo", "source"), "description")
        if obj is None:
            return [(None, {"fields": ("customerId", *asked)})]
        stands = (("standing", "snoozed_until"), ("completed_at", "completed_by"), "outcome", "reason")
        return [(None, {"fields": ("customer", *asked)}), (_("Where it stands"), {"fields": stands})]

    def get_readonly_fields(self, request, obj=None):
        return self.readonly_fields if obj else ()

    def get_changeform_initial_data(self, request):
        return {"customerId": request.GET.get("customer")}

    def changelist_view(self, request, extra_context=None):
        if request.method == "GET" and not request.GET:
            return redirect(f"{request.path}?tab=all")
        return super().changelist_view(request, extra_context)

    def scope_is_small(self, request):
        return not request.user.may("actions.assign")

    def known_total(self, request, filterset):
        return None if self.scope_is_small(request) else total_of(request.user, filterset)

    @admin.display(description=_("status"))
    def standing(self, action):
        return _status_of(action).label

    @admin.display(description=_("priority"), ordering="priority_rank")
    def priority_badge(self, action):
        return badge(action.priority, action.get_priority_display())

    @admin.display(description=_("due"), ordering="due_date")
    def due(self, action):
        return _due(action)

    # --- Buttons ------------------------------------------------------------------------------

    @bulk_action(_("Complete…"), CompleteForm, permission="actions.bulk")
    def complete(self, request, ids, **parts):
        return services.bulk_move(ids, ActionStatus.COMPLETED, actor=request.user, **parts)

    @bulk_action(_("Dismiss…"), DismissForm, permission="actions.bulk")
    def dismiss(self, request, ids, **parts):
        return services.bulk_move(ids, ActionStatus.DISMISSED, actor=request.user, **parts)

    @bulk_action(_("Snooze…"), SnoozeForm, permission="actions.bulk")
    def snooze(self, request, ids, **parts):
        return services.bulk_move(ids, ActionStatus.SNOOZED, actor=request.user, **parts)

    @bulk_action(_("Assign to…"), AssignForm, permission="actions.assign")
    def assign(self, request, ids, employee, notes):
        return services.bulk_assign(ids, actor=request.user, employee_id=employee or None, notes=notes)

    @bulk_action(_("Restore…"), RestoreForm, permission="actions.bulk")
    def restore(self, request, ids, **parts):
        return services.bulk_move(ids, ActionStatus.PENDING, actor=request.user, **parts)


def _status_of(action):
    """The status as it is shown: a snoozed action whose time has come is pending."""
    if action.status == ActionStatus.SNOOZED and action.snoozed_until <= current_minute():
        return ActionStatus.PENDING
    return ActionStatus(action.status)


def _due(action):
    if action.due_date is None:
        return None
    text = date_format(timezone.localtime(action.due_date), "SHORT_DATETIME_FORMAT")
    is_overdue = action.due_date < current_minute() and _status_of(action) in OPEN
    return badge("overdue", text) if is_overdue else text


class OpenActions(HubInline):
    """What is still to be done for a customer, the first due first."""

    model, serializer_class, parameter = CustomerAction, InlineActionInput, "customerId"
    permission, write_permission = "actions.read", "actions.write"
    verbose_name_plural = _("open actions")
    form_options = {
        "without": {"metadata", "source", "description", "notes"},
        "choices": {"assignedTo": assignees},
    }
    columns = ("title", "type", "standing", "due", "assigned_to")

    def rows_of(self, parent):
        rows = self.model.objects.filter(customer=parent).exclude(status__in=ENDED).select_related("assigned_to")
        found = list(rows.order_by("due_date", "pk")[: self.newest + 1])
        return found[: self.newest], len(found) > self.newest

    @admin.display(description=_("status"))
    def standing(self, action):
        return _status_of(action).label

    @admin.display(description=_("due"))
    def due(self, action):
        return _due(action)

    @staticmethod
    def add(customer, *, actor, values):
        return _create(actor=actor, values={**values, "customer_id": customer.pk})


@admin.register(Recommendation)
class RecommendationAdmin(ReadOnlyAdmin):
    """What the system has recommended, and above it what that was good for."""

    permission = "audit.read"
    filterset_class = RecommendationFilterSet
    list_display = (
        "made_at",
        column("rule", _("recommendation"), lambda row: label_of(row.rule)),
        column("customer_id", _("customer"), lambda row: ltr(row.customer_id)),
        "score",
        "is_held_out",
        "silent_until",
    )
    shown = (*list_display, column("action_id", _("action"), lambda row: ltr(row.action_id)), "model_version")
    list_filter = (choice("rule", _("Recommendation"), lambda request: [(r.key, label_of(r.key)) for r in RULES]),)
    sortable_by = ()
    ordering = ("-made_at", "-pk")
    actions = None

    def changelist_view(self, request, extra_context=None):
        uplift = [(label_of(row.rule), row) for row in uplift_of(request.user.organization_id, timezone.now())]
        return super().changelist_view(request, {"uplift": uplift, **(extra_context or {})})


CustomerAdmin.inlines = (OpenActions, *CustomerAdmin.inlines)
