"""The log over HTTP: what a client missed, or all there is for clients without sockets."""

import orjson

from config.api.viewsets import HubViewSet
from realtime import log
from realtime.frames import ACTIONS, CUSTOMERS, Viewer, frames_of
from realtime.serializers import EventsSerializer

PAGE, MOST = 100, 500


class EventViewSet(HubViewSet):
    resource, collection = "event", "events"
    signed_in = True
    answers = {"list": EventsSerializer}
    extra_params = {
        "list": {
            "since": {"type": "integer", "minimum": 0, "description": "Events after this one; without it, none"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE},
        }
    }

    def list(self, request):
        """What has changed in the caller's scope after the event `since`, as the socket would have sent it.

        Events are kept for a day. Without `since` the answer names the newest one only.
        """
        since = self.params.integer("since", None, minimum=0, maximum=2**63 - 1)
        limit = self.params.integer("limit", PAGE, minimum=1, maximum=MOST)
        organization_id = request.user.organization_id
        viewer = Viewer(request.user, frozenset({ACTIONS, CUSTOMERS}), request.build_absolute_uri("/").rstrip("/"))
        log.number_events(organization_id)
        if since is None or log.reason_to_read_again(since, viewer):
            seq = log.head_of(organization_id)
            return self.answer({"events": [], "seq": seq, "hasMore": False, "resyncRequired": since is not None})
        events = log.events_after(organization_id, since, limit)
        seq = events[-1].seq if events else since
        answer = {"events": _texts(events, viewer, since), "seq": seq, "hasMore": len(events) == limit}
        return self.answer(answer | {"resyncRequired": False})


def _texts(events, viewer, since):
    """The frames of events as JSON texts, each with the number of the one before."""
    texts, sent = [], since
    for event in events:
        frames = frames_of(event, viewer)
        texts += [orjson.Fragment(frame.text(sent)) for frame in frames]
        sent = event.seq if frames else sent
    return texts
