from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = _("Documents")

    def ready(self):
        from customers.history import ENTITIES
        from customers.importing.relations import RELATIONS
        from customers.includes import INCLUDES
        from customers.person import FILES, LISTS
        from customers.timeline import KINDS
        from documents import importing, services, signals, timeline
        from documents.serializers import DocumentSerializer

        ENTITIES["document"] = DocumentSerializer
        FILES.append(services.files_of)
        LISTS["documents"] = DocumentSerializer
        INCLUDES["documents"] = DocumentSerializer
        KINDS.update(timeline.KINDS)
        RELATIONS["documents"] = importing.RELATION
        assert signals
