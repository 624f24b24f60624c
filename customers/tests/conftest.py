"""Two customers who are one, with a row of every kind each: Ahmed's is to survive, Omar's to go."""

import pytest

from customers.tests.two import make_whole


@pytest.fixture
def survivor(layla, ahmed):
    return make_whole(layla, ahmed, name="سالم الحربي")


@pytest.fixture
def other(layla, omar):
    return make_whole(layla, omar, name="سالم الحربى")
