"""What wraps every request: its id, its language, its canonical path, and a floor under its errors."""

import gzip
import logging
import re
import time
from secrets import token_hex

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.middleware.common import CommonMiddleware as DjangoCommonMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from config.api.exceptions import plain_error
from config.logging import door, employee_id, request_id

logger = logging.getLogger("hub.request")

# Option A of the client's guide and its own base path together give /api/v1/v1.
_API_PATH = re.compile(r"^/(?:api/v1/v1|api/v1|api|v1)(?:/(.*))?$", re.DOTALL)
# The client's name for a part of the path that has one of ours.
_CLIENT_WORD = re.compile(r"^(customers/[^/]+)/ksa-compliance(?=/|$)")
_SANE_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_OUR_ID = re.compile(r"^(cust|emp)_[a-z0-9_]+$")
_CARRIES_TOKENS = re.compile(r"^/api/v1/(auth/|login$)")
_GZIP = re.compile(r"(?:^|,)\s*(gzip|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*(?=,|$)")
_WORTH_COMPRESSING = 1000
_QUIET_PATHS = ("/healthz", "/readyz")


def request_id_of(given):
    """The id of a request: the one that the caller has given if it is sane, else a new one."""
    return given if _SANE_REQUEST_ID.match(given) else f"req_{token_hex(8)}"


def preferred_language(accepted):
    """`ar` or `en`, whichever an Accept-Language header prefers; English when neither is named."""
    for tag, _quality in parse_accept_lang_header(accepted.lower()):
        if tag[:2] in ("ar", "en"):
            return tag[:2]
    return "en"


@receiver(got_request_exception, dispatch_uid="hub.unhandled")
def log_unhandled(sender, **_message):
    """What goes wrong outside the API's views; django.request, which would say so, quotes data and is silent."""
    logger.error("unhandled", exc_info=True)


class RequestMiddleware:
    """The outermost layer: names the request, speaks its language, and logs how it ended.

    API paths under every accepted prefix become `/api/v1/…` without a trailing slash,
    so one list of routes serves them all without redirects. Whatever goes wrong
    beneath, an HTML page never leaves the API.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # The time that it has waited for a thread is a part of how long it took.
        started = request.META.get("hub.arrived") or time.perf_counter()
        request.id = request_id_of(request.headers.get("X-Request-ID", ""))
        request_id.set(request.id)
        employee_id.set("")
        path = _API_PATH.match(request.path_info)
        request.is_api = path is not None
        door.set("api" if path else "admin" if request.path_info.startswith("/admin/") else "")
        if path:
            request.path_info = "/api/v1/" + _CLIENT_WORD.sub(r"\1/compliance", (path[1] or "").rstrip("/"))
            translation.activate(preferred_language(request.headers.get("Accept-Language", "")))

        response = self.get_response(request)

        if request.is_api and response.status_code >= 400 and not getattr(response, "in_envelope", False):
            enveloped = plain_error(request, response.status_code)
            # What the layers beneath have said stays: CORS, security, Allow, Retry-After.
            for name, value in response.items():
                if not name.startswith("Content-") or name.startswith("Content-Security-"):
                    enveloped[name] = value
            response = enveloped
        if request.is_api and response.status_code >= 400:
            response["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["Authorization", "Accept-Language"])
        response["X-Request-ID"] = request.id
        if request.path_info not in _QUIET_PATHS:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            # What stands in a path is whatever somebody typed, a phone perhaps: only routes and ids of ours are logged.
            match = request.resolver_match
            facts = {
                "method": request.method,
                "route": match.route if match and match.url_name != "unknown" else "(unknown)",
                "status": response.status_code,
                "ms": milliseconds,
            }
            key = match.kwargs.get("pk", "") if match else ""
            if response.status_code < 400 and _OUR_ID.match(key):
                facts["id"] = key
            logger.info("request", extra={"facts": facts})
        return response


class CompressMiddleware:
    """gzip for the API's JSON, where no proxy in front does it.

    Not for what carries tokens: from the length of compressed answers a secret in them can be guessed (BREACH).
    """

    def __init__(self, get_response):
        if not settings.COMPRESS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        is_json = response.get("Content-Type") == "application/json" or request.is_api and response.status_code == 304
        if not is_json or _CARRIES_TOKENS.match(request.path_info):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if not accepts_gzip(request.headers.get("Accept-Encoding", "")):
            return response
        # Whatever the length: a 304 says what its 200 would, and does not know how long that is.
        if response.get("ETag", "").startswith('"'):
            response["ETag"] = f"W/{response['ETag']}"
        if len(response.content) >= _WORTH_COMPRESSING:
            # A level of 6 saves a sixth more and takes twice the time.
            response.content = gzip.compress(response.content, compresslevel=3, mtime=0)
            response["Content-Encoding"], response["Content-Length"] = "gzip", str(len(response.content))
        return response


def accepts_gzip(header):
    """Whether an `Accept-Encoding` takes gzip: what it says of gzip outweighs what it says of `*`."""
    weights = dict(_GZIP.findall(header.lower()))
    weight = weights.get("gzip", weights.get("*"))
    return weight is not None and float(weight or 1) > 0


class CommonMiddleware(DjangoCommonMiddleware):
    """Django's, without its redirects: a 301 loses the body and the Authorization header."""

    def process_request(self, request):
        request.get_host()
