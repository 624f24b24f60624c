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
