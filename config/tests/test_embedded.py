"""The embedded servers: where they listen, who owns them, and what a kill leaves behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dj_database_url
import psycopg
import pytest
import redis
from django.conf import settings

from config import embedded, processes

OWNER = """
import sys, pathlib
from config import embedded
data_dir = pathlib.Path(sys.argv[1])
with embedded.running(data_dir, fast=True):
    print(data_dir in embedded._owned, flush=True)
    if sys.argv[2] == "stay":
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder():
    path = Path(tempfile.mkdtemp(prefix="hub-embedded-"))
    path.chmod(0o711)
    yield path
    embedded.reset(path)
    shutil.rmtree(path)


def other_process(folder, stay):
    """Another command that uses the servers of `folder`; it says at once whether it owns them."""
    argv = [sys.executable, "-c", OWNER, str(folder), "stay" if stay else "go"]
    process = subprocess.Popen(argv, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip() == "True"


def sql(folder, statement):
    with psycopg.connect(embedded.database_url(folder), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def answers(folder):
    return embedded._postgres_answers(folder, "hub") or embedded._valkey_answers(folder)


def test_addresses_are_known_before_anything_runs(tmp_path):
    folder = tmp_path / "Hub Data"

    database = dj_database_url.parse(embedded.database_url(folder))
    cache = embedded.redis_url(folder)

    assert (database["NAME"], database["USER"]) == ("hub", "postgres")
    assert cache.startswith("unix:///") and cache.endswith("/valkey.sock?db=0")
    assert not folder.exists()


@pytest.mark.parametrize("name", ["Short", "with space", "عميل", "long" * 30])
def test_a_socket_path_is_never_too_long_nor_in_need_of_quoting(name):
    folder = Path("/srv/Users") / name

    host = dj_database_url.parse(embedded.database_url(folder))["HOST"]
    cache = embedded.redis_url(folder).removeprefix("unix://").removesuffix("?db=0")

    for path in (f"{host}/.s.PGSQL.5432", cache):
        assert len(path.encode()) <= 103
        assert " " not in path and path.isascii()
    assert (host == f"{folder}/postgres") is (name == "Short")


def test_postgresql_sees_arabic_letters(folder):
    with embedded.running(folder, fast=True):
        sql(folder, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
        assert sql(folder, "SELECT similarity('محمد', 'محمد')") == 1
        assert sql(folder, "SHOW server_encoding") == "UTF8"


def test_a_second_command_uses_the_servers_and_leaves_them_running(folder):
    with embedded.running(folder, fast=True):
        process, owned = other_process(folder, stay=False)
        process.communicate()

        assert not owned
        assert embedded._postgres_answers(folder, "hub") and embedded._valkey_answers(folder)

    assert not answers(folder)


@pytest.mark.slow
def test_an_owner_waits_for_the_commands_that_still_use_the_database(folder):
    owner, owned = other_process(folder, stay=True)
    assert owned

    with psycopg.connect(embedded.database_url(folder), autocommit=True) as connection:
        owner.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            owner.wait(1)
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert owner.wait(60) == 0
    assert not answers(folder)


@pytest.mark.slow
def test_after_kill_9_of_everything_the_data_is_there(folder):
    owner, _ = other_process(folder, stay=True)
    sql(folder, "CREATE TABLE customer AS SELECT 'فاطمة' AS name")
    redis.from_url(embedded.redis_url(folder)).set("key", "value")
    # Written to disk once a second, as ever with appendonly.
    time.sleep(1.2)

    for victim in (owner.pid, *(processes.noted(folder, name)[0].pid for name in ("postgres", "valkey"))):
        os.kill(victim, signal.SIGKILL)
    owner.wait()
    # What a restarted machine looks like: the process id belongs to somebody else by now.
    stale = embedded._postgres_home(folder) / "postgres" / "postmaster.pid"
    stale.write_text("\n".join([str(os.getpid()), *stale.read_text().splitlines()[1:]]))

    with embedded.running(folder, fast=True):
        assert sql(folder, "SELECT name FROM customer") == "فاطمة"
        assert redis.from_url(embedded.redis_url(folder)).get("key") == b"value"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_the_servers_die_with_their_owner(folder):
    owner, _ = other_process(folder, stay=True)

    owner.kill()
    owner.wait()

    deadline = time.monotonic() + 30
    while answers(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(folder)


def test_a_note_is_not_believed_when_the_process_is_another(folder):
    processes.note(folder, "web", os.getpid())
    path = folder / "pids" / "web"
    path.write_text(path.read_text().replace('"started": ', '"started": 1'))

    assert processes.noted(folder, "web") == (None, None)
    processes.end(folder, "web")
    assert not path.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another user")
def test_root_may_keep_the_hub_in_a_closed_folder(tmp_path):
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)

    with embedded.running(closed / "data", redis=False, fast=True):
        assert sql(closed / "data", "SELECT 1") == 1

    assert closed.stat().st_mode & 0o777 == 0o700
    embedded.reset(closed / "data")
    assert not embedded._postgres_home(closed / "data").exists()


def test_a_folder_that_cannot_be_used_is_named_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(embedded.EmbeddedServerError, match="set HUB_DATA to another folder"):
        embedded.start(tmp_path / "file")


def test_outside_debug_the_embedded_servers_are_refused():
    production = {"DEBUG": "false", "SECRET_KEY": "s" * 40, "JWT_SIGNING_KEY": "j" * 40, "ALLOWED_HOSTS": "hub.test"}
    environment = os.environ | production | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    environment |= {"DATABASE_URL": "", "REDIS_URL": ""}
    argv = [sys.executable, "manage.py", "migrate"]

    refused = subprocess.run(argv, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)

    assert refused.returncode == 1
    assert "DATABASE_URL and REDIS_URL must be set" in refused.stderr
    assert "Traceback" not in refused.stderr
