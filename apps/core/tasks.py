"""The sign of life of the workers."""

import time
from typing import Any

from celery import shared_task

from apps.core import redis

# Whoever asks whether workers run reads this key: it is there while beat rings and a worker hears it.
HEARTBEAT = "podium:heartbeat"
HEARTBEAT_SECONDS = 30


@shared_task(name="core.heartbeat", ignore_result=True)
def heartbeat(**_future: Any) -> None:
    """Say that a worker is alive; the value is the Unix time. Raises RedisError, which Celery logs."""
    redis.client().set(HEARTBEAT, int(time.time()), ex=HEARTBEAT_SECONDS)
