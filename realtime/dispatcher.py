"""The one thread of a web process that numbers events and brings them to the sockets of this process.

It is woken by commits of this process and, over the channel layer, by those of others; besides it looks every
second. So a socket depends on nothing but the log: what is said while Redis is away arrives a second later.
"""

import asyncio
import logging
import threading
import time
from os import getpid
from types import SimpleNamespace

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError, close_old_connections

from actions.filters import StatisticsFilterSet
from actions.models import CustomerAction
from actions.stats import statistics
from config.api.query import QueryParams
from employees.authentication import live_employees
from realtime import log
from realtime.feed import Feed
from realtime.frames import RESYNC
from realtime.models import EventHead

logger = logging.getLogger("hub.realtime")

TICK_SECONDS = 1
# Sockets are closed within 5 s of what ends them.
IDENTITY_SECONDS = 2
STATS_SECONDS = 1
RETRY_SECONDS = 5
_GROUP = "hub.events"


class Dispatcher:
    """Started once in each web process; elsewhere `wake` does nothing, and the web processes see for themselves."""

    def __init__(self):
        self.feeds = {}
        self._woken = threading.Event()
        self._loop = self._listening = None
        self._identified_at, self._told_stats_at = 0.0, {}

    # --- In the event loop ----------------------------------------------------------------

    def start(self):
        """Begin to bring events to this event loop; again does nothing."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._listening = self._loop.create_task(self._listen())
            threading.Thread(target=self._run, name="hub-dispatcher", daemon=True).start()

    async def join(self, socket):
        """Have a socket woken for each event of its organization; the Feed that it then reads from."""
        key = socket.employee.organization_id
        if key not in self.feeds:
            feed = Feed(key, await database_sync_to_async(_numbered_head)(key))
            self.feeds.setdefault(key, feed)
        self.feeds[key].sockets.add(socket)
        return self.feeds[key]

    def leave(self, socket):
        """The socket is gone."""
        feed = self.feeds.get(socket.employee.organization_id)
        if feed:
            feed.sockets.discard(socket)
            if not feed.sockets:
                del self.feeds[feed.organization_id]

    async def _listen(self):
        """Be woken by what other processes say."""
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(_GROUP, channel)
                while True:
                    message = await layer.receive(channel)
                    if message["process"] != getpid():
                        self.wake()
            except Exception:
                logger.info("no word from other processes")
                await asyncio.sleep(RETRY_SECONDS)

    async def _tell_others(self):
        try:
            await asyncio.wait_for(get_channel_layer().group_send(_GROUP, {"type": "grown", "process": getpid()}), 1)
        except Exception:
            logger.info("no word to other processes")

    # --- In the thread --------------------------------------------------------------------

    def wake(self):
        """Look at the log now."""
        self._woken.set()

    def _run(self):
        while True:
            self._woken.wait(TICK_SECONDS)
            self._woken.clear()
            try:
                close_old_connections()
                self._turn()
            except (DatabaseError, InterfaceError):
                logger.warning("the log of events cannot be read at the moment")
                time.sleep(TICK_SECONDS)
            except Exception:
                logger.exception("the dispatcher goes on")
                time.sleep(TICK_SECONDS)

    def _turn(self):
        if log.number_events():
            asyncio.run_coroutine_threadsafe(self._tell_others(), self._loop)
        feeds = dict(self.feeds)
        heads = EventHead.objects.filter(pk__in=list(feeds)).values_list("pk", "seq") if feeds else ()
        for key, seq in heads:
            if seq > feeds[key].last_read:
                self._read(feeds[key])
        if time.monotonic() > self._identified_at + IDENTITY_SECONDS:
            self._identify(*feeds.values())
            self._identified_at = time.monotonic()
        for feed in feeds.values():
            self._tell_stats(feed)

    def _read(self, feed):
        while events := log.events_after(feed.organization_id, feed.last_read):
            feed.last_read = events[-1].seq
            if any(event.event == RESYNC for event in events):
                self._identify(feed)  # what follows is judged by what its viewers may see now
            self._loop.call_soon_threadsafe(feed.append, events)

    def _identify(self, *feeds):
        """Tell sockets who their people are now."""
        sockets = [socket for feed in feeds for socket in list(feed.sockets)]
        employees = live_employees({socket.session_id for socket in sockets}) if sockets else {}
        for socket in sockets:
            self._loop.call_soon_threadsafe(socket.identify, employees.get(socket.session_id))

    def _tell_stats(self, feed):
        for scope, employee in list(feed.outdated.items()):
            if time.monotonic() < self._told_stats_at.get(scope, 0) + STATS_SECONDS:
                continue
            if len(self._told_stats_at) > 10_000:
                self._told_stats_at.clear()
            self._told_stats_at[scope] = time.monotonic()
            feed.outdated.pop(scope, None)
            stats = statistics_of(employee)
            for socket in list(feed.sockets):
                if socket.scope_key == scope:
                    self._loop.call_soon_threadsafe(socket.show_stats, stats)


def statistics_of(employee):
    """The numbers above the requests page, as the employee sees them without filters."""
    mine = CustomerAction.objects.visible_to(employee)
    return statistics(
        employee, StatisticsFilterSet(QueryParams.of_body({}), mine, request=SimpleNamespace(user=employee))
    )


def _numbered_head(organization_id):
    log.number_events(organization_id)
    return log.head_of(organization_id)


dispatcher = Dispatcher()


def wake():
    """Something was committed."""
    dispatcher.wake()
