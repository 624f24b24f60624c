"""State equals events: clients that live by what they are sent hold what a fresh GET shows, whatever happens."""

import json
import os
import random
import time

import pytest

from realtime.tests.model import Client, Poller, as_of_now, differences
from realtime.tests.writers import NATIONAL_ID, OURS, THEIRS, Brokerage

pytestmark = pytest.mark.slow

# By hand more: HUB_STEPS=2000 HUB_SEED=7.
STEPS, SEED = int(os.environ.get("HUB_STEPS") or 75), int(os.environ.get("HUB_SEED") or 1)
SETTLED_WITHIN = 10


class World:
    """A brokerage, its clients, and what they do to each other."""

    def __init__(self, hub, seed):
        self.rng = random.Random(seed)
        self.brokerage = Brokerage(hub, self.rng)
        people, alone = self.brokerage.people, self.brokerage.stranger
        self.clients = [
            *(Client(people[word]) for word in ("admin", "fatima", "saad", "ahmed", "badr", "omar", "huda")),
            Client(people["admin"], "actions"),
            Client(people["fatima"], "customers"),
            Client(people["admin"], f"employee:{people['ahmed'].id}", f"employee:{people['fatima'].id}"),
            Client(people["omar"], f"employee:{people['omar'].id}"),
            Client(people["huda"], "customers"),
            Client(alone),
            Poller(people["saad"]),
            Poller(people["ahmed"]),
        ]
        self.log, self.steps, self.breaks = [], 0, 0

    def start(self):
        for _ in range(15):
            self.brokerage.create()
        self.brokerage.look()
        for client in self.clients:
            client.connect()

    def run(self, steps):
        for _ in range(steps):
            self.log.append((self.steps, *self.brokerage.step()))
            self.steps += 1
            self.disturb()
            for client in self.connected():
                client.take(self.rng.choice([None, None, 1, 3]))
            if self.steps % 40 == 0:
                self.settle()

    def disturb(self):
        """Some clients go, in one way or the other, and some come back."""
        for client in self.clients:
            if client.is_connected and self.rng.random() < 0.06:
                self.breaks += 1
                client.take(self.rng.randint(0, 5))
                if client.is_connected:
                    self.rng.choice([client.leave, client.break_off])()
            elif not client.is_connected and self.rng.random() < 0.3:
                client.connect()

    def connected(self):
        return [client for client in self.clients if client.is_connected]

    def settle(self):
        """All come back, and within ten seconds each holds what GET shows."""
        deadline, unequal = time.monotonic() + SETTLED_WITHIN, list(self.clients)
        while unequal:
            for client in self.clients:
                if not client.is_connected:
                    client.connect()
                client.take()
            unequal = {client: told for client in unequal if (told := self.told_apart(client))}
            assert not unequal or time.monotonic() < deadline, _report(unequal, self.log)
            time.sleep(0.2 if unequal else 0)

    def told_apart(self, client):
        unsettled = self.brokerage.unsettled()
        fresh = as_of_now(*client.fresh(), unsettled)
        client.take()
        held = as_of_now(client.customers, client.actions, unsettled)
        return [told for ours, theirs in zip(held, fresh, strict=True) for told in differences(ours, theirs)]

    def end(self):
        for client in self.connected():
            client.leave()

    def check_frames(self):
        """Nobody was sent what was not theirs: rows as they are after a step, ids as they were before it.

        And nobody who came back was sent away as too late.
        """
        self.brokerage.look()  # the worker may have written since the last step
        assert self.breaks and sum(client.expired for client in self.clients) == 0
        for client in self.clients:
            person = client.person
            for frame in client.frames:
                text = json.dumps(frame, ensure_ascii=False)
                assert (THEIRS if person is not self.brokerage.stranger else OURS) not in text, (client, frame)
                assert person.role != "viewer" or NATIONAL_ID not in text, (client, frame)
                if person is not self.brokerage.stranger:
                    self.check_scope(client, frame)

    def check_scope(self, client, frame):
        kind, _dot, verb = frame["event"].partition(".")
        if kind not in ("customer", "action"):
            return
        data = frame["data"]
        key = data.get(f"{kind}Id") or data[kind]["id"]
        before, after = self.brokerage.around(frame["seq"])
        truth = before if verb == "deleted" or data.get("removed") else after
        assert truth.shows(client.person, kind, key), (client, frame, before.seq, after.seq)


def _report(unequal, log):
    lines = [str(entry) for entry in log[-45:]]
    for client, told in unequal.items():
        lines += [f"{client}:", *(f"    {line[:600]}" for line in told[:8])]
    return "\n".join(lines)


@pytest.fixture
def world(hub):
    world = World(hub, SEED)
    world.start()
    yield world
    world.end()


def test_what_clients_hold_is_what_a_fresh_get_shows(world):
    world.run(STEPS)
    world.brokerage.bring_in()
    world.settle()
    world.brokerage.bring_in(1001)
    world.settle()
    world.check_frames()


def test_what_clients_hold_is_what_a_fresh_get_shows_when_valkey_dies_for_five_seconds(hub, world):
    """What is said while it is away arrives all the same, and nobody is sent away for it."""
    world.run(STEPS // 3)
    hub.kill("valkey")
    died = time.monotonic()
    while time.monotonic() < died + 5:
        world.run(1)
    hub.start("valkey")
    world.run(STEPS // 3)
    world.settle()
    world.check_frames()
