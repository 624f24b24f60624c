"""Every failure as one error of the contract: status, code, message, details."""

import logging

from django.core.exceptions import BadRequest, ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as MissingPermission
from django.core.exceptions import ValidationError as RuleViolation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import BadHeaderError, Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions as drf
from rest_framework.response import Response

from config.api.renderers import JSON, error_envelope, meta_of
from config.db import PreconditionFailed

logger = logging.getLogger("hub.errors")

# statement_timeout has ended the statement.
_CANCELED = "57014"
# What stands in an error when nothing more precise is known.
CODES = {
    400: ("VALIDATION_ERROR", gettext_lazy("The request is malformed")),
    401: ("AUTHENTICATION_FAILED", gettext_lazy("Invalid or expired authentication token")),
    403: ("PERMISSION_DENIED", gettext_lazy("You don't have permission to do this")),
    404: ("RESOURCE_NOT_FOUND", gettext_lazy("Not found")),
    405: ("METHOD_NOT_ALLOWED", gettext_lazy("This method is not allowed here")),
    408: ("VALIDATION_ERROR", gettext_lazy("The request body did not arrive in time")),
    409: ("CONFLICT", gettext_lazy("The current state does not allow this")),
    411: ("VALIDATION_ERROR", gettext_lazy("Content-Length is required")),
    412: ("PRECONDITION_FAILED", gettext_lazy("The resource has changed since you read it; read it again")),
    413: ("PAYLOAD_TOO_LARGE", gettext_lazy("The request body is too large")),
    415: ("UNSUPPORTED_MEDIA_TYPE", gettext_lazy("Send the body as application/json")),
    416: ("VALIDATION_ERROR", gettext_lazy("The file has no such part")),
    422: ("VALIDATION_ERROR", gettext_lazy("Validation failed for one or more fields")),
    429: ("RATE_LIMIT_EXCEEDED", gettext_lazy("Rate limit exceeded. Please try again later.")),
    500: ("INTERNAL_ERROR", gettext_lazy("Something went wrong on our side; please try again")),
    503: ("DATABASE_ERROR", gettext_lazy("The database is not available; please try again shortly")),
}
# The other two reasons for a 503, beside a database that is away.
TOO_LATE = gettext_lazy("The answer did not come in time; please try again shortly")
TOO_SLOW = gettext_lazy("This takes the database too long; ask for less, or try again later")
RETRY_SECONDS = "5"
NOT_FOUND_MESSAGES = {
    "action": gettext_lazy("Action not found"),
    "appointment": gettext_lazy("Appointment not found"),
    "consent": gettext_lazy("Consent not found"),
    "customer": gettext_lazy("Customer not found"),
    "document": gettext_lazy("Document not found"),
    "employee": gettext_lazy("Employee not found"),
    "interaction": gettext_lazy("Interaction not found"),
    "listing": gettext_lazy("Listing not found"),
    "privacyRequest": gettext_lazy("Privacy request not found"),
    "merge": gettext_lazy("Merge not found"),
    "property": gettext_lazy("Property interest not found"),
    "reminder": gettext_lazy("Reminder not found"),
}


def missing(resource, key):
    """A NotFound (404) that names another resource than the view's: what stands before it in the path."""
    error = drf.NotFound()
    error.missing = resource, key
    return error


class PayloadTooLarge(drf.APIException, RequestDataTooBig):
    """A body over the limit of its kind; Django knows it as well, where it reads a form of the back office."""

    status_code = 413
    default_detail = CODES[413][1]


class ServiceAway(drf.APIException):
    """A service that the hub stands on, other than the database, does not answer."""

    status_code = 503
    default_detail = gettext_lazy("Files cannot be stored or read at the moment; please try again shortly")


