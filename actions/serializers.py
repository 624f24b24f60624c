"""The shapes of actions: what leaves, and what may be written."""

from datetime import time

from rest_framework import serializers

from actions.choices import ActionStatus, ActionType
from actions.models import ActionNote, CustomerAction
from config.api.query import one_of
from config.api.serializers import (
    EmployeeIdField,
    IdsField,
    MomentField,
    NoteField,
    NoticeSerializer,
    TextField,
    WordField,
)
from customers.choices import CHANNELS, Priority, Source, Stage
from customers.models import Customer
from customers.serializers.bulk import FailureSerializer
from customers.serializers.customer import FactsField, SourceField
from employees.serializers import EmployeeSummarySerializer

END_OF_DAY, START_OF_WORK = time(23, 59, 59), time(9)

# --- What leaves --------------------------------------------------------------------------


class PreferencesSummarySerializer(serializers.Serializer):
    """What a card shows of a customer's wishes."""

    picks = True

    propertyType = serializers.ListField(child=serializers.CharField())
    budgetMin = serializers.FloatField(required=False)
    budgetMax = serializers.FloatField(required=False)
    preferredAreas = serializers.ListField(child=serializers.CharField())


class CustomerSummarySerializer(serializers.Serializer):
    """The customer as each of its actions carries it."""

    id = serializers.CharField()
    name = serializers.CharField()
    nameEn = serializers.CharField(source="name_en", required=False)
    phone = serializers.CharField()
    whatsapp = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    stage = serializers.ChoiceField(Stage.choices)
    priority = serializers.ChoiceField(Priority.choices)
    leadScore = serializers.IntegerField(source="lead_score")
    preferences = PreferencesSummarySerializer()
    assignedEmployee = EmployeeSummarySerializer(source="assigned_employee", required=False)

    class Meta:
        model = Customer


class NoteSerializer(serializers.Serializer):
    id = serializers.CharField()
    content = serializers.CharField()
    createdBy = serializers.CharField(source="created_by")
    createdById = serializers.CharField(source="created_by_id")
    createdAt = serializers.DateTimeField(source="created_at")

    class Meta:
        model = ActionNote
        order = ["created_at", "id"]
        newest = 50


class AddedNoteSerializer(NoteSerializer):
    actionId = serializers.CharField(source="action")

    class Meta:
        model = ActionNote


_OVERSLEPT = "{row}.status = 'snoozed' AND {row}.snoozed_until <= moment.minute"


class CustomerActionSerializer(serializers.Serializer):
    """An action with its customer in short and its newest notes. A snoozed one whose time has come is pending."""

    id = serializers.CharField()
    customerId = serializers.CharField(source="customer")
    customerName = serializers.CharField(source="customer.name")
    customer = CustomerSummarySerializer()
    type = serializers.ChoiceField(ActionType.choices)
    title = serializers.CharField()
    description = serializers.CharField(required=False)
    priority = serializers.ChoiceField(Priority.choices)
    status = serializers.ChoiceField(ActionStatus.choices)
    source = serializers.ChoiceField(Source.choices)
    dueDate = serializers.DateTimeField(source="due_date", required=False)
    snoozedUntil = serializers.DateTimeField(source="snoozed_until", required=False)
    assignedTo = serializers.CharField(source="assigned_to", required=False)
    assignedToName = serializers.CharField(source="assigned_to.name", required=False)
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")
    completedAt = serializers.DateTimeField(
        source="completed_at", required=False, help_text="When it ended, dismissed ones too"
    )
    completedBy = serializers.CharField(source="completed_by", required=False, help_text="The employee's id")
    completedByName = serializers.CharField(source="completed_by.name", required=False)
    dismissedAt = serializers.DateTimeField(source="dismissed_at", required=False)
    outcome = serializers.CharField(required=False)
    reason = serializers.CharField(required=False, help_text="Why it was dismissed")
    notes = NoteSerializer(many=True)
    metadata = serializers.DictField(required=False)

    class Meta:
        model = CustomerAction
        derived = {
            "status": f"CASE WHEN {_OVERSLEPT} THEN 'pending' ELSE {{row}}.status END",
            "snoozedUntil": f"CASE WHEN {_OVERSLEPT} THEN NULL ELSE {{row}}.snoozed_until END",
        }


