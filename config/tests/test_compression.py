"""Compression, where no proxy in front does it: which answers, for whom, and what becomes of their ETag."""

import gzip

import orjson
import pytest
from django.core.exceptions import MiddlewareNotUsed

from config.middleware import CompressMiddleware, accepts_gzip
from config.testing import HubClient, data_of, make_customer


@pytest.fixture
def client(layla):
    make_customer(layla, name="سارة الحربي", notes="ملاحظة " * 200)
    return HubClient(layla)


def test_json_worth_it_is_compressed_for_who_takes_gzip_and_says_that_it_varies(client):
    plain = client.get("customers")
    packed = client.get("customers", headers={"Accept-Encoding": "br, gzip;q=0.8"})

    assert "Content-Encoding" not in plain.headers
    assert packed["Content-Encoding"] == "gzip" and packed["Content-Length"] == str(len(packed.content))
    assert orjson.loads(gzip.decompress(packed.content))["data"] == data_of(plain)
    assert plain["Vary"] == packed["Vary"] and "Accept-Encoding" in plain["Vary"]
    assert len(packed.content) < len(plain.content) / 2


def test_the_tag_of_a_compressed_answer_is_weak_and_finds_its_304(client):
    for path in ("customers", "customers?fields=id"):
        packed = client.get(path, headers={"Accept-Encoding": "gzip"})
        plain = client.get(path)
        assert packed["ETag"] == f"W/{plain['ETag']}"
        for accepted, first in (("gzip", packed), ("br", plain)):
            again = client.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": packed["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert (again["ETag"], again["Vary"]) == (first["ETag"], first["Vary"])


def test_a_short_answer_and_one_with_tokens_are_not_compressed(client, layla):
    gzipped = {"Accept-Encoding": "gzip"}
    assert "Content-Encoding" not in client.get("customers/nobody", headers=gzipped).headers
    signed_in = client.get("auth/me", headers=gzipped)
    assert signed_in.status_code == 200 and "Content-Encoding" not in signed_in.headers


def test_behind_a_proxy_nothing_is_compressed_here(settings):
    settings.COMPRESS = False
    with pytest.raises(MiddlewareNotUsed):
        CompressMiddleware(None)


@pytest.mark.parametrize(
    ("header", "takes_it"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("GZIP", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("x-gzipped", False),
        ("*, gzip;q=0", False),
        ("*;q=0, gzip", True),
        ("*;q=0", False),
    ],
)
def test_who_takes_gzip(header, takes_it):
    assert accepts_gzip(header) is takes_it
