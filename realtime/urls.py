"""The route of the log."""

from django.urls import path

from realtime.views import EventViewSet

urlpatterns = [path("events", EventViewSet.as_view({"get": "list"}, signed_in=True), name="events")]