class NewActionSerializer(serializers.Serializer):
    """A new action; `warnings` when it offers something to a customer who has not agreed to marketing."""

    action = CustomerActionSerializer()
    warnings = NoticeSerializer(many=True, required=False)


class DoneSerializer(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.ChoiceField(["success"])


class RefusalSerializer(FailureSerializer):
    currentStatus = serializers.ChoiceField(ActionStatus.choices, required=False, help_text="Where the state forbids")


class AssigneeSerializer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()


class BulkActionsResultSerializer(serializers.Serializer):
    """What became of each id: repeats collapse, and what is so already counts as done."""

    updatedCount = serializers.IntegerField()
    completedCount = serializers.IntegerField(required=False)
    dismissedCount = serializers.IntegerField(required=False)
    snoozedCount = serializers.IntegerField(required=False)
    assignedCount = serializers.IntegerField(required=False)
    assignedTo = AssigneeSerializer(required=False)
    failed = RefusalSerializer(many=True)
    actions = DoneSerializer(many=True)


def _numbers(name, words, **help_texts):
    fields = {word: serializers.IntegerField(help_text=help_texts.get(word)) for word in words}
    return type(name, (serializers.Serializer,), fields)


class TimelineSerializer(serializers.Serializer):
    avgCompletionTime = serializers.FloatField(help_text="Hours from creation to completion, of completed ones")
    avgResponseTime = serializers.FloatField(help_text="Hours until customers heard from us, where it is known")
    completionRate = serializers.FloatField(help_text="Percent: completed of completed, dismissed and open")


class StatisticsSerializer(serializers.Serializer):
    """Each number equals `totalItems` of the list behind it, for the same caller and assignee."""

    total = _numbers("TotalsSerializer", ("pending", "inProgress", "completed", "dismissed", "snoozed"))()
    byType = _numbers("TypesSerializer", ActionType.values)(help_text="Open ones, as `tab=all&type=…`")
    byPriority = _numbers("PrioritiesSerializer", Priority.values)(help_text="Open ones")
    bySource = _numbers("SourcesSerializer", Source.values)(help_text="Open ones")
    dueDates = _numbers(
        "DueDatesSerializer",
        ("overdue", "today", "thisWeek", "thisMonth", "noDueDate"),
        overdue="Open and past: `dueDate=overdue`",
        today="Due this calendar day, hours past included: `dueDate=today`",
        thisWeek="Due today or in the seven days after it: `dueDate=week`",
        thisMonth="Due this calendar month: `dueDate=month`",
        noDueDate="`dueDate=no_date`",
    )()
    timeline = TimelineSerializer()
    pending = serializers.IntegerField(help_text="Open: pending or in progress, as `tab=all`")
    inbox = serializers.IntegerField(help_text="Open inquiries, callbacks and messages: `tab=inbox`")
    followups = serializers.IntegerField(help_text="Open follow-ups and visits: `tab=followups`")
    overdue = serializers.IntegerField(help_text="As `dueDates.overdue`")
    today = serializers.IntegerField(help_text="As `dueDates.today`")
    completed = serializers.IntegerField(help_text="Ended, completed or dismissed: `tab=completed`")


# --- What may be written --------------------------------------------------------------------


class MetadataField(FactsField):
    """Free facts by name. `notes` are never among them: they are a list of their own."""

    def to_internal_value(self, data):
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if name != "notes"}
        return super().to_internal_value(data)


class ActionInput(serializers.Serializer):
    """The writable part of an action. `metadata` merges, `notes` appends a note, `status` moves the action."""

    type = WordField(ActionType.choices)
    title = TextField(max_length=500, name_like=True)
    description = TextField(max_length=20_000, multiline=True, required=False, allow_null=True)
    priority = WordField(Priority.choices, required=False)
    status = WordField(ActionStatus.choices, required=False)
    source = SourceField(Source.choices, required=False)
    dueDate = MomentField(source="due_date", time_of_day=END_OF_DAY, required=False, allow_null=True)
    snoozedUntil = MomentField(source="until", time_of_day=START_OF_WORK, required=False, allow_null=True)
    assignedTo = EmployeeIdField(source="assigned_to_id", required=False)
    outcome = NoteField()
    reason = NoteField()
    metadata = MetadataField(required=False, allow_null=True)
    notes = NoteField()

    def to_internal_value(self, data):
        # Whole objects that are sent back carry the list of notes.
        return super().to_internal_value({k: v for k, v in data.items() if k != "notes" or not isinstance(v, list)})

    def validate_description(self, text):
        return text or ""

    def validate_source(self, word):
        return CHANNELS.get(word, word)

    def validate(self, values):
        # They belong to a move and mean nothing without one.
        if "status" not in values:
            for name in ("until", "outcome", "reason"):
                values.pop(name, None)
        return values


