"""Answers that the event loop gives without a thread: health, what is wrong with a body, and 503 when time is up."""

import io

from a2wsgi.wsgi import build_environ
from django.core.handlers.wsgi import WSGIRequest
from django.urls import Resolver404, resolve
from django.utils.module_loading import import_string

from config import health
from config.api.exceptions import TOO_LATE, plain_error

# What wraps these answers as it does all others; nothing here waits for anybody.
AROUND = (
    "config.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


async def answer_health(scope, send):
    """Answer when the path asks for health, and say whether it does."""
    if scope["path"] == "/healthz":
        await _answer(scope, send, health.healthz)
    elif scope["path"] == "/readyz":
        report = await health.report()
        await _answer(scope, send, lambda request: health.readiness(report))
    else:
        return False
    return True


async def answer_error(scope, send, status):
    """Answer with a bare error, and end the connection: what is left of the body is not to be read as a request."""
    await _answer(scope, send, lambda request: plain_error(request, status), {"Connection": "close"})


async def answer_too_late(scope, send):
    """Answer 503 for whom no thread has answered in time."""
    await _answer(scope, send, _too_late)


def _too_late(request):
    try:
        request.resolver_match = resolve(request.path_info)
    except Resolver404:
        pass
    return plain_error(request, 503, TOO_LATE)


async def _answer(scope, send, view, headers=None):
    for path in reversed(AROUND):
        view = import_string(path)(view)
    environ = build_environ(scope, None) | {"wsgi.input": io.BytesIO(), "hub.arrived": scope["hub"].arrived}
    response = view(WSGIRequest(environ))
    for name, value in {"Content-Length": str(len(response.content)), **(headers or {})}.items():
        response[name] = value
    listed = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": listed})
    await send({"type": "http.response.body", "body": response.content})
