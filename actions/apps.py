from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActionsConfig(AppConfig):
    name = "actions"
    verbose_name = _("Actions")

    def ready(self):
        from actions import signals, stats, timeline
        from actions.advice import advise
        from actions.offering import offer_listing
        from actions.querysets import NEXT_FOLLOW_UP_SQL
        from actions.serializers import AddedNoteSerializer, CustomerActionSerializer
        from customers.followups import PLANNED
        from customers.history import ENTITIES
        from customers.options import OPTIONS
        from customers.person import LISTS
        from customers.scoring import ADVISERS
        from customers.services.matching import OFFERING
        from customers.timeline import KINDS
        from employees.stats import WORKLOAD

        ENTITIES["action"] = CustomerActionSerializer
        LISTS.update(actions=CustomerActionSerializer, actionNotes=AddedNoteSerializer)
        OFFERING.append(offer_listing)
        ADVISERS.append(advise)
        PLANNED.append(NEXT_FOLLOW_UP_SQL)
        OPTIONS.append(stats.filter_options)
        KINDS.update(timeline.KINDS)
        WORKLOAD.update(stats.WORKLOAD)
        assert signals
