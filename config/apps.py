from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = _("The hub")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from config.api import idempotency  # noqa: F401
