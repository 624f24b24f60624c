from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = _("Documents")

    def ready(self):
        from customers.importing.relations import RELATIONS
        from customers.includes import INCLUDES
        from documents import importing, signals
        from documents.serializers import DocumentSerializer

        INCLUDES["documents"] = DocumentSerializer
        RELATIONS["documents"] = importing.RELATION
        assert signals
