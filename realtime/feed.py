"""The sockets of one organization in this process, and the newest events of its log, which all of them share."""

from channels.db import database_sync_to_async

from realtime import log
from realtime.frames import RESYNC

# Sockets that lag behind further than this read from the database.
IN_MEMORY = 2000


class Feed:
    """What the dispatcher has read of one log. It belongs to the event loop, but for `last_read`."""

    def __init__(self, organization_id, seq):
        self.organization_id = organization_id
        self.seq = self.last_read = seq
        self.sockets = set()
        # Whose numbers are no longer what they were told: {what they may see: one employee who may}.
        self.outdated = {}
        self._events = []

    def append(self, events):
        """Take over the next events of the log, and wake the sockets."""
        self.seq = events[-1].seq
        if any(event.event in ("customer.deleted", RESYNC) for event in events):
            self._events.clear()  # the log may say no more of them
        self._events += events
        del self._events[:-IN_MEMORY]
        for socket in self.sockets:
            socket.news.set()

    async def events_after(self, seq):
        """The next events after a number, in order; none when there are no more."""
        behind = self.seq - seq
        if behind <= 0:
            return []
        if behind <= len(self._events):  # the log has no gaps
            return self._events[-behind:]
        return await database_sync_to_async(log.events_after)(self.organization_id, seq)
