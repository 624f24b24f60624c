"""The command that runs the whole hub from an empty folder: servers, schema, demo, web, worker and beat."""

import http.client
import os
import signal
import socket
import sys
import time
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connections, transaction

from config import embedded, processes
from employees.models import Organization

PATIENCE_SECONDS = 60
# With the servers' own end this stays within ten seconds of Ctrl-C.
END_SECONDS = 4

FIRST_SCREEN = """
  Back office   {address}/admin/
  API           {address}/api/v1/customers
  API docs      {address}/api/docs
  Live updates  {socket}/v1/ws
  Health        {address}/healthz
"""
DEMO_SCREEN = """
  Logins (password demo-hub)
    admin@hub.test    manager@hub.test    agent@hub.test    agent2@hub.test    viewer@hub.test
    admin@other.test, of another organization

  Try
    TOKEN=$(make -s token)        # or: make -s token ROLE=agent
    curl -s -H "Authorization: Bearer $TOKEN" {address}/api/v1/customers

  The same without make
    curl -s -H "Authorization: Bearer $(curl -s {address}/api/v1/auth/login -H 'Content-Type: application/json' \\
      -d '{{"email":"admin@hub.test","password":"demo-hub"}}' \\
      | python3 -c 'import json,sys; print(json.load(sys.stdin)["data"]["token"])')" {address}/api/v1/customers
"""


class Command(BaseCommand):
    help = "Run the hub: its embedded servers, migrations, the demo, the web server, the worker and the beat."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000")

    def handle(self, host, port, **options):
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        failure = None
        try:
            self.run(host, port)
        except KeyboardInterrupt:
            print("\nEnding.")
        except (embedded.EmbeddedServerError, Refusal) as error:
            failure = str(error)
        except OperationalError as error:
            failure = f"The database does not answer: {str(error).splitlines()[0]}"
        finally:
            self.end()
        if failure:
            sys.exit(failure)

    def run(self, host, port):
        data_dir = settings.HUB_DATA
        runner, _ = processes.noted(data_dir, "runner")
        if runner:
            raise Refusal(f"The hub already runs here, as process {runner.pid}.")
        processes.end(data_dir, "web")
        _refuse_busy_port(host, port)

        started = time.monotonic()
        with _step("Embedded servers"):
            embedded.start(data_dir, database=settings.EMBEDDED_DATABASE, redis=settings.EMBEDDED_REDIS, own=True)
        processes.note(data_dir, "runner", os.getpid())
        with _step("Database schema"):
            call_command("migrate", verbosity=0, interactive=False)
        if settings.DEMO and not Organization.objects.exists():
            # All or nothing: a demo that Ctrl-C cut short must not look seeded at the next start.
            with _step("Demo data"), transaction.atomic():
                call_command("seed_demo", verbosity=0)
        connections.close_all()

        # Again, for the demo takes a while.
        _refuse_busy_port(host, port)
        with _step("Web server"):
            self.start_web(host, port)
        self.start_workers()
        address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}"
        print(f"The hub runs, after {time.monotonic() - started:.1f} s. Ctrl-C ends it; the data stays in {data_dir}.")
        screen = FIRST_SCREEN + (DEMO_SCREEN if settings.DEMO else "")
        print(screen.format(address=address, socket=address.replace("http", "ws", 1)))
        while True:
            self.refuse_dead_children()
            time.sleep(0.3)

    def start_web(self, host, port):
        self.spawn("web", web(host, port))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.refuse_dead_children()
            try:
                connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_SECONDS)
                connection.request("GET", "/healthz", headers={"Connection": "close"})
                connection.getresponse()
                return
            except OSError:
                time.sleep(0.05)
        raise Refusal("The web server does not answer; its lines above may say why.")

    def start_workers(self):
        self.spawn("worker", worker())
        self.spawn("beat", beat(settings.HUB_DATA))

    def spawn(self, name, argv):
        self.children[name] = processes.spawn(settings.HUB_DATA, name, argv, cwd=settings.BASE_DIR)

    def refuse_dead_children(self):
        for name, child in (self.children | embedded.servers_of(settings.HUB_DATA)).items():
            if child.poll() is not None:
                raise Refusal(f"The {name} process has ended by itself (code {child.returncode}), so everything ends.")

    def end(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        processes.end(settings.HUB_DATA, *self.children, patience_seconds=END_SECONDS)
        embedded.stop(settings.HUB_DATA)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.children = {}


def web(host, port):
    """The command line of the web server."""
    options = ["--interface", "asgi", "--host", host, "--port", port, "--log-level", "warning"]
    options += ["--workers-kill-timeout", str(END_SECONDS - 1)]
    # granian counts connections, idle ones and sockets too; requests wait for a thread in config/deadline.py.
    options += ["--backlog", "2048", "--backpressure", "8192"]
    return _module("granian", *options, "config.asgi:application")


def worker():
    """The command line of the worker."""
    quiet = ["--without-gossip", "--without-mingle", "--loglevel=WARNING"]
    return _module("celery", "-q", "-A", "config", "worker", "--concurrency=1", *quiet)


def beat(data_dir):
    """The command line of the beat, which remembers in a file what it has sent."""
    schedule = ["--schedule", str(data_dir / "beat-schedule"), "--pidfile="]
    return _module("celery", "-q", "-A", "config", "beat", *schedule, "--loglevel=WARNING")


def _module(*words):
    # Celery advises against root; in a container of development everything is root.
    return [sys.executable, "-W", "ignore:You're running the worker:UserWarning", "-m", *words]


class Refusal(Exception):
    """Says in one sentence why the hub does not run."""


def _interrupt(*args):
    raise KeyboardInterrupt


@contextmanager
def _step(name):
    began = time.monotonic()
    print(f"  {name:<22}", end="", flush=True)
    try:
        yield
    except BaseException:
        print()
        raise
    print(f"{time.monotonic() - began:5.1f} s")


def _refuse_busy_port(host, port):
    try:
        with socket.create_server((host, int(port))):
            pass
    except (OSError, ValueError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) else "it is not a number up to 65535"
        raise Refusal(f"Port {port} cannot be used ({reason}): choose another, as in PORT=8001 make run.") from None
