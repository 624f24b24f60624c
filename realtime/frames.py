"""What one event of the log is for one viewer: nothing, or the frames that bring what the viewer holds up to it.

The scope is that of `visible_to`, judged in memory from whom the row belonged to before and after the change.
A row that enters somebody's scope arrives whole, one that leaves it goes by its id.
"""

from typing import NamedTuple

from actions.serializers import CustomerActionSerializer, CustomerSummarySerializer
from config.api.links import MARK, linked
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
_MARK = MARK.encode()
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

    def channel_of_cards(self, viewers):
        """The subscribed channel that what cards show of a customer of these viewers arrives on, or None.

        Cards of actions that are not its owner's come with events of their own.
        """
        names = (ACTIONS, f"{EMPLOYEE_PREFIX}{viewers['owner']}") if viewers else ()
        return next((name for name in names if name in self.channels and self.sees(viewers)), None)


class Eyes(NamedTuple):
    """All of a viewer that decides what an event is to it: those with the same eyes share what is rendered for them.

    The channels are those that the row arrives on as it was before and as it is after, and that cards arrive on.
    """

    permissions: frozenset
    before: str | None
    after: str | None
    cards: str | None = None


class Frame(NamedTuple):
    """One message to one viewer; several of the same event share its number."""

    event: str
    channel: str
    # The message but for its end; paths of files are marked in it.
    beginning: bytes

    def text(self, prev_seq):
        """The message as it is sent; `prev_seq` is the number of the event that was sent before."""
        return b'%b,"prevSeq":%d}' % (self.beginning, prev_seq)


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
        told = tells_to_read_again(event, viewer)
        return [_frame(event, RESYNC, EVERY_CHANNEL, {"reason": CHANGED})] if told else []
    eyes = _eyes(event, viewer)
    shown = event.__dict__.setdefault("shown", {})
    if eyes not in shown:
        shown[eyes] = [_frame(event, *part) for part in _parts(event, eyes)]
    return [
        frame._replace(beginning=linked(frame.beginning, viewer.employee.pk, viewer.root))
        if _MARK in frame.beginning
        else frame
        for frame in shown[eyes]
    ]


def _frame(event, name, channel, data):
    stamp = iso(event.at.timestamp())
    whole = dumps({"event": name, "channel": channel, "data": data, "timestamp": stamp, "seq": event.seq})
    return Frame(name, channel, whole.removesuffix(b"}"))


def _eyes(event, viewer):
    kind = event.event.partition(".")[0]
    if kind == "customer" and CUSTOMERS not in viewer.channels:
        return Eyes(frozenset(), None, None, viewer.channel_of_cards(event.after))
    before, after = (viewer.channel_of(kind, viewers) for viewers in (event.before, event.after))
    return Eyes(viewer.employee.permissions, before, after)


def _parts(event, eyes):
    """`[(name, channel, data)]` of an event about a row."""
    kind, _dot, verb = event.event.partition(".")
    if eyes.cards:
        return _cards(event, eyes)
    key = {f"{kind}Id": event.row_id}
    if verb == "deleted":
        return [(event.event, eyes.before, key | event.data)] if eyes.before else []
    if eyes.before and not eyes.after:
        if kind == "customer":
            return [("customer.assigned", eyes.before, key | {"removed": True})]
        return [("action.deleted", eyes.before, key)]
    if eyes.after and not eyes.before:
        if not event.row:  # forgotten: the customer was removed for good meanwhile
            return []
        whole = {kind: shown_to(_SERIALIZERS[kind], event.row, eyes.permissions)}
        name, data = (event.event, key | whole) if verb == "restored" else (f"{kind}.created", whole)
        # Whoever has just got the whole row needs to be told of the hand-over alone.
        return [(name, eyes.after, data), *_further(event, eyes, among=("customer.assigned",))]
    if eyes.after and event.data.get("changes"):
        return [(event.event, eyes.after, key | _shown(kind, event.data, eyes.permissions)), *_further(event, eyes)]
    return []


def _cards(event, eyes):
    """What changes on cards of actions when their customer does, for those who have asked for actions alone."""
    changes = {name: value for name, value in event.data.get("changes", {}).items() if name in SUMMARY}
    data = {"customerId": event.row_id} | _shown("customer", {"changes": changes}, eyes.permissions)
    return [("customer.updated", eyes.cards, data)] if changes else []


def _further(event, eyes, among=None):
    """The further names of a change: they say nothing that its first frame does not, so a client may miss them."""
    kind = event.event.partition(".")[0]
    return [
        (also["event"], eyes.after, {f"{kind}Id": event.row_id} | _shown(kind, also["data"], eyes.permissions))
        for also in event.also
        if among is None or also["event"] in among
    ]


def _shown(kind, data, permissions):
    """The data of an update, with null for fields of which nothing is left to show."""
    if not data.get("changes"):
        return data
    changes = dict.fromkeys(data["changes"]) | shown_to(_SERIALIZERS[kind], data["changes"], permissions)
    return data | {"changes": changes}
