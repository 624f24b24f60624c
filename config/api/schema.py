"""OpenAPI, generated from what the viewsets declare: bodies, answers, filters, permissions."""

import copy

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_array_type, build_object_type, build_parameter_type
from rest_framework.serializers import BaseSerializer

from config.api.exceptions import CODES
from config.api.idempotency import HEADER, REPLAYED

_STRING, _BOOLEAN = {"type": "string"}, {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_CURSOR = {"type": "string", "nullable": True}

META = build_object_type(
    {
        "timestamp": {"type": "string", "format": "date-time"},
        "requestId": _STRING,
        "ignoredParams": build_array_type(_STRING) | {"description": "Names in the query that mean nothing here"},
    },
    required=["timestamp", "requestId"],
)
PAGINATION = {
    "oneOf": [
        build_object_type(
            {
                "currentPage": _COUNT,
                "pageSize": _COUNT,
                "totalPages": _COUNT,
                "totalItems": _COUNT,
                "hasNextPage": _BOOLEAN,
                "hasPreviousPage": _BOOLEAN,
            },
            required=["currentPage", "pageSize", "totalPages", "totalItems", "hasNextPage", "hasPreviousPage"],
            description="By page number",
        ),
        build_object_type(
            {
                "nextCursor": _CURSOR,
                "prevCursor": _CURSOR,
                "hasNext": _BOOLEAN,
                "hasPrevious": _BOOLEAN,
                "limit": _COUNT,
            },
            required=["nextCursor", "prevCursor", "hasNext", "hasPrevious", "limit"],
            description="By cursor",
        ),
    ]
}
ERROR = build_object_type(
    {
        "success": {"type": "boolean", "enum": [False]},
        "error": build_object_type(
            {
                "code": {
                    "type": "string",
                    "enum": sorted(
                        {code for code, _message in CODES.values()} | {"DUPLICATE_RESOURCE", "EXTERNAL_SERVICE_ERROR"}
                    ),
                },
                "message": _STRING,
                "details": {
                    "oneOf": [
                        build_array_type(
                            build_object_type(
                                {"field": _STRING, "message": _STRING, "rule": _STRING}, required=["field", "message"]
                            )
                        ),
                        {"type": "object", "additionalProperties": {}},
                    ],
                    "description": "A list of fields for validation, an object for the other codes",
                },
            },
            required=["code", "message"],
        ),
        "message": _STRING | {"description": "The message again, where the client also looks for it"},
        "errors": {"type": "object", "additionalProperties": build_array_type(_STRING)},
        "meta": META,
    },
    required=["success", "error", "message", "meta"],
)
ERROR_DESCRIPTIONS = {
    400: "Malformed or mistyped",
    401: "Not signed in, or no longer",
    403: "The role lacks the permission, or `X-Organization-ID` names another organization",
    404: "No such row, or not the caller's",
    409: "Duplicate, or the state forbids it",
    412: "Changed since `If-Match`",
    413: "The body is too large",
    416: "The file has no such part",
    415: "The body is of another type",
    422: "A business rule said no",
    429: "Too many tries; see `Retry-After`",
    503: "The database is away; see `Retry-After`",
}


RATE_HEADERS = {
    "X-RateLimit-Limit": {"description": "Calls a minute of this category", "schema": _COUNT},
    "X-RateLimit-Remaining": {"description": "Calls that may come at once", "schema": _COUNT},
    "X-RateLimit-Reset": {"description": "When all of them are back, in seconds since 1970", "schema": _COUNT},
}
REQUEST_ID = {"X-Request-ID": {"description": "The id that the caller has given, or a new one", "schema": _STRING}}
ETAG = {"ETag": {"description": "For `If-None-Match`; of one row also for `If-Match`", "schema": _STRING}}
LAST_MODIFIED = {"Last-Modified": {"description": "When the row was last changed", "schema": _STRING}}
LOCATION = {"Location": {"description": "The path of the new row", "schema": _STRING}}
REPLAYED_HEADER = {REPLAYED: {"description": "`true` of a repeated answer", "schema": _STRING | {"enum": ["true"]}}}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait", "schema": _COUNT}}
FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
FILE_DESCRIPTIONS = {"200": "The file, to be saved", "206": "The part of it that `Range` asks for"}


class SignedLinkScheme(OpenApiAuthenticationExtension):
    target_class = "employees.authentication.SignedLinkAuthentication"
    name = "signedLink"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "query", "name": "signature"}


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "employees.authentication.SessionTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class RelationExtension(OpenApiSerializerFieldExtension):
    target_class = "config.api.rows.Relation"

    def map_serializer_field(self, auto_schema, direction):
        rows = self.target.serializers.get(self.target.field_name)
        if rows is None:
            return build_array_type({"type": "object", "additionalProperties": {}})
        one = auto_schema.resolve_serializer(rows(), direction).ref
        return build_array_type(one) if hasattr(rows.Meta, "order") else one


