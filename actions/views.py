"""The requests centre of the API: endpoints 7 to 15 and 19 to 23, with restore."""

from django.utils.translation import gettext as _

from actions import services
from actions.filters import ActionFilterSet, StatisticsFilterSet
from actions.models import CustomerAction
from actions.serializers import (
    ActionInput,
    AddedNoteSerializer,
    BulkActionsInput,
    BulkActionsResultSerializer,
    BulkAssignInput,
    BulkCompleteInput,
    BulkDismissInput,
    BulkSnoozeInput,
    CompleteInput,
    CustomerActionSerializer,
    DismissInput,
    NewActionInput,
    NewActionSerializer,
    NoteInput,
    RestoreInput,
    SnoozeInput,
    StatisticsSerializer,
)
from actions.stats import statistics, total_of
from config.api.pagination import Sort
from config.api.rows import fragments, rows_of
from config.api.viewsets import HubViewSet
from customers.models import Customer
from employees.models import Employee

COUNT_NAMES = {
    "update": "updatedCount",
    "complete": "completedCount",
    "dismiss": "dismissedCount",
    "snooze": "snoozedCount",
    "assign": "assignedCount",
}


class ActionViewSet(HubViewSet):
    resource, collection, path = "action", "actions", "customers/actions"
    permission, write_permission = "actions.read", "actions.write"
    serializer_class = CustomerActionSerializer
    filterset_class = ActionFilterSet
    filtersets = {"stats": StatisticsFilterSet}
    bodies = {
        "create": NewActionInput,
        "update": ActionInput,
        "complete": CompleteInput,
        "dismiss": DismissInput,
        "snooze": SnoozeInput,
        "restore": RestoreInput,
        "note": NoteInput,
        "bulk": BulkActionsInput,
        "bulk_complete": BulkCompleteInput,
        "bulk_dismiss": BulkDismissInput,
        "bulk_snooze": BulkSnoozeInput,
        "bulk_assign": BulkAssignInput,
    }
    answers = {
        "create": NewActionSerializer,
        "note": {"note": AddedNoteSerializer},
        "stats": {"stats": StatisticsSerializer},
        **dict.fromkeys(
            ("bulk", "bulk_complete", "bulk_dismiss", "bulk_snooze", "bulk_assign"), BulkActionsResultSerializer
        ),
    }
    throttle_scopes = dict.fromkeys(("bulk", "bulk_complete", "bulk_dismiss", "bulk_snooze", "bulk_assign"), "bulk")
    created = frozenset({"create", "note"})
    sorts = {
        "createdAt": Sort("created_at"),
        "dueDate": Sort("due_date", nullable=True),
        "priority": Sort("priority_rank"),
        "completedAt": Sort("completed_at", nullable=True),
    }
    default_sort = "createdAt"
    page_size, max_page_size = 50, 200
    cached, reads = {"list": 60, "retrieve": 300, "stats": 30}, (CustomerAction, Customer)

    def get_queryset(self):
        return CustomerAction.objects.visible_to(self.request.user)

    def scope_is_small(self):
        return not self.request.user.may("actions.assign")

    def known_total(self, filterset):
        return None if self.scope_is_small() else total_of(self.request.user, filterset)

    # --- One action -----------------------------------------------------------------------

    def list(self, request):
        """Actions of the caller's scope with their customers in short, filtered, sorted and paged."""
        return self.page(self.get_queryset())

    def create(self, request):
        """A new action for a customer. Without `assignedTo` it goes to the customer's assignee."""
        values = self.body()
        customer_id, notes = values.pop("customer_id"), values.pop("notes")
        action = services.create_action(actor=request.user, customer_id=customer_id, values=values, notes=notes)
        return self.show(action.pk, status=201, message=_("Action created"), warnings=action.warnings)

    def retrieve(self, request, pk):
        """One action with its newest notes."""
        return self.show(self.visible_key())

    def update(self, request, pk):
        """Change what is named: `metadata` merges, `notes` appends a note, `status` moves the action."""
        action, values = self.get_object(), self.body(partial=True)
        notes = values.pop("notes", "")
        services.update_action(action, actor=request.user, values=values, notes=notes)
        return self.show(pk)

    def complete(self, request, pk):
        """End an action as done. Again by the same person: unchanged; 409 when it has ended otherwise."""
        services.complete_action(self.get_object(), actor=request.user, **self.body())
        return self.show(pk)

    def dismiss(self, request, pk):
        """End an action as not to be done. Again by the same person: unchanged."""
        services.dismiss_action(self.get_object(), actor=request.user, **self.body())
        return self.show(pk)

    def snooze(self, request, pk):
        """Hide an action from the open list until a later time; a day alone means nine in the morning."""
        services.snooze_action(self.get_object(), actor=request.user, **self.body())
        return self.show(pk)

    def restore(self, request, pk):
        """Bring an ended or snoozed action back to pending."""
        services.restore_action(self.get_object(), actor=request.user, **self.body())
        return self.show(pk)

    def note(self, request, pk):
        """Append a note."""
        note = services.add_note(self.get_object(), actor=request.user, **self.body())
        (shown,) = fragments(rows_of(AddedNoteSerializer).fetch([note.pk]))
        return self.answer({"note": shown}, status=201)

    # --- The numbers above them -----------------------------------------------------------

    def stats(self, request):
        """The numbers of the requests page, each equal to the list behind it for the same caller.

        Open are the pending and in-progress actions; snoozed ones whose time has come are pending.
        `total` counts each status. `byType`, `byPriority`, `bySource` and `dueDates` break down the
        open ones. `dateFrom` and `dateTo` mean when open and snoozed actions were created and when
        ended ones ended: as `createdFrom`, `createdTo`, `completedFrom` and `completedTo` of the list.
        """
        filterset = StatisticsFilterSet(self.params, self.get_queryset(), request=request)
        return self.answer({"stats": statistics(request.user, filterset)})

    # --- Many actions ---------------------------------------------------------------------

    def bulk(self, request):
        """One operation on many actions; ids that are not the caller's come back in `failed`."""
        return self.many(**self.body())

    def bulk_complete(self, request):
        """End many actions as done."""
        return self.many("complete", **self.body())

    def bulk_dismiss(self, request):
        """End many actions as not to be done."""
        return self.many("dismiss", **self.body())

    def bulk_snooze(self, request):
        """Hide many actions until a later time."""
        return self.many("snooze", **self.body())

    def bulk_assign(self, request):
        """Hand many actions over to an employee, or to nobody."""
        return self.many("assign", **self.body())

    def many(self, operation, actionIds, **parts):
        outcome = services.bulk_change(actionIds, operation, actor=self.request.user, **parts)
        data = {"updatedCount": len(outcome.done), COUNT_NAMES[operation]: len(outcome.done)}
        if parts.get("employee_id"):
            chosen = Employee.objects.visible_to(self.request.user).filter(pk=parts["employee_id"])
            data["assignedTo"] = chosen.values("id", "name").get()
        done = [{"id": key, "status": "success"} for key in outcome.done]
        failed = self.failures(outcome.missing) + self.refusals(outcome.refused)
        return self.answer({**data, "failed": failed, "actions": done})

    def refusals(self, refused):
        """What a bulk call says of actions whose status forbids it."""
        message = str(services.STATUS_FORBIDS)
        return [
            {"id": key, "code": "CONFLICT", "message": message, "currentStatus": status}
            for key, status in refused.items()
        ]
