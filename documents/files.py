"""The file of a document as an answer, and who has had it."""

from rest_framework.exceptions import NotFound

from config.api.downloads import download
from config.audit import record_read
from documents.storage import storage


def file_of(document, request):
    """The answer with a document's file, whole or by `Range`, which the audit keeps. NotFound (404) when it is gone."""
    try:
        answer = download(
            request,
            lambda: storage.open_kept(document.storage_key),
            size=document.file_size,
            name=document.file_name,
            content_type=document.mime_type,
            etag=f'"{document.pk}"',
        )
    except FileNotFoundError:  # it was removed in this moment
        raise NotFound from None
    if request.method == "GET":
        record_read(document, actor=request.user)
    return answer
