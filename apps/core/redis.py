"""The connection to Redis for what is counted or ranked there. Nothing that must not be lost lives in Redis."""

from functools import lru_cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004 - Redis's own
from redis.retry import Retry

# A request may wait this long for Redis and no longer; whoever asks has a way to go on without it.
CONNECT_SECONDS = 0.25
ANSWER_SECONDS = 1.0


@lru_cache(maxsize=1)
def client() -> Redis:
    """Return this process's client; threads share its pool. It connects when used, and then raises RedisError."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # One more try when a connection breaks, which it does when Redis restarts while it idles; none when an answer
        # is late, or everyone would wait twice as long for a Redis that hangs.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    )
