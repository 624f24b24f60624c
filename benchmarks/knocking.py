"""A client that asks the same again and again over several keep-alive connections, in a process of its own.

`knocking.py PORT CONNECTIONS SECONDS STATUS` reads a request from its input and prints how many answers came.
"""

import re
import selectors
import socket
import sys
import time

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


def main():
    port, connections, seconds, status = map(float, sys.argv[1:])
    print(knock(int(port), int(connections), seconds, b"HTTP/1.1 %d " % status, sys.stdin.buffer.read()))


def knock(port, connections, seconds, status, request):
    """How many answers came in this time, all of this status line."""
    waiting, answers = selectors.DefaultSelector(), 0
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        waiting.register(connection, selectors.EVENT_READ, bytearray())
        connection.sendall(request)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _events in waiting.select(timeout=1):
            came = key.fileobj.recv(262_144)
            assert came, "the server has hung up"
            key.data.extend(came)
            if is_whole(key.data):
                assert key.data.startswith(status), bytes(key.data[:400])
                key.data.clear()
                answers += 1
                key.fileobj.sendall(request)
    return answers


def is_whole(answer):
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(answer, 0, head + 2)
    return len(answer) >= head + 4 + (int(length[1]) if length else 0)


if __name__ == "__main__":
    main()
