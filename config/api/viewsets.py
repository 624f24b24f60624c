"""What every viewset of the API shares: it declares itself, and lists, details and writes follow.

A view returns data; here it becomes a page, an envelope, an ETag, a 304 or a 412.
"""

import hashlib
import re
from functools import lru_cache, partial

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils.functional import cached_property
from django.utils.http import http_date
from django.utils.translation import get_language
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from config import cache
from config.api.exceptions import NOT_FOUND_MESSAGES
from config.api.idempotency import answered_once
from config.api.pagination import DEFAULT_SIZE, MAX_SIZE, paginate, part_from
from config.api.query import QueryParams
from config.api.renderers import dumps
from config.api.rows import declared_fields, fragments, rows_of
from config.api.throttling import rate_headers
from config.db import tried_again

_ETAG_VERSION = re.compile(r'^(?:W/)?"(\d{1,9})-')
_WRITES = {"post", "put", "patch", "delete"}
# Whoever sees the whole organization sees the same, unless `me` is in the query or could be: escapes may spell it too.
_NAMES_NOBODY = re.compile(r"(?!.*\bme\b)[\w.,:=&+-]*", re.ASCII).fullmatch


@lru_cache
def _listed(permissions):
    return sorted(permissions)


class HubViewSet(GenericViewSet):
    """A resource of the API.

    `resource` and `collection` name it in answers and errors, `path` its place where that is
    not the collection's name; `permission`, `write_permission` and `delete_permission` say what it
    takes; `serializer_class` declares its shape, `filterset_class`, `sorts`, `default_sort` and `default_order` its
    list; `includable` names the relations that may be asked for, which all come along outside of lists
    when none is. By action: `bodies` declares what is read, `answers` what is returned when it is not
    the resource itself, `filtersets` what others than the list are narrowed by, `extra_params` further
    query parameters, `throttle_scopes` what it counts as where the method does not say; `created` actions answer
    201; `lists` actions a page of the collection; `files` actions a file; `bare` actions answer without the envelope.
    Answers of `cached` actions are kept for so many seconds, as long as nothing changes of the models that the
    viewset `reads`, nor of the organization's people and settings.
    """

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    resource = collection = path = None
    permission = write_permission = delete_permission = missing_permission = None
    public = signed_in = False
    filterset_class = None
    metadata_class = None
    sorts, default_sort, default_order = {}, None, "desc"
    page_size, max_page_size = DEFAULT_SIZE, MAX_SIZE
    includable = frozenset()
    bodies, answers, filtersets, extra_params, bare, files = {}, {}, {}, {}, frozenset(), frozenset()
    created, lists = frozenset({"create"}), frozenset({"list"})
    throttle_scopes = {}
    cached, reads = {}, ()

    # --- Reading the request -----------------------------------------------------------

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        method = request.method.lower()
        if method in _WRITES and self.action:
            handler = getattr(self, method)
            handler = answered_once(self, handler) if self.takes_key(request.method) else handler
            setattr(self, method, tried_again(handler))
        elif self.action in self.cached and settings.ANSWER_CACHE:
            setattr(self, method, partial(self.from_cache, getattr(self, method)))

    def takes_key(self, method):
        """Whether an `Idempotency-Key` means something: with a POST that signs nobody in and is no question."""
        return method == "POST" and not self.public and self.throttle_scopes.get(self.action) != "search"

    def perform_authentication(self, request):
        """Nobody is asked who they are where anybody may come: signing in works with a stale token in the header."""
        if not self.public:
            super().perform_authentication(request)

    @cached_property
    def params(self):
        """The query string, with `cursor` None when absent and "" for the first page."""
        params = QueryParams(self.request.GET)
        params.cursor = params.get("cursor", [""])[-1] if "cursor" in self.request.GET else None
        return params

    @cached_property
    def shape(self):
        """The compiled rows that the query string and the caller's role ask for."""
        asked = self.params.names_of("include")
        return self.shape_of(self.params.names_of("fields"), asked or ([] if self.is_list else self.includable))

    @property
    def is_list(self):
        """Whether the answer shows many rows."""
        return self.action in self.lists

    def shows_row(self):
        """Whether the answer shows one row as it is now, and its version as ETag."""
        if self.is_list or self.action in self.files:
            return False
        answer = self.answers.get(self.action)
        return answer is None or self.resource in (answer if isinstance(answer, dict) else declared_fields(answer))

    def shape_of(self, names, relations):
        """The compiled rows of these fields, or all when there are none, with these relations."""
        declared = declared_fields(self.serializer_class)
        included = {name for name in relations if name in self.includable}
        self.unknown_names = [name for name in names if name not in declared]
        self.unknown_names += [name for name in relations if name not in included and name not in declared]
        known = frozenset(name for name in names if name in declared) | {"id"} if names else None
        return rows_of(self.serializer_class, known, frozenset(included), frozenset(self.request.user.permissions))

    def permission_for(self, method):
        """The permission that a method takes, or None when none was declared."""
        if method in ("GET", "HEAD"):
            return self.permission
        if method == "DELETE":
            return self.delete_permission or self.write_permission
        return self.write_permission

    def body(self, *, partial=False, instance=None):
        """The validated body as this action declares it, for `instance` where it changes one.

        ValidationError (400) with dotted paths otherwise.
        """
        declared, context = self.bodies[self.action], {"request": self.request}
        serializer = declared(instance, data=self.request.data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def require(self, permission):
        """Refuse (403) a caller without a permission that only this request needs."""
        if not self.request.user.may(permission):
            raise PermissionDenied(permission)

    def visible_key(self):
        """The id of the URL if its row is visible; 404 otherwise."""
        key = self.get_queryset().filter(pk=self.kwargs["pk"]).values_list("pk", flat=True).first()
        if key is None:
            raise NotFound
        return key

    def get_object(self, queryset=None):
        """The visible row of the URL, marked with the version that `If-Match` expects; 404 otherwise."""
        queryset = self.get_queryset() if queryset is None else queryset
        row = queryset.filter(pk=self.kwargs["pk"]).first()
        if row is None:
            raise NotFound
        row.expected_version = self._expected_version(row)
        return row

    def _expected_version(self, row):
        header = self.request.headers.get("If-Match", "").strip()
        if not header or header == "*" or self.request.method in ("GET", "HEAD"):
            return None
        versions = [int(m[1]) for part in header.split(",") if (m := _ETAG_VERSION.match(part.strip()))]
        return row.version if row.version in versions else -1

    def scope_is_small(self):
        """Whether the caller sees a small part of the table even without filters."""
        return False

    def known_total(self, filterset):
        """How many rows a list holds, where that is kept and need not be counted; else None."""
        return None

    # --- Answering ------------------------------------------------------------------------

    def page(self, queryset):
        """The page of a queryset that the query string asks for, filtered and sorted."""
        self.params.use("cursor")
        sizes = self.page_size, self.max_page_size
        part = part_from(self.params, self.sorts, self.default_sort, *sizes, self.default_order)
        filterset = self.filterset_class(self.params, queryset, request=self.request)
        total = self.known_total(filterset) if part.cursor is None else None
        return self.page_of(filterset.qs, part, meaning=filterset.meaning, total=total)

    def page_of(self, queryset, part, *, meaning, total=None):
        """A Part of a queryset that filters of this meaning have narrowed; an empty meaning is no filter."""
        also = [self.params.text(name) for name in self.extra_params.get(self.action, ())]
        page = paginate(
            queryset,
            part,
            meaning=(self.request.user.organization_id, self.path or self.collection, meaning, also),
            selective=bool(meaning) or self.scope_is_small(),
            total=total,
        )
        return self.answer({self.collection: self.rows_of(page.keys), "pagination": page.pagination})

    def rows_of(self, keys):
        """The rows of a page as the caller sees them."""
        return fragments(self.shape.fetch(keys))

    def in_short(self, serializer_class, keys):
        """`{id: the row}` of rows in another shape than the view's, as the caller sees them."""
        shape = rows_of(serializer_class, permissions=frozenset(self.request.user.permissions))
        rows = shape.fetch(list(dict.fromkeys(keys)))
        return {orjson.loads(text)["id"]: orjson.Fragment(text) for text, *_version in rows}

    def show(self, key, *, status=200, message=None, **more):
        """One row as the caller sees it, with its version as ETag; beside it what else is named, unless None."""
        more = {name: value for name, value in more.items() if value is not None}
        rows = self.shape.fetch([key])
        if not rows:
            raise NotFound
        text, version, updated_at = rows[0]
        response = self.answer({self.resource: orjson.Fragment(text), **more}, status=status, message=message)
        if version:
            response.row_version, response.row_updated_at = version, updated_at
        if status == 201:
            response["Location"] = f"/api/v1/{self.path or self.collection}/{key}"
        return response

    def failures(self, missing):
        """What a bulk call says of ids that do not exist or are not the caller's: the same."""
        message = str(NOT_FOUND_MESSAGES[self.resource])
        return [{"id": key, "code": "RESOURCE_NOT_FOUND", "message": message} for key in missing]

    def answer(self, data, *, status=200, message=None):
        """Data for the envelope, with an optional sentence for people."""
        response = Response(data, status=status)
        response.message = message
        return response

    # --- Keeping answers ------------------------------------------------------------------

    def lifetime(self):
        """For how many seconds the answer may be kept, None when it must not be."""
        return self.cached[self.action]

    def sources(self):
        """What the answer is made of: models, or ids of rows that stand for themselves and what hangs on them."""
        return self.reads

    def from_cache(self, handler, request, *args, **kwargs):
        """The answer of a read whose caller has passed all guards: the one that is kept, or the handler's."""
        user, query = request.user, request.META["QUERY_STRING"]
        # The caller's row may be remembered for a moment longer than it is so: what comes of that has a key of its own.
        scope = (user.role,) if user.is_admin and _NAMES_NOBODY(query) else (user.role, user.pk, user.version)
        settings = user.organization_id, user.organization.version, _listed(user.permissions), get_language()
        answer = cache.remembered(
            (*settings, *scope, request.path_info, query),
            user.organization_id,
            self.sources(),
            lambda: self.rendered(handler(request, *args, **kwargs)),
            self.lifetime,
        )
        response = self.answer(orjson.Fragment(answer.body))
        response.rendered = answer
        return response

    def rendered(self, response):
        """The Answer of a response: its ETag is taken over the data alone, for `meta` differs each time."""
        body, version = dumps(response.data), getattr(response, "row_version", 0)
        etag = f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        last_modified = http_date(response.row_updated_at.timestamp()) if version else ""
        ignored = self.params.ignored + getattr(self, "unknown_names", []) if "params" in self.__dict__ else []
        return cache.Answer(body, etag, last_modified, ignored)

    def is_known(self, answer):
        """Whether the caller has an Answer already, which is then a 304."""
        # Compared weakly: proxies that compress answers mark the tag with W/.
        known = self.request.headers.get("If-None-Match", "").strip()
        return known == "*" or answer.etag in re.findall(r'"[^"]*"', known)

    # --- Finishing ------------------------------------------------------------------------

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response.in_envelope = True
        response.bare = self.action in self.bare
        for name, value in rate_headers(request, self).items():
            response[name] = value
        if response.status_code < 400 and isinstance(response, Response):
            self._tag(request, response, getattr(response, "rendered", None) or self.rendered(response))
        return response

    def _tag(self, request, response, answer):
        is_read = request.method in ("GET", "HEAD")
        response["Cache-Control"] = "private, no-cache" if is_read else "no-store"
        if is_read:
            response["Vary"] = "Authorization, Accept-Language"
        if answer.ignored:
            response.meta = {"ignoredParams": answer.ignored}
        if is_read or answer.last_modified:
            response["ETag"] = answer.etag
        if answer.last_modified:
            response["Last-Modified"] = answer.last_modified
        if is_read and self.is_known(answer):
            response.status_code = 304
            response.data = None
        else:
            response.data = orjson.Fragment(answer.body)
