"""The words of the customers app: enums in their order, and what else people write for them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stage(models.TextChoices):
    """The nine stages of a customer's life, in order."""

    NEW_LEAD = "new_lead", _("New Lead")
    QUALIFIED = "qualified", _("Qualified")
    PROPERTY_MATCHING = "property_matching", _("Property Matching")
    SITE_VISIT = "site_visit", _("Site Visit")
    NEGOTIATION = "negotiation", _("Negotiation")
    CONTRACT_PREP = "contract_prep", _("Contract Preparation")
    DOWN_PAYMENT = "down_payment", _("Down Payment")
    CLOSING = "closing", _("Closing")
    POST_SALE = "post_sale", _("Post-Sale")


class Priority(models.TextChoices):
    """How soon a customer or an action wants attention, in rising order."""

    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class Source(models.TextChoices):
    """Where a customer came from. The list is closed: the client knows no others."""

    INQUIRY = "inquiry", _("Inquiry")
    MANUAL = "manual", _("Manual")
    WHATSAPP = "whatsapp", _("WhatsApp")
    IMPORT = "import", _("Import")
    REFERRAL = "referral", _("Referral")


class Gender(models.TextChoices):
    MALE = "male", _("Male")
    FEMALE = "female", _("Female")


class Purpose(models.TextChoices):
    BUY = "buy", _("Buy")
    RENT = "rent", _("Rent")
    INVEST = "invest", _("Invest")


class Timeline(models.TextChoices):
    IMMEDIATE = "immediate", _("Immediate")
    MONTHS_1_3 = "1-3months", _("1-3 months")
    MONTHS_3_6 = "3-6months", _("3-6 months")
    MONTHS_6_PLUS = "6months+", _("6 months and more")


class Furnishing(models.TextChoices):
    FURNISHED = "furnished", _("Furnished")
    UNFURNISHED = "unfurnished", _("Unfurnished")
    SEMI_FURNISHED = "semi-furnished", _("Semi-furnished")
    ANY = "any", _("Any")


class Floor(models.TextChoices):
    GROUND = "ground", _("Ground floor")
    MIDDLE = "middle", _("Middle floor")
    TOP = "top", _("Top floor")


class LicenseStatus(models.TextChoices):
    """Where a broker's FAL licence stands; an active one expires by itself."""

    ACTIVE = "active", _("Active")
    EXPIRED = "expired", _("Expired")
    SUSPENDED = "suspended", _("Suspended")
    PENDING = "pending", _("Pending")
    NONE = "none", _("None")


class LicenseType(models.TextChoices):
    INDIVIDUAL = "individual", _("Individual")
    ESTABLISHMENT = "establishment", _("Establishment")


class ContractType(models.TextChoices):
    """What a brokerage contract is about."""

    SALE = "sale", _("Sale")
    RENT = "rent", _("Rent")
    BOTH = "both", _("Both")


class ContractStatus(models.TextChoices):
    """The life of a brokerage contract, in order."""

    DRAFT = "draft", _("Draft")
    PENDING_APPROVAL = "pending_approval", _("Pending approval")
    ACTIVE = "active", _("Active")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class Tenancy(models.TextChoices):
    RESIDENTIAL = "residential", _("Residential")
    COMMERCIAL = "commercial", _("Commercial")
    INDUSTRIAL = "industrial", _("Industrial")


class EjarStatus(models.TextChoices):
    """Where a lease in the Ejar register stands; an active one ends or renews itself."""

    DRAFT = "draft", _("Draft")
    PENDING = "pending", _("Pending")
    ACTIVE = "active", _("Active")
    EXPIRED = "expired", _("Expired")
    TERMINATED = "terminated", _("Terminated")
    RENEWED = "renewed", _("Renewed")


class RentCycle(models.TextChoices):
    """How often rent is paid."""

    MONTHLY = "monthly", _("Monthly")
    QUARTERLY = "quarterly", _("Quarterly")
    SEMI_ANNUAL = "semi-annual", _("Semi-annual")
    ANNUAL = "annual", _("Annual")


