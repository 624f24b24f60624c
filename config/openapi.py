"""GET /schema: the description of the API is made once for each language and format, for anybody may ask for it."""

from functools import cache
from hashlib import blake2b

from django.http import HttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView

CACHE_SECONDS = 300
LANGUAGES = ("ar", "en")
YAML, JSON = (OpenApiYamlRenderer, OpenApiYamlRenderer2), (OpenApiJsonRenderer, OpenApiJsonRenderer2)
# What makes each type that may be asked for.
TYPES = {kind.media_type: kinds[0] for kinds in (YAML, JSON) for kind in kinds}


class SchemaView(SpectacularAPIView):
    """YAML, or JSON where `Accept` names it; in the language of the request, or of `lang`."""

    renderer_classes = [OpenApiYamlRenderer]

    @extend_schema(exclude=True)
    def get(self, request):
        lang = request.GET.get("lang")
        media_type = _type_of(request.headers.get("Accept", ""))
        renderer = TYPES[media_type]
        body, etag = _schema(lang if lang in LANGUAGES else translation.get_language(), renderer)
        response = HttpResponse(body, content_type=media_type)
        response["Content-Disposition"] = f'inline; filename="schema.{renderer.format}"'
        response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
        response["ETag"] = etag
        patch_vary_headers(response, ["Accept", "Accept-Language"])
        return get_conditional_response(request, etag=etag, response=response)


def _type_of(accepted):
    """The first type of TYPES that an `Accept` names, else YAML."""
    named = (part.split(";")[0].strip().lower() for part in accepted.split(","))
    return next((name for name in named if name in TYPES), OpenApiYamlRenderer.media_type)


@cache
def _schema(language, renderer):
    """`(bytes, ETag)`. Seconds of work the first time; the web process lets one request at a time in (`asgi.turns`)."""
    with translation.override(language):
        body = renderer().render(SchemaGenerator().get_schema(public=True), renderer_context={})
    return body, f'"{blake2b(body, digest_size=8).hexdigest()}"'
