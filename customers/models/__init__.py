"""The tables of the customers app."""

from customers.models.customer import Assignment, Customer, StageChange

__all__ = ["Assignment", "Customer", "StageChange"]
