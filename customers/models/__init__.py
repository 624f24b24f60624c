"""The tables of the customers app."""

from customers.models.customer import Assignment, Customer, NameWord, StageChange

__all__ = ["Assignment", "Customer", "NameWord", "StageChange"]
