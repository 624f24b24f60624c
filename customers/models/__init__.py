"""The tables of the customers app."""

from customers.models.activity import Appointment, Interaction, PropertyInterest, Reminder, StatusChange
from customers.models.compliance import (
    BrokerageContract,
    BrokerageLicense,
    EjarContract,
    EscrowMilestone,
    HandoverDefect,
    MortgageInfo,
    Payment,
    RegistryInfo,
    SakaniEligibility,
    WafiLicense,
)
from customers.models.counts import CustomerDay, CustomerSum, CustomerWord, StageMedian
from customers.models.customer import Assignment, Customer, NameWord, StageChange
from customers.models.listing import Listing
from customers.models.matching import DistrictNeighbours, MatchKey, MatchRequest, PropertyMatch
from customers.models.merge import CustomerMerge
from customers.models.privacy import Consent, PrivacyRequest
from customers.models.scoring import LeadFeatureSnapshot, LeadScore, LeadScoreModel, LeadScoreTouch
from customers.models.transfer import Transfer

__all__ = [
    "Appointment",
    "Assignment",
    "BrokerageContract",
    "BrokerageLicense",
    "Consent",
    "Customer",
    "CustomerDay",
    "CustomerMerge",
    "CustomerSum",
    "CustomerWord",
    "DistrictNeighbours",
    "EjarContract",
    "EscrowMilestone",
    "HandoverDefect",
    "Interaction",
    "LeadFeatureSnapshot",
    "LeadScore",
    "LeadScoreModel",
    "LeadScoreTouch",
    "Listing",
    "MatchKey",
    "MatchRequest",
    "MortgageInfo",
    "NameWord",
    "Payment",
    "PrivacyRequest",
    "PropertyInterest",
    "PropertyMatch",
    "RegistryInfo",
    "Reminder",
    "SakaniEligibility",
    "StageChange",
    "StageMedian",
    "StatusChange",
    "Transfer",
    "WafiLicense",
]
