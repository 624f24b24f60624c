"""The floor and the roof of the hub: settings, the API contract, the audit, the servers of development."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
