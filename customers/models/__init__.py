"""The tables of the customers app."""

from customers.models.counts import CustomerDay, CustomerSum, CustomerWord, StageMedian
from customers.models.customer import Assignment, Customer, NameWord, StageChange

__all__ = [
    "Assignment",
    "Customer",
    "CustomerDay",
    "CustomerSum",
    "CustomerWord",
    "NameWord",
    "StageChange",
    "StageMedian",
]
