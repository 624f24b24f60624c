"""A stored file as an answer: whole or a part of it, always to be saved and never shown by the browser."""

import re

from django.http import FileResponse, HttpResponse
from django.utils.http import content_disposition_header

from config.api.exceptions import plain_error

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})").fullmatch


class _Part:
    """`length` bytes of a file from `start` on."""

    def __init__(self, file, start, length):
        self.file, self.left = file, length
        file.seek(start)

    def read(self, size):
        piece = self.file.read(min(size, self.left))
        self.left -= len(piece)
        return piece

    def close(self):
        self.file.close()


def download(request, open_file, *, size, name, content_type, etag):
    """The answer with a file, or with the range of it that the request asks for.

    `open_file` is called when there is something to send. Several ranges at once are answered with the whole.
    """
    start, end, asked = 0, size - 1, _asked_range(request, etag)
    if asked:
        start, end = _within(size, *asked)
        if start > end:
            response = plain_error(request, 416)
            response["Content-Range"] = f"bytes */{size}"
            return response
    if request.method == "HEAD":
        response = HttpResponse(content_type=content_type)
    else:
        response = FileResponse(_Part(open_file(), start, end - start + 1), content_type=content_type)
        response.block_size = 64 * 1024
    if asked:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end}/{size}"
    response["Content-Length"] = str(end - start + 1)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _asked_range(request, etag):
    """The two sides of a `Range` header as they stand there, None when all is asked for."""
    match = _RANGE(request.headers.get("Range", "").replace(" ", ""))
    is_of_this = request.headers.get("If-Range", etag) == etag
    return match.groups() if match and any(match.groups()) and is_of_this else None


def _within(size, first, last):
    """The first and the last byte of a range; the first is behind the last when there is no such part."""
    if not first:
        return max(size - int(last), 0), size - 1 if int(last) else -1
    return int(first), min(int(last), size - 1) if last else size - 1
