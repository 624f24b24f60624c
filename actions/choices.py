"""The words of the actions app, and which status may follow which."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.choices import AppointmentStatus, ReminderStatus, Source


class ActionType(models.TextChoices):
    """What an action asks for."""

    NEW_INQUIRY = "new_inquiry", _("New inquiry")
    CALLBACK_REQUEST = "callback_request", _("Callback request")
    PROPERTY_MATCH = "property_match", _("Property match")
    FOLLOW_UP = "follow_up", _("Follow-up")
    DOCUMENT_REQUIRED = "document_required", _("Document required")
    PAYMENT_DUE = "payment_due", _("Payment due")
    SITE_VISIT = "site_visit", _("Site visit")
    WHATSAPP_INCOMING = "whatsapp_incoming", _("Incoming WhatsApp")
    AI_RECOMMENDED = "ai_recommended", _("Recommended by the system")


class ActionStatus(models.TextChoices):
    """How far an action is."""

    PENDING = "pending", _("Pending")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    DISMISSED = "dismissed", _("Dismissed")
    SNOOZED = "snoozed", _("Snoozed")


_S = ActionStatus
# What somebody still has to do. A snoozed action whose time has come counts as pending: see querysets.
OPEN = (_S.PENDING, _S.IN_PROGRESS)
ENDED = (_S.COMPLETED, _S.DISMISSED)
MAY_FOLLOW = {
    _S.PENDING: {_S.IN_PROGRESS, _S.SNOOZED, _S.COMPLETED, _S.DISMISSED},
    _S.IN_PROGRESS: {_S.PENDING, _S.SNOOZED, _S.COMPLETED, _S.DISMISSED},
    _S.SNOOZED: {_S.PENDING, _S.IN_PROGRESS, _S.SNOOZED, _S.COMPLETED, _S.DISMISSED},
    _S.COMPLETED: {_S.PENDING},
    _S.DISMISSED: {_S.PENDING},
}

INBOX = (ActionType.NEW_INQUIRY, ActionType.CALLBACK_REQUEST, ActionType.WHATSAPP_INCOMING)
FOLLOW_UPS = (ActionType.FOLLOW_UP, ActionType.SITE_VISIT)
# The tabs of the requests page: statuses, and types where not all.
TABS = {"inbox": (OPEN, INBOX), "followups": (OPEN, FOLLOW_UPS), "all": (OPEN, None), "completed": (ENDED, None)}

# The first action of a new customer, by its source: type and title, in the language of the people who read it.
FIRST_ACTIONS = {
    Source.WHATSAPP: (ActionType.WHATSAPP_INCOMING, "رسالة واتساب من عميل جديد"),
    Source.INQUIRY: (ActionType.NEW_INQUIRY, "استفسار من عميل جديد"),
    Source.REFERRAL: (ActionType.NEW_INQUIRY, "عميل جديد عن طريق إحالة"),
    Source.MANUAL: (ActionType.NEW_INQUIRY, "عميل جديد بانتظار أول تواصل"),
    Source.IMPORT: (ActionType.FOLLOW_UP, "متابعة عميل مستورد"),
}

# These approach a customer with offers, which the law allows with their consent.
OUTREACH = frozenset({ActionType.PROPERTY_MATCH, ActionType.AI_RECOMMENDED})

# What is left of the title of an action for a person whose data was erased.
ERASED_TITLE = "إجراء لعميل محذوف"
DO_NOT_CONTACT_REASON = "طلب العميل عدم التواصل معه"

# Why the system takes back what it has opened.
NO_LONGER_ADVISED = "تغيّر وضع العميل ولم تعد هذه الخطوة هي التالية"
NO_LONGER_TO_BE_HAD = "لم يعد أي من هذه العقارات متاحًا"

# The follow-up that an interaction asks for, and why it is dismissed.
FOLLOW_UP_TITLE = "متابعة بعد آخر تواصل"
FOLLOW_UP_DROPPED = "لم تعد المتابعة مطلوبة"
# How the action of a reminder or an appointment ends with it, and why: by its status, None when it was removed.
ENDINGS = {
    "reminders": {
        ReminderStatus.COMPLETED: (_S.COMPLETED, ""),
        ReminderStatus.CANCELLED: (_S.DISMISSED, "أُلغي التذكير"),
        None: (_S.DISMISSED, "حُذف التذكير"),
    },
    "appointments": {
        AppointmentStatus.COMPLETED: (_S.DISMISSED, "اكتمل الموعد"),
        AppointmentStatus.CANCELLED: (_S.DISMISSED, "أُلغي الموعد"),
        AppointmentStatus.NO_SHOW: (_S.DISMISSED, "لم يحضر العميل"),
        None: (_S.DISMISSED, "حُذف الموعد"),
    },
}
# What a reminder becomes with its action.
SETTLED = {_S.COMPLETED: ReminderStatus.COMPLETED, _S.DISMISSED: ReminderStatus.CANCELLED}
