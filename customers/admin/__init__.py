"""The customers of the back office, and what hangs on them."""

from customers.admin import activity, customer, transfer  # noqa: F401
