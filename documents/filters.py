"""What the documents of a customer can be narrowed by."""

from config.api.filters import ChoiceListFilter, HubFilterSet
from documents.choices import DocumentType


class DocumentFilterSet(HubFilterSet):
    type = ChoiceListFilter("type", choices=DocumentType.values)
