"""Customers from files: reading, checking and loading them, for the command `import_customers`."""
