"""The shapes of documents: what leaves, what may be uploaded, and what may be said of them afterwards."""

import re

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ParseError

from config.api.parsers import safe_json
from config.api.rows import SignedLink
from config.api.serializers import NoteField, TextField, TextListField, WordField
from documents.choices import DocumentType
from documents.inspection import inspected
from documents.models import Document


class DocumentSerializer(serializers.Serializer):
    """A document of a customer. `fileUrl` is valid for five minutes, and empty for those who may not have the file."""

    id = serializers.CharField()
    name = serializers.CharField()
    type = serializers.ChoiceField(DocumentType.choices)
    fileUrl = SignedLink(permission="customers.pii", confidential=("type", DocumentType.ID_COPY))
    fileSize = serializers.IntegerField(source="file_size", required=False, help_text="Bytes")
    mimeType = serializers.CharField(source="mime_type", required=False)
    uploadedBy = serializers.CharField(source="uploaded_by")
    uploadedById = serializers.CharField(source="uploaded_by_id")
    uploadedAt = serializers.DateTimeField(source="created_at")
    description = serializers.CharField(required=False)
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Document
        order = ["created_at", "id"]
        newest = 50
        derived = {
            "fileUrl": "CASE WHEN {row}.storage_key <> '' THEN '/api/v1/documents/' || {row}.id || '/file' "
            "WHEN {row}.original_url ~* '^https?://[^/]' THEN {row}.original_url ELSE '' END"
        }


class UploadField(serializers.FileField):
    """A file that may be kept; see documents.inspection."""

    def to_internal_value(self, data):
        upload = super().to_internal_value(data)
        try:
            return inspected(upload)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from None


class TagsField(TextListField):
    """Tags as forms send them: a JSON list, repeated `tags` or `tags[]`, or with Latin or Arabic commas."""

    def get_value(self, dictionary):
        if not hasattr(dictionary, "getlist"):
            return super().get_value(dictionary)
        names = [name for name in dictionary if name == "tags" or name.startswith("tags[")]
        texts = [text for name in names for text in dictionary.getlist(name)]
        if len(texts) != 1 or not isinstance(texts[0], str):
            return texts if names else serializers.empty
        return self.read(texts[0])

    def read(self, text):
        """The tags that one text holds."""
        if text.strip() == "null":
            return []
        if text.lstrip().startswith(("[", "{")):
            try:
                return safe_json(text)
            except ParseError:
                raise serializers.ValidationError({"tags": [_("Must be a list of texts")]}) from None
        return [tag.strip() for tag in re.split("[,،]", text) if tag.strip()]


class DocumentInput(serializers.Serializer):
    """What is said of a document. Keys that are missing stay as they are, null clears. The file stays."""

    name = TextField(max_length=255, name_like=True, required=False, allow_blank=False)
    type = WordField(DocumentType.choices, required=False)
    description = NoteField(max_length=5000)
    tags = TagsField(required=False, allow_null=True, text_length=100)

    def validate(self, values):
        if values.get("tags", ()) is None:
            values["tags"] = []
        return values


class NewDocumentInput(DocumentInput):
    """A file, and what is said of it: by default it is called as the file is, and its type is `other`."""

    file = UploadField()

    def to_internal_value(self, data):
        lists = data.lists() if isinstance(data, MultiValueDict) else ()  # an empty body is an empty object
        files = [file for _name, several in lists for file in several if isinstance(file, UploadedFile)]
        if len(files) > 1:
            raise serializers.ValidationError({"file": [_("Send one file at a time")]})
        return super().to_internal_value(data)