class MomentExtension(OpenApiSerializerFieldExtension):
    target_class = "config.api.serializers.MomentField"

    def map_serializer_field(self, auto_schema, direction):
        day = self.target.time_of_day.strftime("%H:%M")
        text = f"ISO 8601 date-time; without an offset, or a date alone ({day} of it), in the organization's zone"
        return {"type": "string", "description": text, "nullable": self.target.allow_null}


class StampedDayExtension(OpenApiSerializerFieldExtension):
    target_class = "config.api.serializers.StampedDay"

    def map_serializer_field(self, auto_schema, direction):
        if direction == "response":
            return {"type": "string", "format": "date-time", "description": "A day, as its midnight in UTC"}
        return {"type": "string", "description": "A day: ISO or Hijri; a date-time gives its day in Riyadh"}


class FiltersExtension(OpenApiSerializerFieldExtension):
    target_class = "config.api.language.FiltersField"

    def map_serializer_field(self, auto_schema, direction):
        text = self.target.language.description
        return {"type": "object", "additionalProperties": {}, "description": text, "nullable": self.target.allow_null}


class FreeObjectExtension(OpenApiSerializerFieldExtension):
    target_class = "rest_framework.serializers.DictField"

    def map_serializer_field(self, auto_schema, direction):
        return {"type": "object", "additionalProperties": {}}