class ProjectStatus(models.TextChoices):
    """The life of an off-plan project under Wafi, in order."""

    PLANNING = "planning", _("Planning")
    LICENSED = "licensed", _("Licensed")
    CONSTRUCTION = "construction", _("Construction")
    COMPLETED = "completed", _("Completed")
    HANDED_OVER = "handed_over", _("Handed over")


class MilestoneStatus(models.TextChoices):
    """Where a part of an off-plan project stands, for which money leaves the escrow account."""

    PENDING = "pending", _("Pending")
    IN_PROGRESS = "in_progress", _("In progress")
    CERTIFIED = "certified", _("Certified")
    RELEASED = "released", _("Released")
    OVERDUE = "overdue", _("Overdue")


class DefectCategory(models.TextChoices):
    STRUCTURAL = "structural", _("Structural")
    ELECTRICAL = "electrical", _("Electrical")
    PLUMBING = "plumbing", _("Plumbing")
    FINISHING = "finishing", _("Finishing")
    HVAC = "hvac", _("Air conditioning")
    OTHER = "other", _("Other")


class DefectSeverity(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    MAJOR = "major", _("Major")
    MINOR = "minor", _("Minor")


class DefectStatus(models.TextChoices):
    OPEN = "open", _("Open")
    IN_PROGRESS = "in_progress", _("In progress")
    RESOLVED = "resolved", _("Resolved")
    DEFERRED = "deferred", _("Deferred")


class SakaniStatus(models.TextChoices):
    """Whether the State supports a family's first home."""

    NOT_CHECKED = "not_checked", _("Not checked")
    ELIGIBLE = "eligible", _("Eligible")
    NOT_ELIGIBLE = "not_eligible", _("Not eligible")
    PENDING_VERIFICATION = "pending_verification", _("Pending verification")


class SakaniProduct(models.TextChoices):
    READY_UNIT = "ready_unit", _("Ready unit")
    UNDER_CONSTRUCTION = "under_construction", _("Under construction")
    SELF_CONSTRUCTION = "self_construction", _("Self construction")
    MOH_LAND = "moh_land", _("Land of the ministry")
    EASY_INSTALLMENT = "easy_installment", _("Easy installment")


class MortgageStatus(models.TextChoices):
    NOT_APPLIED = "not_applied", _("Not applied")
    PRE_APPROVED = "pre_approved", _("Pre-approved")
    APPLICATION_SUBMITTED = "application_submitted", _("Application submitted")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    DISBURSED = "disbursed", _("Disbursed")


class Financing(models.TextChoices):
    CONVENTIONAL = "conventional", _("Conventional")
    ISLAMIC = "islamic", _("Islamic")
    SUBSIDIZED = "subsidized", _("Subsidized")
    SELF_FUNDED = "self_funded", _("Self-funded")


class PaymentType(models.TextChoices):
    DOWN_PAYMENT = "down_payment", _("Down payment")
    INSTALLMENT = "installment", _("Installment")
    ESCROW_RELEASE = "escrow_release", _("Escrow release")
    FINAL_PAYMENT = "final_payment", _("Final payment")
    OTHER = "other", _("Other")


class PaymentStatus(models.TextChoices):
    """Where a planned payment stands; a pending one becomes overdue by itself."""

    PENDING = "pending", _("Pending")
    PAID = "paid", _("Paid")
    OVERDUE = "overdue", _("Overdue")
    CANCELLED = "cancelled", _("Cancelled")


class InterestStatus(models.TextChoices):
    """How far a customer has come with a property, in order."""

    INTERESTED = "interested", _("Interested")
    VIEWING_SCHEDULED = "viewing_scheduled", _("Viewing scheduled")
    VIEWED = "viewed", _("Viewed")
    LIKED = "liked", _("Liked")
    REJECTED = "rejected", _("Rejected")
    OFFER_MADE = "offer_made", _("Offer made")


class InteractionType(models.TextChoices):
    """The way somebody was in touch with a customer; a note is no contact."""

    CALL = "call", _("Call")
    WHATSAPP = "whatsapp", _("WhatsApp")
    EMAIL = "email", _("E-mail")
    MEETING = "meeting", _("Meeting")
    SITE_VISIT = "site_visit", _("Site visit")
    NOTE = "note", _("Note")
    SMS = "sms", _("SMS")


class Direction(models.TextChoices):
    """Who turned to whom: the customer to us, or we to the customer."""

    INBOUND = "inbound", _("Inbound")
    OUTBOUND = "outbound", _("Outbound")


class Sentiment(models.TextChoices):
    POSITIVE = "positive", _("Positive")
    NEUTRAL = "neutral", _("Neutral")
    NEGATIVE = "negative", _("Negative")


class AppointmentType(models.TextChoices):
    SITE_VISIT = "site_visit", _("Site visit")
    OFFICE_MEETING = "office_meeting", _("Office meeting")
    PHONE_CALL = "phone_call", _("Phone call")
    VIDEO_CALL = "video_call", _("Video call")
    CONTRACT_SIGNING = "contract_signing", _("Contract signing")
    OTHER = "other", _("Other")


class AppointmentStatus(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    CONFIRMED = "confirmed", _("Confirmed")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    NO_SHOW = "no_show", _("Did not come")


class ReminderType(models.TextChoices):
    FOLLOW_UP = "follow_up", _("Follow-up")
    DOCUMENT = "document", _("Document")
    PAYMENT = "payment", _("Payment")
    VIEWING = "viewing", _("Viewing")
    GENERAL = "general", _("General")


class ReminderStatus(models.TextChoices):
    """How a reminder stands. One that is pending and past is shown as overdue; that is never stored."""

    PENDING = "pending", _("Pending")
    COMPLETED = "completed", _("Completed")
    OVERDUE = "overdue", _("Overdue")
    CANCELLED = "cancelled", _("Cancelled")


class ListingPurpose(models.TextChoices):
    """What a property is offered for: who wants to buy or to invest looks at sales, who wants to rent at rents."""

    SALE = "sale", _("For sale")
    RENT = "rent", _("For rent")


class ListingStatus(models.TextChoices):
    """Whether a property can still be had. Archived ones are off the market and out of lists that ask for no status."""

    AVAILABLE = "available", _("Available")
    RESERVED = "reserved", _("Reserved")
    SOLD = "sold", _("Sold")
    RENTED = "rented", _("Rented")
    ARCHIVED = "archived", _("Archived")


# A property is furnished one way or another; only customers do not mind.
LISTING_FURNISHING = [choice for choice in Furnishing.choices if choice[0] != Furnishing.ANY]


# An interest that has come as far as this counts as a viewing.
SEEN = (InterestStatus.VIEWED, InterestStatus.LIKED, InterestStatus.REJECTED, InterestStatus.OFFER_MADE)
# An appointment that is still to come; the others are finished.
COMING = (AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED)
# How one ends at its time, not before it.
OVER = (AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW)
# What an appointment is called when nobody says, in the language of the people who read it and in English.
APPOINTMENT_TITLES = {
    AppointmentType.SITE_VISIT: ("معاينة عقار", "Site visit"),
    AppointmentType.OFFICE_MEETING: ("اجتماع في المكتب", "Office meeting"),
    AppointmentType.PHONE_CALL: ("مكالمة هاتفية", "Phone call"),
    AppointmentType.VIDEO_CALL: ("مكالمة مرئية", "Video call"),
    AppointmentType.CONTRACT_SIGNING: ("توقيع العقد", "Contract signing"),
    AppointmentType.OTHER: ("موعد", "Appointment"),
}

STAGE_RANK = {stage: rank for rank, stage in enumerate(Stage.values)}
PRIORITY_RANK = {priority: rank for rank, priority in enumerate(Priority.values)}

# Channels that other systems name; the channel itself is kept in sourceDetails.channel.
CHANNELS = {
    "website": Source.INQUIRY,
    "web": Source.INQUIRY,
    "form": Source.INQUIRY,
    "landing_page": Source.INQUIRY,
    "property_request": Source.INQUIRY,
    "phone": Source.INQUIRY,
    "call": Source.INQUIRY,
    "email": Source.INQUIRY,
    "instagram": Source.INQUIRY,
    "snapchat": Source.INQUIRY,
    "tiktok": Source.INQUIRY,
    "facebook": Source.INQUIRY,
    "twitter": Source.INQUIRY,
    "ads": Source.INQUIRY,
    "affiliate": Source.REFERRAL,
    "employee_dashboard": Source.MANUAL,
    "walk_in": Source.MANUAL,
    "sms": Source.WHATSAPP,
}

# The property types that the client offers; the list is open.
PROPERTY_TYPES = {"villa": "فيلا", "apartment": "شقة", "land": "أرض", "commercial": "تجاري"}


class ConsentPurpose(models.TextChoices):
    """What a customer's data may be used for; the law asks for a yes to each but the service itself."""

    SERVICE = "service", _("Service")
    MARKETING = "marketing", _("Marketing")
    CREDIT_DATA = "credit_data", _("Credit data")
    ID_COPY = "id_copy", _("Copy of the ID")


class ConsentStatus(models.TextChoices):
    """What a customer said."""

    GRANTED = "granted", _("Granted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ConsentChannel(models.TextChoices):
    """How a customer may be approached."""

    CALL = "call", _("Call")
    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")


class RequestKind(models.TextChoices):
    """What a person may ask of whoever keeps their data (PDPL, articles 4 and 5)."""

    ACCESS = "access", _("To know what is kept")
    EXPORT = "export", _("To have a copy")
    CORRECT = "correct", _("To have it corrected")
    DESTROY = "destroy", _("To have it destroyed")
    WITHDRAW = "withdraw", _("To withdraw a consent")
    OBJECT = "object", _("To object to a use")


class RequestStatus(models.TextChoices):
    """Where a request of a person stands."""

    OPEN = "open", _("Open")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")


class Operation(models.TextChoices):
    """What was done to a row, as its history tells of it."""

    CREATED = "created", _("Created")
    UPDATED = "updated", _("Changed")
    DELETED = "deleted", _("Deleted")
    RESTORED = "restored", _("Restored")
    ERASED = "erased", _("Erased")
    READ = "read", _("Read")


class Door(models.TextChoices):
    """Through what a change came."""

    API = "api", _("API")
    ADMIN = "admin", _("Back office")
    COMMAND = "command", _("Command")
    TASK = "task", _("Background task")
    IMPORT = "import", _("Import")


# The amenities that people write in both languages; the list is open.
AMENITIES = {
    "pool": "مسبح",
    "garden": "حديقة",
    "majlis": "مجلس",
    "parking": "موقف سيارات",
    "elevator": "مصعد",
    "maid_room": "غرفة خادمة",
    "driver_room": "غرفة سائق",
    "gym": "صالة رياضية",
    "security": "حراسة",
    "balcony": "شرفة",
    "kitchen": "مطبخ",
    "air_conditioning": "تكييف",
}


class TransferKind(models.TextChoices):
    IMPORT = "import", _("Import")
    EXPORT = "export", _("Export")


class Transferred(models.TextChoices):
    """What a file holds."""

    CUSTOMERS = "customers", _("Customers")
    LISTINGS = "listings", _("Listings")


class TransferStatus(models.TextChoices):
    """The life of a transfer: an import is checked before it is done; an export waits for a worker."""

    UPLOADED = "uploaded", _("Uploaded")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    IMPORTING = "importing", _("Being imported")
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Being written")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


# What a worker has to do, or was doing when it ended.
AT_WORK = (TransferStatus.CHECKING, TransferStatus.IMPORTING, TransferStatus.WAITING, TransferStatus.RUNNING)
ENDED_TRANSFERS = (TransferStatus.DONE, TransferStatus.FAILED, TransferStatus.CANCELLED)


class FileFormat(models.TextChoices):
    """How a file of rows is written."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"


class ModelKind(models.TextChoices):
    """How much of an organization's own history stands behind its scores."""

    POINTS = "l0", _("Documented points")
    CALIBRATED = "l1", _("Points, calibrated")
    REFITTED = "l2", _("Refitted")


class ModelStatus(models.TextChoices):
    """The life of a model: what the gate refused never becomes active."""

    CANDIDATE = "candidate", _("Candidate")
    ACTIVE = "active", _("Active")
    REJECTED = "rejected", _("Refused")
    RETIRED = "retired", _("Retired")


class ModelFigure(models.TextChoices):
    """What is told of how far a model's probabilities agree with what happened."""

    ROWS = "rows", _("rows")
    CUSTOMERS = "customers", _("customers")
    WINS = "wins", _("won customers")
    BASE_RATE = "base_rate", _("base rate")
    AUC = "auc", _("AUC")
    ACTIVE_AUC = "active_auc", _("AUC of active leads")
    PR_AUC = "pr_auc", _("average precision")
    BRIER = "brier", _("Brier score")
    BRIER_SKILL = "brier_skill", _("Brier skill")
    ECE = "ece", _("calibration error")
    OBSERVED_OVER_EXPECTED = "observed_over_expected", _("observed over expected")
    LIFT = "lift", _("lift of the best tenth")


class ProbabilityBasis(models.TextChoices):
    """What a probability rests on: guesses, one's own history, or a model of it."""

    DEFAULT = "default", _("Usual values; not this organization's")
    CALIBRATED = "calibrated", _("Calibrated on the organization's history")
    FITTED = "fitted", _("Fitted to the organization's history")


class ChurnRisk(models.TextChoices):
    """How likely a customer is to fall silent."""

    LOW = "low", _("Low risk")
    MEDIUM = "medium", _("Medium risk")
    HIGH = "high", _("High risk")


class EngagementLevel(models.TextChoices):
    """How much a customer has been in touch lately."""

    VERY_LOW = "very_low", _("Very low engagement")
    LOW = "low", _("Low engagement")
    MEDIUM = "medium", _("Medium engagement")
    HIGH = "high", _("High engagement")
    VERY_HIGH = "very_high", _("Very high engagement")


class LeadFeature(models.TextChoices):
    """What a lead score is made of, in the order of customers.scoring.scorecard."""

    SOURCE = "source", _("Source")
    TIMELINE = "timeline", _("Timeline")
    COMPLETENESS = "completeness", _("Known preferences")
    INVENTORY_FIT = "inventory_fit", _("Suitable listings")
    FINANCING = "financing", _("Financing")
    RECENCY = "recency", _("Last contact")
    FREQUENCY = "frequency", _("Contacts within 30 days")
    LONGEST_TALK = "longest_talk", _("Longest conversation")
    INBOUND = "inbound", _("Reaches out")
    RESPONSE_RATE = "response_rate", _("Answered tries")
    STREAK = "streak", _("Tries without an answer")
    SENTIMENT = "sentiment", _("Sentiment")
    FIRST_RESPONSE = "first_response", _("First try in time")
    INTEREST = "interest", _("Interest in a property")
    VISITS = "visits", _("Viewings")
    STAGE = "stage", _("Stage")
    MOMENTUM = "momentum", _("Pace within the stage")


class FeatureBlock(models.TextChoices):
    DECLARED = "declared", _("What was declared")
    BEHAVIOUR = "behaviour", _("Behaviour")
    INTEREST = "interest", _("Interest")
    PROGRESS = "progress", _("Progress")


class Trend(models.TextChoices):
    """Where a score has gone when it last changed."""

    UP = "up", _("Rising")
    DOWN = "down", _("Falling")
    STEADY = "steady", _("Steady")
