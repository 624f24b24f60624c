"""A web process of its own over the servers of the tests, for what only real connections and signals can show."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

PATIENCE_SECONDS = 60


class Server:
    """A running web process; a test that uses one needs `transactional_db`, so that it sees the rows."""

    def __init__(self, **environ):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        environ = {"DJANGO_SETTINGS_MODULE": "config.settings", "HUB_RATE_LIMITS": "on", **environ}
        environ |= {"DATABASE_URL": database, "REDIS_URL": settings.REDIS_URL, "LOG_LEVEL": "ERROR"}
        argv = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(self.port)]
        argv += ["--log-level", "error", "config.asgi:application"]
        self.process = subprocess.Popen(
            argv, cwd=settings.BASE_DIR, env={**os.environ, **environ}, start_new_session=True
        )

    def wait_until_it_answers(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.call("GET", "/healthz")
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, "the web process does not answer"
                time.sleep(0.05)

    def call(self, method, path, body=None, **headers):
        """`(status, headers, body)` of a call; `path` starts after the API's prefix unless it starts with /."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            url = path if path.startswith("/") else f"/api/v1/{path}"
            content = None if body is None else json.dumps(body)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, url, content, {"Content-Type": "application/json", **named})
            response = connection.getresponse()
            text = response.read()
            return response.status, response.headers, json.loads(text) if text else None
        finally:
            connection.close()

    def kill(self):
        """End it as a crash would, at once and with all it was doing."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(**environ):
    """A Server that answers, until the end of the block."""
    server = Server(**environ)
    try:
        server.wait_until_it_answers()
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