def field_errors(detail, path=""):
    """DRF's nested errors as a flat list of `{field, message}` with dotted paths."""
    if isinstance(detail, dict):
        return [
            error
            for name, inner in detail.items()
            for error in field_errors(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
        ]
    if isinstance(detail, list):
        # A list of lists or dicts belongs to the items of an array; a list of texts to the field itself.
        return [
            error
            for index, inner in enumerate(detail)
            for error in field_errors(inner, f"{path}.{index}" if isinstance(inner, (dict, list)) else path)
            if inner
        ]
    return [{"field": path, "message": str(detail)}]


def _rule_violation(exc):
    """Django's ValidationError: 409 when its code is `duplicate` or `conflict` (params are the details), else 422.

    With the code `refused`, params hold the list of `details`.
    The code of an error of one field is the `rule` that it breaks.
    """
    code = getattr(exc, "code", None)
    if code == "refused":
        return 422, {"code": "VALIDATION_ERROR", "message": str(exc.message), "details": exc.params["details"]}
    if code in ("duplicate", "conflict"):
        name = "DUPLICATE_RESOURCE" if code == "duplicate" else "CONFLICT"
        return 409, {"code": name, "message": str(exc.message), "details": exc.params or {}}
    if hasattr(exc, "error_dict"):
        broken = [(name, error) for name, errors in exc.error_dict.items() for error in errors]
        details = [
            {"field": name, "message": text} | ({"rule": error.code} if error.code else {})
            for name, error in broken
            for text in error.messages
        ]
    else:
        details = [{"field": "", "message": text} for text in exc.messages]
    return 422, {"code": "VALIDATION_ERROR", "message": details[0]["message"], "details": details}


def error_of(exc, view=None, request=None):
    """`(status, error)` for whatever was raised; an unknown exception is logged and becomes a 500."""
    if isinstance(exc, drf.ValidationError):
        message = _("Validation failed for one or more fields")
        return 400, {"code": "VALIDATION_ERROR", "message": message, "details": field_errors(exc.detail)}
    if isinstance(exc, RuleViolation):
        return _rule_violation(exc)
    if isinstance(exc, (Http404, drf.NotFound, ObjectDoesNotExist)):
        error = plain(404)
        resource = getattr(view, "resource", None)
        if resource:
            resource, key = getattr(exc, "missing", (resource, view.kwargs.get("pk", "")))
            error["message"] = str(NOT_FOUND_MESSAGES.get(resource, CODES[404][1]))
            error["details"] = {"resourceType": resource, "resourceId": key}
        return 404, error
    if isinstance(exc, MissingPermission):
        # A service names the permission that the actor lacks.
        return 403, plain(403) | {"details": {"requiredPermission": str(exc), "currentRole": request.user.role}}
    if isinstance(exc, drf.PermissionDenied):
        required = getattr(view, "missing_permission", None)
        error = plain(403, None if required else exc.detail)
        if required:
            error["details"] = {"requiredPermission": required, "currentRole": request.user.role}
        return 403, error
    if isinstance(exc, drf.Throttled):
        return 429, plain(429) | {"details": getattr(exc, "details", {})}
    if isinstance(exc, PreconditionFailed):
        return 412, plain(412)
    if isinstance(exc, (RequestDataTooBig, PayloadTooLarge)):
        return 413, plain(413)
    if isinstance(exc, drf.ParseError):
        return 400, plain(400, exc.detail)
    if isinstance(exc, drf.UnsupportedMediaType) and "json" not in view.parser_classes[0].media_type:
        return 415, plain(415, _("Send the body as %(type)s") % {"type": view.parser_classes[0].media_type})
    if isinstance(exc, (drf.MethodNotAllowed, drf.UnsupportedMediaType)):
        return exc.status_code, plain(exc.status_code)
    if isinstance(exc, ServiceAway):
        return 503, {"code": "EXTERNAL_SERVICE_ERROR", "message": str(exc.detail)}
    if isinstance(exc, drf.APIException):
        return exc.status_code, plain(exc.status_code, exc.detail)
    if isinstance(exc, (BadRequest, SuspiciousOperation, BadHeaderError)):
        return 400, plain(400)
    if getattr(exc.__cause__, "sqlstate", None) == _CANCELED:
        logger.error("statement too slow", exc_info=exc)
        return 503, plain(503, TOO_SLOW)
    if isinstance(exc, (OperationalError, InterfaceError)) or _connection_lost(exc):
        logger.error("database unavailable", exc_info=exc)
        return 503, plain(503)
    logger.error("unhandled", exc_info=exc)
    return 500, plain(500)


def _connection_lost(exc):
    return isinstance(exc, DatabaseError) and "connection" in type(exc.__cause__).__name__.lower()


def plain(status, message=None):
    """The error that a bare status stands for."""
    code, default = CODES.get(status, CODES[500 if status >= 500 else 400])
    return {"code": code, "message": str(message or default)}


def handle(exc, context):
    """DRF's exception handler: the error as a response of the contract."""
    view, request = context.get("view"), context.get("request")
    status, error = error_of(exc, view, request)
    response = Response({"error": error}, status=status)
    response.exception = True
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response["Retry-After"] = RETRY_SECONDS
    if getattr(exc, "wait", None):
        response["Retry-After"] = str(int(-(-exc.wait // 1)))
    return response


def plain_error(request, status, message=None):
    """The error of a request that reached no view of the API, in the envelope."""
    response = HttpResponse(error_envelope(plain(status, message), meta_of(request)), content_type=JSON, status=status)
    response.in_envelope = True
    if status == 503:
        response["Retry-After"] = RETRY_SECONDS
    return response


@csrf_exempt
def unknown_route(request, *args, **kwargs):
    """Any API path that is not one of ours."""
    return plain_error(request, 404)
