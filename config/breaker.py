"""One circuit breaker before every use of Redis: who meets a server that is away waits once, others do not."""

import logging
import threading
import time

from django_redis import get_redis_connection
from redis.exceptions import RedisError

logger = logging.getLogger("hub.redis")

OPEN_SECONDS = 5


class RedisAway(RedisError):
    """Redis does not answer, or did not a moment ago."""


class Breaker:
    """Closed as long as Redis answers.

    A time-out, a refused connection or a refusal of its own (no memory left, a full disk) opens it;
    OPEN_SECONDS later one caller tries again, and until that one has an answer all others go on without Redis.
    """

    def __init__(self):
        self._lock, self._open_until = threading.Lock(), 0.0

    def call(self, use, *, even_open=False):
        """What `use(connection)` returns. Raises RedisAway, at once while the breaker is open.

        `even_open` is for threads that nobody waits for: they try all the same, and close it for others.
        """
        with self._lock:
            now = time.monotonic()
            if now < self._open_until and not even_open:
                raise RedisAway
            if self._open_until:
                self._open_until = now + OPEN_SECONDS
        try:
            answer = use(get_redis_connection("default"))
        except RedisError as error:
            if not even_open:
                logger.warning("redis away", extra={"facts": {"why": type(error).__name__}})
            self._open_until = time.monotonic() + OPEN_SECONDS
            raise RedisAway from error
        self._open_until = 0.0
        return answer

    def close(self):
        """Try Redis again at the next call."""
        self._open_until = 0.0


breaker = Breaker()
