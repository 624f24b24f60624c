"""The socket of live updates: who it is, what it has asked for, and what it has been sent.

Sockets are pulled along by the log: each remembers the last number it has seen and takes what follows, from
memory or from the database, as fast as its client reads. So a replay and live updates are one thing.
"""

import asyncio
import logging
import re
import time
from collections import Counter, deque
from contextlib import suppress
from urllib.parse import parse_qs

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError, InterfaceError
from django.utils import translation
from django.utils.translation import gettext as _

from config.api.renderers import dumps, iso
from config.middleware import preferred_language
from employees.authentication import bearer_of
from employees.models import Employee
from realtime import log
from realtime.dispatcher import dispatcher
from realtime.frames import (
    ACTIONS,
    CUSTOMERS,
    EMPLOYEE_PREFIX,
    EVERY_CHANNEL,
    EXPIRED,
    RESYNC,
    STATS,
    Viewer,
    frames_of,
    tells_to_read_again,
)

logger = logging.getLogger("hub.realtime")

TRY_AGAIN_LATER = 1013
UNAUTHENTICATED, FORBIDDEN, UNKNOWN_PATH, TOO_SLOW, TOO_MANY = 4401, 4403, 4404, 4408, 4429
# How long a client may take to say who it is, and to take what it is sent.
SIGN_IN_SECONDS, SEND_SECONDS, FAREWELL_SECONDS = 10, 30, 2
# Proxies end what is silent for a minute.
PING_SECONDS = 25
MAX_SOCKETS, MAX_STRANGERS = 20, 200
MAX_FRAME_CHARACTERS = 16_000
MAX_FRAMES, FRAMES_SECONDS = 60, 10
MAX_CHANNELS = 50

_CHANNEL_OF_EMPLOYEE = re.compile(rf"{EMPLOYEE_PREFIX}([A-Za-z0-9_-]{{1,50}})")

_strangers = set()
_sockets_of = Counter()


