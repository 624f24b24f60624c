"""A client that sends requests over several keep-alive connections, in a process of its own.

Its input is a JSON object: `port`, `connections`, `seconds`, and `requests` as texts of HTTP, sent in
turn for as long. Without `seconds` each is sent once. It prints how many answers came, all of them 200,
and in how many seconds: the last ones are awaited, so that a server is idle when another's turn comes.
"""

import json
import re
import selectors
import socket
import sys
import time
from itertools import cycle

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


def main():
    order = json.load(sys.stdin)
    requests = [request.encode() for request in order["requests"]]
    coming = cycle(requests) if order["seconds"] else iter(requests)
    print(*send(order["port"], order["connections"], order["seconds"] or float("inf"), coming))


def send(port, connections, seconds, requests):
    """`answers, seconds` of requests that are sent for some seconds, or until none is left."""
    waiting, answers, started = selectors.DefaultSelector(), 0, time.monotonic()
    for request, _number in zip(requests, range(connections), strict=False):
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        waiting.register(connection, selectors.EVENT_READ, bytearray())
        connection.sendall(request)
    while waiting.get_map():
        for key, _events in waiting.select(timeout=1):
            came = key.fileobj.recv(262_144)
            assert came, "the server has hung up"
            key.data.extend(came)
            if not is_whole(key.data):
                continue
            assert key.data.startswith(b"HTTP/1.1 200 "), bytes(key.data[:600])
            key.data.clear()
            answers += 1
            request = next(requests, None) if time.monotonic() < started + seconds else None
            if request:
                key.fileobj.sendall(request)
            else:
                waiting.unregister(key.fileobj)
    return answers, time.monotonic() - started


def is_whole(answer):
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(answer, 0, head + 2)
    return len(answer) >= head + 4 + int(length[1])


if __name__ == "__main__":
    main()
