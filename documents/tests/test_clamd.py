"""documents.scanning.clamd: what is said to ClamAV's daemon, and what its verdicts lead to."""

import socket
import struct
import threading

import pytest

from config.testing import data_of, error_of, make_customer
from documents.models import Document
from documents.tests.files import pdf, stored, upload

CONTENT = pdf(size=200_000)


@pytest.fixture
def daemon(tmp_path, settings):
    """Starts a clamd of one verdict; gives what it was sent, as it takes the stream apart."""
    settings.DOCUMENT_SCANNER = "documents.scanning.clamd"
    settings.CLAMD_ADDRESS = str(tmp_path / "clamd.ctl")
    server = socket.socket(socket.AF_UNIX)
    server.settimeout(20)

    def serve(verdict, seen):
        connection, _address = server.accept()
        with connection, connection.makefile("rb") as stream:
            seen.append(stream.read(len(b"zINSTREAM\0")))
            while length := struct.unpack(">I", stream.read(4))[0]:
                seen.append(stream.read(length))
            connection.sendall(verdict)

    def start(verdict):
        server.bind(settings.CLAMD_ADDRESS)
        server.listen()
        seen = []
        thread = threading.Thread(target=serve, args=(verdict, seen))
        thread.start()
        threads.append(thread)
        return seen

    threads = []
    yield start
    for thread in threads:
        thread.join(20)
    server.close()


def test_a_clean_file_is_kept_after_all_of_it_was_seen(as_, ahmed, daemon):
    seen = daemon(b"stream: OK\0")
    data_of(upload(as_(ahmed), make_customer(ahmed), CONTENT), 201)
    assert (seen[0], b"".join(seen[1:])) == (b"zINSTREAM\0", CONTENT)
    assert list(stored().values()) == [CONTENT]


@pytest.mark.parametrize(
    ("verdict", "status", "code"),
    [
        (b"stream: Eicar-Signature FOUND\0", 400, "VALIDATION_ERROR"),
        (b"INSTREAM size limit exceeded. ERROR\0", 503, "EXTERNAL_SERVICE_ERROR"),
        (b"", 503, "EXTERNAL_SERVICE_ERROR"),
    ],
)
def test_any_other_verdict_keeps_nothing(as_, ahmed, daemon, verdict, status, code):
    daemon(verdict)
    error_of(upload(as_(ahmed), make_customer(ahmed), CONTENT), status, code)
    assert (Document.objects.count(), stored()) == (0, {})


def test_without_a_daemon_nothing_is_kept(as_, ahmed, settings, tmp_path):
    settings.DOCUMENT_SCANNER = "documents.scanning.clamd"
    for address in (str(tmp_path / "none"), "localhost:1", "nonsense"):
        settings.CLAMD_ADDRESS = address
        error_of(upload(as_(ahmed), make_customer(ahmed), CONTENT), 503, "EXTERNAL_SERVICE_ERROR")
    assert (Document.objects.count(), stored()) == (0, {})
