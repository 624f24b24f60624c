"""What the demo consists of: two agencies, their people and listings, customers as many as asked for, and their days.

A customer with all that goes on with it, or a listing, follows from its number and today's date alone, so the
demo of 500 is the beginning of the one of 200,000, and a second run can tell what is there already.
"""

from config.demo.actions import make_actions
from config.demo.activity import make_activity
from config.demo.customers import (
    CORE_CUSTOMERS,
    MAX_CUSTOMERS,
    OTHER_NUMBERS,
    SHARED_CUSTOMERS,
    make_customer,
    phone_of,
)
from config.demo.listings import LISTINGS, make_listing
from config.demo.making import midnight_of
from config.demo.people import (
    DEMO,
    ORGANIZATIONS,
    OTHER,
    OTHER_ADMIN,
    OTHER_TEAM,
    PASSWORD,
    PEOPLE,
    TEAMS,
    Staff,
    floor,
)

__all__ = [
    "CORE_CUSTOMERS",
    "DEMO",
    "LISTINGS",
    "MAX_CUSTOMERS",
    "ORGANIZATIONS",
    "OTHER",
    "OTHER_ADMIN",
    "OTHER_NUMBERS",
    "OTHER_TEAM",
    "PASSWORD",
    "PEOPLE",
    "SHARED_CUSTOMERS",
    "TEAMS",
    "Staff",
    "floor",
    "make_actions",
    "make_activity",
    "make_customer",
    "make_listing",
    "midnight_of",
    "phone_of",
]
