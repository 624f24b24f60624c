"""What requests are answered when PostgreSQL or Valkey is away: real servers, stopped, killed and frozen."""

import pytest

pytestmark = pytest.mark.slow


def test_everything_answers(hub):
    assert hub.call("GET", "/readyz").json() == {"postgresql": "ok", "redis": "ok"}
    assert hub.call("GET", "customers", token=hub.sign_in()).status == 200
