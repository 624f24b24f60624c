"""Customers and listings from files: reading, checking and loading them, for the commands `import_…`."""
