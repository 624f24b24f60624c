"""The hub's settings, but what is done each minute is done each second: nobody waits for a minute in a test."""

from config.settings import *  # noqa: F403

for _entry in CELERY_BEAT_SCHEDULE.values():  # noqa: F405
    if _entry["schedule"] == timedelta(minutes=1):  # noqa: F405
        _entry["schedule"] = timedelta(seconds=1)  # noqa: F405
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
