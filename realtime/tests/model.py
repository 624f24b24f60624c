"""A client of live updates as docs/integration.md has it: it reads once, and then lives by what it is sent.

It holds rows as GET shows them, `customers` and `actions` by id, and reads again only when it is told to.
What it was sent stays in `frames`, so that a test may ask what it should not have been.
"""

import json
import time
from contextlib import suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

EVERYTHING = "properties,interactions,appointments,reminders,documents,ksaCompliance"
# What the customer's fields are called on the cards of its actions.
CARD = ("name", "nameEn", "phone", "whatsapp", "email", "city", "stage", "priority", "leadScore", "assignedEmployee")
WISHES_ON_CARD = ("propertyType", "budgetMin", "budgetMax", "preferredAreas")


class Person:
    """Somebody of the brokerage, whom several clients may belong to."""

    def __init__(self, hub, *, id, role, email, token, organization):
        self.hub, self.id, self.role, self.email, self.token = hub, id, role, email, token
        self.organization = organization

    def call(self, method, path, body=None, **options):
        return self.hub.call(method, path, body, token=self.token, **options)

    def get(self, path):
        answer = self.call("GET", path)
        assert answer.status == 200, answer.body
        return answer.json()["data"]

    def pages(self, path, name):
        """All rows of a list, by cursor."""
        cursor = ""
        while cursor is not None:
            data = self.get(f"{path}&cursor={cursor}")
            yield from data[name]
            cursor = data["pagination"]["nextCursor"]

    def customers(self):
        return {row["id"]: row for row in self.pages(f"customers?limit=100&include={EVERYTHING}", "customers")}

    def actions(self):
        return {row["id"]: row for row in self.pages("customers/actions?limit=200", "actions")}


class Client:
    """One client on one socket, which may break at any moment; `since` is all that it needs to go on."""

    def __init__(self, person, *channels):
        self.person, self.channels = person, channels or ("customers", "actions")
        self.customers, self.actions = {}, {}
        self.socket = self.seq = None
        self.frames, self.reads, self.resumes, self.expired = [], 0, 0, 0

    def __repr__(self):
        return f"{self.person.email} on {', '.join(self.channels)}"

    # --- Coming and going ---------------------------------------------------------------

    @property
    def is_connected(self):
        return self.socket is not None

    def connect(self):
        """Sign in and subscribe: the first time with what comes next, after that with what was missed."""
        address = self.person.hub.url.replace("http", "ws") + "/api/v1/ws?token=" + self.person.token
        self.socket = connect(address, open_timeout=20, max_size=None, ping_interval=None, compression=None)
        self.wait_for("connected")
        data = {"channels": list(self.channels)} | ({"since": self.seq} if self.seq is not None else {})
        self.socket.send(json.dumps({"event": "subscribe", "data": data}))
        told = self.wait_for("subscribed")["data"]
        assert not told["refused"], told
        if self.seq is None:
            self.seq = told["seq"]
            self.read()
        else:
            self.resumes += 1

    def wait_for(self, name):
        while True:
            message = json.loads(self.socket.recv(timeout=20))
            if message["event"] == name:
                return message
            assert message["event"] == "ping", message

    def leave(self):
        """Close politely."""
        self.socket.close()
        self.socket = None

    def break_off(self):
        """Be gone as when the network is, with what had come and was not looked at."""
        self.socket.close_socket()
        self.socket = None

    # --- Living by what comes -------------------------------------------------------------

    def take(self, most=None):
        """Apply what has come, at most so many frames; a socket that the hub has closed is gone."""
        taken = 0
        with suppress(TimeoutError):
            while most is None or taken < most:
                try:
                    frame = json.loads(self.socket.recv(timeout=0))
                except ConnectionClosed:
                    self.socket = None
                    return
                if "seq" in frame:
                    self.apply(frame)
                    taken += 1

    def apply(self, frame):
        """Bring what is held up to one frame."""
        self.frames.append(frame)
        name, data, seq = frame["event"], frame["data"], frame["seq"]
        if name == "resync_required":
            self.expired += data["reason"] == "expired"
            self.seq = seq
            self.read()
            return
        # Frames of one change share their number.
        assert frame["prevSeq"] == self.seq or seq == self.seq, (self, self.seq, frame)
        assert seq > frame["prevSeq"], frame
        self.seq = seq
        kind, _dot, verb = name.partition(".")
        rows = {"customer": self.customers, "action": self.actions}[kind]
        if verb in ("created", "restored"):
            rows[data[kind]["id"]] = data[kind]
        elif verb == "deleted" or data.get("removed"):
            rows.pop(data[f"{kind}Id"], None)
        elif "changes" in data:
            _merge(rows.get(data[f"{kind}Id"]), data["changes"])
            if kind == "customer":
                self.put_on_cards(data["customerId"], data["changes"])

    def put_on_cards(self, key, changes):
        """The actions of a customer show some of its fields."""
        news = {name: changes[name] for name in CARD if name in changes}
        for action in self.actions.values():
            if action["customerId"] == key:
                _merge(action["customer"], news)
                if "name" in changes:
                    action["customerName"] = changes["name"]
                if "preferences" in changes:
                    wishes = changes["preferences"]
                    action["customer"]["preferences"] = {
                        name: wishes[name] for name in WISHES_ON_CARD if name in wishes
                    }

    def read(self):
        """Hold what GET shows now."""
        self.reads += 1
        self.customers, self.actions = self.fresh()

    def fresh(self):
        """`(customers, actions)` in the client's scope, as far as its channels tell of them."""
        customers = self.person.customers() if "customers" in self.channels else {}
        whose = {name.partition(":")[2] for name in self.channels if name.startswith("employee:")}
        actions = self.person.actions() if "actions" in self.channels or whose else {}
        if "actions" not in self.channels:
            actions = {key: row for key, row in actions.items() if row.get("assignedTo") in whose}
        return customers, actions


