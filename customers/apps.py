from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Customers")

    def ready(self):
        from customers import signals, stats
        from customers.includes import INCLUDES
        from customers.serializers import activity
        from employees.stats import AVERAGES

        INCLUDES.update(activity.INCLUDES)
        AVERAGES.update(stats.AVERAGES)
        assert signals
