"""The back office: Django's Admin as a fourth door onto the services, scoped like the API."""
