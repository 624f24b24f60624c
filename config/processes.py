"""Child processes that end with their parent, however it ends: what `kill -9` leaves is found again and ended."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil

libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(data_dir, name, argv, *, end_signal=signal.SIGTERM, **options):
    """Start a child that dies with the calling thread, and note it should it outlive that."""
    parent = os.getpid()

    def bind():
        die_with_parent(end_signal)
        if os.getppid() != parent:
            os._exit(1)

    # A session of its own: Ctrl-C reaches the parent alone, which then ends its children in order.
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=bind, **options)
    note(data_dir, name, process.pid, end_signal)
    return process


def die_with_parent(end_signal=signal.SIGTERM):
    """Have the kernel send this process a signal when its parent dies. Linux alone can."""
    if libc:
        libc.prctl(1, end_signal)  # PR_SET_PDEATHSIG


def note(data_dir, name, pid, end_signal=signal.SIGTERM):
    """Write down that `name` is the process `pid`, which ends on `end_signal`."""
    folder = data_dir / "pids"
    record = {"pid": pid, "started": psutil.Process(pid).create_time(), "signal": int(end_signal)}
    (folder / f"{name}.new").write_text(json.dumps(record))
    (folder / f"{name}.new").rename(folder / name)


def lives(process):
    # A zombie has ended; nobody may come to collect it, as in a container whose first process is no init.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def noted(data_dir, name):
    """The noted process and its signal, if it is still that process: ids are given again, start times are not."""
    try:
        record = json.loads((data_dir / "pids" / name).read_text())
        process = psutil.Process(record["pid"])
        if abs(process.create_time() - record["started"]) < 2 and lives(process):
            return process, record["signal"]
    except (OSError, ValueError, KeyError, psutil.Error):
        pass
    return None, None


def end(data_dir, *names, patience_seconds=10):
    """End noted processes, all at once: each by its signal, and by SIGKILL to its whole session when patience ends."""
    ending = [noted(data_dir, name) for name in names]
    ending = [(process, number) for process, number in ending if process and process.pid != os.getpid()]
    for process, number in ending:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    deadline = time.monotonic() + patience_seconds
    while any(lives(process) for process, _ in ending) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process, _ in ending:
        if lives(process):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    for name in names:
        with suppress(OSError):
            (data_dir / "pids" / name).unlink()


def names(data_dir):
    """What is noted, running or not."""
    return {path.name for path in (data_dir / "pids").glob("*")}