class UpdatesConsumer(AsyncWebsocketConsumer):
    """One connection. Frames are JSON objects; see docs/integration.md for what they say."""

    # Sockets read the log: only processes speak over the layer.
    channel_layer_alias = None

    employee = session_id = feed = None
    channels = frozenset()
    # The last event that was looked at, and the last one that was sent; None before anything was subscribed to.
    position = sent = None
    # Since when something is being sent, None when nothing is.
    sending_since = None
    is_open = True

    # --- Coming and going -------------------------------------------------------------------

    async def __call__(self, scope, receive, send):
        self.ending = asyncio.get_running_loop().create_future()
        self.tasks, self.timers = [], {}
        try:
            await super().__call__(scope, lambda: self.message_or_end(receive), send)
        except (DatabaseError, InterfaceError):
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        finally:
            self.let_go()

    async def message_or_end(self, receive):
        """The next message of the client, unless the socket is to end: the server closes none that is waited on."""
        message = asyncio.ensure_future(receive())
        await asyncio.wait({message, self.ending}, return_when=asyncio.FIRST_COMPLETED)
        if message.done():
            return message.result()
        message.cancel()
        with suppress(TimeoutError):  # who has not taken what came before takes no farewell either
            await asyncio.wait_for(self.close(self.ending.result()), FAREWELL_SECONDS)
        return {"type": "websocket.disconnect", "code": self.ending.result()}

    async def connect(self):
        self.news = asyncio.Event()
        self.frame_times = deque(maxlen=MAX_FRAMES)
        headers = dict(self.scope["headers"])
        self.language = preferred_language(headers.get(b"accept-language", b"").decode("latin-1"))
        self.organization_id = headers.get(b"x-organization-id", b"").decode("latin-1")
        scheme = "https" if self.scope.get("scheme") in ("https", "wss") else "http"
        self.root = f"{scheme}://{headers.get(b'host', b'').decode('latin-1')}"
        token, subprotocol = self.brought_token(headers)
        await self.accept(subprotocol)
        if token is not None:
            await self.sign_in(token)
        elif len(_strangers) >= MAX_STRANGERS:
            self.end(TOO_MANY)
        else:
            _strangers.add(self)
            self.end_later("sign in", SIGN_IN_SECONDS, TOO_SLOW)

    def brought_token(self, headers):
        """`(token or None, subprotocol to answer)`: of the URL, the subprotocols or the Authorization header."""
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        offered = self.scope.get("subprotocols") or []
        scheme, _space, credentials = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if "bearer" in offered:
            named = [word for word in offered if word != "bearer"]
            return (named[0] if named else None), "bearer"
        if "token" in query:
            return query["token"][0], None
        return (credentials.strip() if scheme.lower() == "bearer" else None), None

    async def sign_in(self, token):
        """Learn whose socket this is, or that a later token of the same session's employee prolongs it."""
        bearer = await database_sync_to_async(bearer_of)(token)
        if bearer is None or (self.employee and bearer.employee.pk != self.employee.pk):
            self.end(UNAUTHENTICATED)
            return
        if self.organization_id not in ("", bearer.employee.organization_id):
            self.end(FORBIDDEN)
            return
        is_first = self.employee is None
        self.employee, self.session_id = bearer.employee, bearer.session_id
        self.end_later("token", bearer.expires_at - time.time(), UNAUTHENTICATED)
        if is_first:
            _strangers.discard(self)
            self.stop_timer("sign in")
            _sockets_of[self.employee.pk] += 1
            if _sockets_of[self.employee.pk] > MAX_SOCKETS:
                self.end(TOO_MANY)
                return
            self.feed = await dispatcher.join(self)
            self.start(self.ping())
        await self.say("connected", {"employeeId": self.employee.pk, "expiresAt": iso(bearer.expires_at)})

    def identify(self, employee):
        """The dispatcher says every other second who the socket's employee is, None when the session has ended.

        A client that does not take what it is sent is let go as well; it comes back with `since`.
        """
        if self.sending_since and time.monotonic() > self.sending_since + SEND_SECONDS:
            self.end(TOO_SLOW)
        elif employee is None:
            self.end_later("identity", 0, UNAUTHENTICATED)
        elif employee.role != self.employee.role:
            self.end_later("identity", 0, FORBIDDEN)
        else:
            self.employee = employee

    def start(self, work):
        """Have something done for as long as the socket lives, which ends with it: its client comes back."""
        task = asyncio.create_task(work)
        task.add_done_callback(self.end_with)
        self.tasks.append(task)

    def end_with(self, task):
        if not task.cancelled() and task.exception():
            logger.warning("a socket ends early", exc_info=task.exception())
            self.end(TRY_AGAIN_LATER)

    def let_go(self):
        """Nothing is to happen on this socket any more."""
        self.is_open = False
        for ending in (*self.timers.values(), *self.tasks):
            ending.cancel()
        _strangers.discard(self)
        if self.employee:
            _sockets_of.subtract([self.employee.pk])
        if self.feed:
            dispatcher.leave(self)

    def end(self, code):
        """Close the socket, once."""
        if self.is_open:
            self.is_open = False
            self.ending.set_result(code)

    def end_later(self, reason, seconds, code):
        """Close the socket after some seconds, unless the reason is taken back or given anew."""
        self.stop_timer(reason)
        loop = asyncio.get_running_loop()
        self.timers[reason] = loop.call_later(max(seconds, 0), self.end, code)

    def stop_timer(self, reason):
        if reason in self.timers:
            self.timers.pop(reason).cancel()

    # --- What the client says ---------------------------------------------------------------

    async def receive(self, text_data=None, bytes_data=None):
        now = time.monotonic()
        if len(self.frame_times) == MAX_FRAMES and now - self.frame_times[0] < FRAMES_SECONDS:
            self.end(TOO_MANY)
            return
        self.frame_times.append(now)
        with translation.override(self.language):
            message = _message(text_data)
            if message is None:
                await self.complain(_("Send a JSON object of at most 16 kB with a type"))
                return
            verb, data = message
            if verb in ("auth", "authenticate"):
                await self.sign_in(str(data.get("token", "")))
            elif verb == "ping":
                await self.say("pong")
            elif self.feed is None:
                await self.complain(_("Say who you are first: send a token"))
            elif verb == "subscribe":
                await self.subscribe(data)
            elif verb == "unsubscribe":
                self.channels -= set(_words(data.get("channels")) or ())
                await self.say("unsubscribed", {"channels": sorted(self.channels)})
            elif verb != "pong":
                await self.complain(_("Unknown type of message: use auth, subscribe, unsubscribe or ping"))

    async def subscribe(self, data):
        """Take on channels and, the first time, begin after the event `since`, or with what comes next."""
        names, since = _words(data.get("channels")), _number(data.get("since"))
        if names is None or len(names) > MAX_CHANNELS:
            await self.complain(_("channels must be a list of at most 50 names"), field="channels")
            return
        if since is False:
            await self.complain(_("since must be the seq of an event"), field="since")
            return
        granted = [name for name in names if await self.may_hear(name)]
        is_first = self.position is None
        reason = None
        if is_first:
            reason = since is not None and await self.reason_to_read_again(since)
            start = self.feed.seq if since is None or reason else since
            self.position = self.sent = start
        self.channels |= set(granted)
        refused = [name for name in names if name not in granted]
        await self.say("subscribed", {"channels": sorted(self.channels), "refused": refused, "seq": self.sent})
        if reason:
            await self.send_read_again(since, reason)
        if STATS in granted:
            self.ask_for_stats()
        if is_first:
            self.news.set()
            self.start(self.follow())

    async def may_hear(self, name):
        if name in (ACTIONS, CUSTOMERS, STATS):
            return True
        named = _CHANNEL_OF_EMPLOYEE.fullmatch(name)
        if not named or named[1] == self.employee.pk:
            return bool(named)
        return await database_sync_to_async(leads)(self.employee, named[1])

    @property
    def viewer(self):
        return Viewer(self.employee, self.channels, self.root)

    async def reason_to_read_again(self, since):
        """Why the client cannot go on after `since`, or None; this process may know less than the client does."""
        return await database_sync_to_async(log.reason_to_read_again)(since, self.viewer)

    # --- What the client is sent ------------------------------------------------------------

    async def follow(self):
        """Send what follows in the log, for as long as the socket is open."""
        while self.is_open:
            await self.news.wait()
            self.news.clear()
            while events := await self.feed.events_after(self.position):
                if events[0].seq != self.position + 1:  # so slow that it was pruned
                    self.position = self.feed.seq
                    await self.send_read_again(self.sent, EXPIRED)
                    break
                for event in self.since_last_told_to_read(events):
                    await self.send_event(event)
                    self.position = event.seq

    def since_last_told_to_read(self, events):
        """The events without those before one that makes the client read again: they were for other eyes."""
        viewer = self.viewer
        told = [place for place, event in enumerate(events) if tells_to_read_again(event, viewer)]
        return events[told[-1] :] if told else events

    async def send_event(self, event):
        viewer = self.viewer
        frames = frames_of(event, viewer)
        for frame in frames:
            await self.send_text(frame.text(self.sent))
        if frames:
            self.sent = event.seq
        if STATS in self.channels and viewer.is_concerned(event):
            self.ask_for_stats()

    async def send_read_again(self, since, reason):
        """Say that the client must read everything again, and go on from here."""
        await self.say(RESYNC, {"reason": reason}, channel=EVERY_CHANNEL, seq=self.position, prevSeq=since)
        self.sent = self.position

    @property
    def scope_key(self):
        """Employees with the same key see the same numbers."""
        return self.feed.organization_id if self.employee.is_admin else self.employee.pk

    def ask_for_stats(self):
        """Have the numbers of this socket's scope computed, once for all sockets that share it."""
        self.feed.outdated[self.scope_key] = self.employee
        dispatcher.wake()

    def show_stats(self, stats):
        """The dispatcher has computed the numbers of this socket's scope."""
        if self.is_open and STATS in self.channels:
            asyncio.get_running_loop().create_task(self.say("stats.updated", {"stats": stats}, channel=STATS))

    async def ping(self):
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self.say("ping")

    async def complain(self, message, **about):
        await self.say("error", {"code": "VALIDATION_ERROR", "message": message, **about})

    async def say(self, event, data=None, **more):
        await self.send_text(dumps({"event": event, "data": data or {}, "timestamp": iso(), **more}))

    async def send_text(self, text):
        """Send a message; see `identify` for what becomes of a client that does not take it."""
        if self.is_open:
            # A time-out of its own for each would take as long as the sending.
            self.sending_since = self.sending_since or time.monotonic()
            await self.send(text_data=text.decode())
            self.sending_since = None


def leads(employee, key):
    """Whether somebody may hear what is assigned to another: admins of everybody, managers of their team."""
    return employee.may("actions.assign") and Employee.objects.visible_to(employee).filter(pk=key).exists()


def _message(text):
    """`(verb, data)` of a frame in any of the three spellings, None when it is none."""
    try:
        message = orjson.loads(text or "") if len(text or "") <= MAX_FRAME_CHARACTERS else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(message, dict):
        return None
    verb = next((message[name] for name in ("type", "event", "action") if isinstance(message.get(name), str)), None)
    data = message.get("data")
    return verb and (verb, data if isinstance(data, dict) else message)


def _words(value):
    """A list of texts, or None."""
    is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return list(dict.fromkeys(value)) if is_list else None


def _number(value):
    """A number of the log, None when there is none, False when it is something else."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**63 else False
