"""What the tests of actions share."""

import pytest

from actions.tests.rules import Pool


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    settings.RATE_LIMITS = False


@pytest.fixture(scope="module")
def pools(django_db_setup, django_db_blocker):
    """Three brokerages of random rows, each around another now."""
    with django_db_blocker.unblock():
        pools = [Pool(number) for number in range(len(Pool.NOWS))]
        yield pools
        for pool in pools:
            pool.remove()
