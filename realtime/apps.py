from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RealtimeConfig(AppConfig):
    name = "realtime"
    verbose_name = _("Live updates")

    def ready(self):
        from realtime import receivers  # noqa: F401
