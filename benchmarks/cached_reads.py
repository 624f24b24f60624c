"""Reads that the cache answers beside a view that reads nothing: requests a second, CPU, and which share is kept.

The limits below are promises; under any of them the script exits with 1.
"""

import http.client
import statistics
import subprocess
import sys
from pathlib import Path

import measuring
import psutil

from employees.services import sign_in_as

# Requests a second as a share of those of the bare view in the same round, the median of all rounds.
MIN_SHARE = {"list": 0.6, "304": 0.6}
# A 304 of a list is no slower than the list itself, but for what two measurements differ by.
MIN_304_OF_LIST = 0.95
CONNECTIONS = 16
ROUNDS, ROUND_SECONDS, WARM_UP_SECONDS = 7, 3, 2
PATHS = {"bare": "/api/v1/bare", "list": "/api/v1/customers?limit=20", "304": "/api/v1/customers?limit=20"}


def request_for(kind, port, token):
    """The bytes of a request, and the status of its answer."""
    headers = {"Host": f"127.0.0.1:{port}", "Authorization": f"Bearer {token}", "Accept-Language": "ar"}
    status = 200
    if kind == "304":
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", PATHS[kind], headers=headers)
        answer = connection.getresponse()
        print(f"the list is {len(answer.read())} bytes long")
        # A list tells the time in it: a new minute brings another tag only where something has come due.
        headers["If-None-Match"], status = answer.headers["ETag"], 304
    lines = [f"GET {PATHS[kind]} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode(), status


def knock(port, seconds, request, status):
    """How many answers a process of its own gets in this time."""
    argv = [sys.executable, Path(__file__).with_name("knocking.py"), *map(str, (port, CONNECTIONS, seconds, status))]
    return int(subprocess.run(argv, input=request, stdout=subprocess.PIPE, check=True).stdout)


def measure(server, port, token):
    """`{kind: [(requests a second, CPU-ms a request of the web process) of each round]}`."""
    requests = {kind: request_for(kind, port, token) for kind in PATHS}
    for request, status in requests.values():
        knock(port, WARM_UP_SECONDS, request, status)
    rounds = {kind: [] for kind in PATHS}
    for _ in range(ROUNDS):
        for kind, (request, status) in requests.items():
            before = measuring.cpu_seconds([server])
            done = knock(port, ROUND_SECONDS, request, status)
            cpu_ms = (measuring.cpu_seconds([server]) - before) / done * 1000
            rounds[kind].append((done / ROUND_SECONDS, cpu_ms))
    return rounds


def shares(rounds, kind, of):
    """The median share of one kind's requests a second of another's, round by round."""
    return statistics.median(one / other for (one, _), (other, _) in zip(rounds[kind], rounds[of], strict=True))


def main():
    options, wrong = measuring.arguments(__doc__).parse_args(), []
    with (
        measuring.demo(options.customers),
        measuring.web_server("benchmarks.bare_view:application") as (process, port),
    ):
        rounds = measure(psutil.Process(process.pid), port, sign_in_as("admin@hub.test"))
    print(f"\n{'':8}{'requests/s':>11}{'of bare':>9}{'at least':>10}{'CPU-ms':>8}   medians of {ROUNDS} rounds")
    for kind, measured in rounds.items():
        rate, cpu_ms = (statistics.median(values) for values in zip(*measured, strict=True))
        share, least = shares(rounds, kind, "bare"), MIN_SHARE.get(kind, 0)
        print(f"{kind:8}{rate:11.0f}{share:9.3f}{least:10.2f}{cpu_ms:8.2f}")
        if share < least:
            wrong.append(f"{kind}: {share:.3f} of the bare view, at least {least}")
    beside = shares(rounds, "304", "list")
    print(f"a 304 is {beside:.2f} times as fast as its list, at least {MIN_304_OF_LIST}")
    if beside < MIN_304_OF_LIST:
        wrong.append(f"304: {beside:.2f} of its list, at least {MIN_304_OF_LIST}")
    measuring.finish(wrong)


if __name__ == "__main__":
    main()
