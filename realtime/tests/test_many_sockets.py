"""Sockets by the dozen, quiet ones, deaf ones, and what becomes of them when the web ends: on the hub itself."""

import json
import select
import socket
import struct
import time
from contextlib import ExitStack, closing, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.slow

PEOPLE, EACH, CUSTOMERS = 10, 20, 1000
# A machine of one's own takes a third of it; here those who listen share the cores with the hub.
BURST_SECONDS = 15
IDLE_SECONDS = 60
TEXT = 15_000
MOST_GROWTH = 150_000_000

_MAKE = """
import json, tempfile
from pathlib import Path
from django.core.management import call_command
from employees import services
organization = services.create_organization(name="Many sockets")
tokens = []
for number in range(%d):
    admin = services.create_employee(None, organization=organization, name=f"Admin {number}", role="admin",
                                     email=f"admin{number}@{organization.pk}.test")
    tokens.append(services.sign_in(admin, can_refresh=False)[0])
path = Path(tempfile.mkdtemp()) / "customers.csv"
path.write_text("name,phone\\n" + "".join(f"Somebody {n},+9665{40_000_000 + n}\\n" for n in range(%d)))
call_command("import_customers", str(path), organization=organization.pk, verbosity=0)
print(json.dumps([organization.pk, tokens]))
"""
_CHANGE_ALL = """
import time
from customers.models import Customer
from customers.services.bulk import bulk_update_customers
from employees.models import Employee
admin = Employee.objects.filter(organization=%r).first()
keys = list(Customer.objects.filter(organization=%r).values_list("pk", flat=True))
bulk_update_customers(keys, actor=admin, values={"priority": %r})
print(time.time(), end="")
"""
_WRITE_MUCH = """
from customers.models import Customer
from customers.services.customer import update_customer
from employees.models import Employee
admin = Employee.objects.filter(organization=%r).first()
for customer in Customer.objects.filter(organization=%r)[:%d]:
    update_customer(customer, actor=admin, values={"notes": "x" * %d})
"""


class Socket:
    """A client that costs next to nothing: bytes are looked at afterwards."""

    def __init__(self, hub, token, *, is_deaf=False):
        self.plug = socket.socket()
        if is_deaf:
            self.plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.plug.settimeout(30)
        self.plug.connect(("127.0.0.1", hub.port))
        head = f"GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.plug.sendall(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
        self.data = bytearray()
        while b"\r\n\r\n" not in self.data:
            self.data += self.plug.recv(65536)
        del self.data[: self.data.index(b"\r\n\r\n") + 4]
        self.say({"type": "subscribe", "channels": ["customers"]})
        while b'"subscribed"' not in self.data:
            self.data += self.plug.recv(65536)

    def say(self, message):
        content = json.dumps(message).encode()
        self.plug.sendall(struct.pack("!BBI", 0x81, 0x80 | len(content), 0) + content)

    def close(self):
        self.plug.close()

    def count(self, word):
        return self.data.count(word)

    @property
    def messages(self):
        """What has come, and the code of the close if there was one."""
        place = 0
        while place < len(self.data):
            kind, length = self.data[place] & 0x0F, self.data[place + 1]
            place += 2
            if length >= 126:
                size = 2 if length == 126 else 8
                length, place = int.from_bytes(self.data[place : place + size]), place + size
            content, place = bytes(self.data[place : place + length]), place + length
            yield json.loads(content) if kind == 1 else int.from_bytes(content[:2])


