"""The envelope around every answer: `{success, data | error, message?, errors?, meta}`."""

import time
from datetime import UTC, datetime

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer

from config.api.links import with_links

JSON = "application/json"


def dumps(data):
    """JSON bytes of plain data, of lazy texts and of rows that the database has rendered already."""
    return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def iso(seconds=None):
    """A POSIX time, or now, as ISO 8601 in UTC."""
    return (
        datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def meta_of(request, **more):
    """What every answer says about itself."""
    return {"timestamp": iso(), "requestId": getattr(request, "id", ""), **more}


def success_envelope(data, meta, message=None):
    """`data` is what dumps() takes, or an orjson.Fragment when the row came rendered."""
    envelope = {"success": True, "data": data, "meta": meta}
    if message:
        envelope["message"] = message
    return dumps(envelope)


def error_envelope(error, meta):
    """The error, with its message and fields repeated where the client also looks for them."""
    envelope = {"success": False, "error": error, "message": error["message"], "meta": meta}
    if isinstance(error.get("details"), list):
        fields = {}
        for detail in error["details"]:
            fields.setdefault(detail["field"], []).append(detail["message"])
        envelope["errors"] = fields
    return dumps(envelope)


class EnvelopeRenderer(BaseRenderer):
    """Puts what a view returns into the envelope, and what went wrong into the error's."""

    media_type = JSON
    format = "json"
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None):
        response, request = renderer_context["response"], renderer_context["request"]
        if response.status_code == 304:
            return b""
        if response.status_code >= 400:
            return error_envelope(data["error"], meta_of(request))
        if getattr(response, "bare", False):
            return dumps(data)
        meta = meta_of(request, **getattr(response, "meta", {}))
        return with_links(success_envelope(data, meta, getattr(response, "message", None)), request)


class OneRenderer(BaseContentNegotiation):
    """JSON whatever `Accept` says: there is nothing else to have, and a 406 helps nobody."""

    def select_parser(self, request, parsers):
        content_type = request.content_type.split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type