class Poller(Client):
    """A client without sockets: it asks for the log."""

    socket_like = object()

    def connect(self):
        self.socket = self.socket_like
        if self.seq is None:
            self.seq = self.person.get("events")["seq"]
            self.read()
        else:
            self.resumes += 1

    def leave(self):
        self.socket = None

    break_off = leave

    def take(self, most=None):
        more = True
        while more:
            told = self.person.get(f"events?since={self.seq}&limit={min(most or 100, 100)}")
            if told["resyncRequired"]:
                self.seq = told["seq"]
                self.read()
                return
            for frame in told["events"]:
                self.apply(frame)
            self.seq, more = told["seq"], told["hasMore"] and most is None


def _merge(row, changes):
    """Null takes a field away. Of a row that is not held, there is nothing to change."""
    if row is not None:
        for name, value in changes.items():
            if value is None:
                row.pop(name, None)
            else:
                row[name] = value


# --- What makes two states equal ------------------------------------------------------------


def as_of_now(customers, actions, unsettled=()):
    """The same state without what time alone makes, which no event can tell of.

    Links to files are signed anew each time. A reminder is overdue once its moment has passed, and its days until
    then are counted. A snoozed action is pending once its time has come, up to a minute before the job wakes it;
    until then the next follow-up of its customer (`unsettled`) is that of a minute ago.
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return (
        {key: _customer_of_now(row, key in unsettled) for key, row in customers.items()},
        {key: _action_of_now(row, now) for key, row in actions.items()},
    )


def _customer_of_now(row, is_unsettled):
    row = json.loads(json.dumps(row))
    for document in row["documents"]:
        document["fileUrl"] = document.get("fileUrl", "").partition("?")[0]
    for reminder in row["reminders"]:
        reminder["status"] = "pending" if reminder["status"] == "overdue" else reminder["status"]
        del reminder["isOverdue"], reminder["daysUntilDue"]
    if is_unsettled:
        row.pop("nextFollowUpDate", None)
    return row


def _action_of_now(row, now):
    if row["status"] == "snoozed" and row["snoozedUntil"] <= now:
        return {name: value for name, value in row.items() if name != "snoozedUntil"} | {"status": "pending"}
    return row


def differences(held, fresh):
    """What differs between two states of one kind, to be read by people."""
    told = [f"holds {key} that is gone" for key in held.keys() - fresh.keys()]
    told += [f"lacks {key}" for key in fresh.keys() - held.keys()]
    for key in held.keys() & fresh.keys():
        ours, theirs = held[key], fresh[key]
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name) != theirs.get(name):
                told.append(f"{key}.{name}: {ours.get(name)!r} instead of {theirs.get(name)!r}")
    return told