class NewActionInput(ActionInput):
    """A new action, pending. Without `assignedTo` it goes to the customer's assignee."""

    customerId = serializers.CharField(source="customer_id", max_length=50)
    status = snoozedUntil = outcome = reason = None


class CompleteInput(serializers.Serializer):
    outcome = NoteField()
    notes = NoteField()


class DismissInput(serializers.Serializer):
    reason = NoteField()
    notes = NoteField()


class RestoreInput(serializers.Serializer):
    notes = NoteField()


class _Aliased(serializers.Serializer):
    """A body in which other names for a field are read where the field itself is missing."""

    ALIASES = {}

    def to_internal_value(self, data):
        for name, others in self.ALIASES.items():
            named = next((data[other] for other in others if data.get(other) is not None), None)
            if data.get(name) is None and named is not None:
                data = {**data, name: named}
        return super().to_internal_value(data)


class SnoozeInput(_Aliased):
    """Until when: a moment, or a day, which means nine in the morning of it."""

    ALIASES = {"snoozedUntil": ("snoozeUntil", "until")}

    snoozedUntil = MomentField(source="until", time_of_day=START_OF_WORK)
    notes = NoteField()


class NoteInput(_Aliased):
    ALIASES = {"content": ("note", "text")}

    content = TextField(max_length=20_000, multiline=True)


class BulkCompleteInput(CompleteInput):
    actionIds = IdsField()


class BulkDismissInput(DismissInput):
    actionIds = IdsField()


class BulkSnoozeInput(SnoozeInput):
    actionIds = IdsField()


class BulkAssignInput(serializers.Serializer):
    """Who takes the actions over; null gives them back to the unassigned."""

    actionIds = IdsField()
    assignedTo = serializers.CharField(source="employee_id", max_length=50, allow_null=True)
    notes = NoteField()


class UpdatesInput(serializers.Serializer):
    """What a bulk update may change. Of statuses, `in_progress` alone: the others have operations of their own."""

    type = WordField(ActionType.choices, required=False)
    priority = WordField(Priority.choices, required=False)
    status = WordField([(ActionStatus.IN_PROGRESS, "")], required=False)
    dueDate = MomentField(source="due_date", time_of_day=END_OF_DAY, required=False, allow_null=True)
    assignedTo = EmployeeIdField(source="assigned_to_id", required=False)

    def validate(self, values):
        if not values:
            raise serializers.ValidationError(one_of(self.fields))
        return values


class BulkUpdateInput(serializers.Serializer):
    actionIds = IdsField()
    updates = UpdatesInput()
    notes = NoteField()


class BulkActionsInput(serializers.Serializer):
    """One operation on many actions; what it needs beside the ids is what its own route takes."""

    OPERATIONS = {
        "update": BulkUpdateInput,
        "complete": BulkCompleteInput,
        "dismiss": BulkDismissInput,
        "snooze": BulkSnoozeInput,
        "assign": BulkAssignInput,
    }

    actionIds = IdsField()
    operation = WordField([(word, word) for word in OPERATIONS], default="update")
    updates = UpdatesInput(required=False)
    assignedTo = EmployeeIdField(required=False)
    snoozedUntil = MomentField(time_of_day=START_OF_WORK, required=False)
    outcome = NoteField()
    reason = NoteField()
    notes = NoteField()

    def to_internal_value(self, data):
        word = data.get("operation", "update")
        if not isinstance(word, str) or word not in self.OPERATIONS:
            raise serializers.ValidationError({"operation": one_of(self.OPERATIONS)})
        updates = data.get("updates")
        if word != "update" and isinstance(updates, dict):
            data = {**updates, **data}
        operation = self.OPERATIONS[word](data=data, context=self.context)
        operation.is_valid(raise_exception=True)
        return {"operation": word, **operation.validated_data}
