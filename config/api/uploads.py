"""Multipart forms from outside: whole, unambiguous, bounded, and their files on disk without a name."""

from tempfile import TemporaryFile

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles

from config.api.exceptions import PayloadTooLarge
from config.api.parsers import check_text

# What Django puts in the place of bytes that it cannot read; nobody types it.
_NOT_UTF8 = "\ufffd"


class NamelessFileHandler(FileUploadHandler):
    """Writes a file of a form to a temporary file that no folder names: it is gone when the process is."""

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.file = TemporaryFile()

    def receive_data_chunk(self, raw_data, start):
        if start + len(raw_data) > settings.MAX_FILE_BYTES:
            raise PayloadTooLarge
        self.file.write(raw_data)

    def file_complete(self, file_size):
        self.file.seek(0)
        return UploadedFile(self.file, self.file_name, self.content_type, file_size, self.charset)


class _Counted:
    """A body as it is read, with how many of its parts have begun and whether the last has ended.

    Django skips parts that it cannot name, and takes a body that breaks off for a whole one.
    """

    def __init__(self, stream, boundary):
        self.stream, self.mark, self.tail = stream, b"--" + boundary, b""
        self.marks = self.ends = 0

    def read(self, size):
        chunk = self.stream.read(size)
        text = self.tail + chunk
        # A mark that straddles two chunks is counted once, with the second.
        end = self.mark + b"--"
        self.marks += text.count(self.mark) - self.tail.count(self.mark)
        self.ends += text.count(end) - self.tail.count(end)
        self.tail = text[-len(end) + 1 :]
        return chunk

    @property
    def parts(self):
        """How many parts there were, or None when the body broke off."""
        return self.marks - 1 if self.ends == 1 else None


class _Form(MultiPartParser):
    """Django's parser, with the errors of this API."""

    def __init__(self, meta, stream, handlers, encoding):
        super().__init__(meta, stream, handlers, encoding)
        self._input_data = self.counted = _Counted(stream, self._boundary)


class FormParser(BaseParser):
    """A multipart form of at most MAX_FORM_BYTES: texts, and files of at most MAX_FILE_BYTES."""

    media_type = "multipart/form-data"

    def parse(self, stream, media_type=None, parser_context=None):
        request = parser_context["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_FORM_BYTES:
            raise PayloadTooLarge
        try:
            form = _Form(request.META, stream, [NamelessFileHandler(request._request)], "utf-8")
        except MultiPartParserError:
            message = _("Content-Type names no boundary: leave this header to your HTTP client")
            raise ParseError(message) from None
        try:
            texts, files = form.parse()
        except MultiPartParserError:
            raise ParseError(_("The multipart body is malformed")) from None
        if form.counted.parts is None:
            raise ParseError(_("The multipart body ends before its last boundary"))
        if form.counted.parts != _length(texts) + _length(files):
            raise ParseError(_("The multipart body has a part without a name"))
        for name, values in texts.lists():
            for text in (name, *values):
                check_text(text)
                if _NOT_UTF8 in text:
                    raise ParseError(_("The form holds text that is not UTF-8"))
        return DataAndFiles(texts, files)


def _length(values: MultiValueDict):
    return sum(len(several) for _name, several in values.lists())
