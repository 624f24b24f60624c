"""What one event of the log is for one viewer: nothing, or the frames that bring what the viewer holds up to it.

The scope is that of `visible_to`, judged in memory from whom the row belonged to before and after the change.
A row that enters somebody's scope arrives whole, one that leaves it goes by its id.
"""

from typing import NamedTuple

import orjson

from actions.serializers import CustomerActionSerializer, CustomerSummarySerializer
from config.api.links import linked
from config.api.masking import shown_to
from config.api.renderers import dumps, iso
from customers.serializers.customer import CustomerSerializer
from employees.choices import Role

ACTIONS, CUSTOMERS, STATS = "actions", "customers", "stats"
EMPLOYEE_PREFIX = "employee:"
RESYNC = "resync_required"
# Why: events were pruned, or what they told of is seen with other eyes now.
EXPIRED, CHANGED = "expired", "changed"
# What concerns all that a client holds belongs to every channel.
EVERY_CHANNEL = "*"
# What actions show of their customer, by the names that the customer has for it.
SUMMARY = frozenset(CustomerSummarySerializer._declared_fields)
_SERIALIZERS = {"action": CustomerActionSerializer, "customer": CustomerSerializer}


class Viewer(NamedTuple):
    """Whose eyes an event is seen with, and what of it was asked for."""

    employee: object
    channels: frozenset
    # Where the viewer's links to files begin.
    root: str = ""

    def sees(self, viewers):
        """Whether a row of these `viewers` (Event.before, Event.after) is in the employee's scope."""
        employee = self.employee
        if viewers is None:
            return False
        if employee.role == Role.ADMIN or viewers.get("assignee") == employee.pk:
            return True
        if employee.role != Role.SALES_MANAGER:
            return viewers["owner"] == employee.pk
        is_of_team = viewers["team"] is not None and viewers["team"] == employee.team_id
        return viewers["owner"] is None or is_of_team

    def is_concerned(self, event):
        """Whether an event may change any number of the employee's."""
        return event.event == RESYNC or self.sees(event.before) or self.sees(event.after)

    def channel_of(self, kind, viewers):
        """The subscribed channel that a row of these viewers arrives on, or None."""
        if f"{kind}s" in self.channels:
            return f"{kind}s" if self.sees(viewers) else None
        theirs = f"{EMPLOYEE_PREFIX}{viewers.get('assignee')}" if viewers else ""
        return theirs if theirs in self.channels and self.sees(viewers) else None


class Frame(NamedTuple):
    """One message to one viewer; several of the same event share its number."""

    event: str
    channel: str
    data: bytes
    timestamp: str
    seq: int

    def text(self, prev_seq):
        """The message as it is sent; `prev_seq` is the number of the event that was sent before."""
        head = {"event": self.event, "channel": self.channel, "data": orjson.Fragment(self.data)}
        return dumps(head | {"timestamp": self.timestamp, "seq": self.seq, "prevSeq": prev_seq})


def tells_to_read_again(event, viewer):
    """Whether an event is a resync_required for the viewer: for all, or for whom a move of teams shows other rows."""
    employee = viewer.employee
    if event.event != RESYNC:
        return False
    if event.row_id == employee.pk or event.before is None:
        return True
    return employee.role == Role.SALES_MANAGER and employee.team_id in (event.before["team"], event.after["team"])


def frames_of(event, viewer):
    """The Frames that an event of the viewer's organization is to the viewer; often none."""
    if event.event == RESYNC:
        parts = [(RESYNC, EVERY_CHANNEL, {"reason": CHANGED})] if tells_to_read_again(event, viewer) else []
    else:
        parts = _parts(event, viewer)
    stamp = iso(event.at.timestamp())
    return [
        Frame(name, channel, linked(dumps(data), viewer.employee.pk, viewer.root), stamp, event.seq)
        for name, channel, data in parts
    ]


def _parts(event, viewer):
    """`[(name, channel, data)]` of an event about a row."""
    kind, _dot, verb = event.event.partition(".")
    if kind == "customer" and CUSTOMERS not in viewer.channels:
        return _summary(event, viewer)
    before, after = viewer.channel_of(kind, event.before), viewer.channel_of(kind, event.after)
    key = {f"{kind}Id": event.row_id}
    permissions = viewer.employee.permissions
    if verb == "deleted":
        return [(event.event, before, key)] if before else []
    if before and not after:
        if kind == "customer":
            return [("customer.assigned", before, key | {"removed": True})]
        return [("action.deleted", before, key)]
    if after and not before:
        if not event.row:  # forgotten: the customer was removed for good meanwhile
            return []
        whole = {kind: shown_to(_SERIALIZERS[kind], event.row, permissions)}
        name, data = (event.event, key | whole) if verb == "restored" else (f"{kind}.created", whole)
        # Whoever has just got the whole row needs to be told of the hand-over alone.
        return [(name, after, data), *_further(event, viewer, after, among=("customer.assigned",))]
    if after and event.data.get("changes"):
        return [(event.event, after, key | _shown(kind, event.data, permissions)), *_further(event, viewer, after)]
    return []


def _summary(event, viewer):
    """What changes on cards of actions when their customer does, for those who have asked for actions alone."""
    changes = {name: value for name, value in event.data.get("changes", {}).items() if name in SUMMARY}
    if not changes or not viewer.sees(event.after):
        return []
    # Cards of others than the owner's actions come with events of their own.
    theirs = f"{EMPLOYEE_PREFIX}{event.after['owner']}"
    channel = next((name for name in (ACTIONS, theirs) if name in viewer.channels), None)
    data = {"customerId": event.row_id} | _shown("customer", {"changes": changes}, ())
    return [("customer.updated", channel, data)] if channel else []


def _further(event, viewer, channel, among=None):
    """The further names of a change: they say nothing that its first frame does not, so a client may miss them."""
    kind, permissions = event.event.partition(".")[0], viewer.employee.permissions
    return [
        (also["event"], channel, {f"{kind}Id": event.row_id} | _shown(kind, also["data"], permissions))
        for also in event.also
        if among is None or also["event"] in among
    ]


def _shown(kind, data, permissions):
    """The data of an update, with null for fields of which nothing is left to show."""
    if not data.get("changes"):
        return data
    changes = dict.fromkeys(data["changes"]) | shown_to(_SERIALIZERS[kind], data["changes"], permissions)
    return data | {"changes": changes}
