"""The circuit breaker before Redis: what counts as away."""

import pytest

from config.breaker import RedisAway, breaker


def test_a_redis_that_refuses_what_it_is_asked_is_as_good_as_away():
    out_of_memory = "return redis.error_reply('OOM command not allowed when used memory > maxmemory')"

    with pytest.raises(RedisAway):
        breaker.call(lambda redis: redis.eval(out_of_memory, 0))
    with pytest.raises(RedisAway):
        breaker.call(lambda redis: pytest.fail("the breaker is open"))

    breaker.close()
    assert breaker.call(lambda redis: redis.ping()) is True
