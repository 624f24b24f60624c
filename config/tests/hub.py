"""The whole hub in processes of its own, for slow tests that stop, kill or freeze a part of it.

    with running_hub() as hub:
        token = hub.sign_in("agent@hub.test")
        with hub.frozen("postgres"):
            assert hub.call("GET", "customers", token=token).status == 503

Its parts are `postgres`, `valkey`, `web`, `worker` and `beat`, the latter three by the command lines of
`manage.py run`; `worker2` and `beat2` are others beside them. All are on data of their own, with the
demo in it. Tests share one by the fixture `hub`: whoever breaks a part of it there mends it.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import redis
from django.conf import settings

from config import embedded, processes
from config.management.commands import run

SERVERS = ("valkey", "postgres")
PROCESSES = ("web", "worker", "beat", "worker2", "beat2")
PASSWORD = "demo-hub"
PATIENCE_SECONDS = 60
FILL = "from django.core.management import call_command as call; call('migrate', verbosity=0); call('seed_demo')"


class Answer(NamedTuple):
    """What came back, and after how long."""

    status: int
    headers: dict
    body: bytes
    seconds: float

    def json(self):
        return json.loads(self.body)


class Hub:
    """One hub: where it listens, its parts by name, what it has said."""

    def __init__(self, folder, environment):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder, self.url = folder, f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.tests.brisk_settings",
            "HUB_DATA": str(folder),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            **environment,
        }
        self._children, self._tokens = {}, {}

    # --- Its parts ---------------------------------------------------------------------

    def start(self, name):
        """Start a part; a server or the web answers when this returns."""
        if name in SERVERS:
            embedded.start_server(self.folder, name, fast=True)
            return
        argv = {"web": run.web("127.0.0.1", str(self.port)), "worker": run.worker(), "beat": run.beat(self.folder)}
        argv |= {"worker2": run.worker(), "beat2": run.beat(self.folder / "pids")}
        with open(self.folder / f"{name}.log", "ab") as log:
            options = {"cwd": settings.BASE_DIR, "env": self.environment, "stdout": log, "stderr": subprocess.STDOUT}
            self._children[name] = processes.spawn(self.folder, name, argv[name], **options)
        if name == "web":
            self.wait_for(self._answers)

    def _answers(self):
        assert self.pid("web"), self.log()[-2000:]
        return self.call("GET", "/healthz").status == 200

    def stop(self, name):
        """End a part as an operator does."""
        processes.end(self.folder, name, patience_seconds=20)
        self._reap(name)

    def kill(self, name):
        """End a part, and what it has started, by SIGKILL."""
        for process in self._tree(name):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap(name)

    @contextmanager
    def frozen(self, name):
        """A part, and what it has started, stopped by SIGSTOP for the block: it takes connections and says nothing."""
        tree = self._tree(name)
        for process in tree:
            process.suspend()
        try:
            yield
        finally:
            for process in tree:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def pid(self, name):
        """The process id of a part that runs, else None."""
        process, _ = processes.noted(self.folder, name)
        return process and process.pid

    def log(self):
        """All that web, worker and beat have written so far."""
        return "".join(path.read_text() for name in PROCESSES if (path := self.folder / f"{name}.log").exists())

    def _tree(self, name):
        process, _ = processes.noted(self.folder, name)
        return [process, *process.children(recursive=True)]

    def _reap(self, name):
        (embedded.servers_of(self.folder) | self._children)[name].wait(20)

    # --- Asking it ---------------------------------------------------------------------

    def call(self, method, path, body=None, *, token=None, headers=None, timeout=30):
        """One request on a connection of its own; `path` starts after the API's prefix unless it starts with /."""
        sent = {"Connection": "close", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path if path.startswith("/") else f"/api/v1/{path}", body, sent)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, content, time.monotonic() - started)

    def sign_in(self, email="admin@hub.test"):
        """An access token of a person of the demo."""
        if email not in self._tokens:
            answer = self.call("POST", "auth/login", {"email": email, "password": PASSWORD})
            self._tokens[email] = answer.json()["data"]["token"]
        return self._tokens[email]

    def sql(self, statement, *params):
        """The rows of a statement."""
        with psycopg.connect(embedded.database_url(self.folder), autocommit=True) as connection:
            cursor = connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else None

    @contextmanager
    def locked(self, table):
        """Nobody reads or writes a table for the block."""
        with psycopg.connect(embedded.database_url(self.folder)) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield

    def somebody_waits(self):
        """Whether a statement waits for a lock."""
        return self.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != [(0,)]

    def redis(self):
        """A client of its Valkey."""
        return redis.Redis.from_url(embedded.redis_url(self.folder), socket_timeout=5)

    def run(self, code):
        """What a piece of Python prints that runs inside the project, on this hub's data."""
        argv = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        ran = subprocess.run(argv, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def wait_for(self, condition, *, seconds=PATIENCE_SECONDS):
        """Wait until something holds that a process will bring about; an AssertionError when it does not."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(OSError):
                if condition():
                    return
            assert time.monotonic() < deadline, self.log()[-2000:]
            time.sleep(0.05)


@contextmanager
def running_hub(*parts, **environment):
    """A hub with PostgreSQL, Valkey and these parts (all when none is named), with the demo's data.

    `environment` holds variables of its processes, such as `WEB_THREADS="2"`.
    """
    folder = Path(tempfile.mkdtemp(prefix="hub-slow-")).resolve()
    # As root, PostgreSQL runs as another user who must pass through; what lies inside is closed by itself.
    folder.chmod(0o711)
    hub = Hub(folder, environment)
    try:
        embedded.start(folder, fast=True, own=True)
        hub.run(FILL)
        for name in parts or ("web", "worker", "beat"):
            hub.start(name)
        yield hub
    finally:
        for name in processes.names(folder):
            process, _ = processes.noted(folder, name)
            if process:
                process.send_signal(signal.SIGCONT)
        processes.end(folder, *PROCESSES, patience_seconds=5)
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
