"""Customers and everything that hangs on them."""
