"""The connection to Redis for what is counted or ranked there. Nothing that must not be lost lives in Redis."""

from functools import lru_cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
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
        # One silent second try: a connection that idled while Redis restarted is not an outage.
        retry=Retry(NoBackoff(), 1),
    )
