"""The Celery application. Requests never publish: workers and the beat find rows by polling."""

import os

from celery import Celery
from celery.signals import task_prerun

from config.logging import door

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("hub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
def enter_by_the_task_door(**_message):
    """What a task changes is recorded as such, unless the task knows a better name for itself."""
    door.set("task")
