from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActionsConfig(AppConfig):
    name = "actions"
    verbose_name = _("Actions")

    def ready(self):
        from actions import signals, stats
        from customers.options import OPTIONS
        from employees.stats import WORKLOAD

        OPTIONS.append(stats.filter_options)
        WORKLOAD.update(stats.WORKLOAD)
        assert signals