def listen(sockets, done, seconds):
    """Take what comes until all of them are done; the moment at which the last one was."""
    deadline, left = time.monotonic() + seconds, {one.plug: one for one in sockets}
    while left:
        ready, _, _ = select.select(list(left), [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{len(left)} of {len(sockets)} were left"
        for plug in ready:
            one = left[plug]
            taken = plug.recv(1_000_000)
            one.data += taken
            if done(one) or not taken:
                del left[plug]
    return time.time()


@pytest.fixture(scope="module")
def crowd(hub):
    return json.loads(hub.run(_MAKE % (PEOPLE + 1, CUSTOMERS)).splitlines()[-1])


@contextmanager
def sockets_of(hub, crowd, count, **options):
    _organization, tokens = crowd
    with ExitStack() as open_ones:
        yield [open_ones.enter_context(closing(Socket(hub, tokens[n // EACH], **options))) for n in range(count)]


def change_all(hub, crowd, priority):
    """One change of all customers; the moment after its commit."""
    return float(hub.run(_CHANGE_ALL % (crowd[0], crowd[0], priority)))


def memory(hub):
    return sum(process.memory_info().rss for process in hub._tree("web"))


def seqs(one):
    return [
        message["seq"] for message in one.messages if isinstance(message, dict) and "seq" in message["data"] | message
    ]


def changed(count):
    return lambda one: one.count(b'"customer.updated"') >= count


def test_sockets_end_with_the_session_and_without_a_sign_in(hub, crowd):
    """Nobody says a word on them meanwhile."""
    address = hub.url.replace("http", "ws") + "/api/v1/ws"
    token = crowd[1][-1]
    with sockets_of(hub, (None, [token]), 2) as sockets, connect(address, ping_interval=None, legacy=True) as stranger:
        assert hub.call("POST", "auth/logout", {}, token=token).status == 200
        listen(sockets, lambda one: False, 5)
        assert [list(one.messages)[-1] for one in sockets] == [4401, 4401]
        with pytest.raises(ConnectionClosed) as closed:
            stranger.recv(timeout=15)
        assert closed.value.rcvd.code == 4408


def test_a_thousand_events_at_once_reach_fifty_sockets_in_order(hub, crowd, record_property):
    with sockets_of(hub, crowd, 50) as sockets:
        committed = change_all(hub, crowd, "low")
        arrived = listen(sockets, changed(CUSTOMERS), BURST_SECONDS + 5)
        record_property("seconds", arrived - committed)
        for one in sockets:
            told = [message for message in one.messages if message["event"] == "customer.updated"]
            assert [m["prevSeq"] for m in told[1:]] == [m["seq"] for m in told[:-1]]
            assert len({message["data"]["customerId"] for message in told}) == CUSTOMERS
        assert arrived - committed < BURST_SECONDS


def test_two_hundred_sockets_hear_of_everything_and_come_back_after_the_web_has_ended(hub, crowd):
    before = memory(hub)
    with sockets_of(hub, crowd, PEOPLE * EACH) as sockets:
        change_all(hub, crowd, "urgent")
        listen(sockets, changed(CUSTOMERS), 4 * BURST_SECONDS)
        assert memory(hub) - before < MOST_GROWTH
        started = time.monotonic()
        hub.stop("web")
        try:
            listen(sockets, lambda one: False, 10)  # each is told that this is the end
            assert time.monotonic() - started < 10
        finally:
            hub.start("web")
    with sockets_of(hub, crowd, 1) as (again,):
        change_all(hub, crowd, "high")
        listen([again], changed(CUSTOMERS), BURST_SECONDS)


def test_a_quiet_socket_hears_the_next_event_and_a_deaf_one_disturbs_nobody(hub, crowd):
    """The deaf one is sent more than any buffer between it and the hub takes, and is let go after half a minute."""
    with sockets_of(hub, crowd, 1, is_deaf=True) as (deaf,), sockets_of(hub, crowd, 2) as sockets:
        before, started = memory(hub), time.monotonic()
        for _ in range(2):
            hub.run(_WRITE_MUCH % (crowd[0], crowd[0], CUSTOMERS // 2, TEXT + _))
        listen(sockets, changed(CUSTOMERS), BURST_SECONDS)
        assert memory(hub) - before < MOST_GROWTH
        for one in sockets:
            one.data.clear()
        time.sleep(max(0, IDLE_SECONDS + started - time.monotonic()))
        change_all(hub, crowd, "low")
        listen(sockets, changed(CUSTOMERS), BURST_SECONDS)
        listen([deaf], lambda one: False, 20)  # what the kernel held, and the end
        assert deaf.count(b'"customer.updated"') < CUSTOMERS
