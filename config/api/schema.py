"""OpenAPI, generated from what the viewsets declare."""

from drf_spectacular.openapi import AutoSchema


class HubSchema(AutoSchema):
    pass