class HubSchema(AutoSchema):
    """Reads `bodies`, `answers`, `filterset_class` and the permissions of a HubViewSet."""

    def get_operation_id(self):
        owner = self.view.resource or "session"
        return f"{owner}_{self.view.action}" + (
            "_put" if self.method == "PUT" and "patch" in self.view.action_map else ""
        )

    def get_tags(self):
        return [self.view.collection or "sessions"]

    def get_description(self):
        text = super().get_description()
        needed = self.view.permission_for(self.method)
        if self.view.public or self.view.signed_in or not needed:
            return text
        return f"{text}\n\nPermission: `{needed}`."

    def get_auth(self):
        return [] if self.view.public else super().get_auth()

    def _get_serializer(self):
        return self.view.serializer_class and self.view.serializer_class()

    def get_request_serializer(self):
        body = self.view.bodies.get(self.view.action)
        # PUT is the same partial update as PATCH.
        return body and body(partial=self.method in ("PUT", "PATCH"))

    def _get_filter_parameters(self):
        view, parameters = self.view, []
        filterset_class = view.filterset_class if view.action == "list" else view.filtersets.get(view.action)
        if filterset_class:
            for name, filter_ in filterset_class.base_filters.items():
                schema = build_array_type(filter_.value_schema) if filter_.many else dict(filter_.value_schema)
                description = (type(filter_).__doc__ or "").strip().split("\n")[0]
                others = filterset_class.spellings(name)[1:]
                description += f" Also as {', '.join(others)}." if others else ""
                parameters.append(
                    build_parameter_type(name=name, schema=schema, location="query", description=description)
                )
        if view.action == "list" and view.sorts:
            parameters += [
                build_parameter_type(
                    name="page", schema={"type": "integer", "minimum": 1, "default": 1}, location="query"
                ),
                build_parameter_type(
                    name="limit",
                    location="query",
                    schema={"type": "integer", "minimum": 1, "maximum": view.max_page_size, "default": view.page_size},
                ),
                build_parameter_type(
                    name="cursor",
                    schema=_STRING,
                    location="query",
                    description="`nextCursor` or `prevCursor` of an earlier answer; empty for the first page",
                ),
                build_parameter_type(
                    name="sortBy",
                    location="query",
                    schema={"type": "string", "enum": list(view.sorts), "default": view.default_sort},
                ),
                build_parameter_type(
                    name="sortOrder",
                    location="query",
                    schema={"type": "string", "enum": ["asc", "desc"], "default": view.default_order},
                ),
            ]
        for name, schema in view.extra_params.get(view.action, {}).items():
            parameters.append(build_parameter_type(name=name, schema=schema, location="query"))
        if self.method == "GET" and view.resource and view.action in ("list", "retrieve"):
            parameters.append(
                build_parameter_type(
                    name="fields",
                    schema=build_array_type(_STRING),
                    location="query",
                    description="Only these fields; `id` is always there",
                )
            )
            if view.includable:
                text = "What comes along" + ("" if view.action == "list" else "; without it everything")
                schema = build_array_type(_STRING | {"enum": sorted(view.includable)})
                parameters.append(
                    build_parameter_type(name="include", schema=schema, location="query", description=text)
                )
        names_row = "{id}" in self.path or "{pk}" in self.path or self.method != "POST" and "{" in self.path
        if self.method != "GET" and view.resource and names_row:
            parameters.append(
                build_parameter_type(
                    name="If-Match",
                    schema=_STRING,
                    location="header",
                    description="The ETag of the version you changed; 412 when it is stale",
                )
            )
        if self._is_kept():
            parameters.append(
                build_parameter_type(
                    name="If-None-Match",
                    schema=_STRING,
                    location="header",
                    description="The ETag of what you have already; 304 while it is the same",
                )
            )
        if view.takes_key(self.method):
            parameters.append(
                build_parameter_type(
                    name=HEADER,
                    schema=_STRING | {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                    location="header",
                    description="Sent again under the same key within a day, the request is answered, not repeated",
                )
            )
        parameters.append(
            build_parameter_type(
                name="Accept-Language",
                schema=_STRING | {"default": "en"},
                location="header",
                description="Messages in Arabic (`ar`) or English (`en`)",
            )
        )
        return parameters

    def _is_kept(self):
        """Whether callers may keep the answer, and ask whether it is still the same."""
        return self.method == "GET" and self.view.action not in self.view.files

    def _get_response_bodies(self, direction="response"):
        status = "201" if self.view.action in self.view.created else "200"
        if self.view.action in self.view.files:
            responses = {code: {"description": text, "content": FILE} for code, text in FILE_DESCRIPTIONS.items()}
        else:
            data = self._data_schema()
            schema = data if self.view.action in self.view.bare else self._envelope(data)
            responses = {status: {"description": "Done" if self.method != "GET" else "", "content": self._json(schema)}}
        if self._is_kept():
            responses["304"] = {"description": "As `If-None-Match` says"}
        error = self._component("Error", ERROR)
        for code in self._error_statuses():
            responses[str(code)] = {"description": ERROR_DESCRIPTIONS[code], "content": self._json(error)}
        for code, response in responses.items():
            # A 503 often comes before it is known who is asking.
            headers = {} if self.view.public or code in ("401", "503") else RATE_HEADERS
            headers = headers | (RETRY_AFTER if code in ("429", "503") else {})
            if self.view.takes_key(self.method):
                headers = headers | {"409": RETRY_AFTER, status: REPLAYED_HEADER}.get(code, {})
            response["headers"] = REQUEST_ID | headers | (self._version_headers(code) if code < "400" else {})
        return responses

    def _version_headers(self, code):
        """What a success says of the version that it shows."""
        shows_row = self.view.shows_row()
        headers = ETAG if self.method == "GET" or shows_row else {}
        return headers | (LAST_MODIFIED if shows_row else {}) | (LOCATION if shows_row and code == "201" else {})

    def _error_statuses(self):
        view = self.view
        statuses = [400, 429, 503]
        if view.action in view.bodies:
            statuses += [413, 415]
        if not view.public:
            statuses += [401, 403]
        elif view.action in view.bodies:
            statuses.append(401)
        if "{" in self.path:
            statuses.append(404)
        if view.action in view.files:
            statuses.append(416)
        if self.method != "GET" and view.resource and view.permission_for(self.method) != view.permission:
            statuses += [409, 412, 422]
        return sorted(statuses)

    def _data_schema(self):
        view = self.view
        answer = view.answers.get(view.action)
        if answer is None and view.action in view.lists:
            parts = {view.collection: view.serializer_class(many=True)}
            properties = {name: self._part(part) for name, part in parts.items()}
            if view.sorts:
                properties["pagination"] = self._component("Pagination", PAGINATION)
            return build_object_type(properties, required=list(properties))
        if answer is None:
            answer = {view.resource: view.serializer_class}
        if isinstance(answer, dict):
            properties = {name: self._part(part) for name, part in answer.items()}
            optional = {name for name, part in answer.items() if not getattr(part, "required", True)}
            return build_object_type(properties, required=[name for name in properties if name not in optional])
        return self._part(answer)

    def _part(self, part):
        if isinstance(part, dict):
            return part
        serializer = part if isinstance(part, BaseSerializer) else part()
        if getattr(serializer, "many", False):
            return build_array_type(self.resolve_serializer(serializer.child, "response").ref)
        return self.resolve_serializer(serializer, "response").ref

    def _envelope(self, data):
        return build_object_type(
            {
                "success": {"type": "boolean", "enum": [True]},
                "data": data,
                "message": _STRING,
                "meta": self._component("Meta", META),
            },
            required=["success", "data", "meta"],
        )

    def _component(self, name, schema):
        # A copy: the generator's hooks rewrite enums in place, and it runs once per request.
        schema = copy.deepcopy(schema)
        component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=schema)
        self.registry.register_on_missing(component)
        return component.ref

    @staticmethod
    def _json(schema):
        return {"application/json": {"schema": schema}}
