"""The scanner that each file passes before it is kept, if there is one.

DOCUMENT_SCANNER names a callable that is given the file, open at its beginning. It raises Infected for
what must not be kept; whatever else it raises means that it is away.
"""

import logging
import socket
import struct

from django.conf import settings
from django.utils.module_loading import import_string

from config.api.exceptions import ServiceAway

logger = logging.getLogger("hub.documents")
PIECE, SECONDS = 64 * 1024, 30


class Infected(Exception):
    """The file holds what a scanner knows to be harmful."""


def scan(file):
    """Have the configured scanner look at a file. Infected, or ServiceAway (503) when it does not answer."""
    if not settings.DOCUMENT_SCANNER:
        return
    file.seek(0)
    try:
        import_string(settings.DOCUMENT_SCANNER)(file)
    except Infected:
        raise
    except Exception as error:
        logger.error("scanner away", exc_info=error)
        raise ServiceAway from error


def clamd(file):
    """A scanner: ClamAV's daemon at CLAMD_ADDRESS, a socket's path or `host:port`."""
    address = settings.CLAMD_ADDRESS
    is_path = address.startswith("/")
    host, _colon, port = address.rpartition(":")
    with socket.socket(socket.AF_UNIX if is_path else socket.AF_INET) as daemon:
        daemon.settimeout(SECONDS)
        daemon.connect(address if is_path else (host, int(port)))
        daemon.sendall(b"zINSTREAM\0")
        while piece := file.read(PIECE):
            daemon.sendall(struct.pack(">I", len(piece)) + piece)
        daemon.sendall(struct.pack(">I", 0))
        verdict = b""
        while chunk := daemon.recv(4096):
            verdict += chunk
    verdict = verdict.rstrip(b"\0\n")
    if verdict.endswith(b"FOUND"):
        raise Infected
    if not verdict.endswith(b"OK"):
        raise OSError("clamd gave no verdict")
